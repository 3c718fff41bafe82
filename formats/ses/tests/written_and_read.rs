//! What is written is read back, verifies, and keeps its length promise; the forms of the field
//! are read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::*;
use proptest::prelude::*;
use yinxin_pki::{DigestAlgorithm, UnixSeconds, tlv};
use yinxin_ses::{
    CertDigest, CertList, Picture, Seal, SealInfoV4, SealSignature, SealVersion, SesError,
    TbsSignV4, assemble_seal_signature_v4, assemble_seal_v4, assemble_seal_v5,
    looks_like_seal_signature, seal_signature_length_max,
};
use yinxin_sm::{Encoding, sm3};

#[test]
fn a_v4_seal_and_its_signature_are_read_back_and_verify() {
    let bytes = v4_signature();
    let signed = SealSignature::parse(&bytes).unwrap();
    assert_eq!(signed.raw(), bytes);
    assert_eq!(
        (signed.version(), signed.to_sign_version()),
        (SealVersion::V4, 4)
    );
    assert_eq!(signed.time().at, Some(seconds("2026-11-22T08:00:00Z")));
    assert_eq!(signed.time().text, "20261122080000Z");
    assert_eq!(signed.data_hash(), sm3(b"the document"));
    assert_eq!(signed.property_info(), "ByteRange [0 100 200 100]");
    assert_eq!(signed.signer_certificate_der(), signer().certificate_der);
    assert_eq!(signed.signature_encoding(), Some(Encoding::Der));
    assert_eq!(signed.verify_signer_signature(), Ok(()));

    let seal = signed.seal();
    assert_eq!(seal.raw(), v4_seal());
    assert_eq!(seal, &Seal::parse(&v4_seal()).unwrap());
    let info = seal_info(CertList::Certificates(vec![signer().certificate_der]));
    assert_eq!(seal.signed_bytes(), info.to_der().unwrap());
    assert_eq!(seal.es_id(), info.es_id);
    assert_eq!(seal.header().vendor_id, info.vendor_id);
    assert_eq!(seal.property().name, info.name);
    assert_eq!(seal.property().valid_end, info.valid_end);
    assert_eq!(seal.picture(), &info.picture);
    assert_eq!(seal.maker_certificate_der(), maker().certificate_der);
    assert!(seal.property().cert_list.permits(&signer().certificate_der));
    assert!(!seal.property().cert_list.permits(&maker().certificate_der));
    assert_eq!(seal.verify_maker_signature(), Ok(()));
}

#[test]
fn as_many_signers_are_written_as_are_read_back() {
    let seal = |signers: usize| {
        let list = CertList::Certificates(vec![Vec::new(); signers]);
        seal_info(list).to_der()
    };
    let der = assemble_seal_v4(&seal(256).unwrap(), b"", b"");
    assert!(Seal::parse(&der).is_ok());
    let refused = SesError::LimitExceeded {
        limit: "signers_max",
        value: 257,
        max: 256,
    };
    assert_eq!(seal(257), Err(refused));
}

#[test]
fn v1_objects_are_read_and_verify_over_their_composed_bytes() {
    for (name, time_info, at, text) in [
        (
            "text",
            b"2020-01-25T07:31:56.377Z".to_vec(),
            Some("2020-01-25T07:31:56Z"),
            "2020-01-25T07:31:56.377Z",
        ),
        (
            "UTCTime",
            tlv::utc_time(seconds("2020-01-25T07:31:56Z")),
            Some("2020-01-25T07:31:56Z"),
            "200125073156Z",
        ),
        (
            "GeneralizedTime as text",
            b"20200125073156Z".to_vec(),
            Some("2020-01-25T07:31:56Z"),
            "20200125073156Z",
        ),
        (
            "text without a zone",
            b"2020-01-25 07:31:56".to_vec(),
            None,
            "2020-01-25 07:31:56",
        ),
        (
            "a token",
            tlv::sequence(&[&tlv::oid("1.2.840.113549.1.7.2")]),
            None,
            "",
        ),
        ("nothing", Vec::new(), None, ""),
    ] {
        let bytes = v1_signature(&time_info);
        assert!(looks_like_seal_signature(&bytes), "{name}");
        let signed = SealSignature::parse(&bytes).unwrap();
        assert_eq!(
            (signed.version(), signed.to_sign_version()),
            (SealVersion::V1, 1)
        );
        assert_eq!(signed.time().at, at.map(seconds), "{name}");
        assert_eq!(signed.time().text, text, "{name}");
        assert_eq!(signed.time().raw, time_info, "{name}");
        assert_eq!(signed.verify_signer_signature(), Ok(()), "{name}");
        let seal = signed.seal();
        assert_eq!(seal.version(), SealVersion::V1);
        assert_eq!(seal.property().valid_start, seconds("2016-01-01T00:00:00Z"));
        assert!(
            seal.property()
                .cert_list
                .permits(signed.signer_certificate_der())
        );
        assert_eq!(seal.verify_maker_signature(), Ok(()), "{name}");
    }
}

