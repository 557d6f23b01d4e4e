//! The name of the temporary statement that keeps access alive while a statement is replaced.

use sha2::{Digest, Sha256};

use crate::policy::target::Target;

const MARK: &str = "-permitd-";
const HEX: usize = 8;

/// The bridge's Sid: at most 80 characters of the Sid, the mark, eight hex digits of a hash of target and Sid.
pub fn bridge_sid(target: &Target, sid: &str) -> String {
    let head: String = sid.chars().take(80).collect();
    let hash = Sha256::digest(format!("{target}\n{sid}"));
    let hex: String = hash.iter().take(HEX / 2).map(|it| format!("{it:02x}")).collect();
    format!("{head}{MARK}{hex}")
}

/// A Sid of this form is permitd's own; no file may write one.
pub fn is_reserved(sid: &str) -> bool {
    sid.rsplit_once(MARK).is_some_and(|(_, hex)| {
        let digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
        hex.len() == HEX && hex.bytes().all(digit)
    })
}

/// The part of a reserved Sid that it was derived from.
pub fn base_of(sid: &str) -> Option<&str> {
    sid.rsplit_once(MARK).filter(|_| is_reserved(sid)).map(|(head, _)| head)
}
