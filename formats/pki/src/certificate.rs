//! X.509 certificates (RFC 5280, GM/T 0015), read once into facts.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use x509_parser::certificate::{TbsCertificate, X509Certificate};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer as _;

use crate::algorithm::AlgorithmIdentifier;
use crate::known::{KnownKey, SignedUnder};
use crate::memory::Memory;
use crate::name::DistinguishedName;
use crate::tlv::{self, UnixSeconds, tag};
use crate::verify::{verify_signature, verify_with_table};
use crate::{DigestAlgorithm, KeyUsage, PkiError, PublicKey, SignatureAlgorithm, limits, oid, pem};

/// The label of certificates in PEM files.
const PEM_LABEL: &str = "CERTIFICATE";

/// The organizational unit that marks throw-away certificates.
const DEV_ONLY: &str = "DEV-ONLY";

/// Certificates read before. With their tables of multiples, which only SM2 keys used often have,
/// they take 20 MiB at most.
static READ_BEFORE: Memory<Certificate> = Memory::new(128, 4 * 1024, Certificate::der);

/// An X.509 certificate: its bytes, and what they say.
///
/// Cheap to clone. Two are equal when their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Facts>);

struct Facts {
    der: Vec<u8>,
    tbs: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    signature: Range<usize>,
    signature_algorithm: SignatureAlgorithm,
    issuer_name: DistinguishedName,
    subject_name: DistinguishedName,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    public_key: PublicKey,
    extensions: Extensions,
    known_key: KnownKey,
    signed_under: SignedUnder,
    sha256: OnceLock<[u8; 32]>,
    sm3: OnceLock<[u8; 32]>,
}

/// What the extensions say, as far as we understand them.
#[derive(Default)]
struct Extensions {
    basic_constraints: Option<BasicConstraints>,
    key_usage: Option<KeyUsage>,
    key_usage_critical: bool,
    extended_key_usage: Option<Vec<String>>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    crl_distribution_points: Vec<String>,
    unknown_critical: Vec<String>,
}

struct BasicConstraints {
    ca: bool,
    path_length: Option<u32>,
}

