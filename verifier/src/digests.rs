//! Digests over all covered byte ranges in one pass over the file.
//!
//! The signatures of one file cover nearly the same bytes, each longer than the one before. So the
//! file is read once; where a signature's first range ends, the running state is copied, and only
//! its second range is hashed apart. The two algorithms run beside each other on a long file.

use std::ops::Range;
use std::thread;

use yinxin_pki::{DigestAlgorithm, Digester};

/// How many times the file's length may be hashed for second ranges. Honest files need less than
/// one; a file made to keep us busy could ask for one per signature.
const EXTRA_PASSES_MAX: u64 = 4;

/// Small files may use this many bytes whatever their length.
const EXTRA_BYTES_FREE: u64 = 64 * 1024 * 1024;

/// From this length on, a second thread costs less than it saves.
const BESIDE_BYTES_MIN: usize = 1024 * 1024;

/// The digests of a document's first bytes, taken while the rest does not exist yet: of an upload
/// that is still arriving, or of a document that is about to be signed.
#[derive(Clone, Debug)]
pub struct HashedStart {
    length: u64,
    sha256: Digester,
    sm3: Option<Digester>,
}

impl HashedStart {
    /// Digests of nothing yet. SM3 costs several times as much as SHA-256; without it, a signature
    /// that needs it has the whole file hashed at the end.
    #[must_use]
    pub fn new(with_sm3: bool) -> Self {
        Self {
            length: 0,
            sha256: DigestAlgorithm::Sha256.start(),
            sm3: with_sm3.then(|| DigestAlgorithm::Sm3.start()),
        }
    }

    /// Takes the document's next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.sha256.update(bytes);
        if let Some(sm3) = &mut self.sm3 {
            sm3.update(bytes);
        }
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where a pass of `algorithm` over `file` may begin.
    fn pass(&self, algorithm: DigestAlgorithm, file: &[u8]) -> Pass {
        let known = match algorithm {
            DigestAlgorithm::Sha256 => Some(&self.sha256),
            DigestAlgorithm::Sm3 => self.sm3.as_ref(),
        };
        match (usize::try_from(self.length), known) {
            (Ok(at), Some(known)) if at <= file.len() => Pass {
                digester: known.clone(),
                at,
            },
            _ => Pass::from_the_start(algorithm),
        }
    }
}

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
    pub(crate) sha256: [u8; 32],
    /// One per request, in their order; `None` when the budget was spent or the range is outside.
    pub(crate) covered: Vec<Option<Vec<u8>>>,
}

/// Hashes `file`, which begins with the bytes of `start`, once for all requests.
pub(crate) fn digest_all(file: &[u8], start: &HashedStart, requests: &[Covered]) -> FileDigests {
    let granted = granted(file, requests);
    let of = |algorithm: DigestAlgorithm| -> Vec<Granted<'_>> {
        let mut granted = granted.clone();
        granted.retain(|one| one.request.algorithm == algorithm);
        granted
    };
    let (sha256, sm3) = (of(DigestAlgorithm::Sha256), of(DigestAlgorithm::Sm3));
    let sm3_work = || run(file, start, DigestAlgorithm::Sm3, &sm3).0;
    let sha256_work = || {
        let (digests, pass) = run(file, start, DigestAlgorithm::Sha256, &sha256);
        (digests, pass.finish(file))
    };
    let (sm3_digests, (sha256_digests, whole)) = if sm3.is_empty() {
        (Vec::new(), sha256_work())
    } else {
        both(file.len(), sm3_work, sha256_work)
    };
    let mut covered = vec![None; requests.len()];
    for (one, digest) in sm3
        .iter()
        .zip(sm3_digests)
        .chain(sha256.iter().zip(sha256_digests))
    {
        if let Some(slot) = covered.get_mut(one.index) {
            *slot = Some(digest);
        }
    }
    FileDigests {
        sha256: whole.try_into().expect("SHA-256 has 32 bytes"),
        covered,
    }
}

/// Runs two pieces of work, beside each other if the file is long and the system gives a thread.
fn both<A: Send, B>(length: usize, one: impl Fn() -> A + Sync, other: impl Fn() -> B) -> (A, B) {
    if length < BESIDE_BYTES_MIN {
        return (one(), other());
    }
    thread::scope(|scope| {
        let beside = thread::Builder::new().spawn_scoped(scope, &one);
        let other = other();
        let one = match beside.map(|beside| beside.join()) {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => one(),
        };
        (one, other)
    })
}

/// A request that fits the file and the budget.
#[derive(Clone)]
struct Granted<'f> {
    index: usize,
    request: &'f Covered,
    second: &'f [u8],
}

