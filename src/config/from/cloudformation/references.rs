//! What a name in a template stands for: a parameter, a resource, or something of the stack.

use std::cell::Cell;

use super::{Inputs, Template, get, type_of};
use crate::config::yaml::{Node, Value};
use crate::policy::target::{Defaults, Target, partition_of};

/// A value; none is `AWS::NoValue`. Otherwise why it is not known.
pub(super) type Computed = Result<Option<String>, String>;

/// Values within values; names may lead from one to the next.
const MAX_DEPTH: usize = 128;
/// Values of one template, each counted as often as it is computed. Names that refer to each other could ask for
/// one value more often than anybody can wait for.
const MAX_STEPS: usize = 1_000_000;

/// A template together with what it is asked with.
#[derive(Debug)]
pub(super) struct Scope<'t, 'a> {
    pub(super) template: &'t Template<'a>,
    inputs: &'t Inputs,
    depth: Cell<usize>,
    steps: Cell<usize>,
}

impl<'t, 'a> Scope<'t, 'a> {
    pub(super) fn new(template: &'t Template<'a>, inputs: &'t Inputs) -> Self {
        Self { template, inputs, depth: Cell::new(0), steps: Cell::new(0) }
    }

    /// The account and the region of the stack.
    pub(super) fn defaults(&self) -> &Defaults {
        &self.inputs.defaults
    }

    /// What the user says that a name stands for.
    pub(super) fn given(&self, name: &str) -> Option<&'t str> {
        self.inputs.parameters.get(name).map(String::as_str)
    }

    /// Goes one level deeper, unless that is too deep or too often.
    pub(super) fn within<T>(&self, go_on: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        self.steps.set(self.steps.get() + 1);
        if self.depth.get() >= MAX_DEPTH || self.steps.get() > MAX_STEPS {
            return Err("it refers to itself, or to too many others".to_owned());
        }
        self.depth.set(self.depth.get() + 1);
        let res = go_on();
        self.depth.set(self.depth.get() - 1);
        res
    }

    /// What `Ref` gives for a name.
    pub(super) fn reference(&self, name: &str) -> Computed {
        if let Some(given) = self.given(name) {
            return Ok(Some(given.to_owned()));
        }
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return self.pseudo(pseudo);
        }
        if let Some(parameter) = self.template.entry("Parameters", name) {
            return parameter_value(name, parameter).map(Some);
        }
        let Some(resource) = self.template.entry("Resources", name) else {
            return Err(format!("`{name}` is no parameter and no resource of this template"));
        };
        let kind = type_of(resource).unwrap_or("resource");
        match kind {
            "AWS::Lambda::Function" | "AWS::Serverless::Function" => {
                self.name_of(name, resource).map(Some)
            }
            "AWS::Lambda::Alias" => self.alias(name, resource)?.arn(name).map(Some),
            _ => Err(format!(
                "only the stack knows what `{name}` ({kind}) is called; give it with --parameter {name}=VALUE"
            )),
        }
    }

    /// What `Fn::GetAtt` gives.
    pub(super) fn attribute(&self, name: &str, attribute: &str) -> Computed {
        let path = format!("{name}.{attribute}");
        if let Some(given) = self.given(&path) {
            return Ok(Some(given.to_owned()));
        }
        let Some(resource) = self.template.entry("Resources", name) else {
            return Err(format!("`{name}` is no resource of this template"));
        };
        let kind = type_of(resource).unwrap_or("resource");
        match (kind, attribute) {
            ("AWS::Lambda::Function" | "AWS::Serverless::Function", "Arn") => {
                self.function(name, resource)?.arn(&path).map(Some)
            }
            ("AWS::Lambda::Alias", "AliasArn") => self.alias(name, resource)?.arn(&path).map(Some),
            _ => Err(format!(
                "only the stack knows `{path}` ({kind}); give it with --parameter {path}=VALUE"
            )),
        }
    }

    /// What `FunctionName` of a permission is. A function of the same stack is in its account and region, so its
    /// name is enough where its ARN is not known.
    pub(super) fn function_name(&self, node: &Node<'_>) -> Computed {
        let referred = Self::referred(node);
        let of_stack = |name: &str| {
            let resource = self.template.entry("Resources", name)?;
            match type_of(resource)? {
                "AWS::Lambda::Function" | "AWS::Serverless::Function" => {
                    Some(self.function(name, resource))
                }
                "AWS::Lambda::Alias" => Some(self.alias(name, resource)),
                _ => None,
            }
        };
        if let Some((name, attribute)) = referred {
            let path = attribute.map_or(name.clone(), |it| format!("{name}.{it}"));
            let is_arn = matches!(attribute, None | Some("Arn" | "AliasArn"));
            if self.given(&path).is_none()
                && is_arn
                && let Some(called) = of_stack(&name)
            {
                return called.map(|it| Some(it.short_name()));
            }
        }
        self.text(node)
    }

    /// The name, and the attribute, if a value is nothing but `Ref` or `Fn::GetAtt` of literals.
    fn referred<'n>(node: &'n Node<'_>) -> Option<(String, Option<&'n str>)> {
        let literal = |it: &'n Node<'_>| match &it.value {
            Value::Plain(it) | Value::Quoted(it) => Some(it.as_ref()),
            Value::Null | Value::Seq(_) | Value::Map(_) | Value::Bad => None,
        };
        if let Some(name) = get(node, "Ref") {
            return literal(name).map(|it| (it.to_owned(), None));
        }
        let of = get(node, "Fn::GetAtt")?;
        if let Value::Seq(parts) = &of.value {
            let [name, attribute] = parts.as_ref() else { return None };
            return Some((literal(name)?.to_owned(), Some(literal(attribute)?)));
        }
        let (name, attribute) = literal(of)?.split_once('.')?;
        Some((name.to_owned(), Some(attribute)))
    }

    /// Whether a parameter has values, separated by commas.
    pub(super) fn is_list(&self, name: &str) -> bool {
        let kind = self.template.entry("Parameters", name).and_then(type_of);
        kind.is_some_and(|it| it == "CommaDelimitedList" || it.contains("List<"))
    }

    fn pseudo(&self, name: &str) -> Computed {
        let Defaults { account, region } = &self.inputs.defaults;
        let known = |value: &Option<String>, flag: &str| {
            value
                .clone()
                .map(Some)
                .ok_or_else(|| format!("only the stack knows `AWS::{name}`; give it with {flag}"))
        };
        let partition = region.as_deref().map_or("aws", partition_of);
        match name {
            "NoValue" => Ok(None),
            "AccountId" => known(account, "--account"),
            "Region" => known(region, "--region"),
            "Partition" => Ok(Some(partition.to_owned())),
            "URLSuffix" => Ok(Some(url_suffix(partition).to_owned())),
            _ => Err(format!(
                "only the stack knows `AWS::{name}`; give it with --parameter AWS::{name}=VALUE"
            )),
        }
    }

    /// The name of a function of this template.
    fn name_of(&self, name: &str, resource: &Node<'_>) -> Result<String, String> {
        if let Some(given) = self.given(name) {
            return Ok(given.to_owned());
        }
        let own = get(resource, "Properties").and_then(|it| get(it, "FunctionName"));
        let own = match own {
            Some(it) => self
                .within(|| self.text(it))
                .map_err(|why| format!("the FunctionName of `{name}` is not known: {why}"))?,
            None => None,
        };
        own.ok_or_else(|| {
            format!(
                "`{name}` has no FunctionName, so CloudFormation makes one up; give it with --parameter \
                 {name}=NAME"
            )
        })
    }

    fn function(&self, name: &str, resource: &Node<'_>) -> Result<Called<'_>, String> {
        let function = self.name_of(name, resource)?;
        Ok(Called { function, qualifier: None, defaults: &self.inputs.defaults })
    }

    fn alias(&self, name: &str, resource: &Node<'_>) -> Result<Called<'_>, String> {
        let property = |key: &str| get(resource, "Properties").and_then(|it| get(it, key));
        let unknown = |key: &str| format!("the {key} of `{name}` is not known");
        let read = |key: &str| {
            let node = property(key).ok_or_else(|| unknown(key))?;
            let value = self.within(|| match key {
                "FunctionName" => self.function_name(node),
                _ => self.text(node),
            });
            value.map_err(|why| format!("{}: {why}", unknown(key)))?.ok_or_else(|| unknown(key))
        };
        Ok(Called {
            function: read("FunctionName")?,
            qualifier: Some(read("Name")?),
            defaults: &self.inputs.defaults,
        })
    }
}

/// A function or an alias of the template.
pub(super) struct Called<'t> {
    /// A name, a partial ARN or an ARN.
    function: String,
    qualifier: Option<String>,
    defaults: &'t Defaults,
}

