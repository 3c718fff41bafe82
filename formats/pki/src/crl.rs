//! Certificate revocation lists (RFC 5280 5).

use std::ops::Range;
use std::sync::Arc;

use crate::algorithm::AlgorithmIdentifier;
use crate::certificate::range_in;
use crate::known::SignedUnder;
use crate::name::DistinguishedName;
use crate::tlv::{self, Element, UnixSeconds, tag};
use crate::{
    Certificate, PkiError, PublicKey, SignatureAlgorithm, limits, oid, pem, verify_signature,
};

/// The labels of revocation lists in PEM files.
const PEM_LABELS: [&str; 2] = ["X509 CRL", "CRL"];

/// A revocation list: its bytes, and what they say.
///
/// ```text
/// CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
/// TBSCertList ::= SEQUENCE {
///      version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
///      nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF RevokedCertificate OPTIONAL,
///      crlExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
///
/// Cheap to clone. Two are equal when their bytes are.
#[derive(Clone)]
pub struct CertificateRevocationList(Arc<Facts>);

struct Facts {
    der: Vec<u8>,
    tbs: Range<usize>,
    issuer_der: Vec<u8>,
    issuer_name: DistinguishedName,
    this_update: UnixSeconds,
    next_update: Option<UnixSeconds>,
    /// Sorted by serial number, and then by time.
    revoked: Vec<Line>,
    extensions: Extensions,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    signed_under: SignedUnder,
}

/// A line, its serial number by its place: a list of 400,000 lines is as long as we read.
struct Line {
    serial: Range<usize>,
    revocation: Revocation,
}

/// What a list says of a certificate on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// revocationDate.
    pub at: UnixSeconds,
    /// reasonCode (RFC 5280 5.3.1): 1 key compromise, 4 superseded, 6 on hold, …
    pub reason: Option<u8>,
}

#[derive(Default)]
struct Extensions {
    number: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    delta: bool,
    /// An issuingDistributionPoint that leaves certificates out: only some reasons, users or authorities.
    partial: bool,
    indirect: bool,
    unknown_critical: Vec<String>,
}

impl CertificateRevocationList {
    /// Reads a DER list, and nothing after it.
    ///
    /// # Errors
    /// [`PkiError::LimitExceeded`] past [`crate::CRL_BYTES_MAX`]; otherwise the variant that says
    /// what is wrong with the bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        limits::check("crl_bytes", der.len(), limits::CRL_BYTES_MAX)?;
        let mut reader = tlv::Reader::new(der);
        let mut outer = reader.expect(tag::SEQUENCE, "CertificateList")?.children();
        reader.finish("CertificateList")?;
        let tbs = outer.expect(tag::SEQUENCE, "tbsCertList")?;
        let algorithm = outer.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        let signature = outer.expect(tag::BIT_STRING, "signature")?.bit_string()?;
        outer.finish("CertificateList")?;

