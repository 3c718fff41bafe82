//! CMS signed data: what is written is read back, and what is wrong is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{Key, NOW, damaged, self_signed};
use yinxin_pki::cms::{
    CmsError, SignedData, assemble_signed_data, signed_attributes_der, signed_data_length_max,
};
use yinxin_pki::{
    CMS_BYTES_MAX, CMS_CERTIFICATES_MAX, Certificate, DigestAlgorithm, PkiError,
    SignatureAlgorithm, tlv,
};

const CONTENT: &[u8] = b"what the signature covers";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const GM_SIGNED_DATA: &str = "1.2.156.10197.6.1.4.2.2";
const SM3: &str = "1.2.156.10197.1.401";

/// Our own detached signature over [`CONTENT`].
fn signed(key: &Key, certificate: &Certificate) -> Vec<u8> {
    let algorithm = key.algorithm();
    let digest = algorithm.digest().unwrap();
    let attributes = signed_attributes_der(digest, &digest.digest(CONTENT), certificate);
    assemble_signed_data(
        digest,
        &algorithm,
        &attributes,
        &key.sign(&attributes),
        std::slice::from_ref(certificate),
    )
}

#[test]
fn what_is_written_is_read_back_and_verifies() {
    for key in [Key::p256(), Key::sm2()] {
        let certificate = self_signed(&key);
        let algorithm = key.algorithm();
        let digest = algorithm.digest().unwrap();
        let data = SignedData::parse(&signed(&key, &certificate)).unwrap();
        assert!(!data.is_gm_arc());
        assert_eq!(data.version(), 1);
        assert_eq!(data.content_type(), DATA);
        assert_eq!(data.encapsulated_content(), None);
        assert_eq!(data.certificates(), std::slice::from_ref(&certificate));
        assert_eq!(data.digest_algorithm_oids(), [digest.oid()]);

        let [info] = data.signer_infos() else {
            panic!("one signer info");
        };
        assert_eq!(info.version(), 1);
        assert_eq!(info.digest_algorithm(), Some(digest));
        assert_eq!(*info.signature_algorithm(), algorithm);
        assert!(info.unsigned_attribute_oids().is_empty());
        assert_eq!(info.signer_certificate(&data), Some(&certificate));
        info.verify(&certificate).unwrap();
        assert!(info.verify(&self_signed(&Key::p256())).is_err());

        let attributes = info.signed_attributes().unwrap();
        assert!(attributes.is_der_sorted());
        assert_eq!(attributes.oids().count(), 3);
        assert_eq!(attributes.content_type().unwrap(), DATA);
        assert_eq!(attributes.message_digest().unwrap(), digest.digest(CONTENT));
        assert_eq!(attributes.signing_time(), Ok(None));
        assert!(!attributes.has_signing_certificate_v1());
        let ess = attributes.signing_certificate_v2().unwrap().unwrap();
        assert_eq!(ess.hash_algorithm, Some(digest));
        assert_eq!(ess.names(&certificate), Some(true));
        assert_eq!(ess.names(&self_signed(&key)), Some(false));
    }
}

#[test]
fn sha_256_is_left_out_of_signing_certificate_v2_and_sm3_is_written() {
    for (key, written) in [(Key::p256(), false), (Key::sm2(), true)] {
        let digest = key.algorithm().digest().unwrap();
        let der = signed_attributes_der(digest, &[0; 32], &self_signed(&key));
        let oid = tlv::oid(digest.oid());
        let found = der.windows(oid.len()).any(|part| part == oid);
        assert_eq!(found, written, "{digest:?}");
    }
}

#[test]
fn the_length_bound_holds_and_is_tight() {
    for key in [Key::p256(), Key::sm2()] {
        let certificate = self_signed(&key);
        let algorithm = key.algorithm();
        let digest = algorithm.digest().unwrap();
        let bound = signed_data_length_max(
            digest,
            &algorithm,
            &certificate,
            std::slice::from_ref(&certificate),
        );
        for _ in 0..50 {
            let length = signed(&key, &certificate).len();
            assert!(length <= bound && bound - length < 8, "{length} {bound}");
        }
    }
}

#[test]
fn indefinite_lengths_everywhere_read_as_the_definite_original() {
    let key = Key::sm2();
    let certificate = self_signed(&key);
    let der = signed(&key, &certificate);
    let ber = indefinite(&der);
    assert!(ber.len() > der.len());
    let data = SignedData::parse(&ber).unwrap();
    assert_eq!(data.certificates(), std::slice::from_ref(&certificate));
    data.signer_infos()[0].verify(&certificate).unwrap();
}

