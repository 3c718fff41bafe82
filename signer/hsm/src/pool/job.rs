//! A signature that somebody waits for.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use yinxin_signer::keys::KeyStoreError;

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const ANSWERED: u8 = 2;

/// What the caller gets.
pub(super) type Answer = Result<Vec<u8>, KeyStoreError>;

/// A signature that somebody waits for. It is answered once.
pub(super) struct Job {
    pub(super) key: usize,
    pub(super) message: Vec<u8>,
    pub(super) asked: Instant,
    pub(super) deadline: Instant,
    stage: AtomicU8,
    attempts: AtomicU8,
    answer: Sender<Answer>,
}

impl Job {
    pub(super) fn new(
        key: usize,
        message: &[u8],
        asked: Instant,
        deadline: Instant,
        answer: Sender<Answer>,
    ) -> Self {
        Self {
            key,
            message: message.to_vec(),
            asked,
            deadline,
            stage: AtomicU8::new(WAITING),
            attempts: AtomicU8::new(0),
            answer,
        }
    }

    /// Takes the job to work on it; false when its caller has gone.
    pub(super) fn take(&self) -> bool {
        let taken = self.step(WAITING, TAKEN);
        if taken {
            self.attempts.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Puts a job that was taken back in line; false when its caller has gone.
    pub(super) fn put_back(&self) -> bool {
        self.step(TAKEN, WAITING)
    }

    /// Answers, unless somebody has.
    pub(super) fn answer(&self, answer: Answer) {
        if self.stage.swap(ANSWERED, Ordering::AcqRel) != ANSWERED {
            // A caller that has gone needs no answer.
            let _ = self.answer.send(answer);
        }
    }

    /// The caller goes away: true if the job was still in line.
    pub(super) fn abandon(&self) -> bool {
        self.stage.swap(ANSWERED, Ordering::AcqRel) == WAITING
    }

    /// Whether its caller waits and no session has taken it.
    pub(super) fn is_waiting(&self) -> bool {
        self.stage.load(Ordering::Acquire) == WAITING
    }

    /// Whether its caller has an answer, or has gone.
    pub(super) fn is_answered(&self) -> bool {
        self.stage.load(Ordering::Acquire) == ANSWERED
    }

    /// How many sessions it was tried on.
    pub(super) fn attempts(&self) -> u8 {
        self.attempts.load(Ordering::Relaxed)
    }

    fn step(&self, from: u8, to: u8) -> bool {
        self.stage
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}
