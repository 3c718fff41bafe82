//! What SM2 signs of a message, e = SM3(Z ‖ M), for messages that begin as an earlier one did.
//!
//! The message of a seal signature is the whole seal object, picture and all, and a hundred bytes
//! besides (GB/T 38540, TBS_Sign). Hashing it is the longest part of such a signature, so SM3's
//! state after the beginning is remembered for the next message that begins so.

use std::convert::Infallible;
use std::sync::Arc;

use yinxin_sm::{DEFAULT_DISTID, Error, PublicKey, Sm3};

use crate::memory::Memory;

/// Beginnings are cut at multiples of this, so that messages of almost the same length share one.
const PIECE_BYTES: usize = 1024;

/// So many bytes at the end are always hashed. TBS_Sign has some 130 after the seal.
const END_BYTES: usize = 512;

/// Shorter beginnings are hashed as quickly as they are compared and kept.
const BEGINNING_BYTES_MIN: usize = 4 * 1024;

/// The beginnings of the last messages; seals are longer than 128 KiB only by mistake.
static BEGINNINGS: Memory<Arc<Beginning>> =
    Memory::new(16, 128 * 1024, |beginning| &beginning.bytes);

struct Beginning {
    z: [u8; 32],
    bytes: Vec<u8>,
    /// Of Z and the bytes.
    state: Sm3,
}

/// e = SM3(Z ‖ M) under the default identifier: [`PublicKey::message_digest`], and quicker for a long
/// message that begins with the same bytes as an earlier one under this key. The beginnings of the
/// last 16 long messages stay in memory, so none of them may be a secret.
///
/// # Errors
/// As [`PublicKey::message_digest`].
pub fn sm2_message_digest(key: &PublicKey, message: &[u8]) -> Result<[u8; 32], Error> {
    let z = key.z(DEFAULT_DISTID)?;
    let hashed = |bytes: &[u8]| {
        let mut state = Sm3::new();
        state.update(&z);
        state.update(bytes);
        state
    };
    let (beginning, end) = message.split_at(beginning_bytes(message.len()));
    let mut state = if beginning.is_empty() {
        hashed(beginning)
    } else {
        let Ok(known) = BEGINNINGS.recall(beginning, |bytes| {
            Ok::<_, Infallible>(Arc::new(Beginning {
                z,
                bytes: bytes.to_vec(),
                state: hashed(bytes),
            }))
        });
        if known.z == z {
            known.state.clone()
        } else {
            hashed(beginning)
        }
    };
    state.update(end);
    Ok(state.finalize())
}

fn beginning_bytes(message_bytes: usize) -> usize {
    let pieces = message_bytes.saturating_sub(END_BYTES) / PIECE_BYTES;
    let bytes = pieces * PIECE_BYTES;
    if bytes < BEGINNING_BYTES_MIN {
        0
    } else {
        bytes
    }
}

#[cfg(test)]
mod tests {
    use yinxin_sm::SecretKey;

    use super::*;

    fn key(secret: u8) -> PublicKey {
        let secret = SecretKey::from_bytes(&[secret; 32]).expect("below n");
        secret.public_key().clone()
    }

    #[test]
    fn the_digest_is_the_same_whatever_was_hashed_before() {
        let keys = [key(1), key(2)];
        for bytes in [0, 1, 4_095, 4_096, 4_608, 4_609, 17_000, 17_100, 140_000] {
            let mut message: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
            // The same again, another end, another beginning; under each key in turn.
            for round in 0..6 {
                match round {
                    2 => message.iter_mut().rev().take(1).for_each(|byte| *byte ^= 1),
                    4 => message.iter_mut().take(1).for_each(|byte| *byte ^= 1),
                    _ => {}
                }
                for key in &keys {
                    assert_eq!(
                        sm2_message_digest(key, &message),
                        key.message_digest(DEFAULT_DISTID, &message),
                        "{bytes} bytes, round {round}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_beginning_ends_well_before_its_message_does() {
        for (bytes, expected) in [
            (0, 0),
            (4_607, 0),
            (4_608, 4_096),
            (17_919, 16_384),
            (17_920, 17_408),
        ] {
            assert_eq!(beginning_bytes(bytes), expected, "{bytes}");
        }
    }
}
