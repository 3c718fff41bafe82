//! The mathematics of a signature inside a seal or seal signature.

use std::sync::atomic::{AtomicBool, Ordering};

use yinxin_pki::{Certificate, PkiError, PublicKey, SignatureAlgorithm};
use yinxin_sm::{Encoding, Signature};

use crate::SesError;

/// SM2 with SM3 (GB/T 33560-2017).
pub(crate) const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
/// The same with an arc missing, as one widespread library writes it.
const SM2_WITH_SM3_MISSPELT: &str = "1.2.156.10197.501";
/// RSA with SHA-256 (PKCS#1 v1.5), which the text of v1 allows.
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";

pub(crate) fn verify(
    certificate_der: &[u8],
    algorithm_oid: &str,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SesError> {
    let algorithm = algorithm(algorithm_oid).ok_or_else(|| SesError::AlgorithmUnsupported {
        oid: algorithm_oid.to_owned(),
    })?;
    let certificate = Certificate::recall(certificate_der).map_err(SesError::Certificate)?;
    match certificate.verify(&algorithm, message, signature) {
        Ok(()) => Ok(()),
        Err(PkiError::SignatureInvalid) => {
            Err(diagnose(certificate.public_key(), message, signature))
        }
        Err(PkiError::SignatureMalformed) => Err(SesError::SignatureMalformed),
        Err(error) => Err(SesError::KeyDoesNotFit(error)),
    }
}

/// Whether the signature of the object that holds this was found good: a memory of a computation
/// over that object's own bytes, which tells no two objects apart.
#[derive(Default)]
pub(crate) struct Held(AtomicBool);

impl Held {
    /// `Ok` at once if the signature held before; otherwise `verify` says.
    pub(crate) fn check(
        &self,
        verify: impl FnOnce() -> Result<(), SesError>,
    ) -> Result<(), SesError> {
        if !self.0.load(Ordering::Relaxed) {
            verify()?;
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self(AtomicBool::new(self.0.load(Ordering::Relaxed)))
    }
}

impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Held {}

fn algorithm(oid: &str) -> Option<SignatureAlgorithm> {
    match oid {
        SM2_WITH_SM3 | SM2_WITH_SM3_MISSPELT => Some(SignatureAlgorithm::Sm2Sm3),
        SHA256_WITH_RSA => Some(SignatureAlgorithm::RsaPkcs1Sha256),
        _ => None,
    }
}

/// A signature that does not hold: was it made with an empty identifier?
fn diagnose(key: &PublicKey, message: &[u8], signature: &[u8]) -> SesError {
    if let PublicKey::Sm2(key) = key
        && let Ok((signature, _)) = Signature::from_field_bytes(signature)
        && key.verify(b"", message, &signature).is_ok()
    {
        SesError::SignatureUnderEmptyDistid
    } else {
        SesError::SignatureInvalid
    }
}

pub(crate) fn encoding(algorithm_oid: &str, signature: &[u8]) -> Option<Encoding> {
    if algorithm(algorithm_oid)? != SignatureAlgorithm::Sm2Sm3 {
        return None;
    }
    Signature::from_field_bytes(signature)
        .ok()
        .map(|(_, encoding)| encoding)
}
