//! Several replicas of which one acts: `permitd run --lease` against an API server of ours.

mod api;

use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Lambda, Room, Running, eventually, http};
use api::ApiServer;

const WISHES: &str = "\
account: '123456789012'
functions:
  - {function: f, ownership: all, statements: [{sid: a, principal: '210987654321'}]}
";
const SETTINGS: &str = "\
permissions: [permissions.yaml]
mode: enforce
interval: 1s
limits: {max_revocations: unlimited, max_changed_targets: unlimited}
";

struct Replica {
    name: &'static str,
    room: Room,
    process: Running,
    at: String,
}

fn lambda() -> Lambda {
    Lambda::new(&json!([{"name": "f"}]))
}

fn room(lambda: &Lambda, server: &ApiServer, name: &str) -> Room {
    let room = lambda.room(WISHES).with("KUBECONFIG", "kubeconfig").with("POD_NAME", name);
    room.write("kubeconfig", &server.kubeconfig(name));
    room.write("permitd.yaml", SETTINGS);
    room
}

impl Replica {
    fn start(lambda: &Lambda, server: &ApiServer, name: &'static str) -> Self {
        Self::start_with(lambda, server, name, "run --lease permitd/main")
    }

    fn start_with(lambda: &Lambda, server: &ApiServer, name: &'static str, words: &str) -> Self {
        let room = room(lambda, server, name);
        let mut process = room.start(words);
        process.logs("listening for /livez");
        let log = process.err();
        let at = log.split_once("address=").unwrap().1.split_whitespace().next().unwrap();
        let at = format!("http://{at}");
        Self { name, room, process, at }
    }

    fn status(&self) -> Value {
        serde_json::from_str(&http(&self.at, "GET", "/status", "").1).unwrap()
    }

    /// The metrics of this name, summed up.
    fn sum(&self, name: &str) -> u64 {
        let text = http(&self.at, "GET", "/metrics", "").1;
        let of = |it: &&str| it.split([' ', '{']).next() == Some(name);
        let value = |it: &str| it.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        text.lines().filter(of).map(value).sum()
    }

    fn leads(&self) -> bool {
        let leads = self.sum("permitd_leader") > 0;
        let status = self.status();
        // It may change between the two questions.
        leads && status["lease"]["leader"] == true
    }

    #[track_caller]
    fn comes_to_lead(&self) {
        eventually(&format!("{} to lead", self.name), || self.leads().then_some(()));
    }

    #[track_caller]
    fn stands_by_for(&self, other: &Self) {
        eventually(&format!("{} to stand by", self.name), || {
            let lease = self.status()["lease"].clone();
            let holder = lease["holder"].as_str().unwrap_or_default();
            let theirs = holder.starts_with(&format!("{}_", other.name));
            (lease["leader"] == false && theirs).then_some(())
        });
        assert_eq!(self.sum("permitd_leader"), 0);
        for path in ["/livez", "/readyz", "/"] {
            assert_eq!(http(&self.at, "GET", path, "").0, 200, "{path}");
        }
    }

    fn asked(&self) -> u64 {
        self.sum("permitd_lambda_requests_total")
    }
}

/// Somebody else, and it is put right.
#[track_caller]
fn puts_right(lambda: &Lambda) {
    lambda.grant("f", "rogue", "111122223333");
    lambda.converges("f", &["a"]);
}

#[test]
fn one_acts_and_the_other_takes_over_when_it_is_killed_and_when_it_ends() {
    let (lambda, server) = (lambda(), ApiServer::new());
    let first = Replica::start(&lambda, &server, "first");
    first.comes_to_lead();
    lambda.converges("f", &["a"]);
    let second = Replica::start(&lambda, &server, "second");
    second.stands_by_for(&first);
    puts_right(&lambda);
    assert_eq!(second.asked(), 0, "a standby asks Lambda nothing");
    assert_eq!(second.status()["targets"][0]["reason"], "not_read_yet");
    assert_eq!(second.sum("permitd_targets"), 0, "and has nothing to say about targets");
    assert!(http(&second.at, "GET", "/", "").1.contains("stands by"));

    first.process.signal("KILL");
    second.comes_to_lead();
    puts_right(&lambda);
    assert!(second.asked() > 0);
    let lease = server.lease().unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);

    let mut third = Replica::start(&lambda, &server, "third");
    third.stands_by_for(&second);
    let (mut second, start) = (second, tokio::time::Instant::now());
    second.process.stops();
    third.comes_to_lead();
    let took = start.elapsed();
    assert!(took.as_secs() < 10, "it was given back, and still took {took:?}");
    puts_right(&lambda);
    third.process.stops();
    assert_eq!(server.lease().unwrap()["spec"]["holderIdentity"], "");
    let holders: Vec<String> =
        server.holders().iter().map(|it| it.split('_').next().unwrap().to_owned()).collect();
    assert_eq!(holders, ["first", "second", "", "third", ""]);
    let asked = |it: &String| it.split_once(" by ").unwrap().0.replace("/main", "/*");
    let calls: std::collections::BTreeSet<String> = server.calls().iter().map(asked).collect();
    let leases = "/apis/coordination.k8s.io/v1/namespaces/permitd/leases";
    let may = [format!("GET {leases}/*"), format!("POST {leases}"), format!("PUT {leases}/*")];
    assert_eq!(calls, may.into_iter().collect(), "get, create and update are all it needs");
}

