//! What the README has to have; `docs.rs` holds its files, commands and links against what there is.

use std::path::Path;

use crate::docs::markdown;

fn readme() -> String {
    std::fs::read_to_string("README.md").unwrap()
}

/// `docs.rs` reads them; here is what there has to be.
#[test]
fn the_files_in_the_readme_are_these() {
    let page = markdown::page(Path::new("README.md"));
    let blocks = page.blocks.iter().filter(|it| it.language == "yaml");
    let names: Vec<&str> = blocks.map(|it| it.text.lines().next().unwrap()).collect();
    let expected = [
        "# permissions.yaml",
        "# permissions.yaml: documents",
        "# permissions.yaml: lists",
        "# permissions.yaml: rules",
        "# permitd.yaml",
        "# permitd.yaml: notify",
        "# permitd.yaml: events",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_hold_and_trouble_is_in_the_readme() {
    let text = readme();
    for kind in permitd::drift::diff::Kind::ALL {
        assert!(text.contains(&format!("| `{}` |", kind.name())), "{}", kind.name());
    }
    for name in [
        "suspended",
        "additive",
        "inexpressible",
        "no_sid",
        "ambiguous_sid",
        "orphan_unconfirmed",
        "blocked_by_orphan",
        "too_large",
        "still_needed",
        "paused",
        "denied_risk",
        "max_revocations",
        "max_changed_targets",
        "last_allow",
        "not_judged",
        "files_settling",
        "not_approved",
        "journal_unavailable",
        "refused",
        "contended",
        "gap_open",
        "function_missing",
        "access_denied",
        "throttled",
        "unreachable",
        "bad_answer",
        "malformed_policy",
        "stale_read",
    ] {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
    for risk in permitd::policy::risk::Risk::ALL {
        assert!(text.contains(&format!("| `{risk}` |")), "{risk}");
    }
}

#[test]
fn the_demo_in_the_readme_is_the_demo() {
    let text = readme();
    let permissions = std::fs::read_to_string("config/demo/permissions/media.yaml").unwrap();
    for sid in ["s3-uploads", "sns-orders", "nightly", "old-partner"] {
        assert!(text.contains(sid) && permissions.contains(sid), "{sid}");
    }
}
