//! What is counted, and how `/metrics` says it: Prometheus' text format, from one table.
//!
//! Counters are fed as things happen. Gauges are set from the board when somebody asks, in one walk over the targets.

mod process;
pub mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::drift::{
    allow::Reason,
    diff,
    outcome::{Outcome, State, StepResult},
};
use crate::lambda::{
    gateway::{GatewayError, Recovery},
    paced::{BUCKETS, Pace},
    witness::Witness,
};
use crate::observe::{
    board::View,
    metrics::table::{Kind, TABLE},
    monitor::Passed,
    news::{Edge, News},
    usage::{Speed, Usage},
};

/// The calls that a daemon makes.
const OPERATIONS: [&str; 4] = ["GetPolicy", "GetFunction", "AddPermission", "RemovePermission"];
/// What a pass is set off by, in the words of the loop and as a label.
const TRIGGERS: [(&str, &str); 7] = [
    ("full pass", "full_pass"),
    ("the files changed", "file_change"),
    ("expiry", "expiry"),
    ("approved", "approval"),
    ("second look", "second_look"),
    ("resumed", "resume"),
    ("event", "event"),
];
/// What becomes of the messages of the queue of events.
const EVENTS: [&str; 8] =
    ["ok", "own", "duplicate", "foreign", "ignored", "unclear", "other_service", "invalid"];
/// More than one of them.
const SEVERAL: &str = "several";

/// Every metric of the table.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    counters: BTreeMap<&'static str, IntCounterVec>,
    gauges: BTreeMap<&'static str, GaugeVec>,
    histograms: BTreeMap<&'static str, HistogramVec>,
    /// How much of the budgets was used lately.
    pub usage: Usage,
    /// The gauges are set for one reader at a time.
    reading: Mutex<()>,
    per_target: AtomicBool,
    codes: Mutex<BTreeSet<String>>,
}

const STATE_OF_TARGET: &str = "permitd_target_state";
const READ_OF_TARGET: &str = "permitd_target_last_read_timestamp_seconds";
/// Lambda and STS have some twenty.
const MOST_CODES: usize = 64;
const OTHER_CODE: &str = "other";

impl Default for Metrics {
    fn default() -> Self {
        let mut res = Self {
            registry: Registry::new(),
            counters: BTreeMap::new(),
            gauges: BTreeMap::new(),
            histograms: BTreeMap::new(),
            usage: Usage::default(),
            reading: Mutex::new(()),
            per_target: AtomicBool::new(false),
            codes: Mutex::default(),
        };
        for metric in TABLE {
            res.register(metric);
        }
        res.begin_at_zero();
        res
    }
}

impl Metrics {
    /// A metric that the table has wrong is not there; a test sees that all are.
    fn register(&mut self, metric: &table::Metric) {
        let table::Metric { name, kind, labels, help, unit: _ } = *metric;
        let labels: Vec<&str> = labels.iter().map(|(label, _)| *label).collect();
        match kind {
            // It is set to what the system says.
            Kind::Counter if name == process::CPU => {
                process::register_cpu(&self.registry, name, help);
            }
            Kind::Counter => {
                if let Ok(it) = IntCounterVec::new(Opts::new(name, help), &labels)
                    && self.registry.register(Box::new(it.clone())).is_ok()
                {
                    self.counters.insert(name, it);
                }
            }
            Kind::Gauge => {
                if let Ok(it) = GaugeVec::new(Opts::new(name, help), &labels)
                    && self.registry.register(Box::new(it.clone())).is_ok()
                {
                    self.gauges.insert(name, it);
                }
            }
            Kind::Histogram(bounds) => {
                let options = HistogramOpts::new(name, help).buckets(bounds.values());
                if let Ok(it) = HistogramVec::new(options, &labels)
                    && self.registry.register(Box::new(it.clone())).is_ok()
                {
                    self.histograms.insert(name, it);
                }
            }
        }
    }

    /// What was never counted is 0, not absent: a rate over it is right from the first event on.
    fn begin_at_zero(&self) {
        for operation in OPERATIONS {
            self.add("permitd_lambda_requests_total", &[operation, "OK"], 0);
            self.add("permitd_lambda_throttles_total", &[operation], 0);
            if let Some(it) = self.histograms.get("permitd_lambda_request_duration_seconds") {
                it.with_label_values(&[operation]);
            }
        }
        for bucket in BUCKETS {
            if let Some(it) = self.histograms.get("permitd_budget_wait_seconds") {
                it.with_label_values(&[bucket]);
            }
        }
        for result in ["success", "failure", "interrupted"] {
            self.add("permitd_passes_total", &[result], 0);
        }
        let triggers = TRIGGERS.iter().map(|(_, it)| *it).chain([SEVERAL]);
        for kind in diff::Kind::ALL {
            for trigger in triggers.clone() {
                self.add("permitd_drift_detected_total", &[kind.name(), trigger], 0);
            }
        }
        for action in ["add", "remove"] {
            for result in StepResult::NAMES {
                self.add("permitd_steps_total", &[action, result], 0);
            }
        }
        for result in EVENTS {
            self.add("permitd_events_received_total", &[result], 0);
        }
        self.set("permitd_event_lag_seconds", &[], 0.0);
        for result in ["sent", "failed", "dropped"] {
            self.notified(result, 0);
        }
        self.add("permitd_revision_conflicts_total", &[], 0);
        self.add("permitd_journal_errors_total", &[], 0);
        if let Some(it) = self.histograms.get("permitd_pass_duration_seconds") {
            it.with_label_values::<&str>(&[]);
        }
    }

