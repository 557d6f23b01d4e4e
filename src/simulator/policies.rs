//! AddPermission, RemovePermission, GetPolicy and the Put family: checks in Lambda's order, then the write.

use serde_json::{Value, json};

use crate::simulator::{
    account::{Moment, World},
    document::{Document, aws_principals},
    names::{LATEST, Resource, resolve},
    refusal::Refusal,
    render,
    request::{Caller, Reply, Request},
    switches::{
        CheckOrderRemove, FirstAddRevision, GetPolicy404, PutEcho, PutFamily, PutRevision,
        RevisionModel,
    },
    validate::{self, Checks, object},
};

/// A policy may be this long, and no longer (`lambda-semantics.md`, 2.5).
pub(crate) const LIMIT: usize = 20_480;

/// The parameters of AddPermission.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) sid: &'a str,
    pub(crate) action: &'a str,
    pub(crate) principal: &'a str,
    pub(crate) source_arn: Option<&'a str>,
    pub(crate) source_account: Option<&'a str>,
    pub(crate) event_source_token: Option<&'a str>,
    pub(crate) principal_org_id: Option<&'a str>,
    pub(crate) function_url_auth_type: Option<&'a str>,
    pub(crate) invoked_via_function_url: Option<bool>,
}

impl World {
    /// AddPermission. `saw_none`: there was no policy when the request arrived, which matters
    /// where parallel first ones get lost.
    pub(crate) fn add_permission(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
        saw_none: bool,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let text = |key| validate::text(&body, key);
        let (sid, action, principal) = (text("StatementId")?, text("Action")?, text("Principal")?);
        let revision = text("RevisionId")?;
        let grant = Grant {
            sid: sid.unwrap_or_default(),
            action: action.unwrap_or_default(),
            principal: principal.unwrap_or_default(),
            source_arn: text("SourceArn")?,
            source_account: text("SourceAccount")?,
            event_source_token: text("EventSourceToken")?,
            principal_org_id: text("PrincipalOrgID")?,
            function_url_auth_type: text("FunctionUrlAuthType")?,
            invoked_via_function_url: validate::flag(&body, "InvokedViaFunctionUrl")?,
        };
        let mut checks = Checks::default();
        checks.text(&validate::A_FUNCTION_NAME, request.label(0));
        checks.optional(&validate::A_QUALIFIER, request.query("Qualifier"));
        checks.required(&validate::A_STATEMENT_ID, sid);
        checks.required(&validate::AN_ACTION, action);
        checks.required(&validate::A_PRINCIPAL, principal);
        checks.optional(&validate::A_SOURCE_ARN, grant.source_arn);
        checks.optional(&validate::A_SOURCE_ACCOUNT, grant.source_account);
        checks.optional(&validate::AN_EVENT_SOURCE_TOKEN, grant.event_source_token);
        checks.optional(&validate::AN_ORG_ID, grant.principal_org_id);
        let auth = grant.function_url_auth_type;
        checks.one_of("functionUrlAuthType", &["NONE", "AWS_IAM"], auth);
        checks.done()?;
        let resource =
            resolve(request.label(0), request.query("Qualifier"), caller, request.operation)?;
        let statement = self.check_add(&grant, &resource, revision, now, saw_none)?;
        Ok(Reply::new(201, json!({"Statement": statement})))
    }

