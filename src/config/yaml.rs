//! YAML text to a tree in which every key and value keeps its place and its spelling.
//!
//! A typed read would stop at the first error and turn `012345678901` into a number. So we take the
//! events of the parser under serde-saphyr and build a tree of our own; scalars stay text.

use std::{borrow::Cow, collections::BTreeMap, rc::Rc, sync::Arc};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use crate::config::diagnostic::{Diagnostic, File, Place, Span};
use crate::config::rules::Rule;

mod syntax;
mod tags;

use tags::Called;

/// Collections within collections; ours need seven.
const MAX_DEPTH: usize = 32;
/// The same of a CloudFormation template: it may hold the whole definition of an API.
const MAX_TEMPLATE_DEPTH: usize = 128;
/// Values of one file, each counted as often as aliases repeat it. 25,000 statements have 130,000.
const MAX_VALUES: usize = 1_000_000;

/// One value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub value: Value<'a>,
    pub span: Span,
    /// The alias or the merge key through which it came here.
    pub used: Option<Span>,
}

/// What a value is. Scalars are not resolved: who wants a boolean reads one.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// Nothing, `~` or `null`, unquoted.
    Null,
    /// Without quotes, as written.
    Plain(Cow<'a, str>),
    /// In quotes or as a block, unescaped.
    Quoted(Cow<'a, str>),
    Seq(Rc<[Node<'a>]>),
    Map(Rc<[Entry<'a>]>),
    /// Not readable, and reported already: nobody needs to hear of it again.
    Bad,
}

/// One key of a map.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub key: Cow<'a, str>,
    pub key_span: Span,
    pub node: Node<'a>,
}

/// What became of a text: its documents as far as they could be read, and all that is wrong.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    pub documents: Vec<Node<'a>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads all documents of a file of our own.
pub(super) fn parse(file: &Arc<File>) -> Tree<'_> {
    parse_as(file, Dialect::Own)
}

/// Reads a CloudFormation template, in YAML or JSON: `!Sub x` becomes the map `{Fn::Sub: x}` that it is
/// short for.
pub(super) fn parse_template(file: &Arc<File>) -> Tree<'_> {
    parse_as(file, Dialect::Template)
}

/// What a file may have that YAML leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// No tags, and no deep nesting.
    Own,
    /// CloudFormation: a local tag is the short form of a function.
    Template,
}

impl Dialect {
    fn max_depth(self) -> usize {
        match self {
            Self::Own => MAX_DEPTH,
            Self::Template => MAX_TEMPLATE_DEPTH,
        }
    }
}

fn parse_as(file: &Arc<File>, dialect: Dialect) -> Tree<'_> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: dialect.max_depth(),
        block_nesting_limit: dialect.max_depth(),
    };
    options.set_emit_comments(false);
    let mut builder = Builder::new(file, dialect);
    for next in Parser::new_from_str_with_options(&file.text, options) {
        let step = match next {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(syntax::explain(file, &error, dialect)),
        };
        if let Err(diagnostic) = step {
            builder.tree.diagnostics.push(diagnostic);
            break;
        }
    }
    for it in &mut builder.tree.diagnostics {
        it.rule = Rule::Syntax;
    }
    builder.tree
}

struct Builder<'a> {
    file: &'a Arc<File>,
    dialect: Dialect,
    tree: Tree<'a>,
    frames: Vec<Frame<'a>>,
    /// By the parser's number; none while the anchored value is still open.
    anchors: BTreeMap<usize, Anchored<'a>>,
    n_values: usize,
}

#[derive(Clone)]
struct Anchored<'a> {
    node: Node<'a>,
    n_values: usize,
    height: usize,
}

/// A collection that is still open.
struct Frame<'a> {
    items: Items<'a>,
    start: Span,
    anchor: usize,
    /// The count of values before it.
    before: usize,
    /// How deep the deepest of its children is.
    height: usize,
    /// The function that it is the argument of.
    called: Option<Called>,
}

