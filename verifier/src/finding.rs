//! What a step can find: every reason the verifier knows, with its facts.

use serde::Serialize;
use yinxin_pki::UnixSeconds;

use crate::report::{Status, Step, StepId, SubIndication, rfc3339};
use crate::seal_status::SealStanding;

/// One finding. In JSON, `code` names it and the other fields are its facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Finding {
    // ── Format ───────────────────────────────────────────────────────────────
    /// The signature dictionary breaks ISO 32000-2, 12.8.1.
    SignatureDictionaryBroken {
        /// The reader's stable reason.
        reason: &'static str,
        /// Its words.
        message: String,
    },
    /// The signature dictionary lies in an object stream, where /ByteRange cannot reach it.
    SignatureInObjectStream,
    /// /Contents is not one plain hexadecimal string: literal, odd, with white space, or with
    /// digits in both cases, so that its bytes could be altered without altering its value.
    ContentsNotPlain,
    /// Bytes other than zero follow the container inside /Contents.
    PaddingNotZero {
        /// Offset of the first, in bytes of the decoded /Contents.
        offset: usize,
    },
    /// The container is no seal signature and no CMS.
    ContainerUnknown,
    /// The container is broken.
    ContainerBroken {
        /// The reader's words.
        message: String,
    },
    /// A document time stamp; this version does not look into it.
    DocumentTimestampNotChecked,
    /// The versions inside a seal signature contradict each other.
    SealVersionsDiffer,

    // ── Coverage ─────────────────────────────────────────────────────────────
    /// /ByteRange does not have exactly four numbers.
    ByteRangeCount {
        /// How many it has.
        count: usize,
    },
    /// /ByteRange has a negative number, or one past the end of the file.
    ByteRangeOutOfFile,
    /// /ByteRange does not begin at the first byte of the file.
    ByteRangeStart {
        /// Where it begins.
        first: i64,
    },
    /// The two ranges overlap, or come in the wrong order.
    ByteRangeOverlap,
    /// The gap between the ranges is not exactly this signature's /Contents.
    ByteRangeGap {
        /// First byte of the gap.
        gap_start: u64,
        /// End of the gap.
        gap_end: u64,
        /// First byte of /Contents, the `<`.
        contents_start: u64,
        /// End of /Contents, after the `>`.
        contents_end: u64,
    },
    /// Parts of the signature dictionary lie outside the covered bytes.
    DictionaryNotCovered,
    /// The covered bytes do not end where a revision ends.
    RangeEndsInsideRevision {
        /// Where they end.
        end: u64,
    },
    /// The covered revision has another object in the place of this signature dictionary.
    SignatureFromOtherRevision,
    /// Bytes follow the last revision; they belong to nothing.
    BytesAfterLastRevision {
        /// How many.
        count: u64,
    },

    // ── Changes after ────────────────────────────────────────────────────────
    /// Only later signatures follow.
    LaterSignatures {
        /// The fields they are in.
        fields: Vec<String>,
    },
    /// A later signature is shown over this one, so that a reader may not see it whole.
    CoveredByLater {
        /// The field of the later signature.
        field: String,
        /// The page, from 1.
        page_number: usize,
    },
    /// Additions follow that alter no page; they were not analysed finer.
    LaterAdditions,
    /// The document was changed after this signature.
    ChangedAfterSigning {
        /// How many objects or entries differ unexplained.
        count: usize,
    },
    /// The comparison was stopped by a limit, or the signed revision cannot be read.
    ComparisonNotPossible {
        /// Why.
        message: String,
    },

    // ── Digest, algorithm, attributes, signature ─────────────────────────────
    /// The digest of the covered bytes is not the signed one.
    DigestMismatch {
        /// `SHA-256` or `SM3`.
        algorithm: &'static str,
    },
    /// The signed digest is that of nothing: a known fault of one producer.
    DigestOfNothing,
    /// The covered bytes were not hashed, because the coverage is wrong or a limit was reached.
    DigestNotComputed,
    /// The digest algorithm is not one we accept.
    DigestAlgorithmUnsupported {
        /// Its object identifier.
        oid: String,
    },
    /// The signature algorithm is not one we accept.
    SignatureAlgorithmUnsupported {
        /// Its object identifier.
        oid: String,
    },
    /// The signature algorithm has parameters that we do not accept.
    SignatureParametersRefused {
        /// Which and why.
        message: String,
    },
    /// The signature value was not tried, because its algorithm or its key is not one we accept.
    SignatureNotTried,
    /// Digest algorithm, signature algorithm and key do not fit together.
    AlgorithmsDiffer,
    /// An RSA key that is too short or has too small an exponent.
    KeyTooWeak {
        /// Bits of the modulus.
        bits: usize,
    },
    /// A CMS without exactly one signer.
    SignerCount {
        /// How many.
        count: usize,
    },
    /// The CMS carries its own content, which nobody reading the document sees.
    ContentInside,
    /// A CMS without signed attributes.
    SignedAttributesMissing,
    /// The signed attributes are not in DER order.
    SignedAttributesNotSorted,
    /// A signed attribute is missing, doubled or malformed.
    SignedAttributeBroken {
        /// Which and how.
        message: String,
    },
    /// The content type is not id-data.
    ContentTypeWrong {
        /// Its object identifier.
        oid: String,
    },
    /// The signature value does not verify.
    SignatureInvalid,
    /// The signature value verifies only under an empty SM2 identifier, which GM/T 0009 does not
    /// permit; OpenSSL makes such signatures unless told otherwise.
    SignatureUnderEmptyIdentifier,

    // ── Certificates ─────────────────────────────────────────────────────────
    /// The container does not hold the signer's certificate.
    SignerCertificateNotFound,
    /// A certificate in the container cannot be read.
    CertificateUnreadable {
        /// How many.
        count: usize,
    },
    /// A certificate in the container does not verify under the issuer it names.
    CertificateForged {
        /// Its subject.
        subject: String,
    },
    /// The signature does not say which certificate made it (signing-certificate-v2).
    SigningCertificateAttributeMissing,
    /// signing-certificate-v2 names another certificate.
    SigningCertificateAttributeDiffers,
    /// The key usage does not permit signing documents.
    KeyUsageUnfit {
        /// The certificate's subject.
        subject: String,
    },
    /// The path ends at this anchor.
    ChainFound {
        /// Its subject.
        anchor: String,
        /// Certificates in the path, signer and anchor included.
        certificates: usize,
    },
    /// No path leads to a configured anchor.
    ChainNotFound {
        /// The issuer that could not be found or trusted.
        issuer: String,
    },
    /// A certificate in the only path is not signed by the issuer it names.
    ChainSignatureInvalid {
        /// Its subject.
        subject: String,
    },
    /// A certificate in the path signed another one without being an authority.
    NotAnAuthority {
        /// Its subject.
        subject: String,
    },
    /// More authorities follow than a certificate in the path permits.
    PathTooLong {
        /// The subject of the certificate that limits it.
        subject: String,
    },
    /// A certificate in the path has a critical extension we do not know.
    CriticalExtensionUnknown {
        /// Its subject.
        subject: String,
        /// The object identifiers.
        oids: Vec<String>,
    },
    /// A certificate in the path has a key or signature that is too weak or unknown.
    ChainTooWeak {
        /// Its subject.
        subject: String,
    },
    /// A certificate in the path is outside its validity at the time of verification.
    CertificateNotValidNow {
        /// Its subject.
        subject: String,
        /// First moment of validity.
        #[serde(serialize_with = "rfc3339")]
        not_before: UnixSeconds,
        /// Last moment of validity.
        #[serde(serialize_with = "rfc3339")]
        not_after: UnixSeconds,
    },
    /// A certificate in the path was made for trials only.
    DevelopmentOnly {
        /// Its subject.
        subject: String,
    },
    /// The search for a path was stopped by its limit.
    ChainSearchLimit,

    // ── Revocation ───────────────────────────────────────────────────────────
    /// No certificate of the path is revoked.
    NotRevoked,
    /// A certificate of the path is revoked.
    CertificateRevoked {
        /// Its subject.
        subject: String,
        /// Since when.
        #[serde(serialize_with = "rfc3339")]
        since: UnixSeconds,
        /// The reason code of RFC 5280, 5.3.1.
        reason: Option<u8>,
    },
    /// A certificate of the path is suspended.
    CertificateOnHold {
        /// Its subject.
        subject: String,
    },
    /// No usable revocation list covers a certificate of the path.
    RevocationUnknown {
        /// Its subject.
        subject: String,
    },
    /// The revocation list at hand is out of date.
    RevocationListOutdated {
        /// The subject of the certificate it would cover.
        subject: String,
    },
    /// A revocation list at hand is not by the authority it names; it was ignored.
    RevocationListForged {
        /// The subject of the certificate it would cover.
        subject: String,
    },
    /// There is no path whose certificates could be looked up.
    RevocationWithoutChain,

    // ── Seal ─────────────────────────────────────────────────────────────────
    /// The signer's certificate is not among those the seal permits.
    SignerNotPermitted,
    /// The maker's signature over the seal does not verify.
    SealSignatureInvalid,
    /// The maker's certificate in the seal cannot be read.
    MakerCertificateUnreadable,
    /// The claimed time lies outside the seal's validity.
    SealNotValidThen {
        /// The claimed time.
        #[serde(serialize_with = "rfc3339")]
        at: UnixSeconds,
        /// validStart.
        #[serde(serialize_with = "rfc3339")]
        from: UnixSeconds,
        /// validEnd.
        #[serde(serialize_with = "rfc3339")]
        to: UnixSeconds,
    },
    /// The seal was still valid when the document was sealed, and has expired since.
    SealExpiredSince {
        /// validEnd.
        #[serde(serialize_with = "rfc3339")]
        to: UnixSeconds,
    },
    /// A critical extension of the seal or seal signature that we do not know.
    SealExtensionUnknown {
        /// Its object identifier.
        oid: String,
    },

    /// No status list at hand names this seal with this certificate.
    SealStatusUnknown,
    /// The status list of the seal's registry says that it is in force.
    SealInForce {
        /// The moment that the list speaks for.
        #[serde(serialize_with = "rfc3339")]
        as_of: UnixSeconds,
    },
    /// It said so, and is out of date.
    SealStatusListOutdated {
        /// Until when it could be relied on.
        #[serde(serialize_with = "rfc3339")]
        until: UnixSeconds,
    },
    /// The status list says that the seal is out of use, ended or lost.
    SealNotInForce {
        /// Which.
        state: SealStanding,
        /// From when on.
        #[serde(serialize_with = "rfc3339")]
        since: UnixSeconds,
        /// Why, as the registry has it.
        reason: String,
    },
    /// The registry's signer had recorded this very signature before that.
    SignatureRecordedBefore,

    // ── Time ─────────────────────────────────────────────────────────────────
    /// The time is the signer's claim; no time stamp proves it.
    TimeClaimedOnly,
    /// The signature claims no time.
    TimeMissing,
    /// The claimed time lies after the time of verification.
    TimeInFuture {
        /// The claimed time.
        #[serde(serialize_with = "rfc3339")]
        claimed: UnixSeconds,
    },
    /// The claimed time lies before the certificate's validity.
    TimeBeforeCertificate {
        /// First moment of validity.
        #[serde(serialize_with = "rfc3339")]
        not_before: UnixSeconds,
    },
    /// The claimed time lies after the certificate's validity.
    TimeAfterCertificate {
        /// Last moment of validity.
        #[serde(serialize_with = "rfc3339")]
        not_after: UnixSeconds,
    },
    /// The document names another signing time than the container.
    TimesDiffer {
        /// /M of the signature dictionary.
        #[serde(serialize_with = "rfc3339")]
        dictionary: UnixSeconds,
        /// The container's.
        #[serde(serialize_with = "rfc3339")]
        container: UnixSeconds,
    },

    // ── Not checked ──────────────────────────────────────────────────────────
    /// A time stamp is there; this version does not look into it.
    TimestampNotChecked,
    /// There is no time stamp.
    TimestampAbsent,
    /// OCSP answers and validation data inside the file are not used by this version.
    EmbeddedRevocationNotChecked,
}

