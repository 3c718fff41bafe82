//! What was met before is remembered, and no report depends on it. Beside this, every document of the
//! other tests is verified twice, with an empty memory and a full one: [`support::verify`].
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{
    PROFILES, Profile, cms_container, now, pki, plain_pdf, read_anew, request, seal, sign, trust,
    words,
};
use yinxin_ses::{Seal, SealSignature};
use yinxin_verifier::{Indication, Trust, verify};

/// More often than a key must be used to get a table of its multiples.
const OFTEN: usize = 12;

#[test]
fn a_document_verified_often_gets_one_report() {
    let twice = seal(&seal(&plain_pdf(), Profile::GmSeal), Profile::Rsa);
    let mut documents = PROFILES.map(|profile| seal(&plain_pdf(), profile)).to_vec();
    documents.push(twice);
    let trust = trust();
    for document in &documents {
        let cold = words(&verify(document, &read_anew(&trust), &now()));
        for _ in 0..OFTEN {
            assert_eq!(words(&verify(document, &trust, &now())), cold);
        }
    }
}

/// The certificate is known, its key has a table; the signatures are other people's.
#[test]
fn a_known_certificate_around_another_signature_fails_as_an_unknown_one_does() {
    let pki = pki();
    let trust = trust();
    for (owner, chain) in [
        (&pki.sm2_signer, pki.sm2_chain()),
        (&pki.rsa_signer, pki.rsa_chain()),
        (&pki.p256_signer, pki.p256_chain()),
    ] {
        let honest = sign(&plain_pdf(), &request(), &|covered| {
            cms_container(owner, &chain, covered)
        });
        let mut forged = honest.clone();
        let contents = support::places(&honest).contents;
        let container = &honest[contents.start + 1..contents.end - 1];
        let used = container.iter().rposition(|digit| *digit != b'0').unwrap();
        // A digit of the signature value, which stands last.
        let digit = contents.start + 1 + used - 9;
        forged[digit] = if honest[digit] == b'0' { b'1' } else { b'0' };
        let cold = words(&verify(&forged, &read_anew(&trust), &now()));
        for _ in 0..OFTEN {
            let report = verify(&honest, &trust, &now()).unwrap();
            assert_eq!(report.indication, Indication::TotalPassed);
        }
        let warm = verify(&forged, &trust, &now());
        assert_eq!(warm.as_ref().unwrap().indication, Indication::TotalFailed);
        assert_eq!(words(&warm), cold);
    }
}

#[test]
fn certificates_met_before_are_trusted_no_more_than_others() {
    let document = seal(&plain_pdf(), Profile::GmSeal);
    for _ in 0..OFTEN {
        let report = verify(&document, &trust(), &now()).unwrap();
        assert_eq!(report.indication, Indication::TotalPassed);
    }
    let nobody = Trust {
        allow_dev_only: true,
        ..Trust::default()
    };
    let report = verify(&document, &nobody, &now()).unwrap();
    assert_eq!(report.indication, Indication::Indeterminate);
}

#[test]
fn a_seal_that_held_is_no_better_than_another_with_one_byte_changed() {
    let document = seal(&plain_pdf(), Profile::GmSeal);
    let contents = support::places(&document).contents;
    let digits = &document[contents.start + 1..contents.end - 1];
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let length = yinxin_pki::tlv::der_length(&bytes).unwrap();
    let honest = SealSignature::parse(&bytes[..length]).unwrap();
    honest.seal().verify_maker_signature().unwrap();
    let place = bytes
        .windows(honest.seal().raw().len())
        .position(|window| window == honest.seal().raw())
        .unwrap();
    let mut refused = 0;
    for offset in place..place + honest.seal().raw().len() {
        let mut altered = bytes[..length].to_vec();
        altered[offset] ^= 0x01;
        let Ok(altered) = SealSignature::parse(&altered) else {
            continue;
        };
        let alone = Seal::parse(altered.seal().raw()).unwrap();
        assert_eq!(
            altered.seal().verify_maker_signature(),
            alone.verify_maker_signature(),
            "{offset}"
        );
        // What is outside the maker's signature, such as names in the maker's certificate, is for
        // the judgement of the certificate.
        refused += usize::from(altered.seal().verify_maker_signature().is_err());
    }
    assert!(refused > 100, "{refused}");
}
