//! Encodings of SM2 signatures and keys, and signing with arbitrary keys.
//!
//! Laws: strict DER is written as it was read; every form of a key leads back to the same key;
//! what a key signs it verifies, and nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_sm::{
    DEFAULT_DISTID, Encoding, Entropy, EntropyUnavailable, PublicKey, SecretKey, Signature,
};

struct Given<'a>(&'a [u8]);

impl Entropy for Given<'_> {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        let (taken, rest) = self
            .0
            .split_at_checked(destination.len())
            .ok_or(EntropyUnavailable)?;
        destination.copy_from_slice(taken);
        self.0 = rest;
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    signature(input);
    if let Ok(key) = PublicKey::from_sec1_bytes(input) {
        assert_eq!(key.to_sec1_bytes(), input);
        public_key(&key);
    }
    if let Ok(key) = PublicKey::from_spki_der(input) {
        assert_eq!(key.to_spki_der().len(), 91);
        public_key(&key);
    }
    for key in [
        SecretKey::from_pkcs8_der(input),
        SecretKey::from_sec1_der(input),
    ]
    .into_iter()
    .flatten()
    {
        secret_key(&key, input);
    }
    if let Some((bytes, rest)) = input.split_first_chunk::<32>()
        && let Ok(key) = SecretKey::from_bytes(bytes)
    {
        assert_eq!(*key.to_bytes(), *bytes);
        secret_key(&key, rest);
    }
    let _ = SecretKey::generate(&mut Given(input));
});

fn signature(input: &[u8]) {
    let strict = Signature::from_der(input);
    if let Ok(signature) = strict {
        assert_eq!(signature.to_der(), input);
    }
    match Signature::from_field_bytes(input) {
        Ok((signature, encoding)) => {
            match encoding {
                Encoding::Der => assert_eq!(strict, Ok(signature)),
                Encoding::DerWithoutSignByte => assert_ne!(signature.to_der(), input),
                Encoding::Raw => assert_eq!(signature.to_raw(), input),
            }
            assert_eq!(encoding == Encoding::Der, strict.is_ok());
            assert_eq!(Signature::from_der(&signature.to_der()), Ok(signature));
            assert_eq!(Signature::from_raw(&signature.to_raw()), Ok(signature));
        }
        Err(_) => assert!(strict.is_err()),
    }
}

fn public_key(key: &PublicKey) {
    assert_eq!(
        PublicKey::from_spki_der(&key.to_spki_der()).as_ref(),
        Ok(key)
    );
    assert_eq!(
        PublicKey::from_sec1_bytes(&key.to_sec1_bytes()).as_ref(),
        Ok(key)
    );
}

fn secret_key(key: &SecretKey, rest: &[u8]) {
    for again in [
        SecretKey::from_pkcs8_der(&key.to_pkcs8_der()),
        SecretKey::from_sec1_der(&key.to_sec1_der()),
    ] {
        let again = again.expect("our own form");
        assert_eq!(*again.to_bytes(), *key.to_bytes());
        assert_eq!(again.public_key(), key.public_key());
    }
    let message = rest;
    let Ok(signed) = key.sign(DEFAULT_DISTID, message, &mut Given(rest)) else {
        return;
    };
    let public = key.public_key();
    assert_eq!(public.verify(DEFAULT_DISTID, message, &signed), Ok(()));
    let other = [message, b"."].concat();
    assert!(public.verify(DEFAULT_DISTID, &other, &signed).is_err());
    assert!(public.verify(b"other", message, &signed).is_err());
    signature(&signed.to_der());
}
