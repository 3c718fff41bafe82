//! Digests of a document that grows only at its end.
//!
//! A sealed document is its original plus a tail, so the original's bytes need hashing once:
//! the state after them is cloned for each question.

use std::sync::mpsc::sync_channel;

use ring::digest::{Context, SHA256};
use yinxin_pki::DigestAlgorithm;
use yinxin_sm::Sm3;

/// How many pieces SM3 may lag behind in [`PrefixDigests::update_all`].
const PIECES_AHEAD: usize = 8;

/// Running digests over the bytes seen so far.
#[derive(Clone)]
pub struct PrefixDigests {
    length: u64,
    sha256: Context,
    sm3: Option<Sm3>,
}

impl std::fmt::Debug for PrefixDigests {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PrefixDigests")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl PrefixDigests {
    /// Digests of nothing yet. SHA-256 always runs, it names the document; SM3 costs several
    /// times as much and runs only where an SM2 profile will want it.
    #[must_use]
    pub fn new(with_sm3: bool) -> Self {
        Self {
            length: 0,
            sha256: Context::new(&SHA256),
            sm3: with_sm3.then(Sm3::new),
        }
    }

    /// The next bytes of the document.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.sha256.update(bytes);
        if let Some(sm3) = &mut self.sm3 {
            sm3.update(bytes);
        }
    }

    /// Takes no SM3 of what comes now; nobody will ask for it.
    pub fn end_sm3(&mut self) {
        self.sm3 = None;
    }

    /// The pieces that `give` hands over, in their order, with SM3 on a thread of its own while
    /// it runs: the slower digest then costs no more time than reading and the other one.
    ///
    /// # Errors
    /// Those of `give`, after which the digests are of no use.
    pub fn update_all<P, E>(
        &mut self,
        give: impl FnOnce(&mut dyn FnMut(P)) -> Result<(), E>,
    ) -> Result<(), E>
    where
        P: AsRef<[u8]> + Clone + Send,
    {
        let (length, sha256) = (&mut self.length, &mut self.sha256);
        let mut first = |piece: &[u8]| {
            *length += piece.len() as u64;
            sha256.update(piece);
        };
        let Some(sm3) = &mut self.sm3 else {
            return give(&mut |piece| first(piece.as_ref()));
        };
        std::thread::scope(|scope| {
            let (pieces, arriving) = sync_channel::<P>(PIECES_AHEAD);
            scope.spawn(move || {
                for piece in arriving {
                    sm3.update(piece.as_ref());
                }
            });
            give(&mut |piece| {
                // The other end is gone only if its thread panicked, and then so does the scope.
                let _ = pieces.send(piece.clone());
                first(piece.as_ref());
            })
        })
    }

    /// How many bytes were seen.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// SHA-256 of the bytes seen.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.sha256.clone().finish().as_ref());
        digest
    }

    /// The digest of the bytes seen followed by `parts`; none when that algorithm was not run.
    #[must_use]
    pub fn digest(&self, algorithm: DigestAlgorithm, parts: &[&[u8]]) -> Option<Vec<u8>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let mut context = self.sha256.clone();
                parts.iter().for_each(|part| context.update(part));
                Some(context.finish().as_ref().to_vec())
            }
            DigestAlgorithm::Sm3 => {
                let mut context = self.sm3.clone()?;
                parts.iter().for_each(|part| context.update(part));
                Some(context.finalize().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_handed_over_give_what_pieces_one_by_one_give() {
        for with_sm3 in [false, true] {
            let mut one_by_one = PrefixDigests::new(with_sm3);
            let mut all = PrefixDigests::new(with_sm3);
            let pieces: Vec<Vec<u8>> = (0..40_u8)
                .map(|piece| vec![piece; usize::from(piece) * 97])
                .collect();
            pieces.iter().for_each(|piece| one_by_one.update(piece));
            let given = all.update_all(|take| {
                pieces.iter().for_each(take);
                Ok::<_, ()>(())
            });
            assert_eq!(given, Ok(()));
            assert_eq!(all.length(), one_by_one.length());
            assert_eq!(all.sha256(), one_by_one.sha256());
            let sm3 = |digests: &PrefixDigests| digests.digest(DigestAlgorithm::Sm3, &[b"tail"]);
            assert_eq!(sm3(&all), sm3(&one_by_one));
            assert_eq!(sm3(&all).is_some(), with_sm3);
        }
    }

    #[test]
    fn an_error_while_pieces_are_handed_over_comes_back() {
        let given = PrefixDigests::new(true).update_all(|take| {
            take(b"one");
            Err("the stream broke off")
        });
        assert_eq!(given, Err("the stream broke off"));
    }
}
