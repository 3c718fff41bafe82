//! RSASSA-PSS: its parameters (RFC 4055 3.1, RFC 8017 A.2.3), as far as they are sane, and its
//! encoding.

mod encoding;

pub use encoding::sha256_pss_encode;
pub(crate) use encoding::verify;

use crate::tlv::{self, Element, Reader, TlvError, tag};
use crate::{PkiError, oid};

/// The longest salt that fits into a modulus of 8192 bits beside a digest of 32 octets.
const SALT_BYTES_MAX: u16 = 1024 - 32 - 2;

/// How an RSASSA-PSS signature is made: one hash, over the message and inside MGF1, and a salt at
/// least as long as its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pss {
    hash: PssHash,
    salt_bytes: u16,
}

impl Pss {
    /// SHA-256 and 32 octets of salt: what we write.
    pub const SHA256: Self = Self::new(PssHash::Sha256);

    /// A salt as long as the digest, which is what RFC 8017 and EN 319 142 readers expect.
    #[must_use]
    pub const fn new(hash: PssHash) -> Self {
        Self {
            hash,
            salt_bytes: hash.digest_bytes(),
        }
    }

    /// The hash.
    #[must_use]
    pub const fn hash(self) -> PssHash {
        self.hash
    }

    /// Octets of the salt.
    #[must_use]
    pub const fn salt_bytes(self) -> u16 {
        self.salt_bytes
    }

    /// Whether a key that is bound to `self` may make signatures as `other` (RFC 4055 3.3: the
    /// hashes are the same, and the salt is not shorter).
    pub(crate) fn permits(self, other: Self) -> bool {
        self.hash == other.hash && self.salt_bytes <= other.salt_bytes
    }

    /// The parameters that say so, with NULL beside the hashes as RFC 4055 2.1 writes them.
    pub(crate) fn parameters_der(self) -> Vec<u8> {
        let hash = tlv::sequence(&[&tlv::oid(self.hash.oid()), &tlv::null()]);
        let mask = tlv::sequence(&[&tlv::oid(oid::MGF1), &hash]);
        tlv::sequence(&[
            &tlv::context(0, true, &hash),
            &tlv::context(1, true, &mask),
            &tlv::context(2, true, &tlv::integer(self.salt_bytes.into())),
        ])
    }
}

/// The hash of an RSASSA-PSS signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PssHash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl PssHash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The object identifier, dotted.
    #[must_use]
    pub const fn oid(self) -> &'static str {
        match self {
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// Octets of the digest.
    pub(crate) const fn digest_bytes(self) -> u16 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Parameters of RSASSA-PSS that are not accepted: what is weaker than it looks, or met nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PssFault {
    /// Absent, or no `RSASSA-PSS-params`. A signature must say how it was made (RFC 4055 3.1).
    #[error("they are missing or cannot be read")]
    Unreadable,
    /// A hash that is not accepted; SHA-1 is the default of parameters that name none.
    #[error("the hash {oid} is not SHA-256, SHA-384 or SHA-512")]
    Hash {
        /// Its object identifier.
        oid: String,
    },
    /// A mask generation function other than MGF1.
    #[error("the mask generation function {oid} is not MGF1")]
    MaskGeneration {
        /// Its object identifier.
        oid: String,
    },
    /// MGF1 with another hash than the message's.
    #[error("MGF1 uses the hash {oid}, not the message's")]
    MaskHash {
        /// Its object identifier.
        oid: String,
    },
    /// A salt shorter than the digest, or longer than any modulus holds.
    #[error(
        "the salt has {octets} octets; accepted are {octets_min}, the length of the digest, to {octets_max}"
    )]
    SaltLength {
        /// What the parameters say.
        octets: u64,
        /// Shortest accepted.
        octets_min: u16,
        /// Longest accepted.
        octets_max: u16,
    },
    /// A trailer field other than 1.
    #[error("the trailer field is {value}, not 1")]
    TrailerField {
        /// What the parameters say.
        value: u64,
    },
}

