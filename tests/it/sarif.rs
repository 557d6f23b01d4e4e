//! The reports of a check for programs, against their schemas: SARIF against OASIS's own, JSON against ours.
//!
//! `tests/schemas/sarif-2.1.0.json` is OASIS's schema (Schemata/sarif-schema-2.1.0.json of oasis-tcs/sarif-spec) as the
//! crate serde-sarif 0.8.0 (MIT) ships it.

use permitd::config::{
    diagnostic::{COMMAND_LINE, Diagnostic, File, Files, Place},
    permissions,
    resolve::{Context, examine},
    rules::Rule,
    warnings::warnings,
};
use permitd::report::{
    check::{self, Checked},
    sarif::sarif,
};
use serde_json::{Value, json};

const NOW: &str = "2026-06-15T12:00:00Z";
const FOLDER: &str = "/work/repo";

fn look(files: &[(&str, &str)]) -> Vec<Diagnostic> {
    let files = files.iter().map(|(name, text)| File::new(*name, (*text).to_owned())).collect();
    let files = Files { files, diagnostics: Vec::new() };
    let mut context = Context::default();
    context.defaults.account = Some("123456789012".to_owned());
    context.defaults.region = Some("us-east-1".to_owned());
    let examined = examine(permissions::parse(&files), &context);
    let mut found = warnings(&files, &examined, NOW.parse().unwrap());
    found.extend(examined.diagnostics);
    permitd::config::diagnostic::sort(&mut found);
    found
}

fn validate(schema: &Value, report: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors = validator.iter_errors(report);
    errors.map(|it| format!("{}: {it}", it.instance_path())).collect()
}

