//! Principals as people write them.

use super::*;

#[track_caller]
fn check(text: &str, expected: Principal) {
    assert_eq!(Principal::parse(text, "aws"), Ok(expected));
}

#[track_caller]
fn refuse(text: &str, expected: &str) {
    let error = Principal::parse(text, "aws").unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn each_kind_is_recognised() {
    check("*", Principal::Anyone);
    check("012345678901", Principal::Account("012345678901".into()));
    check("arn:aws:iam::012345678901:root", Principal::Account("012345678901".into()));
    for it in [
        "arn:aws:iam::123456789012:role/app",
        "arn:aws:iam::123456789012:role/service-role/my.role+x=1,2@3_4-5",
        "arn:aws:iam::123456789012:user/x",
        "arn:aws-cn:iam::123456789012:root",
    ] {
        check(it, Principal::Iam(it.into()));
    }
    for it in [
        "s3.amazonaws.com",
        "logs.us-east-1.amazonaws.com",
        "alexa-appkit.amazon.com",
        "ec2.amazonaws.com.cn",
    ] {
        check(it, Principal::Service(it.into()));
    }
}

#[test]
fn what_lambda_refuses_is_refused_with_what_to_do() {
    refuse("", "is empty");
    refuse("12345678901", "eleven".replace("eleven", "11 digits").as_str());
    refuse("12345678901", "leading zero");
    refuse("1234567890123", "13 digits");
    refuse("amazonaws.com", "is not a principal");
    refuse("invalid.nonaws.com", "is not a principal");
    refuse("s3", "did you mean s3.amazonaws.com?");
    refuse("S3.amazonaws.com", "did you mean s3.amazonaws.com?");
    refuse("s3.amazonaws.co", "did you mean s3.amazonaws.com?");
    refuse("arn:aws:iam:000000000000:role/xxxx", "mind the two colons");
    refuse("arn:aws:sts::123456789012:assumed-role/r/s", "is a session");
    refuse("arn:aws:s3:::bucket", "is not the ARN of a role");
    refuse("AROASNV5YASAZHWFURF3I", "is a unique id");
    refuse("a b.amazonaws.com", "is not a principal");
}
