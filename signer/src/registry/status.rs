//! What a seal is at a moment, and which seals ended between two.

use std::collections::BTreeSet;

use yinxin_pki::UnixSeconds;
use yinxin_verifier::SealStanding;

use super::{SealRecord, Version};

/// The state of a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealState {
    /// Applied for (已申请).
    Applied,
    /// Refused (不予批准); final.
    Rejected,
    /// Approved (已批准).
    Approved,
    /// Made (已制作).
    Made,
    /// Filed (已备案).
    Filed,
    /// In use (有效).
    Active,
    /// In use, but its validity has not begun.
    NotYetValid,
    /// In use, but its validity, or its certificate's, is over (过期).
    Expired,
    /// Out of use for a time (停用).
    Suspended,
    /// Reported lost (挂失).
    Lost,
    /// Ended at the owner's wish (注销); final.
    Cancelled,
    /// Ended as a penalty (吊销); final.
    Revoked,
    /// Should never have been (撤销); final.
    Withdrawn,
}

impl SealState {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Approved => "approved",
            Self::Made => "made",
            Self::Filed => "filed",
            Self::Active => "active",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
            Self::Revoked => "revoked",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Rejected | Self::Cancelled | Self::Revoked | Self::Withdrawn => true,
            Self::Applied
            | Self::Approved
            | Self::Made
            | Self::Filed
            | Self::Active
            | Self::NotYetValid
            | Self::Expired
            | Self::Suspended
            | Self::Lost => false,
        }
    }

    /// Whether the seal has been in use and may be again.
    pub(super) fn was_active(self) -> bool {
        matches!(self, Self::Active | Self::Suspended | Self::Lost)
    }
}

/// What one event made of a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: UnixSeconds,
    pub(super) state: SealState,
    pub(super) active: Option<u32>,
    pub(super) reason: String,
}

/// A seal at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealStatus {
    /// The moment.
    pub at: UnixSeconds,
    /// What the seal was then.
    pub state: SealState,
    /// The version in use then, if any.
    pub version: Option<u32>,
    /// When it became so.
    pub since: UnixSeconds,
}

impl SealStatus {
    /// Whether a signature made at that moment was made with a seal in force: sealStatus 0 of
    /// national seal reporting; everything else is 1.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.state == SealState::Active
    }
}

impl SealRecord {
    /// What the seal was at a moment; none before its application. An event holds from its own
    /// second on.
    #[must_use]
    pub fn status_at(&self, at: UnixSeconds) -> Option<SealStatus> {
        let moment = self.timeline.iter().rev().find(|moment| moment.at <= at)?;
        let (mut state, mut since) = (moment.state, moment.at);
        if state == SealState::Active
            && let Some(version) = self.version(moment.active)
        {
            if at < version.valid_from {
                state = SealState::NotYetValid;
            } else if at > version.valid_until {
                state = SealState::Expired;
                since = UnixSeconds(version.valid_until.0.saturating_add(1));
            } else {
                since = since.max(version.valid_from);
            }
        }
        Some(SealStatus {
            at,
            state,
            version: moment.active,
            since,
        })
    }

    /// As [`SealRecord::status_at`], for one signer's certificate: valid only while the version in
    /// use permitted it.
    #[must_use]
    pub fn permits_at(&self, certificate_sha256: &[u8; 32], at: UnixSeconds) -> bool {
        self.status_at(at).is_some_and(|status| {
            status.is_valid()
                && self
                    .version(status.version)
                    .is_some_and(|version| version.certificates.contains(certificate_sha256))
        })
    }

    fn version(&self, number: Option<u32>) -> Option<&Version> {
        let number = number?;
        self.versions()
            .iter()
            .find(|version| version.number == number)
    }
}

/// invalidType of national seal reporting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationKind {
    /// 吊销.
    Revoked,
    /// 撤销.
    Withdrawn,
    /// 挂失.
    Lost,
}

impl RevocationKind {
    /// The number on the wire of national reporting.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Revoked => 0,
            Self::Withdrawn => 1,
            Self::Lost => 2,
        }
    }
}

/// One line of a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationEntry {
    /// The seal's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub kind: RevocationKind,
    /// From when on.
    pub at: UnixSeconds,
    /// Why.
    pub reason: String,
}

/// With what a seal signs: esID of the seal object, and SHA-256 of the signer's certificate.
pub type Signer = (String, [u8; 32]);

