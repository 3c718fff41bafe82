//! The signed attributes of a signer info.

use crate::cms::CmsError;
use crate::tlv::{self, Element, UnixSeconds, tag};
use crate::{Certificate, DigestAlgorithm, limits, oid};

/// The signed attributes, with the bytes the signature was made over.
///
/// ```text
/// SignedAttributes ::= SET OF Attribute
/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAttributes {
    set_der: Vec<u8>,
    der_sorted: bool,
    attributes: Vec<Attribute>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    oid: String,
    /// Each value's whole element.
    values: Vec<Vec<u8>>,
}

/// The signer's certificate as the signer named it (RFC 5035 4).
///
/// ```text
/// SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies SEQUENCE OF PolicyInformation OPTIONAL }
/// ESSCertIDv2 ::= SEQUENCE {
///      hashAlgorithm AlgorithmIdentifier DEFAULT {algorithm id-sha256},
///      certHash OCTET STRING, issuerSerial IssuerSerial OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EssCertIdV2 {
    /// The hash algorithm, dotted; SHA-256 where none is written.
    pub hash_algorithm_oid: String,
    /// The same, if it is one of ours.
    pub hash_algorithm: Option<DigestAlgorithm>,
    /// The hash of the certificate's DER.
    pub cert_hash: Vec<u8>,
    /// Issuer and serial number, which need not be there.
    pub issuer_serial: Option<IssuerSerial>,
}

/// `IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber INTEGER }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSerial {
    /// The Name of each directoryName among the general names.
    pub issuer_names_der: Vec<Vec<u8>>,
    /// Content octets of the serial number.
    pub serial_content: Vec<u8>,
}

impl EssCertIdV2 {
    /// Whether this names `certificate`: the hash is its, and so are issuer and serial if written.
    /// `None` when the hash algorithm is not one of ours.
    pub fn names(&self, certificate: &Certificate) -> Option<bool> {
        let digest = match self.hash_algorithm? {
            DigestAlgorithm::Sha256 => certificate.sha256(),
            DigestAlgorithm::Sm3 => certificate.sm3(),
        };
        let same_serial = self.issuer_serial.as_ref().is_none_or(|issuer_serial| {
            issuer_serial.serial_content == certificate.serial_der_integer_content()
                && issuer_serial
                    .issuer_names_der
                    .iter()
                    .any(|name| name == certificate.issuer_der())
        });
        Some(self.cert_hash == digest && same_serial)
    }
}

impl SignedAttributes {
    /// Reads signedAttrs from its `[0] IMPLICIT` element.
    pub(crate) fn read(element: &Element<'_>) -> Result<Self, CmsError> {
        let mut reader = element.children();
        let mut attributes = Vec::new();
        let mut raw_elements: Vec<&[u8]> = Vec::new();
        while !reader.is_empty() {
            limits::check(
                "signed_attributes",
                attributes.len() + 1,
                limits::CMS_ATTRIBUTES_MAX,
            )?;
            let attribute = reader.expect(tag::SEQUENCE, "Attribute")?;
            raw_elements.push(attribute.raw);
            attributes.push(Attribute::read(&attribute)?);
        }
        Ok(Self {
            set_der: retag_as_set(element.raw),
            der_sorted: raw_elements.is_sorted(),
            attributes,
        })
    }

    /// The bytes the signature was made over: the attributes exactly as they stood, under the tag of
    /// SET OF instead of `[0]` (RFC 5652 5.4).
    pub fn set_der(&self) -> &[u8] {
        &self.set_der
    }

    /// Whether the attributes stand in the order DER demands of a SET OF.
    pub fn is_der_sorted(&self) -> bool {
        self.der_sorted
    }

