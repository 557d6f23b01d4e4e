//! The gateway over aws-sdk-lambda. Nothing else names the types of its operations.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK's error enums are non-exhaustive, so they cannot be matched otherwise"
)]

use std::{collections::BTreeMap, error::Error, future::Future, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
    types::FunctionUrlAuthType,
};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_smithy_runtime_api::http::Response;
use tokio::time::Instant;

use crate::lambda::gateway::{
    FunctionLister, GatewayError, LivePolicy, Page, PolicyGateway, PolicyReader, Put, Receipt,
    Recovery, codes,
};
use crate::policy::{
    grant::{Permission, UrlAuthType},
    target::{AccountRegion, Target},
};

/// How the message begins where there are credentials that cannot be loaded.
pub(crate) const CANNOT_LOAD: &str = "the AWS credentials cannot be loaded: ";

/// Lambda in one region, with one set of credentials.
#[derive(Debug, Clone)]
pub struct LambdaClient {
    client: Client,
}

impl LambdaClient {
    /// Speaks through an SDK client that does not retry by itself.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl PolicyReader for LambdaClient {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let call = self
            .client
            .get_policy()
            .function_name(target.function_arn())
            .set_qualifier(target.qualifier().map(str::to_owned));
        let answer = ask("GetPolicy", Box::pin(call.send())).await?;
        match (answer.policy, answer.revision_id) {
            (Some(text), Some(revision)) => Ok(LivePolicy { text, revision }),
            (_, _) => Err(incomplete("the answer to GetPolicy has no policy or no revision in it")),
        }
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        let call = self.client.get_resource_policy().resource_arn(target.arn());
        let answer = ask("GetResourcePolicy", Box::pin(call.send())).await;
        let answer = answer.map_err(GatewayError::of_document_call)?;
        let lacking = "the answer to GetResourcePolicy has no policy or no revision in it";
        match (answer.policy, answer.revision_id) {
            (Some(text), Some(revision)) => Ok(LivePolicy { text, revision }),
            (_, _) => Err(incomplete(lacking)),
        }
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        let call = self
            .client
            .get_function()
            .function_name(target.function_arn())
            .set_qualifier(target.qualifier().map(str::to_owned));
        ask("GetFunction", Box::pin(call.send())).await.map(drop)
    }
}

impl FunctionLister for LambdaClient {
    async fn list_functions(
        &self,
        _: &AccountRegion,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let call = self.client.list_functions().set_marker(marker.map(str::to_owned));
        let answer = ask("ListFunctions", Box::pin(call.send())).await?;
        let arns = answer.functions.unwrap_or_default().into_iter();
        Ok(Page {
            names: arns.filter_map(|it| it.function_arn).collect(),
            next: answer.next_marker,
        })
    }

    async fn list_aliases(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let call = self.client.list_aliases().function_name(function.function_arn());
        let call = call.set_marker(marker.map(str::to_owned));
        let answer = ask("ListAliases", Box::pin(call.send())).await?;
        let aliases = answer.aliases.unwrap_or_default().into_iter();
        Ok(Page { names: aliases.filter_map(|it| it.name).collect(), next: answer.next_marker })
    }

    async fn list_versions(
        &self,
        function: &Target,
        marker: Option<&str>,
    ) -> Result<Page, GatewayError> {
        let call = self.client.list_versions_by_function().function_name(function.function_arn());
        let call = call.set_marker(marker.map(str::to_owned));
        let answer = ask("ListVersionsByFunction", Box::pin(call.send())).await?;
        let versions = answer.versions.unwrap_or_default().into_iter();
        Ok(Page { names: versions.filter_map(|it| it.version).collect(), next: answer.next_marker })
    }

    async fn list_tags(&self, function: &Target) -> Result<BTreeMap<String, String>, GatewayError> {
        let call = self.client.list_tags().resource(function.function_arn());
        let answer = ask("ListTags", Box::pin(call.send())).await?;
        Ok(answer.tags.unwrap_or_default().into_iter().collect())
    }
}

impl PolicyGateway for LambdaClient {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
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
        let auth = function_url_auth_type.map(|it| match it {
            UrlAuthType::None => FunctionUrlAuthType::None,
            UrlAuthType::AwsIam => FunctionUrlAuthType::AwsIam,
        });
        let call = self
            .client
            .add_permission()
            .function_name(target.function_arn())
            .set_qualifier(target.qualifier().map(str::to_owned))
            .statement_id(sid)
            .action(&action.0)
            .principal(principal.parameter())
            .set_source_arn(source_arn.clone())
            .set_source_account(source_account.clone())
            .set_principal_org_id(principal_org_id.clone())
            .set_event_source_token(event_source_token.clone())
            .set_function_url_auth_type(auth)
            .set_invoked_via_function_url(invoked_via_function_url.then_some(true))
            .set_revision_id(revision.map(str::to_owned));
        ask("AddPermission", Box::pin(call.send())).await.map(|it| receipt(&it))
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let call = self
            .client
            .remove_permission()
            .function_name(target.function_arn())
            .set_qualifier(target.qualifier().map(str::to_owned))
            .statement_id(sid)
            .revision_id(revision);
        ask("RemovePermission", Box::pin(call.send())).await.map(|it| receipt(&it))
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        let call = self
            .client
            .put_resource_policy()
            .resource_arn(target.arn())
            .policy(document)
            .revision_id(revision);
        let answer = ask("PutResourcePolicy", Box::pin(call.send())).await;
        let answer = answer.map_err(GatewayError::of_document_call)?;
        let receipt = receipt(&answer);
        match answer.revision_id {
            Some(revision) => Ok(Put { revision, receipt }),
            None => Err(incomplete("the answer to PutResourcePolicy has no revision in it")),
        }
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        let call =
            self.client.delete_resource_policy().resource_arn(target.arn()).revision_id(revision);
        let answer = ask("DeleteResourcePolicy", Box::pin(call.send())).await;
        answer.map(|it| receipt(&it)).map_err(GatewayError::of_document_call)
    }
}