/// Reads the parameters of RSASSA-PSS; `parameters` is `None` where they are absent.
///
/// ```text
/// RSASSA-PSS-params ::= SEQUENCE {
///     hashAlgorithm [0] HashAlgorithm DEFAULT sha1, maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1,
///     saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 }
/// ```
pub(crate) fn read_parameters(parameters: Option<&Element<'_>>) -> Result<Pss, PssFault> {
    let element = parameters
        .filter(|element| element.tag == tag::SEQUENCE)
        .ok_or(PssFault::Unreadable)?;
    let raw = RawParameters::read(element).map_err(|_| PssFault::Unreadable)?;
    let Some(hash) = PssHash::ALL
        .into_iter()
        .find(|hash| hash.oid() == raw.hash_oid)
    else {
        return Err(PssFault::Hash { oid: raw.hash_oid });
    };
    if raw.mask_oid != oid::MGF1 {
        return Err(PssFault::MaskGeneration { oid: raw.mask_oid });
    }
    if raw.mask_hash_oid != hash.oid() {
        return Err(PssFault::MaskHash {
            oid: raw.mask_hash_oid,
        });
    }
    let octets_min = hash.digest_bytes();
    let salt_bytes = u16::try_from(raw.salt_bytes)
        .ok()
        .filter(|octets| (octets_min..=SALT_BYTES_MAX).contains(octets))
        .ok_or(PssFault::SaltLength {
            octets: raw.salt_bytes,
            octets_min,
            octets_max: SALT_BYTES_MAX,
        })?;
    // RFC 4055 3.1: left out, but recognised with the value 1.
    if raw.trailer_field != 1 {
        return Err(PssFault::TrailerField {
            value: raw.trailer_field,
        });
    }
    Ok(Pss { hash, salt_bytes })
}

struct RawParameters {
    hash_oid: String,
    mask_oid: String,
    mask_hash_oid: String,
    salt_bytes: u64,
    trailer_field: u64,
}

impl RawParameters {
    fn read(element: &Element<'_>) -> Result<Self, PkiError> {
        let mut fields = element.children();
        let mut raw = Self {
            hash_oid: oid::SHA1.to_owned(),
            mask_oid: oid::MGF1.to_owned(),
            mask_hash_oid: oid::SHA1.to_owned(),
            salt_bytes: 20,
            trailer_field: 1,
        };
        if let Some(explicit) = fields.next_if(tag::context_constructed(0))? {
            let mut inside = explicit.children();
            raw.hash_oid = read_hash(&mut inside)?;
            inside.finish("hashAlgorithm")?;
        }
        if let Some(explicit) = fields.next_if(tag::context_constructed(1))? {
            let mut inside = explicit.children();
            let mut mask = inside.expect(tag::SEQUENCE, "maskGenAlgorithm")?.children();
            inside.finish("maskGenAlgorithm")?;
            raw.mask_oid = mask.expect(tag::OID, "maskGenAlgorithm")?.oid()?;
            // What another function's parameters would be, nobody knows.
            if raw.mask_oid == oid::MGF1 {
                raw.mask_hash_oid = read_hash(&mut mask)?;
                mask.finish("maskGenAlgorithm")?;
            }
        }
        for (number, value) in [(2, &mut raw.salt_bytes), (3, &mut raw.trailer_field)] {
            if let Some(explicit) = fields.next_if(tag::context_constructed(number))? {
                let mut inside = explicit.children();
                *value = inside
                    .expect(tag::INTEGER, "RSASSA-PSS-params")?
                    .integer_u64()?;
                inside.finish("RSASSA-PSS-params")?;
            }
        }
        fields.finish("RSASSA-PSS-params")?;
        Ok(raw)
    }
}

