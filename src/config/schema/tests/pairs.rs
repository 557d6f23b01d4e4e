//! Files put together at random from good and bad pieces: whatever the reader takes, the schema takes.

use proptest::{prelude::*, sample::select};

use super::Kind;

/// Plain and quoted values of which some mean something to YAML, and all are text to the reader.
fn value() -> impl Strategy<Value = String> {
    let plain = select(vec![
        "s3.amazonaws.com",
        "'*'",
        "123456789012",
        "012345678901",
        "'123456789012'",
        "on",
        "no",
        "True",
        "1",
        "-1",
        "1e3",
        "0x1F",
        "0o7",
        "1_000",
        "1.5",
        "~",
        "''",
        "x-",
        "live",
        "$LATEST",
        "f",
        "f:live",
        "a.b",
        "lambda:InvokeFunction",
        "lambda:invokefunctionurl",
        "lambda:*",
        "arn:aws:s3:::b",
        "o-a1b2c3d4e5",
        "NONE",
        "AWS_IAM",
        "true",
        "false",
        "2126-12-31T00:00:00Z",
        "2126-12-31",
        "[P001]",
        "[]",
        "[f, g]",
        "{}",
        "all",
        "prefix",
        "declared",
        "bridge",
        "direct",
        "a-permitd-0123abcd",
        "us-east-1",
        "eusc-de-east-1",
        "5m",
        "0",
        "1h 5m",
        "10%",
        "99.5%",
        "unlimited",
        "10/s",
        "2.5 / m",
        "64MiB",
        "70000",
        "127.0.0.1:0",
        "[us-east-1]",
        "[P002, P008]",
        "statements",
        "observe",
        "[{sid: a}]",
        "'${account}'",
        "'x-${function}'",
        "'$${x}'",
        "'${x}'",
        "'arn:${partition}:s3:::b'",
        "'l*'",
        "'f:live'",
        "[unqualified, 'l*']",
        "{name: f}",
        "{tags: {a: b}}",
        "[123456789012]",
        "{path: j, retention: 1y}",
        "allow",
        "deny",
        "document",
        "auto",
        "['*']",
        "[s3.amazonaws.com, 123456789012]",
        "[lambda:Get*, lambda:InvokeFunction]",
        "['arn:aws:sns:*:*:t', 'arn:${partition}:s3:::b']",
        "[012345678901, '${account}']",
        "{StringEquals: {aws:a: [b, 1e3, 0x1F, no, 2026-12-31, '${account}']}}",
        "{Bool: {aws:a: True, aws:b: 'false'}, 'Null': {aws:c: true}}",
        "{NumericLessThanIfExists: {aws:a: 1.0}, StringLike: {aws:a: ''}}",
    ]);
    prop_oneof![
        8 => plain.prop_map(str::to_owned),
        1 => "'[A-Za-z0-9._-]{0,12}'",
        1 => "[A-Za-z0-9]{1,8}",
        1 => "[0-9]{1,3}[smhdMy%]",
    ]
}

fn map(keys: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::sample::subsequence(keys, 0..=most.min(keys.len())).prop_flat_map(|keys| {
        let values = prop::collection::vec(value(), keys.len());
        values.prop_map(move |values| {
            let pairs: Vec<String> =
                keys.iter().zip(values).map(|(key, it)| format!("{key}: {it}")).collect();
            pairs.join(", ")
        })
    })
}

const STATEMENT: &[&str] = &[
    "effect",
    "action",
    "actions",
    "source_arn",
    "source_arns",
    "source_account",
    "source_accounts",
    "conditions",
    "principal_org_id",
    "event_source_token",
    "function_url_auth_type",
    "invoked_via_function_url",
    "expires",
    "accept",
    "description",
];
const ENTRY: &[&str] = &[
    "qualifier",
    "ownership",
    "sid_prefix",
    "absent",
    "suspend",
    "replace",
    "writer",
    "compact",
    "empty",
];
/// What most files that have these keys have beside them.
const DOCUMENT: &str = "writer: document";
const SETTINGS: &[&str] = &[
    "permissions",
    "mode",
    "interval",
    "jitter",
    "deny_risks",
    "limits",
    "orphan_grace",
    "remove_inexpressible",
    "ignore",
    "lambda",
    "journal",
    "control",
    "x-any",
];

