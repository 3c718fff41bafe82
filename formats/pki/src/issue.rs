//! Certificates and revocation lists in the making: templates, and what goes around a signature.
//!
//! ```text
//! template.tbs_der(&algorithm) → sign these bytes elsewhere → assemble(&tbs, &algorithm, &signature)
//! ```
//!
//! This serves throw-away authorities and tests. It writes what the template says, sense or
//! nonsense: a verifier must be shown certificates that no authority would issue.

use std::net::IpAddr;

use crate::tlv::{self, UnixSeconds};
use crate::{KeyUsage, PkiError, SignatureAlgorithm, oid};

/// clientAuth, serverAuth, emailProtection, timeStamping and OCSPSigning (RFC 5280 4.2.1.12).
pub mod purpose {
    /// TLS server.
    pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
    /// TLS client.
    pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
    /// E-mail; commonly found beside document signing.
    pub const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
    /// Time-stamp authority (RFC 3161 2.3).
    pub const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
    /// OCSP responder (RFC 6960 4.2.2.2).
    pub const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
}

/// A name attribute we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameAttribute {
    /// C: two letters.
    Country,
    /// ST.
    StateOrProvince,
    /// L.
    Locality,
    /// O.
    Organization,
    /// OU.
    OrganizationalUnit,
    /// CN.
    CommonName,
    /// serialNumber of a subject: letters, digits and few signs.
    SerialNumber,
}

impl NameAttribute {
    const fn oid(self) -> &'static str {
        match self {
            Self::Country => oid::COUNTRY,
            Self::StateOrProvince => oid::STATE_OR_PROVINCE,
            Self::Locality => oid::LOCALITY,
            Self::Organization => oid::ORGANIZATION,
            Self::OrganizationalUnit => oid::ORGANIZATIONAL_UNIT,
            Self::CommonName => oid::COMMON_NAME,
            Self::SerialNumber => oid::SERIAL_NUMBER,
        }
    }

    /// Country and serial number are PrintableString, the others UTF8String (RFC 5280 4.1.2.4).
    fn value_der(self, text: &str) -> Vec<u8> {
        match self {
            Self::Country | Self::SerialNumber => tlv::printable_string(text),
            Self::StateOrProvince
            | Self::Locality
            | Self::Organization
            | Self::OrganizationalUnit
            | Self::CommonName => tlv::utf8_string(text),
        }
    }
}

/// A distinguished name, outermost attribute first: country, organization, unit, common name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Name(pub Vec<(NameAttribute, String)>);

impl Name {
    /// A name without attributes, to be added to.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same name with one more attribute at its end.
    #[must_use]
    pub fn with(mut self, attribute: NameAttribute, text: impl Into<String>) -> Self {
        self.0.push((attribute, text.into()));
        self
    }

    /// `Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }`, one attribute a set.
    pub fn to_der(&self) -> Vec<u8> {
        let relative_names = self.0.iter().map(|(attribute, text)| {
            let value = attribute.value_der(text);
            tlv::set_of(&[&tlv::sequence(&[&tlv::oid(attribute.oid()), &value])])
        });
        sequence_of(relative_names)
    }
}

/// What a certificate says of being an authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BasicConstraints {
    /// No extension, as in most end-entity certificates.
    #[default]
    Absent,
    /// The extension, saying `cA FALSE`.
    EndEntity,
    /// `cA TRUE`, critical.
    Authority {
        /// How many intermediate authorities may follow.
        path_length: Option<u8>,
    },
}

/// An extension that has no field of its own in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawExtension {
    /// extnID, dotted.
    pub oid: &'static str,
    /// critical.
    pub critical: bool,
    /// The DER inside extnValue.
    pub value_der: Vec<u8>,
}