#[test]
fn one_that_is_cut_off_stops_before_the_other_begins_and_stands_by_when_it_is_back() {
    let (lambda, server) = (lambda(), ApiServer::new());
    let mut first = Replica::start(&lambda, &server, "first");
    first.comes_to_lead();
    let second = Replica::start(&lambda, &server, "second");
    second.stands_by_for(&first);
    lambda.converges("f", &["a"]);
    server.faults(|it| it.cut_off = ["first".to_owned()].into());
    eventually("the first to stop", || {
        assert!(!second.leads() || !first.leads());
        (!first.leads()).then_some(())
    });
    assert!(!second.leads(), "nobody leads in between");
    first.process.logs("this permitd does not lead any more");
    second.comes_to_lead();
    let asked = first.asked();
    puts_right(&lambda);
    assert_eq!(first.asked(), asked, "it still asks Lambda");
    assert!(first.status()["lease"]["trouble"].is_string());
    server.faults(|it| it.cut_off.clear());
    first.stands_by_for(&second);
    first.process.logs("the lease can be read and written again");
    // What is said to it is for the other one.
    let said = first.room.permitd("pause");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.err.contains("this permitd stands by and does nothing; second_"), "{said:?}");
    assert!(said.err.contains("leads"), "{said:?}");
}

#[test]
fn it_keeps_leading_through_conflicts_lost_answers_and_a_slow_server() {
    let (lambda, server) = (lambda(), ApiServer::new());
    let first = Replica::start(&lambda, &server, "first");
    first.comes_to_lead();
    server.edit(|it| it["metadata"]["labels"] = json!({"somebody": "else"}));
    server.faults(|it| (it.conflicts, it.latency) = (3, Duration::from_millis(500)));
    let renewed = || server.lease().unwrap()["spec"]["renewTime"].clone();
    let renews = |what: &str| {
        let before = renewed();
        eventually(what, || (renewed() != before).then_some(()));
    };
    renews("a renewal behind three conflicts");
    server.faults(|it| it.mute = ["first".to_owned()].into());
    renews("a renewal that nobody hears of");
    let before = renewed();
    server.faults(|it| it.mute.clear());
    eventually("it to hear of it", || {
        assert!(first.leads());
        let trouble = first.status()["lease"]["trouble"].clone();
        (trouble.is_null() && renewed() != before).then_some(())
    });
    puts_right(&lambda);
    assert_eq!(server.holders().len(), 1, "{:?}", server.holders());
    assert_eq!(server.lease().unwrap()["metadata"]["labels"], json!({"somebody": "else"}));
}

#[test]
fn who_may_not_have_it_says_so_and_goes_on_serving() {
    let (lambda, server) = (lambda(), ApiServer::new());
    server.faults(|it| it.forbids = true);
    let mut first = Replica::start(&lambda, &server, "first");
    first.process.logs_line(&[
        "the lease cannot be read or written",
        "403 Forbidden",
        "allow get, create and update on leases (coordination.k8s.io) in the namespace permitd",
    ]);
    assert_eq!(http(&first.at, "GET", "/readyz", "").0, 200);
    assert_eq!(lambda.calls(), Vec::<String>::new());
    server.faults(|it| it.forbids = false);
    first.comes_to_lead();
    lambda.converges("f", &["a"]);
}

#[test]
fn each_shard_has_a_lease_of_its_own() {
    let (lambda, server) = (lambda(), ApiServer::new());
    let words = "run --lease permitd/main --shard 1/2";
    let first = Replica::start_with(&lambda, &server, "first", words);
    first.comes_to_lead();
    let path = "/apis/coordination.k8s.io/v1/namespaces/permitd/leases/main-1-of-2 by first";
    assert_eq!(server.calls()[0], format!("GET {path}"));
    assert_eq!(server.lease().unwrap()["metadata"]["name"], "main-1-of-2");
}

#[test]
fn what_cannot_be() {
    let (lambda, server) = (lambda(), ApiServer::new());
    let room = room(&lambda, &server, "first");
    for (words, code, message) in [
        ("run --lease main", 64, "write NAMESPACE/NAME, as in permitd/permitd"),
        ("run --lease Main/x", 64, "`Main` is no name of a namespace"),
        ("run --lease permitd/main --once", 64, "`--lease` is for a daemon"),
        ("plan --lease permitd/main", 64, "unexpected argument '--lease'"),
    ] {
        let said = room.permitd(words);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{words}: {said:?}");
        assert!(said.err.contains(message), "{words}: {said:?}");
    }
    let room = room.with("KUBECONFIG", "nowhere");
    let said = room.permitd("run --lease permitd/main");
    assert_eq!(said.code, Some(78), "{said:?}");
    assert!(said.err.contains("no way to the API server of Kubernetes: "), "{said:?}");
    assert!(said.err.contains("set KUBECONFIG"), "{said:?}");
    assert_eq!(lambda.calls(), Vec::<String>::new());
}
