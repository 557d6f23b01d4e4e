//! How a target can stand, and why something is not done.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use permitd::drift::{
    allow::Reason,
    diff::Kind,
    outcome::{State, StepResult, TroubleReason},
};
use permitd::observe::standing::{AS_WRITTEN, DIFFERS, NOT_READ_YET};
use permitd::policy::risk::Risk;

use super::{MADE, cell};

/// One of each, as it could be told.
fn reasons() -> Vec<Reason> {
    let refused = "ResourceConflictException: …".to_owned();
    vec![
        Reason::Suspended,
        Reason::Paused("until 2026-06-01T12:00:00Z".to_owned()),
        Reason::Additive,
        Reason::Inexpressible("several principals"),
        Reason::Fixed("it has no Sid"),
        Reason::AmbiguousSid,
        Reason::OrphanUnconfirmed(Duration::from_mins(1)),
        Reason::BlockedByOrphan { orphan: "old-role".to_owned(), foreign: true, passes: false },
        Reason::TooLarge { size: 20_749 },
        Reason::StillNeeded,
        Reason::Risk(Risk::P002),
        Reason::MaxRevocations { wanted: 12, done: 3, limit: 10 },
        Reason::MaxChangedTargets { by_rules: false, changed: 40, targets: 100, percent: 30 },
        Reason::LastAllow,
        Reason::NotJudged,
        Reason::FilesSettling,
        Reason::NotApproved,
        Reason::NoJournal("its disk is full".to_owned()),
        Reason::Contended,
        Reason::Refused(refused.clone()),
        Reason::NoPut("AccessDeniedException: …".to_owned()),
        Reason::RemovesDeny,
    ]
}

fn about(state: State) -> &'static str {
    match state {
        State::InSync => "Live is as written.",
        State::Drifted => {
            "Something differs, and would be put right: the mode is `observe`, or the pass is not through."
        }
        State::Held => {
            "Something differs, and all of it is held; the reason is one of the holds below."
        }
        State::Contended => "Somebody else undoes again and again what is put right.",
        State::Suspended => "Something differs, and the file says `suspend: true`.",
        State::Paused => "Something differs, and somebody said `permitd pause`.",
        State::Failed => "A write was refused, or did not come through.",
        State::Unknown => "It could not be read. Never taken for in sync, nor for empty.",
    }
}

fn trouble(reason: TroubleReason) -> &'static str {
    match reason {
        TroubleReason::FunctionMissing => "There is no such function, alias or version.",
        TroubleReason::AccessDenied => {
            "No permission, or credentials that are missing, wrong or expired."
        }
        TroubleReason::Throttled => "Lambda did not let the call through in time.",
        TroubleReason::Unreachable => "No answer.",
        TroubleReason::BadAnswer => "An answer that is not Lambda's.",
        TroubleReason::MalformedPolicy => "GetPolicy's text is not a policy document.",
        TroubleReason::StaleRead => "Reads kept giving a policy that was replaced already.",
        TroubleReason::Refused => "Lambda refused the call.",
        TroubleReason::Conflict => "Others kept writing in between.",
        TroubleReason::GapOpen => {
            "A statement was taken away, and neither the new one nor the old one could be added."
        }
        TroubleReason::Contended => "The same Sid was put right three times within an hour.",
        TroubleReason::Interrupted => "It was stopped before it was through.",
    }
}

/// What ends a hold.
fn end(reason: &Reason) -> &'static str {
    if reason.is_approvable() {
        "a yes: `permitd approve DIGEST`"
    } else if reason.passes() {
        "by itself"
    } else {
        ""
    }
}

pub(super) fn page() -> String {
    let mut res = format!(
        "\
# States and reasons

Closed sets, for whoever filters `/status`, reports, metrics or logs; what to do about each stands in [troubleshooting](../troubleshooting.md).

<!-- Made from src/drift/ by {MADE}. -->

## States of a target

`permitd_targets{{state}}`, `state` in `/status` and in JSON reports. A target that is `in_sync` has the reason `{AS_WRITTEN}`, one that is `drifted` `{DIFFERS}`, one that was never read `{NOT_READ_YET}`; every other state has the name of a hold or of a trouble.

| state | |
|---|---|
"
    );
    for state in State::ALL {
        writeln!(res, "| `{}` | {} |", state.name(), about(state)).unwrap();
    }
    res += "\n## Holds\n\nA change that is wanted and not made. `permitd_held{reason}`, `held` in reports and in `/status`.\n\n| reason | as it is told | what ends it |\n|---|---|---|\n";
    let reasons = reasons();
    let names: BTreeSet<&str> = reasons.iter().map(Reason::name).collect();
    assert_eq!(names, Reason::NAMES.into_iter().collect(), "one of each");
    for reason in reasons {
        let name = reason.name();
        let told = cell(&reason.to_string());
        let end = end(&reason);
        writeln!(res, "| [`{name}`](../troubleshooting.md#{name}) | {told} | {end} |").unwrap();
    }
    res += "\nWhere the last column is empty, something has to change first: the file, the settings, the policy, or AWS.\n";
    res += "\n## Troubles\n\nWhy a target is `unknown` or `failed`.\n\n| reason | |\n|---|---|\n";
    for reason in TroubleReason::ALL {
        let name = reason.name();
        writeln!(res, "| [`{name}`](../troubleshooting.md#{name}) | {} |", trouble(reason))
            .unwrap();
    }
    let code = |it: &str| format!("`{it}`");
    let kinds: Vec<String> = Kind::ALL.iter().map(|it| code(it.name())).collect();
    let results: Vec<String> = StepResult::NAMES.iter().map(|it| code(it)).collect();
    write!(
        res,
        "\n## Drift and writes\n\nKinds of drift: {}; [what puts each right](../../README.md#what-it-does-and-what-it-never-does).\nResults of a write: {}.\n",
        kinds.join(", "),
        results.join(", ")
    )
    .unwrap();
    res
}
