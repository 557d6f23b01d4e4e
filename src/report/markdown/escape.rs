//! What AWS or a file gave, made safe for Markdown as GitHub and GitLab read it.
//!
//! Mentions (`@team`), references (`#12`) and bare addresses are found after the Markdown was read, so a backslash
//! does not help against them: everything foreign stands in code, where nothing of that is looked for.

use crate::report::palette::safe;

/// As a code span, cut after so many characters.
pub(in crate::report) fn code(text: &str, most: usize) -> String {
    let text = cut(&safe(text), most);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // One space at each end is taken away again by whoever reads it.
    let touches = |it: char| it == '`' || it == ' ';
    let pad = if text.starts_with(touches) || text.ends_with(touches) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// As a block of code of so many lines, whose lines are safe and cut already.
pub(super) fn block(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|it| longest_run(it)).max().unwrap_or_default();
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// As text inside an HTML tag.
pub(super) fn html(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for it in safe(text).chars() {
        match it {
            '&' => res.push_str("&amp;"),
            '<' => res.push_str("&lt;"),
            '>' => res.push_str("&gt;"),
            '"' => res.push_str("&quot;"),
            it => res.push(it),
        }
    }
    res
}

/// The first so many characters, and how many there are besides.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => {
            let (head, tail) = text.split_at(at);
            format!("{head}… ({} more characters)", tail.chars().count())
        }
    }
}

fn longest_run(text: &str) -> usize {
    let (mut run, mut longest) = (0, 0);
    for it in text.chars() {
        run = if it == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
