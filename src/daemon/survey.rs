//! Which functions there are, and what their policies say. It only reads.
//!
//! Policies are read while the list of functions is still coming, so that a long list costs no time of its own: the
//! two have separate budgets.

use std::{collections::BTreeMap, future::Future};

use futures::{Stream, StreamExt, stream};

use crate::daemon::{
    carry::{failure, full_jitter},
    pass::CONCURRENCY,
};
use crate::drift::{
    converge::{MAX_FAILURES, MAX_RETRY_AFTER, MAX_THROTTLES},
    dialogue::{Failure, FailureKind},
};
use crate::lambda::gateway::{
    FunctionLister, GatewayError, LivePolicy, Page, PolicyReader, Recovery,
};
use crate::policy::{
    document::Document,
    target::{AccountRegion, Defaults, Target},
};

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every function that is there.
    All(Vec<AccountRegion>),
    /// These. It is told when one of them does not exist.
    Named(Vec<Target>),
}

/// How to look.
#[derive(Debug)]
pub struct Survey<'a, G> {
    /// Lambda.
    pub gateway: &'a G,
    /// Also at the aliases and versions of functions that are named without one.
    pub qualifiers: bool,
}

/// How far a survey is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// One more to read.
    Found,
    /// One more was read.
    Read,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Surveyed {
    /// By target; none where there is no policy.
    pub policies: BTreeMap<Target, Option<Document>>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
    /// Functions that are there and were left out.
    pub unwanted: usize,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// A target, or a list of things.
    pub about: String,
    /// Why, in one line.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

/// A target to read, and whether anybody has seen that it exists.
struct Asked {
    target: Target,
    seen: bool,
}

const LIST_FUNCTIONS: &str = "lambda:ListFunctions";
/// Lists of aliases and versions that are asked for at once; the budget says how many that are in a second.
const LISTS: usize = 4;

impl<G: PolicyReader + FunctionLister> Survey<'_, G> {
    /// Reads everything that is wanted. What fails does not keep the rest from being read.
    /// `progress` hears of every policy that will be read, and of every one that was.
    pub async fn look(
        &self,
        scope: &Scope,
        wants: impl Fn(&Target) -> bool,
        progress: impl Fn(Progress),
    ) -> Surveyed {
        let mut res = Surveyed::default();
        let asked = self.asked(scope).map(|it| async {
            let asked = it?;
            if !wants(&asked.target) {
                return Ok((asked.target, None));
            }
            progress(Progress::Found);
            let policy = self.policy(&asked).await;
            progress(Progress::Read);
            Ok((asked.target, Some(policy?)))
        });
        let mut read = Box::pin(asked.buffer_unordered(CONCURRENCY));
        while let Some(it) = read.next().await {
            match it {
                Ok((target, Some(policy))) => drop(res.policies.insert(target, policy)),
                Ok((_, None)) => res.unwanted += 1,
                Err(trouble) => res.troubles.push(trouble),
            }
        }
        res.troubles.sort();
        res.troubles.dedup();
        res
    }

    fn asked<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> impl Stream<Item = Result<Asked, Trouble>> + use<'a, G> {
        let functions = match scope {
            Scope::All(places) => {
                let lists = stream::iter(places).map(|it| Box::pin(self.functions(it)));
                lists.flatten_unordered(None).left_stream()
            }
            Scope::Named(targets) => {
                let named = |it: &Target| Ok(Asked { target: it.clone(), seen: false });
                stream::iter(targets).map(named).right_stream()
            }
        };
        let with_qualifiers = move |it: Result<Asked, Trouble>| {
            let function = it.as_ref().ok().map(|it| it.target.clone());
            let bare = function.filter(|it| self.qualifiers && it.qualifier().is_none());
            let more = match bare {
                Some(it) => self.qualifiers_of(it).left_stream(),
                None => stream::empty().right_stream(),
            };
            Box::pin(stream::once(std::future::ready(it)).chain(more))
        };
        functions.map(with_qualifiers).flatten_unordered(LISTS)
    }

    fn functions<'a>(
        &'a self,
        place: &'a AccountRegion,
    ) -> impl Stream<Item = Result<Asked, Trouble>> + use<'a, G> {
        let about = format!("the functions of {place}");
        let pages = pages(about, LIST_FUNCTIONS, move |marker| async move {
            self.gateway.list_functions(place, marker.as_deref()).await
        });
        pages.map(move |it| {
            let arn = it?;
            let trouble = |message: String| Trouble {
                about: arn.clone(),
                message,
                hint: Some("check --account and --region, and whose credentials these are".into()),
            };
            let Ok(target) = Target::parse(&arn, None, &Defaults::default()) else {
                return Err(trouble("it is not the ARN of a function".to_owned()));
            };
            if target.account_region() != *place || target.qualifier().is_some() {
                return Err(trouble(format!("ListFunctions gave it for {place}")));
            }
            Ok(Asked { target, seen: true })
        })
    }

    /// The aliases and versions of a function; none where it has gone.
    fn qualifiers_of(
        &self,
        function: Target,
    ) -> impl Stream<Item = Result<Asked, Trouble>> + use<'_, G> {
        let about = |what: &str| format!("the {what} of {function}");
        let of = function.clone();
        let aliases = pages(about("aliases"), "lambda:ListAliases", move |marker| {
            let of = of.clone();
            async move { self.gateway.list_aliases(&of, marker.as_deref()).await }
        });
        let of = function.clone();
        let versions = pages(about("versions"), "lambda:ListVersionsByFunction", move |marker| {
            let of = of.clone();
            async move { self.gateway.list_versions(&of, marker.as_deref()).await }
        });
        let latest = |it: &Result<String, Trouble>| it.as_deref() != Ok("$LATEST");
        let numbered = versions.filter(move |it| std::future::ready(latest(it)));
        aliases.chain(numbered).map(move |it| {
            let qualifier = it?;
            let target =
                Target::parse(&function.function_arn(), Some(&qualifier), &Defaults::default());
            let target = target.map_err(|it| Trouble {
                about: format!("{function}:{qualifier}"),
                message: it.to_string(),
                hint: None,
            })?;
            Ok(Asked { target, seen: true })
        })
    }

    /// What GetPolicy has. Where it has nothing and nobody has seen the function, GetFunction tells whether it exists.
    async fn policy(&self, asked: &Asked) -> Result<Option<Document>, Trouble> {
        let Asked { target, seen } = asked;
        let trouble =
            |message: String, hint: Option<String>| Trouble { about: target.arn(), message, hint };
        let of = |it: Failure| trouble(it.message, it.hint);
        let live = persist("lambda:GetPolicy", || self.gateway.get_policy(target)).await;
        if let Some(LivePolicy { text, revision }) = live.map_err(of)? {
            let hint = "look at it with `aws lambda get-policy`".to_owned();
            return Document::parse(text, revision, target)
                .map(Some)
                .map_err(|it| trouble(it.to_string(), Some(hint)));
        }
        if *seen {
            return Ok(None);
        }
        let exists = persist("lambda:GetFunction", || self.gateway.function_exists(target)).await;
        if exists.map_err(of)?.is_some() {
            return Ok(None);
        }
        let message = match target.qualifier() {
            Some(_) => "there is no such function, alias or version",
            None => "there is no such function",
        };
        let hint = format!("check the name, and whether it is in {}", target.account_region());
        Err(trouble(message.to_owned(), Some(hint)))
    }
}

