//! The small worlds: what is wanted of a policy, and how it stands at first.

use jiff::Timestamp;
use permitd::drift::allow::{Ownership, Replace, Writer};
use permitd::drift::bridge::bridge_sid;
use permitd::drift::wanted::{AbsentSid, Wanted};
use permitd::policy::grant::{self, Grant, Permission};
use permitd::policy::principal::Principal;
use permitd::policy::source::Source;
use permitd::policy::target::{Defaults, Target};

use self::Size::{Large, Middling, Small};
use super::lambda::{At, Policy};

/// A row of the table. `a=A` is content A under the Sid a, `a~` is the bridge of a, `a=A!` has expired,
/// `-z` is a Sid that is wanted absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) size: Size,
    wanted: &'static str,
    owns_all: bool,
    direct: bool,
    live: &'static str,
}

/// How many states it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Middling,
    Large,
}

const fn all(size: Size, name: &'static str, wanted: &'static str, live: &'static str) -> Row {
    Row { name, size, wanted, owns_all: true, direct: false, live }
}

const fn declared(size: Size, name: &'static str, wanted: &'static str, live: &'static str) -> Row {
    Row { name, size, wanted, owns_all: false, direct: false, live }
}

pub(super) const CHANGED: Row = declared(Middling, "changed, by a bridge", "a=A", "a=O");
const DIRECT: Row = Row { direct: true, size: Small, name: "changed, direct", ..CHANGED };
pub(super) const FOREIGN: Row =
    declared(Middling, "three statements, one foreign", "a=A b=B", "f=C a=O b=B");

pub(super) const ROWS: &[Row] = &[
    DIRECT,
    all(Small, "missing and unmanaged", "a=A", "u=N"),
    all(Small, "no policy at all", "a=A b=B", ""),
    all(Small, "renamed", "a=A", "z=A"),
    all(Small, "duplicate", "a=A", "a=A z=A"),
    all(Small, "a bridge alone", "a=A", "a~=A"),
    all(Small, "a bridge of nothing wanted", "a=A", "a=A u~=N"),
    declared(Small, "replaced: the bridge stands", "a=A", "a=O a~=A"),
    declared(Small, "replaced: the new one stands too", "a=A", "a~=A a=A"),
    all(Small, "two grants with one content", "a=A b=A", "a=O b=A"),
    declared(Small, "expired", "a=A e=B!", "a=A e=B"),
    declared(Small, "expired, and wanted under another Sid", "a=A e=A!", "e=A"),
    declared(Small, "absent", "a=A -z", "a=A z=N"),
    declared(Small, "absent, and wanted under another Sid", "a=A -z", "z=A"),
    all(Small, "unmanaged, and what replaces another", "a=A", "a=O z=A"),
    CHANGED,
    FOREIGN,
    declared(Middling, "replaced: the bridge is of another content", "a=A", "a=O a~=N"),
    all(Middling, "two grants with one content, both changed", "a=A b=A", "a=O b=N"),
    declared(Middling, "absent, and what replaces another", "a=A -z", "a=O z=A"),
    all(Middling, "one in the place of another", "a=A b=B", "a=B"),
    all(Large, "one in the place of another that is changed", "a=A b=B", "a=B b=N"),
    all(Large, "two that changed places", "a=A b=B", "a=B b=A"),
    all(Large, "three in a ring", "a=A b=B c=C", "a=B b=C c=A"),
];

/// A world that can be walked.
#[derive(Debug)]
pub(super) struct World {
    pub(super) name: &'static str,
    pub(super) wanted: Wanted,
    pub(super) first: Policy,
    /// The grants that are wanted now, sorted.
    pub(super) grants: Vec<(At, At)>,
    sids: Vec<String>,
    pub(super) foreign: At,
    pub(super) odd: At,
}

/// What another writer writes: a statement of his own, and a content that nobody wants.
const OTHERS: &str = "x=M";

pub(super) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

