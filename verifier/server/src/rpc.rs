//! VerificationService.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus::{Histogram, IntCounterVec};
use tokio::sync::{Semaphore, TryAcquireError};
use tonic::{Request, Response, Status, Streaming};
use yinxin_edge::Metrics;
use yinxin_pdf::Limits;
use yinxin_pki::UnixSeconds;
use yinxin_proto::v1;
use yinxin_proto::v1::verification_service_server::VerificationService;
use yinxin_spool::{Mapped, Spool};
use yinxin_verifier::{Language, Options, Report, Trust};

use crate::config::{Config, LimitsConfig};
use crate::refusal::Refusal;
use crate::{StartError, report, upload};

/// The moments a caller may verify at: the years 1950 to 9999, as X.509 can write them
/// (RFC 5280, 4.1.2.5).
const AT_SECONDS: std::ops::RangeInclusive<i64> = -631_152_000..=253_402_300_799;

/// The service's one handle.
#[derive(Clone, Debug)]
pub(crate) struct Rpc(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trust: Arc<Trust>,
    spool: PathBuf,
    limits: LimitsConfig,
    uploads: Semaphore,
    looking: Arc<Semaphore>,
    verdicts: IntCounterVec,
    seconds: Histogram,
}

impl Rpc {
    pub(crate) fn new(
        config: &Config,
        trust: Arc<Trust>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let spool = config.spool.clone().unwrap_or_else(std::env::temp_dir);
        // Better now than at the first document.
        drop(Spool::anonymous(&spool, 0)?);
        let limits = config.limits;
        Ok(Self(Arc::new(Inner {
            trust,
            spool,
            limits,
            uploads: Semaphore::new(limits.concurrent_uploads_max),
            looking: Arc::new(Semaphore::new(limits.concurrent_documents_max)),
            verdicts: metrics.counters(
                "yinxin_verifications_total",
                "Documents verified, by indication (ETSI EN 319 102-1).",
                &["indication"],
            ),
            seconds: metrics.duration(
                "yinxin_verification_seconds",
                "Time of looking at a document, the wait for a place included; the upload is not.",
            ),
        })))
    }
}

#[tonic::async_trait]
impl VerificationService for Rpc {
    async fn verify_document(
        &self,
        request: Request<Streaming<v1::VerifyDocumentRequest>>,
    ) -> Result<Response<v1::VerifyDocumentResponse>, Status> {
        let seconds = self.0.limits.request_seconds_max;
        let work = self.0.verify_document(request.into_inner());
        match tokio::time::timeout(Duration::from_secs(seconds), work).await {
            Ok(done) => Ok(Response::new(done?)),
            Err(_) => Err(Refusal::TooSlow { seconds }.into()),
        }
    }
}

impl Inner {
    async fn verify_document(
        &self,
        mut stream: Streaming<v1::VerifyDocumentRequest>,
    ) -> Result<v1::VerifyDocumentResponse, Refusal> {
        let _upload = self.uploads.try_acquire().map_err(|error| match error {
            TryAcquireError::NoPermits => Refusal::Busy,
            TryAcquireError::Closed => Refusal::Internal {
                what: "a semaphore was closed",
            },
        })?;
        let started = Instant::now();
        let header = upload::header(&mut stream).await?;
        let at = moment(header.at)?;
        let language = language(header.language)?;
        let max = self.limits.document_bytes_max;
        let document =
            upload::document(&mut stream, &self.spool, header.document_bytes, max).await?;
        let received = started.elapsed();
        let document_bytes = document.len();
        let report = self.look(document, at).await?;
        let looked = started.elapsed() - received;
        self.seconds.observe(looked.as_secs_f64());
        let verdict = report.indication.code();
        self.verdicts.with_label_values(&[verdict]).inc();
        tracing::info!(
            document_bytes,
            signatures = report.signatures.len(),
            indication = verdict,
            received_ms = received.as_millis(),
            looked_ms = looked.as_millis(),
            "a document was verified"
        );
        report::response(&report, language)
    }

    /// Looks at the document on a thread of its own. The work goes on when the caller
    /// hangs up, and keeps its permit: the limit is on what is done, not on who waits.
    async fn look(&self, document: Mapped, at: UnixSeconds) -> Result<Report, Refusal> {
        let permit = Arc::clone(&self.looking)
            .acquire_owned()
            .await
            .map_err(|_| Refusal::Internal {
                what: "a semaphore was closed",
            })?;
        let trust = Arc::clone(&self.trust);
        let options = Options {
            limits: Limits {
                file_bytes_max: self.limits.document_bytes_max,
                pages_max: self.limits.pages_max,
                objects_max: self.limits.objects_max,
                ..Limits::default()
            },
            ..Options::at(at)
        };
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            yinxin_verifier::verify(&document, &trust, &options)
        })
        .await
        .map_err(|_| Refusal::Internal {
            what: "a worker thread ended early",
        })?
        .map_err(Refusal::from)
    }
}

fn moment(at: Option<yinxin_proto::Timestamp>) -> Result<UnixSeconds, Refusal> {
    let seconds = match at {
        Some(at) => at.seconds,
        None => now(),
    };
    match AT_SECONDS.contains(&seconds) {
        true => Ok(UnixSeconds(seconds)),
        false => Err(Refusal::Field {
            field: "at",
            rule: "must lie in the years 1950 to 9999",
        }),
    }
}

/// The machine's clock: the one place of this service that reads it for a report.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn language(language: i32) -> Result<Language, Refusal> {
    match v1::Language::try_from(language) {
        Ok(v1::Language::Unspecified | v1::Language::Chinese) => Ok(Language::Chinese),
        Ok(v1::Language::English) => Ok(Language::English),
        Err(_) => Err(Refusal::Field {
            field: "language",
            rule: "must be a known language",
        }),
    }
}
