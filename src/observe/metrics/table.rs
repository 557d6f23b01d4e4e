//! The one table of the metrics: what is registered, and what `deploy/prometheus/METRICS.md` says.

use std::fmt::Write;

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations by size, with these upper bounds.
    Histogram(Bounds),
}

/// The upper bounds of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// Single requests: 5 ms to 30 s.
    Requests,
    /// Waits for a budget: 10 ms to 5 min.
    Waits,
    /// Whole passes: 0.1 s to an hour.
    Passes,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// With the prefix.
    pub name: &'static str,
    /// What kind.
    pub kind: Kind,
    /// What one of it is; empty for a count.
    pub unit: &'static str,
    /// Its labels, and which values they have.
    pub labels: &'static [(&'static str, &'static str)],
    /// What it means, in one sentence.
    pub help: &'static str,
}

impl Kind {
    /// As Prometheus calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

impl Bounds {
    /// In seconds.
    pub fn values(self) -> Vec<f64> {
        match self {
            Self::Requests => {
                vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]
            }
            Self::Waits => vec![0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0],
            Self::Passes => vec![0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0],
        }
    }
}

const OPERATION: (&str, &str) = ("operation", "the name of the Lambda API call, as AWS writes it");
const STATES: (&str, &str) =
    ("state", "in_sync, drifted, held, contended, suspended, paused, failed, unknown");
const BUCKET: (&str, &str) = ("bucket", "get_policy, get_function, control");
const KINDS: &str =
    "missing, changed, renamed, duplicate, unmanaged, absent, orphaned, expired, leftover";
const TRIGGERS: (&str, &str) = (
    "trigger",
    "full_pass, file_change, expiry, approval, second_look, resume, event, several (more than one of these)",
);

const fn counter(
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, unit: "", labels, help }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    labels: &'static [(&'static str, &'static str)],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, labels, help }
}

const fn histogram(
    name: &'static str,
    bounds: Bounds,
    labels: &'static [(&'static str, &'static str)],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram(bounds), unit: "seconds", labels, help }
}

