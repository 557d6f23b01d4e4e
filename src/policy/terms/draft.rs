//! What a file says beyond AddPermission, before anything was checked; and the checks.

use std::collections::BTreeMap;

use crate::policy::{
    canonical::operator_name,
    grant::{
        Action, DEFAULT_ACTION, Draft, INVOKE_URL, is_wide_action, is_wide_source_arn,
        wide_source_arn_problem,
    },
    principal::Principal,
    target::check_account,
    terms::{Parts, operators},
};

/// A statement with lists, conditions or a Deny, as a file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WideDraft<'a> {
    /// The keys that take one value; empty where the list beside it is not.
    pub single: Draft<'a>,
    /// `effect: deny`
    pub denies: bool,
    /// `principals`
    pub principals: Vec<&'a str>,
    /// `actions`
    pub actions: Vec<&'a str>,
    /// `source_arns`
    pub source_arns: Vec<&'a str>,
    /// `source_accounts`
    pub source_accounts: Vec<&'a str>,
    /// `conditions`: operators of IAM, condition keys, and at least one value each.
    pub conditions: Vec<(&'a str, &'a str, Vec<&'a str>)>,
}

/// One thing in a draft that no policy can say, or that could never hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Which part of the statement it is about.
    pub at: Part,
    /// What is wrong and what to do.
    pub message: String,
    /// The part that stands against it.
    pub other: Option<Part>,
}

/// A part of a statement of a file. What is counted is counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A key.
    Key(&'static str),
    /// An item of the list under a key.
    Item(&'static str, usize),
    /// One of the `conditions`.
    Condition(usize),
    /// One of the values of one of the `conditions`.
    Value(usize, usize),
}

const ACCOUNT: (&str, &str) = ("StringEquals", "AWS:SourceAccount");
const ARN: (&str, &str) = ("ArnLike", "AWS:SourceArn");

/// Operator, key, values, and where in the statement they stand.
type Conditions<'a> = Vec<(Part, (&'a str, &'a str), Vec<&'a str>)>;

