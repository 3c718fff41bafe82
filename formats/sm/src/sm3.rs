//! SM3 (GB/T 32905-2016), streaming.

use ::sm3::Digest as _;

/// An SM3 digest in the making.
///
/// ```
/// let mut digest = yinxin_sm::Sm3::new();
/// digest.update(b"a");
/// digest.update(b"bc");
/// assert_eq!(digest.finalize(), yinxin_sm::sm3(b"abc"));
/// ```
#[derive(Clone, Default)]
pub struct Sm3(::sm3::Sm3);

impl Sm3 {
    /// The digest of nothing, so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next bytes; how a message is cut into pieces makes no difference.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub fn finalize(self) -> [u8; 32] {
        self.0.finalize().into()
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
    ::sm3::Sm3::digest(bytes).into()
}