/// A certificate before it is signed (RFC 5280 4.1, GM/T 0015).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTemplate {
    /// Magnitude of the serial number, most significant octet first; 1 to 20 octets.
    pub serial: Vec<u8>,
    /// DER of the issuer's Name, to repeat its bytes exactly ([`Name::to_der`],
    /// [`crate::Certificate::subject_der`]).
    pub issuer_der: Vec<u8>,
    /// The subject.
    pub subject: Name,
    /// First moment of validity.
    pub not_before: UnixSeconds,
    /// Last moment of validity.
    pub not_after: UnixSeconds,
    /// The subject's `SubjectPublicKeyInfo`.
    pub subject_spki_der: Vec<u8>,
    /// basicConstraints.
    pub basic_constraints: BasicConstraints,
    /// keyUsage, critical; with no bit set the extension is left out.
    pub key_usage: KeyUsage,
    /// extendedKeyUsage, dotted; empty leaves it out. See [`purpose`].
    pub extended_key_usage: Vec<&'static str>,
    /// DNS names for subjectAltName.
    pub subject_alt_dns: Vec<String>,
    /// Addresses for subjectAltName.
    pub subject_alt_ip: Vec<IpAddr>,
    /// keyIdentifier of authorityKeyIdentifier: the issuer's subject key identifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// One address for cRLDistributionPoints.
    pub crl_distribution_point: Option<String>,
    /// Whatever else, after the others.
    pub other_extensions: Vec<RawExtension>,
}

impl CertificateTemplate {
    /// The DER tbsCertificate: what the issuer signs with `algorithm`.
    ///
    /// subjectKeyIdentifier is always written, as the SHA-1 of the public key's bits (RFC 5280
    /// 4.2.1.2, method 1).
    ///
    /// # Errors
    /// [`PkiError::Structure`] when `subject_spki_der` is no `SubjectPublicKeyInfo`.
    pub fn tbs_der(&self, algorithm: &SignatureAlgorithm) -> Result<Vec<u8>, PkiError> {
        let subject_key_id = key_id(&self.subject_spki_der)?;
        Ok(tlv::sequence(&[
            // v3
            &tlv::context(0, true, &tlv::integer(2)),
            &tlv::unsigned_integer(&self.serial),
            &algorithm.identifier_der(),
            &self.issuer_der,
            &tlv::sequence(&[
                &tlv::certificate_time(self.not_before),
                &tlv::certificate_time(self.not_after),
            ]),
            &self.subject.to_der(),
            &self.subject_spki_der,
            &tlv::context(3, true, &self.extensions_der(&subject_key_id)),
        ]))
    }

    fn extensions_der(&self, subject_key_id: &[u8]) -> Vec<u8> {
        let mut extensions = Vec::new();
        match self.basic_constraints {
            BasicConstraints::Absent => {}
            BasicConstraints::EndEntity => {
                extensions.push(extension(oid::BASIC_CONSTRAINTS, true, &tlv::sequence(&[])));
            }
            BasicConstraints::Authority { path_length } => {
                let path_length =
                    path_length.map_or_else(Vec::new, |length| tlv::integer(length.into()));
                let value = tlv::sequence(&[&tlv::boolean(true), &path_length]);
                extensions.push(extension(oid::BASIC_CONSTRAINTS, true, &value));
            }
        }
        if self.key_usage != KeyUsage::NONE {
            let value = key_usage_der(&self.key_usage);
            extensions.push(extension(oid::KEY_USAGE, true, &value));
        }
        if !self.extended_key_usage.is_empty() {
            let purposes = self.extended_key_usage.iter().map(|oid| tlv::oid(oid));
            extensions.push(extension(
                oid::EXTENDED_KEY_USAGE,
                false,
                &sequence_of(purposes),
            ));
        }
        let value = tlv::octet_string(subject_key_id);
        extensions.push(extension(oid::SUBJECT_KEY_ID, false, &value));
        if let Some(id) = &self.authority_key_id {
            extensions.push(extension(
                oid::AUTHORITY_KEY_ID,
                false,
                &authority_key_id_der(id),
            ));
        }
        if !self.subject_alt_dns.is_empty() || !self.subject_alt_ip.is_empty() {
            let value = self.subject_alt_name_der();
            extensions.push(extension(oid::SUBJECT_ALT_NAME, false, &value));
        }
        if let Some(address) = &self.crl_distribution_point {
            let value = distribution_points_der(address);
            extensions.push(extension(oid::CRL_DISTRIBUTION_POINTS, false, &value));
        }
        for other in &self.other_extensions {
            extensions.push(extension(other.oid, other.critical, &other.value_der));
        }
        sequence_of(extensions)
    }