/// Every constructed element with an indefinite length.
fn indefinite(der: &[u8]) -> Vec<u8> {
    let mut reader = tlv::Reader::new(der);
    let mut out = Vec::new();
    while !reader.is_empty() {
        let element = reader.next().unwrap();
        if element.tag & 0x20 == 0 {
            out.extend_from_slice(element.raw);
        } else {
            out.extend_from_slice(&[element.tag, 0x80]);
            out.extend_from_slice(&indefinite(element.content));
            out.extend_from_slice(&[0, 0]);
        }
    }
    out
}

#[test]
fn damage_anywhere_neither_panics_nor_verifies() {
    for key in [Key::p256(), Key::sm2()] {
        let certificate = self_signed(&key);
        let good = signed(&key, &certificate);
        let signed_bytes = SignedData::parse(&good).unwrap().signer_infos()[0]
            .signed_attributes()
            .unwrap()
            .set_der()
            .to_vec();
        for bytes in damaged(&good).chain(damaged(&indefinite(&good))) {
            let Ok(data) = SignedData::parse(&bytes) else {
                continue;
            };
            for info in data.signer_infos() {
                if info.verify(&certificate).is_ok() {
                    assert_eq!(info.signed_attributes().unwrap().set_der(), signed_bytes);
                }
            }
        }
    }
}

#[test]
fn padding_after_the_structure_is_refused() {
    let key = Key::p256();
    let mut bytes = signed(&key, &self_signed(&key));
    let length = bytes.len();
    bytes.extend([0; 16]);
    assert!(SignedData::parse(&bytes).is_err());
    assert_eq!(tlv::der_length(&bytes), Ok(length));
}

/// Signed data put together by hand, to be wrong in one place at a time.
struct Parts {
    outer_type: &'static str,
    content: Option<Vec<u8>>,
    digest: Vec<u8>,
    certificates: Vec<u8>,
    attributes: Option<Vec<u8>>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    identifier: Vec<u8>,
    signer_infos: usize,
}

impl Parts {
    fn new(key: &Key, certificate: &Certificate, attributes: Option<Vec<u8>>) -> Self {
        let message = attributes.clone().unwrap_or_else(|| CONTENT.to_vec());
        Self {
            outer_type: SIGNED_DATA,
            content: None,
            digest: key.algorithm().digest().unwrap().algorithm_identifier_der(),
            certificates: certificate.der().to_vec(),
            attributes,
            algorithm: key.algorithm().identifier_der(),
            signature: key.sign(&message),
            identifier: tlv::sequence(&[
                certificate.issuer_der(),
                &tlv::encode(2, certificate.serial_der_integer_content()),
            ]),
            signer_infos: 1,
        }
    }

    fn der(&self) -> Vec<u8> {
        let attributes = self.attributes.clone().map_or_else(Vec::new, |mut set| {
            set[0] = 0xa0;
            set
        });
        let info = tlv::sequence(&[
            &tlv::integer(1),
            &self.identifier,
            &self.digest,
            &attributes,
            &self.algorithm,
            &tlv::octet_string(&self.signature),
        ]);
        let content = self.content.as_ref().map_or_else(Vec::new, |content| {
            tlv::context(0, true, &tlv::octet_string(content))
        });
        let signed_data = tlv::sequence(&[
            &tlv::integer(1),
            &tlv::encode(0x31, &self.digest),
            &tlv::sequence(&[&tlv::oid(DATA), &content]),
            &tlv::context(0, true, &self.certificates),
            &tlv::encode(0x31, &info.repeat(self.signer_infos)),
        ]);
        tlv::sequence(&[
            &tlv::oid(self.outer_type),
            &tlv::context(0, true, &signed_data),
        ])
    }

    fn parse(&self) -> Result<SignedData, CmsError> {
        SignedData::parse(&self.der())
    }
}

fn attribute(oid: &str, values: &[&[u8]]) -> Vec<u8> {
    tlv::sequence(&[&tlv::oid(oid), &tlv::encode(0x31, &values.concat())])
}

#[test]
fn the_gm_arc_is_read_with_each_name_of_the_signature_algorithm() {
    let key = Key::sm2();
    let certificate = self_signed(&key);
    for oid in [
        "1.2.156.10197.1.301.1",
        "1.2.156.10197.1.301",
        "1.2.156.10197.1.501",
    ] {
        for parameters in [Vec::new(), tlv::null()] {
            let mut parts = Parts::new(&key, &certificate, None);
            parts.outer_type = GM_SIGNED_DATA;
            parts.content = Some(CONTENT.to_vec());
            parts.algorithm = tlv::sequence(&[&tlv::oid(oid), &parameters]);
            let data = parts.parse().unwrap();
            assert!(data.is_gm_arc());
            assert_eq!(data.encapsulated_content(), Some(CONTENT));
            let info = &data.signer_infos()[0];
            assert_eq!(*info.signature_algorithm(), SignatureAlgorithm::Sm2Sm3);
            assert!(info.signed_attributes().is_none());
            info.verify(&certificate).unwrap();
        }
    }
}

