//! What an import looks like, and what it leaves out.

use wildmatch::WildMatch;

use super::*;
use crate::drift::{
    allow::{IgnoreRule, Writer},
    bridge::bridge_sid,
};
use crate::policy::target::Defaults;

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

fn target(arn: &str) -> Target {
    Target::parse(arn, None, &Defaults::default()).unwrap()
}

fn live_of(version: &str, arn: &str, statements: &[&str]) -> Live {
    let target = target(arn);
    let text = format!(r#"{{"Version":"{version}","Statement":[{}]}}"#, statements.join(","));
    let document = Document::parse(text, "r".into(), &target).unwrap();
    Live { target, document }
}

fn live(statements: &[&str]) -> Live {
    live_of("2012-10-17", ARN, statements)
}

/// An account may invoke; `more` are further members.
fn account(sid: &str, more: &str) -> String {
    format!(
        r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{{"AWS":"210987654321"}},"Action":"lambda:InvokeFunction","Resource":"{ARN}"{more}}}"#
    )
}

struct Case {
    context: Context,
    rules: Rules,
    own_all: bool,
    accept_risks: bool,
}

fn case() -> Case {
    let (context, rules) = (Context::default(), Rules::default());
    Case { context, rules, own_all: false, accept_risks: false }
}

impl Case {
    fn import(&self, live: &[Live]) -> Imported {
        let Self { context, rules, own_all, accept_risks } = self;
        let options = Options {
            context,
            rules,
            own_all: *own_all,
            accept_risks: *accept_risks,
            now: Timestamp::UNIX_EPOCH,
        };
        import(live, &options).unwrap()
    }
}

#[track_caller]
fn left_out(case: &Case, live: &Live, why: &str) {
    let Imported { text, tally } = case.import(std::slice::from_ref(live));
    assert!(
        text.contains(&format!("# Not in this file, and left as it is, for {why}:\n")),
        "{text}"
    );
    assert_eq!(tally.foreign, 1, "{text}");
}

