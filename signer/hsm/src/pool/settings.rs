//! How many sessions, and how long anybody waits.

use std::time::Duration;

use crate::OpenError;

/// The most sessions of one pool: each has a thread of its own.
const SESSIONS_MAX: usize = 256;

/// How a pool uses its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Sessions that are held open, 1 to 256. A device signs as many messages at a time.
    pub sessions: usize,
    /// Calls that may wait for a session; the next one is refused.
    pub waiting_max: usize,
    /// How long a caller waits for its signature, the time in line included.
    pub sign_max: Duration,
    /// A call into the device that takes longer is given up: the session is taken for dead, its
    /// thread is left to the vendor's library, and another takes its place.
    pub hang_max: Duration,
    /// The same for connecting: session, login, and a test of every key.
    pub connect_max: Duration,
    /// Threads that may be stuck in the vendor's library. Beyond it the device counts as lost until
    /// one of them comes back.
    pub stuck_max: usize,
    /// The first wait before a lost device is tried again; it doubles up to `retry_max`.
    pub retry_min: Duration,
    /// The longest such wait.
    pub retry_max: Duration,
    /// A session that nobody has used for so long signs a fixed message, to show that it still can.
    pub check_every: Duration,
    /// When a second device holds the key: how long the first is waited for before the second is
    /// asked as well. The faster answer counts.
    pub hedge_after: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            sessions: 4,
            waiting_max: 256,
            sign_max: Duration::from_secs(10),
            hang_max: Duration::from_secs(5),
            connect_max: Duration::from_secs(30),
            stuck_max: 4,
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(2),
            check_every: Duration::from_secs(30),
            hedge_after: Duration::from_secs(1),
        }
    }
}

impl PoolSettings {
    /// One session, and the defaults for the rest.
    #[must_use]
    pub fn single() -> Self {
        Self {
            sessions: 1,
            ..Self::default()
        }
    }

    /// # Errors
    /// [`OpenError::PoolSetting`] with the field's name and its rule.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let wrong = |field, rule| Err(OpenError::PoolSetting { field, rule });
        if !(1..=SESSIONS_MAX).contains(&self.sessions) {
            return wrong("sessions", "must be 1 to 256");
        }
        if self.waiting_max == 0 {
            return wrong("waiting_max", "must be at least 1");
        }
        let times = [
            ("sign_max", self.sign_max),
            ("hang_max", self.hang_max),
            ("connect_max", self.connect_max),
            ("retry_min", self.retry_min),
            ("retry_max", self.retry_max),
            ("check_every", self.check_every),
        ];
        if let Some((field, _)) = times.iter().find(|(_, time)| time.is_zero()) {
            return wrong(field, "must be above zero");
        }
        if self.hang_max > self.sign_max {
            return wrong("hang_max", "must not be above sign_max");
        }
        if self.retry_min > self.retry_max {
            return wrong("retry_min", "must not be above retry_max");
        }
        Ok(())
    }
}
