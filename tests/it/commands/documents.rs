//! Writes of whole documents, and lists, as a person meets them: three hundred buckets on one function, `compact`,
//! and the way back.

use std::fmt::Write;

use serde_json::{Value, json};

use super::harness::{FN, Lambda, Room, account, policy, service};

/// So many grants of S3 buckets for one function.
fn buckets(n: usize, how: &str) -> String {
    let mut res =
        format!("account: '123456789012'\nfunctions:\n  - function: f\n{how}    statements:\n");
    for at in 0..n {
        writeln!(
            res,
            "      - {{sid: bucket-{at:03}, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::customer-data-{at:03}', \
             source_account: '123456789012'}}"
        )
        .unwrap();
    }
    res
}

const LISTS: &str = "    writer: document\n    compact: true\n";

fn settings(room: &Room) {
    room.write("permitd.yaml", "permissions: [permissions.yaml]\nmode: enforce\n");
}

#[test]
fn three_hundred_buckets_fit_as_one_list_and_one_more_is_one_write() {
    let theirs = account("theirs", "210987654321");
    let lambda =
        Lambda::new(&json!([{"name": "f", "policy": policy(std::slice::from_ref(&theirs))}]));
    // Statement by statement they do not fit, and that is told before any call.
    let room = lambda.room(&buckets(300, ""));
    let said = room.permitd("check permissions.yaml");
    assert_eq!(said.code, Some(78), "{said:?}");
    assert!(said.err.contains("and Lambda allows 20480"), "{said:?}");
    assert!(
        said.err.contains("with `compact: true` and `writer: document` it would have 1"),
        "{said:?}"
    );
    assert_eq!(lambda.calls(), Vec::<String>::new());
    let said = room.permitd("plan permissions.yaml --output json");
    let size = &said.json()["targets"][0]["size"];
    assert!(size["compact"].as_u64().unwrap() < 20_480, "{size}");
    assert_eq!(said.json()["targets"][0]["held"][0]["reason"], "too_large");
    lambda.calls();

    room.write("permissions.yaml", &buckets(300, LISTS));
    settings(&room);
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.out.contains("Applied: 1 write done."), "{}", said.out);
    assert_eq!(lambda.calls(), ["GetPolicy f", "PutResourcePolicy f", "GetPolicy f"]);
    let statements = lambda.statements("f");
    assert_eq!((statements.len(), &statements[0]), (2, &theirs), "the other one stays as it is");
    let list = statements[1]["Condition"]["ArnLike"]["AWS:SourceArn"].as_array().unwrap();
    assert_eq!(list.len(), 300);

    let said = room.permitd("plan --detailed-exitcode");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.calls(), ["GetPolicy f"], "read back, it is as written");

    room.write("permissions.yaml", &buckets(301, LISTS));
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.calls(), ["GetPolicy f", "PutResourcePolicy f", "GetPolicy f"]);
    let after = lambda.statements("f");
    assert_eq!(after[1]["Sid"], statements[1]["Sid"], "the same list");
    let list = after[1]["Condition"]["ArnLike"]["AWS:SourceArn"].as_array().unwrap();
    assert_eq!(list.len(), 301);

    // Where there is no policy, one statement is added first, for a write without a revision is never sent.
    let empty = Lambda::new(&json!([{"name": "f"}]));
    let room = empty.room(&buckets(300, LISTS));
    settings(&room);
    assert_eq!(room.permitd("apply --yes").code, Some(0));
    assert_eq!(empty.writes(), ["AddPermission f", "PutResourcePolicy f"]);
    assert_eq!(empty.statements("f").len(), 1);
}

