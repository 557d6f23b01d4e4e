//! How files look that nobody has typed.

use super::*;
use crate::policy::{grant::Draft, risk::Risk, source::Source};

fn item(draft: &Draft<'_>) -> Item {
    let source = Source { file: "x".into(), line: 1, column: 1 };
    let grant = Grant {
        sid: draft.sid.to_owned(),
        terms: draft.check("aws").unwrap().into(),
        expires: None,
        accept: Vec::new(),
        description: None,
        source,
        rule: None,
    };
    Item { grant, above: Vec::new() }
}

fn s3(sid: &str) -> Item {
    item(&Draft {
        sid,
        principal: "s3.amazonaws.com",
        source_arn: Some("arn:aws:s3:::uploads"),
        source_account: Some("012345678901"),
        ..Draft::default()
    })
}

fn entry(function: &str, statements: Vec<Item>) -> Entry {
    Entry {
        account: Some("123456789012".into()),
        region: Some("us-east-1".into()),
        function: function.into(),
        statements,
        ..Entry::default()
    }
}

#[track_caller]
fn check(entries: &[Entry], expected: &str) {
    let text = text(entries).unwrap();
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn entries_and_statements_are_sorted_and_every_key_has_its_place() {
    let mut full = item(&Draft {
        sid: "full",
        principal: "*",
        action: Some("lambda:InvokeFunctionUrl"),
        source_arn: Some("arn:aws:s3:::a b"),
        source_account: Some("012345678901"),
        principal_org_id: Some("o-a1b2c3d4e5"),
        event_source_token: Some("1e3"),
        function_url_auth_type: Some("NONE"),
        invoked_via_function_url: None,
    });
    full.grant.expires = "2026-12-31T00:00:00Z".parse().ok();
    full.grant.accept = vec![Risk::P002, Risk::P006];
    full.grant.description = Some("two\nlines: # \"quoted\"".into());
    full.above = vec!["one".into(), "two\nthree".into()];
    let url = item(&Draft {
        sid: "a",
        principal: "210987654321",
        invoked_via_function_url: Some(true),
        ..Draft::default()
    });
    let live = |qualifier: &str, ownership| Entry {
        qualifier: Some(qualifier.into()),
        ownership: Some(ownership),
        absent: vec!["old".into()],
        ..entry("f", Vec::new())
    };
    let odd = Entry {
        above: vec!["above".into()],
        below: vec!["below\n{}".into(), "further".into()],
        ..entry("f", Vec::new())
    };
    check(
        &[
            entry("g", vec![full, url]),
            live("10", Ownership::All),
            live("blue", Ownership::Prefix("x-".into())),
            odd,
        ],
        r#"account: "123456789012"
region: us-east-1
functions:
  # above
  - function: f
    statements: []
    # below
    # {}
    # further
  - function: f
    qualifier: "10"
    ownership: all
    absent:
      - old
  - function: f
    qualifier: blue
    ownership: prefix
    sid_prefix: x-
    absent:
      - old
  - function: g
    statements:
      - sid: a
        principal: "210987654321"
        invoked_via_function_url: true
      # one
      # two
      # three
      - sid: full
        principal: "*"
        action: lambda:InvokeFunctionUrl
        source_arn: arn:aws:s3:::a b
        source_account: "012345678901"
        principal_org_id: o-a1b2c3d4e5
        event_source_token: "1e3"
        function_url_auth_type: NONE
        expires: "2026-12-31T00:00:00Z"
        accept: [P002, P006]
        description: "two\nlines: # \"quoted\""
"#,
    );
}

#[test]
fn functions_that_want_the_same_share_an_entry() {
    let live = |it: Entry| Entry { qualifier: Some("live".into()), ..it };
    let noted = Entry { below: vec!["a note".into()], ..entry("d", vec![s3("s3")]) };
    let entries = [
        entry("c", vec![s3("s3")]),
        entry("a", vec![s3("s3")]),
        live(entry("a", vec![s3("s3")])),
        live(entry("b", vec![s3("s3")])),
        entry("b", vec![s3("other")]),
        noted,
        entry("x", Vec::new()),
        entry("w", Vec::new()),
        Entry { region: None, ..entry("a", vec![s3("s3")]) },
        Entry { account: None, region: None, ..entry("a", vec![s3("s3")]) },
    ];
    let text = text(&entries).unwrap();
    let statement = "        principal: s3.amazonaws.com\n        source_arn: arn:aws:s3:::uploads\n        source_account: \"012345678901\"\n";
    let short = text.replace(statement, "").replace("    statements:\n      - sid: ", "    ");
    let expected = r#"functions:
  - function: a
    s3
---
account: "123456789012"
functions:
  - function: a
    s3
---
account: "123456789012"
region: us-east-1
functions:
  - names: [a, c]
    s3
  - names: [a, b]
    qualifier: live
    s3
  - function: b
    other
  - function: d
    s3
    # a note
  - function: w
    statements: []
  - function: x
    statements: []
"#;
    assert_eq!(short, expected, "\n{text}");
}

#[test]
fn many_names_stand_one_below_the_other() {
    let entries: Vec<Entry> = (100..130).map(|n| entry(&format!("{n}"), vec![s3("s3")])).collect();
    let text = text(&entries).unwrap();
    assert!(text.contains("  - names:\n      - \"100\"\n      - \"101\"\n"), "{text}");
    assert!(text.contains("      - \"129\"\n    statements:\n      - sid: s3\n"), "{text}");
    assert!(super::text(&[]).unwrap().is_empty());
}

#[test]
fn a_comment_hides_nothing_and_ends_where_it_ends() {
    let text =
        comment("a\u{1b}[31m\n\n{\"x\":\"\u{85}\u{2028}\u{e0041}\u{1f600}\u{202e}\"}\r\nb\t ");
    let expected =
        "# a\\u001b[31m\n#\n# {\"x\":\"\\u0085\\u2028\\udb40\\udc41\u{1f600}\\u202e\"}\n# b\t\n";
    assert_eq!(text, expected);
    assert_eq!(on_one_line("{\r\n  \"a\": [\r 1,\n\t2 ]\n}\n"), "{ \"a\": [ 1, 2 ] }");
}

#[test]
fn what_reads_like_a_placeholder_is_written_as_itself() {
    let variable = "arn:aws:s3:::${aws:username}";
    let draft = Draft {
        sid: "s",
        principal: "s3.amazonaws.com",
        source_arn: Some(variable),
        ..Draft::default()
    };
    let mut one = item(&draft);
    one.grant.description = Some("$${x} for ${account}".into());
    let text = text(&[entry("f", vec![one])]).unwrap();
    assert!(text.contains("arn:aws:s3:::$${aws:username}"), "{text}");
    let loaded = crate::config::tests::load(&[&text], &crate::config::tests::context()).unwrap();
    let grant = &loaded.wanted[0].grants[0];
    assert_eq!(grant.terms.source_arns(), [variable]);
    assert_eq!(grant.description.as_deref(), Some("$${x} for ${account}"));
}

/// Read from a file, as [`text`] writes it.
fn read(statements: &str) -> Vec<Item> {
    let file =
        format!("functions: [{{function: f, writer: document, statements: [{statements}]}}]\n");
    let context = crate::config::tests::context();
    let loaded = crate::config::tests::load(&[&file], &context).unwrap();
    let grants = loaded.wanted.into_iter().flat_map(|it| it.grants);
    grants.map(|grant| Item { grant, above: Vec::new() }).collect()
}

#[test]
fn what_needs_a_document_says_so_and_has_conditions_as_iam_has_them() {
    let statements = read(
        r#"{sid: a, effect: deny, principals: [s3.amazonaws.com, "210987654321"], actions: [lambda:InvokeFunction, lambda:Get*],
            source_arns: ["arn:aws:sns:*:*:$${x}"], source_account: "012345678901", expires: 2126-12-31T00:00:00Z,
            conditions: {StringEquals: {aws:PrincipalTag/a b: [1e3, "on"]}, Null: {aws:TokenIssueTime: true}}},
           {sid: b, principal: "*", actions: [lambda:Get*]}, {sid: c, principals: ["*"], actions: [lambda:GetFunction]}"#,
    );
    let auto = Entry { writer: Some(Writer::Auto), ..entry("g", vec![statements[2].clone()]) };
    check(
        &[entry("f", statements), auto],
        r#"account: "123456789012"
region: us-east-1
functions:
  - function: f
    writer: document
    statements:
      - sid: a
        effect: deny
        principals:
          - s3.amazonaws.com
          - "210987654321"
        actions:
          - lambda:InvokeFunction
          - lambda:Get*
        conditions:
          StringEquals:
            "AWS:SourceAccount": "012345678901"
            "aws:PrincipalTag/a b":
              - "1e3"
              - "on"
          ArnLike:
            "AWS:SourceArn": arn:aws:sns:*:*:$${x}
          "Null":
            "aws:TokenIssueTime": "true"
        expires: "2126-12-31T00:00:00Z"
      - sid: b
        principal: "*"
        actions:
          - lambda:Get*
      - sid: c
        principal: "*"
        action: lambda:GetFunction
  - function: g
    writer: auto
    statements:
      - sid: c
        principal: "*"
        action: lambda:GetFunction
"#,
    );
}
