//! Conditions of a template, as far as the values in them are known.

use super::references::Scope;
use crate::config::yaml::{Node, Value};

impl Scope<'_, '_> {
    /// Whether the condition of this name holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool, String> {
        let Some(node) = self.template.entry("Conditions", name) else {
            return Err(format!("`{name}` is no condition of this template"));
        };
        self.holds(node).map_err(|why| format!("the condition `{name}` is not known: {why}"))
    }

    fn holds(&self, node: &Node<'_>) -> Result<bool, String> {
        self.within(|| {
            let Value::Map(entries) = &node.value else {
                return Err("it is not a condition".to_owned());
            };
            let [entry] = entries.as_ref() else {
                return Err("it is not a condition".to_owned());
            };
            match (entry.key.as_ref(), &entry.node.value) {
                ("Condition", Value::Plain(name) | Value::Quoted(name)) => self.condition(name),
                ("Fn::Equals", Value::Seq(parts)) => match parts.as_ref() {
                    [one, other] => Ok(self.text(one)? == self.text(other)?),
                    _ => Err("`Fn::Equals` takes two values".to_owned()),
                },
                ("Fn::Not", Value::Seq(parts)) => match parts.as_ref() {
                    [one] => self.holds(one).map(|it| !it),
                    _ => Err("`Fn::Not` takes one condition".to_owned()),
                },
                ("Fn::And", Value::Seq(parts)) => self.all(parts, true),
                ("Fn::Or", Value::Seq(parts)) => self.all(parts, false),
                (other, _) => Err(format!("`{other}` is not computed here")),
            }
        })
    }

    /// Whether all of them are `wanted`; one that is not decides, even beside others that are not known.
    fn all(&self, parts: &[Node<'_>], wanted: bool) -> Result<bool, String> {
        let mut unknown = None;
        for it in parts {
            match self.holds(it) {
                Ok(it) if it != wanted => return Ok(it),
                Ok(_) => {}
                Err(why) => unknown = unknown.or(Some(why)),
            }
        }
        unknown.map_or(Ok(wanted), Err)
    }
}
