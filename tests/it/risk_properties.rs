//! Risks over random permissions and documents: wanted and live agree, and nothing panics.

use permitd::policy::{
    document::Document,
    grant::{Action, Permission, UrlAuthType},
    principal::Principal,
    risk::{Risk, of_document, of_permissions, of_statement, of_terms},
    statement::{Class, Statement},
    target::{Defaults, Target},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

fn target() -> Target {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live";
    Target::parse(arn, None, &Defaults::default()).unwrap()
}

fn permission() -> impl Strategy<Value = Permission> {
    let principal = prop_oneof![
        Just(Principal::Anyone),
        Just(Principal::Account("210987654321".into())),
        Just(Principal::Iam("arn:aws:iam::210987654321:role/r".into())),
        Just(Principal::Iam("arn:aws-cn:iam::210987654321:root".into())),
        select(vec!["s3", "sns", "logs.us-east-1", "apigateway", "delivery.logs"])
            .prop_map(|it| Principal::Service(format!("{it}.amazonaws.com"))),
    ];
    let action = select(vec![
        "lambda:InvokeFunction",
        "lambda:invokefunctionurl",
        "lambda:InvokeFunctionUrl",
        "lambda:*",
        "*",
    ]);
    let arn = option::of("arn:aws:(s3|sns|logs|execute-api)::(123456789012)?:[ab:*?/]{0,4}");
    let account = option::of(Just("123456789012".to_owned()));
    let org = option::of(Just("o-a1b2c3d4e5".to_owned()));
    let token = option::of(Just("t".to_owned()));
    let url = option::of(select(vec![UrlAuthType::None, UrlAuthType::AwsIam]));
    (principal, action, arn, account, org, token, url, any::<bool>()).prop_map(
        |(principal, action, source_arn, source_account, org, token, url, via)| Permission {
            principal,
            action: Action(action.into()),
            source_arn,
            source_account,
            principal_org_id: org,
            event_source_token: token,
            function_url_auth_type: url,
            invoked_via_function_url: via,
        },
    )
}

/// JSON of the words that risks look at, in places where they may or may not belong.
fn json() -> impl Strategy<Value = String> {
    let words = vec![
        "Allow",
        "Deny",
        "*",
        "210987654321",
        "s3.amazonaws.com",
        ".amazonaws.com",
        "AROASNV5YASAZHWFURF3I",
        "arn:aws:s3:::*",
        "arn:aws:s3",
        ":::::::",
        "lambda:*",
        "lambda:InvokeFunctionUrl",
        "é*?",
        "",
    ];
    let leaf = prop_oneof![
        4 => select(words).prop_map(|it| serde_json::to_string(it).unwrap()),
        1 => select(vec!["null", "true", "17"]).prop_map(str::to_owned),
    ];
    let keys = vec![
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Condition",
        "AWS",
        "Service",
        "ArnLike",
        "ForAnyValue:StringLikeIfExists",
        "aws:SourceArn",
        "aws:SourceAccount",
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = (select(keys.clone()), inner.clone());
        prop_oneof![
            1 => vec(inner, 0..4).prop_map(|it| format!("[{}]", it.join(","))),
            3 => vec(member, 0..5).prop_map(|it| {
                let members: Vec<String> = it.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// A statement that Lambda wrote, one with a word of it replaced, an Allow of anything, or anything.
fn live_statement() -> impl Strategy<Value = String> {
    let made =
        ("[a-d]", permission()).prop_map(|(sid, it)| it.statement_text(&sid, &target())).boxed();
    let words = select(vec![
        ("\"Allow\"", "\"Deny\""),
        ("\"Sid\":", "\"Id\":"),
        ("\"Principal\":", "\"NotPrincipal\":"),
        ("\"ArnLike\":", "\"StringNotLike\":"),
        ("\"Condition\":{", "\"Condition\":{\"x\":7,"),
    ]);
    let patched = (made.clone(), words).prop_map(|(text, (from, to))| text.replacen(from, to, 1));
    let members = (json(), json(), json()).prop_map(|(principal, action, condition)| {
        format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":{action},"Condition":{condition}}}"#
        )
    });
    prop_oneof![3 => made, 2 => patched, 2 => members, 1 => json()]
}

fn document(statements: &[String]) -> Document {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Document::parse(text, "r".into(), &target()).unwrap()
}

fn without_p007(risks: &[Risk]) -> Vec<Risk> {
    risks.iter().copied().filter(|it| *it != Risk::P007).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_statement_is_as_risky_as_its_permission(permission in permission()) {
        let wanted = of_terms(&permission.clone().into());
        prop_assert!(wanted.is_sorted());
        for sid in ["s", "s.t", "s/t"] {
            let text = permission.statement_text(sid, &target());
            let statement = Statement::read(&text, &target());
            prop_assert_eq!(matches!(statement.class(), Class::Expressible(_)), sid == "s");
            prop_assert_eq!(of_statement(&statement, &target()), wanted.clone(), "{}", text);
        }
    }

    #[test]
    fn a_policy_is_as_risky_as_its_permissions(permissions in vec(permission(), 0..6)) {
        let sids: Vec<String> = (0..permissions.len()).map(|it| it.to_string()).collect();
        let all: Vec<(&str, &Permission)> =
            sids.iter().map(String::as_str).zip(&permissions).collect();
        let texts: Vec<String> =
            all.iter().map(|(sid, it)| it.statement_text(sid, &target())).collect();
        let live = of_document(&document(&texts), &target());
        let live: Vec<(String, Vec<Risk>)> =
            live.into_iter().map(|(at, risks)| (at.to_string(), risks)).collect();
        prop_assert_eq!(live, Vec::from_iter(of_permissions(&all)));
    }

    #[test]
    fn any_document_is_judged_without_panic(texts in vec(live_statement(), 0..6)) {
        let document = document(&texts);
        let found = of_document(&document, &target());
        prop_assert!(found.iter().all(|(_, risks)| !risks.is_empty() && risks.is_sorted()));
        prop_assert!(found.is_sorted_by_key(|(at, _)| *at));
        for (at, statement) in document.statements().iter().enumerate() {
            let risks = found.iter().find(|(it, _)| *it == at).map_or(&[][..], |(_, it)| it);
            prop_assert_eq!(without_p007(risks), of_statement(statement, &target()));
            prop_assert!(!statement.denies() || risks.is_empty(), "{}", statement.text());
        }
    }

    #[test]
    fn the_order_of_statements_changes_nothing(
        texts in vec(live_statement(), 1..6),
        moved in any::<Index>(),
    ) {
        let mut before = of_document(&document(&texts), &target());
        let by = moved.index(texts.len());
        let mut rotated = texts.clone();
        rotated.rotate_left(by);
        let n = texts.len();
        let mut after: Vec<(usize, Vec<Risk>)> = of_document(&document(&rotated), &target())
            .into_iter()
            .map(|(at, risks)| ((at + by) % n, risks))
            .collect();
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }
}
