//! The record's port over SQLite. Each method is one immediate transaction, so what it
//! has checked still holds when it writes.

use yinxin_pki::UnixSeconds;
use yinxin_signer::record::{
    Intent, IntentId, LicenceRow, LicenceSeries, NewRequest, OpenIntent, Opened, Outcome, Record,
    RecordError, Release, RequestKey,
};

use super::SqliteRecord;
use super::rows::{
    IntentRow, LicenceColumns, RequestColumns, Transaction, damaged, insert_licence,
    insert_release, insert_request, licence_row, licence_taken, next_number, open_intent, open_row,
    refused, release_of, unavailable,
};

const NOT_OPEN: &str = "the request is open";

impl SqliteRecord {
    pub(super) async fn begin(&self, doing: &'static str) -> Result<Transaction, RecordError> {
        let begun = self.pool.begin_with("BEGIN IMMEDIATE").await;
        Ok(Transaction::new(
            begun.map_err(unavailable(doing))?,
            &self.log,
        ))
    }

    /// Comes back when what was read is durable, too: it may be told to the world.
    pub(super) async fn settled(&self, doing: &'static str) -> Result<(), RecordError> {
        let settled = self.log.settle().await.map_err(sqlx::Error::Io);
        settled.map_err(unavailable(doing))
    }
}

