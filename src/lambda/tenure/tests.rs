//! Who may still write, under a paused clock.

use tokio::time::{advance, sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn to_the_very_end_and_not_beyond() {
    let secs = Duration::from_secs;
    assert!(may_start(Some(secs(15)), secs(10), secs(5)));
    assert!(!may_start(Some(secs(15)), secs(10) + Duration::from_nanos(1), secs(5)));
    assert!(!may_start(None, secs(0), secs(5)));
}

#[tokio::test(start_paused = true)]
async fn what_would_end_too_late_waits_until_it_was_prolonged() {
    let tenure = Tenure::default();
    assert_eq!(tenure.may_start(SECOND).await.unwrap_err().code_name(), "NotLeading");
    let start = Instant::now();
    tenure.set(Some(start + 6 * SECOND));
    tenure.may_start(5 * SECOND).await.unwrap();
    assert_eq!(Instant::now(), start);
    advance(2 * SECOND).await;
    let prolong = async {
        sleep(SECOND).await;
        tenure.set(Some(Instant::now() + 6 * SECOND));
    };
    let (started, ()) = tokio::join!(tenure.may_start(5 * SECOND), prolong);
    started.unwrap();
    assert_eq!(start.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_waits_hears_that_it_is_over() {
    let tenure = Tenure::default();
    let start = Instant::now();
    // By itself,
    tenure.set(Some(start + 3 * SECOND));
    let error = tenure.may_start(5 * SECOND).await.unwrap_err();
    assert_eq!((error.recovery, start.elapsed()), (Recovery::Unreachable, 3 * SECOND));
    // or because somebody says so.
    tenure.set(Some(Instant::now() + 3 * SECOND));
    let end = async {
        sleep(SECOND).await;
        tenure.set(None);
    };
    let (started, ()) = tokio::join!(tenure.may_start(5 * SECOND), end);
    assert_eq!(started.unwrap_err().code_name(), "NotLeading");
    assert_eq!(start.elapsed(), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn changes_are_seen_however_they_come() {
    let tenure = Tenure::default();
    tenure.changes_from(true).await;
    let start = Instant::now();
    let begin = async {
        sleep(SECOND).await;
        tenure.set(Some(Instant::now() + 2 * SECOND));
    };
    tokio::join!(tenure.changes_from(false), begin);
    assert!(tenure.is_held());
    let prolong = async {
        sleep(SECOND).await;
        tenure.set(Some(Instant::now() + 2 * SECOND));
    };
    tokio::join!(tenure.changes_from(true), prolong);
    assert!(!tenure.is_held());
    assert_eq!(start.elapsed(), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_takes_too_long_is_given_up_and_may_have_been_done() {
    let slow = async {
        sleep(WRITE_TIMEOUT + SECOND).await;
        Ok(())
    };
    let start = Instant::now();
    let error = within(slow).await.unwrap_err();
    assert_eq!((error.recovery, start.elapsed()), (Recovery::Unknown, WRITE_TIMEOUT));
    within(async { Ok::<_, GatewayError>(()) }).await.unwrap();
}
