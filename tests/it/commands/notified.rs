//! Webhooks: who is told what by a running daemon, and what nobody is told.

mod receiver;
mod refused;
mod secrets;
mod tls;
mod verified;

use permitd::observe::notify::sign;
use serde_json::{Value, json};

use super::harness::{Lambda, Room, account, eventually, http, policy, service};
use receiver::{Got, Receiver};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: kept, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
poll_interval: 1s
limits: unlimited
budgets: {get_policy: unlimited, control: unlimited}
";

fn lambda(others: &[Value]) -> Lambda {
    let mut live = vec![service("kept", "s3.amazonaws.com", "arn:aws:s3:::b")];
    live.extend_from_slice(others);
    Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]))
}

fn room(lambda: &Lambda, notify: &str) -> Room {
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", &format!("{SETTINGS}notify: {notify}\n"));
    room
}

/// What a message tells of: `drift_found rogue`.
fn events(got: &Got) -> Vec<String> {
    let message = got.json();
    let schema = std::fs::read_to_string("config/schema/notification.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&message).map(|it| it.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{message}");
    let event = |it: &Value| {
        let sids = it["statements"].as_array().unwrap().iter();
        let sids: Vec<&str> = sids.map(|it| it["sid"].as_str().unwrap()).collect();
        format!("{} {}", it["event"].as_str().unwrap(), sids.join(",")).trim_end().to_owned()
    };
    message["events"].as_array().unwrap().iter().map(event).collect()
}

/// Passes that are through.
fn n_passes(lambda: &Lambda) -> usize {
    lambda.requests().iter().filter(|it| it["operation"] == "GetPolicy").count()
}

#[test]
fn edges_are_told_once_signed_and_in_order_to_a_receiver_that_fails_at_first() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let hook = Receiver::new(&["503", "500"]);
    let room = room(&lambda, "[{url_file: hook.url, secret_file: hook.key}]");
    room.write("hook.url", &format!("{}/a/T0P?x=y\n", hook.url));
    room.write("hook.key", "a key\n");
    let mut daemon = room.start("run");
    let first = hook.got(3);
    assert_eq!(events(&first[2]), ["drift_found rogue", "repaired rogue", "back_to_normal"]);
    for got in &first {
        assert_eq!(got.line, "POST /a/T0P?x=y HTTP/1.1");
        assert_eq!(
            (&got.body, got.header(sign::DELIVERY)),
            (&first[0].body, first[0].header(sign::DELIVERY))
        );
        assert_eq!(got.header(sign::DELIVERY), got.json()["id"].as_str().unwrap());
        let signature = sign::signature(b"a key", got.header(sign::TIMESTAMP), &got.body);
        assert_eq!(Some(got.header(sign::SIGNATURE)), signature.as_deref());
        assert_eq!(got.header("content-type"), "application/json");
        assert!(got.header("user-agent").starts_with("permitd/"));
    }
    assert_eq!(first[0].json()["trigger"], "full pass");
    for (n, sid) in ["one", "two"].into_iter().enumerate() {
        lambda.grant("f", sid, "310987654321");
        lambda.converges("f", &["kept"]);
        let got = hook.got(4 + n);
        let told = ["drift_found", "repaired"].map(|it| format!("{it} {sid}"));
        assert_eq!(events(&got[3 + n]), [&told[..], &["back_to_normal".to_owned()]].concat());
        assert_ne!(got[3 + n].header(sign::DELIVERY), got[2 + n].header(sign::DELIVERY));
    }
    // What stays as it is, is no news.
    let before = n_passes(&lambda);
    eventually("three more passes", || (n_passes(&lambda) >= before + 3).then_some(()));
    daemon.stops();
    assert_eq!(hook.got(5).len(), 5);
    assert_eq!(daemon.err().matches("notification not sent yet").count(), 1, "{}", daemon.err());
}

#[test]
fn a_first_pass_that_finds_nothing_tells_nothing_and_slack_gets_a_text() {
    let lambda = lambda(&[]);
    let hook = Receiver::new(&[]);
    let notify = format!("[{{url: '{}/hook', format: slack, events: [drift_found]}}]", hook.url);
    let room = room(&lambda, &notify);
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    lambda.grant("f", "rogue", "310987654321");
    let got = hook.got(1);
    let text = got[0].json()["text"].as_str().unwrap().to_owned();
    let expected = "\
permitd, 123456789012/us-east-1
*drift found*: `arn:aws:lambda:us-east-1:123456789012:function:f`: `rogue` (unmanaged)";
    assert_eq!(text, expected);
    assert!(!got[0].head.contains("permitd-signature"), "{}", got[0].head);
    lambda.converges("f", &["kept"]);
    daemon.stops();
    assert_eq!(hook.got(1).len(), 1);
}

