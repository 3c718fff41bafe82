//! Profiles: which container goes into the signature dictionary, and how it is made.

use yinxin_pki::{DigestAlgorithm, SignatureAlgorithm, UnixSeconds, cms};
use yinxin_ses::{SealVersion, TbsSignV4};

use crate::error::{SealError, SetupError};
use crate::seal::{GmMaterial, Seal, SigningIdentity};

/// The longest propertyInfo we write: `ByteRange [0 …]` with three numbers of ten digits.
const PROPERTY_INFO_BYTES_MAX: usize = 64;

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealProfile {
    /// PAdES baseline B-B (ETSI EN 319 142-1) with RSA or P-256.
    PadesBB,
    /// A GB/T 38540 seal signature with SM2.
    GmSeal,
    /// RFC 5652 CMS with SM2 and SM3.
    GmCms,
    /// `gm-seal`, then `pades-b-b` in the next revision of the same file.
    Dual,
}

impl SealProfile {
    /// The profiles by their stable names.
    pub const ALL: [Self; 4] = [Self::PadesBB, Self::GmSeal, Self::GmCms, Self::Dual];

    /// The stable name, as on the command line and in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PadesBB => "pades-b-b",
            Self::GmSeal => "gm-seal",
            Self::GmCms => "gm-cms",
            Self::Dual => "dual",
        }
    }

    /// The profile of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The signatures it is made of, in their order.
    #[must_use]
    pub fn signatures(self) -> &'static [SignatureProfile] {
        match self {
            Self::PadesBB => &[SignatureProfile::PadesBB],
            Self::GmSeal => &[SignatureProfile::GmSeal],
            Self::GmCms => &[SignatureProfile::GmCms],
            Self::Dual => &[SignatureProfile::GmSeal, SignatureProfile::PadesBB],
        }
    }
}

/// One signature's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureProfile {
    /// PAdES baseline B-B.
    PadesBB,
    /// GB/T 38540 seal signature.
    GmSeal,
    /// RFC 5652 CMS with SM2 and SM3.
    GmCms,
}

impl SignatureProfile {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PadesBB => "pades-b-b",
            Self::GmSeal => "gm-seal",
            Self::GmCms => "gm-cms",
        }
    }

    /// The digest's name, for receipts and the record.
    #[must_use]
    pub fn digest_name(self) -> &'static str {
        match self.digest_algorithm() {
            DigestAlgorithm::Sha256 => "SHA-256",
            DigestAlgorithm::Sm3 => "SM3",
        }
    }

    /// The digest over the covered bytes.
    #[must_use]
    pub fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::PadesBB => DigestAlgorithm::Sha256,
            Self::GmSeal | Self::GmCms => DigestAlgorithm::Sm3,
        }
    }
}

/// /Filter and /SubFilter of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerNames {
    /// /Filter.
    pub filter: String,
    /// /SubFilter.
    pub sub_filter: String,
}

/// The names of the SM2 profiles are settings, because no public standard fixes them; those of
/// PAdES are fixed by EN 319 142-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileNames {
    /// For `gm-seal`.
    pub gm_seal: HandlerNames,
    /// For `gm-cms`.
    pub gm_cms: HandlerNames,
}

impl Default for ProfileNames {
    fn default() -> Self {
        Self {
            gm_seal: HandlerNames {
                filter: "Gomain.GMPkiLite".to_owned(),
                sub_filter: "GM.sm2seal".to_owned(),
            },
            gm_cms: Self::pades(),
        }
    }
}

impl ProfileNames {
    fn pades() -> HandlerNames {
        HandlerNames {
            filter: "Adobe.PPKLite".to_owned(),
            sub_filter: "ETSI.CAdES.detached".to_owned(),
        }
    }

    /// The names for a profile.
    #[must_use]
    pub fn of(&self, profile: SignatureProfile) -> HandlerNames {
        match profile {
            SignatureProfile::PadesBB => Self::pades(),
            SignatureProfile::GmSeal => self.gm_seal.clone(),
            SignatureProfile::GmCms => self.gm_cms.clone(),
        }
    }
}

