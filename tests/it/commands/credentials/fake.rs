//! Whoever gives credentials, and Lambda and STS beside it: one HTTP server that remembers what it was asked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::commands::harness::{FN, account, policy};

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) method: String,
    pub(super) path: String,
    head: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> &str {
        self.head.get(name).map_or("", String::as_str)
    }

    /// The access key that it is signed with, and its session.
    pub(super) fn signed_by(&self) -> (String, String) {
        let signed = self.header("authorization");
        let key = signed.split_once("Credential=").map_or("", |(_, it)| it);
        let key = key.split('/').next().unwrap().to_owned();
        (key, self.header("x-amz-security-token").to_owned())
    }

    /// A field of a form.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.body.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
    }

    fn is_get_policy(&self) -> bool {
        self.method == "GET" && self.path.ends_with("/policy")
    }
}

type Answers = dyn Fn(&Got, u32) -> Option<(u16, String)> + Send + Sync;

/// It serves until the tests end.
pub(super) struct Fake {
    pub(super) url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Fake {
    /// `answers` gives credentials, and hears how many it gave before. Lambda answers by itself: all is as written.
    pub(super) fn new(
        answers: impl Fn(&Got, u32) -> Option<(u16, String)> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let (kept, n) = (Arc::clone(&got), Arc::new(AtomicU32::new(0)));
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answers, kept, n) = (Arc::clone(&answers), Arc::clone(&kept), Arc::clone(&n));
                thread::spawn(move || serve(stream, &*answers, &kept, &n));
            }
        });
        Self { url, got }
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Those that ask for credentials.
    pub(super) fn asked(&self) -> Vec<Got> {
        self.got().into_iter().filter(|it| !it.is_get_policy()).collect()
    }

    /// Who looked at the policy, each once.
    pub(super) fn readers(&self) -> Vec<(String, String)> {
        let reads = self.got().into_iter().filter(Got::is_get_policy);
        let mut res: Vec<(String, String)> = reads.map(|it| it.signed_by()).collect();
        res.dedup();
        res
    }
}

fn serve(stream: TcpStream, answers: &Answers, kept: &Mutex<Vec<Got>>, n: &AtomicU32) {
    let mut reader = BufReader::new(stream);
    while let Some(got) = read(&mut reader) {
        let live = || {
            let document = policy(&[account("a", "210987654321")]).to_string();
            (200, json!({"Policy": document, "RevisionId": "1"}).to_string())
        };
        let answer = if got.is_get_policy() {
            Some(live())
        } else {
            answers(&got, n.fetch_add(1, Ordering::SeqCst))
        };
        kept.lock().unwrap().push(got);
        let (status, body) = answer.unwrap_or((404, "none".to_owned()));
        let form = if body.starts_with('<') { "text/xml" } else { "application/json" };
        let mut text = String::new();
        write!(text, "HTTP/1.1 {status} It\r\ncontent-type: {form}\r\n").unwrap();
        write!(text, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n").unwrap();
        write!(text, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        if reader.get_mut().write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Got> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|it| *it > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut head = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|it| *it > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        head.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = head.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Got { method, path, head, body: String::from_utf8(body).unwrap() })
}

/// Good for so long from now on.
pub(super) fn until(seconds: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As containers and machines are given them.
pub(super) fn keys(n: u32, seconds: i64) -> Value {
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": format!("KEY{n}"),
        "SecretAccessKey": "SECRET", "Token": format!("TOKEN{n}"), "Expiration": until(seconds),
    })
}

/// As STS gives them.
pub(super) fn session(action: &str, n: u32, seconds: i64) -> String {
    let expiration = until(seconds);
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <AssumedRoleUser><AssumedRoleId>AROA:it</AssumedRoleId><Arn>{FN}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>KEY{n}</AccessKeyId><SecretAccessKey>SECRET</SecretAccessKey>\
         <SessionToken>TOKEN{n}</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    )
}
