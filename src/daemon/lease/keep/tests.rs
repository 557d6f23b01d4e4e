//! Two keepers and an API server in memory, under a paused clock.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::*;
use crate::daemon::lease::election::{LEASE, PATIENCE};

/// Obeys the rules of an API server.
#[derive(Default)]
struct Server {
    lease: RefCell<Option<Record>>,
    version: Cell<u32>,
    calls: Cell<u32>,
    /// Accepts requests, and never answers.
    hangs: Cell<bool>,
    /// Does what it is asked for, and never says so.
    is_mute: Cell<bool>,
}

impl Server {
    async fn answers(&self, answer: impl FnOnce() -> Answer) -> Answer {
        self.calls.set(self.calls.get() + 1);
        sleep(Duration::from_millis(10)).await;
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        let answer = answer();
        if self.is_mute.get() {
            std::future::pending::<()>().await;
        }
        sleep(Duration::from_millis(10)).await;
        answer
    }

    fn write(&self, record: &Record) -> Answer {
        self.version.set(self.version.get() + 1);
        let record = Record { version: self.version.get().to_string(), ..record.clone() };
        *self.lease.borrow_mut() = Some(record.clone());
        Answer::Is(record)
    }

    fn holder(&self) -> String {
        self.lease.borrow().as_ref().map_or_else(String::new, |it| it.holder.clone())
    }
}

impl LeaseApi for Server {
    async fn get(&self) -> Answer {
        self.answers(|| self.lease.borrow().clone().map_or(Answer::Missing, Answer::Is)).await
    }

    async fn create(&self, record: &Record) -> Answer {
        self.answers(|| {
            if self.lease.borrow().is_some() { Answer::Conflict } else { self.write(record) }
        })
        .await
    }

    async fn replace(&self, record: &Record) -> Answer {
        self.answers(|| {
            let there = self.lease.borrow().as_ref().map(|it| it.version.clone());
            match there {
                None => Answer::Missing,
                Some(it) if it != record.version => Answer::Conflict,
                Some(_) => self.write(record),
            }
        })
        .await
    }
}

fn clock() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

struct Replica {
    monitor: Monitor,
    systemd: Systemd,
    tenure: Tenure,
    quit: CancellationToken,
    name: &'static str,
}

impl Replica {
    fn new(name: &'static str) -> Self {
        Self {
            monitor: Monitor::default(),
            systemd: Systemd::default(),
            tenure: Tenure::default(),
            quit: CancellationToken::new(),
            name,
        }
    }

    async fn keep(&self, server: &Server) {
        let (name, tenure) = ("a/b".parse().unwrap(), self.tenure.clone());
        let Self { monitor, systemd, .. } = self;
        let keeper = Keeper::new(name, self.name.to_owned(), tenure, monitor, systemd, clock);
        keeper.keep(server, &self.quit).await;
    }

    fn view(&self) -> LeaseView {
        self.monitor.board.view().lease.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_the_other_follows_at_once_when_it_is_given_back() {
    let server = Server::default();
    let (first, second) = (Replica::new("first"), Replica::new("second"));
    let story = async {
        first.tenure.changes_from(false).await;
        sleep(Duration::from_mins(10)).await;
        assert!(first.tenure.is_held() && !second.tenure.is_held());
        assert!(first.view().leads && !second.view().leads);
        assert_eq!(second.view().holder.as_deref(), Some("first"));
        let start = Instant::now();
        first.quit.cancel();
        second.tenure.changes_from(false).await;
        assert!(!first.tenure.is_held());
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert!(second.view().leads);
        second.quit.cancel();
    };
    let follow = async {
        first.tenure.changes_from(false).await;
        second.keep(&server).await;
    };
    tokio::join!(first.keep(&server), follow, story);
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_answer_stops_before_another_one_begins() {
    let server = Server::default();
    let (first, second) = (Replica::new("first"), Replica::new("second"));
    let story = async {
        first.tenure.changes_from(false).await;
        sleep(Duration::from_mins(1)).await;
        let start = Instant::now();
        server.hangs.set(true);
        first.tenure.changes_from(true).await;
        assert!(start.elapsed() < LEASE, "{:?}", start.elapsed());
        assert!(!second.tenure.is_held());
        sleep(PATIENCE).await;
        assert!(first.view().trouble.is_some() && !first.view().leads);
        // It goes on, and one of them leads again.
        server.hangs.set(false);
        let again = async {
            while !first.tenure.is_held() && !second.tenure.is_held() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(LEASE + PATIENCE * 2, again).await.unwrap();
        assert_ne!(first.tenure.is_held(), second.tenure.is_held());
        first.quit.cancel();
        second.quit.cancel();
    };
    let follow = async {
        first.tenure.changes_from(false).await;
        second.keep(&server).await;
    };
    tokio::join!(first.keep(&server), follow, story);
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_was_lost_is_found_out_about() {
    let server = Server::default();
    let only = Replica::new("only");
    let story = async {
        only.tenure.changes_from(false).await;
        server.is_mute.set(true);
        sleep(Duration::from_secs(6)).await;
        server.is_mute.set(false);
        sleep(Duration::from_secs(6)).await;
        assert!(only.tenure.is_held() && only.view().trouble.is_none());
        let transitions = server.lease.borrow().as_ref().unwrap().transitions;
        assert_eq!(transitions, 0, "it never was anybody else's");
        only.quit.cancel();
    };
    let start = Instant::now();
    tokio::join!(only.keep(&server), story);
    let limit = u32::try_from(start.elapsed().as_secs()).unwrap() + 8;
    assert!(server.calls.get() < limit, "{} calls", server.calls.get());
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_long_for_a_server_that_is_away() {
    let server = Server::default();
    let only = Replica::new("only");
    let story = async {
        only.tenure.changes_from(false).await;
        server.hangs.set(true);
        only.quit.cancel();
        Instant::now()
    };
    let ((), start) = tokio::join!(only.keep(&server), story);
    assert!(start.elapsed() <= Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(!only.tenure.is_held());
}
