//! Markdown as its reader gets it: blocks of code, links, and what links can point at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// One file.
pub(crate) struct Page {
    /// Relative to the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<Found>,
    /// What stands between backticks in a line.
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "commands are looked for in them")
    )]
    pub(crate) spans: Vec<Found>,
    /// What `#…` may say.
    pub(crate) anchors: BTreeSet<String>,
}

/// A fenced block.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
}

/// A text, and the line it is in.
pub(crate) struct Found {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Every page that people are sent to.
pub(crate) fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(".").unwrap() {
        paths.push(entry.unwrap().path());
    }
    for folder in ["docs", "deploy", "config"] {
        walk(Path::new(folder), &mut paths);
    }
    paths.retain(|it| it.is_file() && it.extension().is_some_and(|it| it == "md"));
    paths.sort();
    paths.iter().map(|it| page(&normal(it))).collect()
}

fn walk(folder: &Path, res: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, res);
        } else {
            res.push(path);
        }
    }
}

/// Without `.` and `..`, as far as there is something to go up from.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut res = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if res.file_name().is_some() => {
                res.pop();
            }
            Component::ParentDir
            | Component::Normal(_)
            | Component::RootDir
            | Component::Prefix(_) => res.push(part),
        }
    }
    res
}

pub(crate) fn page(path: &Path) -> Page {
    read(path, std::fs::read_to_string(path).unwrap())
}

pub(crate) fn read(path: &Path, text: String) -> Page {
    let (mut blocks, mut links, mut spans) = (Vec::new(), Vec::new(), Vec::new());
    let mut headings: Vec<String> = Vec::new();
    let mut in_heading = false;
    let mut block: Option<Block> = None;
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
        let line = text[..range.start].matches('\n').count() + 1;
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                block = Some(Block { line, language: language.to_string(), text: String::new() });
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
            Event::Start(Tag::Heading { .. }) => {
                in_heading = true;
                headings.push(String::new());
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(Found { line, text: dest_url.to_string() });
            }
            Event::Text(it) if block.is_some() => block.as_mut().unwrap().text.push_str(&it),
            Event::Text(it) if in_heading => headings.last_mut().unwrap().push_str(&it),
            Event::Code(it) => {
                if in_heading {
                    headings.last_mut().unwrap().push_str(&it);
                }
                spans.push(Found { line, text: it.to_string() });
            }
            Event::Start(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    let anchors = anchors(&headings);
    Page { path: path.to_owned(), text, blocks, links, spans, anchors }
}

/// As GitHub and GitLab name headings: the second one of a name gets a number.
fn anchors(headings: &[String]) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut res = BTreeSet::new();
    for heading in headings {
        let slug = slug(heading);
        let times = seen.entry(slug.clone()).or_default();
        res.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    res
}

pub(crate) fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|it| it.is_alphanumeric() || "-_ ".contains(*it));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
