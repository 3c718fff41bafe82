//! Signed data, and its signatures against its own certificates.
//!
//! Laws: what a signer of `made/` signed is what it signed there; what we assemble is read back.
#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::made;
use yinxin_pki::cms::{SignedData, assemble_signed_data, signed_attributes_der};
use yinxin_pki::{Certificate, DigestAlgorithm, SignatureAlgorithm};

struct Known {
    certificates: Vec<Certificate>,
    /// The signed attributes that somebody has signed.
    signed: BTreeSet<Vec<u8>>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut signed = BTreeSet::new();
        for seed in made::files("seeds/cms") {
            let data = SignedData::parse(&seed).expect("seeds can be read");
            for info in data.signer_infos() {
                let signer = info.signer_certificate(&data).expect("it is inside");
                info.verify(signer).expect("seeds verify");
                let attributes = info.signed_attributes().expect("ours have them");
                signed.insert(attributes.set_der().to_vec());
            }
        }
        Known {
            certificates: made::certificates(),
            signed,
        }
    })
}

fuzz_target!(|input: &[u8]| {
    if let Ok(data) = SignedData::parse(input) {
        look_at(&data);
    }
    if let Some((choice, rest)) = input.split_first() {
        assemble(*choice, rest);
    }
});

fn look_at(data: &SignedData) {
    let known = known();
    for info in data.signer_infos() {
        let _ = (info.digest_algorithm(), info.unsigned_attribute_oids());
        if let Some(attributes) = info.signed_attributes() {
            let _ = (
                attributes.is_der_sorted(),
                attributes.content_type(),
                attributes.message_digest(),
                attributes.signing_time(),
                attributes.has_signing_certificate_v1(),
            );
            if let Ok(Some(named)) = attributes.signing_certificate_v2() {
                for certificate in data.certificates() {
                    let _ = named.names(certificate);
                }
            }
        }
        let Some(signer) = info.signer_certificate(data) else {
            continue;
        };
        let verified = info.verify(signer);
        if known.certificates.contains(signer) {
            if verified.is_ok() {
                let attributes = info.signed_attributes().map(|set| set.set_der());
                let genuine = attributes.is_some_and(|set| known.signed.contains(set));
                assert!(genuine, "a forged signature");
            } else if info.signed_attributes().is_none() {
                assert!(info.verify_content(signer, b"content").is_err());
            }
        }
    }
    let _ = (
        data.content_type(),
        data.encapsulated_content(),
        data.crls(),
    );
}

fn assemble(choice: u8, rest: &[u8]) {
    let certificates = &known().certificates;
    let start = usize::from(choice) % certificates.len();
    let chain = &certificates[start..];
    let signer = &chain[0];
    let (digest, algorithm) = match choice >> 6 {
        0 => (DigestAlgorithm::Sha256, SignatureAlgorithm::RsaPkcs1Sha256),
        1 => (DigestAlgorithm::Sha256, SignatureAlgorithm::EcdsaP256Sha256),
        _ => (DigestAlgorithm::Sm3, SignatureAlgorithm::Sm2Sm3),
    };
    let (message_digest, signature) = rest.split_at(rest.len().min(32));
    let attributes = signed_attributes_der(digest, message_digest, signer);
    let der = assemble_signed_data(digest, &algorithm, &attributes, signature, chain);
    let data = SignedData::parse(&der).expect("what we assemble is read back");
    let info = &data.signer_infos()[0];
    assert_eq!(info.signature(), signature);
    assert_eq!(info.digest_algorithm(), Some(digest));
    assert_eq!(info.signature_algorithm(), &algorithm);
    assert_eq!(info.signer_certificate(&data), Some(signer));
    let read = info.signed_attributes().expect("they are there");
    assert_eq!(read.set_der(), attributes);
    assert!(read.is_der_sorted());
    assert_eq!(read.message_digest(), Ok(message_digest));
    let named = read.signing_certificate_v2().expect("it is ours");
    assert_eq!(named.and_then(|named| named.names(signer)), Some(true));
    assert_eq!(data.certificates().len(), chain.len());
}
