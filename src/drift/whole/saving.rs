//! What lists would save of a policy that is nearly full.

use crate::drift::plan::{Change, Scene};
use crate::policy::{
    document::Document,
    grant::Grant,
    size::{self, LIMIT},
    statement::Statement,
};

/// Over this share of the limit somebody should know what lists would save, in percent.
const NEARLY_FULL: usize = 80;

/// The bytes that the policy would have with everything that is wanted in it, by itself and in lists, where it is nearly full
/// and lists would save something.
pub(in crate::drift) fn saving(scene: &Scene<'_>, changes: &[Change]) -> Option<Saving> {
    let Scene { wanted, raw, now, .. } = *scene;
    let text = |it: &Grant| it.terms.statement_text(&it.sid, &wanted.target).len() + 1;
    let missing = changes.iter().filter(|it| it.drift.before.is_none());
    let more: usize = missing.filter_map(|it| it.drift.after.as_ref()).map(text).sum();
    // Few policies are nearly full, and the others pay nothing for it.
    if (size::of_document(raw) + more) * 100 <= LIMIT * NEARLY_FULL {
        return None;
    }
    let granted = |it: &Statement| {
        let sid = it.sid();
        wanted.grants.iter().any(|grant| Some(grant.sid.as_str()) == sid)
    };
    let others = raw.map_or(&[][..], Document::statements).iter().filter(|it| !granted(it));
    let others: usize = others.map(|it| size::of_statement(it.text())).fold(0, size::with);
    let with = |compact| {
        let texts = wanted.texts(compact, now);
        texts.iter().map(|it| size::of_statement(it)).fold(others, size::with)
    };
    let plain = if wanted.compact { 0 } else { with(false) };
    let nearly_full = plain * 100 > LIMIT * NEARLY_FULL;
    let saving = nearly_full.then(|| Saving { plain, compact: with(true) });
    saving.filter(|it| it.compact < it.plain)
}

/// What lists would save, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saving {
    /// Of the policy with everything that is wanted in it, each in a statement of its own.
    pub plain: usize,
    /// Of the same with lists.
    pub compact: usize,
}
