//! The configuration under any text: it never panics, and reads what another library wrote.

use permitd::config::diagnostic::{File, Files, render_all};
use permitd::config::resolve::{Context, Loaded, lacking, resolve};
use permitd::config::write::{self, Entry as Written, Item};
use permitd::config::{permissions, settings};
use permitd::drift::wanted::Wanted;
use permitd::policy::risk::Risk;
use permitd::policy::terms::{Terms, operators};
use proptest::prelude::*;
use serde::Serialize;

const GOOD: &str = include_str!("../../config/permissions/media.yaml");
const SETTINGS: &str = include_str!("../../config/permitd.yaml");

/// Reads a text as both kinds of file and draws all that is said about it.
fn read(text: &str) -> Result<Loaded, String> {
    let file = File::new("a.yaml", text.to_owned());
    if let Err(said) = settings::parse(&file) {
        check_places(text, &render_all(&said, true));
    }
    let files = Files { files: vec![file], ..Files::default() };
    let parsed = permissions::parse(&files);
    lacking(&parsed);
    resolve(parsed, &Context::default()).map_err(|said| {
        let said = render_all(&said, false);
        check_places(text, &said);
        said
    })
}

fn check_places(text: &str, said: &str) {
    assert!(!said.is_empty(), "refused without a word: {text:?}");
    assert!(said.contains("a.yaml"), "no place: {said}");
}

/// Characters that mean something in YAML, and some that mean trouble.
fn yaml_soup() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => prop::sample::select(vec![
            "functions:", "- ", "  ", "\n", "\r\n", "\t", "function:", "statements:", "sid: ", "principal: ",
            "*", "&", "&a ", "*a", "<<: ", "{", "}", "[", "]", ",", ": ", "? ", "| ", "> ", "'", "\"", "!", "!!str ",
            "!x ", "%", "@", "`", "#", "---\n", "...\n", "~", "null", "\u{feff}", "\u{85}", "\u{2028}", "\0", "\\",
            "\\x", "${", "${account}", "match:", "accounts: ", "all", "é", "\u{1f600}", "s3.amazonaws.com", "all", "\n    ", "\n  - ",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(word, 0..40).prop_map(|it| it.concat())
}

/// A good file with some pieces cut out, doubled or replaced.
fn damaged(good: &'static str) -> impl Strategy<Value = String> {
    let cut = (0..good.len(), 0..12usize, yaml_soup());
    prop::collection::vec(cut, 1..4).prop_map(move |cuts| {
        let mut text: Vec<char> = good.chars().collect();
        for (at, length, soup) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, soup.chars().take(length));
        }
        text.into_iter().collect()
    })
}

#[derive(Debug, Clone, Serialize)]
struct Document {
    functions: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize)]
struct Entry {
    function: String,
    absent: Vec<String>,
    suspend: bool,
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, Serialize)]
struct Statement {
    sid: String,
    principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    accept: Vec<String>,
}

fn statement() -> impl Strategy<Value = Statement> {
    let sid = prop_oneof![
        "[A-Za-z0-9_-]{1,20}",
        prop::sample::select(vec![
            "on", "no", "null", "true", "1e3", "0x1F", "1_000", "-", "-1", "0o7", "y"
        ])
        .prop_map(str::to_owned),
    ];
    let principal = prop_oneof!["[0-9]{12}", Just("*".to_owned()), "[a-z]{1,9}\\.amazonaws\\.com"];
    // These end a line in YAML 1.1, which the other library writes, and not in 1.2, which we read.
    let breaks = ['\u{85}', '\u{2028}', '\u{2029}'];
    let text = prop_oneof![any::<String>(), yaml_soup()].prop_map(move |it| it.replace(breaks, ""));
    (
        sid,
        principal,
        prop::option::of("arn:aws:[a-z0-9]{1,5}:::[ -~]{0,30}"),
        prop::option::of("[0-9]{12}"),
        prop::option::of("[a-zA-Z0-9._-]{1,12}"),
        prop::option::of(text),
        prop::collection::vec("P00[1-8]", 0..3),
    )
        .prop_map(
            |(
                sid,
                principal,
                source_arn,
                source_account,
                event_source_token,
                description,
                accept,
            )| {
                Statement {
                    sid,
                    principal,
                    source_arn,
                    source_account,
                    event_source_token,
                    description,
                    accept,
                }
            },
        )
}

