//! Properties of the writer of whole documents.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use permitd::{
    drift::{
        allow::{Replace, Rules, Writer},
        plan::{Action, Clearance, Decisions, Memory, Plan, plan},
        wanted::{AbsentSid, Wanted},
    },
    policy::{
        compact::{self, List, Place},
        document::Document,
        grant::{self, Grant, Permission},
        principal::Principal,
        statement::Statement,
        terms::{Parts, Terms},
    },
};
use proptest::{collection::vec, option, prelude::*, sample::Index};
use serde_json::value::RawValue;

use crate::properties::{json, live_statement, ownership, source, target};

/// Few values, so that many are alike but for one of them.
pub(crate) fn permission() -> impl Strategy<Value = Permission> {
    let principal = prop_oneof![
        1 => Just(Principal::Anyone),
        3 => prop_oneof![Just("123456789012"), Just("210987654321")]
            .prop_map(|it| Principal::Account(it.into())),
        2 => prop_oneof![Just("a"), Just("b")]
            .prop_map(|it| Principal::Iam(format!("arn:aws:iam::123456789012:role/{it}"))),
        4 => prop_oneof![Just("s3"), Just("sns")]
            .prop_map(|it| Principal::Service(format!("{it}.amazonaws.com"))),
    ];
    let action = prop_oneof![
        6 => Just("lambda:InvokeFunction"),
        1 => Just("lambda:invokefunction"),
        1 => Just("lambda:GetFunction"),
    ];
    (principal, action, option::of("arn:aws:s3:::[ab]"), option::of("[01]{12}")).prop_map(
        |(principal, action, source_arn, account)| Permission {
            principal,
            action: grant::Action(action.into()),
            source_arn,
            source_account: account.map(|it| it[..1].repeat(12)),
            principal_org_id: None,
            event_source_token: None,
            function_url_auth_type: None,
            invoked_via_function_url: false,
        },
    )
}

pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    (permission(), 0..10).prop_map(|(it, kind)| {
        let parts = Parts::of(&it);
        let parts = match kind {
            0 => Parts { denies: true, ..parts },
            1 => {
                let mut actions = parts.actions;
                actions.push(grant::Action("lambda:ListTags".into()));
                Parts { actions, ..parts }
            }
            2 => {
                let mut conditions = parts.conditions;
                let values = vec!["vpc-1".into(), "vpc-2".into()];
                conditions.push(("StringNotEquals".into(), "aws:SourceVpc".into(), values));
                Parts { conditions, ..parts }
            }
            _ => return it.into(),
        };
        Terms::of(&parts, &target())
    })
}

pub(crate) fn wanted() -> impl Strategy<Value = Wanted> {
    let grants = vec(("[a-e]", terms(), 0..12), 0..6).prop_map(|all| {
        let mut res: BTreeMap<String, Grant> = BTreeMap::new();
        for (sid, terms, expires) in all {
            let expires = (expires == 0).then_some(Timestamp::UNIX_EPOCH);
            let (accept, description, rule) = (Vec::new(), None, None);
            let source = source();
            res.insert(
                sid.clone(),
                Grant { sid, terms, expires, accept, description, source, rule },
            );
        }
        res.into_values().collect::<Vec<_>>()
    });
    let writer = prop_oneof![3 => Just(Writer::Document), 1 => Just(Writer::Auto)];
    (grants, ownership(), vec("[fg]", 0..2), writer, any::<bool>()).prop_map(
        |(grants, ownership, mut absent, writer, compact)| {
            absent.dedup();
            let absent = absent.into_iter().map(|sid| AbsentSid { sid, source: source() });
            Wanted {
                target: target(),
                ownership,
                grants,
                absent: absent.collect(),
                suspend: false,
                replace: Replace::default(),
                writer,
                compact,
                source: source(),
            }
        },
    )
}

/// The statements of a live policy: what is wanted, as it is or in lists, and whatever else.
#[derive(Debug, Clone)]
struct Live {
    wanted: Wanted,
    statements: Vec<String>,
    /// Between the values, and what else the document says.
    space: String,
    others: Vec<(String, String)>,
    is_there: bool,
}

