//! SubjectPublicKeyInfo, PKCS#8 and SEC1: the shells keys are kept in.
//!
//! All of them say id-ecPublicKey with the curve 1.2.156.10197.1.301 (GB/T 33560-2017). Producers
//! differ in what they add: OpenSSL puts the public key inside ECPrivateKey, BouncyCastle the
//! curve as well, others neither; some drop leading zeros of the secret or add one.

use crate::{Error, PublicKey, SecretKey};
use der::{Decode as _, Encode as _, asn1::BitStringRef};
use sec1::{EcParameters, EcPrivateKey};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SM2P256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

pub(crate) fn parse_spki(der: &[u8]) -> Result<PublicKey, Error> {
    let malformed = Error::Malformed {
        structure: "SubjectPublicKeyInfo",
    };
    let Ok(spki) = SubjectPublicKeyInfoRef::from_der(der) else {
        return Err(malformed);
    };
    check_algorithm(&spki.algorithm)?;
    let point = spki.subject_public_key.as_bytes().ok_or(malformed)?;
    PublicKey::from_sec1_bytes(point)
}

pub(crate) fn write_spki(key: &PublicKey) -> Vec<u8> {
    let point = key.to_sec1_bytes();
    SubjectPublicKeyInfoRef {
        algorithm: algorithm(),
        subject_public_key: BitStringRef::from_bytes(&point).expect("65 bytes fit a BIT STRING"),
    }
    .to_der()
    .expect("a key of fixed size can be encoded")
}

pub(crate) fn parse_pkcs8(der: &[u8]) -> Result<SecretKey, Error> {
    let Ok(info) = pkcs8::PrivateKeyInfo::from_der(der) else {
        return Err(Error::Malformed {
            structure: "PrivateKeyInfo",
        });
    };
    check_algorithm(&info.algorithm)?;
    let inner = parse_ec_private_key(info.private_key)?;
    if inner.parameters.is_some() {
        check_parameters(&inner)?;
    }
    let key = secret_key(&inner)?;
    check_public_key(&key, info.public_key)?;
    Ok(key)
}

pub(crate) fn write_pkcs8(key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let inner = write_sec1(key, Parameters::Left);
    let der = pkcs8::PrivateKeyInfo::new(algorithm(), &inner)
        .to_der()
        .expect("a key of fixed size can be encoded");
    Zeroizing::new(der)
}

pub(crate) fn parse_sec1(der: &[u8]) -> Result<SecretKey, Error> {
    let inner = parse_ec_private_key(der)?;
    check_parameters(&inner)?;
    secret_key(&inner)
}

/// Whether the curve is named inside ECPrivateKey; PKCS#8 names it outside.
pub(crate) enum Parameters {
    Written,
    Left,
}

pub(crate) fn write_sec1(key: &SecretKey, parameters: Parameters) -> Zeroizing<Vec<u8>> {
    let secret = key.to_bytes();
    let public = key.public_key().to_sec1_bytes();
    let der = EcPrivateKey {
        private_key: secret.as_ref(),
        parameters: match parameters {
            Parameters::Written => Some(EcParameters::NamedCurve(SM2P256V1)),
            Parameters::Left => None,
        },
        public_key: Some(&public),
    }
    .to_der()
    .expect("a key of fixed size can be encoded");
    Zeroizing::new(der)
}

fn algorithm() -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef {
        oid: ID_EC_PUBLIC_KEY,
        parameters: Some((&SM2P256V1).into()),
    }
}

fn check_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), Error> {
    if algorithm.oid != ID_EC_PUBLIC_KEY {
        return Err(Error::OtherAlgorithm {
            oid: algorithm.oid.to_string(),
        });
    }
    // Parameters of another type are a curve spelled out.
    check_curve(algorithm.parameters_oid().ok())
}

fn check_parameters(key: &EcPrivateKey<'_>) -> Result<(), Error> {
    check_curve(
        key.parameters
            .and_then(|parameters| parameters.named_curve()),
    )
}

fn check_curve(curve: Option<ObjectIdentifier>) -> Result<(), Error> {
    if curve == Some(SM2P256V1) {
        Ok(())
    } else {
        Err(Error::OtherCurve {
            oid: curve.map(|oid| oid.to_string()),
        })
    }
}

fn parse_ec_private_key(der: &[u8]) -> Result<EcPrivateKey<'_>, Error> {
    EcPrivateKey::from_der(der).map_err(|_| Error::Malformed {
        structure: "ECPrivateKey",
    })
}

fn secret_key(inner: &EcPrivateKey<'_>) -> Result<SecretKey, Error> {
    let mut magnitude = inner.private_key;
    if let (33, [0, rest @ ..]) = (magnitude.len(), magnitude) {
        magnitude = rest;
    }
    let mut secret = Zeroizing::new([0; 32]);
    let padding = secret
        .len()
        .checked_sub(magnitude.len())
        .ok_or(Error::SecretKeyOutOfRange)?;
    secret
        .get_mut(padding..)
        .ok_or(Error::SecretKeyOutOfRange)?
        .copy_from_slice(magnitude);
    let key = SecretKey::from_bytes(&secret)?;
    check_public_key(&key, inner.public_key)?;
    Ok(key)
}

/// A public key stored with a secret one must be its own; OpenSSL may write it compressed.
fn check_public_key(key: &SecretKey, stored: Option<&[u8]>) -> Result<(), Error> {
    match stored {
        None => Ok(()),
        Some(stored) if key.public_key().is_sec1(stored) => Ok(()),
        Some(_) => Err(Error::PublicKeyMismatch),
    }
}
