//! What the page shows, and what it does not let through.

use super::*;
use crate::drift::{actor::Actor, allow::Mode, diff::Kind, outcome::State};
use crate::observe::{
    board::{Board, EventsView, Offer},
    standing::{Open, Standing},
    usage::Used,
};
use crate::policy::target::{Defaults, Target};

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn facts() -> Facts {
    Facts {
        now: now(),
        started: now(),
        alive: true,
        entries: Ok(Vec::new()),
        usage: Vec::new(),
        speeds: Default::default(),
    }
}

fn standing(name: &str, state: State) -> std::sync::Arc<Standing> {
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
    std::sync::Arc::new(Standing {
        target: Target::parse(&arn, None, &Defaults::default()).unwrap(),
        state,
        reason: "as_written",
        since: now(),
        last_attempt: Some(now()),
        last_read: Some(now()),
        next_look: None,
        grants: 1,
        revision: Some("<img src=x onerror=alert(1)>\u{202e}".to_owned()),
        size: Some(1_000),
        foreign: 0,
        ignored: 0,
        open: Vec::new(),
        outcome: None,
        lately: std::collections::VecDeque::new(),
    })
}

fn view(n: usize) -> View {
    let mut view = Board::default().view();
    view.config.mode = Some(Mode::Enforce);
    view.targets = (0..n).map(|it| standing(&format!("f{it:05}"), State::InSync)).collect();
    view
}

#[test]
fn what_others_wrote_is_text() {
    let mut view = view(1);
    view.config.refused = Some((now(), "<script>alert(1)</script>".to_owned()));
    let query = Query::parse("q=%22%3E%3Cscript%3E&page=x");
    for query in [query, Query::default()] {
        let page = page(&view, &query, &facts()).document;
        assert_eq!(page.matches("<script").count(), 1);
        assert!(!page.contains("<img") && !page.contains('\u{202e}'));
        assert!(!page.contains(" style=") && !page.contains(" onerror=\""));
    }
}

#[test]
fn ten_thousand_functions_are_a_small_page_those_first_that_need_somebody() {
    let mut view = view(10_000);
    view.targets.push(standing("z-broken", State::Failed));
    let first = page(&view, &Query::default(), &facts()).document;
    assert!(first.len() < 300_000, "{} bytes", first.len());
    assert_eq!(first.matches("<article").count(), 100);
    assert!(first.contains("1 to 100 of 10001 functions"));
    assert!(first.find("z-broken") < first.find("f00000"));
    let found = page(&view, &Query::parse("q=F0999&state=in_sync"), &facts()).document;
    assert_eq!(found.matches("<article").count(), 10);
    let last = page(&view, &Query::parse("page=9999"), &facts()).document;
    assert!(last.contains("Page 101 of 101"));
}

#[test]
fn the_tag_changes_with_what_is_said_and_not_with_the_time() {
    let view = view(2);
    let now_tag = page(&view, &Query::default(), &facts()).tag;
    let later = Facts { now: "2026-06-01T00:05:00Z".parse().unwrap(), ..facts() };
    assert_eq!(page(&view, &Query::default(), &later).tag, now_tag);
    let stopped = Facts { alive: false, ..facts() };
    let page = page(&view, &Query::default(), &stopped);
    assert_ne!(page.tag, now_tag);
    assert!(page.document.contains("the loop has stopped"));
}

#[test]
fn what_is_held_tells_how_to_allow_it() {
    let mut view = view(1);
    let targets = vec![view.targets[0].target.arn()];
    view.offers = vec![Offer { digest: "abc".to_owned(), statements: 2, targets, at: now() }];
    let page = page(&view, &Query::default(), &facts()).document;
    assert!(page.contains("permitd approve abc") && page.contains("waits for an approval"));
}

#[test]
fn a_budget_shows_what_it_allows_and_what_is_left_of_it() {
    let minute = |calls| {
        let used = Used { calls, ..Used::default() };
        Minute { number: 0, buckets: [used; 3] }
    };
    let lines = |limit, rate, calls| {
        let speed = Speed { limit, rate, used: 0.0 };
        let facts = Facts { usage: vec![minute(calls)], speeds: [speed; 3], ..facts() };
        let page = page(&view(1), &Query::default(), &facts).document;
        let figure = page.split("Calls a minute: control").nth(1).unwrap().to_owned();
        let figure = figure.split("</figure>").next().unwrap().to_owned();
        let ys = figure.split("y1=\"").skip(1).map(|it| it.split('"').next().unwrap().to_owned());
        (ys.collect::<Vec<_>>(), figure)
    };
    let (ys, figure) = lines(3.0, 3.0, 90);
    assert_eq!(ys, ["10"]);
    assert!(figure.contains("180 a minute are allowed") && !figure.contains("the lower one"));
    assert!(figure.contains("M29 1000V500H30V1000Z"), "half of it is used: {figure}");
    let (ys, figure) = lines(3.0, 0.75, 360);
    assert_eq!(ys, ["500", "875"], "over the limit, where others have slowed it");
    assert!(figure.contains("45 now, since Lambda refused calls"));
    assert!(lines(0.0, 0.0, 90).0.is_empty(), "without a limit there is no line");
}

#[test]
fn a_query_survives_its_link() {
    let query = Query::parse("q=a+b%2Fc%zz%C3%BC&state=held");
    assert_eq!((query.text.as_str(), query.state), ("a b/c%zzü", Some(State::Held)));
    assert_eq!(Query::parse(query.link(3).strip_prefix("/?").unwrap()), Query { page: 3, ..query });
}

#[test]
fn nothing_but_the_daemon_is_asked() {
    assert!(POLICY.starts_with("default-src 'none';") && !POLICY.contains("unsafe"));
    assert!(POLICY.contains("connect-src 'self'") && !POLICY.contains("http"));
    assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
}

#[test]
fn who_made_a_difference_stands_beside_it() {
    let mut view = view(1);
    let by = Some(std::sync::Arc::new(Actor {
        arn: "arn:aws:iam::123456789012:user/eve".to_owned(),
        role_arn: None,
        source_address: Some("192.0.2.7".to_owned()),
        user_agent: Some("aws-cli/2".to_owned()),
        time: now(),
        event: "RemovePermission20150331v2".to_owned(),
        request_id: Some("r-1".to_owned()),
        sid: None,
    }));
    let open = |by| Open { sid: None, kind: Kind::Missing, held: None, since: now(), by };
    let mut target = (*standing("f", State::Drifted)).clone();
    target.open = vec![open(by), open(None)];
    view.targets = vec![std::sync::Arc::new(target)];
    view.events = Some(EventsView { answered_at: Some(now()), trouble: None });
    let text = page(&view, &Query::default(), &facts()).document;
    let at = text.find("changed by: <code>arn:aws:iam::123456789012:user/eve</code> from <code>192.0.2.7</code> with <code>aws-cli/2</code>");
    assert!(at.is_some(), "{text}");
    assert!(text.contains("(RemovePermission20150331v2, request r-1)"), "{text}");
    assert!(text.contains("changed by: not known"), "{text}");
    assert!(text.contains("<dt>Events</dt><dd>the queue answered <time"), "{text}");
    view.events = Some(EventsView { answered_at: None, trouble: Some((now(), "<denied>".into())) });
    let text = page(&view, &Query::default(), &facts()).document;
    assert!(text.contains("the queue cannot be read</span> since <time"), "{text}");
    assert!(text.contains(": &lt;denied&gt;; full passes go on"), "{text}");
}