fn live() -> impl Strategy<Value = Live> {
    let space = prop_oneof![Just(""), Just(" "), Just("\n  ")];
    let others = vec(("[A-Z][a-z]{1,3}", json()), 0..3);
    let others_of = (vec(live_statement(), 0..5), vec(("[a-g]", terms()), 0..3));
    let lists = vec(permission(), 0..6);
    (wanted(), others_of, lists, vec(any::<Index>(), 12), space, others, 0..10).prop_map(
        |(wanted, (odd, same), lists, places, space, others, is_there)| {
            let target = target();
            let mut statements = odd;
            statements.extend(same.iter().map(|(sid, it)| it.statement_text(sid, &target)));
            for (n, grant) in wanted.grants.iter().enumerate() {
                if places[n].index(3) > 0 {
                    let at = places[n].index(statements.len() + 1);
                    statements.insert(at, grant.terms.statement_text(&grant.sid, &target));
                }
            }
            let plain: Vec<Permission> =
                wanted.grants.iter().filter_map(|it| it.terms.plain().cloned()).collect();
            let members: Vec<Permission> = lists.into_iter().chain(plain).collect();
            if is_there > 4 {
                statements.extend(lists_of(&members).into_iter().map(|(place, members)| {
                    compact::statement_text(&place, &members.iter().collect::<Vec<_>>(), &target)
                }));
            }
            let known = ["Statement", "Version"];
            let mut unique: BTreeMap<String, String> = others.into_iter().collect();
            unique.retain(|key, _| !known.contains(&key.as_str()));
            let others = unique.into_iter().collect();
            let is_there = is_there > 0 && !statements.is_empty();
            Live { wanted, statements, space: space.to_owned(), others, is_there }
        },
    )
}

pub(crate) fn lists_of(permissions: &[Permission]) -> BTreeMap<Place, Vec<Permission>> {
    let all: Vec<&Permission> = permissions.iter().collect();
    let mut res: BTreeMap<Place, Vec<Permission>> = BTreeMap::new();
    for (place, it) in compact::places(&all, &target(), "").into_iter().zip(permissions) {
        if let Some(place) = place {
            res.entry(place).or_default().push(it.clone());
        }
    }
    res
}

impl Live {
    fn text(&self) -> Option<String> {
        let Self { statements, space, others, .. } = self;
        let list = statements.join(&format!("{space},{space}"));
        let others = others.iter().map(|(key, it)| format!("\"{key}\"{space}:{it}{space},"));
        let others: String = others.collect();
        let text = format!(
            "{{{space}\"Version\":\"2012-10-17\",{others}{space}\"Statement\":{space}[{list}]}}"
        );
        self.is_there.then_some(text)
    }
}

pub(crate) fn document(text: &str) -> Document {
    Document::parse(text.to_owned(), "r".into(), &target()).unwrap()
}

fn texts(document: &Document) -> Vec<&str> {
    document.statements().iter().map(Statement::text).collect()
}

/// Everything but the statements, byte for byte.
fn outer(text: &str) -> Vec<(String, String)> {
    let all: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
    let others = all.into_iter().filter(|(key, _)| key != "Statement");
    others.map(|(key, it)| (key, it.get().to_owned())).collect()
}

/// What nothing is done about stands in the new document byte for byte and in its order.
fn keeps(plan: &Plan, before: &str, after: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(outer(before), outer(after));
    let (before, after) = (document(before), document(after));
    let held: Vec<&Statement> =
        plan.holds().filter_map(|(it, _)| it.drift.before.as_ref()).collect();
    let stays = |text: &&str| {
        let untouched = plan.foreign.iter().chain(&plan.ignored).chain(held.iter().copied());
        let mut here = untouched.filter(|it| it.listed_in().is_none());
        here.any(|it| it.text() == *text)
    };
    // Of two with the very same text one may be there for another reason.
    let twice = |text: &str| texts(&before).into_iter().filter(|it| *it == text).count() > 1;
    let mut left = texts(&after).into_iter();
    for text in texts(&before).into_iter().filter(stays).filter(|it| !twice(it)) {
        prop_assert!(left.any(|it| it == text), "{text} is gone, or out of its order");
    }
    for it in held {
        let (Some(list), Some(member)) = (it.listed_in(), it.permission()) else { continue };
        let of_list = |it: &Statement| {
            let found = compact::read(list, it.text(), &target());
            it.sid() == Some(list) && found.is_some_and(|it| it.members.contains(member))
        };
        prop_assert!(after.statements().iter().any(of_list), "{} is gone from its list", it.text());
    }
    Ok(())
}

