//! Risks, limits, the journal and the socket: values both ways, and what is said about wrong ones.

use super::*;
use crate::config::tests::check_settings;

#[track_caller]
fn read(text: &str) -> Settings {
    let file = File::new("permitd.yaml", text.to_owned());
    parse(&file).unwrap_or_else(|it| panic!("{}", diagnostic::render_all(&it, false)))
}

#[test]
fn risks_are_a_list_that_may_be_empty() {
    for (text, expected) in [
        ("mode: observe", vec![Risk::P002]),
        ("deny_risks: []", vec![]),
        ("deny_risks: [P004]", vec![Risk::P004]),
        (
            "deny_risks: [P001, P002, P003, P004, P005, P006, P007, P008]",
            vec![
                Risk::P001,
                Risk::P002,
                Risk::P003,
                Risk::P004,
                Risk::P005,
                Risk::P006,
                Risk::P007,
                Risk::P008,
            ],
        ),
    ] {
        assert_eq!(read(text).deny_risks, expected, "{text}");
    }
}

#[test]
fn limits_keep_their_defaults_where_they_are_not_named() {
    let limits =
        |max_revocations, max_changed_targets| Limits { max_revocations, max_changed_targets };
    for (text, expected) in [
        ("mode: observe", limits(Some(10), Some(0.3))),
        ("limits: {}", limits(Some(10), Some(0.3))),
        ("limits: {max_revocations: 0}", limits(Some(0), Some(0.3))),
        ("limits: {max_revocations: \"7\"}", limits(Some(7), Some(0.3))),
        ("limits: {max_revocations: unlimited}", limits(None, Some(0.3))),
        ("limits: {max_changed_targets: 0%}", limits(Some(10), Some(0.0))),
        ("limits: {max_changed_targets: 100%}", limits(Some(10), Some(1.0))),
        ("limits: {max_changed_targets: unlimited}", limits(Some(10), None)),
        ("limits: unlimited", Limits::UNLIMITED),
        ("limits: {max_revocations: unlimited, max_changed_targets: unlimited}", Limits::UNLIMITED),
    ] {
        assert_eq!(read(text).limits, expected, "{text}");
    }
}

#[test]
fn the_journal_is_a_path_or_more() {
    let journal = |path: Option<&str>, retention, max_size| Journal {
        path: path.map(PathBuf::from),
        retention,
        max_size,
    };
    let days = |it: u64| Cap::At(Duration::from_hours(it * 24));
    for (text, expected) in [
        ("mode: observe", journal(None, days(365), Cap::Unlimited)),
        ("journal: j.db", journal(Some("j.db"), days(365), Cap::Unlimited)),
        ("journal: {}", journal(None, days(365), Cap::Unlimited)),
        ("journal: {path: /j}", journal(Some("/j"), days(365), Cap::Unlimited)),
        (
            "journal: {retention: 12h}",
            journal(None, Cap::At(Duration::from_hours(12)), Cap::Unlimited),
        ),
        ("journal: {retention: 36500d}", journal(None, days(36500), Cap::Unlimited)),
        ("journal: {retention: unlimited}", journal(None, Cap::Unlimited, Cap::Unlimited)),
        ("journal: {max_size: 64KiB}", journal(None, days(365), Cap::At(65_536))),
        ("journal: {max_size: 65536}", journal(None, days(365), Cap::At(65_536))),
        ("journal: {max_size: 2 MiB}", journal(None, days(365), Cap::At(2 << 20))),
        ("journal: {max_size: 3GiB}", journal(None, days(365), Cap::At(3 << 30))),
        ("journal: {max_size: unlimited}", journal(None, days(365), Cap::Unlimited)),
    ] {
        assert_eq!(read(text).journal, expected, "{text}");
    }
}

