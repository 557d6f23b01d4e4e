//! The README's way to verify a message, in another language, over a message of a daemon.

use std::io::Write;

use permitd::observe::notify::sign;

use super::{lambda, receiver::Receiver, room};
use crate::commands::harness::account;

const CHECK: &str = "
import json, sys
key, head, body = sys.argv[1].encode(), json.loads(sys.argv[2]), sys.argv[3].encode()
assert is_genuine(key, head, body)
assert not is_genuine(b'other', head, body)
assert not is_genuine(key, head, body + b' ')
assert not is_genuine(key, {**head, 'X-Permitd-Timestamp': '1780272000'}, body)
print('genuine')
";

#[test]
fn the_readme_tells_how_to_verify_a_message() {
    let lambda = lambda(&[account("rogue", "210987654321")]);
    let hook = Receiver::new(&[]);
    let notify = format!("[{{url: '{}/', secret_env: HOOK_KEY}}]", hook.url);
    let room = room(&lambda, &notify).with("HOOK_KEY", "ein Schlüssel");
    let readme = std::fs::read_to_string("README.md").unwrap();
    let block = readme.split("```python\n").nth(1).and_then(|it| it.split("```").next()).unwrap();
    room.write("verify.py", &format!("{block}{CHECK}"));
    if !room.command("python3").arg("--version").output().is_ok_and(|it| it.status.success()) {
        writeln!(std::io::stderr(), "SKIPPED: no python3").unwrap();
        return;
    }
    let mut daemon = room.start("run");
    let got = hook.got(1).remove(0);
    let head = serde_json::json!({
        "X-Permitd-Timestamp": got.header(sign::TIMESTAMP),
        "X-Permitd-Signature-256": got.header(sign::SIGNATURE),
    });
    let words = ["verify.py", "ein Schlüssel", &head.to_string(), &got.body];
    let output = room.command("python3").args(words).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "genuine\n", "{output:?}");
    daemon.stops();
}
