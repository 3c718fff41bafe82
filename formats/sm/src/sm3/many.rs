//! Many messages at once, in the lanes of vector registers.

use super::{BLOCK, Sm3, State, rounds::INITIAL};

const LANES: usize = 8;

/// Below this many messages the lanes that stay empty cost more than the others gain.
const WORTHWHILE: usize = 3;

/// One message on its way: its whole blocks, then the padded rest.
struct Lane<'a> {
    index: usize,
    blocks: &'a [[u8; BLOCK]],
    tail: [[u8; BLOCK]; 2],
    /// How many blocks of `tail` are left to take in; it follows `blocks`.
    tail_start: usize,
    state: State,
}

impl<'a> Lane<'a> {
    fn new(index: usize, message: &'a [u8]) -> Self {
        let (blocks, rest) = message.as_chunks::<BLOCK>();
        let mut tail = [[0; BLOCK]; 2];
        let bytes = tail.as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let tail_start = usize::from(rest.len() + 9 <= BLOCK);
        let end = (2 - tail_start) * BLOCK;
        let bits = (message.len() as u64).wrapping_mul(8);
        bytes[end - 8..end].copy_from_slice(&bits.to_be_bytes());
        if tail_start == 1 {
            tail.swap(0, 1);
        }
        Self {
            index,
            blocks,
            tail,
            tail_start,
            state: INITIAL,
        }
    }

    /// What comes next, in one piece.
    fn pending(&self) -> &[[u8; BLOCK]] {
        if self.blocks.is_empty() {
            &self.tail[self.tail_start..]
        } else {
            self.blocks
        }
    }

    /// Goes on by `count` blocks of that piece.
    fn advance(&mut self, count: usize) {
        if self.blocks.is_empty() {
            self.tail_start += count;
        } else {
            self.blocks = &self.blocks[count..];
        }
    }

    fn is_done(&self) -> bool {
        self.pending().is_empty()
    }
}

/// The digests of all messages, eight streams at a time by `compress_eight`; what is left at
/// the end goes one by one.
pub(super) fn digests(
    messages: &[&[u8]],
    compress_eight: impl Fn(&mut [State; LANES], &[&[[u8; BLOCK]]; LANES]),
) -> Vec<[u8; 32]> {
    let mut digests = vec![[0; 32]; messages.len()];
    let mut waiting = messages.iter().enumerate();
    let mut lanes: Vec<Lane<'_>> = Vec::with_capacity(LANES);
    loop {
        while lanes.len() < LANES
            && let Some((index, message)) = waiting.next()
        {
            lanes.push(Lane::new(index, message));
        }
        if lanes.len() < WORTHWHILE {
            break;
        }
        // A lane without a message repeats the first one's work.
        let lane = |i: usize| lanes.get(i).unwrap_or(&lanes[0]);
        let streams = core::array::from_fn(|i| lane(i).pending());
        let mut states = core::array::from_fn(|i| lane(i).state);
        let count = streams.iter().map(|stream| stream.len()).min().unwrap_or(0);
        compress_eight(&mut states, &streams);
        for (lane, state) in lanes.iter_mut().zip(&states) {
            lane.state = *state;
            lane.advance(count);
        }
        lanes.retain(|lane| {
            if lane.is_done() {
                digests[lane.index] = super::to_bytes(&lane.state);
            }
            !lane.is_done()
        });
    }
    for mut lane in lanes {
        super::compress(&mut lane.state, lane.blocks);
        super::compress(&mut lane.state, &lane.tail[lane.tail_start..]);
        digests[lane.index] = super::to_bytes(&lane.state);
    }
    digests
}

/// The digests one by one.
pub(super) fn digests_in_turn(messages: &[&[u8]]) -> Vec<[u8; 32]> {
    messages
        .iter()
        .map(|message| {
            let mut digest = Sm3::new();
            digest.update(message);
            digest.finalize()
        })
        .collect()
}
