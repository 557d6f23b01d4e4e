//! The short forms of CloudFormation: `!Sub x` is `{Fn::Sub: x}`.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>:
//! `Ref` and `Condition` keep their names, every other function gets `Fn::` before it.

use std::borrow::Cow;

use granit_parser::Tag;

use super::{Builder, Dialect, Entry, Node, Value, syntax};
use crate::config::diagnostic::Span;

/// The function that a tag stands for, by its long name, and where the tag is.
pub(super) type Called = (Cow<'static, str>, Span);

impl Builder<'_> {
    /// The function that this tag stands for, in a template.
    pub(super) fn called(&self, tag: Option<&Tag>, span: &granit_parser::Span) -> Option<Called> {
        let ("!", name) = tag.filter(|_| self.dialect == Dialect::Template)?.parts() else {
            return None;
        };
        let name: Cow<'static, str> = match name {
            "" => return None,
            "Ref" => "Ref".into(),
            "Condition" => "Condition".into(),
            other => format!("Fn::{other}").into(),
        };
        let at = span.tag_span().map_or_else(|| syntax::span(span), |it| syntax::span(&it));
        Some((name, at))
    }
}

/// The long form of a short one.
pub(super) fn wrap(node: Node<'_>, called: Option<Called>) -> Node<'_> {
    let Some((key, key_span)) = called else { return node };
    let span = Span { end: node.span.end.max(key_span.end), ..key_span };
    let value = Value::Map([Entry { key, key_span, node }].into());
    Node { value, span, used: None }
}
