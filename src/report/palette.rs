//! Symbols and colours, and what makes a foreign text safe for a terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

/// Something is added.
pub const ADD: Mark = Mark { symbol: '+', color: AnsiColor::Green };
/// Something is replaced.
pub const CHANGE: Mark = Mark { symbol: '~', color: AnsiColor::Yellow };
/// Something is taken away.
pub const REMOVE: Mark = Mark { symbol: '-', color: AnsiColor::Red };
/// Something is wanted and not done.
pub const HELD: Mark = Mark { symbol: '!', color: AnsiColor::Magenta };
/// Nobody knows.
pub const UNKNOWN: Mark = Mark { symbol: '?', color: AnsiColor::Red };

/// What a terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// It has colours.
    pub color: bool,
    /// Its columns; none for what is no terminal, where no line is broken.
    pub width: Option<usize>,
}

impl Look {
    /// For a file or a pipe.
    pub const PLAIN: Self = Self { color: false, width: None };
}

/// A symbol that also tells by itself, and its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// One character.
    pub symbol: char,
    color: AnsiColor,
}

impl Mark {
    /// A text in the colour of the mark, with the escapes of a terminal; without colour just the text.
    pub fn paint(self, text: &str, color: bool) -> String {
        let style = Style::new().fg_color(Some(self.color.into()));
        if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A heading.
pub fn bold(text: &str, color: bool) -> String {
    let style = Style::new().bold();
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// What somebody else wrote, with everything escaped that a terminal would obey or that could change the
/// order in which a text is read.
pub fn safe(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for it in text.chars() {
        if it.is_control() || is_unseen(it) {
            // Writing to a String cannot fail.
            write!(res, "{}", it.escape_unicode()).unwrap_or_default();
        } else {
            res.push(it);
        }
    }
    res
}

/// It is not seen, ends a line, or changes the order in which its neighbours are read.
fn is_unseen(it: char) -> bool {
    matches!(
        it,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}
