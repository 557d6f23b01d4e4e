//! One replica against an API server that the test plays.

mod model;

use super::*;

const ME: &str = "me";

fn at(ms: u64) -> Now {
    Now { at: Duration::from_millis(ms), wall: wall(ms), dice: 0.0 }
}

/// A wall clock that is of no use to anybody: it goes backwards.
fn wall(ms: u64) -> Timestamp {
    Timestamp::from_second(2_000_000_000 - i64::try_from(ms).unwrap()).unwrap()
}

fn held_by(holder: &str, version: &str) -> Record {
    Record { holder: holder.into(), seconds: 15, version: version.into(), ..Record::default() }
}

fn is(holder: &str, version: &str) -> Event {
    Event::Answered(Answer::Is(held_by(holder, version)))
}

#[track_caller]
fn replaces(action: &Action) -> Record {
    let Action::Ask(Call::Replace(record), _) = action else { panic!("{action:?}") };
    record.clone()
}

#[track_caller]
fn waits_until(action: &Action, ms: u64) {
    assert_eq!(*action, Action::Wait(Duration::from_millis(ms)));
}

fn get() -> Action {
    Action::Ask(Call::Get, PATIENCE)
}

/// Leads since 1000, by a renewal that was sent then.
fn leader() -> Election {
    let mut it = Election::new(ME.into());
    assert_eq!(it.next(Event::Due, at(0)), get());
    let mine = replaces(&it.next(is("", "1"), at(1000)));
    assert_eq!((mine.holder.as_str(), mine.version.as_str()), (ME, "1"));
    waits_until(&it.next(is(ME, "2"), at(1200)), 3000);
    it
}

fn ends_at(it: &Election) -> Option<u128> {
    it.term().map(|it| it.as_millis())
}

#[test]
fn where_there_is_none_it_is_made_and_held() {
    let mut it = Election::new(ME.into());
    assert_eq!(it.next(Event::Due, at(0)), get());
    assert_eq!(it.term(), None);
    let action = it.next(Event::Answered(Answer::Missing), at(10));
    let Action::Ask(Call::Create(record), _) = action else { panic!("{action:?}") };
    let expected = Record {
        holder: ME.into(),
        seconds: 15,
        acquired: Some(wall(10)),
        renewed: Some(wall(10)),
        transitions: 0,
        version: String::new(),
    };
    assert_eq!(record, expected);
    waits_until(&it.next(is(ME, "1"), at(50)), 2010);
    assert_eq!(ends_at(&it), Some(10 + 14_500), "from before it was sent");
    assert_eq!(it.holder(), Some(ME));
}

#[test]
fn of_two_who_make_it_one_stands_by() {
    let mut it = Election::new(ME.into());
    it.next(Event::Due, at(0));
    it.next(Event::Answered(Answer::Missing), at(10));
    assert_eq!(it.next(Event::Answered(Answer::Conflict), at(20)), get());
    waits_until(&it.next(is("other", "1"), at(30)), 2030);
    assert_eq!((it.term(), it.holder()), (None, Some("other")));
}

#[test]
fn a_record_that_changes_is_left_alone_whatever_its_times_say() {
    let mut it = Election::new(ME.into());
    it.next(Event::Due, at(0));
    for (n, ms) in (0..100u64).map(|n| (n, n * 2000)) {
        let mut record = held_by("other", &n.to_string());
        // Long over by any wall clock.
        record.renewed = Some(Timestamp::UNIX_EPOCH);
        waits_until(&it.next(Event::Answered(Answer::Is(record)), at(ms)), ms + 2000);
        assert_eq!(it.next(Event::Due, at(ms + 2000)), get());
    }
    assert_eq!(it.term(), None);
}

