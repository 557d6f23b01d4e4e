//! Filling, and what cannot be filled.

use proptest::prelude::*;

use super::*;

const LIVE: Values<'_> = Values {
    account: "123456789012",
    region: "eu-west-1",
    partition: "aws",
    function: "orders",
    qualifier: Some("live"),
};

#[test]
fn names_stand_for_what_the_target_is() {
    let all = "${account} ${region} ${partition} ${function} ${qualifier}";
    assert_eq!(fill(all, LIVE), Ok("123456789012 eu-west-1 aws orders live".into()));
    for (text, filled) in [
        ("", ""),
        ("plain", "plain"),
        ("$", "$"),
        ("{account}", "{account}"),
        ("$account", "$account"),
        ("$$", "$$"),
        ("$ {account}", "$ {account}"),
        ("a${function}b", "aordersb"),
        ("${function}${function}", "ordersorders"),
        ("$${account}", "${account}"),
        ("$$${account}", "$${account}"),
        ("$${", "${"),
        ("$${${region}}", "${eu-west-1}"),
        ("é${region}é", "éeu-west-1é"),
    ] {
        assert_eq!(fill(text, LIVE), Ok(filled.into()), "{text}");
    }
    assert!(matches!(fill("plain", LIVE), Ok(Cow::Borrowed(_))), "most values are not copied");
}

#[test]
fn what_is_no_placeholder_is_told() {
    let unknown = |it: &str| Err(Wrong::Unknown(it.to_owned()));
    for (text, wrong) in [
        ("${acount}", unknown("acount")),
        ("${}", unknown("")),
        ("${ account }", unknown(" account ")),
        ("${Account}", unknown("Account")),
        ("${aws:username}", unknown("aws:username")),
        ("${account", Err(Wrong::Open)),
        ("${", Err(Wrong::Open)),
        ("${account}${", Err(Wrong::Open)),
    ] {
        assert_eq!(fill(text, LIVE).map(drop), wrong, "{text}");
        assert_eq!(check(text), wrong, "{text}");
    }
    let unqualified = Values { qualifier: None, ..LIVE };
    assert_eq!(fill("${qualifier}", unqualified), Err(Wrong::NoQualifier));
    assert_eq!(fill("$${qualifier}", unqualified), Ok("${qualifier}".into()));
    assert_eq!(check("${qualifier}"), Ok(()));
}

#[test]
fn the_hint_names_the_one_that_was_meant() {
    let told = |text: &str| fill(text, LIVE).unwrap_err().told();
    let (message, help) = told("${acount}");
    assert_eq!(message, "`${acount}` is not a placeholder");
    assert_eq!(help, "did you mean `${account}`? `$${` stands for `${` itself");
    let (_, help) = told("${aws:PrincipalTag}");
    assert!(help.starts_with("there are `${account}`, `${region}`"), "{help}");
    assert!(help.ends_with("`$${` stands for `${` itself"), "{help}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_escaped_means_itself(text in "[$a{}]{0,12}|\\PC{0,12}") {
        let escaped = escape(&text);
        prop_assert_eq!(fill(&escaped, LIVE), Ok(text.as_str().into()), "{}", escaped);
        prop_assert_eq!(check(&escaped), Ok(()));
    }

    #[test]
    fn checked_texts_can_be_filled_at_an_alias(text in "([$a{}]|\\$\\{account\\}|\\$\\{qualifier\\}){0,8}") {
        prop_assert_eq!(check(&text).is_ok(), fill(&text, LIVE).is_ok());
    }
}
