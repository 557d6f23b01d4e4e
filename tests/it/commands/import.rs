//! `permitd import`: what it writes, that a plan on it finds nothing, and that it only reads.

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, Running, account, account_at, policy, service};

/// Functions `f`, with policies of an alias and a version, `g` with what a file cannot say, and `none`.
fn world() -> Lambda {
    let at = |qualifier: &str, mut it: Value| {
        it["Resource"] = json!(format!("{FN}:{qualifier}"));
        it
    };
    let deny = |mut it: Value| {
        it["Effect"] = json!("Deny");
        it
    };
    let odd = json!({
        "Sid": "odd.sid", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
        "Resource": "*", "Condition": {"StringLike": {"aws:x": "\u{1b}[31m\u{85}# no"}},
    });
    let f = policy(&[
        service("s3", "s3.amazonaws.com", "arn:aws:s3:::uploads"),
        account("partner", "012345678901"),
    ]);
    let g = policy(&[
        account_at("g", "a", "012345678901"),
        deny(account_at("g", "no", "310987654321")),
        odd,
    ]);
    Lambda::new(&json!([
        {
            "name": "f", "versions": 2, "aliases": {"live": "1", "next": "2"}, "policy": f,
            "policies": {
                "live": policy(&[at("live", account("on", "210987654321"))]),
                "2": policy(&[at("2", account("two", "210987654321"))]),
            },
        },
        {"name": "g", "policy": g},
        {"name": "none"},
    ]))
}

const F: &str = "\
account: \"123456789012\"
region: us-east-1
functions:
  - function: f
    statements:
      # P004: a whole account
      - sid: partner
        principal: \"012345678901\"
      # P003: an S3 source, without its account
      - sid: s3
        principal: s3.amazonaws.com
        source_arn: arn:aws:s3:::uploads
";

const QUALIFIERS: &str = "  - function: f
    qualifier: \"2\"
    statements:
      # P004: a whole account
      - sid: two
        principal: \"210987654321\"
  - function: f
    qualifier: live
    statements:
      # P004: a whole account
      - sid: \"on\"
        principal: \"210987654321\"
";

const G: &str = r#"account: "123456789012"
region: us-east-1
functions:
  - function: g
    statements:
      # P004: a whole account
      - sid: a
        principal: "012345678901"
    # Not in this file, and left as it is, for it denies:
    # {"Sid":"no","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::310987654321:root"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:g"}
    # Not in this file, and left as it is, for AddPermission takes no Sid with a dot:
    # {"Sid":"odd.sid","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"StringLike":{"aws:x":"\u001b[31m\u0085# no"}}}
"#;

/// A plan on what was imported finds nothing to do.
#[track_caller]
fn in_sync(room: &Room, words: &str) {
    let said = room.permitd(&format!("plan {words} --detailed-exitcode"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("Plan: 0 to add, 0 to change, 0 to remove, 0 held."), "{said:?}");
}

#[test]
fn one_function_on_stdout() {
    let lambda = world();
    let room = lambda.room("");
    let said = room.permitd("import --function f");
    said.is(0, F, "Imported 2 statements of 1 function; risks: P003 1, P004 1\n");
    assert_eq!(lambda.calls(), ["GetCallerIdentity", "GetPolicy f"]);
    for name in [FN, "123456789012:function:f"] {
        assert_eq!(room.permitd(&format!("import --function {name} -q")).out, F);
    }
    room.permitd(&format!("import --function {FN} -q")).is(0, F, "");
    room.write("f.yaml", F);
    in_sync(&room, "f.yaml");
    room.permitd("import --function f --quiet --out -").is(0, F, "");
    let live = room.permitd("import --function f:live -q");
    assert_eq!(live.out.lines().nth(4), Some("    qualifier: live"), "{live:?}");
}

#[test]
fn a_list_with_qualifiers() {
    let lambda = world();
    let room = lambda.room("");
    let said = room.permitd("import --function none,f --qualifiers --account 123456789012");
    let summary =
        "Imported 4 statements of 1 function; 1 function has no policy; risks: P003 1, P004 3\n";
    said.is(0, &format!("{F}{QUALIFIERS}"), summary);
    let mut calls = lambda.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "GetFunction none",
            "GetPolicy f",
            "GetPolicy f:1",
            "GetPolicy f:2",
            "GetPolicy f:live",
            "GetPolicy f:next",
            "GetPolicy none",
            "ListAliases f",
            "ListAliases none",
            "ListVersionsByFunction f",
            "ListVersionsByFunction none",
        ]
    );
    let said = room.permitd("import --function f --function g --target *:g -q");
    said.is(0, G, "");
}

