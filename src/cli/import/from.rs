//! `permitd import --from KIND FILE`: permission files from what another tool declares, without any call to AWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::out::Out;
use crate::cli::{
    args::{FromArg, ImportArgs, OwnershipArg},
    exit::Exit,
    setup,
    show::{Show, Stop},
};
use crate::config::{
    diagnostic::{self, Diagnostic, File},
    from::{
        Found, FunctionRef,
        cloudformation::{self, Inputs, Template},
        entries::{Entries, Options, grants_of},
        terraform,
    },
    load,
    resolve::Context,
    write::{self, Entry},
};
use crate::policy::target::Defaults;
use crate::report::{palette::safe, sums::count};

impl FromArg {
    /// For people.
    fn title(self) -> &'static str {
        match self {
            Self::TerraformState => "the Terraform state",
            Self::Cloudformation => "the CloudFormation template",
        }
    }

    /// What stands in the command that shows how.
    fn example(self) -> &'static str {
        match self {
            Self::TerraformState => "--from terraform-state terraform.tfstate",
            Self::Cloudformation => "--from cloudformation template.yaml",
        }
    }

    /// The resource that is looked for.
    fn resource(self) -> &'static str {
        match self {
            Self::TerraformState => "aws_lambda_permission",
            Self::Cloudformation => "AWS::Lambda::Permission",
        }
    }

    /// What keeps the two from getting into each other's way.
    fn advice(self) -> &'static str {
        match self {
            Self::TerraformState => {
                "Terraform still keeps these permissions, too. Before permitd changes them, take them out of it: \
                 `removed` blocks with `destroy = false`, or `terraform state rm`"
            }
            Self::Cloudformation => {
                "CloudFormation still keeps these permissions, too. To hand them over, give them \
                 `DeletionPolicy: Retain`, and then take them out of the template"
            }
        }
    }
}

/// Flags that have nothing to do with this, and arguments that go with nothing else.
pub(super) fn check_usage(args: &ImportArgs) -> Result<(), Stop> {
    let refuse =
        |message: String, hint: &str| Err(Stop::Said(Exit::Usage, message, Some(hint.to_owned())));
    let Some(kind) = args.from else {
        if !args.files.is_empty() {
            let hint = "as in `permitd import --from terraform-state terraform.tfstate`";
            return refuse("a file to import from needs --from".to_owned(), hint);
        }
        if !args.parameters.is_empty() {
            let hint = "as in `permitd import --from cloudformation template.yaml`";
            return refuse("--parameter goes with --from cloudformation".to_owned(), hint);
        }
        return Ok(());
    };
    let live = [
        ("--function", !args.functions.is_empty()),
        ("--all", args.all),
        ("--qualifiers", args.qualifiers),
    ];
    if let Some((flag, _)) = live.into_iter().find(|(_, is_there)| *is_there) {
        let hint = "leave one of them out; --target says which functions of the file are wanted";
        return refuse(format!("--from and {flag} exclude each other"), hint);
    }
    if args.files.is_empty() {
        let hint = format!("as in `permitd import {}`; `-` is the standard input", kind.example());
        return refuse("nothing to import from: name a file".to_owned(), &hint);
    }
    if kind != FromArg::Cloudformation && !args.parameters.is_empty() {
        let hint = "leave it out; a Terraform state has all its values";
        return refuse("--parameter goes with --from cloudformation".to_owned(), hint);
    }
    let mut keys = BTreeSet::new();
    for (key, _) in &args.parameters {
        if !keys.insert(key) {
            return refuse(format!("--parameter gives `{key}` twice"), "leave one of them out");
        }
    }
    Ok(())
}

/// Reads the files and writes down what they declare.
pub(super) fn import(kind: FromArg, args: &ImportArgs, show: Show) -> Result<Exit, Stop> {
    let out = Out::of(args)?;
    let Way { context, defaults } = way(args)?;
    let files = read(args)?;
    let found = find(kind, &files, args, &defaults)?;
    let found = wanted(found, args)?;
    let options = Options {
        context: &context,
        own_all: args.ownership == OwnershipArg::All,
        accept_risks: args.accept_risks,
    };
    let names: Vec<&str> = files.iter().map(|it| it.name.as_ref()).collect();
    let from = format!("{} {}", kind.title(), names.join(", "));
    let entries = Entries::new(found, &options);
    let texts = texts(&entries, &from, &out, &context)?;
    out.write(&texts, args.force, show)?;
    tell(kind, &entries, &safe(&from), &out, args.accept_risks, show);
    Ok(Exit::Success)
}

/// What holds where the files say nothing.
struct Way {
    context: Context,
    defaults: Defaults,
}

fn way(args: &ImportArgs) -> Result<Way, Stop> {
    let common = args.common();
    let texts = setup::find(&common.source)?.without_files();
    let defaults = setup::named_defaults(&texts, &common.source)?;
    Ok(Way { context: setup::context(&texts.settings, Defaults::default()), defaults })
}

fn read(args: &ImportArgs) -> Result<Vec<Arc<File>>, Stop> {
    let (mut files, mut wrong) = (Vec::new(), Vec::new());
    for path in &args.files {
        match load::read_foreign(path) {
            Ok(it) => files.push(it),
            Err(it) => wrong.push(it),
        }
    }
    if wrong.is_empty() { Ok(files) } else { Err(Stop::Config(wrong)) }
}

