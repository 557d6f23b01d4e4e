//! The simulator as a gateway, without HTTP: the same rules, faults and log.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use crate::lambda::gateway::{
    FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Put, Receipt,
    Recovery,
};
use crate::policy::grant::{Permission, UrlAuthType};
use crate::policy::target::{AccountRegion, Target};
use crate::simulator::{
    Simulator,
    call::Outcome,
    names::Resource,
    request::{Answer, Caller, Operation, Request},
};

/// A gateway to the simulator. It acts as the target's own account, in the target's region.
#[derive(Debug, Clone)]
pub struct Direct {
    simulator: Simulator,
}

impl Direct {
    pub(crate) fn new(simulator: Simulator) -> Self {
        Self { simulator }
    }

    /// The simulator behind it.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    async fn send(
        &self,
        operation: Operation,
        target: &Target,
        sid: Option<&str>,
        query: Vec<(String, String)>,
        body: Option<Map<String, Value>>,
    ) -> Result<Answer, GatewayError> {
        let resource = Resource::of_target(target);
        let qualifier = resource.qualifier.clone().map(|it| ("Qualifier".to_owned(), it));
        let request = Request {
            operation,
            labels: [Some(resource.function_arn()), sid.map(str::to_owned)]
                .into_iter()
                .flatten()
                .collect(),
            query: qualifier.into_iter().chain(query).collect(),
            body: body.map(|it| Value::Object(it).to_string().into_bytes()).unwrap_or_default(),
        };
        self.call(target.account_region(), &request).await
    }

    async fn list(
        &self,
        place: AccountRegion,
        operation: Operation,
        labels: Vec<String>,
        marker: Option<&str>,
    ) -> Result<Answer, GatewayError> {
        let query = marker.map(|it| ("Marker".to_owned(), it.to_owned())).into_iter().collect();
        self.call(place, &Request { operation, labels, query, body: Vec::new() }).await
    }

    async fn of_document(
        &self,
        operation: Operation,
        target: &Target,
        query: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, GatewayError> {
        let request = Request { operation, labels: vec![target.arn()], query, body };
        let answer = self.call(target.account_region(), &request).await;
        answer.map_err(GatewayError::of_document_call)
    }

    async fn call(&self, place: AccountRegion, request: &Request) -> Result<Answer, GatewayError> {
        let caller = Caller { place, signed: true, session: None };
        let answer = match self.simulator.call(&caller, request).await {
            Outcome::Ruled(result) => Answer::of(&result),
            Outcome::Raw(answer) => answer,
            Outcome::Dropped => {
                return Err(GatewayError {
                    recovery: Recovery::Unknown,
                    status: None,
                    code: None,
                    message: "the connection closed before there was an answer".to_owned(),
                    request_id: None,
                });
            }
        };
        if answer.status < 400 { Ok(answer) } else { Err(error(&answer)) }
    }
}

impl PolicyReader for Direct {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let answer = self.send(Operation::GetPolicy, target, None, Vec::new(), None).await?;
        Ok(LivePolicy { text: text(&answer, "Policy"), revision: text(&answer, "RevisionId") })
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let answer = self.of_document(Operation::GetResourcePolicy, target, Vec::new(), Vec::new());
        let answer = answer.await?;
        Ok(LivePolicy { text: text(&answer, "Policy"), revision: text(&answer, "RevisionId") })
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        let answer = self.send(Operation::GetFunction, target, None, Vec::new(), None);
        answer.await.map(drop)
    }
}

impl FunctionLister for Direct {
    async fn list_functions(
        &self,
        place: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let answer = self.list(place.clone(), Operation::ListFunctions, Vec::new(), marker).await?;
        Ok(page(&answer, "Functions", "FunctionArn"))
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let answer = self
            .list(
                function.account_region(),
                Operation::ListAliases,
                vec![function.function_arn()],
                marker,
            )
            .await?;
        Ok(page(&answer, "Aliases", "Name"))
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let answer = self
            .list(
                function.account_region(),
                Operation::ListVersionsByFunction,
                vec![function.function_arn()],
                marker,
            )
            .await?;
        Ok(page(&answer, "Versions", "Version"))
    }

    async fn list_tags(&self, function: &Target) -> Result<BTreeMap<String, String>, GatewayError> {
        let labels = vec![function.function_arn()];
        let answer =
            self.list(function.account_region(), Operation::ListTags, labels, None).await?;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let tags = body.get("Tags").and_then(Value::as_object).into_iter().flatten();
        Ok(tags.filter_map(|(key, it)| Some((key.clone(), it.as_str()?.to_owned()))).collect())
    }
}

impl PolicyGateway for Direct {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        let mut body = Map::new();
        let mut put = |key: &str, value: Option<&str>| {
            if let Some(it) = value {
                body.insert(key.to_owned(), json!(it));
            }
        };
        put("StatementId", Some(sid));
        put("Action", Some(&permission.action.0));
        put("Principal", Some(permission.principal.parameter()));
        put("SourceArn", permission.source_arn.as_deref());
        put("SourceAccount", permission.source_account.as_deref());
        put("PrincipalOrgID", permission.principal_org_id.as_deref());
        put("EventSourceToken", permission.event_source_token.as_deref());
        let auth = permission.function_url_auth_type;
        put("FunctionUrlAuthType", auth.map(UrlAuthType::as_str));
        put("RevisionId", revision);
        if permission.invoked_via_function_url {
            body.insert("InvokedViaFunctionUrl".to_owned(), json!(true));
        }
        let sent = self.send(Operation::AddPermission, target, None, Vec::new(), Some(body));
        sent.await.map(|_| Receipt::default())
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let query = vec![("RevisionId".to_owned(), revision.to_owned())];
        let sent = self.send(Operation::RemovePermission, target, Some(sid), query, None);
        sent.await.map(|_| Receipt::default())
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        let body = json!({"Policy": document, "RevisionId": revision});
        let body = body.to_string().into_bytes();
        let answer =
            self.of_document(Operation::PutResourcePolicy, target, Vec::new(), body).await?;
        Ok(Put { revision: text(&answer, "RevisionId"), receipt: Receipt::default() })
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let query = vec![("RevisionId".to_owned(), revision.to_owned())];
        let sent = self.of_document(Operation::DeleteResourcePolicy, target, query, Vec::new());
        sent.await.map(|_| Receipt::default())
    }
}

/// A member of a good answer.
fn text(answer: &Answer, key: &str) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One page of a list: a member of each of its entries, and the marker of the next.
fn page(answer: &Answer, list: &str, member: &str) -> Page {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let entries = body.get(list).and_then(Value::as_array).into_iter().flatten();
    let names = entries.filter_map(|it| it.get(member)?.as_str().map(str::to_owned)).collect();
    let next = body.get("NextMarker").and_then(Value::as_str).map(str::to_owned);
    Page { names, next }
}

/// How a client reads an error answer.
fn error(answer: &Answer) -> GatewayError {
    let Answer { status, code, content_type: _, retry_after, body } = answer;
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let message = ["message", "Message"].iter().find_map(|it| parsed.get(it)?.as_str());
    let message = message.unwrap_or(body).to_owned();
    let code = code.clone();
    let retry_after = retry_after.map(Duration::from_secs);
    let recovery = Recovery::of_answer(*status, code.as_deref(), &message, retry_after);
    GatewayError { recovery, status: Some(*status), code, message, request_id: None }
}
