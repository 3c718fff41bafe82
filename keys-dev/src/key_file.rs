//! Private keys at rest: encrypted PKCS #8 in PEM (RFC 5958, RFC 8018).

use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::der::Encode as _;
use pkcs8::pkcs5::{pbes2, scrypt};
use yinxin_pki::{pem_blocks, to_pem};

use crate::{DevKey, DevKeysError, SystemEntropy};

const PEM_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// 2^14 times 1 KiB: 16 MiB of memory, about a tenth of a second in an unoptimised build. These keys
/// protect nothing; production keys deserve 2^17.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;

/// The key as a PEM block `ENCRYPTED PRIVATE KEY`: PBES2 with scrypt and AES-256-CBC.
///
/// # Errors
/// [`DevKeysError::EntropyUnavailable`], [`DevKeysError::KeyNotMade`].
pub fn encrypt_key_pem(key: &DevKey, passphrase: &[u8]) -> Result<String, DevKeysError> {
    let entropy = SystemEntropy::new()?;
    let salt: [u8; 16] = entropy.bytes()?;
    let iv: [u8; 16] = entropy.bytes()?;
    let not_made = |detail: String| DevKeysError::KeyNotMade {
        kind: "encrypted",
        detail,
    };
    let scrypt = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P, 32)
        .map_err(|error| not_made(error.to_string()))?;
    let parameters = pbes2::Parameters::scrypt_aes256cbc(scrypt, &salt, &iv)
        .map_err(|error| not_made(error.to_string()))?;
    let encrypted = parameters
        .encrypt(passphrase, key.pkcs8_der())
        .map_err(|error| not_made(error.to_string()))?;
    let der = EncryptedPrivateKeyInfo {
        encryption_algorithm: parameters.into(),
        encrypted_data: &encrypted,
    }
    .to_der()
    .map_err(|error| not_made(error.to_string()))?;
    Ok(to_pem(PEM_LABEL, &der))
}

/// Opens what [`encrypt_key_pem`] gave.
///
/// # Errors
/// [`DevKeysError::PassphraseWrong`]; [`DevKeysError::KeyMalformed`] when it is no such file.
pub fn decrypt_key_pem(pem: &[u8], passphrase: &[u8]) -> Result<DevKey, DevKeysError> {
    let block = pem_blocks(pem)?
        .into_iter()
        .find(|block| block.label == PEM_LABEL)
        .ok_or_else(|| DevKeysError::KeyMalformed {
            detail: format!("no PEM block \"{PEM_LABEL}\""),
        })?;
    let info = EncryptedPrivateKeyInfo::try_from(block.der.as_slice()).map_err(|error| {
        DevKeysError::KeyMalformed {
            detail: error.to_string(),
        }
    })?;
    let document = info
        .decrypt(passphrase)
        .map_err(|_| DevKeysError::PassphraseWrong)?;
    // A wrong passphrase leaves valid padding once in 256 times, and noise inside.
    DevKey::from_pkcs8_der(document.as_bytes()).map_err(|_| DevKeysError::PassphraseWrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyKind;

    #[test]
    fn a_key_file_opens_with_its_passphrase_only() {
        let key = DevKey::generate(KeyKind::P256).unwrap();
        let pem = encrypt_key_pem(&key, b"correct horse").unwrap();
        let opened = decrypt_key_pem(pem.as_bytes(), b"correct horse").unwrap();
        assert_eq!(opened.pkcs8_der(), key.pkcs8_der());
        assert!(matches!(
            decrypt_key_pem(pem.as_bytes(), b"wrong horse"),
            Err(DevKeysError::PassphraseWrong)
        ));
    }
}
