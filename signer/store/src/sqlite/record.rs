//! The record's port over SQLite. Each method is one job of the writer, so what it has checked
//! still holds when it writes.

use rusqlite::{Connection, params};
use yinxin_pki::UnixSeconds;
use yinxin_signer::record::{
    Intent, IntentId, LicenceSeries, NewRequest, OpenIntent, Opened, Outcome, Record, RecordError,
    Release, RequestKey, SealedIntent,
};
use yinxin_signer::usage::{UseClaim, UseRefused};

use super::SqliteRecord;
use super::rows::{
    all, damaged, first, insert_licence, insert_release, insert_request, licence_taken,
    next_number, open_intent, open_row, refused, release_of, unavailable, write,
};
use super::uses::enter_use;

const NOT_OPEN: &str = "the request is open";

impl Record for SqliteRecord {
    async fn open_request(&self, request: &NewRequest) -> Result<Opened, RecordError> {
        const DOING: &str = "opening a request";
        let request = request.clone();
        // What was released is told to the world, and its release may be no older than a moment.
        // The rest is durable before anything is signed on its strength.
        let may_leave = |opened: &Opened| !matches!(opened, Opened::Released(_));
        let job = move |connection: &Connection| {
            open_request(connection, &request).map_err(unavailable(DOING))
        };
        self.writer.work_ahead(DOING, may_leave, job).await
    }

    async fn reserve_number(
        &self,
        key: &RequestKey,
        series: &LicenceSeries,
    ) -> Result<u64, RecordError> {
        const DOING: &str = "reserving a licence number";
        let (key, series) = (key.clone(), series.clone());
        // No document with the number leaves before an intent under it is durable.
        let job = move |connection: &Connection| {
            let Some((request, _)) = open_row(connection, &key).map_err(unavailable(DOING))? else {
                return refused(NOT_OPEN);
            };
            let number =
                reserve_number(connection, request, &series).map_err(unavailable(DOING))?;
            u64::try_from(number).map_err(|_| damaged(DOING, "a number is negative"))
        };
        self.writer.work_ahead(DOING, |_| true, job).await
    }

    async fn record_intent(
        &self,
        intent: &Intent,
        uses: &[UseClaim],
    ) -> Result<IntentId, UseRefused> {
        const DOING: &str = "recording an intent";
        let (intent, uses) = (intent.clone(), uses.to_vec());
        self.work(DOING, move |connection| {
            let Some((request, attempt)) =
                open_row(connection, &intent.key).map_err(unavailable(DOING))?
            else {
                return Ok(refused(NOT_OPEN)?);
            };
            if attempt != intent.attempt {
                return Ok(refused("an intent belongs to the request's last attempt")?);
            }
            for claim in &uses {
                if claim.key != intent.key {
                    return Ok(refused("a use belongs to its intent's request")?);
                }
                enter_use(connection, request, claim)?;
            }
            let id = insert_intent(connection, request, &intent).map_err(unavailable(DOING))?;
            match id {
                Some(id) => Ok(IntentId(id)),
                None => Ok(refused("an attempt has one intent for each ordinal")?),
            }
        })
        .await
    }

    async fn record_outcome(&self, intent: IntentId, outcome: &Outcome) -> Result<(), RecordError> {
        const DOING: &str = "recording an outcome";
        let outcome = outcome.clone();
        self.work(DOING, move |connection| {
            let known: Option<bool> = first(
                connection,
                "SELECT outcome.intent IS NOT NULL
                 FROM intent LEFT JOIN outcome ON outcome.intent = intent.id WHERE intent.id = ?",
                [intent.0],
                |row| row.get(0),
            )
            .map_err(unavailable(DOING))?;
            match known {
                None => refused("an outcome belongs to a recorded intent"),
                Some(true) => refused("an intent has at most one outcome"),
                Some(false) => {
                    insert_outcome(connection, intent, &outcome).map_err(unavailable(DOING))
                }
            }
        })
        .await
    }

