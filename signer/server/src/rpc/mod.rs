//! The services of yinxin.v1 that need a key.

mod licence;
mod placing;
mod sealing;
mod seals;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use yinxin_signer::profile::SealProfile;
use yinxin_signer::record::{Operation, RequestKey};
use yinxin_signer::road::Released;
use yinxin_signer::usage::UseClaim;

use crate::pipeline::{Begun, OpenRequest, on_a_thread};
use crate::reload::Current;
use crate::service::Service;
use crate::status::Refusal;
use crate::usage::{Permit, Subject};

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
struct Admitted {
    key: RequestKey,
    operation: Operation,
    body_sha256: [u8; 32],
    details: serde_json::Value,
    permit: Permit,
    profile: SealProfile,
    /// What the use is, for the log and for approvals.
    subject: Subject,
    /// Further seals on the same document, with their profiles and uses.
    further: Vec<(Permit, SealProfile, Subject)>,
}

impl Service {
    /// Runs `work` under the request's record, on a thread of its own: what was released before is
    /// given again, and a failed attempt is let go.
    async fn under_record<Work, Working>(
        self: &Arc<Self>,
        admitted: Admitted,
        work: Work,
    ) -> Result<Released, Refusal>
    where
        Work: FnOnce(Arc<Self>, Admitted, OpenRequest) -> Working + Send + 'static,
        Working: Future<Output = Result<Released, Refusal>> + Send,
    {
        let service = Arc::clone(self);
        // In a box: it is handed on from thread to thread, and is thousands of bytes.
        on_a_thread(Box::pin(
            async move { service.recorded(admitted, work).await },
        ))
        .await
    }

    async fn recorded<Work, Working>(
        self: &Arc<Self>,
        admitted: Admitted,
        work: Work,
    ) -> Result<Released, Refusal>
    where
        Work: FnOnce(Arc<Self>, Admitted, OpenRequest) -> Working + Send,
        Working: Future<Output = Result<Released, Refusal>> + Send,
    {
        let begun = self
            .begin(
                admitted.key.clone(),
                admitted.operation,
                admitted.body_sha256,
                admitted.details.to_string(),
            )
            .await?;
        let mut request = match begun {
            Begun::Again(released) => return Ok(*released),
            Begun::Proceed(request) => request,
        };
        // Not before: what was released is given again whatever became of seal and rules.
        let claimed = self.claims(&admitted);
        let key = request.key.clone();
        let (operation, profile) = (admitted.operation, admitted.profile);
        let done = match claimed {
            Ok(claims) => {
                request.uses = claims;
                work(Arc::clone(self), admitted, request).await
            }
            Err(refusal) => Err(refusal),
        };
        match &done {
            Ok(_) => self.figures.sealed(operation, profile),
            Err(refusal) => self.give_up(&key, refusal).await,
        }
        done
    }

    /// What the uses of all seals of a call are entered with.
    fn claims(&self, admitted: &Admitted) -> Result<Vec<UseClaim>, Refusal> {
        let Admitted {
            key,
            permit,
            profile,
            subject,
            further,
            ..
        } = admitted;
        let mut claims = vec![self.claim(permit, key, *profile, subject)?];
        for (permit, profile, subject) in further {
            let claim = self.claim(permit, key, *profile, subject)?;
            // A seal that is there twice is used once, at all its places.
            match (claims.iter_mut()).find(|known| known.claimed.seal == claim.claimed.seal) {
                Some(known) => known.add_certificates(&claim),
                None => claims.push(claim),
            }
        }
        Ok(claims)
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