impl World {
    pub(super) fn of(row: &Row) -> Self {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let target = Target::parse(arn, None, &Defaults::default()).unwrap();
        let source = Source { file: "p.yaml".into(), line: 1, column: 1 };
        let words = |text: &'static str| text.split_whitespace();
        let mut grants = Vec::new();
        let mut absent = Vec::new();
        for word in words(row.wanted) {
            let Some((sid, content)) = word.split_once('=') else {
                let sid = word.trim_start_matches('-').to_owned();
                absent.push(AbsentSid { sid, source: source.clone() });
                continue;
            };
            grants.push(Grant {
                sid: sid.to_owned(),
                terms: permission(letter(content)).into(),
                expires: content.ends_with('!').then_some(Timestamp::UNIX_EPOCH),
                accept: Vec::new(),
                description: None,
                source: source.clone(),
                rule: None,
            });
        }
        let mut sids: Vec<String> = Vec::new();
        let declared =
            grants.iter().map(|it| it.sid.clone()).chain(absent.iter().map(|it| it.sid.clone()));
        let live = words(row.live).chain(words(OTHERS)).filter_map(|it| it.split_once('='));
        for sid in declared.chain(live.map(|it| it.0.trim_end_matches('~').to_owned())) {
            for sid in [bridge_sid(&target, &sid), sid] {
                if !sids.contains(&sid) {
                    sids.push(sid);
                }
            }
        }
        let at = |sid: &str| u8::try_from(sids.iter().position(|it| it == sid).unwrap()).unwrap();
        let live = words(row.live).filter_map(|it| it.split_once('='));
        let first = Policy::of(live.map(|it| (at(&full_sid(it.0, &target)), letter(it.1))));
        let foreign = at("x");
        let live_grants = grants.iter().filter(|it| it.expires.is_none());
        let mut of_grants: Vec<(At, At)> =
            live_grants.map(|it| (at(&it.sid), content(it.terms.plain().unwrap()))).collect();
        of_grants.sort_unstable();
        Self {
            name: row.name,
            wanted: Wanted {
                target,
                ownership: if row.owns_all { Ownership::All } else { Ownership::Declared },
                grants,
                absent,
                suspend: false,
                replace: if row.direct { Replace::Direct } else { Replace::Bridge },
                writer: Writer::Statements,
                compact: false,
                source,
            },
            first,
            grants: of_grants,
            sids,
            foreign,
            odd: letter("M"),
        }
    }

    pub(super) fn sid(&self, at: At) -> &str {
        &self.sids[usize::from(at)]
    }

    pub(super) fn at(&self, sid: &str) -> At {
        let at = self.sids.iter().position(|it| it == sid);
        u8::try_from(at.unwrap_or_else(|| panic!("{sid} is not of this world"))).unwrap()
    }

    /// Ours to change, by what the files say alone.
    pub(super) fn owns(&self, at: At) -> bool {
        let sid = self.sid(at);
        let Wanted { ownership, grants, absent, target, .. } = &self.wanted;
        let mut declared = grants.iter().map(|it| &it.sid).chain(absent.iter().map(|it| &it.sid));
        *ownership == Ownership::All
            || declared.any(|it| it == sid || bridge_sid(target, it) == sid)
    }

    /// Its statements may be away for a moment.
    pub(super) fn is_direct(&self) -> bool {
        self.wanted.replace == Replace::Direct
    }

    /// What is ours is exactly what is wanted.
    pub(super) fn is_right(&self, policy: Policy) -> bool {
        let mut ours: Vec<_> = policy.iter().filter(|it| self.owns(it.0)).collect();
        ours.sort_unstable();
        ours == self.grants
    }

    /// What is none of ours, in its order.
    pub(super) fn foreign(&self, policy: Policy) -> Vec<(At, At)> {
        policy.iter().filter(|it| !self.owns(it.0)).collect()
    }

    /// `GetPolicy`'s text.
    pub(super) fn text(&self, policy: Policy) -> String {
        let statements: Vec<String> = policy
            .iter()
            .map(|(sid, content)| {
                permission(content).statement_text(self.sid(sid), &self.wanted.target)
            })
            .collect();
        format!(
            r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#,
            statements.join(",")
        )
    }

    /// For people.
    pub(super) fn show(&self, policy: Policy) -> String {
        let word = |(sid, content)| format!("{}={}", self.sid(sid), char::from(b'A' + content));
        let words: Vec<String> = policy.iter().map(word).collect();
        format!("[{}]", words.join(" "))
    }
}

fn full_sid(short: &str, target: &Target) -> String {
    short.strip_suffix('~').map_or_else(|| short.to_owned(), |it| bridge_sid(target, it))
}

/// A to P.
fn letter(content: &str) -> At {
    content.as_bytes()[0] - b'A'
}

/// Each content lets in another account.
fn permission(content: At) -> Permission {
    Permission {
        principal: Principal::Account(format!("{:012}", u32::from(content) + 1)),
        action: grant::Action("lambda:InvokeFunction".into()),
        source_arn: None,
        source_account: None,
        principal_org_id: None,
        event_source_token: None,
        function_url_auth_type: None,
        invoked_via_function_url: false,
    }
}

pub(super) fn content(permission: &Permission) -> At {
    u8::try_from(permission.principal.parameter().parse::<u32>().unwrap() - 1).unwrap()
}
