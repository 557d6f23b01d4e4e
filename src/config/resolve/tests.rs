//! From typed files to what is wanted: merging, contradictions, defaults.

use wildmatch::WildMatch;

use super::*;
use crate::config::diagnostic::Files;
use crate::config::permissions;
use crate::config::tests::{context, load};

mod many;
mod rules;
mod statements;
mod targets;
mod wide;
mod wide_content;

fn rules() -> Vec<IgnoreRule> {
    let pattern = |it: &str| Some(WildMatch::new(it));
    vec![
        IgnoreRule { sid: pattern("Console-*"), principal: None, source_arn: None },
        IgnoreRule {
            sid: None,
            principal: pattern("arn:aws:iam::210987654321:root"),
            source_arn: pattern("*x*"),
        },
    ]
}

#[test]
fn entries_for_one_target_merge_across_files() {
    let one = "functions:
  - function: f
    ownership: all
    statements: [{sid: b, principal: s3.amazonaws.com}]";
    let other = "functions:
  - function: arn:aws:lambda:us-east-1:123456789012:function:f
    suspend: true
    replace: direct
    absent: [z, y, z]
    statements: [{sid: a, principal: s3.amazonaws.com}]
  - {function: f, absent: [z], statements: [{sid: c, principal: s3.amazonaws.com}]}";
    let loaded = load(&[one, other], &context()).unwrap();
    let [wanted] = loaded.wanted.as_slice() else { panic!("{loaded:?}") };
    let sids: Vec<&str> = wanted.grants.iter().map(|it| it.sid.as_str()).collect();
    assert_eq!(sids, ["a", "b", "c"]);
    let absent: Vec<&str> = wanted.absent.iter().map(|it| it.sid.as_str()).collect();
    assert_eq!(absent, ["y", "z"]);
    assert_eq!(wanted.ownership, Ownership::All);
    assert!(wanted.suspend);
    assert_eq!(wanted.replace, Replace::Direct);
    assert_eq!(wanted.source.to_string(), "a.yaml:2:15");
}

#[test]
fn what_an_entry_does_not_say_the_settings_say() {
    let text = "functions: [{function: f, statements: []}]";
    let ownership = Ownership::Prefix("x-".to_owned());
    let loaded = load(&[text], &Context { ownership: ownership.clone(), ..context() }).unwrap();
    assert_eq!(loaded.wanted[0].ownership, ownership);

    for replace in [Replace::Bridge, Replace::Direct] {
        let loaded = load(&[text], &Context { replace, ..context() }).unwrap();
        assert_eq!(loaded.wanted[0].replace, replace);
        let says = text.replace("f,", "f, replace: bridge,");
        let loaded = load(&[&says], &Context { replace, ..context() }).unwrap();
        assert_eq!(loaded.wanted[0].replace, Replace::Bridge);
    }

    let said = load(&[text], &Context { ownership: Ownership::All, ..context() }).unwrap_err();
    assert!(said.starts_with("error: `ownership: all` without statements"), "{said}");
}

#[test]
fn the_same_statements_for_several_functions_and_partitions() {
    let text = "functions:
  - names: [f, \"arn:aws-cn:lambda:cn-north-1:123456789012:function:f\"]
    statements: [{sid: a, principal: \"arn:aws:iam::123456789012:root\"}]";
    let loaded = load(&[text], &context()).unwrap();
    let principals: Vec<String> =
        loaded.wanted.iter().map(|it| it.grants[0].terms.principals()[0].to_owned()).collect();
    assert_eq!(principals, ["arn:aws:iam::123456789012:root", "123456789012"]);
}

#[test]
fn nobody_is_asked_for_what_the_files_say() {
    #[track_caller]
    fn check(text: &str, account: bool, region: bool) {
        let files = Files { files: vec![File::new("a.yaml", text.to_owned())], ..Files::default() };
        let parsed = permissions::parse(&files);
        assert_eq!(lacking(&parsed), Lacking { account, region }, "{text}");
    }
    let full = "arn:aws:lambda:us-east-1:123456789012:function:f";
    check("functions: [{function: f}]", true, true);
    check("account: \"123456789012\"\nfunctions: [{function: f}]", false, true);
    check("region: us-east-1\nfunctions: [{function: f}]", true, false);
    check("region: us-east-1\naccount: \"123456789012\"\nfunctions: [{function: f}]", false, false);
    check(&format!("functions: [{{function: \"{full}\"}}]"), false, false);
    check(&format!("functions: [{{names: [\"{full}\", \"123456789012:f\"]}}]"), false, true);
    check("functions: [{function: \"a b\"}, {qualifier: x}]", false, false);
    check("nonsense", false, false);
}

#[test]
fn too_many_grants_by_names_are_refused() {
    let names: Vec<String> = (0..2000).map(|it| format!("f{it}")).collect();
    let statements: Vec<String> =
        (0..1000).map(|it| format!("{{sid: s{it}, principal: s3.amazonaws.com}}")).collect();
    let text = format!(
        "functions: [{{names: [{}], statements: [{}]}}]",
        names.join(","),
        statements.join(",")
    );
    let said = load(&[&text], &context()).unwrap_err();
    assert!(said.starts_with("error: the files have more than 500000 grants"), "{said}");
}

#[test]
fn no_file_at_all_is_an_error() {
    let said = load(&[], &context()).unwrap_err();
    assert!(said.starts_with("error: no function is named in any permission file"), "{said}");
}
