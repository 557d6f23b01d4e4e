//! The README's files are read as a user's would be, and its commands exist.

use permitd::config::diagnostic::{File, Files, render_all};
use permitd::config::resolve::{Context, resolve};
use permitd::config::{permissions, settings};

fn readme() -> String {
    std::fs::read_to_string("README.md").unwrap()
}

/// The `yaml` blocks, each with its first line as its name.
fn blocks() -> Vec<(String, String)> {
    let text = readme();
    let blocks = text.split("```yaml\n").skip(1).filter_map(|it| it.split("```").next());
    blocks.map(|it| (it.lines().next().unwrap().to_owned(), it.to_owned())).collect()
}

#[test]
fn the_files_in_the_readme_are_good() {
    let mut names = Vec::new();
    for (name, text) in blocks() {
        let file = File::new("README.md", text);
        let found = if name.starts_with("# permitd.yaml") {
            settings::parse(&file).err()
        } else {
            let files = Files { files: vec![file], diagnostics: Vec::new() };
            resolve(permissions::parse(&files), &Context::default()).err()
        };
        assert!(found.is_none(), "{}", render_all(&found.unwrap(), false));
        names.push(name);
    }
    let expected = [
        "# permissions.yaml",
        "# permissions.yaml: documents",
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