        let mut fields = tbs.children();
        fields.next_if(tag::INTEGER)?;
        let inner_algorithm = fields.expect(tag::SEQUENCE, "signature")?;
        if !AlgorithmIdentifier::same(&inner_algorithm, &algorithm)? {
            return Err(PkiError::SignatureAlgorithmsDiffer);
        }
        let issuer = fields.expect(tag::SEQUENCE, "issuer")?;
        let this_update = fields.next()?.time()?;
        let next_update = match fields.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(fields.next()?.time()?),
            _ => None,
        };
        let mut extensions = Extensions::default();
        let revoked = match fields.next_if(tag::SEQUENCE)? {
            Some(list) => read_revoked(der, &list, &mut extensions)?,
            None => Vec::new(),
        };
        if let Some(element) = fields.next_if(tag::context_constructed(0))? {
            extensions.read(&element)?;
        }
        fields.finish("tbsCertList")?;

        Ok(Self(Arc::new(Facts {
            tbs: range_in(der, tbs.raw),
            issuer_der: issuer.raw.to_vec(),
            issuer_name: DistinguishedName::read(issuer.raw)?,
            this_update,
            next_update,
            revoked,
            extensions,
            signature_algorithm: SignatureAlgorithm::from_identifier(&algorithm)?,
            signature: signature.to_vec(),
            signed_under: SignedUnder::default(),
            der: der.to_vec(),
        })))
    }

    /// Reads one list, DER or the first `X509 CRL` block of a PEM file.
    ///
    /// # Errors
    /// As [`CertificateRevocationList::from_der`]; [`PkiError::PemMalformed`],
    /// [`PkiError::PemBlockMissing`].
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, PkiError> {
        let blocks = pem::blocks_or_der(bytes, &PEM_LABELS)?;
        let first = blocks.first().ok_or(PkiError::PemBlockMissing {
            label: PEM_LABELS[0],
        })?;
        Self::from_der(first)
    }

    /// Reads every list of a PEM file, or the one of a DER file.
    ///
    /// # Errors
    /// As [`CertificateRevocationList::from_pem_or_der`], for the first list that cannot be read.
    pub fn list_from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, PkiError> {
        pem::blocks_or_der(bytes, &PEM_LABELS)?
            .iter()
            .map(|der| Self::from_der(der))
            .collect()
    }

    /// The list as it was read.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The issuer's Name, to be compared byte for byte.
    pub fn issuer_der(&self) -> &[u8] {
        &self.0.issuer_der
    }

    /// The issuer in RFC 4514 text.
    pub fn issuer_text(&self) -> String {
        self.0.issuer_name.text()
    }

    /// When the list was made.
    pub fn this_update(&self) -> UnixSeconds {
        self.0.this_update
    }

    /// When the next one is due at the latest; RFC 5280 wants it, old lists leave it out.
    pub fn next_update(&self) -> Option<UnixSeconds> {
        self.0.next_update
    }

    /// cRLNumber in upper-case hexadecimal.
    pub fn crl_number(&self) -> Option<String> {
        let number = self.0.extensions.number.as_deref();
        number.map(base16ct::upper::encode_string)
    }

    /// keyIdentifier of authorityKeyIdentifier.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.authority_key_id.as_deref()
    }

    /// How many certificates are listed.
    pub fn len(&self) -> usize {
        self.0.revoked.len()
    }

    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.0.revoked.is_empty()
    }

    /// The line for a serial number, given as the content octets of its INTEGER
    /// ([`crate::Certificate::serial_der_integer_content`]).
    ///
    /// Where a serial stands twice, the earliest revocation counts.
    pub fn find(&self, serial_content: &[u8]) -> Option<Revocation> {
        let revoked = &self.0.revoked;
        let first = revoked.partition_point(|line| self.slice(&line.serial) < serial_content);
        revoked
            .get(first)
            .filter(|line| self.slice(&line.serial) == serial_content)
            .map(|line| line.revocation)
    }

    /// Whether the list is a delta (RFC 5280 5.2.4), an indirect one, or one that covers only a part
    /// of its issuer's certificates or reasons: it then proves nothing by what it leaves out.
    pub fn is_delta_or_indirect(&self) -> bool {
        let extensions = &self.0.extensions;
        extensions.delta || extensions.indirect || extensions.partial
    }

    /// Critical extensions of the list or of its lines that we do not process, dotted. Such a list
    /// must not be used to say that a certificate is good (RFC 5280 5.2).
    pub fn unknown_critical_extensions(&self) -> Vec<String> {
        self.0.extensions.unknown_critical.clone()
    }

    /// The algorithm of the signature.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.0.signature_algorithm.clone()
    }

    /// `Ok` if the owner of `issuer` signed this list.
    ///
    /// # Errors
    /// As [`verify_signature`].
    pub fn verify_signed_by(&self, issuer: &PublicKey) -> Result<(), PkiError> {
        verify_signature(
            issuer,
            &self.0.signature_algorithm,
            self.slice(&self.0.tbs),
            &self.0.signature,
        )
    }

    /// `Ok` if the key in `issuer` signed this list. A signature that held is not computed again
    /// for this object and that key; clones share the memory.
    ///
    /// # Errors
    /// As [`verify_signature`].
    pub fn verify_issued_by(&self, issuer: &Certificate) -> Result<(), PkiError> {
        self.0.signed_under.check(issuer.public_key(), || {
            issuer.verify(
                &self.0.signature_algorithm,
                self.slice(&self.0.tbs),
                &self.0.signature,
            )
        })
    }

    /// The list as one PEM block.
    pub fn to_pem(&self) -> String {
        pem::to_pem(PEM_LABELS[0], &self.0.der)
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        slice(&self.0.der, range)
    }
}

impl PartialEq for CertificateRevocationList {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for CertificateRevocationList {}

impl std::fmt::Debug for CertificateRevocationList {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CertificateRevocationList")
            .field("issuer", &self.issuer_text())
            .field("this_update", &self.this_update())
            .field("revoked", &self.len())
            .finish_non_exhaustive()
    }
}

/// The lines of a list, sorted by serial number, the earliest revocation first.
///
/// ```text
/// RevokedCertificate ::= SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL }
/// ```
fn read_revoked(
    der: &[u8],
    list: &Element<'_>,
    extensions: &mut Extensions,
) -> Result<Vec<Line>, PkiError> {
    let mut lines = list.children();
    let mut revoked = Vec::new();
    while !lines.is_empty() {
        let mut fields = lines
            .expect(tag::SEQUENCE, "revokedCertificates")?
            .children();
        let serial = fields.expect(tag::INTEGER, "userCertificate")?.content;
        let at = fields.next()?.time()?;
        let reason = match fields.next_if(tag::SEQUENCE)? {
            Some(element) => extensions.read_line(&element)?,
            None => None,
        };
        fields.finish("revokedCertificates")?;
        revoked.push(Line {
            serial: range_in(der, serial),
            revocation: Revocation { at, reason },
        });
    }
    revoked.sort_by(|left, right| {
        let key = |line: &Line| (slice(der, &line.serial), line.revocation.at);
        key(left).cmp(&key(right))
    });
    Ok(revoked)
}

