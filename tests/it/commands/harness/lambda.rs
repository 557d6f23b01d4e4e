//! The simulator beside the tests, and just enough HTTP to speak to it.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use super::{Room, Running, eventually, policy};

/// `permitd simulate`, and its control API.
pub(crate) struct Lambda {
    pub(crate) endpoint: String,
    _running: Running,
    _room: Room,
}

impl Lambda {
    /// Account 123456789012 in us-east-1 with these functions, as a seed file has them.
    pub(crate) fn new(functions: &Value) -> Self {
        Self::seeded(&json!({"accounts": [
            {"id": "123456789012", "region": "us-east-1", "functions": functions}
        ]}))
    }

    pub(crate) fn seeded(seed: &Value) -> Self {
        let room = Room::new();
        room.write("seed.yaml", &seed.to_string());
        let mut running = room.start("simulate --seed seed.yaml");
        running.says("\n");
        let endpoint = running.out().trim().to_owned();
        assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
        Self { endpoint, _running: running, _room: room }
    }

    pub(crate) fn room(&self, permissions: &str) -> Room {
        Room::at(&self.endpoint, permissions)
    }

    /// One request to the control API.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, text) =
            http(&self.endpoint, method, &format!("/_simulator/{path}"), &body.to_string());
        assert_eq!(status, 200, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn faults(&self, faults: &Value) {
        self.control("PUT", "faults", faults);
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let log = self.control("GET", "requests", &Value::Null);
        log["requests"].as_array().unwrap().clone()
    }

    /// `GetPolicy f:live`, for every request so far; the log is empty afterwards.
    pub(crate) fn calls(&self) -> Vec<String> {
        let call = |it: Value| {
            let operation = it["operation"].as_str().unwrap().to_owned();
            let target = it["target"].as_str().unwrap_or_default();
            let target = target.rsplit_once("function:").map_or("", |(_, it)| it);
            format!("{operation} {target}").trim_end().to_owned()
        };
        let res = self.requests().into_iter().map(call).collect();
        self.control("DELETE", "requests", &Value::Null);
        res
    }

    /// The same without what only reads.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|it| !it.starts_with("Get")).collect()
    }

    /// Somebody else, at the API: this account may invoke.
    pub(crate) fn grant(&self, function: &str, sid: &str, account: &str) {
        let action = "lambda:InvokeFunction";
        let body = json!({"StatementId": sid, "Action": action, "Principal": account});
        self.somebody("POST", &format!("functions/{function}/policy"), &body.to_string(), 201);
    }

    /// Somebody else, at the API: this is over.
    pub(crate) fn revoke(&self, function: &str, sid: &str) {
        self.somebody("DELETE", &format!("functions/{function}/policy/{sid}"), "", 204);
    }

    fn somebody(&self, method: &str, path: &str, body: &str, expected: u16) {
        let credential = "AWS4-HMAC-SHA256 Credential=other/20260101/us-east-1/lambda/aws4_request";
        let headers = [("authorization", credential)];
        let path = format!("/2015-03-31/{path}");
        let (status, text) = http_with(&self.endpoint, method, &path, &headers, body);
        assert_eq!(status, expected, "{method} {path}: {text}");
    }

    /// Waits until a policy has exactly these Sids.
    #[track_caller]
    pub(crate) fn converges(&self, target: &str, sids: &[&str]) {
        eventually(&format!("{target} to have {sids:?}"), || {
            (self.sids(target) == sids).then_some(())
        });
    }

    /// The Sids of a policy, with the qualifier or without.
    pub(crate) fn sids(&self, target: &str) -> Vec<String> {
        let sid = |it: &Value| it["Sid"].as_str().unwrap().to_owned();
        self.statements(target).iter().map(sid).collect()
    }

    pub(crate) fn statements(&self, target: &str) -> Vec<Value> {
        let state = self.control("GET", "state", &Value::Null);
        let (name, qualifier) = target.split_once(':').unwrap_or((target, ""));
        let accounts = state["accounts"].as_array().unwrap();
        let mut functions = accounts.iter().flat_map(|it| it["functions"].as_array().unwrap());
        let function = functions.find(|it| it["name"] == name).unwrap();
        let policy = match qualifier {
            "" => &function["policy"],
            _ => &function["policies"][qualifier],
        };
        policy["Statement"].as_array().cloned().unwrap_or_default()
    }

    /// Somebody replaces the policy of `f`.
    pub(crate) fn put(&self, statements: &[Value]) {
        let functions = json!([{"name": "f", "policy": policy(statements)}]);
        let account = json!({"id": "123456789012", "functions": functions});
        self.control("PUT", "state", &json!({ "accounts": [account] }));
    }
}

/// One request of a client that knows just enough HTTP.
pub(crate) fn http(endpoint: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    http_with(endpoint, method, path, &[], body)
}

pub(crate) fn http_with(
    endpoint: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let host = endpoint.strip_prefix("http://").unwrap();
    let length = body.len().to_string();
    let usual = [("host", host), ("connection", "close"), ("content-length", length.as_str())];
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in usual.iter().chain(headers) {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
