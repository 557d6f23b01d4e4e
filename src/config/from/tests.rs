//! What was found, drawn as lines: `+` is taken, `-` is left, `?` is a note.

use std::fmt::Write as _;

use super::*;
use crate::config::diagnostic::{Diagnostic, render_all};
use crate::policy::grant::Draft;

/// For tests of the parsers.
pub(super) fn draw(found: &Found) -> String {
    let mut res = String::new();
    for Declared { address, function, grant, sid_is_made_up } in &found.permissions {
        let FunctionRef { account, region, name: _, qualifier: _ } = function;
        let place = [account, region].map(|it| it.as_deref().unwrap_or("-")).join("/");
        let sid = if *sid_is_made_up { "made up" } else { &grant.sid };
        let name = function.short_name();
        write!(res, "+ {address} {}: {place} {name} {sid}:", grant.source.line).unwrap();
        let Draft {
            sid: _,
            principal,
            action,
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type,
            invoked_via_function_url,
        } = grant.terms.plain().unwrap().draft(&grant.sid);
        write!(res, " {principal} {}", action.unwrap_or_default()).unwrap();
        let conditions = [
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type,
            invoked_via_function_url.map(|_| "via_url"),
        ];
        for it in conditions.into_iter().flatten() {
            write!(res, " {it}").unwrap();
        }
        res += "\n";
    }
    for (mark, remarks) in [("-", &found.left), ("?", &found.notes)] {
        for Remark { address, source, text } in remarks {
            writeln!(res, "{mark} {address} {}: {text}", source.line).unwrap();
        }
    }
    res
}

#[track_caller]
pub(super) fn check_found(found: &Found, expected: &str) {
    let drawn = draw(found);
    assert_eq!(drawn.trim_end(), expected.trim(), "it is:\n{drawn}");
}

/// What a refused file says, without the help for places.
#[track_caller]
pub(super) fn check_refused(diagnostics: &[Diagnostic], expected: &str) {
    let drawn = render_all(diagnostics, false);
    let lines: Vec<&str> = drawn
        .lines()
        .map(str::trim)
        .filter(|it| it.starts_with("error") || it.starts_with("-->") || it.starts_with("help"))
        .collect();
    let drawn = lines.join("\n");
    assert_eq!(drawn.trim_end(), expected.trim(), "it is:\n{drawn}");
}

fn declared(address: &str, account: Option<&str>, name: &str, sid: &str) -> Declared {
    let defaults = Defaults { account: account.map(str::to_owned), region: None };
    let draft = Draft { sid, principal: "s3.amazonaws.com", ..Draft::default() };
    let source = Source { file: "a".into(), line: 7, column: 1 };
    let (function, grant) = check(name, None, &defaults, &draft, source).unwrap();
    Declared { address: address.to_owned(), function, grant, sid_is_made_up: false }
}

#[test]
fn one_sid_of_one_policy_is_taken_once() {
    let of = |permissions| Found { permissions, ..Found::default() };
    let found = Found::merge([
        of(vec![declared("one", None, "f", "s"), declared("other", None, "f:live", "s")]),
        of(vec![declared("again", None, "f", "s"), declared("more", None, "f", "t")]),
        of(vec![declared("elsewhere", Some("123456789012"), "f", "s")]),
    ]);
    check_found(
        &found,
        "+ one 7: -/- f s: s3.amazonaws.com lambda:InvokeFunction
+ other 7: -/- f:live s: s3.amazonaws.com lambda:InvokeFunction
+ more 7: -/- f t: s3.amazonaws.com lambda:InvokeFunction
+ elsewhere 7: 123456789012/- f s: s3.amazonaws.com lambda:InvokeFunction
- again 7: the sid `s` of f was taken from one (a:7:1) already",
    );
}

#[test]
fn every_way_to_name_a_function_tells_what_it_tells() {
    let of = |name: &str, qualifier: Option<&str>| {
        let draft = Draft { sid: "s", principal: "*", ..Draft::default() };
        let source = Source { file: "a".into(), line: 1, column: 1 };
        let (it, _) = check(name, qualifier, &Defaults::default(), &draft, source).unwrap();
        let FunctionRef { account, region, .. } = &it;
        format!("{account:?} {region:?} {}", it.short_name())
    };
    assert_eq!(of("f", None), "None None f");
    assert_eq!(of("f:live", None), "None None f:live");
    assert_eq!(of("f", Some("1")), "None None f:1");
    assert_eq!(of("123456789012:function:f", None), "Some(\"123456789012\") None f");
    // The account that stands in for one that nobody knows may also be meant.
    assert_eq!(of("000000000000:function:f", None), "Some(\"000000000000\") None f");
    assert_eq!(
        of("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live", Some("live")),
        "Some(\"123456789012\") Some(\"cn-north-1\") f:live"
    );
}

#[test]
fn everything_that_is_wrong_is_told() {
    let draft = Draft {
        sid: "x-permitd-01234567",
        principal: "s4",
        source_arn: Some("uploads"),
        ..Draft::default()
    };
    let source = Source { file: "a".into(), line: 1, column: 1 };
    let problems = check("f:$LATEST", None, &Defaults::default(), &draft, source).unwrap_err();
    let starts =
        ["`$LATEST` cannot", "the sid `x-permitd-01234567`", "`s4` is not", "`uploads` is"];
    assert_eq!(problems.len(), starts.len(), "{problems:?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
}
