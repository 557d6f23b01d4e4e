//! `permitd explain`: who allows or denies a call, live and as written, and why not.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, http_with, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    statements:
      - {sid: uploads, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: old, principal: '999999999999', expires: 2020-01-01T00:00:00Z}
";
const NOT_LOOKED_AT: &str = "\
Not looked at: the caller's own IAM policies, its permission boundary and session policies, and the SCPs and RCPs of its organization.
";

fn statement(sid: &str, effect: &str, principal: &Value, condition: &Value) -> Value {
    json!({
        "Sid": sid, "Effect": effect, "Principal": principal, "Action": "lambda:InvokeFunction",
        "Resource": FN, "Condition": condition,
    })
}

fn with(statements: &[Value]) -> Lambda {
    Lambda::new(&json!([{"name": "f", "policy": policy(statements)}, {"name": "g"}]))
}

#[test]
fn allowed_live_and_not_as_written() {
    let lambda = with(&[
        service("uploads", "s3.amazonaws.com", "arn:aws:s3:::old"),
        account("partner", "210987654321"),
    ]);
    let room = lambda.room(WISHES);
    let words = "--principal s3.amazonaws.com --source-arn arn:aws:s3:::old";
    let report = format!(
        "\
{FN}
May s3.amazonaws.com do lambda:InvokeFunction with source_arn arn:aws:s3:::old?

Live: allowed.
  + uploads             allows it
  1 other statement does not match.

As written: not allowed; no statement allows it.
  ~ uploads             allows, but not this (permissions.yaml:5:9)
      source_arn is arn:aws:s3:::old, the statement wants arn:aws:s3:::new
  1 grant has expired, and does not count.

{NOT_LOOKED_AT}"
    );
    room.permitd(&format!("explain f permissions.yaml {words}")).is(0, &report, "");
    assert_eq!(lambda.calls(), ["GetPolicy f"]);

    let alone = format!(
        "\
{FN}
May s3.amazonaws.com do lambda:InvokeFunction with source_arn arn:aws:s3:::old?

Live: allowed.
  + uploads             allows it
  1 other statement does not match.

As written: not looked at; no permission files were named or found.

{NOT_LOOKED_AT}"
    );
    room.permitd(&format!("explain {FN} {words}")).is(0, &alone, "");
    assert_eq!(lambda.calls(), ["GetPolicy f"], "the ARN says the account");
    for name in ["f", "123456789012:function:f", "function:f"] {
        room.permitd(&format!("explain {name} {words}")).is(0, &alone, "");
    }
}

/// What is wanted and what was given, and what would allow it.
#[test]
fn near_misses() {
    let lambda = with(&[
        service("uploads", "s3.amazonaws.com", "arn:aws:s3:::b"),
        service("orders", "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:t"),
    ]);
    let room = lambda.room(WISHES);
    let report = format!(
        "\
{FN}
May s3.amazonaws.com do lambda:InvokeFunction with source_arn arn:aws:s3:::a, source_account 123456789012?

Live: not allowed; no statement allows it.
  ~ uploads             allows, but not this
      source_arn is arn:aws:s3:::a, the statement wants arn:aws:s3:::b
  ~ orders              allows, but not this
      principal is s3.amazonaws.com, the statement wants sns.amazonaws.com
      source_arn is arn:aws:s3:::a, the statement wants arn:aws:sns:us-east-1:123456789012:t

As written: not looked at; no permission files were named or found.

This in a permission file would allow it:
    account: \"123456789012\"
    region: us-east-1
    functions:
      - function: f
        statements:
          - sid: allow-s3
            principal: s3.amazonaws.com
            source_arn: arn:aws:s3:::a
            source_account: \"123456789012\"

{NOT_LOOKED_AT}"
    );
    let words =
        "--principal s3.amazonaws.com --source-arn arn:aws:s3:::a --source-account 123456789012";
    room.permitd(&format!("explain f {words}")).is(2, &report, "");

    let said = room.permitd("explain f --principal s3.amazonaws.com");
    assert_eq!(said.code, Some(2), "{said:?}");
    let told = "\
  ~ uploads             would allow it, were this given
      source_arn is not given (--source-arn), the statement wants arn:aws:s3:::b
";
    assert!(said.out.contains(told) && said.out.contains("a risk (P001)"), "{said:?}");
}

