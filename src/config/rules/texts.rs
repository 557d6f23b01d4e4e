//! What people are told about each rule. The texts of the risks stand with the risks.

use super::Rule;

const QUOTAS: &str = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";
const RESOURCE_POLICIES: &str =
    "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html";
const ADD_PERMISSION: &str = "https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html";
const REMOVE_PERMISSION: &str =
    "https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html";
const LIST_FUNCTIONS: &str = "https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html";

impl Rule {
    /// A few words for reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Risk(risk) => risk.title(),
            Self::ExpiresSoon => "a grant that expires within 30 days",
            Self::Expired => "a grant that has expired",
            Self::DuplicateGrant => "the same grant twice",
            Self::PolicyNearlyFull => "a policy over 80% of Lambda's limit",
            Self::RuleMatchesNothing => "a rule for many functions that covers none",
            Self::PolicyTooLarge => "a policy over Lambda's limit",
            Self::SlowPass => "a full pass that does not fit into the interval",
            Self::Invalid => "a file that says something wrong",
            Self::Syntax => "a file that is not YAML as it is read here",
            Self::Unreadable => "a file that cannot be read",
        }
    }

    /// One paragraph: what can happen, how to put it right, and how to accept it.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Risk(risk) => risk.explanation(),
            Self::ExpiresSoon => {
                "The `expires` of this statement lies within the next thirty days. From that moment \
                 on the grant is not wanted any more: in mode `enforce` permitd revokes it with \
                 RemovePermission, and whoever still uses it is refused. Write a later `expires` if \
                 it is needed for longer, and delete `expires` if it is needed for good. If it is to \
                 end, nothing has to be done; there is no `accept` for it."
            }
            Self::Expired => {
                "The `expires` of this statement has passed, so the grant is not wanted any more: \
                 in mode `enforce` permitd revokes it where it is live, and in no mode it is made. Delete \
                 the statement from the file, or write a later `expires` if the grant is still \
                 needed. There is no `accept` for it."
            }
            Self::DuplicateGrant => {
                "Two statements of one policy have different Sids and say the same. Either of them \
                 is enough, so whoever deletes one of them, to take the access back, takes nothing \
                 back; and both take room in a policy that may have 20,480 bytes. Delete one of \
                 them. There is no `accept` for it: if both have their reason, let the warning stand."
            }
            Self::PolicyNearlyFull => {
                "The statements that the files want in this policy take more than 80% of the 20,480 \
                 bytes that Lambda allows. Statements that are live and in no file take room \
                 besides, and so does the second copy of a statement while it is replaced without a \
                 gap. Grant several sources by one wildcard in `source_arn`, delete what nobody \
                 needs, or give callers an alias, which has a policy of its own. There is no \
                 `accept` for it."
            }
            Self::RuleMatchesNothing => {
                "No function in the accounts and regions of this file is covered by this `match`: \
                 none has the name, or the tags, or the alias, or `except` takes out all that do. So it \
                 grants nothing now; as soon as there is such a function, it does. Where that is not \
                 meant, look for a misspelt name or tag, and at `accounts` and `regions`. It is told \
                 where the functions are listed (`permitd plan`), and there is no `accept` for it."
            }
            Self::PolicyTooLarge => {
                "The statements that the files want in this policy take more than the 20,480 bytes \
                 that Lambda allows, as Lambda itself would write them, so AddPermission refuses the \
                 last of them (PolicyLengthExceededException), whatever is live now. Grant several \
                 sources by one wildcard in `source_arn`, delete what nobody needs, or give callers \
                 an alias, which has a policy of its own. It cannot be accepted, for Lambda does not."
            }
            Self::SlowPass => {
                "Every pass reads the policy of every target once with GetPolicy, and in this account and \
                 region that takes longer than the `interval` after which the next pass is due, at the \
                 request budget that there is. So passes follow each other without a pause, drift is seen \
                 later than the interval says, and the budget is used up all the time. Lambda allows \
                 15 GetPolicy a second in an account and region, for all tools together, and does not \
                 raise it. Write a longer `interval`, or a larger `budgets: {get_policy: …}` if no other \
                 tool needs the rest. There is no `accept` for it."
            }
            Self::Invalid => {
                "The file can be read, and what it says cannot be done: a key that does not exist, a \
                 value that Lambda refuses, a Sid that stands twice in one policy, or entries that \
                 contradict each other. The message says what, and the help what to write. As long \
                 as it stands, nothing at all is changed by these files. It cannot be accepted."
            }
            Self::Syntax => {
                "The file is not YAML, or it has what is refused here because it is most likely a \
                 mistake: the same key twice in one map, tags, values too deeply nested, aliases that \
                 grow without bound. The message says what, and the help what to write. As long as \
                 it stands, nothing at all is changed by these files. It cannot be accepted."
            }
            Self::Unreadable => {
                "A file that was named could not be read: it is not there, it is a directory, it may \
                 not be read, it is not UTF-8, it is too large, or a pattern matches nothing. What \
                 it grants is not known, so nothing at all is changed. Correct the name, the rights \
                 or the encoding. It cannot be accepted."
            }
        }
    }

    /// The page that it comes from: AWS's, or that of the format.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Risk(risk) => risk.reference(),
            Self::ExpiresSoon | Self::Expired => REMOVE_PERMISSION,
            Self::RuleMatchesNothing => LIST_FUNCTIONS,
            Self::DuplicateGrant => RESOURCE_POLICIES,
            Self::PolicyNearlyFull | Self::PolicyTooLarge | Self::SlowPass => QUOTAS,
            Self::Invalid => ADD_PERMISSION,
            Self::Syntax | Self::Unreadable => "https://yaml.org/spec/1.2.2/",
        }
    }
}
