//! The settings file, flags and environment variables: where they are found, and which wins.

use serde_json::json;

use super::harness::{Lambda, Room};

const WISHES: &str = "\
account: '123456789012'
region: us-east-1
functions:
  - function: f
    statements: [{sid: a, principal: '210987654321'}]
";
const ADDS: &str = "\
arn:aws:lambda:us-east-1:123456789012:function:f
  + a                   missing; account 210987654321 may invoke

Plan: 1 to add, 0 to change, 0 to remove, 0 held. 1 of 1 function differs; 0 unknown.
";
const SUSPENDED: &str = "\
arn:aws:lambda:us-east-1:123456789012:function:f
  ! a                   missing; account 210987654321 may invoke; held: suspended

Plan: 0 to add, 0 to change, 0 to remove, 1 held. 1 of 1 function differs; 0 unknown.
";

fn lambda() -> Lambda {
    Lambda::new(&json!([{"name": "f"}, {"name": "g"}]))
}

fn suspended() -> String {
    WISHES.replace("    statements", "    suspend: true\n    statements")
}

#[test]
fn a_settings_file_is_found_in_the_directory_by_the_environment_and_by_flag() {
    let lambda = lambda();
    let room = lambda.room(&WISHES.replace("'210", "'310"));
    room.write("permitd.yaml", "permissions: [wishes/]\n");
    room.write("wishes/one.yaml", WISHES);
    room.write("elsewhere/settings.yaml", "permissions: ['*.yml']\n");
    room.write("elsewhere/one.yml", &suspended());

    room.permitd("plan").is(0, ADDS, "");
    room.permitd("plan --config elsewhere/settings.yaml").is(0, SUSPENDED, "");
    let named = room.with("PERMITD_CONFIG", "elsewhere/settings.yaml");
    named.permitd("plan").is(0, SUSPENDED, "");
    named.permitd("plan --config permitd.yaml").is(0, ADDS, "");
    // Files on the command line take the place of `permissions`.
    named.permitd("plan wishes/one.yaml").is(0, ADDS, "");
    named.permitd("plan wishes").is(0, ADDS, "");
    named.permitd("plan wishes/*.yaml").is(0, ADDS, "");
}

#[test]
fn a_settings_file_that_is_named_has_to_be_there() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    let said = room.permitd("plan permissions.yaml --config none.yaml");
    said.is(78, "", "error: cannot read none.yaml: there is no such file\n--> none.yaml\n");
    let room = room.with("PERMITD_CONFIG", "none.yaml");
    let said = room.permitd("plan permissions.yaml");
    assert_eq!(said.code, Some(78), "{said:?}");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

#[test]
fn what_the_settings_say_counts_and_flags_win() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", "permissions: [permissions.yaml]\nmode: observe\n");
    let said = room.permitd("apply --yes");
    said.is(2, ADDS, "Nothing was changed: the mode is observe.\n");
    assert!(lambda.sids("f").is_empty());
    let room = room.with("PERMITD_MODE", "additive");
    let said = room.permitd("apply --mode observe --yes");
    said.is(2, ADDS, "Nothing was changed: the mode is observe.\n");
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, lambda.sids("f").len()), (Some(0), 1), "{said:?}");
}

#[test]
fn every_flag_has_an_environment_variable() {
    let lambda = lambda();
    let wishes =
        "functions:\n  - names: [f, g]\n    statements: [{sid: a, principal: '210987654321'}]\n";
    let room = lambda
        .room(wishes)
        .without("AWS_REGION")
        .with("PERMITD_ACCOUNT", "123456789012")
        .with("PERMITD_REGION", "us-east-1")
        .with("PERMITD_TARGET", "f,x*")
        .with("PERMITD_DETAILED_EXITCODE", "true");
    room.permitd("plan permissions.yaml").is(2, ADDS, "");
    let json = room.with("PERMITD_OUTPUT", "json");
    assert_eq!(json.permitd("plan permissions.yaml").json()["summary"]["targets"], 1);
    json.permitd("plan permissions.yaml --output text").is(2, ADDS, "");
    let apply =
        json.without("PERMITD_OUTPUT").with("PERMITD_MODE", "enforce").with("PERMITD_YES", "true");
    let said = apply.permitd("apply permissions.yaml");
    assert_eq!(
        (said.code, lambda.sids("f").len(), lambda.sids("g").len()),
        (Some(0), 1, 0),
        "{said:?}"
    );
    let once = apply
        .with("PERMITD_ONCE", "true")
        .with("PERMITD_TARGET", "g")
        .with("PERMITD_QUIET", "true");
    let said = once.permitd("run permissions.yaml");
    said.is(
        0,
        "g: a was missing; added (account 210987654321 may invoke)\n\
                Applied: 1 write done. 1 of 1 function as written; 0 held, 0 failed, 0 unknown.\n",
        "",
    );
    let wrong = once.with("PERMITD_MODE", "destroy").permitd("plan permissions.yaml");
    assert_eq!(wrong.code, Some(64), "{wrong:?}");
    assert!(
        wrong.err.contains("'destroy'") && wrong.err.contains("observe, additive, enforce"),
        "{wrong:?}"
    );
}

