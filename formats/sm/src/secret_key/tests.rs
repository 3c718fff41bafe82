//! GB/T 32918.5, annex A, with its own nonce; and what a secret key must not do.

use super::*;
use crate::{DEFAULT_DISTID, arithmetic::Portable, hexadecimal::bytes32};

const D: [u8; 32] = bytes32("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8");
const K: [u8; 32] = bytes32("59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21");
const X1: [u8; 32] = bytes32("04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73");
const E: [u8; 32] = bytes32("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640");
const R: [u8; 32] = bytes32("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3");
const S: [u8; 32] = bytes32("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA");
const N: [u8; 32] = bytes32("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123");

/// Counts up, and fails when told to.
struct Counter {
    next: u8,
    calls_left: usize,
}

impl Entropy for Counter {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.calls_left = self.calls_left.checked_sub(1).ok_or(EntropyUnavailable)?;
        destination.fill(self.next);
        self.next = self.next.wrapping_add(1);
        Ok(())
    }
}

fn counter(next: u8) -> Counter {
    Counter {
        next,
        calls_left: usize::MAX,
    }
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::from_bytes(&bytes).unwrap()
}

#[test]
fn the_published_nonce_gives_the_published_signature() {
    let point = multiple_of_g::<Portable>(&scalar(K));
    assert_eq!(point.coordinates::<Portable>().0, X1);
    let key = SecretKey::from_bytes(&D).unwrap();
    let signature = key
        .sign_with_nonce(&scalar(E), &scalar(K))
        .unwrap()
        .unwrap();
    assert_eq!(signature.to_raw(), [R, S].concat()[..]);
}

#[test]
fn a_nonce_that_gives_no_signature_is_passed_over() {
    let key = SecretKey::from_bytes(&D).unwrap();
    let k = scalar(K);
    // r = 0: e is chosen as -x1.
    let minus_x1 = Scalar::default().subtract(&scalar(X1));
    assert_eq!(key.sign_with_nonce(&minus_x1, &k), Ok(None));
    // r + k = n: e is chosen as -x1 - k.
    assert_eq!(key.sign_with_nonce(&minus_x1.subtract(&k), &k), Ok(None));
    // s = 0: r d = k, so e is k / d - x1.
    let r = k.multiply(&key.d.invert());
    assert_eq!(key.sign_with_nonce(&r.add(&minus_x1), &k), Ok(None));
}

#[test]
fn keys_are_from_one_to_n_minus_two() {
    let below_n = |by: u8| {
        let mut bytes = N;
        bytes[31] -= by;
        bytes
    };
    let mut one = [0; 32];
    one[31] = 1;
    for (name, bytes, good) in [
        ("zero", [0; 32], false),
        ("one", one, true),
        ("n - 2", below_n(2), true),
        ("n - 1", below_n(1), false),
        ("n", N, false),
        ("all ones", [0xff; 32], false),
    ] {
        let key = SecretKey::from_bytes(&bytes);
        assert_eq!(key.is_ok(), good, "{name}");
        if let Ok(key) = key {
            assert_eq!(*key.to_bytes(), bytes, "{name}");
        }
    }
}

#[test]
fn the_same_randomness_never_repeats_a_nonce_for_another_message() {
    let key = SecretKey::from_bytes(&D).unwrap();
    let x1 = |digest: &[u8; 32]| {
        let signature = key.sign_digest(digest, &mut counter(0)).unwrap();
        key.public_key().verify_digest(digest, &signature).unwrap();
        let (r, _) = signature.scalars();
        r.subtract(&Scalar::reduce_bytes(digest))
    };
    assert_ne!(x1(&E), x1(&[7; 32]));
    assert_eq!(x1(&E), x1(&E));
}

#[test]
fn other_randomness_gives_another_signature_of_the_same_message() {
    let key = SecretKey::from_bytes(&D).unwrap();
    let mut source = counter(1);
    let first = key.sign(DEFAULT_DISTID, b"m", &mut source).unwrap();
    let second = key.sign(DEFAULT_DISTID, b"m", &mut source).unwrap();
    assert_ne!(first, second);
    for signature in [first, second] {
        key.public_key()
            .verify(DEFAULT_DISTID, b"m", &signature)
            .unwrap();
    }
}

#[test]
fn without_randomness_there_is_no_signature_and_no_key() {
    let key = SecretKey::from_bytes(&D).unwrap();
    let mut dry = Counter {
        next: 0,
        calls_left: 0,
    };
    let unavailable = Error::EntropyUnavailable(EntropyUnavailable);
    assert_eq!(key.sign_digest(&E, &mut dry), Err(unavailable.clone()));
    assert_eq!(SecretKey::generate(&mut dry).err(), Some(unavailable));
}

#[test]
fn a_source_of_zeros_gives_no_key_and_a_candidate_out_of_range_is_passed_over() {
    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
            destination.fill(0);
            Ok(())
        }
    }
    assert!(SecretKey::generate(&mut Zeros).is_err());
    // The first candidate is all ones, the second all zeros, the third good.
    let key = SecretKey::generate(&mut counter(0xff)).unwrap();
    assert_eq!(*key.to_bytes(), [1; 32]);
}

#[test]
fn printing_a_secret_key_shows_the_public_one_only() {
    let key = SecretKey::from_bytes(&D).unwrap();
    let text = format!("{key:?}").to_lowercase();
    assert!(text.contains("0409f9df311e5421a1"), "{text}");
    assert!(!text.contains("3945208f"), "{text}");
}
