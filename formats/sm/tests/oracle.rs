//! Independent implementations agree in both directions: sm-crypto (big integers, its own SM3)
//! and RustCrypto's `sm2`. `SM2_ORACLE_ROUNDS` and `SM_CRYPTO_ORACLE_ROUNDS` set how many
//! signatures go each way; by default few, in the dev profile's time. `ORACLE_SEED` makes another
//! run of it, beside one that is running.
//!
//! sm-crypto panics on odd input and checks no range, so every call is guarded here: keys and
//! signatures are validated first, and it is handed the finished digest.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::{hex, replayed, to_hex};
use sm2::dsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use yinxin_sm::{
    CodePath, DEFAULT_DISTID, Entropy as _, PreparedPublicKey, SecretKey, Signature,
    SigningContext, set_code_path, sm3,
};

struct Oracle {
    secret: String,
    public: String,
}

impl Oracle {
    fn new(key: &SecretKey) -> Self {
        let secret = to_hex(key.to_bytes().as_ref());
        // Without the 04, which the oracle does not take off.
        let public = to_hex(&key.public_key().to_sec1_bytes()[1..]);
        assert!(sm_crypto::sm2::privkey_valid(&secret));
        assert!(sm_crypto::sm2::pubkey_valid(&public));
        Self { secret, public }
    }

    /// Its empty answer to r = 0 or s = 0 is asked again.
    fn sign(&self, digest: &[u8; 32]) -> Vec<u8> {
        loop {
            let der = sm_crypto::sm2::Sign::new(&self.secret).sign_der(digest, false);
            if !der.is_empty() {
                return der;
            }
        }
    }

    fn verify(&self, digest: &[u8; 32], der: &[u8]) -> bool {
        sm_crypto::sm2::Verify::new(&self.public).verify_der(digest, der, false)
    }
}

/// RustCrypto's answer.
fn rustcrypto_verifies(key: &SecretKey, digest: &[u8; 32], signature: &Signature) -> bool {
    let point = key.public_key().to_sec1_bytes();
    let verifier = sm2::dsa::VerifyingKey::from_sec1_bytes("1234567812345678", &point).unwrap();
    let signature = sm2::dsa::Signature::from_bytes(&signature.to_raw()).unwrap();
    verifier.verify_prehash(digest, &signature).is_ok()
}

#[test]
fn keys_and_signatures_agree_in_both_directions() {
    let mut chance = replayed(20_260_101);
    for round in 0..12 {
        let key = SecretKey::generate(&mut chance).unwrap();
        let oracle = Oracle::new(&key);
        assert_eq!(sm_crypto::sm2::pk_from_sk(&oracle.secret), oracle.public);

        let message = vec![round; usize::from(round) * 11];
        let digest = key
            .public_key()
            .message_digest(DEFAULT_DISTID, &message)
            .unwrap();
        let ours = key.sign_digest(&digest, &mut chance).unwrap();
        assert!(oracle.verify(&digest, &ours.to_der()), "round {round}");
        assert!(rustcrypto_verifies(&key, &digest, &ours), "round {round}");

        let theirs = Signature::from_der(&oracle.sign(&digest)).unwrap();
        assert_eq!(key.public_key().verify_digest(&digest, &theirs), Ok(()));

        let mut other = digest;
        other[31] ^= 1;
        assert!(!oracle.verify(&other, &ours.to_der()));
        assert!(key.public_key().verify_digest(&other, &theirs).is_err());
    }
}

#[test]
fn digests_at_the_borders_agree() {
    let mut chance = replayed(7);
    let key = SecretKey::generate(&mut chance).unwrap();
    let oracle = Oracle::new(&key);
    let order = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";
    let n: [u8; 32] = hex(order).try_into().unwrap();
    for digest in [[0; 32], [0xff; 32], n] {
        let ours = key.sign_digest(&digest, &mut chance).unwrap();
        assert!(oracle.verify(&digest, &ours.to_der()));
        let theirs = Signature::from_der(&oracle.sign(&digest)).unwrap();
        assert_eq!(key.public_key().verify_digest(&digest, &theirs), Ok(()));
    }
}

#[test]
fn z_and_e_agree_with_the_oracle_that_computes_them_itself() {
    let mut chance = replayed(8);
    let key = SecretKey::generate(&mut chance).unwrap();
    let oracle = Oracle::new(&key);
    for distid in [DEFAULT_DISTID, b"ALICE123@YAHOO.COM", b""] {
        let message = b"the oracle hashes this itself";
        let ours = key.sign(distid, message, &mut chance).unwrap();
        let verifier = sm_crypto::sm2::Verify::new_with_id(distid, &oracle.public);
        assert!(verifier.verify_der(message, &ours.to_der(), true));
        let theirs =
            sm_crypto::sm2::Sign::new_with_id(distid, &oracle.secret).sign_der(message, true);
        let theirs = Signature::from_der(&theirs).unwrap();
        assert_eq!(key.public_key().verify(distid, message, &theirs), Ok(()));
    }
}

#[test]
fn sm3_agrees_at_every_length_around_the_blocks() {
    let mut message = vec![0; 300];
    replayed(9).fill(&mut message).unwrap();
    for length in 0..message.len() {
        let piece = &message[..length];
        assert_eq!(
            to_hex(&sm3(piece)),
            sm_crypto::sm3::sm3_hash(piece),
            "{length}"
        );
    }
}