#[test]
fn the_rest_both_ways() {
    assert_eq!(read("mode: observe").orphan_grace, Duration::from_mins(1));
    assert_eq!(read("orphan_grace: 0s").orphan_grace, Duration::ZERO);
    assert_eq!(read("mode: observe").replace, Replace::Bridge);
    assert_eq!(read("defaults: {replace: bridge}").replace, Replace::Bridge);
    assert_eq!(read("defaults: {replace: direct}").replace, Replace::Direct);
    assert_eq!(read("mode: observe").control, None);
    assert_eq!(read("control: c.sock").control, Some(PathBuf::from("c.sock")));
}

#[test]
fn risks_that_nobody_knows() {
    check_settings(
        r"
deny_risks: [P002, p002, P009, [P001]]
",
        r"
error: `p002` is not a risk
 --> permitd.yaml:1:20
  |
1 | deny_risks: [P002, p002, P009, [P001]]
  |                    ^^^^
  |
help: risks are P001 to P008

error: `P009` is not a risk
 --> permitd.yaml:1:26
  |
1 | deny_risks: [P002, p002, P009, [P001]]
  |                          ^^^^
  |
help: risks are P001 to P008

error: `deny_risks` takes one value, not a list
 --> permitd.yaml:1:32
  |
1 | deny_risks: [P002, p002, P009, [P001]]
  |                                ^^^^^^
  |
help: write one value
",
    );
    check_settings(
        r"
deny_risks: P002
",
        r"
error: `deny_risks` takes a list, not one value
 --> permitd.yaml:1:13
  |
1 | deny_risks: P002
  |             ^^^^
  |
help: write it like `deny_risks: [P002]`
",
    );
}

#[test]
fn limits_that_are_none() {
    check_settings(
        r"
limits: {max_revocations: -1, max_changed_targets: 0.3, max_removals: 3}
",
        r"
error: `-1` is not a count; write a whole number, or unlimited
 --> permitd.yaml:1:27
  |
1 | limits: {max_revocations: -1, max_changed_targets: 0.3, max_removals: 3}
  |                           ^^

error: `0.3` is not a share; write 0% to 100%, as in 30%, or unlimited
 --> permitd.yaml:1:52
  |
1 | limits: {max_revocations: -1, max_changed_targets: 0.3, max_removals: 3}
  |                                                    ^^^

error: `max_removals` is not a key of `limits`
 --> permitd.yaml:1:57
  |
1 | limits: {max_revocations: -1, max_changed_targets: 0.3, max_removals: 3}
  |                                                         ^^^^^^^^^^^^
  |
help: its keys are `max_revocations`, `max_changed_targets`
",
    );
    check_settings(
        r"
limits: {max_revocations: 1.5, max_changed_targets: 100.1%}
",
        r"
error: `1.5` is not a count; write a whole number, or unlimited
 --> permitd.yaml:1:27
  |
1 | limits: {max_revocations: 1.5, max_changed_targets: 100.1%}
  |                           ^^^

error: `100.1%` is not a share; write 0% to 100%, as in 30%, or unlimited
 --> permitd.yaml:1:53
  |
1 | limits: {max_revocations: 1.5, max_changed_targets: 100.1%}
  |                                                     ^^^^^^
",
    );
    check_settings(
        r"
limits: {max_revocations: 4294967296, max_changed_targets: none}
",
        r"
error: `4294967296` is too large; write a smaller number, or unlimited
 --> permitd.yaml:1:27
  |
1 | limits: {max_revocations: 4294967296, max_changed_targets: none}
  |                           ^^^^^^^^^^

error: `none` is not a share; write 0% to 100%, as in 30%, or unlimited
 --> permitd.yaml:1:60
  |
1 | limits: {max_revocations: 4294967296, max_changed_targets: none}
  |                                                            ^^^^
",
    );
    check_settings(
        r"
limits: none
",
        r"
error: `none` is not a value of `limits`
 --> permitd.yaml:1:9
  |
1 | limits: none
  |         ^^^^
  |
help: write `limits: {max_revocations: 10, max_changed_targets: 30%}`, or `limits: unlimited`
",
    );
    check_settings(
        r"
limits: [unlimited]
",
        r"
error: `limits` is a map of keys and values, not a list
 --> permitd.yaml:1:9
  |
1 | limits: [unlimited]
  |         ^^^^^^^^^^^
",
    );
    check_settings(
        r"
limits:
",
        r"
error: `limits` is a map of keys and values, not nothing
 --> permitd.yaml:1:1
  |
1 | limits:
  | ^^^^^^
",
    );
}

