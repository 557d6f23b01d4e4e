//! Nothing that permitd says, writes or serves has a secret of a receiver in it.

use std::path::Path;

use super::{SETTINGS, lambda, receiver::Receiver};
use crate::commands::harness::{Lambda, Room, account, http};

/// In every URL and every key.
const SECRET: &str = "T0PS3CRET";

#[track_caller]
fn clean(what: &str, text: &str) {
    // Where it stands between other bytes, too.
    let (n, shown) = (text.matches(SECRET).count(), text.chars().take(3000).collect::<String>());
    assert_eq!(n, 0, "{what} has a secret in it:\n{shown}");
}

/// Every file below, as far as it is not one that the test itself has written.
fn files(dir: &Path, own: &[&str]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files(&path, own);
        } else if path.is_file() && !own.contains(&name.as_str()) {
            let bytes = std::fs::read(&path).unwrap();
            clean(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

fn room(hook: &str, more: &str) -> (Lambda, Room) {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let room = lambda.room(super::WISHES).with("HOOK_KEY", SECRET);
    let refused = "http://127.0.0.1:9";
    room.write("hook.url", &format!("{refused}/{SECRET}"));
    room.write(
        "permitd.yaml",
        &format!(
            "{SETTINGS}notify:\n  - {{url: '{hook}/{SECRET}', secret_env: HOOK_KEY, format: slack}}\n  \
             - {{url: {hook}/x?{SECRET}, timeout: 1s}}\n  - url_file: hook.url\n{more}"
        ),
    );
    (lambda, room)
}

/// Everything that a daemon says, with all its crates as talkative as can be, to receivers that refuse, hang and are
/// not there.
#[test]
fn a_daemon_keeps_its_secrets() {
    let hook = Receiver::new(&["500", "hang", "404", "503", "301"]);
    for format in ["text", "json"] {
        let (lambda, room) = room(&hook.url, "");
        let mut daemon =
            room.start(&format!("run --log-level trace,permitd=trace --log-format {format}"));
        daemon.logs("listening for /livez");
        let log = daemon.err();
        // At trace others tell of their ports, too.
        let line = log.lines().find(|it| it.contains("listening for /livez")).unwrap();
        let after = line.rsplit_once("127.0.0.1:").unwrap().1;
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        let endpoint = format!("http://127.0.0.1:{port}");
        lambda.converges("f", &["kept"]);
        daemon.logs("notification not sent yet");
        daemon.logs("connecting to 127.0.0.1:9");
        for path in ["/status", "/", "/metrics"] {
            let (status, text) = http(&endpoint, "GET", path, "");
            assert_eq!(status, 200);
            clean(path, &text);
        }
        // A reload that is refused, and one that is not.
        let (good, bad) = (settings(&room), format!("{}jiter: 1\n", settings(&room)));
        room.write("permitd.yaml", &bad);
        daemon.logs("the new configuration is not usable");
        clean("/status", &http(&endpoint, "GET", "/status", "").1);
        room.write("permitd.yaml", &format!("{good}# again\n"));
        daemon.logs("loaded the configuration anew");
        daemon.stops();
        clean("the log", &daemon.err());
        clean("stdout", &daemon.out());
        files(&room.path("."), &["permitd.yaml", "hook.url"]);
    }
    // What must not be seen was there to be seen.
    let got = hook.got(2);
    assert!(got.iter().any(|it| it.line.contains(SECRET)), "{got:?}");
}

fn settings(room: &Room) -> String {
    std::fs::read_to_string(room.path("permitd.yaml")).unwrap()
}

/// Whatever reads the settings, good and bad ones.
#[test]
fn no_command_shows_them() {
    let wrong = [
        "",
        "jiter: 10%\n",
        "    events: [hold]\n",
        "  - {url: 'https://a/T0PS3CRET', secret: T0PS3CRET}\n",
        "  - {url: 'https://a/T0PS3CRET}\n",
    ];
    for more in wrong {
        let (_lambda, room) = room("http://127.0.0.1:9", more);
        for words in [
            "check",
            "check --output json",
            "check --output sarif --report r.json --report r.sarif --report r.txt",
            "plan",
            "plan --out plan.json --output json",
            "plan --report p.html --report p.md",
            "apply --plan plan.json --yes",
            "apply --yes",
            "run --once",
            "history",
            "iam",
            "import --all --out imported",
            "pause f",
        ] {
            let said = room.permitd(words);
            clean(words, &format!("{said:?}"));
            assert!(
                more.is_empty() || said.code != Some(0) || words == "history" || words == "check",
                "{words}{more}: {said:?}"
            );
        }
        files(&room.path("."), &["permitd.yaml", "hook.url"]);
        if more.is_empty() {
            assert!(room.path("plan.json").exists());
        }
    }
}

/// A byte that is not UTF-8 shows its line, too.
#[test]
fn a_file_that_is_no_text_shows_nothing() {
    let (_lambda, room) = room("http://127.0.0.1:9", "");
    let text = format!("notify: [{{url: https://a/{SECRET}, format: \u{0}}}]\n");
    let bytes: Vec<u8> = text.bytes().map(|it| if it == 0 { 0xff } else { it }).collect();
    std::fs::write(room.path("permitd.yaml"), bytes).unwrap();
    let said = room.permitd("check");
    assert_eq!(said.code, Some(78));
    assert!(said.err.contains("permitd.yaml:1:"), "{said:?}");
    clean("check", &said.err);
}