#[test]
fn a_raw_signature_without_attributes_is_taken_over_content_from_outside() {
    let key = Key::sm2();
    let certificate = self_signed(&key);
    let mut parts = Parts::new(&key, &certificate, None);
    parts.signature = yinxin_sm::Signature::from_der(&parts.signature)
        .unwrap()
        .to_raw()
        .to_vec();
    let data = parts.parse().unwrap();
    let info = &data.signer_infos()[0];
    assert_eq!(info.verify(&certificate), Err(CmsError::ContentNotInside));
    info.verify_content(&certificate, CONTENT).unwrap();
    assert_eq!(
        info.verify_content(&certificate, b"other"),
        Err(CmsError::Pki(PkiError::SignatureInvalid))
    );
}

#[test]
fn a_constructed_octet_string_is_one_content() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    let mut parts = Parts::new(&key, &certificate, None);
    parts.content = Some(CONTENT.to_vec());
    let der = parts.der();
    let whole = tlv::octet_string(CONTENT);
    let at = der
        .windows(whole.len())
        .position(|part| part == whole)
        .unwrap();
    let pieces = [
        tlv::octet_string(&CONTENT[..5]),
        tlv::octet_string(&CONTENT[5..]),
    ]
    .concat();
    // Everything around it becomes indefinite, so that no length has to be mended.
    let [before, after] = [&der[..at], &der[at + whole.len()..]];
    let marker = [0x24, 0x80];
    let chunked = [&marker[..], &pieces, &[0, 0]].concat();
    let ber = indefinite_with(&[before, &whole, after].concat(), &whole, &chunked);
    let data = SignedData::parse(&ber).unwrap();
    assert_eq!(data.encapsulated_content(), Some(CONTENT));
    data.signer_infos()[0].verify(&certificate).unwrap();
}

/// As [`indefinite`], with one primitive element replaced.
fn indefinite_with(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let ber = indefinite(der);
    let at = ber
        .windows(from.len())
        .position(|part| part == from)
        .unwrap();
    [&ber[..at], to, &ber[at + from.len()..]].concat()
}

#[test]
fn the_signer_may_be_named_by_key_identifier() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    let mut parts = Parts::new(&key, &certificate, None);
    parts.identifier = tlv::context(0, false, certificate.subject_key_id().unwrap());
    let data = parts.parse().unwrap();
    let info = &data.signer_infos()[0];
    assert_eq!(info.signer_certificate(&data), Some(&certificate));
    parts.identifier = tlv::context(0, false, &[1; 20]);
    let data = parts.parse().unwrap();
    assert_eq!(data.signer_infos()[0].signer_certificate(&data), None);
}

#[test]
fn none_and_two_signer_infos_are_read_and_a_crowd_is_refused() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    for (count, expected) in [(0, Some(0)), (2, Some(2)), (16, Some(16)), (17, None)] {
        let mut parts = Parts::new(&key, &certificate, None);
        parts.signer_infos = count;
        let read = parts.parse().ok().map(|data| data.signer_infos().len());
        assert_eq!(read, expected);
    }
}

#[test]
fn certificates_are_limited_and_unreadable_ones_counted() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    let mut parts = Parts::new(&key, &certificate, None);
    parts.certificates = [
        certificate.der(),
        &tlv::sequence(&[]),
        &tlv::context(1, true, b""),
    ]
    .concat();
    let data = parts.parse().unwrap();
    assert_eq!(data.certificates().len(), 1);
    assert_eq!(data.certificates_unreadable(), 2);
    parts.certificates = certificate.der().repeat(CMS_CERTIFICATES_MAX + 1);
    assert!(matches!(
        parts.parse(),
        Err(CmsError::LimitExceeded {
            limit: "cms_certificates",
            ..
        })
    ));
}

