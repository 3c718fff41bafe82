//! What we accept from outside, in one place, each with its reason.

use crate::PkiError;

/// Longest certificate read. Real ones are 1 to 4 KiB; those with embedded logos or many
/// names stay under 20 KiB.
pub const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// Longest revocation list read. The largest public ones of large authorities are about 10 MiB.
pub const CRL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest CMS object read (design, limits by default). A time-stamped signature with its
/// chain is about 20 KiB; lists of revoked certificates inside make the rest.
pub const CMS_BYTES_MAX: usize = 1024 * 1024;

/// Most certificates read out of one CMS object. A signer's chain and a time stamp's chain
/// together are under ten.
pub const CMS_CERTIFICATES_MAX: usize = 32;

/// Most revocation lists read out of one CMS object; as many as certificates.
pub(crate) const CMS_CRLS_MAX: usize = 32;

/// Most signer infos read out of one CMS object. `PAdES` allows one; co-signed files of other
/// trades have a handful.
pub const CMS_SIGNER_INFOS_MAX: usize = 16;

/// Most attributes read out of one signer info. The richest `CAdES` profile knows about 20.
pub(crate) const CMS_ATTRIBUTES_MAX: usize = 64;

/// Longest file of PEM blocks read: the longest revocation list in base64, and room for headers.
pub const PEM_BYTES_MAX: usize = CRL_BYTES_MAX / 2 * 3;

/// Most certificates in one file. Browsers' root stores hold about 150.
pub const CERTIFICATES_PER_FILE_MAX: usize = 1024;

/// Most extensions in one certificate or list. Real ones have about ten.
pub(crate) const EXTENSIONS_MAX: usize = 64;

/// Shortest RSA modulus a signature is accepted from (GM/T 0015 and ETSI TS 119 312 agree).
pub const RSA_MODULUS_BITS_MIN: usize = 2048;

/// Longest RSA modulus a signature is accepted from; longer ones only cost the verifier time.
pub const RSA_MODULUS_BITS_MAX: usize = 8192;

/// Smallest RSA public exponent a signature is accepted from (ETSI TS 119 312: e > 2^16).
pub(crate) const RSA_EXPONENT_MIN: u64 = 65_537;

/// `Ok` while `value` does not pass `max`.
pub(crate) const fn check(limit: &'static str, value: usize, max: usize) -> Result<(), PkiError> {
    if value > max {
        Err(PkiError::LimitExceeded { limit, value, max })
    } else {
        Ok(())
    }
}
