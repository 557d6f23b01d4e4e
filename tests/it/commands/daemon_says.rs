//! What is said to a running daemon: `approve`, `pause`, `resume`; and what outlives it.

use permitd::daemon::clock;
use serde_json::{Value, json};

use super::harness::{Lambda, Room, Running, account, eventually, policy, service};

const WISHES: &str = "\
account: '123456789012'
functions:
  - function: f
    ownership: all
    statements:
      - {sid: kept, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::b'}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
limits: {max_revocations: 1, max_changed_targets: unlimited}
budgets: {get_policy: unlimited, control: unlimited}
";
const HELD: &str = "held until somebody says yes";
const WHY: &str = "why=\"max_revocations, 2 wanted and 0 done in the last hour; 1 allowed\"";

fn kept() -> Value {
    service("kept", "s3.amazonaws.com", "arn:aws:s3:::b")
}

fn crowd() -> [Value; 3] {
    [kept(), account("one", "210987654321"), account("two", "310987654321")]
}

fn set_up(live: &[Value], interval: &str) -> (Lambda, Room) {
    let lambda = Lambda::new(&json!([{"name": "f", "policy": policy(live)}]));
    let room = lambda.room(WISHES);
    room.write("permitd.yaml", &SETTINGS.replace("1s", interval));
    (lambda, room)
}

/// The digest that the daemon logged last.
fn logged_digest(daemon: &Running) -> String {
    let log = daemon.err();
    let (_, after) = log.rsplit_once("approve=\"permitd approve ").unwrap();
    after.split_once('"').unwrap().0.to_owned()
}

#[test]
fn what_a_limit_holds_is_done_once_somebody_approves() {
    let (lambda, room) = set_up(&crowd(), "1s");
    let mut daemon = room.start("run");
    daemon.logs_line(&[HELD, WHY]);
    let digest = logged_digest(&daemon);
    assert!(
        daemon.err().contains(&format!("statements=2 digest=\"{digest}\"")),
        "{}",
        daemon.err()
    );
    daemon.logs_line(&["WARN held ", "reason=\"max_revocations\"", "sid=\"two\""]);
    assert_eq!(lambda.sids("f").len(), 3);

    room.permitd("approve 00000000").is(
        1,
        "",
        &format!(
            "error: nothing that is held has the digest 00000000\nhint: these are held: {digest}\n"
        ),
    );
    let approved = "approved: 2 statements in 1 target, once, within 24 hours\n";
    room.permitd(&format!("approve {}", &digest[..8])).is(0, approved, "");
    lambda.converges("f", &["kept"]);
    daemon.logs_line(&["statement removed", "sid=\"one\"", "approval="]);
    daemon.logs_line(&["pass done", "trigger=\"approved\""]);
    assert_eq!(room.history()[0]["approval"], json!(digest));
    room.permitd(&format!("approve {digest}")).is(
        1,
        "",
        "error: nothing is held by a limit or a risk\n",
    );

    // Once: the same again is asked for again.
    let before = daemon.err().matches(HELD).count();
    lambda.put(&crowd());
    daemon.logs_times(HELD, before + 1);
    assert_eq!(lambda.sids("f").len(), 3);
    daemon.stops();
}

/// What somebody approved counts for nobody else's limit.
#[test]
fn what_was_approved_is_not_counted() {
    let (lambda, room) = set_up(&crowd(), "1s");
    let mut daemon = room.start("run");
    daemon.logs(HELD);
    let said = room.permitd(&format!("approve {}", logged_digest(&daemon)));
    assert_eq!(said.code, Some(0), "{said:?}");
    lambda.converges("f", &["kept"]);
    lambda.grant("f", "three", "410987654321");
    daemon.logs_line(&["statement removed", "sid=\"three\""]);
    // That one was the hour's only one.
    lambda.grant("f", "four", "410987654321");
    daemon.logs("max_revocations, 1 wanted and 1 done in the last hour; 1 allowed");
    assert_eq!(lambda.sids("f"), ["kept", "four"]);
}

#[test]
fn a_paused_target_is_left_alone_also_by_the_next_daemon() {
    let (lambda, room) = set_up(&[kept()], "1s");
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    room.permitd("pause f").is(0, "paused: f is left alone until `permitd resume`\n", "");
    lambda.grant("f", "rogue", "210987654321");
    let held = "paused, paused by hand, until somebody resumes it";
    daemon.logs_line(&["INFO held ", "sid=\"rogue\"", held]);
    let unknown = "\
error: nosuch is in no permission file
hint: name it by its ARN, or as name or name:qualifier, as the files have it
";
    room.permitd("pause nosuch").is(1, "", unknown);
    room.permitd("resume nosuch").is(1, "", unknown);
    daemon.stops();

    // The pause stands in the journal: it counts for the next daemon, and for whoever applies.
    let said = room.permitd("apply --yes");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains(held), "{said:?}");
    let mut daemon = room.start("run");
    daemon.logs_line(&["INFO held ", "sid=\"rogue\"", held]);
    assert_eq!(lambda.sids("f"), ["kept", "rogue"]);
    room.permitd("resume f").is(0, "resumed: f\n", "");
    lambda.converges("f", &["kept"]);
    room.permitd("resume f").is(1, "", "error: f is not paused\n");
    daemon.stops();
    let said = room.permitd("plan --detailed-exitcode");
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn everything_can_be_paused() {
    let (lambda, room) = set_up(&[kept()], "1s");
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    room.permitd("pause").is(0, "paused: everything is left alone until `permitd resume`\n", "");
    lambda.grant("f", "rogue", "210987654321");
    daemon.logs_line(&[" held ", "reason=\"paused\""]);
    room.permitd("resume f").is(
        1,
        "",
        "error: f is not paused\nhint: everything is paused: `permitd resume` without a target ends that\n",
    );
    assert_eq!(lambda.sids("f"), ["kept", "rogue"]);
    room.permitd("resume").is(0, "resumed: everything\n", "");
    lambda.converges("f", &["kept"]);
}

/// The end of a pause is acted on when it comes, however far away the next full pass is; also by a daemon that was
/// started, or read its configuration anew, while the pause held.
#[test]
fn a_pause_ends_by_itself() {
    for meanwhile in ["nothing", "restart", "reload"] {
        let (lambda, room) = set_up(&[kept()], "1h");
        let mut daemon = room.start("run");
        daemon.logs("pass done");
        lambda.writes();
        let start = clock::system();
        let said = room.permitd("pause f --for 4s");
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}");
        let until = said.out.strip_prefix("paused: f is left alone until ").unwrap().trim();
        let until: jiff::Timestamp = until.parse().unwrap();
        assert!(until > start, "{until}");
        match meanwhile {
            "restart" => {
                daemon.stops();
                daemon = room.start("run");
                daemon.logs("pass done");
            }
            "reload" => {
                daemon.signal("HUP");
                daemon.logs("loaded the configuration anew");
            }
            _ => {}
        }
        lambda.grant("f", "rogue", "210987654321");
        lambda.converges("f", &["kept"]);
        daemon.logs_line(&["pass done", "trigger=\"resumed\""]);
        let removed =
            lambda.requests().into_iter().find(|it| it["operation"] == "RemovePermission").unwrap();
        let at: jiff::Timestamp = removed["time"].as_str().unwrap().parse().unwrap();
        assert!(at >= until, "{meanwhile}: {at} is before {until}");
    }
}

