//! `deploy/aws/events.yaml`: it asks for exactly the events that permitd reads, lets nobody else into the queue, and
//! CloudFormation takes it.

use std::collections::BTreeSet;

use permitd::daemon::events::record::{self, Record};
use serde_json::json;
use serde_yaml::Value;

use super::{judged, parsed};

const EVENTS: &str = "deploy/aws/events.yaml";

fn resource(name: &str) -> Value {
    parsed(EVENTS)["Resources"][name].clone()
}

#[test]
fn the_rules_ask_for_what_is_read_and_for_nothing_else() {
    let pattern = |rule: &str| resource(rule)["Properties"]["EventPattern"].clone();
    let own = pattern("Rule");
    assert_eq!(own["source"][0], "aws.lambda");
    assert_eq!(own["detail"]["eventSource"][0], "lambda.amazonaws.com");
    for other in ["ForwardedRule", "Forward"] {
        assert_eq!(pattern(other), own, "{other}");
    }
    let names = own["detail"]["eventName"].as_sequence().unwrap();
    let begin = |it: &Value| it["prefix"].as_str().unwrap().trim_end_matches('2').to_owned();
    let asked: BTreeSet<String> = names.iter().map(begin).collect();
    assert_eq!(asked, record::calls().map(str::to_owned).collect());
    for begin in asked {
        let name = format!("{begin}20150331v2");
        let body = json!({"eventSource": "lambda.amazonaws.com", "eventName": name});
        let read = record::read(&body.to_string());
        assert!(matches!(read, Record::Unclear { .. }), "{name}: {read:?}");
    }
}

#[test]
fn only_these_rules_send_and_what_is_left_goes_to_the_dead_letters() {
    let policy = resource("QueuePolicy")["Properties"]["PolicyDocument"].clone();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Principal"]["Service"], "events.amazonaws.com");
    assert_eq!(statement["Action"], "sqs:SendMessage");
    let sources = &statement["Condition"]["ArnEquals"]["aws:SourceArn"];
    assert_eq!(sources.as_sequence().unwrap().len(), 2);
    assert_eq!(policy["Statement"][1]["Effect"], "Deny");
    let queue = resource("Queue");
    assert_eq!(queue["Properties"]["RedrivePolicy"]["maxReceiveCount"], 5);
    assert_eq!(queue["Condition"], "IsCentral");
    let condition = &resource("BusPolicy")["Properties"]["Statement"]["Condition"];
    let rule = resource("Forward")["Properties"]["Name"].as_str().unwrap().to_owned();
    let Value::Tagged(source) = &condition["ArnLike"]["aws:SourceArn"] else { panic!("no !Sub") };
    assert!(source.value.as_str().unwrap().ends_with(&format!(":rule/{rule}")));
}

/// Needs what `tests/deploy/requirements.txt` names, on the PATH.
#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn cloudformation_takes_it() {
    if std::env::var("PERMITD_TEST_CFN_LINT").as_deref() != Ok("1") {
        println!("SKIPPED: set PERMITD_TEST_CFN_LINT=1 to check deploy/aws with cfn-lint");
        return;
    }
    assert_eq!(judged("cfn-lint", &["--non-zero-exit-code", "warning", EVENTS], ""), None);
}
