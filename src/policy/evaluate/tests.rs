//! Tables of statements and calls, from the pages of the IAM User Guide that the rules are taken from.

use super::*;

mod conditions;

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const ROLE: &str = "arn:aws:iam::123456789012:role/app";
const USER: &str = "arn:aws:iam::123456789012:user/eve";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/app/s1";

fn caller(text: &str) -> Caller {
    let (text, of_org) = text.strip_suffix(" of org").map_or((text, false), |it| (it, true));
    Caller::parse(text, "aws", of_org).unwrap()
}

fn call(principal: &str) -> Request {
    Request::new(caller(principal), "lambda:InvokeFunction", FN)
}

/// `+` matches, `-` says no, `?` cannot be told.
fn mark(finding: &Finding) -> char {
    match finding.answer {
        Answer::Matches => '+',
        Answer::Differs(_) => '-',
        Answer::Unknown(_) => '?',
    }
}

#[track_caller]
fn check(text: &str, request: &Request, expected: char) {
    let found = statement(text, Some("2012-10-17"), request);
    assert_eq!(mark(&found), expected, "{text}\n{request:?}\n{found:?}");
}

fn of(who: &str, what: &str, resource: &str, condition: &str) -> String {
    format!(r#"{{"Sid":"s","Effect":"Allow",{who},{what},{resource},"Condition":{{{condition}}}}}"#)
}

const S3: &str = r#""Principal":{"Service":"s3.amazonaws.com"}"#;
const INVOKE: &str = r#""Action":"lambda:InvokeFunction""#;
const HERE: &str = r#""Resource":"arn:aws:lambda:us-east-1:123456789012:function:f""#;

#[test]
fn principals() {
    let other = "arn:aws:iam::999999999999:role/app";
    for (who, yes, no, unknown) in [
        (
            r#""*""#,
            vec!["s3.amazonaws.com", ROLE, SESSION, "999999999999", "*", "* of org"],
            vec![],
            vec![],
        ),
        (
            r#"{"AWS":"*"}"#,
            vec!["s3.amazonaws.com", ROLE, "999999999999", "*", "* of org"],
            vec![],
            vec![],
        ),
        (r#"{"AWS":["*"]}"#, vec!["*"], vec![], vec![]),
        (
            r#"{"AWS":"123456789012"}"#,
            vec!["123456789012", ROLE, USER, SESSION, "arn:aws:iam::123456789012:root"],
            vec![
                other,
                "*",
                "* of org",
                "s3.amazonaws.com",
                "arn:aws-cn:iam::123456789012:role/app",
            ],
            vec![],
        ),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:root"}"#,
            vec!["123456789012", ROLE, USER, SESSION, "arn:aws:iam::123456789012:root"],
            vec![other, "*", "arn:aws-cn:iam::123456789012:role/app"],
            vec![],
        ),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:role/app"}"#,
            vec![ROLE, SESSION],
            vec![
                USER,
                other,
                "123456789012",
                "arn:aws:iam::123456789012:role/App",
                "*",
                "* of org",
                "arn:aws:iam::123456789012:role/x/app",
                "arn:aws:sts::123456789012:assumed-role/ap/s",
            ],
            vec![],
        ),
        // A session does not tell the path of its role, and its name is unique.
        (r#"{"AWS":"arn:aws:iam::123456789012:role/x/y/app"}"#, vec![SESSION], vec![ROLE], vec![]),
        (
            r#"{"AWS":"arn:aws:sts::123456789012:assumed-role/app/s1"}"#,
            vec![SESSION],
            vec!["arn:aws:sts::123456789012:assumed-role/app/s2", USER, "123456789012"],
            vec![ROLE],
        ),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:user/eve"}"#,
            vec![USER],
            vec![ROLE, "arn:aws:iam::123456789012:user/Eve"],
            vec!["arn:aws:sts::123456789012:federated-user/bob"],
        ),
        // "You cannot use a wildcard to match part of a principal name or ARN."
        (r#"{"AWS":"arn:aws:iam::123456789012:role/*"}"#, vec![], vec![ROLE, USER, "*"], vec![]),
        (
            r#"{"AWS":"AROASNV5YASAZHWFURF3I"}"#,
            vec![],
            vec![ROLE, "123456789012", "*", "s3.amazonaws.com"],
            vec![],
        ),
        (r#"{"AWS":["AIDASNV5YASAZHWFURF3I","123456789012"]}"#, vec![ROLE], vec!["*"], vec![]),
        (
            r#"{"Service":"s3.amazonaws.com"}"#,
            vec!["s3.amazonaws.com"],
            vec!["sns.amazonaws.com", "s3.ap-east-1.amazonaws.com", ROLE, "*", "123456789012"],
            vec![],
        ),
        (
            r#"{"Service":["sns.amazonaws.com","s3.amazonaws.com"]}"#,
            vec!["s3.amazonaws.com"],
            vec!["sqs.amazonaws.com"],
            vec![],
        ),
        (
            r#"{"Service":"s3.amazonaws.com","AWS":"123456789012"}"#,
            vec!["s3.amazonaws.com", ROLE],
            vec!["*"],
            vec![],
        ),
        (r#"{"Service":"*"}"#, vec![], vec![ROLE, "*"], vec!["s3.amazonaws.com"]),
        (r#"{"Federated":"accounts.google.com"}"#, vec![], vec![], vec![ROLE, "*"]),
        (
            r#"{"Federated":"accounts.google.com","AWS":"123456789012"}"#,
            vec![ROLE],
            vec![],
            vec!["*"],
        ),
        (r#""123456789012""#, vec![], vec![], vec![ROLE]),
        (r#"{"AWS":[]}"#, vec![], vec![], vec![ROLE]),
        (r#"{"AWS":"nobody"}"#, vec![], vec![], vec![ROLE, "s3.amazonaws.com"]),
    ] {
        let text = of(&format!(r#""Principal":{who}"#), INVOKE, HERE, "");
        for (all, expected) in [(yes, '+'), (no, '-'), (unknown, '?')] {
            for it in all {
                check(&text, &call(it), expected);
            }
        }
    }
}

/// "When you use NotPrincipal with Deny, you must also specify the account ARN of the not-denied principal."
#[test]
fn not_principals() {
    let root = "arn:aws:iam::123456789012:root";
    for (who, principal, expected) in [
        (format!(r#"{{"AWS":["{USER}","{root}"]}}"#), USER, '-'),
        (format!(r#"{{"AWS":["{USER}","{root}"]}}"#), "arn:aws:iam::999999999999:user/eve", '+'),
        (format!(r#"{{"AWS":["{USER}","{root}"]}}"#), ROLE, '?'),
        (format!(r#"{{"AWS":"{USER}"}}"#), USER, '?'),
        (format!(r#"{{"AWS":"{USER}"}}"#), "*", '+'),
        (format!(r#"{{"AWS":"{USER}"}}"#), "s3.amazonaws.com", '+'),
        (format!(r#"{{"AWS":["{SESSION}","{ROLE}","{root}"]}}"#), SESSION, '-'),
        (format!(r#"{{"AWS":["{ROLE}","{root}"]}}"#), SESSION, '?'),
        (format!(r#"{{"AWS":["{ROLE}","{root}"]}}"#), ROLE, '?'),
        (format!(r#"{{"AWS":"{root}"}}"#), root, '-'),
        (format!(r#"{{"AWS":"{root}"}}"#), "123456789012", '?'),
        (format!(r#"{{"AWS":"{root}"}}"#), "999999999999", '+'),
        (r#"{"Service":"s3.amazonaws.com"}"#.to_owned(), "s3.amazonaws.com", '-'),
        (r#"{"Service":"s3.amazonaws.com"}"#.to_owned(), "sns.amazonaws.com", '+'),
        (r#""*""#.to_owned(), ROLE, '-'),
        (r#""*""#.to_owned(), "*", '-'),
    ] {
        let text = of(&format!(r#""NotPrincipal":{who}"#), INVOKE, HERE, "");
        check(&text, &call(principal), expected);
    }
}

#[test]
fn actions_and_resources() {
    for (what, action, expected) in [
        (r#""Action":"lambda:InvokeFunction""#, "lambda:InvokeFunction", '+'),
        (r#""Action":"LAMBDA:invokefunction""#, "lambda:InvokeFunction", '+'),
        (r#""Action":"lambda:Invoke*""#, "lambda:InvokeFunctionUrl", '+'),
        (r#""Action":"lambda:invoke?unction""#, "lambda:InvokeFunction", '+'),
        (r#""Action":"lambda:*""#, "lambda:GetFunction", '+'),
        (r#""Action":"*""#, "lambda:GetFunction", '+'),
        (
            r#""Action":["lambda:GetFunction","lambda:InvokeFunction"]"#,
            "lambda:InvokeFunction",
            '+',
        ),
        (r#""Action":"lambda:InvokeFunction""#, "lambda:InvokeFunctionUrl", '-'),
        (r#""Action":"s3:*""#, "lambda:InvokeFunction", '-'),
        (r#""NotAction":"lambda:InvokeFunction""#, "lambda:InvokeFunction", '-'),
        (r#""NotAction":"lambda:invoke*""#, "lambda:InvokeFunctionUrl", '-'),
        (r#""NotAction":["lambda:GetFunction"]"#, "lambda:InvokeFunction", '+'),
        (r#""Action":[]"#, "lambda:InvokeFunction", '?'),
        (r#""Action":7"#, "lambda:InvokeFunction", '?'),
    ] {
        let request = Request { action: action.into(), ..call("s3.amazonaws.com") };
        check(&of(S3, what, HERE, ""), &request, expected);
    }
    let live = format!("{FN}:live");
    for (resource, called, expected) in [
        (format!(r#""Resource":"{FN}""#), FN, '+'),
        (format!(r#""Resource":"{FN}""#), live.as_str(), '-'),
        (format!(r#""Resource":["{FN}","{FN}:*"]"#), &live, '+'),
        (r#""Resource":"*""#.to_owned(), &live, '+'),
        (r#""Resource":"arn:aws:lambda:*:123456789012:function:*""#.to_owned(), &live, '+'),
        // A wildcard does not go from one part of the ARN into the next.
        (r#""Resource":"arn:aws:lambda:us-east-1:*:f""#.to_owned(), FN, '-'),
        (r#""Resource":"arn:aws:lambda:*""#.to_owned(), FN, '?'),
        (format!(r#""Resource":"{}""#, FN.to_uppercase()), FN, '-'),
        (format!(r#""NotResource":"{FN}""#), FN, '-'),
        (format!(r#""NotResource":"{FN}""#), &live, '+'),
        (
            format!(r#""Resource":"{}""#, FN.replace("123456789012", "${aws:PrincipalAccount}")),
            FN,
            '?',
        ),
    ] {
        let request = Request { resource: called.into(), ..call("s3.amazonaws.com") };
        check(&of(S3, INVOKE, &resource, ""), &request, expected);
    }
}

#[test]
fn what_has_not_the_form_is_unknown() {
    let s3 = call("s3.amazonaws.com");
    for text in [
        "",
        "[]",
        "7",
        r#"{"Effect":"Allow"}"#,
        r#"{"Effect":"allow","Principal":"*","Action":"*","Resource":"*"}"#,
        r#"{"Principal":"*","Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","NotPrincipal":{"AWS":"1"},"Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Extra":1}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":7}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":7}}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":
            {"StringEquals":{"aws:SourceAccount":"1","AWS:SourceAccount":"1"}}}"#,
    ] {
        check(text, &s3, '?');
    }
}

#[test]
fn every_element_that_says_no_is_told_with_both_values() {
    let text = of(
        r#""Principal":{"AWS":"999999999999"}"#,
        r#""NotAction":"lambda:Invoke*""#,
        HERE,
        r#""ArnLike":{"AWS:SourceArn":["arn:aws:s3:::b","arn:aws:s3:::c"]},"StringEquals":{"aws:SourceAccount":"1"}"#,
    );
    let request = Request { source_arn: Some("arn:aws:s3:::a".into()), ..call("s3.amazonaws.com") };
    let found = statement(&text, Some("2012-10-17"), &request);
    let Answer::Differs(all) = &found.answer else { panic!("{found:?}") };
    let told: Vec<String> = all
        .iter()
        .map(|it| format!("{}: {:?}, not {:?}", it.element, it.given.as_deref(), it.wanted))
        .collect();
    assert_eq!(
        told,
        [
            r#"Principal: Some("s3.amazonaws.com"), not ["999999999999"]"#,
            r#"NotAction: Some("lambda:InvokeFunction"), not ["lambda:Invoke*"]"#,
            r#"Condition.ArnLike.AWS:SourceArn: Some("arn:aws:s3:::a"), not ["arn:aws:s3:::b", "arn:aws:s3:::c"]"#,
            r#"Condition.StringEquals.aws:SourceAccount: None, not ["1"]"#,
        ]
    );
    assert_eq!((found.sid.as_deref(), found.effect), (Some("s"), Some(Effect::Allow)));
}

#[test]
fn as_whom_the_caller_is_named_and_what_holds_without_a_value() {
    let by = |who: &str, principal: &str| {
        statement(&of(who, INVOKE, HERE, ""), None, &call(principal)).by
    };
    assert_eq!(by(r#""Principal":"*""#, ROLE), Some(By::Anyone));
    assert_eq!(by(r#""Principal":{"AWS":"123456789012"}"#, ROLE), Some(By::Account));
    assert_eq!(
        by(&format!(r#""Principal":{{"AWS":["123456789012","{ROLE}"]}}"#), SESSION),
        Some(By::Itself)
    );
    assert_eq!(by(r#""NotPrincipal":{"AWS":"999999999999"}"#, ROLE), Some(By::Rest));
    assert_eq!(by(S3, ROLE), None);
    let text = of(S3, INVOKE, HERE, r#""StringNotEquals":{"aws:SourceAccount":"1"}"#);
    let found = statement(&text, None, &call("s3.amazonaws.com"));
    let names: Vec<String> = found.without.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["Condition.StringNotEquals.aws:SourceAccount"]);
}

/// Explicit Deny over Allow over nothing; what cannot be told counts where it could change that.
#[test]
fn verdicts() {
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
    let deny = allow.replace("Allow", "Deny");
    let perhaps =
        allow.replace('}', r#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#);
    let perhaps_not = perhaps.replace("Allow", "Deny");
    let odd = allow.replace("Allow", "Perhaps");
    let other = allow.replace(r#""Action":"*""#, r#""Action":"s3:*""#);
    let other_odd = odd.replace(r#""Action":"*""#, r#""Action":"s3:*""#);
    let (allow, deny, perhaps, perhaps_not, odd, other) = (
        allow,
        deny.as_str(),
        perhaps.as_str(),
        perhaps_not.as_str(),
        odd.as_str(),
        other.as_str(),
    );
    for (statements, expected) in [
        (vec![], Verdict::NotAllowed),
        (vec![other], Verdict::NotAllowed),
        (vec![allow], Verdict::Allowed),
        (vec![allow, deny], Verdict::Denied),
        (vec![deny, allow], Verdict::Denied),
        (vec![deny], Verdict::Denied),
        (vec![allow, perhaps], Verdict::Allowed),
        (vec![other, perhaps], Verdict::Unknown),
        (vec![allow, perhaps_not], Verdict::Unknown),
        (vec![perhaps_not], Verdict::Unknown),
        (vec![deny, perhaps_not, perhaps], Verdict::Denied),
        (vec![allow, odd], Verdict::Unknown),
        (vec![odd, deny], Verdict::Denied),
        (vec![allow, &other_odd], Verdict::Allowed),
    ] {
        let found = evaluate(statements.iter().copied(), Some("2012-10-17"), &call(ROLE));
        assert_eq!(found.verdict, expected, "{statements:?}");
        assert_eq!(found.findings.len(), statements.len());
    }
}

#[test]
fn what_is_no_caller_is_refused() {
    for text in [
        "",
        "s3",
        "12345",
        "arn:aws:sts::123456789012:assumed-role/app",
        "arn:aws:iam::123456789012:group/x",
        "arn:aws:iam::12345:role/x",
        "arn:aws:s3:::b",
        "AROASNV5YASAZHWFURF3I",
    ] {
        assert!(Caller::parse(text, "aws", false).is_err(), "{text}");
    }
    assert_eq!(caller("*"), Caller::Anonymous);
    assert_eq!(caller("* of org"), Caller::Member);
    assert_eq!(caller(SESSION).to_string(), SESSION);
    assert_eq!(caller("210987654321").account(), Some(("aws", "210987654321")));
}
