//! Any sequence of calls, against a list in memory.

use std::time::Duration;

use proptest::prelude::*;

use super::{at, new_entry};
use crate::journal::entry::{Action, Entry, Filter, NewEntry, Outcome};
use crate::journal::store::{Journal, Options};

const RETENTION: i64 = 30;

#[derive(Debug, Clone)]
enum Call {
    Begin(i64, Action, String, Option<String>),
    Finish(i64, Outcome, Option<String>, i64),
    Prune(i64),
    Reopen(i64),
}

fn call() -> impl Strategy<Value = Call> {
    let action = prop::sample::select(Action::ALL.to_vec());
    let outcome = prop::sample::select(Outcome::ALL.to_vec());
    let text = || prop::option::of(any::<String>());
    prop_oneof![
        4 => (0..100_i64, action, "[a-c]", text()).prop_map(|(t, a, s, b)| Call::Begin(t, a, s, b)),
        4 => (1..12_i64, outcome, text(), 0..100_i64).prop_map(|(i, o, m, t)| Call::Finish(i, o, m, t)),
        1 => (0..160_i64).prop_map(Call::Prune),
        1 => (0..160_i64).prop_map(Call::Reopen),
    ]
}

fn prune(model: &mut Vec<Entry>, now: i64) -> usize {
    let n = model.len();
    model.retain(|it| it.outcome == Outcome::Pending || it.step.time >= at(now - RETENTION));
    n - model.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_remembers_as_a_list_does(calls in prop::collection::vec(call(), 0..24)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        let retention = Some(Duration::from_secs(u64::try_from(RETENTION).unwrap()));
        let options = Options { retention, ..Options::default() };
        let mut journal = Some(Journal::open(&path, options, at(0)).unwrap());
        let mut model: Vec<Entry> = Vec::new();
        let mut next = 1;
        for call in calls {
            let open = journal.as_ref().unwrap();
            match call {
                Call::Begin(second, action, sid, before) => {
                    let step = NewEntry { before, ..new_entry(second, action, &sid) };
                    prop_assert_eq!(open.begin(&step), Ok(next));
                    let outcome = Outcome::Pending;
                    model.push(Entry { id: next, step, outcome, message: None, finished: None, request_id: None, instead: None });
                    next += 1;
                }
                Call::Finish(id, outcome, message, now) => {
                    let done = open.finish(id, outcome, message.as_deref(), None, at(now));
                    let entry = model.iter_mut().find(|it| it.id == id);
                    prop_assert_eq!(done.is_ok(), entry.is_some());
                    if let Some(entry) = entry {
                        *entry = Entry { outcome, message, finished: Some(at(now)), ..entry.clone() };
                    }
                }
                Call::Prune(now) => prop_assert_eq!(open.prune(at(now)), Ok(prune(&mut model, now))),
                Call::Reopen(now) => {
                    drop(journal.take());
                    journal = Some(Journal::open(&path, options, at(now)).unwrap());
                    for it in model.iter_mut().filter(|it| it.outcome == Outcome::Pending) {
                        it.outcome = Outcome::Unknown;
                    }
                    prune(&mut model, now);
                }
            }
            let all = journal.as_ref().unwrap().entries(&Filter::default()).unwrap();
            prop_assert_eq!(&all, &model);
        }
    }
}
