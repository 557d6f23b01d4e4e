//! How far long work is: a bar on stderr, for a person at a terminal, once it has taken a second.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::show::Show;

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
const REDRAWN: Duration = Duration::from_millis(250);

/// The bar that is shown, so that other lines can be written above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Work of which it is known, or found out meanwhile, how much it is. It disappears with this value.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    appears: Option<tokio::task::JoinHandle<()>>,
}

impl Progress {
    /// `what` is being done, to so many.
    pub(crate) fn new(what: &str, n: usize, show: Show) -> Self {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        Self::drawn("{msg} {wide_bar:.40} {pos}/{len}, {eta} left", what, n, show)
    }

    /// `what` is being done to things that are still being found.
    pub(crate) fn growing(what: &str, show: Show) -> Self {
        Self::drawn("{msg} {wide_bar:.40} {pos}/{len} found so far", what, 0, show)
    }

    fn drawn(template: &str, what: &str, n: u64, show: Show) -> Self {
        let bar = ProgressBar::with_draw_target(Some(n), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        let mut this = Self { bar, appears: None };
        if show.is_quiet() || !io::stderr().is_terminal() {
            return this;
        }
        let bar = this.bar.clone();
        this.appears = Some(tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(REDRAWN);
            *shown() = Some(bar);
        }));
        this
    }

    /// One more is to be done.
    pub(crate) fn found(&self) {
        self.bar.inc_length(1);
    }

    /// One more is done.
    pub(crate) fn inc(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(it) = &self.appears {
            it.abort();
            *shown() = None;
        }
        self.bar.finish_and_clear();
    }
}

/// Writes to stderr, above the bar if there is one.
pub(crate) fn to_stderr(text: &[u8]) -> io::Result<()> {
    let bar = shown().clone();
    let write = || io::stderr().lock().write_all(text);
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// The same, for a log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        to_stderr(text).map(|()| text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn shown() -> std::sync::MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