impl WideDraft<'_> {
    /// Finds everything that is wrong. `partition` is the function's own.
    pub fn check(&self, partition: &str) -> Result<Parts, Vec<Flaw>> {
        let mut flaws = Vec::new();
        self.check_single(partition, &mut flaws);
        let principals = self.principals(partition, &mut flaws);
        let actions = self.actions(&mut flaws);
        for (key, items, wrong) in [
            ("source_arns", &self.source_arns, wrong_arn as Check),
            ("source_accounts", &self.source_accounts, wrong_account),
        ] {
            for (n, it) in items.iter().enumerate() {
                flaws.extend(wrong(it).map(|message| Flaw::of(Part::Item(key, n), message)));
            }
            let twice = twice(items.iter().copied());
            flaws.extend(twice.map(|(n, first)| Flaw::twice(key, items, n, first)));
        }
        let conditions = self.all_conditions();
        self.check_values(&mut flaws);
        check_keys(&conditions, &mut flaws);
        if flaws.is_empty() {
            let conditions = grouped(&conditions);
            Ok(Parts { denies: self.denies, principals, actions, conditions })
        } else {
            Err(flaws)
        }
    }

    /// The keys that take one value are checked as those of any statement.
    fn check_single(&self, partition: &str, flaws: &mut Vec<Flaw>) {
        let Self { single, principals, actions, .. } = self;
        let of_url = single.function_url_auth_type.is_some();
        let wanted = if of_url { INVOKE_URL } else { DEFAULT_ACTION };
        // A condition on the way of the call has to hold for each of the actions.
        let other = actions.iter().find(|it| !it.eq_ignore_ascii_case(wanted));
        let single = Draft {
            principal: if principals.is_empty() { single.principal } else { "*" },
            action: other.or(actions.first()).copied().or(single.action),
            ..*single
        };
        let problems = single.check(partition).err().unwrap_or_default();
        let told = |field: &str| field == "action" && !actions.is_empty();
        let own = problems.into_iter().filter(|it| !told(it.field));
        flaws.extend(own.map(|it| Flaw::of(Part::Key(it.field), it.message)));
    }

    fn principals(&self, partition: &str, flaws: &mut Vec<Flaw>) -> Vec<Principal> {
        let Self { principals, single, .. } = self;
        if principals.is_empty() {
            return Principal::parse(single.principal, partition).into_iter().collect();
        }
        let key = "principals";
        let mut res = Vec::new();
        for (n, text) in principals.iter().enumerate() {
            match Principal::parse(text, partition) {
                Ok(Principal::Anyone) if principals.len() > 1 => {
                    let message = "`*` is anyone, so nobody can stand beside it";
                    flaws.push(Flaw::of(Part::Item(key, n), message.to_owned()));
                }
                Ok(it) => res.push((n, it)),
                Err(error) => flaws.push(Flaw::of(Part::Item(key, n), error.to_string())),
            }
        }
        let place = |it: usize| res.get(it).map_or(it, |it| it.0);
        let twice = twice(res.iter().map(|(_, it)| it));
        flaws.extend(twice.map(|(n, first)| Flaw::twice(key, principals, place(n), place(first))));
        res.into_iter().map(|(_, it)| it).collect()
    }

    fn actions(&self, flaws: &mut Vec<Flaw>) -> Vec<Action> {
        let Self { actions, single, .. } = self;
        if actions.is_empty() {
            return vec![Action(single.action.unwrap_or(DEFAULT_ACTION).to_owned())];
        }
        for (n, it) in actions.iter().enumerate().filter(|(_, it)| !is_wide_action(it)) {
            let message = format!(
                "`{it}` is not an action of Lambda; one looks like {DEFAULT_ACTION} or lambda:Get*"
            );
            flaws.push(Flaw::of(Part::Item("actions", n), message));
        }
        let twice = twice(actions.iter().map(|it| it.to_ascii_lowercase()));
        flaws.extend(twice.map(|(n, first)| Flaw::twice("actions", actions, n, first)));
        actions.iter().map(|it| Action((*it).to_owned())).collect()
    }

    fn check_values(&self, flaws: &mut Vec<Flaw>) {
        for (n, (operator, key, values)) in self.conditions.iter().enumerate() {
            for (at, it) in values.iter().enumerate() {
                let wrong = operators::problem_of(operator, it);
                flaws.extend(wrong.map(|message| Flaw::of(Part::Value(n, at), message)));
            }
            flaws.extend(twice(values.iter().copied()).map(|(at, first)| Flaw {
                at: Part::Value(n, at),
                message: format!("the same value stands under `{key}` twice"),
                other: Some(Part::Value(n, first)),
            }));
        }
    }

    /// Those that have a key of their own stand first, as AddPermission orders them.
    fn all_conditions(&self) -> Conditions<'_> {
        let Self { single, source_arns, source_accounts, conditions, .. } = self;
        let mut res = Vec::new();
        let mut add = |key: &'static str, of: (&'static str, &'static str), value: Option<_>| {
            res.extend(value.map(|it| (Part::Key(key), of, vec![it])));
        };
        let equals = |key| ("StringEquals", key);
        add("source_account", ACCOUNT, single.source_account);
        let auth = single.function_url_auth_type;
        add("function_url_auth_type", equals("lambda:FunctionUrlAuthType"), auth);
        add("principal_org_id", equals("aws:PrincipalOrgID"), single.principal_org_id);
        add("event_source_token", equals("lambda:EventSourceToken"), single.event_source_token);
        add("source_arn", ARN, single.source_arn);
        let via = single.invoked_via_function_url.filter(|it| *it).map(|_| "true");
        add("invoked_via_function_url", ("Bool", "lambda:InvokedViaFunctionUrl"), via);
        let lists =
            [("source_accounts", ACCOUNT, source_accounts), ("source_arns", ARN, source_arns)];
        for (key, of, values) in lists.into_iter().filter(|it| !it.2.is_empty()) {
            res.push((Part::Key(key), of, values.clone()));
        }
        let own = conditions.iter().enumerate();
        res.extend(own.map(|(n, (operator, key, values))| {
            (Part::Condition(n), (*operator, *key), values.clone())
        }));
        res
    }
}