    /// `GeneralNames` with dNSName `[2]` and iPAddress `[7]`.
    fn subject_alt_name_der(&self) -> Vec<u8> {
        let names = self
            .subject_alt_dns
            .iter()
            .map(|name| tlv::context(2, false, name.as_bytes()));
        let addresses = self.subject_alt_ip.iter().map(|address| match address {
            IpAddr::V4(address) => tlv::context(7, false, &address.octets()),
            IpAddr::V6(address) => tlv::context(7, false, &address.octets()),
        });
        sequence_of(names.chain(addresses))
    }
}

/// A certificate on a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Content octets of the serial number's INTEGER
    /// ([`crate::Certificate::serial_der_integer_content`]).
    pub serial_content: Vec<u8>,
    /// revocationDate.
    pub at: UnixSeconds,
    /// reasonCode (RFC 5280 5.3.1).
    pub reason: Option<u8>,
}

/// A revocation list before it is signed (RFC 5280 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlTemplate {
    /// DER of the issuer's Name.
    pub issuer_der: Vec<u8>,
    /// thisUpdate.
    pub this_update: UnixSeconds,
    /// nextUpdate.
    pub next_update: Option<UnixSeconds>,
    /// cRLNumber.
    pub number: u64,
    /// The issuer's subject key identifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// The revoked certificates.
    pub revoked: Vec<RevokedCertificate>,
    /// Whatever other extensions, after cRLNumber.
    pub other_extensions: Vec<RawExtension>,
}

impl CrlTemplate {
    /// The DER tbsCertList: what the issuer signs with `algorithm`.
    pub fn tbs_der(&self, algorithm: &SignatureAlgorithm) -> Vec<u8> {
        let next_update = self
            .next_update
            .map_or_else(Vec::new, tlv::certificate_time);
        let revoked = if self.revoked.is_empty() {
            // RFC 5280 5.1.2.6: absent, not empty.
            Vec::new()
        } else {
            sequence_of(self.revoked.iter().map(RevokedCertificate::to_der))
        };
        let mut extensions = Vec::new();
        if let Some(id) = &self.authority_key_id {
            extensions.push(extension(
                oid::AUTHORITY_KEY_ID,
                false,
                &authority_key_id_der(id),
            ));
        }
        let number = tlv::integer(self.number);
        extensions.push(extension(oid::CRL_NUMBER, false, &number));
        for other in &self.other_extensions {
            extensions.push(extension(other.oid, other.critical, &other.value_der));
        }
        tlv::sequence(&[
            // v2
            &tlv::integer(1),
            &algorithm.identifier_der(),
            &self.issuer_der,
            &tlv::certificate_time(self.this_update),
            &next_update,
            &revoked,
            &tlv::context(0, true, &sequence_of(extensions)),
        ])
    }
}

impl RevokedCertificate {
    fn to_der(&self) -> Vec<u8> {
        let extensions = self.reason.map_or_else(Vec::new, |reason| {
            let code = tlv::encode(tlv::tag::ENUMERATED, &[reason]);
            tlv::sequence(&[&extension(oid::REASON_CODE, false, &code)])
        });
        tlv::sequence(&[
            &tlv::encode(tlv::tag::INTEGER, &self.serial_content),
            &tlv::certificate_time(self.at),
            &extensions,
        ])
    }
}

