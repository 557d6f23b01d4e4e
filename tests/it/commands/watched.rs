//! The daemon as it is watched over HTTP.

use serde_json::{Value, json};

use super::harness::{Lambda, Room, Running, account, eventually, http, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: MODE
interval: 1s
budgets: {get_policy: unlimited, control: unlimited}
";

fn lambda() -> Lambda {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::b"), account("rogue", "210987654321")];
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]))
}

fn start(room: &Room, mode: &str) -> (Running, String) {
    room.write("permitd.yaml", &SETTINGS.replace("MODE", mode));
    started(room, "run")
}

fn started(room: &Room, words: &str) -> (Running, String) {
    let mut daemon = room.start(words);
    daemon.logs("listening for /livez");
    let log = daemon.err();
    let at = log.split_once("address=").unwrap().1;
    let address = at.split_whitespace().next().unwrap();
    (daemon, format!("http://{address}"))
}

fn status(endpoint: &str) -> Value {
    let (code, text) = http(endpoint, "GET", "/status", "");
    assert_eq!(code, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn what_differs_is_in_the_status_since_when_and_why() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    let (mut daemon, at) = start(&room, "observe");
    let target = eventually("the drift to be seen", || {
        let status = status(&at);
        let target = status["targets"][0].clone();
        (target["state"] == "drifted").then_some(target)
    });
    assert_eq!(target["arn"], super::harness::FN);
    assert_eq!(target["reason"], "differs");
    assert_eq!(target["drift"][0]["sid"], "rogue");
    assert_eq!(target["drift"][0]["kind"], "unmanaged");
    assert_eq!(target["size"]["limit"], 20480);
    assert!(target["revision_id"].is_string());
    let since = target["since"].clone();
    let again = eventually("another read", || {
        let next = status(&at)["targets"][0].clone();
        (next["last_read"] != target["last_read"]).then_some(next)
    });
    assert_eq!(again["since"], since, "a state that stays has one beginning");
    assert_eq!(again["last_outcomes"].as_array().unwrap().len(), 1);
    assert_eq!(http(&at, "GET", "/readyz", "").0, 200);
    daemon.stops();
}

#[test]
fn what_is_repaired_is_in_sync_and_what_was_written_is_told() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    let (mut daemon, at) = start(&room, "enforce");
    let target = eventually("the repair", || {
        let status = status(&at);
        let target = status["targets"][0].clone();
        (target["state"] == "in_sync" && target["last_outcomes"][0]["writes"] == 1)
            .then_some(target)
    });
    assert_eq!(target["reason"], "as_written");
    assert_eq!(target["drift"], json!([]));
    daemon.stops();
}

#[test]
fn without_aws_it_lives_is_ready_and_knows_nothing() {
    let room = Room::at("http://127.0.0.1:9", WISHES);
    let (mut daemon, at) = start(&room, "enforce");
    let target = eventually("a read that failed", || {
        let status = status(&at);
        let target = status["targets"][0].clone();
        (target["last_attempt"] != Value::Null).then_some(target)
    });
    assert_eq!((&target["state"], &target["reason"]), (&json!("unknown"), &json!("unreachable")));
    assert_eq!(target["last_read"], Value::Null);
    assert!(target["message"].is_string() && target["hint"].is_string(), "{target}");
    assert_eq!(http(&at, "GET", "/livez", "").0, 200);
    assert_eq!(http(&at, "GET", "/readyz", "").0, 200);
    daemon.stops();
}

