//! Seals and use rules: events in, what they add up to out.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use yinxin_pki::UnixSeconds;
use yinxin_signer::record::RecordError;
use yinxin_signer::registry::{
    Actor, Application, Change, Duties, RegistryError, SealEvent, SealRecord, check_duty,
};
use yinxin_signer::rules::{RuleChange, UseRule};

use super::SqliteRecord;
use super::rows::{all, damaged, unavailable, write};

/// Why a change of a seal was not stored.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The rules of the registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The database.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl SqliteRecord {
    /// Enters a new seal.
    ///
    /// # Errors
    /// [`RegistryError::CodeTaken`], the application's rules and duties; the database.
    pub async fn apply_for_seal(
        &self,
        application: Application,
        actor: &Actor<'_>,
        duties: Duties,
        at: UnixSeconds,
    ) -> Result<SealRecord, ChangeError> {
        const DOING: &str = "entering a seal";
        let event = SealRecord::first_event(application, actor, at);
        let record = SealRecord::begin(&event)?;
        check_duty(None, &event.change, actor, duties)?;
        self.work(DOING, move |connection| {
            if !events(connection, &event.code, DOING)?.is_empty() {
                return Err(RegistryError::CodeTaken { code: event.code }.into());
            }
            insert(connection, &event, DOING)?;
            Ok(record)
        })
        .await
    }

    /// Adds one change to a seal. `seen` is the number of the last event that its author has seen,
    /// when they say.
    ///
    /// # Errors
    /// [`RegistryError::NoSuchSeal`], [`RegistryError::ChangedMeanwhile`], what does not follow on
    /// the seal's state, duties; the database.
    pub async fn change_seal(
        &self,
        code: &str,
        seen: Option<u32>,
        change: Change,
        actor: &Actor<'_>,
        duties: Duties,
        at: UnixSeconds,
    ) -> Result<SealRecord, ChangeError> {
        const DOING: &str = "changing a seal";
        let code = code.to_owned();
        let (person, rule) = match actor {
            Actor::Person(person) => (Some((*person).clone()), None),
            Actor::Configuration => (None, None),
            Actor::Rule(name) => (None, Some((*name).to_owned())),
        };
        self.work(DOING, move |connection| {
            let actor = match (&person, &rule) {
                (Some(person), _) => Actor::Person(person),
                (None, Some(rule)) => Actor::Rule(rule),
                (None, None) => Actor::Configuration,
            };
            let known = events(connection, &code, DOING)?;
            let Some(mut record) = SealRecord::from_events(&known)? else {
                return Err(RegistryError::NoSuchSeal { code }.into());
            };
            if seen.is_some_and(|seen| seen != record.sequence()) {
                return Err(RegistryError::ChangedMeanwhile { code }.into());
            }
            check_duty(Some(&record), &change, &actor, duties)?;
            let event = record.next_event(change, &actor, at);
            record.follow(&event)?;
            insert(connection, &event, DOING)?;
            Ok(record)
        })
        .await
    }

    /// Every seal, by code.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`]; the database.
    pub async fn seals(&self) -> Result<Vec<SealRecord>, ChangeError> {
        const DOING: &str = "reading the seals";
        let events: Vec<SealEvent> = self
            .work(DOING, |connection| {
                all(
                    connection,
                    "SELECT code, sequence, at, actor, change_json FROM seal_event
                     ORDER BY code, sequence",
                    [],
                    event,
                )
                .map_err(unavailable(DOING))
            })
            .await?;
        let mut records = Vec::new();
        for of_one in events.chunk_by(|one, next| one.code == next.code) {
            records.extend(SealRecord::from_events(of_one)?);
        }
        Ok(records)
    }

    /// Sets a rule, or withdraws it: what holds from now on.
    ///
    /// # Errors
    /// The database.
    pub async fn set_rule(
        &self,
        id: &str,
        rule: Option<&UseRule>,
        actor: &str,
        at: UnixSeconds,
    ) -> Result<(), RecordError> {
        const DOING: &str = "setting a rule";
        let json = rule
            .map(serde_json::to_string)
            .transpose()
            .map_err(|_| damaged(DOING, "a rule cannot be written"))?;
        let (id, actor) = (id.to_owned(), actor.to_owned());
        self.work(DOING, move |connection| {
            write(
                connection,
                "INSERT INTO rule_event (rule, at, actor, rule_json) VALUES (?, ?, ?, ?)",
                params![id, at.0, actor, json],
            )
            .map_err(unavailable(DOING))
        })
        .await
    }

    /// The rules that are set and not withdrawn, by id.
    ///
    /// # Errors
    /// The database, or a rule in it that cannot be read.
    pub async fn rules(&self) -> Result<Vec<UseRule>, RecordError> {
        const DOING: &str = "reading the rules";
        let rows: Vec<Option<String>> = self
            .work(DOING, |connection| {
                all(
                    connection,
                    "SELECT rule_json FROM rule_event
                     WHERE id IN (SELECT max(id) FROM rule_event GROUP BY rule) ORDER BY rule",
                    [],
                    |row| row.get(0),
                )
                .map_err(unavailable(DOING))
            })
            .await?;
        rows.into_iter()
            .flatten()
            .map(|json| rule_of(&json, DOING))
            .collect()
    }

    /// Who set or withdrew which rule when: after the change `after`, at most `max`, oldest first.
    ///
    /// # Errors
    /// The database, or a rule in it that cannot be read.
    pub async fn rule_history(
        &self,
        id: Option<&str>,
        after: i64,
        max: u32,
    ) -> Result<Vec<RuleChange>, RecordError> {
        const DOING: &str = "reading the history of rules";
        type Columns = (i64, String, i64, String, Option<String>);
        let id = id.map(str::to_owned);
        let rows: Vec<Columns> = self
            .work(DOING, move |connection| {
                all(
                    connection,
                    "SELECT id, rule, at, actor, rule_json FROM rule_event
                     WHERE id > ?1 AND (?2 IS NULL OR rule = ?2) ORDER BY id LIMIT ?3",
                    params![after, id, max],
                    |row| {
                        Ok((
                            row.get(0)?,
                            row.get(1)?,
                            row.get(2)?,
                            row.get(3)?,
                            row.get(4)?,
                        ))
                    },
                )
                .map_err(unavailable(DOING))
            })
            .await?;
        rows.into_iter()
            .map(|(number, id, at, actor, json)| {
                let rule = json.map(|json| rule_of(&json, DOING)).transpose()?;
                Ok(RuleChange {
                    number,
                    id,
                    at: UnixSeconds(at),
                    actor,
                    rule,
                })
            })
            .collect()
    }

    /// The signatures recorded under a seal until a moment, each with its number in the record and
    /// the SHA-256 of its container: after the number `after`, at most `max`.
    ///
    /// # Errors
    /// The database.
    pub async fn recorded_signatures(
        &self,
        seal: &str,
        until: UnixSeconds,
        after: i64,
        max: u32,
    ) -> Result<Vec<(i64, [u8; 32])>, RecordError> {
        const DOING: &str = "reading the recorded signatures";
        let seal = seal.to_owned();
        self.work(DOING, move |connection| {
            all(
                connection,
                "SELECT intent.id, outcome.container_sha256
                 FROM intent JOIN outcome ON outcome.intent = intent.id
                 WHERE intent.id > ?1 AND intent.seal_id = ?2 AND intent.recorded_at <= ?3
                     AND outcome.container_sha256 IS NOT NULL
                 ORDER BY intent.id LIMIT ?4",
                params![after, seal, until.0, max],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(unavailable(DOING))
        })
        .await
    }
}