enum Items<'a> {
    Seq(Vec<Node<'a>>),
    Map { entries: Vec<Entry<'a>>, key: Option<Key<'a>>, merges: Vec<(Span, Node<'a>)> },
}

enum Key<'a> {
    Named(Cow<'a, str>, Span),
    Merge(Span),
    /// Not a word; reported, and its value is dropped.
    Bad,
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<File>, dialect: Dialect) -> Self {
        Self {
            file,
            dialect,
            tree: Tree::default(),
            frames: Vec::new(),
            anchors: BTreeMap::new(),
            n_values: 0,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum is non_exhaustive")]
    fn take(&mut self, event: Event<'a>, span: &granit_parser::Span) -> Result<(), Diagnostic> {
        let at = syntax::span(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let called = self.called(tag.as_deref(), span);
                let text_tag = tag.as_deref().is_some_and(|it| is_tag(it, "str"));
                let good = self.check_tag(tag.as_deref(), "str", span);
                let value = match style {
                    _ if !good => Value::Bad,
                    ScalarStyle::Plain if text_tag => Value::Quoted(text),
                    ScalarStyle::Plain if is_null(&text) => Value::Null,
                    ScalarStyle::Plain => Value::Plain(text),
                    ScalarStyle::SingleQuoted
                    | ScalarStyle::DoubleQuoted
                    | ScalarStyle::Literal
                    | ScalarStyle::Folded => Value::Quoted(text),
                };
                let n_values = 1 + usize::from(called.is_some());
                self.count(n_values, at)?;
                let height = usize::from(called.is_some());
                let node = tags::wrap(Node { value, span: at, used: None }, called);
                self.finish(node, anchor, n_values, height);
            }
            Event::SequenceStart(_, anchor, tag) => {
                let called = self.called(tag.as_deref(), span);
                self.check_tag(tag.as_deref(), "seq", span);
                self.open(Items::Seq(Vec::new()), at, anchor, called)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                let called = self.called(tag.as_deref(), span);
                self.check_tag(tag.as_deref(), "map", span);
                let entries = Vec::with_capacity(4);
                let items = Items::Map { entries, key: None, merges: Vec::new() };
                self.open(items, at, anchor, called)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at)?,
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::UnresolvedAlias(name) => {
                let message =
                    format!("`*{name}` is a YAML alias, and nothing is anchored as `&{name}`");
                let help = format!("for the text itself write it in quotes: \"*{name}\"");
                self.report(Diagnostic::error(self.at(at), message).help(help));
                self.finish(Node { value: Value::Bad, span: at, used: None }, 0, 1, 0);
            }
            Event::DocumentEnd => self.anchors.clear(),
            // Starts and ends of the stream, and comments where that feature is on.
            _ => {}
        }
        Ok(())
    }

    fn at(&self, span: Span) -> Place {
        Place::at(self.file, span)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.tree.diagnostics.push(diagnostic);
    }

    fn count(&mut self, n_values: usize, at: Span) -> Result<(), Diagnostic> {
        self.n_values = self.n_values.saturating_add(n_values);
        if self.n_values > MAX_VALUES {
            let message =
                format!("this file has more than {MAX_VALUES} values, its aliases expanded");
            let help = "split it into several files, or use fewer aliases";
            return Err(Diagnostic::error(self.at(at), message).help(help));
        }
        Ok(())
    }

    fn check_tag(&mut self, tag: Option<&Tag>, kind: &str, span: &granit_parser::Span) -> bool {
        if self.dialect == Dialect::Template {
            return true;
        }
        let Some(tag) = tag.filter(|it| !is_tag(it, kind)) else { return true };
        let at = span.tag_span().map_or_else(|| syntax::span(span), |it| syntax::span(&it));
        let message = format!("the YAML tag `{}` has no meaning here", tag.original());
        let help = "leave it out; values stay as they are written";
        self.report(Diagnostic::error(self.at(at), message).help(help));
        false
    }

    fn open(
        &mut self,
        items: Items<'a>,
        start: Span,
        anchor: usize,
        called: Option<Called>,
    ) -> Result<(), Diagnostic> {
        let before = self.n_values;
        self.count(1 + usize::from(called.is_some()), start)?;
        self.frames.push(Frame { items, start, anchor, before, height: 0, called });
        Ok(())
    }

    fn close(&mut self, at: Span) -> Result<(), Diagnostic> {
        let Some(Frame { items, start, anchor, before, height, called }) = self.frames.pop() else {
            return Ok(());
        };
        let span = Span { end: at.end.max(start.end), ..start };
        let value = match items {
            Items::Seq(items) => Value::Seq(items.into()),
            Items::Map { mut entries, key: _, merges } => {
                self.refuse_duplicates(&entries, &merges);
                for (key_span, node) in merges {
                    self.merge(&mut entries, key_span, &node)?;
                }
                Value::Map(entries.into())
            }
        };
        let n_values = self.n_values.saturating_sub(before);
        let height = height + 1 + usize::from(called.is_some());
        let node = tags::wrap(Node { value, span, used: None }, called);
        self.finish(node, anchor, n_values, height);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), Diagnostic> {
        let Some(Anchored { mut node, n_values, height }) = self.anchors.get(&anchor).cloned()
        else {
            let message = "this alias stands inside of what it is an alias of";
            return Err(Diagnostic::error(self.at(at), message));
        };
        self.count(n_values, at)?;
        if self.frames.len() + height > self.dialect.max_depth() {
            return Err(syntax::too_deep(self.at(at), self.dialect));
        }
        node.used = Some(at);
        self.finish(node, 0, n_values, height);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, node: Node<'a>, anchor: usize, n_values: usize, height: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), n_values, height });
        }
        let Some(frame) = self.frames.last_mut() else {
            self.tree.documents.push(node);
            return;
        };
        frame.height = frame.height.max(height);
        match &mut frame.items {
            Items::Seq(items) => items.push(node),
            Items::Map { entries, key, merges } => match key.take() {
                None => {
                    let place = Place::at(self.file, node.used.unwrap_or(node.span));
                    let told = matches!(node.value, Value::Bad);
                    *key = Some(read_key(self.file, node).unwrap_or_else(|| {
                        if told {
                            return Key::Bad;
                        }
                        let message = "a key has to be one word";
                        self.tree.diagnostics.push(Diagnostic::error(place, message));
                        Key::Bad
                    }));
                }
                Some(Key::Named(key, key_span)) => entries.push(Entry { key, key_span, node }),
                Some(Key::Merge(span)) => merges.push((span, node)),
                Some(Key::Bad) => {}
            },
        }
    }

    fn refuse_duplicates(&mut self, entries: &[Entry<'a>], merges: &[(Span, Node<'a>)]) {
        let merges = merges.iter().map(|(span, _)| ("<<", *span));
        let all = entries.iter().map(|it| (it.key.as_ref(), it.key_span)).chain(merges);
        let mut seen = Seen::for_size(entries.len());
        for (key, span) in all {
            if let Some(first) = seen.insert(key, span) {
                let message = format!("the key `{key}` stands here twice");
                let mut it = Diagnostic::error(Place::at(self.file, span), message)
                    .also(Place::at(self.file, first), "it stands here first");
                if key == "<<" {
                    it = it.help("merge several maps with `<<: [*one, *other]`");
                }
                self.tree.diagnostics.push(it);
            }
        }
    }

    /// `<<: *map` or `<<: [*map, *map]`: keys that are not there yet; the first map wins.
    fn merge(
        &mut self,
        entries: &mut Vec<Entry<'a>>,
        key_span: Span,
        node: &Node<'a>,
    ) -> Result<(), Diagnostic> {
        let maps = match &node.value {
            Value::Map(_) => std::slice::from_ref(node),
            Value::Seq(items) => items,
            Value::Null | Value::Plain(_) | Value::Quoted(_) => &[],
            Value::Bad => return Ok(()),
        };
        if maps.is_empty() || maps.iter().any(|it| !matches!(it.value, Value::Map(_))) {
            let message = "`<<` takes an alias of a map, or a list of such aliases";
            self.report(Diagnostic::error(self.at(key_span), message));
        }
        for map in maps {
            let Value::Map(more) = &map.value else { continue };
            self.count(more.len(), key_span)?;
            let mut seen = Seen::for_size(entries.len() + more.len());
            for it in entries.iter() {
                seen.insert(&it.key, it.key_span);
            }
            let new: Vec<Entry<'a>> =
                more.iter().filter(|it| !seen.has(&it.key)).cloned().collect();
            let used = map.used.or(node.used).unwrap_or(key_span);
            entries.extend(new.into_iter().map(|mut it| {
                it.node.used = Some(used);
                it
            }));
        }
        Ok(())
    }
}

