//! What the library asks of the world: the time, and chance.

use ring::rand::{SecureRandom as _, SystemRandom};
use yinxin_pki::UnixSeconds;
use yinxin_sm::{Entropy, EntropyUnavailable};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixSeconds;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        let seconds = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        UnixSeconds(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

/// The system's generator, through ring.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl SystemEntropy {
    /// The system's generator.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.0.fill(destination).map_err(|_| EntropyUnavailable)
    }
}
