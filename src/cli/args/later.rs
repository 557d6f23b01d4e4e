//! What `interface.md` promises of a later version.

/// Flags and values of `interface.md` that a later version has.
const LATER_FLAGS: &[&str] = &["--allow-missing"];
const LATER_COMMANDS: &[&str] = &["explain", "compact"];

/// What is known but not built yet is told apart from what is misspelt.
pub(crate) fn not_yet(args: &[String]) -> Option<String> {
    let say = |what: &str| format!("`{what}` is not supported yet in this version of permitd");
    let command = args.iter().skip(1).find(|it| !it.starts_with('-'));
    if let Some(it) = command.filter(|it| LATER_COMMANDS.contains(&it.as_str())) {
        return Some(say(&format!("permitd {it}")));
    }
    for arg in args.iter().take_while(|it| *it != "--") {
        let name = arg.split_once('=').map_or(arg.as_str(), |(name, _)| name);
        if LATER_FLAGS.contains(&name) {
            return Some(say(name));
        }
    }
    None
}