/// The grant that is shown is a file that allows exactly this, for every kind of caller.
#[test]
fn the_grant_that_is_shown_would_allow_it() {
    let lambda = Lambda::new(&json!([{"name": "f", "aliases": {"live": "1"}, "versions": 1}]));
    for words in [
        "--principal s3.amazonaws.com --source-arn arn:aws:s3:::a-x --source-account 000000000001",
        "--principal 210987654321",
        "--principal arn:aws:iam::210987654321:role/path/app",
        "--principal arn:aws:sts::210987654321:assumed-role/app/session",
        "--principal arn:aws:iam::210987654321:root",
        "--principal *",
        "--principal * --org o-a1b2c3d4e5",
        "--principal * --action lambda:InvokeFunctionUrl --auth-type NONE",
        "--principal arn:aws:iam::210987654321:user/eve --via-function-url",
        "--principal alexa-appkit.amazon.com --event-source-token amzn1.ask.skill.0",
    ] {
        let room = lambda.room("");
        let said = room.permitd(&format!("explain f:live {words} --output json"));
        assert_eq!(said.code, Some(2), "{words}: {said:?}");
        assert_eq!(said.json()["live"]["state"], "no_policy", "{words}");
        let grant = said.json()["grant"].as_str().unwrap_or_else(|| panic!("{said:?}")).to_owned();
        room.write("permissions.yaml", &grant);
        let said = room.permitd(&format!("explain f:live permissions.yaml {words} --output json"));
        let json = said.json();
        assert_eq!(json["written"]["verdict"], "allowed", "{words}\n{grant}\n{json:#}");
        assert_eq!((said.code, &json["grant"]), (Some(2), &Value::Null), "live it is not there");
        let notes = json["notes"].to_string();
        assert!(notes.contains("The files allow it"), "{notes}");
        if words.contains('*') {
            continue;
        }
        let principals = ["role/path/app", "role/app", "user/eve"];
        let principals = principals.map(|it| format!("arn:aws:iam::210987654321:{it}"));
        lambda.control("POST", "principals", &json!({"create": principals, "delete": []}));
        let said = room.permitd("apply permissions.yaml --mode enforce --yes");
        assert_eq!(said.code, Some(0), "{words}: {said:?}");
        let said = room.permitd(&format!("explain f:live {words} --output json"));
        assert_eq!(
            (said.code, &said.json()["live"]["verdict"]),
            (Some(0), &json!("allowed")),
            "{said:?}"
        );
        lambda.control("POST", "reset", &Value::Null);
    }
}

