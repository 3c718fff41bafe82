//! One request on the road: the library's steps, driven with the store, the keys and the clock.
//!
//! All of it runs on one thread for each request, off the threads that serve the network
//! ([`on_a_thread`]): it hashes, signs and waits for the disk and for devices.

use std::sync::Arc;

use tokio::task::JoinHandle;
use yinxin_pdf::{FieldTarget, Placement};
use yinxin_pki::UnixSeconds;
use yinxin_proto::Bytes;
use yinxin_signer::error::SealError;
use yinxin_signer::places::Place;
use yinxin_signer::profile::{SealProfile, SignatureProfile};
use yinxin_signer::record::{
    LicenceRow, NewRequest, Opened, Operation, Record as _, Release, RequestKey,
};
use yinxin_signer::road::{
    self, Intended, Order, Prepared, Released, SelfCheck, SelfChecked, Signed, Wishes,
};
use yinxin_signer::seal::Seal;
use yinxin_signer::usage::{UseClaim, UseRefused};
use yinxin_store::{DocumentSpool, FolderError, StoredDocument};
use yinxin_verifier::Options;

use crate::figures::Stage;
use crate::receipt::Receipt;
use crate::service::Service;
use crate::status::Refusal;
use crate::steps::Step;

/// From this length on, the disk begins before the commit. Below it, the second sync would cost
/// more than it saves.
const FLUSH_BESIDE_BYTES: u64 = 4 * 1024 * 1024;

/// A succession is applied for, approved, made, filed and activated; each of these may come between
/// a look at the seal and the use of it.
const SUCCESSION_EVENTS: usize = 5;

const WORKER_ENDED: &str = "a worker thread ended early";

/// A request that is open in the record and ours to work on. Dropped without
/// [`OpenRequest::finish`], it stays open until the next start.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    pub(crate) key: RequestKey,
    pub(crate) attempt: u32,
    /// The time of the first attempt. A licence's number and the day on its face belong to it;
    /// a signing time never does, or a late retry would be dated back.
    pub(crate) first_opened_at: UnixSeconds,
    /// The uses of seals to be entered before their first intents.
    pub(crate) uses: Vec<UseClaim>,
}

/// What opening a request gave.
#[derive(Debug)]
pub(crate) enum Begun {
    Proceed(OpenRequest),
    Again(Box<Released>),
}

/// Where a seal of a request goes, and what the document will say of it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) field: FieldTarget,
    pub(crate) place: Place,
    pub(crate) wishes: Wishes,
    pub(crate) reason: Option<String>,
    pub(crate) location: Option<String>,
}

impl Site {
    /// Where the second signature of a dual sealing goes: invisible, beside the first.
    fn companion(&self) -> Self {
        let page_index = match &self.place {
            Place::At(placement) => placement.page_index(),
            Place::Pages { .. }
            | Place::Keyword(_)
            | Place::IssuerAndDate { .. }
            | Place::Seam(_) => 0,
        };
        Self {
            field: FieldTarget::New { name: None },
            place: Placement::Invisible { page_index }.into(),
            wishes: Wishes::default(),
            ..self.clone()
        }
    }
}

/// One seal of a request: what is applied, how and where.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) seal: Arc<Seal>,
    pub(crate) profile: SealProfile,
    pub(crate) site: Site,
}

impl Act {
    /// The signatures it is made of, and where each goes.
    fn signatures(&self) -> Vec<(SignatureProfile, Site)> {
        let mut sites = Vec::new();
        for signature in self.profile.signatures() {
            let site = match sites.is_empty() {
                true => self.site.clone(),
                false => self.site.companion(),
            };
            sites.push((*signature, site));
        }
        sites
    }
}

/// A document that our verifier has accepted; if it is long, it is in its folder.
#[derive(Debug)]
pub(crate) struct SealedDocument {
    pub(crate) stored: StoredDocument,
    pub(crate) signatures: Vec<SelfChecked>,
}

impl Service {
    pub(crate) async fn begin(
        &self,
        key: RequestKey,
        operation: Operation,
        body_sha256: [u8; 32],
        details_json: String,
    ) -> Result<Begun, Refusal> {
        let opened = self
            .record
            .open_request(&NewRequest {
                key: key.clone(),
                operation,
                body_sha256,
                details_json,
                opened_at: self.clock.now(),
                holder: self.holder.clone(),
            })
            .await?;
        match opened {
            Opened::Proceed {
                first_opened_at,
                attempt,
            } => {
                self.checkpoints.reached(Step::RequestOpened);
                Ok(Begun::Proceed(OpenRequest {
                    key,
                    attempt,
                    first_opened_at,
                    uses: Vec::new(),
                }))
            }
            Opened::Released(release) => Ok(Begun::Again(Box::new(Released::again(*release)))),
            Opened::InFlight => Err(Refusal::InFlight),
            Opened::DifferentBody => Err(Refusal::DifferentBody),
        }
    }

