//! Making (制作): what the maker signs, and what it becomes.

use yinxin_pki::{Certificate, DigestAlgorithm, UnixSeconds};
use yinxin_ses::{
    CertDigest, CertList, Picture, Seal as SealObject, SealInfoV4, assemble_seal_v4,
    assemble_seal_v5,
};

use super::event::SES_PEM_LABEL;
use super::{CertListKind, Material, RegistryError, SealLayout, SealRecord};
use crate::appearance::{SealKind, SealPicture};

/// SM3 by the identifier that reading takes first (GB/T 33560).
const SM3_OID: &str = "1.2.156.10197.1.401";

/// What the maker signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// DER of SES_SealInfo: the maker's key signs exactly these bytes.
    pub info_der: Vec<u8>,
    layout: SealLayout,
}

impl SealRecord {
    /// What the maker is to sign for the version that is approved; none for one without an SM2
    /// side, which needs no seal object.
    ///
    /// # Errors
    /// [`RegistryError::WrongState`] when no version is approved; [`RegistryError::Field`].
    pub fn draft(
        &self,
        vendor_id: &str,
        picture: &SealPicture,
        at: UnixSeconds,
    ) -> Result<Option<Draft>, RegistryError> {
        let terms = self
            .terms_to_make()
            .ok_or_else(|| RegistryError::wrong_state(self.state(), "made"))?;
        let Some(gm) = &terms.gm else {
            return Ok(None);
        };
        let application = self.application();
        let signer = gm.identity()?.certificate;
        let (valid_start, valid_end) = terms.validity()?;
        let (kind, data) = picture.file();
        let [width_mm, height_mm] = picture.size_mm().map(whole_millimetres);
        let info = SealInfoV4 {
            vendor_id: vendor_id.to_owned(),
            es_id: application.code.clone(),
            seal_type: seal_type(application.kind),
            name: application.name.clone(),
            cert_list: match terms.cert_list {
                CertListKind::Certificates => CertList::Certificates(vec![signer.der().to_vec()]),
                CertListKind::Digests => CertList::Digests(vec![CertDigest {
                    algorithm: SM3_OID.to_owned(),
                    value: DigestAlgorithm::Sm3.digest(signer.der()),
                }]),
            },
            create_date: at,
            valid_start,
            valid_end,
            picture: Picture {
                kind: kind.to_owned(),
                data,
                width_mm,
                height_mm,
            },
        };
        let info_der = match terms.layout {
            SealLayout::V4 => info.to_der(),
            SealLayout::V5 => info.to_v5_der(),
        }
        .map_err(|error| RegistryError::Field {
            field: "application",
            rule: error.to_string(),
        })?;
        Ok(Some(Draft {
            info_der,
            layout: terms.layout,
        }))
    }
}

/// The finished seal object, read back and its maker's signature verified.
///
/// # Errors
/// [`RegistryError::Field`] when it does not hold what it should: nothing is stored then.
pub fn made_material(
    draft: &Draft,
    maker: &Certificate,
    signature: &[u8],
) -> Result<Material, RegistryError> {
    let der = match draft.layout {
        SealLayout::V4 => assemble_seal_v4(&draft.info_der, maker.der(), signature),
        // No time stamp: the standard leaves it to the maker, and none is configured here.
        SealLayout::V5 => assemble_seal_v5(&draft.info_der, maker.der(), signature, None),
    };
    material_of(&der)
}

/// A seal object that was made elsewhere, as the configuration brings them in.
///
/// # Errors
/// [`RegistryError::Field`] when it cannot be read or its maker's signature is wrong.
pub fn material_of(ses_der: &[u8]) -> Result<Material, RegistryError> {
    let unfit = |error: yinxin_ses::SesError| RegistryError::Field {
        field: "seal object",
        rule: error.to_string(),
    };
    let seal = SealObject::parse(ses_der).map_err(unfit)?;
    seal.verify_maker_signature().map_err(unfit)?;
    Ok(Material {
        ses_pem: Some(yinxin_pki::to_pem(SES_PEM_LABEL, ses_der)),
        ses_sha256: Some(base16ct::lower::encode_string(
            &DigestAlgorithm::Sha256.digest(ses_der),
        )),
        maker: Certificate::from_der(seal.maker_certificate_der())
            .ok()
            .and_then(|maker| maker.common_name()),
    })
}

/// GM/T 0031-2014 says 1 for a unit and 2 for a person; the later texts leave it to the issuer.
fn seal_type(kind: SealKind) -> u64 {
    match kind {
        SealKind::LegalRepresentative | SealKind::Personal => 2,
        SealKind::LegalName
        | SealKind::Finance
        | SealKind::Invoice
        | SealKind::Contract
        | SealKind::Business => 1,
    }
}

/// The seal object states whole millimetres.
fn whole_millimetres(size: f64) -> u32 {
    // At most 100 mm: the picture has checked it.
    size.round().clamp(1.0, 1000.0) as u32
}