#[test]
fn compact_shows_the_document_and_its_size() {
    let lambda = Lambda::new(&json!([]));
    let room = lambda.room(&buckets(3, ""));
    let said = room.permitd("compact permissions.yaml");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!((said.code, lines[0]), (Some(0), FN), "{said:?}");
    assert!(
        lines[1].contains(" bytes instead of ") && lines[1].ends_with("of 20480: it fits"),
        "{lines:?}"
    );
    let document: Value = serde_json::from_str(lines[2]).unwrap();
    assert_eq!(document["Statement"].as_array().unwrap().len(), 1);
    let json = room.permitd("compact permissions.yaml --output json").json();
    assert_eq!(json["targets"][0]["document"], document);
    assert_eq!(json["targets"][0]["bytes"].as_u64().unwrap(), lines[2].len() as u64);

    // A policy as Lambda gave it, and the whole answer of `aws lambda get-policy`.
    let odd = json!({"Effect": "Deny", "Principal": "*", "Action": "lambda:*", "Resource": FN});
    let of = |bucket: &str| service(bucket, "s3.amazonaws.com", &format!("arn:aws:s3:::{bucket}"));
    let live = policy(&[of("a"), odd.clone(), of("b")]);
    room.write("policy.json", &live.to_string());
    room.write("answer.json", &json!({"Policy": live.to_string(), "RevisionId": "r"}).to_string());
    for file in ["policy.json", "answer.json"] {
        let json = room.permitd(&format!("compact {file} --output json")).json();
        let statements = json["targets"][0]["document"]["Statement"].as_array().unwrap().clone();
        assert_eq!((statements.len(), &statements[0]), (2, &odd), "{file}: {json}");
        let list = &statements[1]["Condition"]["ArnLike"]["AWS:SourceArn"];
        assert_eq!(*list, json!(["arn:aws:s3:::a", "arn:aws:s3:::b"]));
    }
    room.write("nothing.json", &policy(&[json!({"Effect": "Allow", "Resource": "*"})]).to_string());
    room.permitd("compact nothing.json").is(
        1,
        "",
        "error: nothing.json: no Resource in it is the ARN of a function\n",
    );
    let said = room.permitd("compact policy.json permissions.yaml");
    assert_eq!(said.code, Some(64), "{said:?}");
    assert_eq!(room.permitd("compact missing.yaml").code, Some(78));
    assert_eq!(lambda.calls(), Vec::<String>::new());
}

fn last_put(room: &Room) -> i64 {
    let history = room.history();
    let found = history.iter().rev().find(|it| it["action"] == "put");
    found.unwrap_or_else(|| panic!("{history:?}"))["id"].as_i64().unwrap()
}

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    writer: document
    absent: [gone]
    statements:
      - {sid: a, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::new'}
      - {sid: b, principal: '310987654321'}
";

fn written() -> (Lambda, Room, [Value; 3]) {
    let live = [
        service("a", "s3.amazonaws.com", "arn:aws:s3:::old"),
        account("theirs", "210987654321"),
        account("gone", "410987654321"),
    ];
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]));
    let room = lambda.room(WISHES);
    settings(&room);
    let said = room.permitd("apply --yes");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.writes(), ["PutResourcePolicy f"]);
    assert_eq!(lambda.sids("f"), ["a", "theirs", "b"]);
    (lambda, room, live)
}

#[test]
fn a_write_of_a_document_is_taken_back_whole() {
    let (lambda, room, live) = written();
    let said = room.permitd(&format!("undo {} --yes", last_put(&room)));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.statements("f"), live);
    assert_eq!(lambda.writes(), ["PutResourcePolicy f"]);
}

#[test]
fn what_others_have_changed_since_stays() {
    let (lambda, room, _) = written();
    lambda.grant("f", "new-one", "510987654321");
    let said = room.permitd(&format!("undo {} --yes", last_put(&room)));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f"), ["a", "theirs", "new-one", "gone"]);
    assert_eq!(
        lambda.statements("f")[0]["Condition"]["ArnLike"]["AWS:SourceArn"],
        "arn:aws:s3:::old"
    );

    // But not where they have changed the very same.
    let (lambda, room, _) = written();
    lambda.revoke("f", "b");
    let said = room.permitd(&format!("undo {} --yes", last_put(&room)));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("b was changed since entry"), "{said:?}");
    assert_eq!(lambda.sids("f"), ["a", "theirs"], "nothing was done");
}

#[test]
fn a_policy_that_was_emptied_comes_back() {
    let mut deny = account("deny", "410987654321");
    deny["Effect"] = json!("Deny");
    let live = [account("old", "210987654321"), deny];
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]));
    let room = lambda.room(
        "account: '123456789012'\nfunctions:\n  - {function: f, writer: document, absent: [deny, old], statements: []}\n",
    );
    room.write(
        "permitd.yaml",
        "permissions: [permissions.yaml]\nmode: enforce\nremove_inexpressible: true\n",
    );
    let said = room.permitd("plan --output json");
    let digest = said.json()["digest"].as_str().unwrap().to_owned();
    let said = room.permitd(&format!("apply --yes --approve {digest}"));
    assert_eq!((said.code, lambda.sids("f").len()), (Some(0), 0), "{said:?}");
    assert_eq!(lambda.writes(), ["DeleteResourcePolicy f"]);
    let said = room.permitd(&format!("undo {} --yes", last_put(&room)));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(lambda.sids("f").len(), 2);
    let found = lambda.statements("f");
    assert!(live.iter().all(|it| found.contains(it)), "{found:?}");
}

