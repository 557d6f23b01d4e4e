//! Whether a report is well-formed, as somebody else's readers see it: a JSON Schema validator, a Markdown renderer,
//! the parser of browsers.

use std::sync::LazyLock;

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink};
use jsonschema::Validator;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use permitd::drift::outcome::Outcome;
use permitd::report::{Subject, html, json, markdown};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

/// JSON, Markdown and HTML of these outcomes are what they say they are.
#[track_caller]
pub(crate) fn well_formed(outcomes: &[Outcome], subject: Subject, what: &str) {
    let report: Value = serde_json::from_str(&json::report(outcomes, subject))
        .unwrap_or_else(|it| panic!("{what}: {it}"));
    assert_eq!(schema_errors(&report), Vec::<String>::new(), "{what}");
    let text = markdown::report(outcomes, subject);
    assert!(text.len() <= markdown::MAX, "{what}: {} bytes", text.len());
    let comment = Comment::read(&text);
    assert_eq!(comment.strange, Vec::<String>::new(), "{what}: {text}");
    let page = Page::read(&html::report(outcomes, subject, super::cases::now()));
    assert_eq!(page.strange, Vec::<String>::new(), "{what}");
}

/// What the published schema has against it.
pub(crate) fn schema_errors(report: &Value) -> Vec<String> {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let schema = json::schema();
        jsonschema::meta::validate(&schema).unwrap();
        jsonschema::draft202012::new(&schema).unwrap()
    });
    SCHEMA.iter_errors(report).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

/// A rendered comment.
#[derive(Debug, Default)]
pub(crate) struct Comment {
    /// What stands in code.
    pub(crate) code: String,
    /// What stands in text, where mentions and references count.
    pub(crate) text: String,
    /// What may not be in one.
    pub(crate) strange: Vec<String>,
}

impl Comment {
    pub(crate) fn read(text: &str) -> Self {
        let mut res = Self::default();
        let mut in_code = false;
        for event in Parser::new_ext(text, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
            match event {
                Event::Code(it) => {
                    res.code.push_str(&it);
                    res.code.push('\n');
                }
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(it) if in_code => res.code.push_str(&it),
                Event::Text(it) => res.text.push_str(&it),
                Event::Html(it) | Event::InlineHtml(it) if !is_ours(&it) => {
                    res.strange.push(it.to_string());
                }
                Event::InlineMath(it) | Event::DisplayMath(it) => {
                    res.strange.push(format!("mathematics: {it}"));
                }
                Event::Start(Tag::Link { dest_url, .. })
                    if !dest_url.starts_with("https://docs.aws.amazon.com/") =>
                {
                    res.strange.push(dest_url.to_string());
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    res.strange.push(format!("an image: {dest_url}"));
                }
                Event::Start(_)
                | Event::End(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::FootnoteReference(_)
                | Event::SoftBreak
                | Event::HardBreak
                | Event::Rule
                | Event::TaskListMarker(_) => {}
            }
        }
        if let Some(it) = ["@", "http", "www.", "#"].into_iter().find(|it| res.text.contains(it)) {
            res.strange.push(format!("`{it}` in {}", res.text));
        }
        res
    }
}

/// The tags that fold something, with the name of a function in them, and the comment by which ours is found.
fn is_ours(html: &str) -> bool {
    let mut rest = html.trim();
    for it in
        ["<!-- permitd plan -->", "<!-- permitd apply -->", "<details>", "</details>", "<summary>"]
    {
        rest = rest.strip_prefix(it).unwrap_or(rest).trim();
    }
    let Some(summary) = rest.strip_suffix("</summary>") else { return rest.is_empty() };
    !summary.replacen("<code>", "", 1).replacen("</code>", "", 1).contains('<')
}

/// A page as a browser reads it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// All that can be read.
    pub(crate) text: String,
    /// The names of all elements.
    names: Vec<String>,
    is_served: bool,
    /// What may not be in one, with the parser's complaints.
    pub(crate) strange: Vec<String>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        Self::default().reading(text)
    }

    /// One that a server gives, which may point to its own.
    pub(crate) fn read_served(text: &str) -> Self {
        Self { is_served: true, ..Self::default() }.reading(text)
    }

    fn reading(mut self, text: &str) -> Self {
        let options = ParseOpts::default();
        let dom = parse_document(RcDom::default(), options).one(text);
        let res = &mut self;
        res.strange.extend(dom.errors.borrow().iter().map(ToString::to_string));
        res.walk(&dom.document, "");
        let mut ids: Vec<&str> = res.names.iter().filter_map(|it| it.strip_prefix('#')).collect();
        ids.sort_unstable();
        let twice: Vec<String> =
            ids.windows(2).filter(|it| it[0] == it[1]).map(|it| it[0].to_owned()).collect();
        res.strange.extend(twice);
        self
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.names.iter().filter(|it| *it == name).count()
    }

    fn walk(&mut self, node: &Handle, parent: &str) {
        let mut name = String::new();
        match &node.data {
            NodeData::Text { contents } if !["style", "script"].contains(&parent) => {
                self.text.push_str(&contents.borrow());
            }
            NodeData::Element { name: found, attrs, .. } => {
                name = found.local.to_string();
                self.names.push(name.clone());
                for it in attrs.borrow().iter() {
                    let (key, value) = (it.name.local.to_string(), it.value.to_string());
                    let link = ["href", "src", "action", "srcset", "data"].contains(&key.as_str());
                    let ours = value.starts_with('#')
                        || value == "data:,"
                        || (self.is_served && value.starts_with('/') && !value.starts_with("//"))
                        || value.starts_with("https://docs.aws.amazon.com/");
                    if key.starts_with("on") || key == "style" || (link && !ours) {
                        self.strange.push(format!("{name} {key}={value}"));
                    }
                    if key == "id" {
                        self.names.push(format!("#{value}"));
                    }
                }
            }
            NodeData::Text { .. }
            | NodeData::Document
            | NodeData::Doctype { .. }
            | NodeData::Comment { .. }
            | NodeData::ProcessingInstruction { .. } => {}
        }
        for it in node.children.borrow().iter() {
            self.walk(it, &name);
        }
    }
}