    fn add(&self, name: &str, labels: &[&str], n: u64) {
        if let Some(it) =
            self.counters.get(name).and_then(|it| it.get_metric_with_label_values(labels).ok())
        {
            it.inc_by(n);
        }
    }

    fn observe(&self, name: &str, labels: &[&str], time: Duration) {
        let family = self.histograms.get(name);
        if let Some(it) = family.and_then(|it| it.get_metric_with_label_values(labels).ok()) {
            it.observe(time.as_secs_f64());
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of statements are far below 2^53")]
    fn set_count(&self, name: &str, labels: &[&str], n: usize) {
        self.set(name, labels, n as f64);
    }

    fn set(&self, name: &str, labels: &[&str], value: f64) {
        let family = self.gauges.get(name);
        if let Some(it) = family.and_then(|it| it.get_metric_with_label_values(labels).ok()) {
            it.set(value);
        }
    }

    /// What is new about a target.
    pub fn edge(&self, edge: &Edge, trigger: &str) {
        if edge.news != News::DriftFound {
            return;
        }
        let known = TRIGGERS.iter().find(|(words, _)| *words == trigger);
        let trigger = known.map_or(SEVERAL, |(_, label)| *label);
        for it in &edge.matters {
            self.add("permitd_drift_detected_total", &[it.kind.name(), trigger], 1);
        }
    }

    /// A pass is through, or was ended.
    pub fn passed(&self, passed: &Passed<'_>) {
        let Passed { full, cut_short, outcomes, time, .. } = *passed;
        for it in outcomes.iter().flat_map(|it| &it.done) {
            let action = it.step.action.name();
            self.add("permitd_steps_total", &[action, it.result.name()], 1);
        }
        if !full {
            return;
        }
        let result = match (cut_short, outcomes.iter().all(succeeded)) {
            (true, _) => "interrupted",
            (false, true) => "success",
            (false, false) => "failure",
        };
        self.add("permitd_passes_total", &[result], 1);
        if !cut_short {
            self.observe("permitd_pass_duration_seconds", &[], time);
        }
    }

    /// Entries that could not be written to the journal, since the start.
    pub fn journal_errors(&self, n: u64) {
        let counter = self.counters.get("permitd_journal_errors_total");
        if let Some(it) = counter.and_then(|it| it.get_metric_with_label_values::<&str>(&[]).ok()) {
            it.inc_by(n.saturating_sub(it.get()));
        }
    }

    /// A message of the queue of events was received.
    pub fn event(&self, result: &str) {
        self.add("permitd_events_received_total", &[result], 1);
    }

    /// What an event tells of was done so long ago.
    pub fn event_lag(&self, lag: Duration) {
        self.set("permitd_event_lag_seconds", &[], lag.as_secs_f64());
    }

    /// What became of so many notifications.
    pub fn notified(&self, result: &str, n: u64) {
        self.add("permitd_notifications_total", &[result], n);
    }

    /// Everything, in Prometheus' text format.
    pub fn text(&self, view: &View, started: Timestamp, now: Timestamp) -> Vec<u8> {
        let _one = self.reading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.gauges_of(view, now);
        for (bucket, Speed { limit, rate, used }) in BUCKETS.iter().zip(self.usage.speeds()) {
            self.set("permitd_budget_limit_calls_per_second", &[bucket], limit);
            self.set("permitd_budget_rate_calls_per_second", &[bucket], rate);
            self.set("permitd_budget_use_ratio", &[bucket], used);
        }
        process::gauges(|name, value| self.set(name, &[], value));
        self.set("process_start_time_seconds", &[], started.as_duration().as_secs_f64());
        let mut res = Vec::new();
        // Writing to a Vec cannot fail, and every family has a name and a value.
        TextEncoder::new().encode(&self.registry.gather(), &mut res).unwrap_or_default();
        res
    }

    /// From now on every target has series of its own.
    pub fn count_each_target(&self) {
        self.per_target.store(true, Ordering::Relaxed);
    }

    /// A target that left the files leaves nothing behind.
    fn each_target(&self, view: &View) {
        for name in [STATE_OF_TARGET, READ_OF_TARGET] {
            if let Some(it) = self.gauges.get(name) {
                it.reset();
            }
        }
        for it in view.targets.iter().filter(|_| !view.stands_by()) {
            let arn = it.target.arn();
            self.set(STATE_OF_TARGET, &[&arn, it.state.name()], 1.0);
            let read = it.last_read.map_or(0.0, |it| it.as_duration().as_secs_f64());
            self.set(READ_OF_TARGET, &[&arn], read);
        }
    }

    /// The code as a label. Whatever stands in for AWS may answer with a new one each time: the first so many count.
    fn bounded(&self, code: String) -> String {
        let mut known = self.codes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.contains(&code) {
            return code;
        }
        if known.len() >= MOST_CODES {
            return OTHER_CODE.to_owned();
        }
        known.insert(code.clone());
        code
    }

    fn gauges_of(&self, view: &View, now: Timestamp) {
        if self.per_target.load(Ordering::Relaxed) {
            self.each_target(view);
        }
        let mut states: BTreeMap<State, usize> = State::ALL.into_iter().map(|it| (it, 0)).collect();
        let mut kinds: BTreeMap<&str, usize> =
            diff::Kind::ALL.into_iter().map(|it| (it.name(), 0)).collect();
        let mut held: BTreeMap<&str, usize> = Reason::NAMES.into_iter().map(|it| (it, 0)).collect();
        // A standby sees nothing: only the leader says how targets stand.
        let n_seen = if view.stands_by() { 0 } else { view.targets.len() };
        let (mut in_sync, mut foreign, mut ignored, mut contended) = (0, 0, 0, 0);
        let mut oldest = now;
        for it in view.targets.iter().take(n_seen) {
            *states.entry(it.state).or_default() += 1;
            for open in &it.open {
                *kinds.entry(open.kind.name()).or_default() += 1;
                if let Some(reason) = open.held {
                    *held.entry(reason).or_default() += 1;
                }
            }
            if it.last_read.is_some() {
                let wrong = [diff::Kind::Missing, diff::Kind::Changed, diff::Kind::Renamed];
                let wrong = it.open.iter().filter(|it| wrong.contains(&it.kind)).count();
                in_sync += it.grants.saturating_sub(wrong);
            }
            foreign += it.foreign;
            ignored += it.ignored;
            if it.state == State::Contended {
                contended += it.open.len();
            }
            oldest = oldest.min(it.last_read.unwrap_or(it.since));
        }
        kinds.extend([("in_sync", in_sync), ("foreign", foreign), ("ignored", ignored)]);
        for (state, n) in states {
            self.set_count("permitd_targets", &[state.name()], n);
        }
        for (kind, n) in kinds {
            self.set_count("permitd_statements", &[kind], n);
        }
        for (reason, n) in held {
            self.set_count("permitd_held", &[reason], n);
        }
        self.set_count("permitd_contended_statements", &[], contended);
        let age = now.duration_since(oldest).as_secs_f64().max(0.0);
        self.set("permitd_oldest_observation_age_seconds", &[], age);
        let at = |it: Option<Timestamp>| it.map_or(0.0, |it| it.as_duration().as_secs_f64());
        let config = &view.config;
        let fresh = config.loaded_at.is_some() && config.refused.is_none();
        self.set_count("permitd_config_last_reload_successful", &[], usize::from(fresh));
        self.set("permitd_config_last_reload_success_timestamp_seconds", &[], at(config.loaded_at));
        let passes = || view.places.values().filter_map(|it| it.last_full.as_ref());
        self.set("permitd_last_pass_timestamp_seconds", &[], at(passes().map(|it| it.at).max()));
        // The place that is the furthest behind counts: one that works does not hide one that does not.
        let successes: Option<Vec<Timestamp>> =
            view.places.values().map(|it| it.last_success).collect();
        let behind = successes.and_then(|it| it.into_iter().min());
        self.set("permitd_last_successful_pass_timestamp_seconds", &[], at(behind));
        self.set("permitd_build_info", &[env!("CARGO_PKG_VERSION")], 1.0);
        if let Some(it) = &view.events {
            self.set_count("permitd_event_queue_up", &[], usize::from(it.trouble.is_none()));
        }
        self.set_count("permitd_leader", &[], usize::from(!view.stands_by()));
    }
}

/// It could be read, and no write failed.
pub fn succeeded(outcome: &Outcome) -> bool {
    !matches!(outcome.state, State::Unknown | State::Failed)
}

impl Witness for Metrics {
    fn answered(
        &self,
        bucket: &'static str,
        operation: &'static str,
        error: Option<&GatewayError>,
        time: Duration,
    ) {
        let code = error.map_or_else(|| "OK".to_owned(), GatewayError::code_name);
        let code = self.bounded(code);
        self.add("permitd_lambda_requests_total", &[operation, &code], 1);
        self.observe("permitd_lambda_request_duration_seconds", &[operation], time);
        let recovery = error.map(|it| it.recovery);
        self.usage.called(bucket, matches!(recovery, Some(Recovery::Throttled { .. })));
        match recovery {
            Some(Recovery::Throttled { .. }) => {
                self.add("permitd_lambda_throttles_total", &[operation], 1);
            }
            Some(Recovery::Stale) => self.add("permitd_revision_conflicts_total", &[], 1),
            Some(_) | None => {}
        }
    }

    fn paced(&self, bucket: &'static str, pace: &Arc<Pace>) {
        self.usage.paced(bucket, pace);
    }

    fn waited(&self, bucket: &'static str, time: Duration) {
        self.observe("permitd_budget_wait_seconds", &[bucket], time);
        self.usage.waited(bucket, time);
    }
}
