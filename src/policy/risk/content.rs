//! What a statement grants, as far as risks go: of a permission and of any live statement alike.

use std::borrow::Cow;

use wildmatch::WildMatch;

use crate::policy::{
    grant::Permission,
    json::Json,
    principal::Principal,
    risk::{Risk, services},
    terms::Terms,
};

/// Condition keys that say on whose behalf a service calls.
///
/// Any operator counts, also one that pins little: what it says was at least thought about, and whether
/// `StringNotEquals` is enough is not for a machine to say.
const SOURCE_KEYS: &[&str] = &[
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "lambda:eventsourcetoken",
];
/// Those that say in which account, or organization, the source is.
const OWNER_KEYS: &[&str] = &["aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"];
/// Those that say in which organization the caller is.
const ORG_KEYS: &[&str] = &["aws:principalorgid", "aws:principalorgpaths"];
/// The documentation of Lambda@Edge demands the asterisk, though each names one action only.
const NOT_REALLY_WILD: &[&str] = &["lambda:enablereplication*", "lambda:disablereplication*"];

/// What one statement grants; empty where it grants nothing, as a Deny.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    /// Everybody but a few (`NotPrincipal`) is as good as anyone.
    pub principals: Vec<Cow<'a, Principal>>,
    /// In lower case. Everything but a few (`NotAction`) is as good as `*`.
    pub actions: Vec<Cow<'a, str>>,
    /// `lambda:InvokedViaFunctionUrl` has to be true.
    pub via_url: bool,
    /// There is a condition, understood or not.
    conditional: bool,
    /// In lower case.
    keys: Vec<Cow<'a, str>>,
    source_arns: Vec<SourceArn<'a>>,
}

#[derive(Debug)]
struct SourceArn<'a> {
    text: Cow<'a, str>,
    /// Its operator knows wildcards; to the others a `*` is a letter.
    wild: bool,
}

impl<'a> Content<'a> {
    /// What AddPermission makes of it.
    pub(super) fn of(permission: &'a Permission) -> Self {
        if let Principal::Deleted(_) = permission.principal {
            return Self::default();
        }
        let Permission {
            principal,
            action,
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type,
            invoked_via_function_url,
        } = permission;
        let keys = [
            ("aws:sourcearn", source_arn.is_some()),
            ("aws:sourceaccount", source_account.is_some()),
            ("aws:principalorgid", principal_org_id.is_some()),
            ("lambda:eventsourcetoken", event_source_token.is_some()),
            ("lambda:functionurlauthtype", function_url_auth_type.is_some()),
            ("lambda:invokedviafunctionurl", *invoked_via_function_url),
        ];
        let keys: Vec<Cow<'a, str>> =
            keys.into_iter().filter(|(_, set)| *set).map(|(key, _)| key.into()).collect();
        let arn = source_arn.iter().map(|it| SourceArn { text: it.into(), wild: true });
        Self {
            principals: vec![Cow::Borrowed(principal)],
            actions: vec![action.0.to_ascii_lowercase().into()],
            via_url: *invoked_via_function_url,
            conditional: !keys.is_empty(),
            keys,
            source_arns: arn.collect(),
        }
    }

    /// The same for a grant of any kind.
    pub(super) fn of_terms(terms: &'a Terms) -> Self {
        match terms {
            Terms::Plain(it) => Self::of(it),
            Terms::Wide(it) => Self::read(it.text(), it.partition()).unwrap_or_default(),
        }
    }

    /// Whatever can be seen in the text of a live statement; none where it does not allow.
    ///
    /// It does not ask for more order than it needs: what stands twice counts twice.
    pub(super) fn read(text: &'a str, partition: &str) -> Option<Self> {
        let Json::Object(members) = Json::parse(text)? else { return None };
        let mut effects = members.iter().filter(|(key, _)| key == "Effect").peekable();
        effects.peek()?;
        if effects.any(|(_, it)| it.string() != Some("Allow")) {
            return None;
        }
        let mut res = Self::default();
        for (key, value) in &members {
            match key.as_ref() {
                "Principal" => res.read_principals(value, partition),
                "NotPrincipal" => res.principals.push(Cow::Owned(Principal::Anyone)),
                "Action" => {
                    let texts = value.as_list().iter().filter_map(Json::string);
                    res.actions.extend(texts.map(|it| it.to_ascii_lowercase().into()));
                }
                "NotAction" => res.actions.push("*".into()),
                "Condition" => res.read_condition(value),
                _ => {}
            }
        }
        let n_principals = res.principals.len();
        res.principals.retain(|it| !matches!(**it, Principal::Deleted(_)));
        let for_nobody = n_principals > 0 && res.principals.is_empty();
        if for_nobody { None } else { Some(res) }
    }

