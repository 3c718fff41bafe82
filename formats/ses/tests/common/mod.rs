//! Seals and seal signatures made here, with throw-away keys that come from a seed.
#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part"
)]

use yinxin_pki::{UnixSeconds, tlv};
use yinxin_ses::{
    CertList, Picture, SealInfoV4, TbsSignV4, assemble_seal_signature_v4, assemble_seal_v4,
};
use yinxin_sm::{DEFAULT_DISTID, Entropy, EntropyUnavailable, SecretKey, sm3};

pub(crate) const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";

/// A stream that looks random and is the same every time.
pub(crate) struct Replayed(u64);

impl Entropy for Replayed {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        for piece in destination.chunks_mut(32) {
            self.0 += 1;
            piece.copy_from_slice(&sm3(&self.0.to_be_bytes())[..piece.len()]);
        }
        Ok(())
    }
}

pub(crate) fn seconds(text: &str) -> UnixSeconds {
    UnixSeconds::parse_rfc3339(text).unwrap()
}

/// Somebody with a key and a certificate.
pub(crate) struct Party {
    pub(crate) key: SecretKey,
    pub(crate) certificate_der: Vec<u8>,
    seed: u64,
}

impl Party {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        let key = SecretKey::generate(&mut Replayed(seed)).unwrap();
        let certificate_der = certificate(name, &key, seed);
        Self {
            key,
            certificate_der,
            seed,
        }
    }

    /// DER (r, s) with the default identifier.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_with(DEFAULT_DISTID, message).to_der()
    }

    pub(crate) fn sign_with(&self, distid: &[u8], message: &[u8]) -> yinxin_sm::Signature {
        self.key
            .sign(distid, message, &mut Replayed(self.seed + 1_000))
            .unwrap()
    }
}

pub(crate) fn maker() -> Party {
    Party::new("Seal Maker", 1)
}

pub(crate) fn signer() -> Party {
    Party::new("Signer", 2)
}

/// A self-signed certificate of the smallest shape that is one (RFC 5280 4.1).
fn certificate(name: &str, key: &SecretKey, seed: u64) -> Vec<u8> {
    let algorithm = tlv::sequence(&[&tlv::oid(SM2_WITH_SM3)]);
    let attribute = |oid: &str, value: &str| {
        tlv::set_of(&[&tlv::sequence(&[&tlv::oid(oid), &tlv::utf8_string(value)])])
    };
    let name = tlv::sequence(&[
        &attribute("2.5.4.11", "DEV-ONLY"),
        &attribute("2.5.4.3", name),
    ]);
    let validity = tlv::sequence(&[
        &tlv::certificate_time(seconds("2024-01-01T00:00:00Z")),
        &tlv::certificate_time(seconds("2034-01-01T00:00:00Z")),
    ]);
    let tbs = tlv::sequence(&[
        &tlv::context(0, true, &tlv::integer(2)),
        &tlv::integer(seed),
        &algorithm,
        &name,
        &validity,
        &name,
        &key.public_key().to_spki_der(),
    ]);
    let signature = key
        .sign(DEFAULT_DISTID, &tbs, &mut Replayed(seed + 2_000))
        .unwrap();
    tlv::sequence(&[&tbs, &algorithm, &tlv::bit_string(&signature.to_der())])
}

pub(crate) fn picture() -> Picture {
    Picture {
        kind: "PNG".to_owned(),
        data: b"\x89PNG and what follows".to_vec(),
        width_mm: 42,
        height_mm: 42,
    }
}

pub(crate) fn seal_info(cert_list: CertList) -> SealInfoV4 {
    SealInfoV4 {
        vendor_id: "YINXIN".to_owned(),
        es_id: "44190000000001".to_owned(),
        seal_type: 1,
        name: "某某村民委员会".to_owned(),
        cert_list,
        create_date: seconds("2026-01-01T00:00:00Z"),
        valid_start: seconds("2026-01-01T00:00:00Z"),
        valid_end: seconds("2028-01-01T00:00:00Z"),
        picture: picture(),
    }
}

pub(crate) fn v4_seal() -> Vec<u8> {
    let info = seal_info(CertList::Certificates(vec![signer().certificate_der]))
        .to_der()
        .unwrap();
    let maker = maker();
    assemble_seal_v4(&info, &maker.certificate_der, &maker.sign(&info))
}

