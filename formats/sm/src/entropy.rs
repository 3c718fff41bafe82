//! Chance, from outside.

/// There is no randomness to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness gave nothing usable")]
pub struct EntropyUnavailable;

/// A source of random bytes fit for keys and signatures.
pub trait Entropy {
    /// Fills all of `destination`.
    ///
    /// # Errors
    /// [`EntropyUnavailable`]; what `destination` holds then must not be used.
    fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable>;
}
