//! Laws that hold for every key, message and cut.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::replayed;
use proptest::prelude::*;
use yinxin_sm::{Encoding, PublicKey, SecretKey, Signature, Sm3, sm3};

fn secret_key() -> impl Strategy<Value = SecretKey> {
    any::<u64>().prop_map(|seed| SecretKey::generate(&mut replayed(seed)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_a_message_is_cut_makes_no_difference_to_sm3(
        message in prop::collection::vec(any::<u8>(), 0..400),
        cuts in prop::collection::vec(0_usize..400, 0..8),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
        cuts.extend([0, message.len()]);
        cuts.sort_unstable();
        let mut streaming = Sm3::new();
        for piece in cuts.windows(2) {
            streaming.update(&message[piece[0]..piece[1]]);
        }
        prop_assert_eq!(streaming.finalize(), sm3(&message));
    }

    #[test]
    fn what_a_key_signs_its_public_key_verifies(
        key in secret_key(),
        distid in prop::collection::vec(any::<u8>(), 0..40),
        message in prop::collection::vec(any::<u8>(), 0..200),
        seed in any::<u64>(),
    ) {
        let signature = key.sign(&distid, &message, &mut replayed(seed)).unwrap();
        prop_assert_eq!(key.public_key().verify(&distid, &message, &signature), Ok(()));
        let other = [&message[..], b"!"].concat();
        prop_assert!(key.public_key().verify(&distid, &other, &signature).is_err());
        prop_assert_eq!(Signature::from_der(&signature.to_der()), Ok(signature));
        prop_assert_eq!(
            Signature::from_field_bytes(&signature.to_raw()),
            Ok((signature, Encoding::Raw))
        );
    }

    #[test]
    fn keys_survive_every_encoding(key in secret_key()) {
        let bytes = key.to_bytes();
        let from = [
            SecretKey::from_bytes(&bytes).unwrap(),
            SecretKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap(),
            SecretKey::from_sec1_der(&key.to_sec1_der()).unwrap(),
        ];
        for again in from {
            prop_assert_eq!(again.to_bytes(), key.to_bytes());
            prop_assert_eq!(again.public_key(), key.public_key());
        }
        let public = key.public_key();
        prop_assert_eq!(&PublicKey::from_spki_der(&public.to_spki_der()).unwrap(), public);
        prop_assert_eq!(&PublicKey::from_sec1_bytes(&public.to_sec1_bytes()).unwrap(), public);
    }

    #[test]
    fn strict_der_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(signature) = Signature::from_der(&bytes) {
            prop_assert_eq!(signature.to_der(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        start in prop::sample::select(vec![
            &b""[..], b"\x30", b"\x30\x44\x02\x20", b"\x04",
            b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
            b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..150),
    ) {
        let bytes = [start, &rest].concat();
        let _ = Signature::from_der(&bytes);
        let _ = Signature::from_field_bytes(&bytes);
        let _ = PublicKey::from_sec1_bytes(&bytes);
        let _ = PublicKey::from_spki_der(&bytes);
        let _ = SecretKey::from_pkcs8_der(&bytes);
        let _ = SecretKey::from_sec1_der(&bytes);
    }
}
