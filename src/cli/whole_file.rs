//! Files that are written whole or not at all.

use std::{
    fs::Permissions,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use tempfile::{Builder, NamedTempFile, TempPath};

use crate::cli::{exit::Exit, show::Stop};

/// What a report that goes into this file looks like: the ending of its name says it.
///
/// Asked before any call, for nobody waits for a report that cannot be written: another ending, or a folder that
/// is not there, is wrong usage.
pub(crate) fn form_of<F: Copy>(path: &Path, endings: &[(&str, F)]) -> Result<F, Stop> {
    let shown = path.display();
    let stop =
        |message: String, hint: &str| Stop::Said(Exit::Usage, message, Some(hint.to_owned()));
    if path.as_os_str() == "-" {
        let hint = "`--output` says in which form the report goes to stdout";
        return Err(stop("--report takes the name of a file, not `-`".to_owned(), hint));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // A name that is nothing but an ending has none.
    let ends = |(ending, _): &&(&str, F)| {
        name.strip_suffix(ending).is_some_and(|it| it.len() > 1 && it.ends_with('.'))
    };
    let Some((_, form)) = endings.iter().filter(ends).max_by_key(|(ending, _)| ending.len()) else {
        let all: Vec<String> = endings.iter().map(|(it, _)| format!(".{it}")).collect();
        let hint = format!("the ending says the form of the report: {}", all.join(", "));
        return Err(stop(format!("--report {shown}: the ending says no form of a report"), &hint));
    };
    let folder = folder_of(path);
    if !folder.is_dir() {
        let message = format!("--report {shown}: there is no folder {}", folder.display());
        return Err(stop(message, "create it first"));
    }
    if path.is_dir() {
        return Err(stop(format!("--report {shown}: this is a folder"), "name a file in it"));
    }
    Ok(*form)
}

/// Writes a file beside it, and moves it to its place. `mode` are the rights, before the umask.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    complete(folder_of(path), text, mode)?.persist(path).map_err(|it| it.error)
}

/// A complete file under a name that nobody reads. It goes away with this value.
pub(crate) fn complete(folder: &Path, text: &str, mode: u32) -> io::Result<TempPath> {
    let mut file = beside(folder, mode)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// An empty one.
pub(crate) fn beside(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let permissions = Permissions::from_mode(mode);
    Builder::new().prefix(".permitd-").permissions(permissions).tempfile_in(folder)
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
