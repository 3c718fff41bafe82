//! Certification requests: PKCS#10 (RFC 2986), for SM2 as GM/T 0092 has it.
//!
//! ```text
//! template.info_der() → sign these bytes elsewhere → issue::assemble(&info, &algorithm, &signature)
//! ```
//! The request for a dual pair is the same: it carries the signing key, and the authority sends two
//! certificates and the encryption key in an SM2EnvelopedKey under that key (GM/T 0092).

use crate::issue::{Name, extension, key_usage_der, sequence_of};
use crate::tlv::{self, Reader, tag};
use crate::{KeyUsage, PkiError, PublicKey, SignatureAlgorithm, oid, pem, verify_signature};

/// The label of requests in PEM files (RFC 7468, 7).
pub const REQUEST_PEM_LABEL: &str = "CERTIFICATE REQUEST";

/// Other labels met in the field.
const LABELS: [&str; 2] = [REQUEST_PEM_LABEL, "NEW CERTIFICATE REQUEST"];

/// A request with an RSA-4096 key has 1.7 KiB.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// A request before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTemplate {
    /// The subject.
    pub subject: Name,
    /// The subject's `SubjectPublicKeyInfo`.
    pub subject_spki_der: Vec<u8>,
    /// keyUsage to ask for, in extensionRequest (RFC 2985, 5.4.2); with no bit set nothing is
    /// asked for.
    pub key_usage: KeyUsage,
}

impl RequestTemplate {
    /// What the owner of the key signs.
    ///
    /// ```text
    /// CertificationRequestInfo ::= SEQUENCE { version INTEGER (0), subject Name,
    ///                                         subjectPKInfo, attributes [0] SET OF Attribute }
    /// ```
    #[must_use]
    pub fn info_der(&self) -> Vec<u8> {
        let attributes = if self.key_usage == KeyUsage::NONE {
            Vec::new()
        } else {
            let usage = extension(oid::KEY_USAGE, true, &key_usage_der(&self.key_usage));
            let extensions = sequence_of([usage]);
            tlv::sequence(&[
                &tlv::oid(oid::EXTENSION_REQUEST),
                &tlv::set_of(&[&extensions]),
            ])
        };
        tlv::sequence(&[
            &tlv::integer(0),
            &self.subject.to_der(),
            &self.subject_spki_der,
            &tlv::context(0, true, &attributes),
        ])
    }
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificationRequest {
    info_der: Vec<u8>,
    subject_der: Vec<u8>,
    spki_der: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

impl CertificationRequest {
    /// Reads a request, DER or the first block of a PEM file. Attributes are not looked into.
    ///
    /// # Errors
    /// [`PkiError::LimitExceeded`], [`PkiError::Structure`], and those of PEM.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, PkiError> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(PkiError::LimitExceeded {
                limit: "certification request bytes",
                value: bytes.len(),
                max: REQUEST_BYTES_MAX,
            });
        }
        let blocks = pem::blocks_or_der(bytes, &LABELS)?;
        let der = blocks.first().ok_or(PkiError::PemBlockMissing {
            label: REQUEST_PEM_LABEL,
        })?;
        let mut outer = Reader::new(der);
        let mut request = outer
            .expect(tag::SEQUENCE, "CertificationRequest")?
            .children();
        outer.finish("CertificationRequest")?;
        let info = request.expect(tag::SEQUENCE, "certificationRequestInfo")?;
        let algorithm = request.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        let signature = request
            .expect(tag::BIT_STRING, "signature")?
            .bit_string()?
            .to_vec();
        request.finish("CertificationRequest")?;
        let mut fields = info.children();
        fields.expect(tag::INTEGER, "version")?;
        let subject = fields.expect(tag::SEQUENCE, "subject")?;
        let spki = fields.expect(tag::SEQUENCE, "subjectPKInfo")?;
        Ok(Self {
            info_der: info.raw.to_vec(),
            subject_der: subject.raw.to_vec(),
            spki_der: spki.raw.to_vec(),
            algorithm: SignatureAlgorithm::from_identifier_der(algorithm.raw)?,
            signature,
        })
    }

    /// The subject's Name.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The `SubjectPublicKeyInfo` to certify.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// `Ok` if whoever asks holds the key.
    ///
    /// # Errors
    /// As [`verify_signature`] and [`PublicKey::from_spki_der`].
    pub fn verify(&self) -> Result<(), PkiError> {
        let key = PublicKey::from_spki_der(&self.spki_der)?;
        verify_signature(&key, &self.algorithm, &self.info_der, &self.signature)
    }
}
