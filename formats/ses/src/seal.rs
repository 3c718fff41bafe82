//! The seal: what it says, and its maker's signature.

use std::{borrow::Cow, ops::Range, sync::Arc};

use yinxin_pki::{
    DigestAlgorithm, Memory, UnixSeconds,
    tlv::{self, Element},
};

use crate::verify::{self, Held};
use crate::{Limits, SesError, gbt38540, gmt0031, read};

/// Seals read before, as they stand in seal signatures: 8 MiB at most, and their parts once more.
static READ_BEFORE: Memory<Arc<Seal>> = Memory::new(64, 128 * 1024, |seal| seal.raw());

/// Which layout an object has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SealVersion {
    /// GM/T 0031-2014.
    V1,
    /// GB/T 38540-2020, and what vendors shaped like it before.
    V4,
    /// GM/T 0031-2025: as v4, with a time stamp on the seal.
    V5,
}

/// SES_Header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Always `ES` by the standards; not checked.
    pub id: String,
    /// The version number as written. The layout is what counts: [`Seal::version`].
    pub version: u64,
    /// Vid, the vendor's identifier (厂商标识).
    pub vendor_id: String,
}

/// SES_ESPropertyInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The issuer's own numbering; v1 says 1 for a unit, 2 for a person.
    pub seal_type: u64,
    /// The seal's name.
    pub name: String,
    /// Who may sign with the seal.
    pub cert_list: CertList,
    /// When the seal was made. Some vendors label Beijing time as UTC, so this may lie up to
    /// 8 hours after `valid_start` in an honest seal.
    pub create_date: UnixSeconds,
    /// The first moment of validity.
    pub valid_start: UnixSeconds,
    /// The last moment of validity.
    pub valid_end: UnixSeconds,
}

/// Who may sign with a seal (签章者证书列表).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertList {
    /// certListType 1: whole DER certificates.
    Certificates(Vec<Vec<u8>>),
    /// certListType 2: digests of DER certificates.
    Digests(Vec<CertDigest>),
}

/// The digest of one permitted certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertDigest {
    /// The digest algorithm as written: an object identifier or a name.
    pub algorithm: String,
    /// The digest of the DER certificate.
    pub value: Vec<u8>,
}

impl CertList {
    /// Whether the holder of this certificate may sign: certificates are compared byte by byte,
    /// digests are computed; one of an algorithm other than SM3 and SHA-256 permits nobody.
    #[must_use]
    pub fn permits(&self, certificate_der: &[u8]) -> bool {
        match self {
            Self::Certificates(certificates) => certificates
                .iter()
                .any(|permitted| permitted == certificate_der),
            Self::Digests(digests) => digests.iter().any(|permitted| {
                digest_algorithm(&permitted.algorithm)
                    .is_some_and(|algorithm| algorithm.digest(certificate_der) == permitted.value)
            }),
        }
    }
}

/// No public sample shows how `type` names the digest, so identifier and name are both taken;
/// nothing at all means SM3, as everything else in a seal is.
fn digest_algorithm(name: &str) -> Option<DigestAlgorithm> {
    DigestAlgorithm::from_oid(name).or_else(|| {
        match name.to_ascii_uppercase().replace('-', "").as_str() {
            // .1 is SM3 without a key by GB/T 33560.
            "" | "SM3" | "1.2.156.10197.1.401.1" => Some(DigestAlgorithm::Sm3),
            "SHA256" => Some(DigestAlgorithm::Sha256),
            _ => None,
        }
    })
}

/// SES_ESPictrueInfo, what the seal looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// `PNG`, `SVG`, `GIF`, `BMP`, `JPG`; lower case and `ofd` are met.
    pub kind: String,
    /// The picture file.
    pub data: Vec<u8>,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
}

/// ExtData. Values have no common form; unknown critical ones do occur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// extnID, dotted.
    pub oid: String,
    /// Whether a reader must know it.
    pub critical: bool,
    /// extnValue without its OCTET STRING.
    pub value: Vec<u8>,
}

/// A seal (电子印章), with the bytes it was read from.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    pub(crate) raw: Vec<u8>,
    pub(crate) version: SealVersion,
    pub(crate) signed: Signed,
    pub(crate) header: Header,
    pub(crate) es_id: String,
    pub(crate) property: Property,
    pub(crate) picture: Picture,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) maker_certificate_der: Vec<u8>,
    pub(crate) signature_algorithm_oid: String,
    pub(crate) signature: Vec<u8>,
    pub(crate) time_stamp: Option<Vec<u8>>,
    pub(crate) held: Held,
}

/// Where the signed bytes stand in the object.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Signed {
    /// As they are.
    Span(Range<usize>),
    /// In three pieces, which a SEQUENCE of their own holds together.
    Pieces([Range<usize>; 3]),
}

