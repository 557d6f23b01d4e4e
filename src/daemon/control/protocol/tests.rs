//! Lines, and what they mean.

use super::*;

const DIGEST: &str = "0123456789abcdef";

fn every_request() -> Vec<(Request, &'static str)> {
    let target = || Some("f:live".to_owned());
    let hour = Some(Duration::from_hours(1));
    let digest = || DIGEST.to_owned();
    vec![
        (
            Request::Approve { digest: digest() },
            r#"{"version":1,"request":"approve","digest":"0123456789abcdef"}"#,
        ),
        (Request::Pause { target: None, duration: None }, r#"{"version":1,"request":"pause"}"#),
        (
            Request::Pause { target: target(), duration: hour },
            r#"{"version":1,"request":"pause","target":"f:live","for_seconds":3600}"#,
        ),
        (Request::Resume { target: None }, r#"{"version":1,"request":"resume"}"#),
        (
            Request::Resume { target: target() },
            r#"{"version":1,"request":"resume","target":"f:live"}"#,
        ),
        (
            Request::Undo { id: -7, digest: digest() },
            r#"{"version":1,"request":"undo","id":-7,"digest":"0123456789abcdef"}"#,
        ),
        (Request::Status, r#"{"version":1,"request":"status"}"#),
    ]
}

#[test]
fn requests_go_there_and_back() {
    for (request, line) in every_request() {
        assert_eq!(request.line(), format!("{line}\n"));
        assert_eq!(Request::of_line(request.line().as_bytes()), Ok(request.clone()));
        assert!(KNOWN.contains(&request.name()));
    }
    let mut named: Vec<&str> = every_request().iter().map(|(it, _)| it.name()).collect();
    named.dedup();
    assert_eq!(named, KNOWN);
}

#[test]
fn fields_that_are_null_are_not_there() {
    let line = br#"{"version":1,"request":"pause","target":null,"for_seconds":null}"#;
    assert_eq!(Request::of_line(line), Ok(Request::Pause { target: None, duration: None }));
}

#[test]
fn what_is_not_understood_is_refused_and_said() {
    for (line, cause) in [
        ("", "not a line of JSON with an object"),
        ("approve", "not a line of JSON with an object"),
        ("[1]", "not a line of JSON with an object"),
        (r#"{"version":1,"request":"status"} {"#, "not a line of JSON with an object"),
        (r#"{"request":"status"}"#, "has no `version`"),
        (r#"{"version":2,"request":"status"}"#, "is of version 2, and this permitd knows 1"),
        (r#"{"version":"1","request":"status"}"#, r#"is of version "1", and"#),
        (r#"{"version":2,"call":{"of":"another shape"}}"#, "is of version 2"),
        (r#"{"version":1}"#, "no `request`"),
        (r#"{"version":1,"request":7}"#, "no `request`"),
        (r#"{"version":1,"request":"drain"}"#, r#"does not know the request "drain""#),
        (r#"{"version":1,"request":"Status"}"#, r#"does not know the request "Status""#),
        (
            r#"{"version":1,"request":"status","of":"f"}"#,
            "`status` is not understood: unknown field `of`",
        ),
        (
            r#"{"version":1,"request":"pause","until":"noon"}"#,
            "`pause` is not understood: unknown field `until`",
        ),
        (
            r#"{"version":1,"request":"resume","for_seconds":1}"#,
            "`resume` is not understood: unknown field `for_seconds`",
        ),
        (r#"{"version":1,"request":"approve"}"#, "missing field `digest`"),
        (r#"{"version":1,"request":"approve","digest":"abc"}"#, "a digest is 8 to 64 hex digits"),
        (r#"{"version":1,"request":"undo","id":1}"#, "missing field `digest`"),
        (r#"{"version":1,"request":"undo","id":1.5,"digest":"01234567"}"#, "invalid type"),
        (r#"{"version":1,"request":"undo","id":1,"digest":"x1234567"}"#, "8 to 64 hex digits"),
        (r#"{"version":1,"request":"pause","for_seconds":0}"#, "a pause takes some time"),
        (r#"{"version":1,"request":"pause","for_seconds":-1}"#, "invalid value"),
        (
            r#"{"version":1,"request":"pause","for_seconds":18446744073709551615}"#,
            "a pause takes at most a year",
        ),
        (r#"{"version":1,"request":"pause","target":" "}"#, "the target is empty"),
        (r#"{"version":1,"request":"resume","target":""}"#, "the target is empty"),
    ] {
        let answer = Request::of_line(line.as_bytes()).unwrap_err();
        assert!(!answer.ok && answer.message.contains(cause), "{line}: {answer:?}");
    }
    assert!(!Request::of_line(&[0xff, 0xfe]).unwrap_err().ok);
    let deep = "[".repeat(60_000);
    assert!(!Request::of_line(deep.as_bytes()).unwrap_err().ok, "deep nesting is no danger");
}

#[test]
fn a_digest_is_hex_of_some_length() {
    assert_eq!(digest("ABCDEF01").unwrap(), "abcdef01");
    assert!(digest(&"a".repeat(64)).is_ok());
    for wrong in ["", "abcdef0", &"a".repeat(65), "abcdefgh", "abcdef0é", " abcdef01"] {
        assert!(digest(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_pause_has_whole_seconds_and_bounds() {
    let (second, year) = (Duration::from_secs(1), LONGEST_PAUSE);
    assert_eq!(pause(Duration::from_nanos(1)), Ok(second));
    assert_eq!(pause(second), Ok(second));
    assert_eq!(pause(Duration::from_millis(1001)), Ok(Duration::from_secs(2)));
    assert_eq!(pause(year), Ok(year));
    assert!(pause(Duration::ZERO).is_err());
    assert!(pause(year + Duration::from_nanos(1)).is_err());
    assert!(pause(Duration::MAX).is_err());
}

#[test]
fn answers_go_there_and_back() {
    for (answer, line) in [
        (Answer::done("paused\nall"), r#"{"ok":true,"message":"paused\nall"}"#),
        (Answer::refused("no"), r#"{"ok":false,"error":"no"}"#),
        (Answer::refused("no").hint("ask"), r#"{"ok":false,"error":"no","hint":"ask"}"#),
    ] {
        assert_eq!(answer.line(), format!("{line}\n"));
        assert_eq!(Answer::of_line(answer.line().as_bytes()), Ok(answer));
    }
    let newer = Answer::of_line(br#"{"ok":true,"message":"m","pass":7}"#);
    assert_eq!(newer, Ok(Answer::done("m")), "a newer daemon may say more");
    assert_eq!(Answer::of_line(br#"{"ok":true}"#), Err("no `message`".to_owned()));
    assert_eq!(Answer::of_line(br#"{"ok":false,"message":"m"}"#), Err("no `error`".to_owned()));
    assert!(Answer::of_line(b"HTTP/1.1 400 Bad Request\r\n").is_err());
}

#[tokio::test]
async fn a_line_ends_and_has_a_longest_length() {
    let read = |text: &'static str| read_line(text.as_bytes(), 4);
    let whole = |text: &str| Line::Whole(text.into());
    assert_eq!(read("").await.unwrap(), Line::Nothing);
    assert_eq!(read("\n").await.unwrap(), whole("\n"));
    assert_eq!(read("abc").await.unwrap(), whole("abc"));
    assert_eq!(read("abcd").await.unwrap(), whole("abcd"));
    assert_eq!(read("abcd\nef").await.unwrap(), whole("abcd\n"));
    assert_eq!(read("abcde").await.unwrap(), Line::TooLong);
    assert_eq!(read("abcde\n").await.unwrap(), Line::TooLong);
}
