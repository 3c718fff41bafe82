//! Seals and use rules: events in, what they add up to out.

use yinxin_pki::UnixSeconds;
use yinxin_signer::record::RecordError;
use yinxin_signer::registry::{
    Actor, Application, Change, Duties, RegistryError, SealEvent, SealRecord, check_duty,
};
use yinxin_signer::rules::UseRule;

use super::SqliteRecord;
use super::rows::{Transaction, damaged, unavailable};

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

/// `code, sequence, at, actor, change_json`
type EventColumns = (String, u32, i64, String, String);

const COLUMNS: &str = "SELECT code, sequence, at, actor, change_json FROM seal_event";

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
        let mut transaction = self.begin(DOING).await?;
        let known = events(&mut transaction, &event.code, DOING).await?;
        if !known.is_empty() {
            return Err(RegistryError::CodeTaken { code: event.code }.into());
        }
        insert(&mut transaction, &event, DOING).await?;
        transaction.commit().await.map_err(unavailable(DOING))?;
        Ok(record)
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
        let mut transaction = self.begin(DOING).await?;
        let known = events(&mut transaction, code, DOING).await?;
        let Some(mut record) = SealRecord::from_events(&known)? else {
            return Err(RegistryError::NoSuchSeal {
                code: code.to_owned(),
            }
            .into());
        };
        if seen.is_some_and(|seen| seen != record.sequence()) {
            return Err(RegistryError::ChangedMeanwhile {
                code: code.to_owned(),
            }
            .into());
        }
        check_duty(Some(&record), &change, actor, duties)?;
        let event = record.next_event(change, actor, at);
        record.follow(&event)?;
        insert(&mut transaction, &event, DOING).await?;
        transaction.commit().await.map_err(unavailable(DOING))?;
        Ok(record)
    }

    /// Every seal, by code.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`]; the database.
    pub async fn seals(&self) -> Result<Vec<SealRecord>, ChangeError> {
        const DOING: &str = "reading the seals";
        let rows: Vec<EventColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} ORDER BY code, sequence"
        )))
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable(DOING))?;
        let mut records = Vec::new();
        let mut of_one: Vec<SealEvent> = Vec::new();
        for row in rows {
            let event = event(row, DOING)?;
            if of_one.first().is_some_and(|first| first.code != event.code) {
                records.extend(SealRecord::from_events(&of_one)?);
                of_one.clear();
            }
            of_one.push(event);
        }
        records.extend(SealRecord::from_events(&of_one)?);
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
        let mut transaction = self.begin(DOING).await?;
        sqlx::query("INSERT INTO rule_event (rule, at, actor, rule_json) VALUES (?, ?, ?, ?)")
            .bind(id)
            .bind(at.0)
            .bind(actor)
            .bind(json)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))
    }

    /// The rules that are set and not withdrawn, by id.
    ///
    /// # Errors
    /// The database, or a rule in it that cannot be read.
    pub async fn rules(&self) -> Result<Vec<UseRule>, RecordError> {
        const DOING: &str = "reading the rules";
        let rows: Vec<Option<String>> = sqlx::query_scalar(
            "SELECT rule_json FROM rule_event
             WHERE id IN (SELECT max(id) FROM rule_event GROUP BY rule) ORDER BY rule",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable(DOING))?;
        rows.into_iter()
            .flatten()
            .map(|json| {
                serde_json::from_str(&json).map_err(|_| damaged(DOING, "a rule cannot be read"))
            })
            .collect()
    }
}

async fn events(
    transaction: &mut Transaction,
    code: &str,
    doing: &'static str,
) -> Result<Vec<SealEvent>, RecordError> {
    let rows: Vec<EventColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE code = ? ORDER BY sequence"
    )))
    .bind(code)
    .fetch_all(&mut **transaction)
    .await
    .map_err(unavailable(doing))?;
    rows.into_iter().map(|row| event(row, doing)).collect()
}

fn event(row: EventColumns, doing: &'static str) -> Result<SealEvent, RecordError> {
    let (code, sequence, at, actor, change_json) = row;
    Ok(SealEvent {
        code,
        sequence,
        at: UnixSeconds(at),
        actor,
        change: serde_json::from_str(&change_json)
            .map_err(|_| damaged(doing, "an event cannot be read"))?,
    })
}

async fn insert(
    transaction: &mut Transaction,
    event: &SealEvent,
    doing: &'static str,
) -> Result<(), RecordError> {
    let json = serde_json::to_string(&event.change)
        .map_err(|_| damaged(doing, "an event cannot be written"))?;
    sqlx::query(
        "INSERT INTO seal_event (code, sequence, at, actor, change_json) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&event.code)
    .bind(event.sequence)
    .bind(event.at.0)
    .bind(&event.actor)
    .bind(json)
    .execute(&mut **transaction)
    .await
    .map_err(unavailable(doing))?;
    Ok(())
}
