//! Something secret that a receiver needs. From a file it is read anew for each attempt, so that it can be changed
//! while the daemon runs.

use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// More is neither a URL nor a key.
const MOST: u64 = 64 << 10;

/// Something secret, as it is now.
pub struct Kept {
    file: Option<PathBuf>,
    last: Mutex<Vec<u8>>,
}

impl Kept {
    /// It stays as it is.
    pub fn fixed(secret: impl Into<Vec<u8>>) -> Self {
        Self { file: None, last: Mutex::new(secret.into()) }
    }

    /// What stands in a file, without the newline at its end; or why not, in words that follow its path.
    pub fn in_file(path: PathBuf) -> Result<Self, String> {
        let last = Mutex::new(read(&path)?);
        Ok(Self { file: Some(path), last })
    }

    /// As it is now. Where its file cannot be read any more, or is empty, as it was.
    pub async fn now(&self) -> Vec<u8> {
        if let Some(path) = self.file.clone()
            && let Ok(Ok(it)) = tokio::task::spawn_blocking(move || read(&path)).await
        {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = it;
        }
        self.last()
    }

    /// As it was at the last look.
    pub fn last(&self) -> Vec<u8> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same place; in the settings, the same secret.
    pub fn is_same(&self, other: &Self) -> bool {
        self.file == other.file && (self.file.is_some() || self.last() == other.last())
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("file", &self.file).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let told = |it: std::io::Error| {
        let text = it.to_string();
        format!("cannot be read: {}", text.split(" (os error").next().unwrap_or_default())
    };
    let mut res = Vec::new();
    File::open(path).map_err(told)?.take(MOST + 1).read_to_end(&mut res).map_err(told)?;
    if res.len() as u64 > MOST {
        return Err(format!("is larger than {} KiB", MOST >> 10));
    }
    while res.last().is_some_and(|it| matches!(it, b'\n' | b'\r')) {
        res.pop();
    }
    if res.is_empty() { Err("is empty".to_owned()) } else { Ok(res) }
}
