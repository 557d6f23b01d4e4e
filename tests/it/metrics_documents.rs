//! The metrics: what `/metrics` says, the page about them, and what alerts and the dashboard ask for.
//!
//! `UPDATE_DOCS=1 cargo test metrics_documents` writes the page anew. With `PERMITD_TEST_PROMTOOL` set, Prometheus'
//! own tool reads all of it.

use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use permitd::config::{
    diagnostic::{File, Files},
    permissions,
    resolve::{Context, resolve},
};
use permitd::drift::allow::Mode;
use permitd::lambda::{
    gateway::{GatewayError, LivePolicy, PolicyReader, Recovery},
    paced::{Budgets, Paced, Rate},
    witness::Witness,
};
use permitd::observe::{
    board::{Board, EventsView, View},
    metrics::{
        Metrics,
        table::{self, TABLE},
    },
};
use permitd::policy::target::{Defaults, Target};
use serde_json::Value;

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn text(metrics: &Metrics) -> String {
    let view = View { events: Some(EventsView::default()), ..View::default() };
    String::from_utf8(metrics.text(&view, now(), now())).unwrap()
}

#[test]
fn every_metric_of_the_table_is_there_from_the_start_with_its_kind_and_help() {
    let text = text(&Metrics::default());
    for metric in TABLE.iter().filter(|it| !it.name.starts_with("permitd_target_")) {
        let kind = format!("# TYPE {} {}\n", metric.name, metric.kind.name());
        assert!(text.contains(&kind), "{kind}{text}");
        assert!(text.contains(&format!("# HELP {} {}\n", metric.name, metric.help)));
        let labels: Vec<&str> = metric.labels.iter().map(|(it, _)| *it).collect();
        let sample = text.lines().find(|it| it.starts_with(metric.name)).unwrap();
        for label in labels {
            assert!(sample.contains(&format!("{label}=\"")), "{sample}");
        }
    }
    let named =
        |it: &str| TABLE.iter().any(|metric| it.starts_with(&format!("# TYPE {} ", metric.name)));
    for line in text.lines().filter(|it| it.starts_with("# TYPE")) {
        assert!(named(line), "not in the table: {line}");
    }
    let counted = |it: &&str| it.starts_with("permitd_") && it.contains("_total");
    for line in text.lines().filter(counted) {
        assert!(line.ends_with(" 0"), "a counter starts at 0: {line}");
    }
}

/// Two series for each, and none of a target that left the files.
#[test]
fn a_target_is_a_label_only_where_somebody_asks_for_it() {
    let wanted = |name: &str| {
        let text = format!(
            "account: '123456789012'\nregion: us-east-1\nfunctions: [{{function: {name}, statements: [{{sid: a, principal: '210987654321'}}]}}]\n"
        );
        let files = Files { files: vec![File::new("p.yaml", text)], diagnostics: Vec::new() };
        resolve(permissions::parse(&files), &Context::default()).unwrap().wanted
    };
    let (board, metrics) = (Board::default(), Metrics::default());
    let text = || String::from_utf8(metrics.text(&board.view(), now(), now())).unwrap();
    board.configured(&wanted("f"), Mode::Enforce, now());
    assert!(!text().contains("arn"));
    metrics.count_each_target();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let state = format!("permitd_target_state{{arn=\"{arn}\",state=\"unknown\"}} 1");
    let read = format!("permitd_target_last_read_timestamp_seconds{{arn=\"{arn}\"}} 0");
    for line in [&state, &read] {
        assert!(text().lines().any(|it| it == line), "{line}\n{}", text());
    }
    board.configured(&wanted("g"), Mode::Enforce, now());
    assert!(!text().contains(arn) && text().contains("function:g"));
}

