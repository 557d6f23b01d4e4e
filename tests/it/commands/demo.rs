//! `permitd demo`: the first thing that anybody runs.

use super::harness::{Room, http};

#[test]
fn shows_repairs_and_keeps_repairing() {
    // Nothing is set up: no credentials, no region, no files.
    let room = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"]
        .into_iter()
        .fold(Room::new(), Room::without);
    let mut demo = room.start("demo");
    demo.says("This is what differs:");
    demo.says("Plan: ");
    demo.says("functions are as written.");
    demo.says("Ctrl-C ends the demo.");
    let start = demo.out();
    let address = start.split_once("how everything stands: ").unwrap().1.split('/').nth(2).unwrap();
    let (code, page) = http(&format!("http://{address}"), "GET", "/", "");
    assert_eq!(code, 200, "{page}");
    assert!(page.contains("thumbnail:live") && page.contains("sns-orders"), "{page}");
    for line in [
        "permitd demo: a simulated Lambda at http://127.0.0.1:",
        "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live\n",
        "changed, bridged: no gap",
        "missing; ",
        "unmanaged; anyone may invoke (*)",
        "permitd puts it right",
        "3 of 3 functions are as written.",
    ] {
        assert!(start.contains(line), "no `{line}` in\n{start}");
    }
    // Somebody takes a statement away, and it comes back.
    demo.says("  ! ");
    demo.says("sns-orders was missing; added");
    demo.signal("INT");
    assert_eq!(demo.code(), Some(0), "{}", demo.err());
    demo.says("Stopped. ");
    assert_eq!(demo.err(), "", "nothing went wrong");
    assert!(!demo.out().contains("  ? "), "{}", demo.out());
    assert!(!demo.out().contains('\u{1b}'), "no colours without a terminal");
}
