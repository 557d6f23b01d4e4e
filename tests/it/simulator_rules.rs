//! Lambda's rules, one table for each: order of checks, qualifiers, revisions, orphans, size, the Put family.

use std::borrow::Borrow;

use serde_json::{Value, json};

use crate::simulator_client::Served;

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const ROLE: &str = "arn:aws:iam::123456789012:role/importer";
const STALE: &str = "412 PreconditionFailedException: The Revision Id provided does not match the \
                     latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id";
const PRINCIPAL: &str = "400 InvalidParameterValueException: The provided principal was invalid. \
                         Please check the principal and try again.";

fn grant(more: impl Borrow<Value>) -> Value {
    let mut res = json!({"FunctionName": "f", "StatementId": "s3",
        "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"});
    merge(&mut res, more.borrow());
    res
}

fn merge(base: &mut Value, more: &Value) {
    for (key, value) in more.as_object().unwrap() {
        base[key] = value.clone();
    }
}

/// A function `f` with version 1 and alias `live`, and one statement in its unqualified policy.
async fn served() -> Served {
    Served::new(
        r#"
accounts:
  - id: "123456789012"
    functions:
      - name: f
        versions: 1
        aliases: {live: "1"}
        policy:
          Version: "2012-10-17"
          Id: default
          Statement:
            - {Sid: old, Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:123456789012:function:f"}
    principals: ["arn:aws:iam::123456789012:role/importer"]
"#,
    )
    .await
}

#[track_caller]
pub(crate) fn starts(found: &str, expected: &str) {
    assert!(found.starts_with(expected), "{found}\nshould start with\n{expected}");
}

/// Each row breaks one more rule than the row before it, and the earliest rule wins.
#[tokio::test]
async fn checks_of_add_permission_come_in_lambdas_order() {
    let served = served().await;
    let mut broken = grant(json!({"StatementId": "old", "Principal": "nobody"}));
    let steps = [
        (json!({"StatementId": "new"}), PRINCIPAL),
        (
            json!({"FunctionUrlAuthType": "NONE"}),
            "400 InvalidParameterValueException: FunctionUrlAuthType is only supported",
        ),
        (json!({"StatementId": "old"}), "409 ResourceConflictException: The statement id (old)"),
        (json!({"RevisionId": "wrong"}), STALE),
        (json!({"Qualifier": "nope"}), "404 ResourceNotFoundException: Cannot find alias arn: "),
        (
            json!({"FunctionName": "missing"}),
            "404 ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:123456789012:function:missing",
        ),
        (
            json!({"Qualifier": "$LATEST"}),
            "400 InvalidParameterValueException: We currently do not support adding policies for $LATEST.",
        ),
        (
            json!({"FunctionName": "missing:live"}),
            "400 InvalidParameterValueException: The derived qualifier from the function name",
        ),
        (
            json!({"StatementId": "not a sid"}),
            "400 ValidationException: 1 validation error detected: Value 'not a sid' at 'statementId'",
        ),
        (
            json!({"Action": "s3:x", "SourceArn": "arn:aws:events:*:123456789012:rule/x"}),
            "400 ValidationException: 3 validation errors detected: ",
        ),
    ];
    for (more, expected) in steps {
        merge(&mut broken, &more);
        let answer = served.call("AddPermission", &broken).await;
        starts(&answer.summary(), expected);
    }
    assert_eq!(served.sids("f").await, ["old"]);
}

#[tokio::test]
async fn checks_of_remove_permission_come_in_lambdas_order() {
    let served = served().await;
    let call = async |more: Value| {
        let mut parameters = json!({"FunctionName": "f", "StatementId": "old"});
        merge(&mut parameters, &more);
        served.call("RemovePermission", &parameters).await.summary()
    };
    let not_found = "404 ResourceNotFoundException: ";
    for (more, expected) in [
        (
            json!({"FunctionName": "x"}),
            "No policy found for: arn:aws:lambda:us-east-1:123456789012:function:x",
        ),
        (json!({"Qualifier": "42"}), &format!("Function not found: {FN}:42")),
        (json!({"Qualifier": "blue"}), &format!("Cannot find alias arn: {FN}:blue")),
        (json!({"Qualifier": "live"}), "No policy is associated with the given resource."),
        (
            json!({"StatementId": "a.b", "RevisionId": "wrong"}),
            "Statement a.b is not found in resource policy.",
        ),
    ] {
        assert_eq!(call(more).await, format!("{not_found}{expected}"));
    }
    assert_eq!(call(json!({"RevisionId": "wrong"})).await, STALE);
    let switches = json!({"switches": {"check_order_remove": "revision_first"}});
    served.control("PUT", "state", &switches).await;
    assert_eq!(call(json!({"StatementId": "x", "RevisionId": "wrong"})).await, STALE);
    let revision = served.revision("f").await;
    assert_eq!(call(json!({"RevisionId": revision})).await, "204");
    assert_eq!(
        call(json!({})).await,
        format!("{not_found}No policy is associated with the given resource.")
    );
}

#[tokio::test]
async fn a_missing_qualifier_is_a_version_or_an_alias() {
    let served = served().await;
    for (qualifier, expected) in [
        ("42", "Function not found: "),
        ("01", "Function not found: "),
        ("a$b", "Function not found: "),
        ("$LATEST.PUBLISHED", "Function not found: "),
        ("blue", "Cannot find alias arn: "),
        ("4x", "Cannot find alias arn: "),
    ] {
        let answer = served.call("AddPermission", &grant(json!({"Qualifier": qualifier}))).await;
        let expected = format!("404 ResourceNotFoundException: {expected}{FN}:{qualifier}");
        assert_eq!(answer.summary(), expected);
        let answer =
            served.call("GetPolicy", &json!({"FunctionName": "f", "Qualifier": qualifier})).await;
        let expected = "404 ResourceNotFoundException: The resource you requested does not exist.";
        assert_eq!(answer.summary(), expected);
    }
}

#[tokio::test]
async fn every_qualifier_has_its_own_policy_and_revision() {
    let served = served().await;
    let before = served.revision("f").await;
    for qualifier in ["1", "live"] {
        let parameters = grant(json!({"StatementId": "old", "Qualifier": qualifier}));
        let answer = served.call("AddPermission", &parameters).await;
        let statement = answer.json()["Statement"].as_str().unwrap().to_owned();
        assert!(statement.contains(&format!("\"Resource\":\"{FN}:{qualifier}\"")), "{statement}");
    }
    assert_eq!(served.revision("f").await, before);
    assert_ne!(served.revision("f:1").await, served.revision("f:live").await);
    // The same policy, however it is named.
    let encoded = format!("{FN}:live");
    for name in ["f:live", "123456789012:function:f:live", encoded.as_str()] {
        assert_eq!(served.sids(name).await, ["old"]);
    }
}

#[tokio::test]
async fn revisions_move_with_every_write_and_with_nothing_else() {
    let served = served().await;
    let first = served.revision("f").await;
    for (operation, parameters) in [
        ("AddPermission", grant(json!({"StatementId": "old"}))),
        ("AddPermission", grant(json!({"RevisionId": "wrong"}))),
        ("RemovePermission", json!({"FunctionName": "f", "StatementId": "x"})),
        ("PublishVersion", json!({"FunctionName": "f"})),
        ("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 9})),
        ("PublishVersion", json!({"FunctionName": "f"})),
    ] {
        served.call(operation, &parameters).await;
        assert_eq!(served.revision("f").await, first, "{operation}");
    }
    let answer = served.call("AddPermission", &grant(json!({"RevisionId": first}))).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json().as_object().unwrap().len(), 1, "no RevisionId in the answer");
    let second = served.revision("f").await;
    assert_ne!(first, second);
    let stale = json!({"FunctionName": "f", "StatementId": "s3", "RevisionId": first});
    assert_eq!(served.call("RemovePermission", &stale).await.summary(), STALE);
    let fresh = json!({"FunctionName": "f", "StatementId": "s3", "RevisionId": second});
    assert_eq!(served.call("RemovePermission", &fresh).await.status, 204);
    assert_ne!(served.revision("f").await, second);
    assert_eq!(second.len(), 36);
}

#[tokio::test]
async fn the_first_add_takes_no_revision_but_an_aliass_own() {
    let served = served().await;
    let own = |name: &str, answer: Value| answer[name].as_str().unwrap().to_owned();
    let alias = served.call("GetAlias", &json!({"FunctionName": "f", "Name": "live"})).await;
    let alias = own("RevisionId", alias.json());
    let version = json!({"FunctionName": "f", "Qualifier": "1"});
    let version = served.call("GetFunctionConfiguration", &version).await;
    let version = own("RevisionId", version.json());
    let add = async |qualifier: &str, revision: &str| {
        let more = json!({"Qualifier": qualifier, "RevisionId": revision});
        served.call("AddPermission", &grant(more)).await.summary()
    };
    assert_eq!(add("1", &version).await, STALE);
    assert_eq!(add("live", &version).await, STALE);
    let reject = json!({"switches": {"first_add_revision": "reject_any"}});
    served.control("PUT", "state", &reject).await;
    assert_eq!(add("live", &alias).await, STALE);
    let accept = json!({"switches": {"first_add_revision": "accept_alias_own"}});
    served.control("PUT", "state", &accept).await;
    assert_eq!(add("live", &alias).await, "201");
}

#[tokio::test]
async fn the_old_revision_model_shares_the_functions_id() {
    let served = served().await;
    let switches =
        json!({"switches": {"revision_model": "legacy_function", "get_policy_404": "legacy"}});
    served.control("PUT", "state", &switches).await;
    let function = async || {
        let answer = served.call("GetFunctionConfiguration", &json!({"FunctionName": "f"})).await;
        answer.json()["RevisionId"].as_str().unwrap().to_owned()
    };
    let first = function().await;
    assert_eq!(served.revision("f").await, first);
    let answer = served.call("AddPermission", &grant(json!({"RevisionId": first}))).await;
    assert_eq!(answer.status, 201);
    assert_ne!(function().await, first);
    assert_eq!(served.revision("f").await, function().await);
    let stale = served
        .call("AddPermission", &grant(json!({"StatementId": "x", "RevisionId": first})))
        .await;
    assert!(
        stale
            .summary()
            .ends_with("Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
    );
    let missing = served.call("GetPolicy", &json!({"FunctionName": "x"})).await.summary();
    starts(&missing, "404 ResourceNotFoundException: Function not found: ");
}

#[tokio::test]
async fn a_deleted_principal_spoils_every_add_until_it_is_removed() {
    let served = served().await;
    let orphan = grant(json!({"StatementId": "role", "Principal": ROLE}));
    assert_eq!(served.call("AddPermission", &orphan).await.status, 201);
    let before = served.revision("f").await;
    served.control("POST", "principals", &json!({"delete": [ROLE]})).await;
    let policy = served.call("GetPolicy", &json!({"FunctionName": "f"})).await.json();
    let text = policy["Policy"].as_str().unwrap().to_owned();
    let document: Value = serde_json::from_str(&text).unwrap();
    let id = document["Statement"][1]["Principal"]["AWS"].as_str().unwrap().to_owned();
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    assert_eq!(served.revision("f").await, before, "nobody wrote");
    assert_eq!(served.add("f", "new").await.summary(), PRINCIPAL);
    // Another qualifier has a policy of its own, and a role of the same name is another role.
    assert_eq!(served.add("f:live", "new").await.status, 201);
    served.control("POST", "principals", &json!({"create": [ROLE]})).await;
    assert_eq!(served.add("f", "new").await.summary(), PRINCIPAL);
    let same = served.call("GetPolicy", &json!({"FunctionName": "f"})).await.json();
    assert_eq!(same["Policy"], json!(text));
    starts(&served.call("AddPermission", &orphan).await.summary(), "409 ");
    let remove = json!({"FunctionName": "f", "StatementId": "role"});
    assert_eq!(served.call("RemovePermission", &remove).await.status, 204);
    assert_eq!(served.call("AddPermission", &orphan).await.status, 201);
    served.control("POST", "principals", &json!({"delete": [ROLE]})).await;
    let switches = json!({"switches": {"dangling_principal_blocks_add": "off"}});
    served.control("PUT", "state", &switches).await;
    assert_eq!(served.add("f", "new").await.status, 201);
}

#[tokio::test]
async fn principals_of_every_kind() {
    let served = served().await;
    let malformed = "400 InvalidParameterValueException: The provided input'";
    for (n, (principal, expected)) in [
        ("*", "201"),
        ("210987654321", "201"),
        ("arn:aws:iam::210987654321:root", "201"),
        (ROLE, "201"),
        ("arn:aws:iam::123456789012:role/Importer", PRINCIPAL),
        ("arn:aws:iam::210987654321:role/importer", PRINCIPAL),
        ("arn:aws:sts::123456789012:assumed-role/importer/x", PRINCIPAL),
        ("AROAABCDEFGHIJKLMNOPQ", PRINCIPAL),
        ("1234", PRINCIPAL),
        ("s3", PRINCIPAL),
        ("no-such-service.amazonaws.com", PRINCIPAL),
        ("alexa-connectedhome.amazon.com", "201"),
        ("example.amazon.com", PRINCIPAL),
        ("delivery.logs.amazonaws.com", "201"),
        ("arn:aws:iam:123456789012:role/x", malformed),
        ("arn:aws:iam::123456789012:role/we$ird", malformed),
    ]
    .into_iter()
    .enumerate()
    {
        let more = json!({"StatementId": format!("p{n}"), "Principal": principal});
        let answer = served.call("AddPermission", &grant(more)).await.summary();
        starts(&answer, expected);
    }
    let switches = json!({"switches": {"service_directory": "any", "principal_directory": "any"}});
    served.control("PUT", "state", &switches).await;
    for (n, principal) in
        ["no-such-service.amazonaws.com", "arn:aws:iam::210987654321:role/x"].iter().enumerate()
    {
        let more = json!({"StatementId": format!("q{n}"), "Principal": principal});
        assert_eq!(served.call("AddPermission", &grant(more)).await.summary(), "201");
    }
}

#[tokio::test]
async fn the_limit_is_20480_bytes_and_not_one_more() {
    let served = Served::new("").await;
    served.function("f").await;
    served.add("f", "first").await;
    let get = async || {
        let answer = served.call("GetPolicy", &json!({"FunctionName": "f"})).await;
        answer.json()["Policy"].as_str().unwrap().to_owned()
    };
    let filler = |n: usize| {
        let arn = format!("arn:aws:s3:::{}", "b".repeat(n));
        grant(json!({"StatementId": "filler", "SourceArn": arn}))
    };
    served.call("AddPermission", &filler(1)).await;
    let size = get().await.len();
    let remove = json!({"FunctionName": "f", "StatementId": "filler"});
    // The pattern takes 10,000 characters at most, so two statements fill it.
    served.call("RemovePermission", &remove).await;
    let other = format!("arn:aws:s3:::{}", "c".repeat(9_950));
    served.call("AddPermission", &grant(json!({"StatementId": "other", "SourceArn": other}))).await;
    let rest = 20_480 - (get().await.len() + size - first_size(&served).await);
    for (n, expected) in [
        (
            rest + 2,
            "400 PolicyLengthExceededException: The final policy size (20481) is bigger than the limit (20480).",
        ),
        (rest + 1, "201"),
    ] {
        let answer = served.call("AddPermission", &filler(n)).await;
        assert_eq!(answer.summary(), expected);
    }
    assert_eq!(get().await.len(), 20_480);
    served.call("RemovePermission", &remove).await;
    let switches = json!({"switches": {"size_overhead_per_statement": 5}});
    served.control("PUT", "state", &switches).await;
    let answer = served.call("AddPermission", &filler(rest + 1)).await;
    starts(&answer.summary(), "400 PolicyLengthExceededException: The final policy size (20495)");
}

/// How long the policy is with its first statement alone.
async fn first_size(served: &Served) -> usize {
    served.function("g").await;
    served.add("g", "first").await;
    let answer = served.call("GetPolicy", &json!({"FunctionName": "g"})).await;
    answer.json()["Policy"].as_str().unwrap().len()
}

#[tokio::test]
async fn put_resource_policy_replaces_everything_and_keeps_the_text() {
    let served = served().await;
    let text = format!(
        "{{ \"Version\": \"2012-10-17\",\n \"Statement\": [ {{\"Effect\": \"Deny\", \
         \"Principal\": \"*\", \"Action\": [\"lambda:InvokeFunction\"], \"Resource\": \"{FN}\", \
         \"Condition\": {{\"NumericLessThan\": {{\"x\": 1.50}}}} }} ] }}"
    );
    let first = served.revision("f").await;
    let put = async |more: Value| {
        let mut parameters = json!({"ResourceArn": FN, "Policy": text});
        merge(&mut parameters, &more);
        served.call("PutResourcePolicy", &parameters).await
    };
    let wrong = json!({"RevisionId": "00000000-0000-0000-0000-000000000000"});
    assert_eq!(put(wrong).await.summary(), STALE);
    starts(&put(json!({"RevisionId": "wrong"})).await.summary(), "400 ValidationException: 2 ");
    let answer = put(json!({"RevisionId": first})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let second = answer.json()["RevisionId"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["Policy"], json!(text));
    for (operation, parameters) in [
        ("GetPolicy", json!({"FunctionName": "f"})),
        ("GetResourcePolicy", json!({"ResourceArn": FN})),
    ] {
        let answer = served.call(operation, &parameters).await;
        assert_eq!(answer.json(), json!({"Policy": text, "RevisionId": second}), "{operation}");
    }
    assert_ne!(
        put(json!({})).await.json()["RevisionId"],
        json!(second),
        "a new id for the same text"
    );
    assert_eq!(served.add("f", "s3").await.status, 201);
    assert_eq!(served.sids("f").await, ["-", "s3"]);
    let policy = served.call("GetPolicy", &json!({"FunctionName": "f"})).await.body;
    assert!(policy.contains(r#"\"x\":1.50"#), "{policy}");
    let delete = json!({"ResourceArn": FN, "RevisionId": second});
    assert_eq!(served.call("DeleteResourcePolicy", &delete).await.summary(), STALE);
    let last = served.revision("f").await;
    let delete = json!({"ResourceArn": FN, "RevisionId": last});
    assert_eq!(served.call("DeleteResourcePolicy", &delete).await.status, 204);
    assert_eq!(served.sids("f").await, Vec::<String>::new());
    starts(
        &served.call("DeleteResourcePolicy", &json!({"ResourceArn": FN})).await.summary(),
        "404 ",
    );
}

#[tokio::test]
async fn put_resource_policy_refuses_what_is_no_policy() {
    let served = served().await;
    let statement = |principal: Value| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal,
            "Action": "lambda:InvokeFunction", "Resource": FN}]})
        .to_string()
    };
    for (policy, expected) in [
        (
            String::new(),
            "400 ValidationException: 2 validation errors detected: Value '' at 'policy'",
        ),
        ("{".to_owned(), "400 InvalidParameterValueException: The provided policy is invalid: EOF"),
        ("{}".to_owned(), "400 InvalidParameterValueException: The provided policy is invalid: "),
        (
            json!({"Version": "2012-10-17", "Statement": []}).to_string(),
            "400 InvalidParameterValueException: The provided policy is invalid: it has no statements",
        ),
        ("x".repeat(20_481), "400 ValidationException: 1 "),
        (statement(json!({"AWS": "AROAABCDEFGHIJKLMNOPQ"})), PRINCIPAL),
        (statement(json!({"AWS": ["*", "arn:aws:iam::123456789012:role/nobody"]})), PRINCIPAL),
        (statement(json!({"AWS": [ROLE, "210987654321"], "Service": "sns.amazonaws.com"})), "200"),
    ] {
        let put = json!({"ResourceArn": FN, "Policy": policy});
        starts(&served.call("PutResourcePolicy", &put).await.summary(), expected);
    }
    for (switch, expected) in
        [("absent", "404 UnknownOperationException"), ("absent_403", "403 AccessDenied")]
    {
        served.control("PUT", "state", &json!({"switches": {"put_family": switch}})).await;
        starts(
            &served.call("GetResourcePolicy", &json!({"ResourceArn": FN})).await.summary(),
            expected,
        );
    }
}