/// A finding and what it does to the step it belongs to.
pub(crate) struct Judgement {
    pub(crate) status: Status,
    pub(crate) sub_indication: Option<SubIndication>,
    pub(crate) finding: Option<Finding>,
}

pub(crate) const fn passed() -> Judgement {
    Judgement {
        status: Status::Passed,
        sub_indication: None,
        finding: None,
    }
}

pub(crate) const fn passed_with(finding: Finding) -> Judgement {
    Judgement {
        status: Status::Passed,
        sub_indication: None,
        finding: Some(finding),
    }
}

pub(crate) const fn not_checked(finding: Finding) -> Judgement {
    Judgement {
        status: Status::NotChecked,
        sub_indication: None,
        finding: Some(finding),
    }
}

pub(crate) const fn warning(finding: Finding) -> Judgement {
    Judgement {
        status: Status::Warning,
        sub_indication: None,
        finding: Some(finding),
    }
}

pub(crate) const fn unclear(sub_indication: SubIndication, finding: Finding) -> Judgement {
    Judgement {
        status: Status::Indeterminate,
        sub_indication: Some(sub_indication),
        finding: Some(finding),
    }
}

pub(crate) const fn failed(sub_indication: SubIndication, finding: Finding) -> Judgement {
    Judgement {
        status: Status::Failed,
        sub_indication: Some(sub_indication),
        finding: Some(finding),
    }
}

/// The steps of one signature as they come in.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    /// Adds a judgement to its step.
    pub(crate) fn note(&mut self, id: StepId, judgement: Judgement) {
        let Judgement {
            status,
            sub_indication,
            finding,
        } = judgement;
        let index = match self.0.iter().position(|step| step.id == id) {
            Some(index) => index,
            None => {
                self.0.push(Step {
                    id,
                    status: Status::Passed,
                    sub_indication: None,
                    findings: Vec::new(),
                });
                self.0.len() - 1
            }
        };
        let step = self.0.get_mut(index).expect("the index was just found");
        // Of two findings of one weight the graver reason counts; a lighter one never hides it.
        if status > step.status {
            step.status = status;
            step.sub_indication = sub_indication;
        } else if status == step.status {
            step.sub_indication = step.sub_indication.max(sub_indication);
        }
        step.findings.extend(finding);
    }

    /// The steps in their order.
    pub(crate) fn finish(mut self) -> Vec<Step> {
        self.0.sort_by_key(|step| step.id);
        self.0
    }
}
