//! The status list of a registry of seals: which of its seals are in force, which ended, and when.
//!
//! A signature by a seal that ended is held against the moment of the end. Its own time is only a
//! claim, which whoever holds a lost key can choose; so an earlier claim is not believed by itself
//! (EN 319 102-1, 5.2.6: REVOKED_NO_POE). The list brings the proof of existence that a time stamp
//! would: the digests of the signatures that the registry's signer had recorded by then.
//! docs/seal-status.md has the format.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use yinxin_pki::UnixSeconds;

use crate::container::Surroundings;
use crate::escape::escape;
use crate::finding::{Finding, Steps, failed, not_checked, passed_with, unclear, warning};
use crate::report::{StepId, SubIndication};

/// What `format` must say.
const FORMAT: &str = "yinxin-seal-status-1";

/// The longest file: some 900,000 digests of signatures.
pub const SEAL_STATUS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Certificates of one line. A seal has two, and two more with each renewal.
const CERTIFICATES_MAX: usize = 256;

/// What a seal is, as far as a verifier must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealStanding {
    /// In force (有效).
    Active,
    /// Out of use for a time (停用).
    Suspended,
    /// Ended at the owner's wish (注销).
    Cancelled,
    /// Ended as a penalty (吊销).
    Revoked,
    /// Should never have been (撤销).
    Withdrawn,
    /// Reported lost (挂失).
    Lost,
}

impl SealStanding {
    /// sealStatus of national reporting: 0 in force, 1 not.
    const fn seal_status(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Suspended | Self::Cancelled | Self::Revoked | Self::Withdrawn | Self::Lost => 1,
        }
    }

    /// invalidType of national reporting, which knows three.
    const fn invalid_type(self) -> Option<u8> {
        match self {
            Self::Revoked => Some(0),
            Self::Withdrawn => Some(1),
            Self::Lost => Some(2),
            Self::Active | Self::Suspended | Self::Cancelled => None,
        }
    }
}

/// One line: a seal with certificates of one fate. A seal that was lost and renewed has two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealStatusEntry {
    /// The seal's code, esID of the seal object.
    pub seal_code: String,
    /// The seal's name, for a reader.
    pub seal_name: String,
    seal_status: u8,
    /// What the seal is.
    pub state: SealStanding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invalid_type: Option<u8>,
    /// From when on, if it is not in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Moment>,
    /// Why, if it is not in force; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The signers' certificates that this is said of: 1 to 256.
    pub certificates_sha256: Vec<Sha256>,
    /// The signatures that the registry's signer had recorded by `effective_at`: SHA-256 of each
    /// container, which is the DER in /Contents without the padding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded_signatures_sha256: Vec<Sha256>,
}

impl SealStatusEntry {
    /// A line as the registry writes it; `since` counts unless the seal is in force.
    #[must_use]
    pub fn new(
        [seal_code, seal_name]: [&str; 2],
        (state, since, reason): (SealStanding, UnixSeconds, &str),
        certificates: impl IntoIterator<Item = [u8; 32]>,
        recorded: impl IntoIterator<Item = [u8; 32]>,
    ) -> Self {
        let ended = state != SealStanding::Active;
        Self {
            seal_code: seal_code.to_owned(),
            seal_name: seal_name.to_owned(),
            seal_status: state.seal_status(),
            state,
            invalid_type: state.invalid_type(),
            effective_at: ended.then_some(Moment(since)),
            reason: if ended {
                reason.to_owned()
            } else {
                String::new()
            },
            certificates_sha256: certificates.into_iter().map(Sha256).collect(),
            recorded_signatures_sha256: recorded.into_iter().map(Sha256).collect(),
        }
    }

