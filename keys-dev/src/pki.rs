//! The whole set of authorities and certificates, in memory.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use yinxin_pki::issue::{BasicConstraints, Name, NameAttribute, purpose};
use yinxin_pki::{Certificate, CertificateRevocationList, KeyUsage, UnixSeconds};

use crate::{CertificateRequest, CrlRequest, DevKeysError, Identity, KeyKind};

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// A day before "now", so that clocks that go a little wrong do no harm.
const BACKDATED_BY: i64 = DAY;
const ROOT_YEARS: i64 = 20;
const ISSUING_YEARS: i64 = 10;
const END_ENTITY_YEARS: i64 = 3;

/// All authorities, signers, the seal maker and the TLS parties.
///
/// ```text
/// rsa_root ─ rsa_issuing ─┬ rsa_signer        RSA-2048
///                         └ p256_signer       P-256
/// sm2_root ─ sm2_issuing ─┬ seal_maker        制章者
///                         └ sm2_signer        signing certificate of a dual pair
/// tls_root ─┬ tls_server                      localhost, 127.0.0.1, ::1
///           ├ department_data                 CN=dept-data
///           └ department_bank                 CN=dept-bank
/// ```
#[derive(Clone, Debug)]
pub struct DevPki {
    /// When it was made, to build further certificates around.
    pub now: UnixSeconds,
    /// RSA root.
    pub rsa_root: Identity,
    /// RSA issuing authority.
    pub rsa_issuing: Identity,
    /// The department's RSA signing certificate.
    pub rsa_signer: Identity,
    /// The department's P-256 signing certificate, from the RSA issuing authority.
    pub p256_signer: Identity,
    /// SM2 root.
    pub sm2_root: Identity,
    /// SM2 issuing authority.
    pub sm2_issuing: Identity,
    /// The seal maker (制章者).
    pub seal_maker: Identity,
    /// The department's SM2 signing certificate.
    pub sm2_signer: Identity,
    /// The TLS authority, P-256.
    pub tls_root: Identity,
    /// The servers' TLS certificate.
    pub tls_server: Identity,
    /// A department's client certificate, CN=dept-data.
    pub department_data: Identity,
    /// Another department's client certificate, CN=dept-bank.
    pub department_bank: Identity,
}

/// The subject `C=CN, O=organization, OU=DEV-ONLY, CN=common_name`.
pub fn dev_name(organization: &str, common_name: &str) -> Name {
    Name::new()
        .with(NameAttribute::Country, "CN")
        .with(NameAttribute::Organization, organization)
        .with(NameAttribute::OrganizationalUnit, "DEV-ONLY")
        .with(NameAttribute::CommonName, common_name)
}

const AUTHORITY_ORGANIZATION: &str = "示例市电子认证中心";
const BUREAU: &str = "示例市政务服务数据管理局";
const DEPARTMENT: &str = "示例市民政局";

impl DevPki {
    /// Makes everything anew, valid from a day before `now`.
    ///
    /// # Errors
    /// As [`crate::DevKey::generate`] and [`crate::DevKey::sign`].
    pub fn make(now: UnixSeconds) -> Result<Self, DevKeysError> {
        let rsa = KeyKind::Rsa { bits: 2048 };
        let rsa_root = root("Yinxin Dev RSA Root CA", rsa, now)?;
        let rsa_issuing = issuing(&rsa_root, "Yinxin Dev RSA Issuing CA", rsa, now)?;
        let rsa_signer = rsa_issuing.issue(&signer(DEPARTMENT, DEPARTMENT, rsa, now))?;
        let p256_signer = rsa_issuing.issue(&signer(DEPARTMENT, DEPARTMENT, KeyKind::P256, now))?;

        let sm2_root = root("Yinxin Dev SM2 Root CA", KeyKind::Sm2, now)?;
        let sm2_issuing = issuing(&sm2_root, "Yinxin Dev SM2 Issuing CA", KeyKind::Sm2, now)?;
        let seal_maker =
            sm2_issuing.issue(&signer(BUREAU, "示例市电子印章制作中心", KeyKind::Sm2, now))?;
        let sm2_signer = sm2_issuing.issue(&signer(DEPARTMENT, DEPARTMENT, KeyKind::Sm2, now))?;

        let tls_root = root("Yinxin Dev TLS CA", KeyKind::P256, now)?;
        let tls_server = tls_root.issue(&server(now))?;
        let department_data = tls_root.issue(&client(BUREAU, "dept-data", now))?;
        let department_bank = tls_root.issue(&client("示例市商业银行", "dept-bank", now))?;
        Ok(Self {
            now,
            rsa_root,
            rsa_issuing,
            rsa_signer,
            p256_signer,
            sm2_root,
            sm2_issuing,
            seal_maker,
            sm2_signer,
            tls_root,
            tls_server,
            department_data,
            department_bank,
        })
    }

