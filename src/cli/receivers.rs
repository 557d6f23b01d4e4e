//! Who is told by webhooks: from the settings, their secrets from where these are kept.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::cli::show::Stop;
use crate::config::{
    diagnostic::Diagnostic,
    settings::notify::{self as settings, Notify, Secret},
};
use crate::daemon::clock;
use crate::lambda::trust::Roots;
use crate::observe::{
    monitor::Monitor,
    news::News,
    notify::{
        Format, Notifier, Receiver,
        kept::Kept,
        post::{self, Web},
    },
};

/// The receivers of the settings and the client that reaches them.
#[derive(Debug)]
pub(crate) struct Receivers {
    receivers: Vec<Receiver>,
    web: Arc<Web>,
}

impl Receivers {
    /// Looks at every secret; everything that is wrong is told, each with its place in the settings.
    pub(crate) fn read(
        wanted: &[Notify],
        base: &Path,
        roots: Option<&Roots>,
    ) -> Result<Self, Stop> {
        let (mut receivers, mut wrong) = (Vec::new(), Vec::new());
        for it in wanted {
            match receiver(it, base) {
                Ok(it) => receivers.push(it),
                Err(found) => wrong.extend(found),
            }
        }
        if !wrong.is_empty() {
            return Err(Stop::Config(wrong));
        }
        Ok(Self { receivers, web: Arc::new(Web::trusting(roots.cloned())) })
    }

    /// From now on these are told.
    pub(crate) fn take_over(self, monitor: &Monitor) {
        let Self { receivers, web } = self;
        let notifier = monitor
            .with_notifier(|| Notifier::new(web, Arc::clone(&monitor.metrics), clock::system));
        notifier.take_over(receivers);
    }
}

/// The files in which something secret is to be.
pub(crate) fn files(wanted: &[Notify], base: &Path) -> Vec<PathBuf> {
    let secrets = wanted.iter().flat_map(|it| [Some(&it.url), it.secret.as_ref()]).flatten();
    let file = |it: &Secret| match &it.kept {
        settings::Kept::Here(_) | settings::Kept::Variable(_) => None,
        settings::Kept::File(path) => Some(base.join(path)),
        settings::Kept::Credential(name) => credential(name),
    };
    secrets.filter_map(file).collect()
}

fn receiver(it: &Notify, base: &Path) -> Result<Receiver, Vec<Diagnostic>> {
    let Notify { url, format, secret, events, timeout } = it;
    let url = kept(url, "URL", base).and_then(|kept| match checked(&kept) {
        Ok(()) => Ok(kept),
        Err(why) => {
            let message = format!("{}: the URL {why}", what(url));
            let help = "write nothing but a URL there, as in https://example.com/hook";
            Err(Diagnostic::error(url.place.clone(), message).help(help))
        }
    });
    let secret = secret.as_ref().map(|it| kept(it, "secret", base)).transpose();
    let (url, secret) = match (url, secret) {
        (Ok(url), Ok(secret)) => (url, secret),
        (url, secret) => return Err(url.err().into_iter().chain(secret.err()).collect()),
    };
    let format = match format {
        settings::Format::Json => Format::Json,
        settings::Format::Slack => Format::Slack,
    };
    let events = News::ALL.into_iter().filter(|it| events.contains(&it.name())).collect();
    Ok(Receiver { url, format, secret, events, timeout: *timeout })
}

/// Nobody sees what is wrong with it from the outside, so it is said as far as it tells nothing.
fn checked(url: &Kept) -> Result<(), String> {
    let text = String::from_utf8(url.last()).map_err(|_| "is not UTF-8".to_owned())?;
    settings::check_url(&text)?;
    post::check_url(&text)
}

fn kept(secret: &Secret, kind: &str, base: &Path) -> Result<Kept, Diagnostic> {
    let wrong = |why: &str, help: String| {
        Diagnostic::error(secret.place.clone(), format!("{} {why}", what(secret))).help(help)
    };
    match &secret.kept {
        settings::Kept::Here(it) => Ok(Kept::fixed(it.as_str())),
        settings::Kept::Variable(name) => match variable(name) {
            Some(it) if !it.is_empty() => Ok(Kept::fixed(it.as_encoded_bytes())),
            Some(_) => Err(wrong("is empty", format!("set it to the {kind}"))),
            None => Err(wrong("is not set", format!("set it to the {kind} before permitd starts"))),
        },
        settings::Kept::File(path) => {
            let help = format!("write the {kind} into it, and let the user of permitd read it");
            Kept::in_file(base.join(path)).map_err(|it| wrong(&it, help))
        }
        settings::Kept::Credential(name) => {
            let help = format!(
                "write `LoadCredential={name}:PATH` into the unit, with the {kind} in that file"
            );
            match credential(name) {
                Some(it) => Kept::in_file(it).map_err(|it| wrong(&it, help)),
                None => Err(wrong("is not there: systemd gives this process no credentials", help)),
            }
        }
    }
}

fn credential(name: &str) -> Option<PathBuf> {
    variable("CREDENTIALS_DIRECTORY").map(|it| PathBuf::from(it).join(name))
}

/// Where it is, for people.
fn what(secret: &Secret) -> String {
    match &secret.kept {
        settings::Kept::Here(_) => "`url`".to_owned(),
        settings::Kept::Variable(it) => format!("the variable {it}"),
        settings::Kept::File(it) => format!("the file {}", it.display()),
        settings::Kept::Credential(it) => format!("the credential {it}"),
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
