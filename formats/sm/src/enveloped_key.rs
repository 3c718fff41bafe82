//! SM2EnvelopedKey: how a key centre delivers the encryption key of a dual pair (GM/T 0009-2012,
//! 7.4), under the public key of the signing one.

use crate::{Ciphertext, Entropy, Error, PublicKey, SecretKey};
use der::{AnyRef, Decode as _, Encode as _, Sequence, asn1::BitStringRef};
use sm4::Sm4;
use sm4::cipher::{BlockDecrypt as _, BlockEncrypt as _, KeyInit as _};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier};
use zeroize::Zeroizing;

/// SM4, without a mode (GB/T 33560, table A.1).
const SM4: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104");
/// SM4 in ECB.
const SM4_ECB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.1");

const BLOCK: usize = 16;
const MALFORMED: Error = Error::Malformed {
    structure: "SM2EnvelopedKey",
};

/// ```text
/// SM2EnvelopedKey ::= SEQUENCE {
///     symAlgID               AlgorithmIdentifier,   -- SM4 in ECB
///     symEncryptedKey        SM2Cipher,             -- the SM4 key
///     Sm2PublicKey           BIT STRING,            -- 04 ‖ X ‖ Y
///     Sm2EncryptedPrivateKey BIT STRING }           -- d
/// ```
#[derive(Sequence)]
struct Sm2EnvelopedKey<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    encrypted_key: AnyRef<'a>,
    public_key: BitStringRef<'a>,
    encrypted_private_key: BitStringRef<'a>,
}

/// Opens an SM2EnvelopedKey that was made for the public key of `key`.
///
/// The standard does not say how d fills the blocks. Taken are its 32 bytes alone, with a block of
/// padding (PKCS#7), and after 32 zero bytes, as GM/T 0016 lays keys out.
///
/// # Errors
/// [`Error::Malformed`], [`Error::OtherAlgorithm`], [`Error::DecryptionFailed`], and
/// [`Error::PublicKeyMismatch`] when the public key beside it is another one's.
pub fn open_enveloped_key(der: &[u8], key: &SecretKey) -> Result<SecretKey, Error> {
    let Ok(envelope) = Sm2EnvelopedKey::from_der(der) else {
        return Err(MALFORMED);
    };
    let oid = envelope.algorithm.oid;
    if oid != SM4 && oid != SM4_ECB {
        return Err(Error::OtherAlgorithm {
            oid: oid.to_string(),
        });
    }
    let wrapped = envelope.encrypted_key.to_der().map_err(|_| MALFORMED)?;
    let session = key.decrypt(&Ciphertext::from_der(&wrapped)?)?;
    let cipher = Sm4::new_from_slice(&session).map_err(|_| MALFORMED)?;
    let mut clear = Zeroizing::new(
        envelope
            .encrypted_private_key
            .as_bytes()
            .ok_or(MALFORMED)?
            .to_vec(),
    );
    if !matches!(clear.len(), 32 | 48 | 64) {
        return Err(MALFORMED);
    }
    for block in clear.chunks_exact_mut(BLOCK) {
        cipher.decrypt_block(block.into());
    }
    let d = match (clear.len(), clear.split_at(32)) {
        (32, (d, _)) => d,
        (48, (d, padding)) if padding.iter().all(|octet| usize::from(*octet) == BLOCK) => d,
        (64, (zeros, d)) if zeros.iter().all(|octet| *octet == 0) => d,
        _ => return Err(Error::DecryptionFailed),
    };
    let d = Zeroizing::new(<[u8; 32]>::try_from(d).map_err(|_| MALFORMED)?);
    let opened = SecretKey::from_bytes(&d)?;
    let public_key = envelope.public_key.as_bytes().ok_or(MALFORMED)?;
    if !opened.public_key().is_sec1(public_key) {
        return Err(Error::PublicKeyMismatch);
    }
    Ok(opened)
}

/// A DER SM2EnvelopedKey that the owner of `recipient` can open, as a key centre makes it.
///
/// # Errors
/// [`Error::EntropyUnavailable`].
pub fn envelop_key(
    key: &SecretKey,
    recipient: &PublicKey,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let mut session = Zeroizing::new([0; BLOCK]);
    entropy.fill(session.as_mut())?;
    let cipher = Sm4::new(session.as_slice().into());
    let mut encrypted = key.to_bytes();
    for block in encrypted.chunks_exact_mut(BLOCK) {
        cipher.encrypt_block(block.into());
    }
    let wrapped = recipient.encrypt(session.as_ref(), entropy)?.to_der();
    let public_key = key.public_key().to_sec1_bytes();
    let bits = |bytes| BitStringRef::from_bytes(bytes).expect("a key fits a BIT STRING");
    Ok(Sm2EnvelopedKey {
        algorithm: AlgorithmIdentifierRef {
            oid: SM4_ECB,
            parameters: Some(AnyRef::NULL),
        },
        encrypted_key: AnyRef::try_from(wrapped.as_slice()).expect("we encoded it"),
        public_key: bits(&public_key),
        encrypted_private_key: bits(encrypted.as_ref()),
    }
    .to_der()
    .expect("an envelope of fixed size can be encoded"))
}