/// Whose the files are is not known then; they are checked as far as that goes.
#[test]
fn without_aws_and_without_an_account_in_the_files_it_lives_and_asks_again() {
    let lambda = lambda();
    lambda.faults(&json!({"faults": [
        {"operation": "GetCallerIdentity", "kind": "error", "status": 503, "times": "forever"}
    ]}));
    let room = lambda.room(&WISHES.replace("account: '123456789012'\n", ""));
    let (mut daemon, at) = start(&room, "enforce");
    daemon.logs("nothing is managed yet; asking again");
    assert_eq!(http(&at, "GET", "/livez", "").0, 200);
    assert_eq!(http(&at, "GET", "/readyz", "").0, 200);
    let refused = status(&at)["config"]["refused"].to_string();
    assert!(refused.contains("cannot tell the account of the credentials"), "{refused}");
    assert_eq!(lambda.sids("f"), ["a", "rogue"]);
    lambda.faults(&json!({}));
    lambda.converges("f", &["a"]);
    assert_eq!(daemon.err().matches("nothing is managed yet").count(), 1, "{}", daemon.err());
    assert_eq!(status(&at)["config"]["refused"], Value::Null);
    daemon.stops();
    // Nor does it wait for an answer when it is to stop; and what is wrong with files does not pass.
    lambda.faults(&json!({"faults": [
        {"operation": "GetCallerIdentity", "kind": "delay", "delay_ms": 60000, "times": "forever"}
    ]}));
    let (mut daemon, _) = start(&room, "enforce");
    daemon.stops();
    room.write("permissions.yaml", "functions: [{function: f, statments: []}]\n");
    assert_eq!(room.permitd("run").code, Some(78));
}

#[test]
fn orders_over_http_are_taken_only_where_they_are_allowed() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", &SETTINGS.replace("MODE", "enforce").replace("1s", "1h"));
    let (mut daemon, at) = started(&room, "run");
    lambda.converges("f", &["a"]);
    assert_eq!(http(&at, "POST", "/-/pass", "").0, 405);
    daemon.stops();
    let (mut daemon, at) = started(&room, "run --enable-lifecycle --per-target-metrics");
    daemon.logs("pass done");
    lambda.grant("f", "rogue", "210987654321");
    assert_eq!(http(&at, "POST", "/-/pass", ""), (200, "started; 1 targets\n".to_owned()));
    lambda.converges("f", &["a"]);
    let (code, said) = http(&at, "GET", "/-/reload", "");
    assert_eq!((code, said.as_str()), (405, "this takes POST\n"));
    room.write("permissions.yaml", &WISHES.replace("sid: a", "sid: b"));
    assert_eq!(http(&at, "POST", "/-/reload", ""), (200, "loaded; 1 targets\n".to_owned()));
    lambda.converges("f", &["b"]);
    room.write("permissions.yaml", "functions: [{function: f, statments: []}]\n");
    let (code, said) = http(&at, "POST", "/-/reload", "");
    assert_eq!(code, 500);
    assert!(said.contains("permissions.yaml:1:27: ") && said.contains("stays"), "{said}");
    assert!(http(&at, "GET", "/metrics", "").1.contains("permitd_target_state{arn="));
    daemon.stops();
}

#[test]
fn an_address_that_was_written_has_to_be_there() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let room = Room::at("http://127.0.0.1:9", WISHES).with("PERMITD_HTTP_LISTEN", &address);
    let said = room.permitd("run --mode observe permissions.yaml");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    let error =
        format!("error: cannot listen on {address} for /livez, /readyz, /metrics and /status");
    assert!(said.err.starts_with(&error), "{}", said.err);
    assert!(said.err.contains("hint: choose another address"), "{}", said.err);
    let said = room.permitd("run --mode observe --http-listen nowhere permissions.yaml");
    assert_eq!(said.code, Some(64));
}

/// Needs what the HTML report needs (`tests/it/browser.rs`).
#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn the_page_lives_in_a_browser() {
    if std::env::var("PERMITD_TEST_CHROMIUM").as_deref() != Ok("1") {
        println!("SKIPPED: set PERMITD_TEST_CHROMIUM=1");
        return;
    }
    let lambda = Lambda::new(&json!([{
        "name": "f", "policy": policy(&[service("a", "s3.amazonaws.com", "arn:aws:s3:::b")])
    }]));
    let room = lambda.room(WISHES);
    // Half of a budget is used, so that there is something to see.
    let room = room.with("PERMITD_GET_POLICY_BUDGET", "2/s").with("PERMITD_CONTROL_BUDGET", "1/s");
    let (mut daemon, at) = start(&room, "observe");
    let python = std::env::var("PERMITD_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let page = format!("{at}/");
    let words = ["tests/browser/page.py", &page, &lambda.endpoint, "target/screenshots"];
    let output = std::process::Command::new(python).args(words).output().unwrap();
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    daemon.stops();
}
