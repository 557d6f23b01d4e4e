//! The signature, secrets that change, and secrets that nobody sees.

use std::fs;

use super::*;

/// From another tool:
///
/// ```python
/// hmac.new(b"It's a Secret to Everybody", b"1780272000" + b"." + '{"text":"Zürich"}'.encode(),
///          hashlib.sha256).hexdigest()
/// ```
#[test]
fn the_signature_is_the_one_of_others() {
    let signature =
        sign::signature(b"It's a Secret to Everybody", "1780272000", "{\"text\":\"Zürich\"}");
    let expected = "sha256=35ac7b4e99ab4ba0c92842ab6ce89f411bbc5526ae9929f7f3aa4e0a32e4f391";
    assert_eq!(signature.as_deref(), Some(expected));
}

#[test]
fn a_file_has_a_secret_or_there_is_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let read = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        Kept::in_file(path.clone()).map(|it| it.last())
    };
    assert_eq!(read(b"a b\r\n\n"), Ok(b"a b".to_vec()));
    assert_eq!(read(b"\xff\0"), Ok(b"\xff\0".to_vec()));
    assert_eq!(read(b"\n"), Err("is empty".to_owned()));
    assert_eq!(read(&vec![b'x'; 70_000]), Err("is larger than 64 KiB".to_owned()));
    fs::remove_file(&path).unwrap();
    let missing = Kept::in_file(path.clone()).map(|it| it.last());
    assert_eq!(missing, Err("cannot be read: No such file or directory".to_owned()));
    assert!(Kept::in_file(dir.path().to_owned()).is_err());
}

/// Who changes a secret changes the file, and nothing else; while it is away the old one holds.
#[tokio::test(start_paused = true)]
async fn what_is_in_a_file_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("url"), "https://a.example/1\n").unwrap();
    fs::write(path("key"), "old\n").unwrap();
    let post = Fake::new(&[Said::Status(500), Said::Status(500)]);
    let from_files = Receiver {
        url: Kept::in_file(path("url")).unwrap(),
        secret: Some(Kept::in_file(path("key")).unwrap()),
        ..everything()
    };
    let (notifier, _) = start(vec![from_files], &post);
    tell(&notifier, "f");
    post.seen(1).await;
    fs::write(path("url"), "https://a.example/2\n").unwrap();
    fs::write(path("key"), "new\n").unwrap();
    post.seen(2).await;
    fs::remove_file(path("url")).unwrap();
    fs::write(path("key"), "").unwrap();
    post.seen(3).await;
    let seen = post.seen.lock().unwrap();
    for ((_, request), (url, key)) in seen.iter().zip([("1", "old"), ("2", "new"), ("2", "new")]) {
        assert_eq!(request.url, format!("https://a.example/{url}"));
        let expected = sign::signature(key.as_bytes(), "1780272000", &request.body);
        let there = request.headers.iter().find(|(it, _)| *it == sign::SIGNATURE);
        assert_eq!(there.map(|(_, it)| it), expected.as_ref());
    }
}

#[test]
fn a_receiver_is_called_by_its_host() {
    for (url, name) in [
        ("https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com"),
        ("http://127.0.0.1:80?x", "http://127.0.0.1:80"),
        ("https://user:password@a/b", "https://a"),
        ("nonsense", ""),
    ] {
        assert_eq!(receiver(url, &[]).name(), name);
    }
}

#[tokio::test]
async fn nothing_secret_is_in_what_developers_see() {
    let post = Fake::new(&[]);
    let key = Some(Kept::fixed("T0PSECRET"));
    let (notifier, _) = start(vec![Receiver { secret: key, ..everything() }], &post);
    tell(&notifier, "f");
    let seen = format!("{notifier:?}");
    assert!(seen.contains("Receiver") && !seen.contains("T0PSECRET"), "{seen}");
    let bytes = format!("{:?}", b"T0PSECRET");
    assert!(!seen.contains(bytes.trim_matches(['[', ']'])), "{seen}");
    let request = Request { url: "T0PSECRET".into(), headers: Vec::new(), body: String::new() };
    assert!(!format!("{request:?}").contains("T0PSECRET"));
}
