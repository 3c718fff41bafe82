//! Keys as other producers write them, spelled out byte by byte around the published key.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::{array, hex};
use yinxin_sm::{Error, PublicKey, SecretKey};

/// The published key of GB/T 32918.5 annex A; the whole world knows it.
const D: &str = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8";
const POINT: &str = "04\
    09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020\
    CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
/// SEQUENCE { id-ecPublicKey, sm2 }
const ALGORITHM: &str = "3013 06072a8648ce3d0201 06082a811ccf5501822d";
/// [0] { sm2 }
const PARAMETERS: &str = "a00a 06082a811ccf5501822d";

fn element(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let header = match u8::try_from(length).unwrap() {
        short @ ..=0x7f => vec![tag, short],
        long => vec![tag, 0x81, long],
    };
    [header, content].concat()
}

fn public_key() -> Vec<u8> {
    element(0xa1, &[element(0x03, &[vec![0], hex(POINT)])])
}

fn ec_private_key(secret: &[u8], rest: &[Vec<u8>]) -> Vec<u8> {
    let fields = [
        hex("020101"),
        element(0x04, &[secret.to_vec()]),
        rest.concat(),
    ];
    element(0x30, &fields)
}

fn pkcs8(version: u8, inner: Vec<u8>, rest: &[Vec<u8>]) -> Vec<u8> {
    let fields = [
        vec![2, 1, version],
        hex(ALGORITHM),
        element(0x04, &[inner]),
        rest.concat(),
    ];
    element(0x30, &fields)
}

#[test]
fn pkcs8_is_read_in_every_shape_producers_write() {
    let d = hex(D);
    let attributes = hex("a010 300e 0603550d0f 3107 030500 90000000"); // keyUsage, as Windows adds
    let openssl = pkcs8(0, ec_private_key(&d, &[public_key()]), &[]);
    let shapes = [
        ("OpenSSL", openssl.clone()),
        (
            "BouncyCastle, ofdrw",
            pkcs8(0, ec_private_key(&d, &[hex(PARAMETERS), public_key()]), &[]),
        ),
        ("no public key", pkcs8(0, ec_private_key(&d, &[]), &[])),
        (
            "curve but no public key",
            pkcs8(0, ec_private_key(&d, &[hex(PARAMETERS)]), &[]),
        ),
        (
            "a sign byte before the secret",
            pkcs8(0, ec_private_key(&[&[0], &d[..]].concat(), &[]), &[]),
        ),
        (
            "RFC 5958 with the public key outside",
            pkcs8(
                1,
                ec_private_key(&d, &[]),
                &[element(0x81, &[vec![0], hex(POINT)])],
            ),
        ),
    ];
    for (name, der) in shapes {
        let key = SecretKey::from_pkcs8_der(&der).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(*key.to_bytes(), d[..], "{name}");
        assert_eq!(*key.to_pkcs8_der(), openssl, "{name}");
    }
    let with_attributes = pkcs8(0, ec_private_key(&d, &[public_key()]), &[attributes]);
    assert!(SecretKey::from_pkcs8_der(&with_attributes).is_ok());
}

#[test]
fn a_secret_without_its_leading_zeros_is_read() {
    let mut short = [0; 32];
    short[2..].fill(0x77);
    let key = SecretKey::from_pkcs8_der(&pkcs8(0, ec_private_key(&short[2..], &[]), &[])).unwrap();
    assert_eq!(*key.to_bytes(), short);
    // What we write has all 32 bytes.
    let again = SecretKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap();
    assert_eq!(*again.to_bytes(), short);
    assert_eq!(key.to_pkcs8_der().len(), 138);
}

#[test]
fn sec1_names_its_curve() {
    let d = hex(D);
    let der = ec_private_key(&d, &[hex(PARAMETERS), public_key()]);
    let key = SecretKey::from_sec1_der(&der).unwrap();
    assert_eq!(*key.to_sec1_der(), der);
    assert!(SecretKey::from_sec1_der(&ec_private_key(&d, &[hex(PARAMETERS)])).is_ok());
    assert_eq!(
        SecretKey::from_sec1_der(&ec_private_key(&d, &[public_key()])).err(),
        Some(Error::OtherCurve { oid: None })
    );
}

