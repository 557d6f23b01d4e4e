//! What is secret in the settings is in nothing that is said about them.

use crate::config::diagnostic::{Diagnostic, File, render_all};
use crate::config::settings::{self, Settings, without_receivers};

/// What must not be seen, in every text below.
const SECRET: &str = "S3CRET";

fn said(text: &str) -> Vec<Diagnostic> {
    settings::parse(&File::new("permitd.yaml", text.to_owned())).unwrap_err()
}

/// Each is wrong in its own way; the error, and everything that comes along with it, has nothing secret.
#[test]
fn whatever_is_wrong_the_secret_is_not_shown() {
    for text in [
        // The URL itself, and what stands beside it.
        "notify: [{url: 'ftp://a/S3CRET'}]",
        "notify: [{url: a.example/S3CRET}]",
        "notify: [{url: 'https://user:S3CRET@a/b'}]",
        "notify: [{url: https://a/S3CRET, url_env: X}]",
        "notify: [{url: https://a/S3CRET, events: [hold]}]",
        "notify: [{url: https://a?token=S3CRET, format: mail}]",
        "notify: [{url: https://a/b#S3CRET, timeout: 5}]",
        "notify: [{url: https://a/S3CRET, timeout: 5}, {url: 'https://b/S3CRET', url_file: x}]",
        "notify:\n  - url: https://a/{x},S3CRET\n    timeout: 5\n",
        "notify:\n  - timeout: 5\n    url: \"https:\\/\\/a\\/S3CRET\"\n",
        "notify:\n- url: \"https://a/\\\n    S3CRET\"\n  secret: x\n",
        "notify:\n- url: |\n    https://a/S3CRET\n    x\n",
        "notify: [{url: https://a b/S3CRET}]",
        "notify: [{url: [https://a/S3CRET]}]",
        "notify: [https://a/S3CRET]",
        "notify: https://a/S3CRET",
        "notify: {url: https://a/S3CRET}",
        // At the wrong place, or misspelt.
        "notify: [{uri: https://a/S3CRET}]",
        "notify: [{adress: S3CRET}]",
        "notify: [{https://a/S3CRET: x}]",
        "notify: [{url_file: https://a/S3CRET}]",
        "notify: [{url_env: https://a/S3CRET}]",
        "notify: [{format: https://a/S3CRET, url: x}]",
        "notfy: [{url: https://a/S3CRET}]",
        "hooks: https://a/S3CRET",
        // The key of the signature.
        "notify: [{url: https://a, secret: S3CRET}]",
        "notify: [{url: https://a, secret: 'a, S3CRET', events: [hold]}]",
        "notify:\n  - url: https://a\n    secret: a {S3CRET}\n",
        "notify: [{url: https://a, hmac_key: S3CRET}]",
        // Not even YAML.
        "notify: [{url: 'https://a/S3CRET}]",
        "notify: [{url: https://a/S3CRET, events: [held}]",
        "notify:\n  - url: https://a/S3CRET\n   timeout: 5s\n",
        "notify:\n  - url: https://a/S3CRET: x: y\n",
        "notify:\n  - url: https://a b/S3CRET: x: y\n",
        "notify:\n  - secret: S3CRET: x: y\n",
        "notify: [{secret: &a S3CRET, url: *b}]",
        // Through an anchor, and in a file of one line.
        "x-u: &u S3CRET\nnotify: [{url: *u}]\n",
        "{x-u: &u https://a/S3CRET, notify: [{url: *u, timeout: 5}]}",
        "{notify: [{url: https://a/S3CRET}], interval: 5}",
    ] {
        let found = said(text);
        let shown = render_all(&found, false);
        assert!(!shown.contains(SECRET), "{text}\n{shown}");
        let debug = format!("{found:?}");
        assert!(!debug.contains(SECRET), "{text}\n{debug}");
        for it in &found {
            let others = it.other.iter().map(|it| &it.0);
            for place in others.chain([&it.place]) {
                let file = &place.file.text;
                assert!(!file.contains(SECRET), "{text}\n{file}");
                assert_eq!(file.len(), text.len(), "every byte keeps its place");
            }
        }
    }
}

#[test]
fn the_host_is_shown_and_the_caret_stays() {
    let found = said("notify: [{url: \"https://a.example/S3CRET\", events: [hold]}]");
    let expected = "\
error: `hold` is not a value of `events`
 --> permitd.yaml:1:53
  |
1 | notify: [{url: \"https://a.example/******\", events: [hold]}]
  |                                                     ^^^^
  |
help: did you mean `held`?
";
    assert_eq!(render_all(&found, false), expected);
}

/// What has nothing to do with it is shown as it is.
#[test]
fn nothing_else_is_hidden() {
    let text = "permissions: [x]\nhttp: {hosts: ['https://a']}\nlambda: {simulator: {seed: a.yaml}}\n\
        notify: [{url_file: hook-url, secret_env: KEY, format: json, events: [held], timeout: 5s}]\n\
        jiter: 10%\n";
    for it in said(text) {
        assert_eq!(it.place.file.text, text);
    }
}

/// A pattern of the files knows its place for errors that are found later.
#[test]
fn good_settings_show_nothing_either() {
    let text = "{permissions: [x], notify: [{url: https://a/S3CRET, secret_file: k}]}";
    let settings = settings::parse(&File::new("permitd.yaml", text.to_owned())).unwrap();
    let file = &settings.permissions[0].place.as_ref().unwrap().file;
    assert!(!file.text.contains(SECRET), "{}", file.text);
    assert!(!format!("{settings:?}").contains(SECRET), "{settings:?}");
}

#[test]
fn what_is_kept_says_the_same_without_receivers() {
    for text in [
        "permissions: [x]\nnotify:\n  - url: https://a/S3CRET\n    format: slack\n# and\ninterval: 7s\n",
        "permissions: [x]\nnotify:\n- url: https://a/S3CRET\ninterval: 7s\n",
        "interval: 7s\npermissions: [x]\nnotify:\n- url: https://a/S3CRET",
        "{notify: [{url: 'https://a/S3CRET'}], permissions: [x], interval: 7s}",
        "x-u: &u https://a/S3CRET\npermissions: [x]\ninterval: 7s\nnotify: [{url: *u}]\n",
        "x-u: &u {url: https://a/S3CRET}\npermissions: [x]\ninterval: 7s\nnotify: [*u]\n",
        "x-u: &u [{url: https://a/S3CRET}]\npermissions: [x]\ninterval: 7s\nnotify: *u\n",
    ] {
        let kept = without_receivers(&File::new("permitd.yaml", text.to_owned()));
        assert!(!kept.contains(SECRET), "{kept}");
        let read = |text: String| {
            let Settings { permissions, interval, .. } =
                settings::parse(&File::new("permitd.yaml", text)).unwrap();
            (permissions.into_iter().map(|it| it.text).collect::<Vec<_>>(), interval)
        };
        assert_eq!(read(kept), read(text.to_owned()), "{text}");
    }
}
