//! Seals and seal signatures made by ofdrw: they parse to what their README says and verify.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::PathBuf;

use yinxin_pki::{Certificate, UnixSeconds};
use yinxin_ses::{CertList, Seal, SealSignature, SealVersion, SesError, looks_like_seal_signature};
use yinxin_sm::{Encoding, sm3};

/// The folder with the vectors, or `None` after saying so.
fn folder() -> Option<PathBuf> {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/ses-ofdrw");
    if folder.is_dir() {
        Some(folder)
    } else {
        eprintln!("SKIPPED: no vectors in {}", folder.display());
        None
    }
}

fn seconds(text: &str) -> UnixSeconds {
    UnixSeconds::parse_rfc3339(text).unwrap()
}

struct ExpectedSeal {
    file: &'static str,
    version: SealVersion,
    number: u64,
    vendor_id: &'static str,
    es_id: &'static str,
    seal_type: u64,
    name: &'static str,
    create_date: &'static str,
    valid_end: &'static str,
    time_stamp: bool,
}

const SEALS: [ExpectedSeal; 4] = [
    ExpectedSeal {
        file: "UserV1.esl",
        version: SealVersion::V1,
        number: 1,
        vendor_id: "OFDR&WTest",
        es_id: "40C8CDD24DEF43388B86E62CCE1D6832",
        seal_type: 1,
        name: "OFDRW测试用印章",
        create_date: "2020-04-22T02:18:07Z",
        valid_end: "2022-04-22T02:18:07Z",
        time_stamp: false,
    },
    ExpectedSeal {
        file: "UserV4.esl",
        version: SealVersion::V4,
        number: 4,
        vendor_id: "OFDR&WTest",
        es_id: "51f044b76510434e9bc67a1185c2fba5",
        seal_type: 3,
        name: "OFD R&W 测试用印章",
        create_date: "2020-04-22T02:09:00Z",
        valid_end: "2022-04-22T02:09:00Z",
        time_stamp: false,
    },
    ExpectedSeal {
        file: "UserV5.esl",
        version: SealVersion::V5,
        number: 5,
        vendor_id: "OFDR&WTestV5",
        es_id: "09aaf39291e049e4b3d716414590937e",
        seal_type: 3,
        name: "OFD R&W V5测试用印章",
        create_date: "2026-04-24T08:53:23Z",
        valid_end: "2028-04-24T08:53:23Z",
        time_stamp: false,
    },
    ExpectedSeal {
        file: "UserV5_ts.esl",
        version: SealVersion::V5,
        number: 5,
        vendor_id: "OFDR&WTestV5",
        es_id: "55a4a957189a48f596706fb431e962c5",
        seal_type: 3,
        name: "OFD R&W V5测试用印章",
        create_date: "2026-04-24T08:53:22Z",
        valid_end: "2028-04-24T08:53:22Z",
        time_stamp: true,
    },
];

