//! Where an import is written. All of it or nothing, and never over what somebody else wrote, unless that is asked.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempPath;

use crate::cli::{
    args::ImportArgs,
    exit::Exit,
    plan::say,
    show::{Show, Stop},
    whole_file,
};

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Out {
    /// One file, for whoever reads the standard output.
    Stdout,
    /// One file.
    File(PathBuf),
    /// One file a function.
    Folder(PathBuf),
}

/// As any new file, as far as the umask has it: permission files are no secret.
const MODE: u32 = 0o666;
const FORCE: &str = "pass --force to overwrite";

impl Out {
    /// Understands `--out`, and finds whatever can be found wrong with it before anything is called.
    pub(super) fn of(args: &ImportArgs) -> Result<Self, Stop> {
        let Some(path) = args.out.as_deref().filter(|it| it.as_os_str() != "-") else {
            return Ok(Self::Stdout);
        };
        let shown = path.display();
        if path.as_os_str().is_empty() {
            return Err(Stop::usage(
                "--out is empty; name a directory, or a file that ends in .yaml",
            ));
        }
        let is_yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        let found = fs::metadata(path);
        let exists = fs::symlink_metadata(path).is_ok();
        let this = match found {
            Ok(it) if it.is_dir() => Self::Folder(path.to_owned()),
            _ if is_yaml && exists && !args.force => {
                let message = format!("{shown} exists");
                return Err(Stop::Said(Exit::Usage, message, Some(format!("{FORCE} it"))));
            }
            _ if is_yaml => Self::File(path.to_owned()),
            _ if exists => {
                let message = format!("{shown} is not a directory");
                let hint = "name a directory, or a file that ends in .yaml";
                return Err(Stop::Said(Exit::Usage, message, Some(hint.to_owned())));
            }
            _ => Self::Folder(path.to_owned()),
        };
        this.probe()?;
        Ok(this)
    }

    /// What was asked for, if that is not the standard output.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File(it) | Self::Folder(it) => Some(it),
        }
    }

    /// The name of the file that a function stands in.
    pub(super) fn file_of(&self, function: &str) -> String {
        match self {
            Self::Stdout => String::new(),
            Self::File(it) => it.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            // What begins with a dot is not read where a directory is.
            Self::Folder(_) if function.starts_with('.') => format!("_{function}.yaml"),
            Self::Folder(_) => format!("{function}.yaml"),
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Stdout => Path::new("."),
            Self::Folder(it) => it,
            Self::File(it) => whole_file::folder_of(it),
        }
    }

    /// Whether anything could be written: to the folder, or to the one that it will be made in.
    fn probe(&self) -> Result<(), Stop> {
        let ancestors = self.folder().ancestors();
        let existing =
            ancestors.map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it });
        let Some(existing) = existing.into_iter().find(|it| fs::symlink_metadata(it).is_ok())
        else {
            return Ok(());
        };
        whole_file::beside(existing, MODE).map(drop).map_err(|error| cannot(self.folder(), &error))
    }

    /// Writes all files, by their names. One that is there already with this very text is left alone, so that an
    /// import that was ended half way simply goes on.
    pub(super) fn write(
        &self,
        texts: &BTreeMap<String, String>,
        force: bool,
        show: Show,
    ) -> Result<(), Stop> {
        if *self == Self::Stdout {
            return texts.values().try_for_each(|it| say(it, show));
        }
        let folder = self.folder();
        let path = |name: &String| match self {
            Self::File(it) => it.clone(),
            Self::Stdout | Self::Folder(_) => folder.join(name),
        };
        let files: Vec<(PathBuf, &String)> = texts
            .iter()
            .map(|(name, text)| (path(name), text))
            .filter(|(path, text)| fs::read(path).ok().as_deref() != Some(text.as_bytes()))
            .collect();
        let is_there = |path: &&PathBuf| fs::symlink_metadata(path).is_ok();
        let conflicts: Vec<&PathBuf> = files
            .iter()
            .map(|(path, _)| path)
            .filter(is_there)
            .filter(|it| !force || it.is_dir())
            .collect();
        if let [others @ .., last] = conflicts.as_slice() {
            for it in others {
                show.problem(&format!("error: {} exists and says something else", it.display()));
            }
            let message = format!("{} exists and says something else", last.display());
            let hint = format!("nothing was written; {FORCE}, or choose another --out");
            return Err(Stop::Said(Exit::Failure, message, Some(hint)));
        }
        if files.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(|it| cannot(folder, &it))?;
        let mut ready: Vec<(TempPath, PathBuf)> = Vec::new();
        for (path, text) in files {
            ready.push((
                whole_file::complete(folder, text, MODE).map_err(|it| cannot(&path, &it))?,
                path,
            ));
        }
        for (temporary, path) in ready {
            let moved =
                if force { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
            moved.map_err(|it| cannot(&path, &it.error))?;
        }
        // The names are on the disk, too; where a file system has no such thing, they are nevertheless there.
        fs::File::open(folder).and_then(|it| it.sync_all()).unwrap_or_default();
        Ok(())
    }
}

fn cannot(path: &Path, error: &io::Error) -> Stop {
    let text = error.to_string();
    let why = [" at path ", " (os error"]
        .iter()
        .fold(text.as_str(), |text, end| text.split_once(end).map_or(text, |(head, _)| head));
    let message = format!("cannot write to {}: {why}", path.display());
    let hint = "name another --out, or make it writable";
    Stop::Said(Exit::Failure, message, Some(hint.to_owned()))
}
