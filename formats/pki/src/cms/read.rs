//! Signed data as it is found in documents.

use std::sync::Arc;

use crate::cms::attributes::unsigned_oids;
use crate::cms::{CmsError, SignedAttributes};
use crate::tlv::{self, BerLimits, Element, tag};
use crate::{
    Certificate, CertificateRevocationList, DigestAlgorithm, SignatureAlgorithm, limits, oid,
};

/// CMS signed data, taken apart.
///
/// ```text
/// SignedData ::= SEQUENCE {
///      version INTEGER, digestAlgorithms SET OF AlgorithmIdentifier,
///      encapContentInfo SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] EXPLICIT OCTET STRING OPTIONAL },
///      certificates [0] IMPLICIT SET OF CertificateChoices OPTIONAL,
///      crls [1] IMPLICIT SET OF RevocationInfoChoice OPTIONAL,
///      signerInfos SET OF SignerInfo }
/// ```
///
/// GM/T 0010 has the shape of PKCS #7 1.5, which reads the same way.
#[derive(Clone, Debug)]
pub struct SignedData {
    gm_arc: bool,
    version: u64,
    digest_algorithm_oids: Vec<String>,
    content_type: String,
    content: Option<Content>,
    certificates: Vec<Certificate>,
    certificates_unreadable: usize,
    crls: Vec<CertificateRevocationList>,
    crls_unreadable: usize,
    signer_infos: Vec<SignerInfo>,
}

/// One signature of signed data.
///
/// ```text
/// SignerInfo ::= SEQUENCE {
///      version INTEGER, sid SignerIdentifier, digestAlgorithm AlgorithmIdentifier,
///      signedAttrs [0] IMPLICIT SET OF Attribute OPTIONAL, signatureAlgorithm AlgorithmIdentifier,
///      signature OCTET STRING, unsignedAttrs [1] IMPLICIT SET OF Attribute OPTIONAL }
/// ```
#[derive(Clone, Debug)]
pub struct SignerInfo {
    version: u64,
    identifier: SignerIdentifier,
    digest_algorithm_oid: String,
    signature_algorithm: SignatureAlgorithm,
    signed_attributes: Option<SignedAttributes>,
    signature: Vec<u8>,
    unsigned_attribute_oids: Vec<String>,
    content: Option<Content>,
}

/// The octets that were signed, shared by the signer infos.
type Content = Arc<[u8]>;

/// How a signer info names the signer's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerIdentifier {
    /// By issuer and serial number.
    IssuerAndSerial {
        /// The issuer's Name.
        issuer_der: Vec<u8>,
        /// Content octets of the serial number.
        serial_content: Vec<u8>,
    },
    /// By subject key identifier (RFC 5652 5.3; not in GM/T 0010).
    SubjectKeyId(Vec<u8>),
}

impl SignerIdentifier {
    /// Whether this names `certificate`.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial {
                issuer_der,
                serial_content,
            } => {
                certificate.issuer_der() == issuer_der
                    && certificate.serial_der_integer_content() == serial_content
            }
            Self::SubjectKeyId(id) => certificate.subject_key_id() == Some(id),
        }
    }
}

