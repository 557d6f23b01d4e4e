//! How urgent the reads are that the daemon asks for.

use super::*;
use crate::lambda::gateway::{GatewayError, LivePolicy, PolicyReader, Put, Receipt, Urgency};
use crate::policy::grant::Permission;

/// Remembers how urgent each read is.
struct Heeding {
    inner: Direct,
    reads: Mutex<Vec<(Urgency, String)>>,
}

impl PolicyReader for Heeding {
    async fn get_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.inner.get_policy(target).await
    }

    async fn get_policy_as(
        &self,
        target: &Target,
        urgency: Urgency,
    ) -> Result<LivePolicy, GatewayError> {
        self.reads.lock().unwrap().push((urgency, target.short_name()));
        self.inner.get_policy(target).await
    }

    async fn get_resource_policy(&self, target: &Target) -> Result<LivePolicy, GatewayError> {
        self.inner.get_resource_policy(target).await
    }

    async fn function_exists(&self, target: &Target) -> Result<(), GatewayError> {
        self.inner.function_exists(target).await
    }
}

impl PolicyGateway for Heeding {
    async fn add_permission(
        &self,
        target: &Target,
        sid: &str,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<Receipt, GatewayError> {
        self.inner.add_permission(target, sid, permission, revision).await
    }

    async fn remove_permission(
        &self,
        target: &Target,
        sid: &str,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.inner.remove_permission(target, sid, revision).await
    }

    async fn put_policy(
        &self,
        target: &Target,
        document: &str,
        revision: &str,
    ) -> Result<Put, GatewayError> {
        self.inner.put_policy(target, document, revision).await
    }

    async fn delete_policy(
        &self,
        target: &Target,
        revision: &str,
    ) -> Result<Receipt, GatewayError> {
        self.inner.delete_policy(target, revision).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_repaired_and_what_has_changed_goes_before_the_full_pass() {
    let simulator =
        simulator(&json!([function("f", &[]), function("g", &[statement("g", "a", "a")])]));
    let heeding = Heeding { inner: simulator.direct(), reads: Mutex::default() };
    let second = loaded(&TWO.replacen("a, principal", "b, principal", 1));
    let reads = || {
        let mut reads = std::mem::take(&mut *heeding.reads.lock().unwrap());
        reads.sort();
        reads
    };
    let read = |urgency, name: &str| (urgency, name.to_owned());
    beside_gateway(&heeding, &Monitor::default(), loaded(TWO), vec![second], async |hangup| {
        sleep(10.0).await;
        let first = [Urgency::Sweep, Urgency::Sweep].into_iter().zip(["f", "g"]);
        let mut expected = vec![read(Urgency::Repair, "f")];
        expected.extend(first.map(|(urgency, name)| read(urgency, name)));
        assert_eq!(reads(), expected, "f is read again after its statement was added");
        hangup.send(HANGUP).unwrap();
        sleep(10.0).await;
        let reads = reads();
        assert!(reads.len() > 1 && reads.iter().all(|it| it.0 == Urgency::Repair), "{reads:?}");
        assert!(reads.iter().all(|it| it.1 == "f"), "{reads:?}");
    })
    .await;
}
