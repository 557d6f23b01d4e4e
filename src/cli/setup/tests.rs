//! From settings and flags to rules: which of them wins.

use super::*;
use crate::cli::args::ModeArg;
use crate::config::{diagnostic::File, settings};

fn settings(text: &str) -> Settings {
    settings::parse(&File::new("permitd.yaml", text.to_owned())).unwrap()
}

#[test]
fn without_settings_and_flags_the_rules_are_the_usual_ones() {
    assert_eq!(rules(&Settings::default(), &TargetArgs::default()), Rules::default());
}

#[test]
fn what_the_settings_say_counts() {
    let text = "{mode: additive, deny_risks: [P004], orphan_grace: 5m, remove_inexpressible: true, \
                ignore: [{sid: x}], limits: {max_revocations: 3, max_changed_targets: 50%}}";
    let settings = settings(text);
    let Rules { mode, ignore, remove_inexpressible, deny_risks, limits, orphan_grace, loaded_at } =
        rules(&settings, &TargetArgs::default());
    assert_eq!(mode, Mode::Additive);
    assert_eq!(ignore, settings.ignore);
    assert!(remove_inexpressible);
    assert_eq!(deny_risks, settings.deny_risks);
    assert_eq!(limits, Limits { max_revocations: Some(3), max_changed_targets: Some(0.5) });
    assert_eq!(orphan_grace.as_secs(), 300);
    assert_eq!(loaded_at, Rules::default().loaded_at);
}

#[test]
fn flags_win_each_for_itself() {
    let usual = Limits::default();
    let three = "limits: {max_revocations: 3, max_changed_targets: 50%}";
    for (text, revocations, share, expected) in [
        ("mode: observe", Some(Cap::At(4)), None, Limits { max_revocations: Some(4), ..usual }),
        ("mode: observe", Some(Cap::Unlimited), None, Limits { max_revocations: None, ..usual }),
        (
            "mode: observe",
            None,
            Some(Cap::At(1.0)),
            Limits { max_changed_targets: Some(1.0), ..usual },
        ),
        (
            three,
            Some(Cap::At(0)),
            None,
            Limits { max_revocations: Some(0), max_changed_targets: Some(0.5) },
        ),
        (
            three,
            None,
            Some(Cap::Unlimited),
            Limits { max_revocations: Some(3), max_changed_targets: None },
        ),
        (
            "limits: unlimited",
            Some(Cap::At(1)),
            Some(Cap::At(0.1)),
            Limits { max_revocations: Some(1), max_changed_targets: Some(0.1) },
        ),
    ] {
        let args = TargetArgs {
            max_revocations: revocations,
            max_changed_targets: share,
            mode: Some(ModeArg::Enforce),
            ..TargetArgs::default()
        };
        let rules = rules(&settings(text), &args);
        assert_eq!(rules.limits, expected, "{text} {revocations:?} {share:?}");
        assert_eq!(rules.mode, Mode::Enforce);
    }
}
