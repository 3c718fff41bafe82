//! Encrypted, damaged or repaired-only files are refused with a reason, by signer and verifier.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use yinxin_tests::refusals::refusals;
use yinxin_tests::sealing::{Kind, bench};

#[test]
fn files_that_are_encrypted_or_damaged_are_not_sealed() {
    for refusal in refusals() {
        let before = refusal.bytes.clone();
        let error = bench()
            .seal_visibly(&refusal.bytes, Kind::PadesRsa, 20.0, 20.0)
            .expect_err(refusal.name);
        let reason = error.reason();
        assert!(
            refusal.reasons.contains(&reason),
            "{}: {reason}: {error}",
            refusal.name
        );
        assert!(
            refusal.bytes == before,
            "{}: the input was touched",
            refusal.name
        );
    }
}

#[test]
fn files_that_are_encrypted_or_damaged_are_not_judged() {
    for refusal in refusals() {
        let error = yinxin_verifier::verify(&refusal.bytes, &bench().trust, &bench().options())
            .expect_err(refusal.name);
        let reason = error.reason();
        assert!(
            refusal.reasons.contains(&reason),
            "{}: {reason}: {error}",
            refusal.name
        );
    }
}
