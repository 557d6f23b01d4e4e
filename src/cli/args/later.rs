//! What `interface.md` promises of a later version.

/// Flags and values of `interface.md` that a later version has.
const LATER_FLAGS: &[&str] = &["--allow-missing"];

/// What is known but not built yet is told apart from what is misspelt.
pub(crate) fn not_yet(args: &[String]) -> Option<String> {
    let say = |what: &str| format!("`{what}` is not supported yet in this version of permitd");
    for arg in args.iter().take_while(|it| *it != "--") {
        let name = arg.split_once('=').map_or(arg.as_str(), |(name, _)| name);
        if LATER_FLAGS.contains(&name) {
            return Some(say(name));
        }
    }
    None
}
