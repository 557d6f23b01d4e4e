//! From a place that the domain kept back to the text that stands there.

use std::{collections::BTreeMap, sync::Arc};

use crate::config::diagnostic::{File, Files, Place, Span};
use crate::policy::source::Source;

/// Finds in the texts what the domain kept of a place. Made once for all warnings: a file may have
/// thousands of them and megabytes.
pub(super) struct Places<'f> {
    files: BTreeMap<&'f str, (&'f Arc<File>, Vec<usize>)>,
}

impl<'f> Places<'f> {
    pub(super) fn of(files: &'f Files) -> Self {
        let entry = |it: &'f Arc<File>| (it.name.as_ref(), (it, line_starts(&it.text)));
        Self { files: files.files.iter().map(entry).collect() }
    }

    /// The first line of what stands at a source.
    pub(super) fn place_of(&self, source: &Source) -> Place {
        let Some((file, starts)) = self.files.get(source.file.as_ref()) else {
            return Place::whole(&File::new(Arc::clone(&source.file), String::new()));
        };
        let line =
            starts.get((source.line as usize).saturating_sub(1)).copied().unwrap_or_default();
        let rest = file.text.get(line..).unwrap_or_default();
        let rest = rest.split(['\n', '\r']).next().unwrap_or_default();
        let before: usize =
            rest.chars().take((source.column as usize).saturating_sub(1)).map(char::len_utf8).sum();
        let start = line + before;
        let length = extent(rest.get(before..).unwrap_or_default());
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let (start, end) = (number(start), number(start + length));
        Place::at(file, Span { start, end, line: source.line, column: source.column })
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, it)| match **it {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

/// How much to underline: a map in braces up to its end, anything else up to the end of its line.
fn extent(line: &str) -> usize {
    let mut open = 0_usize;
    for (at, it) in line.char_indices() {
        match it {
            '{' => open += 1,
            '}' if open == 1 && line.starts_with('{') => return at + 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    line.trim_end().len()
}
