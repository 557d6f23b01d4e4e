//! What is published of `permitd check` and `permitd explain`: the page of the rules, and the schemas of their JSON.
//!
//! `UPDATE_DOCS=1 cargo test check_documents` writes both anew.

use std::path::Path;

use permitd::config::rules::Rule;
use permitd::report::{check, explain, rules};

fn is_up_to_date(path: &str, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == text,
        "{path} is stale: renew it with `UPDATE_DOCS=1 cargo test check_documents`"
    );
}

#[test]
fn the_page_of_the_rules_is_up_to_date() {
    let page = rules::page();
    for rule in Rule::ALL {
        assert!(page.contains(&format!("\n## {}\n", rule.id())), "{rule}");
        assert!(page.contains(rule.explanation()) && page.contains(rule.reference()), "{rule}");
    }
    is_up_to_date("config/RULES.md", &page);
}

#[test]
fn the_schema_of_the_report_is_up_to_date() {
    let text = serde_json::to_string_pretty(&check::schema()).unwrap();
    is_up_to_date("config/schema/check.json", &format!("{text}\n"));
}

#[test]
fn the_schema_of_an_explanation_is_up_to_date() {
    let text = serde_json::to_string_pretty(&explain::schema()).unwrap();
    is_up_to_date("config/schema/explain.json", &format!("{text}\n"));
}
