//! Architecture tests: the rules of ARCHITECTURE.md that rustc cannot see.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first: a folder may name itself and those listed in its row.
const LAYERS: &[(&str, &[&str])] = &[
    ("policy", &[]),
    ("drift", &["policy"]),
    ("config", &["policy", "drift"]),
    ("report", &["policy", "drift", "config"]),
    ("lambda", &["policy"]),
    ("simulator", &["policy", "lambda"]),
    ("journal", &["policy", "drift"]),
    ("observe", &["policy", "drift", "report", "lambda", "journal"]),
    (
        "daemon",
        &["policy", "drift", "config", "report", "lambda", "simulator", "journal", "observe"],
    ),
    (
        "cli",
        &[
            "policy",
            "drift",
            "config",
            "report",
            "lambda",
            "simulator",
            "journal",
            "observe",
            "daemon",
        ],
    ),
];
/// No clock, no disk, no network, no runtime, no logging.
const PURE: &[&str] = &["policy", "drift", "report", "config"];
const PURE_EXEMPT: &[&str] = &["src/config/load.rs", "src/config/load/"];
const IMPURE: &[&str] = &[
    "aws_config",
    "aws_credential",
    "aws_sdk",
    "aws_smithy",
    "aws_types",
    "tokio",
    "tracing",
    "prometheus",
    "async fn",
    ".await",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "fastrand",
];
/// The simulator judges `policy/`, so it shares nothing with it but the name of a policy; its direct gateway
/// takes what the trait of `lambda/` takes.
const SIMULATOR_MAY: &[&str] = &["policy::target", "policy::grant", "lambda::gateway"];
const SIMULATOR_GRANT_ONLY_IN: &[&str] = &["src/simulator/direct.rs", "src/simulator/direct/"];
/// The SDK's types stay where they are translated.
const SDK_ONLY_IN: &[&str] =
    &["src/lambda/client.rs", "src/lambda/fleet", "src/lambda/queue/sqs.rs"];

#[test]
fn arrows_point_down() {
    for (n, (module, allowed)) in LAYERS.iter().enumerate() {
        for name in *allowed {
            assert!(
                LAYERS[..n].iter().any(|(it, _)| it == name),
                "`{module}` lists `{name}`, which is not below it"
            );
        }
        for (at, line) in code_of(module) {
            let hidden = line.contains("crate::{") || line.contains("super::super");
            assert!(!hidden, "{at}: write `use crate::folder::…`, one for each folder");
            for used in crate_refs(&line) {
                assert!(
                    used == *module || allowed.contains(&used.as_str()),
                    "{at}: `{module}` may not use `{used}`"
                );
            }
        }
    }
}

#[test]
fn the_core_is_pure() {
    for module in PURE {
        for (at, line) in code_of(module) {
            let exempt = PURE_EXEMPT.iter().any(|it| at.starts_with(it));
            let found = IMPURE.iter().find(|it| line.contains(**it));
            assert!(exempt || found.is_none(), "{at}: {found:?} in the pure core");
        }
    }
}

#[test]
fn the_simulator_judges_by_itself() {
    for (at, line) in code_of("simulator") {
        for used in line.split("crate::").skip(1) {
            let own = used.starts_with("simulator");
            let allowed = SIMULATOR_MAY.iter().any(|it| used.starts_with(it));
            let whole_folder = used.starts_with("policy::{") || used.starts_with("lambda::{");
            assert!(
                own || (allowed && !whole_folder),
                "{at}: the simulator may not use crate::{used}"
            );
            let grant = used.starts_with("policy::grant");
            let direct = SIMULATOR_GRANT_ONLY_IN.iter().any(|it| at.starts_with(it));
            assert!(!grant || direct, "{at}: only the direct gateway sees a grant");
        }
    }
}

#[test]
fn the_sdk_is_named_only_where_it_is_translated() {
    const NAMES: [&str; 2] = ["aws_sdk_lambda", "aws_sdk_sqs"];
    for (module, _) in LAYERS {
        for (at, line) in code_of(module) {
            let exempt = SDK_ONLY_IN.iter().any(|it| at.starts_with(it));
            assert!(exempt || !NAMES.iter().any(|it| line.contains(it)), "{at}: names the SDK");
        }
    }
}

/// One file speaks to the API server; the election knows nothing of it.
#[test]
fn kubernetes_is_named_in_one_file() {
    const NAMES: [&str; 2] = ["kube::", "k8s_openapi"];
    let mut found = 0;
    for (module, _) in LAYERS {
        for (at, line) in code_of(module) {
            let names = NAMES.iter().any(|it| line.contains(it));
            let exempt = at.starts_with("src/daemon/lease/kubernetes.rs");
            assert!(exempt || !names, "{at}: names Kubernetes");
            found += usize::from(names);
        }
    }
    assert!(found > 0, "the names are right");
}