    fn check_add(
        &mut self,
        grant: &Grant<'_>,
        resource: &Resource,
        revision: Option<&str>,
        now: Moment,
        saw_none: bool,
    ) -> Result<String, Refusal> {
        self.check_writable(resource)?;
        self.check_revision(resource, revision)?;
        let lost = saw_none && revision.is_none() && self.switches.lost_parallel_first_add;
        let before = self.policy(resource).filter(|_| !lost).map(|it| it.document.clone());
        let mut document = before.unwrap_or_else(Document::new);
        if document.position(grant.sid).is_some() {
            return Err(Refusal::conflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement \
                 id, or remove the existing statement.",
                grant.sid
            )));
        }
        grant.check_combination()?;
        let (region, time) = (resource.place.region.as_str(), now.since_start);
        let principal = self.principal_element(grant.principal, region, time)?;
        self.check_dangling(&document)?;
        let order = self.switches.statement_render;
        let statement = render::statement(grant, principal, resource, order);
        document.push(statement.clone());
        self.check_public(&document)?;
        self.check_size(&document)?;
        self.write_policy(resource, Some(document), now);
        Ok(statement)
    }

    /// RemovePermission.
    pub(crate) fn remove_permission(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        let (sid, revision) = (request.label(1), request.query("RevisionId"));
        let mut checks = Checks::default();
        checks.text(&validate::A_FUNCTION_NAME, request.label(0));
        checks.text(&validate::A_REMOVED_STATEMENT_ID, sid);
        checks.optional(&validate::A_QUALIFIER, request.query("Qualifier"));
        checks.done()?;
        let resource =
            resolve(request.label(0), request.query("Qualifier"), caller, request.operation)?;
        let mut document = self.present(&resource)?;
        if self.switches.check_order_remove == CheckOrderRemove::RevisionFirst {
            self.check_revision(&resource, revision)?;
        }
        let Some(position) = document.position(sid) else {
            let text = format!("Statement {sid} is not found in resource policy.");
            return Err(Refusal::not_found(text));
        };
        self.check_revision(&resource, revision)?;
        document.remove(position);
        let rest = Some(document).filter(|it| !it.statements().is_empty());
        self.write_policy(&resource, rest, now);
        Ok(Reply::empty())
    }

    /// GetPolicy; `stale` asks for the document before the last write.
    pub(crate) fn get_policy(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
        stale: bool,
    ) -> Result<Reply, Refusal> {
        let mut checks = Checks::default();
        checks.text(&validate::A_FUNCTION_NAME, request.label(0));
        checks.optional(&validate::A_QUALIFIER, request.query("Qualifier"));
        checks.done()?;
        let resource =
            resolve(request.label(0), request.query("Qualifier"), caller, request.operation)?;
        self.read(&resource, now, stale)
    }

    /// PutResourcePolicy.
    pub(crate) fn put_resource_policy(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        let body = object(&request.body)?;
        let (policy, revision) =
            (validate::text(&body, "Policy")?, validate::text(&body, "RevisionId")?);
        let resource = self.put_target(request, caller, revision, |checks| {
            checks.required(&validate::A_POLICY, policy);
        })?;
        self.check_writable(&resource)?;
        self.check_revision(&resource, self.as_policy_revision(revision).as_deref())?;
        let mut document = parse(policy.unwrap_or_default())?;
        let before = self.policy(&resource).map(|it| it.document.clone());
        self.check_principals(&document, before.as_ref(), now.since_start)?;
        self.check_public(&document)?;
        self.check_size(&document)?;
        if self.switches.put_echo == PutEcho::Compact {
            document.tidy();
        }
        let text = document.text();
        let new = self.write_policy(&resource, Some(document), now);
        let new = self.as_policy_revision(Some(&new));
        Ok(Reply::new(200, json!({"Policy": text, "RevisionId": new})))
    }

    /// GetResourcePolicy.
    pub(crate) fn get_resource_policy(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
        stale: bool,
    ) -> Result<Reply, Refusal> {
        let resource = self.put_target(request, caller, None, |_| ())?;
        let (text, revision) = self.seen(&resource, now, stale)?;
        let revision = self.as_policy_revision(Some(&revision));
        Ok(Reply::new(200, json!({"Policy": text, "RevisionId": revision})))
    }

    /// DeleteResourcePolicy.
    pub(crate) fn delete_resource_policy(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        let revision = request.query("RevisionId");
        let resource = self.put_target(request, caller, revision, |_| ())?;
        self.present(&resource)?;
        self.check_revision(&resource, self.as_policy_revision(revision).as_deref())?;
        self.write_policy(&resource, None, now);
        Ok(Reply::empty())
    }

    /// What the three of `/2026-07-09/` have in common.
    fn put_target(
        &self,
        request: &Request,
        caller: &Caller,
        revision: Option<&str>,
        more: impl FnOnce(&mut Checks),
    ) -> Result<Resource, Refusal> {
        match self.switches.put_family {
            PutFamily::On => {}
            PutFamily::Absent => return Err(Refusal::unknown_operation()),
            PutFamily::Denied => {
                return Err(Refusal::denied(
                    &caller.arn(),
                    request.operation.name(),
                    request.label(0),
                ));
            }
        }
        let mut checks = Checks::default();
        checks.text(&validate::A_RESOURCE_ARN, request.label(0));
        more(&mut checks);
        checks.optional(&validate::A_REVISION_ID, revision);
        checks.done()?;
        resolve(request.label(0), None, caller, request.operation)
    }

    /// A RevisionId of GetPolicy as one of PutResourcePolicy's family, and the other way round.
    fn as_policy_revision(&self, revision: Option<&str>) -> Option<String> {
        let own = self.switches.put_revision == PutRevision::Own;
        let other = |it: char| match it.to_digit(16).filter(|_| own) {
            Some(digit) => char::from_digit(15 - digit, 16).unwrap_or(it),
            None => it,
        };
        revision.map(|it| it.chars().map(other).collect())
    }

    fn read(&mut self, resource: &Resource, now: Moment, stale: bool) -> Result<Reply, Refusal> {
        let (text, revision) = self.seen(resource, now, stale)?;
        Ok(Reply::new(200, json!({"Policy": text, "RevisionId": revision})))
    }

    fn seen(
        &mut self,
        resource: &Resource,
        now: Moment,
        stale: bool,
    ) -> Result<(String, String), Refusal> {
        if self.switches.get_policy_404 == GetPolicy404::Legacy {
            self.existing(resource)?;
            self.check_qualifier(resource)?;
        }
        let (document, revision) =
            self.read_policy(resource, now, stale).ok_or_else(Refusal::no_resource)?;
        Ok((self.flicker(document, now.since_start).text(), revision))
    }

    /// Checks 3, 4 and 5 of AddPermission (`lambda-semantics.md`, 2.3).
    fn check_writable(&mut self, resource: &Resource) -> Result<(), Refusal> {
        if resource.qualifier.as_deref() == Some(LATEST) {
            let text = "We currently do not support adding policies for $LATEST.";
            return Err(Refusal::parameter(text));
        }
        self.existing(resource)?;
        self.check_qualifier(resource)
    }

    /// Checks 3, 4 and 5 of RemovePermission. Gives the policy.
    fn present(&mut self, resource: &Resource) -> Result<Document, Refusal> {
        if self.function(resource).is_none() {
            let text = format!("No policy found for: {}", resource.function_arn());
            return Err(Refusal::not_found(text));
        }
        self.check_qualifier(resource)?;
        let found = self.policy(resource).map(|it| it.document.clone());
        found.ok_or_else(|| Refusal::not_found("No policy is associated with the given resource."))
    }

    /// A RevisionId that is given has to be the policy's (`lambda-semantics.md`, 3).
    fn check_revision(&self, resource: &Resource, given: Option<&str>) -> Result<(), Refusal> {
        let Some(given) = given else { return Ok(()) };
        let model = self.switches.revision_model;
        let alias = self.function(resource).zip(resource.qualifier.as_ref());
        let alias = alias.and_then(|(it, name)| it.aliases.get(name));
        let own = self.policy(resource).is_none()
            && model == RevisionModel::Separate
            && self.switches.first_add_revision == FirstAddRevision::AcceptAliasOwn
            && alias.is_some_and(|it| it.revision == given);
        if own || self.policy_revision(resource).as_deref() == Some(given) {
            Ok(())
        } else {
            Err(Refusal::policy_revision(model))
        }
    }

    fn check_size(&self, document: &Document) -> Result<(), Refusal> {
        let overhead = self.switches.size_overhead_per_statement;
        let n = document.statements().len();
        let size = document.compact().len().saturating_add(overhead.saturating_mul(n));
        if size > LIMIT { Err(Refusal::too_large(size, LIMIT)) } else { Ok(()) }
    }

    fn check_public(&self, document: &Document) -> Result<(), Refusal> {
        let public = self.switches.public_block && document.values().any(|it| is_public(&it));
        if public { Err(Refusal::public_policy()) } else { Ok(()) }
    }
}

