//! The road of a document: prepare → record intent → sign → self-check → record outcome and
//! release.
//!
//! Each step is a value that only the step before can make and that is spent on use, so that the
//! order cannot be got wrong: [`Prepared`] → [`Intended`] → [`Signed`] → [`SelfChecked`] →
//! [`Released`].

use ring::digest::{SHA256, digest};
use yinxin_pdf::{
    Certification, Document, FieldTarget, Limits, Note, Placement, PreparedUpdate,
    SignatureOptions, SignatureRequest,
};
use yinxin_pki::{DigestAlgorithm, UnixSeconds};
use yinxin_verifier::{
    HashedStart, Indication, Options, Report, SignatureReport, SubIndication, Trust,
};

use crate::error::SealError;
use crate::keys::KeyStore;
use crate::places::{self, Place, PlaceError};
use crate::plan::{self, SigningPlan};
use crate::prefix::PrefixDigests;
use crate::profile::{ContainerDraft, ProfileNames, SignatureProfile, container_bytes_max};
use crate::record::{Intent, IntentId, Record, RecordError, Release, RequestKey, SealedIntent};
use crate::seal::{Seal, SigningIdentity};
use crate::usage::{UseClaim, UseRefused};

/// What holds for every document: limits and names.
#[derive(Clone, Debug, Default)]
pub struct RoadSettings {
    /// Limits on the documents that come in.
    pub limits: Limits,
    /// /Filter and /SubFilter of the SM2 profiles.
    pub names: ProfileNames,
    /// The offset of local time from UTC in /M, in minutes: 480 for China.
    pub utc_offset_minutes: i16,
}

/// One signature asked for.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The seal to apply.
    pub seal: &'a Seal,
    /// How.
    pub profile: SignatureProfile,
    /// A new field, or an existing empty one.
    pub field: FieldTarget,
    /// Where.
    pub place: Place,
    /// What few orders need.
    pub wishes: Wishes,
    /// Why, as the document will say.
    pub reason: Option<String>,
    /// Where it was signed, as the document will say.
    pub location: Option<String>,
    /// The signing time.
    pub at: UnixSeconds,
}

/// What few orders need; the default is none of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// The seal may lie over the field of another one.
    pub may_overlap: bool,
    /// The seal may stick out of the page.
    pub may_leave_page: bool,
    /// The signature certifies the document; without a plan only.
    pub certification: Option<Certification>,
    /// The order makes the document's signing plan, which says the field.
    pub plan: Option<SigningPlan>,
}

/// Step 1: the update is written, its slot is empty, the digest is known.
#[derive(Debug)]
pub struct Prepared {
    target: Target,
    draft: ContainerDraft,
    facts: Facts,
}

#[derive(Debug)]
enum Target {
    Document(PreparedUpdate),
    Digest,
}

#[derive(Clone, Debug)]
struct Facts {
    seal_id: String,
    profile: SignatureProfile,
    identity: SigningIdentity,
    digest: Vec<u8>,
    at: UnixSeconds,
}

impl Facts {
    fn new(
        seal: &Seal,
        profile: SignatureProfile,
        digest: Vec<u8>,
        at: UnixSeconds,
    ) -> Result<Self, SealError> {
        let identity = seal.identity(profile)?.clone();
        Ok(Self {
            seal_id: seal.id.clone(),
            profile,
            identity,
            digest,
            at,
        })
    }
}

