//! The places between two steps of the road, as tests see them.

/// A place on the road of a request, named by what has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The request is open in the record.
    RequestOpened,
    /// A licence's number is reserved.
    NumberReserved,
    /// The update is prepared; nothing is recorded of it.
    Prepared,
    /// The intent is durable.
    IntentRecorded,
    /// The key was used.
    Signed,
    /// Our verifier has agreed.
    SelfChecked,
    /// A long document is in its folder; a short one goes into the record with the release.
    DocumentStored,
    /// Outcome and release are durable; the answer has not left.
    Released,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 8] = [
        Self::RequestOpened,
        Self::NumberReserved,
        Self::Prepared,
        Self::IntentRecorded,
        Self::Signed,
        Self::SelfChecked,
        Self::DocumentStored,
        Self::Released,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestOpened => "request-opened",
            Self::NumberReserved => "number-reserved",
            Self::Prepared => "prepared",
            Self::IntentRecorded => "intent-recorded",
            Self::Signed => "signed",
            Self::SelfChecked => "self-checked",
            Self::DocumentStored => "document-stored",
            Self::Released => "released",
        }
    }
}

/// Told of every step. Production listens to nothing; the crash test ends the process.
pub trait Checkpoints: Send + Sync {
    /// A step is done.
    fn reached(&self, step: Step);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCheckpoints;

impl Checkpoints for NoCheckpoints {
    fn reached(&self, _: Step) {}
}
