//! Which function, version or alias a request means: bare names, partial ARNs, ARNs, qualifiers.

use std::sync::LazyLock;

use regex::Regex;

use crate::policy::target::{AccountRegion, Target, partition_of};
use crate::simulator::{
    refusal::Refusal,
    request::{Caller, Operation},
};

/// A function, or a version or alias of it, whether it exists or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) place: AccountRegion,
    pub(crate) function: String,
    pub(crate) qualifier: Option<String>,
}

/// The unpublished version.
pub(crate) const LATEST: &str = "$LATEST";

impl Resource {
    /// Without the qualifier.
    pub(crate) fn function_arn(&self) -> String {
        let AccountRegion { account, region } = &self.place;
        let partition = partition_of(region);
        format!("arn:{partition}:lambda:{region}:{account}:function:{}", self.function)
    }

    /// With the qualifier.
    pub(crate) fn arn(&self) -> String {
        match &self.qualifier {
            Some(it) => format!("{}:{it}", self.function_arn()),
            None => self.function_arn(),
        }
    }

    /// The same function with another qualifier.
    pub(crate) fn with(&self, qualifier: Option<&str>) -> Self {
        Self { qualifier: qualifier.map(str::to_owned), ..self.clone() }
    }

    /// What the daemon calls it.
    pub(crate) fn of_target(target: &Target) -> Self {
        Self {
            place: target.account_region(),
            function: target.function().to_owned(),
            qualifier: target.qualifier().map(str::to_owned),
        }
    }
}

/// The parts of a name; what is not in it is not here.
#[derive(Debug, Clone, Default)]
struct Parts {
    region: Option<String>,
    account: Option<String>,
    function: String,
    qualifier: Option<String>,
}

fn parts(name: &str) -> Option<Parts> {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"\A(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?",
            r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]):)?",
            r"(?:(?P<account>[0-9]{12}):)?(?:function:)?(?P<function>[a-zA-Z0-9_.-]+)",
            r"(?::(?P<qualifier>[a-zA-Z0-9_.$-]+))?\z"
        ))
        .ok()
    });
    let found = NAME.as_ref()?.captures(name)?;
    let part = |it: &str| found.name(it).map(|it| it.as_str().to_owned());
    Some(Parts {
        region: part("region"),
        account: part("account"),
        function: part("function")?,
        qualifier: part("qualifier"),
    })
}

/// What a name and a Qualifier mean for this caller.
///
/// The shape of both has been checked. Errors as in `lambda-semantics.md`, 2.3 (2) and 2.4.
pub(crate) fn resolve(
    name: &str,
    qualifier: Option<&str>,
    caller: &Caller,
    operation: Operation,
) -> Result<Resource, Refusal> {
    let Some(parts) = parts(name) else {
        return Err(Refusal::no_function(name));
    };
    let length = parts.function.len();
    if length > 64 {
        // Recorded: not a ValidationException, though it reads like one.
        return Err(Refusal::parameter(format!(
            "1 validation error detected: Value '{}' at 'functionName' failed to satisfy \
             constraint: Member must have length less than or equal to 64",
            parts.function
        )));
    }
    if let (Some(inside), Some(beside)) = (&parts.qualifier, qualifier)
        && inside != beside
    {
        return Err(Refusal::parameter(
            "The derived qualifier from the function name does not match the specified qualifier.",
        ));
    }
    let named = (parts.account.clone(), parts.region.clone());
    let resource = complete(parts, qualifier, caller);
    if !caller.signed {
        return Ok(resource);
    }
    match named {
        (Some(account), _) if account != caller.place.account => {
            Err(Refusal::denied(&caller.arn(), operation.name(), &resource.arn()))
        }
        (_, Some(region)) if region != caller.place.region => Err(Refusal::not_found(format!(
            "Functions from '{region}' are not reachable in this region ('{}')",
            caller.place.region
        ))),
        _ => Ok(resource),
    }
}

/// The ARN for the log: whatever can be made of it.
pub(crate) fn guess(name: &str, qualifier: Option<&str>, caller: &Caller) -> Option<String> {
    let parts = parts(name)?;
    Some(complete(parts, qualifier, caller).arn())
}

fn complete(parts: Parts, qualifier: Option<&str>, caller: &Caller) -> Resource {
    let Parts { region, account, function, qualifier: inside } = parts;
    Resource {
        place: AccountRegion {
            account: account.unwrap_or_else(|| caller.place.account.clone()),
            region: region.unwrap_or_else(|| caller.place.region.clone()),
        },
        function,
        qualifier: inside.or_else(|| qualifier.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(signed: bool) -> Caller {
        let place =
            AccountRegion { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        Caller { place, signed, session: None }
    }

    #[track_caller]
    fn check(name: &str, qualifier: Option<&str>, expected: &str) {
        let found = resolve(name, qualifier, &caller(true), Operation::GetPolicy);
        let found = match found {
            Ok(it) => it.arn(),
            Err(it) => format!("{} {}", it.status, it.code),
        };
        assert_eq!(found, expected, "{name} {qualifier:?}");
    }

    #[test]
    fn every_way_to_name_a_function() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        check("f", None, arn);
        check("function:f", None, arn);
        check("123456789012:function:f", None, arn);
        check("us-east-1:123456789012:function:f", None, arn);
        check(arn, None, arn);
        check("f:live", None, &format!("{arn}:live"));
        check("f", Some("live"), &format!("{arn}:live"));
        check("f:live", Some("live"), &format!("{arn}:live"));
        check("f:$LATEST", None, &format!("{arn}:$LATEST"));
        check("f:live", Some("blue"), "400 InvalidParameterValueException");
        check(&"f".repeat(65), None, "400 InvalidParameterValueException");
    }

    #[test]
    fn another_account_is_denied_and_another_region_is_not_reachable() {
        let elsewhere = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        check(elsewhere, None, "404 ResourceNotFoundException");
        let foreign = "arn:aws:lambda:us-east-1:210987654321:function:f";
        check(foreign, None, "403 AccessDeniedException");
        let unsigned = resolve(foreign, None, &caller(false), Operation::GetPolicy);
        assert_eq!(unsigned.unwrap().arn(), foreign);
    }
}