#[test]
fn every_file_is_compiled_documented_and_layered() {
    let rows: BTreeSet<String> = LAYERS.iter().map(|(it, _)| (*it).to_owned()).collect();
    assert_eq!(mods(&read(Path::new("src/lib.rs"))), rows, "src/lib.rs and LAYERS disagree");
    for file in rs_files(Path::new("src")).into_iter().chain(rs_files(Path::new("tests/it"))) {
        let at = file.display();
        assert!(
            read(&file).starts_with("//! "),
            "{at}: the first line must say what the file is for"
        );
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let dir = file.parent().unwrap();
        let parents = [dir.join("lib.rs"), dir.join("main.rs"), dir.with_extension("rs")];
        let is_root = stem == "lib" || stem == "main";
        let declared =
            parents.iter().filter(|it| it.exists()).any(|it| mods(&read(it)).contains(&stem));
        assert!(is_root || declared, "{at}: no `mod {stem};` anywhere, so it is never compiled");
    }
}

/// Who counts or filters lines of the log does so by message; values are fields.
#[test]
fn messages_of_the_log_are_constant() {
    let mut messages = BTreeSet::new();
    for file in rs_files(Path::new("src")) {
        let text = read(&file);
        for call in log_calls(&text) {
            let at = file.display();
            let last = call.trim_end().trim_end_matches(',');
            let message = last.strip_suffix('"').and_then(|it| it.rsplit_once('"'));
            let (before, message) =
                message.unwrap_or_else(|| panic!("{at}: a message comes last, as it is: {call}"));
            let alone = before.is_empty() || before.trim_end().ends_with([',', '(']);
            let plain = |it: char| it.is_alphabetic() || " ,;/'".contains(it);
            assert!(alone && !message.is_empty(), "{at}: {call}");
            assert!(
                message.chars().all(plain),
                "{at}: `{message}` is not a constant in plain words"
            );
            messages.insert(message.to_owned());
        }
    }
    assert!(messages.len() > 30, "{messages:?}");
}

#[test]
fn a_message_with_a_value_in_it_is_seen() {
    let calls = |text: &'static str| log_calls(text).collect::<Vec<_>>();
    assert_eq!(
        calls("tracing::info!(a, \"m\"); tracing::warn!(%b(1), \"(n\")"),
        ["a, \"m\"", "%b(1), \"(n\""]
    );
    assert!(calls("tracing::error_span!(\"target\")").is_empty());
}

/// What stands in the parentheses of every call that writes a line.
fn log_calls(text: &str) -> impl Iterator<Item = &str> {
    let levels = ["error!(", "warn!(", "info!(", "debug!(", "trace!(", "event!("];
    text.match_indices("tracing::").filter_map(move |(at, start)| {
        let rest = &text[at + start.len()..];
        let call = levels.iter().find_map(|it| rest.strip_prefix(it))?;
        let (mut depth, mut quoted, mut escaped) = (1, false, false);
        let end = call.find(|it| {
            match it {
                _ if escaped => escaped = false,
                '\\' => escaped = quoted,
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        Some(&call[..end.unwrap()])
    })
}

#[test]
fn architecture_md_tells_of_every_folder() {
    let text = read(Path::new("ARCHITECTURE.md"));
    for (module, _) in LAYERS {
        assert!(
            text.contains(&format!("src/{module}/")),
            "src/{module}/ is not in ARCHITECTURE.md"
        );
    }
}

fn code_of(module: &str) -> Vec<(String, String)> {
    let mut files = rs_files(&Path::new("src").join(module));
    files.push(PathBuf::from(format!("src/{module}.rs")));
    let mut res: Vec<(String, String)> = Vec::new();
    for file in files {
        for (n, line) in read(&file).lines().enumerate() {
            let code = line.split("//").next().unwrap().to_owned();
            res.push((format!("{}:{}", file.display(), n + 1), code));
        }
    }
    assert!(res.len() > 10, "{module} was read");
    res
}

fn crate_refs(line: &str) -> Vec<String> {
    let is_ident = |it: &char| it.is_alphanumeric() || *it == '_';
    line.split("crate::").skip(1).map(|it| it.chars().take_while(is_ident).collect()).collect()
}

fn mods(text: &str) -> BTreeSet<String> {
    let decls = text.lines().filter_map(|it| it.trim().strip_suffix(';'));
    decls
        .filter_map(|it| {
            let it = it.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            it.trim_start_matches("pub ").strip_prefix("mod ")
        })
        .map(str::to_owned)
        .collect()
}

fn rs_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|it| it.unwrap().path());
    let mut res: Vec<PathBuf> = paths
        .flat_map(|it| if it.is_dir() { rs_files(&it) } else { vec![it] })
        .filter(|it| it.extension().is_some_and(|it| it == "rs"))
        .collect();
    res.sort();
    res
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