#[test]
fn attributes_missing_twice_or_with_other_than_one_value_are_told_apart() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    let digest = tlv::octet_string(&DigestAlgorithm::Sha256.digest(CONTENT));
    let content_type = attribute(CONTENT_TYPE, &[&tlv::oid(DATA)]);
    let good = attribute(MESSAGE_DIGEST, &[&digest]);
    let error = |message_digests: &[&[u8]]| {
        let set = tlv::encode(
            0x31,
            &[&content_type[..], &message_digests.concat()].concat(),
        );
        let data = Parts::new(&key, &certificate, Some(set)).parse().unwrap();
        let info = &data.signer_infos()[0];
        info.verify(&certificate).unwrap();
        info.signed_attributes()
            .unwrap()
            .message_digest()
            .map(<[u8]>::to_vec)
    };
    let oid = MESSAGE_DIGEST;
    assert!(error(&[&good]).is_ok());
    assert_eq!(error(&[]), Err(CmsError::AttributeMissing { oid }));
    assert_eq!(
        error(&[&good, &good]),
        Err(CmsError::AttributeRepeated { oid, count: 2 })
    );
    assert_eq!(
        error(&[&attribute(oid, &[&digest, &digest])]),
        Err(CmsError::AttributeValueCount { oid, count: 2 })
    );
    assert_eq!(
        error(&[&attribute(oid, &[])]),
        Err(CmsError::AttributeValueCount { oid, count: 0 })
    );
    assert_eq!(
        error(&[&attribute(oid, &[&tlv::integer(1)])]),
        Err(CmsError::AttributeMalformed { oid })
    );
}

#[test]
fn attributes_out_of_order_are_verified_as_they_stand_and_reported() {
    let key = Key::sm2();
    let certificate = self_signed(&key);
    let digest = tlv::octet_string(&DigestAlgorithm::Sm3.digest(CONTENT));
    let set = tlv::encode(
        0x31,
        &[
            attribute(MESSAGE_DIGEST, &[&digest]),
            attribute(SIGNING_TIME, &[&tlv::utc_time(NOW)]),
            attribute(CONTENT_TYPE, &[&tlv::oid(DATA)]),
        ]
        .concat(),
    );
    let data = Parts::new(&key, &certificate, Some(set.clone()))
        .parse()
        .unwrap();
    let info = &data.signer_infos()[0];
    let attributes = info.signed_attributes().unwrap();
    assert!(!attributes.is_der_sorted());
    assert_eq!(attributes.set_der(), set);
    assert_eq!(attributes.signing_time(), Ok(Some(NOW)));
    assert_eq!(attributes.signing_certificate_v2(), Ok(None));
    info.verify(&certificate).unwrap();
}

#[test]
fn a_signature_over_the_context_tag_instead_of_the_set_is_invalid() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    let set = signed_attributes_der(DigestAlgorithm::Sha256, &[0; 32], &certificate);
    let mut parts = Parts::new(&key, &certificate, Some(set.clone()));
    let mut tagged = set;
    tagged[0] = 0xa0;
    parts.signature = key.sign(&tagged);
    let data = parts.parse().unwrap();
    assert_eq!(
        data.signer_infos()[0].verify(&certificate),
        Err(CmsError::Pki(PkiError::SignatureInvalid))
    );
}

#[test]
fn the_digest_beside_a_signature_must_be_the_one_inside_it() {
    let key = Key::p256();
    let certificate = self_signed(&key);
    let set = signed_attributes_der(DigestAlgorithm::Sha256, &[0; 32], &certificate);
    let mut parts = Parts::new(&key, &certificate, Some(set));
    parts.digest = DigestAlgorithm::Sm3.algorithm_identifier_der();
    let data = parts.parse().unwrap();
    assert_eq!(
        data.signer_infos()[0].verify(&certificate),
        Err(CmsError::DigestDoesNotFitSignature {
            digest_oid: SM3.into(),
            algorithm: "ECDSA-P256-SHA256"
        })
    );
}

#[test]
fn other_content_types_and_oversize_are_refused() {
    let key = Key::p256();
    let mut parts = Parts::new(&key, &self_signed(&key), None);
    parts.outer_type = "1.2.840.113549.1.7.3";
    assert_eq!(
        parts.parse().err(),
        Some(CmsError::NotSignedData {
            oid: "1.2.840.113549.1.7.3".into()
        })
    );
    assert!(matches!(
        SignedData::parse(&vec![0x30; CMS_BYTES_MAX + 1]),
        Err(CmsError::LimitExceeded {
            limit: "cms_bytes",
            ..
        })
    ));
}

#[test]
fn deep_nesting_ends_in_an_error() {
    let mut bytes = tlv::null();
    for _ in 0..10_000 {
        bytes = [&[0x30, 0x80][..], &bytes, &[0, 0]].concat();
    }
    assert!(SignedData::parse(&bytes).is_err());
    let mut open = [0x30, 0x80].repeat(400_000);
    open.truncate(CMS_BYTES_MAX);
    assert!(SignedData::parse(&open).is_err());
}
