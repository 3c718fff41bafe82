//! One table read at many secret places at once.
//!
//! A scan for one place touches every entry: two operations for each word of the table. Here the
//! secret places of [`LANES`] readers are turned on their side: a row holds one bit of every
//! reader's place, and each bit of the entries is a boolean function of these rows. Which function
//! it is says the table, which is public: it picks among partial results in memory, where no
//! address depends on a secret, and only exclusive-or is left to do. A place costs about a third
//! of what a scan of half as many entries does, and nothing is there that a compiler could turn
//! into a branch.

use super::point::TableEntry;
use zeroize::Zeroize;

/// Readers at once.
pub(super) const LANES: usize = 512;

/// Bits of a place: tables have 128 entries.
pub(super) const PLACE_BITS: usize = 7;
pub(super) const ENTRIES: usize = 1 << PLACE_BITS;

/// Entries whose bits together pick one partial result.
const GROUP: usize = 4;
const GROUPS: usize = ENTRIES / GROUP;
/// What the bits of a group may be.
const PATTERNS: usize = 1 << GROUP;

const ENTRY_WORDS: usize = 8;
const ENTRY_BITS: usize = 64 * ENTRY_WORDS;

const WORDS: usize = LANES / 64;

/// One bit for each lane. As long as a table entry.
#[derive(Clone, Copy, Zeroize)]
#[repr(align(64))]
pub(crate) struct Row([u64; WORDS]);

impl Row {
    pub(super) const ZERO: Self = Self([0; WORDS]);

    #[inline(always)]
    fn and(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    #[inline(always)]
    pub(super) fn xor(&self, other: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] ^ other.0[i]))
    }

    #[inline(always)]
    pub(super) fn not(&self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

/// A table on its side: for each bit of an entry, that bit of all entries.
pub(crate) struct Columns(Box<[[u64; ENTRIES / 64]; ENTRY_BITS]>);

impl Columns {
    /// From [`ENTRIES`] entries, which are public.
    pub(super) fn new(entries: &[TableEntry]) -> Self {
        let mut columns = Box::new([[0; ENTRIES / 64]; ENTRY_BITS]);
        let (blocks, _) = entries.as_chunks::<64>();
        for (half, block) in blocks.iter().enumerate() {
            let mut rows: [Row; 64] = core::array::from_fn(|i| Row(block[i].0));
            turn(&mut rows);
            for (bit, column) in columns.iter_mut().enumerate() {
                column[half] = rows[bit % 64].0[bit / 64];
            }
        }
        Self(columns)
    }
}

/// Room for reading; holds secrets afterwards, until it is wiped.
#[derive(Zeroize)]
pub(crate) struct Room {
    /// For each group: which lanes look into it, cut down to those for which a pattern has a one.
    partial: Vec<[Row; PATTERNS]>,
    /// The bits of the entries found.
    found: Vec<Row>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            partial: vec![[Row::ZERO; PATTERNS]; GROUPS],
            found: vec![Row::ZERO; ENTRY_BITS],
        }
    }
}

/// For each lane the entry at its place, whose bits are in `places`, the lowest first.
#[inline(always)]
pub(super) fn read(
    table: &Columns,
    places: &[Row; PLACE_BITS],
    room: &mut Room,
    entries: &mut [TableEntry],
) {
    // Within a group two bits choose the entry.
    let [low, high, group_bits @ ..] = places;
    let within = [
        low.not().and(&high.not()),
        low.and(&high.not()),
        low.not().and(high),
        low.and(high),
    ];
    let mut patterns = [Row::ZERO; PATTERNS];
    for i in 0..GROUP {
        for j in 0..1 << i {
            patterns[(1 << i) + j] = patterns[j].xor(&within[i]);
        }
    }
    for (group, partial) in room.partial.iter_mut().enumerate() {
        let mut here = Row::ZERO.not();
        for (i, bit) in group_bits.iter().enumerate() {
            let wanted = group >> i & 1 == 1;
            here = here.and(&if wanted { *bit } else { bit.not() });
        }
        for (partial, pattern) in partial.iter_mut().zip(&patterns) {
            *partial = here.and(pattern);
        }
    }
    for (column, found) in table.0.iter().zip(&mut room.found) {
        let mut sum = Row::ZERO;
        let halves = room.partial.chunks_exact(64 / GROUP);
        for (bits, groups) in column.iter().zip(halves) {
            for (i, partial) in groups.iter().enumerate() {
                let pattern = bits >> (GROUP * i) & (PATTERNS as u64 - 1);
                sum = sum.xor(&partial[pattern as usize]);
            }
        }
        *found = sum;
    }
    let (blocks, _) = room.found.as_chunks_mut::<64>();
    for (word, rows) in blocks.iter_mut().enumerate() {
        turn(rows);
        for (i, row) in rows.iter().enumerate() {
            for (lane, part) in row.0.iter().enumerate() {
                entries[64 * lane + i].0[word] = *part;
            }
        }
    }
}

