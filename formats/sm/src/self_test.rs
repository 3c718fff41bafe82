//! The published vectors, run on the machine that will do the work.

use crate::{
    DEFAULT_DISTID, Entropy, EntropyUnavailable, Error, PreparedPublicKey, SecretKey, Signature,
    SigningContext, hexadecimal::bytes32, sm3, sm3_many,
};
use std::sync::Arc;

// GB/T 32905, annex A.1.
const SM3_ABC: [u8; 32] =
    bytes32("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");

// GB/T 32905, annex A.2: "abcd" sixteen times.
const SM3_ABCD_16: [u8; 32] =
    bytes32("DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732");

// GB/T 32918.5, annex A.
const MESSAGE: &[u8] = b"message digest";
const D: [u8; 32] = bytes32("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8");
const Z: [u8; 32] = bytes32("B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3");
const E: [u8; 32] = bytes32("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640");
const R: [u8; 32] = bytes32("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3");
const S: [u8; 32] = bytes32("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA");

/// Runs the published vectors of SM3 and SM2 on the code path in use ([`crate::code_path`]),
/// through every way of hashing, signing and verifying; a service calls it before it takes
/// requests, because vector instructions have been wrong on single processors before.
///
/// # Errors
/// [`Error::SelfTest`] names the part that failed.
pub fn self_test() -> Result<(), Error> {
    let part = |part| move |_| Error::SelfTest { part };
    expect(sm3(b"abc") == SM3_ABC, "SM3")?;
    // Nine messages: eight lanes, and one that goes alone; two blocks each.
    let long = b"abcd".repeat(16);
    let messages = [&long[..]; 9];
    expect(sm3_many(&messages) == [SM3_ABCD_16; 9], "SM3")?;
    let key = SecretKey::from_bytes(&D).map_err(part("public key"))?;
    let public = key.public_key();
    expect(public.z(DEFAULT_DISTID) == Ok(Z), "Z")?;
    expect(public.message_digest(DEFAULT_DISTID, MESSAGE) == Ok(E), "e")?;
    let mut raw = [0; 64];
    let (r, s) = raw.split_at_mut(32);
    r.copy_from_slice(&R);
    s.copy_from_slice(&S);
    let signature = Signature::from_raw(&raw).map_err(part("verification"))?;
    public
        .verify_digest(&E, &signature)
        .map_err(part("verification"))?;
    let [first, ..] = &mut raw;
    *first ^= 1;
    let forged = Signature::from_raw(&raw).map_err(part("verification"))?;
    expect(public.verify_digest(&E, &forged).is_err(), "verification")?;
    let own = key
        .sign_digest(&E, &mut Repeated)
        .map_err(part("signing"))?;
    public.verify_digest(&E, &own).map_err(part("signing"))?;

    let known = PreparedPublicKey::new(public);
    known
        .verify_digest(&E, &signature)
        .map_err(part("verification"))?;
    expect(known.verify_digest(&E, &forged).is_err(), "verification")?;
    let context = SigningContext::new(Arc::new(key));
    let prepared = context
        .sign_digest(&E, &mut Repeated)
        .map_err(part("prepared signing"))?;
    known
        .verify_digest(&E, &prepared)
        .map_err(part("prepared signing"))
}

fn expect(holds: bool, part: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::SelfTest { part })
    }
}

/// Enough for a key the whole world knows.
struct Repeated;

impl Entropy for Repeated {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        destination.fill(0x5a);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_computes_the_published_vectors_on_every_path() {
        use crate::{CodePath, code_path, set_code_path};
        let chosen = code_path();
        for path in [CodePath::Portable, CodePath::Adx] {
            if set_code_path(path).is_err() {
                eprintln!("SKIPPED: this processor has no BMI1, BMI2, ADX and AVX2");
                continue;
            }
            assert_eq!(super::self_test(), Ok(()), "{path:?}");
        }
        set_code_path(chosen).unwrap();
    }
}
