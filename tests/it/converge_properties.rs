//! The conversation against a Lambda that answers anything at all: it ends, and it never breaks its rules.

use std::time::Duration;

use jiff::Timestamp;
use permitd::config::diagnostic::{File, Files};
use permitd::config::permissions;
use permitd::config::resolve::{Context, resolve};
use permitd::drift::allow::{Mode, Rules};
use permitd::drift::converge::Converge;
use permitd::drift::dialogue::{Answer, Failure, FailureKind, Request};
use permitd::drift::outcome::State;
use permitd::drift::plan::{Clearance, Decisions};
use permitd::drift::wanted::Wanted;
use proptest::prelude::*;

const FILE: &str = r#"
account: "123456789012"
region: us-east-1
functions:
  - function: f
    ownership: all
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: "arn:aws:s3:::a"}
      - {sid: b, principal: "210987654321"}
      - {sid: c, principal: sns.amazonaws.com, expires: 1969-01-01T00:00:00Z}
"#;

fn wanted() -> Wanted {
    let files = Files { files: vec![File::new("p.yaml", FILE.into())], diagnostics: Vec::new() };
    resolve(permissions::parse(&files), &Context::default()).unwrap().wanted.remove(0)
}

/// Any policy of a few Sids: as wanted, another content, orphaned, inexpressible.
fn policy() -> impl Strategy<Value = Option<String>> {
    let principal = prop_oneof![
        3 => Just(r#"{"Service":"s3.amazonaws.com"}"#),
        3 => Just(r#"{"AWS":"arn:aws:iam::210987654321:root"}"#),
        1 => Just(r#"{"AWS":"AROASNV5YASAZHWFURF3I"}"#),
        1 => Just(r#"{"AWS":["1","2"]}"#),
    ];
    let condition = prop_oneof![
        Just(""),
        Just(r#","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::a"}}"#),
    ];
    let sid = prop_oneof![Just("a"), Just("b"), Just("c"), Just("d")];
    let statement = (sid, principal, condition).prop_map(|(sid, principal, condition)| {
        format!(
            r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{principal},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f"{condition}}}"#
        )
    });
    prop_oneof![
        1 => Just(None),
        1 => Just(Some("[]".to_owned())),
        8 => proptest::collection::vec(statement, 0..4)
            .prop_map(|it| Some(format!(r#"{{"Statement":[{}]}}"#, it.join(",")))),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    let kind = prop_oneof![
        Just(FailureKind::Gone),
        Just(FailureKind::Conflict),
        Just(FailureKind::Throttled(Duration::from_hours(1))),
        Just(FailureKind::Denied),
        Just(FailureKind::Refused),
        Just(FailureKind::Unreachable),
        Just(FailureKind::Unsure),
        Just(FailureKind::BadAnswer),
    ];
    kind.prop_map(|kind| Failure { kind, message: "why".into(), hint: None, request_id: None })
}

/// One answer to each question that might come.
#[derive(Debug, Clone)]
struct Said {
    policy: Result<Option<String>, Failure>,
    exists: Result<bool, Failure>,
    written: Result<(), Failure>,
    same_revision: bool,
}

fn said() -> impl Strategy<Value = Said> {
    let failing = |good: u32| prop_oneof![good => Just(None), 1 => failure().prop_map(Some)];
    (policy(), any::<bool>(), failing(4), failing(4), failing(2), proptest::bool::weighted(0.2))
        .prop_map(|(policy, exists, no_policy, no_exists, no_write, same_revision)| Said {
            policy: no_policy.map_or(Ok(policy), Err),
            exists: no_exists.map_or(Ok(exists), Err),
            written: no_write.map_or(Ok(()), Err),
            same_revision,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_conversation_ends_and_keeps_its_rules(
        answers in proptest::collection::vec(said(), 1..60),
        additive in any::<bool>(),
    ) {
        let wanted = wanted();
        let mode = if additive { Mode::Additive } else { Mode::Enforce };
        let rules = Rules { mode, remove_inexpressible: true, ..Rules::default() };
        let mut converge = Converge::new(&wanted, &rules);
        let mut request = converge.start();
        let mut revision: Option<String> = None;
        // What the next request has to be before another write may come.
        let mut must_read = true;
        let mut n = 0;
        let mut writes = 0;
        loop {
            n += 1;
            prop_assert!(n < 2000, "no end in sight");
            let said = &answers[n % answers.len()];
            let answer = match &request {
                Request::Done => break,
                Request::Planned => {
                    request = converge.proceed(Timestamp::UNIX_EPOCH);
                    continue;
                }
                Request::Judge => {
                    let decisions = Decisions { clearance: Clearance::Free, ..Decisions::default() };
                    converge.decide(decisions, Timestamp::UNIX_EPOCH);
                    request = converge.proceed(Timestamp::UNIX_EPOCH);
                    continue;
                }
                Request::Wait { at_least, attempt } => {
                    prop_assert!(*at_least <= Duration::from_mins(1), "Retry-After is bounded");
                    prop_assert!(*attempt >= 1);
                    Answer::Waited
                }
                Request::Exists => Answer::Exists(said.exists.clone()),
                Request::Read => {
                    let named = if said.same_revision { "r0".to_owned() } else { format!("r{n}") };
                    let answer = said.policy.clone().map(|it| it.map(|text| (text, named)));
                    if let Ok(it) = &answer {
                        revision = it.as_ref().map(|(_, revision)| revision.clone());
                        must_read = false;
                    }
                    Answer::Policy(answer)
                }
                Request::ReadResource => panic!("nothing is written wholly here"),
                Request::Write(write) => {
                    prop_assert!(!must_read, "a write without a read before it");
                    prop_assert_eq!(&write.revision, &revision, "guarded by the last read");
                    writes += 1;
                    must_read = match &said.written {
                        Ok(()) => true,
                        // Not done for sure, so what was read still stands.
                        Err(it) => !matches!(
                            it.kind,
                            FailureKind::Throttled(_) | FailureKind::Denied | FailureKind::Refused
                        ),
                    };
                    Answer::Written(said.written.clone().map(|()| None))
                }
            };
            request = converge.answer(answer, Timestamp::UNIX_EPOCH);
        }
        let outcome = converge.into_outcome(Timestamp::UNIX_EPOCH);
        match outcome.state {
            State::Unknown | State::Failed => prop_assert!(outcome.trouble.is_some() || outcome.left.is_some()),
            State::InSync => prop_assert!(outcome.left.is_some_and(|it| it.is_in_sync())),
            State::Drifted => prop_assert!(false, "steps were left without a word"),
            State::Held | State::Contended | State::Suspended | State::Paused => prop_assert!(outcome.left.is_some()),
        }
        prop_assert!(outcome.done.len() <= writes);
    }
}
