//! Which live statements a file can say.

use super::*;
use crate::policy::target::Defaults;

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

fn target() -> Target {
    Target::parse(ARN, None, &Defaults::default()).unwrap()
}

/// A statement with these members instead of the usual ones.
fn statement(members: &str) -> String {
    let usual = [
        ("Effect", r#""Deny""#),
        ("Principal", r#"{"AWS":["210987654321","310987654321"]}"#),
        ("Action", r#""lambda:InvokeFunction""#),
        ("Resource", &format!("\"{ARN}\"")),
    ];
    let usual = usual.iter().filter(|(key, _)| !members.contains(&format!("\"{key}\":")));
    let mut all: Vec<String> = usual.map(|(key, it)| format!("\"{key}\":{it}")).collect();
    all.extend(Some(members.to_owned()).filter(|it| !it.is_empty()));
    format!(r#"{{"Sid":"s",{}}}"#, all.join(","))
}

#[test]
fn what_is_read_says_the_same() {
    for members in [
        "",
        r#""Effect":"Allow""#,
        r#""Principal":"*""#,
        r#""Principal":{"AWS":"arn:aws:iam::210987654321:root","Service":["s3.amazonaws.com","sns.amazonaws.com"]}"#,
        r#""Principal":{"AWS":["210987654321","arn:aws:iam::210987654321:root"]}"#,
        r#""Action":["lambda:InvokeFunction","Lambda:get*","*"]"#,
        r#""Action":["lambda:InvokeFunction","lambda:invokefunction"]"#,
        r#""Condition":{}"#,
        r#""Condition":{"stringequals":{"AWS:sourceaccount":["1","2","1"]},"ArnNotEquals":{"aws:SourceArn":"*"}}"#,
        r#""Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"s3:max-keys":10}}"#,
        r#""Condition":{"StringLike":{"aws:PrincipalTag/a b":["${aws:username}",""]},"Null":{"aws:SourceArn":"true"}}"#,
    ] {
        let text = statement(members);
        let parts = Parts::read(&text, &target()).unwrap_or_else(|| panic!("{text}"));
        let said = Terms::of(&parts, &target()).statement_text("s", &target());
        let partition = target().partition().to_owned();
        assert_eq!(Canonical::of_text(&said, &partition), Canonical::of_text(&text, &partition));
        // What was read once is read again as the same.
        assert_eq!(Parts::read(&said, &target()), Some(parts), "{text}");
    }
}

#[test]
fn what_a_file_cannot_say_is_not_read() {
    let star = "\"Principal\":{\"AWS\":\"*\"}";
    for members in [
        "\"Effect\":\"deny\"",
        "\"Effect\":true",
        "\"NotPrincipal\":\"*\"",
        "\"NotAction\":\"lambda:InvokeFunction\"",
        "\"NotResource\":\"x\"",
        "\"Id\":\"x\"",
        "\"Effect\":\"Deny\",\"Effect\":\"Deny\"",
        // For a Deny this is another thing than the bare asterisk.
        star,
        "\"Principal\":{\"AWS\":[\"*\",\"210987654321\"]}",
        "\"Principal\":{\"AWS\":[\"AROAEXAMPLEEXAMPLE123\",\"210987654321\"]}",
        "\"Principal\":{\"AWS\":\"arn:aws:sts::210987654321:assumed-role/a/b\"}",
        "\"Principal\":{\"AWS\":[]}",
        "\"Principal\":{\"Federated\":\"x\"}",
        "\"Principal\":{\"Service\":\"s3\"}",
        "\"Principal\":[\"*\"]",
        "\"Action\":\"s3:GetObject\"",
        "\"Action\":[]",
        "\"Action\":\"lambda:Get-*\"",
        "\"Resource\":\"*\"",
        "\"Resource\":[]",
        "\"Resource\":\"arn:aws:lambda:us-east-1:123456789012:function:f:live\"",
        "\"Condition\":[]",
        "\"Condition\":{\"StringMatches\":{\"aws:a\":\"b\"}}",
        "\"Condition\":{\"StringLike\":\"b\"}",
        "\"Condition\":{\"StringLike\":{\"a\":\"b\"}}",
        "\"Condition\":{\"StringLike\":{\"aws:a\":[]}}",
        "\"Condition\":{\"StringLike\":{\"aws:a\":{\"b\":\"c\"}}}",
        "\"Condition\":{\"StringLike\":{\"aws:a\":\"b\",\"AWS:A\":\"c\"}}",
        "\"Condition\":{\"ArnLike\":{\"aws:a\":\"*\"},\"ArnEquals\":{\"aws:a\":\"*\"}}",
        "\"Condition\":{\"Bool\":{\"aws:a\":\"maybe\"}}",
    ] {
        let text = statement(members);
        assert_eq!(Parts::read(&text, &target()), None, "{text}");
    }
    assert_eq!(Parts::read("nonsense", &target()), None);
    assert_eq!(Parts::read("[]", &target()), None);
    let allows = statement(&format!("\"Effect\":\"Allow\",{star}"));
    assert!(Parts::read(&allows, &target()).is_some(), "{allows}");
}
