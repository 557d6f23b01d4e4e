//! Who hears of every call to Lambda, and of every wait for its turn.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::lambda::{gateway::GatewayError, paced::Pace};

/// Hears of calls. It must not block.
pub trait Witness: Debug + Send + Sync {
    /// A call was answered, or was not, after this time; what it waited for its turn is not part of it.
    fn answered(
        &self,
        bucket: &'static str,
        operation: &'static str,
        error: Option<&GatewayError>,
        time: Duration,
    );
    /// A call waited so long for its turn in the budget.
    fn waited(&self, bucket: &'static str, time: Duration);
    /// There is a budget, of one account and region, and this is how fast it goes from now on.
    fn paced(&self, bucket: &'static str, pace: &Arc<Pace>) {
        let _ = (bucket, pace);
    }
}

impl GatewayError {
    /// The code in counters and traces: Lambda's own, else the HTTP status, else that there was no answer.
    pub fn code_name(&self) -> String {
        match (&self.code, self.status) {
            (Some(code), _) => code.clone(),
            (None, Some(status)) => status.to_string(),
            (None, None) => "NoAnswer".to_owned(),
        }
    }
}
