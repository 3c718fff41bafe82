//! A CMS written piece by piece, so that each piece can be wrong.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use yinxin_keys_dev::Identity;
use yinxin_pki::tlv::{self, tag};
use yinxin_pki::{Certificate, DigestAlgorithm};

use crate::support::{Covered, digest_of};

pub const DATA: &str = "1.2.840.113549.1.7.1";
pub const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub const GM_DATA: &str = "1.2.156.10197.6.1.4.2.1";
pub const GM_SIGNED_DATA: &str = "1.2.156.10197.6.1.4.2.2";
pub const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
pub const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";

/// What goes into the CMS; start from [`Parts::new`] and spoil what the case needs.
pub struct Parts<'a> {
    pub outer_type: &'static str,
    pub version: u64,
    pub digest_oid: String,
    pub listed_digest_oid: String,
    pub content_type: &'static str,
    pub content: Option<Vec<u8>>,
    pub certificates: Vec<Certificate>,
    pub signer_version: u64,
    pub named: Certificate,
    pub signer: &'a Identity,
    /// Each a whole Attribute; `None` signs the content.
    pub attributes: Option<Vec<Vec<u8>>>,
    pub sort: bool,
    /// The tag that is hashed in place of `[0]`.
    pub signed_tag: u8,
    pub signature_algorithm_der: Vec<u8>,
    pub signature: Option<Vec<u8>>,
    pub signers: usize,
}

impl<'a> Parts<'a> {
    pub fn new(signer: &'a Identity, chain: Vec<Certificate>, covered: &Covered) -> Self {
        let digest = digest_of(signer);
        Parts {
            outer_type: SIGNED_DATA,
            version: 1,
            digest_oid: digest.oid().to_owned(),
            listed_digest_oid: digest.oid().to_owned(),
            content_type: DATA,
            content: None,
            certificates: chain,
            signer_version: 1,
            named: signer.certificate.clone(),
            signer,
            attributes: Some(vec![
                attribute(CONTENT_TYPE, &[tlv::oid(DATA)]),
                attribute(
                    MESSAGE_DIGEST,
                    &[tlv::octet_string(&covered.digest(digest))],
                ),
                signing_certificate(DigestAlgorithm::Sha256, &signer.certificate),
            ]),
            sort: true,
            signed_tag: tag::SET,
            signature_algorithm_der: signer.key.algorithm().cms_identifier_der(),
            signature: None,
            signers: 1,
        }
    }

    pub fn build(mut self) -> Vec<u8> {
        if self.sort
            && let Some(attributes) = &mut self.attributes
        {
            attributes.sort();
        }
        let attributes = self
            .attributes
            .as_ref()
            .map(|attributes| attributes.concat());
        let message = match (&attributes, &self.content) {
            (Some(attributes), _) => tlv::encode(self.signed_tag, attributes),
            (None, content) => content.clone().unwrap_or_default(),
        };
        let signature = self
            .signature
            .clone()
            .unwrap_or_else(|| self.signer.sign(&message).unwrap());
        let algorithm = |oid: &str| tlv::sequence(&[&tlv::oid(oid)]);
        let issuer_and_serial = tlv::sequence(&[
            self.named.issuer_der(),
            &tlv::encode(tag::INTEGER, self.named.serial_der_integer_content()),
        ]);
        let attributes = attributes
            .map(|attributes| tlv::encode(tag::context_constructed(0), &attributes))
            .unwrap_or_default();
        let info = tlv::sequence(&[
            &tlv::integer(self.signer_version),
            &issuer_and_serial,
            &algorithm(&self.digest_oid),
            &attributes,
            &self.signature_algorithm_der,
            &tlv::octet_string(&signature),
        ]);
        let content = self
            .content
            .map(|content| tlv::encode(tag::context_constructed(0), &tlv::octet_string(&content)))
            .unwrap_or_default();
        let certificates: Vec<u8> = self
            .certificates
            .iter()
            .flat_map(|certificate| certificate.der().to_vec())
            .collect();
        let signed_data = tlv::sequence(&[
            &tlv::integer(self.version),
            &tlv::encode(tag::SET, &algorithm(&self.listed_digest_oid)),
            &tlv::sequence(&[&tlv::oid(self.content_type), &content]),
            &tlv::encode(tag::context_constructed(0), &certificates),
            &tlv::encode(tag::SET, &info.repeat(self.signers)),
        ]);
        tlv::sequence(&[
            &tlv::oid(self.outer_type),
            &tlv::encode(tag::context_constructed(0), &signed_data),
        ])
    }
}

pub fn attribute(oid: &str, values: &[Vec<u8>]) -> Vec<u8> {
    tlv::sequence(&[&tlv::oid(oid), &tlv::encode(tag::SET, &values.concat())])
}

/// signing-certificate-v2 with one certificate.
pub fn signing_certificate(algorithm: DigestAlgorithm, certificate: &Certificate) -> Vec<u8> {
    let hash = tlv::octet_string(&algorithm.digest(certificate.der()));
    let id = match algorithm {
        DigestAlgorithm::Sha256 => tlv::sequence(&[&hash]),
        DigestAlgorithm::Sm3 => tlv::sequence(&[&algorithm.algorithm_identifier_der(), &hash]),
    };
    attribute(
        SIGNING_CERTIFICATE_V2,
        &[tlv::sequence(&[&tlv::sequence(&[&id])])],
    )
}

/// The same bytes with the outer levels of indefinite length; what is hashed lies deeper.
pub fn indefinite(der: &[u8], levels: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = tlv::Reader::new(der);
    while !reader.is_empty() {
        let element = reader.next().unwrap();
        if levels == 0 || element.tag & 0x20 == 0 {
            out.extend_from_slice(element.raw);
        } else {
            out.extend_from_slice(&[element.tag, 0x80]);
            out.extend_from_slice(&indefinite(element.content, levels - 1));
            out.extend_from_slice(&[0, 0]);
        }
    }
    out
}
