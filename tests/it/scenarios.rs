//! Scenario files: a policy, permission files and what goes wrong in; the report, the calls with their
//! revisions and the policy afterwards out.
//!
//! A file in `tests/scenarios/` has sections. Given: `functions` (default `f`), `live NAME[:QUALIFIER]` (one
//! statement a line, `$FN` is the ARN of `f`), `permissions`, `settings`, `seed`, `faults`. Expected: `plan`,
//! `calls`, `applied`, `after`. `UPDATE_SCENARIOS=1 cargo test scenarios` writes the expected ones anew; read
//! the difference before you commit it.
//!
//! Every scenario ends with a second run, which must find nothing more to do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use permitd::config::{
    diagnostic::{File, Files, render_all},
    permissions,
    resolve::{Context, resolve},
    settings::{self, Settings},
};
use permitd::daemon::{
    carry::Carrier,
    clock::Clock,
    mind::Mind,
    pass::Worker,
    scribe::{Occasion, Scribe},
};
use permitd::drift::{
    allow::{Mode, Rules},
    outcome::{Outcome, StepResult},
    wanted::Wanted,
};
use permitd::lambda::gateway::{GatewayError, LivePolicy, PolicyGateway, PolicyReader};
use permitd::policy::{
    grant::Permission,
    target::{Defaults, Target},
};
use permitd::report::text;
use permitd::simulator::{Direct, Seed, Simulator};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// One section after the other, in their order.
struct Scenario {
    about: String,
    sections: Vec<(String, String)>,
}

impl Scenario {
    fn parse(text: &str) -> Self {
        let mut res = Self { about: String::new(), sections: Vec::new() };
        for line in text.lines() {
            match (line.strip_prefix("== "), res.sections.last_mut()) {
                (Some(name), _) => res.sections.push((name.to_owned(), String::new())),
                (None, Some((_, body))) => writeln!(body, "{line}").unwrap(),
                (None, None) => writeln!(res.about, "{line}").unwrap(),
            }
        }
        for (_, body) in &mut res.sections {
            *body = format!("{}\n", body.trim_end());
        }
        res
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.sections.iter().find(|(it, _)| it == name).map(|(_, body)| body.as_str())
    }

    fn print(&self) -> String {
        let mut res = self.about.clone();
        for (name, body) in &self.sections {
            write!(res, "== {name}\n{body}\n").unwrap();
        }
        format!("{}\n", res.trim_end())
    }

    fn seed(&self) -> Seed {
        let names = self.get("functions").unwrap_or("f").split_whitespace();
        let mut functions: BTreeMap<String, Value> = names
            .map(|it| (it.to_owned(), json!({"name": it, "versions": 2, "aliases": {"live": "1"}})))
            .collect();
        for (name, body) in &self.sections {
            let Some(target) = name.strip_prefix("live ") else { continue };
            let (function, qualifier) = target.split_once(':').unwrap_or((target, ""));
            let lines = body.replace("$FN", FN);
            let statements =
                lines.lines().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(",");
            let text =
                format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}"#);
            let entry = functions.get_mut(function).unwrap();
            if qualifier.is_empty() {
                entry["policy"] = json!(text);
            } else {
                entry["policies"][qualifier] = json!(text);
            }
        }
        let functions: Vec<Value> = functions.into_values().collect();
        let mut account =
            json!({"id": "123456789012", "region": "us-east-1", "functions": functions});
        let seed = self.get("seed").unwrap_or_default();
        let extra: Value = if seed.trim().is_empty() {
            json!({})
        } else {
            serde_json::from_str(seed).unwrap_or_else(|it| panic!("seed: {it}"))
        };
        account["principals"] = extra.get("principals").cloned().unwrap_or(json!([]));
        let mut seed = json!({ "accounts": [account] });
        if let Some(switches) = extra.get("switches") {
            seed["switches"] = switches.clone();
        }
        Seed::parse(&seed.to_string(), Path::new("seed")).unwrap()
    }
}

/// Writes down every call with its revision; revisions are named in the order in which they are seen.
struct Recorder {
    inner: Direct,
    calls: Mutex<String>,
    revisions: Mutex<Vec<String>>,
}

impl Recorder {
    fn name(&self, revision: &str) -> String {
        let mut revisions = self.revisions.lock().unwrap();
        let at = revisions.iter().position(|it| it == revision).unwrap_or_else(|| {
            revisions.push(revision.to_owned());
            revisions.len() - 1
        });
        format!("r{}", at + 1)
    }

