//! The table of rules is whole.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_rule_has_an_id_of_its_own_and_is_found_by_it() {
    let ids: BTreeSet<&str> = Rule::ALL.iter().map(|it| it.id()).collect();
    assert_eq!(ids.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert_eq!(Rule::parse(rule.id()), Some(rule));
        assert_eq!(rule.to_string(), rule.id());
    }
    for risk in Risk::ALL {
        assert!(Rule::ALL.contains(&Rule::Risk(risk)), "{risk}");
    }
    for text in ["", "p001", "P999", "Expired", "all"] {
        assert_eq!(Rule::parse(text), None, "{text}");
    }
}

/// One paragraph that says what to do, and whether it can be accepted; GitHub cuts longer ones than 1024.
#[test]
fn every_rule_is_documented() {
    for rule in Rule::ALL {
        let text = rule.explanation();
        assert!((150..1024).contains(&text.len()), "{rule}: {}", text.len());
        assert!(!text.contains('\n') && !text.contains("  "), "{rule}");
        assert!(text.ends_with('.'), "{rule}");
        assert!(text.contains("accept"), "{rule} does not say whether it can be accepted");
        assert!(!rule.title().is_empty() && !rule.title().ends_with('.'), "{rule}");
        let page = rule.reference();
        let is_aws = page.starts_with("https://docs.aws.amazon.com/");
        let is_format = matches!(rule, Rule::Syntax | Rule::Unreadable);
        assert!(is_aws != is_format && page.starts_with("https://"), "{rule}: {page}");
    }
}
