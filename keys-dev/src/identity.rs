//! A certificate with its key, and what its owner may issue.

use std::net::IpAddr;

use yinxin_pki::issue::{self, BasicConstraints, CertificateTemplate, Name, RawExtension};
use yinxin_pki::{Certificate, CertificationRequest, KeyUsage, UnixSeconds};

use crate::{DevKey, DevKeysError, KeyKind, SystemEntropy};

/// A certificate and the private key that belongs to it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: DevKey,
}

/// What a new certificate shall say. Start from [`CertificateRequest::signer`] or
/// [`CertificateRequest::authority`] and change what the case needs.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// The subject.
    pub subject: Name,
    /// The kind of key to make, when `key` gives none.
    pub key_kind: KeyKind,
    /// A key to certify instead of a new one.
    pub key: Option<DevKey>,
    /// First moment of validity.
    pub not_before: UnixSeconds,
    /// Last moment of validity.
    pub not_after: UnixSeconds,
    /// basicConstraints.
    pub basic_constraints: BasicConstraints,
    /// keyUsage, critical; [`KeyUsage::NONE`] leaves it out.
    pub key_usage: KeyUsage,
    /// extendedKeyUsage; empty leaves it out.
    pub extended_key_usage: Vec<&'static str>,
    /// DNS names.
    pub dns_names: Vec<String>,
    /// Addresses.
    pub ip_addresses: Vec<IpAddr>,
    /// Whatever else, for tests.
    pub other_extensions: Vec<RawExtension>,
}

impl CertificateRequest {
    /// A signing certificate of a dual pair: digitalSignature and nonRepudiation only (GM/T 0015).
    pub fn signer(
        subject: Name,
        key_kind: KeyKind,
        not_before: UnixSeconds,
        not_after: UnixSeconds,
    ) -> Self {
        Self {
            subject,
            key_kind,
            key: None,
            not_before,
            not_after,
            basic_constraints: BasicConstraints::Absent,
            key_usage: KeyUsage::SIGNING,
            extended_key_usage: Vec::new(),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            other_extensions: Vec::new(),
        }
    }

    /// An authority that may have `path_length` authorities below it.
    pub fn authority(
        subject: Name,
        key_kind: KeyKind,
        not_before: UnixSeconds,
        not_after: UnixSeconds,
        path_length: Option<u8>,
    ) -> Self {
        Self {
            basic_constraints: BasicConstraints::Authority { path_length },
            key_usage: KeyUsage::AUTHORITY,
            ..Self::signer(subject, key_kind, not_before, not_after)
        }
    }

    fn take_key(&self) -> Result<DevKey, DevKeysError> {
        self.key
            .clone()
            .map_or_else(|| DevKey::generate(self.key_kind), Ok)
    }

    fn template(
        &self,
        spki_der: &[u8],
        issuer_der: Vec<u8>,
        authority_key_id: Option<Vec<u8>>,
    ) -> Result<CertificateTemplate, DevKeysError> {
        Ok(CertificateTemplate {
            serial: random_serial()?,
            issuer_der,
            subject: self.subject.clone(),
            not_before: self.not_before,
            not_after: self.not_after,
            subject_spki_der: spki_der.to_vec(),
            basic_constraints: self.basic_constraints,
            key_usage: self.key_usage,
            extended_key_usage: self.extended_key_usage.clone(),
            subject_alt_dns: self.dns_names.clone(),
            subject_alt_ip: self.ip_addresses.clone(),
            authority_key_id,
            crl_distribution_point: None,
            other_extensions: self.other_extensions.clone(),
        })
    }
}

impl Identity {
    /// A certificate signed by its own key, as a root's is.
    ///
    /// # Errors
    /// As [`DevKey::generate`] and [`DevKey::sign`].
    pub fn self_signed(request: &CertificateRequest) -> Result<Self, DevKeysError> {
        let key = request.take_key()?;
        let template = request.template(key.spki_der(), request.subject.to_der(), None)?;
        let certificate = sign_certificate(&template, &key)?;
        Ok(Self { certificate, key })
    }

    /// A certificate signed by this identity, which need not be an authority: a verifier must be
    /// shown such ones.
    ///
    /// # Errors
    /// As [`DevKey::generate`] and [`DevKey::sign`].
    pub fn issue(&self, request: &CertificateRequest) -> Result<Self, DevKeysError> {
        let key = request.take_key()?;
        let template = request.template(
            key.spki_der(),
            self.certificate.subject_der().to_vec(),
            self.certificate.subject_key_id().map(<[u8]>::to_vec),
        )?;
        let certificate = sign_certificate(&template, &self.key)?;
        Ok(Self { certificate, key })
    }

    /// A certificate for the key of somebody's own certification request, whose signature is
    /// checked; everything else is as `request` says.
    ///
    /// # Errors
    /// [`DevKeysError::Pki`] for a request that is none, or is not signed by its key; as
    /// [`DevKey::sign`].
    pub fn certify(
        &self,
        certification_request: &[u8],
        request: &CertificateRequest,
    ) -> Result<Certificate, DevKeysError> {
        let asked = CertificationRequest::from_pem_or_der(certification_request)?;
        asked.verify()?;
        let template = request.template(
            asked.spki_der(),
            self.certificate.subject_der().to_vec(),
            self.certificate.subject_key_id().map(<[u8]>::to_vec),
        )?;
        sign_certificate(&template, &self.key)
    }

    /// The signature of this identity's key over `message`; see [`DevKey::sign`].
    ///
    /// # Errors
    /// [`DevKeysError::NotSigned`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, DevKeysError> {
        self.key.sign(message)
    }
}

fn sign_certificate(
    template: &CertificateTemplate,
    key: &DevKey,
) -> Result<Certificate, DevKeysError> {
    let algorithm = key.algorithm();
    let tbs_der = template.tbs_der(&algorithm)?;
    let signature = key.sign(&tbs_der)?;
    let der = issue::assemble(&tbs_der, &algorithm, &signature);
    Ok(Certificate::from_der(&der)?)
}

/// 16 octets, the first from 1 to 127: positive, and of one length always.
fn random_serial() -> Result<Vec<u8>, DevKeysError> {
    let mut serial: [u8; 16] = SystemEntropy::new()?.bytes()?;
    serial[0] = (serial[0] & 0x7f).max(1);
    Ok(serial.to_vec())
}
