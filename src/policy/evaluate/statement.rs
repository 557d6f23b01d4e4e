//! One statement, element by element.

use wildmatch::WildMatch;

use super::{
    Answer, Difference, Doubt, Effect, Element, Finding, Why,
    condition::{self, Held},
    pattern::pattern,
    principal::{self, By, Named},
    request::Request,
};
use crate::policy::{document::USUAL_VERSION, json::Json};

/// Whether one statement of a policy of this version matches a call.
///
/// All elements have to match, and so have all operators and all keys of `Condition`; of the values of one of them one
/// is enough (`reference_policies_condition-logic-multiple-context-keys-or-values.html`).
pub fn statement(text: &str, version: Option<&str>, request: &Request) -> Finding {
    let mut reading = Reading {
        request,
        variables: version == Some(USUAL_VERSION),
        differences: Vec::new(),
        doubts: Vec::new(),
        without: Vec::new(),
        by: None,
    };
    let (mut sid, mut effect) = (None, None);
    if let Some(Json::Object(members)) = Json::parse(text) {
        let one = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, it)| it);
        sid = one("Sid").and_then(Json::string).filter(|it| !it.is_empty()).map(str::to_owned);
        effect = match one("Effect").and_then(Json::string) {
            Some("Allow") => Some(Effect::Allow),
            Some("Deny") => Some(Effect::Deny),
            Some(_) | None => None,
        };
        reading.members(&members);
        if effect.is_none() {
            reading.doubt(None, Why::Form("its effect is neither Allow nor Deny"));
        }
    } else {
        reading.doubt(None, Why::Form("it is not readable"));
    }
    let Reading { differences, doubts, without, by, .. } = reading;
    let answer = if !differences.is_empty() {
        Answer::Differs(differences)
    } else if !doubts.is_empty() {
        Answer::Unknown(doubts)
    } else {
        Answer::Matches
    };
    Finding { sid, effect, answer, by, without }
}

struct Reading<'a> {
    request: &'a Request,
    variables: bool,
    differences: Vec<Difference>,
    doubts: Vec<Doubt>,
    without: Vec<Element>,
    by: Option<By>,
}

const ELEMENTS: [[&str; 2]; 3] =
    [["Principal", "NotPrincipal"], ["Action", "NotAction"], ["Resource", "NotResource"]];
const OTHERS: [&str; 3] = ["Sid", "Effect", "Condition"];

