//! The commands, as clap has them.

use std::fmt::Write;

use clap::{Arg, Command, CommandFactory};
use permitd::cli::{args::Cli, exit::Exit};

use super::{MADE, cell};
use crate::docs::markdown::slug;

pub(super) fn page() -> String {
    let mut root = Cli::command();
    root.build();
    let mut res = format!(
        "\
# The commands

Data goes to stdout, everything else to stderr. A flag wins over its variable, and both over [the settings file](settings.md).
[Exit codes](exit-codes.md). `permitd man --out DIR` writes the same as manual pages, `permitd completions SHELL` completions.

<!-- Made from src/cli/args/ by {MADE}. -->

| command | |
|---|---|
"
    );
    let commands: Vec<&Command> =
        root.get_subcommands().filter(|it| it.get_name() != "help").collect();
    for it in &commands {
        let title = format!("permitd {}", it.get_name());
        let about = it.get_about().unwrap().to_string();
        writeln!(res, "| [`{title}`](#{}) | {} |", slug(&title), cell(&about)).unwrap();
    }
    res += "\n## Flags of every command\n\n";
    let is_global = |it: &&Arg| it.is_global_set();
    table(&mut res, root.get_arguments().filter(is_global));
    for it in commands {
        section(&mut res, it);
    }
    res
}

fn section(res: &mut String, command: &Command) {
    let about = command.get_about().unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    write!(res, "\n## permitd {}\n\n{about}.\n\n```text\n{usage}\n```\n", command.get_name())
        .unwrap();
    let own = |it: &&Arg| !it.is_global_set() && it.get_id() != "help" && it.get_id() != "version";
    if command.get_arguments().any(|it| own(&it)) {
        res.push('\n');
        table(res, command.get_arguments().filter(own));
    }
    if let Some(notes) = command.get_after_help().map(ToString::to_string) {
        if notes.contains('\n') {
            write!(res, "\n```text\n{}\n```\n", notes.trim_end()).unwrap();
        } else {
            write!(res, "\n{}\n", cell(&notes)).unwrap();
        }
    }
}

fn table<'a>(res: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    *res += "| | variable | |\n|---|---|---|\n";
    for it in arguments {
        let env = it.get_env().map(|it| format!("`{}`", it.to_string_lossy())).unwrap_or_default();
        writeln!(res, "| `{}` | {env} | {} |", name(it), about(it)).unwrap();
    }
}

/// `-o, --output OUTPUT`, or `FILE`
fn name(it: &Arg) -> String {
    let value = it.get_value_names().unwrap_or_default().join(" ");
    let Some(long) = it.get_long() else { return value };
    let short = it.get_short().map(|it| format!("-{it}, ")).unwrap_or_default();
    if it.get_action().takes_values() {
        format!("{short}--{long} {value}")
    } else {
        format!("{short}--{long}")
    }
}

fn about(it: &Arg) -> String {
    let help = it.get_long_help().or(it.get_help()).unwrap().to_string();
    let mut res = cell(&help);
    if !it.get_action().takes_values() {
        return res;
    }
    let values: Vec<String> = it
        .get_possible_values()
        .iter()
        .map(|it| match it.get_help() {
            Some(help) => format!("`{}` ({})", it.get_name(), cell(&help.to_string())),
            None => format!("`{}`", it.get_name()),
        })
        .collect();
    if !values.is_empty() {
        write!(res, "<br>One of {}", values.join(", ")).unwrap();
    }
    let defaults: Vec<String> =
        it.get_default_values().iter().map(|it| format!("`{}`", it.to_string_lossy())).collect();
    if !defaults.is_empty() {
        write!(res, "<br>Default: {}", defaults.join(", ")).unwrap();
    }
    res
}

pub(super) fn exit_codes() -> String {
    let mut res = format!(
        "\
# Exit codes

<!-- Made from src/cli/exit.rs by {MADE}. -->

| code | |
|---|---|
"
    );
    for (exit, meaning) in Exit::MEANINGS {
        writeln!(res, "| `{}` | {meaning} |", exit.code()).unwrap();
    }
    res += "
64 and 78 come before any call to Lambda. Otherwise 1 wins over 3, and 3 over 2: a target that is not known hides nothing behind a 2.
`apply` and `run --once` tell by their code what is left when they are through. `run` that was ended by a signal ends with 0, for that is how daemons are ended.
`permitd explain`: 0 where the live policy allows the call, 2 where it does not, 1 where it cannot be told.
`permitd check`: 0, 78 where a file is wrong or a denied finding is there, 1 where its report could not be written.

In a pipeline:

```sh
permitd plan --detailed-exitcode --output markdown > comment.md
case $? in
  0) echo \"as written\" ;;
  2) echo \"drift\" ;;
  3) echo \"something waits for a yes\" ;;
  *) exit 1 ;;
esac
```
";
    res
}