/// Bits of 256-bit numbers, one for each lane, as rows; the lowest bit first.
pub(super) fn rows(numbers: impl Iterator<Item = super::limbs::Limbs>) -> Vec<Row> {
    let mut rows = vec![Row::ZERO; 256];
    for (lane, number) in numbers.take(LANES).enumerate() {
        for (word, part) in number.iter().enumerate() {
            rows[64 * word + lane % 64].0[lane / 64] = *part;
        }
    }
    let (blocks, _) = rows.as_chunks_mut::<64>();
    for block in blocks {
        turn(block);
    }
    rows
}

/// Turns matrices of 64 times 64 bits on their side, one for each word of a row: quarters change
/// places, then quarters of quarters.
#[inline(always)]
fn turn(rows: &mut [Row; 64]) {
    level::<32>(rows, 0x0000_0000_ffff_ffff);
    level::<16>(rows, 0x0000_ffff_0000_ffff);
    level::<8>(rows, 0x00ff_00ff_00ff_00ff);
    level::<4>(rows, 0x0f0f_0f0f_0f0f_0f0f);
    level::<2>(rows, 0x3333_3333_3333_3333);
    level::<1>(rows, 0x5555_5555_5555_5555);
}

#[inline(always)]
fn level<const SIZE: usize>(rows: &mut [Row; 64], mask: u64) {
    for pair in rows.chunks_exact_mut(2 * SIZE) {
        let (first, second) = pair.split_at_mut(SIZE);
        for (a, b) in first.iter_mut().zip(second) {
            for (a, b) in a.0.iter_mut().zip(&mut b.0) {
                let changed = (*a >> SIZE ^ *b) & mask;
                *b ^= changed;
                *a ^= changed << SIZE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};

    /// Numbers that look like chance (splitmix64).
    fn numbers() -> impl FnMut() -> u64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        }
    }

    fn check<A: Arithmetic>() {
        let mut number = numbers();
        let table: Vec<TableEntry> = (0..ENTRIES)
            .map(|_| TableEntry(core::array::from_fn(|_| number())))
            .collect();
        let columns = Columns::new(&table);
        let mut room = Room::new();
        for first in [0, 1, 127] {
            // Every place, in an order that differs between the words of a row.
            let place = |lane: usize| (first + lane + 5 * (lane / 64)) % ENTRIES;
            let bits = rows((0..LANES).map(|lane| [place(lane) as u64, 0, 0, 0]));
            let places: [Row; PLACE_BITS] = core::array::from_fn(|i| bits[i]);
            let mut entries = vec![TableEntry::ZERO; LANES];
            A::read(&columns, &places, &mut room, &mut entries);
            for (lane, entry) in entries.iter().enumerate() {
                assert_eq!(entry.0, table[place(lane)].0, "lane {lane}");
            }
        }
    }

    #[test]
    fn every_lane_reads_the_entry_at_its_own_place() {
        check::<Portable>();
        #[cfg(target_arch = "x86_64")]
        if adx_available() {
            check::<Adx>();
        }
    }

    #[test]
    fn rows_are_the_bits_of_the_numbers() {
        let mut number = numbers();
        let all: Vec<limbs::Limbs> = (0..LANES)
            .map(|_| core::array::from_fn(|_| number()))
            .collect();
        let rows = rows(all.iter().copied());
        for (lane, one) in all.iter().enumerate() {
            for (bit, row) in rows.iter().enumerate() {
                let expected = one[bit / 64] >> (bit % 64) & 1;
                assert_eq!(
                    row.0[lane / 64] >> (lane % 64) & 1,
                    expected,
                    "{lane} {bit}"
                );
            }
        }
    }
}