#[test]
fn v5_hands_on_both_time_stamps() {
    let bytes = v5_signature(b"seal token", b"signature token");
    let signed = SealSignature::parse(&bytes).unwrap();
    assert_eq!(
        (signed.version(), signed.to_sign_version()),
        (SealVersion::V5, 5)
    );
    assert_eq!(signed.time_stamp(), Some(&b"signature token"[..]));
    assert_eq!(signed.seal().time_stamp(), Some(&b"seal token"[..]));
    assert_eq!(signed.verify_signer_signature(), Ok(()));
    assert_eq!(signed.seal().verify_maker_signature(), Ok(()));
}

/// What two PDFs of 2019 in the field have: TBS version 3 around a v4 seal, signatures as r, s.
#[test]
fn the_number_3_with_raw_signatures_is_read_by_its_shape() {
    let (maker, signer) = (maker(), signer());
    let info = renumbered(&seal_info(CertList::Certificates(Vec::new())), 3);
    let raw = |party: &Party, message: &[u8]| {
        party.sign_with(yinxin_sm::DEFAULT_DISTID, message).to_raw()
    };
    let seal = assemble_seal_v4(&info, &maker.certificate_der, &raw(&maker, &info));
    let to_sign = tlv::sequence(&[
        &tlv::integer(3),
        &seal,
        &tlv::generalized_time(seconds("2019-05-05T00:00:00Z")),
        &tlv::bit_string(&sm3(b"")),
        &tlv::ia5_string("Signature.xml"),
    ]);
    let bytes =
        assemble_seal_signature_v4(&to_sign, &signer.certificate_der, &raw(&signer, &to_sign));
    let signed = SealSignature::parse(&bytes).unwrap();
    assert_eq!(
        (signed.version(), signed.to_sign_version()),
        (SealVersion::V4, 3)
    );
    assert_eq!(signed.signature_encoding(), Some(Encoding::Raw));
    assert_eq!(signed.verify_signer_signature(), Ok(()));
    assert_eq!(signed.seal().verify_maker_signature(), Ok(()));
}

