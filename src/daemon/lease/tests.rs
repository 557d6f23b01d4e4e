//! How a lease is named.

use super::*;

#[test]
fn named_by_namespace_and_name() {
    let name: LeaseName = "permitd/main.lease-1".parse().unwrap();
    assert_eq!((name.namespace.as_str(), name.name.as_str()), ("permitd", "main.lease-1"));
    assert_eq!(name.to_string(), "permitd/main.lease-1");
    for text in [
        "", "x", "/x", "x/", "x/y/z", "X/y", "x/Y", "-x/y", "x-/y", "x/y-", "x.y/z", "x/a..b",
        "x/y z",
    ] {
        assert!(text.parse::<LeaseName>().is_err(), "{text}");
    }
    assert!(format!("x/{}", "y".repeat(240)).parse::<LeaseName>().is_ok());
    assert!(format!("x/{}", "y".repeat(241)).parse::<LeaseName>().is_err());
    assert!(format!("{}/y", "x".repeat(64)).parse::<LeaseName>().is_err());
}

#[test]
fn each_shard_has_its_own() {
    let name: LeaseName = "a/b".parse().unwrap();
    assert_eq!(name.clone().of_shard(None).to_string(), "a/b");
    let shard = Some("2/3".parse().unwrap());
    assert_eq!(name.of_shard(shard).to_string(), "a/b-2-of-3");
}