impl SignedData {
    /// Reads a ContentInfo with signed data, and nothing after it: padding is the caller's to trim
    /// ([`tlv::der_length`]).
    ///
    /// Indefinite lengths are made definite on a copy. Certificates and lists that cannot be read are
    /// counted, not refused: a signature does not depend on its neighbours' certificates.
    ///
    /// # Errors
    /// [`CmsError::LimitExceeded`], [`CmsError::NotSignedData`], [`CmsError::Structure`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CmsError> {
        limits::check("cms_bytes", bytes.len(), limits::CMS_BYTES_MAX)?;
        let der = tlv::normalise_ber(bytes, &BerLimits::default())?;
        let mut reader = tlv::Reader::new(&der);
        let mut content_info = reader.expect(tag::SEQUENCE, "ContentInfo")?.children();
        reader.finish("ContentInfo")?;
        let outer_type = content_info.expect(tag::OID, "contentType")?.oid()?;
        let gm_arc = match outer_type.as_str() {
            oid::CMS_SIGNED_DATA => false,
            oid::GM_SIGNED_DATA => true,
            _ => return Err(CmsError::NotSignedData { oid: outer_type }),
        };
        let mut explicit = content_info
            .expect(tag::context_constructed(0), "content")?
            .children();
        content_info.finish("ContentInfo")?;
        let signed_data = explicit.expect(tag::SEQUENCE, "SignedData")?;
        explicit.finish("content")?;
        Self::read(&signed_data, gm_arc)
    }

    fn read(element: &Element<'_>, gm_arc: bool) -> Result<Self, CmsError> {
        let mut fields = element.children();
        let version = fields.expect(tag::INTEGER, "version")?.integer_u64()?;
        let digest_algorithm_oids =
            read_digest_algorithms(&fields.expect(tag::SET, "digestAlgorithms")?)?;
        let (content_type, content) =
            read_content(&fields.expect(tag::SEQUENCE, "encapContentInfo")?)?;
        let (certificates, certificates_unreadable) =
            match fields.next_if(tag::context_constructed(0))? {
                Some(set) => read_set(
                    &set,
                    "cms_certificates",
                    limits::CMS_CERTIFICATES_MAX,
                    |der| Certificate::recall(der).ok(),
                )?,
                None => (Vec::new(), 0),
            };
        let (crls, crls_unreadable) = match fields.next_if(tag::context_constructed(1))? {
            Some(set) => read_set(&set, "cms_crls", limits::CMS_CRLS_MAX, |der| {
                CertificateRevocationList::from_der(der).ok()
            })?,
            None => (Vec::new(), 0),
        };
        let mut infos = fields.expect(tag::SET, "signerInfos")?.children();
        fields.finish("SignedData")?;
        let mut signer_infos = Vec::new();
        while !infos.is_empty() {
            limits::check(
                "cms_signer_infos",
                signer_infos.len() + 1,
                limits::CMS_SIGNER_INFOS_MAX,
            )?;
            let info = infos.expect(tag::SEQUENCE, "SignerInfo")?;
            signer_infos.push(SignerInfo::read(&info, content.clone())?);
        }
        Ok(Self {
            gm_arc,
            version,
            digest_algorithm_oids,
            content_type,
            content,
            certificates,
            certificates_unreadable,
            crls,
            crls_unreadable,
            signer_infos,
        })
    }

    /// Whether the outer content type is GM/T 0010's 1.2.156.10197.6.1.4.2.2.
    pub fn is_gm_arc(&self) -> bool {
        self.gm_arc
    }

    /// The version: 1 with X.509 certificates, issuer and serial, and id-data (RFC 5652 5.1).
    pub fn version(&self) -> u64 {
        self.version
    }

    /// digestAlgorithms, dotted.
    pub fn digest_algorithm_oids(&self) -> &[String] {
        &self.digest_algorithm_oids
    }

    /// The type of what is signed, dotted; id-data 1.2.840.113549.1.7.1 for documents.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The content, when it is inside: the octets of the OCTET STRING, or of whatever PKCS #7 1.5
    /// put in its place. `None` for a detached signature.
    pub fn encapsulated_content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// The certificates that could be read, in the order they stand.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// How many elements among the certificates could not be read, other kinds of certificates included.
    pub fn certificates_unreadable(&self) -> usize {
        self.certificates_unreadable
    }

    /// The revocation lists that could be read.
    pub fn crls(&self) -> &[CertificateRevocationList] {
        &self.crls
    }

    /// How many elements among the lists could not be read, other kinds of revocation data included.
    pub fn crls_unreadable(&self) -> usize {
        self.crls_unreadable
    }

    /// The signatures; there may be none.
    pub fn signer_infos(&self) -> &[SignerInfo] {
        &self.signer_infos
    }
}

impl SignerInfo {
    fn read(element: &Element<'_>, content: Option<Content>) -> Result<Self, CmsError> {
        let mut fields = element.children();
        let version = fields.expect(tag::INTEGER, "version")?.integer_u64()?;
        let identifier = match fields.next_if(tag::context_primitive(0))? {
            Some(id) => SignerIdentifier::SubjectKeyId(id.content.to_vec()),
            None => {
                let mut fields = fields
                    .expect(tag::SEQUENCE, "issuerAndSerialNumber")?
                    .children();
                let issuer = fields.expect(tag::SEQUENCE, "issuer")?;
                let serial = fields.expect(tag::INTEGER, "serialNumber")?;
                fields.finish("issuerAndSerialNumber")?;
                SignerIdentifier::IssuerAndSerial {
                    issuer_der: issuer.raw.to_vec(),
                    serial_content: serial.content.to_vec(),
                }
            }
        };
        let digest_algorithm_oid = fields
            .expect(tag::SEQUENCE, "digestAlgorithm")?
            .children()
            .expect(tag::OID, "digestAlgorithm")?
            .oid()?;
        let signed_attributes = match fields.next_if(tag::context_constructed(0))? {
            Some(attributes) => Some(SignedAttributes::read(&attributes)?),
            None => None,
        };
        let signature_algorithm = SignatureAlgorithm::from_cms_identifier(
            &fields.expect(tag::SEQUENCE, "signatureAlgorithm")?,
            &digest_algorithm_oid,
        )?;
        let signature = fields.expect(tag::OCTET_STRING, "signature")?;
        let unsigned_attribute_oids = match fields.next_if(tag::context_constructed(1))? {
            Some(attributes) => unsigned_oids(&attributes)?,
            None => Vec::new(),
        };
        fields.finish("SignerInfo")?;
        Ok(Self {
            version,
            identifier,
            digest_algorithm_oid,
            signature_algorithm,
            signed_attributes,
            signature: signature.content.to_vec(),
            unsigned_attribute_oids,
            content,
        })
    }

