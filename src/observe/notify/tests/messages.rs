//! What messages say, and how long they are at most.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::drift::actor::Actor;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn valid(message: &Value) {
    let schema = message::schema();
    jsonschema::draft202012::meta::validate(&schema).map_err(|it| it.to_string()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(message).map(|it| it.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{message}");
}

#[test]
fn for_programs() {
    let held = Matter { held: Some("max_revocations"), ..matter("a") };
    let unnamed = Matter { sid: None, ..matter("") };
    let edge = Edge {
        matters: vec![held, unnamed],
        message: Some("no permission".to_owned()),
        hint: Some("allow it".to_owned()),
        ..edge(News::Held, "f:live")
    };
    let text = message::json("id-1", "123456789012/us-east-1", "full pass", &[&edge], clock());
    let message = parsed(&text);
    valid(&message);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
    let expected = json!({
        "format_version": "1.0", "id": "id-1", "time": "2026-06-01T00:00:00Z",
        "place": "123456789012/us-east-1", "trigger": "full pass",
        "events": [{
            "event": "held", "arn": arn, "time": "2026-06-01T00:00:00Z",
            "state": "drifted", "reason": "differs",
            "state_before": "in_sync", "state_before_since": "2026-05-31T23:00:00Z",
            "statements": [
                {"sid": "a", "kind": "unmanaged", "detail": "not in the files", "held": "max_revocations", "by": null},
                {"sid": null, "kind": "unmanaged", "detail": "not in the files", "held": null, "by": null},
            ],
            "statements_omitted": 0,
            "message": "no permission", "hint": "allow it",
        }],
        "omitted": 0,
    });
    assert_eq!(message, expected);
}

/// Every key of the schema is there, and the other way round: who reads the schema knows all.
#[test]
fn the_schema_tells_of_every_key() {
    let text = message::json("i", "p", "t", &[&edge(News::Repaired, "f")], clock());
    let (message, schema) = (parsed(&text), message::schema());
    let keys = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let required = |it: &Value| {
        let names = it["required"].as_array().unwrap().iter();
        names.map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let event = &schema["properties"]["events"]["items"];
    let statement = &event["properties"]["statements"]["items"];
    for (value, schema) in [
        (&message, &schema),
        (&message["events"][0], event),
        (&message["events"][0]["statements"][0], statement),
    ] {
        assert_eq!(keys(value), required(schema));
        assert_eq!(keys(value), keys(&schema["properties"]));
    }
}

#[test]
fn for_people() {
    let failed = Edge {
        message: Some("AccessDenied".to_owned()),
        hint: Some("allow lambda:GetPolicy".to_owned()),
        matters: Vec::new(),
        ..edge(News::Failed, "g")
    };
    let held = Matter { held: Some("max_revocations"), ..matter("a") };
    let some = Edge { matters: vec![held, matter("b")], ..edge(News::DriftFound, "f") };
    let text = message::slack("123456789012/us-east-1", &[&some, &failed]);
    let expected = "\
permitd, 123456789012/us-east-1
*drift found*: `arn:aws:lambda:us-east-1:123456789012:function:f`: `a` (unmanaged, held: max_revocations), `b` (unmanaged)
*failed*: `arn:aws:lambda:us-east-1:123456789012:function:g`
    AccessDenied
    allow lambda:GetPolicy";
    assert_eq!(parsed(&text), json!({ "text": expected }));
}

/// What somebody wrote into a policy calls nobody, links nowhere and ends no mark.
#[test]
fn slack_takes_what_others_wrote_as_text() {
    let sid = "<!channel> <https://evil|ok> &lt; `*x*`\n*all is well*";
    let hostile =
        Edge { matters: vec![matter(sid)], message: Some(sid.into()), ..edge(News::Held, "f") };
    let text = parsed(&message::slack("p", &[&hostile]))["text"].as_str().unwrap().to_owned();
    assert!(!text.contains(['<', '>']), "{text}");
    let plain = "&lt;!channel&gt; &lt;https://evil|ok&gt; &amp;lt; '*x*' *all is well*";
    assert!(text.contains(&format!("`{plain}` (unmanaged)")), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn long_lists_are_cut_and_the_rest_is_counted() {
    let matters: Vec<Matter> = (0..1000).map(|n| matter(&format!("sid{n}"))).collect();
    let one = Edge { matters, ..edge(News::DriftFound, "f") };
    let edges: Vec<&Edge> = std::iter::repeat_n(&one, 5000).collect();
    let message = parsed(&message::json("i", "p", "t", &edges, clock()));
    valid(&message);
    let n = message["events"].as_array().unwrap().len();
    assert!(n > 20, "{n}");
    assert_eq!(message["omitted"], 5000 - n);
    assert_eq!(message["events"][0]["statements"].as_array().unwrap().len(), 50);
    assert_eq!(message["events"][0]["statements_omitted"], 950);
    let text = parsed(&message::slack("p", &edges))["text"].as_str().unwrap().to_owned();
    assert!(text.contains("`sid4` (unmanaged) and 995 more\n"), "{text}");
    assert!(text.ends_with("\nand 4980 more"), "{text}");
    assert_eq!(text.lines().count(), 22);
}

fn actor(who: &str) -> Actor {
    let some = || Some(who.to_owned());
    Actor {
        arn: who.to_owned(),
        role_arn: some(),
        source_address: some(),
        user_agent: some(),
        time: clock(),
        event: who.to_owned(),
        request_id: some(),
        sid: some(),
    }
}

#[test]
fn who_did_it_is_named() {
    let by =
        Actor { source_address: Some("192.0.2.7".into()), ..actor("arn:aws:iam::1:user/eve<") };
    let matters = vec![matter("a"), Matter { by: Some(Arc::new(by)), ..matter("b") }];
    let edge = Edge { matters, ..edge(News::DriftFound, "f") };
    let message = parsed(&message::json("i", "p", "t", &[&edge], clock()));
    valid(&message);
    let statements = &message["events"][0]["statements"];
    assert_eq!(statements[0]["by"], Value::Null);
    assert_eq!(statements[1]["by"]["arn"], "arn:aws:iam::1:user/eve<");
    assert_eq!(statements[1]["by"]["source_address"], "192.0.2.7");
    let text = parsed(&message::slack("p", &[&edge]))["text"].as_str().unwrap().to_owned();
    let end =
        "`a` (unmanaged), `b` (unmanaged); changed by arn:aws:iam::1:user/eve&lt; from 192.0.2.7";
    assert!(text.contains(end), "{text}");
}

fn hostile() -> impl Strategy<Value = String> {
    let letter = prop_oneof!["a", "<", "&", "\"", "\\\\", "\u{1}", "\n", "😀", "`", "\u{202e}"];
    (letter, 0..3000usize).prop_map(|(it, n)| it.repeat(n))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever others wrote and however much is new: a message is valid, tells something, and is not longer.
    #[test]
    fn no_message_is_too_long(
        sid in hostile(), detail in hostile(), message in hostile(), who in hostile(),
        n_matters in 0..200usize, n_edges in 1..200usize,
    ) {
        let by = Some(Arc::new(actor(&who)));
        let held = Some("denied_risk");
        let one = Matter { sid: Some(sid), kind: Kind::Changed, detail, held, by };
        let new = Edge {
            matters: vec![one; n_matters],
            message: Some(message.clone()),
            hint: Some(message),
            ..edge(News::DriftFound, "f")
        };
        let edges: Vec<&Edge> = std::iter::repeat_n(&new, n_edges).collect();
        let json = message::json("i", "p", "t", &edges, clock());
        prop_assert!(json.len() <= message::MOST_JSON, "{}", json.len());
        let parsed = parsed(&json);
        valid(&parsed);
        let told = parsed["events"].as_array().unwrap().len();
        prop_assert!(told > 0);
        prop_assert_eq!(&parsed["omitted"], n_edges - told);
        let slack = message::slack("p", &edges);
        prop_assert!(slack.len() <= message::MOST_SLACK, "{}", slack.len());
        prop_assert!(slack.contains("drift found"));
    }
}
