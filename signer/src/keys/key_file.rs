//! Private keys at rest: encrypted PKCS#8 (RFC 5958) under PBES2 (RFC 8018, 6.2).
//!
//! ```text
//! EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm AlgorithmIdentifier, encryptedData OCTET STRING }
//! PBES2-params            ::= SEQUENCE { keyDerivationFunc, encryptionScheme }
//! ```
//!
//! AES goes through the `pkcs8` crate; what it does not know, SM4 and PBKDF2 with HMAC-SM3 as
//! GmSSL and Tongsuo write them, is read and written here.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::pkcs5::pbes2;
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};
use sm4::Sm4;
use yinxin_pki::tlv::{self, Reader, tag};
use yinxin_sm::Entropy;
use zeroize::Zeroizing;

/// The label of such a file in PEM (RFC 7468, 11).
pub const PEM_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// The largest key file that is looked at. An RSA key of 4096 bits needs 3.3 KiB in PEM.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// The most memory that a file may make scrypt use: N = 2^18 with r = 8 is 256 MiB.
const SCRYPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// OpenSSL and we write 1.
const SCRYPT_PARALLEL_MAX: u64 = 16;
/// Some seconds of work.
const ITERATIONS_MAX: u64 = 10_000_000;

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const SCRYPT: &str = "1.3.6.1.4.1.11591.4.11";
const HMAC_SHA256: &str = "1.2.840.113549.2.9";
/// HMAC-SM3 (GB/T 33560, table A.1: SM3 with a key); GmSSL writes this one. The identifiers that
/// GM/T 0091 has for the whole scheme are met nowhere and are not read.
const HMAC_SM3: &str = "1.2.156.10197.1.401.2";
/// SM4 in CBC (GB/T 33560, table A.1 and what OpenSSL writes).
const SM4_CBC: &str = "1.2.156.10197.1.104.2";

const SALT_BYTES: usize = 16;
const SM4_KEY_BYTES: usize = 16;
const SM4_BLOCK_BYTES: usize = 16;

/// Why a key file was not opened or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Longer than any key file.
    #[error("a key file has at most {FILE_BYTES_MAX} bytes, this one has {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The PEM text is broken, or its label is another.
    #[error("the PEM text is broken, or its label is not ENCRYPTED PRIVATE KEY")]
    Pem,
    /// The bytes are no EncryptedPrivateKeyInfo under PBES2.
    #[error("this is not an encrypted PKCS#8 key (PBES2)")]
    NotEncryptedPkcs8,
    /// A derivation or cipher that we do not do.
    #[error("its {part} {oid} is not supported")]
    Unsupported {
        /// What it is for.
        part: &'static str,
        /// The algorithm.
        oid: String,
    },
    /// The file asks for more work than any honest one.
    #[error("its {limit} is {value}, more than {max}")]
    TooCostly {
        /// Which limit.
        limit: &'static str,
        /// What the file asks for.
        value: u64,
        /// What is allowed.
        max: u64,
    },
    /// The passphrase does not open it.
    #[error("the passphrase is wrong")]
    PassphraseWrong,
    /// No randomness for salt and IV.
    #[error("the system gives no randomness")]
    EntropyUnavailable,
}

/// The cipher of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCipher {
    /// AES-256 in CBC.
    Aes256,
    /// SM4 in CBC.
    Sm4,
}

/// How the passphrase becomes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Derivation {
    /// scrypt (RFC 7914) with r = 8 and p = 1.
    Scrypt {
        /// log2 of N; memory is 2^log_n KiB.
        log_n: u8,
    },
    /// PBKDF2 (RFC 8018, 5.2): HMAC-SHA-256 beside AES, HMAC-SM3 beside SM4.
    Pbkdf2 {
        /// Rounds.
        iterations: u32,
    },
}

impl Derivation {
    /// 128 MiB and about half a second.
    pub const SCRYPT: Self = Self::Scrypt { log_n: 17 };
    /// What OWASP asks for with SHA-256 (2023).
    pub const PBKDF2: Self = Self::Pbkdf2 {
        iterations: 600_000,
    };
}

/// How a key file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protection {
    /// The cipher.
    pub cipher: KeyCipher,
    /// The derivation.
    pub derivation: Derivation,
}

impl Default for Protection {
    fn default() -> Self {
        Self {
            cipher: KeyCipher::Aes256,
            derivation: Derivation::SCRYPT,
        }
    }
}

