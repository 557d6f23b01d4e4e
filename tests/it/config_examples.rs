//! The example files are read as a user's would be, and say what they mean.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use permitd::config::diagnostic::{File, render_all};
use permitd::config::load::{find_settings, folder_of, read_permissions, read_settings};
use permitd::config::resolve::{Context, Loaded, lacking, resolve};
use permitd::config::settings::{self, Account, Settings};
use permitd::config::{permissions, schema};
use permitd::drift::allow::{Mode, Ownership, Replace, Writer};
use permitd::drift::wanted::Wanted;
use permitd::policy::inventory::{Function, Inventory};
use permitd::policy::target::AccountRegion;
use permitd::policy::terms::Terms;

/// What the example rules find.
fn inventory() -> Inventory {
    let function = |name: &str, tags: &[(&str, &str)]| Function {
        name: name.to_owned(),
        aliases: Some(vec!["live".to_owned()]),
        tags: Some(tags.iter().map(|(key, it)| ((*key).to_owned(), (*it).to_owned())).collect()),
        ..Function::default()
    };
    let paid = [("team", "payments"), ("stage", "prod-1")];
    let functions = vec![
        function("orders-in", &paid),
        function("orders-in-test", &[]),
        function("orders-legacy", &paid[..1]),
        function("payout", &paid),
    ];
    let place = AccountRegion { account: "123456789012".into(), region: "us-east-1".into() };
    Inventory { places: [(place, functions)].into() }
}

fn examples() -> Loaded {
    let path = Path::new("config/permitd.yaml");
    let (_, settings) = read_settings(path).map_err(|it| render_all(&it, false)).unwrap();
    let files = read_permissions(&settings.permissions, &folder_of(path));
    let parsed = permissions::parse(&files);
    assert!(!lacking(&parsed).account && !lacking(&parsed).region);
    let context = Context {
        ownership: settings.ownership,
        replace: settings.replace,
        writer: settings.writer,
        ignore: settings.ignore,
        places: settings.accounts.iter().flat_map(Account::places).collect(),
        inventory: Some(Arc::new(inventory())),
        ..Context::default()
    };
    resolve(parsed, &context).map_err(|it| render_all(&it, false)).unwrap()
}

#[test]
fn the_example_settings_are_valid() {
    let (_, settings) = read_settings(Path::new("config/permitd.yaml")).unwrap();
    assert_eq!(settings.mode, Some(Mode::Observe));
    assert_eq!(settings.ownership, Ownership::Declared);
    assert_eq!(settings.interval.as_secs(), 300);
    assert_eq!(settings.replace, Replace::Bridge);
    // The example shows the defaults of these.
    let usual = Settings::default();
    assert_eq!(settings.deny_risks, usual.deny_risks);
    assert_eq!(settings.limits, usual.limits);
    assert_eq!(settings.orphan_grace, usual.orphan_grace);
    assert_eq!((settings.journal, settings.control), (usual.journal, usual.control));
    assert_eq!(settings.accounts[0].places().next().unwrap().to_string(), "123456789012/us-east-1");
}

/// What the example shows in comments is as good as the rest.
#[test]
fn the_lines_in_comments_are_valid() {
    let text = std::fs::read_to_string("config/permitd.yaml").unwrap();
    let shown = ["# journal: ", "# control: ", "# notify: "];
    let lines: Vec<&str> =
        text.lines().filter(|line| shown.iter().any(|it| line.starts_with(it))).collect();
    assert_eq!(lines.len(), 5);
    for line in lines {
        let file = File::new("permitd.yaml", line.replacen("# ", "", 1));
        let read = settings::parse(&file).map_err(|it| render_all(&it, false)).unwrap();
        assert!(
            read.control.is_some() || read.journal.path.is_some() || read.notify.len() == 1,
            "{line}"
        );
    }
}