impl Record for SqliteRecord {
    async fn open_request(&self, request: &NewRequest) -> Result<Opened, RecordError> {
        const DOING: &str = "opening a request";
        let mut transaction = self.begin(DOING).await?;
        let known: Option<RequestColumns> = sqlx::query_as(
            "SELECT id, operation, body_sha256, first_opened_at, attempt, state, holder
                 FROM request WHERE caller = ? AND request_id = ?",
        )
        .bind(&request.key.caller)
        .bind(&request.key.request_id)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        let Some((id, operation, body_sha256, first_opened_at, attempt, state, holder)) = known
        else {
            insert_request(&mut transaction, request)
                .await
                .map_err(unavailable(DOING))?;
            transaction.commit().await.map_err(unavailable(DOING))?;
            return Ok(Opened::Proceed {
                first_opened_at: request.opened_at,
                attempt: 1,
            });
        };
        if operation != request.operation.name() || body_sha256 != request.body_sha256 {
            return Ok(Opened::DifferentBody);
        }
        if state == "released" {
            let release = release_of(&mut transaction, id).await?;
            self.settled(DOING).await?;
            return Ok(Opened::Released(Box::new(release)));
        }
        if holder.as_ref() == Some(&request.holder) {
            return Ok(Opened::InFlight);
        }
        let attempt = attempt.saturating_add(1);
        sqlx::query("UPDATE request SET state = 'open', holder = ?, attempt = ? WHERE id = ?")
            .bind(&request.holder)
            .bind(attempt)
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))?;
        Ok(Opened::Proceed {
            first_opened_at: UnixSeconds(first_opened_at),
            attempt,
        })
    }

    async fn reserve_number(
        &self,
        key: &RequestKey,
        series: &LicenceSeries,
    ) -> Result<u64, RecordError> {
        const DOING: &str = "reserving a licence number";
        let mut transaction = self.begin(DOING).await?;
        let Some((request, _)) = open_row(&mut transaction, key, DOING).await? else {
            return refused(NOT_OPEN);
        };
        let reserved: Option<i64> = sqlx::query_scalar(
            "SELECT number FROM licence_number
             WHERE request = ? AND licence_type = ? AND issuer = ? AND year = ?",
        )
        .bind(request)
        .bind(&series.licence_type)
        .bind(&series.issuer)
        .bind(series.year)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        let number = match reserved {
            Some(number) => number,
            None => {
                let number = next_number(&mut transaction, request, series)
                    .await
                    .map_err(unavailable(DOING))?;
                transaction.commit().await.map_err(unavailable(DOING))?;
                number
            }
        };
        u64::try_from(number).map_err(|_| damaged(DOING, "a number is negative"))
    }

    async fn record_intent(&self, intent: &Intent) -> Result<IntentId, RecordError> {
        const DOING: &str = "recording an intent";
        let mut transaction = self.begin(DOING).await?;
        let Some((request, attempt)) = open_row(&mut transaction, &intent.key, DOING).await? else {
            return refused(NOT_OPEN);
        };
        if attempt != i64::from(intent.attempt) {
            return refused("an intent belongs to the request's last attempt");
        }
        let taken: Option<i64> = sqlx::query_scalar(
            "SELECT id FROM intent WHERE request = ? AND attempt = ? AND ordinal = ?",
        )
        .bind(request)
        .bind(attempt)
        .bind(intent.ordinal)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        if taken.is_some() {
            return refused("an attempt has one intent for each ordinal");
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO intent (request, attempt, ordinal, seal_id, profile,
                 certificate_sha256, digest_algorithm, digest, recorded_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(request)
        .bind(attempt)
        .bind(intent.ordinal)
        .bind(&intent.seal_id)
        .bind(&intent.profile)
        .bind(intent.certificate_sha256.as_slice())
        .bind(&intent.digest_algorithm)
        .bind(&intent.digest)
        .bind(intent.recorded_at.0)
        .fetch_one(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))?;
        Ok(IntentId(id))
    }

    async fn record_outcome(&self, intent: IntentId, outcome: &Outcome) -> Result<(), RecordError> {
        const DOING: &str = "recording an outcome";
        let mut transaction = self.begin(DOING).await?;
        let known: Option<bool> = sqlx::query_scalar(
            "SELECT outcome.intent IS NOT NULL
             FROM intent LEFT JOIN outcome ON outcome.intent = intent.id WHERE intent.id = ?",
        )
        .bind(intent.0)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        match known {
            None => return refused("an outcome belongs to a recorded intent"),
            Some(true) => return refused("an intent has at most one outcome"),
            Some(false) => {}
        }
        let (container_sha256, failed_reason, at) = match outcome {
            Outcome::Sealed {
                container_sha256,
                at,
            } => (Some(container_sha256.as_slice()), None, at),
            Outcome::Failed { reason, at } => (None, Some(reason), at),
        };
        sqlx::query(
            "INSERT INTO outcome (intent, container_sha256, failed_reason, at)
             VALUES (?, ?, ?, ?)",
        )
        .bind(intent.0)
        .bind(container_sha256)
        .bind(failed_reason)
        .bind(at.0)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))
    }

    async fn release(&self, key: &RequestKey, release: &Release) -> Result<(), RecordError> {
        const DOING: &str = "recording a release";
        let mut transaction = self.begin(DOING).await?;
        let Some((request, attempt)) = open_row(&mut transaction, key, DOING).await? else {
            return refused(NOT_OPEN);
        };
        let (intents, sealed): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(outcome.container_sha256)
             FROM intent LEFT JOIN outcome ON outcome.intent = intent.id
             WHERE intent.request = ? AND intent.attempt = ?",
        )
        .bind(request)
        .bind(attempt)
        .fetch_one(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        if intents == 0 {
            return refused("a release has at least one intent in the request's last attempt");
        }
        if sealed != intents {
            return refused("every intent of the request's last attempt is sealed");
        }
        if let Some(licence) = &release.licence {
            if licence_taken(&mut transaction, licence)
                .await
                .map_err(unavailable(DOING))?
            {
                return refused("a licence's identifier and number are new");
            }
            insert_licence(&mut transaction, licence)
                .await
                .map_err(unavailable(DOING))?;
        }
        insert_release(&mut transaction, request, release)
            .await
            .map_err(unavailable(DOING))?;
        sqlx::query("UPDATE request SET state = 'released', holder = NULL WHERE id = ?")
            .bind(request)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))
    }

    async fn give_up(
        &self,
        key: &RequestKey,
        reason: &str,
        at: UnixSeconds,
    ) -> Result<(), RecordError> {
        const DOING: &str = "giving a request up";
        let mut transaction = self.begin(DOING).await?;
        let Some((request, attempt)) = open_row(&mut transaction, key, DOING).await? else {
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO outcome (intent, failed_reason, at)
             SELECT intent.id, ?, ?
             FROM intent LEFT JOIN outcome ON outcome.intent = intent.id
             WHERE intent.request = ? AND intent.attempt = ? AND outcome.intent IS NULL",
        )
        .bind(reason)
        .bind(at.0)
        .bind(request)
        .bind(attempt)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        sqlx::query("UPDATE request SET state = 'given-up', holder = NULL WHERE id = ?")
            .bind(request)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))
    }

    async fn open_intents(&self, holder: &str) -> Result<Vec<OpenIntent>, RecordError> {
        const DOING: &str = "looking for open intents";
        let rows: Vec<IntentRow> = sqlx::query_as(
            "SELECT intent.id, caller, request_id, intent.attempt, ordinal, seal_id, profile,
                 certificate_sha256, digest_algorithm, digest, recorded_at
             FROM intent
             JOIN request ON request.id = intent.request
             LEFT JOIN outcome ON outcome.intent = intent.id
             WHERE outcome.intent IS NULL AND holder IS NOT ?
             ORDER BY intent.id",
        )
        .bind(holder)
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable(DOING))?;
        rows.into_iter()
            .map(|row| open_intent(DOING, row))
            .collect()
    }

    async fn licence(&self, identifier: &str) -> Result<Option<LicenceRow>, RecordError> {
        const DOING: &str = "looking for a licence";
        let row: Option<LicenceColumns> = sqlx::query_as(
            "SELECT identifier, number, licence_type, issuer_code, version, metadata_json,
                 document_sha256, issued_at
             FROM licence WHERE identifier = ?",
        )
        .bind(identifier)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable(DOING))?;
        self.settled(DOING).await?;
        row.map(|row| licence_row(DOING, row)).transpose()
    }
}
