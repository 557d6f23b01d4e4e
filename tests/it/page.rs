//! The page of the daemon, as the parser of browsers reads it.

use std::{collections::VecDeque, sync::Arc};

use permitd::drift::{actor::Actor, allow::Mode, outcome::Outcome};
use permitd::journal::{
    entry::{self, Action, Entry, NewEntry},
    pause::Pause,
};
use permitd::observe::{
    board::{Board, EventsView, Offer, View},
    page::{self, Facts, Query},
    standing::{AS_WRITTEN, Stage, Standing},
    usage::{Minute, Speed},
};

use crate::report_cases::{cases, forms::Page};

/// What others may have written wherever they could.
const HOSTILE: &str = "</script><script>alert(1)</script>\"'<!--\u{202e}&amp;\u{0}";

fn standing(outcome: &Outcome) -> Standing {
    let mut res = Standing {
        target: outcome.target.clone(),
        state: outcome.state,
        reason: AS_WRITTEN,
        since: cases::now(),
        last_attempt: None,
        last_read: None,
        next_look: None,
        grants: 1,
        revision: None,
        size: None,
        foreign: 0,
        ignored: 0,
        open: Vec::new(),
        outcome: None,
        lately: VecDeque::new(),
    };
    res.take(outcome, Stage::Last, cases::now());
    res.revision = Some(HOSTILE.to_owned());
    for it in &mut res.open {
        it.by = Some(Arc::new(actor()));
    }
    for it in &mut res.lately {
        it.by = Some(Arc::new(actor()));
    }
    res
}

fn actor() -> Actor {
    let some = || Some(HOSTILE.to_owned());
    Actor {
        arn: HOSTILE.to_owned(),
        role_arn: some(),
        source_address: some(),
        user_agent: some(),
        time: cases::now(),
        event: HOSTILE.to_owned(),
        request_id: some(),
        sid: some(),
    }
}

fn view(outcomes: &[Outcome]) -> View {
    let mut res = Board::default().view();
    res.config.mode = Some(Mode::Enforce);
    let trouble = Some((cases::now(), HOSTILE.to_owned()));
    res.events = Some(EventsView { answered_at: None, trouble });
    res.config.refused = Some((cases::now(), HOSTILE.to_owned()));
    let mut targets: Vec<Standing> = outcomes.iter().map(standing).collect();
    targets.sort_by(|a, b| a.target.cmp(&b.target));
    // The board has each once.
    targets.dedup_by(|a, b| a.target == b.target);
    res.targets = targets.into_iter().map(Into::into).collect();
    let arn = outcomes.first().map(|it| it.target.arn()).unwrap_or_default();
    let (now, hostile) = (cases::now(), HOSTILE.to_owned());
    res.offers =
        vec![Offer { digest: hostile.clone(), statements: 2, targets: vec![arn.clone()], at: now }];
    let pause =
        |target| Pause { target, since: now, until: None, wanted: None, reason: hostile.clone() };
    res.pauses = vec![pause(None), pause(Some(arn))];
    res
}

fn facts() -> Facts {
    let step = NewEntry {
        time: cases::now(),
        target: HOSTILE.to_owned(),
        action: Action::Remove,
        sid: Some(HOSTILE.to_owned()),
        kind: HOSTILE.to_owned(),
        before: Some(HOSTILE.to_owned()),
        after: None,
        revision: None,
        actor: HOSTILE.to_owned(),
        reason: HOSTILE.to_owned(),
        approval: Some(HOSTILE.to_owned()),
        undoes: None,
        replaces: None,
        caused_by: Some(serde_json::json!({"arn": HOSTILE, "source_address": HOSTILE}).to_string()),
    };
    let entry = |id| Entry {
        id,
        step: step.clone(),
        outcome: entry::Outcome::Refused,
        message: Some(HOSTILE.to_owned()),
        finished: None,
        request_id: None,
        instead: None,
    };
    Facts {
        now: cases::now(),
        started: cases::now(),
        alive: true,
        entries: Ok(vec![entry(1), entry(2)]),
        usage: vec![Minute::default(); 3],
        speeds: [Speed { limit: 3.0, rate: 1.5, used: 0.1 }; 3],
    }
}

#[test]
fn a_browser_reads_it_without_a_complaint_whatever_stands_in_it() {
    let mut all = vec![("nothing", Vec::new()), ("mixed", cases::mixed())];
    all.extend(cases::all().into_iter().map(|it| (it.name, it.outcomes)));
    for (name, outcomes) in all {
        let view = view(&outcomes);
        for query in ["", "q=%22%3E%3Cscript%3E&state=held&page=2"] {
            let page = page::page(&view, &Query::parse(query), &facts()).document;
            let page = Page::read_served(&page);
            assert_eq!(page.strange, Vec::<String>::new(), "{name} {query}");
            assert_eq!((page.count("script"), page.count("main")), (1, 1), "{name}");
            assert!(page.text.contains("alert(1)"), "it stands there as text");
        }
    }
}