#[test]
fn the_example_permissions_are_valid_and_sorted() {
    let said: Vec<String> = examples()
        .wanted
        .iter()
        .map(|it| {
            let sids: Vec<&str> = it.grants.iter().map(|it| it.sid.as_str()).collect();
            let Wanted { target, ownership, replace, source, .. } = it;
            format!("{target} {ownership:?} {replace:?} {} at {source}", sids.join(","))
        })
        .collect();
    let expected = [
        "arn:aws:lambda:eu-west-1:123456789012:function:orders Declared Bridge organization,sns-orders at config/permissions/web.yaml:19:15",
        "arn:aws:lambda:eu-west-1:123456789012:function:shop Declared Bridge public-url,public-url-invoke at config/permissions/web.yaml:8:15",
        "arn:aws:lambda:us-east-1:123456789012:function:billing Declared Bridge only-encrypted,partners,topics at config/permissions/documents.yaml:22:15",
        "arn:aws:lambda:us-east-1:123456789012:function:ingest Declared Bridge clean,raw at config/permissions/documents.yaml:7:15",
        "arn:aws:lambda:us-east-1:123456789012:function:orders-in Declared Bridge alarms,audit,events at config/permissions/rules.yaml:10:12",
        "arn:aws:lambda:us-east-1:123456789012:function:orders-in:live Declared Bridge audit,events at config/permissions/rules.yaml:10:12",
        "arn:aws:lambda:us-east-1:123456789012:function:orders-in-test Declared Bridge audit,events at config/permissions/rules.yaml:10:12",
        "arn:aws:lambda:us-east-1:123456789012:function:payout Declared Bridge alarms at config/permissions/rules.yaml:22:7",
        "arn:aws:lambda:us-east-1:123456789012:function:probe Prefix(\"media-\") Direct media-uploads at config/permissions/media.yaml:31:24",
        "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live All Bridge partner,s3-uploads at config/permissions/media.yaml:16:15",
        "arn:aws:lambda:us-east-1:123456789012:function:transcode Prefix(\"media-\") Direct media-uploads at config/permissions/media.yaml:31:13",
        "arn:aws:lambda:us-east-1:210987654321:function:internal All Bridge  at config/permissions/web.yaml:45:15",
        "arn:aws:lambda:us-east-1:210987654321:function:legacy Declared Bridge schedule at config/permissions/web.yaml:37:15",
    ];
    assert_eq!(said, expected);
}

/// What the examples show of documents no other writer could write.
#[test]
fn the_examples_of_documents_need_one() {
    let examples = examples().wanted;
    let of = |name: &str| examples.iter().find(|it| it.target.function() == name).unwrap();
    assert_eq!((of("ingest").writer, of("ingest").compact), (Writer::Document, true));
    let billing = of("billing");
    assert_eq!((billing.writer, billing.compact), (Writer::Auto, false));
    let terms: Vec<&Terms> = billing.grants.iter().map(|it| &it.terms).collect();
    assert!(terms.iter().all(|it| matches!(it, Terms::Wide(_))), "{terms:?}");
    assert_eq!(terms.iter().map(|it| it.denies()).collect::<Vec<_>>(), [true, false, false]);
}

/// What editors read is what the program has. `permitd schema --out config/schema` writes it, too.
#[test]
fn the_schemas_of_files_are_the_published_ones() {
    for (name, schema) in [("permissions", schema::permissions()), ("settings", schema::settings())]
    {
        let path = format!("config/schema/{name}.json");
        let text = format!("{schema:#}\n");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "{path} is stale; `UPDATE_SCHEMAS=1 cargo test --no-default-features schema` writes it anew"
        );
    }
}

#[test]
fn settings_that_were_named_win() {
    let flag = PathBuf::from("flag.yaml");
    let environment = PathBuf::from("environment.yaml");
    assert_eq!(find_settings(Some(&flag), Some(&environment)), Some(flag));
    assert_eq!(find_settings(None, Some(&environment)), Some(environment));
}
