//! The caller is its client certificate.

use tonic::Request;
use yinxin_pki::Certificate;

use crate::status::Refusal;

/// The department that calls: the common name of the certificate that TLS has checked.
pub(crate) fn department<T>(request: &Request<T>) -> Result<String, Refusal> {
    let certificates = request.peer_certs().ok_or(Refusal::NoClientCertificate)?;
    let leaf = certificates.first().ok_or(Refusal::NoClientCertificate)?;
    Certificate::from_der(leaf.as_ref())
        .ok()
        .and_then(|certificate| certificate.common_name().map(|name| name.to_owned()))
        .ok_or(Refusal::NoClientCertificate)
}
