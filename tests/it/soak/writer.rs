//! Somebody else who changes policies, and sees whatever permitd does to them.
//!
//! Every change of this writer replaces a document that it has just read, guarded by its revision. So whatever is
//! different at its next look, permitd has done; that makes it a witness that nothing wanted is ever taken away.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::commands::harness::Lambda;
use crate::soak::world::{
    TARGETS, account, content, foreign, is_all_ours, is_declared, read, replace, wanted,
};

pub(super) struct Writer {
    pub(super) rng: fastrand::Rng,
    pub(super) changes: usize,
    /// Changes that permitd was quicker than; they were made all the same, at another look.
    pub(super) beaten: usize,
    /// How often a policy was looked at.
    pub(super) looks: usize,
    /// What was granted of what is wanted when a target was last looked at.
    granted: BTreeMap<&'static str, BTreeSet<String>>,
    /// Everything that any statement ever said.
    ever: BTreeSet<String>,
}

impl Writer {
    pub(super) fn new(seed: u64) -> Self {
        let ever = TARGETS.iter().flat_map(|it| wanted(it)).map(|it| content(&it)).collect();
        Self {
            rng: fastrand::Rng::with_seed(seed),
            changes: 0,
            beaten: 0,
            looks: 0,
            granted: BTreeMap::new(),
            ever,
        }
    }

    /// Any target.
    pub(super) fn pick(&mut self) -> &'static str {
        TARGETS[self.rng.usize(..TARGETS.len())]
    }

    /// Whether somebody has ever written this: a journal that says otherwise made it up.
    pub(super) fn knows(&self, statement: &Value) -> bool {
        self.ever.contains(&content(statement))
    }

    /// What is there now, after a check that permitd took away nothing that it should not have.
    pub(super) fn look(
        &mut self,
        lambda: &Lambda,
        target: &'static str,
    ) -> (Vec<Value>, Option<String>) {
        self.looks += 1;
        let (text, revision) = read(lambda, target).unzip();
        let text = text.unwrap_or_else(|| json!({"Statement": []}).to_string());
        for it in foreign(target) {
            let n = text.matches(&it.to_string()).count();
            assert_eq!(n, 1, "{target}: {it} is not permitd's, and is not as it was in {text}");
        }
        let live: Value = serde_json::from_str(&text).unwrap();
        let live = live["Statement"].as_array().unwrap().clone();
        let now = granted(target, &live);
        let before = self.granted.insert(target, now.clone()).unwrap_or_default();
        let lost: Vec<&String> = before.difference(&now).collect();
        assert!(lost.is_empty(), "{target}: permitd interrupted {lost:?}; now there is {text}");
        (live, revision)
    }

    /// One change, of whatever kind changes something.
    pub(super) fn change(&mut self, lambda: &Lambda, target: &'static str) {
        loop {
            let (live, revision) = self.look(lambda, target);
            let mut next = live.clone();
            self.spoil(target, &mut next);
            if next == live || (next.is_empty() && !is_all_ours(target)) {
                continue;
            }
            if replace(lambda, target, &next, revision.as_deref()) {
                self.granted.insert(target, granted(target, &next));
                self.ever.extend(next.iter().map(content));
                self.changes += 1;
                return;
            }
            self.beaten += 1;
        }
    }

    fn spoil(&mut self, target: &str, live: &mut Vec<Value>) {
        let n = self.rng.u32(..1_000_000);
        let stranger = format!("6{:011}", self.rng.u64(..1_000_000_000));
        let not_ours: Vec<Value> = foreign(target).iter().map(|it| it["Sid"].clone()).collect();
        let ours: Vec<usize> =
            (0..live.len()).filter(|it| !not_ours.contains(&live[*it]["Sid"])).collect();
        let at = self.rng.choice(ours);
        // Under `declared`, a Sid that is in no file would be foreign from then on.
        let name = |kind: &str| {
            if is_declared(target) { "gone".to_owned() } else { format!("own-{kind}-{n}") }
        };
        let is_taken = |live: &[Value], sid: &str| live.iter().any(|it| it["Sid"] == sid);
        match (self.rng.u8(..8), at) {
            // Removed.
            (0 | 1, Some(at)) => drop(live.remove(at)),
            // Other content, under the same Sid.
            (2 | 3, Some(at)) => {
                live[at] = account(target, live[at]["Sid"].as_str().unwrap(), &stranger);
            }
            // Another Sid, for the same content.
            (4, Some(at)) if !is_taken(live, &name("renamed")) => {
                live[at]["Sid"] = json!(name("renamed"));
            }
            // The same once more.
            (5, Some(at)) if !is_taken(live, &name("again")) => {
                let mut copy = live[at].clone();
                copy["Sid"] = json!(name("again"));
                live.push(copy);
            }
            // Put right, before permitd does it, or while it does.
            (6, _) => *live = [wanted(target), foreign(target)].concat(),
            // What nobody wants.
            _ if !is_taken(live, &name("rogue")) => {
                live.push(account(target, &name("rogue"), &stranger));
            }
            _ => {}
        }
    }
}

/// What permitd may not take away, not even for a moment: the contents that are wanted, under whatever Sid, and the
/// statements under wanted Sids, whatever they say, until there is the content that is wanted there.
fn granted(target: &str, live: &[Value]) -> BTreeSet<String> {
    let contents: BTreeSet<String> = live.iter().map(content).collect();
    let of = |wanted: Value| {
        let sid = wanted["Sid"].as_str().unwrap().to_owned();
        let as_wanted = contents.contains(&content(&wanted));
        let somehow = as_wanted || live.iter().any(|it| it["Sid"] == wanted["Sid"]);
        let fully = as_wanted.then(|| format!("{sid} as it is wanted"));
        fully.into_iter().chain(somehow.then(|| format!("{sid} at all")))
    };
    wanted(target).into_iter().flat_map(of).collect()
}