/// Room that any container of this seal and profile fits into, in bytes: computed from what will
/// be put in, so that nothing has to be guessed or signed twice.
///
/// # Errors
/// [`SealError::ProfileNotOffered`], [`SealError::Setup`].
pub fn container_bytes_max(seal: &Seal, profile: SignatureProfile) -> Result<usize, SealError> {
    let identity = seal.identity(profile)?;
    Ok(match profile {
        SignatureProfile::PadesBB | SignatureProfile::GmCms => cms::signed_data_length_max(
            profile.digest_algorithm(),
            &identity.signature_algorithm()?,
            &identity.certificate,
            &certificates(identity),
        ),
        SignatureProfile::GmSeal => yinxin_ses::seal_signature_length_max(
            gm(seal)?.seal_der.len(),
            identity.certificate.der().len(),
            PROPERTY_INFO_BYTES_MAX,
        ),
    })
}

/// The signer first, then what stands above it.
fn certificates(identity: &SigningIdentity) -> Vec<yinxin_pki::Certificate> {
    std::iter::once(&identity.certificate)
        .chain(&identity.chain)
        .cloned()
        .collect()
}

fn gm(seal: &Seal) -> Result<&GmMaterial, SealError> {
    seal.gm
        .as_ref()
        .ok_or_else(|| SealError::ProfileNotOffered {
            seal: seal.id.clone(),
            profile: SignatureProfile::GmSeal.name(),
        })
}

/// A container that lacks only its signature.
#[derive(Debug)]
pub(crate) struct ContainerDraft {
    /// What the key signs: the DER of the signed attributes, or of TBS_Sign.
    pub(crate) message: Vec<u8>,
    pub(crate) algorithm: SignatureAlgorithm,
    kind: DraftKind,
}

#[derive(Debug)]
enum DraftKind {
    Cms {
        digest: DigestAlgorithm,
        certificates: Vec<yinxin_pki::Certificate>,
    },
    Ses {
        signer_certificate_der: Vec<u8>,
    },
}

impl ContainerDraft {
    /// Builds everything but the signature over `digest`, the digest of the covered bytes.
    pub(crate) fn new(
        seal: &Seal,
        profile: SignatureProfile,
        digest: &[u8],
        property_info: &str,
        at: UnixSeconds,
    ) -> Result<Self, SealError> {
        let identity = seal.identity(profile)?;
        let algorithm = identity.signature_algorithm()?;
        match profile {
            SignatureProfile::PadesBB | SignatureProfile::GmCms => {
                let digest_algorithm = profile.digest_algorithm();
                Ok(Self {
                    message: cms::signed_attributes_der(
                        digest_algorithm,
                        digest,
                        &identity.certificate,
                    ),
                    algorithm,
                    kind: DraftKind::Cms {
                        digest: digest_algorithm,
                        certificates: certificates(identity),
                    },
                })
            }
            SignatureProfile::GmSeal => {
                let data_hash = digest.try_into().map_err(|_| {
                    SealError::Setup(SetupError::DigestLength {
                        bytes: digest.len(),
                    })
                })?;
                let to_sign = TbsSignV4 {
                    seal_der: &gm(seal)?.seal_der,
                    time: at,
                    data_hash,
                    property_info,
                };
                // TBS_Sign carries the number of the seal inside it (GB/T 38540-2020; GM/T 0031-2025).
                let message = match gm(seal)?.seal.version() {
                    SealVersion::V5 => to_sign.to_v5_der(),
                    SealVersion::V1 | SealVersion::V4 => to_sign.to_der(),
                };
                Ok(Self {
                    message,
                    algorithm,
                    kind: DraftKind::Ses {
                        signer_certificate_der: identity.certificate.der().to_vec(),
                    },
                })
            }
        }
    }

    /// The finished container.
    pub(crate) fn assemble(&self, signature: &[u8]) -> Vec<u8> {
        match &self.kind {
            DraftKind::Cms {
                digest,
                certificates,
            } => cms::assemble_signed_data(
                *digest,
                &self.algorithm,
                &self.message,
                signature,
                certificates,
            ),
            DraftKind::Ses {
                signer_certificate_der,
            } => yinxin_ses::assemble_seal_signature_v4(
                &self.message,
                signer_certificate_der,
                signature,
            ),
        }
    }
}