#[test]
fn keys_of_other_kinds_are_refused_by_name() {
    let d = hex(D);
    let p256 = hex("06082a8648ce3d030107");
    let rsa = "300d 06092a864886f70d010101 0500";
    let inner = ec_private_key(&d, &[]);
    let shell = |algorithm: Vec<u8>| {
        element(
            0x30,
            &[
                hex("020100"),
                algorithm,
                element(0x04, std::slice::from_ref(&inner)),
            ],
        )
    };
    let on_p256 = element(0x30, &[hex("06072a8648ce3d0201"), p256.clone()]);
    let other_curve = Error::OtherCurve {
        oid: Some("1.2.840.10045.3.1.7".to_owned()),
    };
    assert_eq!(
        SecretKey::from_pkcs8_der(&shell(on_p256)).err(),
        Some(other_curve.clone())
    );
    assert_eq!(
        SecretKey::from_pkcs8_der(&shell(hex(rsa))).err(),
        Some(Error::OtherAlgorithm {
            oid: "1.2.840.113549.1.1.1".to_owned()
        })
    );
    let nameless = element(0x30, &[hex("06072a8648ce3d0201"), hex("3000")]);
    assert_eq!(
        SecretKey::from_pkcs8_der(&shell(nameless)).err(),
        Some(Error::OtherCurve { oid: None })
    );
    let inside = ec_private_key(&d, &[element(0xa0, &[p256])]);
    assert_eq!(
        SecretKey::from_pkcs8_der(&pkcs8(0, inside, &[])).err(),
        Some(other_curve)
    );
}

#[test]
fn a_public_key_of_somebody_else_is_noticed() {
    let other = SecretKey::from_bytes(&[1; 32]).unwrap();
    let d = other.to_bytes();
    let inside = pkcs8(0, ec_private_key(d.as_ref(), &[public_key()]), &[]);
    let outside = pkcs8(
        1,
        ec_private_key(d.as_ref(), &[]),
        &[element(0x81, &[vec![0], hex(POINT)])],
    );
    for der in [inside, outside] {
        assert_eq!(
            SecretKey::from_pkcs8_der(&der).err(),
            Some(Error::PublicKeyMismatch)
        );
    }
}

#[test]
fn secrets_out_of_range_and_damage_are_errors() {
    for secret in [
        vec![],
        vec![0; 32],
        vec![0xff; 32],
        vec![1; 33],
        vec![0; 33],
    ] {
        let der = pkcs8(0, ec_private_key(&secret, &[]), &[]);
        assert_eq!(
            SecretKey::from_pkcs8_der(&der).err(),
            Some(Error::SecretKeyOutOfRange),
            "{} bytes",
            secret.len()
        );
    }
    let key = SecretKey::from_bytes(&array(D)).unwrap();
    let (pkcs8, sec1) = (key.to_pkcs8_der(), key.to_sec1_der());
    let spki = key.public_key().to_spki_der();
    for cut in 0..pkcs8.len() {
        assert!(SecretKey::from_pkcs8_der(&pkcs8[..cut]).is_err());
        assert!(SecretKey::from_sec1_der(&sec1[..cut.min(sec1.len() - 1)]).is_err());
        assert!(PublicKey::from_spki_der(&spki[..cut.min(spki.len() - 1)]).is_err());
    }
    for at in 0..pkcs8.len() {
        let mut changed = pkcs8.to_vec();
        changed[at] ^= 0x80;
        if let Ok(read) = SecretKey::from_pkcs8_der(&changed) {
            // Only the reader's freedom, never another key.
            assert_eq!(read.to_bytes(), key.to_bytes(), "byte {at}");
        }
    }
    let trailing = [&pkcs8[..], &[0]].concat();
    assert!(SecretKey::from_pkcs8_der(&trailing).is_err());
}

#[test]
fn spki_goes_both_ways_and_knows_its_curve() {
    let der = element(
        0x30,
        &[
            hex("3013 06072a8648ce3d0201 06082a811ccf5501822d"),
            element(0x03, &[vec![0], hex(POINT)]),
        ],
    );
    let key = PublicKey::from_spki_der(&der).unwrap();
    assert_eq!(key.to_sec1_bytes(), hex(POINT)[..]);
    assert_eq!(key.to_spki_der(), der);
    assert_eq!(der.len(), 91);
    let mut p256 = der.clone();
    p256.splice(13..23, hex("06082a8648ce3d030107"));
    assert_eq!(
        PublicKey::from_spki_der(&p256),
        Err(Error::OtherCurve {
            oid: Some("1.2.840.10045.3.1.7".to_owned())
        })
    );
    let mut off_curve = der;
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(
        PublicKey::from_spki_der(&off_curve),
        Err(Error::PublicKeyNotOnCurve)
    );
}
