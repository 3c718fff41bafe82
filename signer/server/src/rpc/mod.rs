//! The services of yinxin.v1 that need a key.

mod licence;
mod sealing;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use yinxin_signer::profile::SealProfile;
use yinxin_signer::record::{Operation, RequestKey};
use yinxin_signer::road::Released;

use crate::pipeline::{Begun, OpenRequest};
use crate::reload::Current;
use crate::service::{HeldSeal, Service};
use crate::status::Refusal;

/// The services' one handle.
#[derive(Clone)]
pub(crate) struct Rpc(pub(crate) Arc<Current>);

impl Rpc {
    /// The service of this moment, for one call from its beginning to its end.
    fn service(&self) -> Arc<Service> {
        self.0.service()
    }
}

/// A call that has passed its checks and may open its request in the record.
struct Admitted<'a> {
    key: RequestKey,
    operation: Operation,
    body_sha256: [u8; 32],
    details: serde_json::Value,
    held: &'a HeldSeal,
    profile: SealProfile,
}

impl Service {
    /// A department's right to a seal, and the seal.
    fn authorise(
        &self,
        department: &str,
        operation: Operation,
        seal_id: &str,
    ) -> Result<&HeldSeal, Refusal> {
        self.departments.authorise(department, operation, seal_id)?;
        self.seals.get(seal_id).ok_or(Refusal::Internal {
            what: "a granted seal is not held",
        })
    }

    /// Runs `work` under the request's record: what was released before is given again, and a
    /// failed attempt is let go.
    async fn under_record<'a, Work, Working>(
        self: &'a Arc<Self>,
        admitted: Admitted<'a>,
        work: Work,
    ) -> Result<Released, Refusal>
    where
        Work: FnOnce(Admitted<'a>, Arc<OpenRequest>) -> Working,
        Working: Future<Output = Result<Released, Refusal>>,
    {
        let begun = self
            .begin(
                admitted.key.clone(),
                admitted.operation,
                admitted.body_sha256,
                admitted.details.to_string(),
            )
            .await?;
        let request = match begun {
            Begun::Again(released) => return Ok(*released),
            Begun::Proceed(request) => Arc::new(request),
        };
        let done = work(admitted, Arc::clone(&request)).await;
        if let Err(refusal) = &done {
            self.give_up(&request.key, refusal).await;
        }
        done
    }

    /// Spends at most the request's time on `work`. The work itself goes on in its own task, so
    /// that a caller who hangs up never leaves a half-recorded request.
    async fn within_time<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let seconds = self.limits.request_seconds_max;
        match tokio::time::timeout(Duration::from_secs(seconds), tokio::spawn(work)).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Refusal::Internal {
                what: "a task ended early",
            }),
            Err(_) => Err(Refusal::TooSlow { seconds }),
        }
    }
}