    /// Lets go of a request whose attempt failed; the caller may try again.
    pub(crate) async fn give_up(&self, key: &RequestKey, refusal: &Refusal) {
        let given_up = self
            .record
            .give_up(key, refusal.reason(), self.clock.now())
            .await;
        if let Err(error) = given_up {
            tracing::error!(?error, "a failed request stays open until the next start");
        }
    }

    /// Seals the document in `spool`, for each act once for each signature of its profile, checks
    /// the result and, if it is long, puts it into its folder.
    pub(crate) async fn seal_document(
        &self,
        request: &OpenRequest,
        acts: &[Act],
        mut spool: DocumentSpool,
    ) -> Result<SealedDocument, Refusal> {
        let flushing = flush_beside(&spool)?;
        let signatures: Vec<_> = acts
            .iter()
            .flat_map(|act| act.signatures().into_iter().map(|one| (&*act.seal, one)))
            .collect();
        let mut left = signatures.into_iter().zip(0..).peekable();
        let mut signed = Vec::new();
        while let Some(((seal, (profile, site)), ordinal)) = left.next() {
            let one = self
                .sign_once(request, seal, profile, site, ordinal, &spool)
                .await?;
            match left.peek() {
                Some(_) => spool.append(one.tail())?,
                None => spool.append_last(one.tail())?,
            }
            self.checkpoints.reached(Step::Signed);
            signed.push(one);
        }
        let (sha256, signatures) = self.self_check(&spool, signed)?;
        if let Some(flushing) = flushing {
            flushing
                .await
                .map_err(|_| Refusal::Internal { what: WORKER_ENDED })??;
        }
        let storing = self.figures.start(Stage::Store);
        let stored = spool.commit(sha256)?;
        storing.observe_duration();
        self.checkpoints.reached(Step::DocumentStored);
        Ok(SealedDocument { stored, signatures })
    }

    async fn sign_once(
        &self,
        request: &OpenRequest,
        seal: &Seal,
        profile: SignatureProfile,
        site: Site,
        ordinal: u32,
        spool: &DocumentSpool,
    ) -> Result<Signed, Refusal> {
        let order = Order {
            seal,
            profile,
            field: site.field,
            place: site.place,
            wishes: site.wishes,
            reason: site.reason,
            location: site.location,
            at: self.clock.now(),
        };
        let preparing = self.figures.start(Stage::Prepare);
        let prepared = road::prepare(&spool.map()?, Some(spool.digests()), &order, &self.settings)?;
        preparing.observe_duration();
        self.checkpoints.reached(Step::Prepared);
        let intended = self.record_intent(request, prepared, ordinal).await?;
        let signing = self.figures.start(Stage::Sign);
        let signed = intended.sign(&self.keys.router)?;
        signing.observe_duration();
        Ok(signed)
    }

    /// Records what is about to be signed; with the first signature, the uses of all seals, too.
    async fn record_intent(
        &self,
        request: &OpenRequest,
        mut prepared: Prepared,
        ordinal: u32,
    ) -> Result<Intended, Refusal> {
        let now = self.clock.now();
        let mut uses: Vec<UseClaim> = match ordinal {
            0 => request
                .uses
                .iter()
                .map(|claim| UseClaim {
                    at: now,
                    ..claim.clone()
                })
                .collect(),
            _ => Vec::new(),
        };
        let (key, attempt) = (&request.key, request.attempt);
        let mut attempts_left = 1 + SUCCESSION_EVENTS * uses.len();
        loop {
            let recording = prepared.record_intent(&self.record, key, attempt, ordinal, &uses, now);
            let refused = match self.figures.time(Stage::Record, recording).await {
                Ok(intended) => {
                    self.checkpoints.reached(Step::IntentRecorded);
                    return Ok(intended);
                }
                Err(refused) => refused,
            };
            attempts_left -= 1;
            let UseRefused::SealChanged { .. } = &refused.why else {
                return Err(refused.why.into());
            };
            self.read_seals_again().await?;
            if attempts_left == 0 || !self.ends_on_predecessors(&mut uses) {
                return Err(refused.why.into());
            }
            prepared = *refused.prepared;
        }
    }

