//! Receivers that cannot be: told at the start, with their place and what to do.

use crate::commands::harness::Room;

const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: observe
";
const PERMISSIONS: &str = "\
account: '123456789012'
region: us-east-1
functions: [{function: f, statements: [{sid: a, principal: '210987654321'}]}]
";

fn room(notify: &str) -> Room {
    let room = Room::new();
    room.write("permissions.yaml", PERMISSIONS);
    room.write("permitd.yaml", &format!("{SETTINGS}notify:\n{notify}"));
    room
}

/// The command that needs them refuses, with each in its place; the ones that do not are not bothered.
#[track_caller]
fn check(room: &Room, expected: &str) {
    room.permitd("run").is(78, "", expected);
    let said = room.permitd("check");
    let out = "ok: 1 statement for 1 target\n";
    assert_eq!((said.code, said.out.as_str()), (Some(0), out), "{}", said.err);
    let once = room.permitd("run --once");
    assert_eq!(once.code, Some(1), "it gets as far as Lambda: {once:?}");
}

#[test]
fn everything_that_is_missing_is_told_with_its_place() {
    let room = room(
        "  - url_file: hook.url
    secret_file: hook.key
  - url_env: HOOK_URL
    secret_env: HOOK_KEY
  - url_credential: hook
  - url_file: text
    secret_file: .
",
    )
    .with("HOOK_KEY", "");
    room.write("hook.key", "\n");
    room.write("text", "hooks.example/T0P\n");
    check(
        &room,
        "\
error: the file hook.url cannot be read: No such file or directory
 --> permitd.yaml:4:15
  |
4 |   - url_file: hook.url
  |               ^^^^^^^^
  |
help: write the URL into it, and let the user of permitd read it

error: the file hook.key is empty
 --> permitd.yaml:5:18
  |
5 |     secret_file: hook.key
  |                  ^^^^^^^^
  |
help: write the secret into it, and let the user of permitd read it

error: the variable HOOK_URL is not set
 --> permitd.yaml:6:14
  |
6 |   - url_env: HOOK_URL
  |              ^^^^^^^^
  |
help: set it to the URL before permitd starts

error: the variable HOOK_KEY is empty
 --> permitd.yaml:7:17
  |
7 |     secret_env: HOOK_KEY
  |                 ^^^^^^^^
  |
help: set it to the secret

error: the credential hook is not there: systemd gives this process no credentials
 --> permitd.yaml:8:21
  |
8 |   - url_credential: hook
  |                     ^^^^
  |
help: write `LoadCredential=hook:PATH` into the unit, with the URL in that file

error: the file text: the URL does not begin with https:// or http://
 --> permitd.yaml:9:15
  |
9 |   - url_file: text
  |               ^^^^
  |
help: write nothing but a URL there, as in https://example.com/hook

error: the file . cannot be read: Is a directory
  --> permitd.yaml:10:18
   |
10 |     secret_file: .
   |                  ^
   |
help: write the secret into it, and let the user of permitd read it
",
    );
}

#[test]
fn what_no_client_can_read_is_no_url() {
    let room = room("  - {url: 'https://bücher.example/T0P'}\n  - {url_credential: hook}\n")
        .with("CREDENTIALS_DIRECTORY", "credentials");
    room.write("credentials/hook", "http://a.example:99999/T0P");
    check(
        &room,
        "\
error: `url`: the URL cannot be read: invalid uri character
 --> permitd.yaml:4:11
  |
4 |   - {url: 'https://bücher.example/***'}
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: write nothing but a URL there, as in https://example.com/hook

error: the credential hook: the URL has a port that is none
 --> permitd.yaml:5:22
  |
5 |   - {url_credential: hook}
  |                      ^^^^
  |
help: write nothing but a URL there, as in https://example.com/hook
",
    );
}
