//! Signed data as we write it: DER, detached, one signature, `PAdES` baseline attributes.

use crate::tlv;
use crate::{Certificate, DigestAlgorithm, SignatureAlgorithm, oid};

/// The DER SET OF signed attributes to be signed: content-type id-data, message-digest and
/// signing-certificate-v2, and no signing-time (EN 319 142-1, 6.3: the time is /M's to say).
///
/// `message_digest` is the digest of the covered bytes by `digest`. The signature goes over exactly
/// these bytes, and exactly these bytes go to [`assemble_signed_data`].
pub fn signed_attributes_der(
    digest: DigestAlgorithm,
    message_digest: &[u8],
    signer: &Certificate,
) -> Vec<u8> {
    tlv::set_of(&[
        &attribute(oid::CONTENT_TYPE, &tlv::oid(oid::CMS_DATA)),
        &attribute(oid::MESSAGE_DIGEST, &tlv::octet_string(message_digest)),
        &attribute(
            oid::SIGNING_CERTIFICATE_V2,
            &signing_certificate_v2(digest, signer),
        ),
    ])
}

/// The DER ContentInfo around a finished signature, under the identifiers of RFC 5652 for every
/// algorithm.
///
/// `signed_attributes_set_der` is what [`signed_attributes_der`] gave and what was signed;
/// `certificates` has the signer's first, then its chain. As a DER SET OF they are written in the
/// order of their bytes.
///
/// # Panics
/// When `certificates` is empty or the attributes are no SET: a broken invariant of the caller.
pub fn assemble_signed_data(
    digest: DigestAlgorithm,
    signature_algorithm: &SignatureAlgorithm,
    signed_attributes_set_der: &[u8],
    signature: &[u8],
    certificates: &[Certificate],
) -> Vec<u8> {
    let signer = certificates
        .first()
        .expect("the signer's certificate comes first");
    let signer_info = tlv::sequence(&[
        &tlv::integer(1),
        &issuer_and_serial(signer),
        &digest.algorithm_identifier_der(),
        &retag_as_context_0(signed_attributes_set_der),
        &signature_algorithm.cms_identifier_der(),
        &tlv::octet_string(signature),
    ]);
    let mut certificates_der: Vec<&[u8]> = certificates.iter().map(Certificate::der).collect();
    certificates_der.sort_unstable();
    certificates_der.dedup();
    let signed_data = tlv::sequence(&[
        // 1: X.509 certificates only, id-data, issuer and serial number (RFC 5652 5.1).
        &tlv::integer(1),
        &tlv::set_of(&[&digest.algorithm_identifier_der()]),
        &tlv::sequence(&[&tlv::oid(oid::CMS_DATA)]),
        &tlv::context(0, true, &certificates_der.concat()),
        &tlv::set_of(&[&signer_info]),
    ]);
    tlv::sequence(&[
        &tlv::oid(oid::CMS_SIGNED_DATA),
        &tlv::context(0, true, &signed_data),
    ])
}

/// The most octets [`assemble_signed_data`] can give for this signer: exact for RSA, and for the
/// curves what a signature with both leading bits set needs, which is at most a few octets more.
///
/// `certificates` has the signer's first, as there. An unsupported key counts with 1024 octets of
/// signature.
pub fn signed_data_length_max(
    digest: DigestAlgorithm,
    signature_algorithm: &SignatureAlgorithm,
    signer: &Certificate,
    certificates: &[Certificate],
) -> usize {
    let attributes = signed_attributes_der(digest, &vec![0; digest.output_len()], signer);
    let signature = vec![0; signer.public_key().signature_bytes_max().unwrap_or(1024)];
    let with_signer = std::slice::from_ref(signer);
    let certificates = if certificates.is_empty() {
        with_signer
    } else {
        certificates
    };
    assemble_signed_data(
        digest,
        signature_algorithm,
        &attributes,
        &signature,
        certificates,
    )
    .len()
}

/// `Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }`
fn attribute(oid: &str, value: &[u8]) -> Vec<u8> {
    tlv::sequence(&[&tlv::oid(oid), &tlv::set_of(&[value])])
}

/// `SigningCertificateV2` with one `ESSCertIDv2` (RFC 5035 3 and 4).
fn signing_certificate_v2(digest: DigestAlgorithm, signer: &Certificate) -> Vec<u8> {
    let hash_algorithm = match digest {
        // The DEFAULT, which DER leaves out.
        DigestAlgorithm::Sha256 => Vec::new(),
        DigestAlgorithm::Sm3 => digest.algorithm_identifier_der(),
    };
    let issuer_serial = tlv::sequence(&[
        &tlv::sequence(&[&tlv::context(4, true, signer.issuer_der())]),
        &serial_number(signer),
    ]);
    let ess_cert_id = tlv::sequence(&[
        &hash_algorithm,
        &tlv::octet_string(&digest.digest(signer.der())),
        &issuer_serial,
    ]);
    tlv::sequence(&[&tlv::sequence(&[&ess_cert_id])])
}

fn issuer_and_serial(signer: &Certificate) -> Vec<u8> {
    tlv::sequence(&[signer.issuer_der(), &serial_number(signer)])
}

/// The serial number with the octets the certificate has, whatever they are.
fn serial_number(signer: &Certificate) -> Vec<u8> {
    tlv::encode(tlv::tag::INTEGER, signer.serial_der_integer_content())
}

/// signedAttrs is `[0] IMPLICIT SET OF`: the signed SET under another tag.
fn retag_as_context_0(set_der: &[u8]) -> Vec<u8> {
    let mut der = set_der.to_vec();
    let first = der.first_mut().expect("the attributes are one SET");
    assert_eq!(*first, tlv::tag::SET, "the attributes are one SET");
    *first = tlv::tag::context_constructed(0);
    der
}
