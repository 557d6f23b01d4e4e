//! Who is told what, in which order, and what happens when too much waits.

use std::io::Write;

use super::*;

#[tokio::test(start_paused = true)]
async fn one_message_for_each_pass_and_receiver() {
    let post = Fake::new(&[]);
    let held = receiver("https://held.example/", &[News::Held, News::Failed]);
    let (notifier, metrics) = start(vec![everything(), held], &post);
    pass(&notifier, &[]);
    pass(
        &notifier,
        &[edge(News::DriftFound, "f"), edge(News::Held, "g"), edge(News::BackToNormal, "h")],
    );
    pass(&notifier, &[edge(News::Repaired, "f")]);
    let mut seen = post.seen(3).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(post.n_seen(), 3);
    let events = |body: &str| {
        let message: serde_json::Value = serde_json::from_str(body).unwrap();
        let events = message["events"].as_array().unwrap().iter();
        events.map(|it| it["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    seen.sort();
    let mut told: Vec<String> = seen.iter().map(|(_, it)| events(it)).collect();
    told.sort();
    assert_eq!(told, ["drift_found held back_to_normal", "held", "repaired"]);
    assert_eq!(counted(&metrics), [3, 0, 0]);
}

/// A log that can be looked at.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    // With only one of them, tracing asks whichever thread comes to a line first whether anybody wants it.
    static OTHER: std::sync::OnceLock<tracing::Dispatch> = std::sync::OnceLock::new();
    OTHER.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::Registry::default()));
    let log = Log::default();
    let sink = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// The first one is on its way and stays; of the others the oldest go, which is told once.
#[tokio::test(start_paused = true)]
async fn too_many_make_room_for_the_newest() {
    let (log, _guard) = log();
    let post = Fake::new(&[Said::Hangs]);
    let (notifier, metrics) = start(vec![everything()], &post);
    tell(&notifier, "f0");
    post.seen(1).await;
    for n in 1..150 {
        tell(&notifier, &format!("f{n}"));
    }
    assert_eq!(counted(&metrics), [0, 0, 50]);
    let seen = post.seen(101).await;
    let functions: Vec<String> = seen.iter().map(|(_, it)| about(it)).collect();
    let newest = (51..150).map(|n| format!("f{n}"));
    let expected: Vec<String> = ["f0", "f0"].map(str::to_owned).into_iter().chain(newest).collect();
    assert_eq!(functions, expected);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counted(&metrics), [100, 0, 50]);
    assert_eq!(log.text().matches("too many notifications wait").count(), 1);
    assert!(!log.text().contains("T0PSECRET"), "{}", log.text());
    assert!(log.text().contains("https://a.example"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_keeps_nobody_else_waiting() {
    let post = Fake::new(&[Said::Hangs]);
    let (notifier, _) = start(vec![everything()], &post);
    tell(&notifier, "slow");
    post.seen(1).await;
    notifier.take_over(vec![everything(), receiver("https://b.example/", &News::ALL)]);
    let before = Instant::now();
    tell(&notifier, "quick");
    assert_eq!(before.elapsed(), Duration::ZERO);
    let seen = post.seen(2).await;
    assert_eq!((seen[1].0, about(&seen[1].1)), (0, "quick".to_owned()));
}

/// New settings: who is still there loses nothing, who left is told nothing more.
#[tokio::test(start_paused = true)]
async fn new_settings_keep_what_waits_for_the_same_receiver() {
    let post = Fake::new(&[Said::Hangs, Said::Hangs]);
    let gone = receiver("https://gone.example/", &News::ALL);
    let (notifier, metrics) = start(vec![everything(), gone], &post);
    tell(&notifier, "a");
    post.seen(2).await;
    tell(&notifier, "b");
    // It is signed from now on, and hears less.
    let signed =
        Receiver { secret: Some(Kept::fixed("key")), events: vec![News::Held], ..everything() };
    notifier.take_over(vec![receiver("https://new.example/", &News::ALL), signed]);
    assert_eq!(counted(&metrics), [0, 0, 2], "what waited for the one that left");
    tell(&notifier, "c");
    post.seen(5).await;
    let told: Vec<(String, String, bool)> = {
        let seen = post.seen.lock().unwrap();
        let later = seen.iter().skip(2);
        let signed = |it: &Request| it.headers.iter().any(|(name, _)| *name == sign::SIGNATURE);
        later.map(|(_, it)| (it.url.clone(), about(&it.body), signed(it))).collect()
    };
    let old = "https://a.example/T0PSECRET";
    assert_eq!(
        told,
        [
            ("https://new.example/".into(), "c".into(), false),
            (old.into(), "a".into(), true),
            (old.into(), "b".into(), true),
        ]
    );
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!((post.n_seen(), counted(&metrics)), (5, [3, 0, 2]));
}

/// At the end each message has one more chance, at once, and all together a few seconds.
#[tokio::test(start_paused = true)]
async fn what_is_left_is_sent_at_the_end() {
    let post = Fake::new(&[Said::Status(500), Said::Status(500), Said::Status(500)]);
    let (notifier, metrics) = start(vec![everything()], &post);
    for function in ["a", "b", "c", "d"] {
        tell(&notifier, function);
    }
    // 0, 1 and 3 seconds; the next one would be at 7.
    post.seen(3).await;
    let before = Instant::now();
    notifier.close().await;
    assert_eq!(before.elapsed(), Duration::ZERO);
    let seen = post.seen(7).await;
    let functions: Vec<String> = seen.iter().map(|(_, it)| about(it)).collect();
    assert_eq!(functions, ["a", "a", "a", "a", "b", "c", "d"]);
    assert_eq!(counted(&metrics), [4, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_nobody_is_waited_for_for_long() {
    let answers = [Said::Status(500), Said::Status(500), Said::Hangs];
    let post = Fake::new(&answers);
    let (notifier, metrics) = start(vec![everything()], &post);
    for function in ["a", "b", "c"] {
        tell(&notifier, function);
    }
    post.seen(1).await;
    let before = Instant::now();
    notifier.close().await;
    assert_eq!(before.elapsed(), LAST);
    // `a` failed at its last chance, `b` was not answered, `c` had no turn.
    assert_eq!(counted(&metrics), [0, 1, 2]);
}
