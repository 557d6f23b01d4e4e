//! What one statement says once its placeholders are filled: checked, and as terms at a target.

use std::borrow::Cow;
use std::sync::Arc;

use super::findings::Findings;
use crate::config::diagnostic::{Diagnostic, File};
use crate::config::permissions::{Condition, Statement};
use crate::config::placeholders::{self, FILLED, FILLED_LISTS, Values, Wrong};
use crate::config::walk::{Spot, Text};
use crate::drift::bridge::is_reserved;
use crate::policy::grant::{Draft, Permission, Problem, is_action, is_source_arn};
use crate::policy::size::{self, LIMIT};
use crate::policy::target::Target;
use crate::policy::terms::{Flaw, Part, Parts, Terms, Wide, WideDraft};

/// A statement that was found good, wherever it may stand in one partition.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Plain(Permission),
    /// It has a list, a condition or a Deny, though AddPermission may be able to say it.
    Parts(Box<Parts>),
}

/// What is another text at each target.
#[derive(Debug, Default)]
pub(super) struct Texts<'a> {
    keys: Vec<(&'static str, Cow<'a, str>)>,
    lists: Vec<(&'static str, Vec<Cow<'a, str>>)>,
    /// Of all conditions, in their order; empty where all of them say what they spell.
    values: Vec<Vec<Cow<'a, str>>>,
}

impl<'a> Texts<'a> {
    /// The text of a key, taken out.
    pub(super) fn take(&mut self, key: &str) -> Option<Cow<'a, str>> {
        let at = self.keys.iter().position(|(it, _)| *it == key)?;
        Some(self.keys.swap_remove(at).1)
    }
}

/// Every text in which placeholders mean something.
pub(super) fn texts<'s>(statement: &'s Statement<'_>) -> impl Iterator<Item = (&'s str, Spot)> {
    let keys = FILLED.iter().filter_map(|key| Some((statement.text(key)?, statement.spot_of(key))));
    let lists = FILLED_LISTS.iter().flat_map(|key| statement.list(key));
    let values = statement.conditions.iter().flat_map(|it| &it.values);
    keys.chain(lists.chain(values).map(|it| (it.text.as_ref(), it.spot)))
}

/// The texts as they are with these values, or what cannot be filled and where.
pub(super) fn fill<'a>(
    statement: &'a Statement<'a>,
    values: Values<'_>,
) -> Result<Texts<'a>, (Spot, Wrong)> {
    let one = |Text { text, spot }: &'a Text<'a>| {
        placeholders::fill(text, values).map_err(|it| (*spot, it))
    };
    let of_key = |key: &&'static str| {
        let text = placeholders::fill(statement.text(key)?, values);
        Some(text.map(|it| (*key, it)).map_err(|it| (statement.spot_of(key), it)))
    };
    let of_list = |key: &&'static str| {
        let items = statement.list(key);
        if items.is_empty() {
            return None;
        }
        let items: Result<Vec<Cow<'a, str>>, _> = items.iter().map(one).collect();
        Some(items.map(|it| (*key, it)))
    };
    let of_condition = |values: &'a [Text<'a>]| values.iter().map(one).collect();
    Ok(Texts {
        keys: FILLED.iter().filter_map(of_key).collect::<Result<_, _>>()?,
        lists: FILLED_LISTS.iter().filter_map(of_list).collect::<Result<_, _>>()?,
        values: statement
            .conditions
            .iter()
            .map(|it| of_condition(&it.values))
            .collect::<Result<_, _>>()?,
    })
}

/// What no policy can say goes to `report`, unless it was told while reading.
pub(super) fn check(
    file: &Arc<File>,
    statement: &Statement<'_>,
    texts: &Texts<'_>,
    partition: &str,
    report: &mut dyn FnMut(&'static str, Diagnostic),
) -> Option<Content> {
    let draft = draft(statement, texts);
    if is_reserved(draft.sid) {
        let message = format!("the sid `{}` is reserved for permitd's own bridges", draft.sid);
        let help = "a sid may not end in `-permitd-` and eight hex digits; choose another";
        report("bridge", statement.spot_of("sid").error(file, message).help(help));
    }
    let found = if statement.is_wide() {
        let checked = wide_draft(statement, texts, draft).check(partition);
        checked.map(|it| Content::Parts(Box::new(it)))
    } else {
        let flaw = |Problem { field, message }| Flaw { at: Part::Key(field), message, other: None };
        let checked = draft.check(partition);
        checked.map(Content::Plain).map_err(|it| it.into_iter().map(flaw).collect())
    };
    match found {
        Ok(it) => Some(it).filter(|_| statement.bad.is_empty()),
        Err(flaws) => {
            for it in flaws.into_iter().filter(|it| !is_told(statement, it.at)) {
                let Flaw { at, message, other } = it;
                let error = statement.spot_at(at).error(file, message);
                let error = match other.map(|it| statement.spot_at(it)) {
                    Some(first) => error.also(first.place(file), "it stands here first"),
                    None => error,
                };
                report(name_of(at), error);
            }
            None
        }
    }
}

/// While it was read somebody heard of it already.
fn is_told(statement: &Statement<'_>, at: Part) -> bool {
    let missing = |key: &str| statement.bad.contains(&key) && statement.text(key).is_none();
    match at {
        Part::Key(key) => {
            let by_action = ["function_url_auth_type", "invoked_via_function_url"].contains(&key);
            missing(key) || (by_action && missing("action"))
        }
        Part::Item(..) | Part::Condition(_) | Part::Value(..) => false,
    }
}

fn name_of(part: Part) -> &'static str {
    match part {
        Part::Key(it) | Part::Item(it, _) => it,
        Part::Condition(_) | Part::Value(..) => "conditions",
    }
}

