//! Properties of one statement with a list in place of many that are alike.

use std::collections::BTreeSet;

use jiff::Timestamp;
use permitd::drift::wanted::Wanted;
use permitd::policy::{
    canonical::Canonical,
    compact::{self, Place},
    document::document_of,
    evaluate::{Caller, Request, Verdict, evaluate},
    grant::Permission,
};
use proptest::{collection::vec, option, prelude::*, sample::Index, sample::select};

use crate::properties::{json, live_statement, target};
use crate::whole_properties::{document, lists_of, permission, wanted};

const CALLERS: &[&str] = &[
    "s3.amazonaws.com",
    "sns.amazonaws.com",
    "123456789012",
    "210987654321",
    "arn:aws:iam::123456789012:role/a",
    "arn:aws:iam::123456789012:role/b",
    "arn:aws:iam::210987654321:role/a",
    "arn:aws:sts::123456789012:assumed-role/a/s",
    "*",
];

/// Calls that are near what the grants of these tests say.
fn request() -> impl Strategy<Value = Request> {
    let action = select(&["lambda:InvokeFunction", "lambda:GetFunction", "lambda:ListTags"][..]);
    let arn = option::of(select(&["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::c"][..]));
    let account = option::of(select(&["000000000000", "111111111111", "222222222222"][..]));
    (select(CALLERS), action, arn, account, any::<bool>()).prop_map(
        |(caller, action, arn, account, org)| Request {
            source_arn: arn.map(str::to_owned),
            source_account: account.map(str::to_owned),
            org: org.then(|| "o-a1b2c3d4e5".to_owned()),
            ..Request::new(Caller::parse(caller, "aws", org).unwrap(), action, &target().arn())
        },
    )
}

fn verdict(statements: &[String], request: &Request) -> Verdict {
    evaluate(statements.iter().map(String::as_str), Some("2012-10-17"), request).verdict
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// The evaluator knows nothing of lists of ours.
    #[test]
    fn what_is_gathered_allows_the_same_calls(
        wanted in wanted(),
        more in vec(permission(), 0..8),
        requests in vec(request(), 8),
    ) {
        let mut wanted: Wanted = wanted;
        for (n, it) in more.into_iter().enumerate() {
            let mut grant = match wanted.grants.first() {
                Some(it) => it.clone(),
                None => break,
            };
            (grant.sid, grant.terms) = (format!("m{n}"), it.into());
            wanted.grants.push(grant);
        }
        let now = Timestamp::UNIX_EPOCH;
        let (plain, lists) = (wanted.texts(false, now), wanted.texts(true, now));
        prop_assert!(lists.len() <= plain.len());
        let again = compact::rewritten(&document(&document_of(&plain)), &target());
        let again: Vec<String> =
            document(&again).statements().iter().map(|it| it.text().to_owned()).collect();
        for request in &requests {
            let asked = verdict(&plain, request);
            prop_assert_eq!(verdict(&lists, request), asked, "{:?}", request);
            prop_assert_eq!(verdict(&again, request), asked, "{:?}", request);
        }
    }

    #[test]
    fn a_list_says_what_its_members_say(permissions in vec(permission(), 0..14)) {
        let plain = |it: &Permission| {
            let mut it = it.clone();
            it.action.0.make_ascii_lowercase();
            format!("{it:?}")
        };
        for (place, members) in lists_of(&permissions) {
            let all: Vec<&Permission> = members.iter().collect();
            let text = compact::statement_text(&place, &all, &target());
            let list = compact::read(&place.sid, &text, &target()).unwrap();
            prop_assert_eq!(&list.place, &place);
            let asked: BTreeSet<String> = members.iter().map(plain).collect();
            let said: BTreeSet<String> = list.members.iter().map(plain).collect();
            prop_assert!(asked.len() > 1);
            prop_assert_eq!(said, asked);
        }
    }

    #[test]
    fn a_place_is_the_same_in_every_order(
        permissions in vec(permission(), 0..14).prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        let (one, other) = permissions;
        let places = |of: &[Permission]| {
            let all: Vec<&Permission> = of.iter().collect();
            let mut res: Vec<(String, Option<Place>)> = compact::places(&all, &target(), "")
                .into_iter()
                .zip(of)
                .map(|(place, it)| (format!("{it:?}"), place))
                .collect();
            res.sort();
            res
        };
        prop_assert_eq!(places(&one), places(&other));
    }

    #[test]
    fn a_list_keeps_its_sid(permissions in vec(permission(), 1..14), gone in any::<Index>()) {
        let mut rest = permissions.clone();
        let gone = rest.remove(gone.index(permissions.len()));
        let (before, after) = (lists_of(&permissions), lists_of(&rest));
        for (place, members) in &before {
            let left: BTreeSet<String> =
                members.iter().filter(|it| **it != gone).map(|it| format!("{it:?}")).collect();
            for (other, others) in &after {
                let meet = others.iter().any(|it| left.contains(&format!("{it:?}")));
                let same = other.dimension == place.dimension;
                prop_assert!(!(meet && same) || other.sid == place.sid, "{place:?}, {other:?}");
            }
        }
    }

    /// Whatever somebody made of a list of ours: it is known as ours only where it says exactly what its members say.
    #[test]
    fn what_is_taken_for_a_list_is_one(
        permissions in vec(permission(), 2..10),
        change in 0..12,
        other in json(),
        odd in live_statement(),
    ) {
        for (place, members) in lists_of(&permissions) {
            let all: Vec<&Permission> = members.iter().collect();
            let text = compact::statement_text(&place, &all, &target());
            let (from, to) = match change {
                0 => ("\"Allow\"", "\"Deny\"".to_owned()),
                1 => ("\"Principal\":", "\"NotPrincipal\":".to_owned()),
                2 => ("\"Action\":", "\"NotAction\":".to_owned()),
                3 => ("\"Condition\":{", format!("\"Condition\":{{\"x\":{other},")),
                4 => ("\"ArnLike\":{", format!("\"ArnLike\":{{\"aws:sourcearn\":{other},")),
                5 => ("\"AWS:SourceArn\":[", format!("\"AWS:SourceArn\":[{other},")),
                6 => ("\"AWS\":[", format!("\"AWS\":[{other},")),
                7 => ("\"Service\":[", format!("\"AWS\":\"*\",\"Service\":[{other},")),
                8 => ("\"AWS\":[", "\"AWS\":[\"AROASNV5YASAZHWFURF3I\",".to_owned()),
                9 => ("\"Action\":", format!("\"Action\":{other},\"Action\":")),
                10 => ("{", format!("{{\"x\":{other},")),
                _ => ("{", "{".to_owned()),
            };
            let changed = text.replacen(from, &to, 1);
            for (text, sid) in [(&changed, place.sid.as_str()), (&odd, &place.sid), (&other, &place.sid)] {
                let Some(list) = compact::read(sid, text, &target()) else { continue };
                let members: Vec<&Permission> = list.members.iter().collect();
                let again = compact::statement_text(&list.place, &members, &target());
                prop_assert_eq!(Canonical::of_text(&again, "aws"), Canonical::of_text(text, "aws"));
            }
            let whole = format!(r#"{{"Statement":[{changed},{odd},{other}]}}"#);
            drop(document(&whole).taken_apart(&target(), |_| vec!["a".into(), "b".into()]));
        }
    }
}