/// Sends a call, and leaves a trace of it with the id that AWS gave it. The span tells which target it is about.
async fn ask<T, E>(
    operation: &'static str,
    call: impl Future<Output = Result<T, SdkError<E, Response>>>,
) -> Result<T, GatewayError>
where
    T: RequestId,
    E: ProvideErrorMetadata + Error + 'static,
{
    let start = Instant::now();
    let answer = call.await;
    let ms = start.elapsed().as_millis();
    match answer {
        Ok(it) => {
            tracing::debug!(operation, request_id = it.request_id(), ms, "lambda has answered");
            Ok(it)
        }
        Err(it) => {
            let error = failure(&it);
            let GatewayError { recovery: _, status, code, message, request_id } = &error;
            tracing::debug!(
                operation,
                status,
                code,
                error = message,
                request_id,
                ms,
                "a call has failed"
            );
            Err(error)
        }
    }
}

fn receipt(answer: &impl RequestId) -> Receipt {
    Receipt { request_id: answer.request_id().map(str::to_owned) }
}

/// The account in the answer to GetCallerIdentity.
pub(crate) fn caller_account<E>(
    answer: Result<GetCallerIdentityOutput, SdkError<E, Response>>,
) -> Result<String, GatewayError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let account = answer.map_err(|it| failure(&it))?.account;
    account.ok_or_else(|| incomplete("the answer to GetCallerIdentity has no account in it"))
}

/// A good answer that does not say what it has to: who knows whose it is, and whether anything was done.
fn incomplete(message: &str) -> GatewayError {
    GatewayError {
        recovery: Recovery::Unknown,
        status: Some(200),
        code: None,
        message: message.to_owned(),
        request_id: None,
    }
}

/// Sorts a failed call by status and code, never by the SDK's variant for one operation.
pub(super) fn failure<E>(error: &SdkError<E, Response>) -> GatewayError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let response = error.raw_response();
    let status = response.map(|it| it.status().as_u16());
    let code = error.code().map(str::to_owned);
    let said = error.message().map(one_line);
    let header = |name| response.and_then(|it| it.headers().get(name));
    let retry_after = header("retry-after").and_then(|it| it.trim().parse().ok());
    let recovery = match status {
        Some(status) => Recovery::of_answer(
            status,
            code.as_deref(),
            said.as_deref().unwrap_or_default(),
            retry_after.map(Duration::from_secs),
        ),
        None => unanswered(error),
    };
    let (code, message) = match (status, code, said) {
        (Some(status), None, _) => {
            let what = header("content-type").unwrap_or("no content type").to_owned();
            let message = format!(
                "HTTP {status} with an answer that is not Lambda's ({what}); is a proxy in between?"
            );
            (None, message)
        }
        (Some(status), code, None) => (code, format!("HTTP {status} without a message")),
        (_, code, Some(said)) => (code, said),
        (None, code, None) if credentials(error).is_some() => {
            let message = match credentials(error) {
                // Its own text is the list of all that was looked at.
                Some(CredentialsError::CredentialsNotLoaded(_)) | None => {
                    "no AWS credentials were found".to_owned()
                }
                Some(_) => format!("{CANNOT_LOAD}{}", root_cause(error)),
            };
            (code.or_else(|| Some(codes::NO_CREDENTIALS.into())), message)
        }
        (None, code, None) => (code, format!("no answer: {}", root_cause(error))),
    };
    let request_id = error.request_id().map(str::to_owned);
    GatewayError { recovery, status, code, message, request_id }
}

fn unanswered<E>(error: &SdkError<E, Response>) -> Recovery
where
    E: Error + 'static,
{
    let refused = |it: &(dyn Error + 'static)| {
        it.downcast_ref::<std::io::Error>().is_some_and(|it| {
            use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
            matches!(it.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable)
        })
    };
    match error {
        _ if credentials(error).is_some() => Recovery::Denied,
        SdkError::ConstructionFailure(_) => Recovery::Rejected,
        // A name that does not resolve is known by its text only.
        SdkError::DispatchFailure(_)
            if causes(error).any(refused) || root_cause(error).contains("lookup address") =>
        {
            Recovery::Unreachable
        }
        _ => Recovery::Unknown,
    }
}

fn credentials<E>(error: &SdkError<E, Response>) -> Option<&CredentialsError>
where
    E: Error + 'static,
{
    causes(error).find_map(|it| it.downcast_ref::<CredentialsError>())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it: &&'a (dyn Error + 'static)| (*it).source())
}

/// The innermost causes say what happened; the outer ones only that something did.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = causes(error).map(|it| one_line(&it.to_string())).collect();
    texts.last().cloned().unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
