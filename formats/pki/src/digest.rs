//! The digests a signature may be made over: SHA-256 and SM3.

use crate::{oid, tlv};

/// A digest algorithm of a signed document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// SHA-256 (FIPS 180-4), beside RSA and ECDSA P-256.
    Sha256,
    /// SM3 (GB/T 32905), beside SM2.
    Sm3,
}

impl DigestAlgorithm {
    /// Every algorithm, for callers that prepare all digests in one pass.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sm3];

    /// The 32-byte digest of `bytes`.
    pub fn digest(&self, bytes: &[u8]) -> Vec<u8> {
        let mut digester = self.start();
        digester.update(bytes);
        digester.finish()
    }

    /// A digest over bytes that come piece by piece.
    pub fn start(&self) -> Digester {
        Digester(match self {
            Self::Sha256 => State::Sha256(ring::digest::Context::new(&ring::digest::SHA256)),
            Self::Sm3 => State::Sm3(yinxin_sm::Sm3::new()),
        })
    }

    /// The object identifier, dotted.
    pub const fn oid(&self) -> &'static str {
        match self {
            Self::Sha256 => oid::SHA256,
            Self::Sm3 => oid::SM3,
        }
    }

    /// The algorithm with this object identifier, if it is one of ours.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.oid() == oid)
    }

    /// Octets of the digest: 32 for both.
    pub const fn output_len(&self) -> usize {
        match self {
            Self::Sha256 | Self::Sm3 => 32,
        }
    }

    /// The DER `AlgorithmIdentifier`, parameters absent (RFC 5754 2, GB/T 33560).
    pub fn algorithm_identifier_der(&self) -> Vec<u8> {
        tlv::sequence(&[&tlv::oid(self.oid())])
    }
}

/// A digest in the making; see [`DigestAlgorithm::start`].
#[derive(Clone)]
pub struct Digester(State);

#[derive(Clone)]
enum State {
    Sha256(ring::digest::Context),
    Sm3(yinxin_sm::Sm3),
}

impl Digester {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(context) => context.update(bytes),
            State::Sm3(sm3) => sm3.update(bytes),
        }
    }

    /// The digest of everything taken.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Sha256(context) => context.finish().as_ref().to_vec(),
            State::Sm3(sm3) => sm3.finalize().to_vec(),
        }
    }
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self.0 {
            State::Sha256(_) => "Digester(SHA-256)",
            State::Sm3(_) => "Digester(SM3)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_give_the_digest_of_the_whole() {
        for algorithm in DigestAlgorithm::ALL {
            let mut digester = algorithm.start();
            digester.update(b"a");
            digester.update(b"");
            digester.update(b"bc");
            assert_eq!(digester.finish(), algorithm.digest(b"abc"), "{algorithm:?}");
            assert_eq!(algorithm.digest(b"abc").len(), algorithm.output_len());
            assert_eq!(DigestAlgorithm::from_oid(algorithm.oid()), Some(algorithm));
        }
    }
}
