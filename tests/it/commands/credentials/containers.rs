//! What gives credentials to containers and machines: EKS Pod Identity, ECS, and the metadata service of EC2.

use super::{
    HOUR, Room, SOON_OVER,
    fake::{Fake, keys},
    key, plan, renews, room,
};

/// The agent of EKS beside the pod.
fn agent(seconds: i64) -> Fake {
    Fake::new(move |got, n| {
        let knows = ["first", "second"].contains(&got.header("authorization"));
        (got.path == "/v1/credentials" && knows).then(|| (200, keys(n, seconds).to_string()))
    })
}

/// As EKS puts it into a pod, but for the address.
fn pod(fake: &Fake) -> Room {
    let room = room(fake);
    room.write("token", "first");
    let uri = format!("{}/v1/credentials", fake.url);
    room.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri)
        .with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token")
}

#[test]
fn pod_identity() {
    let fake = agent(HOUR);
    plan(&pod(&fake));
    assert_eq!(fake.readers(), [key(0)]);
    let asked = fake.asked();
    assert_eq!((asked.len(), asked[0].header("authorization")), (1, "first"));
}

#[test]
fn pod_identity_renewed_with_the_token_of_then() {
    let fake = agent(SOON_OVER);
    let room = pod(&fake);
    renews(&room, &fake, 2);
    room.write("token", "second");
    renews(&room, &fake, fake.readers().len() + 2);
    assert_eq!(fake.asked().last().unwrap().header("authorization"), "second");
}

/// The host is fixed, 169.254.170.2. A proxy of ours stands in for it, which sees all of the request.
#[test]
fn ecs() {
    let fake = Fake::new(|got, n| {
        let there = got.path == "http://169.254.170.2/v2/credentials/task";
        there.then(|| (200, keys(n, HOUR).to_string()))
    });
    let room = room(&fake)
        .with("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/task")
        .with("HTTP_PROXY", &fake.url)
        .with("NO_PROXY", "127.0.0.1");
    plan(&room);
    assert_eq!(fake.readers(), [key(0)]);
    assert_eq!(fake.asked()[0].method, "GET");
}

/// The metadata service, version 2: nothing without a session.
fn machine(seconds: i64) -> Fake {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    Fake::new(move |got, n| match (got.method.as_str(), got.path.as_str()) {
        ("PUT", "/latest/api/token") => {
            let lasts = got.header("x-aws-ec2-metadata-token-ttl-seconds");
            (!lasts.is_empty()).then(|| (200, "session".to_owned()))
        }
        _ if got.header("x-aws-ec2-metadata-token") != "session" => Some((401, String::new())),
        ("GET", ROLES) => Some((200, "permitd".to_owned())),
        ("GET", path) => (path.strip_prefix(ROLES) == Some("permitd"))
            .then(|| (200, keys(n, seconds).to_string())),
        _ => None,
    })
}

fn on(fake: &Fake) -> Room {
    room(fake)
        .without("AWS_EC2_METADATA_DISABLED")
        .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &fake.url)
}

#[test]
fn the_metadata_service() {
    let fake = machine(HOUR);
    plan(&on(&fake));
    let readers = fake.readers();
    assert_eq!(readers.len(), 1, "{readers:?}");
    assert!(readers[0].0.starts_with("KEY") && readers[0].1.starts_with("TOKEN"), "{readers:?}");
    assert_eq!(fake.asked()[0].path, "/latest/api/token");
}

#[test]
fn the_metadata_service_again_and_again() {
    let fake = machine(SOON_OVER);
    renews(&on(&fake), &fake, 3);
}