    async fn release(
        &self,
        key: &RequestKey,
        release: &Release,
        sealed: &[SealedIntent],
    ) -> Result<(), RecordError> {
        const DOING: &str = "recording a release";
        let (key, release, sealed) = (key.clone(), release.clone(), sealed.to_vec());
        self.work(DOING, move |connection| {
            let Some((request, attempt)) =
                open_row(connection, &key).map_err(unavailable(DOING))?
            else {
                return refused(NOT_OPEN);
            };
            let at = release.released_at;
            for one in &sealed {
                match seal_intent(connection, request, attempt, one, at) {
                    Ok(true) => {}
                    Ok(false) => {
                        return refused(
                            "an outcome belongs to an intent of the request's last attempt \
                             that has none",
                        );
                    }
                    Err(error) => return Err(unavailable(DOING)(error)),
                }
            }
            let (intents, sealed) =
                intents_of(connection, request, attempt).map_err(unavailable(DOING))?;
            if intents == 0 {
                return refused("a release has at least one intent in the request's last attempt");
            }
            if sealed != intents {
                return refused("every intent of the request's last attempt is sealed");
            }
            if let Some(licence) = &release.licence {
                if licence_taken(connection, licence).map_err(unavailable(DOING))? {
                    return refused("a licence's identifier and number are new");
                }
                insert_licence(connection, licence).map_err(unavailable(DOING))?;
            }
            insert_release(connection, request, &release).map_err(unavailable(DOING))?;
            write(
                connection,
                "UPDATE request SET state = 'released', holder = NULL WHERE id = ?",
                [request],
            )
            .map_err(unavailable(DOING))
        })
        .await
    }

    async fn give_up(
        &self,
        key: &RequestKey,
        reason: &str,
        at: UnixSeconds,
    ) -> Result<(), RecordError> {
        const DOING: &str = "giving a request up";
        let (key, reason) = (key.clone(), reason.to_owned());
        self.work(DOING, move |connection| {
            give_up(connection, &key, &reason, at).map_err(unavailable(DOING))
        })
        .await
    }

    async fn open_intents(&self, holder: &str) -> Result<Vec<OpenIntent>, RecordError> {
        const DOING: &str = "looking for open intents";
        let holder = holder.to_owned();
        self.work(DOING, move |connection| {
            all(
                connection,
                "SELECT intent.id, caller, request_id, intent.attempt, ordinal, seal_id, profile,
                     certificate_sha256, digest_algorithm, digest, recorded_at
                 FROM intent
                 JOIN request ON request.id = intent.request
                 LEFT JOIN outcome ON outcome.intent = intent.id
                 WHERE outcome.intent IS NULL AND holder IS NOT ?
                 ORDER BY intent.id",
                [holder],
                open_intent,
            )
            .map_err(unavailable(DOING))
        })
        .await
    }

    async fn licence(&self, identifier: &str) -> Result<Option<Release>, RecordError> {
        const DOING: &str = "looking for a licence";
        let identifier = identifier.to_owned();
        self.work(DOING, move |connection| {
            release_of_licence(connection, &identifier).map_err(unavailable(DOING))
        })
        .await
    }
}

fn open_request(connection: &Connection, request: &NewRequest) -> rusqlite::Result<Opened> {
    type Known = (i64, String, [u8; 32], i64, u32, String, Option<String>);
    let known: Option<Known> = first(
        connection,
        "SELECT id, operation, body_sha256, first_opened_at, attempt, state, holder
         FROM request WHERE caller = ? AND request_id = ?",
        params![request.key.caller, request.key.request_id],
        |row| row.try_into(),
    )?;
    let Some((id, operation, body_sha256, first_opened_at, attempt, state, holder)) = known else {
        insert_request(connection, request)?;
        return Ok(Opened::Proceed {
            first_opened_at: request.opened_at,
            attempt: 1,
        });
    };
    if operation != request.operation.name() || body_sha256 != request.body_sha256 {
        return Ok(Opened::DifferentBody);
    }
    if state == "released" {
        return Ok(Opened::Released(Box::new(release_of(connection, id)?)));
    }
    if holder.as_ref() == Some(&request.holder) {
        return Ok(Opened::InFlight);
    }
    let attempt = attempt.saturating_add(1);
    write(
        connection,
        "UPDATE request SET state = 'open', holder = ?, attempt = ? WHERE id = ?",
        params![request.holder, attempt, id],
    )?;
    Ok(Opened::Proceed {
        first_opened_at: UnixSeconds(first_opened_at),
        attempt,
    })
}

