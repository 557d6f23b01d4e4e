//! What the AWS configuration files say: a process, the cache of a login, and roles behind roles.

use serde_json::json;

use super::{
    HOUR, Room, SOON_OVER,
    fake::{Fake, keys, session, until},
    key, plan, renews, room,
};

fn with_config(fake: &Fake, config: &str) -> Room {
    let room = room(fake);
    room.write("aws/config", config);
    room.with("AWS_CONFIG_FILE", "aws/config").with("AWS_PROFILE", "it")
}

/// It gives other keys each time.
const PROCESS: &str = "\
#!/bin/sh
n=$(($(cat n 2>/dev/null || echo -1) + 1)); echo $n >n
end=$(date -u -d \"+$1 seconds\" +%Y-%m-%dT%H:%M:%SZ)
echo '{\"Version\":1,\"AccessKeyId\":\"KEY'$n'\",\"SecretAccessKey\":\"SECRET\",\"SessionToken\":\"TOKEN'$n'\",\"Expiration\":\"'$end'\"}'
";

#[test]
fn a_process() {
    let fake = Fake::new(|_, _| None);
    let room = with_config(&fake, "[profile it]\ncredential_process = sh process 3600\n");
    room.write("process", PROCESS);
    plan(&room);
    assert_eq!(fake.readers(), [key(0)]);
    let room = with_config(&fake, "[profile it]\ncredential_process = sh process 62\n");
    room.write("process", PROCESS);
    room.write("n", "10");
    renews(&room, &fake, 4);
}

#[test]
fn a_process_that_fails() {
    let fake = Fake::new(|_, _| None);
    let room = with_config(&fake, "[profile it]\ncredential_process = sh -c 'exit 3'\n");
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(fake.got().is_empty(), "{said:?}");
    assert!(said.out.contains("NoCredentials"), "{said:?}");
}

const LOGIN: &str = "\
[profile it]
sso_session = ours
sso_account_id = 123456789012
sso_role_name = permitd
[sso-session ours]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
";
/// The name of the session, as its cache is called.
const CACHE: &str = ".aws/sso/cache/48537f613ab85111413f2369616ae97481429bd1.json";

/// The portal of IAM Identity Center, and what prolongs a login.
fn portal(seconds: i64) -> Fake {
    Fake::new(move |got, n| match got.path.split('?').next().unwrap() {
        "/federation/credentials" => {
            let bearer = got.header("x-amz-sso_bearer_token");
            let asked = got.path.contains("role_name=permitd")
                && got.path.contains("account_id=123456789012");
            let millis = jiff::Timestamp::now().as_millisecond() + seconds * 1000;
            let credentials = json!({"roleCredentials": {
                "accessKeyId": format!("KEY{n}"), "secretAccessKey": "SECRET",
                "sessionToken": format!("TOKEN{n}"), "expiration": millis,
            }});
            (asked && ["login", "prolonged"].contains(&bearer))
                .then(|| (200, credentials.to_string()))
        }
        "/token" => got.body.contains("refresh").then(|| {
            let token =
                json!({"accessToken": "prolonged", "tokenType": "Bearer", "expiresIn": 3600});
            (200, token.to_string())
        }),
        _ => None,
    })
}

fn logged_in(fake: &Fake, seconds: i64) -> Room {
    let room = with_config(fake, LOGIN);
    let cache = json!({
        "accessToken": "login", "expiresAt": until(seconds), "region": "us-east-1",
        "startUrl": "https://example.awsapps.com/start", "clientId": "client",
        "clientSecret": "client secret", "refreshToken": "refresh",
        "registrationExpiresAt": until(100_000),
    });
    room.write(CACHE, &cache.to_string());
    room
}

#[test]
fn the_cache_of_a_login() {
    let fake = portal(HOUR);
    plan(&logged_in(&fake, 1800));
    assert_eq!(fake.readers(), [key(0)]);
    assert_eq!(fake.asked()[0].header("x-amz-sso_bearer_token"), "login");
    let fake = portal(SOON_OVER);
    renews(&logged_in(&fake, 1800), &fake, 3);
}

/// As long as its registration lasts, a login that is over is prolonged.
#[test]
fn a_login_that_is_over() {
    let fake = portal(HOUR);
    plan(&logged_in(&fake, -60));
    let asked = fake.asked();
    let paths: Vec<&str> = asked.iter().map(|it| it.path.split('?').next().unwrap()).collect();
    assert_eq!(paths, ["/token", "/federation/credentials"]);
    assert_eq!(asked[1].header("x-amz-sso_bearer_token"), "prolonged");
    let room = with_config(&fake, LOGIN);
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("NoCredentials"), "nobody has logged in: {said:?}");
}

const CHAIN: &str = "\
[profile base]
aws_access_key_id = BASE
aws_secret_access_key = SECRET
[profile middle]
role_arn = arn:aws:iam::123456789012:role/middle
source_profile = base
[profile it]
role_arn = arn:aws:iam::123456789012:role/last
source_profile = middle
external_id = outside
role_session_name = drift
";

fn sts(seconds: i64) -> Fake {
    Fake::new(move |got, n| {
        let assumes = got.field("Action") == Some("AssumeRole");
        assumes.then(|| (200, session("AssumeRole", n, seconds)))
    })
}

#[test]
fn roles_behind_roles() {
    let fake = sts(HOUR);
    plan(&with_config(&fake, CHAIN));
    assert_eq!(fake.readers(), [key(1)]);
    let asked = fake.asked();
    let roles: Vec<&str> =
        asked.iter().map(|it| it.field("RoleArn").unwrap().rsplit("%2F").next().unwrap()).collect();
    assert_eq!(roles, ["middle", "last"]);
    assert_eq!(asked[0].signed_by().0, "BASE");
    assert_eq!(asked[1].signed_by(), key(0));
    assert_eq!(asked[1].field("ExternalId"), Some("outside"));
    assert_eq!(asked[1].field("RoleSessionName"), Some("drift"));
    let fake = sts(SOON_OVER);
    renews(&with_config(&fake, CHAIN), &fake, 3);
}

/// A machine's own role, as the source of another one.
#[test]
fn a_role_behind_what_a_container_is_given() {
    let fake = Fake::new(|got, n| match got.path.as_str() {
        "/v1/credentials" => Some((200, keys(n, HOUR).to_string())),
        _ => (got.field("Action") == Some("AssumeRole"))
            .then(|| (200, session("AssumeRole", n, HOUR))),
    });
    let config = "[profile it]\nrole_arn = arn:aws:iam::123456789012:role/last\ncredential_source = EcsContainer\n";
    let uri = format!("{}/v1/credentials", fake.url);
    plan(&with_config(&fake, config).with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri));
    assert_eq!(fake.readers(), [key(1)]);
    assert_eq!(fake.asked()[1].signed_by(), key(0));
}