pub(crate) fn v4_signature() -> Vec<u8> {
    let to_sign = TbsSignV4 {
        seal_der: &v4_seal(),
        time: seconds("2026-11-22T08:00:00Z"),
        data_hash: sm3(b"the document"),
        property_info: "ByteRange [0 100 200 100]",
    }
    .to_der();
    let signer = signer();
    assemble_seal_signature_v4(&to_sign, &signer.certificate_der, &signer.sign(&to_sign))
}

/// The v4 objects with another version number and time stamps, as GM/T 0031-2025 has them.
pub(crate) fn v5_signature(seal_token: &[u8], signature_token: &[u8]) -> Vec<u8> {
    let info = renumbered(&seal_info(CertList::Certificates(Vec::new())), 5);
    let (maker, signer) = (maker(), signer());
    let seal = tlv::sequence(&[
        &info,
        &tlv::octet_string(&maker.certificate_der),
        &tlv::oid(SM2_WITH_SM3),
        &tlv::bit_string(&maker.sign(&info)),
        &tlv::context(0, true, &tlv::bit_string(seal_token)),
    ]);
    let to_sign = tlv::sequence(&[
        &tlv::integer(5),
        &seal,
        &tlv::generalized_time(seconds("2026-11-22T08:00:00Z")),
        &tlv::bit_string(&sm3(b"the document")),
        &tlv::ia5_string("v5"),
    ]);
    tlv::sequence(&[
        &to_sign,
        &tlv::octet_string(&signer.certificate_der),
        &tlv::oid(SM2_WITH_SM3),
        &tlv::bit_string(&signer.sign(&to_sign)),
        &tlv::context(0, true, &tlv::bit_string(signature_token)),
    ])
}

/// SES_SealInfo with another version number in its header.
pub(crate) fn renumbered(info: &SealInfoV4, number: u8) -> Vec<u8> {
    let mut der = info.to_der().unwrap();
    let at = der
        .windows(3)
        .position(|bytes| bytes == [2, 1, 4])
        .expect("the header has version 4");
    der[at + 2] = number;
    der
}

/// SES_SealInfo of v1 (GM/T 0031-2014).
pub(crate) fn v1_seal_info() -> Vec<u8> {
    let time = |text| tlv::utc_time(seconds(text));
    tlv::sequence(&[
        &tlv::sequence(&[
            &tlv::ia5_string("ES"),
            &tlv::integer(1),
            &tlv::ia5_string("YINXIN"),
        ]),
        &tlv::ia5_string("44190000000001"),
        &tlv::sequence(&[
            &tlv::integer(1),
            &tlv::utf8_string("某某村民委员会"),
            &tlv::sequence(&[&tlv::octet_string(&signer().certificate_der)]),
            &time("2016-01-01T00:00:00Z"),
            &time("2016-01-01T00:00:00Z"),
            &time("2036-01-01T00:00:00Z"),
        ]),
        &tlv::sequence(&[
            &tlv::ia5_string("PNG"),
            &tlv::octet_string(&picture().data),
            &tlv::integer(42),
            &tlv::integer(42),
        ]),
    ])
}

pub(crate) fn v1_seal() -> Vec<u8> {
    let maker = maker();
    let info = v1_seal_info();
    let certificate = tlv::octet_string(&maker.certificate_der);
    let algorithm = tlv::oid(SM2_WITH_SM3);
    let signed = tlv::sequence(&[&info, &certificate, &algorithm]);
    let sign_info = tlv::sequence(&[
        &certificate,
        &algorithm,
        &tlv::bit_string(&maker.sign(&signed)),
    ]);
    tlv::sequence(&[&info, &sign_info])
}

/// A v1 seal signature whose timeInfo holds `time_info`.
pub(crate) fn v1_signature(time_info: &[u8]) -> Vec<u8> {
    let signer = signer();
    let to_sign = tlv::sequence(&[
        &tlv::integer(1),
        &v1_seal(),
        &tlv::bit_string(time_info),
        &tlv::bit_string(&sm3(b"the document")),
        &tlv::ia5_string("/Doc_0/Signs/Sign_0/Signature.xml"),
        &tlv::octet_string(&signer.certificate_der),
        &tlv::oid(SM2_WITH_SM3),
    ]);
    tlv::sequence(&[&to_sign, &tlv::bit_string(&signer.sign(&to_sign))])
}
