//! What the simulator's log and the journals say, held against each other and counted.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use crate::commands::harness::{Lambda, Room};
use crate::soak::{
    world::{TARGETS, arn, foreign, is_all_ours},
    writer::Writer,
};

/// The simulator's log keeps this many; then it forgets the oldest.
const LOG: usize = 200_000;

/// The calls of permitd, in order. The other writer has operations of its own, so they are told apart.
///
/// Read once, at the end: clearing it now and then would lose what comes between the reading and the clearing.
pub(super) fn calls(lambda: &Lambda) -> Vec<Value> {
    let log = lambda.requests();
    assert!(log.len() < LOG, "the log has forgotten some");
    let other = |it: &Value| it["operation"].as_str().unwrap().ends_with("ResourcePolicy");
    log.into_iter().filter(|it| !other(it)).collect()
}

pub(super) fn is_write(call: &Value) -> bool {
    call["operation"].as_str().unwrap().ends_with("Permission")
}

/// How many calls of permitd have arrived since [`faults`] were set.
pub(super) fn arrived(lambda: &Lambda) -> u64 {
    let now = lambda.control("GET", "faults", &Value::Null);
    (0..2).map(|it| now["faults"][it]["seen"].as_u64().unwrap()).sum()
}

/// Faults, with two before them that only count what permitd calls.
pub(super) fn faults(latency_ms: u64, seed: u64, more: &[Value]) -> Value {
    let count = |operation: &str| json!({"operation": operation, "times": "forever", "kind": "delay", "delay_ms": 0});
    let faults = [vec![count("GetPolicy"), count("*Permission")], more.to_vec()].concat();
    json!({"latency_ms": latency_ms, "seed": seed, "faults": faults})
}

/// The journal of a room, by `permitd history`.
pub(super) fn journal(room: &Room) -> Vec<Value> {
    let said = room.permitd("history --output json --journal permitd/journal.db");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    said.json()["entries"].as_array().unwrap().clone()
}

/// What must hold between the calls and the journals of those who made them.
pub(super) fn check(calls: &[Value], journals: &[Vec<Value>], writer: &Writer) {
    let entries: Vec<&Value> = journals.iter().flatten().collect();
    let key = |action: &str, target: &Value, revision: &Value| {
        (action.to_owned(), target.to_string(), revision.to_string())
    };
    let mut written_down: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for it in &entries {
        let key = key(it["action"].as_str().unwrap(), &it["target"], &it["revision"]);
        written_down.entry(key).or_default().push(it["outcome"].as_str().unwrap());
    }
    let can_be_empty = |call: &Value| {
        TARGETS.iter().any(|it| is_all_ours(it) && call["target"] == arn(it).as_str())
    };
    // Those whose answer arrived first: of the others, anything that is left may stand in the journal.
    let mut sent: Vec<&Value> = calls.iter().filter(|it| is_write(it)).collect();
    sent.sort_by_key(|it| it["status"].as_u64().is_none_or(|it| it >= 500));
    for call in sent {
        let guarded = call["revision_id"].is_string();
        let first = call["operation"] == "AddPermission" && can_be_empty(call);
        assert!(guarded || first, "a write without a RevisionId: {call}");
        let action = if call["operation"] == "AddPermission" { "add" } else { "remove" };
        let outcomes = written_down
            .get_mut(&key(action, &call["target"], &call["revision_id"]))
            .unwrap_or_else(|| panic!("in no journal: {call}"));
        // Each entry is for one call.
        let fits: &[&str] = match call["status"].as_u64() {
            Some(201 | 204) => &["done", "unknown"],
            Some(400..=499) => &["refused", "unknown"],
            _ => &["done", "not_done", "unknown"],
        };
        let fitting = fits.iter().find_map(|fit| outcomes.iter().position(|it| it == fit));
        let fitting = fitting.unwrap_or_else(|| panic!("{call}, but the journal: {outcomes:?}"));
        outcomes.remove(fitting);
    }
    for journal in journals {
        let mut done: BTreeMap<_, &Value> = BTreeMap::new();
        for it in journal.iter().filter(|it| it["outcome"] == "done") {
            let key = key(it["action"].as_str().unwrap(), &it["target"], &it["revision"]);
            let twice = done.insert(key, it).filter(|_| it["revision"].is_string());
            assert!(twice.is_none(), "a revision is written on once: {it}, {twice:?}");
        }
    }
    for it in entries {
        let sid = it["sid"].as_str().unwrap();
        let own = foreign("one").iter().all(|it| it["Sid"] != sid);
        assert!(own, "permitd touches what is not its own: {it}");
        assert_ne!(it["outcome"], "pending", "{it}");
        let statement = if it["action"] == "remove" { &it["before"] } else { &it["after"] };
        assert_eq!(statement["Sid"], sid, "{it}");
        assert!(writer.knows(statement), "nobody ever wrote this: {it}");
    }
}

/// How much there was of everything.
#[derive(Default)]
pub(super) struct Figures {
    reads: usize,
    writes: usize,
    removals: usize,
    by_status: BTreeMap<String, usize>,
}

impl Figures {
    pub(super) fn of(calls: &[Value]) -> Self {
        let mut res = Self::default();
        for call in calls {
            if is_write(call) {
                res.writes += 1;
                let removed = call["operation"] == "RemovePermission" && call["status"] == 204;
                res.removals += usize::from(removed);
            } else if call["operation"] == "GetPolicy" {
                res.reads += 1;
            }
            let status = call["status"].as_u64();
            let status = status.map_or("no answer".to_owned(), |it| it.to_string());
            *res.by_status.entry(status).or_default() += 1;
        }
        res
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reads, writes, removals, by_status } = self;
        write!(f, "{reads} reads, {writes} writes ({removals} removals done); answers:")?;
        by_status.iter().try_for_each(|(status, n)| write!(f, " {status}: {n}"))
    }
}
