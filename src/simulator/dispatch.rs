//! From a request to the rule that answers it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::simulator::{
    account::{Moment, World},
    names::guess,
    refusal::Refusal,
    request::{Caller, Operation, Reply, Request},
    sts,
    validate::object,
};

/// What is known of a request beside what it says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    /// A read is to answer the document before the last write.
    pub(crate) stale: bool,
    /// There was no policy when the request arrived.
    pub(crate) saw_none: bool,
}

impl World {
    /// Applies one request.
    pub(crate) fn apply(
        &mut self,
        request: &Request,
        caller: &Caller,
        now: Moment,
        how: Circumstances,
    ) -> Result<Reply, Refusal> {
        self.catch_up(now.since_start);
        match request.operation {
            Operation::AddPermission => self.add_permission(request, caller, now, how.saw_none),
            Operation::RemovePermission => self.remove_permission(request, caller, now),
            Operation::GetPolicy => self.get_policy(request, caller, now, how.stale),
            Operation::PutResourcePolicy => self.put_resource_policy(request, caller, now),
            Operation::GetResourcePolicy => {
                self.get_resource_policy(request, caller, now, how.stale)
            }
            Operation::DeleteResourcePolicy => self.delete_resource_policy(request, caller, now),
            Operation::CreateFunction => self.create_function(request, caller, now),
            Operation::DeleteFunction => self.delete_function(request, caller),
            Operation::GetFunction => self.get_function(request, caller),
            Operation::GetFunctionConfiguration => self.get_function_configuration(request, caller),
            Operation::UpdateFunctionConfiguration => {
                self.update_function(request, caller, now, false)
            }
            Operation::UpdateFunctionCode => self.update_function(request, caller, now, true),
            Operation::ListFunctions => self.list_functions(request, caller),
            Operation::PublishVersion => self.publish_version(request, caller, now),
            Operation::ListVersionsByFunction => self.list_versions(request, caller),
            Operation::CreateAlias => self.create_alias(request, caller),
            Operation::ListAliases => self.list_aliases(request, caller),
            Operation::GetAlias => self.get_alias(request, caller),
            Operation::UpdateAlias => self.update_alias(request, caller),
            Operation::DeleteAlias => self.delete_alias(request, caller),
            Operation::ListTags => self.list_tags(request, caller),
            Operation::TagResource => self.tag_resource(request, caller),
            Operation::UntagResource => self.untag_resource(request, caller),
            Operation::PutFunctionConcurrency | Operation::DeleteFunctionConcurrency => {
                self.set_concurrency(request, caller)
            }
            Operation::GetFunctionCodeSigningConfig
            | Operation::GetFunctionConcurrency
            | Operation::GetFunctionRecursionConfig
            | Operation::GetRuntimeManagementConfig
            | Operation::GetFunctionScalingConfig
            | Operation::GetFunctionUrlConfig
            | Operation::GetFunctionEventInvokeConfig
            | Operation::ListEventSourceMappings
            | Operation::GetAccountSettings => self.incidental(request, caller),
            Operation::GetCallerIdentity => Ok(sts::get_caller_identity(caller)),
            Operation::AssumeRole | Operation::AssumeRoleWithWebIdentity => {
                sts::assume_role(self, request, caller, now)
            }
        }
    }

    /// What clients ask for besides, with the answers of a function that has none of it.
    fn incidental(&self, request: &Request, caller: &Caller) -> Result<Reply, Refusal> {
        match request.operation.name() {
            "ListEventSourceMappings" => {
                return Ok(Reply::new(200, json!({"EventSourceMappings": []})));
            }
            "GetAccountSettings" => {
                let n = self.regions.get(&caller.place).map_or(0, BTreeMap::len);
                return Ok(Reply::new(
                    200,
                    json!({
                        "AccountLimit": {"ConcurrentExecutions": 1000},
                        "AccountUsage": {"FunctionCount": n},
                    }),
                ));
            }
            _ => {}
        }
        let (resource, function) = self.found(request, caller)?;
        let body = match request.operation.name() {
            "GetFunctionCodeSigningConfig" => json!({"FunctionName": resource.function}),
            "GetFunctionConcurrency" => match function.concurrency {
                Some(it) => json!({"ReservedConcurrentExecutions": it}),
                None => json!({}),
            },
            "GetFunctionRecursionConfig" => json!({"RecursiveLoop": "Terminate"}),
            "GetRuntimeManagementConfig" => json!({
                "UpdateRuntimeOn": "Auto",
                "FunctionArn": resource.arn(),
                "RuntimeVersionArn": null,
            }),
            "GetFunctionScalingConfig" => json!({"FunctionArn": resource.arn()}),
            "GetFunctionEventInvokeConfig" => {
                return Err(Refusal::not_found(format!(
                    "The function {} doesn't have an EventInvokeConfig",
                    resource.arn()
                )));
            }
            _ => return Err(Refusal::no_resource()),
        };
        Ok(Reply::new(200, body))
    }
}

/// The ARN that a request is about, for the log: also where there is no such function.
pub(crate) fn target(request: &Request, caller: &Caller) -> Option<String> {
    if request.operation.is_assume_role() {
        return request.query("RoleArn").map(str::to_owned);
    }
    if request.operation == Operation::CreateFunction {
        let body = object(&request.body).ok()?;
        return guess(body.get("FunctionName")?.as_str()?, None, caller);
    }
    let of_alias = [Operation::GetAlias, Operation::UpdateAlias, Operation::DeleteAlias];
    let alias = of_alias.contains(&request.operation).then(|| request.label(1));
    guess(request.labels.first()?, alias.or_else(|| request.query("Qualifier")), caller)
}

/// The RevisionId that a request carries.
pub(crate) fn revision(request: &Request) -> Option<String> {
    let of_body = || {
        let body = object(&request.body).ok()?;
        Some(body.get("RevisionId")?.as_str()?.to_owned())
    };
    request.query("RevisionId").map(str::to_owned).or_else(of_body)
}
