//! Damage and malice: every answer is a value or a typed error, and no changed byte goes
//! unnoticed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use std::sync::LazyLock;

use common::*;
use proptest::prelude::*;
use yinxin_pki::tlv::{self, TlvError};
use yinxin_ses::{
    CertDigest, CertList, Limits, Seal, SealSignature, SesError, assemble_seal_v4,
    looks_like_seal_signature,
};

/// One object of each version.
fn signatures() -> [(&'static str, Vec<u8>); 3] {
    static MADE: LazyLock<[(&str, Vec<u8>); 3]> = LazyLock::new(|| {
        [
            ("v1", v1_signature(b"2020-01-25T07:31:56.377Z")),
            ("v4", v4_signature()),
            ("v5", v5_signature(b"seal token", b"signature token")),
        ]
    });
    MADE.clone()
}

fn seals() -> [(&'static str, Vec<u8>); 2] {
    [("v1", v1_seal()), ("v4", v4_seal())]
}

/// SES_SealInfo with the signers of its certList so many times: the writer refuses to.
fn with_signers_repeated(seal_info_der: &[u8], times: usize) -> Vec<u8> {
    let parts = |der: &[u8]| {
        let mut fields = tlv::Reader::new(der).next().unwrap().children();
        let mut parts = Vec::new();
        while !fields.is_empty() {
            let field = fields.next().unwrap();
            parts.push((field.raw.to_vec(), field.content.to_vec()));
        }
        parts
    };
    let whole = |parts: &[(Vec<u8>, Vec<u8>)]| {
        let raw: Vec<&[u8]> = parts.iter().map(|(raw, _)| raw.as_slice()).collect();
        tlv::sequence(&raw)
    };
    let mut info = parts(seal_info_der);
    let mut property = parts(&info[2].0);
    property[3].0 = tlv::sequence(&[&property[3].1.repeat(times)]);
    info[2].0 = whole(&property);
    whole(&info)
}

/// Everything a caller would do with bytes from outside.
fn work_through(bytes: &[u8]) {
    let _ = looks_like_seal_signature(bytes);
    let seal = match SealSignature::parse(bytes) {
        Ok(signed) => {
            let _ = format!("{signed:?}");
            let _ = signed.signature_encoding();
            assert!(!signed.to_sign_der().is_empty());
            Ok(signed.seal().clone())
        }
        Err(error) => {
            assert!(error.reason().starts_with("SES_"), "{error}");
            Seal::parse(bytes)
        }
    };
    if let Ok(seal) = seal {
        let _ = format!("{seal:?}");
        let _ = seal.signature_encoding();
        assert!(!seal.signed_bytes().is_empty());
        let _ = seal.property().cert_list.permits(bytes);
    }
}

#[test]
fn every_truncation_is_a_typed_error() {
    for (name, bytes) in signatures() {
        for cut in 0..bytes.len() {
            let piece = &bytes[..cut];
            assert!(SealSignature::parse(piece).is_err(), "{name} cut at {cut}");
            work_through(piece);
        }
    }
    for (name, bytes) in seals() {
        for cut in 0..bytes.len() {
            assert!(Seal::parse(&bytes[..cut]).is_err(), "{name} cut at {cut}");
        }
    }
}

#[test]
fn every_changed_byte_is_an_answer_and_never_a_panic() {
    let objects = signatures().into_iter().chain(seals());
    for (_, bytes) in objects {
        for at in 0..bytes.len() {
            for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                work_through(&changed);
            }
        }
    }
}

/// Of a seal signature only the signer's certificate is not under a signature inside it (since
/// v4), and the time stamps; that they are what they should be is for the chain and the token.
#[test]
fn no_changed_byte_under_the_two_signatures_goes_unnoticed() {
    for (name, bytes) in signatures() {
        let original = SealSignature::parse(&bytes).unwrap();
        let place = |part: &[u8]| {
            let start = bytes
                .windows(part.len())
                .rposition(|window| window == part)
                .unwrap();
            start..start + part.len()
        };
        let mut free = Vec::new();
        if name != "v1" {
            free.push(place(original.signer_certificate_der()));
        }
        if let Some(token) = original.time_stamp() {
            // With the BIT STRING around it: no signature says which type it has.
            let token = place(token);
            free.push(token.start - 3..token.end);
        }
        let mut noticed = 0;
        for at in 0..bytes.len() {
            if free.iter().any(|range| range.contains(&at)) {
                continue;
            }
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let Ok(signed) = SealSignature::parse(&changed) else {
                noticed += 1;
                continue;
            };
            let unnoticed = signed.verify_signer_signature().is_ok()
                && signed.seal().verify_maker_signature().is_ok();
            assert!(!unnoticed, "{name}: byte {at} of {}", bytes.len());
            noticed += 1;
        }
        assert!(noticed > 700, "{name}: {noticed}");
    }
}

#[test]
fn bytes_after_the_object_are_an_error() {
    for (_, mut bytes) in signatures() {
        bytes.push(0);
        assert!(matches!(
            SealSignature::parse(&bytes),
            Err(SesError::Structure(TlvError::TrailingBytes {
                count: 1,
                ..
            }))
        ));
        let length = tlv::der_length(&bytes).unwrap();
        assert!(SealSignature::parse(&bytes[..length]).is_ok());
    }
}

#[test]
fn limits_are_errors_that_name_the_limit() {
    let exceeded = |limit, value, max| SesError::LimitExceeded { limit, value, max };
    let mebibyte = 1024 * 1024;
    let mut info = seal_info(CertList::Certificates(Vec::new()));
    info.picture.data = vec![0; mebibyte];
    let large = assemble_seal_v4(&info.to_der().unwrap(), b"c", b"s");
    assert_eq!(
        Seal::parse(&large).err(),
        Some(exceeded("bytes_max", large.len(), mebibyte))
    );
    let more = Limits {
        bytes_max: 2 * mebibyte,
        ..Limits::default()
    };
    assert!(Seal::parse_with(&large, &more).is_ok());
    assert!(matches!(
        SealSignature::parse(&large),
        Err(SesError::LimitExceeded { .. })
    ));

    let digest = CertDigest {
        algorithm: "SM3".to_owned(),
        value: vec![0; 32],
    };
    for list in [
        CertList::Certificates(vec![vec![1]]),
        CertList::Digests(vec![digest]),
    ] {
        let info = with_signers_repeated(&seal_info(list).to_der().unwrap(), 257);
        assert_eq!(
            Seal::parse(&assemble_seal_v4(&info, b"c", b"s")).err(),
            Some(exceeded("signers_max", 257, 256))
        );
    }

    let plain = seal_info(CertList::Certificates(Vec::new()))
        .to_der()
        .unwrap();
    let content = tlv::Reader::new(&plain).next().unwrap().content;
    let extension = tlv::sequence(&[&tlv::oid("1.2.3"), &tlv::octet_string(b"")]);
    let info = tlv::sequence(&[content, &tlv::sequence(&[&extension.repeat(65)])]);
    assert_eq!(
        Seal::parse(&assemble_seal_v4(&info, b"c", b"s")).err(),
        Some(exceeded("extensions_max", 65, 64))
    );
}

#[test]
fn shapes_of_no_version_are_named() {
    let element = tlv::sequence(&[]);
    for elements in [0, 1, 3, 6, 1_000] {
        let bytes = tlv::sequence(&[&element.repeat(elements)]);
        assert_eq!(
            Seal::parse(&bytes).err(),
            Some(SesError::UnknownShape {
                object: "SESeal",
                elements
            })
        );
        assert_eq!(
            SealSignature::parse(&bytes).err(),
            Some(SesError::UnknownShape {
                object: "SES_Signature",
                elements
            })
        );
    }
    let nested = (0..10_000).fold(Vec::new(), |inside, _| tlv::sequence(&[&inside]));
    assert!(Seal::parse(&nested).is_err());
    assert!(Seal::parse(&[0x30, 0x80, 0, 0]).is_err());
}

#[test]
fn fields_that_no_version_has_are_errors() {
    let maker = maker();
    let with = |find: &[u8], replace: &[u8]| {
        let info = seal_info(CertList::Certificates(Vec::new()))
            .to_der()
            .unwrap();
        let at = info
            .windows(find.len())
            .position(|bytes| bytes == find)
            .unwrap();
        let info = [&info[..at], replace, &info[at + find.len()..]].concat();
        let seal = assemble_seal_v4(&info, &maker.certificate_der, &maker.sign(&info));
        Seal::parse(&seal).err()
    };
    // certListType and an empty list
    assert_eq!(
        with(&[2, 1, 1, 0x30, 0], &[2, 1, 3, 0x30, 0]),
        Some(SesError::UnknownCertListType { value: 3 })
    );
    // One bit more than the field has room for.
    let mut info = seal_info(CertList::Certificates(Vec::new()));
    info.picture.width_mm = u32::MAX;
    let mut wide = info.to_der().unwrap();
    let at = wide
        .windows(7)
        .position(|bytes| bytes == [2, 5, 0, 255, 255, 255, 255])
        .unwrap();
    wide[at + 2] = 1;
    assert_eq!(
        Seal::parse(&assemble_seal_v4(&wide, b"c", b"s")).err(),
        Some(SesError::NumberTooLarge {
            field: "picture.width",
            value: 0x1_ffff_ffff
        })
    );
    // Times
    assert!(matches!(
        with(b"20280101000000Z", b"20280230000000Z"),
        Some(SesError::Structure(TlvError::BadValue { .. }))
    ));
    // Unused bits
    let mut seal = v4_seal();
    let signature = Seal::parse(&seal).unwrap().signature().len();
    let unused = seal.len() - signature - 1;
    assert_eq!(seal[unused], 0);
    seal[unused] = 1;
    assert!(Seal::parse(&seal).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        work_through(&bytes);
    }

    #[test]
    fn no_splice_of_real_objects_makes_a_reader_panic(
        which in 0_usize..3,
        other in 0_usize..3,
        from in 0.0_f64..1.0,
        to in 0.0_f64..1.0,
        length in 0_usize..64,
    ) {
        let objects = signatures();
        let (target, source) = (&objects[which].1, &objects[other].1);
        let place = |share: f64, bytes: &[u8]| ((bytes.len() as f64) * share) as usize;
        let (at, start) = (place(to, target), place(from, source));
        let end = (at + length).min(target.len());
        let piece = &source[start..(start + length).min(source.len())];
        let spliced = [&target[..at], piece, &target[end..]].concat();
        work_through(&spliced);
    }
}
