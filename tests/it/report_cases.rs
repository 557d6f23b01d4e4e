//! Every form of the report, from the same cases.
//!
//! The files in `tests/it/report_cases/` are what each case looks like as text, JSON, Markdown and HTML.
//! `UPDATE_REPORTS=1 cargo test report_cases` writes them anew; read the difference before you commit it.
//! What does not belong to a case (the style and the script of the page, versions) is left out of them.

pub(crate) mod cases;
pub(crate) mod forms;

use std::path::PathBuf;

use permitd::drift::outcome::Outcome;
use permitd::report::{Subject, html, json, markdown, palette::Look, text};
use serde_json::Value;

pub(crate) use cases::{Case, all};

fn text_of(outcomes: &[Outcome], subject: Subject) -> String {
    match subject {
        Subject::Plan => text::plan(outcomes, Look::PLAIN),
        Subject::Applied => text::applied(outcomes, Look::PLAIN),
    }
}

/// A page without what is the same in all, and in lines.
fn page(text: &str) -> String {
    let mut res = text.to_owned();
    for (start, end) in
        [("<style>", "</style>"), ("<script>", "</script>"), ("content=\"default", "\">")]
    {
        let at = res.find(start).unwrap() + start.len();
        let length = res[at..].find(end).unwrap();
        res.replace_range(at..at + length, "…");
    }
    res.replace("><", ">\n<")
}

