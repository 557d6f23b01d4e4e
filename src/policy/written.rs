//! The statement that Lambda writes for a permission, byte for byte.

use serde::Serialize;

use crate::policy::{
    grant::{Permission, UrlAuthType},
    principal::Principal,
    target::Target,
};

impl Permission {
    /// The statement that Lambda writes for it, byte for byte (`lambda-semantics.md`, 1.1, recorded).
    ///
    /// The places of `lambda:EventSourceToken` within `StringEquals` and of `Bool` are not recorded;
    /// they stand last here.
    pub fn statement_text(&self, sid: &str, target: &Target) -> String {
        let Self {
            principal,
            action,
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type,
            invoked_via_function_url,
        } = self;
        let root;
        let principal = match principal {
            Principal::Anyone => Who::Anyone("*"),
            Principal::Account(id) => {
                root = format!("arn:{}:iam::{id}:root", target.partition());
                Who::Kind { aws: Some(&root), service: None }
            }
            Principal::Iam(it) | Principal::Deleted(it) => {
                Who::Kind { aws: Some(it), service: None }
            }
            Principal::Service(it) => Who::Kind { aws: None, service: Some(it) },
        };
        let string_equals = StringEquals {
            source_account: source_account.as_deref(),
            function_url_auth_type: function_url_auth_type.map(UrlAuthType::as_str),
            principal_org_id: principal_org_id.as_deref(),
            event_source_token: event_source_token.as_deref(),
        };
        let condition = Condition {
            string_equals: (string_equals != StringEquals::default()).then_some(string_equals),
            arn_like: source_arn.as_deref().map(|source_arn| ArnLike { source_arn }),
            bool: invoked_via_function_url.then_some(BoolIs { via_url: "true" }),
        };
        let text = StatementText {
            sid,
            effect: "Allow",
            principal,
            action: &action.0,
            resource: &target.arn(),
            condition: (condition != Condition::default()).then_some(condition),
        };
        serde_json::to_string(&text).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementText<'a> {
    sid: &'a str,
    effect: &'a str,
    principal: Who<'a>,
    action: &'a str,
    resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Who<'a> {
    Anyone(&'a str),
    Kind {
        #[serde(rename = "AWS", skip_serializing_if = "Option::is_none")]
        aws: Option<&'a str>,
        #[serde(rename = "Service", skip_serializing_if = "Option::is_none")]
        service: Option<&'a str>,
    },
}

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Condition<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_equals: Option<StringEquals<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn_like: Option<ArnLike<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bool: Option<BoolIs>,
}

#[derive(Serialize, Default, PartialEq)]
struct StringEquals<'a> {
    #[serde(rename = "AWS:SourceAccount", skip_serializing_if = "Option::is_none")]
    source_account: Option<&'a str>,
    #[serde(rename = "lambda:FunctionUrlAuthType", skip_serializing_if = "Option::is_none")]
    function_url_auth_type: Option<&'a str>,
    #[serde(rename = "aws:PrincipalOrgID", skip_serializing_if = "Option::is_none")]
    principal_org_id: Option<&'a str>,
    #[serde(rename = "lambda:EventSourceToken", skip_serializing_if = "Option::is_none")]
    event_source_token: Option<&'a str>,
}

#[derive(Serialize, PartialEq)]
struct ArnLike<'a> {
    #[serde(rename = "AWS:SourceArn")]
    source_arn: &'a str,
}

#[derive(Serialize, PartialEq)]
struct BoolIs {
    #[serde(rename = "lambda:InvokedViaFunctionUrl")]
    via_url: &'static str,
}