/// The requests that will be answered, by where their first ranges end.
fn granted<'f>(file: &'f [u8], requests: &'f [Covered]) -> Vec<Granted<'f>> {
    let mut granted: Vec<Granted<'_>> = requests
        .iter()
        .enumerate()
        .filter(|(_, request)| request.first_end <= request.second.start)
        .filter_map(|(index, request)| {
            let second = file.get(request.second.clone())?;
            Some(Granted {
                index,
                request,
                second,
            })
        })
        .collect();
    granted.sort_by_key(|one| one.request.first_end);
    let mut budget = (file.len() as u64 * EXTRA_PASSES_MAX).max(EXTRA_BYTES_FREE);
    granted.retain(|one| match budget.checked_sub(one.second.len() as u64) {
        Some(left) => {
            budget = left;
            true
        }
        None => false,
    });
    granted
}

/// The digests of `granted`, all of one algorithm, and the pass that got there.
fn run(
    file: &[u8],
    start: &HashedStart,
    algorithm: DigestAlgorithm,
    granted: &[Granted<'_>],
) -> (Vec<Vec<u8>>, Pass) {
    let mut late = start.pass(algorithm, file);
    // Signatures that end inside the start are older than it.
    let mut early = Pass::from_the_start(algorithm);
    let digests = granted
        .iter()
        .map(|one| {
            let pass = if one.request.first_end < late.at {
                &mut early
            } else {
                &mut late
            };
            pass.advance(file, one.request.first_end);
            let mut digester = pass.digester.clone();
            digester.update(one.second);
            digester.finish()
        })
        .collect();
    (digests, late)
}

/// A digest on its way through the file.
struct Pass {
    digester: Digester,
    at: usize,
}

impl Pass {
    fn from_the_start(algorithm: DigestAlgorithm) -> Self {
        Self {
            digester: algorithm.start(),
            at: 0,
        }
    }

    /// Takes the bytes up to `end`.
    fn advance(&mut self, file: &[u8], end: usize) {
        if let Some(bytes) = file.get(self.at..end) {
            self.digester.update(bytes);
            self.at = end;
        }
    }

    fn finish(mut self, file: &[u8]) -> Vec<u8> {
        self.advance(file, file.len());
        self.digester.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        // Long enough that the two algorithms run beside each other.
        (0..1_200_000_u32)
            .map(|number| (number % 251) as u8)
            .collect()
    }

    #[test]
    fn one_pass_gives_what_hashing_each_signature_apart_gives() {
        let file = file();
        let request = |first_end, second, algorithm| Covered {
            first_end,
            second,
            algorithm,
        };
        let requests = [
            request(1_100_000, 1_110_000..1_200_000, DigestAlgorithm::Sha256),
            request(100, 200..1_000, DigestAlgorithm::Sm3),
            request(130_000, 131_000..200_000, DigestAlgorithm::Sm3),
            request(130_000, 131_000..200_000, DigestAlgorithm::Sha256),
            request(0, 0..300_000, DigestAlgorithm::Sm3),
        ];
        for (with_sm3, started) in [
            (false, 0),
            (true, 50),
            (true, 130_000),
            (false, 130_001),
            (true, 1_150_000),
            (true, 1_200_000),
        ] {
            let mut start = HashedStart::new(with_sm3);
            file[..started]
                .chunks(999)
                .for_each(|piece| start.update(piece));
            assert_eq!(start.length(), started as u64);
            let digests = digest_all(&file, &start, &requests);
            assert_eq!(
                digests.sha256.to_vec(),
                DigestAlgorithm::Sha256.digest(&file)
            );
            for (request, digest) in requests.iter().zip(digests.covered) {
                let mut bytes = file[..request.first_end].to_vec();
                bytes.extend_from_slice(&file[request.second.clone()]);
                assert_eq!(
                    digest,
                    Some(request.algorithm.digest(&bytes)),
                    "{request:?} after a start of {started} bytes"
                );
            }
        }
    }

    #[test]
    fn ranges_outside_the_file_give_no_digest() {
        let request = |first_end, second| Covered {
            first_end,
            second,
            algorithm: DigestAlgorithm::Sm3,
        };
        let requests = [request(10, 50..101), request(60, 50..100)];
        let digests = digest_all(&[0; 100], &HashedStart::new(true), &requests);
        assert_eq!(digests.covered, [None, None]);
    }

    #[test]
    fn a_start_longer_than_the_file_is_not_used() {
        let mut start = HashedStart::new(true);
        start.update(&[1; 200]);
        let digests = digest_all(&[0; 100], &start, &[]);
        assert_eq!(
            digests.sha256.to_vec(),
            DigestAlgorithm::Sha256.digest(&[0; 100])
        );
    }

    #[test]
    fn second_ranges_beyond_the_budget_give_no_digest() {
        let file = vec![0; 1_000_000];
        let request = Covered {
            first_end: 0,
            second: 0..1_000_000,
            algorithm: DigestAlgorithm::Sha256,
        };
        let requests = vec![request; 100];
        let digests = digest_all(&file, &HashedStart::new(false), &requests);
        let given = digests.covered.iter().flatten().count();
        assert_eq!(given as u64, EXTRA_BYTES_FREE / 1_000_000);
    }
}
