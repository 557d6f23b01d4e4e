//! Finds and reads the files; the only place of the configuration that touches the disk.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::diagnostic::{COMMAND_LINE, Diagnostic, File, Files, Place, STDIN, Span};
use crate::config::permissions;
use crate::config::resolve::{Context, Loaded, resolve};
use crate::config::rules::Rule;
use crate::config::settings::{self, Pattern, Settings, hidden};

/// A larger file is a mistake; 25,000 statements have five megabytes.
const MAX_BYTES: u64 = 64 << 20;
/// How an archive begins.
const ZIP: &str = "PK\u{3}\u{4}";
const SYSTEM: &str = "/etc/permitd/permitd.yaml";
const LOCAL: &str = "permitd.yaml";

/// Where the settings are: named by a flag, by the environment, here, or in `/etc`.
///
/// A file that was named is taken even if it is not there, so that reading it tells.
pub fn find_settings(flag: Option<&Path>, environment: Option<&Path>) -> Option<PathBuf> {
    let named = flag.or(environment.filter(|it| !it.as_os_str().is_empty()));
    let usual = || [LOCAL, SYSTEM].iter().map(PathBuf::from).find(|it| it.exists());
    named.map(Path::to_owned).or_else(usual)
}

/// Reads the settings file.
pub fn read_settings(path: &Path) -> Result<(Arc<File>, Settings), Vec<Diagnostic>> {
    let file = read(path).map_err(|it| {
        let (mut found, shown) = ([it.clone()], hidden::shown_text(&it.place.file));
        hidden::hide(&mut found, &shown);
        Vec::from(found)
    })?;
    let settings = settings::parse(&file)?;
    Ok((file, settings))
}

/// Reads the permission files that `patterns` name, each once, sorted by path.
///
/// A pattern is a file, a directory (all of its `*.yaml` and `*.yml`), a glob, or `-` for the
/// standard input. `base` is what relative ones are relative to: the folder of the settings file.
/// What cannot be read does not keep the rest from being read, and checked.
pub fn read_permissions(patterns: &[Pattern], base: &Path) -> Files {
    let Files { mut files, mut diagnostics } = Files::default();
    let mut paths = BTreeSet::new();
    let mut stdin_is_read = false;
    for pattern in patterns {
        if pattern.text == "-" && pattern.place.is_none() {
            if std::mem::replace(&mut stdin_is_read, true) {
                continue;
            }
            match read_stdin() {
                Ok(file) => files.push(file),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
            continue;
        }
        match expand(base, &pattern.text) {
            Ok(found) if found.is_empty() => {
                let message = format!("`{}` matches no file", pattern.text);
                let help = "permission files end in .yaml or .yml";
                diagnostics.push(about(pattern, message).help(help));
            }
            Ok(found) => paths.extend(found),
            Err(reason) => {
                diagnostics
                    .push(about(pattern, format!("cannot read `{}`: {reason}", pattern.text)));
            }
        }
    }
    // Two names of one file, by a link or by two patterns, are one file.
    let mut seen = BTreeSet::new();
    for path in paths {
        let same = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if !seen.insert(same) {
            continue;
        }
        match read(&path) {
            Ok(file) => files.push(file),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    Files { files, diagnostics }
}

/// Everything in one step, for who knows account and region beforehand.
pub fn load(
    patterns: &[Pattern],
    base: &Path,
    context: &Context,
) -> Result<Loaded, Vec<Diagnostic>> {
    resolve(permissions::parse(&read_permissions(patterns, base)), context)
}

/// The folder that paths in a settings file are relative to.
pub fn folder_of(settings: &Path) -> PathBuf {
    settings.parent().map(Path::to_owned).unwrap_or_default()
}

fn about(pattern: &Pattern, message: String) -> Diagnostic {
    let argument = || Place::whole(&File::new(COMMAND_LINE, String::new()));
    let place = pattern.place.clone().unwrap_or_else(argument);
    Diagnostic::of(Rule::Unreadable, place, message)
}

fn expand(base: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let path = base.join(pattern);
    let mut walk = Walk::default();
    match fs::metadata(&path) {
        Ok(it) if it.is_dir() => {
            walk.directory(&path).map_err(|it| plain(&it))?;
            return Ok(walk.found);
        }
        Ok(_) => return Ok(vec![path]),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(plain(&error)),
        Err(_) => {}
    }
    if !pattern.contains(['*', '?', '[']) {
        return Err("there is no such file or directory".to_owned());
    }
    // Only the pattern is one: the folder of the settings may be called `[x]`.
    let folder = PathBuf::from(glob::Pattern::escape(&base.to_string_lossy()));
    let text = folder.join(pattern);
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let found = glob::glob_with(&text.to_string_lossy(), options)
        .map_err(|it| format!("as a glob: {}", it.msg))?;
    for path in found {
        let path = path.map_err(|it| plain(it.error()))?;
        if path.is_dir() {
            walk.directory(&path).map_err(|it| plain(&it))?;
        } else {
            walk.found.push(path);
        }
    }
    Ok(walk.found)
}

/// All permission files under a directory.
#[derive(Default)]
struct Walk {
    found: Vec<PathBuf>,
    /// Directories by their real path: a link may lead back to one.
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    /// What begins with a dot is not looked at: editors leave such files, and a `ConfigMap` mount
    /// keeps its files a second time in `..data` and `..2026_11_22_…`; the names beside them are
    /// links into it.
    fn directory(&mut self, directory: &Path) -> io::Result<()> {
        if !self.seen.insert(fs::canonicalize(directory)?) {
            return Ok(());
        }
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                self.directory(&path)?;
            } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
                self.found.push(path);
            }
        }
        Ok(())
    }
}

