//! Nonces prepared ahead: most of a signature's work, done for many at once.

use crate::{
    Entropy, Error, SecretKey, Signature,
    arithmetic::{Arithmetic, BATCH, Job, Scalar, multiples_of_g, run},
    declassify::declassify,
    secret_key::nonce,
    sm3::Sm3,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Two batches: what two threads that found the pool empty at the same time bring.
const NONCES_MAX: usize = 2 * BATCH;

/// Places where threads keep the nonces that they will use next; more threads share them.
const HANDS: usize = 8;

/// How many nonces a thread takes out of the pool at a time.
const HANDFUL: usize = 32;

/// A signature that wants another nonce has probability 2^-254.
const ATTEMPTS_MAX: usize = 4;

/// Keeps these nonces apart from those of [`SecretKey::sign_digest`].
const LABEL: &[u8; 32] = b"Yinxin SM2 nonce, prepared ahead";

/// A secret key with a pool of nonces whose points are computed already, 512 at a time.
///
/// A signature then costs a few multiplications, and a batch costs about half of what as many
/// single signatures do. The nonces come from the key, a counter and a fresh seed for each
/// batch; not from the message, which is not known yet. Each is used once and wiped; all are
/// wiped with the context, and in the child after a fork. A copy of the whole machine's memory
/// (a snapshot resumed twice) cannot be noticed: where that can happen, sign with
/// [`SecretKey::sign_digest`], whose nonces depend on the message.
///
/// ```
/// # struct Chance(u8);
/// # impl yinxin_sm::Entropy for Chance {
/// #     fn fill(&mut self, to: &mut [u8]) -> Result<(), yinxin_sm::EntropyUnavailable> {
/// #         for byte in to { self.0 = self.0.wrapping_mul(5).wrapping_add(3); *byte = self.0; }
/// #         Ok(())
/// #     }
/// # }
/// # let mut entropy = Chance(1);
/// let key = yinxin_sm::SecretKey::from_bytes(&[1; 32])?;
/// let context = yinxin_sm::SigningContext::new(key.into());
/// let signature = context.sign_digest(&[7; 32], &mut entropy)?;
/// context.secret_key().public_key().verify_digest(&[7; 32], &signature)?;
/// # Ok::<(), yinxin_sm::Error>(())
/// ```
pub struct SigningContext {
    key: Arc<SecretKey>,
    /// SM3 that has taken in d and the label.
    nonces: Sm3,
    /// Counts batches, so that no two have the same input even if the seed repeats.
    batches: AtomicU64,
    pool: Pool,
    /// A handful of the pool for each thread, so that threads meet at the pool once in
    /// [`HANDFUL`] signatures only.
    hands: [Pool; HANDS],
}

/// Nonces behind a lock, on cache lines of their own.
#[repr(align(128))]
struct Pool(Mutex<Nonces>);

struct Nonces {
    /// The process that put them there.
    process: u32,
    /// Never grows, so that no old buffer stays behind with nonces in it.
    ready: VecDeque<Nonce>,
}

/// k and x1 of k G mod n; used once.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
struct Nonce {
    k: Scalar,
    x1: Scalar,
}

impl Nonce {
    /// Moves it out and leaves zeros behind.
    fn take(&mut self) -> Self {
        let mut nonce = Self::default();
        std::mem::swap(self, &mut nonce);
        nonce
    }
}

impl SigningContext {
    /// An empty pool for `key`; the first signature fills it.
    #[must_use]
    pub fn new(key: Arc<SecretKey>) -> Self {
        let mut nonces = Sm3::new();
        nonces.update(key.to_bytes().as_ref());
        nonces.update(LABEL);
        Self {
            key,
            nonces,
            batches: AtomicU64::new(0),
            pool: Pool::new(NONCES_MAX),
            hands: core::array::from_fn(|_| Pool::new(HANDFUL)),
        }
    }

    /// The key.
    #[must_use]
    pub fn secret_key(&self) -> &SecretKey {
        &self.key
    }

    /// How many nonces are ready.
    #[must_use]
    pub fn ready(&self) -> usize {
        let pools = self.hands.iter().chain([&self.pool]);
        pools.map(|pool| pool.open().ready.len()).sum()
    }

    /// Fills the pool with a batch if it holds less than one: for idle moments. A batch of 512
    /// takes two to four milliseconds, which otherwise fall on one of 512 signatures.
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`]; [`Error::FaultDetected`].
    pub fn prepare(&self, entropy: &mut dyn Entropy) -> Result<(), Error> {
        if self.ready() < BATCH {
            let batch = self.batch(entropy)?;
            self.pool.open().keep(batch);
        }
        Ok(())
    }

    /// Signs `message` under the identifier `distid` (GB/T 32918.2, 6.1).
    ///
    /// # Errors
    /// As [`SigningContext::sign_digest`]; [`Error::DistidTooLong`].
    pub fn sign(
        &self,
        distid: &[u8],
        message: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Signature, Error> {
        let digest = self.key.public_key().message_digest(distid, message)?;
        self.sign_digest(&digest, entropy)
    }

    /// Signs the digest e = SM3(Z ‖ M) with a prepared nonce. `entropy` is asked only when the
    /// pool is empty, for the seed of the next batch.
    ///
    /// # Errors
    /// [`Error::EntropyUnavailable`]; [`Error::FaultDetected`].
    pub fn sign_digest(
        &self,
        digest: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Signature, Error> {
        let e = Scalar::reduce_bytes(digest);
        for _ in 0..ATTEMPTS_MAX {
            let nonce = self.take(entropy)?;
            if let Some(signature) = self.key.sign_with_point(&e, &nonce.k, &nonce.x1)? {
                return Ok(signature);
            }
        }
        Err(Error::NoncesExhausted)
    }

    /// A nonce out of this thread's hand, which is filled out of the pool. An empty pool is
    /// filled without holding a lock: threads that find it empty together work side by side.
    fn take(&self, entropy: &mut dyn Entropy) -> Result<Nonce, Error> {
        let hand = self.hand();
        if let Some(nonce) = hand.open().take() {
            return Ok(nonce);
        }
        if let Some(nonce) = self.pool.open().hand_over(&mut hand.open()) {
            return Ok(nonce);
        }
        let mut batch = self.batch(entropy)?;
        let own = batch.last_mut().map(Nonce::take);
        batch.pop();
        self.pool.open().keep(batch);
        own.ok_or(Error::NoncesExhausted)
    }

    /// This thread's; threads take turns when they sign for the first time.
    #[expect(clippy::indexing_slicing, reason = "a remainder by their number")]
    fn hand(&self) -> &Pool {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static OWN: usize = THREADS.fetch_add(1, Ordering::Relaxed) % HANDS;
        }
        &self.hands[OWN.with(|own| *own)]
    }

    /// k = SM3(d ‖ label ‖ seed ‖ batch ‖ index ‖ process), and its point, which must be on the curve.
    /// An index whose k is n or more (one in 2^32) gives none.
    fn batch(&self, entropy: &mut dyn Entropy) -> Result<Vec<Nonce>, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut())?;
        let batch = self.batches.fetch_add(1, Ordering::Relaxed);
        // A child counts on from where its parent stood.
        let process = std::process::id();
        let mut scalars = Zeroizing::new(Vec::with_capacity(BATCH));
        for index in 0..BATCH as u64 {
            let mut hash = self.nonces.clone();
            hash.update(seed.as_ref());
            hash.update(&batch.to_be_bytes());
            hash.update(&index.to_be_bytes());
            hash.update(&process.to_be_bytes());
            scalars.extend(nonce(hash).map(|k| *k));
        }
        run(Batch(&scalars))
    }
}

impl Pool {
    fn new(capacity: usize) -> Self {
        Self(Mutex::new(Nonces {
            process: 0,
            ready: VecDeque::with_capacity(capacity),
        }))
    }

    /// The nonces; none when another process put them there. No secret is left half changed by a
    /// panic while the lock is held, so poison does not matter.
    fn open(&self) -> MutexGuard<'_, Nonces> {
        let process = std::process::id();
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.process != process {
            nonces.ready.clear();
            nonces.process = process;
        }
        nonces
    }
}

impl Nonces {
    fn take(&mut self) -> Option<Nonce> {
        let nonce = self.ready.front_mut().map(Nonce::take);
        self.ready.pop_front();
        nonce
    }

    /// One to use at once, and a handful for later, as far as there is room in `hand`.
    fn hand_over(&mut self, hand: &mut Self) -> Option<Nonce> {
        let own = self.take();
        while hand.ready.len() + 1 < HANDFUL {
            let Some(nonce) = self.take() else { break };
            hand.ready.push_back(nonce);
        }
        own
    }

    /// Adds a batch; what has no room is wiped.
    fn keep(&mut self, mut batch: Vec<Nonce>) {
        let room = NONCES_MAX.saturating_sub(self.ready.len());
        self.ready
            .extend(batch.iter_mut().take(room).map(Nonce::take));
    }
}

impl Drop for SigningContext {
    fn drop(&mut self) {
        // The pool's nonces wipe themselves.
        self.nonces.wipe();
    }
}

impl std::fmt::Debug for SigningContext {
    /// The public key only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningContext")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

struct Batch<'a>(&'a [Scalar]);

impl Job for Batch<'_> {
    type Output = Result<Vec<Nonce>, Error>;

    fn run<A: Arithmetic>(self) -> Self::Output {
        let points = multiples_of_g::<A>(self.0);
        let mut on_curve = u64::MAX;
        let nonces = self
            .0
            .iter()
            .zip(&points)
            .map(|(k, found)| {
                on_curve &= found.on_curve;
                Nonce {
                    k: *k,
                    x1: Scalar::reduce(&found.point.x.to_canonical::<A>()),
                }
            })
            .collect();
        if declassify(on_curve) == 0 {
            return Err(Error::FaultDetected);
        }
        Ok(nonces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntropyUnavailable;

    /// The same bytes again and again, for so many calls.
    struct Stuck(usize);

    impl Entropy for Stuck {
        fn fill(&mut self, destination: &mut [u8]) -> Result<(), EntropyUnavailable> {
            self.0 = self.0.checked_sub(1).ok_or(EntropyUnavailable)?;
            destination.fill(0x5a);
            Ok(())
        }
    }

    fn context() -> SigningContext {
        SigningContext::new(Arc::new(SecretKey::from_bytes(&[3; 32]).unwrap()))
    }

    #[test]
    fn a_source_that_repeats_itself_gives_no_nonce_twice() {
        let context = context();
        let mut seen = std::collections::HashSet::new();
        let mut entropy = Stuck(3);
        for _ in 0..3 * BATCH {
            let signature = context.sign_digest(&[9; 32], &mut entropy).unwrap();
            context
                .secret_key()
                .public_key()
                .verify_digest(&[9; 32], &signature)
                .unwrap();
            assert!(seen.insert(signature.to_raw()), "a nonce came twice");
        }
        assert_eq!(
            context.sign_digest(&[9; 32], &mut entropy),
            Err(EntropyUnavailable.into())
        );
    }

    #[test]
    fn another_process_starts_with_an_empty_pool() {
        let context = context();
        context.prepare(&mut Stuck(1)).unwrap();
        assert_eq!(context.ready(), BATCH);
        // So that some are in a hand.
        context.sign_digest(&[1; 32], &mut Stuck(0)).unwrap();
        assert_eq!(context.ready(), BATCH - 1);
        // What a child sees after a fork: nonces of a process that is not its own.
        for pool in context.hands.iter().chain([&context.pool]) {
            pool.0.lock().unwrap().process = std::process::id().wrapping_add(1);
        }
        assert_eq!(context.ready(), 0);
        assert!(context.sign_digest(&[1; 32], &mut Stuck(0)).is_err());
    }

    #[test]
    fn preparing_stops_at_a_batch_and_the_pool_at_two() {
        let context = context();
        let mut entropy = Stuck(8);
        for _ in 0..3 {
            context.prepare(&mut entropy).unwrap();
        }
        assert_eq!((context.ready(), entropy.0), (BATCH, 7));
        for _ in 0..3 {
            let batch = context.batch(&mut entropy).unwrap();
            context.pool.open().keep(batch);
        }
        assert_eq!(context.ready(), NONCES_MAX);
    }

    #[test]
    fn many_threads_share_a_pool_without_sharing_a_nonce() {
        let context = context();
        let signatures: Vec<[u8; 64]> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut entropy = Stuck(100);
                        (0..400)
                            .map(|_| {
                                context
                                    .sign_digest(&[9; 32], &mut entropy)
                                    .unwrap()
                                    .to_raw()
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        let distinct: std::collections::HashSet<_> = signatures.iter().collect();
        assert_eq!(distinct.len(), 1600);
    }

    #[test]
    fn the_nonce_points_are_those_of_the_nonces() {
        let context = context();
        for nonce in context.batch(&mut Stuck(1)).unwrap() {
            let point = crate::arithmetic::multiple_of_g::<crate::arithmetic::Portable>(&nonce.k);
            let x = point.coordinates::<crate::arithmetic::Portable>().0;
            assert_eq!(Scalar::reduce_bytes(&x), nonce.x1);
        }
    }
}
