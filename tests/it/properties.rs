//! Properties of the pure core, over random permissions and documents.

use jiff::Timestamp;
use permitd::{
    drift::{
        allow::{Ownership, Reason, Replace, Rules, Writer},
        approval::Approval,
        bridge::bridge_sid,
        diff::Kind,
        plan::{Action, Clearance, Decisions, Effect, Judgement, Memory, Plan, plan},
        wanted::{AbsentSid, Wanted},
    },
    policy::{
        canonical::Canonical,
        document::Document,
        grant::{Draft, Grant, Permission, UrlAuthType},
        principal::Principal,
        source::Source,
        statement::{Class, Statement},
        target::{Defaults, Target},
    },
};
use proptest::{collection::vec, option, prelude::*};

pub(crate) fn target() -> Target {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
    Target::parse(arn, None, &Defaults::default()).unwrap()
}

pub(crate) fn source() -> Source {
    Source { file: "p.yaml".into(), line: 1, column: 1 }
}

fn principal() -> impl Strategy<Value = Principal> {
    prop_oneof![
        Just(Principal::Anyone),
        "[0-9]{12}".prop_map(Principal::Account),
        "arn:aws:iam::[0-9]{12}:(role|user)/[a-zA-Z+=,.@_-]{1,8}".prop_map(Principal::Iam),
        "[a-z]{1,4}(\\.us-east-1)?\\.amazonaws\\.com".prop_map(Principal::Service),
    ]
}

/// Few different values, so that they meet.
fn permission() -> impl Strategy<Value = Permission> {
    let url =
        prop_oneof![Just(None), Just(Some(UrlAuthType::None)), Just(Some(UrlAuthType::AwsIam))];
    (
        principal(),
        option::of("arn:aws:s3:::[ab]"),
        option::of("[01]{12}"),
        option::of("o-[a-b]{10}"),
        option::of("[a-z.]{1,3}"),
        url,
        any::<bool>(),
    )
        .prop_map(|(principal, arn, account, org, token, url, via)| {
            let action =
                if url.is_some() { "lambda:InvokeFunctionUrl" } else { "lambda:InvokeFunction" };
            Permission {
                principal,
                action: permitd::policy::grant::Action(action.into()),
                source_arn: arn,
                source_account: account,
                principal_org_id: org,
                event_source_token: token,
                function_url_auth_type: url,
                invoked_via_function_url: via && url.is_none(),
            }
        })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    vec(("[a-d]", permission()), 0..5).prop_map(|all| {
        let mut res: Vec<Grant> = Vec::new();
        for (sid, permission) in all {
            if res.iter().all(|it| it.sid != sid) {
                let (expires, accept, description) = (None, Vec::new(), None);
                res.push(Grant {
                    sid,
                    terms: permission.into(),
                    expires,
                    accept,
                    description,
                    source: source(),
                    rule: None,
                });
            }
        }
        res.sort_by(|a, b| a.sid.cmp(&b.sid));
        res
    })
}

