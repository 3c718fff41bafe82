//! One seal, as its events add up.

use std::collections::BTreeSet;

use yinxin_pki::UnixSeconds;

use super::status::{Moment, Signer};
use super::{
    Actor, Application, CONFIGURATION, Change, Filing, Material, RULE_PREFIX, RegistryError,
    SealEvent, SealState, Terms,
};

/// How far a version has come before it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Applied for.
    Applied,
    /// Approved.
    Approved,
    /// Made.
    Made,
    /// Filed.
    Filed,
}

/// A version that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// What it was made from.
    pub terms: Terms,
    /// What making gave.
    pub material: Material,
    /// esID of its seal object; the seal's code when it has none. They differ only where the object was
    /// made elsewhere and came with the configuration.
    pub es_id: String,
    /// When it was made.
    pub made_at: UnixSeconds,
    /// The first second at which seal and certificate are both valid.
    pub valid_from: UnixSeconds,
    /// The last such second.
    pub valid_until: UnixSeconds,
    /// SHA-256 of the signers' certificates, SM2 first.
    pub certificates: Vec<[u8; 32]>,
    /// Where it is filed.
    pub filing: Option<Filing>,
    /// Since when it is, or was, the one in use.
    pub active_from: Option<UnixSeconds>,
}

impl Version {
    /// With what it signs.
    pub(super) fn signers(&self) -> impl Iterator<Item = Signer> {
        (self.certificates.iter()).map(|certificate| (self.es_id.clone(), *certificate))
    }
}

/// A version on its way.
#[derive(Clone, Debug, PartialEq)]
struct Pending {
    stage: Stage,
    terms: Terms,
    applied_by: String,
}

/// One line of a seal's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// From 1.
    pub sequence: u32,
    /// When.
    pub at: UnixSeconds,
    /// Who.
    pub actor: String,
    /// The name of the change.
    pub change: &'static str,
    /// Why; empty where nothing is asked.
    pub reason: String,
    /// The version it concerns, from 1; the next one before it is made.
    pub version: u32,
}

/// One seal, as its events add up.
#[derive(Clone, Debug, PartialEq)]
pub struct SealRecord {
    application: Application,
    versions: Vec<Version>,
    pending: Option<Pending>,
    /// What the seal is apart from a renewal on its way.
    state: SealState,
    active: Option<u32>,
    lost_keys: BTreeSet<Vec<u8>>,
    sequence: u32,
    pub(super) timeline: Vec<Moment>,
    history: Vec<HistoryEntry>,
}

impl SealRecord {
    /// The seal that these events, in their order, add up to.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] when they do not follow on each other.
    pub fn from_events(events: &[SealEvent]) -> Result<Option<Self>, RegistryError> {
        let Some((first, rest)) = events.split_first() else {
            return Ok(None);
        };
        let damaged = |error: RegistryError| RegistryError::Damaged {
            code: first.code.clone(),
            why: error.to_string(),
        };
        let mut record = Self::begin(first).map_err(damaged)?;
        for event in rest {
            record.follow(event).map_err(damaged)?;
        }
        Ok(Some(record))
    }

    /// The first event of a new seal.
    #[must_use]
    pub fn first_event(application: Application, actor: &Actor<'_>, at: UnixSeconds) -> SealEvent {
        SealEvent {
            code: application.code.clone(),
            sequence: 1,
            at,
            actor: actor.name().to_owned(),
            change: Change::Applied {
                application: Box::new(application),
            },
        }
    }

    /// The seal after its first event.
    ///
    /// # Errors
    /// [`RegistryError::Field`]; [`RegistryError::Damaged`] when it is no application.
    pub fn begin(event: &SealEvent) -> Result<Self, RegistryError> {
        let Change::Applied { application } = &event.change else {
            return Err(RegistryError::Damaged {
                code: event.code.clone(),
                why: "the first event is no application".to_owned(),
            });
        };
        application.check()?;
        let mut record = Self {
            application: (**application).clone(),
            versions: Vec::new(),
            pending: Some(Pending {
                stage: Stage::Applied,
                terms: application.terms.clone(),
                applied_by: event.actor.clone(),
            }),
            state: SealState::Applied,
            active: None,
            lost_keys: BTreeSet::new(),
            sequence: 0,
            timeline: Vec::new(),
            history: Vec::new(),
        };
        record.note(event);
        Ok(record)
    }

