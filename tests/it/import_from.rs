//! What another tool declares, over random permissions and random damage: nothing is lost, and nothing panics.
//!
//! `import_from/terraform/terraform.tfstate` was made by Terraform 1.11.4 with version 5.100.0 of its provider, from
//! `main.tf` beside it, against `permitd simulate`.

use std::collections::BTreeMap;

use permitd::config::diagnostic::{Diagnostic, File, Files, render_all};
use permitd::config::from::cloudformation::{self, Inputs};
use permitd::config::from::entries::{Entries, Options};
use permitd::config::from::{Found, terraform};
use permitd::config::resolve::{Context, resolve};
use permitd::config::{permissions, write};
use permitd::policy::grant::{Action, Permission, UrlAuthType};
use permitd::policy::principal::Principal;
use permitd::policy::target::Defaults;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const STATE: &str = include_str!("import_from/terraform/terraform.tfstate");
const YAML: &str = include_str!("import_from/template.yaml");
const JSON: &str = include_str!("import_from/template.json");

fn permission() -> impl Strategy<Value = Permission> {
    let principal = prop_oneof![
        Just(Principal::Anyone),
        "[0-9]{12}".prop_map(Principal::Account),
        "arn:aws:iam::[0-9]{12}:(role|user)/[a-zA-Z+=,.@_-]{1,8}".prop_map(Principal::Iam),
        "[a-z]{1,4}(\\.us-east-1)?\\.amazonaws\\.com".prop_map(Principal::Service),
    ];
    let url =
        prop_oneof![Just(None), Just(Some(UrlAuthType::None)), Just(Some(UrlAuthType::AwsIam))];
    // Whatever an ARN may end in, YAML has to carry.
    let arn = prop_oneof!["arn:aws:s3:::[a-z*?]{1,4}", "arn:aws:s3:::[ -~éü\u{1f600}]{0,20}"];
    let token = prop_oneof!["[0-9]{1,12}", "(on|no|null|true|1e3|0x1F|_)", "[A-Za-z0-9._-]{1,20}"];
    let org = option::of("o-[a-z0-9]{10,12}");
    (
        principal,
        option::of(arn),
        option::of("[0-9]{12}"),
        org,
        option::of(token),
        url,
        any::<bool>(),
    )
        .prop_map(
            |(
                principal,
                source_arn,
                source_account,
                principal_org_id,
                event_source_token,
                url,
                via,
            )| {
                let action = if url.is_some() {
                    "lambda:InvokeFunctionUrl"
                } else {
                    "lambda:InvokeFunction"
                };
                Permission {
                    principal,
                    action: Action(action.to_owned()),
                    source_arn,
                    source_account,
                    principal_org_id,
                    event_source_token,
                    function_url_auth_type: url,
                    invoked_via_function_url: via && url.is_none(),
                }
            },
        )
}

/// By the name of the function, with its qualifier, and the Sid.
type World = BTreeMap<(String, String), Permission>;

fn world(sid: &'static str) -> impl Strategy<Value = World> {
    let name = "(arn:aws:lambda:eu-west-1:123456789012:function:)?[a-c](:live|:1)?";
    btree_map((name, sid), permission(), 0..12)
}

fn state_of(world: &World) -> String {
    let instances: Vec<Value> = world
        .iter()
        .enumerate()
        .map(|(n, ((name, sid), permission))| {
            let draft = permission.draft(sid);
            let attributes = json!({
                "function_name": name, "qualifier": "", "statement_id": sid, "id": sid,
                "principal": draft.principal, "action": draft.action, "source_arn": draft.source_arn,
                "source_account": draft.source_account, "principal_org_id": draft.principal_org_id,
                "event_source_token": draft.event_source_token,
                "function_url_auth_type": draft.function_url_auth_type,
                "invoked_via_function_url": draft.invoked_via_function_url,
            });
            json!({"index_key": n, "attributes": attributes})
        })
        .collect();
    let resource = json!({
        "mode": "managed", "type": "aws_lambda_permission", "name": "x", "instances": instances,
    });
    json!({"version": 4, "resources": [resource]}).to_string()
}