/// As in tax seals: FALSE is spelled out, which DER forbids; re-encoding would break the seal.
#[test]
fn extensions_are_read_with_their_defaults_spelled_out() {
    let (maker, signer) = (maker(), signer());
    let extension = |oid: &str, critical: Option<bool>, value: &[u8]| {
        tlv::sequence(&[
            &tlv::oid(oid),
            &critical.map(tlv::boolean).unwrap_or_default(),
            &tlv::octet_string(value),
        ])
    };
    let list = tlv::sequence(&[
        &extension("1.2.156.10197.6.7.2.2.1", Some(false), b"2.1"),
        &extension("1.2.156.112600.7.2", Some(true), "ᠮᠣᠩᠭᠣᠯ".as_bytes()),
        &extension("1.2.3", None, b""),
    ]);
    let plain = seal_info(CertList::Certificates(Vec::new()))
        .to_der()
        .unwrap();
    let content = tlv::Reader::new(&plain).next().unwrap().content;
    let info = tlv::sequence(&[content, &list]);
    let seal = assemble_seal_v4(&info, &maker.certificate_der, &maker.sign(&info));
    let to_sign = tlv::sequence(&[
        &tlv::integer(4),
        &seal,
        &tlv::generalized_time(seconds("2026-11-22T08:00:00Z")),
        &tlv::bit_string(&sm3(b"d")),
        &tlv::ia5_string("p"),
        &tlv::context(0, true, &list),
    ]);
    let bytes =
        assemble_seal_signature_v4(&to_sign, &signer.certificate_der, &signer.sign(&to_sign));
    let signed = SealSignature::parse(&bytes).unwrap();
    for extensions in [signed.extensions(), signed.seal().extensions()] {
        let found: Vec<_> = extensions
            .iter()
            .map(|extension| {
                (
                    extension.oid.as_str(),
                    extension.critical,
                    extension.value.len(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("1.2.156.10197.6.7.2.2.1", false, 3),
                ("1.2.156.112600.7.2", true, 18),
                ("1.2.3", false, 0),
            ]
        );
    }
    assert_eq!(signed.verify_signer_signature(), Ok(()));
    assert_eq!(signed.seal().verify_maker_signature(), Ok(()));
}

#[test]
fn v5_is_written_with_and_without_a_time_stamp_and_read_back() {
    let (maker, signer) = (maker(), signer());
    let info = seal_info(CertList::Certificates(vec![signer.certificate_der.clone()]))
        .to_v5_der()
        .unwrap();
    for token in [None, Some(b"a token".as_slice())] {
        let signature = maker.sign(&info);
        let seal_der = assemble_seal_v5(&info, &maker.certificate_der, &signature, token);
        let seal = Seal::parse(&seal_der).unwrap();
        assert_eq!(
            (seal.version(), seal.header().version),
            (SealVersion::V5, 5)
        );
        assert_eq!(seal.time_stamp(), token);
        assert_eq!(seal.verify_maker_signature(), Ok(()));
        let to_sign = TbsSignV4 {
            seal_der: &seal_der,
            time: seconds("2026-11-22T08:00:00Z"),
            data_hash: sm3(b"d"),
            property_info: "p",
        }
        .to_v5_der();
        let bytes =
            assemble_seal_signature_v4(&to_sign, &signer.certificate_der, &signer.sign(&to_sign));
        let signed = SealSignature::parse(&bytes).unwrap();
        assert_eq!(
            (signed.version(), signed.to_sign_version()),
            (SealVersion::V5, 5)
        );
        assert_eq!(signed.verify_signer_signature(), Ok(()));
    }
}

#[test]
fn a_list_of_digests_permits_whose_digest_it_holds() {
    let certificate = signer().certificate_der;
    let digest = |algorithm: &str, digest: DigestAlgorithm| CertDigest {
        algorithm: algorithm.to_owned(),
        value: digest.digest(&certificate),
    };
    for (algorithm, with, permits) in [
        ("1.2.156.10197.1.401", DigestAlgorithm::Sm3, true),
        ("SM3", DigestAlgorithm::Sm3, true),
        ("sm3", DigestAlgorithm::Sm3, true),
        ("", DigestAlgorithm::Sm3, true),
        ("SHA-256", DigestAlgorithm::Sha256, true),
        ("2.16.840.1.101.3.4.2.1", DigestAlgorithm::Sha256, true),
        ("SM3", DigestAlgorithm::Sha256, false),
        ("MD5", DigestAlgorithm::Sm3, false),
    ] {
        let list = CertList::Digests(vec![digest(algorithm, with)]);
        let info = seal_info(list.clone()).to_der().unwrap();
        let maker = maker();
        let seal = assemble_seal_v4(&info, &maker.certificate_der, &maker.sign(&info));
        let seal = Seal::parse(&seal).unwrap();
        assert_eq!(seal.property().cert_list, list, "{algorithm}");
        assert_eq!(
            seal.property().cert_list.permits(&certificate),
            permits,
            "{algorithm}"
        );
        assert!(!seal.property().cert_list.permits(&maker.certificate_der));
    }
    assert!(!CertList::Digests(Vec::new()).permits(&certificate));
    assert!(!CertList::Certificates(Vec::new()).permits(&certificate));
}

#[test]
fn what_is_wrong_with_a_signature_is_told_apart() {
    let (maker, other) = (maker(), signer());
    let info = seal_info(CertList::Certificates(Vec::new()))
        .to_der()
        .unwrap();
    let verdict = |certificate: &[u8], algorithm: &str, signature: &[u8]| {
        let seal = tlv::sequence(&[
            &info,
            &tlv::octet_string(certificate),
            &tlv::oid(algorithm),
            &tlv::bit_string(signature),
        ]);
        Seal::parse(&seal).unwrap().verify_maker_signature()
    };
    let good = maker.sign(&info);
    let own = &maker.certificate_der;
    assert_eq!(verdict(own, SM2_WITH_SM3, &good), Ok(()));
    // One library misspells the identifier so.
    assert_eq!(verdict(own, "1.2.156.10197.501", &good), Ok(()));
    assert_eq!(
        verdict(own, SM2_WITH_SM3, &other.sign(&info)),
        Err(SesError::SignatureInvalid)
    );
    assert_eq!(
        verdict(&other.certificate_der, SM2_WITH_SM3, &good),
        Err(SesError::SignatureInvalid)
    );
    assert_eq!(
        verdict(own, SM2_WITH_SM3, &maker.sign_with(b"", &info).to_der()),
        Err(SesError::SignatureUnderEmptyDistid)
    );
    for malformed in [&b""[..], b"no signature", &[0; 64]] {
        assert_eq!(
            verdict(own, SM2_WITH_SM3, malformed),
            Err(SesError::SignatureMalformed)
        );
    }
    assert_eq!(
        verdict(own, "1.2.840.113549.1.1.5", &good),
        Err(SesError::AlgorithmUnsupported {
            oid: "1.2.840.113549.1.1.5".to_owned()
        })
    );
    assert!(matches!(
        verdict(own, "1.2.840.113549.1.1.11", &good),
        Err(SesError::KeyDoesNotFit(_))
    ));
    assert!(matches!(
        verdict(b"no certificate", SM2_WITH_SM3, &good),
        Err(SesError::Certificate(_))
    ));
}

#[test]
fn a_digest_signed_instead_of_the_message_is_no_signature() {
    let maker = maker();
    let info = seal_info(CertList::Certificates(Vec::new()))
        .to_der()
        .unwrap();
    let seal = assemble_seal_v4(&info, &maker.certificate_der, &maker.sign(&sm3(&info)));
    assert_eq!(
        Seal::parse(&seal).unwrap().verify_maker_signature(),
        Err(SesError::SignatureInvalid)
    );
}

#[test]
fn text_outside_ascii_is_refused_in_a_seal_and_escaped_in_property_info() {
    let info = || seal_info(CertList::Certificates(Vec::new()));
    let mut vendor = info();
    vendor.vendor_id = "印信".to_owned();
    let mut es_id = info();
    es_id.es_id = "№1".to_owned();
    let mut kind = info();
    kind.picture.kind = "图".to_owned();
    for (field, info) in [
        ("vendor_id", vendor),
        ("es_id", es_id),
        ("picture.kind", kind),
    ] {
        assert_eq!(info.to_der(), Err(SesError::NotAscii { field }));
    }
    let seal = v4_seal();
    let to_sign = TbsSignV4 {
        seal_der: &seal,
        time: UnixSeconds(0),
        data_hash: [1; 32],
        property_info: "field 印 1",
    };
    let signed = assemble_seal_signature_v4(&to_sign.to_der(), &[], &[]);
    let signed = SealSignature::parse(&signed).unwrap();
    assert_eq!(signed.property_info(), "field %E5%8D%B0 1");
}

#[test]
fn only_seal_signatures_look_like_seal_signatures() {
    let mut padded = v4_signature();
    padded.extend([0; 500]);
    assert!(looks_like_seal_signature(&padded));
    assert!(looks_like_seal_signature(&v1_signature(b"")));
    let algorithm = tlv::sequence(&[&tlv::oid(SM2_WITH_SM3)]);
    let crl = tlv::sequence(&[&tlv::sequence(&[&tlv::integer(1), &algorithm])]);
    let cms = tlv::sequence(&[
        &tlv::oid("1.2.840.113549.1.7.2"),
        &tlv::context(0, true, &[]),
    ]);
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("a seal", v4_seal()),
        ("a v1 seal", v1_seal()),
        ("a certificate", maker().certificate_der),
        ("a certificate list", crl),
        ("CMS", cms),
        ("zeros", vec![0; 100]),
        (
            "a signature that is cut off",
            v4_signature()[..200].to_vec(),
        ),
    ] {
        assert!(!looks_like_seal_signature(&bytes), "{name}");
    }
}

fn seal_infos() -> impl Strategy<Value = SealInfoV4> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 0..max);
    let lists = prop_oneof![
        prop::collection::vec(bytes(300), 0..4).prop_map(CertList::Certificates),
        prop::collection::vec(("[A-Za-z0-9.-]{0,20}", bytes(40)), 0..4).prop_map(|digests| {
            CertList::Digests(
                digests
                    .into_iter()
                    .map(|(algorithm, value)| CertDigest { algorithm, value })
                    .collect(),
            )
        }),
    ];
    let times = (
        0_i64..253_402_300_800,
        0_i64..253_402_300_800,
        0_i64..253_402_300_800,
    );
    let pictures = ("[A-Z]{0,4}", bytes(600), any::<u32>(), any::<u32>());
    let texts = ("[ -~]{0,40}", "[ -~]{0,40}", "\\PC{0,40}");
    (texts, any::<u64>(), lists, times, pictures).prop_map(
        |((vendor_id, es_id, name), seal_type, cert_list, times, picture)| SealInfoV4 {
            vendor_id,
            es_id,
            seal_type,
            name,
            cert_list,
            create_date: UnixSeconds(times.0),
            valid_start: UnixSeconds(times.1),
            valid_end: UnixSeconds(times.2),
            picture: Picture {
                kind: picture.0,
                data: picture.1,
                width_mm: picture.2,
                height_mm: picture.3,
            },
        },
    )
}