#[test]
fn one_that_does_not_change_for_its_whole_time_is_taken() {
    let mut it = Election::new(ME.into());
    it.next(Event::Due, at(0));
    let mut record = held_by("other", "7");
    record.renewed = Some(wall(0) + jiff::SignedDuration::from_hours(24));
    record.transitions = 3;
    let is = Event::Answered(Answer::Is(record));
    waits_until(&it.next(is.clone(), at(100)), 2100);
    for ms in (2100..15_000).step_by(2000) {
        assert_eq!(it.next(Event::Due, at(ms)), get());
        let Action::Wait(until) = it.next(is.clone(), at(ms)) else { panic!("too early, at {ms}") };
        assert_eq!(until.as_millis(), u128::from(ms + 2000).min(15_100));
    }
    assert_eq!(it.next(Event::Due, at(15_100)), get());
    let mine = replaces(&it.next(is, at(15_110)));
    assert_eq!((mine.holder.as_str(), mine.version.as_str(), mine.transitions), (ME, "7", 4));
    assert_eq!(mine.acquired, Some(wall(15_110)));
    assert_eq!(it.term(), None, "not before that was answered");
}

#[test]
fn a_longer_lease_of_somebody_else_is_waited_for_and_a_shorter_one_too() {
    for (seconds, lapses) in [(60, 60_000), (1, 15_000), (-5, 15_000)] {
        let mut it = Election::new(ME.into());
        it.next(Event::Due, at(0));
        let is = Event::Answered(Answer::Is(Record { seconds, ..held_by("other", "7") }));
        assert!(matches!(it.next(is.clone(), at(0)), Action::Wait(_)));
        it.next(Event::Due, at(lapses - 1));
        assert!(matches!(it.next(is.clone(), at(lapses - 1)), Action::Wait(_)), "{seconds}");
        it.next(Event::Due, at(lapses));
        assert_eq!(replaces(&it.next(is, at(lapses))).holder, ME, "{seconds}");
    }
}

#[test]
fn a_leader_renews_and_keeps_since_when() {
    let mut it = leader();
    assert_eq!(ends_at(&it), Some(15_500));
    let action = it.next(Event::Due, at(3000));
    let mine = replaces(&action);
    assert_eq!((mine.version.as_str(), mine.renewed), ("2", Some(wall(3000))));
    waits_until(&it.next(is(ME, "3"), at(3100)), 5000);
    assert_eq!(ends_at(&it), Some(17_500));
}

#[test]
fn what_is_read_does_not_prolong_anything() {
    let mut it = leader();
    it.next(Event::Due, at(3000));
    it.next(Event::Answered(Answer::Conflict), at(3100));
    assert_eq!(it.next(Event::Due, at(3100)), get());
    // Somebody has put a label on it.
    let mine = replaces(&it.next(is(ME, "3"), at(3200)));
    assert_eq!(ends_at(&it), Some(15_500));
    assert_eq!(mine.version, "3");
    it.next(is(ME, "4"), at(3300));
    assert_eq!(ends_at(&it), Some(17_700));
}

#[test]
fn who_sees_that_another_one_leads_stops_at_once() {
    let mut it = leader();
    it.next(Event::Due, at(3000));
    it.next(Event::Answered(Answer::Conflict), at(3100));
    it.next(Event::Due, at(3100));
    assert!(matches!(it.next(is("other", "9"), at(3200)), Action::Wait(_)));
    assert_eq!((it.term(), it.holder()), (None, Some("other")));
}

#[test]
fn without_answers_it_leads_until_its_term_ends_and_tries_all_the_time() {
    let mut it = leader();
    let mut ms = 3000;
    let mut tries = 0;
    while ms < 15_500 {
        let action = it.next(Event::Due, at(ms));
        let Action::Ask(Call::Replace(_), patience) = action else { panic!("{action:?}") };
        tries += 1;
        ms += u64::try_from(patience.as_millis()).unwrap();
        assert!(ms <= 15_500, "it would not know when that is over");
        match it.next(Event::Answered(Answer::Failed("none".into())), at(ms)) {
            Action::Wait(until) => ms = u64::try_from(until.as_millis()).unwrap(),
            action @ (Action::Ask(..) | Action::Done) => panic!("{action:?}"),
        }
        assert_eq!(it.term().is_some(), ms < 15_500);
    }
    assert!(tries >= 4, "{tries}");
    assert_eq!((it.term(), it.trouble()), (None, Some("none")));
    // What is its own by the record was somebody else's in between, for all it knows.
    assert_eq!(it.next(Event::Due, at(ms)), get());
    assert_eq!(replaces(&it.next(is(ME, "9"), at(ms))).version, "9");
    assert_eq!(it.term(), None);
    it.next(is(ME, "10"), at(ms + 10));
    assert_eq!(ends_at(&it), Some(u128::from(ms) + 14_500));
}