pub(crate) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,20}(\\.[0-9]+)?(e[0-9]{1,3})?".prop_map(|it| it),
        "[a-zA-Z:*]{0,6}".prop_map(|it| serde_json::to_string(&it).unwrap()),
        ".{0,4}".prop_map(|it| serde_json::to_string(&it).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            Just("Sid"),
            Just("Effect"),
            Just("Principal"),
            Just("Action"),
            Just("Resource"),
            Just("Condition"),
            Just("Statement"),
            Just("AWS"),
            Just("ArnLike"),
            Just("x"),
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|it| format!("[{}]", it.join(","))),
            vec((key, inner), 0..5).prop_map(|it| {
                let members: Vec<String> = it.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// A live statement: an expressible one, a Deny, one with a list, one without a Sid, or anything.
pub(crate) fn live_statement() -> impl Strategy<Value = String> {
    let made = (("[a-f]|x-permitd-[0-9a-f]{8}"), permission())
        .prop_map(|(sid, it)| it.statement_text(&sid, &target()));
    let patched = |from: &'static str, to: &'static str| {
        ("[a-f]", permission())
            .prop_map(move |(sid, it)| it.statement_text(&sid, &target()).replacen(from, to, 1))
    };
    prop_oneof![
        6 => made,
        1 => patched("\"Allow\"", "\"Deny\""),
        1 => patched("\"Sid\":", "\"Id\":"),
        1 => patched("\"lambda:InvokeFunction\"", "[\"lambda:InvokeFunction\",\"lambda:GetFunction\"]"),
        1 => json(),
    ]
}

fn document_of(statements: &[String]) -> Option<Document> {
    if statements.is_empty() {
        return None;
    }
    let text = format!(
        r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#,
        statements.join(",")
    );
    Some(Document::parse(text, "r".into(), &target()).unwrap())
}

pub(crate) fn ownership() -> impl Strategy<Value = Ownership> {
    prop_oneof![
        Just(Ownership::All),
        Just(Ownership::Declared),
        Just(Ownership::Prefix("a".into())),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (grants(), ownership(), vec("[e-f]", 0..2)).prop_map(|(grants, ownership, mut absent)| {
        absent.dedup();
        let absent = absent.into_iter().map(|sid| AbsentSid { sid, source: source() }).collect();
        let target = target();
        let replace = Replace::default();
        let (writer, compact) = (Writer::Statements, false);
        Wanted {
            target,
            ownership,
            grants,
            absent,
            suspend: false,
            replace,
            writer,
            compact,
            source: source(),
        }
    })
}

fn plan_for(wanted: &Wanted, live: &[String]) -> Plan {
    let document = document_of(live);
    let rules = Rules { remove_inexpressible: false, ..Rules::default() };
    plan(wanted, document.as_ref(), &rules, &Memory::default(), Timestamp::UNIX_EPOCH)
}

/// What Lambda makes of a step, in the most trivial way.
fn apply(live: &mut Vec<String>, plan: &Plan) {
    let Some(step) = plan.steps.first() else { return };
    let sid = |text: &String| Statement::read(text, &target()).sid().map(str::to_owned);
    match &step.action {
        Action::Add(permission) => {
            assert!(live.iter().all(|it| sid(it).as_deref() != Some(&step.sid)), "a Sid twice");
            live.push(permission.statement_text(&step.sid, &target()));
        }
        Action::Remove => live.retain(|it| sid(it).as_deref() != Some(&step.sid)),
        Action::Put(_) => panic!("nothing is written wholly here"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn grant_to_statement_to_grant_is_the_identity(permission in permission()) {
        let text = permission.statement_text("s", &target());
        let statement = Statement::read(&text, &target());
        prop_assert_eq!(statement.class(), &Class::Expressible(permission));
    }

    #[test]
    fn what_a_file_may_say_is_what_lambda_can_write(permission in permission()) {
        let url = permission.function_url_auth_type.map(UrlAuthType::as_str);
        let draft = Draft {
            sid: "s",
            principal: permission.principal.parameter(),
            action: Some(&permission.action.0),
            source_arn: permission.source_arn.as_deref(),
            source_account: permission.source_account.as_deref(),
            principal_org_id: permission.principal_org_id.as_deref(),
            event_source_token: permission.event_source_token.as_deref(),
            function_url_auth_type: url,
            invoked_via_function_url: permission.invoked_via_function_url.then_some(true),
        };
        prop_assert_eq!(draft.check("aws"), Ok(permission));
    }

    #[test]
    fn canonical_is_idempotent(text in live_statement()) {
        let once = Canonical::of_text(&text, "aws");
        if let Some(plain) = once.plain() {
            // Written down as a statement again, it is the same.
            let condition = serde_json::to_value(&plain.condition).unwrap();
            let mut again = serde_json::json!({ "Effect": plain.effect, "Condition": condition });
            for (key, value) in [
                ("Principal", serde_json::to_value(&plain.principal).unwrap()),
                ("Action", serde_json::to_value(&plain.action).unwrap()),
                ("Resource", serde_json::to_value(&plain.resource).unwrap()),
            ] {
                if !value.is_null() {
                    again[key] = value;
                }
            }
            let bare = plain.principal.as_ref().is_some_and(|it| it.get("*").is_some());
            if !bare {
                let again = again.to_string();
                prop_assert_eq!(Canonical::of_text(&again, "aws"), once);
            }
        }
    }

    #[test]
    fn any_document_is_read_without_panic_and_printed_without_loss(text in json()) {
        let statement = Statement::read(&text, &target());
        prop_assert_eq!(statement.text(), &text);
        if let Ok(document) = Document::parse(text.clone(), "r".into(), &target()) {
            prop_assert_eq!(document.text(), &text);
        }
        let inside = format!(r#"{{"Statement":[{text}]}}"#);
        let document = Document::parse(inside, "r".into(), &target()).unwrap();
        prop_assert_eq!(document.statements()[0].text(), &text);
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,200}") {
        Statement::read(&text, &target());
        drop(Document::parse(text, "r".into(), &target()));
    }

    #[test]
    fn doing_the_plan_leaves_nothing_to_do(wanted in wanted(), live in vec(live_statement(), 0..6)) {
        let mut live = live;
        let first = plan_for(&wanted, &live);
        let bound = first.steps.len() * 2 + 2;
        let mut n = 0;
        loop {
            let plan = plan_for(&wanted, &live);
            if plan.steps.is_empty() {
                let held = plan.drift.iter().all(|it| it.held.is_some());
                prop_assert!(held, "what is left is held: {:?}", plan.drift);
                break;
            }
            apply(&mut live, &plan);
            n += 1;
            prop_assert!(n <= bound, "no end in sight after {n} of {} steps", first.steps.len());
        }
        prop_assert_eq!(n, first.steps.len(), "as many writes as the first plan said");
    }

    #[test]
    fn a_plan_never_names_a_foreign_statement(wanted in wanted(), live in vec(live_statement(), 0..6)) {
        let plan = plan_for(&wanted, &live);
        for step in &plan.steps {
            let granted = wanted.grants.iter().any(|it| it.sid == step.sid);
            let absent = wanted.absent.iter().any(|it| it.sid == step.sid);
            let replaces = step.replaces.as_deref();
            let bridge = replaces.is_some_and(|it| bridge_sid(&wanted.target, it) == step.sid);
            let ours = wanted.ownership.owns(&step.sid) || granted || absent || bridge;
            prop_assert!(ours, "{} is not ours", step.sid);
            if let Action::Remove = step.action {
                let foreign = plan.foreign.iter().any(|it| it.sid() == Some(step.sid.as_str()));
                prop_assert!(!foreign, "{} is foreign", step.sid);
            }
        }
    }

    /// Before the limits were asked, and beyond them, no rule for many functions lets anybody in; beyond them
    /// everything else is done as it would have been.
    #[test]
    fn what_rules_grant_waits_for_the_limits(
        wanted in wanted(),
        by_rule in any::<[bool; 5]>(),
        live in vec(live_statement(), 0..6),
    ) {
        let mut wanted = wanted;
        let grants = wanted.grants.iter_mut().zip(by_rule);
        for (grant, _) in grants.filter(|(_, by_rule)| *by_rule) {
            grant.rule = Some("name: f*".into());
        }
        let first = plan_for(&wanted, &live);
        let opens = |plan: &Plan, step: &permitd::drift::plan::Step| {
            let change = &plan.drift[step.change];
            let missing = change.drift.kind == Kind::Missing;
            // What is said under another Sid opens nothing.
            let Action::Add(permission) = &step.action else { return false };
            let said = missing && live.iter().any(|it| Statement::read(it, &target()).says_plainly(permission));
            let let_in = missing || change.drift.kind == Kind::Orphaned;
            let_in && change.drift.rule.is_some() && !said
        };
        for step in first.steps.iter().filter(|it| !it.late) {
            prop_assert!(!opens(&first, step), "{step:?} does not wait: {first:?}");
        }
        let seen = Approval::of([(&wanted.target, &first)], |_| true);
        let limit =
            Reason::MaxChangedTargets { by_rules: true, changed: 9, targets: 10, percent: 30 };
        let judgement =
            Judgement { pass: 1, seen, beyond: None, rules_beyond: Some(limit.clone()) };
        let clearance = Clearance::Judged(judgement.into());
        let decisions = Decisions { clearance, ..Decisions::default() };
        let memory = Memory { decisions, ..Memory::default() };
        let document = document_of(&live);
        let now = Timestamp::UNIX_EPOCH;
        let beyond = plan(&wanted, document.as_ref(), &Rules::default(), &memory, now);
        prop_assert!(beyond.steps.iter().all(|it| !opens(&beyond, it)), "{beyond:?}");
        for (before, change) in first.drift.iter().zip(&beyond.drift) {
            let by_rule = change.drift.rule.is_some();
            if change.held.as_ref() == Some(&limit) {
                prop_assert!(by_rule && change.effect == Effect::Widens, "{change:?}");
            } else if before.held.is_none() && change.held.is_some() {
                let waits = change.held == Some(Reason::StillNeeded);
                prop_assert!(waits || matches!(change.held, Some(Reason::LastAllow)), "{change:?}");
            }
        }
    }
}