/// The keys of one map. Nearly all maps are small, and then a list beats a tree.
enum Seen<'k> {
    Few(Vec<(&'k str, Span)>),
    Many(BTreeMap<&'k str, Span>),
}

impl<'k> Seen<'k> {
    fn for_size(n_keys: usize) -> Self {
        if n_keys <= 16 {
            Self::Few(Vec::with_capacity(n_keys))
        } else {
            Self::Many(BTreeMap::new())
        }
    }

    fn has(&self, key: &str) -> bool {
        match self {
            Self::Few(keys) => keys.iter().any(|(it, _)| *it == key),
            Self::Many(keys) => keys.contains_key(key),
        }
    }

    /// Where the key was first, if it was there.
    fn insert(&mut self, key: &'k str, span: Span) -> Option<Span> {
        match self {
            Self::Few(keys) => {
                let first = keys.iter().find(|(it, _)| *it == key).map(|(_, it)| *it);
                keys.push((key, span));
                first
            }
            Self::Many(keys) => {
                let first = keys.get(key).copied();
                keys.entry(key).or_insert(span);
                first
            }
        }
    }
}

fn read_key<'a>(file: &'a File, node: Node<'a>) -> Option<Key<'a>> {
    let span = node.used.unwrap_or(node.span);
    match node.value {
        // `Null` is an operator of IAM's conditions, and as a key it can mean nothing else.
        Value::Null => {
            let text = file.text.get(node.span.start as usize..node.span.end as usize)?;
            let is_word = text.bytes().next().is_some_and(|it| it.is_ascii_alphabetic());
            is_word.then_some(Key::Named(text.into(), span))
        }
        Value::Plain(it) if it == "<<" => Some(Key::Merge(span)),
        Value::Plain(it) | Value::Quoted(it) => Some(Key::Named(it, span)),
        Value::Seq(_) | Value::Map(_) | Value::Bad => None,
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether a tag only says what the value is anyhow.
fn is_tag(tag: &Tag, kind: &str) -> bool {
    tag.is_yaml_core_schema_tag(kind) || tag.original() == "!"
}

#[cfg(test)]
mod tests;