/// The hash of an `AlgorithmIdentifier` whose parameters are absent or NULL (RFC 4055 2.1).
fn read_hash(reader: &mut Reader<'_>) -> Result<String, TlvError> {
    let mut hash = reader.expect(tag::SEQUENCE, "hashAlgorithm")?.children();
    let dotted = hash.expect(tag::OID, "hashAlgorithm")?.oid()?;
    if let Some(null) = hash.next_if(tag::NULL)? {
        null.children().finish("hashAlgorithm")?;
    }
    hash.finish("hashAlgorithm")?;
    Ok(dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(der: &[u8]) -> Result<Pss, PssFault> {
        let element = Reader::new(der).next().unwrap();
        read_parameters(Some(&element))
    }

    fn hash(dotted: &str) -> Vec<u8> {
        tlv::sequence(&[&tlv::oid(dotted)])
    }

    fn mask(dotted: &str, hash: &[u8]) -> Vec<u8> {
        tlv::context(1, true, &tlv::sequence(&[&tlv::oid(dotted), hash]))
    }

    fn number(tag: u8, value: u64) -> Vec<u8> {
        tlv::context(tag, true, &tlv::integer(value))
    }

    #[test]
    fn parameters_are_read_back_as_written() {
        for hash in PssHash::ALL {
            for salt_bytes in [hash.digest_bytes(), 222, SALT_BYTES_MAX] {
                let pss = Pss { hash, salt_bytes };
                assert_eq!(read(&pss.parameters_der()), Ok(pss));
            }
        }
    }

    #[test]
    fn hashes_count_with_parameters_absent_as_well_and_the_trailer_may_be_spelt() {
        let sha256 = hash(oid::SHA256);
        let der = tlv::sequence(&[
            &tlv::context(0, true, &sha256),
            &mask(oid::MGF1, &sha256),
            &number(2, 32),
            &number(3, 1),
        ]);
        assert_eq!(read(&der), Ok(Pss::SHA256));
    }

    #[test]
    fn anything_but_one_hash_and_a_sane_salt_is_refused_by_name() {
        let outer = |dotted| tlv::context(0, true, &hash(dotted));
        let sha1 = || PssFault::Hash {
            oid: oid::SHA1.into(),
        };
        let good_mask = mask(oid::MGF1, &hash(oid::SHA256));
        let salt = |octets| PssFault::SaltLength {
            octets,
            octets_min: 32,
            octets_max: 990,
        };
        let garbage = tlv::context(4, true, &tlv::integer(1));
        let negative = tlv::context(2, true, &tlv::encode(tag::INTEGER, &[0x80]));
        let cases = [
            ("defaults", vec![], sha1()),
            ("SHA-1 in full", vec![outer(oid::SHA1)], sha1()),
            (
                "MGF1 with its default",
                vec![outer(oid::SHA256), number(2, 32)],
                PssFault::MaskHash {
                    oid: oid::SHA1.into(),
                },
            ),
            (
                "another hash in MGF1",
                vec![
                    outer(oid::SHA256),
                    mask(oid::MGF1, &hash(oid::SHA512)),
                    number(2, 32),
                ],
                PssFault::MaskHash {
                    oid: oid::SHA512.into(),
                },
            ),
            (
                "no MGF1",
                vec![
                    outer(oid::SHA256),
                    mask("1.2.3", &tlv::null()),
                    number(2, 32),
                ],
                PssFault::MaskGeneration {
                    oid: "1.2.3".into(),
                },
            ),
            (
                "the default salt",
                vec![outer(oid::SHA256), good_mask.clone()],
                salt(20),
            ),
            (
                "no salt",
                vec![outer(oid::SHA256), good_mask.clone(), number(2, 0)],
                salt(0),
            ),
            (
                "a salt longer than any",
                vec![outer(oid::SHA256), good_mask.clone(), number(2, 991)],
                salt(991),
            ),
            (
                "a salt whose length overflows",
                vec![
                    outer(oid::SHA256),
                    good_mask.clone(),
                    number(2, 65_536 + 32),
                ],
                salt(65_536 + 32),
            ),
            (
                "a negative salt",
                vec![outer(oid::SHA256), good_mask.clone(), negative],
                PssFault::Unreadable,
            ),
            (
                "another trailer",
                vec![
                    outer(oid::SHA256),
                    good_mask.clone(),
                    number(2, 32),
                    number(3, 2),
                ],
                PssFault::TrailerField { value: 2 },
            ),
            (
                "something after",
                vec![outer(oid::SHA256), good_mask, number(2, 32), garbage],
                PssFault::Unreadable,
            ),
        ];
        for (what, fields, fault) in cases {
            let der = tlv::sequence(&[&fields.concat()]);
            assert_eq!(read(&der), Err(fault), "{what}");
        }
        assert_eq!(read(&tlv::null()), Err(PssFault::Unreadable));
        assert_eq!(read_parameters(None), Err(PssFault::Unreadable));
    }
}
