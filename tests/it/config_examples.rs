//! The example files are read as a user's would be, and say what they mean.

use std::path::{Path, PathBuf};

use permitd::config::load::{find_settings, folder_of, read_permissions, read_settings};
use permitd::config::resolve::{Context, Loaded, lacking, resolve};
use permitd::config::{diagnostic::render_all, permissions};
use permitd::drift::allow::{Mode, Ownership};

fn examples() -> Loaded {
    let path = Path::new("config/permitd.yaml");
    let settings = read_settings(path).map_err(|it| render_all(&it, false)).unwrap();
    let files = read_permissions(&settings.permissions, &folder_of(path));
    let parsed = permissions::parse(&files);
    assert!(!lacking(&parsed).account && !lacking(&parsed).region);
    let context =
        Context { ownership: settings.ownership, ignore: settings.ignore, ..Context::default() };
    resolve(parsed, &context).map_err(|it| render_all(&it, false)).unwrap()
}

#[test]
fn the_example_settings_are_valid() {
    let settings = read_settings(Path::new("config/permitd.yaml")).unwrap();
    assert_eq!(settings.mode, Some(Mode::Observe));
    assert_eq!(settings.ownership, Ownership::Declared);
    assert_eq!(settings.interval.as_secs(), 300);
    assert_eq!(settings.account.unwrap().to_string(), "123456789012/us-east-1");
}

#[test]
fn the_example_permissions_are_valid_and_sorted() {
    let said: Vec<String> = examples()
        .wanted
        .iter()
        .map(|it| {
            let sids: Vec<&str> = it.grants.iter().map(|it| it.sid.as_str()).collect();
            format!("{} {:?} {} at {}", it.target, it.ownership, sids.join(","), it.source)
        })
        .collect();
    let expected = [
        "arn:aws:lambda:eu-west-1:123456789012:function:orders Declared organization,sns-orders at config/permissions/web.yaml:18:15",
        "arn:aws:lambda:eu-west-1:123456789012:function:shop Declared public-url,public-url-invoke at config/permissions/web.yaml:7:15",
        "arn:aws:lambda:us-east-1:123456789012:function:probe Prefix(\"media-\") media-uploads at config/permissions/media.yaml:30:24",
        "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live All partner,s3-uploads at config/permissions/media.yaml:15:15",
        "arn:aws:lambda:us-east-1:123456789012:function:transcode Prefix(\"media-\") media-uploads at config/permissions/media.yaml:30:13",
        "arn:aws:lambda:us-east-1:210987654321:function:internal All  at config/permissions/web.yaml:44:15",
        "arn:aws:lambda:us-east-1:210987654321:function:legacy Declared schedule at config/permissions/web.yaml:36:15",
    ];
    assert_eq!(said, expected);
}

#[test]
fn settings_that_were_named_win() {
    let flag = PathBuf::from("flag.yaml");
    let environment = PathBuf::from("environment.yaml");
    assert_eq!(find_settings(Some(&flag), Some(&environment)), Some(flag));
    assert_eq!(find_settings(None, Some(&environment)), Some(environment));
}
