//! Server and client together, over real sockets in empty folders.

mod bounds;
mod place;
mod who;

use std::path::Path;

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::{
    client::{PATIENCE, ask},
    server::{Reply, Server},
    *,
};

/// An empty folder, and where the socket goes in it.
struct Place {
    _dir: TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    Place { _dir: dir, path }
}

fn served() -> (Place, Server) {
    let place = place();
    let server = Server::bind(&place.path).unwrap();
    (place, server)
}

/// A daemon that says yes to everything, and what was asked.
async fn say_yes(mut server: Server) {
    loop {
        let (request, reply) = server.next().await;
        reply.send(Answer::done(format!("{request:?}")));
    }
}

/// Writes this, and reads to the end of the connection.
async fn raw(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // The server may have hung up in between.
    drop(stream.write_all(bytes).await);
    rest(&mut stream).await
}

async fn rest(stream: &mut UnixStream) -> String {
    let mut said = Vec::new();
    // A server that did not read everything resets the connection, after what it said.
    drop(stream.read_to_end(&mut said).await);
    String::from_utf8(said).unwrap()
}

fn pause() -> Request {
    Request::Pause { target: Some("f:live".into()), duration: Some(Duration::from_hours(1)) }
}

fn every_request() -> [Request; 5] {
    let digest = "0123abcd".to_owned();
    [
        Request::Approve { digest: digest.clone() },
        pause(),
        Request::Resume { target: None },
        Request::Undo { id: 7, digest },
        Request::Status,
    ]
}

#[tokio::test]
async fn every_request_arrives_and_is_answered() {
    let (place, server) = served();
    assert_eq!(server.path(), place.path);
    let daemon = tokio::spawn(say_yes(server));
    for request in every_request() {
        let answer = ask(&place.path, &request, PATIENCE).await.unwrap();
        assert_eq!(answer, Answer::done(format!("{request:?}")));
    }
    daemon.abort();
}

#[tokio::test]
async fn a_no_is_an_answer() {
    let (place, mut server) = served();
    let no = Answer::refused("nothing is held under this digest").hint("see `permitd plan`");
    let asked = async {
        let (_, reply) = server.next().await;
        reply.send(no.clone());
    };
    let (answer, ()) = tokio::join!(ask(&place.path, &Request::Status, PATIENCE), asked);
    assert_eq!(answer.unwrap(), no);
}

#[tokio::test]
async fn requests_wait_while_nobody_takes_them_and_each_gets_its_own_answer() {
    let (place, mut server) = served();
    let mut asking = tokio::task::JoinSet::new();
    for id in 0..40 {
        let path = place.path.clone();
        asking.spawn(async move {
            let request = Request::Undo { id, digest: "0123abcd".into() };
            (id, ask(&path, &request, PATIENCE).await.unwrap().message)
        });
    }
    let mut held: Vec<(Request, Reply)> = Vec::new();
    for _ in 0..16 {
        held.push(server.next().await);
    }
    // Answered in another order than asked.
    held.reverse();
    let answer = |(request, reply): (Request, Reply)| {
        let Request::Undo { id, .. } = request else { panic!("{request:?}") };
        reply.send(Answer::done(id.to_string()));
    };
    held.into_iter().for_each(answer);
    for _ in 16..40 {
        answer(server.next().await);
    }
    while let Some(it) = asking.join_next().await {
        let (id, said) = it.unwrap();
        assert_eq!(said, id.to_string());
    }
}

#[tokio::test]
async fn next_may_be_given_up_at_any_time() {
    let (place, mut server) = served();
    let asking = tokio::spawn({
        let path = place.path.clone();
        async move { ask(&path, &Request::Status, PATIENCE).await }
    });
    let mut n_given_up = 0;
    let reply = loop {
        // Ready at once, so `next` is dropped whenever it is not.
        tokio::select! {
            biased;
            (_, reply) = server.next() => break reply,
            () = tokio::task::yield_now() => n_given_up += 1,
        }
    };
    assert!(n_given_up > 0, "it was given up");
    reply.send(Answer::done("still there"));
    assert_eq!(asking.await.unwrap().unwrap().message, "still there");
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_what_is_pending() {
    let (place, mut server) = served();
    let dropped = async {
        let taken = server.next().await;
        drop(server);
        taken
    };
    let request = pause();
    let (answer, _taken) = tokio::join!(ask(&place.path, &request, PATIENCE), dropped);
    let error = answer.unwrap_err();
    assert!(matches!(error, ControlError::Gone { .. }), "{error:?}");
    assert!(error.to_string().ends_with("control.sock went away without an answer"), "{error}");
    assert_eq!(error.hint(), Some("it may have been done, or be done yet: its log tells"));
}

#[tokio::test]
async fn a_server_that_is_closed_tells_those_who_wait() {
    let (place, mut server) = served();
    let closed = async {
        let (first, answered) = server.next().await;
        let (second, unanswered) = server.next().await;
        assert_eq!((first, second), (Request::Status, pause()));
        // The third one is not taken.
        tokio::task::yield_now().await;
        answered.send(Answer::done("all is well"));
        drop(unanswered);
        server.close().await;
    };
    let (status, resume) = (Request::Status, Request::Resume { target: None });
    let (path, request) = (&place.path, pause());
    let (first, second, third, ()) = tokio::join!(
        ask(path, &status, PATIENCE),
        ask(path, &request, PATIENCE),
        ask(path, &resume, PATIENCE),
        closed
    );
    assert_eq!(first.unwrap(), Answer::done("all is well"));
    let second = second.unwrap();
    let said = "permitd is stopping, and did not tell what became of this: pause";
    assert_eq!((second.ok, second.message.as_str()), (false, said));
    assert_eq!(second.hint.unwrap(), "it may have been done: its log tells");
    let third = third.unwrap();
    assert_eq!(third, Answer::refused("permitd is stopping, and did not do this: resume"));
    assert!(!place.path.exists());
}
