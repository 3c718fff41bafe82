//! Electronic seals made by the seal maker (GB/T 38540-2020).

use yinxin_pki::{Certificate, UnixSeconds};
use yinxin_ses::{CertList, Picture, SealInfoV4, assemble_seal_v4};

use crate::{DevKeysError, DevPki, Identity};

/// What a new seal shall say.
#[derive(Clone, Debug)]
pub struct SealRequest {
    /// Unique identifier of the seal (印章标识), ASCII.
    pub es_id: String,
    /// Name of the seal.
    pub name: String,
    /// Business-defined type; 1 for a unit's official seal.
    pub seal_type: u64,
    /// The picture: kind (`SVG`, `PNG`, …), bytes, size in millimetres.
    pub picture: Picture,
    /// Who may seal with it.
    pub signer_certificates: Vec<Certificate>,
    /// createDate.
    pub create_date: UnixSeconds,
    /// validStart.
    pub valid_start: UnixSeconds,
    /// validEnd.
    pub valid_end: UnixSeconds,
}

/// The vendor identifier (厂商标识) of seals made here.
const VENDOR_ID: &str = "YINXIN-DEV";

impl SealRequest {
    /// A seal for the owner of `signer`, valid as long as the certificate is.
    pub fn new(
        es_id: impl Into<String>,
        name: impl Into<String>,
        picture: Picture,
        signer: &Certificate,
    ) -> Self {
        Self {
            es_id: es_id.into(),
            name: name.into(),
            seal_type: 1,
            picture,
            signer_certificates: vec![signer.clone()],
            create_date: signer.not_before(),
            valid_start: signer.not_before(),
            valid_end: signer.not_after(),
        }
    }
}

impl Identity {
    /// A GB/T 38540 v4 seal signed by this identity, with the signers' certificates inside
    /// (certListType 1).
    ///
    /// # Errors
    /// [`DevKeysError::Seal`] for a text that must be ASCII and is not; [`DevKeysError::NotSigned`].
    pub fn make_seal(&self, request: &SealRequest) -> Result<Vec<u8>, DevKeysError> {
        let certificates = request
            .signer_certificates
            .iter()
            .map(|certificate| certificate.der().to_vec());
        let seal_info_der = SealInfoV4 {
            vendor_id: VENDOR_ID.into(),
            es_id: request.es_id.clone(),
            seal_type: request.seal_type,
            name: request.name.clone(),
            cert_list: CertList::Certificates(certificates.collect()),
            create_date: request.create_date,
            valid_start: request.valid_start,
            valid_end: request.valid_end,
            picture: request.picture.clone(),
        }
        .to_der()?;
        // A v4 seal is signed over eSealInfo alone.
        let signature = self.sign(&seal_info_der)?;
        Ok(assemble_seal_v4(
            &seal_info_der,
            self.certificate.der(),
            &signature,
        ))
    }
}

impl DevPki {
    /// A seal made by the seal maker for the SM2 signer; see [`Identity::make_seal`].
    ///
    /// # Errors
    /// [`DevKeysError::Seal`] for a text that must be ASCII and is not; [`DevKeysError::NotSigned`].
    pub fn make_seal(
        &self,
        es_id: &str,
        name: &str,
        picture: Picture,
    ) -> Result<Vec<u8>, DevKeysError> {
        let signer = &self.sm2_signer.certificate;
        self.seal_maker
            .make_seal(&SealRequest::new(es_id, name, picture, signer))
    }
}
