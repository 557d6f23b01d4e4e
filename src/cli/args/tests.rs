//! The table of flags.

use clap::CommandFactory;

use super::*;

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

#[test]
fn what_comes_later_is_told_apart_from_what_is_misspelt() {
    let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let said = |text: &str| not_yet(&args(text)).unwrap_or_default();
    assert!(said("permitd import --all").contains("`permitd import` is not supported yet"));
    assert!(said("permitd plan --report x").contains("`--report` is not supported yet"));
    assert!(said("permitd plan --max-revocations=3").contains("--max-revocations"));
    assert!(said("permitd plan --output html").contains("--output html"));
    assert!(said("permitd plan --output=markdown").contains("--output markdown"));
    assert_eq!(said("permitd plan --output json -- --report"), "");
    assert_eq!(said("permitd plann"), "");
}