impl Called<'_> {
    fn short_name(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function),
            None => self.function.clone(),
        }
    }

    /// Its full ARN; `path` is what asked for it.
    fn arn(&self, path: &str) -> Result<String, String> {
        let target = Target::parse(&self.function, self.qualifier.as_deref(), self.defaults);
        target.map(|it| it.arn()).map_err(|_| {
            format!(
                "the ARN of `{}` needs the account and the region; give them with --account and --region, or \
                 it with --parameter {path}=ARN",
                self.short_name()
            )
        })
    }
}

/// The value of a parameter that nobody gave.
fn parameter_value(name: &str, parameter: &Node<'_>) -> Result<String, String> {
    let give = format!("give it with --parameter {name}=VALUE");
    if type_of(parameter).is_some_and(|it| it.starts_with("AWS::SSM::Parameter::Value")) {
        return Err(format!("the value of `{name}` is in the Parameter Store; {give}"));
    }
    match get(parameter, "Default").map(|it| &it.value) {
        Some(Value::Plain(it) | Value::Quoted(it)) => Ok(it.to_string()),
        Some(Value::Null | Value::Seq(_) | Value::Map(_) | Value::Bad) | None => {
            Err(format!("the parameter `{name}` has no value; {give}"))
        }
    }
}

/// The domain of each partition's services, as `AWS::URLSuffix` has it.
fn url_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}