impl Parts {
    /// The statement of a file that says exactly this.
    pub(super) fn draft<'a>(&'a self, sid: &'a str) -> WideDraft<'a> {
        let Self { denies, principals, actions, conditions } = self;
        let condition = |(operator, key, values): &'a (String, String, Vec<String>)| {
            let values = values.iter().map(String::as_str).collect();
            (operator.as_str(), key.as_str(), values)
        };
        WideDraft {
            single: Draft { sid, ..Draft::default() },
            denies: *denies,
            principals: principals.iter().map(Principal::parameter).collect(),
            actions: actions.iter().map(|it| it.0.as_str()).collect(),
            conditions: conditions.iter().map(condition).collect(),
            ..WideDraft::default()
        }
    }
}

impl Flaw {
    fn of(at: Part, message: String) -> Self {
        Self { at, message, other: None }
    }

    fn twice(key: &'static str, items: &[&str], n: usize, first: usize) -> Self {
        let text = items.get(n).copied().unwrap_or_default();
        Self {
            at: Part::Item(key, n),
            message: format!("`{text}` stands in `{key}` twice"),
            other: Some(Part::Item(key, first)),
        }
    }
}

/// Two conditions that IAM takes for one: the values of which are meant?
fn check_keys(conditions: &Conditions<'_>, flaws: &mut Vec<Flaw>) {
    let name = |(part, (operator, key), _): &(Part, (&str, &str), Vec<&str>)| match part {
        Part::Key(it) | Part::Item(it, _) => format!("`{it}`"),
        Part::Condition(_) | Part::Value(..) => format!("`{operator}: {key}`"),
    };
    let folded = |(_, (operator, key), _): &(Part, (&str, &str), Vec<&str>)| {
        (operator_name(operator), key.to_ascii_lowercase())
    };
    flaws.extend(twice(conditions.iter().map(folded)).filter_map(|(n, first)| {
        let (later, first) = (conditions.get(n)?, conditions.get(first)?);
        let (a, b) = (name(first), name(later));
        let message = format!(
            "{a} and {b} are the same condition, which a statement can have once; write all values in one of them"
        );
        Some(Flaw { at: later.0, message, other: Some(first.0) })
    }));
}

/// By operator, in the order in which they stand.
fn grouped(conditions: &Conditions<'_>) -> Vec<(String, String, Vec<String>)> {
    let mut order: Vec<&str> = Vec::new();
    for (_, (operator, _), _) in conditions {
        if !order.contains(operator) {
            order.push(operator);
        }
    }
    let place = |it: &str| order.iter().position(|known| *known == it);
    let mut sorted: Vec<_> = conditions.iter().collect();
    sorted.sort_by_key(|(_, (operator, _), _)| place(operator));
    let owned = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect();
    let condition = |(_, (operator, key), values): &(Part, (&str, &str), Vec<&str>)| {
        ((*operator).to_owned(), (*key).to_owned(), owned(values))
    };
    sorted.into_iter().map(condition).collect()
}

/// The places of what was there before, each with the place where it was first.
fn twice<T: Ord>(items: impl Iterator<Item = T>) -> impl Iterator<Item = (usize, usize)> {
    let mut first: BTreeMap<T, usize> = BTreeMap::new();
    let mut res = Vec::new();
    for (n, it) in items.enumerate() {
        match first.get(&it) {
            Some(at) => res.push((n, *at)),
            None => drop(first.insert(it, n)),
        }
    }
    res.into_iter()
}

type Check = fn(&str) -> Option<String>;

fn wrong_arn(text: &str) -> Option<String> {
    (!is_wide_source_arn(text)).then(|| wide_source_arn_problem(text))
}

fn wrong_account(text: &str) -> Option<String> {
    check_account(text).err().map(|it| it.to_string())
}