#[test]
fn a_saved_plan_is_done_as_it_was_saved_or_not_at_all() {
    let live =
        [service("a", "s3.amazonaws.com", "arn:aws:s3:::old"), account("gone", "410987654321")];
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]));
    let room = lambda.room(WISHES);
    settings(&room);
    let saved = room.permitd("plan --out plan.json");
    assert_eq!(saved.code, Some(0), "{saved:?}");
    assert_eq!(lambda.writes(), Vec::<String>::new());
    let said = room.permitd("apply --plan plan.json");
    assert_eq!(
        (said.code, lambda.writes()),
        (Some(0), vec!["PutResourcePolicy f".to_owned()]),
        "{said:?}"
    );
    assert_eq!(lambda.sids("f"), ["a", "b"]);

    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&live)}]));
    let room = lambda.room(WISHES);
    settings(&room);
    room.permitd("plan --out plan.json");
    lambda.grant("f", "b", "510987654321");
    let said = room.permitd("apply --plan plan.json");
    assert_ne!(said.code, Some(0), "{said:?}");
    assert_eq!(lambda.writes(), ["AddPermission f"], "somebody else's, and none of ours");
}

#[test]
fn a_deny_narrows_and_somebody_elses_stays() {
    let mut deny = account("lockdown", "410987654321");
    deny["Effect"] = json!("Deny");
    let keep = service("keep", "s3.amazonaws.com", "arn:aws:s3:::keep");
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(&[deny, keep])}]));
    let room = lambda.room(
        "account: '123456789012'\nfunctions:\n  - function: f\n    ownership: all\n    writer: document\n    statements:\n      \
         - {sid: keep, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::keep'}\n      \
         - {sid: ours, effect: deny, principal: '510987654321'}\n",
    );
    room.write(
        "permitd.yaml",
        "permissions: [permissions.yaml]\nmode: enforce\nremove_inexpressible: true\n",
    );
    let plan = room.permitd("plan --output json").json();
    let of = |sid: &str| {
        let drift = plan["targets"][0]["drift"].as_array().unwrap();
        let it = drift.iter().find(|it| it["sid"] == sid).unwrap();
        (it["effect"].as_str().unwrap().to_owned(), it["reason"].clone())
    };
    assert_eq!(of("ours"), ("narrows".to_owned(), Value::Null));
    assert_eq!(of("lockdown"), ("widens".to_owned(), json!("removes_deny")));
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(3), "held: {said:?}");
    assert_eq!(lambda.sids("f"), ["lockdown", "keep", "ours"]);
    // The writer of statements says at once what it cannot say.
    room.write(
        "permissions.yaml",
        "account: '123456789012'\nfunctions:\n  - function: f\n    statements:\n      - {sid: ours, effect: deny, principal: '510987654321'}\n",
    );
    let said = room.permitd("plan");
    assert_eq!(said.code, Some(78), "{said:?}");
    assert!(
        said.err.contains("permissions.yaml:5:") && said.err.contains("writer: document"),
        "{said:?}"
    );
}

#[test]
fn the_rights_of_the_writer_are_in_the_policy() {
    let lambda = Lambda::new(&json!([]));
    let room = lambda.room(WISHES);
    let said = room.permitd("iam permissions.yaml --mode enforce --region us-east-1").json();
    let statements = said["Statement"].as_array().unwrap();
    let rights = statements.iter().find(|it| it["Sid"] == "PermitdWriteDocuments").unwrap();
    assert_eq!(
        rights["Action"],
        json!([
            "lambda:AddPermission",
            "lambda:DeleteResourcePolicy",
            "lambda:GetResourcePolicy",
            "lambda:PutResourcePolicy",
            "lambda:RemovePermission",
        ])
    );
    assert_eq!(rights["Resource"], json!([FN]));
}