    fn read_principals(&mut self, value: &Json<'a>, partition: &str) {
        let aws = |it: &Json<'a>| {
            let text = it.scalar()?;
            let known = Principal::of_aws(&text, partition);
            Some(Cow::Owned(known.unwrap_or_else(|| Principal::Iam(text.into_owned()))))
        };
        let Json::Object(kinds) = value else {
            self.principals.extend(aws(value));
            return;
        };
        for (kind, value) in kinds {
            let values = value.as_list().iter();
            if kind == "Service" {
                let services = values.filter_map(Json::scalar).map(Cow::into_owned);
                self.principals.extend(services.map(|it| Cow::Owned(Principal::Service(it))));
            } else {
                self.principals.extend(values.filter_map(aws));
            }
        }
    }

    fn read_condition(&mut self, value: &Json<'a>) {
        let Json::Object(operators) = value else {
            self.conditional = true;
            return;
        };
        for (operator, keys) in operators {
            let Json::Object(keys) = keys else {
                self.conditional = true;
                continue;
            };
            for (key, values) in keys {
                self.conditional = true;
                let key = key.to_ascii_lowercase();
                let values = values.as_list().iter().filter_map(Json::scalar);
                match (key.as_str(), takes_wildcards(operator)) {
                    ("aws:sourcearn", Some(wild)) => {
                        self.source_arns.extend(values.map(|text| SourceArn { text, wild }));
                    }
                    ("lambda:invokedviafunctionurl", _) => {
                        self.via_url |=
                            values.into_iter().any(|it| it.eq_ignore_ascii_case("true"));
                    }
                    _ => {}
                }
                self.keys.push(key.into());
            }
        }
    }

    /// The definition of each risk that one statement can have by itself.
    pub(super) fn has(&self, risk: Risk) -> bool {
        let for_service = self.principals.iter().any(|it| matches!(**it, Principal::Service(_)));
        let any_arn = |matches: fn(&SourceArn<'a>) -> bool| self.source_arns.iter().any(matches);
        match risk {
            Risk::P001 => for_service && !self.has_key(SOURCE_KEYS),
            Risk::P002 => {
                self.principals.iter().any(|it| **it == Principal::Anyone) && !self.conditional
            }
            Risk::P003 => any_arn(SourceArn::is_bucket_of_anyone) && !self.has_key(OWNER_KEYS),
            Risk::P004 => self.principals.iter().any(|it| is_whole_account(it)),
            Risk::P005 => self.actions.iter().any(|it| is_wild_action(it)),
            Risk::P006 => {
                let pinned = self.has_key(OWNER_KEYS) || self.has_key(ORG_KEYS);
                any_arn(SourceArn::crosses_accounts) && !pinned
            }
            Risk::P007 => false,
            Risk::P008 => self.has_foreign_source(),
        }
    }

    fn has_key(&self, keys: &[&str]) -> bool {
        self.keys.iter().any(|it| keys.contains(&it.as_ref()))
    }

    /// A service for which none of the ARNs is its own, or an ARN that is of none of the services.
    fn has_foreign_source(&self) -> bool {
        let services = self.principals.iter().filter_map(|it| match &**it {
            Principal::Service(it) => Some(it.as_str()),
            Principal::Anyone
            | Principal::Account(_)
            | Principal::Iam(_)
            | Principal::Deleted(_) => None,
        });
        let services: Vec<&str> = services.collect();
        let arns: Option<Vec<&str>> = self.source_arns.iter().map(SourceArn::service).collect();
        // A pattern instead of a service may be any service, so nothing can be said.
        let Some(arns) = arns.filter(|it| !it.is_empty() && !services.is_empty()) else {
            return false;
        };
        let own = |service: &str, arn: &str| services::may_name(service, arn);
        services.iter().any(|service| !arns.iter().any(|arn| own(service, arn)))
            || arns.iter().any(|arn| !services.iter().any(|service| own(service, arn)))
    }
}

impl SourceArn<'_> {
    /// The service in it, if it says exactly one.
    fn service(&self) -> Option<&str> {
        let service = self.parts()?.0;
        (!self.is_pattern(service)).then_some(service)
    }

    /// ARNs of buckets carry no account, and a bucket's name is free again as soon as the bucket is deleted.
    fn is_bucket_of_anyone(&self) -> bool {
        let Some((service, account, _)) = self.parts() else { return false };
        let s3 = service == "s3" || (self.wild && WildMatch::new(service).matches("s3"));
        s3 && (account.is_empty() || self.is_pattern(account))
    }

    /// An ARN of too few parts is not understood as one, but its wildcard matches across parts under `StringLike`.
    fn crosses_accounts(&self) -> bool {
        match self.parts() {
            Some((_, "", resource)) => self.is_pattern(resource),
            Some((_, account, _)) => self.is_pattern(account),
            None => self.is_pattern(&self.text),
        }
    }

    /// Service, account and resource.
    fn parts(&self) -> Option<(&str, &str, &str)> {
        let mut parts = self.text.splitn(6, ':').skip(2);
        let (service, _region) = (parts.next()?, parts.next()?);
        Some((service, parts.next()?, parts.next()?))
    }

    fn is_pattern(&self, part: &str) -> bool {
        self.wild && part.contains(['*', '?'])
    }
}

/// By its operator: whether wildcards work in a value that has to match; none where it must not match.
fn takes_wildcards(operator: &str) -> Option<bool> {
    let lower = operator.to_ascii_lowercase();
    let base = lower.rsplit_once(':').map_or(lower.as_str(), |(_, base)| base);
    match base.strip_suffix("ifexists").unwrap_or(base) {
        "arnlike" | "arnequals" | "stringlike" => Some(true),
        "stringequals" | "stringequalsignorecase" => Some(false),
        _ => None,
    }
}

/// An account by its id, or the root of one in another partition.
fn is_whole_account(principal: &Principal) -> bool {
    match principal {
        Principal::Account(_) => true,
        Principal::Iam(arn) => arn.starts_with("arn:") && arn.ends_with(":root"),
        Principal::Anyone | Principal::Service(_) | Principal::Deleted(_) => false,
    }
}

fn is_wild_action(action: &str) -> bool {
    action.contains(['*', '?']) && !NOT_REALLY_WILD.contains(&action)
}
