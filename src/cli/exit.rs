//! Every way a command can end, as an exit code.

use crate::report::totals::Totals;

/// The exit codes of `interface.md`, section 3. 64 and 78 come before any call to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or in sync.
    Success,
    /// An error; some targets failed or are unknown; the question was answered with no, or by nobody.
    Failure,
    /// Something differs.
    Drift,
    /// Wrong usage.
    Usage,
    /// Wrong configuration.
    Config,
    /// Interrupted by this signal, after the write in flight.
    Interrupted(Signal),
}

/// The signals that end a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, for example by Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Drift => 2,
            Self::Usage => 64,
            Self::Config => 78,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// How things stand: 1 wins over 2.
    pub fn of(totals: &Totals) -> Self {
        match totals {
            it if it.failed + it.unknown > 0 => Self::Failure,
            it if it.differ > 0 => Self::Drift,
            _ => Self::Success,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_and_unknown_win_over_drift() {
        let totals =
            |differ, failed, unknown| Totals { differ, failed, unknown, ..Totals::default() };
        assert_eq!(Exit::of(&totals(0, 0, 0)).code(), 0);
        assert_eq!(Exit::of(&totals(3, 0, 0)).code(), 2);
        assert_eq!(Exit::of(&totals(3, 1, 0)).code(), 1);
        assert_eq!(Exit::of(&totals(0, 0, 1)).code(), 1);
    }
}