#[test]
fn all_into_a_directory_and_nothing_is_written_to_lambda() {
    let lambda = world();
    let room = lambda.room("");
    let said = room.permitd("import --all --qualifiers --out out/new");
    let summary = "Imported 5 statements of 2 functions into out/new; 2 statements left foreign; \
                   1 function has no policy; risks: P003 1, P004 4\n\
                   See that nothing differs with\n    permitd plan out/new\n";
    said.is(0, "", summary);
    assert_eq!(files(&room, "out/new"), ["f.yaml", "g.yaml"]);
    assert_eq!(read(&room, "out/new/f.yaml"), format!("{F}{QUALIFIERS}"));
    assert_eq!(read(&room, "out/new/g.yaml"), G);
    in_sync(&room, "out/new");
    let reads = |it: &String| it.starts_with("Get") || it.starts_with("List");
    let calls = lambda.calls();
    assert!(!calls.is_empty() && calls.iter().all(reads), "{calls:?}");
    let state = lambda.control("GET", "state", &Value::Null);
    assert_eq!(state["accounts"][0]["functions"].as_array().unwrap().len(), 3);
}

#[test]
fn more_than_one_page_and_the_same_statements_share_an_entry() {
    let one = |n: usize| {
        let name = format!("f{n:03}");
        json!({"name": name, "policy": policy(&[account_at(&name, "same", "012345678901")])})
    };
    let lambda = Lambda::new(&(0..120).map(one).collect());
    let room = lambda.room("");
    let said = room.permitd("import --all --out all.yml --accept-risks");
    let summary =
        "Imported 120 statements of 120 functions into all.yml; risks accepted: P004 120\n";
    assert!(said.err.starts_with(summary), "{said:?}");
    let text = read(&room, "all.yml");
    assert!(text.contains("  - names:\n      - f000\n      - f001\n"), "{text}");
    let end = "      - f119\n    statements:\n      - sid: same\n        principal: \"012345678901\"\n        accept: [P004]\n";
    assert!(text.ends_with(end), "{text}");
    assert!(!text.contains('#'), "{text}");
    in_sync(&room, "all.yml");
    room.permitd("check all.yml").is(0, "ok: 120 statements for 120 targets\n", "");
    let lists = lambda.calls().iter().filter(|it| it.starts_with("ListFunctions")).count();
    assert_eq!(lists, 3);
}

#[test]
fn what_the_settings_say_holds() {
    let lambda = world();
    let room = lambda.room("");
    let settings = "accounts: [{id: '123456789012', regions: [us-east-1]}]\n\
                    defaults: {ownership: all}\nignore: [{sid: 's*'}]\n";
    room.write("permitd.yaml", settings);
    let said = room.permitd("import --function f --out f.yaml");
    assert!(
        said.err.starts_with(
            "Imported 1 statement of 1 function into f.yaml; 1 statement left foreign;"
        )
    );
    let text = read(&room, "f.yaml");
    assert!(text.contains("  - function: f\n    ownership: declared\n    statements:\n"), "{text}");
    assert!(text.contains("for the settings ignore it:\n    # {\"Sid\":\"s3\","), "{text}");
    assert!(!lambda.calls().contains(&"GetCallerIdentity".to_owned()));
    in_sync(&room, "f.yaml");
    std::fs::remove_file(room.path("permitd.yaml")).unwrap();
    in_sync(&room, "f.yaml");
    room.write("permitd.yaml", settings);
    let said = room.permitd("import --function f --region eu-west-1");
    let cause = "error: 123456789012/eu-west-1 is not one of the places that `accounts` of the settings names\n";
    assert!(said.code == Some(78) && said.err.starts_with(cause), "{said:?}");
}

#[test]
fn ownership_of_whole_policies() {
    let lambda = world();
    let room = lambda.room("");
    room.permitd("import --all --ownership all --out out");
    let whole = "  - function: f\n    ownership: all\n    statements:\n";
    assert!(read(&room, "out/f.yaml").contains(whole));
    let part = "  # Not `ownership: all`: some of it cannot stand in this file\n  - function: g\n    ownership: declared\n";
    assert!(read(&room, "out/g.yaml").contains(part));
    in_sync(&room, "out");
}

#[test]
fn from_the_simulator_inside() {
    let room = Room::new();
    let seed = json!({"accounts": [{"id": "123456789012", "functions": [
        {"name": "f", "policy": policy(&[account("a", "210987654321")])},
    ]}]});
    room.write("seed.yaml", &seed.to_string());
    room.write("permitd.yaml", "lambda: {simulator: {seed: seed.yaml}}\n");
    let said = room.permitd("import --all --out out");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.err.starts_with("lambda.simulator: nothing goes to AWS, but to http://127.0.0.1:")
    );
    in_sync(&room, "out");
}

#[test]
fn a_reader_that_went_away_has_seen_enough() {
    let lambda = world();
    let room = lambda.room("");
    let mut shell = room.command("sh");
    let permitd = super::harness::PERMITD;
    shell.args(["-c", &format!("{{ {permitd} import --all -q; echo code $? >&2; }} | true")]);
    let mut running = Running::new(shell);
    running.logs("code 0\n");
    assert_eq!(running.err(), "code 0\n");
}

pub(super) fn read(room: &Room, name: &str) -> String {
    std::fs::read_to_string(room.path(name)).unwrap()
}

/// Everything that is in a folder, also what begins with a dot.
pub(super) fn files(room: &Room, folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(room.path(folder)) else { return Vec::new() };
    let mut res: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    res.sort();
    res
}
