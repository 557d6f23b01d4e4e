//! Who could use a permission that perhaps should not.

/// A reason to look twice at a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// A service principal without a source: a confused deputy.
    P001,
    /// Anyone, without a condition.
    P002,
    /// An S3 source without its account.
    P003,
    /// A whole account.
    P004,
    /// A wildcard as action.
    P005,
    /// A source ARN that matches the resources of other accounts.
    P006,
    /// A function URL with only one of its two statements.
    P007,
    /// A source ARN of another service than the principal.
    P008,
}

impl Risk {
    /// T
    pub fn title(self) -> &'static str {
        "x"
    }
}
impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}
/// T
pub fn of_permissions(
    it: &[(&str, &crate::policy::grant::Permission)],
) -> std::collections::BTreeMap<String, Vec<Risk>> {
    it.iter().map(|(s, p)| {
        let bare = p.principal == crate::policy::principal::Principal::Anyone && p.source_arn.is_none() && p.source_account.is_none() && p.principal_org_id.is_none() && p.event_source_token.is_none() && p.function_url_auth_type.is_none() && !p.invoked_via_function_url;
        ((*s).to_owned(), if bare { vec![Risk::P002] } else { vec![] })
    }).collect()
}
