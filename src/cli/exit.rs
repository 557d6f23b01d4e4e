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
    /// Something is held by a limit or a risk.
    Held,
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
    /// What a command may end with, for the manual and the documentation.
    pub const MEANINGS: &[(Self, &str)] = &[
        (Self::Success, "Done, or in sync. A reader of the output that went away is no error."),
        (
            Self::Failure,
            "An error; some targets failed or are unknown; the question was answered with no, or nobody was there to \
             answer it.",
        ),
        (Self::Drift, "Something differs. permitd plan says so with --detailed-exitcode only."),
        (
            Self::Held,
            "Something is held by a limit or a risk. permitd plan says so with --detailed-exitcode only.",
        ),
        (Self::Usage, "Wrong usage."),
        (Self::Config, "Wrong configuration."),
        (Self::Interrupted(Signal::Interrupt), "Interrupted by SIGINT, after the write in flight."),
        (
            Self::Interrupted(Signal::Terminate),
            "Interrupted by SIGTERM, after the write in flight.",
        ),
    ];

    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Drift => 2,
            Self::Held => 3,
            Self::Usage => 64,
            Self::Config => 78,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// How things stand: 1 wins over 3, and 3 over 2. What is not there is no failure where that is allowed.
    pub fn of(totals: &Totals, allow_missing: bool) -> Self {
        let allowed = if allow_missing { totals.function_missing } else { 0 };
        match totals {
            it if it.failed + it.unknown > allowed => Self::Failure,
            it if it.asked > 0 => Self::Held,
            it if it.differ > 0 => Self::Drift,
            _ => Self::Success,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_and_unknown_win_over_held_and_held_over_drift() {
        let totals = |differ, asked, failed, unknown| {
            let totals = Totals { asked, differ, failed, unknown, ..Totals::default() };
            Exit::of(&totals, false).code()
        };
        assert_eq!(totals(0, 0, 0, 0), 0);
        assert_eq!(totals(3, 0, 0, 0), 2);
        assert_eq!(totals(3, 1, 0, 0), 3);
        assert_eq!(totals(3, 1, 1, 0), 1);
        assert_eq!(totals(0, 0, 0, 1), 1);
    }

    #[test]
    fn only_what_is_not_there_can_be_allowed() {
        let code = |failed, unknown, function_missing, allow_missing| {
            let totals =
                Totals { differ: 1, failed, unknown, function_missing, ..Totals::default() };
            Exit::of(&totals, allow_missing).code()
        };
        assert_eq!(code(0, 2, 2, false), 1);
        assert_eq!(code(0, 2, 2, true), 2);
        assert_eq!(code(0, 3, 2, true), 1, "another one is unknown for another reason");
        assert_eq!(code(1, 2, 2, true), 1);
    }
}