/// Over all accounts and regions that are there.
#[tokio::test(start_paused = true)]
async fn the_use_of_the_budgets_is_told() {
    let metrics = Arc::new(Metrics::default());
    let witness = Arc::clone(&metrics) as Arc<dyn Witness>;
    let budgets = Budgets { get_policy: Rate::UNLIMITED, ..Budgets::default() };
    let budgets = [budgets, Budgets::default()];
    let refuse = Arc::new(AtomicBool::new(false));
    let lambda = || Reads(Arc::clone(&refuse));
    let paced = budgets.map(|it| Paced::new(lambda(), it).heard_by(&witness));
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let target = Target::parse(arn, None, &Defaults::default()).unwrap();
    for _ in 0..60 {
        paced[1].get_policy(&target).await.unwrap();
    }
    refuse.store(true, Ordering::Relaxed);
    paced[1].get_policy(&target).await.unwrap_err();
    tokio::time::advance(Duration::from_mins(1)).await;
    let said = |name: &str, bucket: &str| {
        let start = format!("permitd_budget_{name}{{bucket=\"{bucket}\"}} ");
        let text = text(&metrics);
        text.lines().find_map(|it| it.strip_prefix(&start)).unwrap().parse::<f64>().unwrap()
    };
    assert_eq!(said("limit_calls_per_second", "control").to_string(), "6");
    assert_eq!(said("limit_calls_per_second", "get_policy").to_string(), "10");
    assert_eq!(said("rate_calls_per_second", "get_policy").to_string(), "5");
    assert_eq!(said("rate_calls_per_second", "control").to_string(), "6");
    let used = said("use_ratio", "get_policy");
    assert!((used - 0.1).abs() < 0.01, "{used}");
    drop(paced);
    assert_eq!(said("limit_calls_per_second", "control").to_string(), "0", "it is gone");
}

/// A Lambda that refuses when it is told to.
#[derive(Debug)]
struct Reads(Arc<AtomicBool>);

impl PolicyReader for Reads {
    async fn get_policy(&self, _: &Target) -> Result<LivePolicy, GatewayError> {
        if !self.0.load(Ordering::Relaxed) {
            return Ok(LivePolicy { text: String::new(), revision: String::new() });
        }
        Err(GatewayError {
            recovery: Recovery::Throttled { retry_after: None },
            status: Some(429),
            code: None,
            message: String::new(),
            request_id: None,
        })
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.get_policy(target).await
    }

    async fn function_exists(&self, _: &Target) -> Result<(), GatewayError> {
        Ok(())
    }
}

/// Whatever stands in for AWS may have a new one each time.
#[test]
fn codes_are_bounded() {
    let metrics = Metrics::default();
    for n in 0..1000 {
        let error = GatewayError {
            recovery: Recovery::Unknown,
            status: Some(500),
            code: Some(format!("Odd{n}")),
            message: String::new(),
            request_id: None,
        };
        metrics.answered("get_policy", "GetPolicy", Some(&error), Duration::ZERO);
    }
    let text = text(&metrics);
    let of =
        |it: &&str| it.starts_with("permitd_lambda_requests_total{") && it.contains("GetPolicy");
    assert_eq!(text.lines().filter(of).count(), 66, "64, OK and other");
    assert!(text.contains("{code=\"other\",operation=\"GetPolicy\"} 936"), "{text}");
}

#[test]
fn calls_are_counted_by_operation_and_code() {
    let metrics = Metrics::default();
    let error = |recovery, status, code: Option<&str>| GatewayError {
        recovery,
        status,
        code: code.map(str::to_owned),
        message: String::new(),
        request_id: None,
    };
    let time = Duration::from_millis(7);
    metrics.answered("get_policy", "GetPolicy", None, time);
    let throttled = Recovery::Throttled { retry_after: None };
    let throttled = error(throttled, Some(429), Some("TooManyRequestsException"));
    metrics.answered("get_policy", "GetPolicy", Some(&throttled), time);
    let stale = error(Recovery::Stale, Some(412), Some("PreconditionFailedException"));
    metrics.answered("control", "AddPermission", Some(&stale), time);
    metrics.answered(
        "control",
        "AddPermission",
        Some(&error(Recovery::Unknown, Some(502), None)),
        time,
    );
    metrics.answered(
        "get_policy",
        "GetPolicy",
        Some(&error(Recovery::Unreachable, None, None)),
        time,
    );
    metrics.waited("control", Duration::from_secs(2));
    metrics.journal_errors(3);
    metrics.journal_errors(3);
    // The page plots the same calls, minute by minute.
    let minutes = metrics.usage.minutes();
    let sum = |bucket| {
        let of = minutes.iter().map(|it| it.of(bucket));
        of.fold((0, 0), |sum, it| (sum.0 + it.calls, sum.1 + it.throttles))
    };
    assert_eq!((sum("get_policy"), sum("get_function"), sum("control")), ((3, 1), (0, 0), (2, 0)));
    let waited: f64 = minutes.iter().map(|it| it.of("control").waited_seconds).sum();
    assert!((waited - 2.0).abs() < 1e-9, "{waited}");
    let text = text(&metrics);
    for line in [
        "permitd_lambda_requests_total{code=\"OK\",operation=\"GetPolicy\"} 1",
        "permitd_lambda_requests_total{code=\"TooManyRequestsException\",operation=\"GetPolicy\"} 1",
        "permitd_lambda_requests_total{code=\"502\",operation=\"AddPermission\"} 1",
        "permitd_lambda_requests_total{code=\"NoAnswer\",operation=\"GetPolicy\"} 1",
        "permitd_lambda_throttles_total{operation=\"GetPolicy\"} 1",
        "permitd_lambda_throttles_total{operation=\"AddPermission\"} 0",
        "permitd_revision_conflicts_total 1",
        "permitd_lambda_request_duration_seconds_count{operation=\"GetPolicy\"} 3",
        "permitd_budget_wait_seconds_sum{bucket=\"control\"} 2",
        "permitd_journal_errors_total 3",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}

#[test]
fn the_page_is_up_to_date() {
    let (path, page) = ("deploy/prometheus/METRICS.md", table::page());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == page, "{path} is stale: `UPDATE_DOCS=1 cargo test metrics_documents`");
}

