//! An import of any policy at all: it loads, it is in sync, and no statement is lost.

use std::collections::BTreeMap;

use jiff::Timestamp;
use permitd::config::{
    diagnostic::{File, Files, render_all},
    import::{Imported, Live, Options, import},
    permissions::parse,
    resolve::{Context, examine, resolve},
    rules::Rule,
    settings,
    warnings::warnings,
};
use permitd::drift::{
    allow::{Ownership, Rules, Writer},
    bridge::bridge_sid,
    plan::{Memory, plan},
    wanted::Wanted,
};
use permitd::policy::{
    document::Document,
    target::{Defaults, Target},
};
use proptest::{collection::vec, prelude::*, sample::select};

fn target(name: &str, qualifier: Option<&str>) -> Target {
    let arn = format!("arn:aws:lambda:us-east-1:012345678901:function:{name}");
    Target::parse(&arn, qualifier, &Defaults::default()).unwrap()
}

/// A text in JSON: ones that YAML takes for something else, ones that would end a comment or begin a document,
/// and any.
fn text() -> impl Strategy<Value = String> {
    let traps = vec![
        "on",
        "no",
        "y",
        "null",
        "1e3",
        "012",
        "-",
        "---",
        "# x",
        "a: b",
        "a # b",
        "- a",
        "{}",
        "[a]",
        "'",
        "\"",
        "\n---\n",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{202e}",
        "\u{0}",
        "\u{1b}[31m",
        "\u{ffff}",
        "\u{e0041}",
        "\\",
        "\\u000a",
        "%YAML 1.2",
        "...",
        "&a",
        "*a",
        "!!str",
        "<<",
        "a.b",
        "a b",
        "é",
        "\u{1f600}",
    ];
    prop_oneof![select(traps).prop_map(str::to_owned), any::<String>()]
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn sid() -> BoxedStrategy<String> {
    let of_bridge = |base: String| bridge_sid(&target("f", None), &base);
    prop_oneof![
        12 => "[a-d]",
        2 => "x-[ab]",
        2 => "[a-d]".prop_map(of_bridge),
        1 => "[a-d]-permitd-[0-9a-f]{8}",
        1 => "[a-zA-Z0-9_-]{90,102}",
        2 => select(vec!["on", "no", "1e3", "012", "null", "-", "--", "0x1", "yes", "a.b"]).prop_map(str::to_owned),
        1 => text(),
    ]
    .boxed()
}

fn principal() -> impl Strategy<Value = String> {
    let known = vec![
        r#""*""#,
        r#"{"AWS":"*"}"#,
        r#"{"AWS":"210987654321"}"#,
        r#"{"AWS":"arn:aws:iam::012345678901:root"}"#,
        r#"{"AWS":"arn:aws-cn:iam::012345678901:root"}"#,
        r#"{"AWS":["arn:aws:iam::012345678901:role/a"]}"#,
        r#"{"AWS":"AROAEXAMPLEEXAMPLE123"}"#,
        r#"{"AWS":"AIDAEXAMPLEEXAMPLE123"}"#,
        r#"{"AWS":["210987654321","310987654321"]}"#,
        r#"{"Service":"s3.amazonaws.com"}"#,
        r#"{"Service":"replicator.lambda.amazonaws.com"}"#,
        r#"{"Service":"s3.amazonaws.com","AWS":"210987654321"}"#,
        r#"{"Service":["s3.amazonaws.com","sns.amazonaws.com"],"AWS":["310987654321","AROAEXAMPLEEXAMPLE123"]}"#,
        r#"{"Federated":"x"}"#,
    ];
    prop_oneof![
        8 => select(known).prop_map(str::to_owned),
        1 => text().prop_map(|it| format!(r#"{{"AWS":{}}}"#, quoted(&it))),
        1 => "arn:aws:iam::[0-9]{12}:user/[a-zA-Z0-9+=,.@_/-]{1,20}".prop_map(|it| format!(r#"{{"AWS":"{it}"}}"#)),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let known = vec![
        r#""ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}"#,
        r#""ArnEquals":{"aws:sourcearn":"arn:aws:s3:::b"}"#,
        r#""ArnLike":{"AWS:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::b"]}"#,
        r#""ArnLike":{"AWS:SourceArn":"arn:aws:s3:::${aws:PrincipalTag/team}"}"#,
        r#""StringEquals":{"AWS:SourceAccount":"012345678901"}"#,
        r#""StringEquals":{"AWS:SourceAccount":12345678901}"#,
        r#""StringEquals":{"lambda:FunctionUrlAuthType":"NONE","aws:PrincipalOrgID":"o-a1b2c3d4e5"}"#,
        r#""StringEquals":{"lambda:EventSourceToken":"1.0"}"#,
        r#""Bool":{"lambda:InvokedViaFunctionUrl":"true"}"#,
        r#""Bool":{"lambda:InvokedViaFunctionUrl":false}"#,
        r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
        r#""notipaddress":{"AWS:sourceip":["10.0.0.0/8","::/0","10.0.0.0/8"]}"#,
        r#""StringLike":{"aws:PrincipalTag/a":["${aws:username}","on"],"aws:a":1e3},"Null":{"aws:a":true}"#,
        r#""StringLike":{"aws:a":"b","AWS:A":"b"}"#,
        "",
    ];
    let any = text().prop_map(|it| format!(r#""StringEquals":{{"aws:a":{}}}"#, quoted(&it)));
    let arn = text().prop_map(|it| {
        format!(r#""ArnLike":{{"AWS:SourceArn":{}}}"#, quoted(&format!("arn:aws:s3:::{it}")))
    });
    prop_oneof![8 => select(known).prop_map(str::to_owned), 2 => arn, 1 => any]
}

/// One statement of `f`; now and then it is of another function, denies, has spaces in it or is nothing at all.
fn statement(arn: &str) -> impl Strategy<Value = String> + use<> {
    let action = select(vec![
        "lambda:InvokeFunction",
        "lambda:InvokeFunction",
        "lambda:invokefunction",
        "Lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
        "lambda:*",
        "*",
        "s3:GetObject",
    ]);
    let effect = select(vec!["Allow", "Allow", "Allow", "Allow", "Allow", "Deny", "allow"]);
    let resource = prop_oneof![20 => Just(arn.to_owned()), 1 => Just("*".to_owned()), 1 => text()];
    let members = (sid(), principal(), action, condition(), effect, resource);
    let made = members.prop_map(|(sid, principal, action, condition, effect, resource)| {
        let (sid, resource) = (quoted(&sid), quoted(&resource));
        format!(
            r#"{{"Sid":{sid},"Effect":"{effect}","Principal":{principal},"Action":"{action}","Resource":{resource},"Condition":{{{condition}}}}}"#
        )
    }).boxed();
    let spaced = made.clone().prop_map(|it| {
        let spaced = it.replace(",\"", ",\r\n\t\"").replace('{', "{\r");
        // Not in the middle of a text.
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&spaced).is_ok();
        if is_json { spaced } else { it }
    });
    let doubled = made.clone().prop_map(|it| it.replacen('{', r#"{"Sid":"a","#, 1));
    let strange = text().prop_map(|it| format!(r"{{{}:{}}}", quoted(&it), quoted(&it)));
    let nothing =
        select(vec!["7", "null", "[]", "{}", r##""# x""##, "1e999"]).prop_map(str::to_owned);
    prop_oneof![16 => made, 2 => spaced, 1 => doubled, 1 => strange, 1 => nothing]
}

fn live(target: Target) -> impl Strategy<Value = Live> {
    let version = select(vec![r#""Version":"2012-10-17","#, r#""Version":"2008-10-17","#, ""]);
    (vec(statement(&target.arn()), 0..6), version).prop_map(move |(statements, version)| {
        let text = format!(r#"{{{version}"Id":"default","Statement":[{}]}}"#, statements.join(","));
        let document = Document::parse(text, "r".into(), &target).unwrap();
        Live { target: target.clone(), document }
    })
}

fn lives() -> impl Strategy<Value = Vec<Live>> {
    (
        live(target("f", None)),
        live(target("f", Some("live"))),
        live(target("f", Some("10"))),
        live(target("012", None)),
    )
        .prop_map(|(a, b, c, d)| vec![a, b, c, d])
}

/// Some settings: what is owned, and what is ignored.
fn in_force() -> impl Strategy<Value = (Context, Rules)> {
    let ownership =
        select(vec![Ownership::Declared, Ownership::All, Ownership::Prefix("x-".into())]);
    let ignore = select(vec![
        "ignore: []",
        "ignore: [{sid: 'a*'}]",
        "ignore: [{principal: '210987654321'}]",
        "ignore: [{principal: 'arn:aws:iam::*:root', sid: '?'}]",
        "ignore: [{source_arn: '*:b'}, {sid: 'x-*'}]",
    ]);
    let writer = select(vec![Writer::Statements, Writer::Document, Writer::Auto]);
    (ownership, ignore, writer).prop_map(|(ownership, ignore, writer)| {
        let settings = settings::parse(&File::new("permitd.yaml", ignore.to_owned())).unwrap();
        let ignore = settings.ignore.clone();
        let context = Context { ownership, ignore, writer, ..Context::default() };
        (context, Rules { ignore: settings.ignore, ..Rules::default() })
    })
}

fn files(text: &str) -> Files {
    Files { files: vec![File::new("p.yaml", text.to_owned())], ..Files::default() }
}

fn load(text: &str, context: &Context) -> Vec<Wanted> {
    match resolve(parse(&files(text)), context) {
        Ok(it) => it.wanted,
        Err(said) => panic!("{text}\n{}", render_all(&said, false)),
    }
}

fn sync(text: &str, lives: &[Live], context: &Context, rules: &Rules) -> Result<(), TestCaseError> {
    for wanted in load(text, context) {
        let live = lives.iter().find(|it| it.target == wanted.target).unwrap();
        let memory = Memory::default();
        let plan = plan(&wanted, Some(&live.document), rules, &memory, Timestamp::UNIX_EPOCH);
        prop_assert!(plan.is_in_sync(), "{text}\n{plan:?}");
        prop_assert!(plan.steps.is_empty());
    }
    Ok(())
}

/// Every statement, of every policy, either granted with the same content or in a comment word for word.
fn nothing_is_lost(text: &str, lives: &[Live]) -> Result<(usize, usize), TestCaseError> {
    let wanted = if text.is_empty() { Vec::new() } else { load(text, &Context::default()) };
    let (mut granted, mut noted) = (0, 0);
    let mut comments: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines().filter_map(|it| it.trim_start().strip_prefix("# ")) {
        if let Ok(it) = serde_json::from_str::<&serde_json::value::RawValue>(line) {
            *comments.entry(compact(it.get())).or_default() += 1;
        }
    }
    for Live { target, document } in lives {
        let of_target = wanted.iter().find(|it| it.target == *target);
        prop_assert_eq!(of_target.is_some(), !document.statements().is_empty());
        for it in document.statements() {
            let grants = of_target.map_or(&[][..], |it| &it.grants);
            let says = grants.iter().any(|grant| {
                let text = grant.terms.statement_text(&grant.sid, target);
                let same =
                    permitd::policy::canonical::Canonical::of_text(&text, target.partition());
                Some(grant.sid.as_str()) == it.sid() && same == it.canonical(target)
            });
            if says {
                granted += 1;
                continue;
            }
            noted += 1;
            let n = comments.get_mut(&compact(it.text())).filter(|it| **it > 0);
            prop_assert!(n.is_some(), "{} is lost in\n{text}", it.text());
            *n.unwrap() -= 1;
        }
    }
    Ok((granted, noted))
}

/// JSON without the spaces between its tokens and with one spelling of its strings, members as they stand.
fn compact(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let members = json.matches("\"Sid\"").count();
    format!("{members} {value} {}", if value.is_null() { json.trim() } else { "" })
}

proptest! {
    #[test]
    fn a_plan_on_an_import_reports_no_drift(
        lives in lives(),
        (context, rules) in in_force(),
        own_all in any::<bool>(),
        accept_risks in any::<bool>(),
    ) {
        let now = Timestamp::UNIX_EPOCH;
        let options = Options { context: &context, rules: &rules, own_all, accept_risks, now };
        let Imported { text, tally } = match import(&lives, &options) {
            Ok(it) => it,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let backwards: Vec<Live> = lives.iter().rev().cloned().collect();
        prop_assert_eq!(&import(&backwards, &options).unwrap().text, &text);
        let found = nothing_is_lost(&text, &lives)?;
        prop_assert_eq!((tally.statements, tally.foreign), found, "{}", text);
        if text.is_empty() {
            return Ok(());
        }
        sync(&text, &lives, &context, &rules)?;
        sync(&text, &lives, &Context::default(), &Rules::default())?;
        let plain = |it: char| it == '\n' || it == '\t' || !it.is_control();
        prop_assert!(text.chars().all(plain), "{:?}", text);
        if accept_risks {
            let files = files(&text);
            let found = warnings(&files, &examine(parse(&files), &context), now);
            let risk = found.iter().find(|it| matches!(it.rule, Rule::Risk(_)));
            prop_assert!(risk.is_none(), "{}\n{:?}", text, risk);
        }
    }
}
