//! Which token, which objects, and the numbers that vendors give SM2.

use yinxin_pki::SignatureAlgorithm;
use yinxin_signer::keys::{KeyStoreError, RsaPadding};

use crate::OpenError;

/// CKM_VENDOR_DEFINED and CKK_VENDOR_DEFINED (PKCS#11 3.1).
const VENDOR_DEFINED: u64 = 0x8000_0000;

/// Which token. What is `None` is not looked at; exactly one token must be left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSelector {
    /// CK_TOKEN_INFO.label, without the blanks that fill it.
    pub label: Option<String>,
    /// CK_TOKEN_INFO.serialNumber, likewise.
    pub serial: Option<String>,
}

/// One private key of the token.
#[derive(Clone, Debug)]
pub struct Pkcs11Key {
    /// The name callers use.
    pub name: String,
    /// CKA_LABEL of the private key.
    pub label: Option<String>,
    /// CKA_ID of the private key. With neither it nor a label the settings are refused.
    pub id: Option<Vec<u8>>,
    /// What the key is.
    pub kind: Pkcs11KeyKind,
    /// The SubjectPublicKeyInfo of the key's certificate: another key in its place is refused.
    /// Needed when the token holds no public key object for a key on a curve.
    pub public_key_spki: Option<Vec<u8>>,
}

/// What a key is and how it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pkcs11KeyKind {
    /// CKK_RSA: CKM_SHA256_RSA_PKCS, or CKM_RSA_PKCS over our DigestInfo when the token lacks it.
    Rsa,
    /// CKK_RSA: CKM_SHA256_RSA_PKCS_PSS, or CKM_RSA_PKCS_PSS over our SHA-256 when the token lacks
    /// it; MGF1 with SHA-256 and a salt of 32 octets.
    RsaPss,
    /// CKK_EC on P-256: CKM_ECDSA over our SHA-256.
    P256,
    /// SM2 with a vendor's numbers, because PKCS#11 has none.
    Sm2(Sm2Numbers),
}

impl Pkcs11KeyKind {
    pub(super) const fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Rsa => RsaPadding::Pkcs1.algorithm(),
            Self::RsaPss => RsaPadding::Pss.algorithm(),
            Self::P256 => SignatureAlgorithm::EcdsaP256Sha256,
            Self::Sm2(_) => SignatureAlgorithm::Sm2Sm3,
        }
    }
}

/// How one vendor does SM2. Take the numbers from its header file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sm2Numbers {
    /// CKA_KEY_TYPE; `None` to search without it.
    pub key_type: Option<u64>,
    /// The signing mechanism.
    pub mechanism: u64,
    /// CKA_EC_PARAMS of the key's objects; `None` to search without it. The curve's OID is
    /// `06 08 2A 81 1C CF 55 01 82 2D`.
    pub curve_parameters: Option<Vec<u8>>,
    /// What the mechanism takes.
    pub input: Sm2Input,
    /// What it gives.
    pub output: Sm2Encoding,
}

/// Who computes Z and the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sm2Input {
    /// We do: the mechanism takes e = SM3(Z ‖ M).
    Digest,
    /// The mechanism hashes and knows no Z: it takes Z ‖ M.
    ZAndMessage,
    /// The mechanism computes Z, with the default distinguished identifier, and hashes.
    Message,
}

/// The form of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sm2Encoding {
    /// r ‖ s, 64 octets.
    Raw,
    /// DER `SEQUENCE { r, s }`.
    Der,
}

/// What can be seen to be wrong before the token is asked.
pub(super) fn check(keys: &[Pkcs11Key]) -> Result<(), OpenError> {
    for (position, key) in keys.iter().enumerate() {
        let name = || key.name.clone();
        if keys
            .iter()
            .take(position)
            .any(|earlier| earlier.name == key.name)
        {
            return Err(OpenError::Key(KeyStoreError::NameTaken { key: name() }));
        }
        if key.label.is_none() && key.id.is_none() {
            return Err(OpenError::KeyUnnamed { key: name() });
        }
        if let Pkcs11KeyKind::Sm2(numbers) = &key.kind {
            for number in [Some(numbers.mechanism), numbers.key_type]
                .into_iter()
                .flatten()
            {
                if number < VENDOR_DEFINED {
                    return Err(OpenError::NumberNotVendors {
                        key: name(),
                        number,
                    });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, mechanism: u64) -> Pkcs11Key {
        Pkcs11Key {
            name: name.to_owned(),
            label: Some("seal".to_owned()),
            id: None,
            kind: Pkcs11KeyKind::Sm2(Sm2Numbers {
                key_type: None,
                mechanism,
                curve_parameters: None,
                input: Sm2Input::Digest,
                output: Sm2Encoding::Raw,
            }),
            public_key_spki: None,
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_before_the_token_is_asked() {
        assert!(check(&[key("a", 0x8000_8100), key("b", 0x8000_8100)]).is_ok());
        assert!(matches!(
            check(&[key("a", 0x8000_8100), key("a", 0x8000_8100)]),
            Err(OpenError::Key(KeyStoreError::NameTaken { .. }))
        ));
        assert!(matches!(
            check(&[key("a", 0x0001_0004)]),
            Err(OpenError::NumberNotVendors {
                number: 0x0001_0004,
                ..
            })
        ));
        let mut unnamed = key("a", 0x8000_8100);
        unnamed.label = None;
        assert!(matches!(
            check(&[unnamed]),
            Err(OpenError::KeyUnnamed { .. })
        ));
    }
}