proptest! {
    #[test]
    fn every_seal_that_can_be_written_is_read_back(
        info in seal_infos(),
        certificate in prop::collection::vec(any::<u8>(), 0..400),
        signature in prop::collection::vec(any::<u8>(), 0..72),
    ) {
        let info_der = info.to_der().unwrap();
        let bytes = assemble_seal_v4(&info_der, &certificate, &signature);
        let seal = Seal::parse(&bytes).unwrap();
        prop_assert_eq!(seal.signed_bytes(), info_der);
        prop_assert_eq!(seal.version(), SealVersion::V4);
        let read = SealInfoV4 {
            vendor_id: seal.header().vendor_id.clone(),
            es_id: seal.es_id().to_owned(),
            seal_type: seal.property().seal_type,
            name: seal.property().name.clone(),
            cert_list: seal.property().cert_list.clone(),
            create_date: seal.property().create_date,
            valid_start: seal.property().valid_start,
            valid_end: seal.property().valid_end,
            picture: seal.picture().clone(),
        };
        prop_assert_eq!(read, info);
        prop_assert_eq!(seal.maker_certificate_der(), certificate);
        prop_assert_eq!(seal.signature(), signature);
    }

    #[test]
    fn the_promised_length_is_never_passed_and_nearly_reached(
        picture in prop_oneof![0_usize..400, 60_000_usize..70_000],
        certificate in prop_oneof![0_usize..400, 60_000_usize..70_000],
        property_info in 0_usize..300,
        signature in 8_usize..=72,
    ) {
        let mut info = seal_info(CertList::Certificates(Vec::new()));
        info.picture.data = vec![7; picture];
        let seal = assemble_seal_v4(&info.to_der().unwrap(), b"maker", b"signature");
        let certificate = vec![1; certificate];
        let property_info = "p".repeat(property_info);
        let to_sign = TbsSignV4 {
            seal_der: &seal,
            time: seconds("2026-11-22T08:00:00Z"),
            data_hash: [9; 32],
            property_info: &property_info,
        }
        .to_der();
        let promised =
            seal_signature_length_max(seal.len(), certificate.len(), property_info.len());
        let longest = assemble_seal_signature_v4(&to_sign, &certificate, &[2; 72]);
        prop_assert_eq!(longest.len(), promised);
        let bytes = assemble_seal_signature_v4(&to_sign, &certificate, &vec![2; signature]);
        prop_assert!(bytes.len() <= promised);
        let signed = SealSignature::parse(&bytes).unwrap();
        prop_assert_eq!(signed.to_sign_der(), to_sign);
        prop_assert_eq!(signed.seal().raw(), seal);
        prop_assert_eq!(signed.property_info(), property_info);
    }
}
