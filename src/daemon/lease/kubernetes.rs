//! The Lease at the API server. Nothing else names kube's types.

use std::{
    error::Error,
    fmt,
    sync::{Mutex, PoisonError},
};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, Config, api::PostParams};

use crate::daemon::lease::{
    LeaseName,
    election::{Answer, Record},
    keep::LeaseApi,
};

/// One Lease, over the connection of a client.
pub struct KubernetesLease {
    api: Api<Lease>,
    name: String,
    /// As it was read or written last: what others have put into it is left there.
    last: Mutex<Option<Lease>>,
}

impl fmt::Debug for KubernetesLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubernetesLease").field("name", &self.name).finish_non_exhaustive()
    }
}

impl KubernetesLease {
    /// The cluster of the kubeconfig, else the one that this pod is in. Nothing is asked yet.
    pub async fn new(name: &LeaseName) -> Result<Self, String> {
        let mut config = Config::infer().await.map_err(|it| said(&it))?;
        // The election knows best when to ask again: a write that is repeated unseen would conflict with itself.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|it| said(&it))?;
        let api = Api::namespaced(client, &name.namespace);
        Ok(Self { api, name: name.name.clone(), last: Mutex::new(None) })
    }

    fn learned(&self, answer: Result<Lease, kube::Error>) -> Answer {
        match answer {
            Ok(lease) => {
                let record = record(&lease);
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
                Answer::Is(record)
            }
            Err(kube::Error::Api(status)) => match status.code {
                404 => Answer::Missing,
                409 => Answer::Conflict,
                code => Answer::Failed(format!("{code} {}: {}", status.reason, status.message)),
            },
            Err(error) => Answer::Failed(said(&error)),
        }
    }

    /// The record in an object: the one that was read, if it is still that one.
    fn object(&self, record: &Record) -> Lease {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let same = |it: &Lease| it.metadata.resource_version.as_ref() == Some(&record.version);
        let mut lease = last.filter(same).unwrap_or_else(|| Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: None,
        });
        lease.metadata.resource_version = Some(record.version.clone()).filter(|it| !it.is_empty());
        lease.metadata.managed_fields = None;
        let spec = lease.spec.get_or_insert_with(LeaseSpec::default);
        spec.holder_identity = Some(record.holder.clone());
        spec.lease_duration_seconds = Some(record.seconds);
        spec.acquire_time = record.acquired.map(MicroTime);
        spec.renew_time = record.renewed.map(MicroTime);
        spec.lease_transitions = Some(record.transitions);
        lease
    }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    Record {
        holder: spec.holder_identity.unwrap_or_default(),
        seconds: spec.lease_duration_seconds.unwrap_or_default(),
        acquired: spec.acquire_time.map(|it| it.0),
        renewed: spec.renew_time.map(|it| it.0),
        transitions: spec.lease_transitions.unwrap_or_default(),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}

/// An error and what is behind it, each said once.
fn said(error: &dyn Error) -> String {
    let mut res = error.to_string();
    let mut next = error.source();
    while let Some(it) = next {
        let cause = it.to_string();
        if !res.contains(&cause) {
            res = format!("{res}: {cause}");
        }
        next = it.source();
    }
    res
}

impl LeaseApi for KubernetesLease {
    async fn get(&self) -> Answer {
        self.learned(self.api.get(&self.name).await)
    }

    async fn create(&self, record: &Record) -> Answer {
        self.learned(self.api.create(&PostParams::default(), &self.object(record)).await)
    }

    async fn replace(&self, record: &Record) -> Answer {
        self.learned(
            self.api.replace(&self.name, &PostParams::default(), &self.object(record)).await,
        )
    }
}