fn forms_of(case: &Case) -> [(&'static str, String); 4] {
    let Case { outcomes, subject, .. } = case;
    let version = env!("CARGO_PKG_VERSION");
    let same = |text: String, around: &dyn Fn(&str) -> String| {
        text.replace(&around(version), &around("VERSION"))
    };
    [
        ("txt", text_of(outcomes, *subject)),
        (
            "json",
            same(json::report(outcomes, *subject), &|it| format!("permitd_version\": \"{it}")),
        ),
        ("md", markdown::report(outcomes, *subject)),
        (
            "html",
            page(&same(html::report(outcomes, *subject, cases::now()), &|it| {
                format!("by permitd {it} at")
            })),
        ),
    ]
}

#[test]
fn every_form_of_every_case() {
    let update = std::env::var("UPDATE_REPORTS").is_ok();
    let mut wrong = Vec::new();
    for case in all() {
        for (ending, text) in forms_of(&case) {
            let path = PathBuf::from(format!("tests/it/report_cases/{}.{ending}", case.name));
            if update {
                std::fs::write(&path, text).unwrap();
            } else if std::fs::read_to_string(&path).unwrap_or_default() != text {
                wrong.push(format!("{}: it was\n{text}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_form_is_well_formed() {
    for case in all() {
        forms::well_formed(&case.outcomes, case.subject, case.name);
    }
}

/// All kinds, all states and all forms of a hold that a reader can meet stand in some case.
#[test]
fn the_cases_show_every_kind_and_state() {
    let texts: Vec<String> =
        all().iter().map(|it| json::report(&it.outcomes, it.subject)).collect();
    let kinds = permitd::drift::diff::Kind::ALL.map(|it| format!("\"kind\": \"{}\"", it.name()));
    let states =
        permitd::drift::outcome::State::ALL.map(|it| format!("\"state\": \"{}\"", it.name()));
    for it in kinds.iter().chain(&states) {
        assert!(texts.iter().any(|text| text.contains(it.as_str())), "no case has {it}");
    }
}

/// What AWS gave is text and nothing else, wherever it is shown.
#[test]
fn hostile_text_stays_text() {
    let case = all().into_iter().find(|it| it.name == "hostile").unwrap();
    let page = forms::Page::read(&html::report(&case.outcomes, case.subject, cases::now()));
    assert_eq!((page.count("script"), page.count("img"), page.count("iframe")), (1, 0, 0));
    let comment = forms::Comment::read(&markdown::report(&case.outcomes, case.subject));
    for text in
        ["</script><img src=x onerror=alert(1)>", "@everyone", "[click](https://evil.example)"]
    {
        assert!(page.text.contains(text), "the page shows {text}: {}", page.text);
        assert!(comment.code.contains(text), "the comment shows {text} as code: {}", comment.code);
        assert!(!comment.text.contains(text), "the comment shows {text} as text: {}", comment.text);
    }
    for it in [&page.text, &comment.code, &comment.text] {
        let bad =
            it.chars().find(|it| matches!(it, '\u{1b}' | '\u{202e}' | '\u{200b}' | '\u{2028}'));
        assert_eq!(bad, None);
    }
}

/// A comment on GitHub has 65,536 characters. What is left out is said, and the worst stands first.
#[test]
fn a_comment_has_room_for_the_worst() {
    let mut outcomes = cases::many(1_000);
    let last = outcomes.len() - 1;
    outcomes[last] = cases::unknown(outcomes[last].clone(), cases::denied());
    let text = markdown::plan(&outcomes);
    assert!(text.len() <= markdown::MAX, "{}", text.len());
    assert!(text.len() > 40_000, "there is room for more: {}", text.len());
    let first = text.find("access_denied").unwrap();
    assert!(first < text.find("fn-00000").unwrap(), "the worst stands first");
    let shown = text.matches("<summary><code>").count() + text.matches("\n#### `").count();
    let left_out = format!("**{} more functions are not shown here", 1_000 - shown);
    assert!(text.contains(&left_out), "{shown} shown; no `{left_out}`");
    forms::well_formed(&outcomes, Subject::Plan, "many");
    // One policy with more drift than a comment can hold.
    let huge = cases::one_with(3_000);
    let text = markdown::plan(&huge);
    assert!(text.len() <= markdown::MAX, "{}", text.len());
    assert!(text.contains("more changes"), "{text}");
}

#[test]
fn a_page_of_10_000_functions_is_not_large() {
    let outcomes = cases::in_sync(10_000);
    let page = html::report(&outcomes, Subject::Plan, cases::now());
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("data-name=").count(), 10_000);
}

/// `config/schema/report.json` is what the code says.
#[test]
fn the_schema_is_the_published_one() {
    let path = "config/schema/report.json";
    let text = format!("{:#}\n", json::schema());
    if std::env::var("UPDATE_SCHEMAS").is_ok() {
        std::fs::write(path, &text).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        published == text,
        "{path} is stale; `UPDATE_SCHEMAS=1 cargo test --no-default-features schema` writes it anew"
    );
}

/// A validator that takes anything would prove nothing.
#[test]
fn the_schema_refuses_what_is_wrong() {
    let case = all().into_iter().find(|it| it.name == "every_kind").unwrap();
    let good: Value = serde_json::from_str(&json::plan(&case.outcomes)).unwrap();
    assert_eq!(forms::schema_errors(&good), Vec::<String>::new());
    let mut with_more = good.clone();
    with_more["targets"][0]["of_a_later_version"] = Value::from(1);
    assert_eq!(
        forms::schema_errors(&with_more),
        Vec::<String>::new(),
        "what is unknown is ignored"
    );
    for (path, value) in [
        ("/targets/0/state", Value::from("fine")),
        ("/targets/0/drift/0/kind", Value::from("odd")),
        ("/targets/0/drift/0/effect", Value::Null),
        ("/targets/0/drift/0/actions", Value::from("create")),
        ("/targets/0/drift/0/gap", Value::from("no")),
        ("/targets/0/size/bytes", Value::from(-1)),
        ("/targets/0/account", Value::from("12")),
        ("/summary/changes", Value::Null),
        ("/digest", Value::from("abc")),
        ("/format_version", Value::from("2.0")),
        ("/targets", Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        assert_ne!(forms::schema_errors(&bad), Vec::<String>::new(), "{path}");
    }
    let mut without = good;
    without["targets"][0].as_object_mut().unwrap().remove("state");
    assert_ne!(forms::schema_errors(&without), Vec::<String>::new(), "a member is missing");
}
