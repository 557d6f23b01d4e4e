//! Any text as YAML comments: it cannot end the comment, hide from who reads the file, or speak to a terminal.

use std::fmt::Write;

/// Each line behind a `#`. What would end the comment, or is not to be seen, stands as JSON's escape for it, so
/// that JSON stays JSON of the same meaning.
pub fn comment(text: &str) -> String {
    let mut res = String::new();
    for line in text.lines() {
        res += "# ";
        for letter in line.chars() {
            if letter != '\t' && is_hidden(letter) {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    write!(res, "\\u{unit:04x}").unwrap_or_default();
                }
            } else {
                res.push(letter);
            }
        }
        res.truncate(res.trim_end_matches(' ').len());
        res.push('\n');
    }
    res
}

/// JSON in one line. Lines end between its tokens only, for in a string the end of a line is escaped.
pub fn on_one_line(json: &str) -> String {
    let lines = json.split(['\n', '\r']).map(str::trim).filter(|it| !it.is_empty());
    let lines: Vec<&str> = lines.collect();
    lines.join(" ")
}

/// Controls, what turns the direction of a text, what has no width, and what YAML does not take.
fn is_hidden(it: char) -> bool {
    it.is_control()
        || matches!(it,
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}