#[test]
fn one_that_hangs_slows_no_pass_and_nobody_else() {
    let lambda = lambda(&[]);
    let (stuck, other) = (Receiver::new(&["hang"; 9]), Receiver::new(&[]));
    let notify = format!("[{{url: '{}/', timeout: 1m}}, {{url: '{}/'}}]", stuck.url, other.url);
    let room = room(&lambda, &notify);
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    lambda.grant("f", "one", "310987654321");
    stuck.got(1);
    for n in 0..3 {
        lambda.grant("f", &format!("more{n}"), "310987654321");
        lambda.converges("f", &["kept"]);
        other.got(2 + n);
    }
    assert_eq!(stuck.got(1).len(), 1);
    // At the end it is not waited for for ever: a minute would be too long for `stops`.
    daemon.stops();
    daemon.logs("notifications are not sent");
    assert!(daemon.err().contains("left=4"), "{}", daemon.err());
}

#[test]
fn a_signal_sends_what_is_left() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let hook = Receiver::new(&["429 300"]);
    let room = room(&lambda, &format!("[{{url: '{}/'}}]", hook.url));
    let mut daemon = room.start("run");
    hook.got(1);
    daemon.logs("notification not sent yet");
    daemon.stops();
    let got = hook.got(2);
    assert_eq!((got.len(), &got[1].body), (2, &got[0].body));
    assert!(!daemon.err().contains("notifications are not sent"), "{}", daemon.err());
}

#[test]
fn what_became_of_them_is_counted() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let (good, bad) = (Receiver::new(&[]), Receiver::new(&["404"]));
    let room = room(&lambda, &format!("[{{url: '{}/'}}, {{url: '{}/'}}]", good.url, bad.url));
    let mut daemon = room.start("run");
    daemon.logs("listening for /livez");
    let log = daemon.err();
    let at = log.split_once("address=").unwrap().1.split_whitespace().next().unwrap();
    let endpoint = format!("http://{at}");
    eventually("one sent and one refused", || {
        let text = http(&endpoint, "GET", "/metrics", "").1;
        let is = |it: &str, n: u32| {
            text.contains(&format!("permitd_notifications_total{{result=\"{it}\"}} {n}\n"))
        };
        (is("sent", 1) && is("failed", 1) && is("dropped", 0)).then_some(())
    });
    daemon.logs("notification refused");
    daemon.stops();
}

/// Whether TLS is there at all: what the receiver gets is a handshake, and an error is told without the URL.
#[test]
fn https_is_spoken() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let hook = Receiver::new(&[]);
    let url = hook.url.replace("http:", "https:");
    let room = room(&lambda, &format!("[{{url: '{url}/T0P'}}]"));
    let mut daemon = room.start("run");
    daemon.logs("notification not sent yet");
    // A TLS record with a handshake, of version 3.x.
    eventually("a handshake", || hook.raw().starts_with(&[0x16, 3]).then_some(()));
    daemon.stops();
    assert!(!daemon.err().contains("T0P"), "{}", daemon.err());
}

#[test]
fn a_reload_takes_over_who_is_told() {
    let lambda = lambda(&[]);
    let (first, second) = (Receiver::new(&[]), Receiver::new(&[]));
    let room = room(&lambda, &format!("[{{url: '{}/'}}]", first.url));
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    let settings = |notify: &str| {
        room.write("permitd.yaml", &format!("{SETTINGS}notify: {notify}\n"));
    };
    settings("[{url_file: nowhere}]");
    daemon.logs("the file nowhere cannot be read: No such file or directory");
    daemon.logs("permitd.yaml:7:21");
    daemon.logs("the new configuration is not usable; the old one stays");
    lambda.grant("f", "one", "310987654321");
    first.got(1);
    // Nothing but the file that was missing: nobody has to say that it is there now.
    room.write("nowhere", &format!("{}/\n", second.url));
    daemon.logs("loaded the configuration anew");
    lambda.grant("f", "two", "310987654321");
    assert_eq!(events(&second.got(1)[0])[0], "drift_found two");
    settings("[]");
    daemon.logs_times("loaded the configuration anew", 2);
    lambda.grant("f", "three", "310987654321");
    lambda.converges("f", &["kept"]);
    daemon.stops();
    assert_eq!((first.got(1).len(), second.got(1).len()), (1, 1));
}