/// What `texts` leave out says what it spells.
fn draft<'t>(statement: &'t Statement<'_>, texts: &'t Texts<'_>) -> Draft<'t> {
    let text = |key: &str| {
        let filled = texts.keys.iter().find(|(it, _)| *it == key).map(|(_, it)| it.as_ref());
        filled.or_else(|| statement.text(key))
    };
    Draft {
        sid: text("sid").unwrap_or_default(),
        principal: text("principal").unwrap_or_default(),
        action: text("action"),
        source_arn: text("source_arn"),
        source_account: text("source_account"),
        principal_org_id: text("principal_org_id"),
        event_source_token: text("event_source_token"),
        function_url_auth_type: text("function_url_auth_type"),
        invoked_via_function_url: statement.invoked_via_function_url.map(|(it, _)| it),
    }
}

fn wide_draft<'t>(
    statement: &'t Statement<'_>,
    texts: &'t Texts<'_>,
    single: Draft<'t>,
) -> WideDraft<'t> {
    let list = |key: &str| -> Vec<&'t str> {
        match texts.lists.iter().find(|(it, _)| *it == key) {
            Some((_, filled)) => filled.iter().map(AsRef::as_ref).collect(),
            None => statement.list(key).iter().map(|it| it.text.as_ref()).collect(),
        }
    };
    let condition = |(n, it): (usize, &'t Condition<'_>)| {
        let Condition { operator, key, values, spot: _ } = it;
        let values = match texts.values.get(n) {
            Some(filled) => filled.iter().map(AsRef::as_ref).collect(),
            None => values.iter().map(|it| it.text.as_ref()).collect(),
        };
        (operator.as_str(), key.as_str(), values)
    };
    WideDraft {
        single,
        denies: statement.denies.is_some(),
        principals: list("principals"),
        actions: list("actions"),
        source_arns: list("source_arns"),
        source_accounts: list("source_accounts"),
        conditions: statement.conditions.iter().enumerate().map(condition).collect(),
    }
}

impl Content {
    /// What it says at a target; none where that is too much, or where Lambda would refuse it there.
    pub(super) fn at(
        &self,
        target: &Target,
        (file, statement, sid): (&Arc<File>, &Statement<'_>, &str),
        findings: &mut Findings,
    ) -> Option<Terms> {
        let parts = match self {
            Self::Plain(it) => return Some(it.clone().into()),
            Self::Parts(it) => it,
        };
        let terms = Terms::of(parts, target);
        let mut refuse = |what, spot: Spot, message: String| {
            let message = format!("for {target}: {message}");
            findings.of_target(target, what, spot.error(file, message));
        };
        // What conditions say may be a key of AddPermission, which then takes it only as that.
        let draft = terms.plain().map(|it| it.draft(sid).check(target.partition()));
        if let Some(Err(problems)) = draft {
            for it in problems {
                refuse(it.field, statement.spot_of("conditions"), it.message);
            }
            return None;
        }
        let text = terms.statement_text(sid, target);
        let bytes = size::with(0, size::of_statement(&text));
        if bytes > LIMIT {
            let message = format!(
                "a policy of this statement alone has {bytes} bytes, and Lambda allows {LIMIT}"
            );
            refuse("size", statement.spot_of("sid"), message);
            return None;
        }
        Some(terms)
    }
}

/// What of a statement AddPermission cannot say, for people, and where it stands.
pub(super) fn widest(statement: &Statement<'_>, wide: &Wide) -> (String, Spot) {
    let Parts { denies, principals, actions, conditions } = wide.parts();
    if *denies {
        return ("`effect: deny`".to_owned(), statement.spot_of("effect"));
    }
    let values = |wanted: &str| {
        let (_, _, values) = conditions.iter().find(|(_, key, _)| key == wanted)?;
        Some(values.as_slice())
    };
    let arns = values("AWS:SourceArn").unwrap_or_default();
    let accounts = values("AWS:SourceAccount").unwrap_or_default();
    let causes = [
        ("principals", principals.len() > 1),
        ("actions", actions.len() > 1 || actions.iter().any(|it| !is_action(&it.0))),
        ("source_arns", arns.len() > 1 || arns.iter().any(|it| !is_source_arn(it))),
        ("source_accounts", accounts.len() > 1),
    ];
    let cause = causes.into_iter().find(|(key, it)| *it && !statement.list(key).is_empty());
    let key = cause.map_or("conditions", |(key, _)| key);
    (format!("what `{key}` says"), statement.spot_of(key))
}
