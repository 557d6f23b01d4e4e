//! The list of one account and region, page by page; it can be stopped after each call and gone on with.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::Want;
use crate::daemon::survey::persist;
use crate::drift::dialogue::Failure;
use crate::lambda::gateway::{FunctionLister, Page};
use crate::policy::{
    inventory::Function,
    target::{AccountRegion, Defaults, Target},
};

/// Why it does not go on, and what a person can do about it.
pub(super) type Cause = (String, Option<String>);

/// What is listed so far.
#[derive(Debug)]
pub(super) struct Pages {
    begun: Instant,
    functions: BTreeMap<String, Function>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    /// The page of functions with this marker.
    Page(Option<String>),
    /// What is wanted of the functions from this name on.
    Details(String),
}

impl Pages {
    /// From the first page on.
    pub(super) fn new(begun: Instant) -> Self {
        Self { begun, functions: BTreeMap::new(), next: Next::Page(None) }
    }

    /// Where only something about the functions is missing.
    pub(super) fn of(functions: Vec<Function>, begun: Instant) -> Self {
        let functions = functions.into_iter().map(|it| (it.name.clone(), it)).collect();
        Self { begun, functions, next: Next::Details(String::new()) }
    }

    /// By name, and when the first page was asked for.
    pub(super) fn into_functions(self) -> (Vec<Function>, Instant) {
        (self.functions.into_values().collect(), self.begun)
    }

    /// To the end, or as far as it goes.
    pub(super) async fn go_on<G: FunctionLister>(
        mut self,
        gateway: &G,
        place: &AccountRegion,
        want: Want<'_>,
    ) -> (Self, Result<(), Cause>) {
        let res = self.advance(gateway, place, want).await;
        (self, res)
    }

    async fn advance<G: FunctionLister>(
        &mut self,
        gateway: &G,
        place: &AccountRegion,
        want: Want<'_>,
    ) -> Result<(), Cause> {
        while let Next::Page(marker) = &self.next {
            let ask = || gateway.list_functions(place, marker.as_deref());
            let page = persist("lambda:ListFunctions", ask).await.map_err(|it| cause(it, true))?;
            let Page { names, next } = page.unwrap_or_default();
            if next.is_some() && next == *marker {
                return Err(("the list of functions does not come to an end".to_owned(), None));
            }
            for arn in names {
                let target = Target::parse(&arn, None, &Defaults::default()).ok();
                let Some(target) = target.filter(|it| it.account_region() == *place) else {
                    let hint = "check whose credentials these are".to_owned();
                    return Err((format!("ListFunctions gave {arn} for {place}"), Some(hint)));
                };
                let name = target.function().to_owned();
                let function = Function { name: name.clone(), ..Function::default() };
                self.functions.insert(name, function);
            }
            self.next = next.map_or(Next::Details(String::new()), |it| Next::Page(Some(it)));
        }
        let Next::Details(from) = &mut self.next else { return Ok(()) };
        let mut gone = Vec::new();
        for (name, function) in self.functions.range_mut(from.clone()..) {
            from.clone_from(name);
            let Some(target) = target_of(place, name) else { continue };
            if !details(gateway, &target, function, want).await? {
                gone.push(name.clone());
            }
        }
        for name in gone {
            self.functions.remove(&name);
        }
        Ok(())
    }
}

/// Fills in what is wanted; false where the function has gone meanwhile.
async fn details<G: FunctionLister>(
    gateway: &G,
    target: &Target,
    function: &mut Function,
    want: Want<'_>,
) -> Result<bool, Cause> {
    let of_one = |it| cause(it, false);
    // Tags first: they may rule a function out, and then nothing else has to be asked.
    if want.tags(function) {
        let tags = persist("lambda:ListTags", || gateway.list_tags(target)).await;
        let Some(tags) = tags.map_err(of_one)? else { return Ok(false) };
        function.tags = Some(tags);
    }
    if want.aliases(function) {
        let ask = async |marker: Option<String>| {
            persist("lambda:ListAliases", || gateway.list_aliases(target, marker.as_deref())).await
        };
        let Some(names) = all(ask).await? else { return Ok(false) };
        function.aliases = Some(names);
    }
    if want.versions(function) {
        let ask = async |marker: Option<String>| {
            let call = || gateway.list_versions(target, marker.as_deref());
            persist("lambda:ListVersionsByFunction", call).await
        };
        let Some(mut names) = all(ask).await? else { return Ok(false) };
        names.retain(|it| it != "$LATEST");
        function.versions = Some(names);
    }
    Ok(true)
}

/// Every page of a list; none where the function has gone.
async fn all(
    ask: impl AsyncFn(Option<String>) -> Result<Option<Page>, Failure>,
) -> Result<Option<Vec<String>>, Cause> {
    let (mut res, mut marker) = (Vec::new(), None);
    loop {
        let Some(Page { names, next }) =
            ask(marker.clone()).await.map_err(|it| cause(it, false))?
        else {
            return Ok(None);
        };
        res.extend(names);
        match next {
            None => return Ok(Some(res)),
            Some(it) if Some(&it) == marker.as_ref() => {
                return Err(("a list does not come to an end".to_owned(), None));
            }
            Some(it) => marker = Some(it),
        }
    }
}

pub(super) fn target_of(place: &AccountRegion, name: &str) -> Option<Target> {
    let defaults =
        Defaults { account: Some(place.account.clone()), region: Some(place.region.clone()) };
    Target::parse(name, None, &defaults).ok()
}

/// The right to list functions is not one on a function.
fn cause(failure: Failure, all_resources: bool) -> Cause {
    let Failure { kind: _, message, hint, request_id: _ } = failure;
    let hint = hint.map(|it| {
        if all_resources { it.replace("on this function", "on all resources") } else { it }
    });
    (message, hint)
}
