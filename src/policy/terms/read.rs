//! From a live statement to the parts that a file can say.

use crate::policy::{
    canonical::Canonical,
    grant::{Action, as_lambda_action},
    json::Json,
    principal::Principal,
    target::Target,
    terms::{Parts, Terms, operators},
};

impl Parts {
    /// What a live statement of this target's policy says; none where it says anything that a file cannot.
    pub fn read(text: &str, target: &Target) -> Option<Self> {
        let json = Json::parse(text)?;
        let Json::Object(members) = &json else { return None };
        let mut res = Self::default();
        for (key, value) in members {
            match key.as_str() {
                "Sid" => {}
                "Effect" => res.denies = denies(value)?,
                "Principal" => res.principals = principals(value, target.partition())?,
                "Action" => res.actions = actions(value)?,
                "Resource" => only_here(value, target)?,
                "Condition" => res.conditions = conditions(value)?,
                _ => return None,
            }
        }
        let sid = "x";
        let res = res.draft(sid).check(target.partition()).ok()?;
        // What was passed over or taken for something else is seen here.
        let text = Terms::of(&res, target).statement_text(sid, target);
        let content = Canonical::of(&json, target.partition());
        let same = Canonical::of_text(&text, target.partition()) == content;
        (same && content.plain().is_some()).then_some(res)
    }
}

fn denies(value: &Json) -> Option<bool> {
    match value.string()? {
        "Allow" => Some(false),
        "Deny" => Some(true),
        _ => None,
    }
}

fn principals(value: &Json, partition: &str) -> Option<Vec<Principal>> {
    let Json::Object(kinds) = value else {
        return Some(vec![Principal::of_aws(value.string()?, partition)?]);
    };
    let mut res = Vec::new();
    for (kind, values) in kinds {
        for it in values.as_list() {
            let text = it.scalar()?;
            let one = match kind.as_str() {
                "AWS" => Principal::of_aws(&text, partition)?,
                "Service" => Principal::of_service(&text)?,
                _ => return None,
            };
            if !res.contains(&one) {
                res.push(one);
            }
        }
    }
    Some(res)
}

fn actions(value: &Json) -> Option<Vec<Action>> {
    let mut res: Vec<Action> = Vec::new();
    for it in value.as_list() {
        let one = Action(as_lambda_action(it.string()?));
        if !res.contains(&one) {
            res.push(one);
        }
    }
    Some(res)
}

fn only_here(value: &Json, target: &Target) -> Option<()> {
    let arn = target.arn();
    value.as_list().iter().all(|it| it.string() == Some(&arn)).then_some(())
}

fn conditions(value: &Json) -> Option<Vec<(String, String, Vec<String>)>> {
    let Json::Object(operators) = value else { return None };
    let mut res = Vec::new();
    for (operator, keys) in operators {
        let operator = operators::spelled(operator)?;
        let Json::Object(keys) = keys else { return None };
        for (key, values) in keys {
            if !super::is_condition_key(key) {
                return None;
            }
            let mut texts: Vec<String> = Vec::new();
            for it in values.as_list() {
                let text = it.scalar()?;
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            if texts.is_empty() {
                return None;
            }
            res.push((operator.clone(), key.clone(), texts));
        }
    }
    Some(res)
}

#[cfg(test)]
mod tests;
