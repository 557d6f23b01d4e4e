//! Who may ask: root and the daemon's own user, as the kernel tells.
#![expect(clippy::print_stdout, reason = "how a skipped test and a child process are heard")]

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream as Stream},
    sync::{Arc, Mutex},
};

use super::*;
use crate::daemon::control::server::may_control;

/// Set for the child process of the test below: where to ask.
const ASK: &str = "PERMITD_TEST_ASK";
const NOBODY: u32 = 65534;

#[test]
fn root_and_the_daemons_own_user_may() {
    for (peer_uid, own_uid, may) in [
        (0, 0, true),
        (0, 1000, true),
        (1000, 1000, true),
        (1000, 0, false),
        (1001, 1000, false),
        (NOBODY, 0, false),
        (NOBODY, 1000, false),
        (u32::MAX, 1000, false),
    ] {
        assert_eq!(may_control(peer_uid, own_uid), may, "{peer_uid} asks {own_uid}");
    }
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: only root can ask as another user");
        return;
    }
    let log = Log::default();
    let sink = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || sink.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (place, mut server) = served();
    let folder = place.path.parent().unwrap();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(folder, 0o755);
    // The other user may not be able to reach the folder that this program was built in.
    let program = folder.join("asker");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    open(&program, 0o755);
    let ask_as_nobody = async || {
        let asker = concat!(module_path!(), "::the_other_user");
        let mut child = tokio::process::Command::new(&program);
        child.args(["--exact", asker.strip_prefix("permitd::").unwrap(), "--nocapture"]);
        child.env_clear().env(ASK, &place.path).current_dir("/").uid(NOBODY).gid(NOBODY);
        String::from_utf8(child.output().await.unwrap().stdout).unwrap()
    };
    let said = ask_as_nobody().await;
    assert!(said.contains("NOT LET IN: Permission denied"), "the mode of the socket: {said}");

    open(&place.path, 0o666);
    let said = tokio::select! {
        said = ask_as_nobody() => said,
        (request, _) = server.next() => panic!("{request:?} got through"),
    };
    assert!(said.contains(r#"SAID: {"ok":false,"error":"only root may do this"}"#), "{said}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let refused = log.lines().filter(|it| it.contains("WARN")).collect::<Vec<_>>();
    assert_eq!(refused.len(), 1, "{log}");
    assert!(refused[0].contains("refused at the control socket uid=65534 pid="), "{log}");
}

/// Not a test but the other user, when the test above starts this program again.
#[test]
fn the_other_user() {
    let Some(path) = std::env::var_os(ASK) else { return };
    let mut stream = match Stream::connect(path) {
        Ok(it) => it,
        Err(error) => return println!("NOT LET IN: {error}"),
    };
    // It may be refused before it has spoken.
    drop(stream.write_all(b"{\"version\":1,\"request\":\"pause\"}\n"));
    let mut said = Vec::new();
    drop(stream.read_to_end(&mut said));
    println!("SAID: {}", String::from_utf8_lossy(&said));
}
