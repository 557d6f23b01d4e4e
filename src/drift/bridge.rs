//! The name of the temporary statement that keeps access alive while a statement is replaced.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::policy::target::Target;

const MARK: &str = "-permitd-";
const HEX: usize = 8;

/// The bridge's Sid: at most 80 characters of the Sid, the mark, eight hex digits of a hash of target and Sid.
pub fn bridge_sid(target: &Target, sid: &str) -> String {
    let head: String = sid.chars().take(80).collect();
    let hash = Sha256::digest(format!("{target}\n{sid}"));
    let mut res = format!("{head}{MARK}");
    for byte in hash.iter().take(HEX / 2) {
        // Writing to a String cannot fail.
        write!(res, "{byte:02x}").unwrap_or_default();
    }
    res
}

/// A Sid of this form is permitd's own; no file may write one.
pub fn is_reserved(sid: &str) -> bool {
    sid.rsplit_once(MARK).is_some_and(|(_, hex)| {
        let digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
        hex.len() == HEX && hex.bytes().all(digit)
    })
}

/// What ends a reserved Sid, as a regular expression for schemas.
pub fn reserved_pattern() -> String {
    format!("{MARK}[0-9a-f]{{{HEX}}}$")
}

/// The part of a reserved Sid that it was derived from.
pub fn base_of(sid: &str) -> Option<&str> {
    sid.rsplit_once(MARK).filter(|_| is_reserved(sid)).map(|(head, _)| head)
}
