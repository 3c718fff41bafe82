//! Certificates and revocation lists, DER and PEM.
//!
//! Laws: the bytes are kept; PEM and back is the same; whatever one of the authorities of `made/`
//! signed was among its certificates and lists.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::made;
use yinxin_pki::{Certificate, CertificateRevocationList, pem_blocks};

fn known() -> &'static [Certificate] {
    static KNOWN: OnceLock<Vec<Certificate>> = OnceLock::new();
    KNOWN.get_or_init(made::certificates)
}

fuzz_target!(|input: &[u8]| {
    let _ = pem_blocks(input);
    if let Ok(certificate) = Certificate::from_der(input) {
        assert_eq!(certificate.der(), input);
        look_at(&certificate);
    }
    for certificate in Certificate::list_from_pem_or_der(input).unwrap_or_default() {
        look_at(&certificate);
    }
    if let Ok(list) = CertificateRevocationList::from_der(input) {
        assert_eq!(list.der(), input);
        look_at_list(&list);
    }
    for list in CertificateRevocationList::list_from_pem_or_der(input).unwrap_or_default() {
        look_at_list(&list);
    }
});

fn look_at(certificate: &Certificate) {
    let again = Certificate::from_pem_or_der(certificate.to_pem().as_bytes());
    assert_eq!(again.as_ref(), Ok(certificate));
    let _ = (
        certificate.issuer_text(),
        certificate.subject_text(),
        certificate.common_name(),
        certificate.organization_name(),
        certificate.organizational_units(),
        certificate.serial_hex(),
        certificate.not_before().to_string(),
        certificate.not_after().to_string(),
        certificate.is_ca(),
        certificate.path_length(),
        certificate.key_usage(),
        certificate.extended_key_usage(),
        certificate.subject_key_id(),
        certificate.authority_key_id(),
    );
    let _ = (
        certificate.unknown_critical_extensions(),
        certificate.crl_distribution_points(),
        certificate.is_self_issued(),
        certificate.is_dev_only(),
        format!("{certificate:?}"),
    );
    let _ = certificate.verify_signed_by(certificate.public_key());
    for authority in known() {
        if authority.subject_der() == certificate.issuer_der()
            && certificate.verify_signed_by(authority.public_key()).is_ok()
        {
            let same = |known: &Certificate| known.tbs_der() == certificate.tbs_der();
            assert!(known().iter().any(same), "a forged certificate");
        }
    }
}

fn look_at_list(list: &CertificateRevocationList) {
    let again = CertificateRevocationList::from_pem_or_der(list.to_pem().as_bytes());
    assert_eq!(again.as_ref(), Ok(list));
    assert_eq!(list.is_empty(), list.len() == 0);
    for certificate in known() {
        let found = list.find(certificate.serial_der_integer_content());
        assert!(found.is_none() || !list.is_empty());
    }
    let _ = (
        list.issuer_text(),
        list.this_update().to_string(),
        list.next_update(),
        list.crl_number(),
        list.authority_key_id(),
        list.is_delta_or_indirect(),
        list.unknown_critical_extensions(),
        format!("{list:?}"),
    );
}