fn release_of_licence(
    connection: &Connection,
    identifier: &str,
) -> rusqlite::Result<Option<Release>> {
    let request = first(
        connection,
        "SELECT request FROM release WHERE licence = ?",
        [identifier],
        |row| row.get(0),
    )?;
    request
        .map(|request| release_of(connection, request))
        .transpose()
}

fn reserve_number(
    connection: &Connection,
    request: i64,
    series: &LicenceSeries,
) -> rusqlite::Result<i64> {
    let reserved = first(
        connection,
        "SELECT number FROM licence_number
         WHERE request = ? AND licence_type = ? AND issuer = ? AND year = ?",
        params![request, series.licence_type, series.issuer, series.year],
        |row| row.get(0),
    )?;
    match reserved {
        Some(number) => Ok(number),
        None => next_number(connection, request, series),
    }
}

/// None when the ordinal is taken.
fn insert_intent(
    connection: &Connection,
    request: i64,
    intent: &Intent,
) -> rusqlite::Result<Option<i64>> {
    first(
        connection,
        "INSERT INTO intent (request, attempt, ordinal, seal_id, profile,
             certificate_sha256, digest_algorithm, digest, recorded_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (request, attempt, ordinal) DO NOTHING RETURNING id",
        params![
            request,
            intent.attempt,
            intent.ordinal,
            intent.seal_id,
            intent.profile,
            intent.certificate_sha256,
            intent.digest_algorithm,
            intent.digest,
            intent.recorded_at.0,
        ],
        |row| row.get(0),
    )
}

fn insert_outcome(
    connection: &Connection,
    intent: IntentId,
    outcome: &Outcome,
) -> rusqlite::Result<()> {
    let (container_sha256, failed_reason, at) = match outcome {
        Outcome::Sealed {
            container_sha256,
            at,
        } => (Some(container_sha256), None, at),
        Outcome::Failed { reason, at } => (None, Some(reason), at),
    };
    write(
        connection,
        "INSERT INTO outcome (intent, container_sha256, failed_reason, at) VALUES (?, ?, ?, ?)",
        params![intent.0, container_sha256, failed_reason, at.0],
    )
}

/// Whether there was such an intent without an outcome.
fn seal_intent(
    connection: &Connection,
    request: i64,
    attempt: u32,
    sealed: &SealedIntent,
    at: UnixSeconds,
) -> rusqlite::Result<bool> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO outcome (intent, container_sha256, at)
             SELECT intent.id, ?, ? FROM intent
             WHERE intent.id = ? AND intent.request = ? AND intent.attempt = ?
             ON CONFLICT (intent) DO NOTHING",
        )?
        .execute(params![
            sealed.container_sha256,
            at.0,
            sealed.intent.0,
            request,
            attempt
        ])?;
    Ok(inserted == 1)
}

/// How many intents an attempt has, and how many of them are sealed.
fn intents_of(connection: &Connection, request: i64, attempt: u32) -> rusqlite::Result<(i64, i64)> {
    connection
        .prepare_cached(
            "SELECT count(*), count(outcome.container_sha256)
             FROM intent LEFT JOIN outcome ON outcome.intent = intent.id
             WHERE intent.request = ? AND intent.attempt = ?",
        )?
        .query_row(params![request, attempt], |row| row.try_into())
}

fn give_up(
    connection: &Connection,
    key: &RequestKey,
    reason: &str,
    at: UnixSeconds,
) -> rusqlite::Result<()> {
    let Some((request, attempt)) = open_row(connection, key)? else {
        return Ok(());
    };
    write(
        connection,
        "INSERT INTO outcome (intent, failed_reason, at)
         SELECT intent.id, ?, ?
         FROM intent LEFT JOIN outcome ON outcome.intent = intent.id
         WHERE intent.request = ? AND intent.attempt = ? AND outcome.intent IS NULL",
        params![reason, at.0, request, attempt],
    )?;
    write(
        connection,
        "UPDATE request SET state = 'given-up', holder = NULL WHERE id = ?",
        [request],
    )
}