fn template_of(world: &World) -> Value {
    let mut resources = Map::new();
    for ((name, sid), permission) in world {
        let draft = permission.draft(sid);
        let mut properties = Map::new();
        let values = [
            ("FunctionName", Some(name.as_str())),
            ("Principal", Some(draft.principal)),
            ("Action", draft.action),
            ("SourceArn", draft.source_arn),
            ("SourceAccount", draft.source_account),
            ("PrincipalOrgID", draft.principal_org_id),
            ("EventSourceToken", draft.event_source_token),
            ("FunctionUrlAuthType", draft.function_url_auth_type),
        ];
        for (key, value) in values {
            properties.extend(value.map(|it| (key.to_owned(), json!(it))));
        }
        if draft.invoked_via_function_url == Some(true) {
            properties.insert("InvokedViaFunctionUrl".to_owned(), json!(true));
        }
        let resource = json!({"Type": "AWS::Lambda::Permission", "Properties": properties});
        resources.insert(sid.clone(), resource);
    }
    json!({"Resources": resources})
}

/// Written, read again by the reader of permission files: what it wants, by the names that were put in.
fn there_and_back(found: Found) -> World {
    let context = Context::default();
    let options = Options { context: &context, own_all: false, accept_risks: false };
    let entries = Entries::new(found, &options);
    assert!(entries.left.is_empty(), "{:?}", entries.left);
    let text = entries.header("a random file") + &write::text(&entries.entries).unwrap();
    let mut res = World::new();
    if entries.entries.is_empty() {
        return res;
    }
    let files = Files { files: vec![File::new("p.yaml", text.clone())], ..Files::default() };
    let defaults =
        Defaults { account: Some("999999999999".into()), region: Some("eu-north-1".into()) };
    let context = Context { defaults, ..Context::default() };
    let loaded = resolve(permissions::parse(&files), &context);
    let loaded = loaded.unwrap_or_else(|it| panic!("{}\n{text}", render_all(&it, false)));
    for wanted in loaded.wanted {
        let here = wanted.target.account() == "999999999999";
        let name = if here { wanted.target.short_name() } else { wanted.target.arn() };
        for it in wanted.grants {
            res.insert((name.clone(), it.sid), it.terms.plain().unwrap().clone());
        }
    }
    res
}

fn of_state(text: &str) -> Result<Found, Vec<Diagnostic>> {
    let file = File::new("terraform.tfstate", text.to_owned());
    terraform::find(&file, &Defaults::default()).map_err(|it| vec![it])
}

fn of_template(text: &str, given: &[(String, String)]) -> Result<Found, Vec<Diagnostic>> {
    let file = File::new("template.yaml", text.to_owned());
    let inputs =
        Inputs { defaults: Defaults::default(), parameters: given.iter().cloned().collect() };
    Ok(cloudformation::parse(&file)?.find(&inputs))
}

/// A good text with some pieces cut out, doubled or replaced by what means something in it.
fn damaged(good: &'static str) -> impl Strategy<Value = String> {
    let soup = prop_oneof![
        8 => prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", ": ", "\"", "'", "\n", "\n  ", "\n    ", "- ", "!Ref ", "!Sub ", "!GetAtt ",
            "!Join ", "!If ", "${", "}", "&a ", "*a", "<<: ", "null", "true", "4", "Fn::Sub", "Ref", "AWS::Region",
            "Type", "Properties", "\\u", "\u{0}", "\u{2028}", "é", "#", "|\n", "!", "!!binary ",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let cut = (0..good.len(), 0..40usize, vec(soup, 0..4));
    vec(cut, 1..5).prop_map(move |cuts| {
        let mut text: Vec<char> = good.chars().collect();
        for (at, length, soup) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, soup.concat().chars());
        }
        text.into_iter().collect()
    })
}

/// Whatever is refused is refused with a word, and whatever is found can be written and read.
fn settle(found: Result<Found, Vec<Diagnostic>>) {
    let found = match found {
        Ok(it) => it,
        Err(said) => {
            assert!(!render_all(&said, true).is_empty());
            return;
        }
    };
    let found = Found::merge([found]);
    there_and_back(Found { left: Vec::new(), ..found.clone() });
    let context = Context::default();
    let options = Options { context: &context, own_all: true, accept_risks: true };
    let entries = Entries::new(found, &options);
    let header = entries.header("a\nfile");
    assert!(header.lines().all(|it| it.starts_with('#')), "{header}");
}

