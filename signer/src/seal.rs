//! A seal as the signer holds it: its looks, its seal object, and who signs with it.

use yinxin_pdf::Appearance;
use yinxin_pki::{Certificate, PublicKey, SignatureAlgorithm, UnixSeconds};
use yinxin_ses::Seal as SealObject;

use crate::error::{SealError, SetupError};
use crate::keys::{KeyStore, RsaPadding};
use crate::profile::SignatureProfile;

/// A key, and the certificate that speaks for it.
#[derive(Clone, Debug)]
pub struct SigningIdentity {
    /// The key's name in its key store.
    pub key: String,
    /// The signer's certificate.
    pub certificate: Certificate,
    /// The certificates above it, nearest first, without the root.
    pub chain: Vec<Certificate>,
    /// How the key pads if it is an RSA key: as its store says, see [`SigningIdentity::padded_by`].
    pub rsa_padding: RsaPadding,
}

impl SigningIdentity {
    /// The same identity with the padding that the store's key has.
    ///
    /// # Errors
    /// [`SetupError::Keys`] when the store has no such key.
    pub fn padded_by(self, keys: &dyn KeyStore) -> Result<Self, SetupError> {
        Ok(Self {
            rsa_padding: keys.rsa_padding(&self.key)?,
            ..self
        })
    }

    /// How this identity signs.
    ///
    /// # Errors
    /// [`SetupError::KeyKind`] when its public key is none that we sign with.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, SetupError> {
        match self.certificate.public_key() {
            PublicKey::Rsa { .. } => Ok(self.rsa_padding.algorithm()),
            PublicKey::EcP256 { .. } => Ok(SignatureAlgorithm::EcdsaP256Sha256),
            PublicKey::Sm2(_) => Ok(SignatureAlgorithm::Sm2Sm3),
            PublicKey::Unsupported { algorithm_oid } => Err(SetupError::KeyKind {
                key: self.key.clone(),
                algorithm_oid: algorithm_oid.clone(),
            }),
        }
    }

    /// Checks that the store's key is the certificate's, and that the certificate is meant for
    /// signing documents (GM/T 0015: digitalSignature and nonRepudiation).
    ///
    /// # Errors
    /// The variant of [`SetupError`] that names what does not fit.
    pub fn check(&self, keys: &dyn KeyStore) -> Result<(), SetupError> {
        if keys.public_key_spki(&self.key)? != self.certificate.spki_der() {
            return Err(SetupError::KeyIsNotTheCertificates {
                key: self.key.clone(),
            });
        }
        let usable = self
            .certificate
            .key_usage()
            .is_some_and(|usage| usage.digital_signature || usage.content_commitment);
        if !usable {
            return Err(SetupError::KeyUsage {
                key: self.key.clone(),
            });
        }
        self.signature_algorithm().map(|_| ())
    }

    /// Refuses a certificate that is not valid at `at`.
    pub(crate) fn check_validity(&self, seal: &str, at: UnixSeconds) -> Result<(), SealError> {
        let (not_before, not_after) = (self.certificate.not_before(), self.certificate.not_after());
        if at < not_before || at > not_after {
            return Err(SealError::CertificateNotValidAt {
                seal: seal.to_owned(),
                at,
                not_before,
                not_after,
            });
        }
        Ok(())
    }
}

/// The SM2 side of a seal: the seal object and the identity it permits.
#[derive(Clone, Debug)]
pub struct GmMaterial {
    /// The DER of the GB/T 38540 seal, as its maker signed it.
    pub seal_der: Vec<u8>,
    /// The seal, read.
    pub seal: SealObject,
    /// Who signs.
    pub identity: SigningIdentity,
}

/// A seal that the signer may apply.
#[derive(Clone, Debug)]
pub struct Seal {
    /// Our own name of it, as in configuration, for example `village-beian`.
    pub id: String,
    /// The owner's full name, as around the star.
    pub owner_name: String,
    /// The owner's unified credit code.
    pub owner_code: Option<String>,
    /// What the page shows.
    pub appearance: Appearance,
    /// True width.
    pub width_mm: f64,
    /// True height.
    pub height_mm: f64,
    /// For `gm-seal` and `gm-cms`.
    pub gm: Option<GmMaterial>,
    /// For `pades-b-b`: RSA or P-256.
    pub pades: Option<SigningIdentity>,
}

impl Seal {
    /// Checks at start what can be checked at start: keys against certificates, the seal object
    /// against its signer, the maker's signature.
    ///
    /// # Errors
    /// The variant of [`SetupError`] that names what does not fit.
    pub fn check(&self, keys: &dyn KeyStore) -> Result<(), SetupError> {
        if let Some(gm) = &self.gm {
            gm.identity.check(keys)?;
            gm.seal
                .verify_maker_signature()
                .map_err(|source| SetupError::SealObject {
                    seal: self.id.clone(),
                    source,
                })?;
            if !gm
                .seal
                .property()
                .cert_list
                .permits(gm.identity.certificate.der())
            {
                return Err(SetupError::SignerNotInSeal {
                    seal: self.id.clone(),
                });
            }
        }
        if let Some(pades) = &self.pades {
            pades.check(keys)?;
        }
        if self.gm.is_none() && self.pades.is_none() {
            return Err(SetupError::SealWithoutKey {
                seal: self.id.clone(),
            });
        }
        Ok(())
    }

    /// Who signs under a profile.
    ///
    /// # Errors
    /// [`SealError::ProfileNotOffered`] when the seal has no key for it.
    pub fn identity(&self, profile: SignatureProfile) -> Result<&SigningIdentity, SealError> {
        let identity = match profile {
            SignatureProfile::PadesBB => self.pades.as_ref(),
            SignatureProfile::GmSeal | SignatureProfile::GmCms => {
                self.gm.as_ref().map(|gm| &gm.identity)
            }
        };
        identity.ok_or_else(|| SealError::ProfileNotOffered {
            seal: self.id.clone(),
            profile: profile.name(),
        })
    }

    /// The last moment at which certificate and, for `gm-seal`, seal are both valid.
    ///
    /// # Errors
    /// [`SealError::ProfileNotOffered`].
    pub fn valid_until(&self, profile: SignatureProfile) -> Result<UnixSeconds, SealError> {
        let certificate_end = self.identity(profile)?.certificate.not_after();
        Ok(match (profile, &self.gm) {
            (SignatureProfile::GmSeal, Some(gm)) => {
                certificate_end.min(gm.seal.property().valid_end)
            }
            _ => certificate_end,
        })
    }

    /// Refuses to seal outside the validity of certificate and seal: an expired one must never
    /// be used and then explained.
    ///
    /// # Errors
    /// [`SealError::CertificateNotValidAt`], [`SealError::SealNotValidAt`],
    /// [`SealError::ProfileNotOffered`].
    pub fn check_validity(
        &self,
        profile: SignatureProfile,
        at: UnixSeconds,
    ) -> Result<(), SealError> {
        self.identity(profile)?.check_validity(&self.id, at)?;
        if let (SignatureProfile::GmSeal, Some(gm)) = (profile, &self.gm) {
            let property = gm.seal.property();
            if at < property.valid_start || at > property.valid_end {
                return Err(SealError::SealNotValidAt {
                    seal: self.id.clone(),
                    at,
                    valid_start: property.valid_start,
                    valid_end: property.valid_end,
                });
            }
        }
        Ok(())
    }
}
