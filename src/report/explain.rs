//! Who allows or denies a call, live and as written, and why not: for people, and for programs (`json`).

mod grant;
mod json;
mod words;

pub use json::{json, schema};

use crate::policy::{
    evaluate::{Answer, By, Caller, Effect, Evaluation, Finding, Request, Verdict, request::Kind},
    grant::INVOKE_URL,
    source::Source,
    target::Target,
};
use crate::report::{
    palette::{ADD, CHANGE, Look, Mark, REMOVE, UNKNOWN, bold, safe},
    wrap::wrap,
};

/// Everything that is told of a call.
#[derive(Debug, Clone, Copy)]
pub struct Explained<'a> {
    /// What is called.
    pub target: &'a Target,
    /// The call.
    pub request: &'a Request,
    /// The policy that is there.
    pub live: &'a Live,
    /// The grants of the files.
    pub written: &'a Written,
    /// The number that the shell sees.
    pub exit_code: u8,
}

/// The policy that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// It was read.
    Policy {
        /// What it was read as.
        revision: String,
        /// What it says of the call.
        evaluation: Evaluation,
    },
    /// There is none.
    NoPolicy,
    /// It could not be read, or there is no such function.
    Unreadable {
        /// Why, in one line.
        message: String,
        /// What a person can do about it.
        hint: Option<String>,
    },
}

impl Live {
    /// Without a policy nobody is allowed by it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Policy { evaluation, .. } => evaluation.verdict,
            Self::NoPolicy => Verdict::NotAllowed,
            Self::Unreadable { .. } => Verdict::Unknown,
        }
    }

    fn findings(&self) -> &[Finding] {
        match self {
            Self::Policy { evaluation, .. } => &evaluation.findings,
            Self::NoPolicy | Self::Unreadable { .. } => &[],
        }
    }
}

/// What the files say of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// There are no files.
    NoFiles,
    /// None of them is about this target.
    NotNamed,
    /// They are.
    Grants {
        /// What their grants say of the call.
        evaluation: Evaluation,
        /// Where each of them stands, in the same order.
        sources: Vec<Source>,
        /// Grants that have expired, and do not count.
        expired: usize,
    },
}

impl Written {
    /// None where the files say nothing of the target.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::NoFiles | Self::NotNamed => None,
            Self::Grants { evaluation, .. } => Some(evaluation.verdict),
        }
    }

    fn parts(&self) -> (&[Finding], &[Source]) {
        match self {
            Self::Grants { evaluation, sources, .. } => (&evaluation.findings, sources),
            Self::NoFiles | Self::NotNamed => (&[], &[]),
        }
    }
}

/// What keeps a call from being told about to the end.
pub const NOT_LOOKED_AT: &str = "Not looked at: the caller's own IAM policies, its permission boundary and session \
                                 policies, and the SCPs and RCPs of its organization.";
/// So many statements that nearly match are told one by one.
const NEAREST: usize = 5;

/// The report for a terminal.
pub fn text(explained: &Explained<'_>, look: Look) -> String {
    let Explained { target, request, live, written, exit_code: _ } = explained;
    let mut res = vec![bold(&target.arn(), look.color), wrap(&words::call(request), 4, look)];
    res.push(String::new());
    live_text(live, look, &mut res);
    res.push(String::new());
    written_text(written, look, &mut res);
    if let Some(grant) = grant(explained) {
        res.push(String::new());
        res.push("This in a permission file would allow it:".to_owned());
        res.extend(grant.lines().map(|it| format!("    {it}")));
    }
    res.push(String::new());
    res.extend(notes(explained).iter().map(|it| wrap(it, 2, look)));
    res.join("\n") + "\n"
}

fn live_text(live: &Live, look: Look, res: &mut Vec<String>) {
    match live {
        Live::Policy { evaluation, .. } => {
            res.push(format!("Live: {}", words::verdict(evaluation.verdict)));
            statements(evaluation, &[], look, res);
        }
        Live::NoPolicy => res.push("Live: not allowed; there is no policy.".to_owned()),
        Live::Unreadable { message, hint } => {
            res.push(wrap(&format!("Live: unknown; {}", safe(message)), 2, look));
            res.extend(hint.iter().map(|it| wrap(&format!("  hint: {}", safe(it)), 4, look)));
        }
    }
}

fn written_text(written: &Written, look: Look, res: &mut Vec<String>) {
    match written {
        Written::NoFiles => {
            res.push(
                "As written: not looked at; no permission files were named or found.".to_owned(),
            );
        }
        Written::NotNamed => res.push("As written: no file is about this target.".to_owned()),
        Written::Grants { evaluation, sources, expired } => {
            res.push(format!("As written: {}", words::verdict(evaluation.verdict)));
            statements(evaluation, sources, look, res);
            match expired {
                0 => {}
                1 => res.push("  1 grant has expired, and does not count.".to_owned()),
                n => res.push(format!("  {n} grants have expired, and do not count.")),
            }
        }
    }
}

