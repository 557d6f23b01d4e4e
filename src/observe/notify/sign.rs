//! The signature of a message: HMAC-SHA256 over the time, a point and the body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the signature.
pub const SIGNATURE: &str = "x-permitd-signature-256";
/// The header with the time in seconds since 1970.
pub const TIMESTAMP: &str = "x-permitd-timestamp";
/// The header with what stays the same over all attempts of one message.
pub const DELIVERY: &str = "x-permitd-delivery";

/// `sha256=` and hexadecimal digits. None for no key, which the settings do not allow.
pub fn signature(secret: &[u8], timestamp: &str, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let digits: Vec<String> = bytes.iter().map(|it| format!("{it:02x}")).collect();
    Some(format!("sha256={}", digits.concat()))
}
