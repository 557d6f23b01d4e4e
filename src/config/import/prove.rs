//! Whether a permission file says what is live: read as any other, and planned against what it was made from.

use super::{Options, Sheet, Unproven};
use crate::config::{
    diagnostic::{File, Files, render_all},
    permissions,
    resolve::{self, Context},
};
use crate::drift::{
    allow::Rules,
    diff::{Drift, Kind},
    plan::{Memory, plan},
};

/// A statement that would drift.
pub(super) struct Doubt {
    /// Of which sheet.
    pub at: usize,
    /// The Sid whose grant has to go.
    pub sid: Option<String>,
    /// To be read after "for".
    pub why: String,
}

/// What would drift, under the settings in force and under none; nothing is what is hoped for.
pub(super) fn prove(
    text: &str,
    sheets: &[Sheet<'_>],
    options: &Options<'_>,
) -> Result<Vec<Doubt>, Unproven> {
    let mut res = under(text, sheets, options, options.context, options.rules)?;
    res.extend(under(text, sheets, options, &Context::default(), &Rules::default())?);
    Ok(res)
}

fn under(
    text: &str,
    sheets: &[Sheet<'_>],
    options: &Options<'_>,
    context: &Context,
    rules: &Rules,
) -> Result<Vec<Doubt>, Unproven> {
    let file = File::new("permissions.yaml", text.to_owned());
    let files = Files { files: vec![file], diagnostics: Vec::new() };
    let loaded = resolve::resolve(permissions::parse(&files), context)
        .map_err(|it| Unproven(render_all(&it, false)))?;
    if loaded.wanted.len() != sheets.len() {
        let (found, made) = (loaded.wanted.len(), sheets.len());
        return Err(Unproven(format!("it names {found} targets, and was made of {made}")));
    }
    let mut doubts = Vec::new();
    // Both are sorted by target.
    for (at, (wanted, sheet)) in loaded.wanted.iter().zip(sheets).enumerate() {
        let target = &sheet.live.target;
        if wanted.target != *target || wanted.grants.len() != sheet.granted.len() {
            return Err(Unproven(format!("{} is not {target} as it was read", wanted.target)));
        }
        let live = Some(&sheet.live.document);
        let plan = plan(wanted, live, rules, &Memory::default(), options.now);
        doubts.extend(plan.drift.into_iter().map(|it| doubt(at, it.drift)));
    }
    Ok(doubts)
}

fn doubt(at: usize, drift: Drift) -> Doubt {
    let Drift { sid, kind, other, .. } = drift;
    match kind {
        Kind::Leftover => {
            let why = format!(
                "permitd's own statement {} stands beside it, of a replacement that has not ended",
                sid.unwrap_or_default()
            );
            Doubt { at, sid: other, why }
        }
        Kind::Missing
        | Kind::Changed
        | Kind::Renamed
        | Kind::Duplicate
        | Kind::Unmanaged
        | Kind::Absent
        | Kind::Orphaned
        | Kind::Expired => {
            let why = format!("permitd would take it for {}", kind.name());
            Doubt { at, sid, why }
        }
    }
}
