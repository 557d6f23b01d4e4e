//! A simulator on a port of its own, and the smallest HTTP client that can talk to it.

use std::{net::SocketAddr, path::Path};

use permitd::simulator::{Exposure, Seed, Simulator};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A simulator that serves until it is dropped with its runtime.
pub(crate) struct Served {
    pub(crate) simulator: Simulator,
    pub(crate) address: SocketAddr,
    /// Access key and region of the signature; none: requests are not signed.
    pub(crate) scope: Option<(String, String)>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, it)| it.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|it| panic!("{it}: {}", self.body))
    }

    /// `400 InvalidParameterValueException: the text`, or the status alone.
    pub(crate) fn summary(&self) -> String {
        let Some(code) = self.header("x-amzn-errortype") else { return self.status.to_string() };
        let body = self.json();
        let message = ["message", "Message"].iter().find_map(|it| body[it].as_str());
        format!("{} {code}: {}", self.status, message.unwrap_or_default())
    }
}

pub(crate) fn seed(yaml: &str) -> Seed {
    Seed::parse(yaml, Path::new("seed.yaml")).unwrap()
}

impl Served {
    pub(crate) async fn new(yaml: &str) -> Self {
        Self::of(Simulator::new(seed(yaml)).unwrap()).await
    }

    pub(crate) async fn of(simulator: Simulator) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = simulator.clone();
        tokio::spawn(async move {
            serving.serve(listener, Exposure::Loopback, std::future::pending()).await.unwrap();
        });
        let scope = Some(("AKIDEXAMPLE".to_owned(), "us-east-1".to_owned()));
        Self { simulator, address, scope }
    }

    pub(crate) fn signed(&self, key: &str, region: &str) -> Self {
        let scope = Some((key.to_owned(), region.to_owned()));
        Self { simulator: self.simulator.clone(), address: self.address, scope }
    }

    pub(crate) fn unsigned(&self) -> Self {
        Self { simulator: self.simulator.clone(), address: self.address, scope: None }
    }

    /// None: the connection closed without a byte.
    pub(crate) async fn try_send(&self, method: &str, path: &str, body: &str) -> Option<Answer> {
        let authorization = self.scope.as_ref().map_or_else(String::new, |(key, region)| {
            let service = if path == "/" { "sts" } else { "lambda" };
            format!(
                "Authorization: AWS4-HMAC-SHA256 \
                 Credential={key}/20261122/{region}/{service}/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0\r\n"
            )
        });
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let n = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\
             Content-Length: {n}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A reset is as good as an end: both are no answer.
        let _reset = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        if text.is_empty() {
            return None;
        }
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|it| it.split_once(": ").unwrap());
        Some(Answer {
            status,
            headers: headers.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            body: body.to_owned(),
        })
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    /// One call of the API with parameters as an SDK takes them.
    pub(crate) async fn call(&self, operation: &str, parameters: &Value) -> Answer {
        let (method, path, body) = wire(operation, parameters);
        self.send(method, &path, &body).await
    }

    pub(crate) async fn try_call(&self, operation: &str, parameters: &Value) -> Option<Answer> {
        let (method, path, body) = wire(operation, parameters);
        self.try_send(method, &path, &body).await
    }

    /// The control API: what is answered, which has to be good.
    pub(crate) async fn control(&self, method: &str, endpoint: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, &format!("/_simulator/{endpoint}"), &body).await;
        assert_eq!(answer.status, 200, "{endpoint}: {}", answer.body);
        answer.json()
    }

    pub(crate) async fn function(&self, name: &str) -> Value {
        let answer = self.call("CreateFunction", &json!({"FunctionName": name})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    pub(crate) async fn add(&self, name: &str, sid: &str) -> Answer {
        let parameters = json!({"FunctionName": name, "StatementId": sid,
            "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
        self.call("AddPermission", &parameters).await
    }

    pub(crate) async fn sids(&self, name: &str) -> Vec<String> {
        let answer = self.call("GetPolicy", &json!({"FunctionName": name})).await;
        if answer.status == 404 {
            return Vec::new();
        }
        sids(answer.json()["Policy"].as_str().unwrap())
    }

    pub(crate) async fn revision(&self, name: &str) -> String {
        let answer = self.call("GetPolicy", &json!({"FunctionName": name})).await;
        answer.json()["RevisionId"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn sids(policy: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements.map(|it| it["Sid"].as_str().unwrap_or("-").to_owned()).collect()
}

fn encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// Method, path with query, and body of a call, as an SDK sends it.
pub(crate) fn wire(operation: &str, parameters: &Value) -> (&'static str, String, String) {
    let text = |key: &str| match &parameters[key] {
        Value::Null => None,
        Value::String(it) => Some(it.clone()),
        it @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(it.to_string())
        }
    };
    let label = |key: &str| encoded(&text(key).unwrap_or_default());
    let functions = "/2015-03-31/functions";
    let function = || format!("{functions}/{}", label("FunctionName"));
    let arn = || format!("/2026-07-09/resource-policy/{}", label("ResourceArn"));
    let tags = || format!("/2017-03-31/tags/{}", label("Resource"));
    let alias = || format!("{}/aliases/{}", function(), label("Name"));
    let (method, path, query): (_, _, &[&str]) = match operation {
        "AddPermission" => ("POST", format!("{}/policy", function()), &["Qualifier"]),
        "RemovePermission" => (
            "DELETE",
            format!("{}/policy/{}", function(), label("StatementId")),
            &["Qualifier", "RevisionId"],
        ),
        "GetPolicy" => ("GET", format!("{}/policy", function()), &["Qualifier"]),
        "PutResourcePolicy" => ("PUT", arn(), &[]),
        "GetResourcePolicy" => ("GET", arn(), &[]),
        "DeleteResourcePolicy" => ("DELETE", arn(), &["RevisionId"]),
        "CreateFunction" => ("POST", functions.to_owned(), &[]),
        "DeleteFunction" => ("DELETE", function(), &["Qualifier"]),
        "GetFunction" => ("GET", function(), &["Qualifier"]),
        "GetFunctionConfiguration" => {
            ("GET", format!("{}/configuration", function()), &["Qualifier"])
        }
        "UpdateFunctionConfiguration" => ("PUT", format!("{}/configuration", function()), &[]),
        "UpdateFunctionCode" => ("PUT", format!("{}/code", function()), &[]),
        "ListFunctions" => {
            ("GET", format!("{functions}/"), &["Marker", "MaxItems", "FunctionVersion"])
        }
        "PublishVersion" => ("POST", format!("{}/versions", function()), &[]),
        "ListVersionsByFunction" => {
            ("GET", format!("{}/versions", function()), &["Marker", "MaxItems"])
        }
        "CreateAlias" => ("POST", format!("{}/aliases", function()), &[]),
        "ListAliases" => {
            ("GET", format!("{}/aliases", function()), &["Marker", "MaxItems", "FunctionVersion"])
        }
        "GetAlias" => ("GET", alias(), &[]),
        "UpdateAlias" => ("PUT", alias(), &[]),
        "DeleteAlias" => ("DELETE", alias(), &[]),
        "ListTags" => ("GET", tags(), &[]),
        "TagResource" => ("POST", tags(), &[]),
        "UntagResource" => ("DELETE", tags(), &["tagKeys"]),
        it => panic!("the test client does not know {it}"),
    };
    let pairs = query.iter().filter_map(|key| Some((key, text(key)?)));
    let query: Vec<String> = pairs.map(|(key, it)| format!("{key}={}", encoded(&it))).collect();
    let path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    let mut body = parameters.as_object().unwrap().clone();
    for key in ["FunctionName", "ResourceArn", "Resource", "Qualifier", "Name"] {
        let in_body = (key == "FunctionName" && operation == "CreateFunction")
            || (key == "Name" && operation == "CreateAlias");
        if !in_body {
            body.shift_remove(key);
        }
    }
    let has_body = matches!(method, "POST" | "PUT");
    (method, path, if has_body { Value::Object(body).to_string() } else { String::new() })
}
