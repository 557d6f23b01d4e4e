//! Which service an ARN has to name for a service principal to call on its behalf.

use crate::policy::{principal::service_name, target::check_region};

/// Services whose ARNs carry another name than their principal, by the principal without region and suffix.
///
/// The rule behind it is that the last part of the name is the service, as for `delivery.logs`,
/// `lambda.alarms.cloudwatch`, `elasticmapreduce` and `ses`, so these need no row. Alexa's principals need none
/// either: no ARN is theirs, they are pinned by `event_source_token`. A service that is missing here gives a
/// false alarm and no more; a row here costs a true one, so each has its reason.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    // Methods and authorizers of an API are called by their ARN in the data plane.
    ("apigateway", &["execute-api"]),
    // Triggers of Cognito Sync belong to an identity pool, which is a resource of cognito-identity.
    ("cognito-sync", &["cognito-identity"]),
    // What AWS Config sets up in accounts still has Config's ARNs.
    ("config-conforms", &["config"]),
    ("config-multiaccountsetup", &["config"]),
    // Lambda@Edge runs and copies functions for a distribution.
    ("edgelambda", &["cloudfront", "lambda"]),
    ("replicator.lambda", &["cloudfront"]),
    // SES calls its endpoint `email`, and everything else `ses`.
    ("email", &["ses"]),
    // The second version of Lex kept the ARNs of the first.
    ("lexv2", &["lex"]),
    // OpenSearch was Elasticsearch, and its domains still are in their ARNs.
    ("opensearchservice", &["es"]),
    // Pinpoint was Mobile Targeting: arn:aws:mobiletargeting:REGION:ACCOUNT:apps/ID.
    ("pinpoint", &["mobiletargeting"]),
    // Portfolios and products: arn:aws:catalog:REGION:ACCOUNT:portfolio/ID.
    ("servicecatalog", &["catalog"]),
    // Voice connectors of Chime send ARNs of a service of their own.
    ("voiceconnector.chime", &["voiceconnector"]),
];

/// The service that an ARN names can be the one behind this principal.
///
/// Of a principal of unknown suffix nothing is known, so it can.
pub(super) fn may_name(principal: &str, arn_service: &str) -> bool {
    let Some(name) = service_name(principal) else { return true };
    let is_region = |it: &&str| it.contains('-') && check_region(it).is_ok();
    if name.rsplit('.').find(|it| !is_region(it)) == Some(arn_service) {
        return true;
    }
    let name = name.split('.').filter(|it| !is_region(it)).collect::<Vec<_>>().join(".");
    OTHER_NAMES.iter().any(|(it, others)| *it == name && others.contains(&arn_service))
}
