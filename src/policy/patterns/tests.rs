//! A pattern and the check that it stands for are one: over texts of the pattern, and over texts close by.

use proptest::{prelude::*, sample::Index, string::string_regex};
use regex::Regex;

use super::*;
use crate::policy::{
    grant::{Draft, check_sid, is_action, is_org_id, is_source_arn, is_token},
    principal::{self, Principal},
    target::{Defaults, Target, TargetError, check_account, check_region},
};

/// A text of the pattern, and the same with a piece doubled, cut out, or put in.
fn near(pattern: &str) -> impl Strategy<Value = String> + use<> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "",
            ":",
            "::",
            "*",
            "a",
            "Z",
            "0",
            "-",
            "_",
            ".",
            "/",
            " ",
            "\n",
            "é",
            "²",
            "$LATEST",
            "arn:",
            "aws",
            "iam",
            "lambda:",
            "us-east-1",
            "123456789012",
            "function:",
            ".amazonaws.com",
            "root",
        ])
        .prop_map(str::to_owned),
        "[a-z0-9]{60,70}",
        "[a-zA-Z0-9._-]{95,300}",
    ];
    let good = string_regex(pattern.trim_matches(['^', '$'])).unwrap();
    let cut = (any::<Index>(), 0..3_usize, piece);
    (good, prop::option::weighted(0.7, cut)).prop_map(|(good, cut)| {
        let Some((at, length, piece)) = cut else { return good };
        let mut letters: Vec<char> = good.chars().collect();
        let at = at.index(letters.len() + 1);
        let end = (at + length).min(letters.len());
        letters.splice(at..end, piece.chars());
        letters.into_iter().collect()
    })
}

#[track_caller]
fn agree(pattern: &str, check: impl Fn(&str) -> bool) {
    let form = Regex::new(pattern).unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(text in near(pattern))| {
        prop_assert_eq!(form.is_match(&text), check(&text), "{:?}", text);
    });
}

#[test]
fn sids() {
    agree(SID, |it| check_sid(it).is_ok());
}

#[test]
fn actions() {
    agree(ACTION, is_action);
}

#[test]
fn source_arns() {
    agree(SOURCE_ARN, is_source_arn);
}

#[test]
fn accounts_and_regions() {
    agree(ACCOUNT, |it| check_account(it).is_ok());
    agree(REGION, |it| check_region(it).is_ok());
}

#[test]
fn organizations_and_tokens() {
    agree(ORG_ID, is_org_id);
    agree(TOKEN, is_token);
}

#[test]
fn principals() {
    agree(&principal::pattern(), |it| Principal::parse(it, "aws").is_ok());
    agree(&principal::pattern(), |it| {
        let draft = Draft { sid: "x", principal: it, ..Draft::default() };
        draft.check("aws-cn").is_ok()
    });
}

fn defaults() -> Defaults {
    Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) }
}

#[test]
fn qualifiers() {
    agree(QUALIFIER, |it| Target::parse("f", Some(it), &defaults()).is_ok());
}

/// A text may be read in two ways: `123456789012:x` is a partial ARN, and a name with a qualifier to the pattern.
/// So it takes a little more, and never less; that a partition has a region it cannot say at all.
#[test]
fn functions() {
    let form = Regex::new(FUNCTION).unwrap();
    let taken = |it: &str| {
        let parsed = Target::parse(it, None, &defaults());
        matches!(parsed, Ok(_) | Err(TargetError::PartitionMismatch(..)))
    };
    agree(FUNCTION, |it| taken(it) || (it.contains(':') && form.is_match(it)));
    let long = "x".repeat(65);
    for text in ["", "$LATEST", "f:$LATEST", "a b", "a/b", "arn:aws:lambda:f", "f:a.b", "*", &long]
    {
        assert!(!form.is_match(text) && !taken(text), "{text}");
    }
}