#[tokio::test]
async fn public_statements_are_refused_where_the_account_says_so() {
    let served = served().await;
    served.control("PUT", "state", &json!({"switches": {"public_block": true}})).await;
    let blocked = "400 PublicPolicyException: ";
    for (n, (more, expected)) in [
        (json!({"Principal": "*"}), blocked),
        (json!({"Principal": "*", "SourceAccount": "123456789012"}), "201"),
        (json!({"Principal": "*", "PrincipalOrgID": "o-1234567890"}), "201"),
        (
            json!({"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}),
            blocked,
        ),
        (json!({"Principal": "210987654321"}), "201"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut more = more;
        more["StatementId"] = json!(format!("s{n}"));
        starts(&served.call("AddPermission", &grant(more)).await.summary(), expected);
    }
}

#[tokio::test]
async fn old_statements_have_another_order() {
    let served = served().await;
    served.control("PUT", "state", &json!({"switches": {"statement_render": "legacy2015"}})).await;
    let answer = served.add("f", "s3").await.json();
    let text = answer["Statement"].as_str().unwrap();
    starts(text, r#"{"Action":"lambda:InvokeFunction","Resource":"#);
    assert!(text.ends_with(r#""Sid":"s3"}"#), "{text}");
}

#[tokio::test]
async fn what_is_not_sure_can_be_switched() {
    let served = served().await;
    let switches =
        json!({"put_echo": "compact", "publish_unchanged": "new", "principal_flicker": "1h"});
    served.control("PUT", "state", &json!({"switches": switches})).await;
    let policy =
        "{ \"Statement\": {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"*\"} }";
    let put = served.call("PutResourcePolicy", &json!({"ResourceArn": FN, "Policy": policy})).await;
    let compact = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#;
    assert_eq!(put.json()["Policy"], json!(compact));
    for version in ["2", "3"] {
        let made = served.call("PublishVersion", &json!({"FunctionName": "f"})).await.json();
        assert_eq!(made["Version"], json!(version));
    }
    // A role that is new shows as its id for a while, and blocks nothing.
    let role = "arn:aws:iam::123456789012:role/new";
    served.control("POST", "principals", &json!({"create": [role]})).await;
    let add = grant(json!({"StatementId": "new", "Principal": role}));
    assert_eq!(served.call("AddPermission", &add).await.status, 201);
    let body = served.call("GetPolicy", &json!({"FunctionName": "f"})).await.body;
    assert!(body.contains("AROA") && !body.contains(role), "{body}");
    assert_eq!(served.add("f", "more").await.status, 201);
    served.control("PUT", "state", &json!({"switches": {"principal_flicker": 0}})).await;
    let body = served.call("GetPolicy", &json!({"FunctionName": "f"})).await.body;
    assert!(body.contains(role) && !body.contains("AROA"), "{body}");
}
