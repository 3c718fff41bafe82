//! Randomness of the system, for each crate that asks for it in its own way.

use ring::rand::{SecureRandom as _, SystemRandom};
use rsa::rand_core;

use crate::DevKeysError;

/// Randomness of the system, as `yinxin-sm` and the `rsa` crate take it.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The system's source.
    ///
    /// # Errors
    /// [`DevKeysError::EntropyUnavailable`] when it gives nothing.
    pub fn new() -> Result<Self, DevKeysError> {
        let entropy = Self(SystemRandom::new());
        entropy.bytes::<16>()?;
        Ok(entropy)
    }

    pub(crate) fn bytes<const N: usize>(&self) -> Result<[u8; N], DevKeysError> {
        let mut bytes = [0; N];
        self.0
            .fill(&mut bytes)
            .map_err(|_| DevKeysError::EntropyUnavailable)?;
        Ok(bytes)
    }

    pub(crate) const fn ring(&self) -> &SystemRandom {
        &self.0
    }
}

impl yinxin_sm::Entropy for SystemEntropy {
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), yinxin_sm::EntropyUnavailable> {
        self.0
            .fill(destination)
            .map_err(|_| yinxin_sm::EntropyUnavailable)
    }
}

/// What key generation in the `rsa` crate asks for. Its trait has no way to fail where it is called,
/// so a source that worked when it was opened and stops working ends the process.
impl rand_core::RngCore for SystemEntropy {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.bytes().expect("the source worked when it was opened"))
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.bytes().expect("the source worked when it was opened"))
    }

    fn fill_bytes(&mut self, destination: &mut [u8]) {
        self.0
            .fill(destination)
            .expect("the source worked when it was opened");
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0
            .fill(destination)
            .map_err(|_| rand_core::Error::new("the system gives no randomness"))
    }
}

impl rand_core::CryptoRng for SystemEntropy {}