    /// The roots a verifier of documents trusts: RSA and SM2, not TLS.
    pub fn anchors(&self) -> Vec<Certificate> {
        certificates([&self.rsa_root, &self.sm2_root])
    }

    /// The issuing authorities below them.
    pub fn intermediates(&self) -> Vec<Certificate> {
        certificates([&self.rsa_issuing, &self.sm2_issuing])
    }

    /// A fresh empty revocation list of every authority for documents, made at `now`.
    ///
    /// # Errors
    /// As [`Identity::crl`].
    pub fn crls(&self) -> Result<Vec<CertificateRevocationList>, DevKeysError> {
        self.document_authorities()
            .into_iter()
            .map(|authority| authority.crl(&CrlRequest::new(self.now)))
            .collect()
    }

    /// The same lists, where each of `revoked` stands on the list of its issuer with its time and
    /// reason.
    ///
    /// # Errors
    /// As [`Identity::crl`].
    pub fn crl_with(
        &self,
        revoked: &[(&Certificate, UnixSeconds, Option<u8>)],
    ) -> Result<Vec<CertificateRevocationList>, DevKeysError> {
        self.document_authorities()
            .into_iter()
            .map(|authority| {
                let issuer_der = authority.certificate.subject_der();
                let own = revoked
                    .iter()
                    .filter(|(certificate, ..)| certificate.issuer_der() == issuer_der);
                let request = own.fold(CrlRequest::new(self.now), |request, line| {
                    let (certificate, at, reason) = *line;
                    request.with_revoked(certificate, at, reason)
                });
                authority.crl(&request)
            })
            .collect()
    }

    /// The RSA signer's certificate and its issuer's, signer first: what goes into a CMS.
    pub fn rsa_chain(&self) -> Vec<Certificate> {
        certificates([&self.rsa_signer, &self.rsa_issuing])
    }

    /// The P-256 signer's certificate and its issuer's.
    pub fn p256_chain(&self) -> Vec<Certificate> {
        certificates([&self.p256_signer, &self.rsa_issuing])
    }

    /// The SM2 signer's certificate and its issuer's.
    pub fn sm2_chain(&self) -> Vec<Certificate> {
        certificates([&self.sm2_signer, &self.sm2_issuing])
    }

    fn document_authorities(&self) -> [&Identity; 4] {
        [
            &self.rsa_root,
            &self.rsa_issuing,
            &self.sm2_root,
            &self.sm2_issuing,
        ]
    }
}

fn certificates<'a>(identities: impl IntoIterator<Item = &'a Identity>) -> Vec<Certificate> {
    identities
        .into_iter()
        .map(|identity| identity.certificate.clone())
        .collect()
}

fn from(now: UnixSeconds) -> UnixSeconds {
    UnixSeconds(now.0 - BACKDATED_BY)
}

fn until(now: UnixSeconds, years: i64) -> UnixSeconds {
    UnixSeconds(now.0 + years * YEAR)
}

fn root(common_name: &str, key_kind: KeyKind, now: UnixSeconds) -> Result<Identity, DevKeysError> {
    Identity::self_signed(&CertificateRequest::authority(
        dev_name(AUTHORITY_ORGANIZATION, common_name),
        key_kind,
        from(now),
        until(now, ROOT_YEARS),
        None,
    ))
}

fn issuing(
    root: &Identity,
    common_name: &str,
    key_kind: KeyKind,
    now: UnixSeconds,
) -> Result<Identity, DevKeysError> {
    root.issue(&CertificateRequest::authority(
        dev_name(AUTHORITY_ORGANIZATION, common_name),
        key_kind,
        from(now),
        until(now, ISSUING_YEARS),
        Some(0),
    ))
}

fn signer(
    organization: &str,
    common_name: &str,
    key_kind: KeyKind,
    now: UnixSeconds,
) -> CertificateRequest {
    CertificateRequest::signer(
        dev_name(organization, common_name),
        key_kind,
        from(now),
        until(now, END_ENTITY_YEARS),
    )
}

fn server(now: UnixSeconds) -> CertificateRequest {
    CertificateRequest {
        basic_constraints: BasicConstraints::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![purpose::SERVER_AUTH],
        dns_names: vec!["localhost".into()],
        ip_addresses: vec![
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ],
        ..signer(BUREAU, "localhost", KeyKind::P256, now)
    }
}

fn client(organization: &str, common_name: &str, now: UnixSeconds) -> CertificateRequest {
    CertificateRequest {
        basic_constraints: BasicConstraints::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usage: vec![purpose::CLIENT_AUTH],
        ..signer(organization, common_name, KeyKind::P256, now)
    }
}
