//! The cases: permission files and live policies through the real planner.

use std::{fmt::Write, sync::Arc};

use jiff::Timestamp;
use permitd::config::{
    diagnostic::{File, Files, render_all},
    permissions,
    resolve::{Context, resolve},
};
use permitd::drift::{
    allow::{Reason, Rules},
    approval::Approval,
    outcome::{Done, Outcome, State, StepResult, Trouble, TroubleReason},
    plan::{Change, Clearance, Decisions, Judgement, Memory, Plan, plan},
    wanted::Wanted,
};
use permitd::policy::{
    document::Document,
    inventory::{Function, Inventory},
    target::AccountRegion,
};
use permitd::report::Subject;

/// What is reported.
pub(crate) struct Case {
    /// The name of its files.
    pub(crate) name: &'static str,
    /// What became of its targets.
    pub(crate) outcomes: Vec<Outcome>,
    /// What the report is about.
    pub(crate) subject: Subject,
}

/// When all of it happens.
pub(crate) fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn wanted(yaml: &str) -> Vec<Wanted> {
    let text = format!("account: '123456789012'\nregion: us-east-1\nfunctions:\n{yaml}");
    let file = File::new("permissions.yaml", text);
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    let context = Context { inventory: Some(Arc::new(inventory(place))), ..Context::default() };
    match resolve(permissions::parse(&files), &context) {
        Ok(it) => it.wanted,
        Err(found) => panic!("{}", render_all(&found, false)),
    }
}

/// What the rules find.
fn inventory(place: AccountRegion) -> Inventory {
    let function = |name: &str| Function {
        name: name.to_owned(),
        tags: Some([("team".to_owned(), "</script>@everyone \u{1b}[1m".to_owned())].into()),
        ..Function::default()
    };
    Inventory { places: [(place, ["orders-in", "orders-out"].map(function).into())].into() }
}