impl Grant<'_> {
    /// Check 8 of AddPermission.
    fn check_combination(&self) -> Result<(), Refusal> {
        let action = |it: &str| self.action.eq_ignore_ascii_case(it);
        if self.function_url_auth_type.is_some() && !action("lambda:InvokeFunctionUrl") {
            return Err(Refusal::parameter(
                "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
            ));
        }
        if self.invoked_via_function_url == Some(true) && !action("lambda:InvokeFunction") {
            return Err(Refusal::parameter(
                "InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action",
            ));
        }
        Ok(())
    }
}

/// A document of PutResourcePolicy. No text of Lambda's about a bad one is recorded.
fn parse(text: &str) -> Result<Document, Refusal> {
    let bad = |why: String| Refusal::parameter(format!("The provided policy is invalid: {why}"));
    let document = Document::parse(text).map_err(bad)?;
    if document.statements().is_empty() {
        return Err(bad("it has no statements".to_owned()));
    }
    let mut sids: Vec<String> = Vec::new();
    for statement in document.values() {
        let has = |keys: &[&str]| keys.iter().any(|it| statement.get(it).is_some());
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow" | "Deny") => {}
            Some(_) | None => return Err(bad("an Effect is neither Allow nor Deny".to_owned())),
        }
        if !has(&["Principal", "NotPrincipal"]) {
            return Err(bad("a statement has no Principal".to_owned()));
        }
        if !has(&["Action", "NotAction"]) {
            return Err(bad("a statement has no Action".to_owned()));
        }
        if let Some(sid) = statement.get("Sid").and_then(Value::as_str) {
            if sids.iter().any(|it| it == sid) {
                return Err(bad(format!("the Sid {sid} stands there twice")));
            }
            sids.push(sid.to_owned());
        }
    }
    Ok(document)
}

/// Whether a statement lets everybody in: an Allow for `*` that no condition narrows.
fn is_public(statement: &Value) -> bool {
    const NARROW: &[&str] = &[
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:principalorgid",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceip",
        "lambda:eventsourcetoken",
    ];
    let allow = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let bare = statement.get("Principal").and_then(Value::as_str) == Some("*");
    let anyone = bare || aws_principals(statement).iter().any(|it| it == "*");
    let operators = statement.get("Condition").and_then(Value::as_object);
    let mut keys = operators.into_iter().flat_map(|it| it.values()).filter_map(Value::as_object);
    let narrowed =
        keys.any(|it| it.keys().any(|it| NARROW.contains(&it.to_ascii_lowercase().as_str())));
    allow && anyone && !narrowed
}
