//! Minutes that come, are empty, and go.

use super::*;

#[tokio::test(start_paused = true)]
async fn minutes_come_and_go() {
    let usage = Usage::default();
    usage.called("get_policy", false);
    usage.called("control", true);
    usage.waited("control", Duration::from_millis(1500));
    tokio::time::advance(Duration::from_mins(2)).await;
    usage.called("get_policy", false);
    let minutes = usage.minutes();
    let numbers: Vec<u64> = minutes.iter().map(|it| it.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
    let first = minutes.first().copied().unwrap_or_default();
    assert_eq!(first.of("get_policy"), Used { calls: 1, ..Used::default() });
    let control = Used { calls: 1, throttles: 1, waited_seconds: 1.5 };
    assert_eq!(first.of("control"), control);
    tokio::time::advance(Duration::from_hours(5)).await;
    let minutes = usage.minutes();
    assert_eq!(minutes.len(), KEPT);
    assert_eq!(minutes.last().map(|it| it.number), Some(302));
    assert!(minutes.iter().all(|it| it.of("get_policy").calls == 0));
}
