//! Where the log goes.

use super::*;

#[test]
fn the_journal_is_taken_where_stderr_goes_there_and_nothing_else_was_asked_for() {
    let here = Some((8, 17));
    assert_eq!(form(None, Some("8:17"), here), Form::Journal);
    assert_eq!(form(None, None, here), Form::Text);
    // Somebody redirected stderr of a child.
    assert_eq!(form(None, Some("8:18"), here), Form::Text);
    assert_eq!(form(None, Some("9:17"), here), Form::Text);
    for broken in ["", "8", "8:", ":17", "8:17:1", "a:b"] {
        assert_eq!(form(None, Some(broken), here), Form::Text, "{broken}");
        assert_eq!(form(None, Some(broken), None), Form::Text, "{broken}");
    }
    assert_eq!(form(None, Some("8:17"), None), Form::Text);
    assert_eq!(form(Some(LogFormat::Json), Some("8:17"), here), Form::Json);
    assert_eq!(form(Some(LogFormat::Text), Some("8:17"), here), Form::Text);
}

#[test]
fn stderr_is_something() {
    assert!(stderr().is_some());
}

#[test]
fn only_permitd_is_permitd() {
    assert!(is_ours("permitd") && is_ours("permitd::daemon::run"));
    assert!(!is_ours("permitdx") && !is_ours("aws_sigv4::http_request::sign"));
}

#[test]
fn filters_say_modules_and_levels() {
    let logs =
        |text: &str, module: &str, level| filter(text).map(|it| it.would_enable(module, level));
    assert_eq!(logs("permitd=debug,warn", "permitd::cli", &Level::DEBUG), Ok(true));
    assert_eq!(logs("permitd=debug,warn", "hyper", &Level::INFO), Ok(false));
    assert_eq!(logs("permitd=debug,warn", "hyper", &Level::WARN), Ok(true));
    assert_eq!(logs("hyper", "hyper::client", &Level::TRACE), Ok(true));
    assert_eq!(logs("permitd=off", "permitd", &Level::ERROR), Ok(false));
    for wrong in ["", "=", "permitd=", "=debug", "permitd=debug,", "permitd=loud"] {
        assert!(filter(wrong).is_err(), "{wrong}");
    }
}
