//! No key is offered before it has signed something that its public key verifies.

use yinxin_pki::{PublicKey, SignatureAlgorithm, verify_signature};
use yinxin_signer::keys::KeyStoreError;

/// What each key signs when a device is connected. No document and no certificate begins so.
pub(crate) const MESSAGE: &[u8] = b"Yinxin self-test: a fixed message, and never a document.";

/// Signs [`MESSAGE`] with `sign` and verifies it with `spki_der`.
///
/// # Errors
/// Those of `sign`; [`KeyStoreError::SelfTestFailed`].
pub(crate) fn run(
    key: &str,
    spki_der: &[u8],
    algorithm: &SignatureAlgorithm,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, KeyStoreError>,
) -> Result<(), KeyStoreError> {
    let failed = |why| KeyStoreError::SelfTestFailed {
        key: key.to_owned(),
        why,
    };
    let public_key = PublicKey::from_spki_der(spki_der)
        .map_err(|_| failed("the device's public key cannot be read"))?;
    let signature = sign(MESSAGE)?;
    verify_signature(&public_key, algorithm, MESSAGE, &signature)
        .map_err(|_| failed("its signature does not verify with its public key"))
}

/// Compares the device's public key with the one the caller expects, when there is one.
///
/// # Errors
/// [`KeyStoreError::SelfTestFailed`].
pub(crate) fn expect_public_key(
    key: &str,
    expected_spki_der: Option<&[u8]>,
    spki_der: &[u8],
) -> Result<(), KeyStoreError> {
    match expected_spki_der {
        Some(expected)
            if PublicKey::from_spki_der(expected).ok()
                != PublicKey::from_spki_der(spki_der).ok() =>
        {
            Err(KeyStoreError::SelfTestFailed {
                key: key.to_owned(),
                why: "the device's public key is not the expected one",
            })
        }
        Some(_) | None => Ok(()),
    }
}
