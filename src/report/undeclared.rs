//! Policies that no file names, in every form of the report.

use std::fmt::Write;

use maud::{Markup, html};
use schemars::JsonSchema;
use serde::Serialize;

use crate::drift::undeclared::Undeclared;
use crate::policy::risk::Risk;
use crate::report::{
    markdown::code,
    palette::{Look, bold, safe},
    sums::count,
    wrap::wrap,
};

/// Of so many a comment tells one by one.
const IN_A_COMMENT: usize = 20;

/// A policy that no file names: told, never changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UndeclaredReport {
    /// The full ARN, with the qualifier.
    pub(crate) arn: String,
    /// How many statements it has.
    pub(crate) statements: usize,
    /// What is risky about them.
    pub(crate) risks: Vec<RisksOfStatement>,
    /// When it was read, RFC 3339.
    pub(crate) read_at: String,
}

/// A statement and its risks.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RisksOfStatement {
    /// None where it has none.
    pub(crate) sid: Option<String>,
    /// P001 to P008.
    pub(crate) risks: Vec<&'static str>,
}

/// For programs.
pub(crate) fn json(undeclared: &[Undeclared]) -> Vec<UndeclaredReport> {
    let risks = |(sid, risks): &(Option<String>, Vec<Risk>)| RisksOfStatement {
        sid: sid.clone(),
        risks: risks.iter().map(|it| it.code()).collect(),
    };
    let report = |it: &Undeclared| UndeclaredReport {
        arn: it.target.arn(),
        statements: it.n_statements,
        risks: it.risks.iter().map(risks).collect(),
        read_at: it.read_at.to_string(),
    };
    undeclared.iter().map(report).collect()
}

/// `3 policies undeclared: in no file, and left alone.`
fn sum(undeclared: &[Undeclared]) -> String {
    let n = undeclared.len();
    let policies = if n == 1 { "1 policy".to_owned() } else { format!("{n} policies") };
    format!("{policies} undeclared: in no file, and left alone.")
}

/// `2 statements; open: P002, anyone, without a condition`
fn line(it: &Undeclared) -> String {
    let mut res = count(it.n_statements, "statement");
    for (sid, risks) in &it.risks {
        let sid = safe(sid.as_deref().unwrap_or("(no Sid)"));
        let risks: Vec<String> = risks.iter().map(|it| format!("{it} {}", it.title())).collect();
        // Writing to a String cannot fail.
        write!(res, "; {sid}: {}", risks.join(", ")).unwrap_or_default();
    }
    res
}

/// For a terminal; empty where there is none.
pub fn text(undeclared: &[Undeclared], look: Look) -> String {
    if undeclared.is_empty() {
        return String::new();
    }
    let mut res = format!("\n{}\n", bold(&sum(undeclared), look.color));
    for it in undeclared {
        for line in [wrap(&it.target.arn(), 0, look), wrap(&format!("  {}", line(it)), 4, look)] {
            res.push_str(&line);
            res.push('\n');
        }
    }
    res
}

/// For a comment; empty where there is none.
pub fn markdown(undeclared: &[Undeclared]) -> String {
    if undeclared.is_empty() {
        return String::new();
    }
    let mut res = format!("\n<details><summary>{}</summary>\n\n", sum(undeclared));
    for it in undeclared.iter().take(IN_A_COMMENT) {
        writeln!(res, "- {}: {}", code(&it.target.arn(), 200), code(&line(it), 300))
            .unwrap_or_default();
    }
    if let Some(more) = undeclared.len().checked_sub(IN_A_COMMENT).filter(|it| *it > 0) {
        writeln!(res, "- and {more} more").unwrap_or_default();
    }
    res.push_str("\n</details>\n");
    res
}

/// Of so many a page tells one by one.
const ON_A_PAGE: usize = 200;

/// For a page; nothing where there is none.
pub fn markup(undeclared: &[Undeclared]) -> Markup {
    html! {
        @if !undeclared.is_empty() {
            section aria-labelledby="undeclared" {
                h2 #undeclared tabindex="-1" { "Undeclared" }
                p { (sum(undeclared)) }
                ul {
                    @for it in undeclared.iter().take(ON_A_PAGE) {
                        li { code { (it.target.arn()) } ": " (line(it)) }
                    }
                    @if undeclared.len() > ON_A_PAGE {
                        li { "and " (undeclared.len() - ON_A_PAGE) " more" }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::policy::{
        document::Document,
        target::{Defaults, Target},
    };

    fn some() -> Vec<Undeclared> {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
        let target = Target::parse(arn, None, &Defaults::default()).unwrap();
        let statement = |sid: &str, principal: &str| {
            format!(
                r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{principal},"Action":"lambda:InvokeFunction","Resource":"{arn}"}}"#
            )
        };
        let account = statement("b", r#"{"AWS":"arn:aws:iam::210987654321:role/x"}"#);
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{},{account}]}}"#,
            statement("open", "\"*\"")
        );
        let live = Document::parse(text, "1".to_owned(), &target).unwrap();
        vec![Undeclared::of(&target, &live, Timestamp::UNIX_EPOCH)]
    }

    #[test]
    fn each_form_names_the_policy_and_its_risks() {
        let some = some();
        let expected = "\n1 policy undeclared: in no file, and left alone.\n\
            arn:aws:lambda:us-east-1:123456789012:function:f:live\n  \
            2 statements; open: P002 anyone, without a condition\n";
        assert_eq!(text(&some, Look::PLAIN), expected);
        assert!(markdown(&some).contains("function:f:live"), "{}", markdown(&some));
        assert!(markup(&some).into_string().contains("P002 anyone"));
        let json = serde_json::to_value(json(&some)).unwrap();
        assert_eq!(json[0]["risks"], serde_json::json!([{"sid": "open", "risks": ["P002"]}]));
        assert_eq!(json[0]["read_at"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn none_is_not_told() {
        assert_eq!(text(&[], Look::PLAIN) + &markdown(&[]) + &markup(&[]).into_string(), "");
    }
}
