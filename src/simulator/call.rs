//! One call from its arrival to its answer: who asks, what goes wrong, what is written down.

use serde::Serialize;

use crate::policy::target::AccountRegion;
use crate::simulator::{
    Simulator,
    account::World,
    dispatch::{self, Circumstances},
    faults::{Fault, Kind},
    names::{self, Resource},
    refusal::Refusal,
    request::{Answer, Caller, Reply, Request},
};

/// One request, as `GET /_simulator/requests` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// When it arrived, RFC 3339.
    pub time: String,
    /// For example `GetPolicy`.
    pub operation: String,
    /// The full ARN, with the qualifier.
    pub target: Option<String>,
    /// None: it has not been answered, or never was.
    pub status: Option<u16>,
    /// The code of the error.
    pub error: Option<String>,
    /// The RevisionId that it carried.
    pub revision_id: Option<String>,
}

pub(crate) struct Entry {
    id: u64,
    pub(crate) entry: LogEntry,
}

/// The log keeps this many requests: enough for any test, and a demo may run for days.
const LOG: usize = 200_000;

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The rules answered.
    Ruled(Result<Reply, Refusal>),
    /// A fault answered, with a body of its own.
    Raw(Answer),
    /// Nobody answers; the connection closes.
    Dropped,
}

impl Simulator {
    /// Who signs with this access key; none: nobody knows it.
    pub(crate) fn caller(&self, key: Option<(&str, &str)>) -> Result<Caller, Refusal> {
        let inner = self.lock();
        let world = &inner.world;
        let Some((key, region)) = key else {
            if world.switches.require_authorization {
                let text = "Missing Authentication Token";
                return Err(Refusal::new(403, "MissingAuthenticationTokenException", text));
            }
            return Ok(Caller { place: world.home.clone(), signed: false, session: None });
        };
        let digits = key.len() == 12 && key.bytes().all(|it| it.is_ascii_digit());
        let (account, session) = match (world.sessions.get(key), world.access_keys.get(key)) {
            (Some(it), _) => (it.account.clone(), Some((it.arn.clone(), it.id.clone()))),
            (None, Some(account)) => (account.clone(), None),
            (None, None) if !world.access_keys.is_empty() => {
                let text = "The security token included in the request is invalid.";
                return Err(Refusal::new(403, "UnrecognizedClientException", text));
            }
            (None, None) if digits => (key.to_owned(), None),
            (None, None) => (world.home.account.clone(), None),
        };
        let place = AccountRegion { account, region: region.to_owned() };
        Ok(Caller { place, signed: true, session })
    }

    /// One call from its arrival to its answer.
    pub(crate) async fn call(&self, caller: &Caller, request: &Request) -> Outcome {
        let target = dispatch::target(request, caller);
        let resource =
            names::resolve(request.label(0), request.query("Qualifier"), caller, request.operation);
        let id = self.arrive(request, target.as_deref());
        let (verdict, saw_none) = {
            let now = self.now().since_start;
            let mut guard = self.lock();
            let inner = &mut *guard;
            let place = resource.as_ref().map_or(&caller.place, |it| &it.place);
            let verdict = inner.weather.judge(request.operation, target.as_deref(), place, now);
            let saw_none = resource.as_ref().is_ok_and(|it| inner.world.policy(it).is_none());
            (verdict, saw_none)
        };
        if !verdict.delay.is_zero() {
            tokio::time::sleep(verdict.delay).await;
        }
        let outcome = match verdict.throttled {
            Some(it) => Outcome::Ruled(Err(it)),
            None => self.act(caller, request, resource.ok().as_ref(), verdict.fault, saw_none),
        };
        self.leave(id, &outcome);
        outcome
    }

    fn act(
        &self,
        caller: &Caller,
        request: &Request,
        resource: Option<&Resource>,
        fault: Option<Fault>,
        saw_none: bool,
    ) -> Outcome {
        let now = self.now();
        let world = &mut self.lock().world;
        let stale = fault.as_ref().is_some_and(|it| it.kind == Kind::Stale);
        let apply = |world: &mut World| {
            world.apply(request, caller, now, Circumstances { stale, saw_none })
        };
        let Some(fault) = fault else { return Outcome::Ruled(apply(world)) };
        let answer = |fault: &Fault| match fault.answer() {
            Ok(it) => Outcome::Raw(it),
            Err(it) => Outcome::Ruled(Err(it)),
        };
        let write = |world: &mut World| {
            let what = resource.zip(fault.change.as_ref());
            if let Some((resource, change)) = what {
                world.change(resource, change, now);
            }
        };
        match fault.kind {
            Kind::Error => answer(&fault),
            Kind::DropBefore => Outcome::Dropped,
            Kind::ErrorAfter => {
                // Whatever came of it, the client hears of the fault only.
                let _unheard = apply(world);
                answer(&fault)
            }
            Kind::DropAfter => {
                let _unheard = apply(world);
                Outcome::Dropped
            }
            Kind::WriterBefore => {
                write(world);
                Outcome::Ruled(apply(world))
            }
            Kind::WriterAfter => {
                let res = apply(world);
                write(world);
                Outcome::Ruled(res)
            }
            Kind::Stale | Kind::Delay => Outcome::Ruled(apply(world)),
        }
    }

    fn arrive(&self, request: &Request, target: Option<&str>) -> u64 {
        let time = self.now().wall.to_string();
        let mut inner = self.lock();
        let id = inner.next_id;
        inner.next_id = id.wrapping_add(1);
        let entry = LogEntry {
            time,
            operation: request.operation.name().to_owned(),
            target: target.map(str::to_owned),
            status: None,
            error: None,
            revision_id: dispatch::revision(request),
        };
        inner.log.push_back(Entry { id, entry });
        if inner.log.len() > LOG {
            inner.log.pop_front();
        }
        id
    }

    fn leave(&self, id: u64, outcome: &Outcome) {
        let (status, error) = match outcome {
            Outcome::Ruled(Ok(it)) => (Some(it.status), None),
            Outcome::Ruled(Err(it)) => (Some(it.status), Some(it.code.clone())),
            Outcome::Raw(it) => (Some(it.status), it.code.clone()),
            Outcome::Dropped => (None, None),
        };
        let mut inner = self.lock();
        if let Some(it) = inner.log.iter_mut().rev().find(|it| it.id == id) {
            (it.entry.status, it.entry.error) = (status, error);
        }
    }

    /// Refuses a call before it is one, and writes it down.
    pub(crate) fn turn_away(&self, request: &Request, refusal: Refusal) -> Outcome {
        let nobody = Caller { place: self.lock().world.home.clone(), signed: false, session: None };
        let id = self.arrive(request, dispatch::target(request, &nobody).as_deref());
        let outcome = Outcome::Ruled(Err(refusal));
        self.leave(id, &outcome);
        outcome
    }
}
