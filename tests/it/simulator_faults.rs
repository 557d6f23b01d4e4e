//! What goes wrong on purpose, goes wrong exactly as asked.

use std::time::Duration;

use permitd::{
    lambda::{
        gateway::{PolicyGateway, PolicyReader, Recovery},
        paced::{Budgets, Paced, Rate},
    },
    observe::metered::Metered,
    policy::{
        grant::{Draft, Permission},
        target::{Defaults, Target},
    },
    simulator::{Direct, Faults, Simulator},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::simulator_client::{Served, seed, sids};

const SEED: &str = r#"accounts: [{id: "123456789012", functions: [{name: f}, {name: g}]}]"#;

fn faults(simulator: &Simulator, faults: &Value) {
    let faults: Faults = serde_json::from_value(faults.clone()).unwrap();
    simulator.put_faults(faults).unwrap();
}

fn target(text: &str) -> Target {
    let defaults =
        Defaults { account: Some("123456789012".to_owned()), region: Some("us-east-1".to_owned()) };
    Target::parse(text, None, &defaults).unwrap()
}

fn s3() -> Permission {
    let draft = Draft { sid: "x", principal: "s3.amazonaws.com", ..Draft::default() };
    draft.check("aws").unwrap()
}

fn direct() -> Direct {
    Simulator::new(seed(SEED)).unwrap().direct()
}

/// What AddPermission cannot write.
fn document(sid: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", "Principal": "*",
        "Action": "lambda:*", "Resource": "*"}]})
    .to_string()
}

async fn live(direct: &Direct, name: &str) -> Vec<String> {
    match direct.get_policy(&target(name)).await {
        Ok(it) => sids(&it.text),
        Err(it) => {
            assert_eq!(it.recovery, Recovery::Absent);
            Vec::new()
        }
    }
}

