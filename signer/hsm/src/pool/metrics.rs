//! What a pool counts, and what it tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters that only grow.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    pub(super) signed: AtomicU64,
    pub(super) wrong_signatures: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) refused_busy: AtomicU64,
    pub(super) connects: AtomicU64,
    pub(super) connect_errors: AtomicU64,
    pub(super) given_up: AtomicU64,
    waited_micros: AtomicU64,
    waited_micros_max: AtomicU64,
    signing_micros: AtomicU64,
    signing_micros_max: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    pub(super) fn waited(&self, time: Duration) {
        measure(&self.waited_micros, &self.waited_micros_max, time);
    }

    pub(super) fn signing(&self, time: Duration) {
        measure(&self.signing_micros, &self.signing_micros_max, time);
    }
}

fn measure(sum: &AtomicU64, max: &AtomicU64, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    sum.fetch_add(micros, Ordering::Relaxed);
    max.fetch_max(micros, Ordering::Relaxed);
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
    pub(super) fn new(device: String, state: DeviceState, metrics: &Metrics) -> Self {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            device,
            state,
            sessions: 0,
            busy: 0,
            waiting: 0,
            stuck: 0,
            signed: read(&metrics.signed),
            wrong_signatures: read(&metrics.wrong_signatures),
            errors: read(&metrics.errors),
            refused_busy: read(&metrics.refused_busy),
            connects: read(&metrics.connects),
            connect_errors: read(&metrics.connect_errors),
            given_up: read(&metrics.given_up),
            waited_micros: read(&metrics.waited_micros),
            waited_micros_max: read(&metrics.waited_micros_max),
            signing_micros: read(&metrics.signing_micros),
            signing_micros_max: read(&metrics.signing_micros_max),
        }
    }
}
