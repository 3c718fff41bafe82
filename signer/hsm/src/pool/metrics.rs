//! What a pool counts, and what it tells of itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use yinxin_signer::keys::KeyStoreError;

/// Counters of a device that only grow.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    pub(super) errors: AtomicU64,
    pub(super) refused_busy: AtomicU64,
    pub(super) connects: AtomicU64,
    pub(super) connect_errors: AtomicU64,
    pub(super) given_up: AtomicU64,
    pub(super) hedges: AtomicU64,
    pub(super) failovers: AtomicU64,
}

/// Counters of one key in a device.
#[derive(Debug, Default)]
pub(super) struct KeyMetrics {
    pub(super) signed: AtomicU64,
    pub(super) wrong_signatures: AtomicU64,
    pub(super) waited: Clocked,
    pub(super) signing: Clocked,
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl KeyMetrics {
    pub(super) fn failed(&self, error: &KeyStoreError) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(error.kind()).or_default() += 1;
    }

    pub(super) fn told(&self, key: &str) -> KeyFigures {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        KeyFigures {
            key: key.to_owned(),
            signed: read(&self.signed),
            wrong_signatures: read(&self.wrong_signatures),
            errors: errors.iter().map(|(kind, count)| (*kind, *count)).collect(),
            waited: self.waited.told(),
            signing: self.signing.told(),
        }
    }
}

/// Upper bounds of [`Times::counts`], in microseconds: from a fast device to one that hangs.
pub const BOUNDS_MICROS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Times as they are counted.
#[derive(Debug, Default)]
pub(super) struct Clocked {
    counts: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
    max_micros: AtomicU64,
}

impl Clocked {
    pub(super) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let over = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        if let Some(bucket) = self.counts.get(over) {
            count(bucket);
        }
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
        self.max_micros.fetch_max(micros, Ordering::Relaxed);
    }

    fn told(&self) -> Times {
        Times {
            counts: self.counts.each_ref().map(read),
            sum_micros: read(&self.sum_micros),
            max_micros: read(&self.max_micros),
        }
    }
}

/// Times that were counted since the pool's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// How many were at or under each of [`BOUNDS_MICROS`] and over the one before; the last: over
    /// all.
    pub counts: [u64; BOUNDS_MICROS.len() + 1],
    /// All together.
    pub sum_micros: u64,
    /// The longest.
    pub max_micros: u64,
}

/// What a pool tells of one key. Counted from the pool's start; tests of idle sessions do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFigures {
    /// The key's name in the settings.
    pub key: String,
    /// Right signatures made.
    pub signed: u64,
    /// Signatures that the public key did not verify; none of them was given.
    pub wrong_signatures: u64,
    /// Calls that failed, by [`KeyStoreError::kind`]; those that hung are the device's.
    pub errors: Vec<(&'static str, u64)>,
    /// Time in line of all calls that a session took.
    pub waited: Times,
    /// Time in the device, the check of the signature included.
    pub signing: Times,
}

/// How a device is reached at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// The first connection is being made.
    Starting,
    /// It signs.
    Up,
    /// It is lost; it is tried again by itself.
    Down,
    /// It refused the PIN or password; it is not tried again before a person says so.
    PinRefused,
}

impl DeviceState {
    /// All.
    pub const ALL: [Self; 4] = [Self::Starting, Self::Up, Self::Down, Self::PinRefused];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Down => "down",
            Self::PinRefused => "pin-refused",
        }
    }
}

/// What a pool tells of its device. Counters count from the pool's start, times are microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStatus {
    /// The device's name in the settings.
    pub device: String,
    /// How it is reached.
    pub state: DeviceState,
    /// Sessions that the settings ask for.
    pub wanted: usize,
    /// Sessions that are open now.
    pub sessions: usize,
    /// Of these, sessions that sign now.
    pub busy: usize,
    /// Callers in line now.
    pub waiting: usize,
    /// Threads that are stuck in the device's library now.
    pub stuck: usize,
    /// Right signatures made.
    pub signed: u64,
    /// Signatures that the public key did not verify; none of them was given.
    pub wrong_signatures: u64,
    /// Calls of the device that failed, wrong signatures included.
    pub errors: u64,
    /// Callers refused because the line was full or their time was up in it.
    pub refused_busy: u64,
    /// Sessions opened.
    pub connects: u64,
    /// Sessions that could not be opened.
    pub connect_errors: u64,
    /// Calls of the device that were given up as hanging.
    pub given_up: u64,
    /// Signatures it was asked for as well because another device with the key was slow.
    pub hedges: u64,
    /// Signatures it was asked for because another device with the key had failed.
    pub failovers: u64,
    /// Time in line of all calls that a session took, and of the slowest.
    pub waited_micros: u64,
    /// The longest time in line.
    pub waited_micros_max: u64,
    /// Time in the device, the check of the signature included, of all calls.
    pub signing_micros: u64,
    /// The longest time in the device.
    pub signing_micros_max: u64,
}

impl DeviceStatus {
    /// What was counted; the figures of the moment are zero.
    pub(super) fn counted(
        device: &str,
        state: DeviceState,
        metrics: &Metrics,
        keys: &[KeyFigures],
    ) -> Self {
        let sum = |figure: fn(&KeyFigures) -> u64| keys.iter().map(figure).sum();
        let max = |figure: fn(&KeyFigures) -> u64| keys.iter().map(figure).max().unwrap_or(0);
        Self {
            device: device.to_owned(),
            state,
            wanted: 0,
            sessions: 0,
            busy: 0,
            waiting: 0,
            stuck: 0,
            signed: sum(|key| key.signed),
            wrong_signatures: sum(|key| key.wrong_signatures),
            errors: read(&metrics.errors),
            refused_busy: read(&metrics.refused_busy),
            connects: read(&metrics.connects),
            connect_errors: read(&metrics.connect_errors),
            given_up: read(&metrics.given_up),
            hedges: read(&metrics.hedges),
            failovers: read(&metrics.failovers),
            waited_micros: sum(|key| key.waited.sum_micros),
            waited_micros_max: max(|key| key.waited.max_micros),
            signing_micros: sum(|key| key.signing.sum_micros),
            signing_micros_max: max(|key| key.signing.max_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_under_its_bound_and_one_beyond_all_counts_last() {
        let clocked = Clocked::default();
        for micros in [0, 100, 101, 10_000_000, 10_000_001] {
            clocked.took(Duration::from_micros(micros));
        }
        let told = clocked.told();
        let last = BOUNDS_MICROS.len();
        let counts = [0, 1, last - 1, last].map(|index| told.counts[index]);
        assert_eq!(counts, [2, 1, 1, 1]);
        assert_eq!((told.sum_micros, told.max_micros), (20_000_202, 10_000_001));
    }
}