/// Where no daemon runs, the pauses of the journal can be ended all the same.
#[test]
fn a_pause_is_ended_without_a_daemon() {
    let (lambda, room) = set_up(&[kept()], "1s");
    let mut daemon = room.start("run");
    daemon.logs("pass done");
    let said = room.permitd("pause f");
    assert_eq!(said.code, Some(0), "{said:?}");
    daemon.stops();
    lambda.grant("f", "rogue", "210987654321");
    let arn = super::harness::FN;
    room.permitd("resume f").is(0, &format!("resumed: {arn} (paused by hand)\n"), "");
    assert_eq!(room.permitd("apply --yes").code, Some(0));
    lambda.converges("f", &["kept"]);
    // Nothing is left to resume, and nobody is there to be told.
    let said = room.permitd("resume f");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.err.starts_with("error: no permitd runs here"), "{said:?}");
}

#[test]
fn a_daemon_without_a_control_socket_still_runs() {
    let (lambda, room) = set_up(&[kept(), account("one", "210987654321")], "1s");
    let room = room.with("PERMITD_CONTROL", "permissions.yaml/control.sock");
    let mut daemon = room.start("run");
    daemon.logs("approve, pause and undo cannot be said to this daemon");
    lambda.converges("f", &["kept"]);
    daemon.stops();
}

/// One journal has one writer; who has none takes nothing away.
#[test]
fn a_second_daemon_on_the_same_journal() {
    let functions = json!([
        {"name": "f", "policy": policy(&[kept(), account("rogue", "210987654321")])},
        {"name": "g"},
    ]);
    let lambda = Lambda::new(&functions);
    let g = "  - function: g\n    statements: [{sid: a, principal: '210987654321'}]\n";
    let more = "      - {sid: new, principal: '310987654321'}\n";
    let room = lambda.room(&format!("{WISHES}{more}{g}"));
    room.write("permitd.yaml", SETTINGS);
    let mut first = room.start("run --target g");
    first.logs("pass done");
    let mut second = room.start("run --target f");
    second.logs("is written by another permitd");
    second.logs("nothing is removed or replaced without it");
    second.logs("another permitd listens on ");
    second.logs_line(&["WARN held ", "why=\"journal_unavailable, the journal "]);
    assert_eq!(lambda.sids("f"), ["kept", "rogue", "new"], "it adds all the same");
    first.stops();
    // It tries again in every pass.
    eventually("the removal", || (lambda.sids("f") == ["kept", "new"]).then_some(()));
    second.stops();
}
