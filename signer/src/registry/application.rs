//! What is applied for: whose seal, how it looks, who signs with it.

use serde::{Deserialize, Serialize};
use yinxin_pki::{Certificate, UnixSeconds};

use crate::appearance::{
    AppearanceError, Centre, PictureFile, PngPicture, RoundSeal, SealDesign, SealFont, SealKind,
    SealPicture, VectorPicture, draw_round_drawing, draw_seal,
};
use crate::keys::RsaPadding;
use crate::licence::unified_credit_code;
use crate::seal::SigningIdentity;

use super::RegistryError;

/// The longest validity: certificates for seals run for one to five years. A guard against slips of
/// the pen, not a policy.
const VALID_SECONDS_MAX: i64 = 30 * 366 * 86_400;

/// An application for a seal (印章申请).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The seal's code (印章编码): 1 to 64 of letters, digits and `-`. Also the esID of what is
    /// made under it.
    pub code: String,
    /// The seal's name, 1 to 100 characters.
    pub name: String,
    /// The owner's full name, 1 to 100 characters.
    pub owner_name: String,
    /// The owner's unified credit code (GB 32100).
    pub owner_code: String,
    /// What the seal is for.
    pub kind: SealKind,
    /// Where the owner issues licences: a 12-digit division code, for a village's seal.
    #[serde(default)]
    pub division_code: Option<String>,
    /// Who keeps the seal: the common name of a person's client certificate.
    pub keeper: String,
    /// What the first version is made from.
    pub terms: Terms,
}

/// What one version of a seal is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How the seal looks.
    pub face: Face,
    /// Whether the seal object holds the signer's certificate or its digest.
    #[serde(default)]
    pub cert_list: CertListKind,
    /// The layout of the seal object.
    #[serde(default)]
    pub layout: SealLayout,
    /// The first second of validity, since 1970-01-01T00:00:00Z.
    pub valid_from: i64,
    /// The last second of validity.
    pub valid_until: i64,
    /// The SM2 side.
    #[serde(default)]
    pub gm: Option<KeyBinding>,
    /// The RSA or P-256 side.
    #[serde(default)]
    pub pades: Option<KeyBinding>,
}

/// How a seal looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Face {
    /// Drawn by a design, checked by the rules of its kind and owner.
    Design(SealDesign),
    /// An uploaded picture of plain shapes.
    Svg {
        /// The SVG file.
        svg: String,
        /// True width.
        width_mm: f64,
        /// True height.
        height_mm: f64,
    },
    /// An uploaded picture with alpha, 300 dots per inch or finer.
    Png {
        /// The PNG file.
        png: PictureFile,
        /// True width.
        width_mm: f64,
        /// True height.
        height_mm: f64,
    },
    /// A round seal with a star, as the signer's configuration describes it.
    Plain {
        /// Along the upper arc.
        upper_text: String,
        /// Under the star.
        lower_text: Option<String>,
        /// The outer diameter.
        diameter_mm: f64,
    },
}

/// certListType of GB/T 38540.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertListKind {
    /// 1: the signer's whole certificate.
    #[default]
    Certificates,
    /// 2: its SM3 digest.
    Digests,
}

/// The layout of the seal object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealLayout {
    /// GB/T 38540-2020.
    #[default]
    V4,
    /// GM/T 0031-2025.
    V5,
}

/// A key of the signer and the certificates that speak for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBinding {
    /// The key's name in its key store.
    pub key: String,
    /// The signer's certificate and those above it, PEM, nearest first; a root is left out.
    pub certificates_pem: String,
}

impl KeyBinding {
    /// The identity that signs; how an RSA key pads is its store's to say
    /// ([`SigningIdentity::padded_by`]).
    ///
    /// # Errors
    /// [`RegistryError::Field`] when the PEM cannot be read or holds nothing.
    pub fn identity(&self) -> Result<SigningIdentity, RegistryError> {
        let refuse = |rule: String| RegistryError::Field {
            field: "certificates_pem",
            rule,
        };
        let mut certificates = Certificate::list_from_pem_or_der(self.certificates_pem.as_bytes())
            .map_err(|error| refuse(error.to_string()))?
            .into_iter();
        let certificate = certificates
            .next()
            .ok_or_else(|| refuse("must hold the signer's certificate".to_owned()))?;
        Ok(SigningIdentity {
            key: self.key.clone(),
            certificate,
            chain: certificates
                .filter(|certificate| !certificate.is_self_issued())
                .collect(),
            rsa_padding: RsaPadding::default(),
        })
    }
}