    /// The types of all attributes, dotted, in the order they stand.
    pub fn oids(&self) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .map(|attribute| attribute.oid.as_str())
    }

    /// The values of every attribute of one type, each as its whole element.
    pub fn values<'a>(&'a self, oid: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.oid == oid)
            .flat_map(|attribute| attribute.values.iter().map(Vec::as_slice))
    }

    /// content-type (RFC 5652 11.1), dotted.
    ///
    /// # Errors
    /// [`CmsError::AttributeMissing`], [`CmsError::AttributeRepeated`],
    /// [`CmsError::AttributeValueCount`], [`CmsError::AttributeMalformed`].
    pub fn content_type(&self) -> Result<String, CmsError> {
        let value = self.required(oid::CONTENT_TYPE)?;
        let read = || whole(value)?.oid();
        read().map_err(|_| malformed(oid::CONTENT_TYPE))
    }

    /// message-digest (RFC 5652 11.2).
    ///
    /// # Errors
    /// As [`SignedAttributes::content_type`].
    pub fn message_digest(&self) -> Result<&[u8], CmsError> {
        let value = self.required(oid::MESSAGE_DIGEST)?;
        whole(value)
            .ok()
            .filter(|element| element.tag == tag::OCTET_STRING)
            .map(|element| element.content)
            .ok_or(malformed(oid::MESSAGE_DIGEST))
    }

    /// The first certificate of signing-certificate-v2, which is the signer's (RFC 5035 3);
    /// `None` when the attribute is missing.
    ///
    /// # Errors
    /// [`CmsError::AttributeRepeated`], [`CmsError::AttributeValueCount`],
    /// [`CmsError::AttributeMalformed`].
    pub fn signing_certificate_v2(&self) -> Result<Option<EssCertIdV2>, CmsError> {
        let Some(value) = self.single(oid::SIGNING_CERTIFICATE_V2)? else {
            return Ok(None);
        };
        read_ess_cert_id_v2(value)
            .map(Some)
            .map_err(|_| malformed(oid::SIGNING_CERTIFICATE_V2))
    }

    /// Whether the first version of signing-certificate stands here, which hashes with SHA-1.
    pub fn has_signing_certificate_v1(&self) -> bool {
        self.oids().any(|oid| oid == oid::SIGNING_CERTIFICATE)
    }

    /// signing-time (RFC 5652 11.3), which `PAdES` forbids; `None` when it is missing.
    ///
    /// # Errors
    /// As [`SignedAttributes::signing_certificate_v2`].
    pub fn signing_time(&self) -> Result<Option<UnixSeconds>, CmsError> {
        let Some(value) = self.single(oid::SIGNING_TIME)? else {
            return Ok(None);
        };
        let read = || whole(value)?.time();
        read().map(Some).map_err(|_| malformed(oid::SIGNING_TIME))
    }

    fn required(&self, oid: &'static str) -> Result<&[u8], CmsError> {
        self.single(oid)?.ok_or(CmsError::AttributeMissing { oid })
    }

    /// The one value of the one attribute of this type.
    fn single(&self, oid: &'static str) -> Result<Option<&[u8]>, CmsError> {
        let mut found = self
            .attributes
            .iter()
            .filter(|attribute| attribute.oid == oid);
        let Some(attribute) = found.next() else {
            return Ok(None);
        };
        let others = found.count();
        if others > 0 {
            return Err(CmsError::AttributeRepeated {
                oid,
                count: others + 1,
            });
        }
        match attribute.values.as_slice() {
            [value] => Ok(Some(value)),
            values => Err(CmsError::AttributeValueCount {
                oid,
                count: values.len(),
            }),
        }
    }
}

impl Attribute {
    fn read(element: &Element<'_>) -> Result<Self, CmsError> {
        let mut fields = element.children();
        let oid = fields.expect(tag::OID, "attrType")?.oid()?;
        let mut set = fields.expect(tag::SET, "attrValues")?.children();
        fields.finish("Attribute")?;
        let mut values = Vec::new();
        while !set.is_empty() {
            values.push(set.next()?.raw.to_vec());
        }
        Ok(Self { oid, values })
    }
}

/// The types of unsigned attributes, from their `[1] IMPLICIT` element.
pub(crate) fn unsigned_oids(element: &Element<'_>) -> Result<Vec<String>, CmsError> {
    let mut reader = element.children();
    let mut oids = Vec::new();
    while !reader.is_empty() {
        limits::check(
            "unsigned_attributes",
            oids.len() + 1,
            limits::CMS_ATTRIBUTES_MAX,
        )?;
        let attribute = reader.expect(tag::SEQUENCE, "Attribute")?;
        oids.push(Attribute::read(&attribute)?.oid);
    }
    Ok(oids)
}

/// The same bytes with the tag of SET; tag and length octets are one and the same otherwise.
fn retag_as_set(raw: &[u8]) -> Vec<u8> {
    let mut der = raw.to_vec();
    if let Some(first) = der.first_mut() {
        *first = tag::SET;
    }
    der
}

fn read_ess_cert_id_v2(value: &[u8]) -> Result<EssCertIdV2, tlv::TlvError> {
    let mut certs = whole(value)?
        .children()
        .expect(tag::SEQUENCE, "certs")?
        .children();
    let mut fields = certs.expect(tag::SEQUENCE, "ESSCertIDv2")?.children();
    let hash_algorithm_oid = match fields.next_if(tag::SEQUENCE)? {
        Some(identifier) => identifier
            .children()
            .expect(tag::OID, "hashAlgorithm")?
            .oid()?,
        None => oid::SHA256.to_owned(),
    };
    let cert_hash = fields
        .expect(tag::OCTET_STRING, "certHash")?
        .content
        .to_vec();
    let issuer_serial = match fields.next_if(tag::SEQUENCE)? {
        Some(element) => Some(read_issuer_serial(&element)?),
        None => None,
    };
    fields.finish("ESSCertIDv2")?;
    Ok(EssCertIdV2 {
        hash_algorithm: DigestAlgorithm::from_oid(&hash_algorithm_oid),
        hash_algorithm_oid,
        cert_hash,
        issuer_serial,
    })
}

fn read_issuer_serial(element: &Element<'_>) -> Result<IssuerSerial, tlv::TlvError> {
    let mut fields = element.children();
    let mut general_names = fields.expect(tag::SEQUENCE, "issuer")?.children();
    let mut issuer_names_der = Vec::new();
    while !general_names.is_empty() {
        let name = general_names.next()?;
        if name.tag == tag::context_constructed(4) {
            issuer_names_der.push(name.content.to_vec());
        }
    }
    let serial = fields.expect(tag::INTEGER, "serialNumber")?;
    fields.finish("IssuerSerial")?;
    Ok(IssuerSerial {
        issuer_names_der,
        serial_content: serial.content.to_vec(),
    })
}

fn whole(value: &[u8]) -> Result<Element<'_>, tlv::TlvError> {
    tlv::Reader::new(value).next()
}

fn malformed(oid: &'static str) -> CmsError {
    CmsError::AttributeMalformed { oid }
}