    fn record<T>(&self, call: &str, result: &Result<T, GatewayError>, good: impl Fn(&T) -> String) {
        let result = match result {
            Ok(it) => good(it),
            Err(error) => match (&error.code, error.status) {
                (Some(code), Some(status)) => format!("{status} {code}"),
                (None, Some(status)) => status.to_string(),
                (_, None) => "no answer".to_owned(),
            },
        };
        writeln!(self.calls.lock().unwrap(), "{call} -> {result}").unwrap();
    }
}

fn short(target: &Target) -> String {
    target.arn().rsplit("function:").next().unwrap().to_owned()
}

impl PolicyReader for Recorder {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let res = self.inner.get_policy(target).await;
        let call = format!("GetPolicy {}", short(target));
        self.record(&call, &res, |it| self.name(&it.revision));
        res
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        let res = self.inner.function_exists(target).await;
        self.record(&format!("GetFunction {}", short(target)), &res, |()| "ok".into());
        res
    }
}

impl PolicyGateway for Recorder {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<(), GatewayError> {
        let guard = revision.map_or("unguarded".to_owned(), |it| format!("if {}", self.name(it)));
        let res = self.inner.add_permission(target, sid, permission, revision).await;
        self.record(&format!("AddPermission {} {sid}, {guard}", short(target)), &res, |()| {
            "ok".into()
        });
        res
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<(), GatewayError> {
        let guard = self.name(revision);
        let res = self.inner.remove_permission(target, sid, revision).await;
        let call = format!("RemovePermission {} {sid}, if {guard}", short(target));
        self.record(&call, &res, |()| "ok".into());
        res
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<String, GatewayError> {
        let guard = self.name(revision);
        let res = self.inner.put_policy(target, document, revision).await;
        let call = format!("PutResourcePolicy {}, if {guard}", short(target));
        self.record(&call, &res, |it| self.name(it));
        res
    }
}

fn wanted(scenario: &Scenario, settings: &Settings) -> Vec<Wanted> {
    let text = scenario.get("permissions").unwrap();
    let file = File::new("p.yaml", text.replace("$FN", FN));
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    let defaults =
        Defaults { account: Some("123456789012".into()), region: Some("us-east-1".into()) };
    let context = Context {
        defaults,
        ownership: settings.ownership.clone(),
        replace: settings.replace,
        ignore: settings.ignore.clone(),
    };
    let loaded = resolve(permissions::parse(&files), &context);
    loaded.unwrap_or_else(|it| panic!("{}", render_all(&it, false))).wanted
}

fn after(simulator: &Simulator) -> String {
    let state = serde_json::to_value(simulator.state()).unwrap();
    let mut res = String::new();
    for function in state["accounts"][0]["functions"].as_array().unwrap() {
        let name = function["name"].as_str().unwrap();
        let unqualified = function.get("policy").map(|it| (String::new(), it));
        let qualified = function["policies"].as_object().into_iter().flatten();
        let qualified = qualified.map(|(qualifier, it)| (format!(":{qualifier}"), it));
        for (qualifier, policy) in unqualified.into_iter().chain(qualified) {
            writeln!(res, "{name}{qualifier}").unwrap();
            let document: Value = match policy.as_str() {
                Some(text) => serde_json::from_str(text).unwrap(),
                None => policy.clone(),
            };
            let document = document.get("document").unwrap_or(&document).clone();
            for statement in document["Statement"].as_array().unwrap() {
                writeln!(res, "  {}", statement.to_string().replace(FN, "$FN")).unwrap();
            }
        }
    }
    if res.is_empty() { "no policies\n".into() } else { res }
}

thread_local! {
    static START: tokio::time::Instant = tokio::time::Instant::now();
}

/// Follows tokio's clock, which is paused.
const CLOCK: Clock = || {
    let passed = START.with(tokio::time::Instant::elapsed);
    let start = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 56);
    start + jiff::SignedDuration::try_from(passed).unwrap()
};

/// What became of a scenario.
struct Played {
    plan: String,
    calls: String,
    applied: String,
    after: String,
}

async fn play(scenario: &Scenario) -> Played {
    let settings = scenario.get("settings").unwrap_or("mode: enforce\n");
    let file = File::new("permitd.yaml", format!("permissions: [p.yaml]\n{settings}"));
    let settings = settings::parse(&file).unwrap_or_else(|it| panic!("{}", render_all(&it, false)));
    let wanted = wanted(scenario, &settings);
    let rules = Rules {
        mode: settings.mode.unwrap(),
        ignore: settings.ignore.clone(),
        remove_inexpressible: settings.remove_inexpressible,
        ..Rules::default()
    };
    let simulator = Simulator::with_clock(scenario.seed(), CLOCK).unwrap();
    if let Some(faults) = scenario.get("faults") {
        let faults = serde_json::from_str(faults).unwrap_or_else(|it| panic!("faults: {it}"));
        simulator.put_faults(faults).unwrap();
    }
    let recorder = Recorder {
        inner: simulator.direct(),
        calls: Mutex::default(),
        revisions: Mutex::default(),
    };
    let stop = CancellationToken::new();
    let (mind, scribe) = (Mind::default(), Scribe::nobody());
    let carrier = Carrier { gateway: &recorder, clock: CLOCK, scribe: &scribe, stop: &stop };
    let n_targets = wanted.len();
    let occasion = Occasion::default();
    let worker = Worker { carrier, mind: &mind, rules: &rules, n_targets, occasion, keep: false };
    let mut seen = worker.look_at_all(&wanted, || {}).await;
    worker.judge(&mut seen);
    let found: Vec<Outcome> = seen.iter().map(|it| it.outcome(CLOCK())).collect();
    let outcomes = if rules.mode == Mode::Observe {
        worker.close_all(seen)
    } else {
        worker.act_on_all(seen, |_| {}).await
    };
    let calls = std::mem::take(&mut *recorder.calls.lock().unwrap());
    let after = after(&simulator);

    // Again, with nothing in the way: what was done stays done, and what was interrupted is finished.
    simulator.put_faults(permitd::simulator::Faults::default()).unwrap();
    if rules.mode != Mode::Observe {
        let all: Vec<&Wanted> = wanted.iter().collect();
        let second = worker.pass(&all, |_| {}).await;
        let mut again = worker.look_at_all(&wanted, || {}).await;
        worker.judge(&mut again);
        for seen in again {
            let (target, plan) = seen.plan();
            let left = plan.map_or(0, |it| it.steps.len());
            // What Lambda itself refuses is tried again in every pass, unless each try is a gap.
            let refused = second
                .iter()
                .filter(|it| it.target == *target)
                .flat_map(|it| &it.done)
                .any(|it| matches!(it.result, StepResult::Refused(_)));
            let about = scenario.about.trim();
            assert!(refused || left == 0, "{about} {target}: planning again: {plan:#?}");
        }
    }
    Played {
        plan: text::plan(&found, false),
        calls,
        applied: text::applied(&outcomes, false),
        after,
    }
}

fn files() -> Vec<PathBuf> {
    let mut res: Vec<PathBuf> = std::fs::read_dir("tests/scenarios")
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "txt"))
        .collect();
    res.sort();
    res
}