#[tokio::test]
async fn the_direct_gateway_maps_every_answer_to_a_way_to_go_on() {
    let direct = direct();
    let f = target("f");
    direct.function_exists(&f).await.unwrap();
    let missing = direct.function_exists(&target("f:live")).await.unwrap_err();
    assert_eq!(missing.recovery, Recovery::Absent);
    direct.add_permission(&f, "a", &s3(), None).await.unwrap();
    let twice = direct.add_permission(&f, "a", &s3(), None).await.unwrap_err();
    assert_eq!((twice.recovery, twice.status), (Recovery::Taken, Some(409)));
    let stale = direct.remove_permission(&f, "a", "wrong").await.unwrap_err();
    assert_eq!(stale.recovery, Recovery::Stale);
    assert_eq!(stale.code.as_deref(), Some("PreconditionFailedException"));
    let policy = direct.get_policy(&f).await.unwrap();
    direct.remove_permission(&f, "a", &policy.revision).await.unwrap();
    assert_eq!(live(&direct, "f").await, Vec::<String>::new());
    for (status, code, expected) in [
        (409, None, Recovery::Busy),
        (429, None, Recovery::Throttled { retry_after: Some(Duration::from_secs(3)) }),
        (403, None, Recovery::Denied),
        (400, None, Recovery::Rejected),
        (400, Some("PolicyLengthExceededException"), Recovery::TooLarge),
        (500, None, Recovery::Unknown),
        (503, None, Recovery::Unknown),
    ] {
        let fault = json!({"kind": "error", "status": status, "code": code, "retry_after": 3});
        faults(direct.simulator(), &json!({"faults": [fault]}));
        let error = direct.add_permission(&f, "a", &s3(), None).await.unwrap_err();
        assert_eq!(error.recovery, expected, "{status} {code:?}");
    }
    assert_eq!(live(&direct, "f").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_direct_gateway_puts_a_whole_document_in_place_of_the_one_it_has_seen() {
    let seed = seed(
        r#"accounts: [{id: "123456789012", functions: [{name: f, versions: 1, aliases: {live: "1"}}]}]"#,
    );
    let direct = Simulator::new(seed).unwrap().direct();
    let made_up = "00000000-0000-0000-0000-000000000000";
    for name in ["f", "f:live"] {
        let target = target(name);
        let put = async |sid: &str, revision: &str| {
            direct.put_policy(&target, &document(sid), revision).await.map(|it| it.revision)
        };
        // There is no revision that stands for "no policy": its first statement is added.
        assert_eq!(put("a", made_up).await.unwrap_err().recovery, Recovery::Stale, "{name}");
        direct.add_permission(&target, "s3", &s3(), None).await.unwrap();
        assert_eq!(put("a", made_up).await.unwrap_err().recovery, Recovery::Stale, "{name}");
        let before = direct.get_policy(&target).await.unwrap();
        assert_eq!(sids(&before.text), ["s3"], "{name}");
        let after = put("a", &before.revision).await.unwrap();
        assert_ne!(after, before.revision);
        let spent = put("b", &before.revision).await.unwrap_err();
        assert_eq!(spent.recovery, Recovery::Stale, "{name}");
        assert_eq!(live(&direct, name).await, ["a"], "the qualifier is in the ARN");
        let last = put("b", &after).await.expect("the new revision guards the next put");
        assert_eq!(direct.get_policy(&target).await.unwrap().revision, last, "{name}");
    }
    let refused = async |name: &str, document: &str, revision: &str| {
        direct.put_policy(&target(name), document, revision).await.unwrap_err().recovery
    };
    assert_eq!(refused("nobody", &document("a"), made_up).await, Recovery::Absent);
    let revision = direct.get_policy(&target("f")).await.unwrap().revision;
    assert_eq!(refused("f", "{}", &revision).await, Recovery::Rejected);
    // Where there is no such operation, that says nothing about the policy.
    for (switch, expected) in [("absent", Recovery::NotOffered), ("absent_403", Recovery::Denied)] {
        direct.simulator().put_state(&json!({"switches": {"put_family": switch}})).unwrap();
        assert_eq!(refused("f", &document("a"), &revision).await, expected, "{switch}");
    }
    assert_eq!(live(&direct, "f").await, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_meter_counts_every_call_by_its_name_and_lets_turns_be_reserved() {
    let rate = Rate::per_second(0.1).unwrap();
    let paced = Paced::new(direct(), Budgets { get_policy: rate, control: rate });
    let metered = Metered::new(paced);
    let f = target("f");
    metered.add_permission(&f, "a", &s3(), None).await.unwrap();
    metered.add_permission(&f, "b", &s3(), None).await.unwrap();
    let revision = metered.get_policy(&f).await.unwrap().revision;
    let revision = metered.put_policy(&f, &document("a"), &revision).await.unwrap().revision;
    metered.remove_to_replace(&f, "a", &revision).await.unwrap();
    let gap = Instant::now();
    assert_eq!(metered.get_policy(&f).await.unwrap_err().recovery, Recovery::Absent);
    metered.add_permission(&f, "a", &s3(), None).await.unwrap();
    assert_eq!(gap.elapsed(), Duration::ZERO);
    let counted = metered.calls();
    let counted = counted.iter().map(|((name, code), it)| format!("{name} {code} {}", it.count));
    let expected = [
        "AddPermission OK 3",
        "GetPolicy OK 1",
        "GetPolicy ResourceNotFoundException 1",
        "PutResourcePolicy OK 1",
        "RemovePermission OK 1",
    ];
    assert_eq!(counted.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_nth_call_fails_before_or_after_it_is_applied() {
    for (kind, expected) in [
        ("error", &["a", "c"][..]),
        ("drop_before", &["a", "c"]),
        ("error_after", &["a", "b", "c"]),
        ("drop_after", &["a", "b", "c"]),
    ] {
        let direct = direct();
        let fault = json!({"operation": "Add*", "target": "*:f", "nth": 2, "kind": kind});
        faults(direct.simulator(), &json!({"faults": [fault]}));
        let mut failed = Vec::new();
        for (name, sid) in [("g", "z"), ("f", "a"), ("f", "b"), ("f", "c")] {
            let answer = direct.add_permission(&target(name), sid, &s3(), None).await;
            if let Err(it) = answer {
                assert_eq!(it.recovery, Recovery::Unknown);
                failed.push(sid);
            }
        }
        assert_eq!(failed, ["b"], "{kind}");
        assert_eq!(live(&direct, "f").await, expected, "{kind}");
        let fault = &direct.simulator().faults().faults[0];
        assert_eq!((fault.seen, fault.fired), (3, 1));
    }
}

#[tokio::test]
async fn a_dropped_connection_closes_without_a_byte() {
    let served = Served::new(SEED).await;
    let fault = |kind: &str| json!({"faults": [{"operation": "AddPermission", "kind": kind}]});
    for (kind, expected) in [("drop_before", &[][..]), ("drop_after", &["s"])] {
        served.control("PUT", "faults", &fault(kind)).await;
        let parameters = json!({"FunctionName": "f", "StatementId": "s",
            "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
        assert!(served.try_call("AddPermission", &parameters).await.is_none(), "{kind}");
        assert_eq!(served.sids("f").await, expected, "{kind}");
    }
    let log = served.control("GET", "requests", &Value::Null).await;
    let dropped: Vec<&Value> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["operation"] == "AddPermission")
        .collect();
    assert_eq!(dropped.len(), 2);
    assert!(dropped.iter().all(|it| it["status"].is_null() && it["error"].is_null()));
}

#[tokio::test]
async fn an_error_may_have_any_body() {
    let served = Served::new(SEED).await;
    let fault = json!({"operation": "*", "kind": "error", "status": 503, "body": "<html>busy</html>",
        "content_type": "text/html", "retry_after": 2});
    served.control("PUT", "faults", &json!({"faults": [fault]})).await;
    let answer = served.add("f", "a").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, "<html>busy</html>"));
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.header("x-amzn-errortype"), None);
    assert_eq!(served.add("f", "a").await.status, 201);
}

#[tokio::test]
async fn a_probability_is_repeatable_with_a_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let direct = direct();
        let fault = json!({"operation": "GetPolicy", "probability": 0.5, "kind": "error"});
        faults(direct.simulator(), &json!({"seed": 7, "faults": [fault]}));
        let mut run = Vec::new();
        for _ in 0..64 {
            run.push(direct.get_policy(&target("f")).await.unwrap_err().status);
        }
        let failed = run.iter().filter(|it| **it == Some(500)).count();
        assert!((10..54).contains(&failed), "{failed}");
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_stale_read_answers_the_document_before_the_last_write() {
    let direct = direct();
    for sid in ["a", "b"] {
        direct.add_permission(&target("f"), sid, &s3(), None).await.unwrap();
    }
    faults(direct.simulator(), &json!({"faults": [{"kind": "stale", "times": 2}]}));
    for expected in [&["a"][..], &["a"], &["a", "b"]] {
        assert_eq!(live(&direct, "f").await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_lag_behind_for_some_reads_or_for_some_time() {
    let direct = direct();
    let set = |lag: Value| direct.simulator().put_state(&json!({"switches": {"read_lag": lag}}));
    set(json!({"reads": 2})).unwrap();
    direct.add_permission(&target("f"), "a", &s3(), None).await.unwrap();
    for expected in [&[][..], &[], &["a"]] {
        assert_eq!(live(&direct, "f").await, expected);
    }
    set(json!({"time": "5s"})).unwrap();
    direct.add_permission(&target("f"), "b", &s3(), None).await.unwrap();
    tokio::time::advance(Duration::from_millis(4_999)).await;
    assert_eq!(live(&direct, "f").await, ["a"]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(live(&direct, "f").await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn buckets_fill_at_their_rate_and_are_told_apart() {
    let direct = direct();
    let throttle = json!({"get_policy": 15, "control": {"rate": 2, "burst": 3}, "retry_after": 1});
    faults(direct.simulator(), &json!({"throttle": throttle}));
    let admitted = async |n: usize| {
        let mut res = 0;
        for _ in 0..n {
            let error = direct.get_policy(&target("f")).await.unwrap_err();
            if let Recovery::Throttled { retry_after } = error.recovery {
                assert_eq!(retry_after, Some(Duration::from_secs(1)));
                assert_eq!(error.code.as_deref(), Some("TooManyRequestsException"));
                assert_eq!(error.message, "Rate exceeded");
            } else {
                assert_eq!(error.recovery, Recovery::Absent);
                res += 1;
            }
        }
        res
    };
    assert_eq!(admitted(40).await, 15);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(admitted(40).await, 15);
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(admitted(40).await, 3);
    // The bucket of everything else is another one, GetFunction has none here, and so has another region.
    let mut added = 0;
    for n in 0..5 {
        let answer = direct.add_permission(&target("f"), &format!("s{n}"), &s3(), None).await;
        added += usize::from(answer.is_ok());
    }
    assert_eq!(added, 3);
    direct.function_exists(&target("f")).await.unwrap();
    let elsewhere = target("arn:aws:lambda:eu-west-1:123456789012:function:f");
    let error = direct.get_policy(&elsewhere).await.unwrap_err();
    assert_eq!(error.recovery, Recovery::Absent);
}

#[tokio::test(start_paused = true)]
async fn latency_and_delays_add_up() {
    let direct = direct();
    let delay = json!({"operation": "AddPermission", "kind": "delay", "delay_ms": 400});
    let error = json!({"operation": "AddPermission", "kind": "error"});
    faults(direct.simulator(), &json!({"latency_ms": 100, "faults": [delay, error]}));
    let start = Instant::now();
    direct.add_permission(&target("f"), "a", &s3(), None).await.unwrap_err();
    assert_eq!(start.elapsed().as_millis(), 500);
    direct.add_permission(&target("f"), "a", &s3(), None).await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 600);
}

#[tokio::test(start_paused = true)]
async fn of_two_first_adds_in_flight_one_may_be_lost() {
    for (lost, survivors) in [(false, 2), (true, 1)] {
        let direct = direct();
        let switches = json!({"switches": {"lost_parallel_first_add": lost}});
        direct.simulator().put_state(&switches).unwrap();
        faults(direct.simulator(), &json!({"latency_ms": 50}));
        let (f, s3) = (target("f"), s3());
        let first = direct.add_permission(&f, "a", &s3, None);
        let second = direct.add_permission(&f, "b", &s3, None);
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(live(&direct, "f").await.len(), survivors);
    }
}

#[tokio::test]
async fn another_writer_comes_in_between() {
    let direct = direct();
    let f = target("f");
    direct.add_permission(&f, "a", &s3(), None).await.unwrap();
    let revision = direct.get_policy(&f).await.unwrap().revision;
    let add = json!({"Sid": "theirs", "Principal": "*"});
    let fault = |kind: &str| json!({"faults": [{"operation": "AddPermission", "kind": kind, "change": {"add": add}}]});
    faults(direct.simulator(), &fault("writer_before"));
    let error = direct.add_permission(&f, "b", &s3(), Some(&revision)).await.unwrap_err();
    assert_eq!(error.recovery, Recovery::Stale);
    assert_eq!(live(&direct, "f").await, ["a", "theirs"]);
    let clear =
        json!({"operation": "AddPermission", "kind": "writer_after", "change": {"clear": true}});
    faults(direct.simulator(), &json!({"faults": [clear]}));
    direct.add_permission(&f, "b", &s3(), None).await.unwrap();
    assert_eq!(live(&direct, "f").await, Vec::<String>::new());
}

#[tokio::test]
async fn bad_faults_say_what_is_wrong() {
    let served = Served::new(SEED).await;
    for (body, expected) in [
        ("{", "EOF"),
        (r#"{"fault": []}"#, "unknown field `fault`"),
        (r#"{"faults": [{"kind": "explode"}]}"#, "unknown variant `explode`"),
        (r#"{"faults": [{"kind": "error", "nth": 0}]}"#, "faults[0]: nth counts from 1"),
        (r#"{"faults": [{"kind": "error", "status": 200}]}"#, "faults[0]: status"),
        (r#"{"faults": [{"kind": "error", "probability": 2}]}"#, "faults[0]: probability"),
        (r#"{"faults": [{"kind": "delay"}]}"#, "faults[0]: delay needs delay_ms"),
        (r#"{"faults": [{"kind": "writer_before"}]}"#, "faults[0]: this kind needs a change"),
        (r#"{"throttle": {"control": -1}}"#, "throttle.control"),
    ] {
        let answer = served.send("PUT", "/_simulator/faults", body).await;
        assert_eq!(answer.status, 400, "{body}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(expected), "{body}: {error}");
    }
}