/// Those that decide, those that cannot be told, and where nothing allows the call those that nearly do.
fn statements(evaluation: &Evaluation, sources: &[Source], look: Look, res: &mut Vec<String>) {
    let Evaluation { verdict, findings } = evaluation;
    let allows = |it: &Finding| it.answer == Answer::Matches && it.effect == Some(Effect::Allow);
    let why_not = *verdict != Verdict::Denied && !findings.iter().any(allows);
    let near = if why_not { nearest(findings) } else { Vec::new() };
    let mut others = 0;
    for (at, finding) in findings.iter().enumerate() {
        let is_near = near.contains(&at);
        let mark = match (&finding.answer, finding.effect) {
            (Answer::Matches, Some(Effect::Allow)) => ADD,
            (Answer::Matches, Some(Effect::Deny)) => REMOVE,
            (Answer::Matches, None) | (Answer::Unknown(_), _) => UNKNOWN,
            (Answer::Differs(_), _) if is_near => CHANGE,
            (Answer::Differs(_), _) => {
                others += 1;
                continue;
            }
        };
        let name = words::name(at, finding);
        let place = sources.get(at).map(|it| format!(" ({it})")).unwrap_or_default();
        line(mark, &name, &format!("{}{}", words::finding(finding), safe(&place)), look, res);
        let told = words::reasons(finding);
        res.extend(told.iter().map(|it| wrap(&format!("      {it}"), 8, look)));
    }
    match others {
        0 => {}
        1 => res.push("  1 other statement does not match.".to_owned()),
        n => res.push(format!("  {n} other statements do not match.")),
    }
}

fn line(mark: Mark, name: &str, words: &str, look: Look, res: &mut Vec<String>) {
    let symbol = mark.paint(&mark.symbol.to_string(), look.color);
    res.push(wrap(&format!("  {symbol} {name:<19} {words}"), 24, look));
}

/// The Allows in which the fewest elements say no, at most two or as few as in any.
fn nearest(findings: &[Finding]) -> Vec<usize> {
    let count = |it: &Finding| match &it.answer {
        Answer::Differs(all) if it.effect == Some(Effect::Allow) => Some(all.len()),
        Answer::Differs(_) | Answer::Matches | Answer::Unknown(_) => None,
    };
    let counted = findings.iter().enumerate().filter_map(|(at, it)| count(it).map(|n| (n, at)));
    let mut counted: Vec<(usize, usize)> = counted.collect();
    counted.sort_unstable();
    let fewest = counted.first().map_or(0, |(n, _)| *n);
    counted.retain(|(n, _)| *n <= fewest.max(2));
    counted.into_iter().map(|(_, at)| at).take(NEAREST).collect()
}

/// A grant that would allow the call, where nothing does and nothing denies it.
fn grant(explained: &Explained<'_>) -> Option<String> {
    let Explained { target, request, live, written, exit_code: _ } = explained;
    let nobody = |it: Verdict| it == Verdict::NotAllowed;
    let known = !matches!(live, Live::Unreadable { .. });
    if !known || !nobody(live.verdict()) || !written.verdict().is_none_or(nobody) {
        return None;
    }
    let sids = live.findings().iter().chain(written.parts().0).filter_map(|it| it.sid.as_deref());
    grant::yaml(request, target, &sids.collect::<Vec<_>>())
}

/// What has to be known besides.
fn notes(explained: &Explained<'_>) -> Vec<String> {
    let Explained { target, request, live, written, exit_code: _ } = explained;
    let mut res: Vec<String> = Vec::new();
    let verdict = live.verdict();
    if verdict == Verdict::NotAllowed && written.verdict() == Some(Verdict::Allowed) {
        res.push("The files allow it: `permitd plan` shows what is missing.".into());
    }
    let own = request.caller.account() == Some((target.partition(), target.account()));
    match (&request.caller, verdict) {
        (Caller::Identity(_) | Caller::Account { .. }, Verdict::NotAllowed) if own => res.push(
            "The caller is of the function's own account: its own IAM policy can allow the call without this one."
                .into(),
        ),
        (Caller::Identity(_) | Caller::Account { .. }, Verdict::Allowed) if own => {
            let by_account = |it: &Finding| it.answer != Answer::Matches || it.by == Some(By::Account);
            if live.findings().iter().all(by_account) {
                res.push(
                    "It is allowed to the whole account: the caller's own IAM policy has to allow it as well."
                        .into(),
                );
            }
        }
        (Caller::Identity(_) | Caller::Account { .. }, Verdict::Allowed) => res.push(
            "The caller is of another account: its own IAM policy has to allow the call as well.".into(),
        ),
        (Caller::Member, Verdict::Allowed) => res.push(
            "A caller of another account than the function's needs its own IAM policy to allow the call as well."
                .into(),
        ),
        (Caller::Service(_), _) if request.org.is_some() => res.push(
            "A service is a member of no organization: AWS sends no aws:PrincipalOrgID with its calls.".into(),
        ),
        (
            Caller::Identity(_)
            | Caller::Account { .. }
            | Caller::Member
            | Caller::Service(_)
            | Caller::Anonymous,
            _,
        ) => {}
    }
    if let Caller::Identity(it) = &request.caller
        && it.kind == Kind::Session
    {
        res.push(format!(
            "aws:PrincipalArn of this session is taken to be {}; where its role has a path, give the ARN of the role.",
            it.role_arn()
        ));
    }
    let from_anywhere = request.source_arn.is_none() && request.source_account.is_none();
    if matches!(request.caller, Caller::Service(_)) && from_anywhere && grant(explained).is_some() {
        res.push(
            "A grant for a service without a source is a risk (P001): give --source-arn and --source-account."
                .into(),
        );
    }
    if request.action.eq_ignore_ascii_case(INVOKE_URL) {
        res.push(
            "A call of a function URL needs lambda:InvokeFunction with --via-function-url as well (since October 2025)."
                .into(),
        );
    }
    res.push(NOT_LOOKED_AT.into());
    res.into_iter().map(|it| safe(&it)).collect()
}
