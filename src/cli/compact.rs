//! `permitd compact`: the policies as they would be with lists, and what that saves, offline.

use std::path::Path;

use serde_json::Value;

use crate::cli::{
    args::{CompactArgs, CompactOutput, SourceArgs},
    exit::Exit,
    setup::{self, Wishes},
    show::{Show, Stop},
};
use crate::config::permissions;
use crate::daemon::clock;
use crate::policy::{
    compact::rewritten,
    document::{Document, document_of},
    statement::Statement,
    target::{Defaults, Target},
};
use crate::report::compact::{Compacted, json, text};

/// Says it; nothing is written.
pub(crate) fn compact(args: &CompactArgs, show: Show) -> Result<Exit, Stop> {
    let policies =
        args.source.files.iter().map(|it| policy_in(it)).collect::<Result<Vec<_>, _>>()?;
    let compacted = if policies.iter().any(Option::is_some) {
        of_policies(args, policies)?
    } else {
        of_permissions(args)?
    };
    let answer = match args.output {
        CompactOutput::Text => text(&compacted),
        CompactOutput::Json => json(&compacted),
    };
    show.data(&answer).map_err(|it| Stop::failure(format!("cannot write the answer: {it}")))?;
    Ok(Exit::Success)
}

fn of_permissions(args: &CompactArgs) -> Result<Vec<Compacted>, Stop> {
    let CompactArgs { source, targets, output: _ } = args;
    let texts = setup::read(source)?;
    let parsed = permissions::parse(&texts.files);
    let defaults = defaults(&texts, source)?;
    let Wishes { wanted, rules: _ } = setup::resolve(&texts, parsed, defaults)?;
    let now = clock::system();
    let of_target = |it: &crate::drift::wanted::Wanted| Compacted {
        arn: it.target.arn(),
        before: document_of(&it.texts(false, now)),
        after: document_of(&it.texts(true, now)),
    };
    Ok(setup::only(wanted, targets)?.iter().map(of_target).collect())
}

/// Account and region only make ARNs here, so that any will do where the files name none.
fn defaults(texts: &setup::Texts, source: &SourceArgs) -> Result<Defaults, Stop> {
    let named = setup::named_defaults(texts, source)?;
    Ok(Defaults {
        account: named.account.or_else(|| Some("123456789012".to_owned())),
        region: named.region.or_else(|| Some("us-east-1".to_owned())),
    })
}

/// The policy in this file, if it is one; other files are permission files.
#[expect(clippy::disallowed_methods, reason = "a policy is no file of the configuration")]
fn policy_in(path: &Path) -> Result<Option<(String, String)>, Stop> {
    let name = path.display().to_string();
    if name == "-" || !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path)
        .map_err(|it| Stop::failure(format!("cannot read {name}: {it}")))?;
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return Ok(None) };
    let policy = match value.get("Policy").and_then(Value::as_str) {
        Some(inner) => Some(inner.to_owned()),
        None => value.get("Statement").map(|_| text),
    };
    Ok(policy.map(|it| (name, it)))
}

fn of_policies(
    args: &CompactArgs,
    policies: Vec<Option<(String, String)>>,
) -> Result<Vec<Compacted>, Stop> {
    let mut res = Vec::new();
    for (path, policy) in args.source.files.iter().zip(policies) {
        let Some((name, text)) = policy else {
            let path = path.display();
            return Err(Stop::usage(format!(
                "{path} is no policy in JSON, and other files are: name policies or permission files, not both"
            )));
        };
        let target = target_of(&text).ok_or_else(|| {
            Stop::failure(format!("{name}: no Resource in it is the ARN of a function"))
        })?;
        let document = Document::parse(text, String::new(), &target)
            .map_err(|it| Stop::failure(format!("{name}: {it}")))?;
        res.push(Compacted {
            arn: target.arn(),
            before: document.with_statements(document.statements().iter().map(Statement::text)),
            after: rewritten(&document, &target),
        });
    }
    Ok(res)
}

fn target_of(policy: &str) -> Option<Target> {
    let value: Value = serde_json::from_str(policy).ok()?;
    let statements = value.get("Statement")?;
    let one = std::slice::from_ref(statements);
    let statements = statements.as_array().map_or(one, Vec::as_slice);
    let arns = statements.iter().filter_map(|it| it.get("Resource")?.as_str());
    let mut targets = arns.filter_map(|it| Target::parse(it, None, &Defaults::default()).ok());
    targets.next()
}
