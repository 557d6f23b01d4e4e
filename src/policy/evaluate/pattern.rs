//! Texts of a policy as IAM compares them: wildcards, ARNs and policy variables.

use wildmatch::WildMatchPattern;

use super::{
    Why,
    request::{Key, Request, Value},
};

/// Stand for `*` and `?` where those are wildcards, so that what a variable stands for is taken literally.
/// Unicode has these two for the inside of a program only.
const MANY: char = '\u{fdd0}';
const ONE: char = '\u{fdd1}';

/// A text of a policy, its variables replaced.
#[derive(Debug)]
pub(super) struct Pattern(String);

/// Replaces what is written by what it means: wildcards, where there are any, and in a policy of 2012-10-17 its
/// variables, among them `${*}`, `${?}` and `${$}` for the characters themselves (`reference_policies_variables.html`).
pub(super) fn pattern(
    text: &str,
    wildcards: bool,
    variables: Option<&Request>,
) -> Result<Pattern, Why> {
    let marked = |text: &str| {
        if wildcards {
            text.replace('*', MANY_TEXT).replace('?', ONE_TEXT)
        } else {
            text.to_owned()
        }
    };
    let Some(request) = variables else { return Ok(Pattern(marked(text))) };
    let (mut res, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let unknown =
            || Why::Variable(format!("${{{}}}", after.split('}').next().unwrap_or(after)));
        let (name, tail) = after.split_once('}').ok_or_else(unknown)?;
        res.push_str(&marked(before));
        match (name, Key::of(name).map(|it| request.value(it))) {
            ("*" | "?" | "$", _) => res.push_str(name),
            (_, Some(Value::Text(it))) => res.push_str(&it),
            (_, Some(Value::Absent | Value::RoleOf(_) | Value::Hidden(_)) | None) => {
                return Err(unknown());
            }
        }
        rest = tail;
    }
    res.push_str(&marked(rest));
    Ok(Pattern(res))
}

const MANY_TEXT: &str = "\u{fdd0}";
const ONE_TEXT: &str = "\u{fdd1}";

impl Pattern {
    /// The whole text, a `*` across everything.
    pub(super) fn matches(&self, text: &str) -> bool {
        glob(&self.0, text)
    }

    /// The same without regard to case.
    pub(super) fn matches_ignoring_case(&self, text: &str) -> bool {
        self.0.to_lowercase() == text.to_lowercase()
    }

    /// "Each of the six colon-delimited components of the ARN is checked separately"
    /// (`reference_policies_elements_condition_operators.html`); the sixth goes to the end, colons and all.
    pub(super) fn matches_arn(&self, text: &str) -> Result<bool, Why> {
        let pattern = self.parts()?;
        let Some(text) = six(text) else { return Ok(false) };
        Ok(pattern.iter().zip(&text).all(|(pattern, text)| glob(pattern, text)))
    }

    /// It may match the ARN of a role of this name in a path that nobody knows, besides the one without.
    pub(super) fn may_match_in_a_path(&self, role_arn: &str, name: &str) -> bool {
        let (Some(pattern), Some(text)) = (six(&self.0), six(role_arn)) else {
            return glob(&self.0, role_arn) || self.0.contains(MANY);
        };
        let [own @ .., resource] = pattern;
        let [known @ .., _] = text;
        let elsewhere = own.iter().zip(&known).all(|(pattern, text)| glob(pattern, text));
        let last = resource.rsplit('/').next().unwrap_or(resource);
        elsewhere && (glob(last, name) || last.contains(MANY))
    }

    /// `*` alone.
    pub(super) fn is_anything(&self) -> bool {
        self.0 == MANY_TEXT
    }

    fn parts(&self) -> Result<[&str; 6], Why> {
        six(&self.0).ok_or_else(|| {
            Why::NotAnArn(format!("`{}`", self.0.replace(MANY, "*").replace(ONE, "?")))
        })
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    WildMatchPattern::<MANY, ONE>::new(pattern).matches(text)
}

fn six(text: &str) -> Option<[&str; 6]> {
    text.splitn(6, ':').collect::<Vec<_>>().try_into().ok()
}