/// What somebody put with PutResourcePolicy: a Deny wins, and what cannot be told is not guessed.
#[test]
fn a_deny_by_put_and_what_cannot_be_told() {
    let lambda = with(&[account("partner", "210987654321")]);
    let room = lambda.room(WISHES);
    let put = |statements: &[Value]| {
        let path = format!("/2026-07-09/resource-policy/{}", FN.replace(':', "%3A"));
        let document = policy(statements).to_string();
        let credential = "AWS4-HMAC-SHA256 Credential=other/20260101/us-east-1/lambda/aws4_request";
        let body = json!({ "Policy": document }).to_string();
        let headers = [("authorization", credential), ("content-type", "application/json")];
        let (status, text) = http_with(&lambda.endpoint, "PUT", &path, &headers, &body);
        assert_eq!(status, 200, "{text}");
    };
    let deny = statement("not-eve", "Deny", &json!({"AWS": "210987654321"}), &json!({}));
    put(&[account("partner", "210987654321"), deny]);
    let words = "explain f --principal arn:aws:iam::210987654321:role/app";
    let said = room.permitd(words);
    let told = "\
Live: denied.
  + partner             allows it
  - not-eve             denies it
";
    assert!(said.code == Some(2) && said.out.contains(told), "{said:?}");
    assert!(!said.out.contains("would allow it"), "no grant helps: {said:?}");

    let perhaps = statement(
        "office",
        "Deny",
        &json!("*"),
        &json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    );
    put(&[account("partner", "210987654321"), perhaps]);
    let said = room.permitd(words);
    let told = "\
Live: cannot be told.
  + partner             allows it
  ? office              may deny it; it cannot be told
      Condition.NotIpAddress.aws:SourceIp: permitd does not evaluate the operator NotIpAddress
";
    assert!(said.code == Some(1) && said.out.contains(told), "{said:?}");

    let without = statement(
        "own-only",
        "Deny",
        &json!("*"),
        &json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    );
    put(&[account("partner", "210987654321"), without]);
    let said = room.permitd(words);
    let told = "\
  - own-only            denies it
      Condition.StringNotEquals.aws:PrincipalOrgID holds, for the call has none (--org)
";
    assert!(said.code == Some(2) && said.out.contains(told), "{said:?}");
    let said = room.permitd(&format!("{words} --org o-a1b2c3d4e5"));
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn what_the_caller_needs_besides() {
    let role = "arn:aws:iam::123456789012:role/app";
    let lambda = with(&[
        account("own", "123456789012"),
        account("other", "210987654321"),
        statement(
            "bob",
            "Allow",
            &json!({"AWS": "arn:aws:iam::123456789012:user/bob"}),
            &json!({}),
        ),
    ]);
    let room = lambda.room("");
    let whole =
        "It is allowed to the whole account: the caller's own IAM policy has to allow it as well.";
    let other =
        "The caller is of another account: its own IAM policy has to allow the call as well.";
    let own = "its own IAM policy can allow the call without this one.";
    for (principal, words, code, told) in [
        (role, "", 0, Some(whole)),
        ("arn:aws:iam::123456789012:user/bob", "", 0, None),
        ("arn:aws:iam::210987654321:role/app", "", 0, Some(other)),
        (role, "--action lambda:GetFunction", 2, Some(own)),
        ("arn:aws:iam::210987654321:role/app", "--action lambda:GetFunction", 2, None),
        ("arn:aws:sts::123456789012:assumed-role/app/s", "", 0, Some(whole)),
        ("arn:aws:sts::999999999999:assumed-role/app/s", "", 2, Some("give the ARN of the role")),
        ("s3.amazonaws.com", "--org o-a1b2c3d4e5", 2, Some("AWS sends no aws:PrincipalOrgID")),
        ("*", "--action lambda:InvokeFunctionUrl", 2, Some("--via-function-url as well")),
    ] {
        let said = room.permitd(&format!("explain f --principal {principal} {words}"));
        assert_eq!(said.code, Some(code), "{said:?}");
        for note in [whole, other, own] {
            assert_eq!(
                said.out.contains(note),
                told == Some(note),
                "{principal} {words}: {said:?}"
            );
        }
        assert!(told.is_none_or(|it| said.out.contains(it)), "{said:?}");
        assert!(said.out.ends_with(NOT_LOOKED_AT), "{said:?}");
    }
}

#[test]
fn no_policy_no_function_and_no_answer() {
    let lambda = with(&[account("partner", "210987654321")]);
    let room = lambda.room(WISHES);
    let said = room.permitd("explain g permissions.yaml --principal 210987654321");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("\nLive: not allowed; there is no policy.\n"), "{said:?}");
    assert!(said.out.contains("\nAs written: no file is about this target.\n"), "{said:?}");
    assert_eq!(lambda.calls(), ["GetCallerIdentity", "GetPolicy g", "GetFunction g"]);

    let said = room.permitd("explain f:live permissions.yaml --principal 999999999999");
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{said:?}");
    let told = "Live: unknown; there is no such function, alias or version\n  hint: check the name";
    assert!(said.out.contains(told) && !said.out.contains("would allow it"), "{said:?}");

    lambda
        .faults(&json!({"faults": [{"operation": "GetPolicy", "kind": "error", "times": "forever",
        "status": 403, "code": "AccessDeniedException", "message": "no"}]}));
    let said = room.permitd("explain f --principal 210987654321");
    assert!(said.code == Some(1) && said.out.contains("Live: unknown; "), "{said:?}");
    assert!(said.out.contains("hint: allow lambda:GetPolicy"), "{said:?}");
}