    /// The next event of this seal. A clock that went back does not turn the order around.
    #[must_use]
    pub fn next_event(&self, change: Change, actor: &Actor<'_>, at: UnixSeconds) -> SealEvent {
        let last = self.timeline.last().map_or(at, |moment| moment.at);
        SealEvent {
            code: self.application.code.clone(),
            sequence: self.sequence + 1,
            at: at.max(last),
            actor: actor.name().to_owned(),
            change,
        }
    }

    /// Adds one event.
    ///
    /// # Errors
    /// [`RegistryError::WrongState`] and the field rules of what the event brings; the record is
    /// then as it was.
    pub fn follow(&mut self, event: &SealEvent) -> Result<(), RegistryError> {
        if event.sequence != self.sequence + 1 {
            return Err(RegistryError::ChangedMeanwhile {
                code: self.application.code.clone(),
            });
        }
        let wrong = || RegistryError::wrong_state(self.state, event.change.name());
        let stage = self.pending.as_ref().map(|pending| pending.stage);
        if self.state.is_final() {
            return Err(wrong());
        }
        match &event.change {
            Change::Applied { .. } => return Err(wrong()),
            Change::RenewalApplied { terms, .. } => {
                if stage.is_some() || !self.state.was_active() {
                    return Err(wrong());
                }
                terms.check()?;
                self.refuse_lost_keys(terms)?;
                self.pending = Some(Pending {
                    stage: Stage::Applied,
                    terms: (**terms).clone(),
                    applied_by: event.actor.clone(),
                });
            }
            Change::Approved => {
                if stage != Some(Stage::Applied) {
                    return Err(wrong());
                }
                self.advance(Stage::Approved);
            }
            Change::Rejected { .. } => {
                if !matches!(stage, Some(Stage::Applied | Stage::Approved)) {
                    return Err(wrong());
                }
                self.pending = None;
                if !self.state.was_active() {
                    self.state = SealState::Rejected;
                }
            }
            Change::Made { material } => {
                let Some(terms) = self.terms_to_make() else {
                    return Err(wrong());
                };
                let version = self.made(terms.clone(), material, event.at)?;
                self.versions.push(version);
                self.advance(Stage::Made);
            }
            Change::Filed { filing } => {
                if stage != Some(Stage::Made) {
                    return Err(wrong());
                }
                filing.check()?;
                if let Some(version) = self.versions.last_mut() {
                    version.filing = Some(filing.clone());
                }
                self.advance(Stage::Filed);
            }
            Change::Activated => {
                if stage != Some(Stage::Filed) || self.state == SealState::Suspended {
                    return Err(wrong());
                }
                if let Some(pending) = &self.pending {
                    self.refuse_lost_keys(&pending.terms)?;
                }
                if let Some(version) = self.versions.last_mut() {
                    version.active_from = Some(event.at);
                    self.active = Some(version.number);
                }
                self.pending = None;
                self.state = SealState::Active;
            }
            Change::Suspended { .. } => {
                self.turn(&[SealState::Active], SealState::Suspended, event)?
            }
            Change::Resumed { .. } => {
                self.turn(&[SealState::Suspended], SealState::Active, event)?
            }
            Change::Lost { .. } => {
                let from = [SealState::Active, SealState::Suspended];
                self.turn(&from, SealState::Lost, event)?;
                self.lose_keys()?;
            }
            Change::Cancelled { .. } => self.end(SealState::Cancelled),
            Change::Revoked { .. } => self.end(SealState::Revoked),
            Change::Withdrawn { .. } => self.end(SealState::Withdrawn),
        }
        self.note(event);
        Ok(())
    }

    fn turn(
        &mut self,
        from: &[SealState],
        to: SealState,
        event: &SealEvent,
    ) -> Result<(), RegistryError> {
        if !from.contains(&self.state) {
            return Err(RegistryError::wrong_state(self.state, event.change.name()));
        }
        self.state = to;
        Ok(())
    }

    fn end(&mut self, state: SealState) {
        self.state = state;
        self.pending = None;
    }

