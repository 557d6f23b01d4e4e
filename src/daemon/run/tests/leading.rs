//! Acting in turns: what a standby leaves alone, what a leader takes up, and what one that loses the lease ends.

use super::*;
use crate::lambda::paced::{Budgets, Paced};

async fn in_turns<F: Future<Output = ()>>(
    simulator: &Simulator,
    monitor: &Monitor,
    tenure: &Tenure,
    next: Vec<Loaded>,
    story: impl FnOnce(mpsc::UnboundedSender<Call>) -> F,
) {
    let gateway = Paced::new(simulator.direct(), Budgets::UNLIMITED).under(tenure.clone());
    let (scribe, mind) = (Scribe::nobody(), Mind::default());
    let stop = CancellationToken::new();
    let daemon = Daemon {
        gateway: &gateway,
        clock,
        scribe: &scribe,
        mind: &mind,
        stop: &stop,
        monitor,
        systemd: &Systemd::default(),
        tenure: Some(tenure),
    };
    let (caller, mut orders) = mpsc::unbounded_channel();
    let next = RefCell::new(next.into_iter());
    let reload = async || next.borrow_mut().next().ok_or_else(|| "p.yaml:1:1: bad".to_owned());
    let next_call = async || match orders.recv().await {
        Some(it) => it,
        None => std::future::pending().await,
    };
    let story = async {
        story(caller).await;
        stop.cancel();
    };
    tokio::join!(Box::pin(run(&daemon, loaded(TWO), reload, next_call, None)), story);
}

#[expect(clippy::unnecessary_wraps, reason = "as a tenure takes it")]
fn from_now(seconds: f64) -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs_f64(seconds))
}

/// Nothing but `TWO` is to be added to `f` and `g`.
fn empty() -> Simulator {
    simulator(&json!([function("f", &[]), function("g", &[])]))
}

#[tokio::test(start_paused = true)]
async fn a_standby_asks_lambda_nothing_and_a_leader_looks_at_once() {
    let (simulator, monitor, tenure) = (two_in_sync(), Monitor::default(), Tenure::default());
    let next = vec![loaded(&TWO.replace("arn:aws:s3:::a", "arn:aws:s3:::b"))];
    in_turns(&simulator, &monitor, &tenure, next, async |calls_in| {
        sleep(7200.0).await;
        assert_eq!(calls(&simulator), Vec::<String>::new());
        assert!(monitor.is_alive());
        // Its files are loaded all the same, and orders are for the other one.
        calls_in.send(Call::Files(HANGUP)).unwrap();
        sleep(1.0).await;
        assert_eq!(
            monitor.board.view().config.loaded_at,
            Some(clock() - SignedDuration::from_secs(1))
        );
        let (back, said) = oneshot::channel();
        calls_in.send(Call::Pass(back)).unwrap();
        let said = said.await.unwrap().unwrap_err();
        assert_eq!(said, "this permitd stands by and does nothing; nobody is known to lead");
        assert_eq!(calls(&simulator), Vec::<String>::new());
        tenure.set(from_now(1e6));
        sleep(1.0).await;
        let calls = calls(&simulator);
        assert!(calls.contains(&"GetPolicy f".to_owned()) && calls.len() > 2, "{calls:?}");
        assert_eq!(text(&simulator).matches("arn:aws:s3:::b").count(), 2, "of the new files");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_loses_it_ends_its_passes_and_stands_by_and_takes_up_again() {
    let (simulator, monitor, tenure) = (two_in_sync(), Monitor::default(), Tenure::default());
    tenure.set(from_now(1e6));
    in_turns(&simulator, &monitor, &tenure, Vec::new(), async |_| {
        sleep(1.0).await;
        assert_eq!(calls(&simulator).len(), 2);
        assert!(monitor.board.view().targets.iter().all(|it| it.last_read.is_some()));
        tenure.set(None);
        sleep(7200.0).await;
        assert_eq!(calls(&simulator), Vec::<String>::new());
        let view = monitor.board.view();
        assert!(view.targets.iter().all(|it| it.last_read.is_none()), "what it saw is old");
        assert!(view.targets.len() == 2 && view.places.is_empty());
        tenure.set(from_now(1e6));
        sleep(1.0).await;
        assert_eq!(calls(&simulator), ["GetPolicy f", "GetPolicy g"]);
    })
    .await;
}

/// The term of a leader that hears nothing from the API server just ends.
#[tokio::test(start_paused = true)]
async fn no_write_starts_that_may_take_longer_than_the_term() {
    let (simulator, monitor, tenure) = (empty(), Monitor::default(), Tenure::default());
    tenure.set(from_now(4.9));
    in_turns(&simulator, &monitor, &tenure, Vec::new(), async |_| {
        sleep(30.0).await;
        let reads = calls(&simulator);
        assert!(reads.iter().all(|it| it.starts_with("Get")) && reads.len() >= 2, "{reads:?}");
        assert_eq!(text(&simulator).matches("arn:aws:s3:::a").count(), 0);
        // Nobody says that Lambda could not be reached.
        assert!(monitor.board.view().targets.iter().all(|it| it.outcome.is_none()));
        tenure.set(from_now(5.1));
        sleep(3.0).await;
        assert_eq!(text(&simulator).matches("arn:aws:s3:::a").count(), 2);
    })
    .await;
}

/// A write that hangs is given up when its time is over, and that is before the term is.
#[tokio::test(start_paused = true)]
async fn a_write_under_way_ends_within_the_term() {
    let (simulator, monitor, tenure) = (empty(), Monitor::default(), Tenure::default());
    let slow = json!({"faults": [
        {"operation": "AddPermission", "kind": "delay", "delay_ms": 3_600_000, "times": "forever"}
    ]});
    simulator.put_faults(serde_json::from_value(slow).unwrap()).unwrap();
    tenure.set(from_now(6.0));
    in_turns(&simulator, &monitor, &tenure, Vec::new(), async |_| {
        sleep(5.9).await;
        let before = calls(&simulator);
        assert!(before.contains(&"AddPermission f".to_owned()), "{before:?}");
        sleep(600.0).await;
        let after = calls(&simulator);
        assert!(!after.iter().any(|it| it.starts_with("Add")), "{after:?}");
    })
    .await;
}