fn slice<'a>(der: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    der.get(range.clone())
        .expect("every range was measured inside these bytes")
}

impl Extensions {
    /// crlExtensions: `[0] EXPLICIT SEQUENCE OF Extension`.
    fn read(&mut self, explicit: &Element<'_>) -> Result<(), PkiError> {
        let mut inside = explicit.children();
        let list = inside.expect(tag::SEQUENCE, "crlExtensions")?;
        inside.finish("crlExtensions")?;
        for extension in read_extensions(&list)? {
            let malformed = |_| PkiError::ExtensionMalformed {
                oid: extension.oid.clone(),
            };
            match extension.oid.as_str() {
                oid::CRL_NUMBER => {
                    let number = only(extension.value, tag::INTEGER).map_err(malformed)?;
                    self.number = Some(number.content.to_vec());
                }
                oid::AUTHORITY_KEY_ID => {
                    let mut fields = only(extension.value, tag::SEQUENCE)
                        .map_err(malformed)?
                        .children();
                    self.authority_key_id = fields
                        .next_if(tag::context_primitive(0))
                        .map_err(|error| malformed(error.into()))?
                        .map(|id| id.content.to_vec());
                }
                oid::DELTA_CRL_INDICATOR => self.delta = true,
                oid::ISSUING_DISTRIBUTION_POINT => {
                    self.read_distribution_point(extension.value)
                        .map_err(malformed)?;
                }
                _ if extension.critical => self.note_unknown(extension.oid),
                _ => {}
            }
        }
        Ok(())
    }

    /// ```text
    /// IssuingDistributionPoint ::= SEQUENCE {
    ///      distributionPoint [0] OPTIONAL, onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE,
    ///      onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3] OPTIONAL,
    ///      indirectCRL [4] BOOLEAN DEFAULT FALSE, onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
    /// ```
    fn read_distribution_point(&mut self, value: &[u8]) -> Result<(), PkiError> {
        let mut fields = only(value, tag::SEQUENCE)?.children();
        while !fields.is_empty() {
            let field = fields.next()?;
            let set = field.content.iter().any(|octet| *octet != 0);
            match field.tag & 0x1f {
                1 | 2 | 5 => self.partial |= set,
                3 => self.partial = true,
                4 => self.indirect |= set,
                _ => {}
            }
        }
        Ok(())
    }

    /// The reason on a line; a line for another issuer makes the list an indirect one.
    fn read_line(&mut self, list: &Element<'_>) -> Result<Option<u8>, PkiError> {
        let mut reason = None;
        for extension in read_extensions(list)? {
            match extension.oid.as_str() {
                oid::REASON_CODE => {
                    let code = only(extension.value, tag::ENUMERATED)
                        .ok()
                        .filter(|code| code.content.len() == 1)
                        .and_then(|code| code.content.first().copied());
                    reason = Some(code.ok_or(PkiError::ExtensionMalformed {
                        oid: extension.oid.clone(),
                    })?);
                }
                oid::CERTIFICATE_ISSUER => self.indirect = true,
                _ if extension.critical => self.note_unknown(extension.oid),
                _ => {}
            }
        }
        Ok(reason)
    }

    fn note_unknown(&mut self, oid: String) {
        if !self.unknown_critical.contains(&oid)
            && self.unknown_critical.len() < limits::EXTENSIONS_MAX
        {
            self.unknown_critical.push(oid);
        }
    }
}

struct Extension<'a> {
    oid: String,
    critical: bool,
    value: &'a [u8],
}

/// `Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }`
fn read_extensions<'a>(list: &Element<'a>) -> Result<Vec<Extension<'a>>, PkiError> {
    let mut items = list.children();
    let mut extensions: Vec<Extension<'a>> = Vec::new();
    while !items.is_empty() {
        limits::check("extensions", extensions.len() + 1, limits::EXTENSIONS_MAX)?;
        let mut fields = items.expect(tag::SEQUENCE, "Extension")?.children();
        let oid = fields.expect(tag::OID, "extnID")?.oid()?;
        let critical = match fields.next_if(tag::BOOLEAN)? {
            Some(flag) => flag.boolean()?,
            None => false,
        };
        let value = fields.expect(tag::OCTET_STRING, "extnValue")?.content;
        fields.finish("Extension")?;
        if extensions.iter().any(|seen| seen.oid == oid) {
            return Err(PkiError::ExtensionRepeated { oid });
        }
        extensions.push(Extension {
            oid,
            critical,
            value,
        });
    }
    Ok(extensions)
}

/// The one element `bytes` consist of.
fn only(bytes: &[u8], element_tag: u8) -> Result<Element<'_>, PkiError> {
    let mut reader = tlv::Reader::new(bytes);
    let element = reader.expect(element_tag, "extnValue")?;
    reader.finish("extnValue")?;
    Ok(element)
}