    fn advance(&mut self, stage: Stage) {
        if let Some(pending) = &mut self.pending {
            pending.stage = stage;
        }
        if !self.state.was_active() {
            self.state = match stage {
                Stage::Applied => SealState::Applied,
                Stage::Approved => SealState::Approved,
                Stage::Made => SealState::Made,
                Stage::Filed => SealState::Filed,
            };
        }
    }

    fn made(
        &self,
        terms: Terms,
        material: &Material,
        at: UnixSeconds,
    ) -> Result<Version, RegistryError> {
        let (valid_from, valid_until) = terms.validity()?;
        let certificates = terms.certificate_digests()?;
        let es_id = match material.seal_object()? {
            Some(seal) => seal.es_id().to_owned(),
            None => self.application.code.clone(),
        };
        Ok(Version {
            number: self.next_version(),
            terms,
            material: material.clone(),
            es_id,
            made_at: at,
            valid_from,
            valid_until,
            certificates,
            filing: None,
            active_from: None,
        })
    }

    /// Every key that was ever in use is lost with the seal: nobody can say which one it was.
    fn lose_keys(&mut self) -> Result<(), RegistryError> {
        for version in &self.versions {
            if version.active_from.is_some() {
                self.lost_keys.extend(version.terms.public_keys()?);
            }
        }
        Ok(())
    }

    fn refuse_lost_keys(&self, terms: &Terms) -> Result<(), RegistryError> {
        let keys = terms.public_keys()?;
        if keys.iter().any(|key| self.lost_keys.contains(key)) {
            return Err(RegistryError::LostKeyKept);
        }
        Ok(())
    }

    fn note(&mut self, event: &SealEvent) {
        self.sequence = event.sequence;
        let version = match (&self.pending, &event.change) {
            (Some(pending), _)
                if pending.stage == Stage::Applied || pending.stage == Stage::Approved =>
            {
                self.next_version()
            }
            (Some(_), _) | (None, Change::Activated) => self.next_version() - 1,
            (None, _) => self.active.unwrap_or(1),
        };
        self.history.push(HistoryEntry {
            sequence: event.sequence,
            at: event.at,
            actor: event.actor.clone(),
            change: event.change.name(),
            reason: event.change.reason().to_owned(),
            version,
        });
        self.timeline.push(Moment {
            at: event.at,
            state: self.state,
            active: self.active,
            reason: event.change.reason().to_owned(),
        });
    }

    fn next_version(&self) -> u32 {
        self.versions.last().map_or(1, |version| version.number + 1)
    }

    /// What was applied for.
    #[must_use]
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// The versions that were made, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The stage of the version on its way.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.pending.as_ref().map(|pending| pending.stage)
    }

    /// Who applied for the version on its way.
    #[must_use]
    pub fn applied_by(&self) -> Option<&str> {
        self.pending
            .as_ref()
            .map(|pending| pending.applied_by.as_str())
    }

    /// What the maker is to make now; none unless a version is approved and not yet made.
    #[must_use]
    pub fn terms_to_make(&self) -> Option<&Terms> {
        self.pending
            .as_ref()
            .filter(|pending| pending.stage == Stage::Approved)
            .map(|pending| &pending.terms)
    }

    /// What the seal is, apart from validity in time: see [`SealRecord::status_at`].
    #[must_use]
    pub fn state(&self) -> SealState {
        self.state
    }

    /// The version in use, whatever the state; none before the first activation.
    #[must_use]
    pub fn active_version(&self) -> Option<&Version> {
        let active = self.active?;
        self.versions
            .iter()
            .find(|version| version.number == active)
    }

    /// The number of the last event.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether all that happened after an event is that the configuration, or a rule of it, gave the
    /// seal its next keys: work begun under the old ones may end on them, while the seal is in use.
    #[must_use]
    pub fn only_succeeded_since(&self, sequence: u32) -> bool {
        self.state == SealState::Active
            && self
                .history
                .iter()
                .filter(|entry| entry.sequence > sequence)
                .all(|entry| entry.actor == CONFIGURATION || entry.actor.starts_with(RULE_PREFIX))
    }

    /// Every event in short, oldest first.
    #[must_use]
    pub fn history(&self) -> &[HistoryEntry] {
        &self.history
    }
}