impl Reading<'_> {
    fn doubt(&mut self, element: Option<Element>, why: Why) {
        self.doubts.push(Doubt { element, why });
    }

    /// Where the form is not IAM's, nothing that stands in it says no for sure.
    fn members(&mut self, members: &[(String, Json)]) {
        if let Some(why) = malformed(members) {
            return self.doubt(None, Why::Form(why));
        }
        for (name, value) in members {
            let not = name.starts_with("Not");
            match name.as_str() {
                "Principal" | "NotPrincipal" => self.principal(not, value),
                "Action" | "NotAction" => self.action(not, value),
                "Resource" | "NotResource" => self.resource(not, value),
                "Condition" => self.condition(value),
                _ => {}
            }
        }
    }

    fn principal(&mut self, not: bool, value: &Json) {
        let element = Element::Principal { not };
        let named = if not {
            principal::not_named(value, self.request)
        } else {
            principal::named(value, self.request)
        };
        match named {
            Named::Yes(by) => self.by = Some(by),
            Named::No => {
                let given = Some(self.request.caller.to_string());
                self.differences.push(Difference {
                    element,
                    wanted: principal::shown(value),
                    given,
                });
            }
            Named::Unknown(why) => self.doubt(Some(element), why),
        }
    }

    /// Names of actions are compared without case (`reference_policies_elements_action.html`).
    fn action(&mut self, not: bool, value: &Json) {
        let element = Element::Action { not };
        let given = self.request.action.clone();
        self.list(element, not, value, given, |it, given| {
            Ok(WildMatch::new_case_insensitive(it).matches(given))
        });
    }

    /// `*`, or an ARN with wildcards (`reference_policies_elements_resource.html`).
    fn resource(&mut self, not: bool, value: &Json) {
        let element = Element::Resource { not };
        let given = self.request.resource.clone();
        let variables = self.variables.then_some(self.request);
        self.list(element, not, value, given, |it, given| {
            let pattern = pattern(it, true, variables)?;
            if pattern.is_anything() { Ok(true) } else { pattern.matches_arn(given) }
        });
    }

    /// One of the texts is enough, or for a negated element none of them may match.
    fn list(
        &mut self,
        element: Element,
        not: bool,
        value: &Json,
        given: String,
        matches: impl Fn(&str, &str) -> Result<bool, Why>,
    ) {
        let texts: Option<Vec<&str>> = value.as_list().iter().map(Json::string).collect();
        let Some(texts) = texts.filter(|it| !it.is_empty()) else {
            let why = Why::Form("it is of a form that permitd does not know");
            return self.doubt(Some(element), why);
        };
        let mut unknown = None;
        let mut found = false;
        for it in &texts {
            match matches(it, &given) {
                Ok(it) => found |= it,
                Err(why) => unknown = unknown.or(Some(why)),
            }
        }
        match unknown {
            Some(why) if !found => self.doubt(Some(element), why),
            Some(_) | None if found == not => {
                let wanted = texts.into_iter().map(str::to_owned).collect();
                self.differences.push(Difference { element, wanted, given: Some(given) });
            }
            Some(_) | None => {}
        }
    }

    fn condition(&mut self, value: &Json) {
        let unknown = Why::Form("its conditions are of a form that permitd does not know");
        let Json::Object(operators) = value else { return self.doubt(None, unknown) };
        for (operator, keys) in operators {
            let Json::Object(keys) = keys else {
                self.doubt(None, unknown.clone());
                continue;
            };
            for (key, values) in keys {
                self.one_condition(operator, key, values);
            }
        }
    }

    fn one_condition(&mut self, operator: &str, key: &str, values: &Json) {
        let element = Element::Condition {
            operator: operator.to_owned(),
            key: key.to_owned(),
            not: condition::is_negated(operator),
        };
        match condition::holds(operator, key, values, self.request, self.variables) {
            Held::Yes => {}
            Held::Without => self.without.push(element),
            Held::No(given) => {
                let wanted = condition::scalars(values).unwrap_or_default();
                self.differences.push(Difference { element, wanted, given });
            }
            Held::Unknown(why) => self.doubt(Some(element), why),
        }
    }
}

/// Members of a name twice, of an unknown name, of both an element and its negation, or none of an element that every
/// statement of a resource policy has; and a key of a condition twice under one operator.
fn malformed(members: &[(String, Json)]) -> Option<&'static str> {
    if has_twins(members.iter().map(|(name, _)| name.clone())) {
        return Some("a member stands in it twice");
    }
    let has = |name: &str| members.iter().any(|(it, _)| it == name);
    let known =
        |name: &str| OTHERS.contains(&name) || ELEMENTS.iter().flatten().any(|it| *it == name);
    if !members.iter().all(|(name, _)| known(name)) {
        return Some("it has a member that permitd does not know");
    }
    for [element, negated] in ELEMENTS {
        match (has(element), has(negated)) {
            (true, true) => return Some("it has an element and its negation"),
            (false, false) => return Some("it has no principal, no action or no resource"),
            (true, false) | (false, true) => {}
        }
    }
    let condition = members.iter().find(|(name, _)| name == "Condition");
    let Some((_, Json::Object(operators))) = condition else { return None };
    let twice = has_twins(operators.iter().map(|(it, _)| it.clone()))
        || operators.iter().any(|(_, keys)| match keys {
            Json::Object(keys) => has_twins(keys.iter().map(|(it, _)| it.to_ascii_lowercase())),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                false
            }
        });
    twice.then_some("a condition stands in it twice")
}

fn has_twins(names: impl Iterator<Item = String>) -> bool {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.windows(2).any(|it| matches!(it, [a, b] if a == b))
}