impl Seal {
    /// Reads exactly one seal, within the default [`Limits`].
    ///
    /// # Errors
    /// [`SesError::Structure`], [`SesError::UnknownShape`], [`SesError::UnknownCertListType`],
    /// [`SesError::NumberTooLarge`], [`SesError::LimitExceeded`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SesError> {
        Self::parse_with(bytes, &Limits::default())
    }

    /// Reads exactly one seal, within `limits`.
    ///
    /// # Errors
    /// As [`Seal::parse`].
    pub fn parse_with(bytes: &[u8], limits: &Limits) -> Result<Self, SesError> {
        let element = read::outermost(bytes, "SESeal", limits)?;
        Self::from_element(&element, limits)
    }

    /// As [`Seal::from_element`], and quicker for a seal that is used again and again: the last 64
    /// of at most 128 KiB are remembered by their bytes, and whether the maker's signature held.
    pub(crate) fn recall(element: &Element<'_>, limits: &Limits) -> Result<Arc<Self>, SesError> {
        let read = || Self::from_element(element, limits).map(Arc::new);
        if *limits != Limits::default() {
            return read();
        }
        READ_BEFORE.recall(element.raw, |_| read())
    }

    /// Forgets the seals read before inside seal signatures. Nothing but time depends on them; a
    /// test that shows this needs it.
    pub fn forget_all() {
        READ_BEFORE.forget();
    }

    /// Two elements make v1, four or five make v4 or v5, whatever number the header has.
    pub(crate) fn from_element(element: &Element<'_>, limits: &Limits) -> Result<Self, SesError> {
        match read::count(element)? {
            2 => gmt0031::seal(element, limits),
            4 | 5 => gbt38540::seal(element, limits),
            elements => Err(SesError::UnknownShape {
                object: "SESeal",
                elements,
            }),
        }
    }

    /// Which layout the seal has.
    #[must_use]
    pub fn version(&self) -> SealVersion {
        self.version
    }

    /// The whole seal, as it was read.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// What the maker signed: SES_SealInfo since v4, a SEQUENCE of SES_SealInfo, certificate and
    /// algorithm in v1 (GM/T 0031-2014, 5.1).
    #[must_use]
    pub fn signed_bytes(&self) -> Cow<'_, [u8]> {
        let piece = |span: &Range<usize>| self.raw.get(span.clone()).unwrap_or_default();
        match &self.signed {
            Signed::Span(span) => Cow::Borrowed(piece(span)),
            Signed::Pieces(spans) => Cow::Owned(tlv::sequence(&spans.each_ref().map(piece))),
        }
    }

    /// Identifier, version number and vendor.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// esID, the seal's unique identifier (印章标识).
    #[must_use]
    pub fn es_id(&self) -> &str {
        &self.es_id
    }

    /// Name, permitted signers and validity.
    #[must_use]
    pub fn property(&self) -> &Property {
        &self.property
    }

    /// What the seal looks like.
    #[must_use]
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// extDatas; empty when absent.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The DER certificate of the seal's maker (制章者证书).
    #[must_use]
    pub fn maker_certificate_der(&self) -> &[u8] {
        &self.maker_certificate_der
    }

    /// The algorithm of the maker's signature.
    #[must_use]
    pub fn signature_algorithm_oid(&self) -> &str {
        &self.signature_algorithm_oid
    }

    /// The maker's signature value: the octets of the BIT STRING.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The form of the maker's signature value, when it is SM2 and readable.
    #[must_use]
    pub fn signature_encoding(&self) -> Option<yinxin_sm::Encoding> {
        verify::encoding(&self.signature_algorithm_oid, &self.signature)
    }

    /// The time-stamp token over the signature value, not looked into (v5).
    #[must_use]
    pub fn time_stamp(&self) -> Option<&[u8]> {
        self.time_stamp.as_deref()
    }

    /// Whether the maker's signature was made over [`Seal::signed_bytes`] by the key in the
    /// certificate inside. Nothing is said about the certificate.
    ///
    /// # Errors
    /// [`SesError::SignatureInvalid`] and [`SesError::SignatureUnderEmptyDistid`] when it was not;
    /// [`SesError::SignatureMalformed`], [`SesError::Certificate`],
    /// [`SesError::AlgorithmUnsupported`], [`SesError::KeyDoesNotFit`] when it cannot be tried.
    pub fn verify_maker_signature(&self) -> Result<(), SesError> {
        self.held.check(|| {
            verify::verify(
                &self.maker_certificate_der,
                &self.signature_algorithm_oid,
                &self.signed_bytes(),
                &self.signature,
            )
        })
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal")
            .field("version", &self.version)
            .field("es_id", &self.es_id)
            .field("name", &self.property.name)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}
