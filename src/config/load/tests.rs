//! Finding and reading files, on a real disk.

use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;
use crate::config::diagnostic::render_all;

/// A directory with these files.
fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn pattern(text: &str) -> Pattern {
    Pattern { text: text.to_owned(), place: None }
}

/// The names of the files found, and everything that is said, without the name of the directory.
fn found(directory: &TempDir, patterns: &[&str]) -> (Vec<String>, String) {
    let patterns: Vec<Pattern> = patterns.iter().map(|it| pattern(it)).collect();
    let Files { files, diagnostics } = read_permissions(&patterns, directory.path());
    let base = format!("{}/", directory.path().display());
    let names = files.iter().map(|it| it.name.replace(&base, "")).collect();
    (names, render_all(&diagnostics, false).replace(&base, ""))
}

#[test]
fn a_directory_is_read_recursively_sorted_and_without_hidden_files() {
    let directory = directory(&[
        ("p/b.yaml", b""),
        ("p/a.yml", b""),
        ("p/c/d.yaml", b""),
        ("p/.hidden.yaml", b""),
        ("p/.git/x.yaml", b""),
        ("p/readme.md", b""),
        ("p/b.yaml~", b""),
    ]);
    let (names, said) = found(&directory, &["p"]);
    assert_eq!(names, ["p/a.yml", "p/b.yaml", "p/c/d.yaml"]);
    assert_eq!(said, "");
}

#[test]
fn a_config_map_mount_is_read_once() {
    let directory = directory(&[("m/..2026_11_22_10_00_00.1/a.yaml", b"a")]);
    let mount = directory.path().join("m");
    symlink("..2026_11_22_10_00_00.1", mount.join("..data")).unwrap();
    symlink("..data/a.yaml", mount.join("a.yaml")).unwrap();
    assert_eq!(found(&directory, &["m"]).0, ["m/a.yaml"]);
    assert_eq!(found(&directory, &["m/*.yaml"]).0, ["m/a.yaml"]);
    assert_eq!(found(&directory, &["m/**/*.yaml"]).0, ["m/a.yaml"]);
}

#[test]
fn a_file_named_twice_is_read_once() {
    let directory = directory(&[("a.yaml", b""), ("b/c.yaml", b"")]);
    symlink("a.yaml", directory.path().join("link.yaml")).unwrap();
    let (names, said) = found(&directory, &["b", "*.yaml", "a.yaml", "./a.yaml", "b/c.yaml"]);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(said, "");
}

#[test]
fn a_glob_may_name_directories_and_any_file() {
    let directory = directory(&[("p1/a.yaml", b""), ("p2/b.yaml", b""), ("c.txt", b"")]);
    assert_eq!(found(&directory, &["p?", "*.txt"]).0, ["c.txt", "p1/a.yaml", "p2/b.yaml"]);
}

#[test]
fn a_link_may_lead_back() {
    let directory = directory(&[("p/a.yaml", b""), ("p/q/b.yaml", b"")]);
    for name in ["p/q/up", "p/q/again", "p/self"] {
        symlink(directory.path().join("p"), directory.path().join(name)).unwrap();
    }
    assert_eq!(found(&directory, &["p"]).0, ["p/a.yaml", "p/q/b.yaml"]);
}

#[test]
fn the_folder_of_the_settings_is_no_glob() {
    let directory = directory(&[("[x]*/a.yaml", b""), ("[x]*/b.yml", b"")]);
    let files = read_permissions(&[pattern("*.y*ml")], &directory.path().join("[x]*"));
    assert_eq!(files.files.len(), 2, "{files:?}");
}

#[test]
fn what_matches_nothing_is_an_error_and_the_rest_is_read() {
    let directory = directory(&[("a.yaml", b""), ("empty/readme.md", b"")]);
    let (names, said) =
        found(&directory, &["a.yaml", "empty", "nothing/*.yaml", "gone.yaml", "[.yaml"]);
    assert_eq!(names, ["a.yaml"]);
    assert_eq!(
        said,
        "error: `empty` matches no file
--> command line
 |
help: permission files end in .yaml or .yml

error: `nothing/*.yaml` matches no file
--> command line
 |
help: permission files end in .yaml or .yml

error: cannot read `gone.yaml`: there is no such file or directory
--> command line

error: cannot read `[.yaml`: as a glob: invalid range pattern
--> command line
"
    );
}

#[test]
fn the_settings_name_the_place_of_a_pattern() {
    let directory = directory(&[("permitd.yaml", b"permissions:\n  - gone/\n")]);
    let path = directory.path().join("permitd.yaml");
    let (_, settings) = read_settings(&path).unwrap();
    let files = read_permissions(&settings.permissions, &folder_of(&path));
    let said = render_all(&files.diagnostics, false);
    assert!(said.contains("permitd.yaml:2:5\n"), "{said}");
}

#[test]
fn an_unreadable_file_is_told_in_plain_words() {
    let directory = directory(&[("a.yaml", b"")]);
    let path = directory.path().join("a.yaml");
    let said = read_settings(&directory.path().join("gone.yaml")).unwrap_err();
    assert!(said[0].message.ends_with("gone.yaml: there is no such file"), "{said:?}");
    let said = read_settings(directory.path()).unwrap_err();
    assert!(said[0].message.ends_with("it is a directory"), "{said:?}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads it all the same.
    if let Err(said) = fs::File::open(&path).map(drop) {
        assert_eq!(plain(&said), "permission denied");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let directory = directory(&[]);
    let file = fs::File::create(directory.path().join("a.yaml")).unwrap();
    file.set_len(MAX_BYTES + 1).unwrap();
    let (_, said) = found(&directory, &["a.yaml"]);
    assert_eq!(said, "error: cannot read a.yaml: it is larger than 64 MiB; split it\n--> a.yaml\n");
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_place() {
    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let said = decode("a.yaml", bytes.to_vec()).unwrap_err().render(false);
        assert_eq!(format!("\n{said}"), expected, "it said:\n{said}");
    }
    check(
        b"a: b\n\xc3\xa9: \xff x\n",
        "
error: the byte 0xff is not UTF-8
 --> a.yaml:2:4
  |
2 | é: � x
  |    ^
  |
help: save the file as UTF-8",
    );
    check(
        b"\xef\xbb\xbfab\xc3",
        "
error: the byte 0xc3 is not UTF-8
 --> a.yaml:1:3
  |
1 | ab�
  |   ^
  |
help: save the file as UTF-8",
    );
    check(
        b"\xff\xfea\0",
        "
error: the byte 0xff is not UTF-8
 --> a.yaml:1:1
  |
1 | ��a␀
  | ^
  |
help: save the file as UTF-8",
    );
}

#[test]
fn everything_in_one_step() {
    let directory = directory(&[
        ("a.yaml", b"functions: [{function: \"arn:aws:lambda:us-east-1:123456789012:function:f\", statements: []}]"),
        ("b.yaml", b"functions: 1"),
        ("c.yaml", b"\xff"),
    ]);
    let context = Context::default();
    let loaded = load(&[pattern("a.yaml")], directory.path(), &context).unwrap();
    assert_eq!(loaded.wanted.len(), 1);
    let said = load(&[pattern("*.yaml"), pattern("gone")], directory.path(), &context).unwrap_err();
    let messages: Vec<&str> = said.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`functions` takes a list, not one value",
            "the byte 0xff is not UTF-8",
            "cannot read `gone`: there is no such file or directory",
        ]
    );
}
