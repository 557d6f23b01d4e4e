//! What is tried again, when, and for how long.

use super::*;

/// In which seconds one message is sent to a receiver that says this.
async fn attempts(answers: &[Said], n: usize) -> (Vec<u64>, [u64; 3]) {
    let post = Fake::new(answers);
    let (notifier, metrics) = start(vec![everything()], &post);
    tell(&notifier, "f");
    let seen = post.seen(n).await;
    tokio::time::sleep(Duration::from_hours(2)).await;
    assert_eq!(post.n_seen(), n, "no attempt more");
    let first = &seen[0].1;
    assert!(seen.iter().all(|(_, body)| body == first), "it is the same message each time");
    (seen.into_iter().map(|(at, _)| at).collect(), counted(&metrics))
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_after_pauses_that_double() {
    let answers = [Said::Status(500), Said::Status(503), Said::Broken, Said::Status(408)];
    assert_eq!(attempts(&answers, 5).await, (vec![0, 1, 3, 7, 15], [1, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_says_how_long_to_wait_within_reason() {
    let answers = [Said::Later(429, 42), Said::Later(503, 86_400), Said::Later(429, 0)];
    assert_eq!(attempts(&answers, 4).await, (vec![0, 42, 342, 343], [1, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_given_up_after_its_timeout() {
    assert_eq!(attempts(&[Said::Hangs, Said::Hangs], 3).await, (vec![0, 11, 23], [1, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_tried_again() {
    for status in [301, 400, 401, 403, 404, 410, 422] {
        assert_eq!(attempts(&[Said::Status(status)], 1).await, (vec![0], [0, 1, 0]), "{status}");
    }
}

/// About twenty minutes, and then the next one has its turn.
#[tokio::test(start_paused = true)]
async fn nothing_is_tried_for_ever() {
    let n = send::AGAIN + 1;
    let post = Fake::new(&vec![Said::Status(500); n]);
    let (notifier, metrics) = start(vec![everything()], &post);
    tell(&notifier, "a");
    tell(&notifier, "b");
    let seen = post.seen(n + 1).await;
    let last = seen[n - 1].0;
    assert!((1200..1500).contains(&last), "{last}");
    assert_eq!((about(&seen[n - 1].1), about(&seen[n].1)), ("a".into(), "b".into()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counted(&metrics), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_time_and_all_have_one_id() {
    let post = Fake::new(&[Said::Status(500)]);
    let signed = Receiver { secret: Some(Kept::fixed("key")), ..everything() };
    let (notifier, _) = start(vec![signed], &post);
    tell(&notifier, "f");
    post.seen(2).await;
    let seen = post.seen.lock().unwrap();
    let header = |n: usize, name: &str| {
        let (_, request) = &seen[n];
        request.headers.iter().find(|(it, _)| *it == name).map(|(_, it)| it.clone()).unwrap()
    };
    let body: serde_json::Value = serde_json::from_str(&seen[0].1.body).unwrap();
    for n in [0, 1] {
        assert_eq!(header(n, sign::DELIVERY), body["id"].as_str().unwrap());
        let timestamp = header(n, sign::TIMESTAMP);
        assert_eq!(timestamp, "1780272000");
        let expected = sign::signature(b"key", &timestamp, &seen[n].1.body).unwrap();
        assert_eq!(header(n, sign::SIGNATURE), expected);
    }
}