#[test]
fn journals_that_are_none() {
    check_settings(
        r#"
journal: ""
control: ""
"#,
        r#"
error: `journal` is empty
 --> permitd.yaml:1:10
  |
1 | journal: ""
  |          ^^
  |
help: write a path, or leave the key out

error: `control` is empty
 --> permitd.yaml:2:10
  |
2 | control: ""
  |          ^^
  |
help: write a path, or leave the key out
"#,
    );
    check_settings(
        r"
journal: {path: [x], retention: 365, max_size: 64MB, max_sizes: 1}
",
        r"
error: `path` takes one value, not a list
 --> permitd.yaml:1:17
  |
1 | journal: {path: [x], retention: 365, max_size: 64MB, max_sizes: 1}
  |                 ^^^
  |
help: write one value

error: `365` is not a duration; write a number and its unit, as in 30s, 5m or 1h30m, or unlimited
 --> permitd.yaml:1:33
  |
1 | journal: {path: [x], retention: 365, max_size: 64MB, max_sizes: 1}
  |                                 ^^^

error: `64MB` is not a size; write it like 64MiB, 1GiB or unlimited
 --> permitd.yaml:1:48
  |
1 | journal: {path: [x], retention: 365, max_size: 64MB, max_sizes: 1}
  |                                                ^^^^

error: `max_sizes` is not a key of `journal`
 --> permitd.yaml:1:54
  |
1 | journal: {path: [x], retention: 365, max_size: 64MB, max_sizes: 1}
  |                                                      ^^^^^^^^^
  |
help: did you mean `max_size`?
",
    );
}

#[test]
fn sizes_and_times_have_bounds() {
    check_settings(
        r"
journal: {retention: 0s, max_size: 63KiB}
control: {path: x}
",
        r"
error: `0s` would keep nothing to undo; write it like 365d, or unlimited
 --> permitd.yaml:1:22
  |
1 | journal: {retention: 0s, max_size: 63KiB}
  |                      ^^

error: `63KiB` is too small; a journal has at least 64KiB
 --> permitd.yaml:1:36
  |
1 | journal: {retention: 0s, max_size: 63KiB}
  |                                    ^^^^^

error: `control` takes one value, not a map
 --> permitd.yaml:2:10
  |
2 | control: {path: x}
  |          ^^^^^^^^^
",
    );
    check_settings(
        r"
journal: {retention: 101y, max_size: 99999999999999GiB}
orphan_grace: -1s
",
        r"
error: `101y` is too long; write at most 36500d, or unlimited
 --> permitd.yaml:1:22
  |
1 | journal: {retention: 101y, max_size: 99999999999999GiB}
  |                      ^^^^

error: `99999999999999GiB` is not a size; write it like 64MiB, 1GiB or unlimited
 --> permitd.yaml:1:38
  |
1 | journal: {retention: 101y, max_size: 99999999999999GiB}
  |                                      ^^^^^^^^^^^^^^^^^

error: `-1s` is not a duration; write a number and its unit, as in 30s, 5m or 1h30m
 --> permitd.yaml:2:15
  |
2 | orphan_grace: -1s
  |               ^^^
",
    );
    check_settings(
        r"
journal: [x]
control:
orphan_grace: 101y
",
        r"
error: `journal` takes one value, not a list
 --> permitd.yaml:1:10
  |
1 | journal: [x]
  |          ^^^
  |
help: write one value

error: `control` has no value
 --> permitd.yaml:2:1
  |
2 | control:
  | ^^^^^^^
  |
help: write one, or leave the key out

error: `101y` is too long; write at most 36500d
 --> permitd.yaml:3:15
  |
3 | orphan_grace: 101y
  |               ^^^^
",
    );
}
