//! Events through a real SQS API: moto's, on loopback. Lambda is the simulator.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Moto;
use crate::commands::harness::{Lambda, Room, eventually, http, policy, service};

const WISHES: &str = "\
account: '123456789012'
region: us-east-1
functions:
  - function: f
    ownership: all
    statements:
      - {sid: s3, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::uploads'}
";
const MOMENT: &str = "2026-06-01T00:00:00Z";

impl Moto {
    fn sqs(&self, operation: &str, body: &Value) -> Value {
        let target = format!("AmazonSQS.{operation}");
        let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00";
        let headers = [
            ("authorization", scope),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let (status, text) =
            super::http_with(&self.endpoint, "POST", "/", &headers, &body.to_string());
        assert_eq!(status, 200, "{operation}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn queue(&self, name: &str, attributes: &Value) -> String {
        let made = self.sqs("CreateQueue", &json!({"QueueName": name, "Attributes": attributes}));
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    fn send(&self, queue: &str, body: &str) {
        self.sqs("SendMessage", &json!({"QueueUrl": queue, "MessageBody": body}));
    }

    /// How many messages there are, received or not.
    fn left(&self, queue: &str) -> u64 {
        let asked = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
        let attributes = &self.sqs("GetQueueAttributes", &asked)["Attributes"];
        let n = |name: &str| attributes[name].as_str().unwrap().parse::<u64>().unwrap();
        n("ApproximateNumberOfMessages") + n("ApproximateNumberOfMessagesNotVisible")
    }
}

/// The record of `lambda-semantics.md`, 10, as EventBridge sends it.
fn event(name: &str, sid: &str) -> String {
    let event = json!({
        "version": "0", "id": "b-1", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.lambda", "account": "123456789012", "time": MOMENT, "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.08", "eventSource": "lambda.amazonaws.com", "eventName": name,
            "eventTime": jiff::Timestamp::now().to_string(), "awsRegion": "us-east-1",
            "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true,
            "readOnly": false, "recipientAccountId": "123456789012",
            "requestParameters": {"functionName": "f", "statementId": sid},
            "responseElements": null, "requestID": "r-1", "eventID": format!("e-{name}-{sid}"),
            "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2.31",
            "userIdentity": {
                "type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/Admin/eve",
                "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::123456789012:role/Admin"}},
            },
        },
    });
    event.to_string()
}

#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn skipped() -> bool {
    let skipped = std::env::var("PERMITD_TEST_MOTO").is_err();
    if skipped {
        println!("SKIPPED: set PERMITD_TEST_MOTO=1 to test events against moto's SQS");
    }
    skipped
}

fn room(lambda: &Lambda, moto: &Moto, queue: &str, more: &str) -> Room {
    let room = lambda
        .room(WISHES)
        .with("AWS_ENDPOINT_URL_LAMBDA", &lambda.endpoint)
        .with("AWS_ENDPOINT_URL_SQS", &moto.endpoint);
    room.write(
        "permitd.yaml",
        &format!(
            "permissions: [permissions.yaml]\nmode: enforce\ninterval: 1h\nevents: {{queue_url: '{queue}'{more}}}\n"
        ),
    );
    room
}

fn in_sync() -> Lambda {
    let s3 = service("s3", "s3.amazonaws.com", "arn:aws:s3:::uploads");
    Lambda::new(&json!([{"name": "f", "policy": policy(&[s3])}]))
}

/// Where it listens for `/status`.
fn address(log: &str) -> String {
    let (_, rest) = log.split_once("address=").unwrap();
    let address = rest.split_whitespace().next().unwrap().trim_matches('"');
    format!("http://{address}")
}

