//! The settings: every key is read, and every mistake is told.

use super::events::Events;
use super::notify::{Format, Kept};
use super::*;

mod errors;
mod events;
mod hidden;
mod rails;

const EVERY_KEY: &str = r#"
permissions: [permissions/, "more/*.yaml"]
mode: additive
interval: 1h30m
jitter: 2.5%
defaults: {ownership: prefix, sid_prefix: x-, replace: direct, writer: document}
deny_risks: [P008, P001, P008]
limits: {max_revocations: 3, max_changed_targets: 2.5%}
orphan_grace: 2m
remove_inexpressible: true
ignore:
  - {sid: "Console-*", principal: "*", source_arn: "arn:aws:s3:::?"}
budgets: {get_policy: 2.5/s, control: unlimited}
discover: true
accounts:
  - {id: 012345678901, regions: [eu-west-1]}
  - {id: "123456789012", regions: [us-east-1, cn-north-1], profile: ops,
     role_arn: arn:aws:iam::123456789012:role/tools/permitd, external_id: 42, session_name: drift}
lambda: {simulator: {listen: "[::1]:9001", seed: demo/account.yaml}}
poll_interval: 7s
interval_with_events: 2h
events: {queue_url: https://sqs.eu-west-1.amazonaws.com/123456789012/q}
journal: {path: state/journal.db, retention: 30d, max_size: 64MiB}
http: {listen: 0.0.0.0:9000, hosts: [Permitd.example.com, box]}
notify: [{url: "https://example.com/x", events: [held], secret_env: KEY}, {url_file: u, format: slack, timeout: 5s}, {url_credential: c}]
control: /run/permitd.sock
"#;

#[test]
fn every_key_is_read() {
    let settings = parse(&File::new("permitd.yaml", EVERY_KEY.to_owned())).unwrap();
    let Settings {
        permissions,
        mode,
        interval,
        poll_interval,
        interval_with_events,
        events,
        jitter,
        ownership,
        replace,
        writer,
        deny_risks,
        limits,
        orphan_grace,
        remove_inexpressible,
        ignore,
        discover,
        accounts,
        simulator,
        budgets,
        journal,
        http,
        notify,
        control,
    } = settings;
    let patterns: Vec<&str> = permissions.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(patterns, ["permissions/", "more/*.yaml"]);
    assert_eq!(mode, Some(Mode::Additive));
    assert_eq!(interval, Duration::from_mins(90));
    assert_eq!(poll_interval, Duration::from_secs(7));
    assert_eq!(interval_with_events, Some(Duration::from_hours(2)));
    let Events { queue_url, region } = events.unwrap();
    assert_eq!(queue_url, "https://sqs.eu-west-1.amazonaws.com/123456789012/q");
    assert_eq!(region.as_deref(), Some("eu-west-1"));
    assert_eq!(jitter.to_string(), "0.025");
    assert_eq!(ownership, Ownership::Prefix("x-".to_owned()));
    assert_eq!(replace, Replace::Direct);
    assert_eq!(writer, Writer::Document);
    assert_eq!(deny_risks, [Risk::P001, Risk::P008]);
    assert_eq!(limits, Limits { max_revocations: Some(3), max_changed_targets: Some(2.5 / 100.0) });
    assert_eq!(orphan_grace, Duration::from_mins(2));
    assert!(remove_inexpressible);
    assert!(ignore[0].sid.as_ref().unwrap().matches("Console-1"));
    assert!(ignore[0].source_arn.as_ref().unwrap().matches("arn:aws:s3:::b"));
    assert!(discover);
    let places: Vec<String> =
        accounts.iter().flat_map(Account::places).map(|it| it.to_string()).collect();
    assert_eq!(
        places,
        ["012345678901/eu-west-1", "123456789012/us-east-1", "123456789012/cn-north-1"]
    );
    assert_eq!((&accounts[0].profile, &accounts[0].role), (&None, &None));
    assert_eq!(accounts[1].profile.as_deref(), Some("ops"));
    let role = accounts[1].role.as_ref().unwrap();
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/tools/permitd");
    assert_eq!(role.external_id.as_deref(), Some("42"));
    assert_eq!(role.session_name, "drift");
    let simulator = simulator.unwrap();
    assert_eq!(simulator.listen.to_string(), "[::1]:9001");
    assert_eq!(simulator.seed, Some(PathBuf::from("demo/account.yaml")));
    assert_eq!(budgets.get_policy, Some(Budget::PerSecond(2.5)));
    assert_eq!(budgets.control, Some(Budget::Unlimited));
    assert_eq!(journal.path, Some(PathBuf::from("state/journal.db")));
    assert_eq!(journal.retention, Cap::At(Duration::from_hours(30 * 24)));
    assert_eq!(journal.max_size, Cap::At(64 << 20));
    assert_eq!(http.listen, Some("0.0.0.0:9000".parse().unwrap()));
    assert_eq!(http.hosts, ["permitd.example.com", "box"]);
    let [json, slack, third] = notify.try_into().unwrap();
    assert_eq!(json.url.kept, Kept::Here("https://example.com/x".into()));
    assert_eq!((json.format, json.events), (Format::Json, vec!["held"]));
    assert_eq!(json.secret.unwrap().kept, Kept::Variable("KEY".into()));
    assert_eq!((slack.url.kept, slack.format), (Kept::File("u".into()), Format::Slack));
    assert_eq!((slack.events.len(), slack.timeout), (6, Duration::from_secs(5)));
    assert_eq!((third.url.kept, third.secret), (Kept::Credential("c".into()), None));
    assert_eq!(control, Some(PathBuf::from("/run/permitd.sock")));
}

#[test]
fn the_mode_has_no_default_and_the_rest_has() {
    let settings = parse(&File::new("permitd.yaml", "permissions: [x]".to_owned())).unwrap();
    let place = settings.permissions[0].place.as_ref().unwrap().source();
    assert_eq!(place.to_string(), "permitd.yaml:1:15");
    assert_eq!(Settings { permissions: Vec::new(), ..settings }, Settings::default());
    assert_eq!(Settings::default().mode, None);
}

#[test]
fn budgets_are_per_second() {
    assert_eq!(parse_budget("300/m"), Ok(Budget::PerSecond(5.0)));
    assert_eq!(parse_budget("10 / s"), Ok(Budget::PerSecond(10.0)));
    for text in ["", "10", "/s", "10/h", "-1/s", "0/s", "0/m", "nan/s", "1e999/s", "."] {
        assert!(parse_budget(text).is_err(), "{text}");
    }
}

#[test]
fn jitter_is_a_share() {
    assert_eq!(parse_jitter("0%"), Ok(0.0));
    assert_eq!(parse_jitter("100%"), Ok(1.0));
    for text in ["", "%", "100.1%", "-1%", "10", "10 %", "1e1%"] {
        assert!(parse_jitter(text).is_err(), "{text}");
    }
}
