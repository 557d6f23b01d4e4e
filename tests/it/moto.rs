//! Against moto, a Lambda that somebody else wrote: first statements are created there, and are in sync then.
//!
//! Only what moto is faithful in (`lambda-semantics.md`, 9): writes without a revision, service principals,
//! source ARN and source account. Runs with `PERMITD_TEST_MOTO=1` and `moto_server` on the PATH
//! (`pip install -r tests/moto/requirements.txt`).

mod events;

use std::io::Write;

use serde_json::json;

use crate::commands::harness::{Room, Running, http_with};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements:
      - {sid: s3, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::uploads'}
  - function: g
    statements:
      - {sid: s3, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::uploads', source_account: '123456789012'}
  - function: h
    statements:
      - {sid: events, principal: events.amazonaws.com}
";

/// An empty zip file.
const CODE: &str = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

struct Moto {
    endpoint: String,
    _running: Running,
}

impl Moto {
    fn start() -> Self {
        let room = Room::new();
        let mut command = room.command("moto_server");
        command.args(["-H", "127.0.0.1", "-p", "0"]).env("PYTHONUNBUFFERED", "1");
        let mut running = Running::new(command);
        running.logs("Running on http://127.0.0.1:");
        let log = running.err();
        let (_, endpoint) = log.split_once("Running on ").unwrap();
        let endpoint = endpoint.split_whitespace().next().unwrap().to_owned();
        Self { endpoint, _running: running }
    }

    /// moto believes every signature; it only looks for the service in it.
    fn call(&self, service: &str, method: &str, path: &str, content_type: &str, body: &str) -> u16 {
        let scope = format!("test/20260101/us-east-1/{service}/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        let headers = [("authorization", authorization.as_str()), ("content-type", content_type)];
        http_with(&self.endpoint, method, path, &headers, body).0
    }

    fn create(&self, functions: &[&str]) {
        let role =
            "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D";
        let form = "application/x-www-form-urlencoded";
        assert_eq!(self.call("iam", "POST", "/", form, role), 200);
        for name in functions {
            let body = json!({
                "FunctionName": name, "Runtime": "python3.13", "Handler": "h.h",
                "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ZipFile": CODE},
            });
            let path = "/2015-03-31/functions";
            let json = "application/json";
            assert_eq!(self.call("lambda", "POST", path, json, &body.to_string()), 201);
        }
    }
}

#[test]
fn first_statements_on_moto() {
    if std::env::var("PERMITD_TEST_MOTO").is_err() {
        writeln!(std::io::stderr(), "SKIPPED: set PERMITD_TEST_MOTO=1 to test against moto")
            .unwrap();
        return;
    }
    let moto = Moto::start();
    let room = Room::at(&moto.endpoint, WISHES);
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.ends_with("0 of 3 functions differ; 3 unknown.\n"), "{said:?}");

    moto.create(&["f", "g", "h"]);
    let said = room.permitd("plan permissions.yaml --detailed-exitcode");
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = room.permitd("apply permissions.yaml --mode additive --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(
        said.out.ends_with(
            "
f: s3 was missing; added (s3.amazonaws.com may invoke, from arn:aws:s3:::uploads)
g: s3 was missing; added (s3.amazonaws.com may invoke, from arn:aws:s3:::uploads, in account 123456789012)
h: events was missing; added (events.amazonaws.com may invoke)
Applied: 3 writes done. 3 of 3 functions as written; 0 held, 0 failed, 0 unknown.
"
        ),
        "{said:?}"
    );
    let in_sync = "\
Plan: 0 to add, 0 to change, 0 to remove, 0 held. 0 of 3 functions differ; 0 unknown.
Live statements with risks: P001 1, P003 1.
";
    room.permitd("plan permissions.yaml --detailed-exitcode").is(0, in_sync, "");

    // Somebody takes one away.
    let path = "/2015-03-31/functions/f/policy/s3";
    assert_eq!(moto.call("lambda", "DELETE", path, "application/json", ""), 204);
    let said = room.permitd("plan permissions.yaml --detailed-exitcode");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("function:f\n  + s3                  missing; "), "{said:?}");
}
