//! Properties of the evaluator: a list says what its values say, Allow only adds, Deny wins, and how a statement is
//! spelled does not matter.

use permitd::policy::{
    canonical::Canonical,
    evaluate::{Answer, Caller, Request, Verdict, evaluate, statement},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

const VERSION: Option<&str> = Some("2012-10-17");
const FN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

const PRINCIPALS: &[(&str, &str)] = &[
    ("Service", "s3.amazonaws.com"),
    ("Service", "sns.amazonaws.com"),
    ("AWS", "123456789012"),
    ("AWS", "arn:aws:iam::210987654321:root"),
    ("AWS", "arn:aws:iam::123456789012:role/app"),
    ("AWS", "arn:aws:iam::123456789012:user/eve"),
    ("AWS", "arn:aws:sts::123456789012:assumed-role/app/s"),
    ("AWS", "AROASNV5YASAZHWFURF3I"),
    ("AWS", "*"),
];
const CALLERS: &[&str] = &[
    "s3.amazonaws.com",
    "sns.amazonaws.com",
    "123456789012",
    "210987654321",
    "arn:aws:iam::123456789012:role/app",
    "arn:aws:iam::123456789012:user/eve",
    "arn:aws:sts::123456789012:assumed-role/app/s",
    "arn:aws:iam::210987654321:role/app",
    "*",
];
const ACTIONS: &[&str] =
    &["lambda:InvokeFunction", "lambda:Invoke*", "lambda:GetFunction", "lambda:*", "*", "s3:*"];
const RESOURCES: &[&str] =
    &[FN, "*", "arn:aws:lambda:*:*:function:*", "arn:aws:lambda:x:1:function:g"];
/// Operator, key, and values that may or may not match.
const CONDITIONS: &[(&str, &str, &[&str])] = &[
    (
        "ArnLike",
        "AWS:SourceArn",
        &["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::*", "arn:aws:sns:*:*:a"],
    ),
    ("ArnEquals", "aws:SourceArn", &["arn:aws:s3:::a", "arn:aws:s3:::?"]),
    ("StringLike", "aws:SourceArn", &["arn:*", "*b", "x"]),
    ("StringEquals", "AWS:SourceAccount", &["123456789012", "210987654321", "1"]),
    ("StringEqualsIfExists", "aws:SourceAccount", &["123456789012", "1"]),
    ("StringEquals", "aws:PrincipalOrgID", &["o-a1b2c3d4e5", "o-zzzzzzzzzz"]),
    ("ForAnyValue:StringEquals", "aws:PrincipalOrgID", &["o-a1b2c3d4e5", "o-zzzzzzzzzz"]),
    ("Bool", "lambda:InvokedViaFunctionUrl", &["true", "false"]),
    ("Null", "aws:SourceArn", &["true", "false"]),
    ("IpAddress", "aws:SourceIp", &["10.0.0.0/8"]),
];
const NEGATED: &[(&str, &str, &[&str])] = &[
    ("ArnNotLike", "AWS:SourceArn", &["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::*"]),
    ("StringNotEquals", "aws:SourceAccount", &["123456789012", "210987654321"]),
    ("StringNotLikeIfExists", "aws:SourceArn", &["arn:*", "*b"]),
];

#[derive(Debug, Clone)]
struct Made {
    effect: &'static str,
    principals: Vec<(&'static str, &'static str)>,
    actions: Vec<&'static str>,
    resources: Vec<&'static str>,
    conditions: Vec<(&'static str, &'static str, Vec<&'static str>)>,
}

impl Made {
    fn text(&self) -> String {
        self.json().to_string()
    }

    fn json(&self) -> Value {
        let mut principal: Map<String, Value> = Map::new();
        for (kind, value) in &self.principals {
            let list = principal.entry(*kind).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(json!(value));
        }
        let mut condition: Map<String, Value> = Map::new();
        for (operator, key, values) in &self.conditions {
            condition.entry(*operator).or_insert_with(|| json!({}))[*key] = json!(values);
        }
        json!({
            "Sid": "s", "Effect": self.effect, "Principal": principal, "Action": self.actions,
            "Resource": self.resources, "Condition": condition,
        })
    }
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    vec(select(all), 1..4)
}

fn conditions() -> impl Strategy<Value = Vec<(&'static str, &'static str, Vec<&'static str>)>> {
    let all: Vec<_> = CONDITIONS.iter().chain(NEGATED).copied().collect();
    let one = select(all).prop_flat_map(|(operator, key, values)| {
        some(values).prop_map(move |it| (operator, key, it))
    });
    vec(one, 0..3)
}

fn made() -> impl Strategy<Value = Made> {
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    (effect, some(PRINCIPALS), some(ACTIONS), some(RESOURCES), conditions()).prop_map(
        |(effect, principals, actions, resources, conditions)| Made {
            effect,
            principals,
            actions,
            resources,
            conditions,
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let arn = option::of(select(&["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:sns:r:1:a"][..]));
    let account = option::of(select(&["123456789012", "1"][..]));
    let (caller, action) =
        (select(CALLERS), select(&["lambda:InvokeFunction", "lambda:GetFunction"][..]));
    (caller, action, arn, account, any::<bool>(), option::of(any::<bool>())).prop_map(
        |(caller, action, arn, account, org, via)| {
            let caller = Caller::parse(caller, "aws", org).unwrap();
            Request {
                source_arn: arn.map(str::to_owned),
                source_account: account.map(str::to_owned),
                org: org.then(|| "o-a1b2c3d4e5".to_owned()),
                invoked_via_function_url: via,
                ..Request::new(caller, action, FN)
            }
        },
    )
}

/// `+` matches, `-` says no, `?` cannot be told.
fn answer(text: &str, request: &Request) -> char {
    match statement(text, VERSION, request).answer {
        Answer::Matches => '+',
        Answer::Differs(_) => '-',
        Answer::Unknown(_) => '?',
    }
}

fn verdict(statements: &[String], request: &Request) -> Verdict {
    evaluate(statements.iter().map(String::as_str), VERSION, request).verdict
}

/// What several of which one is enough say together, and several of which all are needed.
fn any_of(answers: &[char]) -> char {
    ['+', '?'].into_iter().find(|it| answers.contains(it)).unwrap_or('-')
}

fn all_of(answers: &[char]) -> char {
    ['-', '?'].into_iter().find(|it| answers.contains(it)).unwrap_or('+')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_list_says_what_its_values_say(made in made(), request in request()) {
        let whole = answer(&made.text(), &request);
        let of = |all: Vec<Made>| all.iter().map(|it| answer(&it.text(), &request)).collect::<Vec<_>>();
        let principals = of(made.principals.iter().map(|it| Made { principals: vec![*it], ..made.clone() }).collect());
        prop_assert_eq!(whole, any_of(&principals), "{:?}", principals);
        let actions = of(made.actions.iter().map(|it| Made { actions: vec![it], ..made.clone() }).collect());
        prop_assert_eq!(whole, any_of(&actions), "{:?}", actions);
        let resources = of(made.resources.iter().map(|it| Made { resources: vec![it], ..made.clone() }).collect());
        prop_assert_eq!(whole, any_of(&resources), "{:?}", resources);
        for (at, (operator, key, values)) in made.conditions.iter().enumerate() {
            // A key that comes again under its operator has replaced this one.
            let again = made.conditions.iter().skip(at + 1);
            if again.clone().any(|(o, k, _)| o == operator && k == key) {
                continue;
            }
            let single = |value: &&'static str| {
                let mut res = made.clone();
                res.conditions[at].2 = vec![value];
                res
            };
            let singles = of(values.iter().map(single).collect());
            let expected = if operator.contains("Not") { all_of(&singles) } else { any_of(&singles) };
            prop_assert_eq!(whole, expected, "{} {}: {:?}", operator, key, singles);
        }
    }

    /// Every condition has to hold: one more never makes a statement match.
    #[test]
    fn a_condition_only_takes_away(made in made(), more in conditions(), request in request()) {
        let mut narrower = made.clone();
        narrower.conditions.extend(more.into_iter().filter(|(o, k, _)| {
            !made.conditions.iter().any(|(operator, key, _)| o == operator && k == key)
        }));
        let (before, after) = (answer(&made.text(), &request), answer(&narrower.text(), &request));
        prop_assert!(before != '-' || after == '-', "{} {}", before, after);
        prop_assert!(after != '+' || before == '+', "{} {}", before, after);
    }

    #[test]
    fn an_allow_only_adds_and_a_deny_wins(
        policy in vec(made(), 0..4),
        mut more in made(),
        at in any::<prop::sample::Index>(),
        request in request(),
    ) {
        let texts: Vec<String> = policy.iter().map(Made::text).collect();
        let before = verdict(&texts, &request);
        let with = |it: &Made| {
            let mut res = texts.clone();
            res.insert(at.index(res.len() + 1), it.text());
            verdict(&res, &request)
        };
        more.effect = "Allow";
        let allowed = with(&more);
        match before {
            Verdict::Allowed | Verdict::Denied => prop_assert_eq!(allowed, before),
            Verdict::NotAllowed => prop_assert_ne!(allowed, Verdict::Denied),
            Verdict::Unknown => prop_assert!(allowed == Verdict::Unknown || allowed == Verdict::Allowed),
        }
        let alone = answer(&more.text(), &request);
        if before == Verdict::NotAllowed {
            let expected = match alone {
                '+' => Verdict::Allowed,
                '?' => Verdict::Unknown,
                _ => Verdict::NotAllowed,
            };
            prop_assert_eq!(allowed, expected);
        }
        more.effect = "Deny";
        let denied = with(&more);
        match alone {
            '+' => prop_assert_eq!(denied, Verdict::Denied),
            '-' => prop_assert_eq!(denied, before),
            _ => prop_assert!(denied == Verdict::Unknown || before == Verdict::Denied && denied == before),
        }
    }

    /// The order of the statements does not matter.
    #[test]
    fn order_does_not_matter(policy in vec(made(), 0..5), request in request()) {
        let mut texts: Vec<String> = policy.iter().map(Made::text).collect();
        let before = verdict(&texts, &request);
        texts.reverse();
        prop_assert_eq!(verdict(&texts, &request), before);
    }

    /// What is canonically the same is evaluated the same, whatever its spelling.
    #[test]
    fn spelling_does_not_matter(made in made(), seed in any::<u64>(), request in request()) {
        let text = made.text();
        // What has no canonical form is compared as it is spelled.
        prop_assume!(Canonical::of_text(&text, "aws").plain().is_some());
        let other = respelled(&made.json(), seed);
        prop_assert_eq!(
            Canonical::of_text(&text, "aws"), Canonical::of_text(&other, "aws"), "{} {}", text, other
        );
        prop_assert_eq!(answer(&text, &request), answer(&other, &request), "{} {}", text, other);
    }

    /// Whatever stands there, it is judged without a panic, and never allowed by what is no statement.
    #[test]
    fn whatever_stands_there(text in "[\\PC]{0,40}", request in request()) {
        let found = statement(&text, VERSION, &request);
        prop_assert!(matches!(found.answer, Answer::Unknown(_)));
    }

    /// One statement with a list of source ARNs allows exactly what one statement for each of them does.
    #[test]
    fn one_statement_with_a_list_allows_what_single_ones_do(
        made in made(),
        arns in vec("arn:aws:s3:::[ab?*]{1,2}", 1..5),
        request in request(),
    ) {
        let mut base = made.json();
        base["Effect"] = json!("Allow");
        let with = |arns: Value| {
            let mut res = base.clone();
            res["Condition"] = json!({"ArnLike": {"AWS:SourceArn": arns}});
            res.to_string()
        };
        let plain: Vec<String> = arns.iter().map(|it| with(json!(it))).collect();
        let compact = vec![with(json!(arns))];
        prop_assert_eq!(verdict(&plain, &request), verdict(&compact, &request));
    }
}

/// Another spelling of the same: lists of one, other orders, other case, accounts and their roots.
fn respelled(statement: &Value, seed: u64) -> String {
    let bit = |n: u32| seed >> (n % 64) & 1 == 1;
    let mut members: Vec<(String, Value)> =
        statement.as_object().unwrap().clone().into_iter().collect();
    if bit(0) {
        members.reverse();
    }
    let list = |it: &Value, n: u32| {
        let mut all = it.as_array().unwrap().clone();
        if bit(n) {
            all.reverse();
        }
        if bit(n + 1) {
            all.push(all[0].clone());
        }
        if all.len() == 1 && bit(n + 2) { all.remove(0) } else { Value::Array(all) }
    };
    for (name, value) in &mut members {
        match name.as_str() {
            "Action" => {
                *value = list(value, 3);
                if bit(6) {
                    *value = serde_json::from_str(&value.to_string().to_uppercase()).unwrap();
                }
            }
            "Resource" => *value = list(value, 7),
            "Principal" => {
                for it in value.as_object_mut().unwrap().values_mut() {
                    *it = list(it, 10);
                    if bit(13) {
                        let text = it.to_string();
                        let text =
                            text.replace("\"123456789012\"", "\"arn:aws:iam::123456789012:root\"");
                        *it = serde_json::from_str(&text).unwrap();
                    }
                }
                let anyone = *value == json!({"AWS": "*"});
                if anyone && statement["Effect"] == "Allow" && bit(14) {
                    *value = json!("*");
                }
            }
            "Condition" => {
                let mut res = Map::new();
                for (operator, keys) in value.as_object().unwrap() {
                    let operator = match operator.as_str() {
                        it if bit(15) => it.to_uppercase(),
                        it => it.to_owned(),
                    };
                    let mut under = Map::new();
                    for (key, values) in keys.as_object().unwrap() {
                        let key = if bit(16) { key.to_lowercase() } else { key.clone() };
                        under.insert(key, list(values, 17));
                    }
                    res.insert(operator, Value::Object(under));
                }
                *value = Value::Object(res);
            }
            _ => {}
        }
    }
    let members: Vec<String> =
        members.into_iter().map(|(key, it)| format!("{}: {it}", json!(key))).collect();
    format!("{{ {} }}", members.join(" , "))
}
