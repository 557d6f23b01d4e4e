//! The page of the rules, `config/RULES.md`, from the table of the rules.

use std::fmt::Write;

use crate::config::rules::Rule;

const HEAD: &str = "\
# The rules of `permitd check`

Every finding has one of these ids. `permitd check --deny ID,ID` makes errors of warnings, `--deny all` of every one.
Risks (P001 to P008) are accepted beside the statement, with `accept: [P004]`; nothing else can be accepted.
`--output sarif` and `--output json` carry the same texts.

<!-- Made from src/config/rules/ and src/policy/risk/texts.rs by `UPDATE_DOCS=1 cargo test check_documents`. -->

| id | severity | |
|---|---|---|
";

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut res = HEAD.to_owned();
    // Writing to a String cannot fail.
    for rule in Rule::ALL {
        let (id, severity, title) = (rule.id(), rule.severity().name(), rule.title());
        writeln!(res, "| [`{id}`](#{}) | {severity} | {title} |", id.to_ascii_lowercase())
            .unwrap_or_default();
    }
    for rule in Rule::ALL {
        let (id, title) = (rule.id(), rule.title());
        let (text, page) = (rule.explanation(), rule.reference());
        write!(res, "\n## {id}\n\n**{}**\n\n{text}\n\nSee <{page}>.\n", capital(title))
            .unwrap_or_default();
    }
    res
}

/// `A service, without a source`
fn capital(title: &str) -> String {
    let mut rest = title.chars();
    rest.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(rest).collect()
}