/// Every metric of permitd.
pub const TABLE: &[Metric] = &[
    gauge(
        "permitd_build_info",
        "",
        &[("version", "the version of permitd")],
        "Always 1; its label tells the version that runs.",
    ),
    gauge(
        "permitd_config_last_reload_successful",
        "",
        &[],
        "1 if the files as they are now are in force, 0 if they were refused and an older configuration stays in force.",
    ),
    gauge(
        "permitd_config_last_reload_success_timestamp_seconds",
        "seconds",
        &[],
        "When the configuration in force was loaded, as a Unix time; 0 before the first one.",
    ),
    gauge(
        "permitd_targets",
        "",
        &[STATES],
        "Managed targets by how they stand; a target that could not be read is unknown, never in_sync.",
    ),
    gauge(
        "permitd_target_state",
        "",
        &[("arn", "of the function, its alias or version"), STATES],
        "1 for the state that a target has; only with --per-target-metrics.",
    ),
    gauge(
        "permitd_target_last_read_timestamp_seconds",
        "seconds",
        &[("arn", "of the function, its alias or version")],
        "When the policy of a target was last read, as a Unix time, 0 for never; only with --per-target-metrics.",
    ),
    gauge(
        "permitd_statements",
        "",
        &[(
            "kind",
            "in_sync, foreign, ignored, and the kinds of drift: missing, changed, renamed, duplicate, unmanaged, absent, orphaned, expired, leftover",
        )],
        "Statements of the managed targets as last read: as written, in no file, exempted by a rule, and those that differ by the kind of drift.",
    ),
    counter(
        "permitd_passes_total",
        &[(
            "result",
            "success, failure (a target was unknown or a write failed), interrupted (a new configuration or the end of the process)",
        )],
        "Full passes over an account and region that ended.",
    ),
    histogram(
        "permitd_pass_duration_seconds",
        Bounds::Passes,
        &[],
        "How long full passes took that came to their end.",
    ),
    gauge(
        "permitd_last_pass_timestamp_seconds",
        "seconds",
        &[],
        "When the last full pass came to its end, as a Unix time; 0 before the first one.",
    ),
    gauge(
        "permitd_last_successful_pass_timestamp_seconds",
        "seconds",
        &[],
        "When the last full pass came to its end in which every target could be read and no write failed, as a Unix time; 0 before the first one.",
    ),
    gauge(
        "permitd_oldest_observation_age_seconds",
        "seconds",
        &[],
        "How long ago the target was read that was read the longest time ago; for one that was never read, since it is known.",
    ),
    counter(
        "permitd_drift_detected_total",
        &[("kind", KINDS), TRIGGERS],
        "Differences that were not there at the look before, counted once each.",
    ),
    counter(
        "permitd_steps_total",
        &[("action", "add, remove"), ("result", "done, put_back, refused, lost")],
        "Writes to policies, by what became of them.",
    ),
    gauge(
        "permitd_held",
        "",
        &[("reason", "why nothing is done about it, as in /status and reports")],
        "Differences about which nothing is done, by the reason.",
    ),
    counter(
        "permitd_lambda_requests_total",
        &[
            OPERATION,
            (
                "code",
                "OK, the error code of AWS, the HTTP status where there was none, NoAnswer, or other after 64 different ones",
            ),
        ],
        "Requests to Lambda that left, each attempt for itself.",
    ),
    histogram(
        "permitd_lambda_request_duration_seconds",
        Bounds::Requests,
        &[OPERATION],
        "How long a request to Lambda took, without the wait for its budget.",
    ),
    counter(
        "permitd_lambda_throttles_total",
        &[OPERATION],
        "Requests that Lambda refused with 429.",
    ),
    counter(
        "permitd_revision_conflicts_total",
        &[],
        "Writes that Lambda refused with 412, because somebody else had written in between.",
    ),
    histogram(
        "permitd_budget_wait_seconds",
        Bounds::Waits,
        &[BUCKET],
        "How long a request waited for its turn in the request budget.",
    ),
    gauge(
        "permitd_budget_limit_calls_per_second",
        "calls per second",
        &[BUCKET],
        "Requests a second that the budget allows, over all accounts and regions; 0 where there is no limit, or nothing was asked yet.",
    ),
    gauge(
        "permitd_budget_rate_calls_per_second",
        "calls per second",
        &[BUCKET],
        "The same as it is now: halved when Lambda refuses a request with 429, and growing back slowly.",
    ),
    gauge(
        "permitd_budget_use_ratio",
        "",
        &[BUCKET],
        "The part of the budget that was used in the last whole minute, 0 to 1, in the account and region that used the most.",
    ),
    gauge(
        "permitd_contended_statements",
        "",
        &[],
        "Differences of targets where somebody else undoes again and again what is put right.",
    ),
    counter(
        "permitd_journal_errors_total",
        &[],
        "Entries that could not be written to the journal; without it nothing is removed.",
    ),
    counter(
        "permitd_notifications_total",
        &[(
            "result",
            "sent, failed (refused, or given up after many attempts), dropped (too many waited, or nobody sends them any more)",
        )],
        "Messages to the receivers of `notify`, by what became of them.",
    ),
    counter(
        "permitd_events_received_total",
        &[(
            "result",
            "ok (of a managed target), own (what permitd wrote itself), duplicate, foreign (of a target in no file), ignored (it changed no policy), unclear (it does not tell whose policy), other_service, invalid (no event at all)",
        )],
        "Messages that were received from the queue of events.",
    ),
    gauge(
        "permitd_event_lag_seconds",
        "seconds",
        &[],
        "How old the last change event was when it came; 0 where none came.",
    ),
    gauge(
        "permitd_event_queue_up",
        "",
        &[],
        "1 if the queue of events could be read the last time, 0 if not; only where `events` is set.",
    ),
    gauge(
        "permitd_leader",
        "",
        &[],
        "1 if this process acts, 0 if it stands by for another that holds the lease, and then it says nothing of targets. Without a lease every process acts.",
    ),
    Metric {
        name: "process_cpu_seconds_total",
        kind: Kind::Counter,
        unit: "seconds",
        labels: &[],
        help: "CPU time of the process, user and system.",
    },
    gauge("process_resident_memory_bytes", "bytes", &[], "Memory of the process that is in RAM."),
    gauge("process_open_fds", "", &[], "Open file descriptors of the process."),
    gauge(
        "process_start_time_seconds",
        "seconds",
        &[],
        "When the process started, as a Unix time.",
    ),
];

/// The page for people: every metric with its kind, unit, labels and meaning.
pub fn page() -> String {
    let mut res = String::from(
        "# The metrics of permitd\n\n\
         Made from the table in `src/observe/metrics/table.rs` (`UPDATE_DOCS=1 cargo test metrics_documents`).\n\
         `/metrics` has them in Prometheus' text format. Every counter starts at 0 with the process.\n\
         No function name is a label.\n",
    );
    for Metric { name, kind, unit, labels, help } in TABLE {
        // Writing to a String cannot fail.
        write!(res, "\n## `{name}`\n\n{help}\n\n- kind: {}\n", kind.name()).unwrap_or_default();
        if !unit.is_empty() {
            writeln!(res, "- unit: {unit}").unwrap_or_default();
        }
        for (label, values) in *labels {
            writeln!(res, "- label `{label}`: {values}").unwrap_or_default();
        }
    }
    res
}