/// Reads a file that is not permitd's own: by its path, or `-` for the standard input.
pub fn read_foreign(path: &Path) -> Result<Arc<File>, Diagnostic> {
    let read = if path.as_os_str() == "-" { read_stdin() } else { read(path) };
    read.map_err(|error| {
        let file = &error.place.file;
        if !file.text.starts_with(ZIP) {
            return error;
        }
        let place = Place::whole(&File::new(Arc::clone(&file.name), String::new()));
        let message = format!("{} is an archive, as a saved plan of Terraform is one", file.name);
        let help =
            "for its state, write `terraform state pull > terraform.tfstate`, and name that file";
        Diagnostic::error(place, message).help(help)
    })
}

fn read(path: &Path) -> Result<Arc<File>, Diagnostic> {
    let plain_path = path.strip_prefix("./").ok().filter(|it| !it.as_os_str().is_empty());
    let name = plain_path.unwrap_or(path).to_string_lossy().into_owned();
    let unreadable = |reason: String| {
        let place = Place::whole(&File::new(name.clone(), String::new()));
        Diagnostic::of(Rule::Unreadable, place, format!("cannot read {name}: {reason}"))
    };
    let file = fs::File::open(path).map_err(|it| unreadable(plain(&it)))?;
    let length = file.metadata().map_err(|it| unreadable(plain(&it)))?;
    if length.is_dir() {
        return Err(unreadable("it is a directory".to_owned()));
    }
    if length.len() > MAX_BYTES {
        return Err(unreadable(too_large()));
    }
    let bytes = read_bytes(file).map_err(unreadable)?;
    decode(&name, bytes)
}

fn read_stdin() -> Result<Arc<File>, Diagnostic> {
    let bytes = read_bytes(io::stdin().lock()).map_err(|reason| {
        let place = Place::whole(&File::new(STDIN, String::new()));
        Diagnostic::of(Rule::Unreadable, place, format!("cannot read the standard input: {reason}"))
    })?;
    decode(STDIN, bytes)
}

fn read_bytes(source: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // A pipe or a growing file has no length that could be asked before.
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|it| plain(&it))?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> String {
    format!("it is larger than {} MiB; split it", MAX_BYTES >> 20)
}

/// UTF-8, or the place of the first byte that is not.
pub(super) fn decode(name: &str, bytes: Vec<u8>) -> Result<Arc<File>, Diagnostic> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(File::new(name, text)),
        Err(error) => error,
    };
    let valid = error.utf8_error().valid_up_to();
    let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
    let file = File::new(name, String::from_utf8_lossy(error.as_bytes()).into_owned());
    let marked = error.as_bytes().starts_with("\u{feff}".as_bytes());
    let start = if marked { valid.saturating_sub(3) } else { valid };
    let before = file.text.get(..start).unwrap_or_default();
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let span = Span {
        start: number(start),
        end: number(start + '\u{fffd}'.len_utf8()),
        line: number(line),
        column: number(column),
    };
    let message = format!("the byte 0x{byte:02x} is not UTF-8");
    let error = Diagnostic::of(Rule::Unreadable, Place::at(&file, span), message);
    Err(error.help("save the file as UTF-8"))
}

/// An error of the system in plain words.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum of the system's errors is open")]
fn plain(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
