//! The vector code against its portable twin, and against the `sm3` crate.

use super::*;
use ::sm3::Digest as _;

fn bytes(length: usize) -> Vec<u8> {
    let mut state = length as u64 + 1;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn one_stream_of_vector_code_agrees_with_its_twin() {
    if !crate::arithmetic::adx_available() {
        eprintln!("SKIPPED: this processor has no AVX2");
        return;
    }
    for blocks in 0..40 {
        for fill in [None, Some(0), Some(0xff)] {
            let mut message = bytes(blocks * BLOCK);
            if let Some(fill) = fill {
                message.fill(fill);
            }
            let (whole, _) = message.as_chunks();
            let (mut twin, mut vector) = (rounds::INITIAL, rounds::INITIAL);
            portable::compress(&mut twin, whole);
            compress_avx2(&mut vector, whole);
            assert_eq!(twin, vector, "{blocks} blocks");
        }
    }
}

#[test]
fn digests_agree_with_another_implementation_at_every_length() {
    for length in 0..520 {
        let message = bytes(length);
        let expected: [u8; 32] = ::sm3::Sm3::digest(&message).into();
        assert_eq!(sm3(&message), expected, "{length} bytes");
    }
}

#[test]
fn many_messages_give_the_same_digests_as_one_by_one() {
    for count in [0, 1, 2, 3, 7, 8, 9, 17, 40] {
        for scale in [0, 1, 13, 64, 100] {
            let messages: Vec<Vec<u8>> = (0..count).map(|i| bytes(i * scale)).collect();
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let expected = many::digests_in_turn(&messages);
            assert_eq!(sm3_many(&messages), expected, "{count} messages by {scale}");
        }
    }
    // Every length around the padding, all in one call.
    let messages: Vec<Vec<u8>> = (0..300).map(bytes).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    assert_eq!(sm3_many(&messages), many::digests_in_turn(&messages));
}