/// Every name and label that is asked for is one that the table has.
fn check_query(query: &str) {
    let names = regex::Regex::new(r"\b((?:permitd|process)_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let mut n = 0;
    for found in names.captures_iter(query) {
        n += 1;
        let asked = &found[1];
        let metric = TABLE.iter().find(|it| {
            let series = ["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", it.name));
            let is_histogram = it.kind.name() == "histogram";
            if is_histogram { series.iter().any(|it| it == asked) } else { it.name == asked }
        });
        let metric = metric.unwrap_or_else(|| panic!("{asked} is not in the table: {query}"));
        let labels = found.get(2).map_or("", |it| it.as_str());
        for label in labels.split(',').filter_map(|it| it.split(['=', '!']).next()) {
            let known = metric.labels.iter().any(|(it, _)| *it == label.trim());
            let usual = ["", "job", "instance", "le"].contains(&label.trim());
            assert!(known || usual, "{asked} has no label {label}: {query}");
        }
    }
    assert!(n > 0 || query.contains("up{"), "asks for nothing of permitd: {query}");
}

#[test]
fn alerts_ask_for_what_there_is_and_each_is_tested() {
    let read = |it: &str| std::fs::read_to_string(format!("deploy/prometheus/{it}")).unwrap();
    let alerts: Value = serde_yaml::from_str(&read("alerts.yaml")).unwrap();
    let tests: Value = serde_yaml::from_str(&read("alerts.test.yaml")).unwrap();
    let mut tested = BTreeSet::new();
    for test in tests["tests"].as_array().unwrap() {
        for it in test["alert_rule_test"].as_array().unwrap() {
            let fires = it["exp_alerts"].as_array().is_some_and(|it| !it.is_empty());
            tested.insert((it["alertname"].as_str().unwrap().to_owned(), fires));
        }
    }
    for rule in alerts["groups"][0]["rules"].as_array().unwrap() {
        check_query(rule["expr"].as_str().unwrap());
        let name = rule["alert"].as_str().unwrap();
        for fires in [true, false] {
            assert!(
                tested.contains(&(name.to_owned(), fires)),
                "no test of {name}, firing: {fires}"
            );
        }
        assert!(
            rule["annotations"]["summary"].is_string()
                && rule["annotations"]["description"].is_string()
        );
    }
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let text = std::fs::read_to_string("deploy/grafana/dashboard.json").unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut n = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        if panel["type"] == "row" {
            continue;
        }
        for target in panel["targets"].as_array().unwrap() {
            check_query(target["expr"].as_str().unwrap());
            n += 1;
        }
        assert!(panel["title"].as_str().is_some_and(|it| !it.is_empty()));
    }
    assert!(n >= 15, "{n}");
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn promtool_takes_all_of_it() {
    if std::env::var_os("PERMITD_TEST_PROMTOOL").is_none() {
        println!("SKIPPED: set PERMITD_TEST_PROMTOOL=1");
        return;
    }
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text(&Metrics::default()).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    for (words, file) in [("check", "alerts.yaml"), ("test", "alerts.test.yaml")] {
        let output = Command::new("promtool")
            .args([words, "rules", file])
            .current_dir("deploy/prometheus")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
    // What the README tells to write.
    let readme = std::fs::read_to_string("deploy/prometheus/README.md").unwrap();
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|it| it.split("```").next());
    let ours: String = blocks.filter(|it| !it.contains("# permitd.yaml")).collect();
    assert!(ours.contains("scrape_configs") && ours.contains("rule_files"), "{ours}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prometheus.yml"), ours).unwrap();
    let alerts = folder.path().join("permitd.alerts.yaml");
    std::fs::copy("deploy/prometheus/alerts.yaml", alerts).unwrap();
    let output = Command::new("promtool")
        .args(["check", "config", "prometheus.yml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
