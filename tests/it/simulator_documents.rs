//! PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy over HTTP, answer for answer (`tests/golden/documents.json`).
//!
//! No answer of AWS to these is recorded: paths, members and statuses are from the model (`lambda-semantics.md`, 4.2), texts
//! as those of AddPermission and GetPolicy.

use serde_json::Value;

use crate::simulator_client::Served;

const ARN: &str = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af";
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f"}]}"#;

#[tokio::test]
async fn documents_come_out_as_written_down() {
    let served = Served::new(r#"accounts: [{id: "123456789012", functions: [{name: f}]}]"#).await;
    assert_eq!(served.add("f", "first").await.status, 201);
    let first = served.revision("f").await;
    let mut new = String::new();
    let cases: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string("tests/golden/documents.json").unwrap())
            .unwrap();
    for case in &cases {
        let about = case["about"].as_str().unwrap();
        let fill = |text: &str| {
            text.replace("${ARN}", ARN)
                .replace("${REVISION}", &first)
                .replace("${DOCUMENT_TEXT}", &Value::from(DOCUMENT).to_string())
        };
        let path = fill(case["request"][1].as_str().unwrap()).replace("${NEW}", &new);
        let body = Some(&case["request"][2]).filter(|it| !it.is_null()).map(Value::to_string);
        let body = fill(&body.unwrap_or_default())
            .replace("\"${DOCUMENT}\"", &Value::from(DOCUMENT).to_string());
        let answer = served.send(case["request"][0].as_str().unwrap(), &path, &body).await;
        assert_eq!(u64::from(answer.status), case["answer"][0], "{about}: {}", answer.body);
        let code = answer.header("x-amzn-errortype");
        assert_eq!(code, case["answer"][1].as_str(), "{about}");
        assert!(answer.header("x-amzn-requestid").is_some(), "{about}");
        if answer.status == 200 {
            assert_eq!(answer.header("content-type"), Some("application/json"), "{about}");
        }
        if new.is_empty() {
            answer.json()["RevisionId"].as_str().unwrap().clone_into(&mut new);
            assert_ne!(new, first, "{about}");
        }
        if let Some(expected) = case["answer"][2].as_str() {
            assert_eq!(answer.body, fill(expected).replace("${NEW}", &new), "{about}");
        }
    }
}