proptest! {
    #[test]
    fn a_state_comes_back_as_it_was(world in world("[A-Za-z0-9_-]{1,12}")) {
        prop_assert_eq!(there_and_back(of_state(&state_of(&world)).unwrap()), world);
    }

    #[test]
    fn a_template_comes_back_as_it_was(world in world("[A-Za-z0-9]{1,12}")) {
        // One logical id is one resource.
        let mut seen = std::collections::BTreeSet::new();
        let world: World = world.into_iter().filter(|((_, sid), _)| seen.insert(sid.clone())).collect();
        let template = template_of(&world);
        let found = of_template(&template.to_string(), &[]).unwrap();
        prop_assert_eq!(there_and_back(found), world.clone());
        // The same in YAML, as another library writes it.
        let found = of_template(&serde_yaml::to_string(&template).unwrap(), &[]).unwrap();
        prop_assert_eq!(there_and_back(found), world);
    }

    #[test]
    fn no_permission_of_a_state_is_dropped(
        principal in any::<String>(), name in any::<String>(), sid in any::<String>(), arn in any::<String>(),
    ) {
        let attributes = json!({
            "function_name": name, "principal": principal, "statement_id": sid, "source_arn": arn, "action": "*",
        });
        let state = json!({"version": 4, "resources": [{
            "mode": "managed", "type": "aws_lambda_permission", "name": "x", "instances": [{"attributes": attributes}],
        }]});
        let found = of_state(&state.to_string()).unwrap();
        prop_assert_eq!(found.permissions.len() + found.left.len(), 1);
        settle(Ok(found));
    }

    #[test]
    fn no_permission_of_a_template_is_dropped(
        principal in "\\PC{0,20}", name in "\\PC{0,20}", arn in "\\PC{0,20}\\$\\{\\PC{0,8}\\}\\PC{0,8}", given in any::<String>(),
    ) {
        let properties = json!({
            "FunctionName": name, "Principal": {"Ref": "P"}, "Action": "*", "SourceArn": {"Fn::Sub": arn},
        });
        let template = json!({
            "Parameters": {"P": {"Type": "String", "Default": principal}},
            "Resources": {"X": {"Type": "AWS::Lambda::Permission", "Properties": properties}},
        });
        let found = of_template(&template.to_string(), &[("Q".to_owned(), given)]).unwrap();
        prop_assert_eq!(found.permissions.len() + found.left.len(), 1);
        settle(Ok(found));
    }

    #[test]
    fn no_damaged_state_panics(text in damaged(STATE)) {
        settle(of_state(&text));
    }

    #[test]
    fn no_damaged_template_panics(yaml in damaged(YAML), json in damaged(JSON)) {
        let given = [("Bucket".to_owned(), "uploads".to_owned())];
        settle(of_template(&yaml, &given));
        settle(of_template(&json, &given));
    }
}

/// Big states are real: it takes a second or two, not minutes.
#[test]
fn a_state_of_25_000_permissions_is_read() {
    let world: World = (0..25_000)
        .map(|n| {
            let permission = Permission {
                principal: Principal::Service("s3.amazonaws.com".to_owned()),
                action: Action("lambda:InvokeFunction".to_owned()),
                source_arn: Some(format!("arn:aws:s3:::bucket-{n}")),
                source_account: None,
                principal_org_id: None,
                event_source_token: None,
                function_url_auth_type: None,
                invoked_via_function_url: false,
            };
            ((format!("f{}", n / 10), format!("s{n}")), permission)
        })
        .collect();
    let pretty: Value = serde_json::from_str(&state_of(&world)).unwrap();
    let found = of_state(&serde_json::to_string_pretty(&pretty).unwrap()).unwrap();
    assert_eq!(found.permissions.len(), 25_000);
    assert_eq!(there_and_back(found).len(), 25_000);
}
