//! One difference: the statement before and after, side by side. The daemon's page shows the same.

use maud::{Markup, html};

use crate::drift::{
    diff::Kind,
    plan::{Change, Effect},
};
use crate::policy::target::Target;
use crate::report::{
    fields::{Row, rows},
    html::{code, sid},
    palette::safe,
    sums::mark,
    words,
};

/// From so many characters on a value gets bars to scroll it.
const LONG: usize = 1_000;

/// One difference of a target's policy.
pub fn change(it: &Change, target: &Target) -> Markup {
    let symbol = mark(it).symbol;
    let class = match symbol {
        '+' => "add",
        '~' => "replace",
        '-' => "remove",
        _ => "hold",
    };
    let (own, foreign) = words::change_parts(it);
    let effect = match it.effect {
        Effect::Widens => "somebody may do more afterwards",
        Effect::Narrows => "somebody may do less afterwards",
        Effect::Neutral => "nobody may do more or less afterwards",
    };
    html! {
        div .change .(class) {
            h4 {
                span .symbol aria-hidden="true" { (symbol) }
                (sid(it.drift.sid.as_deref())) " " span .kind { (own) }
            }
            @if let Some(held) = &it.held {
                p .why { strong { "held: " } (safe(&held.to_string())) }
            }
            p {
                @if let Some(it) = foreign { (it) " " }
                span .soft {
                    "(" (it.effect.name()) ": " (effect)
                    @if let Some(it) = &it.drift.source { "; written at " (code(&it.to_string())) }
                    ")"
                }
            }
            (sides(it, target))
        }
    }
}

fn sides(it: &Change, target: &Target) -> Markup {
    let before = it.drift.before.as_ref().map(crate::policy::statement::Statement::text);
    let grant = it.drift.after.as_ref().filter(|_| it.adds());
    let after = grant.map(|it| it.terms.statement_text(&it.sid, target));
    let rows = rows(before, after.as_deref());
    let n = rows.len();
    let absent = match it.drift.kind {
        Kind::Missing | Kind::Renamed | Kind::Changed | Kind::Orphaned => "not there",
        Kind::Duplicate | Kind::Unmanaged | Kind::Absent | Kind::Expired | Kind::Leftover => {
            "taken away"
        }
    };
    html! {
        table .sides {
            // A narrow screen has no room for a side that is not there.
            @if before.is_none() { caption { "Before: not there" } }
            @if after.is_none() { caption { "After: " (absent) } }
            thead { tr { th scope="col" { "Field" } th scope="col" { "Before" } th scope="col" { "After" } } }
            tbody {
                @for (at, row) in rows.iter().enumerate() {
                    tr .same[row.before.is_some() && row.after.is_some() && !row.differs] {
                        th scope="row" { (safe(&row.path)) }
                        @if before.is_some() {
                            (side(row, row.before.as_deref(), "before", "was"))
                        } @else if at == 0 {
                            td .none rowspan=(n) data-side="before" { "not there" }
                        }
                        @if after.is_some() {
                            (side(row, row.after.as_deref(), "after", "is"))
                        } @else if at == 0 {
                            td .none rowspan=(n) data-side="after" { (absent) }
                        }
                    }
                }
            }
        }
        @if let Some(text) = before {
            details .fold { summary { "Before, exactly as Lambda gave it" } pre { (safe(text)) } }
        }
    }
}

fn side(row: &Row, value: Option<&str>, name: &str, class: &str) -> Markup {
    let class = if row.differs { class } else { "" };
    html! {
        td .(class) data-side=(name) {
            @match value {
                None => span .none { "none" },
                Some(it) if it.len() > LONG => {
                    span .value .long tabindex="0" role="group" aria-label=(format!("{name}, a long value")) { (safe(it)) }
                }
                Some(it) => span .value { (safe(it)) },
            }
        }
    }
}

/// A statement that is left alone.
pub(super) fn left_alone(it: &crate::policy::statement::Statement) -> Markup {
    html! {
        li {
            (sid(it.sid())) " " (words::statement(it))
            details .fold { summary { "As JSON" } pre { (safe(it.text())) } }
        }
    }
}
