//! What `interface.md` promises of a later version.

/// Flags and values of `interface.md` that a later version has.
const LATER_FLAGS: &[&str] = &[
    "--report",
    "--allow-missing",
    "--enable-lifecycle",
    "--per-target-metrics",
    "--shard",
    "--lease",
    "--ca-bundle",
];
const LATER_COMMANDS: &[&str] = &["explain", "compact"];
const LATER_OUTPUTS: &[&str] = &["markdown", "html"];

/// What is known but not built yet is told apart from what is misspelt.
pub(crate) fn not_yet(args: &[String]) -> Option<String> {
    let say = |what: &str| format!("`{what}` is not supported yet in this version of permitd");
    let command = args.iter().skip(1).find(|it| !it.starts_with('-'));
    if let Some(it) = command.filter(|it| LATER_COMMANDS.contains(&it.as_str())) {
        return Some(say(&format!("permitd {it}")));
    }
    for (at, arg) in args.iter().enumerate().take_while(|(_, it)| *it != "--") {
        let (name, value) = arg.split_once('=').unwrap_or((arg, ""));
        if LATER_FLAGS.contains(&name) {
            return Some(say(name));
        }
        let next = args.get(at + 1).map_or("", String::as_str);
        let value = if value.is_empty() { next } else { value };
        if name == "--output" && LATER_OUTPUTS.contains(&value) {
            return Some(say(&format!("--output {value}")));
        }
    }
    None
}