/// The unencrypted PKCS#8 inside a key file, PEM or DER.
///
/// # Errors
/// [`KeyFileError`]. A wrong passphrase is told from a broken file by the padding alone, so once
/// in 256 times it gives bytes that are no PKCS#8.
pub fn decrypt(file: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(KeyFileError::TooLong { bytes: file.len() });
    }
    let document;
    let der = match std::str::from_utf8(file) {
        Ok(text) if text.trim_start().starts_with("-----BEGIN") => {
            let (label, pem) = SecretDocument::from_pem(text).map_err(|_| KeyFileError::Pem)?;
            if label != PEM_LABEL {
                return Err(KeyFileError::Pem);
            }
            document = pem;
            document.as_bytes()
        }
        _ => file,
    };
    let parts = Pbes2::read(der).map_err(|_| KeyFileError::NotEncryptedPkcs8)?;
    parts.derivation.check()?;
    if parts.cipher_oid == SM4_CBC {
        return parts.decrypt_sm4(passphrase);
    }
    let unsupported = || KeyFileError::Unsupported {
        part: "cipher",
        oid: parts.cipher_oid.clone(),
    };
    let clear = EncryptedPrivateKeyInfo::from_der(der)
        .map_err(|_| unsupported())?
        .decrypt(passphrase)
        .map_err(|_| KeyFileError::PassphraseWrong)?;
    Ok(Zeroizing::new(clear.as_bytes().to_vec()))
}

/// A key file in PEM.
///
/// # Errors
/// [`KeyFileError::EntropyUnavailable`]; [`KeyFileError::TooCostly`] for a derivation that
/// [`decrypt`] would refuse.
pub fn encrypt(
    pkcs8_der: &[u8],
    passphrase: &[u8],
    protection: Protection,
    entropy: &mut dyn Entropy,
) -> Result<String, KeyFileError> {
    let mut salt = [0; SALT_BYTES];
    let mut iv = [0; SM4_BLOCK_BYTES];
    for bytes in [&mut salt, &mut iv] {
        entropy
            .fill(bytes)
            .map_err(|_| KeyFileError::EntropyUnavailable)?;
    }
    let derivation = ReadDerivation::new(protection, &salt);
    derivation.check()?;
    let der = match protection.cipher {
        KeyCipher::Sm4 => encrypt_sm4(pkcs8_der, passphrase, &derivation, &iv)?,
        KeyCipher::Aes256 => encrypt_aes(pkcs8_der, passphrase, protection, &salt, &iv)?,
    };
    Ok(yinxin_pki::to_pem(PEM_LABEL, &der))
}

fn encrypt_aes(
    pkcs8_der: &[u8],
    passphrase: &[u8],
    protection: Protection,
    salt: &[u8],
    iv: &[u8; 16],
) -> Result<Vec<u8>, KeyFileError> {
    let refused = || KeyFileError::Unsupported {
        part: "derivation",
        oid: SCRYPT.to_owned(),
    };
    let parameters = match protection.derivation {
        Derivation::Scrypt { log_n } => {
            let scrypt = scrypt_parameters(log_n, 8, 1, 32).ok_or_else(refused)?;
            pbes2::Parameters::scrypt_aes256cbc(scrypt, salt, iv)
        }
        Derivation::Pbkdf2 { iterations } => {
            pbes2::Parameters::pbkdf2_sha256_aes256cbc(iterations, salt, iv)
        }
    }
    .map_err(|_| refused())?;
    let encrypted = parameters
        .encrypt(passphrase, pkcs8_der)
        .map_err(|_| refused())?;
    EncryptedPrivateKeyInfo {
        encryption_algorithm: parameters.into(),
        encrypted_data: &encrypted,
    }
    .to_der()
    .map_err(|_| refused())
}

fn encrypt_sm4(
    pkcs8_der: &[u8],
    passphrase: &[u8],
    derivation: &ReadDerivation,
    iv: &[u8; SM4_BLOCK_BYTES],
) -> Result<Vec<u8>, KeyFileError> {
    let key = derivation.key(passphrase)?;
    let encrypted = cbc::Encryptor::<Sm4>::new(key.as_slice().into(), iv.into())
        .encrypt_padded_vec_mut::<Pkcs7>(pkcs8_der);
    let scheme = tlv::sequence(&[&tlv::oid(SM4_CBC), &tlv::octet_string(iv)]);
    let parameters = tlv::sequence(&[&derivation.to_der(), &scheme]);
    Ok(tlv::sequence(&[
        &tlv::sequence(&[&tlv::oid(PBES2), &parameters]),
        &tlv::octet_string(&encrypted),
    ]))
}