/// Prepares one signature on a document. `prefix` holds running digests over exactly the
/// document's bytes, when somebody has hashed them already.
///
/// # Errors
/// [`SealError::Document`] when the document or the place is refused; certificate and seal
/// validity; [`SealError::ProfileNotOffered`].
pub fn prepare(
    document_bytes: &[u8],
    prefix: Option<&PrefixDigests>,
    order: &Order<'_>,
    settings: &RoadSettings,
) -> Result<Prepared, SealError> {
    order.seal.check_validity(order.profile, order.at)?;
    let document = Document::open(document_bytes, settings.limits.clone())?;
    let names = settings.names.of(order.profile);
    let size_mm = [order.seal.width_mm, order.seal.height_mm];
    let placement = match &order.field {
        FieldTarget::New { .. } => {
            let may_leave_page = order.wishes.may_leave_page;
            places::resolve(&document, &order.place, size_mm, may_leave_page)?
        }
        // It keeps its own place.
        FieldTarget::Existing { .. } => Placement::Invisible { page_index: 0 },
    };
    let options = SignatureOptions {
        may_leave_page: order.wishes.may_leave_page,
        certification: order.wishes.certification,
        family: None,
    };
    let (field, options) = match &order.wishes.plan {
        Some(plan) => plan.begin(&document, &options)?,
        None => {
            plan::check_turn(&document, &order.field)?;
            (order.field.clone(), options)
        }
    };
    let update = yinxin_pdf::prepare(
        &document,
        &SignatureRequest {
            field,
            placement,
            appearance: order
                .place
                .is_visible()
                .then(|| order.seal.appearance.clone()),
            filter: names.filter,
            sub_filter: names.sub_filter,
            contents_bytes: container_bytes_max(order.seal, order.profile)?,
            signing_time: order.at.0,
            signing_offset_minutes: settings.utc_offset_minutes,
            name: order
                .seal
                .identity(order.profile)?
                .certificate
                .common_name()
                .map(|name| name.to_owned()),
            reason: order.reason.clone(),
            location: order.location.clone(),
            options,
        },
    )?;
    let overlapped = update.notes().iter().find_map(|note| match note {
        Note::OverlapsField { name } => Some(name.clone()),
        Note::NeedAppearances | Note::NotTagged => None,
    });
    if let Some(field) = overlapped.filter(|_| !order.wishes.may_overlap) {
        return Err(PlaceError::Overlaps { field }.into());
    }
    let digest = covered_digest(
        order.profile.digest_algorithm(),
        document_bytes,
        prefix,
        update.covered(document_bytes),
    );
    let [start, first, second, rest] = update.byte_range();
    let property_info = format!("ByteRange [{start} {first} {second} {rest}]");
    let facts = Facts::new(order.seal, order.profile, digest, order.at)?;
    let draft = ContainerDraft::new(
        order.seal,
        order.profile,
        &facts.digest,
        &property_info,
        order.at,
    )?;
    Ok(Prepared {
        target: Target::Document(update),
        draft,
        facts,
    })
}

/// Prepares one signature on a digest whose document stays with the caller.
///
/// # Errors
/// As [`prepare`], and [`SealError::DigestLength`].
pub fn prepare_digest(
    seal: &Seal,
    profile: SignatureProfile,
    digest: &[u8],
    property_info: &str,
    at: UnixSeconds,
) -> Result<Prepared, SealError> {
    seal.check_validity(profile, at)?;
    if digest.len() != 32 {
        return Err(SealError::DigestLength {
            bytes: digest.len(),
            algorithm: profile.digest_name(),
        });
    }
    let facts = Facts::new(seal, profile, digest.to_vec(), at)?;
    let draft = ContainerDraft::new(seal, profile, digest, property_info, at)?;
    Ok(Prepared {
        target: Target::Digest,
        draft,
        facts,
    })
}

/// The digest over the three covered parts, with the first taken from `prefix` when it fits.
fn covered_digest(
    algorithm: DigestAlgorithm,
    document_bytes: &[u8],
    prefix: Option<&PrefixDigests>,
    [original, before, after]: [&[u8]; 3],
) -> Vec<u8> {
    let known = prefix
        .filter(|prefix| {
            prefix.length() == document_bytes.len() as u64 && original.len() == document_bytes.len()
        })
        .and_then(|prefix| prefix.digest(algorithm, &[before, after]));
    known.unwrap_or_else(|| {
        let mut digester = algorithm.start();
        [original, before, after]
            .iter()
            .for_each(|part| digester.update(part));
        digester.finish()
    })
}

