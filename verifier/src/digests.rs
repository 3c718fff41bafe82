//! Digests over all covered byte ranges in one pass over the file.
//!
//! The signatures of one file cover nearly the same bytes, each longer than the one before. So the
//! file is read once; where a signature's first range ends, the running state is copied, and only
//! its second range is hashed apart.

use std::ops::Range;

use yinxin_pki::{DigestAlgorithm, Digester};

/// Bytes hashed by one algorithm before the other takes its turn, so that they stay in cache.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many times the file's length may be hashed for second ranges. Honest files need less than
/// one; a file made to keep us busy could ask for one per signature.
const EXTRA_PASSES_MAX: u64 = 4;

/// Small files may use this many bytes whatever their length.
const EXTRA_BYTES_FREE: u64 = 64 * 1024 * 1024;

/// The two ranges one signature covers, and the digest it needs of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) first_end: usize,
    pub(crate) second: Range<usize>,
    pub(crate) algorithm: DigestAlgorithm,
}

/// The digests of a file.
pub(crate) struct FileDigests {
    /// SHA-256 of everything.
    pub(crate) sha256: Vec<u8>,
    /// One per request, in their order; `None` when the budget was spent or the range is outside.
    pub(crate) covered: Vec<Option<Vec<u8>>>,
}

/// Hashes `file` once for all requests.
pub(crate) fn digest_all(file: &[u8], requests: &[Covered]) -> FileDigests {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by_key(|index| requests.get(*index).map(|request| request.first_end));
    let with_sm3 = requests
        .iter()
        .any(|request| request.algorithm == DigestAlgorithm::Sm3);
    // SM3 runs only as far as the last signature that needs it.
    let sm3_end = requests
        .iter()
        .filter(|request| request.algorithm == DigestAlgorithm::Sm3)
        .map(|request| request.first_end)
        .max()
        .unwrap_or(0);
    let mut running = Running {
        sha256: DigestAlgorithm::Sha256.start(),
        sm3: with_sm3.then(|| DigestAlgorithm::Sm3.start()),
        sm3_end,
        at: 0,
    };
    let length = file.len() as u64;
    let mut budget = (length * EXTRA_PASSES_MAX).max(EXTRA_BYTES_FREE);
    let mut covered = vec![None; requests.len()];
    for index in order {
        let (Some(request), Some(slot)) = (requests.get(index), covered.get_mut(index)) else {
            continue;
        };
        let Some(second) = file.get(request.second.clone()) else {
            continue;
        };
        if request.first_end > request.second.start {
            continue;
        }
        running.advance(file, request.first_end);
        let Some(left) = budget.checked_sub(second.len() as u64) else {
            continue;
        };
        budget = left;
        *slot = running.state(request.algorithm).map(|mut digester| {
            digester.update(second);
            digester.finish()
        });
    }
    running.advance(file, file.len());
    FileDigests {
        sha256: running.sha256.finish(),
        covered,
    }
}

struct Running {
    sha256: Digester,
    sm3: Option<Digester>,
    sm3_end: usize,
    at: usize,
}

impl Running {
    /// Takes the bytes up to `end`.
    fn advance(&mut self, file: &[u8], end: usize) {
        for chunk in file
            .get(self.at..end)
            .unwrap_or_default()
            .chunks(CHUNK_BYTES)
        {
            self.sha256.update(chunk);
            if self.at < self.sm3_end
                && let Some(sm3) = &mut self.sm3
            {
                sm3.update(chunk);
            }
            self.at += chunk.len();
        }
    }

    fn state(&self, algorithm: DigestAlgorithm) -> Option<Digester> {
        match algorithm {
            DigestAlgorithm::Sha256 => Some(self.sha256.clone()),
            DigestAlgorithm::Sm3 => self.sm3.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_gives_what_hashing_each_signature_apart_gives() {
        let file: Vec<u8> = (0..300_000_u32)
            .map(|number| (number % 251) as u8)
            .collect();
        let request = |first_end, second, algorithm| Covered {
            first_end,
            second,
            algorithm,
        };
        let requests = [
            request(250_000, 260_000..300_000, DigestAlgorithm::Sha256),
            request(100, 200..1_000, DigestAlgorithm::Sm3),
            request(130_000, 131_000..200_000, DigestAlgorithm::Sm3),
            request(130_000, 131_000..200_000, DigestAlgorithm::Sha256),
            request(0, 0..300_000, DigestAlgorithm::Sm3),
        ];
        let digests = digest_all(&file, &requests);
        assert_eq!(digests.sha256, DigestAlgorithm::Sha256.digest(&file));
        for (request, digest) in requests.iter().zip(digests.covered) {
            let mut bytes = file[..request.first_end].to_vec();
            bytes.extend_from_slice(&file[request.second.clone()]);
            assert_eq!(
                digest,
                Some(request.algorithm.digest(&bytes)),
                "{request:?}"
            );
        }
    }

    #[test]
    fn ranges_outside_the_file_give_no_digest() {
        let request = |first_end, second| Covered {
            first_end,
            second,
            algorithm: DigestAlgorithm::Sm3,
        };
        let digests = digest_all(&[0; 100], &[request(10, 50..101), request(60, 50..100)]);
        assert_eq!(digests.covered, [None, None]);
    }
}
