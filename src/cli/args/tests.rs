//! The table of flags.

use clap::CommandFactory;

use super::*;
use crate::config::settings::Cap;
use crate::drift::limits::Limits;

#[test]
fn the_table_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_flag_has_help_and_an_environment_variable() {
    let command = Cli::command();
    for sub in command.get_subcommands() {
        for arg in sub.get_arguments().chain(command.get_arguments()) {
            let name = arg.get_id().as_str();
            if arg.is_positional() || ["help", "version"].contains(&name) {
                continue;
            }
            assert!(arg.get_help().is_some(), "{} {name} has no help", sub.get_name());
            let env = arg.get_env().unwrap_or_default().to_string_lossy().into_owned();
            assert!(env.starts_with("PERMITD_"), "{} {name} has no variable", sub.get_name());
        }
    }
}

/// A default that is computed is spelled out in the help, and nobody else keeps the two together.
#[test]
fn the_limits_in_the_help_are_the_limits() {
    let Limits { max_revocations, max_changed_targets } = Limits::default();
    let share = format!("else {}%]", max_changed_targets.unwrap() * 100.0);
    let count = format!("else {}]", max_revocations.unwrap());
    let command = Cli::command();
    for name in ["plan", "apply", "run"] {
        let sub = command.find_subcommand(name).unwrap();
        let help = |flag: &str| {
            let arg = sub.get_arguments().find(|it| it.get_long() == Some(flag)).unwrap();
            arg.get_help().unwrap().to_string()
        };
        assert!(help("max-revocations").ends_with(&count), "{name}");
        assert!(help("max-changed-targets").ends_with(&share), "{name}");
    }
}

#[test]
fn flags_for_limits_take_what_the_settings_take() {
    let parse = |words: &[&str]| {
        let words = ["permitd", "plan", "x.yaml"].iter().chain(words);
        let Command::Plan(args) = Cli::try_parse_from(words).map_err(|it| it.to_string())?.command
        else {
            return Err("another command".to_owned());
        };
        Ok((args.target.max_revocations, args.target.max_changed_targets))
    };
    assert_eq!(parse(&[]), Ok((None, None)));
    assert_eq!(
        parse(&["--max-revocations=0", "--max-changed-targets=5%"]),
        Ok((Some(Cap::At(0)), Some(Cap::At(0.05))))
    );
    assert_eq!(
        parse(&["--max-revocations", "unlimited", "--max-changed-targets", "unlimited"]),
        Ok((Some(Cap::Unlimited), Some(Cap::Unlimited)))
    );
    let said = parse(&["--max-revocations=-1"]).unwrap_err();
    assert!(said.contains("`-1` is not a count; write a whole number, or unlimited"), "{said}");
    let said = parse(&["--max-changed-targets=30"]).unwrap_err();
    assert!(said.contains("`30` is not a share; write 0% to 100%, as in 30%"), "{said}");
}