fn document() -> impl Strategy<Value = Document> {
    let entry = (any::<bool>(), prop::collection::vec(statement(), 0..6));
    prop::collection::vec(entry, 1..4).prop_map(|entries| {
        let entries = entries.into_iter().enumerate().map(|(n, (suspend, mut statements))| {
            statements.sort_by(|a, b| a.sid.cmp(&b.sid));
            statements.dedup_by(|a, b| a.sid == b.sid);
            let function = format!("arn:aws:lambda:us-east-1:012345678901:function:f{n}");
            Entry { function, absent: vec!["no.".to_owned()], suspend, statements }
        });
        Document { functions: entries.collect() }
    })
}

/// Values for a key that takes a list.
fn some(values: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(values, 1..=values.len())
}

/// A statement with lists, conditions and an effect, as JSON, which is YAML.
fn wide_statement() -> impl Strategy<Value = serde_json::Value> {
    let principals = some(&[
        "s3.amazonaws.com",
        "210987654321",
        "logs.us-east-1.amazonaws.com",
        "arn:aws:iam::310987654321:role/x",
        "arn:${partition}:iam::${account}:user/x",
    ]);
    let actions = some(&["lambda:InvokeFunction", "lambda:Get*", "lambda:*", "*"]);
    let arns =
        some(&["arn:aws:s3:::b", "arn:aws:sns:*:*:$${t}", "arn:${partition}:s3:::${function}"]);
    let accounts = some(&["111111111111", "${account}"]);
    // Of those that take any text.
    let texts: Vec<String> = operators().filter(|it| it.contains("String")).collect();
    let value = prop_oneof![
        3 => any::<String>(),
        1 => prop::sample::select(vec!["on", "1e3", "null", "", "${x}", "${account}", "a: b", "- a", "#"])
            .prop_map(str::to_owned),
    ];
    let value = value.prop_map(|it| it.replace("${", "$${"));
    let values = prop::collection::btree_set(value, 1..4);
    let key = "(aws|lambda|graph\\.facebook\\.com):[a-zA-Z][a-zA-Z/ :é-]{0,12}";
    let keys = prop::collection::btree_map(key, values, 1..3);
    let conditions = prop::collection::btree_map(prop::sample::select(texts), keys, 1..3);
    let option = prop::option::of::<BoxedStrategy<Vec<&'static str>>>;
    (
        any::<bool>(),
        prop_oneof![principals.boxed(), Just(vec!["*"]).boxed()],
        option(actions.boxed()),
        option(arns.boxed()),
        option(accounts.boxed()),
        prop::option::of(conditions),
    )
        .prop_map(|(denies, principals, actions, arns, accounts, conditions)| {
            let mut res = serde_json::json!({
                "sid": "s",
                "effect": if denies { "deny" } else { "allow" },
                "principals": principals,
            });
            let lists =
                [("actions", actions), ("source_arns", arns), ("source_accounts", accounts)];
            for (key, list) in lists {
                if let Some(list) = list {
                    res[key] = list.into();
                }
            }
            if let Some(conditions) = conditions {
                res["conditions"] = serde_json::json!(conditions);
            }
            res
        })
}

/// What a file says, as permitd writes it.
fn written(wanted: &Wanted) -> String {
    let Wanted { target, grants, .. } = wanted;
    let item = |it: &_| Item { grant: Clone::clone(it), above: Vec::new() };
    let entry = Written {
        account: Some(target.account().to_owned()),
        region: Some(target.region().to_owned()),
        function: target.function().to_owned(),
        statements: grants.iter().map(item).collect(),
        ..Written::default()
    };
    write::text(&[entry]).unwrap()
}