    /// SHA-256 of the document, and its signatures, as our verifier has found both.
    fn self_check(
        &self,
        spool: &DocumentSpool,
        signed: Vec<Signed>,
    ) -> Result<([u8; 32], Vec<SelfChecked>), Refusal> {
        let _checking = self.figures.start(Stage::SelfCheck);
        let check = SelfCheck::of_document(
            spool.read_back(),
            &spool.map()?,
            &self.trust,
            &self.self_check_options(),
        )?;
        let checked = signed
            .into_iter()
            .map(|one| one.self_check(&check))
            .collect::<Result<Vec<_>, SealError>>()?;
        self.checkpoints.reached(Step::SelfChecked);
        let sha256 = check.document_sha256().ok_or(Refusal::Internal {
            what: "a document's self-check has no digest",
        })?;
        Ok((sha256, checked))
    }

    /// Seals a digest whose document stays with the caller.
    pub(crate) async fn seal_digest(
        &self,
        request: &OpenRequest,
        seal: &Seal,
        profile: SignatureProfile,
        digest: &[u8],
        field_name: &str,
    ) -> Result<SelfChecked, Refusal> {
        let prepared = road::prepare_digest(
            seal,
            profile,
            digest,
            &property_info(field_name),
            self.clock.now(),
        )?;
        self.checkpoints.reached(Step::Prepared);
        let intended = self.record_intent(request, prepared, 0).await?;
        let signing = self.figures.start(Stage::Sign);
        let signed = intended.sign(&self.keys.router)?;
        signing.observe_duration();
        self.checkpoints.reached(Step::Signed);
        let _checking = self.figures.start(Stage::SelfCheck);
        let check = SelfCheck::of_container(&signed, &self.trust, &self.self_check_options());
        let checked = signed.self_check(&check)?;
        self.checkpoints.reached(Step::SelfChecked);
        Ok(checked)
    }

    /// Closes the request; only what this gives back may leave.
    pub(crate) async fn release(
        &self,
        request: &OpenRequest,
        signatures: Vec<SelfChecked>,
        stored: Option<&StoredDocument>,
        licence: Option<LicenceRow>,
    ) -> Result<Released, Refusal> {
        let now = self.clock.now();
        let receipt = Receipt::new(&request.key.request_id, now, stored, &signatures);
        let container = match (stored, signatures.as_slice()) {
            (None, [only]) => Some(only.container().to_vec()),
            _ => None,
        };
        let release = Release {
            document_sha256: stored.map(|stored| stored.sha256),
            document: stored.and_then(|stored| stored.short.clone()),
            container,
            receipt_json: receipt.to_json(),
            licence,
            released_at: now,
        };
        let releasing = road::release(&self.record, &request.key, signatures, release);
        let released = self.figures.time(Stage::Record, releasing).await?;
        tracing::info!(
            department = %request.key.caller,
            request_id = %request.key.request_id,
            attempt = request.attempt,
            "released"
        );
        self.checkpoints.reached(Step::Released);
        Ok(released)
    }

    /// A released document's bytes.
    pub(crate) async fn released_document(
        self: &Arc<Self>,
        release: &Release,
    ) -> Result<Bytes, Refusal> {
        if let Some(document) = &release.document {
            return Ok(document.clone());
        }
        let sha256 = release.document_sha256.ok_or(Refusal::Internal {
            what: "a document's release has no document",
        })?;
        let service = Arc::clone(self);
        let document =
            blocking(move || Ok::<_, Refusal>(service.documents.get(&sha256)?)).await??;
        Ok(Bytes::from_owner(document))
    }

    /// The self-check looks at what was just made, so it looks at it now.
    fn self_check_options(&self) -> Options {
        Options {
            limits: self.settings.limits.clone(),
            ..Options::at(self.clock.now())
        }
    }
}

/// What a seal signature says it protects when the document is not ours to see: the field's name,
/// in the ASCII that propertyInfo demands.
fn property_info(field_name: &str) -> String {
    let name: String = field_name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(48)
        .collect();
    format!("Field {name}")
}

/// Sets the disk to work on a long upload while it is prepared, signed and checked. Its answer
/// belongs before the commit: see [`yinxin_store::Flusher::flush`].
fn flush_beside(
    spool: &DocumentSpool,
) -> Result<Option<JoinHandle<Result<(), FolderError>>>, FolderError> {
    if spool.length() < FLUSH_BESIDE_BYTES {
        return Ok(None);
    }
    let flusher = spool.flusher()?;
    Ok(flusher.map(|flusher| tokio::task::spawn_blocking(move || flusher.flush())))
}

/// Runs a request's work on one thread of its own, which waits where the work waits. What hashes,
/// signs and waits for devices then needs no thread besides, and the threads that serve the
/// network stay free.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let runtime = tokio::runtime::Handle::current();
    blocking(move || runtime.block_on(work)).await?
}

/// Runs work that hashes, signs or reads a disk off the threads that serve the network.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, Refusal>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Refusal::Internal { what: WORKER_ENDED })
}