#[test]
fn an_answer_that_comes_after_the_term_is_of_no_use() {
    let mut it = leader();
    it.next(Event::Due, at(3000));
    it.next(is(ME, "3"), at(3000 + 14_500));
    assert_eq!(it.term(), None);
}

#[test]
fn a_lease_that_was_deleted_is_made_anew_by_its_holder_and_not_by_others_before_its_time() {
    let mut it = leader();
    it.next(Event::Due, at(3000));
    let action = it.next(Event::Answered(Answer::Missing), at(3010));
    let Action::Ask(Call::Create(mine), _) = action else { panic!("{action:?}") };
    assert_eq!((mine.holder.as_str(), mine.version.as_str(), mine.transitions), (ME, "", 0));
    let mut it = Election::new("standby".into());
    it.next(Event::Due, at(0));
    it.next(is(ME, "2"), at(0));
    for ms in (2000..15_000).step_by(2000) {
        assert_eq!(it.next(Event::Due, at(ms)), get());
        let action = it.next(Event::Answered(Answer::Missing), at(ms));
        assert!(matches!(action, Action::Wait(_)), "{action:?} at {ms}");
    }
    assert_eq!(it.next(Event::Due, at(15_000)), get());
    let action = it.next(Event::Answered(Answer::Missing), at(15_000));
    assert!(matches!(action, Action::Ask(Call::Create(_), _)), "{action:?}");
}

#[test]
fn a_namespace_that_is_not_there_is_told_and_not_hammered() {
    let mut it = Election::new(ME.into());
    it.next(Event::Due, at(0));
    it.next(Event::Answered(Answer::Missing), at(0));
    waits_until(&it.next(Event::Answered(Answer::Missing), at(0)), 2000);
    assert_eq!(it.trouble(), Some("it cannot be made: there is no such namespace"));
}

#[test]
fn given_back_at_the_end_at_once() {
    let mut it = leader();
    let released = replaces(&it.next(Event::Stop, at(3000)));
    assert_eq!(it.term(), None, "before that is sent");
    assert_eq!((released.holder.as_str(), released.version.as_str()), ("", "2"));
    assert_eq!(released.transitions, 0);
    assert_eq!(it.next(is("", "3"), at(3010)), Action::Done);
    // And who waits for it need not wait.
    let mut next = Election::new("next".into());
    next.next(Event::Due, at(0));
    assert_eq!(replaces(&next.next(is("", "3"), at(10))).holder, "next");
}

#[test]
fn given_back_also_where_it_is_not_known_whether_it_was_had() {
    let mut it = Election::new(ME.into());
    it.next(Event::Due, at(0));
    replaces(&it.next(is("", "1"), at(0)));
    assert!(matches!(
        it.next(Event::Answered(Answer::Failed("lost".into())), at(3000)),
        Action::Wait(_)
    ));
    assert_eq!(it.next(Event::Stop, at(3100)), get());
    assert_eq!(replaces(&it.next(is(ME, "2"), at(3200))).holder, "");
    it.next(Event::Answered(Answer::Conflict), at(3300));
    let mut other = Election::new(ME.into());
    other.next(Event::Due, at(0));
    other.next(is("other", "1"), at(0));
    assert_eq!(other.next(Event::Stop, at(10)), Action::Done, "it is not ours");
}

#[test]
fn giving_it_back_comes_to_an_end() {
    let mut it = leader();
    let mut ms = 3000;
    let mut action = it.next(Event::Stop, at(ms));
    let mut asked = 0;
    while let Action::Ask(_, patience) = action {
        asked += 1;
        ms += u64::try_from(patience.as_millis()).unwrap();
        action = it.next(Event::Answered(Answer::Failed("none".into())), at(ms));
    }
    assert_eq!(action, Action::Done);
    assert!(asked >= 2 && ms <= 8000, "{asked} requests until {ms}");
}
