//! Full passes that do not fit into the interval: who is told, and when.

use std::fmt::Write;

use serde_json::json;

use super::harness::{Lambda, Room};

fn wishes(n: usize) -> String {
    let mut res = "account: '123456789012'\nfunctions:\n".to_owned();
    for it in 0..n {
        writeln!(res, "- {{function: f{it}, statements: [{{sid: a, principal: s3.amazonaws.com, accept: [P001, P003]}}]}}").unwrap();
    }
    res
}

fn settings(interval: &str) -> String {
    format!(
        "permissions: [permissions.yaml]\nmode: observe\ninterval: {interval}\npoll_interval: 1s\nbudgets: {{get_policy: 10/s}}\n"
    )
}

#[test]
fn check_says_it_with_the_numbers_and_no_other_command() {
    let room = Room::at("http://127.0.0.1:9", &wishes(31));
    room.write("permitd.yaml", &settings("3s"));
    let said = room.permitd("check");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "ok: 31 statements for 31 targets\n"));
    let told = "warning[slow-pass]: a full pass over 123456789012/us-east-1 takes at least 4 s, and the next one is \
                due after 3s: 31 targets at 10/s";
    assert!(said.err.contains(told), "{}", said.err);
    assert!(said.err.contains("permitd.yaml") && said.err.contains("write `interval: 1m` or more"));
    assert_eq!(room.permitd("check --deny slow-pass").code, Some(78));
    room.write("permitd.yaml", &settings("4s"));
    assert_eq!(room.permitd("check").err, "");
    // Whose account that is, nobody has written.
    room.write("permissions.yaml", &wishes(31).replace("account: '123456789012'\n", ""));
    room.write("permitd.yaml", &settings("3s"));
    let said = room.permitd("check");
    assert!(said.err.contains("a full pass over us-east-1 takes"), "{}", said.err);
}

#[test]
fn a_daemon_says_it_at_its_start_and_when_it_becomes_so() {
    let functions: Vec<_> = (0..31).map(|it| json!({"name": format!("f{it}")})).collect();
    let lambda = Lambda::new(&json!(functions));
    let room = lambda.room(&wishes(31)).with("PERMITD_GET_POLICY_BUDGET", "10/s");
    room.write("permitd.yaml", &settings("3s"));
    let said = room.permitd("plan");
    assert!(!said.err.contains("interval"), "{}", said.err);
    let mut daemon = room.start("run");
    daemon.logs("a full pass does not fit into the interval");
    for it in
        ["targets=31", "calls_per_second=10", "seconds=4", "interval=3", "123456789012/us-east-1"]
    {
        assert!(daemon.err().contains(it), "{it}: {}", daemon.err());
    }
    daemon.logs("permitd is running");
    // The same is not said again; other numbers are.
    room.write("permissions.yaml", &format!("{}# the same\n", wishes(31)));
    daemon.logs_times("loaded the configuration anew", 1);
    room.write("permitd.yaml", &settings("2s"));
    daemon.logs_times("loaded the configuration anew", 2);
    daemon.logs_times("a full pass does not fit into the interval", 2);
    room.write("permitd.yaml", &settings("1h"));
    daemon.logs_times("loaded the configuration anew", 3);
    daemon.stops();
    assert_eq!(daemon.err().matches("does not fit").count(), 2, "{}", daemon.err());
}
