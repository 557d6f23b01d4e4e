//! The small notations of the settings, also for flags: `5m`, `10%`, `10/s`, `127.0.0.1:0`.

use core::net::SocketAddr;
use std::time::Duration;

use super::Budget;

/// `5m`, `1h30m`; at least a second.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|_| {
        format!("`{text}` is not a duration; write a number and its unit, as in 30s, 5m or 1h30m")
    })?;
    if interval < Duration::from_secs(1) {
        return Err(format!("`{text}` is too short; an interval has at least one second"));
    }
    Ok(interval)
}

/// `10%`, as a share: 0.1.
pub fn parse_jitter(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(parse_number);
    match number {
        Some(it) if it <= 100.0 => Ok(it / 100.0),
        Some(_) | None => Err(format!("`{text}` is not a share; write 0% to 100%, as in 10%")),
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

/// Digits with or without a point: no sign, no exponent, no `inf`.
fn parse_number(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    let number: f64 = text.parse().ok().filter(|_| digits)?;
    number.is_finite().then_some(number)
}
