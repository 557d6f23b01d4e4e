//! Policies that no file names: found among the functions that were listed, read, never changed.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};

use super::listing::{Cause, target_of};
use crate::daemon::{clock::Clock, survey::persist};
use crate::drift::undeclared::Undeclared;
use crate::lambda::gateway::{PolicyReader, Urgency};
use crate::policy::{
    document::Document,
    inventory::Function,
    target::{AccountRegion, Defaults, Target},
};

/// Reads in flight at once; they go after everything else that the budget is for.
const AT_ONCE: usize = 4;

/// Every function, alias and version that no file names.
pub(super) fn candidates(
    place: &AccountRegion,
    functions: &[Function],
    declared: &BTreeSet<Target>,
) -> Vec<Target> {
    let mut res = Vec::new();
    for function in functions {
        let Some(target) = target_of(place, &function.name) else { continue };
        let lists = [&function.aliases, &function.versions];
        let qualifiers = lists.into_iter().flatten().flatten();
        let arn = target.function_arn();
        let qualified =
            qualifiers.filter_map(|it| Target::parse(&arn, Some(it), &Defaults::default()).ok());
        res.extend(qualified.filter(|it| !declared.contains(it)));
        if !declared.contains(&target) {
            res.push(target);
        }
    }
    res
}

/// Those of them that have a policy; and why some could not be read, with how many.
pub(super) async fn read<G: PolicyReader>(
    gateway: &G,
    targets: Vec<Target>,
    clock: Clock,
) -> (Vec<Undeclared>, Option<Cause>) {
    let look = |target: Target| async move {
        let call = || gateway.get_policy_as(&target, Urgency::Discovery);
        let live = persist("lambda:GetPolicy", call).await;
        match live {
            Ok(None) => Ok(None),
            Ok(Some(live)) => Document::parse(live.text, live.revision, &target)
                .map(|it| Some(Undeclared::of(&target, &it, clock())))
                .map_err(|it| (format!("{target}: {it}"), None)),
            Err(it) => Err((format!("{target}: {}", it.message), it.hint)),
        }
    };
    let mut looks = Box::pin(stream::iter(targets).map(look).buffer_unordered(AT_ONCE));
    let (mut found, mut trouble, mut more) = (Vec::new(), None, 0);
    while let Some(it) = looks.next().await {
        match it {
            Ok(it) => found.extend(it),
            Err(cause) if trouble.is_none() => trouble = Some(cause),
            Err(_) => more += 1,
        }
    }
    found.sort_by(|a, b| a.target.cmp(&b.target));
    let trouble = trouble.map(|(message, hint): Cause| match more {
        0 => (message, hint),
        _ => (format!("{message} (and {more} more)"), hint),
    });
    (found, trouble)
}