impl Application {
    /// Checks what can be checked without keys and fonts.
    ///
    /// # Errors
    /// [`RegistryError::Field`] names the first field that breaks its rule.
    pub fn check(&self) -> Result<(), RegistryError> {
        let refuse = |field: &'static str, rule: String| Err(RegistryError::Field { field, rule });
        let good_code = (1..=64).contains(&self.code.len())
            && self
                .code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !good_code {
            return refuse(
                "code",
                "must be 1 to 64 of letters, digits and -".to_owned(),
            );
        }
        for (field, text) in [
            ("name", &self.name),
            ("owner_name", &self.owner_name),
            ("keeper", &self.keeper),
        ] {
            let characters = text.chars().count();
            if !(1..=100).contains(&characters) || text.chars().any(char::is_control) {
                return refuse(
                    field,
                    format!(
                        "must have 1 to 100 characters without control characters, has {characters}"
                    ),
                );
            }
        }
        if let Err(error) = unified_credit_code(&self.owner_code) {
            return refuse("owner_code", error.to_string());
        }
        if let Some(division) = &self.division_code
            && !(division.len() == 12 && division.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return refuse("division_code", "must be 12 digits".to_owned());
        }
        if let Face::Design(design) = &self.terms.face
            && design.kind != self.kind
        {
            return refuse(
                "terms.face.design.kind",
                "must be the seal's kind".to_owned(),
            );
        }
        self.terms.check()
    }
}

impl Terms {
    /// Checks what can be checked without keys and fonts.
    ///
    /// # Errors
    /// [`RegistryError::Field`] names the first field that breaks its rule.
    pub fn check(&self) -> Result<(), RegistryError> {
        let refuse = |field: &'static str, rule: &str| {
            Err(RegistryError::Field {
                field,
                rule: rule.to_owned(),
            })
        };
        if self.gm.is_none() && self.pades.is_none() {
            return refuse(
                "terms",
                "must name an SM2 key, an RSA or P-256 key, or both",
            );
        }
        if self.valid_from >= self.valid_until {
            return refuse("terms.valid_until", "must be after valid_from");
        }
        if self.valid_until.saturating_sub(self.valid_from) > VALID_SECONDS_MAX {
            return refuse(
                "terms.valid_until",
                "must be at most 30 years after valid_from",
            );
        }
        for binding in self.gm.iter().chain(&self.pades) {
            binding.identity()?;
        }
        Ok(())
    }

    /// When the seal can be used: its own validity within that of the certificate it signs with
    /// (the SM2 one, when there are two).
    ///
    /// # Errors
    /// As [`KeyBinding::identity`].
    pub fn validity(&self) -> Result<(UnixSeconds, UnixSeconds), RegistryError> {
        let mut validity = (self.valid_from, self.valid_until);
        if let Some(binding) = self.gm.as_ref().or(self.pades.as_ref()) {
            let certificate = binding.identity()?.certificate;
            validity.0 = validity.0.max(certificate.not_before().0);
            validity.1 = validity.1.min(certificate.not_after().0);
        }
        Ok((UnixSeconds(validity.0), UnixSeconds(validity.1)))
    }

    /// The SHA-256 digests of the signers' certificates.
    ///
    /// # Errors
    /// As [`KeyBinding::identity`].
    pub fn certificate_digests(&self) -> Result<Vec<[u8; 32]>, RegistryError> {
        self.gm
            .iter()
            .chain(&self.pades)
            .map(|binding| Ok(binding.identity()?.certificate.sha256()))
            .collect()
    }

    /// The SubjectPublicKeyInfos of the signers' certificates.
    pub(super) fn public_keys(&self) -> Result<Vec<Vec<u8>>, RegistryError> {
        self.gm
            .iter()
            .chain(&self.pades)
            .map(|binding| Ok(binding.identity()?.certificate.spki_der().to_vec()))
            .collect()
    }
}

impl Face {
    /// Draws the seal. `description` is what a screen reader says of an uploaded picture.
    ///
    /// # Errors
    /// What the drawing says: a rule of size or form, a text, a missing glyph, a picture that is
    /// not plain shapes, or a PNG without alpha or with too few dots.
    pub fn draw(&self, font: &SealFont, description: &str) -> Result<SealPicture, FaceError> {
        let drawing = match self {
            Self::Design(design) => draw_seal(design, font)?,
            Self::Svg {
                svg,
                width_mm,
                height_mm,
            } => {
                VectorPicture::read_svg(svg.as_bytes(), *width_mm, *height_mm)?.drawing(description)
            }
            Self::Png {
                png,
                width_mm,
                height_mm,
            } => {
                return Ok(SealPicture::Png {
                    picture: PngPicture::read(png.0.clone(), *width_mm, *height_mm)?,
                    description: description.to_owned(),
                });
            }
            Self::Plain {
                upper_text,
                lower_text,
                diameter_mm,
            } => {
                let seal = RoundSeal {
                    upper_text: upper_text.clone(),
                    lower_text: lower_text.clone(),
                    diameter_mm: *diameter_mm,
                    centre: Centre::Star,
                };
                draw_round_drawing(&seal, font)?
            }
        };
        Ok(SealPicture::Drawn(drawing))
    }
}

/// Why a face cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// The design, or the font.
    #[error(transparent)]
    Drawn(#[from] AppearanceError),
    /// The uploaded picture.
    #[error(transparent)]
    Picture(#[from] crate::appearance::PictureError),
}
