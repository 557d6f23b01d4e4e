//! The cases recorded from AWS, against `policy/`.

use permitd::policy::{
    canonical::Canonical,
    document::Document,
    grant::Draft,
    statement::{Class, Statement},
    target::{Defaults, Target},
};
use serde_json::Value;

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn target_of(request: &Value) -> Target {
    let name = request["FunctionName"].as_str().unwrap();
    let defaults =
        Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) };
    Target::parse(name, request["Qualifier"].as_str(), &defaults).unwrap()
}

fn draft(request: &Value) -> Draft<'_> {
    let text = |key: &str| request[key].as_str();
    Draft {
        sid: text("StatementId").unwrap_or_default(),
        principal: text("Principal").unwrap_or_default(),
        action: text("Action"),
        source_arn: text("SourceArn"),
        source_account: text("SourceAccount"),
        principal_org_id: text("PrincipalOrgID"),
        event_source_token: text("EventSourceToken"),
        function_url_auth_type: text("FunctionUrlAuthType"),
        invoked_via_function_url: request["InvokedViaFunctionUrl"].as_bool(),
    }
}

#[test]
fn every_accepted_request_gives_the_statement_that_lambda_writes() {
    let mut n = 0;
    for case in cases("requests.json") {
        let name = case["name"].as_str().unwrap();
        let expect = &case["expect"];
        if case["op"] != "AddPermission" || expect["status"] != 201 {
            continue;
        }
        let target = target_of(&case["request"]);
        let draft = draft(&case["request"]);
        let permission =
            draft.check(target.partition()).unwrap_or_else(|it| panic!("{name}: {it:?}"));
        let text = permission.statement_text(draft.sid, &target);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, expect["statement"], "{name}");
        if let Some(expected) = expect["statement_text"].as_str() {
            assert_eq!(text, expected, "{name}");
        }
        let live = Statement::read(&expect["statement"].to_string(), &target);
        assert_eq!(*live.class(), Class::Expressible(permission), "{name}: and back again");
        n += 1;
    }
    assert!(n >= 25, "only {n} cases");
}

/// What the file alone shows to be wrong is found before any call; the rest only Lambda can know.
#[test]
fn refused_requests_are_refused_before_any_call_where_the_file_shows_it() {
    let found_by_file = [
        "bad_qualifier_char",
        "statement_id_101_chars",
        "bad_source_account",
        "bad_action",
        "missing_principal",
        "qualifier_mismatch",
        "unknown_service_principal",
        "bare_amazonaws_com",
        "malformed_iam_arn",
        "url_auth_type_with_invoke_function",
        "dollar_qualifier_missing",
    ];
    for case in cases("requests.json") {
        let name = case["name"].as_str().unwrap();
        if case["op"] != "AddPermission" || case["expect"]["error"].is_null() {
            continue;
        }
        let request = &case["request"];
        let defaults =
            Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) };
        let function = request["FunctionName"].as_str().unwrap();
        let target = Target::parse(function, request["Qualifier"].as_str(), &defaults);
        let refused = target.is_err() || draft(request).check("aws").is_err();
        assert_eq!(refused, found_by_file.contains(&name), "{name}");
    }
}

#[test]
fn equal_statements_have_one_canonical_form_and_different_ones_have_not() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:my-function";
    let target = Target::parse(function, None, &Defaults::default()).unwrap();
    let cases = cases("equality.json");
    assert!(cases.len() >= 30);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let read = |key: &str| Statement::read(&case[key].to_string(), &target);
        let (a, b) = (read("a"), read("b"));
        let equal = a.sid() == b.sid() && a.canonical(&target) == b.canonical(&target);
        assert_eq!(equal, case["equal"].as_bool().unwrap(), "{name}");
        // Where both can be expressed, their permissions tell the same.
        if let (Some(a), Some(b)) = (a.permission(), b.permission())
            && case["a"]["Sid"] == case["b"]["Sid"]
        {
            assert_eq!(a == b, equal, "{name}");
        }
        let text = case["a"].to_string();
        let again = Canonical::of_text(&text, "aws");
        assert_eq!(again, a.canonical(&target), "{name}");
    }
}

#[test]
fn recorded_documents_are_read_whole() {
    for case in cases("requests.json") {
        let Some(policy) = case["expect"].get("policy") else { continue };
        let target = target_of(&case["request"]);
        let text = case["expect"]["policy_text"].as_str().map_or(policy.to_string(), str::to_owned);
        let document = Document::parse(text.clone(), "r".into(), &target).unwrap();
        assert_eq!(document.text(), text);
        assert_eq!(document.statements().len(), policy["Statement"].as_array().unwrap().len());
        assert!(document.statements().iter().all(|it| matches!(it.class(), Class::Expressible(_))));
    }
}