/// The live policy of the `n`-th target, from its statements; `$FN` is its ARN.
fn document(wanted: &Wanted, version: &str, statements: &[&str]) -> Option<Document> {
    let list = statements.join(",").replace("$FN", &wanted.target.arn());
    let text = format!(r#"{{"Version":"{version}","Id":"default","Statement":[{list}]}}"#);
    let document = Document::parse(text, "rev-1".to_owned(), &wanted.target).unwrap();
    (!statements.is_empty()).then_some(document)
}

fn of_plan(wanted: &Wanted, plan: Plan) -> Outcome {
    let plan = Arc::new(plan);
    Outcome {
        target: wanted.target.clone(),
        state: State::of(&plan),
        trouble: None,
        found: Some(Arc::clone(&plan)),
        left: Some(plan),
        done: Vec::new(),
    }
}

/// Every target of the file with these policies, planned with these rules and decisions.
fn planned(yaml: &str, live: &[&[&str]], rules: &Rules, decisions: &Decisions) -> Vec<Outcome> {
    let memory = Memory { decisions: decisions.clone(), ..Memory::default() };
    let one = |(at, it): (usize, &Wanted)| {
        let live = document(it, "2012-10-17", live.get(at).copied().unwrap_or_default());
        of_plan(it, plan(it, live.as_ref(), rules, &memory, now()))
    };
    wanted(yaml).iter().enumerate().map(one).collect()
}

fn simply(yaml: &str, live: &[&[&str]]) -> Vec<Outcome> {
    planned(yaml, live, &Rules::default(), &Decisions::default())
}

pub(crate) fn unknown(outcome: Outcome, trouble: Trouble) -> Outcome {
    let state = State::Unknown;
    Outcome { state, trouble: Some(trouble), found: None, left: None, ..outcome }
}

pub(crate) fn denied() -> Trouble {
    Trouble {
        reason: TroubleReason::AccessDenied,
        message:
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: lambda:GetPolicy"
                .to_owned(),
        hint: Some("allow lambda:GetPolicy on this function".to_owned()),
        request_id: None,
    }
}

const S3: &str = r#"{"Sid":"s3-uploads","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"$FN","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::uploads"}}}"#;
const S3_OLD: &str = r#"{"Sid":"s3-uploads","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"$FN","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::old"}}}"#;
const CONSOLE: &str = r#"{"Sid":"console","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::310987654321:root"},"Action":"lambda:InvokeFunction","Resource":"$FN"}"#;
const ANYONE: &str = r#"{"Sid":"legacy","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"$FN"}"#;
const S3_WANTED: &str = "{sid: s3-uploads, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::uploads', source_account: '123456789012'}";

fn account(sid: &str, id: &str) -> String {
    CONSOLE.replace("console", sid).replace("310987654321", id)
}

/// The dozen.
pub(crate) fn all() -> Vec<Case> {
    let plan = |name, outcomes| Case { name, outcomes, subject: Subject::Plan };
    let applied = |name, outcomes| Case { name, outcomes, subject: Subject::Applied };
    vec![
        plan("in_sync", in_sync_with_foreign()),
        plan("every_kind", every_kind()),
        plan("held_by_limit", held_by_limit()),
        plan("held", held()),
        plan("unknown", not_read()),
        plan("hostile", hostile()),
        plan("watched", watched()),
        plan("expiring", expiring()),
        plan("other_version", other_version()),
        plan("nearly_full", nearly_full()),
        plan("rules", rules()),
        applied("applied", done()),
        applied("failed", failed()),
        applied("interrupted", interrupted()),
    ]
}

fn in_sync_with_foreign() -> Vec<Outcome> {
    let yaml = format!(
        "- {{function: thumbnail, qualifier: live, statements: [{S3_WANTED}]}}\n- {{function: report, absent: [gone], statements: []}}\n"
    );
    simply(&yaml, &[&[], &[S3, CONSOLE]])
}

fn every_kind() -> Vec<Outcome> {
    let yaml = format!(
        "- function: media
  ownership: all
  absent: [unwanted]
  statements:
  - {S3_WANTED}
  - {{sid: sns-orders, principal: sns.amazonaws.com, source_arn: 'arn:aws:sns:us-east-1:123456789012:orders', description: OPS-812}}
  - {{sid: new-name, principal: '210987654321', accept: [P004]}}
  - {{sid: over, principal: '410987654321', expires: 2026-05-01T00:00:00Z, accept: [P004]}}
  - {{sid: role, principal: 'arn:aws:iam::210987654321:role/deploy'}}
  - {{sid: twin, principal: '510987654321', accept: [P004]}}
- function: quiet
  statements: [{S3_WANTED}]
"
    );
    let orphan = r#"{"Sid":"role","Effect":"Allow","Principal":{"AWS":"AROASNV5YASAZHWFURF3I"},"Action":"lambda:InvokeFunction","Resource":"$FN"}"#;
    let probe = wanted(&yaml).remove(0).target;
    let leftover = permitd::drift::bridge::bridge_sid(&probe, "s3-uploads");
    let [old_name, over, twin, copy, unwanted, bridge] = [
        account("old-name", "210987654321"),
        account("over", "410987654321"),
        account("twin", "510987654321"),
        account("copy", "510987654321"),
        account("unwanted", "610987654321"),
        account(&leftover, "710987654321"),
    ];
    let live = [S3_OLD, ANYONE, &old_name, &over, orphan, &twin, &copy, &unwanted, &bridge];
    let memory =
        Memory { confirmed: vec![orphan.replace("$FN", &probe.arn())], ..Memory::default() };
    let one = |(at, it): (usize, &Wanted)| {
        let live = if at == 0 { &live[..] } else { &[S3] };
        let live = document(it, "2012-10-17", live);
        of_plan(it, plan(it, live.as_ref(), &Rules::default(), &memory, now()))
    };
    wanted(&yaml).iter().enumerate().map(one).collect()
}

/// What rules grant: missing and changed, held and not, and with a tag as hostile as a file can have it.
fn rules() -> Vec<Outcome> {
    let yaml = format!(
        "- match: {{name: 'orders-*'}}
  statements:
  - {S3_WANTED}
  - {{sid: 'own-${{function}}', principal: s3.amazonaws.com, source_arn: 'arn:${{partition}}:s3:::${{account}}-${{function}}', source_account: '${{account}}'}}
- match: {{tags: {{team: \"</script>@everyone \\e[1m\"}}}}
  statements: [{{sid: hostile, principal: '510987654321', accept: [P004]}}]
"
    );
    let live: [&[&str]; 2] = [&[S3_OLD], &[]];
    let first = simply(&yaml, &live);
    let plans = first.iter().filter_map(|it| Some((&it.target, it.found.as_deref()?)));
    let seen = Approval::of(plans, Change::is_judged);
    let limit = Reason::MaxChangedTargets { by_rules: true, changed: 9, targets: 20, percent: 30 };
    let (beyond, rules_beyond) = (None, Some(limit));
    let clearance = Clearance::Judged(Arc::new(Judgement { pass: 1, seen, beyond, rules_beyond }));
    planned(&yaml, &live, &Rules::default(), &Decisions { clearance, ..Decisions::default() })
}

fn held_by_limit() -> Vec<Outcome> {
    let yaml = "- {function: a, ownership: all, empty: true, statements: []}\n- {function: b, ownership: all, statements: [{sid: keep, principal: '210987654321', accept: [P004]}]}\n";
    let keep = account("keep", "210987654321");
    let many: Vec<String> =
        (0..12).map(|it| account(&format!("old-{it:02}"), "310987654321")).collect();
    let many: Vec<&str> =
        std::iter::once(keep.as_str()).chain(many.iter().map(String::as_str)).collect();
    let live: [&[&str]; 2] = [&[CONSOLE, ANYONE], &many];
    let first = simply(yaml, &live);
    let plans = first.iter().filter_map(|it| Some((&it.target, it.found.as_deref()?)));
    let seen = Approval::of(plans, Change::is_judged);
    let beyond = Some(Reason::MaxRevocations { wanted: 14, done: 0, limit: 10 });
    let clearance =
        Clearance::Judged(Arc::new(Judgement { pass: 1, seen, beyond, rules_beyond: None }));
    planned(yaml, &live, &Rules::default(), &Decisions { clearance, ..Decisions::default() })
}

fn held() -> Vec<Outcome> {
    let yaml = "- function: open
  ownership: all
  statements:
  - {sid: public, principal: '*'}
  - {sid: role, principal: 'arn:aws:iam::210987654321:role/deploy'}
- function: odd
  ownership: all
  statements: [{sid: a, principal: '210987654321', accept: [P004]}]
";
    let two = r#"{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::210987654321:root","arn:aws:iam::310987654321:root"]},"Action":["lambda:InvokeFunction","lambda:GetFunction"],"Resource":"$FN"}"#;
    let orphan = r#"{"Sid":"role","Effect":"Allow","Principal":{"AWS":"AROASNV5YASAZHWFURF3I"},"Action":"lambda:InvokeFunction","Resource":"$FN"}"#;
    let no_sid = r#"{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"$FN","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
    let a = account("a", "210987654321");
    // In the order of the targets: `odd` stands before `open`.
    simply(yaml, &[&[&a, two, no_sid], &[orphan]])
}

fn not_read() -> Vec<Outcome> {
    let yaml = format!("- {{names: [a, b, c], statements: [{S3_WANTED}]}}\n");
    let mut res = simply(&yaml, &[&[S3], &[S3]]);
    let missing = Trouble {
        reason: TroubleReason::FunctionMissing,
        message: "function c does not exist in 123456789012/us-east-1".to_owned(),
        hint: Some("create it, or take the entry at permissions.yaml:4:12 out".to_owned()),
        request_id: None,
    };
    let last = res.pop().unwrap();
    let second = res.pop().unwrap();
    res.push(unknown(second, denied()));
    res.push(unknown(last, missing));
    res
}

/// What somebody could put into a policy to be read by whoever reviews it.
fn hostile() -> Vec<Outcome> {
    let yaml = "- {function: f, ownership: all, statements: [{sid: a, principal: '210987654321', accept: [P004]}]}\n- {function: g, statements: [{sid: a, principal: '210987654321'}]}\n";
    let long = "x".repeat(19_000);
    let live: Vec<String> = [
        "</script><img src=x onerror=alert(1)>",
        "@everyone see #12 and [click](https://evil.example) ![x](https://evil.example/x.png)",
        "`````` ``` ` **bold** | pipe | <!-- comment --> -->",
        "\\u001b[2J\\u202eevil\\u200b\\u2028line\\n# heading\\n```\\n- list",
        long.as_str(),
    ]
    .into_iter()
    .map(|sid| {
        format!(
            r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::210987654321:role/{sid}"}},"Action":"lambda:InvokeFunction","Resource":"$FN","Condition":{{"{sid}":{{"</td>":"{sid}"}}}}}}"#
        )
    })
    .collect();
    let live: Vec<&str> = live.iter().map(String::as_str).collect();
    let mut res = simply(yaml, &[&live]);
    let trouble = Trouble {
        reason: TroubleReason::BadAnswer,
        message: "an answer that is not Lambda's: <html>\u{202e}```\n# @everyone </html>"
            .to_owned(),
        hint: Some("look at `the proxy` @everyone".to_owned()),
        request_id: None,
    };
    let second = res.pop().unwrap();
    res.push(unknown(second, trouble));
    res
}

fn watched() -> Vec<Outcome> {
    let yaml = format!("- {{function: suspended, suspend: true, statements: [{S3_WANTED}]}}\n");
    let mut res = simply(&yaml, &[&[S3_OLD]]);
    let yaml = format!("- {{function: paused, statements: [{S3_WANTED}]}}\n");
    let paused = Some("until 2026-06-01T13:00:00Z".to_owned());
    let decisions = Decisions { paused, ..Decisions::default() };
    res.extend(planned(&yaml, &[&[S3_OLD]], &Rules::default(), &decisions));
    let yaml = format!("- {{function: contended, statements: [{S3_WANTED}]}}\n");
    let trouble = Some(Trouble {
        reason: TroubleReason::Contended,
        message: "s3-uploads was put right 3 times within an hour, and somebody else undoes it"
            .to_owned(),
        hint: Some(
            "find out who writes this policy: CloudTrail has AddPermission20150331v2".to_owned(),
        ),
        request_id: None,
    });
    let state = State::Contended;
    res.extend(simply(&yaml, &[&[S3_OLD]]).into_iter().map(|it| Outcome {
        state,
        trouble: trouble.clone(),
        ..it
    }));
    res
}

fn expiring() -> Vec<Outcome> {
    let yaml = "- function: partner
  statements:
  - {sid: soon, principal: '210987654321', accept: [P004], expires: 2026-06-12T00:00:00Z}
  - {sid: later, principal: '310987654321', accept: [P004], expires: 2027-01-01T00:00:00Z}
";
    let (soon, later) = (account("soon", "210987654321"), account("later", "310987654321"));
    simply(yaml, &[&[&soon, &later]])
}

fn other_version() -> Vec<Outcome> {
    let yaml = format!("- {{function: old, statements: [{S3_WANTED}]}}\n");
    let one = |it: &Wanted| {
        let live = document(it, "2008-10-17", &[S3]);
        of_plan(it, plan(it, live.as_ref(), &Rules::default(), &Memory::default(), now()))
    };
    wanted(&yaml).iter().map(one).collect()
}

fn nearly_full() -> Vec<Outcome> {
    let yaml = format!("- {{function: full, statements: [{S3_WANTED}]}}\n");
    let many: Vec<String> = (0..100).map(|it| account(&format!("s{it}"), "310987654321")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    simply(&yaml, &[&many])
}

/// The steps of a plan as done; what is left is in sync.
fn done_of(outcome: &Outcome, result: impl Fn(usize) -> StepResult) -> Vec<Done> {
    let steps = outcome.found.as_deref().map_or(&[][..], |it| &it.steps);
    let done = |(at, step): (usize, &permitd::drift::plan::Step)| Done {
        step: step.clone(),
        result: result(at),
        entries: Vec::new(),
        limited: false,
        by_rule: false,
        opened_gap: false,
        with_last: false,
    };
    steps.iter().enumerate().map(done).collect()
}

fn drifting() -> (String, Vec<Outcome>) {
    let yaml = format!(
        "- {{function: f, ownership: all, statements: [{S3_WANTED}]}}\n- {{function: g, statements: [{{sid: c, principal: '210987654321', accept: [P004]}}]}}\n"
    );
    let outcomes = simply(&yaml, &[&[S3_OLD, CONSOLE]]);
    (yaml, outcomes)
}

fn done() -> Vec<Outcome> {
    let (yaml, first) = drifting();
    let c = account("c", "210987654321");
    let second = simply(&yaml, &[&[S3], &[&c]]);
    let join = |(first, second): (Outcome, Outcome)| {
        let done = done_of(&first, |_| StepResult::Done);
        Outcome { found: first.found, done, ..second }
    };
    first.into_iter().zip(second).map(join).collect()
}

fn failed() -> Vec<Outcome> {
    let (_, mut first) = drifting();
    let refused = "User: x is not authorized to perform: lambda:AddPermission <b>@team</b>";
    let mut done = done_of(&first[0], |_| StepResult::Done);
    done.truncate(1);
    done.push(Done {
        result: StepResult::Lost(S3_OLD.to_owned()),
        opened_gap: true,
        with_last: false,
        ..done_of(&first[0], |_| StepResult::Done).remove(0)
    });
    first[0].done = done;
    first[0].state = State::Failed;
    first[0].trouble = Some(Trouble {
        reason: TroubleReason::GapOpen,
        message: "s3-uploads was taken away, and neither the new statement nor the old one could be added".to_owned(),
        hint: Some("add it by hand; the history has the old statement".to_owned()),
        request_id: None,
    });
    first[1].done = done_of(&first[1], |_| StepResult::Refused(refused.to_owned()));
    first[1].state = State::Failed;
    first[1].trouble = Some(Trouble {
        reason: TroubleReason::AccessDenied,
        message: refused.to_owned(),
        hint: Some("allow lambda:AddPermission on this function".to_owned()),
        request_id: None,
    });
    first
}

fn interrupted() -> Vec<Outcome> {
    let (_, mut first) = drifting();
    let trouble = Some(Trouble {
        reason: TroubleReason::Interrupted,
        message: "stopped before it was through".to_owned(),
        hint: None,
        request_id: None,
    });
    let mut done = done_of(&first[0], |_| StepResult::Done);
    done.truncate(2);
    first[0] = Outcome { state: State::Failed, trouble, done, ..first[0].clone() };
    first
}

/// So many functions that miss two statements each.
pub(crate) fn many(n: usize) -> Vec<Outcome> {
    let mut yaml = String::new();
    for at in 0..n {
        writeln!(yaml, "- {{function: fn-{at:05}, ownership: all, statements: [{S3_WANTED}, {{sid: other, principal: '210987654321'}}]}}").unwrap();
    }
    let live: Vec<&[&str]> =
        (0..n).map(|at| if at % 3 == 0 { &[S3_OLD, CONSOLE][..] } else { &[S3][..] }).collect();
    simply(&yaml, &live)
}

/// One function that misses so many statements.
pub(crate) fn one_with(n: usize) -> Vec<Outcome> {
    let mut yaml = "- function: f\n  statements:\n".to_owned();
    for at in 0..n {
        writeln!(yaml, "  - {{sid: s{at}, principal: '210987654321'}}").unwrap();
    }
    simply(&yaml, &[])
}

/// So many functions as written.
pub(crate) fn in_sync(n: usize) -> Vec<Outcome> {
    let mut yaml = String::new();
    for at in 0..n {
        writeln!(yaml, "- {{function: fn-{at:05}, statements: [{S3_WANTED}]}}").unwrap();
    }
    let live: Vec<&[&str]> = (0..n).map(|_| &[S3][..]).collect();
    simply(&yaml, &live)
}

/// A bit of everything, in two accounts: for a browser.
pub(crate) fn mixed() -> Vec<Outcome> {
    let mut yaml = format!(
        "- {{function: 'arn:aws:lambda:eu-west-1:999988887777:function:billing:live', ownership: all, statements: [{S3_WANTED}]}}\n"
    );
    for at in 0..30 {
        writeln!(
            yaml,
            "- {{function: 'arn:aws:lambda:eu-west-1:999988887777:function:worker-{at:02}', statements: [{S3_WANTED}]}}"
        )
        .unwrap();
    }
    let many: Vec<String> = (0..100).map(|it| account(&format!("s{it}"), "310987654321")).collect();
    let full: Vec<&str> = std::iter::once(S3).chain(many.iter().map(String::as_str)).collect();
    let live: Vec<&[&str]> = (0..31)
        .map(|at| match at {
            0 => &[S3_OLD, CONSOLE][..],
            7 => &[][..],
            _ => full.get(..=(at * 3)).unwrap(),
        })
        .collect();
    let mut res = simply(&yaml, &live);
    for some in [
        every_kind(),
        held_by_limit(),
        held(),
        not_read(),
        watched(),
        expiring(),
        other_version(),
        nearly_full(),
    ] {
        res.extend(some);
    }
    res
}
