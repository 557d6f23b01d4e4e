//! `permitd import` where something is in the way: files that exist, policies that cannot be read, signals, typos.

use serde_json::{Value, json};

use super::{
    harness::{FN, Lambda, Room, account_at, eventually, policy},
    import::{files, read},
};

fn world() -> Lambda {
    let one = |name: &str| json!({"name": name, "policy": policy(&[account_at(name, "a", "012345678901")])});
    Lambda::new(&json!([one("f"), one("g"), one("h")]))
}

fn denied(target: &str) -> Value {
    json!({"operation": "GetPolicy", "target": target, "times": "forever", "kind": "error", "status": 403,
        "code": "AccessDeniedException", "message": "not\u{1b}[31m allowed"})
}

#[test]
fn a_file_is_never_overwritten_unless_that_is_asked() {
    let lambda = world();
    let room = lambda.room("");
    room.write("all.yaml", "# mine\n");
    room.permitd("import --all --out all.yaml").is(
        64,
        "",
        "error: all.yaml exists\nhint: pass --force to overwrite it\n",
    );
    assert_eq!(lambda.calls(), Vec::<String>::new());
    assert_eq!(read(&room, "all.yaml"), "# mine\n");
    room.write("out/f.yaml", "# mine\n");
    room.write("out/h.yaml", "# mine, too\n");
    room.permitd("import --all --out out").is(
        1,
        "",
        "error: out/f.yaml exists and says something else\n\
         error: out/h.yaml exists and says something else\n\
         hint: nothing was written; pass --force to overwrite, or choose another --out\n",
    );
    assert_eq!(files(&room, "out"), ["f.yaml", "h.yaml"]);
    assert_eq!(read(&room, "out/f.yaml"), "# mine\n");
    for words in ["import --all --out out --force -q", "import --all --out all.yaml --force -q"] {
        room.permitd(words).is(0, "", "");
    }
    assert_eq!(files(&room, "out"), ["f.yaml", "g.yaml", "h.yaml"]);
    assert!(read(&room, "out/f.yaml").contains("- sid: a\n"));
    assert!(read(&room, "all.yaml").contains("  - names: [f, g, h]\n"));
}

/// One that was killed between two files: the same again goes on, and changes nothing that is there.
#[test]
fn an_import_that_was_killed_half_way_goes_on() {
    let lambda = world();
    let room = lambda.room("");
    room.permitd("import --all --out out -q").is(0, "", "");
    let whole = ["f", "g", "h"].map(|it| read(&room, &format!("out/{it}.yaml")));
    std::fs::remove_file(room.path("out/g.yaml")).unwrap();
    let time = || std::fs::metadata(room.path("out/f.yaml")).unwrap().modified().unwrap();
    let before = time();
    room.permitd("import --all --out out -q").is(0, "", "");
    room.permitd("import --all --out out -q").is(0, "", "");
    assert_eq!(["f", "g", "h"].map(|it| read(&room, &format!("out/{it}.yaml"))), whole);
    assert_eq!((time(), files(&room, "out").len()), (before, 3));
}

#[test]
fn what_can_be_read_is_written_and_the_rest_is_told() {
    let lambda = world();
    lambda.faults(&json!({"faults": [denied("*:g")]}));
    let room = lambda.room("");
    let said = room.permitd("import --function f,g,nope --out out");
    said.is(
        1,
        "",
        &format!(
            "Imported 1 statement of 1 function into out; risks: P004 1\n\
             See that nothing differs with\n    permitd plan out\n\
             error: {0}g: AccessDeniedException: not\\u{{1b}}[31m allowed\n\
             error: {0}nope: there is no such function\n\
             hint: allow lambda:GetPolicy on this function to the credentials permitd runs with\n\
             hint: check the name, and whether it is in 123456789012/us-east-1\n",
            FN.strip_suffix('f').unwrap()
        ),
    );
    assert_eq!(files(&room, "out"), ["f.yaml"]);
    let said = room.permitd("import --all");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("names: [f, h]"), "{said:?}");
    let none = json!({"operation": "ListFunctions", "times": "forever", "kind": "error", "status": 403,
        "code": "AccessDeniedException", "message": "no"});
    lambda.faults(&json!({ "faults": [none] }));
    room.permitd("import --all --out none.yaml").is(
        1,
        "",
        "Imported nothing\n\
         error: the functions of 123456789012/us-east-1: AccessDeniedException: no\n\
         hint: allow lambda:ListFunctions on all resources to the credentials permitd runs with\n",
    );
    assert!(!room.path("none.yaml").exists());
}

