//! What can go wrong with one call.

use std::time::Duration;

use permitd::lambda::gateway::{GatewayError, Recovery};

use super::{case::Dice, world::error};

/// What becomes of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFate {
    Good,
    Stale,
    Error,
    Page,
    Dropped,
    Unreachable,
    Throttled(Option<u64>),
    Denied,
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFate {
    Good,
    ErrorBefore,
    ErrorAfter,
    PageAfter,
    DropBefore,
    DropAfter,
    /// Dropped, and applied some calls later.
    Late,
    Throttled(Option<u64>),
    Busy,
    Unreachable,
    Denied,
    TooLarge,
}

fn throttled(retry_after: Option<u64>) -> GatewayError {
    let retry_after = retry_after.map(Duration::from_secs);
    let it = error(429, Some("TooManyRequestsException"), "Rate exceeded");
    GatewayError { recovery: Recovery::Throttled { retry_after }, ..it }
}

fn unheard(recovery: Recovery) -> GatewayError {
    let message = "no answer".to_owned();
    GatewayError { recovery, status: None, code: None, message, request_id: None }
}

fn service_error() -> GatewayError {
    error(500, Some("ServiceException"), "An error occurred")
}

fn denied() -> GatewayError {
    error(403, Some("AccessDeniedException"), "not authorized")
}

fn pause(dice: &mut Dice) -> Option<u64> {
    dice.pick(&[None, Some(1), Some(5), Some(100)])
}

impl ReadFate {
    pub(crate) fn draw(dice: &mut Dice, percent: u32) -> Self {
        if !dice.percent(percent) {
            return Self::Good;
        }
        match dice.below(16) {
            0..=5 => Self::Stale,
            6 | 7 => Self::Error,
            8 => Self::Page,
            9 | 10 => Self::Dropped,
            11 | 12 => Self::Unreachable,
            13 | 14 => Self::Throttled(pause(dice)),
            _ => Self::Denied,
        }
    }

    pub(crate) fn instead(self) -> Option<GatewayError> {
        match self {
            Self::Good | Self::Stale => None,
            Self::Error => Some(service_error()),
            Self::Page => Some(error(502, None, "<html>")),
            Self::Dropped => Some(unheard(Recovery::Unknown)),
            Self::Unreachable => Some(unheard(Recovery::Unreachable)),
            Self::Throttled(it) => Some(throttled(it)),
            Self::Denied => Some(denied()),
        }
    }
}

impl WriteFate {
    pub(crate) fn draw(dice: &mut Dice, percent: u32, adds: bool) -> Self {
        if !dice.percent(percent) {
            return Self::Good;
        }
        match dice.below(24) {
            0..=2 => Self::ErrorBefore,
            3..=5 => Self::ErrorAfter,
            6 => Self::PageAfter,
            7..=9 => Self::DropBefore,
            10..=12 => Self::DropAfter,
            13..=15 => Self::Late,
            16..=18 => Self::Throttled(pause(dice)),
            19 | 20 => Self::Busy,
            21 => Self::Unreachable,
            22 => Self::Denied,
            _ if adds => Self::TooLarge,
            _ => Self::Busy,
        }
    }

    /// The answer of a call that is not applied, or not now.
    pub(crate) fn instead(self) -> Option<GatewayError> {
        match self {
            Self::Good | Self::ErrorAfter | Self::PageAfter | Self::DropAfter => None,
            Self::ErrorBefore => Some(service_error()),
            Self::DropBefore | Self::Late => Some(unheard(Recovery::Unknown)),
            Self::Throttled(it) => Some(throttled(it)),
            Self::Busy => Some(error(
                409,
                Some("ResourceConflictException"),
                "The operation cannot be performed at this time. An update is in progress",
            )),
            Self::Unreachable => Some(unheard(Recovery::Unreachable)),
            Self::Denied => Some(denied()),
            Self::TooLarge => {
                Some(error(400, Some("PolicyLengthExceededException"), "the policy is too long"))
            }
        }
    }

    /// What is answered in place of the truth.
    pub(crate) fn afterwards(self) -> Option<GatewayError> {
        match self {
            Self::ErrorAfter => Some(service_error()),
            Self::PageAfter => Some(error(502, None, "<html>")),
            Self::DropAfter => Some(unheard(Recovery::Unknown)),
            Self::Good
            | Self::ErrorBefore
            | Self::DropBefore
            | Self::Late
            | Self::Throttled(_)
            | Self::Busy
            | Self::Unreachable
            | Self::Denied
            | Self::TooLarge => None,
        }
    }
}
