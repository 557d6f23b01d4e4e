//! What a conversation's further way depends on, as a number.
//!
//! Two conversations that go the same way from here are one state of the walk. So the key leaves out, of the
//! `Debug` text of a conversation:
//!
//! - what was found and done so far, which only its outcome tells of, and its count of writes, which is far from
//!   spent in worlds as small as these (a way that spends it would be one without end, and would be found);
//! - superseded revisions older than the one before the last read, for no read gives those any more.
//!
//! A field that is renamed fails here, loudly.

use std::hash::{DefaultHasher, Hasher};

use permitd::drift::{converge::Converge, memory::TargetMemory};

/// Of a conversation that goes on.
pub(super) fn of_conversation(converge: &Converge<'_>, rest: &str) -> u64 {
    let text = format!("{converge:?}");
    let [found, left, done, counts] = [", found: ", ", left: ", ", done: [", ", counts: "]
        .map(|it| text.rfind(it).unwrap_or_else(|| panic!("no{it}in {text}")));
    let planned = !text[found..].starts_with(", found: None");
    let kept = format!("{}{planned}{}{}{rest}", &text[..found], &text[left..done], &text[counts..]);
    hash(&without_the_past(&kept))
}

/// Of one that has ended.
pub(super) fn of_memory(memory: &TargetMemory, rest: &str) -> u64 {
    hash(&without_the_past(&format!("{memory:?}{rest}")))
}

fn without_the_past(text: &str) -> String {
    const CURRENT: &str = ", current: ";
    const SUPERSEDED: &str = "Superseded { revision: \"r";
    let (_, current) = text.split_once(CURRENT).unwrap();
    let Some(current) = current.strip_prefix("Some(\"r") else { return text.to_owned() };
    let last_read = number(current);
    let mut parts = text.split(SUPERSEDED);
    let mut res = parts.next().unwrap().to_owned();
    for part in parts {
        let (known, rest) = part.split_once('}').unwrap();
        let rest = rest.strip_prefix(", ").unwrap_or(rest);
        if number(known) + 1 >= last_read {
            res.push_str(known);
            res.push(';');
        }
        res.push_str(rest);
    }
    res
}

fn number(text: &str) -> u32 {
    text.split('"').next().unwrap().parse().unwrap()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}
