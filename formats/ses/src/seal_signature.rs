//! The seal signature: one use of a seal on one document.

use std::sync::Arc;

use yinxin_pki::{
    UnixSeconds,
    tlv::{Reader, tag},
};

use crate::{Extension, Limits, Seal, SealVersion, SesError, gbt38540, gmt0031, read, verify};

/// timeInfo: when the signer says the signature was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningTime {
    /// The moment, when what is written is one with a zone.
    pub at: Option<UnixSeconds>,
    /// The text as written; empty when it is none, as with a time-stamp token in v1.
    pub text: String,
    /// The content octets; in v1 perhaps a time-stamp token.
    pub raw: Vec<u8>,
}

/// A seal signature (电子签章), with the bytes it was read from.
#[derive(Clone, PartialEq, Eq)]
pub struct SealSignature {
    pub(crate) raw: Vec<u8>,
    pub(crate) version: SealVersion,
    pub(crate) to_sign: std::ops::Range<usize>,
    pub(crate) to_sign_version: u64,
    pub(crate) seal: Arc<Seal>,
    pub(crate) time: SigningTime,
    pub(crate) data_hash: Vec<u8>,
    pub(crate) property_info: String,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) signer_certificate_der: Vec<u8>,
    pub(crate) signature_algorithm_oid: String,
    pub(crate) signature: Vec<u8>,
    pub(crate) time_stamp: Option<Vec<u8>>,
}

impl SealSignature {
    /// Reads exactly one seal signature, within the default [`Limits`]. Zero padding must have
    /// been cut off; see `yinxin_pki::tlv::der_length`.
    ///
    /// # Errors
    /// As [`Seal::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SesError> {
        Self::parse_with(bytes, &Limits::default())
    }

    /// Reads exactly one seal signature, within `limits`.
    ///
    /// Two elements make v1, four or five make v4 or v5; the version number inside is not asked,
    /// because vendors wrote 3 around what is otherwise v4.
    ///
    /// # Errors
    /// As [`Seal::parse`].
    pub fn parse_with(bytes: &[u8], limits: &Limits) -> Result<Self, SesError> {
        let element = read::outermost(bytes, "SES_Signature", limits)?;
        match read::count(&element)? {
            2 => gmt0031::seal_signature(&element, limits),
            4 | 5 => gbt38540::seal_signature(&element, limits),
            elements => Err(SesError::UnknownShape {
                object: "SES_Signature",
                elements,
            }),
        }
    }

    /// Which layout the seal signature has.
    #[must_use]
    pub fn version(&self) -> SealVersion {
        self.version
    }

    /// The version number of TBS_Sign as written.
    #[must_use]
    pub fn to_sign_version(&self) -> u64 {
        self.to_sign_version
    }

    /// The whole seal signature, as it was read.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// TBS_Sign, what the signer signed.
    #[must_use]
    pub fn to_sign_der(&self) -> &[u8] {
        self.raw.get(self.to_sign.clone()).unwrap_or_default()
    }

    /// The seal inside.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// When the signer says it was made.
    #[must_use]
    pub fn time(&self) -> &SigningTime {
        &self.time
    }

    /// dataHash: the digest of the document, 32 bytes for SM3.
    #[must_use]
    pub fn data_hash(&self) -> &[u8] {
        &self.data_hash
    }

    /// propertyInfo: what the digest covers, in the producer's own words.
    #[must_use]
    pub fn property_info(&self) -> &str {
        &self.property_info
    }

    /// extDatas of TBS_Sign; empty when absent.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The DER certificate of the signer (签章者证书).
    #[must_use]
    pub fn signer_certificate_der(&self) -> &[u8] {
        &self.signer_certificate_der
    }

    /// The algorithm of the signer's signature.
    #[must_use]
    pub fn signature_algorithm_oid(&self) -> &str {
        &self.signature_algorithm_oid
    }

    /// The signer's signature value: the octets of the BIT STRING.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The form of the signer's signature value, when it is SM2 and readable.
    #[must_use]
    pub fn signature_encoding(&self) -> Option<yinxin_sm::Encoding> {
        verify::encoding(&self.signature_algorithm_oid, &self.signature)
    }

    /// The time-stamp token over the signature value, not looked into.
    #[must_use]
    pub fn time_stamp(&self) -> Option<&[u8]> {
        self.time_stamp.as_deref()
    }

    /// Whether the signer's signature was made over [`SealSignature::to_sign_der`] by the key in
    /// the certificate inside. Nothing is said about the certificate, the seal or the document.
    ///
    /// # Errors
    /// As [`Seal::verify_maker_signature`].
    pub fn verify_signer_signature(&self) -> Result<(), SesError> {
        verify::verify(
            &self.signer_certificate_der,
            &self.signature_algorithm_oid,
            self.to_sign_der(),
            &self.signature,
        )
    }
}

impl std::fmt::Debug for SealSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealSignature")
            .field("version", &self.version)
            .field("seal", &self.seal)
            .field("time", &self.time.text)
            .field("property_info", &self.property_info)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// Whether bytes begin like a seal signature rather than like CMS: a SEQUENCE whose first element
/// is a SEQUENCE of INTEGER and a seal. Padding after it does not matter, and nothing more is
/// promised.
#[must_use]
pub fn looks_like_seal_signature(bytes: &[u8]) -> bool {
    begins_like_seal_signature(bytes).unwrap_or(false)
}

fn begins_like_seal_signature(bytes: &[u8]) -> Option<bool> {
    let outer = Reader::new(bytes).expect(tag::SEQUENCE, "").ok()?;
    let to_sign = outer.children().expect(tag::SEQUENCE, "").ok()?;
    let mut fields = to_sign.children();
    fields.expect(tag::INTEGER, "").ok()?;
    let seal = fields.expect(tag::SEQUENCE, "").ok()?;
    // Here a certificate list has an algorithm, whose first element is an OBJECT IDENTIFIER.
    Some(seal.children().peek() == Some(tag::SEQUENCE))
}
