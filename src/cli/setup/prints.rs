//! The files as one consistent reading, and its hash.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::cli::{
    args::SourceArgs,
    receivers,
    setup::{Texts, read},
    show::Stop,
};
use crate::config::diagnostic::render_all;
use crate::daemon::watch::Print;
use crate::observe::notify::kept::Kept;

/// How often it is read again while it changes under the reader.
const TRIES: usize = 10;

/// Reads until two readings in a row say the same of the same real paths. So a generation that is put in place of
/// another one by turning a symbolic link (a `ConfigMap`, git-sync) is never seen half.
pub(crate) fn read_whole(args: &SourceArgs) -> (Result<Texts, Stop>, Print) {
    let mut texts = read(args);
    let mut seen = print(args, &texts);
    // What comes by a pipe comes once.
    if args.files.iter().any(|it| it.as_os_str() == "-") {
        return (texts, seen);
    }
    for _ in 0..TRIES {
        let (again, print) = {
            let texts = read(args);
            let print = print(args, &texts);
            (texts, print)
        };
        let same = print == seen;
        (texts, seen) = (again, print);
        if same {
            break;
        }
    }
    (texts, seen)
}

fn print(args: &SourceArgs, texts: &Result<Texts, Stop>) -> Print {
    let (mut hash, mut folders) = (Sha256::new(), BTreeSet::new());
    let (mut files, mut ways) = (BTreeMap::new(), BTreeMap::new());
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    };
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut at = |path: &Path, text: &str, add: &mut dyn FnMut(&str)| {
        let there = real(path);
        add(&there.to_string_lossy());
        add(text);
        for it in [path, &there] {
            folders.insert(folder_of(it));
        }
        for it in path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty()) {
            ways.entry(it.to_owned()).or_insert_with(|| real(it));
        }
        files.insert(path.to_owned(), (there, Sha256::digest(text).to_vec()));
    };
    match texts {
        Ok(texts) => {
            for file in texts.settings_file.iter().chain(&texts.files.files) {
                at(Path::new(&*file.name), &file.text, &mut add);
            }
            add(&render_all(&texts.files.diagnostics, false));
            // Whether it can be read counts. What it is, is looked at whenever it is used.
            for it in receivers::files(&texts.settings.notify, &texts.base) {
                add(&it.to_string_lossy());
                folders.insert(folder_of(&it));
                add(&Kept::in_file(it).err().unwrap_or_default());
            }
            let relative = args.files.is_empty();
            let written = texts.settings.permissions.iter().map(|it| texts.base.join(&it.text));
            let typed = args.files.iter().cloned();
            let patterns: Vec<PathBuf> = if relative { written.collect() } else { typed.collect() };
            for it in patterns {
                if it.is_dir() {
                    folders.insert(it);
                } else {
                    folders.insert(folder_of(&it));
                }
            }
        }
        Err(Stop::Config(found)) => {
            add(&render_all(found, false));
            for it in found {
                at(Path::new(&*it.place.file.name), &it.place.file.text, &mut add);
            }
        }
        Err(Stop::Said(_, message, hint)) => {
            add(message);
            add(hint.as_deref().unwrap_or_default());
        }
    }
    if let Some(it) = &args.config {
        folders.insert(folder_of(it));
    }
    Print { hash: hash.finalize().to_vec(), folders, files, ways }
}

/// The folder of a file; of one without a folder, where we are.
fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
