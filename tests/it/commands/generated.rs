//! What permitd prints of itself: schemas, completions, the manual.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::harness::Room;

/// The names of the files in a directory, sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut res: Vec<String> =
        entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
    res.sort();
    res
}

/// The commands, as the help lists them.
pub(super) fn commands(room: &Room) -> BTreeSet<String> {
    let help = room.permitd("--help").out;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.split("\n\n").next().unwrap().lines();
    let word = |it: &str| it.split_whitespace().next().map(str::to_owned);
    lines.filter(|it| !it.starts_with("   ")).filter_map(word).filter(|it| it != "help").collect()
}

/// Whether a program is here. Where it is not, the rest of the test is skipped, and says so.
fn has(room: &Room, program: &str) -> bool {
    let there = room.command(program).arg("--version").stdout(Stdio::null()).status();
    let res = there.is_ok_and(|it| it.success());
    if !res {
        let mut err = std::io::stderr();
        writeln!(err, "SKIPPED: no {program}").unwrap();
    }
    res
}

#[test]
fn schemas_are_those_under_config() {
    let room = Room::new();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/schema");
    let said = room.permitd("schema");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    let all = said.json();
    let mut found: Vec<String> =
        all.as_object().unwrap().keys().map(|it| format!("{it}.json")).collect();
    found.sort();
    assert_eq!(found, names(&kept));
    assert!(found.contains(&"permissions.json".into()) && found.contains(&"settings.json".into()));

    let said = room.permitd("schema --out made/of/schemas");
    let told = "wrote made/of/schemas/permissions.json\nwrote made/of/schemas/settings.json\n";
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.err.starts_with(told), "{said:?}");
    assert_eq!(names(&room.path("made/of/schemas")), found);
    for file in &found {
        let name = file.strip_suffix(".json").unwrap();
        let text = std::fs::read_to_string(kept.join(file)).unwrap();
        room.permitd(&format!("schema {name}")).is(0, &text, "");
        let written = std::fs::read_to_string(room.path("made/of/schemas").join(file)).unwrap();
        assert_eq!(written, text, "{file}");
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema, all[name]);
        jsonschema::draft202012::meta::validate(&schema).map_err(|it| it.to_string()).unwrap();
    }
    room.permitd("schema settings --out one -q").is(0, "", "");
    assert_eq!(names(&room.path("one")), ["settings.json"]);
}

#[test]
fn completions_for_every_shell() {
    let room = Room::new();
    let commands = commands(&room);
    for (shell, mark) in [
        ("bash", "complete -F _permitd"),
        ("zsh", "#compdef permitd"),
        ("fish", "complete -c permitd"),
        ("elvish", "edit:completion:arg-completer[permitd]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let said = room.permitd(&format!("completions {shell}"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{shell}: {said:?}");
        assert!(said.out.contains(mark), "{shell}");
        for it in &commands {
            assert!(said.out.contains(it.as_str()), "{shell}: {it}");
        }
    }
}

#[test]
fn bash_completes() {
    let room = Room::new();
    if !has(&room, "bash") {
        return;
    }
    room.write("permitd.bash", &room.permitd("completions bash").out);
    let complete = |words: &[&str]| {
        let script = format!(
            "set -u; . ./permitd.bash; COMP_WORDS=({}); COMP_CWORD={}; _permitd permitd '{}' '{}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = room.command("bash").args(["-c", &script]).output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let out = String::from_utf8(output.stdout).unwrap();
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let syntax = room.command("bash").args(["-n", "permitd.bash"]).output().unwrap();
    assert!(syntax.status.success() && syntax.stderr.is_empty(), "{syntax:?}");
    assert_eq!(complete(&["permitd", "sch"]), ["schema"]);
    assert_eq!(complete(&["permitd", "plan", "--detailed"]), ["--detailed-exitcode"]);
    assert_eq!(complete(&["permitd", "plan", "--mode", "ad"]), ["additive"]);
    assert_eq!(complete(&["permitd", "completions", "pow"]), ["powershell"]);
    assert_eq!(complete(&["permitd", "schema", "sett"]), ["settings"]);
    assert_eq!(complete(&["permitd", "man", "comp"]), ["compact", "completions"]);
}

#[test]
fn a_page_for_every_command() {
    let room = Room::new();
    let said = room.permitd("man --out pages");
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    let mut expected: Vec<String> =
        commands(&room).iter().map(|it| format!("permitd-{it}.1")).collect();
    expected.push("permitd.1".to_owned());
    expected.sort();
    assert_eq!(names(&room.path("pages")), expected);
    let has_groff = has(&room, "groff");
    for file in expected {
        let page = std::fs::read_to_string(room.path("pages").join(&file)).unwrap();
        let name = file.strip_suffix(".1").unwrap();
        let command = name.strip_prefix("permitd").unwrap().trim_start_matches('-');
        room.permitd(&format!("man {command}")).is(0, &page, "");
        assert!(page.contains(&format!(".TH {name} 1 ")), "{page}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT", "FILES", "SEE"] {
            let there =
                page.lines().any(|it| it.replace('"', "").starts_with(&format!(".SH {section}")));
            assert!(there, "{name}: {section}");
        }
        if has_groff {
            let path = room.path("pages").join(&file);
            let mut groff = room.command("groff");
            let linted = groff.args(["-man", "-ww", "-z", "-Tutf8"]).arg(path).output().unwrap();
            assert!(linted.status.success() && linted.stderr.is_empty(), "{name}: {linted:?}");
        }
    }
    let plan = room.permitd("man plan").out;
    for text in [r"\-\-detailed\-exitcode", "PERMITD_DETAILED_EXITCODE", "permitd(1)"] {
        assert!(plan.contains(text), "no {text} in {plan}");
    }
}

#[test]
fn wrong_names_and_places() {
    let room = Room::new();
    room.write("file", "");
    for (words, cause) in [
        ("schema everything", "invalid value 'everything' for '[NAME]'"),
        ("completions tcsh", "invalid value 'tcsh' for '<SHELL>'"),
        ("completions", "<SHELL>"),
        ("man nothing", "invalid value 'nothing' for '[COMMAND]'"),
        ("man plan apply", "unexpected argument 'apply'"),
    ] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "{words}: {said:?}");
        assert!(said.err.contains(cause), "{words}: {said:?}");
    }
    for words in ["schema --out file", "man --out file/below"] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{words}: {said:?}");
        assert!(said.err.starts_with("error: cannot write file"), "{words}: {said:?}");
    }
    // Something stands where the file would.
    std::fs::create_dir_all(room.path("dir/permissions.json")).unwrap();
    let said = room.permitd("schema permissions --out dir");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.err.starts_with("error: cannot write dir/permissions.json: "), "{said:?}");
}