impl Prepared {
    /// Step 2: writes down what is about to be signed; with the first signature of a request also
    /// the uses of all its seals.
    ///
    /// # Errors
    /// [`NotRecorded`]: nothing was signed.
    pub async fn record_intent<R: Record>(
        self,
        record: &R,
        key: &RequestKey,
        attempt: u32,
        ordinal: u32,
        uses: &[UseClaim],
        now: UnixSeconds,
    ) -> Result<Intended, NotRecorded> {
        let intent = Intent {
            key: key.clone(),
            attempt,
            ordinal,
            seal_id: self.facts.seal_id.clone(),
            profile: self.facts.profile.name().to_owned(),
            certificate_sha256: self.facts.identity.certificate.sha256(),
            digest_algorithm: self.facts.profile.digest_name().to_owned(),
            digest: self.facts.digest.clone(),
            recorded_at: now,
        };
        match record.record_intent(&intent, uses).await {
            Ok(intent) => Ok(Intended {
                prepared: self,
                intent,
            }),
            Err(why) => Err(NotRecorded {
                prepared: Box::new(self),
                why,
            }),
        }
    }
}

/// What was not written down, so that it may be tried again with other claims.
#[derive(Debug)]
pub struct NotRecorded {
    /// What was to be signed.
    pub prepared: Box<Prepared>,
    /// Why it is not.
    pub why: UseRefused,
}

/// Step 2 done: the intent is durable, the key may be used.
#[derive(Debug)]
pub struct Intended {
    prepared: Prepared,
    intent: IntentId,
}

impl Intended {
    /// Step 3: uses the key, once.
    ///
    /// # Errors
    /// [`SealError::Keys`]; [`SealError::Document`] when the container does not fit its slot.
    pub fn sign(self, keys: &dyn KeyStore) -> Result<Signed, SealError> {
        let Prepared {
            target,
            draft,
            facts,
        } = self.prepared;
        let signature = keys.sign(&facts.identity.key, &draft.algorithm, &draft.message)?;
        let container = draft.assemble(&signature);
        let (tail, field) = match target {
            Target::Document(update) => {
                let field = update.field_name().to_owned();
                (update.finish(&container)?, Some(field))
            }
            Target::Digest => (Vec::new(), None),
        };
        Ok(Signed {
            tail,
            field,
            container,
            facts,
            intent: self.intent,
        })
    }
}

/// Step 3 done: a signature exists, and nobody outside may see it yet.
#[derive(Debug)]
pub struct Signed {
    tail: Vec<u8>,
    field: Option<String>,
    container: Vec<u8>,
    facts: Facts,
    intent: IntentId,
}

impl Signed {
    /// What has to be appended to the document for the self-check and for a further signature.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Step 4: our own verifier has accepted this very signature.
    ///
    /// # Errors
    /// [`SealError::SelfCheck`] with the verifier's words.
    pub fn self_check(self, check: &SelfCheck) -> Result<SelfChecked, SealError> {
        let refused = |why: String| Err(SealError::SelfCheck { why });
        let report = match (&self.field, &check.subject) {
            (Some(field), Subject::Document { report, .. }) => {
                match report
                    .signatures
                    .iter()
                    .find(|found| found.fields.contains(field))
                {
                    Some(found) => found,
                    None => return refused(format!("no signature was found in field {field}")),
                }
            }
            (
                None,
                Subject::Container {
                    report,
                    container_sha256,
                },
            ) => {
                if *container_sha256 != sha256(&self.container) {
                    return refused("another container was checked".to_owned());
                }
                report
            }
            (Some(_), Subject::Container { .. }) | (None, Subject::Document { .. }) => {
                return refused("the check was of another kind than the signature".to_owned());
            }
        };
        if !acceptable(report) {
            let report = serde_json::to_string(report).unwrap_or_default();
            return refused(report);
        }
        Ok(SelfChecked { signed: self })
    }
}

