//! SM3 (GB/T 32905-2016), streaming.
#![expect(
    clippy::indexing_slicing,
    reason = "arrays of fixed size, indexed by loop counters"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg_attr(
    not(target_arch = "x86_64"),
    expect(dead_code, reason = "lanes need vector registers")
)]
mod many;
mod portable;
mod rounds;
#[cfg(test)]
mod tests;

use crate::arithmetic::{CodePath, code_path};
use zeroize::Zeroize as _;

/// V, eight words.
type State = [u32; 8];

const BLOCK: usize = 64;

/// An SM3 digest in the making.
///
/// ```
/// let mut digest = yinxin_sm::Sm3::new();
/// digest.update(b"a");
/// digest.update(b"bc");
/// assert_eq!(digest.finalize(), yinxin_sm::sm3(b"abc"));
/// ```
#[derive(Clone)]
pub struct Sm3 {
    state: State,
    /// The start of a block that is not full yet.
    block: [u8; BLOCK],
    /// How many bytes came in; all but the last `length % 64` are in `state`.
    length: u64,
}

impl Sm3 {
    /// The digest of nothing, so far.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: rounds::INITIAL,
            block: [0; BLOCK],
            length: 0,
        }
    }

    /// Takes in the next bytes; how a message is cut into pieces makes no difference.
    pub fn update(&mut self, bytes: &[u8]) {
        let waiting = self.waiting();
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        if waiting > 0 {
            let room = &mut self.block[waiting..];
            if bytes.len() < room.len() {
                room[..bytes.len()].copy_from_slice(bytes);
                return;
            }
            let (first, after) = bytes.split_at(room.len());
            room.copy_from_slice(first);
            compress(&mut self.state, &[self.block]);
            rest = after;
        }
        let (blocks, tail) = rest.as_chunks::<BLOCK>();
        compress(&mut self.state, blocks);
        self.block[..tail.len()].copy_from_slice(tail);
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub fn finalize(mut self) -> [u8; 32] {
        let waiting = self.waiting();
        let bits = self.length.wrapping_mul(8).to_be_bytes();
        self.block[waiting] = 0x80;
        self.block[waiting + 1..].fill(0);
        if waiting + 1 + bits.len() > BLOCK {
            compress(&mut self.state, &[self.block]);
            self.block.fill(0);
        }
        self.block[BLOCK - bits.len()..].copy_from_slice(&bits);
        compress(&mut self.state, &[self.block]);
        to_bytes(&self.state)
    }

    /// Overwrites what it took in, for a state that holds a secret.
    pub(crate) fn wipe(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
        self.length.zeroize();
    }

    fn waiting(&self) -> usize {
        (self.length % BLOCK as u64) as usize
    }
}

impl Default for Sm3 {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Sm3 {
    // The state may have taken in a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sm3").finish_non_exhaustive()
    }
}

/// The SM3 digest of `bytes`.
#[must_use]
pub fn sm3(bytes: &[u8]) -> [u8; 32] {
    let mut digest = Sm3::new();
    digest.update(bytes);
    digest.finalize()
}

/// The SM3 digests of all `messages`, in their order; eight at a time where the processor has
/// AVX2, several times as fast as one after another. Best with messages of like length.
///
/// ```
/// let digests = yinxin_sm::sm3_many(&[b"abc", b""]);
/// assert_eq!(digests, [yinxin_sm::sm3(b"abc"), yinxin_sm::sm3(b"")]);
/// ```
#[must_use]
pub fn sm3_many(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    match code_path() {
        #[cfg(target_arch = "x86_64")]
        CodePath::Adx => many::digests(messages, compress_eight),
        #[cfg(not(target_arch = "x86_64"))]
        CodePath::Adx => many::digests_in_turn(messages),
        CodePath::Portable => many::digests_in_turn(messages),
    }
}

fn to_bytes(state: &State) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

fn compress(state: &mut State, blocks: &[[u8; BLOCK]]) {
    match code_path() {
        #[cfg(target_arch = "x86_64")]
        CodePath::Adx => compress_avx2(state, blocks),
        #[cfg(not(target_arch = "x86_64"))]
        CodePath::Adx => portable::compress(state, blocks),
        CodePath::Portable => portable::compress(state, blocks),
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "runs code for a processor with AVX2")]
fn compress_avx2(state: &mut State, blocks: &[[u8; BLOCK]]) {
    // SAFETY: the code path is this one only where AVX2, BMI1 and BMI2 are there.
    unsafe { avx2::compress(state, blocks) }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "runs code for a processor with AVX2")]
fn compress_eight(states: &mut [State; 8], streams: &[&[[u8; BLOCK]]; 8]) {
    // SAFETY: as in `compress_avx2`.
    unsafe { avx2::compress_eight(states, streams) }
}