fn permissions() -> impl Strategy<Value = String> {
    let principal = select(vec![
        "s3.amazonaws.com",
        "'*'",
        "123456789012",
        "012345678901",
        "arn:aws:iam::123456789012:role/x",
    ]);
    let sid = select(vec!["a", "on", "1", "true", "1e3", "-2", "a b", "x_", "'a${region}'"]);
    let who = prop_oneof![3 => principal.prop_map(|it| format!("principal: {it}")),
        1 => value().prop_map(|it| format!("principals: {it}"))];
    let statement = (sid, who, map(STATEMENT, 3))
        .prop_map(|(sid, who, rest)| format!("{{sid: {sid}, {who}, {rest}}}"));
    let named = prop_oneof![3 => Just("f".to_owned()), 1 => value()];
    let rule = map(&["name", "tags", "qualifiers"], 3).prop_map(|it| format!("match: {{{it}}}"));
    let some = select(vec!["match: {name: 'o*'}", "match: {tags: {a: b}, qualifiers: [live]}"]);
    let rule = prop_oneof![2 => some.prop_map(str::to_owned), 1 => rule];
    let rule =
        (rule, prop::option::weighted(0.2, value())).prop_map(|(rule, except)| match except {
            Some(it) => format!("{rule}, except: {it}"),
            None => rule,
        });
    let function = prop_oneof![2 => named.prop_map(|it| format!("function: {it}")), 1 => rule];
    let top = map(&["account", "region", "accounts", "regions", "x-any"], 2);
    (top, function, map(ENTRY, 2), prop::collection::vec(statement, 0..3)).prop_map(
        |(top, function, entry, statements)| {
            let statements = statements.join(", ");
            let writer = if entry.contains("writer: ") { "" } else { DOCUMENT };
            let entry = format!("{{{function}, {entry}, {writer}, statements: [{statements}]}}");
            format!("{{{top}, functions: [{entry}]}}\n")
                .replace("{, ", "{")
                .replace(", , ", ", ")
                .replace(", }", "}")
        },
    )
}

fn settings() -> impl Strategy<Value = String> {
    let inner = prop_oneof![
        map(&["ownership", "sid_prefix", "replace", "writer"], 2)
            .prop_map(|it| format!("defaults: {{{it}}}")),
        map(&["max_revocations", "max_changed_targets"], 2)
            .prop_map(|it| format!("limits: {{{it}}}")),
        map(&["get_policy", "control"], 2).prop_map(|it| format!("budgets: {{{it}}}")),
        map(&["path", "retention", "max_size"], 2).prop_map(|it| format!("journal: {{{it}}}")),
        map(&["sid", "principal", "source_arn"], 2).prop_map(|it| format!("ignore: [{{{it}}}]")),
        map(&["id", "regions"], 2).prop_map(|it| format!("accounts: [{{{it}}}]")),
        map(&["secret_file", "secret_env", "secret_credential", "format", "events", "timeout"], 2)
            .prop_map(|it| format!("notify: [{{url: https://a/b, {it}}}]").replace(", }", "}")),
        map(&["url_file", "url_env", "url_credential"], 1)
            .prop_map(|it| format!("notify: [{{{it}}}]")),
        map(&["region"], 1).prop_map(|it| {
            format!("events: {{queue_url: 'http://a/b', {it}}}").replace(", }", "}")
        }),
        map(&["listen", "seed"], 2).prop_map(|it| format!("lambda: {{simulator: {{{it}}}}}")),
    ];
    let outer = map(SETTINGS, 2).prop_map(|it| format!("{{{it}}}\n"));
    prop_oneof![outer, inner.prop_map(|it| format!("{{{it}}}\n"))]
}

#[track_caller]
fn taken(kind: &Kind, files: impl Strategy<Value = String>) {
    let config = ProptestConfig {
        failure_persistence: None,
        cases: 3000,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    };
    let n_taken = std::cell::Cell::new(0);
    proptest!(config, |(text in files)| {
        if (kind.read)(&text).is_ok() {
            n_taken.set(n_taken.get() + 1);
            prop_assert_eq!(kind.refusals(&text), Vec::<String>::new(), "{}", text);
        }
    });
    assert!(n_taken.get() > 100, "only {} of the files are good", n_taken.get());
}

#[test]
fn no_schema_refuses_what_a_reader_takes() {
    taken(&Kind::permissions(), permissions());
    taken(&Kind::settings(), settings());
}