/// What they do is told by others; here that each way to say them is read, and the wrong ones are told.
#[test]
fn limits_and_places_by_settings_environment_and_flag() {
    let lambda = lambda();
    let room = lambda.room(WISHES);
    let text = "\
permissions: [permissions.yaml]
defaults: {replace: direct}
deny_risks: []
limits: {max_revocations: 1, max_changed_targets: unlimited}
orphan_grace: 10s
journal: {path: state/journal.db, retention: 30d, max_size: 1MiB}
control: state/control.sock
";
    room.write("permitd.yaml", text);
    room.permitd("plan").is(0, ADDS, "");
    let flags = "--max-revocations 3 --max-changed-targets 5% --journal j.db --control c.sock";
    room.permitd(&format!("plan {flags}")).is(0, ADDS, "");
    room.permitd("check --quiet --journal j.db --control c.sock").is(
        0,
        "ok: 1 statement for 1 target\n",
        "",
    );
    for (name, value, cause) in [
        ("PERMITD_MAX_REVOCATIONS", "few", "'few' for '--max-revocations <N>'"),
        ("PERMITD_MAX_CHANGED_TARGETS", "5", "'5' for '--max-changed-targets <SHARE>'"),
        ("PERMITD_JOURNAL", "", "'--journal <PATH>'"),
        ("PERMITD_CONTROL", "", "'--control <PATH>'"),
    ] {
        let said = lambda.room(WISHES).with(name, value).permitd("plan permissions.yaml");
        assert_eq!((said.code, said.out.as_str()), (Some(64), ""), "{name}: {said:?}");
        assert!(said.err.contains(cause), "{name}: {said:?}");
    }
    room.write("permitd.yaml", &text.replace("unlimited", "most"));
    let said = room.permitd("plan --max-changed-targets unlimited");
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
    assert!(said.err.contains(" --> permitd.yaml:4:"), "{said:?}");
}

/// Every flag of every command, as `--help` tells it.
#[test]
fn help_names_the_environment_variable_of_every_flag() {
    let room = Room::new();
    for command in ["plan", "apply", "run", "check", "simulate"] {
        let said = room.permitd(&format!("{command} --help"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        let flags = said.out.lines().map(str::trim_start).filter(|it| it.starts_with('-'));
        for line in flags.filter(|it| it.contains("--") && !it.contains("--help")) {
            let (_, rest) = said.out.split_once(line).unwrap();
            let own = rest.split("\n  -").next().unwrap();
            let own = own.split("\n      --").next().unwrap();
            assert!(
                line.contains("[env: PERMITD_") || own.contains("[env: PERMITD_"),
                "{command}: {line}"
            );
        }
    }
}

#[test]
fn accounts_with_one_account_and_region() {
    let lambda = lambda();
    let room = lambda.room(
        "functions:\n  - function: f\n    statements: [{sid: a, principal: '210987654321'}]\n",
    );
    let home =
        "permissions: [permissions.yaml]\naccounts: [{id: '123456789012', regions: [us-east-1]}]\n";
    room.write("permitd.yaml", home);
    room.without("AWS_REGION").permitd("plan").is(0, ADDS, "");
    let room = lambda.room(&WISHES.replace("us-east-1", "eu-west-1"));
    room.write("permitd.yaml", home);
    room.permitd("plan").is(78, "", "\
error: permissions.yaml:4:15: arn:aws:lambda:eu-west-1:123456789012:function:f is in 123456789012/eu-west-1, which `accounts` does not name
hint: correct the entry, or add the account and region to `accounts` in the settings
");
}

#[test]
fn the_writer_of_functions_that_name_none() {
    let lambda = lambda();
    for (text, how) in [("document", "PutResourcePolicy"), ("auto", "AddPermission")] {
        let more = format!(
            "[{{sid: a, principal: '210987654321'}}, {{sid: {text}, principal: '310987654321'}}]"
        );
        let room = lambda.room(&WISHES.replace("[{sid: a, principal: '210987654321'}]", &more));
        let settings = format!(
            "permissions: [permissions.yaml]\nmode: enforce\ndefaults: {{writer: {text}}}\n"
        );
        room.write("permitd.yaml", &settings);
        let said = room.permitd("apply --yes");
        assert_eq!(said.code, Some(0), "{text}: {said:?}");
        let writes = lambda.writes();
        assert!(writes.iter().any(|it| it.starts_with(how)), "{text}: {writes:?}");
    }
}

/// `lambda.simulator`: an account of its own inside the process, instead of AWS.
#[test]
fn the_embedded_simulator() {
    let room = Room::at("http://127.0.0.1:9", WISHES);
    room.write("seeds/account.yaml", "accounts: [{id: '123456789012', functions: [{name: f}]}]\n");
    room.write(
        "permitd.yaml",
        "\
permissions: [permissions.yaml]
mode: enforce
lambda: {simulator: {listen: 127.0.0.1:0, seed: seeds/account.yaml}}
",
    );
    let said = room.permitd("plan");
    assert_eq!((said.code, said.out.as_str()), (Some(0), ADDS), "{said:?}");
    let note = "lambda.simulator: nothing goes to AWS, but to http://127.0.0.1:";
    assert!(said.err.starts_with(note) && said.err.lines().count() == 1, "{said:?}");
    room.permitd("plan --quiet").is(0, ADDS, "");
    // A daemon has a log, and nothing on stderr beside it.
    let mut daemon = room.start("run --log-format json");
    daemon.logs("permitd is running");
    daemon.stops();
    let lines: Vec<serde_json::Value> =
        daemon.err().lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let told = lines
        .iter()
        .find(|it| it["message"] == "nothing goes to AWS, but to the simulator of the settings");
    let endpoint = told.unwrap()["endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
}