/// `${` means something in values, and `$${` is the way to write it.
fn escaped(mut document: Document) -> Document {
    for it in document.functions.iter_mut().flat_map(|it| &mut it.statements) {
        for text in [&mut it.source_arn, &mut it.description].into_iter().flatten() {
            *text = text.replace("${", "$${");
        }
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        read(&text).ok();
    }

    #[test]
    fn no_soup_of_yaml_panics(text in yaml_soup()) {
        read(&text).ok();
    }

    #[test]
    fn no_damaged_file_panics(text in damaged(GOOD), settings in damaged(SETTINGS)) {
        read(&text).ok();
        read(&settings).ok();
    }

    #[test]
    fn what_another_library_writes_is_read_as_it_was(document in document()) {
        let text = serde_yaml::to_string(&escaped(document.clone())).unwrap();
        let loaded = read(&text).map_err(TestCaseError::fail)?;
        prop_assert_eq!(loaded.wanted.len(), document.functions.len());
        for (wanted, entry) in loaded.wanted.iter().zip(&document.functions) {
            prop_assert_eq!(&wanted.target.arn(), &entry.function);
            prop_assert_eq!(wanted.suspend, entry.suspend);
            prop_assert_eq!(wanted.grants.len(), entry.statements.len());
            for (grant, statement) in wanted.grants.iter().zip(&entry.statements) {
                let permission = grant.terms.plain().unwrap();
                prop_assert_eq!(&grant.sid, &statement.sid);
                prop_assert_eq!(permission.principal.parameter(), &statement.principal);
                prop_assert_eq!(&permission.source_arn, &statement.source_arn);
                prop_assert_eq!(&permission.source_account, &statement.source_account);
                prop_assert_eq!(&permission.event_source_token, &statement.event_source_token);
                prop_assert_eq!(&grant.description, &statement.description);
                let accept: Vec<String> = grant.accept.iter().map(Risk::to_string).collect();
                prop_assert_eq!(&accept, &statement.accept);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Two spellings of one condition key are refused; whatever else was drawn is good.
    #[test]
    fn what_is_read_is_written_and_read_as_the_same(statement in wide_statement()) {
        let start = "account: '123456789012'\nregion: us-east-1\nfunctions: [{function: f, writer: document, statements: ";
        let loaded = match read(&format!("{start}[{statement}]}}]\n")) {
            Ok(it) => it,
            Err(said) => {
                prop_assert!(said.contains("are the same condition"), "{}\n{}", said, statement);
                return Ok(());
            }
        };
        let text = written(&loaded.wanted[0]);
        let again = read(&text).map_err(|it| TestCaseError::fail(format!("{it}\n{text}")))?;
        let (before, after) = (&loaded.wanted[0].grants[0], &again.wanted[0].grants[0]);
        prop_assert_eq!(&before.terms, &after.terms, "{}", text);
        prop_assert_eq!(text, written(&again.wanted[0]));
        // What is not plain denies, has a list or a condition of another kind.
        if statement["effect"] == "deny" {
            prop_assert!(matches!(before.terms, Terms::Wide(_)) && before.terms.denies());
        }
    }
}

#[test]
fn a_file_of_25_000_statements_is_read() {
    let statements: Vec<String> = (0..10)
        .map(|it| {
            format!(
                "      - sid: s{it}\n        principal: s3.amazonaws.com\n        \
                 source_arn: arn:aws:s3:::bucket-{it}\n        source_account: 012345678901\n"
            )
        })
        .collect();
    let functions: Vec<String> = (0..2500)
        .map(|it| format!("  - function: f{it}\n    statements:\n{}", statements.concat()))
        .collect();
    let start = "account: 012345678901\nregion: us-east-1\nfunctions:\n";
    let text = format!("{start}{}", functions.concat());
    let loaded = read(&text).unwrap();
    assert_eq!(loaded.wanted.len(), 2500);
    assert_eq!(loaded.wanted.iter().map(|it| it.grants.len()).sum::<usize>(), 25_000);
}
