//! The keys of the device and what they do.

use std::sync::OnceLock;

use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, RsaPrivateKey};
use yinxin_keys_dev::{DevKey, KeyKind, SystemEntropy};

use crate::control::beside;

/// RSAref_MAX_LEN.
const RSA_FIELD_BYTES: usize = 256;

static SM2: OnceLock<yinxin_sm::SecretKey> = OnceLock::new();
static RSA: OnceLock<RsaPrivateKey> = OnceLock::new();

/// The key's file beside the library, made when it is not there.
fn key_file(extension: &str, kind: KeyKind) -> Vec<u8> {
    let path = beside(extension).expect("the library knows where it lies");
    std::fs::read(&path).unwrap_or_else(|_| {
        let key = DevKey::generate(kind).expect("the system gives randomness");
        std::fs::write(&path, key.pkcs8_der()).expect("the library's folder can be written");
        key.pkcs8_der().to_vec()
    })
}

pub(crate) fn sm2() -> &'static yinxin_sm::SecretKey {
    SM2.get_or_init(|| {
        yinxin_sm::SecretKey::from_pkcs8_der(&key_file("sm2", KeyKind::Sm2))
            .expect("the key file holds an SM2 key")
    })
}

fn rsa() -> &'static RsaPrivateKey {
    RSA.get_or_init(|| {
        RsaPrivateKey::from_pkcs8_der(&key_file("rsa", KeyKind::Rsa { bits: 2048 }))
            .expect("the key file holds an RSA key")
    })
}

/// ECCrefPublicKey.
pub(crate) fn ecc_public_key(field_bytes: usize) -> Vec<u8> {
    let point = sm2().public_key().to_sec1_bytes();
    let mut structure = 256_u32.to_ne_bytes().to_vec();
    for coordinate in point.split_at(1).1.chunks(32) {
        push_right_aligned(coordinate, field_bytes, &mut structure);
    }
    structure
}

/// ECCSignature.
pub(crate) fn ecc_sign(digest: &[u8; 32], field_bytes: usize) -> Option<Vec<u8>> {
    let mut entropy = SystemEntropy::new().ok()?;
    let raw = sm2().sign_digest(digest, &mut entropy).ok()?.to_raw();
    let mut structure = Vec::new();
    for value in raw.chunks(32) {
        push_right_aligned(value, field_bytes, &mut structure);
    }
    Some(structure)
}

/// RSArefPublicKey.
pub(crate) fn rsa_public_key() -> Vec<u8> {
    let mut structure = 2048_u32.to_ne_bytes().to_vec();
    push_right_aligned(&rsa().n().to_bytes_be(), RSA_FIELD_BYTES, &mut structure);
    push_right_aligned(&rsa().e().to_bytes_be(), RSA_FIELD_BYTES, &mut structure);
    structure
}

/// The input to the private exponent; `None` unless it is as long as the modulus and below it.
/// In variable time: this is no device for real keys.
pub(crate) fn rsa_private(input: &[u8]) -> Option<Vec<u8>> {
    let base = BigUint::from_bytes_be(input);
    if input.len() != RSA_FIELD_BYTES || base >= *rsa().n() {
        return None;
    }
    let mut output = Vec::new();
    let raised = base.modpow(rsa().d(), rsa().n());
    push_right_aligned(&raised.to_bytes_be(), RSA_FIELD_BYTES, &mut output);
    Some(output)
}

fn push_right_aligned(value: &[u8], field_bytes: usize, structure: &mut Vec<u8>) {
    let zeros = field_bytes.saturating_sub(value.len());
    structure.resize(structure.len() + zeros, 0);
    structure.extend_from_slice(value);
}
