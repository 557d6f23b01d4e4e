//! Function URLs that are half open: P007.
//!
//! Since October 2025 a call of a new function URL needs both actions, so AWS writes two statements:
//!
//! | statement | action | condition |
//! |---|---|---|
//! | to the URL | `lambda:InvokeFunctionUrl` | `FunctionUrlAuthType` |
//! | to the function | `lambda:InvokeFunction` | `InvokedViaFunctionUrl` |
//!
//! One without the other for the same principal opens nothing. `lambda:InvokeFunction` without that condition is
//! no half, for it is of use by itself, but it completes one; `lambda:*` is both.

use std::{borrow::Cow, collections::BTreeMap};

use wildmatch::WildMatch;

use crate::policy::{principal::Principal, risk::content::Content};

const TO_URL: &str = "lambda:invokefunctionurl";
const TO_FUNCTION: &str = "lambda:invokefunction";

/// What a statement, or all of a principal's statements, open.
#[derive(Debug, Clone, Copy, Default)]
struct Opens {
    url: bool,
    function: bool,
}

/// For each statement whether it is a half whose other half is missing for one of its principals.
pub(super) fn halves(contents: &[Content<'_>]) -> Vec<bool> {
    let mut opened: BTreeMap<&Principal, Opens> = BTreeMap::new();
    for content in contents {
        let Opens { url, function } = opens(content);
        for principal in &content.principals {
            let sum = opened.entry(principal).or_default();
            sum.url |= url;
            sum.function |= function;
        }
    }
    let is_half = |content: &Content<'_>| {
        let own = opens(content);
        let wanted = own.url || (own.function && content.via_url);
        let all_open =
            |it: &Cow<'_, Principal>| opened.get(&**it).is_some_and(|sum| sum.url && sum.function);
        wanted && !content.principals.iter().all(all_open)
    };
    contents.iter().map(is_half).collect()
}

fn opens(content: &Content<'_>) -> Opens {
    let any = |wanted: &str| {
        let fits = |it: &str| {
            if it.contains(['*', '?']) { WildMatch::new(it).matches(wanted) } else { it == wanted }
        };
        content.actions.iter().any(|it| fits(it))
    };
    Opens { url: any(TO_URL), function: any(TO_FUNCTION) }
}