/// The entries of a list, page by page. Where a page cannot be read, that is the last entry.
fn pages<F: Future<Output = Result<Page, GatewayError>>>(
    about: String,
    right: &'static str,
    ask: impl Fn(Option<String>) -> F,
) -> impl Stream<Item = Result<String, Trouble>> {
    let start = Some((None, about, ask));
    let pages = stream::unfold(start, move |state| async move {
        let (marker, about, ask) = state?;
        let trouble = |message: String, hint: Option<String>| {
            Err(Trouble { about: about.clone(), message, hint })
        };
        let page = match persist(right, || ask(marker.clone())).await {
            Ok(Some(page)) => page,
            // The function has gone in between.
            Ok(None) if right != LIST_FUNCTIONS => return None,
            Ok(None) => {
                return Some((vec![trouble("there is no such list".to_owned(), None)], None));
            }
            Err(Failure { kind: _, message, hint, request_id: _ }) => {
                // The right to list functions is not one on a function.
                let hint = hint.map(|it| match right {
                    LIST_FUNCTIONS => it.replace("on this function", "on all resources"),
                    _ => it,
                });
                return Some((vec![trouble(message, hint)], None));
            }
        };
        let Page { names, next } = page;
        let mut entries: Vec<Result<String, Trouble>> = names.into_iter().map(Ok).collect();
        if next.is_some() && next == marker {
            entries.push(trouble("the list does not come to an end".to_owned(), None));
            return Some((entries, None));
        }
        Some((entries, next.map(|next| (Some(next), about, ask))))
    });
    pages.flat_map(stream::iter)
}

/// Reads until there is an answer, as long as a pass would: none where there is no such thing.
pub(super) async fn persist<T, F: Future<Output = Result<T, GatewayError>>>(
    right: &str,
    read: impl Fn() -> F,
) -> Result<Option<T>, Failure> {
    let (mut throttles, mut failures) = (0, 0);
    loop {
        let failure = match read().await {
            Ok(it) => return Ok(Some(it)),
            Err(GatewayError { recovery: Recovery::Absent, .. }) => return Ok(None),
            Err(error) => failure(&error, right),
        };
        let pause = match failure.kind {
            FailureKind::Throttled(at_least) if throttles < MAX_THROTTLES => {
                throttles += 1;
                at_least.min(MAX_RETRY_AFTER).max(full_jitter(throttles))
            }
            FailureKind::Unreachable | FailureKind::Unsure | FailureKind::BadAnswer
                if failures + 1 < MAX_FAILURES =>
            {
                failures += 1;
                full_jitter(failures)
            }
            FailureKind::Throttled(_)
            | FailureKind::Unreachable
            | FailureKind::Unsure
            | FailureKind::BadAnswer
            | FailureKind::Gone
            | FailureKind::Conflict
            | FailureKind::Denied
            | FailureKind::Refused
            | FailureKind::NotOffered
            | FailureKind::TooLarge
            | FailureKind::NotJournalled => return Err(failure),
        };
        tokio::time::sleep(pause).await;
    }
}
