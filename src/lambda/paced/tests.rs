//! Budgets under a paused clock.

use std::sync::atomic::{AtomicUsize, Ordering};

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
        bucket.pace("GetPolicy", || async { Ok(()) }).await.unwrap();
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
    let calls = (0..50).map(|_| bucket.pace("GetPolicy", || async { Ok(()) }));
    futures::future::join_all(calls).await;
    assert_eq!(start.elapsed().as_millis(), 4900);
}

#[tokio::test(start_paused = true)]
async fn a_429_halves_the_rate_and_it_grows_back() {
    let bucket = Bucket::new(rate(10.0));
    let refused: Result<(), _> = bucket.pace("GetPolicy", || async { Err(throttled(None)) }).await;
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
            bucket.pace("GetPolicy", || async { Err(throttled(pause)) }).await;
        assert!(refused.is_err());
        assert_eq!(times(&bucket, 1).await, [7000]);
    }
}

#[tokio::test(start_paused = true)]
async fn unlimited_is_unlimited() {
    let bucket = Bucket::new(Rate::UNLIMITED);
    let n = AtomicUsize::new(0);
    for _ in 0..1000 {
        bucket.pace("GetPolicy", || async { Ok(n.fetch_add(1, Ordering::Relaxed)) }).await.unwrap();
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