impl Certificate {
    /// Reads a DER certificate, and nothing after it.
    ///
    /// # Errors
    /// [`PkiError::LimitExceeded`] past [`crate::CERTIFICATE_BYTES_MAX`]; otherwise the variant that
    /// says what is wrong with the bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        limits::check(
            "certificate_bytes",
            der.len(),
            limits::CERTIFICATE_BYTES_MAX,
        )?;

        // The outer frame by our own reader, which keeps spans and refuses surplus bytes.
        let mut reader = tlv::Reader::new(der);
        let mut fields = reader.expect(tag::SEQUENCE, "Certificate")?.children();
        reader.finish("Certificate")?;
        let tbs = fields.expect(tag::SEQUENCE, "tbsCertificate")?;
        let algorithm = fields.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        let signature = fields.expect(tag::BIT_STRING, "signatureValue")?;
        fields.finish("Certificate")?;
        let inner_algorithm = inner_algorithm(&tbs)?;
        if !AlgorithmIdentifier::same(&inner_algorithm, &algorithm)? {
            return Err(PkiError::SignatureAlgorithmsDiffer);
        }

        // The content by x509-parser.
        let (_, parsed) =
            X509Certificate::from_der(der).map_err(|error| PkiError::CertificateMalformed {
                detail: error.to_string(),
            })?;
        let content: &TbsCertificate<'_> = &parsed.tbs_certificate;
        if content.as_ref() != tbs.raw {
            return Err(PkiError::CertificateMalformed {
                detail: "bytes are left over in tbsCertificate".into(),
            });
        }

        let issuer_der = content.issuer.as_raw();
        let subject_der = content.subject.as_raw();
        let spki_der = content.subject_pki.raw;
        Ok(Self(Arc::new(Facts {
            tbs: range_in(der, tbs.raw),
            serial: range_in(der, content.raw_serial()),
            issuer: range_in(der, issuer_der),
            subject: range_in(der, subject_der),
            spki: range_in(der, spki_der),
            signature: range_in(der, signature.bit_string()?),
            signature_algorithm: SignatureAlgorithm::from_identifier(&algorithm)?,
            issuer_name: DistinguishedName::read(issuer_der)?,
            subject_name: DistinguishedName::read(subject_der)?,
            not_before: UnixSeconds(content.validity.not_before.timestamp()),
            not_after: UnixSeconds(content.validity.not_after.timestamp()),
            public_key: PublicKey::from_spki_der(spki_der)?,
            extensions: Extensions::read(content.extensions())?,
            known_key: KnownKey::default(),
            signed_under: SignedUnder::default(),
            sha256: OnceLock::new(),
            sm3: OnceLock::new(),
            der: der.to_vec(),
        })))
    }

    /// As [`Certificate::from_der`], and quicker for a certificate that comes again and again inside
    /// documents: the last 128 of at most 4 KiB are remembered by their bytes, with what
    /// [`Certificate::verify_issued_by`] and [`Certificate::verify`] remember.
    ///
    /// # Errors
    /// As [`Certificate::from_der`].
    pub fn recall(der: &[u8]) -> Result<Self, PkiError> {
        READ_BEFORE.recall(der, Self::from_der)
    }

    /// Forgets what [`Certificate::recall`] remembers. Nothing but time depends on it; a test that
    /// shows this needs it.
    pub fn forget_all() {
        READ_BEFORE.forget();
    }

    /// Reads one certificate, DER or the first CERTIFICATE block of a PEM file.
    ///
    /// # Errors
    /// As [`Certificate::from_der`]; [`PkiError::PemMalformed`], [`PkiError::PemBlockMissing`].
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, PkiError> {
        let blocks = pem::blocks_or_der(bytes, &[PEM_LABEL])?;
        let first = blocks
            .first()
            .ok_or(PkiError::PemBlockMissing { label: PEM_LABEL })?;
        Self::from_der(first)
    }

    /// Reads every certificate of a PEM file, or the one of a DER file.
    ///
    /// # Errors
    /// As [`Certificate::from_pem_or_der`], for the first certificate that cannot be read.
    pub fn list_from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, PkiError> {
        pem::blocks_or_der(bytes, &[PEM_LABEL])?
            .iter()
            .map(|der| Self::from_der(der))
            .collect()
    }

    /// The certificate as it was read.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The bytes the issuer signed: tag, length and content of tbsCertificate.
    pub fn tbs_der(&self) -> &[u8] {
        self.slice(&self.0.tbs)
    }

    /// The issuer's Name, to be compared byte for byte.
    pub fn issuer_der(&self) -> &[u8] {
        self.slice(&self.0.issuer)
    }

    /// The subject's Name.
    pub fn subject_der(&self) -> &[u8] {
        self.slice(&self.0.subject)
    }

    /// The whole `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> &[u8] {
        self.slice(&self.0.spki)
    }

    /// The content octets of the serialNumber INTEGER, as revocation lists and CMS repeat them.
    pub fn serial_der_integer_content(&self) -> &[u8] {
        self.slice(&self.0.serial)
    }

    /// The serial number in upper-case hexadecimal, two digits an octet.
    pub fn serial_hex(&self) -> String {
        base16ct::upper::encode_string(self.serial_der_integer_content())
    }

    /// The issuer in RFC 4514 text, last name first.
    pub fn issuer_text(&self) -> String {
        self.0.issuer_name.text()
    }

    /// The subject in RFC 4514 text, last name first.
    pub fn subject_text(&self) -> String {
        self.0.subject_name.text()
    }

    /// The subject's common name; the last one if it has several.
    pub fn common_name(&self) -> Option<String> {
        self.last_subject_value(oid::COMMON_NAME)
    }

    /// The subject's organization name; the last one if it has several.
    pub fn organization_name(&self) -> Option<String> {
        self.last_subject_value(oid::ORGANIZATION)
    }

    /// The subject's organizational units, outermost first.
    pub fn organizational_units(&self) -> Vec<String> {
        self.0
            .subject_name
            .values(oid::ORGANIZATIONAL_UNIT)
            .map(str::to_owned)
            .collect()
    }

    /// First moment of validity.
    pub fn not_before(&self) -> UnixSeconds {
        self.0.not_before
    }

    /// Last moment of validity, included (RFC 5280 4.1.2.5).
    pub fn not_after(&self) -> UnixSeconds {
        self.0.not_after
    }

    /// The subject's public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The algorithm of the issuer's signature.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.0.signature_algorithm.clone()
    }

    /// The issuer's signature.
    pub fn signature_value(&self) -> &[u8] {
        self.slice(&self.0.signature)
    }

    /// Whether basicConstraints says `cA TRUE` (RFC 5280 4.2.1.9).
    pub fn is_ca(&self) -> bool {
        let constraints = self.0.extensions.basic_constraints.as_ref();
        constraints.is_some_and(|constraints| constraints.ca)
    }

    /// How many intermediate certificates may follow below this one; `None` when it does not say.
    pub fn path_length(&self) -> Option<u32> {
        let constraints = self.0.extensions.basic_constraints.as_ref();
        constraints.and_then(|constraints| constraints.path_length)
    }

    /// The key usage; `None` when the certificate does not restrict it.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.0.extensions.key_usage
    }

    /// Whether the key usage is critical, as GM/T 0015 wants it.
    pub fn is_key_usage_critical(&self) -> bool {
        self.0.extensions.key_usage_critical
    }

    /// The purposes of extendedKeyUsage, dotted; `None` when the certificate does not restrict them.
    pub fn extended_key_usage(&self) -> Option<Vec<String>> {
        self.0.extensions.extended_key_usage.clone()
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_id.as_deref()
    }

    /// keyIdentifier of authorityKeyIdentifier.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.authority_key_id.as_deref()
    }

    /// Critical extensions we do not process, dotted. A path through a certificate that has any must
    /// not be accepted (RFC 5280 4.2); name constraints and policy constraints are among them.
    pub fn unknown_critical_extensions(&self) -> Vec<String> {
        self.0.extensions.unknown_critical.clone()
    }

    /// The addresses of cRLDistributionPoints.
    pub fn crl_distribution_points(&self) -> Vec<String> {
        self.0.extensions.crl_distribution_points.clone()
    }

    /// Whether issuer and subject are the same name, as a root's are.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der() == self.subject_der()
    }

    /// Whether the subject carries `OU=DEV-ONLY`, the mark of throw-away certificates.
    pub fn is_dev_only(&self) -> bool {
        let mut units = self.0.subject_name.values(oid::ORGANIZATIONAL_UNIT);
        units.any(|unit| unit == DEV_ONLY)
    }

    /// The SHA-256 digest of the DER.
    pub fn sha256(&self) -> [u8; 32] {
        *self.0.sha256.get_or_init(|| {
            DigestAlgorithm::Sha256
                .digest(&self.0.der)
                .try_into()
                .expect("SHA-256 has 32 octets")
        })
    }

    /// The SM3 digest of the DER.
    pub fn sm3(&self) -> [u8; 32] {
        *self.0.sm3.get_or_init(|| yinxin_sm::sm3(&self.0.der))
    }

    /// The certificate as one PEM block.
    pub fn to_pem(&self) -> String {
        pem::to_pem(PEM_LABEL, &self.0.der)
    }

    /// `Ok` if the owner of `issuer` signed this certificate. Names, dates and usages are not looked at.
    ///
    /// # Errors
    /// As [`verify_signature`].
    pub fn verify_signed_by(&self, issuer: &PublicKey) -> Result<(), PkiError> {
        verify_signature(
            issuer,
            &self.0.signature_algorithm,
            self.tbs_der(),
            self.signature_value(),
        )
    }

    /// `Ok` if the key in `issuer` signed this certificate. As [`Certificate::verify_signed_by`],
    /// and quicker for objects that are used again and again, such as configured authorities:
    /// a signature that held is not computed again for this object and that key, and an SM2 key
    /// that signed many certificates gets a table of its multiples (148 KiB). Clones share both.
    ///
    /// # Errors
    /// As [`verify_signature`].
    pub fn verify_issued_by(&self, issuer: &Self) -> Result<(), PkiError> {
        self.0.signed_under.check(issuer.public_key(), || {
            issuer.verify(
                &self.0.signature_algorithm,
                self.tbs_der(),
                self.signature_value(),
            )
        })
    }

    /// `Ok` if this certificate's key signed `message`. An SM2 key that is used often through one
    /// object gets a table of its multiples (148 KiB), as with [`Certificate::verify_issued_by`].
    ///
    /// # Errors
    /// As [`verify_signature`].
    pub fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), PkiError> {
        let key = self.public_key();
        let table = self.0.known_key.table(key);
        verify_with_table(key, table, algorithm, message, signature)
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.0
            .der
            .get(range.clone())
            .expect("every range was measured inside these bytes")
    }

    fn last_subject_value(&self, oid: &str) -> Option<String> {
        self.0
            .subject_name
            .values(oid)
            .next_back()
            .map(str::to_owned)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.der.hash(state);
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("subject", &self.subject_text())
            .field("serial", &self.serial_hex())
            .finish_non_exhaustive()
    }
}

