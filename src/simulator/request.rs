//! What is asked of the simulator, by whom, and what it answers, apart from how it travels.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::policy::target::{AccountRegion, partition_of};
use crate::simulator::refusal::Refusal;

macro_rules! operations {
    ($($name:ident $method:literal $path:literal;)*) => {
        /// The calls that the simulator answers, by the names that the API gives them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Operation { $($name,)* }

        /// Method and path of each; `{}` is one segment, decoded once.
        const ROUTES: &[(Operation, &str, &str)] =
            &[$((Operation::$name, $method, $path),)*];

        impl Operation {
            /// As the API calls it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

operations! {
    AddPermission "POST" "/2015-03-31/functions/{}/policy";
    RemovePermission "DELETE" "/2015-03-31/functions/{}/policy/{}";
    GetPolicy "GET" "/2015-03-31/functions/{}/policy";
    PutResourcePolicy "PUT" "/2026-07-09/resource-policy/{}";
    GetResourcePolicy "GET" "/2026-07-09/resource-policy/{}";
    DeleteResourcePolicy "DELETE" "/2026-07-09/resource-policy/{}";
    CreateFunction "POST" "/2015-03-31/functions";
    DeleteFunction "DELETE" "/2015-03-31/functions/{}";
    GetFunction "GET" "/2015-03-31/functions/{}";
    GetFunctionConfiguration "GET" "/2015-03-31/functions/{}/configuration";
    UpdateFunctionConfiguration "PUT" "/2015-03-31/functions/{}/configuration";
    UpdateFunctionCode "PUT" "/2015-03-31/functions/{}/code";
    ListFunctions "GET" "/2015-03-31/functions";
    PublishVersion "POST" "/2015-03-31/functions/{}/versions";
    ListVersionsByFunction "GET" "/2015-03-31/functions/{}/versions";
    CreateAlias "POST" "/2015-03-31/functions/{}/aliases";
    ListAliases "GET" "/2015-03-31/functions/{}/aliases";
    GetAlias "GET" "/2015-03-31/functions/{}/aliases/{}";
    UpdateAlias "PUT" "/2015-03-31/functions/{}/aliases/{}";
    DeleteAlias "DELETE" "/2015-03-31/functions/{}/aliases/{}";
    ListTags "GET" "/2017-03-31/tags/{}";
    TagResource "POST" "/2017-03-31/tags/{}";
    UntagResource "DELETE" "/2017-03-31/tags/{}";
    GetFunctionCodeSigningConfig "GET" "/2020-06-30/functions/{}/code-signing-config";
    GetFunctionConcurrency "GET" "/2019-09-30/functions/{}/concurrency";
    PutFunctionConcurrency "PUT" "/2017-10-31/functions/{}/concurrency";
    DeleteFunctionConcurrency "DELETE" "/2017-10-31/functions/{}/concurrency";
    GetFunctionRecursionConfig "GET" "/2024-08-31/functions/{}/recursion-config";
    GetRuntimeManagementConfig "GET" "/2021-07-20/functions/{}/runtime-management-config";
    GetFunctionScalingConfig "GET" "/2025-11-30/functions/{}/function-scaling-config";
    GetFunctionUrlConfig "GET" "/2021-10-31/functions/{}/url";
    GetFunctionEventInvokeConfig "GET" "/2019-09-25/functions/{}/event-invoke-config";
    ListEventSourceMappings "GET" "/2015-03-31/event-source-mappings";
    GetAccountSettings "GET" "/2016-08-19/account-settings";
    GetCallerIdentity "STS" "";
    AssumeRole "STS" "";
    AssumeRoleWithWebIdentity "STS" "";
}

/// The buckets that Lambda counts requests in, per account and region
/// (`lambda-semantics.md`, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    GetPolicy,
    GetFunction,
    Control,
}

impl Operation {
    /// Its answer is a session of a role.
    pub(crate) fn is_assume_role(self) -> bool {
        self == Self::AssumeRole || self == Self::AssumeRoleWithWebIdentity
    }

    /// Where it is counted; STS has limits of its own, which nobody meets.
    pub(crate) fn bucket(self) -> Option<Bucket> {
        if self == Self::GetPolicy {
            Some(Bucket::GetPolicy)
        } else if self == Self::GetFunction {
            Some(Bucket::GetFunction)
        } else if self == Self::GetCallerIdentity || self.is_assume_role() {
            None
        } else {
            Some(Bucket::Control)
        }
    }
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    /// The segments of the path that stand for something, decoded.
    pub(crate) labels: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Which operation a method and a path are; the path is as it came, not decoded.
    pub(crate) fn route(method: &str, path: &str, query: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let found: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let wanted: Vec<&str> = template.split('/').collect();
            let pairs = wanted.iter().zip(&found);
            wanted.len() == found.len()
                && pairs.into_iter().all(|(it, at)| it == at || (*it == "{}" && !at.is_empty()))
        };
        let (operation, _, template) =
            ROUTES.iter().find(|(_, it, template)| *it == method && fits(template))?;
        let labels = template.split('/').zip(&found).filter(|(it, _)| *it == "{}");
        let decoded = labels.map(|(_, it)| percent_decode_str(it).decode_utf8_lossy().into_owned());
        Some(Self {
            operation: *operation,
            labels: decoded.collect(),
            query: pairs(query),
            body: Vec::new(),
        })
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(it, _)| it == key).map(|(_, it)| it.as_str())
    }

    /// All values of a query parameter.
    pub(crate) fn query_all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(it, _)| it == key).map(|(_, it)| it.as_str())
    }

    /// The n-th label.
    pub(crate) fn label(&self, n: usize) -> &str {
        self.labels.get(n).map_or("", String::as_str)
    }
}