#[test]
fn every_seal_says_what_it_says_and_its_maker_signed_it() {
    let Some(folder) = folder() else { return };
    for expected in SEALS {
        let file = expected.file;
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let seal = Seal::parse(&bytes).unwrap();
        assert_eq!(seal.raw(), bytes, "{file}");
        assert_eq!(seal.version(), expected.version, "{file}");
        assert_eq!(seal.header().id, "ES", "{file}");
        assert_eq!(seal.header().version, expected.number, "{file}");
        assert_eq!(seal.header().vendor_id, expected.vendor_id, "{file}");
        assert_eq!(seal.es_id(), expected.es_id, "{file}");
        let property = seal.property();
        assert_eq!(property.seal_type, expected.seal_type, "{file}");
        assert_eq!(property.name, expected.name, "{file}");
        assert_eq!(
            property.create_date,
            seconds(expected.create_date),
            "{file}"
        );
        assert_eq!(
            property.valid_start,
            seconds(expected.create_date),
            "{file}"
        );
        assert_eq!(property.valid_end, seconds(expected.valid_end), "{file}");
        let CertList::Certificates(permitted) = &property.cert_list else {
            panic!("{file} lists certificates");
        };
        let permitted = Certificate::from_der(&permitted[0]).unwrap();
        assert_eq!(permitted.common_name().as_deref(), Some("Test Certificate"));
        let picture = seal.picture();
        assert_eq!((picture.kind.as_str(), picture.data.len()), ("PNG", 15_693));
        assert_eq!((picture.width_mm, picture.height_mm), (40, 40));
        assert!(picture.data.starts_with(b"\x89PNG"));
        assert!(seal.extensions().is_empty(), "{file}");
        assert_eq!(seal.signature_algorithm_oid(), "1.2.156.10197.1.501");
        assert_eq!(seal.signature_encoding(), Some(Encoding::Der), "{file}");
        assert_eq!(seal.time_stamp().is_some(), expected.time_stamp, "{file}");
        assert_eq!(seal.verify_maker_signature(), Ok(()), "{file}");
        assert!(!looks_like_seal_signature(&bytes), "{file}");
    }
}

#[test]
fn every_seal_signature_was_made_by_the_signer_its_seal_permits() {
    let Some(folder) = folder() else { return };
    for (file, version, number, at, same_seal) in [
        (
            "SignedValueV4.dat",
            SealVersion::V4,
            4,
            "2020-10-12T11:14:03Z",
            Some("UserV4.esl"),
        ),
        // Made with a seal of its own, which is not among the files.
        (
            "SignedValueV5.dat",
            SealVersion::V5,
            5,
            "2026-04-24T08:53:26Z",
            None,
        ),
    ] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        assert!(looks_like_seal_signature(&bytes), "{file}");
        let signed = SealSignature::parse(&bytes).unwrap();
        assert_eq!(signed.raw(), bytes, "{file}");
        assert_eq!(signed.version(), version, "{file}");
        assert_eq!(signed.to_sign_version(), number, "{file}");
        assert_eq!(signed.time().at, Some(seconds(at)), "{file}");
        assert_eq!(signed.data_hash().len(), 32, "{file}");
        assert_ne!(signed.data_hash(), sm3(b""), "{file}");
        assert_eq!(signed.property_info(), "/Doc_0/Signs/Sign_0/Signature.xml");
        assert!(signed.extensions().is_empty(), "{file}");
        assert_eq!(signed.time_stamp(), None, "{file}");
        assert_eq!(signed.verify_signer_signature(), Ok(()), "{file}");
        let seal = signed.seal();
        assert_eq!(seal.verify_maker_signature(), Ok(()), "{file}");
        let signer = signed.signer_certificate_der();
        assert!(seal.property().cert_list.permits(signer), "{file}");
        assert!(
            !seal
                .property()
                .cert_list
                .permits(seal.maker_certificate_der())
        );
        if let Some(same_seal) = same_seal {
            assert_eq!(seal.raw(), std::fs::read(folder.join(same_seal)).unwrap());
        }
    }
}

#[test]
fn one_changed_byte_under_a_signature_is_noticed() {
    let Some(folder) = folder() else { return };
    // Inside the picture, where every value reads well.
    for expected in SEALS {
        let mut bytes = std::fs::read(folder.join(expected.file)).unwrap();
        bytes[8_000] ^= 1;
        let seal = Seal::parse(&bytes).unwrap();
        assert_eq!(
            seal.verify_maker_signature(),
            Err(SesError::SignatureInvalid),
            "{}",
            expected.file
        );
    }
    let mut bytes = std::fs::read(folder.join("SignedValueV4.dat")).unwrap();
    bytes[8_000] ^= 1;
    let signed = SealSignature::parse(&bytes).unwrap();
    assert_eq!(
        signed.verify_signer_signature(),
        Err(SesError::SignatureInvalid)
    );
    assert_eq!(
        signed.seal().verify_maker_signature(),
        Err(SesError::SignatureInvalid)
    );
}
