//! Every way to name a function, and every way to get it wrong.

use super::*;

fn defaults() -> Defaults {
    Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) }
}

#[track_caller]
fn check(text: &str, qualifier: Option<&str>, expected: &str) {
    let target = Target::parse(text, qualifier, &defaults()).unwrap();
    assert_eq!(target.to_string(), expected);
    let again = Target::parse(expected, None, &Defaults::default()).unwrap();
    assert_eq!(again, target, "the printed form parses to the same target");
}

#[track_caller]
fn refuse(text: &str, qualifier: Option<&str>, expected: &str) {
    let error = Target::parse(text, qualifier, &defaults()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn every_way_to_name_a_function_is_one_target() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail";
    check("thumbnail", None, arn);
    check("function:thumbnail", None, arn);
    check("123456789012:function:thumbnail", None, arn);
    check("123456789012:thumbnail", None, arn);
    check("us-east-1:123456789012:function:thumbnail", None, arn);
    check(arn, None, arn);
}

#[test]
fn the_qualifier_may_stand_in_the_name_or_beside_it() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live";
    check("thumbnail:live", None, arn);
    check("thumbnail", Some("live"), arn);
    check("thumbnail:live", Some("live"), arn);
    check("123456789012:function:thumbnail:live", None, arn);
    check(arn, Some("live"), arn);
    check("f", Some("12"), "arn:aws:lambda:us-east-1:123456789012:function:f:12");
}

#[test]
fn what_the_name_says_wins_over_the_defaults() {
    let arn = "arn:aws-cn:lambda:cn-north-1:210987654321:function:f";
    check(arn, None, arn);
    check("cn-north-1:210987654321:function:f", None, arn);
}

#[test]
fn the_partition_follows_the_region() {
    for (region, partition) in [
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-northwest-1", "aws-cn"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
        ("ap-southeast-2", "aws"),
    ] {
        let defaults = Defaults { region: Some(region.into()), ..defaults() };
        let target = Target::parse("f", None, &defaults).unwrap();
        assert_eq!(target.partition(), partition, "{region}");
        assert_eq!(Target::parse(&target.arn(), None, &Defaults::default()), Ok(target));
    }
}

#[test]
fn what_is_not_a_target_is_refused_with_a_reason() {
    refuse("", None, "is not a function name");
    refuse("a b", None, "is not a function name");
    refuse("arn:aws:lambda:us-east-1:function:f", None, "is not a function name");
    refuse("arn:aws:s3:::bucket", None, "is not a function name");
    refuse(&"x".repeat(65), None, "allows 64");
    refuse("f:$LATEST", None, "cannot carry a policy");
    refuse("f", Some("$LATEST"), "cannot carry a policy");
    refuse("f", Some("$LATEST.PUBLISHED"), "cannot carry a policy");
    refuse("f", Some("a b"), "is not an alias or a version");
    refuse("f", Some(""), "is not an alias or a version");
    refuse("f:live", Some("blue"), "the name says `live`");
    refuse("arn:aws:lambda:cn-north-1:123456789012:function:f", None, "does not hold region");
}

#[test]
fn a_name_without_account_or_region_says_what_is_missing() {
    let nothing = Defaults::default();
    assert_eq!(Target::parse("f", None, &nothing), Err(TargetError::NoAccount("f".into())));
    let account = Defaults { account: Some("123456789012".into()), region: None };
    assert_eq!(Target::parse("f", None, &account), Err(TargetError::NoRegion("f".into())));
    let bad = Defaults { account: Some("12".into()), region: Some("us-east-1".into()) };
    assert_eq!(Target::parse("f", None, &bad), Err(TargetError::BadAccount("12".into())));
    let bad = Defaults { account: account.account, region: Some("mars".into()) };
    assert_eq!(Target::parse("f", None, &bad), Err(TargetError::BadRegion("mars".into())));
}

#[test]
fn qualifiers_are_of_one_function() {
    let of = |text: &str| Target::parse(text, None, &defaults()).unwrap();
    for (other, same) in [
        ("thumbnail", true),
        ("thumbnail:live", true),
        ("thumbnails", false),
        ("arn:aws:lambda:eu-west-1:123456789012:function:thumbnail", false),
        ("arn:aws:lambda:us-east-1:210987654321:function:thumbnail:live", false),
    ] {
        assert_eq!(of("thumbnail:7").is_of_the_function_of(&of(other)), same, "{other}");
    }
}