/// Known difference: sm-crypto checks no range and takes s + n * 2^256, since its multiplication
/// looks at 256 bits only. If it no longer does, this fails and the guard above can go.
#[test]
fn the_oracle_takes_an_s_out_of_range_and_we_do_not() {
    let mut chance = replayed(10);
    let key = SecretKey::generate(&mut chance).unwrap();
    let oracle = Oracle::new(&key);
    let digest = sm3(b"m");
    let raw = key.sign_digest(&digest, &mut chance).unwrap().to_raw();
    let integer = |magnitude: &[u8]| {
        let length = u8::try_from(magnitude.len() + 1).unwrap();
        [&[2, length, 0], magnitude].concat()
    };
    let n = hex("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123");
    let mut r = integer(&raw[..32]);
    if raw[0] < 0x80 {
        r = [&[2, 32][..], &raw[..32]].concat();
    }
    let s = integer(&[&n[..], &raw[32..]].concat());
    let content = [r, s].concat();
    let der = [&[0x30, u8::try_from(content.len()).unwrap()][..], &content].concat();
    assert!(oracle.verify(&digest, &der), "the known difference is gone");
    assert!(Signature::from_der(&der).is_err());
    assert!(Signature::from_field_bytes(&der).is_err());
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// Rounds between two lines that say how many are done.
const SLICE: u64 = 8192;

/// Does so many rounds as `variable` says, half of them on each code path, in two threads at a
/// time; `work` gets a seed of its own and how many rounds are its share.
fn on_both_paths(peer: &str, variable: &str, default: u64, work: impl Fn(u64, u64) + Sync) {
    let rounds = number(variable, default);
    let mut seed = number("ORACLE_SEED", 0) << 32;
    let first = seed;
    let mut done = 0;
    while done < rounds {
        let share = SLICE.min(rounds - done).div_ceil(4);
        for path in [CodePath::Portable, CodePath::Adx] {
            // Where there is no such path, the portable one stays.
            let _ = set_code_path(path);
            std::thread::scope(|scope| {
                for seed in [seed, seed + 1] {
                    let work = &work;
                    scope.spawn(move || work(seed, share));
                }
            });
            seed += 2;
            done += 2 * share;
        }
        eprintln!(
            "{done} rounds against {peer}, seeds {first} to {}",
            seed - 1
        );
    }
}

/// On every code path, alone and with prepared nonces, under new and known keys in turn: what we
/// sign RustCrypto takes, what RustCrypto signs we take, and neither with another digest.
#[test]
fn random_signatures_agree_with_rustcrypto() {
    on_both_paths("RustCrypto sm2", "SM2_ORACLE_ROUNDS", 60, |seed, rounds| {
        compare_with_rustcrypto(seed, rounds);
    });
}

/// So many rounds under one key.
fn compare_with_rustcrypto(seed: u64, rounds: u64) {
    let chance = &mut replayed(seed);
    let key = SecretKey::generate(chance).unwrap();
    let secret = key.to_bytes();
    let signer = sm2::dsa::SigningKey::from_slice("1234567812345678", secret.as_ref()).unwrap();
    let point = key.public_key().to_sec1_bytes();
    assert_eq!(signer.as_nonzero_scalar().to_bytes()[..], secret[..]);
    let verifier = sm2::dsa::VerifyingKey::from_sec1_bytes("1234567812345678", &point).unwrap();
    let context = SigningContext::new(std::sync::Arc::new(key));
    let key = context.secret_key();
    let known = PreparedPublicKey::new(key.public_key());
    for round in 0..rounds {
        let at = format_args!("seed {seed}, round {round}");
        let mut digest = [0; 32];
        chance.fill(&mut digest).unwrap();
        let ours = if round % 2 == 0 {
            key.sign_digest(&digest, chance).unwrap()
        } else {
            context.sign_digest(&digest, chance).unwrap()
        };
        let signature = sm2::dsa::Signature::from_bytes(&ours.to_raw()).unwrap();
        let taken = verifier.verify_prehash(&digest, &signature).is_ok();
        assert!(taken, "{at}: {ours:?}");

        let theirs: sm2::dsa::Signature = signer.sign_prehash(&digest).unwrap();
        let theirs = Signature::from_raw(&theirs.to_bytes()).unwrap();
        let verify = |digest: &[u8; 32]| {
            if round % 4 < 2 {
                key.public_key().verify_digest(digest, &theirs)
            } else {
                known.verify_digest(digest, &theirs)
            }
        };
        assert_eq!(verify(&digest), Ok(()), "{at}: {theirs:?}");
        digest[0] ^= 1;
        assert!(verify(&digest).is_err(), "{at}: {theirs:?}");
    }
}

#[test]
fn random_signatures_agree_with_sm_crypto() {
    /// Rounds under one key.
    const KEY: u64 = 16;
    on_both_paths("sm-crypto", "SM_CRYPTO_ORACLE_ROUNDS", 6, |seed, rounds| {
        let mut chance = replayed(seed);
        for round in 0..rounds.div_ceil(KEY) {
            let key = SecretKey::generate(&mut chance).unwrap();
            let oracle = Oracle::new(&key);
            for _ in 0..KEY.min(rounds - round * KEY) {
                let mut digest = [0; 32];
                chance.fill(&mut digest).unwrap();
                let ours = key.sign_digest(&digest, &mut chance).unwrap();
                let taken = oracle.verify(&digest, &ours.to_der());
                assert!(taken, "seed {seed}: {ours:?}");
                let theirs = Signature::from_der(&oracle.sign(&digest)).unwrap();
                let verified = key.public_key().verify_digest(&digest, &theirs);
                assert_eq!(verified, Ok(()), "seed {seed}: {theirs:?}");
            }
        }
    });
}
