//! The settings: every key is read, and every mistake is told.

use super::*;

mod errors;

const EVERY_KEY: &str = r#"
permissions: [permissions/, "more/*.yaml"]
mode: additive
interval: 1h30m
jitter: 2.5%
defaults: {ownership: prefix, sid_prefix: x-, replace: direct, writer: statements}
remove_inexpressible: true
ignore:
  - {sid: "Console-*", principal: "*", source_arn: "arn:aws:s3:::?"}
budgets: {get_policy: 2.5/s, control: unlimited}
accounts: [{id: 012345678901, regions: [eu-west-1]}]
lambda: {simulator: {listen: "[::1]:9001", seed: demo/account.yaml}}
"#;

#[test]
fn every_key_is_read() {
    let settings = parse(&File::new("permitd.yaml", EVERY_KEY.to_owned())).unwrap();
    let Settings {
        permissions,
        mode,
        interval,
        jitter,
        ownership,
        remove_inexpressible,
        ignore,
        account,
        simulator,
        budgets,
    } = settings;
    let patterns: Vec<&str> = permissions.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(patterns, ["permissions/", "more/*.yaml"]);
    assert_eq!(mode, Some(Mode::Additive));
    assert_eq!(interval, Duration::from_mins(90));
    assert_eq!(jitter.to_string(), "0.025");
    assert_eq!(ownership, Ownership::Prefix("x-".to_owned()));
    assert!(remove_inexpressible);
    assert!(ignore[0].sid.as_ref().unwrap().matches("Console-1"));
    assert!(ignore[0].source_arn.as_ref().unwrap().matches("arn:aws:s3:::b"));
    assert_eq!(account.unwrap().to_string(), "012345678901/eu-west-1");
    let simulator = simulator.unwrap();
    assert_eq!(simulator.listen.to_string(), "[::1]:9001");
    assert_eq!(simulator.seed, Some(PathBuf::from("demo/account.yaml")));
    assert_eq!(budgets.get_policy, Some(Budget::PerSecond(2.5)));
    assert_eq!(budgets.control, Some(Budget::Unlimited));
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