#[test]
fn an_interrupted_import_leaves_nothing_behind() {
    let lambda = world();
    let busy = json!({"operation": "GetPolicy", "target": "*:g", "times": "forever", "kind": "error",
        "status": 429, "retry_after": 30});
    lambda.faults(&json!({ "faults": [busy] }));
    let room = lambda.room("");
    for (signal, code, out) in [("INT", 130, "out"), ("TERM", 143, "all.yaml"), ("INT", 130, "-")] {
        let before = files(&room, ".");
        let mut import = room.start(&format!("import --all --out {out}"));
        eventually("all of them to be read", || {
            let read = lambda.requests().iter().filter(|it| it["operation"] == "GetPolicy").count();
            (read >= 3).then_some(())
        });
        import.signal(signal);
        assert_eq!(import.code(), Some(code), "{}", import.err());
        import.logs("interrupted: nothing was written\n");
        assert_eq!((import.out().as_str(), files(&room, ".")), ("", before));
        lambda.calls();
    }
    lambda.faults(&json!({}));
    room.permitd("import --all --out out -q").is(0, "", "");
    assert_eq!(files(&room, "out"), ["f.yaml", "g.yaml", "h.yaml"]);
}

#[test]
fn bad_input_is_told_before_any_call() {
    let lambda = world();
    let room = lambda.room("");
    room.write("file", "");
    std::fs::create_dir(room.path("dir.yaml")).unwrap();
    for (words, code, cause) in [
        ("import", 64, "nothing to import: name functions with --function, or pass --all"),
        ("import --all --function f", 64, "--function and --all exclude each other"),
        ("import f", 64, "a file to import from needs --from"),
        ("import --function", 64, "a value is required for '--function <NAME>'"),
        ("import --function a,b/c", 64, "`b/c` is not a function name, partial ARN or ARN"),
        ("import --function f:$LATEST", 64, "`$LATEST` cannot carry a policy"),
        (
            "import --all --ownership prefix",
            64,
            "invalid value 'prefix' for '--ownership <OWNERSHIP>'",
        ),
        ("import --all --account 1", 64, "--account: `1` is not an account id"),
        ("import --all --region x", 64, "--region: `x` is not a region"),
        (
            "import --all --get-policy-budget x",
            64,
            "invalid value 'x' for '--get-policy-budget <RATE>'",
        ),
        ("import --all --config none.yaml", 78, "cannot read none.yaml: there is no such file"),
        ("import --all --out file", 64, "file is not a directory"),
        ("import --all --out file/x", 1, "cannot write to file/x: Not a directory"),
        ("import --all --out file/x.yaml", 1, "cannot write to file: Not a directory"),
        ("import --all --out=", 64, "--out"),
        ("import --function f --target g", 64, "--target matches none of the functions"),
    ] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "`{words}`: {said:?}");
        assert!(said.err.contains(cause), "`{words}`: no `{cause}` in {said:?}");
        let calls = lambda.calls();
        assert!(calls.iter().all(|it| it == "GetCallerIdentity"), "`{words}`: {calls:?}");
    }
    let said = room.permitd("import --all --target x*");
    said.is(1, "", "error: --target matches nothing that is there\n");
    room.permitd("import --function f --out dir.yaml -q").is(0, "", "");
    assert_eq!(files(&room, "dir.yaml"), ["f.yaml"]);
    let room = room.without("AWS_REGION");
    let said = room.permitd("import --all");
    said.is(
        78,
        "",
        "error: nobody says in which region the functions are\nhint: set AWS_REGION, or pass --region\n",
    );
}

#[test]
fn an_account_without_anything_to_import() {
    let lambda = Lambda::new(&json!([{"name": "f"}]));
    let room: Room = lambda.room("");
    room.permitd("import --all --out out").is(
        0,
        "",
        "Imported nothing; 1 function has no policy\n",
    );
    room.permitd("import --all").is(0, "", "Imported nothing; 1 function has no policy\n");
    assert!(!room.path("out").exists());
}

#[test]
fn a_bar_shows_how_far_it_is() {
    let functions: Value = (0..60).map(|n| json!({"name": format!("f{n:02}")})).collect();
    let lambda = Lambda::new(&functions);
    let room =
        lambda.room("").with("PERMITD_GET_POLICY_BUDGET", "30/s").with("TERM", "xterm-256color");
    let Some(said) = room.on_screen("import --all", 100) else { return };
    assert!(
        said.out.contains("reading policies") && said.out.contains("/60 found so far"),
        "{said:?}"
    );
    let last = said.out.rsplit("\u{1b}[2K").next().unwrap();
    assert!(last.ends_with("Imported nothing; 60 functions have no policy\n"), "{said:?}");
}
