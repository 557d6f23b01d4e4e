//! Permission files: every key is read, and every mistake is told.

use jiff::Timestamp;

use crate::config::tests::{context, load};
use crate::drift::allow::{Ownership, Replace};
use crate::policy::{
    grant::{Action, UrlAuthType},
    principal::Principal,
    risk::Risk,
};

mod keys;
mod values;
mod wide;

const EVERY_KEY: &str = r#"
account: "210987654321"
region: eu-west-1
x-anything: {goes: [here]}
functions:
  - function: f
    qualifier: live
    ownership: prefix
    sid_prefix: x-
    absent: [old.sid, a]
    suspend: true
    replace: direct
    empty: false
    statements:
      - sid: x
        principal: "*"
        action: lambda:InvokeFunctionUrl
        source_arn: arn:aws:s3:::b
        source_account: 012345678901
        principal_org_id: o-a1b2c3d4e5
        event_source_token: 1.5
        function_url_auth_type: AWS_IAM
        expires: 2026-12-31T01:00:00+01:00
        accept: [P001, P008]
        description: 1e3
      - {sid: y, principal: 012345678901, invoked_via_function_url: true}
"#;

#[test]
fn every_key_is_read() {
    let loaded = load(&[EVERY_KEY], &context()).unwrap();
    let [wanted] = loaded.wanted.as_slice() else { panic!("{loaded:?}") };
    assert_eq!(wanted.target.arn(), "arn:aws:lambda:eu-west-1:210987654321:function:f:live");
    assert_eq!(wanted.ownership, Ownership::Prefix("x-".to_owned()));
    assert!(wanted.suspend);
    assert_eq!(wanted.replace, Replace::Direct);
    let absent: Vec<String> =
        wanted.absent.iter().map(|it| format!("{} {}", it.sid, it.source)).collect();
    assert_eq!(absent, ["a a.yaml:10:23", "old.sid a.yaml:10:14"]);

    let [x, y] = wanted.grants.as_slice() else { panic!("{wanted:?}") };
    let (x_says, y_says) = (x.terms.plain().unwrap(), y.terms.plain().unwrap());
    assert_eq!(x_says.principal, Principal::Anyone);
    assert_eq!(x_says.action, Action("lambda:InvokeFunctionUrl".to_owned()));
    assert_eq!(x_says.source_arn.as_deref(), Some("arn:aws:s3:::b"));
    assert_eq!(x_says.source_account.as_deref(), Some("012345678901"));
    assert_eq!(x_says.principal_org_id.as_deref(), Some("o-a1b2c3d4e5"));
    assert_eq!(x_says.event_source_token.as_deref(), Some("1.5"));
    assert_eq!(x_says.function_url_auth_type, Some(UrlAuthType::AwsIam));
    assert_eq!(x.expires, Some("2026-12-31T00:00:00Z".parse::<Timestamp>().unwrap()));
    assert_eq!(x.accept, [Risk::P001, Risk::P008]);
    assert_eq!(x.description.as_deref(), Some("1e3"));
    assert_eq!(x.source.to_string(), "a.yaml:15:9");
    assert_eq!(y_says.principal, Principal::Account("012345678901".to_owned()));
    assert!(y_says.invoked_via_function_url);
    assert_eq!(y.source.to_string(), "a.yaml:26:9");
}

#[test]
fn every_document_has_its_own_account_and_region() {
    let text = "account: \"210987654321\"\nregion: eu-west-1\nfunctions: [{function: f, statements: []}]\n\
                ---\nregion: eu-west-2\nfunctions: [{function: f, statements: []}]\n\
                ---\n# nothing\n---\nfunctions: [{names: [f, g], statements: []}]\n";
    let loaded = load(&[text], &context()).unwrap();
    let targets: Vec<String> = loaded.wanted.iter().map(|it| it.target.to_string()).collect();
    assert_eq!(
        targets,
        [
            "arn:aws:lambda:eu-west-2:123456789012:function:f",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:lambda:us-east-1:123456789012:function:g",
            "arn:aws:lambda:eu-west-1:210987654321:function:f",
        ]
    );
}

#[test]
fn a_policy_is_emptied_where_two_words_say_so() {
    let text = "functions: [{function: f, ownership: all, empty: true, statements: []}]";
    let loaded = load(&[text], &context()).unwrap();
    assert_eq!(loaded.wanted[0].ownership, Ownership::All);
    assert_eq!(loaded.wanted[0].grants, []);
}

#[test]
fn times_have_any_offset() {
    for time in ["2026-12-31T00:00:00Z", "2026-12-31t00:00:00.5z", "2026-12-31T00:00:00-08:00"] {
        let text = format!(
            "functions: [{{function: f, statements: [{{sid: a, principal: \"*\", expires: {time}}}]}}]"
        );
        let loaded = load(&[&text], &context()).unwrap();
        assert!(loaded.wanted[0].grants[0].expires.is_some(), "{time}");
    }
}