#[test]
fn a_policy_as_a_file() {
    let deny = account("no", "").replace("Allow", "Deny").replace(',', ",\n  ");
    let accounts = [account("b", ""), account("a", r#","Condition":{}"#)];
    let statements = [accounts[0].as_str(), &deny, &accounts[1]];
    let other = live_of("2012-10-17", &format!("{ARN}:live"), &[&deny]);
    let nothing = live_of("2012-10-17", &format!("{ARN}:none"), &[]);
    let Imported { text, tally } = case().import(&[other, live(&statements), nothing]);
    let on_one_line = deny.replace(",\n  ", ", ");
    let expected = format!(
        r#"account: "123456789012"
region: us-east-1
functions:
  - function: f
    statements:
      # P004: {title}
      - sid: a
        principal: "210987654321"
      # P004: {title}
      - sid: b
        principal: "210987654321"
    # Not in this file, and left as it is, for it denies:
    # {on_one_line}
  - function: f
    qualifier: live
    statements: []
    # Not in this file, and left as it is, for it denies:
    # {on_one_line}
"#,
        title = Risk::P004.title()
    );
    assert_eq!(text, expected, "\n{text}");
    assert_eq!((tally.statements, tally.foreign), (2, 2));
    assert_eq!(tally.risks, BTreeMap::from([(Risk::P004, 2)]));
    assert_eq!(case().import(&[live(&[])]).text, "");
}

#[test]
fn risks_are_accepted_where_that_is_asked_also_those_of_two_statements() {
    let half = account("url", "")
        .replace(r#"{"AWS":"210987654321"}"#, r#""*""#)
        .replace("InvokeFunction", "InvokeFunctionUrl")
        .replace(
            &format!("\"{ARN}\""),
            &format!(
                r#""{ARN}","Condition":{{"StringEquals":{{"lambda:FunctionUrlAuthType":"NONE"}}}}"#
            ),
        );
    let noted = case().import(&[live(&[&half])]);
    assert!(noted.text.contains("# P007: "), "{}", noted.text);
    let accepted = Case { accept_risks: true, ..case() }.import(&[live(&[&half])]);
    assert!(accepted.text.contains("P007]\n"), "{}", accepted.text);
    assert!(!accepted.text.contains('#'), "{}", accepted.text);
    assert_eq!(noted.tally, accepted.tally);
}

#[test]
fn what_a_file_cannot_say_is_left_out_with_the_reason() {
    let check = |text: &str, why: &str| left_out(&case(), &live(&[text, &account("z", "")]), why);
    check(&account("a.b", ""), "AddPermission takes no Sid with a dot");
    check(&account("a b", ""), "its Sid is not one that RemovePermission takes");
    check(
        &account("a-permitd-01234567", ""),
        "its Sid is one of permitd's own, for the time of a replacement",
    );
    check(
        &account("a", "").replace("210987654321", "AROAEXAMPLEEXAMPLE123"),
        "the role or user of its principal AROAEXAMPLEEXAMPLE123 was deleted",
    );
    check(
        &account("a", r#","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}"#)
            .replace("lambda:InvokeFunction\"", "lambda:*\""),
        "a permission file cannot say it (invoked_via_function_url goes with `action: lambda:InvokeFunction` only; this is `lambda:*`)",
    );
    check(
        &account("a", "")
            .replace(r#""AWS":"210987654321""#, r#""Service":"replicator.lambda.amazonaws.com""#),
        "Lambda@Edge keeps it, and permitd ignores it",
    );
    let variable =
        account("a", r#","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::${x}"}}"#);
    left_out(
        &case(),
        &live_of("2008-10-17", ARN, &[&variable]),
        "its policy's Version takes ${…} for itself",
    );
    let twice = live(&[&account("a", ""), &account("a", ""), &account("b", "")]);
    let Imported { text, tally } = case().import(&[twice]);
    assert_eq!(text.matches("for its Sid stands in the policy twice:").count(), 2, "{text}");
    assert_eq!((tally.statements, tally.foreign), (1, 2));
}

#[test]
fn what_the_settings_ignore_is_left_out() {
    let pattern = |it: &str| Some(WildMatch::new(it));
    let by_sid = IgnoreRule { sid: pattern("a*"), principal: None, source_arn: None };
    let by_who = IgnoreRule {
        sid: None,
        principal: pattern("arn:aws:iam::210987654321:root"),
        source_arn: None,
    };
    for rule in [by_sid, by_who] {
        let mut it = case();
        it.context.ignore = vec![rule.clone()];
        it.rules.ignore = vec![rule];
        left_out(&it, &live(&[&account("a1", "")]), "the settings ignore it");
    }
}

#[test]
fn what_a_replacement_left_behind_is_found_by_planning() {
    let bridge = bridge_sid(&target(ARN), "a");
    let Imported { text, tally } =
        case().import(&[live(&[&account("a", ""), &account(&bridge, ""), &account("b", "")])]);
    assert_eq!((tally.statements, tally.foreign), (1, 2), "{text}");
    let why = format!(
        "for permitd's own statement {bridge} stands beside it, of a replacement that has not ended:"
    );
    assert!(text.contains(&why), "{text}");
}

#[test]
fn ownership_is_written_where_it_is_not_the_default() {
    let whole = live(&[&account("a", "")]);
    let deny = account("no", "").replace("Allow", "Deny");
    let part = live(&[&account("a", ""), &deny]);
    let text = |case: &Case, it: &Live| case.import(std::slice::from_ref(it)).text;
    assert!(!text(&case(), &part).contains("ownership"));
    let own = Case { own_all: true, ..case() };
    assert!(text(&own, &whole).contains("  - function: f\n    ownership: all\n"));
    assert!(text(&own, &part).contains(
        "  # Not `ownership: all`: some of it cannot stand in this file\n  - function: f\n    ownership: declared\n"
    ));
    for ownership in [Ownership::All, Ownership::Prefix("n".into())] {
        let mut it = case();
        it.context.ownership = ownership;
        for live in [&whole, &part] {
            assert!(text(&it, live).contains("    ownership: declared\n"));
        }
    }
}

/// With a writer of whole documents a file says more, and the proof holds with it and without settings.
#[test]
fn what_only_a_document_can_say_is_imported_where_documents_are_written() {
    let deny = account("no", "").replace("Allow", "Deny");
    let lists = account("who", "").replace(
        r#""AWS":"210987654321""#,
        r#""AWS":["210987654321","310987654321"],"Service":"s3.amazonaws.com""#,
    );
    let when = account("when", r#","Condition":{"Bool":{"aws:SecureTransport":true}}"#);
    let never = account("never", "").replace(r#""Principal""#, r#""NotPrincipal""#);
    let dotted = deny.replace(r#""no""#, r#""n.o""#);
    let all = [account("a", ""), deny, lists, when, never, dotted];
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for (writer, word) in [(Writer::Document, "document"), (Writer::Auto, "auto")] {
        let mut it = Case { own_all: true, ..case() };
        it.context.writer = writer;
        let Imported { text, tally } = it.import(&[live(&all)]);
        assert!(text.contains(&format!("    ownership: declared\n    writer: {word}\n")), "{text}");
        assert_eq!((tally.statements, tally.foreign), (4, 2), "{text}");
        for part in [
            "      - sid: \"no\"\n        effect: deny\n        principal: \"210987654321\"\n",
            "        conditions:\n          Bool:\n            \"aws:SecureTransport\": \"true\"\n",
            "          - \"310987654321\"\n          - s3.amazonaws.com\n",
            "# Not in this file, and left as it is, for it has a NotPrincipal, NotAction or NotResource:\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        // Where nothing needs a document, the settings decide.
        assert!(!it.import(&[live(&all[..1])]).text.contains("writer"));
        // `${…}` is no variable in another version, and would be one in a file.
        let variable = when_is(r"${aws:username}");
        let old = live_of("2008-10-17", ARN, &[&variable]);
        left_out(&it, &old, "it has a condition that AddPermission does not write");
        assert_eq!(it.import(&[live(&[&variable])]).tally.statements, 1);
    }
    let Imported { text, tally } = case().import(&[live(&all)]);
    assert_eq!((tally.statements, tally.foreign), (1, 5), "{text}");
    assert!(!text.contains("writer"), "{text}");
}

fn when_is(value: &str) -> String {
    let condition =
        format!(r#","Condition":{{"StringLike":{{"aws:PrincipalTag/owner":"{value}"}}}}"#);
    account("v", &condition)
}