/// What a seal is to a verifier, for some of what it signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub standing: SealStanding,
    /// Since when.
    pub since: UnixSeconds,
    /// Why; empty where nothing is asked.
    pub reason: String,
    /// What this is said of.
    pub signers: BTreeSet<Signer>,
}

impl SealRecord {
    /// What the seal was at a moment, for every certificate that had been in use under it: lost
    /// ones stay lost when the seal is renewed with others. A certificate that was renewed in good
    /// order shares the seal's fate, because what it signed keeps verifying. Validity in time is
    /// not looked at: seal object and certificate say it themselves.
    #[must_use]
    pub fn standings_at(&self, at: UnixSeconds) -> Vec<Standing> {
        let mut standings = Vec::new();
        let mut signers: BTreeSet<Signer> = BTreeSet::new();
        let mut lost: BTreeSet<Signer> = BTreeSet::new();
        let mut now: Option<&Moment> = None;
        for moment in self.timeline.iter().take_while(|moment| moment.at <= at) {
            let is_new = now.is_none_or(|before| before.state != moment.state);
            let in_use = self.version(moment.active);
            signers.extend(in_use.into_iter().flat_map(Version::signers));
            if !is_new {
                continue;
            }
            now = Some(moment);
            if moment.state == SealState::Lost {
                let newly: BTreeSet<_> = signers.difference(&lost).cloned().collect();
                lost.extend(newly.iter().cloned());
                standings.push(Standing::of(SealStanding::Lost, moment, newly));
            }
        }
        let standing = match now.map(|moment| moment.state) {
            Some(SealState::Active) => SealStanding::Active,
            Some(SealState::Suspended) => SealStanding::Suspended,
            Some(SealState::Cancelled) => SealStanding::Cancelled,
            Some(SealState::Revoked) => SealStanding::Revoked,
            Some(SealState::Withdrawn) => SealStanding::Withdrawn,
            // Entered above.
            Some(SealState::Lost) => return standings,
            Some(
                SealState::Applied
                | SealState::Rejected
                | SealState::Approved
                | SealState::Made
                | SealState::Filed
                // Never a state of its own in the timeline.
                | SealState::NotYetValid
                | SealState::Expired,
            )
            | None => return standings,
        };
        let rest: BTreeSet<_> = signers.difference(&lost).cloned().collect();
        if let Some(moment) = now
            && !rest.is_empty()
        {
            standings.push(Standing::of(standing, moment, rest));
        }
        standings
    }
}

impl Standing {
    fn of(standing: SealStanding, moment: &Moment, signers: BTreeSet<Signer>) -> Self {
        Self {
            standing,
            since: moment.at,
            reason: moment.reason.clone(),
            signers,
        }
    }
}

/// The seals revoked, withdrawn or reported lost from `from` to `to`, both included, oldest first.
/// A seal that was cancelled at its owner's wish is on no such list; its status says so.
#[must_use]
pub fn revocations<'a>(
    records: impl IntoIterator<Item = &'a SealRecord>,
    from: UnixSeconds,
    to: UnixSeconds,
) -> Vec<RevocationEntry> {
    let mut entries = Vec::new();
    for record in records {
        let mut before = None;
        for moment in &record.timeline {
            let kind = match moment.state {
                SealState::Revoked => Some(RevocationKind::Revoked),
                SealState::Withdrawn => Some(RevocationKind::Withdrawn),
                SealState::Lost => Some(RevocationKind::Lost),
                SealState::Applied
                | SealState::Rejected
                | SealState::Approved
                | SealState::Made
                | SealState::Filed
                | SealState::Active
                | SealState::NotYetValid
                | SealState::Expired
                | SealState::Suspended
                | SealState::Cancelled => None,
            };
            // A renewal applied for while the seal is lost leaves it lost: not a second loss.
            if let Some(kind) = kind
                && before != Some(moment.state)
                && (from..=to).contains(&moment.at)
            {
                entries.push(RevocationEntry {
                    code: record.application().code.clone(),
                    name: record.application().name.clone(),
                    kind,
                    at: moment.at,
                    reason: moment.reason.clone(),
                });
            }
            before = Some(moment.state);
        }
    }
    entries.sort_by(|left, right| (left.at, &left.code).cmp(&(right.at, &right.code)));
    entries
}