    fn check(&self, as_of: UnixSeconds) -> Result<(), SealStatusError> {
        let refuse = |rule| {
            Err(SealStatusError::Line {
                seal_code: escape(&self.seal_code),
                rule,
            })
        };
        if self.seal_code.is_empty() || self.seal_code.len() > 64 {
            return refuse("seal_code must have 1 to 64 characters");
        }
        if self.seal_status != self.state.seal_status() {
            return refuse("seal_status must be 0 for active and 1 for the rest");
        }
        if self.invalid_type != self.state.invalid_type() {
            return refuse(
                "invalid_type must be 0 for revoked, 1 for withdrawn, 2 for lost, and absent for \
                 the rest",
            );
        }
        match (self.state, self.effective_at) {
            (SealStanding::Active, None) => {}
            (SealStanding::Active, Some(_)) => return refuse("active has no effective_at"),
            (_, Some(moment)) if moment.0 <= as_of => {}
            (_, Some(_) | None) => {
                return refuse("effective_at must be given, and not be after as_of");
            }
        }
        if self.state == SealStanding::Active && !self.recorded_signatures_sha256.is_empty() {
            return refuse("active has no recorded_signatures_sha256");
        }
        if !(1..=CERTIFICATES_MAX).contains(&self.certificates_sha256.len()) {
            return refuse("certificates_sha256 must hold 1 to 256 digests");
        }
        Ok(())
    }
}

/// A SHA-256 digest; lower-case hexadecimal in text and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl std::fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        base16ct::lower::decode_vec(text)
            .ok()
            .and_then(|digest| digest.try_into().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a digest must be 64 lower-case hexadecimals"))
    }
}

/// A moment; RFC 3339 in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub UnixSeconds);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        UnixSeconds::parse_rfc3339(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a moment must be like 2026-11-22T08:00:00Z"))
    }
}

/// Why a status list is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealStatusError {
    /// Too long to be read.
    #[error("a seal status list of {bytes} bytes; at most {max} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Not the JSON we know.
    #[error("no seal status list: {message}")]
    Syntax {
        /// The reader's words.
        message: String,
    },
    /// Another format, or a newer one.
    #[error("format must be {FORMAT}")]
    Format,
    /// It ends before it begins.
    #[error("valid_until must be after as_of")]
    Period,
    /// One line contradicts itself.
    #[error("seal {seal_code}: {rule}")]
    Line {
        /// The seal.
        seal_code: String,
        /// What must hold.
        rule: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    as_of: Moment,
    valid_until: Moment,
    seals: Vec<SealStatusEntry>,
}

/// The status of a registry's seals at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealStatusList {
    as_of: UnixSeconds,
    valid_until: UnixSeconds,
    entries: Vec<SealStatusEntry>,
    /// Recorded signatures by line, for looking up.
    recorded: Vec<BTreeSet<[u8; 32]>>,
    by_certificate: BTreeMap<[u8; 32], Vec<usize>>,
}

