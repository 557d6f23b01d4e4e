//! What statements say: a small pool of contents, so that they meet, and the odd ones that only other tools write.

use std::fmt::Write;

use permitd::policy::{
    grant::{Action, Draft, Permission},
    target::{Defaults, Target},
    terms::{Parts, Terms},
};
use sha2::{Digest, Sha256};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ROLES: [&str; 2] =
    ["arn:aws:iam::123456789012:role/one", "arn:aws:iam::123456789012:role/two"];
/// A role that never exists.
const GHOST: &str = "arn:aws:iam::123456789012:role/ghost";
/// What was a role once.
pub(crate) const ORPHAN: &str = "AROASNV5YASAZHWFURF3I";

pub(crate) fn target(name: &str) -> Target {
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}");
    Target::parse(&arn, None, &Defaults::default()).unwrap()
}

/// How many contents there are; the last ones are long.
pub(crate) const N_CONTENTS: usize = 13;
pub(crate) const N_SHORT: usize = 10;
/// Lambda refuses it: the role does not exist.
pub(crate) const REFUSED: usize = 9;

/// One of the pool.
pub(crate) fn permission(which: usize) -> Permission {
    let long = |n: usize| format!("arn:aws:s3:::{}", "x".repeat(n));
    let (four, six, nine) = (long(4_000), long(6_000), long(9_000));
    let draft = Draft { sid: "s", ..Draft::default() };
    let s3 = Draft { principal: "s3.amazonaws.com", source_account: Some(ACCOUNT), ..draft };
    let draft = match which {
        0 => Draft { source_arn: Some("arn:aws:s3:::a"), ..s3 },
        1 => Draft { source_arn: Some("arn:aws:s3:::b"), ..s3 },
        2 => Draft { principal: "210987654321", ..draft },
        3 => Draft { principal: ROLES[0], ..draft },
        4 => Draft { principal: ROLES[1], ..draft },
        5 => Draft {
            principal: "sns.amazonaws.com",
            source_arn: Some("arn:aws:sns:us-east-1:123456789012:t"),
            ..draft
        },
        6 => Draft { principal: "*", ..draft },
        7 => Draft { principal: "*", principal_org_id: Some("o-a1b2c3d4e5"), ..draft },
        8 => Draft { principal: "s3.amazonaws.com", action: Some("lambda:*"), ..draft },
        REFUSED => Draft { principal: GHOST, ..draft },
        10 => Draft { source_arn: Some(&four), ..s3 },
        11 => Draft { source_arn: Some(&six), ..s3 },
        _ => Draft { source_arn: Some(&nine), ..s3 },
    };
    draft.check("aws").unwrap()
}

pub(crate) const N_WIDE: usize = 7;

/// What only a write of the whole document can say. The first two say what odd statements say.
pub(crate) fn wide(which: usize, target: &Target) -> Terms {
    let parts = Parts::of(&permission(2));
    let lists = |it: &str, values: &[&str]| {
        let values = values.iter().map(|it| (*it).to_owned()).collect();
        ("StringEquals".to_owned(), it.to_owned(), values)
    };
    let parts = match which {
        0 => Parts { denies: true, ..parts },
        1 => Parts {
            actions: ["lambda:InvokeFunction", "lambda:GetFunction"]
                .map(|it| Action(it.to_owned()))
                .to_vec(),
            ..parts
        },
        2 => Parts { conditions: vec![lists("aws:SourceVpc", &["vpc-1"])], ..parts },
        3 => {
            let mut principals = parts.principals;
            principals.push(permission(3).principal);
            Parts { principals, ..parts }
        }
        4 => {
            let mut parts = Parts::of(&permission(0));
            let sources = parts.conditions.iter_mut().find(|it| it.1 == "AWS:SourceArn");
            sources.unwrap().2.push("arn:aws:s3:::b".to_owned());
            parts
        }
        5 => Parts {
            denies: true,
            conditions: vec![lists("aws:SourceAccount", &[ACCOUNT, "210987654321"])],
            ..Parts::of(&permission(6))
        },
        _ => Parts {
            conditions: vec![lists("aws:PrincipalTag/team", &["a", "b"])],
            ..Parts::of(&permission(6))
        },
    };
    Terms::of(&parts, target)
}

/// Statements that AddPermission does not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    Denies,
    Lists,
    NoSid,
    Orphan,
    /// A list of principals, one of them deleted.
    OrphanInList,
}

impl Odd {
    pub(crate) const ALL: [Self; 5] =
        [Self::Denies, Self::Lists, Self::NoSid, Self::Orphan, Self::OrphanInList];

    pub(crate) fn text(self, sid: &str, target: &Target) -> String {
        let text = permission(2).statement_text(sid, target);
        let principal = r#""arn:aws:iam::210987654321:root""#;
        match self {
            Self::Denies => text.replacen("\"Allow\"", "\"Deny\"", 1),
            Self::Lists => text.replacen(
                "\"lambda:InvokeFunction\"",
                r#"["lambda:InvokeFunction","lambda:GetFunction"]"#,
                1,
            ),
            Self::NoSid => text.replacen(&format!("\"Sid\":\"{sid}\","), "", 1),
            Self::Orphan => text.replacen(principal, &format!("\"{ORPHAN}\""), 1),
            Self::OrphanInList => {
                text.replacen(principal, &format!("[{principal},\"{ORPHAN}\"]"), 1)
            }
        }
    }
}

/// The function's own account may read its policy.
pub(crate) fn is_seed(permission: &Permission) -> bool {
    let draft = Draft {
        sid: "s",
        principal: ACCOUNT,
        action: Some("lambda:GetPolicy"),
        ..Draft::default()
    };
    *permission == draft.check("aws").unwrap()
}

/// The Sid of a bridge, as the design says it.
pub(crate) fn bridge_sid(target: &Target, sid: &str) -> String {
    let hash = Sha256::digest(format!("{}\n{sid}", target.arn()));
    let mut res = format!("{sid}-permitd-");
    for byte in hash.iter().take(4) {
        write!(res, "{byte:02x}").unwrap();
    }
    res
}

pub(crate) fn document(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#, statements.join(","))
}

/// The bytes of a policy with these statements.
pub(crate) fn size<'a>(statements: impl Iterator<Item = &'a str>) -> usize {
    let texts: Vec<String> = statements.map(str::to_owned).collect();
    if texts.is_empty() { 0 } else { document(&texts).len() }
}