/// Everything of every file, or all that is wrong with any of them.
fn find(
    kind: FromArg,
    files: &[Arc<File>],
    args: &ImportArgs,
    defaults: &Defaults,
) -> Result<Found, Stop> {
    let mut wrong: Vec<Diagnostic> = Vec::new();
    let mut found = Vec::new();
    match kind {
        FromArg::TerraformState => {
            for file in files {
                match terraform::find(file, defaults) {
                    Ok(it) => found.push(it),
                    Err(it) => wrong.push(it),
                }
            }
        }
        FromArg::Cloudformation => {
            let mut templates = Vec::new();
            for file in files {
                match cloudformation::parse(file) {
                    Ok(it) => templates.push(it),
                    Err(it) => wrong.extend(it),
                }
            }
            if wrong.is_empty() {
                check_parameters(args, &templates)?;
                let parameters = args.parameters.iter().cloned().collect();
                let inputs = Inputs { defaults: defaults.clone(), parameters };
                found.extend(templates.iter().map(|it| it.find(&inputs)));
            }
        }
    }
    diagnostic::sort(&mut wrong);
    if wrong.is_empty() { Ok(Found::merge(found)) } else { Err(Stop::Config(wrong)) }
}

/// A parameter that no template has was mistyped.
fn check_parameters(args: &ImportArgs, templates: &[Template<'_>]) -> Result<(), Stop> {
    let stray = args.parameters.iter().find(|(key, _)| !templates.iter().any(|it| it.takes(key)));
    let Some((key, _)) = stray else { return Ok(()) };
    let known: BTreeSet<&str> = templates.iter().flat_map(Template::parameters).collect();
    let known: Vec<String> = known.into_iter().take(20).map(safe).collect();
    let hint = if known.is_empty() {
        "it has no parameters; what it refers to is given by its logical id".to_owned()
    } else {
        format!("its parameters are {}; a resource is given by its logical id", known.join(", "))
    };
    let message = format!("--parameter: the template has nothing that is called `{}`", safe(key));
    Err(Stop::Said(Exit::Usage, message, Some(hint)))
}

/// What `--target` asks for; the rest of the permissions is passed over.
fn wanted(mut found: Found, args: &ImportArgs) -> Result<Found, Stop> {
    if args.targets.is_empty() || found.permissions.is_empty() {
        return Ok(found);
    }
    let globs = super::globs(args);
    let matches = |name: &str| globs.iter().any(|it| it.matches(name));
    let is_wanted =
        |it: &FunctionRef| matches(&it.short_name()) || it.arn().is_some_and(|arn| matches(&arn));
    found.permissions.retain(|it| is_wanted(&it.function));
    if found.permissions.is_empty() {
        return Err(Stop::failure("--target matches nothing that is there"));
    }
    Ok(found)
}

/// The texts by the names of their files; none where nothing was taken.
fn texts(
    entries: &Entries,
    from: &str,
    out: &Out,
    context: &Context,
) -> Result<BTreeMap<String, String>, Stop> {
    let mut files: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for it in &entries.entries {
        files.entry(out.file_of(&it.function)).or_default().push(it.clone());
    }
    // One file of many is not the place to say what is in none of them.
    let header = match out {
        Out::Stdout | Out::File(_) => entries.header(from),
        Out::Folder(_) => entries.short_header(from),
    };
    let mut res = BTreeMap::new();
    for (name, entries) in files {
        let text = write::text(&entries).map_err(|it| super::mistake(it.to_string()))?;
        let text = header.clone() + &text;
        let n_made: usize = entries.iter().map(|it| it.statements.len()).sum();
        match grants_of(&text, context) {
            Ok(n_read) if n_read == n_made => {}
            Ok(n_read) => {
                let why = format!("the file that was made has {n_read} statements of {n_made}");
                return Err(super::mistake(why));
            }
            Err(why) => {
                return Err(super::mistake(format!("the file that was made is wrong:\n{why}")));
            }
        }
        res.insert(name, text);
    }
    if res.is_empty() && *out == Out::Stdout && !entries.left.is_empty() {
        res.insert(String::new(), header);
    }
    Ok(res)
}

fn tell(kind: FromArg, entries: &Entries, from: &str, out: &Out, accepted: bool, show: Show) {
    for it in &entries.left {
        show.problem(&format!("left: {}", safe(&it.to_string())));
    }
    for it in &entries.notes {
        show.note(&format!("note: {}", safe(&it.to_string())));
    }
    let lacks: Vec<&str> = entries.lacks().into_iter().collect();
    if !lacks.is_empty() {
        let (what, flags) = (lacks.join(" and "), lacks.join(" and --"));
        show.note(&format!(
            "note: {from} does not tell the {what} of all functions, and a plan takes those of the credentials; \
             pass --{flags} to write them down"
        ));
    }
    show.note(&summary(kind, entries, from, out, accepted));
    if entries.entries.is_empty() {
        return;
    }
    show.note(&format!("hint: {}", kind.advice()));
    if let Some(path) = out.path() {
        show.note(&format!("See what differs with\n    permitd plan {}", path.display()));
    }
}

fn summary(kind: FromArg, entries: &Entries, from: &str, out: &Out, accepted: bool) -> String {
    let tally = &entries.tally;
    let functions: BTreeSet<_> =
        entries.entries.iter().map(|it| (&it.account, &it.region, &it.function)).collect();
    if tally.statements == 0 && tally.foreign == 0 {
        return format!("Nothing to import: {from} has no {}", kind.resource());
    }
    if tally.statements == 0 {
        return format!("Nothing was imported; left: {}, as listed above", tally.foreign);
    }
    let into = out.path().filter(|_| tally.statements > 0);
    let into = into.map(|it| format!(" into {}", it.display())).unwrap_or_default();
    let (permissions, functions) =
        (count(tally.statements, "permission"), count(functions.len(), "function"));
    let mut parts = vec![format!("Imported {permissions} of {functions}{into}")];
    if tally.foreign > 0 {
        parts.push(format!("left: {}, as listed above", tally.foreign));
    }
    parts.extend(super::risks(tally, accepted));
    parts.join("; ")
}
