//! Where a part of a file stands that `serde_json` lent out.

use std::sync::Arc;

use crate::config::diagnostic::{File, Place, Span};

/// A file with its lines counted once.
#[derive(Debug)]
pub(super) struct Places<'a> {
    pub file: &'a Arc<File>,
    /// The first byte of each line.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn new(file: &'a Arc<File>) -> Self {
        let ends = file.text.bytes().enumerate().filter(|(_, it)| *it == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { file, lines }
    }

    /// The place of a text that is borrowed from the file; the first line of it, if it has more.
    pub(super) fn of(&self, part: &str) -> Place {
        let start = part.as_ptr().addr().saturating_sub(self.file.text.as_ptr().addr());
        let first = part.lines().next().unwrap_or_default();
        self.at(start, first.len())
    }

    /// A place as `serde_json` names it: lines from 1, and how many bytes of the line were read.
    pub(super) fn point(&self, line: usize, n_bytes: usize) -> Place {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let mut at = (start + n_bytes.saturating_sub(1)).min(self.file.text.len());
        while !self.file.text.is_char_boundary(at) {
            at -= 1;
        }
        self.at(at, 0)
    }

    fn at(&self, start: usize, length: usize) -> Place {
        let line = self.lines.partition_point(|it| *it <= start);
        let line_start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.file.text.get(line_start..start).unwrap_or_default();
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let span = Span {
            start: number(start),
            end: number(start + length),
            line: number(line),
            column: number(before.chars().count() + 1),
        };
        Place::at(self.file, span)
    }
}
