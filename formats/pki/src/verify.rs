//! The mathematics of a signature, and nothing about trust.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use yinxin_sm::PreparedPublicKey;

use crate::limits::{RSA_EXPONENT_MIN, RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN};
use crate::{PkiError, PssHash, PublicKey, SignatureAlgorithm, pss, sm2_message_digest};

/// `Ok` if `signature` was made over `message` by the owner of `key`.
///
/// RSA moduli of 2048 to 8192 bits with an exponent above 2^16 are accepted. ECDSA values are DER.
/// SM2 values may be DER, DER without sign octets, or 64 raw octets r, s; all are met in the field
/// (GM/T 0009). SM2 uses the default distinguished identifier (GM/T 0009 10).
///
/// # Errors
/// [`PkiError::SignatureInvalid`] when it was not; the other variants when it cannot be tried.
pub fn verify_signature(
    key: &PublicKey,
    algorithm: &SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), PkiError> {
    verify_with_table(key, None, algorithm, message, signature)
}

/// [`verify_signature`] with the table of an SM2 key, if there is one.
pub(crate) fn verify_with_table(
    key: &PublicKey,
    table: Option<&PreparedPublicKey>,
    algorithm: &SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), PkiError> {
    let rsa_parameters = match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        SignatureAlgorithm::RsaPkcs1Sha384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        SignatureAlgorithm::RsaPkcs1Sha512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        SignatureAlgorithm::RsaPss(pss) => Some(match pss.hash() {
            PssHash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
            PssHash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
            PssHash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
        }),
        SignatureAlgorithm::RsaPssRefused(fault) => {
            return Err(PkiError::PssParameters(fault.clone()));
        }
        SignatureAlgorithm::EcdsaP256Sha256 | SignatureAlgorithm::Sm2Sm3 => None,
        SignatureAlgorithm::Unsupported { oid } => {
            return Err(PkiError::AlgorithmUnsupported { oid: oid.clone() });
        }
    };
    match (key, rsa_parameters) {
        (PublicKey::Unsupported { algorithm_oid }, _) => Err(PkiError::KeyUnsupported {
            oid: algorithm_oid.clone(),
        }),
        (
            PublicKey::Rsa {
                modulus_bits,
                exponent,
                pkcs1_der,
                usage,
            },
            Some(parameters),
        ) if usage.permits(algorithm) => {
            check_rsa(*modulus_bits, *exponent)?;
            if let SignatureAlgorithm::RsaPss(pss) = algorithm
                && pss.salt_bytes() != pss.hash().digest_bytes()
            {
                // ring takes salts of the digest's length only.
                return pss::verify(*pss, pkcs1_der, message, signature);
            }
            verify_with_ring(parameters, pkcs1_der, message, signature)
        }
        (PublicKey::EcP256 { sec1 }, None) if *algorithm == SignatureAlgorithm::EcdsaP256Sha256 => {
            verify_with_ring(&signature::ECDSA_P256_SHA256_ASN1, sec1, message, signature)
        }
        (PublicKey::Sm2(key), None) if *algorithm == SignatureAlgorithm::Sm2Sm3 => {
            let (signature, _) = yinxin_sm::Signature::from_field_bytes(signature)
                .map_err(|_| PkiError::SignatureMalformed)?;
            sm2_message_digest(key, message)
                .and_then(|digest| match table {
                    Some(table) => table.verify_digest(&digest, &signature),
                    None => key.verify_digest(&digest, &signature),
                })
                .map_err(|_| PkiError::SignatureInvalid)
        }
        (PublicKey::Rsa { .. } | PublicKey::EcP256 { .. } | PublicKey::Sm2(_), _) => {
            Err(PkiError::KeyDoesNotFitAlgorithm {
                key: key.kind(),
                algorithm: algorithm.name(),
            })
        }
    }
}

fn check_rsa(modulus_bits: usize, exponent: u64) -> Result<(), PkiError> {
    if !(RSA_MODULUS_BITS_MIN..=RSA_MODULUS_BITS_MAX).contains(&modulus_bits) {
        return Err(PkiError::RsaModulusLength {
            bits: modulus_bits,
            bits_min: RSA_MODULUS_BITS_MIN,
            bits_max: RSA_MODULUS_BITS_MAX,
        });
    }
    if exponent < RSA_EXPONENT_MIN || exponent.is_multiple_of(2) {
        return Err(PkiError::RsaExponent { exponent });
    }
    Ok(())
}

fn verify_with_ring(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), PkiError> {
    UnparsedPublicKey::new(algorithm, key)
        .verify(message, signature)
        .map_err(|_| PkiError::SignatureInvalid)
}
