//! `permitd simulate`: the simulator on its own, for any AWS client and for people with curl.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, http};

#[test]
fn prints_its_address_and_serves_until_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut simulator = Room::new().start("simulate");
        simulator.says("\n");
        let endpoint = simulator.out().trim().to_owned();
        assert_eq!(
            http(&endpoint, "GET", "/_simulator/requests", ""),
            (200, "{\n  \"requests\": []\n}\n".into())
        );
        assert_eq!(http(&endpoint, "GET", "/2015-03-31/functions/", "").0, 200);
        simulator.signal(signal);
        assert_eq!(simulator.code(), Some(0), "{}", simulator.err());
        assert_eq!(simulator.out().lines().count(), 1, "nothing but the address");
        let hint =
            "This is a simulator of AWS Lambda. `permitd simulate --help` tells how to use it.\n";
        assert_eq!(simulator.err(), hint);
    }
}

/// Every endpoint of the control API in one line of curl.
#[test]
fn help_shows_the_control_api() {
    let said = Room::new().permitd("simulate --help");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    for line in [
        "curl -s $S/state",
        "curl -s -X PUT $S/state -d @state.json",
        "curl -s -X POST $S/reset",
        "curl -s $S/requests",
        "curl -s -X DELETE $S/requests",
        "curl -s -X PUT $S/faults -d '",
        "curl -s $S/faults",
        "curl -s -X POST $S/principals -d '",
        "AWS_ENDPOINT_URL=http://127.0.0.1:",
        "--seed <FILE>",
        "--listen <ADDR>",
    ] {
        assert!(said.out.contains(line), "`{line}` is not in\n{}", said.out);
    }
}

/// What the help says works as it stands there.
#[test]
fn the_lines_of_the_help_work() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let help = Room::new().permitd("simulate --help").out;
    let mut tried = 0;
    for line in help.lines().filter_map(|it| it.split_once("curl -s ")).map(|(_, it)| it) {
        let (method, rest) = match line.strip_prefix("-X ").and_then(|it| it.split_once(' ')) {
            Some((method, rest)) => (method, rest),
            None => ("GET", line),
        };
        let (path, body) = rest.split_once(" -d ").unwrap_or((rest, ""));
        let path = path.strip_prefix("$S/").unwrap();
        let body = match body.trim_matches('\'') {
            "@state.json" => lambda.control("GET", "state", &Value::Null).to_string(),
            it => it.to_owned(),
        };
        let (status, answer) =
            http(&lambda.endpoint, method, &format!("/_simulator/{path}"), &body);
        assert_eq!(status, 200, "{line}: {answer}");
        tried += 1;
    }
    assert!(tried >= 10, "{tried} lines");
}

#[test]
fn only_loopback_unless_told_otherwise() {
    let room = Room::new();
    room.permitd("simulate --listen 0.0.0.0:0").is(78, "", "\
error: 0.0.0.0:0 can be reached from other machines
hint: the simulator asks nobody for a password: listen on 127.0.0.1, or pass --allow-remote to `permitd simulate`
");
    let mut simulator = room.start("simulate --listen 0.0.0.0:0 --allow-remote");
    simulator.says("http://0.0.0.0:");
    let wrong = room.permitd("simulate --listen nowhere");
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(64), ""), "{wrong:?}");
}

#[test]
fn a_port_that_is_taken() {
    let lambda = Lambda::new(&json!([]));
    let address = lambda.endpoint.strip_prefix("http://").unwrap();
    let said = Room::new().permitd(&format!("simulate --listen {address}"));
    said.is(
        1,
        "",
        &format!("error: cannot listen on {address}: Address already in use (os error 98)\n"),
    );
}

#[test]
fn a_bad_seed_is_told_with_its_place() {
    let room = Room::new();
    let seed = |text: &str| {
        room.write("seed.yaml", text);
        let said = room.permitd("simulate --seed seed.yaml");
        assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
        said.err
    };
    assert_eq!(seed("accounts:\n  - id: '123456789012'\n    functionss: []\n"), "\
error: seed.yaml:3:5: unknown field `functionss`, expected one of id, region, functions, principals, access_keys, roles, identities
hint: correct the seed file
");
    assert_eq!(
        seed("accounts: [\n"),
        "error: seed.yaml:1:11: unclosed bracket '['\nhint: correct the seed file\n"
    );
    assert_eq!(
        seed("accounts: [{id: '123', functions: []}]\n"),
        "error: seed.yaml: accounts[0].id: `123` is not an account id: it has twelve digits\n\
         hint: correct the seed file\n"
    );
    let said = room.permitd("simulate --seed none.yaml");
    said.is(
        78,
        "",
        "\
error: cannot read the seed none.yaml: No such file or directory (os error 2)
hint: a seed is a YAML file; `permitd simulate --help` tells more
",
    );
}

/// An unsigned request, as curl sends it, goes to the first account of the seed.
#[test]
fn lambdas_own_api_by_hand() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let add = json!({"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    let (status, body) =
        http(&lambda.endpoint, "POST", "/2015-03-31/functions/f/policy", &add.to_string());
    assert_eq!(status, 201, "{body}");
    let (status, body) = http(&lambda.endpoint, "GET", "/2015-03-31/functions/f/policy", "");
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let document: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(document["Statement"][0]["Resource"], FN);
    let log = lambda.requests();
    assert_eq!(log[0]["operation"], "AddPermission");
    assert_eq!((&log[0]["target"], &log[0]["status"]), (&json!(FN), &json!(201)));
    assert_eq!(lambda.calls(), ["AddPermission f", "GetPolicy f"]);
}
