//! `deploy/kubernetes`, as far as it needs no Kubernetes: its files are permitd's, and its alerts those of
//! `deploy/prometheus`. `tests/deploy/kubernetes` has the rest.

use std::path::Path;

use permitd::config::{
    load::{folder_of, read_permissions, read_settings},
    permissions,
    resolve::{Context, resolve},
    settings::Account,
};
use permitd::drift::allow::Mode;

use super::{parsed, text};

const RULE: &str = "deploy/kubernetes/components/prometheus/alerts.yaml";
const SETTINGS: &str = "deploy/kubernetes/base/settings/permitd.yaml";

/// The operator's object with the groups of the file that Prometheus itself loads.
fn rule() -> String {
    let alerts = text("deploy/prometheus/alerts.yaml");
    let groups = &alerts[alerts.find("groups:").unwrap()..];
    let indented = groups.trim_end().replace('\n', "\n  ");
    format!(
        "# The alerts of deploy/prometheus/alerts.yaml for the Prometheus operator, made from them:\n\
         # UPDATE_DOCS=1 cargo test deploy::kubernetes\n\
         apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: permitd\n  \
         labels: {{app.kubernetes.io/name: permitd}}\nspec:\n  {indented}\n"
    )
}

#[test]
fn the_alerts_are_those_of_prometheus() {
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(RULE, rule()).unwrap();
    }
    assert_eq!(text(RULE), rule(), "UPDATE_DOCS=1 cargo test deploy::kubernetes");
    let groups = parsed("deploy/prometheus/alerts.yaml")["groups"].clone();
    assert_eq!(parsed(RULE)["spec"]["groups"], groups);
    assert!(groups[0]["rules"].as_sequence().is_some_and(|it| it.len() > 5));
}

/// Who only tries it out changes nothing.
#[test]
fn the_example_files_are_good_and_watch_only() {
    let path = Path::new(SETTINGS);
    let (_, settings) = read_settings(path).unwrap();
    assert_eq!(settings.mode, Some(Mode::Observe));
    let files = read_permissions(&settings.permissions, &folder_of(path));
    let parsed = permissions::parse(&files);
    let places = settings.accounts.iter().flat_map(Account::places).collect();
    let loaded = resolve(parsed, &Context { places, ..Context::default() }).unwrap();
    assert_eq!(loaded.wanted.len(), 1);
    let place = loaded.wanted[0].target.account_region();
    assert!(settings.accounts.iter().flat_map(Account::places).any(|it| it == place));
}

/// All overlays name the same image, that of this version.
#[test]
fn the_image_is_that_of_this_version() {
    for entry in std::fs::read_dir("deploy/kubernetes/overlays").unwrap() {
        let path = entry.unwrap().path().join("kustomization.yaml");
        let image = parsed(path.to_str().unwrap())["images"][0].clone();
        assert_eq!(image["name"], "permitd");
        assert_eq!(image["newTag"], env!("CARGO_PKG_VERSION"), "{}", path.display());
    }
}
