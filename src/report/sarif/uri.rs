//! File names as URIs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::config::diagnostic::{COMMAND_LINE, PERMISSION_FILES, STDIN};

/// What names are relative to: the root of the sources, as code scanning calls it.
pub(super) const ROOT: &str = "%SRCROOT%";
/// RFC 3986's unreserved characters stand for themselves, everything else is encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a file is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// It stands for a file, and is none.
pub(super) fn is_no_file(name: &str) -> bool {
    [COMMAND_LINE, PERMISSION_FILES].contains(&name)
}

/// A file in `folder` relative to it, another one as a `file:` URI, the standard input as `stdin:`.
pub(super) fn of_file(name: &str, folder: &str) -> Location {
    if name == STDIN {
        return Location { uri: "stdin:".into(), uri_base_id: None };
    }
    let whole = if name.starts_with('/') { name.to_owned() } else { format!("{folder}/{name}") };
    let (path, folder) = (segments(&whole), segments(folder));
    let joined = |it: &[&str]| {
        let encoded: Vec<String> =
            it.iter().map(|it| utf8_percent_encode(it, SEGMENT).to_string()).collect();
        encoded.join("/")
    };
    match path.strip_prefix(folder.as_slice()) {
        Some(inside) if !inside.is_empty() => {
            Location { uri: joined(inside), uri_base_id: Some(ROOT) }
        }
        _ => Location { uri: format!("file:///{}", joined(&path)), uri_base_id: None },
    }
}

/// The parts of an absolute path, without `.` and `..`.
fn segments(path: &str) -> Vec<&str> {
    let mut res = Vec::new();
    for it in path.split('/') {
        match it {
            "" | "." => {}
            ".." => drop(res.pop()),
            it => res.push(it),
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_uris() {
        let of = |name: &str| {
            let Location { uri, uri_base_id } = of_file(name, "/work/r\u{e9}po");
            format!("{} {uri}", uri_base_id.unwrap_or("-"))
        };
        assert_eq!(of("permissions/a.yaml"), "%SRCROOT% permissions/a.yaml");
        assert_eq!(of("./x/../a b#?.yaml"), "%SRCROOT% a%20b%23%3F.yaml");
        assert_eq!(of("100%\u{1b}[31m\u{202e}.yaml"), "%SRCROOT% 100%25%1B%5B31m%E2%80%AE.yaml");
        assert_eq!(of("http://x/a.yaml"), "%SRCROOT% http%3A/x/a.yaml");
        assert_eq!(of("/work/r\u{e9}po/b.yaml"), "%SRCROOT% b.yaml");
        assert_eq!(of("../b.yaml"), "- file:///work/b.yaml");
        assert_eq!(of("../r\u{e9}po-2/b.yaml"), "- file:///work/r%C3%A9po-2/b.yaml");
        assert_eq!(of("/etc/permitd/../x.yaml"), "- file:///etc/x.yaml");
        assert_eq!(of("../../../../x.yaml"), "- file:///x.yaml");
        assert_eq!(of("<stdin>"), "- stdin:");
        assert!(is_no_file("command line") && !is_no_file("<stdin>") && !is_no_file("a.yaml"));
    }
}