fn scrypt_parameters(log_n: u8, r: u32, p: u32, key_bytes: usize) -> Option<scrypt::Params> {
    scrypt::Params::new(log_n, r, p, key_bytes).ok()
}

/// A derivation with its salt.
#[derive(Clone, Debug)]
enum ReadDerivation {
    Scrypt {
        salt: Vec<u8>,
        n: u64,
        r: u64,
        p: u64,
    },
    Pbkdf2 {
        salt: Vec<u8>,
        iterations: u64,
        prf_oid: String,
    },
    Other {
        oid: String,
    },
}

impl ReadDerivation {
    fn new(protection: Protection, salt: &[u8]) -> Self {
        let salt = salt.to_vec();
        match protection.derivation {
            Derivation::Scrypt { log_n } => Self::Scrypt {
                salt,
                n: 1_u64.checked_shl(log_n.into()).unwrap_or(u64::MAX),
                r: 8,
                p: 1,
            },
            Derivation::Pbkdf2 { iterations } => Self::Pbkdf2 {
                salt,
                iterations: iterations.into(),
                prf_oid: match protection.cipher {
                    KeyCipher::Aes256 => HMAC_SHA256,
                    KeyCipher::Sm4 => HMAC_SM3,
                }
                .to_owned(),
            },
        }
    }

    /// ```text
    /// scrypt-params ::= SEQUENCE { salt OCTET STRING, costParameter INTEGER, blockSize INTEGER,
    ///                              parallelizationParameter INTEGER, keyLength INTEGER OPTIONAL }
    /// PBKDF2-params ::= SEQUENCE { salt OCTET STRING, iterationCount INTEGER,
    ///                              keyLength INTEGER OPTIONAL, prf AlgorithmIdentifier DEFAULT sha1 }
    /// ```
    fn read(identifier: &mut Reader<'_>) -> Result<Self, tlv::TlvError> {
        let oid = identifier.expect(tag::OID, "keyDerivationFunc")?.oid()?;
        if oid != SCRYPT && oid != PBKDF2 {
            return Ok(Self::Other { oid });
        }
        let mut fields = identifier
            .expect(tag::SEQUENCE, "keyDerivationFunc parameters")?
            .children();
        let salt = fields.expect(tag::OCTET_STRING, "salt")?.content.to_vec();
        let mut number = || fields.expect(tag::INTEGER, "derivation")?.integer_u64();
        if oid == SCRYPT {
            return Ok(Self::Scrypt {
                salt,
                n: number()?,
                r: number()?,
                p: number()?,
            });
        }
        let iterations = number()?;
        fields.next_if(tag::INTEGER)?;
        let prf_oid = match fields.next_if(tag::SEQUENCE)? {
            Some(prf) => prf.children().expect(tag::OID, "prf")?.oid()?,
            // hmacWithSHA1, the default.
            None => "1.2.840.113549.2.7".to_owned(),
        };
        Ok(Self::Pbkdf2 {
            salt,
            iterations,
            prf_oid,
        })
    }

    fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Scrypt { salt, n, r, p } => {
                let parameters = tlv::sequence(&[
                    &tlv::octet_string(salt),
                    &tlv::integer(*n),
                    &tlv::integer(*r),
                    &tlv::integer(*p),
                ]);
                tlv::sequence(&[&tlv::oid(SCRYPT), &parameters])
            }
            Self::Pbkdf2 {
                salt,
                iterations,
                prf_oid,
            } => {
                let prf = tlv::sequence(&[&tlv::oid(prf_oid), &tlv::null()]);
                let parameters =
                    tlv::sequence(&[&tlv::octet_string(salt), &tlv::integer(*iterations), &prf]);
                tlv::sequence(&[&tlv::oid(PBKDF2), &parameters])
            }
            Self::Other { oid } => tlv::sequence(&[&tlv::oid(oid)]),
        }
    }

    /// Refuses what would keep this machine busy, or out of memory.
    fn check(&self) -> Result<(), KeyFileError> {
        let limits = match self {
            Self::Scrypt { n, r, p, .. } => vec![
                (
                    "scrypt memory in bytes",
                    n.saturating_mul(*r).saturating_mul(128),
                    SCRYPT_BYTES_MAX,
                ),
                ("scrypt parallelization", *p, SCRYPT_PARALLEL_MAX),
            ],
            Self::Pbkdf2 { iterations, .. } => {
                vec![("PBKDF2 iteration count", *iterations, ITERATIONS_MAX)]
            }
            Self::Other { .. } => Vec::new(),
        };
        match limits.into_iter().find(|(_, value, max)| value > max) {
            Some((limit, value, max)) => Err(KeyFileError::TooCostly { limit, value, max }),
            None => Ok(()),
        }
    }

    /// The SM4 key.
    fn key(&self, passphrase: &[u8]) -> Result<Zeroizing<[u8; SM4_KEY_BYTES]>, KeyFileError> {
        let mut key = Zeroizing::new([0; SM4_KEY_BYTES]);
        let unsupported = |oid: &str| KeyFileError::Unsupported {
            part: "derivation",
            oid: oid.to_owned(),
        };
        match self {
            Self::Scrypt { salt, n, r, p } => {
                let parameters = n
                    .is_power_of_two()
                    .then(|| u8::try_from(n.trailing_zeros()).ok())
                    .flatten()
                    .zip(u32::try_from(*r).ok())
                    .zip(u32::try_from(*p).ok())
                    .and_then(|((log_n, r), p)| scrypt_parameters(log_n, r, p, SM4_KEY_BYTES))
                    .ok_or_else(|| unsupported(SCRYPT))?;
                scrypt::scrypt(passphrase, salt, &parameters, key.as_mut())
                    .map_err(|_| unsupported(SCRYPT))?;
            }
            Self::Pbkdf2 {
                salt,
                iterations,
                prf_oid,
            } => {
                let rounds = u32::try_from(*iterations)
                    .ok()
                    .and_then(std::num::NonZeroU32::new)
                    .ok_or_else(|| unsupported(PBKDF2))?;
                match prf_oid.as_str() {
                    HMAC_SM3 => pbkdf2::pbkdf2_hmac::<sm3::Sm3>(
                        passphrase,
                        salt,
                        rounds.get(),
                        key.as_mut(),
                    ),
                    HMAC_SHA256 => ring::pbkdf2::derive(
                        ring::pbkdf2::PBKDF2_HMAC_SHA256,
                        rounds,
                        salt,
                        passphrase,
                        key.as_mut(),
                    ),
                    other => return Err(unsupported(other)),
                }
            }
            Self::Other { oid } => return Err(unsupported(oid)),
        }
        Ok(key)
    }
}

/// A key file's parts.
struct Pbes2<'a> {
    derivation: ReadDerivation,
    cipher_oid: String,
    /// The OCTET STRING beside the cipher; empty for ciphers without one.
    iv: &'a [u8],
    encrypted: &'a [u8],
}

impl<'a> Pbes2<'a> {
    fn read(der: &'a [u8]) -> Result<Self, tlv::TlvError> {
        let mut outer = Reader::new(der);
        let mut info = outer
            .expect(tag::SEQUENCE, "EncryptedPrivateKeyInfo")?
            .children();
        outer.finish("EncryptedPrivateKeyInfo")?;
        let mut algorithm = info
            .expect(tag::SEQUENCE, "encryptionAlgorithm")?
            .children();
        algorithm.expect(tag::OID, "encryptionAlgorithm")?;
        let mut parameters = algorithm.expect(tag::SEQUENCE, "PBES2-params")?.children();
        let mut derivation = parameters
            .expect(tag::SEQUENCE, "keyDerivationFunc")?
            .children();
        let derivation = ReadDerivation::read(&mut derivation)?;
        let mut scheme = parameters
            .expect(tag::SEQUENCE, "encryptionScheme")?
            .children();
        let cipher_oid = scheme.expect(tag::OID, "encryptionScheme")?.oid()?;
        let iv = scheme
            .next_if(tag::OCTET_STRING)?
            .map_or(&[][..], |iv| iv.content);
        let encrypted = info.expect(tag::OCTET_STRING, "encryptedData")?.content;
        Ok(Self {
            derivation,
            cipher_oid,
            iv,
            encrypted,
        })
    }

    fn decrypt_sm4(&self, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let iv: &[u8; SM4_BLOCK_BYTES] = self
            .iv
            .try_into()
            .map_err(|_| KeyFileError::NotEncryptedPkcs8)?;
        let key = self.derivation.key(passphrase)?;
        let mut clear = Zeroizing::new(self.encrypted.to_vec());
        let length = cbc::Decryptor::<Sm4>::new(key.as_slice().into(), iv.into())
            .decrypt_padded_mut::<Pkcs7>(&mut clear)
            .map_err(|_| KeyFileError::PassphraseWrong)?
            .len();
        clear.truncate(length);
        Ok(clear)
    }
}
