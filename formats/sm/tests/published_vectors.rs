//! The vectors printed in the standards, through the public surface.
//!
//! GB/T 32918.2 annex A is on another curve (its p begins with 8542D69E), which this crate does
//! not know; GB/T 32918.5 annex A is on sm2p256v1. That its k gives its r and s is shown beside
//! the signing code, where k can be given.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::{array, hex};
use yinxin_sm::{DEFAULT_DISTID, Encoding, Error, PublicKey, SecretKey, Signature, Sm3, sm3};

const D: &str = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8";
const P_X: &str = "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020";
const P_Y: &str = "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
const Z: &str = "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3";
const E: &str = "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640";
const R: &str = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3";
const S: &str = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA";

#[test]
fn sm3_gives_the_digests_of_gbt_32905_annex_a() {
    for (message, digest) in [
        (
            Vec::new(),
            "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
        ),
        (
            b"abc".to_vec(),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        ),
        (
            b"abcd".repeat(16),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
        ),
    ] {
        assert_eq!(sm3(&message), hex(digest)[..]);
        // Cut everywhere.
        for cut in 0..=message.len() {
            let mut streaming = Sm3::new();
            streaming.update(&message[..cut]);
            streaming.update(&message[cut..]);
            assert_eq!(streaming.finalize(), hex(digest)[..], "cut at {cut}");
        }
    }
}

#[test]
fn the_key_digests_and_signature_of_gbt_32918_5_annex_a_agree() {
    let secret = SecretKey::from_bytes(&array(D)).unwrap();
    let public = secret.public_key();
    let point = hex(&["04", P_X, P_Y].concat());
    assert_eq!(public.to_sec1_bytes(), point[..]);
    assert_eq!(&PublicKey::from_sec1_bytes(&point).unwrap(), public);
    assert_eq!(public.z(DEFAULT_DISTID), Ok(array(Z)));

    let message = b"message digest";
    assert_eq!(public.message_digest(DEFAULT_DISTID, message), Ok(array(E)));
    let mut digester = public.message_digester(DEFAULT_DISTID).unwrap();
    digester.update(b"message ");
    digester.update(b"digest");
    assert_eq!(digester.finalize(), array(E));

    let signature = Signature::from_raw(&array(&[R, S].concat())).unwrap();
    assert_eq!(public.verify(DEFAULT_DISTID, message, &signature), Ok(()));
    assert_eq!(public.verify_digest(&array(E), &signature), Ok(()));
    let der = signature.to_der();
    assert_eq!(der, hex(&["3046022100", R, "022100", S].concat()));
    assert_eq!(Signature::from_der(&der), Ok(signature));
    assert_eq!(
        Signature::from_field_bytes(&hex(&["30440220", R, "0220", S].concat())),
        Ok((signature, Encoding::DerWithoutSignByte))
    );
}

#[test]
fn a_signature_holds_for_one_message_key_and_identifier() {
    let public = PublicKey::from_sec1_bytes(&hex(&["04", P_X, P_Y].concat())).unwrap();
    let signature = Signature::from_raw(&array(&[R, S].concat())).unwrap();
    let mismatch = Err(Error::SignatureMismatch);
    for (name, distid, message) in [
        ("another message", DEFAULT_DISTID, &b"Message digest"[..]),
        ("an empty message", DEFAULT_DISTID, b""),
        ("an empty identifier", b"", b"message digest"),
        (
            "another identifier",
            b"ALICE123@YAHOO.COM",
            b"message digest",
        ),
    ] {
        assert_eq!(
            public.verify(distid, message, &signature),
            mismatch,
            "{name}"
        );
    }
    let swapped = Signature::from_raw(&array(&[S, R].concat())).unwrap();
    assert_eq!(public.verify_digest(&array(E), &swapped), mismatch);
    let other = SecretKey::from_bytes(&[1; 32]).unwrap();
    assert_eq!(
        other.public_key().verify_digest(&array(E), &signature),
        mismatch
    );
    for byte in 0..64 {
        let mut raw = signature.to_raw();
        raw[byte] ^= 1;
        if let Ok(changed) = Signature::from_raw(&raw) {
            assert_eq!(
                public.verify_digest(&array(E), &changed),
                mismatch,
                "byte {byte}"
            );
        }
    }
}