    /// 1 with issuer and serial number, 3 with a subject key identifier (RFC 5652 5.3).
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How the signer's certificate is named.
    pub fn identifier(&self) -> &SignerIdentifier {
        &self.identifier
    }

    /// The digest algorithm, dotted.
    pub fn digest_algorithm_oid(&self) -> &str {
        &self.digest_algorithm_oid
    }

    /// The digest algorithm, if it is one of ours.
    pub fn digest_algorithm(&self) -> Option<DigestAlgorithm> {
        DigestAlgorithm::from_oid(&self.digest_algorithm_oid)
    }

    /// The signature algorithm; rsaEncryption and the GM names are already joined with the digest.
    pub fn signature_algorithm(&self) -> &SignatureAlgorithm {
        &self.signature_algorithm
    }

    /// The signed attributes; `None` when the signature is straight over the content.
    pub fn signed_attributes(&self) -> Option<&SignedAttributes> {
        self.signed_attributes.as_ref()
    }

    /// The signature value.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The types of the unsigned attributes, dotted.
    pub fn unsigned_attribute_oids(&self) -> &[String] {
        &self.unsigned_attribute_oids
    }

    /// The first certificate inside that the signer identifier names.
    ///
    /// Several may carry that name; the one that signed is the one [`SignerInfo::verify`] accepts and
    /// signing-certificate-v2 names.
    pub fn signer_certificate<'a>(&self, data: &'a SignedData) -> Option<&'a Certificate> {
        data.certificates()
            .iter()
            .find(|certificate| self.identifier.names(certificate))
    }

    /// `Ok` if the owner of `certificate` made this signature: over the signed attributes, or over the
    /// content inside when there are none (RFC 5652 5.4, GM/T 0010). What the attributes say of the
    /// content is not looked at.
    ///
    /// # Errors
    /// [`CmsError::DigestDoesNotFitSignature`], [`CmsError::ContentNotInside`], and
    /// [`CmsError::Pki`] as [`crate::verify_signature`].
    pub fn verify(&self, certificate: &Certificate) -> Result<(), CmsError> {
        let message = match (&self.signed_attributes, &self.content) {
            (Some(attributes), _) => attributes.set_der(),
            (None, Some(content)) => content,
            (None, None) => return Err(CmsError::ContentNotInside),
        };
        self.verify_over(message, certificate)
    }

    /// `Ok` if the owner of `certificate` made this signature straight over `content`, which is not
    /// inside. Only for a signer info without signed attributes.
    ///
    /// # Errors
    /// As [`SignerInfo::verify`].
    pub fn verify_content(
        &self,
        certificate: &Certificate,
        content: &[u8],
    ) -> Result<(), CmsError> {
        match &self.signed_attributes {
            Some(_) => self.verify(certificate),
            None => self.verify_over(content, certificate),
        }
    }

    fn verify_over(&self, message: &[u8], certificate: &Certificate) -> Result<(), CmsError> {
        if let Some(digest_oid) = self.signature_algorithm.digest_oid()
            && digest_oid != self.digest_algorithm_oid
        {
            return Err(CmsError::DigestDoesNotFitSignature {
                digest_oid: self.digest_algorithm_oid.clone(),
                algorithm: self.signature_algorithm.name(),
            });
        }
        Ok(certificate.verify(&self.signature_algorithm, message, &self.signature)?)
    }
}

fn read_digest_algorithms(set: &Element<'_>) -> Result<Vec<String>, CmsError> {
    let mut items = set.children();
    let mut oids = Vec::new();
    while !items.is_empty() {
        limits::check(
            "cms_digest_algorithms",
            oids.len() + 1,
            limits::CMS_SIGNER_INFOS_MAX,
        )?;
        let mut identifier = items.expect(tag::SEQUENCE, "digestAlgorithms")?.children();
        oids.push(identifier.expect(tag::OID, "digestAlgorithms")?.oid()?);
    }
    Ok(oids)
}

/// The content type, and the content if it is inside.
fn read_content(element: &Element<'_>) -> Result<(String, Option<Content>), CmsError> {
    let mut fields = element.children();
    let content_type = fields.expect(tag::OID, "eContentType")?.oid()?;
    let content = match fields.next_if(tag::context_constructed(0))? {
        Some(explicit) => {
            let mut inside = explicit.children();
            let content = inside.next()?;
            inside.finish("eContent")?;
            Some(Arc::from(content.content))
        }
        None => None,
    };
    fields.finish("encapContentInfo")?;
    Ok((content_type, content))
}

/// The elements of a set that `read` understands, and how many it did not.
fn read_set<T>(
    set: &Element<'_>,
    limit: &'static str,
    max: usize,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<(Vec<T>, usize), CmsError> {
    let mut items = set.children();
    let mut readable = Vec::new();
    let mut unreadable = 0;
    while !items.is_empty() {
        limits::check(limit, readable.len() + unreadable + 1, max)?;
        let item = items.next()?;
        match read(item.raw) {
            Some(value) => readable.push(value),
            None => unreadable += 1,
        }
    }
    Ok((readable, unreadable))
}