#[expect(clippy::print_stdout, reason = "the figure is of interest")]
#[test]
fn what_an_event_tells_of_is_repaired_and_poison_goes_to_the_dead_letters() {
    if skipped() {
        return;
    }
    let (moto, lambda) = (Moto::start(), in_sync());
    let dead = moto.queue("dead", &json!({}));
    let redrive = json!({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2});
    let attributes = json!({"VisibilityTimeout": "1", "RedrivePolicy": redrive.to_string()});
    let queue = moto.queue("permitd", &attributes);
    let room = room(&lambda, &moto, &queue, "");
    let mut running = room.start("run");
    running.logs("pass done");
    lambda.calls();

    lambda.revoke("f", "s3");
    let start = Instant::now();
    moto.send(&queue, &event("RemovePermission20150331v2", "s3"));
    lambda.converges("f", &["s3"]);
    let took = start.elapsed();
    println!("repaired {took:?} after the event was sent");
    assert!(took.as_secs_f64() < 3.0, "{took:?}");
    running.logs_line(&["somebody changed a policy", "assumed-role/Admin/eve", "192.0.2.7"]);
    running
        .logs_line(&["drift found", "changed by arn:aws:sts::123456789012:assumed-role/Admin/eve"]);
    eventually("the event is deleted", || (moto.left(&queue) == 0).then_some(()));

    // CloudTrail tells of permitd's own write as well.
    let log = running.err();
    let added = log.lines().find(|it| it.contains("statement added")).unwrap();
    let request = added.split_once("request_id=").unwrap().1.split_whitespace().next().unwrap();
    let echo = event("AddPermission20150331v2", "s3").replace("r-1", request.trim_matches('"'));
    moto.send(&queue, &echo);
    let counted = |result: &str| {
        let (_, text) = http(&address(&running.err()), "GET", "/metrics", "");
        let series = format!("permitd_events_received_total{{result=\"{result}\"}} ");
        text.lines().find_map(|it| it.strip_prefix(&series)).unwrap().to_owned()
    };
    eventually("the echo is known", || (counted("own") == "1").then_some(()));
    assert_eq!(counted("ok"), "1");

    moto.send(&queue, "poison");
    moto.send(&queue, &json!({"source": "aws.s3", "detail": {}}).to_string());
    running.logs_line(&["a message that is no event"]);
    running.logs_line(&["events of another service", "aws.s3"]);
    eventually("both are dead letters", || (moto.left(&dead) == 2).then_some(()));
    assert_eq!(moto.left(&queue), 0);

    let history = room.history();
    assert_eq!(history[0]["caused_by"]["role_arn"], "arn:aws:iam::123456789012:role/Admin");
    assert!(history[0]["reason"].as_str().unwrap().starts_with("event: missing"), "{history:?}");
    let (status, text) = http(&address(&running.err()), "GET", "/status", "");
    assert_eq!(status, 200, "{text}");
    let status: Value = serde_json::from_str(&text).unwrap();
    let last = status["targets"][0]["last_outcomes"].as_array().unwrap().last().unwrap();
    assert_eq!(last["by"]["user_agent"], "aws-cli/2.31", "{status}");
    assert_eq!(status["events"]["trouble"], Value::Null, "{status}");
    running.stops();
}

/// A queue that is not there, or in another region, is told of with what to do, and nothing else suffers.
#[test]
fn without_its_queue_a_daemon_goes_on() {
    if skipped() {
        return;
    }
    let (moto, lambda) = (Moto::start(), in_sync());
    let there = moto.queue("permitd", &json!({}));
    let absent = there.replace("permitd", "absent");
    for (queue, more) in [(absent.as_str(), ""), (there.as_str(), ", region: eu-west-1")] {
        let room = room(&lambda, &moto, queue, more);
        lambda.revoke("f", "s3");
        let mut running = room.start("run");
        running.logs_line(&["the queue of events does not work", "there is no such queue"]);
        lambda.converges("f", &["s3"]);
        let (_, text) = http(&address(&running.err()), "GET", "/status", "");
        let status: Value = serde_json::from_str(&text).unwrap();
        assert_ne!(status["events"]["trouble"], Value::Null, "{status}");
        running.stops();
    }
    let room = room(&lambda, &moto, &there, "").with("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9");
    let mut running = room.start("run");
    running.logs_line(&["the queue of events does not work", "AWS_ENDPOINT_URL_SQS"]);
    running.logs("pass done");
    running.stops();
}
