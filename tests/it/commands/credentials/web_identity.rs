//! A token in a file, for a role: IAM roles for service accounts (IRSA).

use crate::commands::harness::{Lambda, account, policy};

use super::{
    HOUR, Room, SOON_OVER,
    fake::{Fake, Got, session},
    key, plan, renews, room,
};

const ACTION: &str = "AssumeRoleWithWebIdentity";
const ROLE: &str = "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpermitd";

fn fake(seconds: i64) -> Fake {
    Fake::new(move |got, n| {
        (got.field("Action") == Some(ACTION)).then(|| (200, session(ACTION, n, seconds)))
    })
}

/// As the webhook of EKS puts it into a pod.
fn pod(fake: &Fake) -> Room {
    let room = room(fake);
    room.write("token", "first");
    room.with("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
        .with("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/permitd")
        .with("AWS_ROLE_SESSION_NAME", "it")
        .with("AWS_STS_REGIONAL_ENDPOINTS", "regional")
}

fn tokens(asked: &[Got]) -> Vec<&str> {
    asked.iter().filter_map(|it| it.field("WebIdentityToken")).collect()
}

#[test]
fn the_role_of_a_service_account() {
    let fake = fake(HOUR);
    plan(&pod(&fake));
    assert_eq!(fake.readers(), [key(0)]);
    let asked = fake.asked();
    assert_eq!(tokens(&asked), ["first"]);
    assert_eq!(asked[0].field("RoleArn"), Some(ROLE));
    assert_eq!(asked[0].field("RoleSessionName"), Some("it"));
    assert_eq!(asked[0].header("authorization"), "", "there is nothing to sign with");
}

/// Kubernetes puts a new token into the file long before the old one ends.
#[test]
fn a_new_token_for_new_credentials() {
    let fake = fake(SOON_OVER);
    let room = pod(&fake);
    renews(&room, &fake, 2);
    room.write("token", "second");
    renews(&room, &fake, fake.readers().len() + 2);
    let asked = fake.asked();
    let tokens = tokens(&asked);
    let at = tokens.iter().position(|it| *it == "second").unwrap();
    assert!(at >= 2 && tokens[at..].iter().all(|it| *it == "second"), "{tokens:?}");
}

/// The same by the simulator, which gives keys of the role's account.
#[test]
fn the_role_is_of_the_account_that_is_looked_after() {
    let mut live = account("a", "210987654321");
    live["Resource"] = serde_json::json!("arn:aws:lambda:us-east-1:111111111111:function:f");
    let live = policy(&[live]);
    let lambda = Lambda::seeded(&serde_json::json!({"accounts": [
        {"id": "111111111111", "region": "us-east-1", "functions": [{"name": "f", "policy": live}]}
    ]}));
    let wishes = "functions:\n  - {function: f, ownership: all, statements: [{sid: a, principal: '210987654321'}]}\n";
    let room = lambda.room(wishes).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    room.write("token", "first");
    let room = room
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
        .with("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/permitd");
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(
        lambda.calls().iter().map(|it| it.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["AssumeRoleWithWebIdentity", "GetCallerIdentity", "GetPolicy"]
    );
}

#[test]
fn why_there_are_none() {
    let refusal = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                   <Type>Sender</Type><Code>InvalidIdentityToken</Code>\
                   <Message>No OpenIDConnect provider found in your account</Message></Error>\
                   <RequestId>1</RequestId></ErrorResponse>";
    let fake = Fake::new(move |_, _| Some((400, refusal.to_owned())));
    let said = pod(&fake).permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("InvalidIdentityToken"), "{said:?}");
    assert!(said.out.contains("No OpenIDConnect provider found"), "{said:?}");
    let said = pod(&fake).with("AWS_WEB_IDENTITY_TOKEN_FILE", "nowhere").permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("nowhere") || said.out.contains("No such file"), "{said:?}");
}