#[test]
fn one_name_in_several_places() {
    let seed = |account: &str, region: &str| json!({"id": account, "region": region, "functions": [{"name": "f"}]});
    let lambda = Lambda::seeded(&json!({"accounts": [
        seed("123456789012", "us-east-1"), seed("123456789012", "eu-west-1")
    ]}));
    let room = lambda.room(
        "account: '123456789012'\nregion: eu-west-1\nfunctions:\n  - {function: f, statements: [{sid: a, principal: '1'}]}\n"
            .replace("'1'", "'210987654321'")
            .as_str(),
    );
    let said = room.permitd("explain f permissions.yaml --principal 210987654321 --output json");
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    assert_eq!(said.json()["target"], arn, "as the file has it: {said:?}");
    assert_eq!(said.json()["written"]["verdict"], "allowed");
    let said = room.permitd(
        "explain f permissions.yaml --principal 210987654321 --output json --region us-east-1",
    );
    assert_eq!(said.json()["written"]["state"], "not_named", "the flag wins: {said:?}");

    let text = std::fs::read_to_string(room.path("permissions.yaml")).unwrap();
    room.write("more.yaml", &text.replace("eu-west-1", "us-east-1"));
    lambda.calls();
    let said = room.permitd("explain f permissions.yaml more.yaml --principal 210987654321");
    assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "{said:?}");
    assert!(said.err.contains("`f` is 2 targets of the files"), "{said:?}");
    let said = room.permitd(&format!("explain {arn} permissions.yaml more.yaml --principal *"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(lambda.calls(), ["GetPolicy f", "GetFunction f"]);
}

#[test]
fn the_settings_say_where_the_files_and_the_functions_are() {
    let lambda = with(&[]);
    let room = lambda.room("").without("AWS_REGION");
    room.write("permissions/f.yaml", WISHES);
    room.write(
        "permitd.yaml",
        "permissions: [permissions/]\naccounts: [{id: '123456789012', regions: [us-east-1]}]\n",
    );
    let words = "--principal s3.amazonaws.com --source-arn arn:aws:s3:::new --output json";
    let said = room.permitd(&format!("explain f {words}"));
    let json = said.json();
    assert_eq!((said.code, &json["written"]["verdict"]), (Some(2), &json!("allowed")), "{json:#}");
    assert_eq!(json["written"]["statements"][0]["source"], "permissions/f.yaml:5:9");
    assert_eq!(json["written"]["expired"], 1);
    let said = room.permitd(&format!("explain {} {words}", FN.replace("us-east-1", "eu-west-1")));
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains("which `accounts` does not name"), "{said:?}");
}