impl SealStatusList {
    /// A list of these lines, as of a moment, to be relied on until another.
    ///
    /// # Errors
    /// [`SealStatusError::Period`], [`SealStatusError::Line`].
    pub fn new(
        as_of: UnixSeconds,
        valid_until: UnixSeconds,
        entries: Vec<SealStatusEntry>,
    ) -> Result<Self, SealStatusError> {
        if valid_until <= as_of {
            return Err(SealStatusError::Period);
        }
        let mut recorded = Vec::with_capacity(entries.len());
        let mut by_certificate: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            entry.check(as_of)?;
            for certificate in &entry.certificates_sha256 {
                if !known.insert((entry.seal_code.as_str(), certificate.0)) {
                    return Err(SealStatusError::Line {
                        seal_code: escape(&entry.seal_code),
                        rule: "one certificate must not have two fates",
                    });
                }
                by_certificate.entry(certificate.0).or_default().push(index);
            }
            let signatures = entry.recorded_signatures_sha256.iter();
            recorded.push(signatures.map(|one| one.0).collect());
        }
        Ok(Self {
            as_of,
            valid_until,
            entries,
            recorded,
            by_certificate,
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`SealStatusError`]; nothing of a file that is wrong anywhere is used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SealStatusError> {
        if bytes.len() > SEAL_STATUS_BYTES_MAX {
            return Err(SealStatusError::TooLong {
                bytes: bytes.len(),
                max: SEAL_STATUS_BYTES_MAX,
            });
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| SealStatusError::Syntax {
                message: error.to_string(),
            })?;
        if file.format != FORMAT {
            return Err(SealStatusError::Format);
        }
        Self::new(file.as_of.0, file.valid_until.0, file.seals)
    }

    /// The file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            format: FORMAT.to_owned(),
            as_of: Moment(self.as_of),
            valid_until: Moment(self.valid_until),
            seals: self.entries.clone(),
        };
        serde_json::to_string_pretty(&file).expect("a list has only string keys")
    }

    /// The lines.
    #[must_use]
    pub fn entries(&self) -> &[SealStatusEntry] {
        &self.entries
    }

    /// What is said of a certificate: in the seal of this code, or, for a signature without a seal
    /// object, in any. A lost key is lost whatever seal it signs for.
    fn lines(
        &self,
        seal_code: Option<&str>,
        certificate: &[u8; 32],
    ) -> impl Iterator<Item = (&SealStatusEntry, &BTreeSet<[u8; 32]>)> {
        let indices = self.by_certificate.get(certificate).into_iter().flatten();
        indices
            .filter_map(|index| Some((self.entries.get(*index)?, self.recorded.get(*index)?)))
            .filter(move |(entry, _)| {
                seal_code.is_none_or(|code| code == entry.seal_code)
                    || entry.state == SealStanding::Lost
            })
    }
}

/// Judges the status of the seal that a signature was made with. `seal_code` is the seal object's
/// esID, if there is one.
pub(crate) fn judge(
    seal_code: Option<&str>,
    certificate_sha256: &[u8; 32],
    claimed: Option<UnixSeconds>,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) {
    let id = StepId::SealStatus;
    let lists = &surroundings.trust.seal_statuses;
    let mut found = false;
    let mut current: Option<UnixSeconds> = None;
    let mut outdated: Option<UnixSeconds> = None;
    for list in lists {
        for (entry, recorded) in list.lines(seal_code, certificate_sha256) {
            found = true;
            match entry.effective_at {
                Some(Moment(since)) => {
                    judge_ended(entry, since, recorded, claimed, surroundings, steps);
                }
                None if surroundings.options.at <= list.valid_until => {
                    current = current.max(Some(list.as_of));
                }
                None => outdated = outdated.max(Some(list.valid_until)),
            }
        }
    }
    match (current, outdated) {
        (Some(as_of), _) => steps.note(id, passed_with(Finding::SealInForce { as_of })),
        (None, Some(until)) => {
            let finding = Finding::SealStatusListOutdated { until };
            steps.note(id, unclear(SubIndication::TryLater, finding));
        }
        (None, None) if !found => steps.note(id, not_checked(Finding::SealStatusUnknown)),
        (None, None) => {}
    }
}

fn judge_ended(
    entry: &SealStatusEntry,
    since: UnixSeconds,
    recorded: &BTreeSet<[u8; 32]>,
    claimed: Option<UnixSeconds>,
    surroundings: &Surroundings<'_>,
    steps: &mut Steps,
) {
    let finding = Finding::SealNotInForce {
        state: entry.state,
        since,
        reason: escape(&entry.reason),
    };
    let is_recorded = surroundings
        .container_sha256
        .is_some_and(|digest| recorded.contains(&digest));
    let judgement = if is_recorded {
        steps.note(StepId::SealStatus, warning(finding));
        warning(Finding::SignatureRecordedBefore)
    } else if entry.state == SealStanding::Suspended {
        // As for a certificate on hold: it may come back.
        unclear(SubIndication::TryLater, finding)
    } else if claimed.is_some_and(|claimed| claimed >= since) {
        failed(SubIndication::Revoked, finding)
    } else {
        unclear(SubIndication::RevokedNoPoe, finding)
    };
    steps.note(StepId::SealStatus, judgement);
}