fn oasis() -> Value {
    let text = std::fs::read_to_string("tests/schemas/sarif-2.1.0.json").unwrap();
    let mut res: Value = serde_json::from_str(&text).unwrap();
    // OASIS's pattern of a language has a bracket too many, and a strict validator refuses the schema for it.
    for of in ["run", "toolComponent"] {
        let language = &mut res["definitions"][of]["properties"]["language"];
        let pattern = language.as_object_mut().unwrap().remove("pattern");
        assert_eq!(pattern.unwrap(), "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
    }
    res
}

/// Both reports, after both were found good by their schemas.
#[track_caller]
fn reports(found: &[Diagnostic]) -> (Value, Value) {
    let checked = Checked { found, statements: 3, targets: 2, many: 0, exit_code: 78 };
    let sarif: Value = serde_json::from_str(&sarif(&checked, FOLDER)).unwrap();
    let json: Value = serde_json::from_str(&check::json(&checked)).unwrap();
    assert_eq!(validate(&oasis(), &sarif), Vec::<String>::new(), "{sarif:#}");
    assert_eq!(validate(&check::schema(), &json), Vec::<String>::new(), "{json:#}");
    (sarif, json)
}

const RISKY: &str = "functions:
  - function: f
    statements:
      - {sid: any, principal: s3.amazonaws.com}
      - {sid: open, principal: \"*\"}
      - {sid: bucket, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
      - {sid: account, principal: '210987654321'}
      - {sid: wild, principal: '210987654321', action: 'lambda:*', accept: [P004]}
      - {sid: stars, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::*'}
      - {sid: half, principal: 'arn:aws:iam::123456789012:role/x', action: lambda:InvokeFunctionUrl, function_url_auth_type: AWS_IAM}
      - {sid: other, principal: sns.amazonaws.com, source_arn: 'arn:aws:sqs:us-east-1:123456789012:q'}
      - {sid: soon, principal: 'arn:aws:iam::123456789012:role/y', expires: 2026-06-20T00:00:00Z}
      - {sid: gone, principal: 'arn:aws:iam::123456789012:role/y', expires: 2026-06-10T00:00:00Z}
      - {sid: twin, principal: 'arn:aws:iam::123456789012:role/y'}
";

/// Every rule but those of whole files and of size.
#[test]
fn what_was_found_stands_in_both_reports() {
    let found = look(&[("permissions/f.yaml", RISKY)]);
    let (sarif, json) = reports(&found);
    let run = &sarif["runs"][0];
    let ids: Vec<&str> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["ruleId"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            "P001",
            "P002",
            "P003",
            "P004",
            "P005",
            "P003",
            "P006",
            "P007",
            "P008",
            "expires-soon",
            "expired",
            "duplicate-grant"
        ]
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Rule::ALL.len());
    for it in run["results"].as_array().unwrap() {
        let index = usize::try_from(it["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], it["ruleId"]);
        assert_eq!(it["level"], "warning");
    }
    let last = run["results"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["locations"][0]["physicalLocation"],
        json!({
            "artifactLocation": {"uri": "permissions/f.yaml", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 14, "startColumn": 9, "endLine": 14, "endColumn": 67},
        })
    );
    let other = &last["relatedLocations"][0];
    assert_eq!(other["physicalLocation"]["region"]["startLine"], 12);
    assert_eq!(other["message"]["text"], "`soon` stands here");
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "exitCode": 78}]));
    assert_eq!(run["columnKind"], "unicodeCodePoints");

    let found_rules: Vec<&str> =
        json["rules"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(found_rules.len(), 11, "{found_rules:?}");
    assert_eq!(json["summary"]["warnings"], 12);
    let twin = json["diagnostics"].as_array().unwrap().last().unwrap();
    assert_eq!(twin["related"][0]["line"], 12);
    assert_eq!((&twin["subject"], &twin["functions"]), (&json!("f/twin"), &json!(1)));
}

/// GitHub's limits and wishes for a rule.
#[test]
fn every_rule_has_what_code_scanning_shows() {
    let (sarif, json) = reports(&[]);
    assert_eq!(json["diagnostics"], json!([]));
    let run = &sarif["runs"][0];
    assert_eq!(run["results"], json!([]), "nothing found is an empty list, not a missing one");
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        let name = rule["name"].as_str().unwrap();
        assert!(name.chars().all(|it| it.is_ascii_alphanumeric()), "{rule:#}");
        assert!(rule["fullDescription"]["text"].as_str().unwrap().len() <= 1024, "{rule:#}");
        let page = rule["helpUri"].as_str().unwrap();
        assert!(rule["help"]["markdown"].as_str().unwrap().contains(page), "{rule:#}");
        let properties = &rule["properties"];
        let is_security = properties["tags"].as_array().unwrap().contains(&json!("security"));
        let score = properties["security-severity"].as_str();
        assert_eq!(score.is_some(), is_security, "{rule:#}");
        assert!(score.is_none_or(|it| (0.1..=10.0).contains(&it.parse::<f64>().unwrap())));
    }
}

/// What stands in a file or is its name never becomes a link, an escape or another place.
#[test]
fn hostile_names_and_texts_stay_texts() {
    let text = "functions:\n  - function: f\n    \"[x](https://evil.example)\\u202e\\e[31m\": 1\n    \
                statements: [{sid: a, principal: \"[1](2) {0}\"}]\n";
    for (name, uri) in [
        ("a b/[x](y)?#%41\u{1b}.yaml", "a%20b/%5Bx%5D%28y%29%3F%23%2541%1B.yaml"),
        ("/etc/x.yaml", "file:///etc/x.yaml"),
        ("../../../x/ä.yaml", "file:///x/%C3%A4.yaml"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("<stdin>", "stdin:"),
    ] {
        let (sarif, _) = reports(&look(&[(name, text)]));
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert!(results.len() >= 2, "{results:#?}");
        for it in results {
            let location = &it["locations"][0]["physicalLocation"]["artifactLocation"];
            assert_eq!(location["uri"], uri, "{it:#}");
            let said = it["message"]["text"].as_str().unwrap();
            let bad = said.chars().find(|it| (it.is_control() && *it != '\n') || *it == '\u{202e}');
            assert!(!said.contains("](") && bad.is_none(), "{said:?}");
        }
    }
}

#[test]
fn a_file_that_is_no_yaml_or_several_lines_of_it() {
    let (sarif, json) = reports(&look(&[("a.yaml", "functions: [\n"), ("b.yaml", "- 1\n- 2\n")]));
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results[0]["ruleId"], "syntax");
    assert!(results.iter().any(|it| it["ruleId"] == "invalid"), "{results:#?}");
    for it in results {
        assert_eq!(it["level"], "error");
        let region = &it["locations"][0]["physicalLocation"]["region"];
        let at = |key: &str| region[key].as_u64().unwrap();
        assert!((at("endLine"), at("endColumn")) >= (at("startLine"), at("startColumn")), "{it:#}");
    }
    assert_eq!(json["summary"]["files"], 2);
}

/// Columns are characters, and the end is the one after the last.
#[test]
fn regions_count_characters() {
    let text = "functions: [{function: f, statements: [{sid: a, principal: \"\u{1f600}ключ\"}]}]";
    let (sarif, json) = reports(&look(&[("a.yaml", text)]));
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, json!({"startLine": 1, "startColumn": 60, "endLine": 1, "endColumn": 67}));
    let found = &json["diagnostics"][0];
    assert_eq!((&found["column"], &found["end_column"]), (&json!(60), &json!(67)));
}