#[test]
fn json_as_its_schema_says() {
    let lambda = with(&[
        service("uploads", "s3.amazonaws.com", "arn:aws:s3:::b"),
        statement(
            "odd",
            "Deny",
            &json!("*"),
            &json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        ),
    ]);
    let room = lambda.room(WISHES);
    let schema = room.permitd("schema explain").json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for words in [
        "f permissions.yaml --principal s3.amazonaws.com --source-arn arn:aws:s3:::a",
        "f --principal * --org o-a1b2c3d4e5",
        "g --principal arn:aws:iam::123456789012:role/app --via-function-url",
        "h --principal 123456789012",
    ] {
        let said = room.permitd(&format!("explain {words} --output json"));
        let json = said.json();
        let errors: Vec<String> = validator.iter_errors(&json).map(|it| it.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{json:#}");
        assert_eq!(
            (&json["format_version"], &json["exit_code"]),
            (&json!("1.0"), &json!(said.code))
        );
    }
    let said = room.permitd(
        "explain f permissions.yaml --principal s3.amazonaws.com --source-arn arn:aws:s3:::a --output json",
    );
    let json = said.json();
    assert_eq!((said.code, &json["live"]["verdict"]), (Some(1), &json!("unknown")));
    let uploads = &json["live"]["statements"][0];
    assert_eq!((&uploads["sid"], &uploads["result"]), (&json!("uploads"), &json!("differs")));
    assert_eq!(
        uploads["differs"],
        json!([{
            "element": "Condition.ArnLike.AWS:SourceArn", "given": "arn:aws:s3:::a",
            "wanted": ["arn:aws:s3:::b"], "negated": false,
            "message": "source_arn is arn:aws:s3:::a, the statement wants arn:aws:s3:::b",
        }])
    );
    assert_eq!(json["live"]["statements"][1]["result"], "unknown");
    assert!(!json["live"]["revision_id"].is_null() && json["grant"].is_null());
}

#[test]
fn wrong_usage_and_wrong_files_come_before_any_call() {
    let lambda = with(&[]);
    let room = lambda.room(WISHES);
    for (words, cause) in [
        ("explain", "--principal <P>"),
        ("explain f", "--principal <P>"),
        ("explain --principal *", "<TARGET>"),
        ("explain f --principal s3", "--principal: `s3` is not a principal"),
        ("explain f --principal arn:aws:sts::123456789012:assumed-role/x", "is not a session"),
        ("explain f!g --principal *", "TARGET: `f!g` is not a function name"),
        ("explain f:$LATEST --principal *", "`$LATEST` cannot carry a policy"),
        (
            "explain f --principal * --action Invoke",
            "--action: `Invoke` is not one action of Lambda",
        ),
        ("explain f --principal * --action lambda:*", "--action: `lambda:*` is not one action"),
        ("explain f --principal * --source-arn bucket", "--source-arn: `bucket` is not an ARN"),
        (
            "explain f --principal * --source-account 12",
            "--source-account: `12` is not an account id",
        ),
        ("explain f --principal * --org x", "--org: `x` is not an organization id"),
        (
            "explain f --principal * --event-source-token a/b",
            "--event-source-token: `a/b` is not a token",
        ),
        (
            "explain f --principal * --auth-type none",
            "invalid value 'none' for '--auth-type <TYPE>'",
        ),
        ("explain f --principal * --output html", "invalid value 'html' for '--output <OUTPUT>'"),
        ("explain f --principal * --account 12", "--account: `12` is not an account id"),
        ("explain f --principal * --region nowhere", "--region: `nowhere` is not a region"),
    ] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "`{words}`: {said:?}");
        assert!(said.err.contains(cause), "`{words}`: no `{cause}` in {said:?}");
    }
    room.write("bad.yaml", "functions:\n  - {function: f, statments: []}\n");
    for words in ["explain f bad.yaml --principal *", "explain f gone.yaml --principal *"] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "`{words}`: {said:?}");
    }
    assert_eq!(lambda.calls(), Vec::<String>::new());
    let said = room.permitd("explain --help");
    for it in ["0 allowed by the live policy, 2 not allowed", "[env: PERMITD_SOURCE_ARN=]"] {
        assert!(said.out.contains(it), "no `{it}` in {said:?}");
    }
}

/// What AWS returned does not command the terminal, and colours add nothing else.
#[test]
fn hostile_values_and_colours() {
    let mut evil = account("x", "210987654321");
    evil["Sid"] = json!("e\u{1b}[31mvil\u{202e}");
    let lambda = with(&[evil]);
    let room: Room = lambda.room("");
    let said = room.permitd("explain f --principal 210987654321");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains("e\\u{1b}[31mvil\\u{202e}") && !said.out.contains('\u{1b}'),
        "{said:?}"
    );
    let said = room.permitd("explain f --principal 210987654321 --color always");
    assert!(said.out.contains("\u{1b}[32m+\u{1b}[0m"), "{said:?}");
}