/// The pairs of a query or of a form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |it: &str| {
        let spaced: Cow<str> = it.replace('+', " ").into();
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pairs = text.split('&').filter(|it| !it.is_empty());
    pairs
        .map(|it| it.split_once('=').unwrap_or((it, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

/// Who asks, and which region was asked.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) place: AccountRegion,
    /// Without a signature, an ARN in the request says which account and region are meant.
    pub(crate) signed: bool,
    /// The ARN and the id of an assumed role.
    pub(crate) session: Option<(String, String)>,
}

impl Caller {
    /// What `GetCallerIdentity` says.
    pub(crate) fn arn(&self) -> String {
        let AccountRegion { account, region } = &self.place;
        let user = || format!("arn:{}:iam::{account}:user/simulator", partition_of(region));
        self.session.as_ref().map_or_else(user, |(arn, _)| arn.clone())
    }

    /// The unique id of the same.
    pub(crate) fn id(&self) -> &str {
        self.session.as_ref().map_or("AIDASIMULATORUSER0000", |(_, id)| id)
    }
}

/// A good answer, without what every answer has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(body) }
    }

    pub(crate) fn empty() -> Self {
        Self { status: 204, body: None }
    }
}

/// What goes back over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The error code, for `x-amzn-ErrorType`.
    pub(crate) code: Option<String>,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: String,
}

impl Answer {
    const JSON: &str = "application/json";

    /// From the rules' own result.
    pub(crate) fn of(result: &Result<Reply, Refusal>) -> Self {
        match result {
            Ok(Reply { status, body }) => Self {
                status: *status,
                code: None,
                content_type: Self::JSON.to_owned(),
                retry_after: None,
                body: body.as_ref().map(Value::to_string).unwrap_or_default(),
            },
            Err(refusal) => Self {
                status: refusal.status,
                code: Some(refusal.code.clone()),
                content_type: Self::JSON.to_owned(),
                retry_after: refusal.retry_after,
                body: refusal.body(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_once() {
        let path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af%253A/policy/a%20b";
        let request = Request::route("DELETE", path, "Qualifier=%24LATEST&RevisionId=a+b").unwrap();
        assert_eq!(request.operation, Operation::RemovePermission);
        assert_eq!(request.labels, ["arn:aws:lambda:us-east-1:1:function:f%3A", "a b"]);
        assert_eq!(request.query("Qualifier"), Some("$LATEST"));
        assert_eq!(request.query("RevisionId"), Some("a b"));
    }

    #[test]
    fn a_slash_at_the_end_does_not_matter() {
        let route = |method, path| Request::route(method, path, "").map(|it| it.operation.name());
        assert_eq!(route("GET", "/2015-03-31/functions/"), Some("ListFunctions"));
        assert_eq!(route("GET", "/2015-03-31/functions"), Some("ListFunctions"));
        assert_eq!(route("PATCH", "/2015-03-31/functions"), None);
        assert_eq!(route("GET", "/2015-03-31/functions//policy"), None);
    }
}
