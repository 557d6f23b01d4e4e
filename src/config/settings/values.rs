//! The small notations of the settings, also for flags: `5m`, `10%`, `10/s`, `127.0.0.1:0`.

use core::net::SocketAddr;
use std::time::Duration;

use super::{Budget, Cap};

/// Longer ones are mistakes, and a point in time so far away cannot be computed with.
const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
/// `SQLite` and one statement of full size need about half of it.
const MIN_JOURNAL: u64 = 64 << 10;

/// `5m`, `1h30m`; at least a second.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if interval < Duration::from_secs(1) {
        return Err(format!("`{text}` is too short; an interval has at least one second"));
    }
    Ok(interval)
}

/// `60s`, `0s`; at most a hundred years.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|_| {
        format!("`{text}` is not a duration; write a number and its unit, as in 30s, 5m or 1h30m")
    })?;
    if duration > CENTURY {
        return Err(format!("`{text}` is too long; write at most 36500d"));
    }
    Ok(duration)
}

/// `10%`, as a share: 0.1.
pub fn parse_jitter(text: &str) -> Result<f64, String> {
    parse_share(text).ok_or_else(|| format!("`{text}` is not a share; write 0% to 100%, as in 10%"))
}

/// `10`, `0`, `unlimited`.
pub fn parse_max_revocations(text: &str) -> Result<Cap<u32>, String> {
    if text == "unlimited" {
        return Ok(Cap::Unlimited);
    }
    if text.is_empty() || !is_digits(text) {
        return Err(format!("`{text}` is not a count; write a whole number, or unlimited"));
    }
    // What is left can only be too large.
    let too_large = |_| format!("`{text}` is too large; write a smaller number, or unlimited");
    text.parse().map(Cap::At).map_err(too_large)
}

/// `30%`, as a share: 0.3; `unlimited`.
pub fn parse_max_changed_targets(text: &str) -> Result<Cap<f64>, String> {
    cap(text, || parse_share(text)).ok_or_else(|| {
        format!("`{text}` is not a share; write 0% to 100%, as in 30%, or unlimited")
    })
}

/// `365d`, `unlimited`.
pub(super) fn parse_retention(text: &str) -> Result<Cap<Duration>, String> {
    let or_unlimited = |it| format!("{it}, or unlimited");
    match text {
        "unlimited" => Ok(Cap::Unlimited),
        _ => match parse_duration(text).map_err(or_unlimited)? {
            Duration::ZERO => Err(format!(
                "`{text}` would keep nothing to undo; write it like 365d, or unlimited"
            )),
            it => Ok(Cap::At(it)),
        },
    }
}

/// `64MiB`, also in bytes; `unlimited`.
pub(super) fn parse_max_size(text: &str) -> Result<Cap<u64>, String> {
    match cap(text, || parse_bytes(text)) {
        Some(Cap::At(it)) if it < MIN_JOURNAL => {
            Err(format!("`{text}` is too small; a journal has at least 64KiB"))
        }
        Some(it) => Ok(it),
        None => Err(format!("`{text}` is not a size; write it like 64MiB, 1GiB or unlimited")),
    }
}

/// `10/s`, `2.5/s`, `300/m`, `unlimited`.
pub fn parse_budget(text: &str) -> Result<Budget, String> {
    if text == "unlimited" {
        return Ok(Budget::Unlimited);
    }
    let parts =
        text.split_once('/').map(|(number, unit)| (parse_number(number.trim()), unit.trim()));
    let per_second = match parts {
        Some((Some(number), "s")) => number,
        Some((Some(number), "m")) => number / 60.0,
        Some(_) | None => {
            return Err(format!(
                "`{text}` is not a budget; write it like 10/s, 300/m or unlimited"
            ));
        }
    };
    if per_second > 0.0 {
        Ok(Budget::PerSecond(per_second))
    } else {
        Err(format!("`{text}` would never allow a request; write it like 10/s, or unlimited"))
    }
}

pub(super) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let help = "write an IP address and a port, as in 127.0.0.1:9001; port 0 is any free one";
    text.parse().map_err(|_| format!("`{text}` is not an address; {help}"))
}

fn cap<T>(text: &str, bound: impl FnOnce() -> Option<T>) -> Option<Cap<T>> {
    if text == "unlimited" { Some(Cap::Unlimited) } else { bound().map(Cap::At) }
}

fn parse_share(text: &str) -> Option<f64> {
    text.strip_suffix('%').and_then(parse_number).filter(|it| *it <= 100.0).map(|it| it / 100.0)
}

/// Units of 1024 only: `MB` is a million to some and 1024 times 1024 to others.
fn parse_bytes(text: &str) -> Option<u64> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let with_unit = |(unit, size): (&str, u64)| Some((text.strip_suffix(unit)?.trim_end(), size));
    let (number, unit) = units.into_iter().find_map(with_unit).unwrap_or((text, 1));
    let number: u64 = number.parse().ok().filter(|_| is_digits(number))?;
    number.checked_mul(unit)
}

/// Rust's own parsing would also take a `+`.
fn is_digits(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_digit())
}

/// Digits with or without a point: no sign, no exponent, no `inf`.
fn parse_number(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let number: f64 = text.parse().ok().filter(|_| digits)?;
    number.is_finite().then_some(number)
}