impl Extensions {
    fn read(extensions: &[X509Extension<'_>]) -> Result<Self, PkiError> {
        limits::check("extensions", extensions.len(), limits::EXTENSIONS_MAX)?;
        let mut found = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for extension in extensions {
            let oid = extension.oid.to_id_string();
            if seen.contains(&oid) {
                return Err(PkiError::ExtensionRepeated { oid });
            }
            if !found.take(extension, &oid)? && extension.critical {
                found.unknown_critical.push(oid.clone());
            }
            seen.push(oid);
        }
        Ok(found)
    }

    /// Notes one extension; `false` when we do not process it.
    fn take(&mut self, extension: &X509Extension<'_>, oid: &str) -> Result<bool, PkiError> {
        let malformed = || PkiError::ExtensionMalformed { oid: oid.into() };
        match (oid, extension.parsed_extension()) {
            (oid::BASIC_CONSTRAINTS, ParsedExtension::BasicConstraints(constraints)) => {
                self.basic_constraints = Some(BasicConstraints {
                    ca: constraints.ca,
                    path_length: constraints.path_len_constraint,
                });
            }
            (oid::KEY_USAGE, ParsedExtension::KeyUsage(usage)) => {
                self.key_usage = Some(KeyUsage::from_bits(usage.flags));
                self.key_usage_critical = extension.critical;
            }
            (oid::EXTENDED_KEY_USAGE, ParsedExtension::ExtendedKeyUsage(_)) => {
                let purposes = purposes(extension.value).map_err(|_| malformed())?;
                self.extended_key_usage = Some(purposes);
            }
            (oid::SUBJECT_KEY_ID, ParsedExtension::SubjectKeyIdentifier(id)) => {
                self.subject_key_id = Some(id.0.to_vec());
            }
            (oid::AUTHORITY_KEY_ID, ParsedExtension::AuthorityKeyIdentifier(id)) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            (oid::CRL_DISTRIBUTION_POINTS, ParsedExtension::CRLDistributionPoints(points)) => {
                for point in &points.points {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    {
                        self.crl_distribution_points
                            .extend(names.iter().filter_map(uri_of));
                    }
                }
            }
            // Names for TLS, and policies: without policyConstraints every policy is acceptable, so
            // there is nothing to check (RFC 5280 6.1).
            (oid::SUBJECT_ALT_NAME, ParsedExtension::SubjectAlternativeName(_))
            | (oid::ISSUER_ALT_NAME, ParsedExtension::IssuerAlternativeName(_))
            | (oid::CERTIFICATE_POLICIES, ParsedExtension::CertificatePolicies(_))
            | (oid::POLICY_MAPPINGS, ParsedExtension::PolicyMappings(_))
            | (oid::INHIBIT_ANY_POLICY, ParsedExtension::InhibitAnyPolicy(_)) => {}
            // One we decide by must be readable.
            (
                oid::BASIC_CONSTRAINTS
                | oid::KEY_USAGE
                | oid::EXTENDED_KEY_USAGE
                | oid::SUBJECT_KEY_ID
                | oid::AUTHORITY_KEY_ID,
                _,
            ) => return Err(malformed()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// `ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER`
fn purposes(value: &[u8]) -> Result<Vec<String>, PkiError> {
    let mut reader = tlv::Reader::new(value);
    let mut items = reader
        .expect(tag::SEQUENCE, "ExtKeyUsageSyntax")?
        .children();
    let mut purposes = Vec::new();
    while !items.is_empty() {
        purposes.push(items.expect(tag::OID, "KeyPurposeId")?.oid()?);
    }
    Ok(purposes)
}

fn uri_of(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::URI(uri) = name {
        Some((*uri).to_owned())
    } else {
        None
    }
}

/// tbsCertificate.signature: the third field, or the second where there is no version.
fn inner_algorithm<'a>(tbs: &tlv::Element<'a>) -> Result<tlv::Element<'a>, PkiError> {
    let mut fields = tbs.children();
    fields.next_if(tag::context_constructed(0))?;
    fields.expect(tag::INTEGER, "serialNumber")?;
    Ok(fields.expect(tag::SEQUENCE, "signature")?)
}

/// Where `inner`, a slice of `outer`, lies in it.
pub(crate) fn range_in(outer: &[u8], inner: &[u8]) -> Range<usize> {
    let start = inner.as_ptr() as usize - outer.as_ptr() as usize;
    start..start + inner.len()
}