/// TOTAL-PASSED; or nothing against it but revocation information that is not at hand, which the
/// holder of a fresh certificate cannot mend.
fn acceptable(report: &SignatureReport) -> bool {
    match report.indication {
        Indication::TotalPassed => true,
        Indication::Indeterminate => report.sub_indication == Some(SubIndication::TryLater),
        Indication::TotalFailed => false,
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// What our own verifier says of a document or container before it is released. Only the
/// verifier's run makes one.
#[derive(Debug)]
pub struct SelfCheck {
    subject: Subject,
}

#[derive(Debug)]
enum Subject {
    Document {
        report: Box<Report>,
    },
    Container {
        report: Box<SignatureReport>,
        container_sha256: [u8; 32],
    },
}

impl SelfCheck {
    /// Verifies a whole sealed document. `start` is what the verifier has hashed of it so far,
    /// perhaps nothing; it must have read the bytes itself from where the document is kept.
    ///
    /// # Errors
    /// [`SealError::SelfCheck`] when the verifier cannot even look.
    pub fn of_document(
        start: &HashedStart,
        document: &[u8],
        trust: &Trust,
        options: &Options,
    ) -> Result<Self, SealError> {
        let report =
            yinxin_verifier::verify_from(start, document, trust, options).map_err(|error| {
                SealError::SelfCheck {
                    why: error.to_string(),
                }
            })?;
        Ok(Self {
            subject: Subject::Document {
                report: Box::new(report),
            },
        })
    }

    /// SHA-256 of the document that was looked at; none of a digest sealing.
    #[must_use]
    pub fn document_sha256(&self) -> Option<[u8; 32]> {
        match &self.subject {
            Subject::Document { report } => Some(report.document.sha256.0),
            Subject::Container { .. } => None,
        }
    }

    /// Verifies a digest sealing's container.
    #[must_use]
    pub fn of_container(signed: &Signed, trust: &Trust, options: &Options) -> Self {
        let report = yinxin_verifier::verify_container(
            &signed.container,
            &|_| signed.facts.digest.clone(),
            trust,
            options,
        );
        Self {
            subject: Subject::Container {
                report: Box::new(report),
                container_sha256: sha256(&signed.container),
            },
        }
    }
}

/// Step 4 done: our verifier agrees.
#[derive(Debug)]
pub struct SelfChecked {
    signed: Signed,
}

impl SelfChecked {
    /// What the caller is told.
    #[must_use]
    pub fn receipt(&self) -> SignatureReceipt {
        let Facts {
            seal_id,
            profile,
            identity,
            digest,
            at,
        } = &self.signed.facts;
        SignatureReceipt {
            seal_id: seal_id.clone(),
            profile: profile.name(),
            field: self.signed.field.clone(),
            certificate_sha256: identity.certificate.sha256(),
            digest_algorithm: profile.digest_name(),
            digest: digest.clone(),
            signed_at: *at,
        }
    }

    /// The container, which a digest sealing's release holds.
    #[must_use]
    pub fn container(&self) -> &[u8] {
        &self.signed.container
    }
}

/// What the caller is told of one signature.
#[derive(Clone, Debug)]
pub struct SignatureReceipt {
    /// The seal applied.
    pub seal_id: String,
    /// The profile's stable name.
    pub profile: &'static str,
    /// The signature field, for a document.
    pub field: Option<String>,
    /// SHA-256 of the signer's certificate.
    pub certificate_sha256: [u8; 32],
    /// The digest's name.
    pub digest_algorithm: &'static str,
    /// The digest of the covered bytes.
    pub digest: Vec<u8>,
    /// The signing time in the signature.
    pub signed_at: UnixSeconds,
}

/// Step 5: records what came of the intents and closes the request. Only what comes out of here
/// may leave the house.
///
/// # Errors
/// [`RecordError`]: nothing leaves.
pub async fn release<R: Record>(
    record: &R,
    key: &RequestKey,
    signatures: Vec<SelfChecked>,
    release: Release,
) -> Result<Released, RecordError> {
    if signatures.is_empty() {
        return Err(RecordError::Refused {
            rule: "a release has at least one self-checked signature",
        });
    }
    let sealed: Vec<SealedIntent> = signatures
        .iter()
        .map(|SelfChecked { signed }| SealedIntent {
            intent: signed.intent,
            container_sha256: sha256(&signed.container),
        })
        .collect();
    record.release(key, &release, &sealed).await?;
    Ok(Released {
        release,
        replayed: false,
    })
}

/// Step 5 done: this may leave, now and whenever the same request comes again.
#[derive(Debug)]
pub struct Released {
    release: Release,
    replayed: bool,
}

impl Released {
    /// What the record holds as released before.
    #[must_use]
    pub fn again(release: Release) -> Self {
        Self {
            release,
            replayed: true,
        }
    }

    /// What was released.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Whether it had been released before this call.
    #[must_use]
    pub fn replayed(&self) -> bool {
        self.replayed
    }
}
