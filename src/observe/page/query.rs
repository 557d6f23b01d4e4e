//! What somebody looks for on the page.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::drift::outcome::State;
use crate::observe::standing::Standing;

/// Nobody types more.
const LONGEST: usize = 256;

/// What somebody looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Part of a function's ARN.
    pub text: String,
    /// How it stands.
    pub state: Option<State>,
    /// Which page, from 1 on; 0 is the first one, too.
    pub page: usize,
}

impl Query {
    /// Of the part of a URL behind the `?`. What is not understood does not count.
    pub fn parse(url: &str) -> Self {
        let mut res = Self::default();
        for pair in url.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            match name {
                "q" => res.text = value.trim().chars().take(LONGEST).collect(),
                "state" => res.state = State::ALL.into_iter().find(|it| it.name() == value),
                "page" => res.page = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        res
    }

    /// The same with another page, as a link.
    pub fn link(&self, page: usize) -> String {
        let state = self.state.map_or("", State::name);
        format!(
            "/?q={}&state={state}&page={page}",
            utf8_percent_encode(&self.text, NON_ALPHANUMERIC)
        )
    }

    pub(super) fn fits(&self, it: &Standing, lower: &str) -> bool {
        self.state.is_none_or(|state| state == it.state)
            && (lower.is_empty() || it.target.arn().to_lowercase().contains(lower))
    }

    /// Nothing is looked for.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// As a form writes it: `+` for a space.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}