/// The DER Certificate or CertificateList: what was signed, the algorithm, the signature.
pub fn assemble(tbs_der: &[u8], algorithm: &SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    tlv::sequence(&[
        tbs_der,
        &algorithm.identifier_der(),
        &tlv::bit_string(signature),
    ])
}

/// The key identifier of a `SubjectPublicKeyInfo`: the SHA-1 of its key bits (RFC 5280 4.2.1.2,
/// method 1; GM/T 0015 says the same).
///
/// # Errors
/// [`PkiError::Structure`] when the bytes are none.
pub fn key_id(spki_der: &[u8]) -> Result<Vec<u8>, PkiError> {
    let mut fields = tlv::Reader::new(spki_der)
        .expect(tlv::tag::SEQUENCE, "SubjectPublicKeyInfo")?
        .children();
    fields.expect(tlv::tag::SEQUENCE, "algorithm")?;
    let key = fields
        .expect(tlv::tag::BIT_STRING, "subjectPublicKey")?
        .bit_string()?;
    // A name for the key, not a proof of anything.
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, key);
    Ok(digest.as_ref().to_vec())
}

/// The DER `SubjectPublicKeyInfo` of a P-256 point (RFC 5480), 65 octets 04, X, Y.
pub fn p256_spki_der(sec1: &[u8]) -> Vec<u8> {
    tlv::sequence(&[
        &tlv::sequence(&[&tlv::oid(oid::EC_PUBLIC_KEY), &tlv::oid(oid::CURVE_P256)]),
        &tlv::bit_string(sec1),
    ])
}

/// The DER `SubjectPublicKeyInfo` of an `RSAPublicKey` (RFC 3279 2.3.1).
pub fn rsa_spki_der(pkcs1_der: &[u8]) -> Vec<u8> {
    tlv::sequence(&[
        &tlv::sequence(&[&tlv::oid(oid::RSA_ENCRYPTION), &tlv::null()]),
        &tlv::bit_string(pkcs1_der),
    ])
}

/// DER leaves `critical FALSE` out.
pub(crate) fn extension(dotted: &str, critical: bool, value_der: &[u8]) -> Vec<u8> {
    let critical = if critical {
        tlv::boolean(true)
    } else {
        Vec::new()
    };
    tlv::sequence(&[&tlv::oid(dotted), &critical, &tlv::octet_string(value_der)])
}

/// A named BIT STRING: trailing zero bits are left out (X.690 11.2.2).
pub(crate) fn key_usage_der(usage: &KeyUsage) -> Vec<u8> {
    let mut octets = [0_u8; 2];
    let mut used = 0;
    for (index, set) in usage.flags().into_iter().enumerate() {
        if set && let Some(octet) = octets.get_mut(index / 8) {
            *octet |= 0x80 >> (index % 8);
            used = index + 1;
        }
    }
    let mut content = vec![u8::try_from((8 - used % 8) % 8).expect("below 8")];
    content.extend(octets.iter().take(used.div_ceil(8)));
    tlv::encode(tlv::tag::BIT_STRING, &content)
}

/// `AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT OCTET STRING OPTIONAL, … }`
fn authority_key_id_der(id: &[u8]) -> Vec<u8> {
    tlv::sequence(&[&tlv::context(0, false, id)])
}

/// `CRLDistributionPoints` with one point, fullName with one address.
fn distribution_points_der(address: &str) -> Vec<u8> {
    let names = tlv::context(6, false, address.as_bytes());
    let full_name = tlv::context(0, true, &names);
    let distribution_point = tlv::context(0, true, &full_name);
    tlv::sequence(&[&tlv::sequence(&[&distribution_point])])
}

pub(crate) fn sequence_of(elements: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let content: Vec<u8> = elements.into_iter().flatten().collect();
    tlv::encode(tlv::tag::SEQUENCE, &content)
}
