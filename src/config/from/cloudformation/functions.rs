//! The intrinsic functions of CloudFormation that need nothing but the template.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>

use std::collections::{BTreeMap, BTreeSet};

use super::get;
use super::references::{Computed, Scope};
use crate::config::yaml::{Node, Value};

/// No value of a permission may be longer than the longest of Lambda's limits; this is far beyond it.
const MAX_LENGTH: usize = 100_000;

impl Scope<'_, '_> {
    /// A value that is one text in the end.
    pub(super) fn text(&self, node: &Node<'_>) -> Computed {
        self.within(|| {
            let text = self.compute(node)?;
            match text {
                Some(it) if it.len() > MAX_LENGTH => Err("its value is too long".to_owned()),
                it => Ok(it),
            }
        })
    }

    fn compute(&self, node: &Node<'_>) -> Computed {
        let entries = match &node.value {
            Value::Plain(it) | Value::Quoted(it) => return Ok(Some(it.to_string())),
            Value::Null => return Err("it has no value".to_owned()),
            Value::Seq(_) => return Err("it is a list, and takes one value".to_owned()),
            Value::Bad => return Err("it cannot be read".to_owned()),
            Value::Map(entries) => entries,
        };
        let [entry] = entries.as_ref() else {
            return Err("it is a map, and takes one value".to_owned());
        };
        let argument = &entry.node;
        match entry.key.as_ref() {
            "Ref" => match &argument.value {
                Value::Plain(it) | Value::Quoted(it) => self.reference(it),
                Value::Null | Value::Seq(_) | Value::Map(_) | Value::Bad => {
                    Err("`Ref` takes the name of a parameter or a resource".to_owned())
                }
            },
            "Fn::GetAtt" => self.get_att(argument),
            "Fn::Sub" => self.substitute(argument).map(Some),
            "Fn::Join" => self.join(argument).map(Some),
            "Fn::Select" => self.select(argument).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::If" => self.choose(argument),
            "Fn::ImportValue" => {
                Err("it is the output of another stack (`Fn::ImportValue`)".to_owned())
            }
            other if other.starts_with("Fn::") => Err(format!("`{other}` is not computed here")),
            _ => Err("it is a map, and takes one value".to_owned()),
        }
    }

    /// The same where nothing would be no value.
    fn some_text(&self, node: &Node<'_>) -> Result<String, String> {
        self.text(node)?.ok_or_else(|| "`AWS::NoValue` is no part of a text".to_owned())
    }

    /// `Name.Attribute`, or `[Name, Attribute]`.
    fn get_att(&self, argument: &Node<'_>) -> Computed {
        const SHAPE: &str = "`Fn::GetAtt` takes a resource and an attribute";
        if let Value::Seq(parts) = &argument.value {
            let [name, attribute] = parts.as_ref() else { return Err(SHAPE.to_owned()) };
            return self.attribute(&self.some_text(name)?, &self.some_text(attribute)?);
        }
        let path = self.some_text(argument)?;
        let (name, attribute) = path.split_once('.').ok_or_else(|| SHAPE.to_owned())?;
        self.attribute(name, attribute)
    }

    /// `${Name}`, `${Name.Attribute}`, `${!Literal}`; or a list of such a text and a map of names.
    fn substitute(&self, argument: &Node<'_>) -> Result<String, String> {
        const SHAPE: &str = "`Fn::Sub` takes a text, or a list of a text and a map of names";
        let mut variables: BTreeMap<&str, &Node<'_>> = BTreeMap::new();
        let template = match &argument.value {
            Value::Plain(it) | Value::Quoted(it) => it,
            Value::Seq(parts) => {
                let [
                    Node { value: Value::Plain(text) | Value::Quoted(text), .. },
                    Node { value: Value::Map(names), .. },
                ] = parts.as_ref()
                else {
                    return Err(SHAPE.to_owned());
                };
                variables.extend(names.iter().map(|it| (it.key.as_ref(), &it.node)));
                text
            }
            Value::Null | Value::Map(_) | Value::Bad => return Err(SHAPE.to_owned()),
        };
        let mut res = String::new();
        let mut problems = Vec::new();
        let mut rest = template.as_ref();
        while let Some((before, after)) = rest.split_once("${") {
            res += before;
            let Some((name, tail)) = after.split_once('}') else {
                return Err("in its `Fn::Sub` a `${` is never closed".to_owned());
            };
            rest = tail;
            if let Some(literal) = name.strip_prefix('!') {
                res.extend(["${", literal, "}"]);
                continue;
            }
            let name = name.trim();
            let value = match (variables.get(name), name.split_once('.')) {
                (Some(node), _) => self.text(node),
                (None, None) => self.within(|| self.reference(name)),
                (None, Some((resource, attribute))) => {
                    self.within(|| self.attribute(resource, attribute))
                }
            };
            match value {
                Ok(Some(it)) => res += &it,
                Ok(None) => problems.push(format!("`${{{name}}}` stands for nothing")),
                Err(why) => problems.push(why),
            }
            if res.len() > MAX_LENGTH {
                return Err("its value is too long".to_owned());
            }
        }
        told(problems)?;
        Ok(res + rest)
    }

