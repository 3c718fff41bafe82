//! Seals and seal signatures.
//!
//! Laws: the bytes are kept and read again; what a maker or signer of `made/` signed is what was
//! signed there; what we assemble is read back.
#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use yinxin_fuzz::made;
use yinxin_pki::UnixSeconds;
use yinxin_ses::{
    CertDigest, CertList, Picture, Seal, SealInfoV4, SealSignature, SealVersion, TbsSignV4,
    assemble_seal_signature_v4, assemble_seal_v4, looks_like_seal_signature,
    seal_signature_length_max,
};

struct Known {
    certificates: BTreeSet<Vec<u8>>,
    signed: BTreeSet<Vec<u8>>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut signed = BTreeSet::new();
        for seed in made::files("seeds/ses") {
            if let Ok(signature) = SealSignature::parse(&seed) {
                signature.verify_signer_signature().expect("seeds verify");
                signed.insert(signature.to_sign_der().to_vec());
                signed.insert(signature.seal().signed_bytes().into_owned());
            } else {
                let seal = Seal::parse(&seed).expect("seeds can be read");
                seal.verify_maker_signature().expect("seeds verify");
                signed.insert(seal.signed_bytes().into_owned());
            }
        }
        let certificates = made::certificates();
        Known {
            certificates: certificates.iter().map(|one| one.der().to_vec()).collect(),
            signed,
        }
    })
}

fuzz_target!(|input: &[u8]| {
    if let Ok(seal) = Seal::parse(input) {
        assert_eq!(seal.raw(), input);
        look_at(&seal);
    }
    if let Ok(signature) = SealSignature::parse(input) {
        assert_eq!(signature.raw(), input);
        assert!(looks_like_seal_signature(input));
        look_at(signature.seal());
        let _ = (signature.signature_encoding(), format!("{signature:?}"));
        if signature.verify_signer_signature().is_ok() {
            genuine(signature.signer_certificate_der(), signature.to_sign_der());
        }
    }
    if let Ok(wanted) = Wanted::arbitrary(&mut Unstructured::new(input)) {
        wanted.round_trip();
    }
});

fn genuine(certificate_der: &[u8], signed: &[u8]) {
    if known().certificates.contains(certificate_der) {
        assert!(known().signed.contains(signed), "a forged signature");
    }
}

fn look_at(seal: &Seal) {
    assert_eq!(Seal::parse(seal.raw()).as_ref(), Ok(seal));
    let list = &seal.property().cert_list;
    for certificate in known().certificates.iter().take(2) {
        let _ = list.permits(certificate);
    }
    let _ = (seal.signature_encoding(), format!("{seal:?}"));
    if seal.verify_maker_signature().is_ok() {
        genuine(seal.maker_certificate_der(), &seal.signed_bytes());
    }
}

#[derive(Arbitrary, Debug)]
struct Wanted {
    vendor_id: String,
    es_id: String,
    seal_type: u64,
    name: String,
    certificates: Vec<Vec<u8>>,
    digests: Option<Vec<(String, Vec<u8>)>>,
    times: [i64; 4],
    kind: String,
    picture: Vec<u8>,
    size_mm: (u32, u32),
    maker_certificate: Vec<u8>,
    maker_signature: Vec<u8>,
    data_hash: [u8; 32],
    property_info: String,
    signer_certificate: Vec<u8>,
    signature: Vec<u8>,
}

impl Wanted {
    fn round_trip(self) {
        // The years 0 to 9999, which a GeneralizedTime can say.
        let [create_date, valid_start, valid_end, time] = self
            .times
            .map(|time| UnixSeconds(time.rem_euclid(253_402_300_800)));
        let cert_list = match self.digests {
            Some(digests) => CertList::Digests(
                digests
                    .into_iter()
                    .map(|(algorithm, value)| CertDigest { algorithm, value })
                    .collect(),
            ),
            None => CertList::Certificates(self.certificates),
        };
        let picture = Picture {
            kind: self.kind,
            data: self.picture,
            width_mm: self.size_mm.0,
            height_mm: self.size_mm.1,
        };
        let info = SealInfoV4 {
            vendor_id: self.vendor_id,
            es_id: self.es_id,
            seal_type: self.seal_type,
            name: self.name,
            cert_list,
            create_date,
            valid_start,
            valid_end,
            picture,
        };
        let Ok(info_der) = info.to_der() else { return };
        let seal_der = assemble_seal_v4(&info_der, &self.maker_certificate, &self.maker_signature);
        let seal = Seal::parse(&seal_der).expect("what we assemble is read back");
        assert_eq!(seal.version(), SealVersion::V4);
        assert_eq!(*seal.signed_bytes(), *info_der);
        assert_eq!(seal.maker_certificate_der(), self.maker_certificate);
        assert_eq!(seal.signature(), self.maker_signature);
        let property = seal.property().clone();
        let read = SealInfoV4 {
            vendor_id: seal.header().vendor_id.clone(),
            es_id: seal.es_id().to_owned(),
            seal_type: property.seal_type,
            name: property.name,
            cert_list: property.cert_list,
            create_date: property.create_date,
            valid_start: property.valid_start,
            valid_end: property.valid_end,
            picture: seal.picture().clone(),
        };
        assert_eq!(read, info);

        let to_sign = TbsSignV4 {
            seal_der: &seal_der,
            time,
            data_hash: self.data_hash,
            property_info: &self.property_info,
        }
        .to_der();
        let der = assemble_seal_signature_v4(&to_sign, &self.signer_certificate, &self.signature);
        assert!(looks_like_seal_signature(&der));
        let read = SealSignature::parse(&der).expect("what we assemble is read back");
        assert_eq!(read.seal(), &seal);
        assert_eq!(read.time().at, Some(time));
        assert_eq!(read.data_hash(), self.data_hash);
        assert_eq!(read.to_sign_der(), to_sign);
        assert_eq!(read.signer_certificate_der(), self.signer_certificate);
        assert_eq!(read.signature(), self.signature);
        if self.property_info.is_ascii() {
            assert_eq!(read.property_info(), self.property_info);
            let max = seal_signature_length_max(
                seal_der.len(),
                self.signer_certificate.len(),
                self.property_info.len(),
            );
            assert!(self.signature.len() > 72 || der.len() <= max);
        }
    }
}
