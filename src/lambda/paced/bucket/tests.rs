//! Budgets under a paused clock.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

fn throttled(retry_after: Option<Duration>) -> GatewayError {
    GatewayError {
        recovery: Recovery::Throttled { retry_after },
        status: Some(429),
        code: None,
        message: String::new(),
        request_id: None,
    }
}

fn rate(calls: f64) -> Rate {
    Rate::per_second(calls).unwrap()
}

async fn times(bucket: &Bucket, n: usize) -> Vec<u128> {
    let start = Instant::now();
    let mut res = Vec::new();
    for _ in 0..n {
        bucket.pace(Urgency::Sweep, "GetPolicy", || async { Ok(()) }).await.unwrap();
        res.push(start.elapsed().as_millis());
    }
    res
}

#[tokio::test(start_paused = true)]
async fn calls_are_spaced_evenly_and_never_saved_up() {
    let bucket = Bucket::new(rate(10.0));
    assert_eq!(times(&bucket, 4).await, [0, 100, 200, 300]);
    advance(Duration::from_mins(1)).await;
    assert_eq!(times(&bucket, 3).await, [0, 100, 200]);
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_budget() {
    let bucket = Bucket::new(rate(10.0));
    let start = Instant::now();
    let calls = (0..50).map(|_| bucket.pace(Urgency::Sweep, "GetPolicy", || async { Ok(()) }));
    futures::future::join_all(calls).await;
    assert_eq!(start.elapsed().as_millis(), 4900);
}

#[tokio::test(start_paused = true)]
async fn a_429_halves_the_rate_and_it_grows_back() {
    let bucket = Bucket::new(rate(10.0));
    let refused: Result<(), _> =
        bucket.pace(Urgency::Sweep, "GetPolicy", || async { Err(throttled(None)) }).await;
    assert!(refused.is_err());
    let spacing = times(&bucket, 3).await;
    assert_eq!(spacing[0], 100, "the turn that was given before the answer");
    assert!(spacing[2] - spacing[1] > 190, "{spacing:?}");
    times(&bucket, 60).await;
    let spacing = times(&bucket, 2).await;
    assert_eq!(spacing[1] - spacing[0], 100);
}

#[tokio::test(start_paused = true)]
async fn retry_after_closes_the_bucket_for_everybody() {
    for bucket in [Bucket::new(rate(10.0)), Bucket::new(Rate::UNLIMITED)] {
        let pause = Some(Duration::from_secs(7));
        let refused: Result<(), _> =
            bucket.pace(Urgency::Sweep, "GetPolicy", || async { Err(throttled(pause)) }).await;
        assert!(refused.is_err());
        assert_eq!(times(&bucket, 1).await, [7000]);
    }
}

#[tokio::test(start_paused = true)]
async fn unlimited_is_unlimited() {
    let bucket = Bucket::new(Rate::UNLIMITED);
    let n = AtomicUsize::new(0);
    for _ in 0..1000 {
        bucket
            .pace(Urgency::Sweep, "GetPolicy", || async { Ok(n.fetch_add(1, Ordering::Relaxed)) })
            .await
            .unwrap();
    }
    assert_eq!(times(&bucket, 2).await, [0, 0]);
}

#[test]
fn a_rate_is_more_than_zero() {
    assert_eq!(Rate::per_second(0.0), None);
    assert_eq!(Rate::per_second(-1.0), None);
    assert_eq!(Rate::per_second(f64::NAN), None);
    assert_eq!(Rate::per_second(f64::INFINITY), None);
    assert_eq!(rate(2.5).calls_per_second(), Some(2.5));
}

/// Comes at this millisecond, and gives up after so many, if it does.
#[derive(Debug, Clone, Copy)]
struct Caller {
    urgency: Urgency,
    at: u64,
    patience: Option<u64>,
    /// Lambda refuses it, for so many milliseconds.
    refused: Option<u64>,
}

/// Who went when, in milliseconds since the start, in this order; and who came when.
async fn play(bucket: &Bucket, callers: &[Caller]) -> Vec<(usize, u128)> {
    let start = Instant::now();
    let went = Mutex::new(Vec::new());
    let calls = callers.iter().enumerate().map(|(n, it)| {
        let went = &went;
        async move {
            sleep_until(start + Duration::from_millis(it.at)).await;
            let call = async {
                let call = || async {
                    went.lock().unwrap().push((n, start.elapsed().as_millis()));
                    match it.refused {
                        Some(pause) => Err(throttled(Some(Duration::from_millis(pause)))),
                        None => Ok(()),
                    }
                };
                drop(bucket.pace(it.urgency, "GetPolicy", call).await);
            };
            match it.patience {
                Some(it) => drop(tokio::time::timeout(Duration::from_millis(it), call).await),
                None => call.await,
            }
        }
    });
    futures::future::join_all(calls).await;
    went.into_inner().unwrap()
}

fn caller(urgency: Urgency, at: u64) -> Caller {
    Caller { urgency, at, patience: None, refused: None }
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_goes_first_and_waits_for_one_turn_of_others_at_most() {
    use Urgency::{Discovery, Repair, Sweep, Write};
    let mut callers: Vec<Caller> = [Discovery, Sweep, Sweep].map(|it| caller(it, 0)).into();
    callers.extend([caller(Sweep, 10), caller(Write, 150), caller(Repair, 150)]);
    let went = play(&Bucket::new(rate(10.0)), &callers).await;
    // The first of those that came together went before there was anybody else.
    assert_eq!(went, [(0, 0), (1, 100), (4, 200), (5, 300), (2, 400), (3, 500)]);
}

#[tokio::test(start_paused = true)]
async fn the_least_urgent_gets_one_turn_in_ten_however_many_others_there_are() {
    let mut callers: Vec<Caller> = (0..100).map(|_| caller(Urgency::Write, 0)).collect();
    callers.splice(1..1, (0..3).map(|_| caller(Urgency::Discovery, 0)));
    callers.splice(1..1, (0..3).map(|_| caller(Urgency::Sweep, 0)));
    let went = play(&Bucket::new(rate(10.0)), &callers).await;
    let at = |n: usize| went.iter().position(|it| it.0 == n).unwrap();
    assert_eq!((1..=6).map(at).collect::<Vec<_>>(), [10, 20, 30, 40, 50, 60]);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_costs_nobody_a_turn() {
    let mut callers: Vec<Caller> = (0..4).map(|_| caller(Urgency::Sweep, 0)).collect();
    callers[1].patience = Some(50);
    callers[2].patience = Some(99);
    assert_eq!(play(&Bucket::new(rate(10.0)), &callers).await, [(0, 0), (3, 100)]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_holds_those_who_wait_already() {
    let bucket = Bucket::new(rate(10.0));
    let refused = async {
        let pause = Some(Duration::from_secs(7));
        let call = || async { Err::<(), _>(throttled(pause)) };
        bucket.pace(Urgency::Sweep, "GetPolicy", call).await.unwrap_err();
    };
    let others = async { play(&bucket, &[caller(Urgency::Sweep, 0); 3]).await };
    let ((), went) = futures::future::join(refused, others).await;
    assert_eq!(went, [(0, 7000), (1, 7200), (2, 7397)], "and then at half the rate, growing back");
}

#[tokio::test(start_paused = true)]
async fn it_tells_how_much_of_it_was_used_and_how_it_is_slowed() {
    let bucket = Bucket::new(rate(10.0));
    assert_eq!((bucket.pace.limit(), bucket.pace.rate()), (Some(10.0), Some(10.0)));
    times(&bucket, 300).await;
    assert!(bucket.pace.use_ratio() < f64::EPSILON, "the minute is not over");
    advance(Duration::from_secs(31)).await;
    assert!((bucket.pace.use_ratio() - 0.5).abs() < 0.01, "{}", bucket.pace.use_ratio());
    advance(Duration::from_mins(2)).await;
    assert!(bucket.pace.use_ratio() < f64::EPSILON);
    // What is slowed is used up by fewer calls.
    bucket.pace.slow_down(None);
    assert_eq!((bucket.pace.limit(), bucket.pace.rate()), (Some(10.0), Some(5.0)));
    advance(Duration::from_secs(59)).await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(59) {
        bucket.turns(Urgency::Sweep, 1).await;
    }
    advance(Duration::from_secs(2)).await;
    assert!(bucket.pace.use_ratio() > 0.95, "{}", bucket.pace.use_ratio());
}

/// Callers of every kind, at every time, some of whom give up; and somebody else who makes Lambda refuse.
fn callers() -> impl Strategy<Value = Vec<Caller>> {
    let urgency = prop::sample::select(vec![
        Urgency::Write,
        Urgency::Repair,
        Urgency::Sweep,
        Urgency::Discovery,
    ]);
    let patience = prop::option::weighted(0.2, 0_u64..3_000);
    let refused = prop::option::weighted(0.05, 0_u64..1_000);
    let one = (urgency, 0_u64..5_000, patience, refused)
        .prop_map(|(urgency, at, patience, refused)| Caller { urgency, at, patience, refused });
    prop::collection::vec(one, 1..60)
}

proptest! {
    #[test]
    fn no_window_sees_more_than_the_rate_and_the_urgent_wait_for_one_turn_of_others(
        callers in callers(), calls in 2_u32..40,
    ) {
        let gap = 1000.0 / f64::from(calls);
        let clock = tokio::runtime::Builder::new_current_thread();
        let went = { let mut it = clock; it.enable_time().start_paused(true).build() }.unwrap().block_on(async {
            play(&Bucket::new(rate(f64::from(calls))), &callers).await
        });
        for it in callers.iter().enumerate().filter(|(_, it)| it.patience.is_none()) {
            prop_assert!(went.iter().any(|(n, _)| *n == it.0), "{it:?} never went");
        }
        // Any window: between the first and the last of any calls in a row.
        for (at, (_, from)) in went.iter().enumerate() {
            for (turns, (_, until)) in went.iter().skip(at).enumerate() {
                let window = f64::from(u32::try_from(until - from).unwrap());
                let least = gap * f64::from(u32::try_from(turns).unwrap());
                prop_assert!(window + 1.0 >= least, "{turns} in {window} ms after {from}");
            }
        }
        for (at, (n, time)) in went.iter().enumerate() {
            let it = callers[*n];
            // A turn that begins as it comes was given already.
            let meanwhile = went[..at].iter().filter(|(_, then)| *then > u128::from(it.at) + 1);
            let others = meanwhile.clone().filter(|(n, _)| callers[*n].urgency > it.urgency).count();
            let equals = meanwhile.count() - others;
            prop_assert!(others <= 1 + equals / 9, "{it:?} at {time}: {others} others, {equals} equals; {went:?}");
        }
    }
}

/// Who was late does not slow those after him, and what was missed beyond that is not made good.
#[tokio::test(start_paused = true)]
async fn what_a_busy_machine_has_missed_is_lost() {
    let bucket = Bucket::new(rate(10.0));
    let start = Instant::now();
    let elapsed = || start.elapsed().as_millis();
    let stall = |millis| advance(Duration::from_millis(millis));
    let callers = async {
        let mut went = Vec::new();
        for late in [0, 30, 0, 1_000, 0, 0] {
            let ticket = Ticket::new(&bucket.pace, Urgency::Sweep);
            stall(late).await;
            ticket.turn().await;
            went.push(elapsed());
        }
        went
    };
    assert_eq!(callers.await, [0, 100, 200, 1200, 1250, 1350]);
}