    fn join(&self, argument: &Node<'_>) -> Result<String, String> {
        const SHAPE: &str = "`Fn::Join` takes a delimiter and a list";
        let Value::Seq(parts) = &argument.value else { return Err(SHAPE.to_owned()) };
        let [delimiter, items] = parts.as_ref() else { return Err(SHAPE.to_owned()) };
        Ok(self.list(items)?.join(&self.some_text(delimiter)?))
    }

    fn select(&self, argument: &Node<'_>) -> Result<String, String> {
        const SHAPE: &str = "`Fn::Select` takes an index and a list";
        let Value::Seq(parts) = &argument.value else { return Err(SHAPE.to_owned()) };
        let [index, items] = parts.as_ref() else { return Err(SHAPE.to_owned()) };
        let index: usize = self.some_text(index)?.parse().map_err(|_| SHAPE.to_owned())?;
        let items = self.list(items)?;
        items.get(index).cloned().ok_or_else(|| {
            format!("`Fn::Select` asks for item {index} of a list of {}", items.len())
        })
    }

    /// A list: one that is written down, a parameter of a list type, or what `Fn::Split` makes.
    fn list(&self, node: &Node<'_>) -> Result<Vec<String>, String> {
        if let Value::Seq(items) = &node.value {
            let (mut res, mut problems) = (Vec::new(), Vec::new());
            for it in items.iter() {
                match self.text(it) {
                    // CloudFormation takes `AWS::NoValue` out of a list.
                    Ok(value) => res.extend(value),
                    Err(why) => problems.push(why),
                }
            }
            return told(problems).map(|()| res);
        }
        if let Some(Node { value: Value::Seq(parts), .. }) = get(node, "Fn::Split") {
            let [delimiter, text] = parts.as_ref() else {
                return Err("`Fn::Split` takes a delimiter and a text".to_owned());
            };
            let (delimiter, text) = (self.some_text(delimiter)?, self.some_text(text)?);
            return Ok(text.split(&delimiter).map(str::to_owned).collect());
        }
        if let Some(Node { value: Value::Plain(name) | Value::Quoted(name), .. }) = get(node, "Ref")
            && self.is_list(name)
        {
            let text = self.reference(name)?.unwrap_or_default();
            return Ok(text.split(',').map(|it| it.trim().to_owned()).collect());
        }
        Err("it takes a list that is written down, or a parameter that is one".to_owned())
    }

    /// `[Map, first key, second key]`
    fn find_in_map(&self, argument: &Node<'_>) -> Computed {
        const SHAPE: &str = "`Fn::FindInMap` takes a mapping and two keys";
        let Value::Seq(parts) = &argument.value else { return Err(SHAPE.to_owned()) };
        let [map, first, second] = parts.as_ref() else { return Err(SHAPE.to_owned()) };
        let (map, first, second) =
            (self.some_text(map)?, self.some_text(first)?, self.some_text(second)?);
        let found = self.template.entry("Mappings", &map).and_then(|it| get(it, &first));
        let found = found.and_then(|it| get(it, &second));
        match found {
            Some(node) => self.text(node),
            None => Err(format!("the mapping `{map}` has no `{first}`, `{second}`")),
        }
    }

    /// `[Condition, value if true, value if false]`
    fn choose(&self, argument: &Node<'_>) -> Computed {
        const SHAPE: &str = "`Fn::If` takes the name of a condition and two values";
        let Value::Seq(parts) = &argument.value else { return Err(SHAPE.to_owned()) };
        let [Node { value: Value::Plain(name) | Value::Quoted(name), .. }, yes, no] =
            parts.as_ref()
        else {
            return Err(SHAPE.to_owned());
        };
        if self.condition(name)? { self.text(yes) } else { self.text(no) }
    }
}

/// All that keeps a value from being known, each once, so that nobody has to come back for every one.
fn told(mut problems: Vec<String>) -> Result<(), String> {
    // Many of them are one too many.
    problems.truncate(20);
    let mut seen = BTreeSet::new();
    problems.retain(|it| seen.insert(it.clone()));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}
