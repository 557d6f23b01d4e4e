//! What the tests of this folder share: read files, and compare what is said about them.

use crate::config::diagnostic::{File, Files, render_all};
use crate::config::permissions;
use crate::config::resolve::{Context, Loaded, resolve};
use crate::config::settings;
use crate::policy::target::Defaults;

/// An account and a region for names without.
pub(super) fn context() -> Context {
    let account = Some("123456789012".to_owned());
    Context {
        defaults: Defaults { account, region: Some("us-east-1".to_owned()) },
        ..Context::default()
    }
}

/// The texts as `a.yaml`, `b.yaml`, `c.yaml`; or everything that is said about them.
pub(super) fn load(texts: &[&str], context: &Context) -> Result<Loaded, String> {
    let named = texts.iter().zip(["a.yaml", "b.yaml", "c.yaml"]);
    let files = named.map(|(text, name)| File::new(name, (*text).to_owned())).collect();
    let files = Files { files, diagnostics: Vec::new() };
    resolve(permissions::parse(&files), context).map_err(|it| render_all(&it, false))
}

/// For tables: texts begin in the line after their quote.
#[track_caller]
pub(super) fn check_all(texts: &[&str], context: &Context, expected: &str) {
    let texts: Vec<&str> = texts.iter().map(|it| it.strip_prefix('\n').unwrap()).collect();
    let said = load(&texts, context).unwrap_err();
    assert_eq!(format!("\n{said}"), expected, "it said:\n{said}");
}

#[track_caller]
pub(super) fn check(text: &str, expected: &str) {
    check_all(&[text], &context(), expected);
}

#[track_caller]
pub(super) fn check_settings(text: &str, expected: &str) {
    let file = File::new("permitd.yaml", text.strip_prefix('\n').unwrap().to_owned());
    let said = render_all(&settings::parse(&file).unwrap_err(), false);
    assert_eq!(format!("\n{said}"), expected, "it said:\n{said}");
}
