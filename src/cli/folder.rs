//! Files that a command makes, in a directory that somebody named.

use std::{fs, path::Path};

use crate::cli::{
    exit::Exit,
    show::{Show, Stop},
    whole_file,
};

/// Writes these files, by their names, into a directory, which is made if it is not there.
///
/// What is made from the program itself replaces what an older version made.
pub(crate) fn write(
    dir: &Path,
    files: impl Iterator<Item = (String, String)>,
    show: Show,
) -> Result<Exit, Stop> {
    let cannot = |path: &Path, error: &std::io::Error| {
        Stop::failure(format!("cannot write {}: {error}", path.display()))
    };
    fs::create_dir_all(dir).map_err(|it| cannot(dir, &it))?;
    for (name, text) in files {
        let path = dir.join(name);
        whole_file::write(&path, &text, 0o666).map_err(|it| cannot(&path, &it))?;
        show.note(&format!("wrote {}", path.display()));
    }
    Ok(Exit::Success)
}