#[tokio::test(start_paused = true)]
async fn scenarios() {
    let update = std::env::var("UPDATE_SCENARIOS").is_ok();
    let mut wrong = Vec::new();
    let files = files();
    assert!(files.len() >= 25, "only {} scenarios", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut scenario = Scenario::parse(&text);
        assert!(scenario.about.starts_with("# "), "{}: say what it shows", path.display());
        // Jitter is random, and nothing may depend on it.
        let Played { plan, calls, applied, after } = play(&scenario).await;
        for (name, body) in
            [("plan", plan), ("calls", calls), ("applied", applied), ("after", after)]
        {
            let body = format!("{}\n", body.replace(FN, "$FN").trim_end());
            match scenario.sections.iter_mut().find(|(it, _)| it == name) {
                Some((_, known)) if *known == body => {}
                _ if !update => {
                    let known = scenario.get(name).unwrap_or("(nothing)\n");
                    let name = format!("{}, {name}", path.display());
                    wrong.push(format!("{name}: expected\n{known}but it was\n{body}"));
                }
                Some((_, known)) => *known = body,
                None => scenario.sections.push((name.to_owned(), body)),
            }
        }
        if update {
            std::fs::write(&path, scenario.print()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every kind of drift, every hold and every trouble stands in some scenario.
#[test]
fn scenarios_show_everything() {
    let texts: Vec<String> =
        files().iter().map(|it| std::fs::read_to_string(it).unwrap()).collect();
    let kinds = permitd::drift::diff::Kind::ALL.map(permitd::drift::diff::Kind::name);
    let holds = [
        "held: suspended",
        "held: additive",
        "held: inexpressible",
        "held: no_sid",
        "held: ambiguous_sid",
        "held: orphan_unconfirmed",
        "held: blocked_by_orphan",
        "held: too_large",
        "held: still_needed",
        "held: refused",
        "held: contended",
    ];
    let troubles = [
        "unknown: function_missing",
        "unknown: access_denied",
        "unknown: throttled",
        "unknown: unreachable",
        "unknown: bad_answer",
        "failed: conflict",
        "failed: throttled",
        "failed: unreachable",
        "failed: gap_open",
    ];
    let missing: Vec<&str> = kinds
        .into_iter()
        .chain(holds)
        .chain(troubles)
        .filter(|it| !texts.iter().any(|text| text.contains(it)))
        .collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}
