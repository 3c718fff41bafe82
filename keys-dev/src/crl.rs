//! Revocation lists of an identity.

use yinxin_pki::issue::{self, CrlTemplate, RawExtension, RevokedCertificate};
use yinxin_pki::{Certificate, CertificateRevocationList, UnixSeconds};

use crate::{DevKeysError, Identity};

/// What a new revocation list shall say.
#[derive(Clone, Debug)]
pub struct CrlRequest {
    /// thisUpdate.
    pub this_update: UnixSeconds,
    /// nextUpdate; `None` leaves it out.
    pub next_update: Option<UnixSeconds>,
    /// cRLNumber.
    pub number: u64,
    /// The revoked certificates.
    pub revoked: Vec<RevokedCertificate>,
    /// Whatever else, for tests.
    pub other_extensions: Vec<RawExtension>,
}

impl CrlRequest {
    /// Days until the next list is due.
    pub const DAYS_VALID: i64 = 30;

    /// An empty list made at `this_update`, good for [`CrlRequest::DAYS_VALID`] days. The number
    /// grows with the time.
    pub fn new(this_update: UnixSeconds) -> Self {
        Self {
            this_update,
            next_update: Some(UnixSeconds(this_update.0 + Self::DAYS_VALID * 86_400)),
            number: u64::try_from(this_update.0).unwrap_or(1),
            revoked: Vec::new(),
            other_extensions: Vec::new(),
        }
    }

    /// The same list with one more certificate on it; `reason` as in RFC 5280 5.3.1.
    #[must_use]
    pub fn with_revoked(
        mut self,
        certificate: &Certificate,
        at: UnixSeconds,
        reason: Option<u8>,
    ) -> Self {
        self.revoked.push(RevokedCertificate {
            serial_content: certificate.serial_der_integer_content().to_vec(),
            at,
            reason,
        });
        self
    }
}

impl Identity {
    /// A revocation list signed by this identity.
    ///
    /// # Errors
    /// [`DevKeysError::NotSigned`].
    pub fn crl(&self, request: &CrlRequest) -> Result<CertificateRevocationList, DevKeysError> {
        let template = CrlTemplate {
            issuer_der: self.certificate.subject_der().to_vec(),
            this_update: request.this_update,
            next_update: request.next_update,
            number: request.number,
            authority_key_id: self.certificate.subject_key_id().map(<[u8]>::to_vec),
            revoked: request.revoked.clone(),
            other_extensions: request.other_extensions.clone(),
        };
        let algorithm = self.key.algorithm();
        let tbs_der = template.tbs_der(&algorithm);
        let signature = self.sign(&tbs_der)?;
        let der = issue::assemble(&tbs_der, &algorithm, &signature);
        Ok(CertificateRevocationList::from_der(&der)?)
    }
}
