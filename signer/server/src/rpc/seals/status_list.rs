//! The status list of seals, for verifiers that do not ask the registry.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use tokio_stream::Stream;
use tonic::Status;
use yinxin_pki::UnixSeconds;
use yinxin_proto::{Bytes, v1};
use yinxin_verifier::{SealStanding, SealStatusEntry, SealStatusList};

use crate::service::Service;
use crate::status::Refusal;

/// How much of the file goes into one message.
const CHUNK_BYTES: usize = 256 * 1024;

/// How long verifiers rely on a list when nobody says.
const DAYS: u32 = 7;
const DAYS_MAX: u32 = 31;

/// Signatures on a list: what a verifier reads has 64 MiB at most.
const SIGNATURES_MAX: usize = 800_000;

/// Signatures read from the record at a time.
const PAGE: u32 = 10_000;

pub(super) type Chunks =
    Pin<Box<dyn Stream<Item = Result<v1::ExportSealStatusResponse, Status>> + Send>>;

pub(super) async fn export(
    service: Arc<Service>,
    caller: String,
    request: v1::ExportSealStatusRequest,
) -> Result<Chunks, Refusal> {
    service.anybody(&caller)?;
    let days = match request.valid_days {
        0 => DAYS,
        given if given <= DAYS_MAX => given,
        given => {
            return Err(Refusal::Limit {
                limit: "valid_days",
                value: u64::from(given),
                max: u64::from(DAYS_MAX),
            });
        }
    };
    let as_of = service.clock.now();
    let mut entries = Vec::new();
    let mut signatures = 0;
    for entry in service.seals.all() {
        let application = entry.record().application();
        for standing in entry.record().standings_at(as_of) {
            let recorded = if standing.standing == SealStanding::Active {
                Vec::new()
            } else {
                service
                    .recorded_until(&application.code, standing.since)
                    .await?
            };
            // A line for each seal object; one that was made elsewhere may have an esID of its own.
            let mut certificates: BTreeMap<&str, Vec<[u8; 32]>> = BTreeMap::new();
            for (es_id, certificate) in &standing.signers {
                certificates.entry(es_id).or_default().push(*certificate);
            }
            signatures += recorded.len() * certificates.len();
            if signatures > SIGNATURES_MAX {
                return Err(Refusal::Limit {
                    limit: "recorded signatures of seals that ended",
                    value: signatures as u64,
                    max: SIGNATURES_MAX as u64,
                });
            }
            for (es_id, certificates) in certificates {
                entries.push(SealStatusEntry::new(
                    [es_id, &application.name],
                    (standing.standing, standing.since, &standing.reason),
                    certificates,
                    recorded.iter().copied(),
                ));
            }
        }
    }
    let until = UnixSeconds(as_of.0.saturating_add(i64::from(days) * 86_400));
    let list = SealStatusList::new(as_of, until, entries).map_err(|error| {
        tracing::error!(%error, "the registry makes no status list");
        Refusal::Internal {
            what: "the registry makes no status list",
        }
    })?;
    let file = Bytes::from(list.to_json());
    let chunks = (0..file.len()).step_by(CHUNK_BYTES).map(move |start| {
        let end = file.len().min(start + CHUNK_BYTES);
        Ok(v1::ExportSealStatusResponse {
            chunk: file.slice(start..end),
        })
    });
    Ok(Box::pin(tokio_stream::iter(chunks)))
}

impl Service {
    /// The signatures recorded under a seal until a moment.
    async fn recorded_until(
        &self,
        seal: &str,
        until: UnixSeconds,
    ) -> Result<Vec<[u8; 32]>, Refusal> {
        let mut all = Vec::new();
        let mut after = 0;
        loop {
            let page = self
                .record
                .recorded_signatures(seal, until, after, PAGE)
                .await?;
            match page.last() {
                Some((last, _)) if all.len() <= SIGNATURES_MAX => after = *last,
                Some(_) | None => return Ok(all),
            }
            all.extend(page.into_iter().map(|(_, sha256)| sha256));
        }
    }
}