/// It stands under its own Sid, or in a list.
fn stands(grant: &Grant, document: &Document) -> bool {
    document.statements().iter().any(|it| {
        let list = it.sid().and_then(|sid| compact::read(sid, it.text(), &target()));
        let member = |list: List| {
            let same = |it: &Permission| Some(it) == grant.terms.plain();
            list.members.iter().any(same)
        };
        (it.sid() == Some(grant.sid.as_str()) && it.says(&grant.terms)) || list.is_some_and(member)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_document_is_right_after_one_write_and_everything_else_stays(
        live in live(),
        remove_inexpressible in any::<bool>(),
    ) {
        let (wanted, target) = (&live.wanted, target());
        let rules = Rules { remove_inexpressible, deny_risks: Vec::new(), ..Rules::default() };
        let decisions = Decisions { clearance: Clearance::Free, ..Decisions::default() };
        let memory = Memory { decisions, ..Memory::default() };
        let now = Timestamp::UNIX_EPOCH;
        let of = |text: Option<&String>| {
            plan(wanted, text.map(|it| document(it)).as_ref(), &rules, &memory, now)
        };
        let mut text = live.text();
        let (mut n_writes, mut n_puts) = (0, 0);
        // Of several statements of one Sid, which no call of Lambda makes, those that expire go one by one.
        let sids: BTreeSet<Option<String>> = live.statements.iter().map(|it| {
            Statement::read(it, &target).sid().map(str::to_owned)
        }).collect();
        let twins = live.statements.len() - sids.len();
        loop {
            let plan = of(text.as_ref());
            let Some(step) = plan.steps.first() else {
                prop_assert!(plan.drift.iter().all(|it| it.held.is_some()), "{:?}", plan.drift);
                break;
            };
            n_writes += 1;
            let next = match (&step.action, &text) {
                (Action::Put(_), Some(before)) => {
                    n_puts += 1;
                    let next = plan.whole.clone().unwrap().text;
                    if let Some(after) = &next {
                        keeps(&plan, before, after)?;
                        let (before, after) = (document(before), document(after));
                        prop_assert_ne!(texts(&before), texts(&after));
                    } else {
                        let stays = plan.foreign.len() + plan.ignored.len() + plan.holds().count();
                        prop_assert_eq!(stays, 0, "a policy is deleted that something stays in");
                    }
                    next
                }
                (Action::Put(_), None) => panic!("a document is put where there is none"),
                (Action::Add(permission), before) => {
                    let added = permission.statement_text(&step.sid, &target);
                    let empty = r#"{"Version":"2012-10-17","Id":"default","Statement":[]}"#;
                    let before = before.as_deref().unwrap_or(empty);
                    Some(document(before).with_statement(&added))
                }
                (Action::Remove, before) => {
                    let before = document(before.as_ref().unwrap());
                    let stays = |it: &&Statement| it.sid() != Some(step.sid.as_str());
                    let left: Vec<&str> =
                        before.statements().iter().filter(stays).map(Statement::text).collect();
                    (!left.is_empty()).then(|| before.with_statements(left))
                }
            };
            text = next;
            let most = if wanted.writer == Writer::Document { 3 + twins } else { 20 };
            prop_assert!(n_writes <= most, "no end in sight after {n_writes} writes: {text:?}");
        }
        if wanted.writer == Writer::Document {
            prop_assert!(n_puts <= 2 + twins, "{n_puts} documents");
        }
        let last = of(text.as_ref());
        let empty = r#"{"Statement":[]}"#;
        let there = document(text.as_deref().unwrap_or(empty));
        for grant in wanted.grants.iter().filter(|it| it.expires.is_none()) {
            let differs = last.drift.iter().any(|it| it.drift.sid.as_ref() == Some(&grant.sid));
            prop_assert!(differs || stands(grant, &there), "{} does not stand", grant.sid);
        }
    }
}