fn rule_of(json: &str, doing: &'static str) -> Result<UseRule, RecordError> {
    serde_json::from_str(json).map_err(|_| damaged(doing, "a rule cannot be read"))
}

fn events(
    connection: &Connection,
    code: &str,
    doing: &'static str,
) -> Result<Vec<SealEvent>, RecordError> {
    all(
        connection,
        "SELECT code, sequence, at, actor, change_json FROM seal_event
         WHERE code = ? ORDER BY sequence",
        [code],
        event,
    )
    .map_err(unavailable(doing))
}

fn event(row: &Row<'_>) -> rusqlite::Result<SealEvent> {
    const CHANGE: usize = 4;
    let json: String = row.get(CHANGE)?;
    Ok(SealEvent {
        code: row.get(0)?,
        sequence: row.get(1)?,
        at: UnixSeconds(row.get(2)?),
        actor: row.get(3)?,
        change: serde_json::from_str(&json).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(CHANGE, Type::Text, Box::new(error))
        })?,
    })
}

fn insert(
    connection: &Connection,
    event: &SealEvent,
    doing: &'static str,
) -> Result<(), RecordError> {
    let json = serde_json::to_string(&event.change)
        .map_err(|_| damaged(doing, "an event cannot be written"))?;
    write(
        connection,
        "INSERT INTO seal_event (code, sequence, at, actor, change_json) VALUES (?, ?, ?, ?, ?)",
        params![event.code, event.sequence, event.at.0, event.actor, json],
    )
    .map_err(unavailable(doing))
}
