//! Clients and servers that are slow, silent, gone or talk nonsense.

use tokio::{net::UnixListener, time::Instant};

use super::*;

const STATUS: &[u8] = b"{\"version\":1,\"request\":\"status\"}\n";

#[tokio::test]
async fn garbage_is_answered_and_harmless() {
    let (place, server) = served();
    let daemon = tokio::spawn(say_yes(server));
    for (bytes, cause) in [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".as_slice(), "not a line of JSON"),
        (b"\n", "not a line of JSON"),
        (b"\xff\x00\n", "not a line of JSON"),
        (b"{\"version\":9,\"request\":\"status\"}\n", "is of version 9"),
        (b"{\"version\":1,\"request\":\"drain\"}\n", "does not know the request"),
    ] {
        let said = raw(&place.path, bytes).await;
        assert!(said.starts_with(r#"{"ok":false,"error":""#) && said.contains(cause), "{said}");
        assert_eq!(said.matches('\n').count(), 1, "{said}");
    }
    assert!(ask(&place.path, &Request::Status, PATIENCE).await.unwrap().ok);
    daemon.abort();
}

#[tokio::test]
async fn a_line_without_end_is_cut_off() {
    let (place, _server) = served();
    for n_bytes in [64 * 1024 + 1, 10 * 1024 * 1024] {
        let said = raw(&place.path, &vec![b' '; n_bytes]).await;
        let expected = "{\"ok\":false,\"error\":\"a request is a line of at most 64 KiB\"}\n";
        assert_eq!(said, expected, "{n_bytes}");
    }
}

#[tokio::test]
async fn the_longest_line_is_read() {
    let (place, server) = served();
    let daemon = tokio::spawn(say_yes(server));
    let mut line = STATUS.trim_ascii_end().to_vec();
    line.resize(64 * 1024, b' ');
    line.push(b'\n');
    assert_eq!(raw(&place.path, &line).await, "{\"ok\":true,\"message\":\"Status\"}\n");
    daemon.abort();
}

#[tokio::test]
async fn a_client_may_end_its_line_by_ending_its_side() {
    let (place, server) = served();
    let daemon = tokio::spawn(say_yes(server));
    let mut stream = UnixStream::connect(&place.path).await.unwrap();
    stream.write_all(STATUS.trim_ascii_end()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "{\"ok\":true,\"message\":\"Status\"}\n");
    daemon.abort();
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_hung_up_on() {
    let (place, _server) = served();
    let start = Instant::now();
    assert_eq!(
        raw(&place.path, b"{\"version\":1,").await,
        "{\"ok\":false,\"error\":\"no request came within 5 seconds\"}\n"
    );
    assert!((5..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_drips_gets_no_more_time() {
    let (place, _server) = served();
    let mut stream = UnixStream::connect(&place.path).await.unwrap();
    let mut n_written = 0;
    while stream.write_all(b" ").await.is_ok() {
        n_written += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(n_written < 20, "it is still listened to");
    }
    assert!(rest(&mut stream).await.contains("no request came within 5 seconds"));
}

#[tokio::test(start_paused = true)]
async fn sixteen_silent_clients_hold_up_the_next_one_for_five_seconds() {
    let (place, server) = served();
    let daemon = tokio::spawn(say_yes(server));
    let mut silent = Vec::new();
    for _ in 0..16 {
        silent.push(UnixStream::connect(&place.path).await.unwrap());
    }
    let start = Instant::now();
    assert!(ask(&place.path, &Request::Status, PATIENCE).await.unwrap().ok);
    assert!((5..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    daemon.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_let_go() {
    let (place, mut server) = served();
    let mut deaf = Vec::new();
    for _ in 0..16 {
        let mut stream = UnixStream::connect(&place.path).await.unwrap();
        stream.write_all(STATUS).await.unwrap();
        deaf.push(stream);
        // More than the kernel keeps for somebody who does not read.
        server.next().await.1.send(Answer::done("x".repeat(3 * 1024 * 1024)));
    }
    let start = Instant::now();
    let asked = async { server.next().await.1.send(Answer::done("free again")) };
    let (answer, ()) = tokio::join!(ask(&place.path, &Request::Status, PATIENCE), asked);
    assert_eq!(answer.unwrap().message, "free again");
    assert!((4..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    drop(deaf);
}

#[tokio::test]
async fn a_client_that_went_away_is_nobodys_trouble() {
    let (place, mut server) = served();
    for bytes in [b"".as_slice(), b"{\"vers"] {
        let mut stream = UnixStream::connect(&place.path).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    }
    let mut stream = UnixStream::connect(&place.path).await.unwrap();
    stream.write_all(STATUS).await.unwrap();
    drop(stream);
    let (request, reply) = server.next().await;
    assert_eq!(request, Request::Status);
    reply.send(Answer::done("to nobody"));
    let daemon = tokio::spawn(say_yes(server));
    assert!(ask(&place.path, &pause(), PATIENCE).await.unwrap().ok);
    daemon.abort();
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_the_deaf() {
    let (place, mut server) = served();
    let mut deaf = UnixStream::connect(&place.path).await.unwrap();
    deaf.write_all(STATUS).await.unwrap();
    let (_, reply) = server.next().await;
    let start = Instant::now();
    server.close().await;
    assert_eq!(start.elapsed().as_secs(), 1, "nor for a reply that is still held");
    drop(reply);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_does_not_answer_is_given_up() {
    let (place, _server) = served();
    let error = ask(&place.path, &pause(), PATIENCE).await.unwrap_err();
    assert!(matches!(error, ControlError::Slow { .. }), "{error:?}");
    assert!(error.to_string().ends_with("gave no answer within 30s"), "{error}");
    assert!(error.hint().unwrap().starts_with("it may have been done"));
}

/// Asks somebody who says this, whatever is asked.
async fn asked(said: &[u8]) -> ControlError {
    let place = place();
    let listener = UnixListener::bind(&place.path).unwrap();
    let say = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Whoever asks may hang up in between.
        drop(stream.write_all(said).await);
    };
    let (answer, ()) = tokio::join!(ask(&place.path, &Request::Status, PATIENCE), say);
    answer.unwrap_err()
}

#[tokio::test]
async fn what_does_not_answer_like_a_permitd_is_told() {
    for said in [b"+OK\n".as_slice(), b"{}\n", b"{\"ok\":true}\n", b"{\"ok\":true,\"mess"] {
        let error = asked(said).await;
        assert!(matches!(error, ControlError::Garbled { .. }), "{error:?}");
    }
    let endless = asked(&vec![b' '; 5 * 1024 * 1024]).await;
    assert!(endless.to_string().ends_with("does not answer like a permitd: it does not end"));
    let silent = asked(b"").await;
    assert!(matches!(silent, ControlError::Gone { .. }), "{silent:?}");
}

#[tokio::test]
async fn a_request_that_no_daemon_reads_is_not_sent() {
    let (place, _server) = served();
    let request = Request::Resume { target: Some("f".repeat(64 * 1024)) };
    let error = ask(&place.path, &request, PATIENCE).await.unwrap_err();
    assert!(matches!(error, ControlError::Oversized), "{error:?}");
}
