//! What the watchdog and `/livez` hear while something takes long.

use super::*;

/// A write that takes long is finished, and meanwhile the watchdog and `/livez` hear that the loop is alive; but not
/// for ever, for what never ends is stuck.
#[tokio::test(start_paused = true)]
async fn who_finishes_a_slow_write_is_alive() {
    let simulator = simulator(&json!([function("f", &[]), function("g", &[])]));
    let slow = json!({"faults": [
        {"operation": "AddPermission", "kind": "delay", "delay_ms": 3_600_000, "times": "forever"}
    ]});
    simulator.put_faults(serde_json::from_value(slow).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let heard = || {
        let mut bytes = [0; 1000];
        let mut res = String::new();
        while let Ok(n) = socket.recv(&mut bytes) {
            res += &String::from_utf8_lossy(&bytes[..n]);
        }
        res
    };
    let systemd = Systemd::new(Some(path.as_os_str()), Some(Duration::from_secs(30)));
    let gateway = simulator.direct();
    let (scribe, mind, monitor) = (Scribe::nobody(), Mind::default(), Monitor::default());
    let stop = CancellationToken::new();
    let daemon = Daemon::<Direct> {
        gateway: &gateway,
        clock,
        scribe: &scribe,
        mind: &mind,
        stop: &stop,
        monitor: &monitor,
        systemd: &systemd,
        tenure: None,
    };
    let story = async {
        sleep(5.0).await;
        assert!(heard().starts_with("READY=1\nSTATUS=2 targets, enforce"));
        stop.cancel();
        sleep(1.0).await;
        assert!(heard().contains("STOPPING=1\n"));
        for _ in 0..80 {
            sleep(11.0).await;
            assert!(monitor.is_alive());
            let heard = heard();
            assert!(heard.contains("WATCHDOG=1\nEXTEND_TIMEOUT_USEC="), "{heard}");
        }
        sleep(90.0).await;
        heard();
        sleep(60.0).await;
        assert!(!monitor.is_alive());
        assert_eq!(heard(), "");
    };
    let never = async || std::future::pending().await;
    let reload = async || Err("no".to_owned());
    tokio::join!(run(&daemon, loaded(TWO), reload, never, None), story);
    assert_eq!(text(&simulator).matches("arn:aws:s3:::a").count(), 2, "{}", text(&simulator));
}
