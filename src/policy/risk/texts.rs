//! What people are told about each risk.

use crate::policy::risk::Risk;

impl Risk {
    /// A few words for reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::P001 => "a service, without a source",
            Self::P002 => "anyone, without a condition",
            Self::P003 => "an S3 source, without its account",
            Self::P004 => "a whole account",
            Self::P005 => "a wildcard as action",
            Self::P006 => "a source ARN that matches other accounts' resources",
            Self::P007 => "half of a function URL",
            Self::P008 => "a source ARN of another service than the principal",
        }
    }

    /// What can happen, how to put it right in the YAML, and how to accept it.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::P001 => {
                "The principal is a service, and nothing says on whose behalf it may call. Every \
                 customer of AWS can make the service call this function, if they know its ARN: \
                 the service is a confused deputy. Add `source_arn` with the resource that sends \
                 the events, and `source_account` with its owner; a principal of Alexa takes \
                 `event_source_token` instead. Write `accept: [P001]` if that is meant."
            }
            Self::P002 => {
                "The principal is `*` and there is no condition, so everybody with an AWS account \
                 can use this function, and through a function URL without authentication \
                 everybody at all; you pay. Name the account, role or service instead, or add a \
                 condition, for example `principal_org_id` with your organization. \
                 Write `accept: [P002]` if that is meant."
            }
            Self::P003 => {
                "The source is an S3 bucket, whose ARN does not say which account owns it. Once \
                 the bucket is deleted, anybody can create one of the same name and call this \
                 function with events of their own. Add `source_account` with the twelve digits \
                 of the bucket's owner. Write `accept: [P003]` if that is meant."
            }
            Self::P004 => {
                "The principal is a whole account: every role and user there, today's and \
                 tomorrow's, can use this function as soon as that account's own administrators \
                 let them. Name the role or \
                 user that calls it: `principal: arn:aws:iam::ACCOUNT:role/NAME`. \
                 Write `accept: [P004]` if that account is trusted as a whole."
            }
            Self::P005 => {
                "The action has a wildcard, so the principal can do more than call this function: \
                 change its code or its settings, delete it, or grant itself more, and whatever \
                 AWS adds later. Name what is needed: `action: lambda:InvokeFunction`, in one \
                 statement for each action. Write `accept: [P005]` if that is meant."
            }
            Self::P006 => {
                "The source ARN has a wildcard and does not say whose resources it means, so it \
                 matches those of other accounts too, and whoever creates one of a fitting name \
                 can make the service call this function. Write the account into `source_arn`, or \
                 where such ARNs have none, as for S3, add `source_account`. \
                 Write `accept: [P006]` if that is meant."
            }
            Self::P007 => {
                "A call of a function URL needs two permissions, and this principal has one of \
                 them, so its calls are refused unless its own policies grant the rest. Write two \
                 statements for the same principal: one with `action: lambda:InvokeFunctionUrl` \
                 and `function_url_auth_type`, one with `action: lambda:InvokeFunction` and \
                 `invoked_via_function_url: true`; or delete what is left of a URL that is gone. \
                 Write `accept: [P007]` if that is meant, for example for a URL from before \
                 October 2025."
            }
            Self::P008 => {
                "The source ARN names a resource of another service than the principal. A service \
                 calls on behalf of its own resources, so this statement most likely allows \
                 nothing, and what was meant to work does not. Correct `principal` or \
                 `source_arn`; a principal of Alexa takes `event_source_token` and no ARN. \
                 Write `accept: [P008]` if the service really sends such ARNs."
            }
        }
    }

    /// The page of AWS's documentation that it comes from.
    pub fn reference(self) -> &'static str {
        match self {
            Self::P001 => "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
            Self::P002 | Self::P005 => {
                "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"
            }
            Self::P003 => "https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html",
            Self::P004 => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
            }
            Self::P006 => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
            }
            Self::P007 => "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
            Self::P008 => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"
            }
        }
    }
}