/// What is wrong with the call stands in no file, and no result says that all is well.
#[test]
fn what_stands_in_no_file_is_told_of_the_run() {
    let nowhere = Place::whole(&File::new(COMMAND_LINE, String::new()));
    let unread = Place::whole(&File::new("gone.yaml", String::new()));
    let found = [
        Diagnostic::of(Rule::Unreadable, nowhere, "cannot read `x*.yaml`").help("look"),
        Diagnostic::of(Rule::Unreadable, unread, "cannot read gone.yaml"),
    ];
    let (sarif, json) = reports(&found);
    let run = &sarif["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let told = &run["invocations"][0]["toolConfigurationNotifications"][0];
    assert_eq!(
        (&told["level"], &told["descriptor"]["id"]),
        (&json!("error"), &json!("unreadable"))
    );
    assert_eq!(told["message"]["text"], "cannot read `x*.yaml`\nlook");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"],
        json!({"artifactLocation": {"uri": "gone.yaml", "uriBaseId": "%SRCROOT%"}})
    );
    assert_eq!(json["diagnostics"][1]["end_line"], Value::Null);
}

fn fingerprints(found: &[Diagnostic]) -> Vec<String> {
    let (sarif, _) = reports(found);
    let of =
        |it: &Value| it["partialFingerprints"]["permitdFinding/v1"].as_str().unwrap().to_owned();
    sarif["runs"][0]["results"].as_array().unwrap().iter().map(of).collect()
}

/// Code scanning knows a finding by its fingerprint: lines that move make no new one, and no two are one.
#[test]
fn a_finding_keeps_its_fingerprint_when_lines_move() {
    let both = format!(
        "{RISKY}  - function: g\n    statements: [{{sid: any, principal: s3.amazonaws.com}}, {{sid: x x, principal: '1'}}, {{sid: x x, principal: '1'}}]\n"
    );
    let before = fingerprints(&look(&[("f.yaml", &both)]));
    let moved = format!("# one\n# more\n{}", both.replace("      - ", "      -   "));
    let mut after = fingerprints(&look(&[("f.yaml", &moved)]));
    assert_eq!(before, after);
    after.sort_unstable();
    after.dedup();
    assert_eq!(after.len(), before.len(), "{before:#?}");
    let elsewhere = fingerprints(&look(&[("g.yaml", &both)]));
    assert!(before.iter().all(|it| !elsewhere.contains(it)));
}

/// The days that are left are told, and are no part of what it is known by.
#[test]
fn a_day_later_it_is_the_same_finding() {
    let text = "functions: [{function: f, statements: [{sid: a, principal: '210987654321', \
                accept: [P004], expires: 2026-06-20T00:00:00Z}]}]";
    let mut later = look(&[("a.yaml", text)]);
    let before = fingerprints(&later);
    later[0].message = "the grant `a` expires in 1 day".to_owned();
    assert_eq!(before, fingerprints(&later));
}

/// A validator that takes anything would prove nothing.
#[test]
fn the_schemas_refuse_what_is_wrong() {
    let (mut sarif, mut json) = reports(&look(&[("f.yaml", RISKY)]));
    sarif["runs"][0]["results"][0]["level"] = json!("bad");
    sarif["runs"][0]["columnKind"] = json!("bytes");
    assert_eq!(validate(&oasis(), &sarif).len(), 2);
    json["diagnostics"][0]["rule"] = json!("P999");
    json["diagnostics"][1]["line"] = json!(0);
    json["format_version"] = json!("2.0");
    json["summary"].as_object_mut().unwrap().remove("errors");
    assert_eq!(validate(&check::schema(), &json).len(), 4);
}
