//! Functions, versions, aliases, tags, accounts, regions and STS: as far as policies need them.

use serde_json::{Value, json};

use crate::{simulator_client::Served, simulator_rules::starts};

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

#[tokio::test]
async fn accounts_and_regions_are_told_apart() {
    let served = Served::new(
        r#"
accounts:
  - {id: "111111111111", region: eu-west-1, access_keys: [AKIDONE], functions: [{name: f}]}
  - {id: "222222222222", region: us-east-1, access_keys: [AKIDTWO], functions: [{name: f}, {name: g}]}
"#,
    )
    .await;
    let names = async |served: &Served| {
        let answer = served.call("ListFunctions", &json!({})).await;
        let list = answer.json()["Functions"].as_array().cloned().unwrap_or_default();
        list.iter().map(|it| it["FunctionArn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let one = served.signed("AKIDONE", "eu-west-1");
    assert_eq!(names(&one).await, ["arn:aws:lambda:eu-west-1:111111111111:function:f"]);
    assert_eq!(names(&served.signed("AKIDONE", "us-east-1")).await, Vec::<String>::new());
    assert_eq!(names(&served.signed("AKIDTWO", "us-east-1")).await.len(), 2);
    assert_eq!(names(&served.unsigned()).await.len(), 1, "the first account's region");
    let stranger = served.signed("AKIDNOBODY", "us-east-1");
    let answer = stranger.call("ListFunctions", &json!({})).await.summary();
    assert_eq!(
        answer,
        "403 UnrecognizedClientException: The security token included in the request is invalid."
    );
    let foreign = "arn:aws:lambda:eu-west-1:222222222222:function:f";
    starts(
        &one.call("GetPolicy", &json!({"FunctionName": foreign})).await.summary(),
        "403 AccessDeniedException: User: ",
    );
    let elsewhere = "arn:aws:lambda:us-east-1:111111111111:function:f";
    assert_eq!(
        one.call("GetPolicy", &json!({"FunctionName": elsewhere})).await.summary(),
        "404 ResourceNotFoundException: Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"
    );
}

#[tokio::test]
async fn sts_says_who_one_is_and_makes_one_somebody_else() {
    let served = Served::new("").await;
    let me = served.send("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(me.header("content-type"), Some("text/xml"));
    assert!(me.body.contains("<Account>123456789012</Account>"), "{}", me.body);
    let role = "arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fpath%2Fpermitd";
    let form = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=x");
    let assumed = served.send("POST", "/", &form).await.body;
    let key = assumed.split_once("<AccessKeyId>").unwrap().1.split_once('<').unwrap().0;
    let there = served.signed(key, "us-east-1");
    let me = there.send("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15").await.body;
    assert!(me.contains("arn:aws:sts::210987654321:assumed-role/permitd/x"), "{me}");
    there.function("f").await;
    let arn = "arn:aws:lambda:us-east-1:210987654321:function:f";
    assert_eq!(there.add(arn, "s3").await.status, 201);
    starts(&served.add(arn, "other").await.summary(), "403 ");
    let bad = served.send("POST", "/", "Action=AssumeRole&RoleSessionName=x").await;
    assert_eq!((bad.status, bad.body.contains("<Code>ValidationError</Code>")), (400, true));
}

#[tokio::test]
async fn sts_takes_a_token_in_place_of_a_signature() {
    let served = Served::new("").await;
    let role = "arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fpermitd";
    let form = format!("Action=AssumeRoleWithWebIdentity&RoleArn={role}&RoleSessionName=x");
    let bad = served.send("POST", "/", &form).await;
    assert_eq!((bad.status, bad.body.contains("WebIdentityToken is missing")), (400, true));
    let assumed = served.send("POST", "/", &format!("{form}&WebIdentityToken=any")).await.body;
    assert!(assumed.contains("<AssumeRoleWithWebIdentityResult>"), "{assumed}");
    let key = assumed.split_once("<AccessKeyId>").unwrap().1.split_once('<').unwrap().0;
    let there = served.signed(key, "us-east-1");
    let me = there.send("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15").await.body;
    assert!(me.contains("arn:aws:sts::210987654321:assumed-role/permitd/x"), "{me}");
}

#[tokio::test]
async fn lists_come_in_pages_of_fifty_at_most() {
    let served = Served::new("").await;
    for n in 0..120 {
        served.function(&format!("f{n:03}")).await;
    }
    for (size, pages) in
        [(None, 3), (Some(10_000), 3), (Some(50), 3), (Some(40), 3), (Some(119), 3)]
    {
        let (mut marker, mut found, mut n) = (Value::Null, Vec::new(), 0);
        loop {
            let parameters = json!({"Marker": marker, "MaxItems": size});
            let page = served.call("ListFunctions", &parameters).await.json();
            let names = page["Functions"].as_array().unwrap().clone();
            found.extend(names.iter().map(|it| it["FunctionName"].clone()));
            n += 1;
            marker = page["NextMarker"].clone();
            if marker.is_null() {
                break;
            }
        }
        assert_eq!((found.len(), n), (120, pages), "{size:?}");
        assert!(found.windows(2).all(|it| it[0].as_str() < it[1].as_str()));
    }
    for (more, expected) in [
        (
            json!({"MaxItems": 0}),
            "400 ValidationException: 1 validation error detected: Value '0' at 'maxItems'",
        ),
        (json!({"MaxItems": 10_001}), "400 ValidationException: "),
        (
            json!({"FunctionVersion": "invalid"}),
            "400 ValidationException: 1 validation error detected: Value 'invalid' at \
             'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]",
        ),
    ] {
        starts(&served.call("ListFunctions", &more).await.summary(), expected);
    }
    let entry = served
        .call("ListFunctions", &json!({"MaxItems": 1, "FunctionVersion": "ALL"}))
        .await
        .json();
    assert!(entry["Functions"][0]["FunctionArn"].as_str().unwrap().ends_with(":f000:$LATEST"));
    assert!(entry["Functions"][0].get("State").is_none());
}

#[tokio::test]
async fn versions_and_aliases_follow_lambdas_rules() {
    let served = Served::new("").await;
    let created = served.function("f").await;
    assert_eq!(
        (created["State"].clone(), created["Version"].clone()),
        (json!("Pending"), json!("$LATEST"))
    );
    let publish =
        async || served.call("PublishVersion", &json!({"FunctionName": "f"})).await.json();
    let first = publish().await;
    assert_eq!(
        (first["Version"].clone(), publish().await["Version"].clone()),
        (json!("1"), json!("1"))
    );
    served
        .call("UpdateFunctionConfiguration", &json!({"FunctionName": "f", "MemorySize": 256}))
        .await;
    assert_eq!(publish().await["Version"], json!("2"));
    let alias = |name: &str, version: &str| json!({"FunctionName": "f", "Name": name, "FunctionVersion": version});
    for (parameters, expected) in [
        (alias("live", "1"), "201"),
        (alias("live", "1"), "409 ResourceConflictException: Alias already exists: "),
        (alias("blue", "7"), "404 ResourceNotFoundException: Function not found: "),
        (
            alias("2024", "1"),
            "400 ValidationException: 1 validation error detected: Value '2024' at 'name'",
        ),
        (alias("latest", "$LATEST"), "201"),
    ] {
        starts(&served.call("CreateAlias", &parameters).await.summary(), expected);
    }
    served.add("f:live", "kept").await;
    assert_eq!(
        served.call("UpdateAlias", &alias("live", "2")).await.json()["FunctionVersion"],
        json!("2")
    );
    assert_eq!(served.sids("f:live").await, ["kept"]);
    let list = served.call("ListVersionsByFunction", &json!({"FunctionName": "f"})).await.json();
    let versions = list["Versions"].as_array().unwrap().iter().map(|it| it["Version"].clone());
    assert_eq!(versions.collect::<Vec<_>>(), [json!("$LATEST"), json!("1"), json!("2")]);
    let aliases = json!({"FunctionName": "f", "FunctionVersion": "2"});
    let list = served.call("ListAliases", &aliases).await.json();
    assert_eq!(list["Aliases"][0]["Name"], json!("live"));
    let function = json!({"FunctionName": "f", "Qualifier": "live"});
    let function = served.call("GetFunction", &function).await.json();
    assert_eq!(function["Configuration"]["Version"], json!("2"));
    let missing = served.call("GetFunction", &json!({"FunctionName": "f:nope"})).await.summary();
    assert_eq!(missing, format!("404 ResourceNotFoundException: Function not found: {FN}:nope"));
    let used = json!({"FunctionName": "f", "Qualifier": "2"});
    starts(&served.call("DeleteFunction", &used).await.summary(), "409 ");
}

#[tokio::test]
async fn tags_hang_on_functions_only() {
    let served = Served::new("").await;
    served.function("f").await;
    let tag = json!({"Resource": FN, "Tags": {"team": "a", "x": "y"}});
    assert_eq!(served.call("TagResource", &tag).await.status, 204);
    assert_eq!(
        served.call("UntagResource", &json!({"Resource": FN, "tagKeys": "x"})).await.status,
        204
    );
    let tags = served.call("ListTags", &json!({"Resource": FN})).await.json();
    assert_eq!(tags, json!({"Tags": {"team": "a"}}));
    let function = served.call("GetFunction", &json!({"FunctionName": "f"})).await.json();
    assert_eq!(function["Tags"], json!({"team": "a"}));
    let alias = served.call("ListTags", &json!({"Resource": format!("{FN}:live")})).await.summary();
    starts(&alias, "400 InvalidParameterValueException: Tags on function aliases and versions");
}

#[tokio::test]
async fn what_goes_takes_its_policies_along() {
    let served = Served::new(
        r#"accounts: [{id: "123456789012", functions: [{name: f, aliases: {live: "1"}}]}]"#,
    )
    .await;
    served.add("f:live", "a").await;
    let alias = json!({"FunctionName": "f", "Name": "live"});
    assert_eq!(served.call("DeleteAlias", &alias).await.status, 204);
    let again = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    assert_eq!(served.call("CreateAlias", &again).await.status, 201);
    assert_eq!(served.sids("f:live").await, Vec::<String>::new());
    assert_eq!(served.call("DeleteFunction", &json!({"FunctionName": "f"})).await.status, 204);
    served.function("f").await;
    assert_eq!(served.sids("f").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_authorization_has_to_be_whole_and_may_be_demanded() {
    let served = Served::new("").await;
    let list = "/2015-03-31/functions/";
    assert_eq!(served.unsigned().send("GET", list, "").await.status, 200);
    served.control("PUT", "state", &json!({"switches": {"require_authorization": true}})).await;
    let answer = served.unsigned().send("GET", list, "").await.summary();
    assert_eq!(answer, "403 MissingAuthenticationTokenException: Missing Authentication Token");
    let presigned = "?X-Amz-Credential=AKID%2F20261122%2Feu-west-1%2Flambda%2Faws4_request";
    let presigned = served.unsigned().send("GET", &format!("{list}{presigned}"), "").await;
    assert_eq!(presigned.status, 200);
    let broken = served.signed("A/B", "us-east-1").send("GET", list, "").await.summary();
    starts(&broken, "403 IncompleteSignatureException: ");
    let log = served.control("GET", "requests", &Value::Null).await;
    let errors: Vec<_> =
        log["requests"].as_array().unwrap().iter().map(|it| &it["error"]).collect();
    assert_eq!(errors[1], &json!("MissingAuthenticationTokenException"));
    assert_eq!(served.send("GET", "/2099-01-01/nothing", "").await.status, 404);
}
