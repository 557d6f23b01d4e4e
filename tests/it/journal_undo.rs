//! What an undo prints for a permission file is read back to the same grant.

use permitd::config::diagnostic::{File, Files, render_all};
use permitd::config::permissions::parse;
use permitd::config::resolve::{Context, resolve};
use permitd::daemon::undo::yaml;
use permitd::drift::wanted::Wanted;
use permitd::journal::undo::Undo;
use permitd::policy::grant::{Draft, Grant};
use permitd::policy::risk::Risk;
use permitd::policy::source::Source;
use permitd::policy::target::{Defaults, Target};
use proptest::prelude::*;

const ARN: &str = "arn:aws:lambda:us-east-1:012345678901:function:";

fn read(text: &str) -> Vec<Wanted> {
    let files = Files { files: vec![File::new("undo.yaml", text.to_owned())], ..Files::default() };
    match resolve(parse(&files), &Context::default()) {
        Ok(it) => it.wanted,
        Err(said) => panic!("{text}\n{}", render_all(&said, false)),
    }
}

/// The grant as it was, but for the place where it was written.
fn check(target: &Target, grant: Grant) -> Result<(), TestCaseError> {
    let text = yaml(&Undo::Grant(Box::new(grant.clone())), target);
    let wanted = read(&text);
    prop_assert_eq!(wanted.len(), 1);
    prop_assert_eq!(&wanted[0].target, target);
    let source = wanted[0].grants[0].source.clone();
    prop_assert_eq!(&wanted[0].grants[..], &[Grant { source, ..grant }], "{}", text);
    Ok(())
}

fn target(name: &str, qualifier: Option<&str>) -> Target {
    Target::parse(&format!("{ARN}{name}"), qualifier, &Defaults::default()).unwrap()
}

fn grant(draft: &Draft<'_>) -> Grant {
    Grant {
        sid: draft.sid.to_owned(),
        terms: draft.check("aws").unwrap().into(),
        expires: None,
        accept: Vec::new(),
        description: None,
        source: Source { file: "journal entry 1".into(), line: 1, column: 1 },
        rule: None,
    }
}

/// Words that YAML takes for something else than a text.
fn word() -> impl Strategy<Value = String> {
    let traps = [
        "on",
        "no",
        "yes",
        "y",
        "n",
        "null",
        "Null",
        "true",
        "1e3",
        "0x1F",
        "1_000",
        "-",
        "-1",
        "0o7",
        "012",
        "12345678901234567890",
        "0b1",
        "1",
        "-_",
        "--",
        "---",
        "NaN",
        "2026-01-01",
    ];
    prop_oneof![prop::sample::select(traps.to_vec()).prop_map(str::to_owned), "[A-Za-z0-9_-]{1,20}"]
}

proptest! {
    #[test]
    fn a_grant_is_read_back(
        name in word(),
        qualifier in prop::option::of(word()),
        sid in word(),
        principal in prop_oneof![
            Just("*".to_owned()), "[0-9]{12}", "[a-z]{1,9}\\.amazonaws\\.com",
            "arn:aws:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_-]{1,20}",
        ],
        source_arn in prop::option::of("arn:aws:[a-z0-9]{1,5}:::([ -~]|é|\u{85}|\u{2028}|\u{1f600}|\t){0,120}"),
        source_account in prop::option::of("[0-9]{12}"),
        org in prop::option::of("o-[a-z0-9]{10}"),
        token in prop::option::of(prop_oneof!["[a-zA-Z0-9._-]{1,30}", "1\\.[0-9]{1,3}", "\\.(inf|nan)"]),
        url in any::<bool>(),
        auth in any::<bool>(),
    ) {
        let draft = Draft {
            sid: &sid,
            principal: &principal,
            action: Some(if auth { "lambda:InvokeFunctionUrl" } else { "lambda:InvokeFunction" }),
            source_arn: source_arn.as_deref(),
            source_account: source_account.as_deref(),
            principal_org_id: org.as_deref(),
            event_source_token: token.as_deref(),
            function_url_auth_type: auth.then_some("NONE"),
            invoked_via_function_url: (url && !auth).then_some(true),
        };
        check(&target(&name, qualifier.as_deref()), grant(&draft))?;
    }

    #[test]
    fn what_only_files_say_is_read_back(
        description in prop_oneof![any::<String>(), "[ -~\\n]{0,200}"],
        second in 0..4_000_000_000_i64,
        accept in prop::collection::vec(prop::sample::select(Risk::ALL.to_vec()), 0..3),
    ) {
        let draft = Draft { sid: "a", principal: "*", action: Some("*"), ..Draft::default() };
        let expires = jiff::Timestamp::from_second(second).ok();
        let description = Some(description);
        check(&target("f", None), Grant { description, expires, accept, ..grant(&draft) })?;
    }
}

#[test]
fn a_removal_is_read_back() {
    for sid in ["old", "yes", "1e3", "a.b"] {
        let undo = Undo::Remove { sid: sid.into(), expected: "{}".into() };
        let target = target("012", Some("1"));
        let wanted = read(&yaml(&undo, &target));
        assert_eq!(wanted[0].target, target);
        let absent: Vec<&str> = wanted[0].absent.iter().map(|it| it.sid.as_str()).collect();
        assert_eq!((wanted.len(), absent, wanted[0].grants.len()), (1, vec![sid], 0));
    }
}

#[test]
fn what_a_file_cannot_say_does_not_spoil_it() {
    let allow = r#"{"Sid":"a","Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:012345678901:function:f"}"#;
    let deny =
        "{\"Sid\":\"\\\": - [\",\r\n\n\"x: y\":\"\u{85}\u{2028}\u{feff}\",\"Effect\":\"Deny\"}";
    let before = Some(format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{allow},{deny}]}}"));
    let wanted = read(&yaml(&Undo::Document { before }, &target("f", None)));
    assert_eq!(wanted[0].grants.len(), 1);
    let good = read(&format!(
        "{}{}",
        yaml(&Undo::Put { statement: deny.into() }, &target("f", None)),
        yaml(
            &Undo::Grant(Box::new(grant(&Draft { sid: "a", principal: "*", ..Draft::default() }))),
            &target("f", None)
        )
    ));
    assert_eq!(good.len(), 1);
}
