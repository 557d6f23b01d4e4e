//! The HTML report in a real browser. Asked for by the environment.

use std::{path::Path, process::Command};

use permitd::report::{Subject, html};

use crate::report_cases::cases;

/// Needs Chromium (`CHROMIUM`, else `/usr/bin/chromium`) and a Python with `tests/browser/requirements.txt`
/// (`PERMITD_TEST_PYTHON`, else `python3`). The screenshots are in `target/screenshots/`.
#[test]
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn the_html_report_works_in_a_browser() {
    if std::env::var("PERMITD_TEST_CHROMIUM").as_deref() != Ok("1") {
        println!("SKIPPED: set PERMITD_TEST_CHROMIUM=1");
        return;
    }
    let pages = Path::new("target/pages");
    std::fs::create_dir_all(pages).unwrap();
    let case = |name: &str| {
        let case = cases::all().into_iter().find(|it| it.name == name).unwrap();
        case.outcomes
    };
    for (name, outcomes) in [
        ("mixed", cases::mixed()),
        ("hostile", case("hostile")),
        ("in_sync", case("in_sync")),
        ("large", cases::in_sync(10_000)),
    ] {
        let page = html::report(&outcomes, Subject::Plan, cases::now());
        std::fs::write(pages.join(format!("{name}.html")), page).unwrap();
    }
    let python = std::env::var("PERMITD_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "tests/browser/report.py";
    let mut command = Command::new(python);
    let output = command.args([script, "target/pages", "target/screenshots"]).output().unwrap();
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    println!("{}", text(&output.stdout));
    assert!(
        output.status.success(),
        "{script}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}
