//! Whom TLS trusts: an authority of our own in front of the simulator, named in every way, and a proxy in between.

use serde_json::json;

use super::harness::{
    Lambda, Room, account, policy,
    tls::{Front, certificates, proxy},
};

/// The account is that of the credentials: so STS is asked as well.
const WISHES: &str = "\
functions:
  - {function: f, ownership: all, statements: [{sid: a, principal: '210987654321'}]}
";

/// None where this machine lacks what it takes.
fn world() -> Option<(Lambda, Front, Room)> {
    let live = policy(&[account("a", "210987654321")]);
    let lambda = Lambda::new(&json!([{"name": "f", "policy": live}]));
    let room = Room::new();
    if !certificates(&room) {
        return None;
    }
    let front = Front::of(&lambda.endpoint, &room);
    let room = room.with("AWS_ENDPOINT_URL", &front.url).with("AWS_CONFIG_FILE", "aws/config");
    room.write("permissions.yaml", WISHES);
    Some((lambda, front, room))
}

#[test]
fn every_way_to_name_it() {
    let Some((lambda, _front, room)) = world() else { return };
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(1), "{said:?}");
    let whole = format!("{}{}", said.out, said.err);
    assert!(whole.contains("UnknownIssuer"), "{said:?}");
    assert_eq!(lambda.calls(), Vec::<String>::new());
    let good = |room: &Room, words: &str| {
        let said = room.permitd(words);
        assert_eq!((said.code, said.err.contains("UnknownIssuer")), (Some(0), false), "{said:?}");
        assert_eq!(lambda.calls(), ["GetCallerIdentity", "GetPolicy f"]);
    };
    good(&room, "plan permissions.yaml --ca-bundle ca.pem");
    let said = room.permitd("import --function f --ca-bundle ca.pem");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(lambda.calls().contains(&"GetPolicy f".to_owned()));
    let room = room.with("PERMITD_CA_BUNDLE", "ca.pem");
    good(&room, "plan permissions.yaml");
    let room = room.without("PERMITD_CA_BUNDLE").with("AWS_CA_BUNDLE", "ca.pem");
    good(&room, "plan permissions.yaml");
    let room = room.without("AWS_CA_BUNDLE");
    room.write(
        "aws/config",
        "[default]\nca_bundle = ca.pem\n[profile other]\nca_bundle = no.pem\n",
    );
    good(&room, "plan permissions.yaml");
    // The flag comes first, then the variable, then the profile.
    let room = room.with("AWS_CA_BUNDLE", "no.pem");
    good(&room, "plan permissions.yaml --ca-bundle ca.pem");
    let room = room.with("AWS_CA_BUNDLE", "ca.pem").with("AWS_PROFILE", "other");
    good(&room, "plan permissions.yaml");
}

/// Instead of the authorities of this machine, and not beside them.
#[test]
fn whoever_is_not_in_it_is_not_trusted() {
    let Some((lambda, _front, room)) = world() else { return };
    let room = room.with("SSL_CERT_FILE", "ca.pem");
    let other = Room::new();
    assert!(certificates(&other));
    room.write("other.pem", &std::fs::read_to_string(other.path("ca.pem")).unwrap());
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(0), "{said:?}");
    lambda.calls();
    let said = room.permitd("plan permissions.yaml --ca-bundle other.pem");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(lambda.calls(), Vec::<String>::new());
    // Several in one file are all trusted.
    let both = ["other.pem", "ca.pem"].map(|it| std::fs::read_to_string(room.path(it)).unwrap());
    room.write("both.pem", &format!("# of two\n{}\n{}", both[0], both[1]));
    let said = room.permitd("plan permissions.yaml --ca-bundle both.pem");
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_file_that_cannot_be_used() {
    let room = Room::at("http://127.0.0.1:9", WISHES);
    room.write("empty.pem", "\n");
    room.write("text.pem", "hello\n");
    let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    room.write("broken.pem", broken);
    room.write("folder/x", "");
    room.write("permitd.yaml", "{permissions: [permissions.yaml], mode: observe}");
    for (file, why) in [
        ("nowhere.pem", "No such file"),
        ("folder", "directory"),
        ("empty.pem", "it is empty"),
        ("text.pem", "there is no certificate in it"),
        ("broken.pem", ""),
    ] {
        for command in ["plan", "run", "apply --mode enforce"] {
            let said = room.permitd(&format!("{command} --ca-bundle {file}"));
            assert_eq!(
                (said.code, said.out.as_str()),
                (Some(78), ""),
                "{command} {file}: {said:?}"
            );
            let message = format!("the CA bundle {file} (by --ca-bundle) cannot be used: ");
            let found = said.err.split_once(&message).unwrap_or_else(|| panic!("{said:?}"));
            assert!(found.1.contains(why), "{said:?}");
            assert!(said.err.contains("hint: name a file of certificates in PEM"), "{said:?}");
        }
    }
    let said = room.with("AWS_CA_BUNDLE", "nowhere.pem").permitd("plan");
    assert!(said.err.contains("the CA bundle nowhere.pem (by AWS_CA_BUNDLE) cannot"), "{said:?}");
}

#[test]
fn through_the_proxy_of_the_environment() {
    let Some((lambda, front, room)) = world() else { return };
    let (proxy, asked) = proxy();
    let room = room.with("AWS_CA_BUNDLE", "ca.pem").with("HTTPS_PROXY", &proxy);
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.calls(), ["GetCallerIdentity", "GetPolicy f"]);
    let to = front.url.strip_prefix("https://").unwrap();
    let through = asked.lock().unwrap().clone();
    assert!(!through.is_empty(), "not through the proxy");
    assert!(through.iter().all(|it| *it == format!("CONNECT {to} HTTP/1.1")), "{through:?}");
    let room = room.with("NO_PROXY", "localhost");
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(asked.lock().unwrap().len(), through.len(), "NO_PROXY names it");
    let room = room.without("NO_PROXY").with("HTTPS_PROXY", "http://127.0.0.1:9");
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(1), "there is no way around the proxy: {said:?}");
}

/// The queue of events is spoken to by the same authorities.
#[test]
fn the_queue_too() {
    let Some((_lambda, front, room)) = world() else { return };
    let url = format!("{}/123456789012/queue", front.url);
    let settings = format!(
        "{{permissions: [permissions.yaml], mode: observe, events: {{queue_url: '{url}', region: us-east-1}}}}"
    );
    room.write("permitd.yaml", &settings);
    let mut daemon = room.start("run --ca-bundle ca.pem");
    // The simulator knows no queues, and says so.
    daemon.logs("the queue of events");
    daemon.stops();
    assert!(!daemon.err().contains("UnknownIssuer"), "{}", daemon.err());
}
