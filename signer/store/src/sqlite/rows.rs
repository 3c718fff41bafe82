//! Rows and values: what the record's statements bind and what they give back.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use yinxin_pki::UnixSeconds;
use yinxin_signer::record::{
    Intent, IntentId, LicenceRow, LicenceSeries, NewRequest, OpenIntent, RecordError, Release,
    RequestKey,
};

pub(super) fn unavailable(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> RecordError {
    move |source| RecordError::Unavailable {
        doing,
        source: Box::new(source),
    }
}

pub(super) fn refused<T>(rule: &'static str) -> Result<T, RecordError> {
    Err(RecordError::Refused { rule })
}

/// A row that breaks a rule the schema should have kept.
pub(super) fn damaged(doing: &'static str, what: &'static str) -> RecordError {
    RecordError::Unavailable {
        doing,
        source: what.into(),
    }
}

/// The first row, if there is one. The statement is kept prepared.
pub(super) fn first<T>(
    connection: &Connection,
    statement: &str,
    bound: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached(statement)?
        .query_row(bound, read)
        .optional()
}

/// The one value of the one row that a statement always has.
pub(super) fn value<T: rusqlite::types::FromSql>(
    connection: &Connection,
    statement: &str,
    bound: impl Params,
) -> rusqlite::Result<T> {
    connection
        .prepare_cached(statement)?
        .query_row(bound, |row| row.get(0))
}

/// All rows.
pub(super) fn all<T>(
    connection: &Connection,
    statement: &str,
    bound: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(statement)?
        .query_map(bound, read)?
        .collect()
}

/// Writes.
pub(super) fn write(
    connection: &Connection,
    statement: &str,
    bound: impl Params,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(statement)?
        .execute(bound)
        .map(|_| ())
}

/// The row and the attempt of a request that is open.
pub(super) fn open_row(
    connection: &Connection,
    key: &RequestKey,
) -> rusqlite::Result<Option<(i64, u32)>> {
    first(
        connection,
        "SELECT id, attempt FROM request
         WHERE caller = ? AND request_id = ? AND state = 'open'",
        params![key.caller, key.request_id],
        |row| row.try_into(),
    )
}

pub(super) fn insert_request(
    connection: &Connection,
    request: &NewRequest,
) -> rusqlite::Result<()> {
    write(
        connection,
        "INSERT INTO request (caller, request_id, operation, body_sha256, details_json,
             first_opened_at, attempt, state, holder)
         VALUES (?, ?, ?, ?, ?, ?, 1, 'open', ?)",
        params![
            request.key.caller,
            request.key.request_id,
            request.operation.name(),
            request.body_sha256,
            request.details_json,
            request.opened_at.0,
            request.holder,
        ],
    )
}

/// The highest number of the series and one more; the primary key finds it at once.
pub(super) fn next_number(
    connection: &Connection,
    request: i64,
    series: &LicenceSeries,
) -> rusqlite::Result<i64> {
    value(
        connection,
        "INSERT INTO licence_number (licence_type, issuer, year, number, request)
         SELECT ?1, ?2, ?3, coalesce(max(number), 0) + 1, ?4 FROM licence_number
             WHERE licence_type = ?1 AND issuer = ?2 AND year = ?3
         RETURNING number",
        params![series.licence_type, series.issuer, series.year, request],
    )
}

pub(super) fn licence_taken(
    connection: &Connection,
    licence: &LicenceRow,
) -> rusqlite::Result<bool> {
    value(
        connection,
        "SELECT EXISTS (SELECT 1 FROM licence WHERE identifier = ?)
             OR EXISTS (SELECT 1 FROM licence WHERE number = ?)",
        params![licence.identifier, licence.number],
    )
}

pub(super) fn insert_licence(
    connection: &Connection,
    licence: &LicenceRow,
) -> rusqlite::Result<()> {
    write(
        connection,
        "INSERT INTO licence (identifier, number, licence_type, issuer_code, version,
             metadata_json, document_sha256, issued_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            licence.identifier,
            licence.number,
            licence.licence_type,
            licence.issuer_code,
            licence.version,
            licence.metadata_json,
            licence.document_sha256,
            licence.issued_at.0,
        ],
    )
}

pub(super) fn insert_release(
    connection: &Connection,
    request: i64,
    release: &Release,
) -> rusqlite::Result<()> {
    write(
        connection,
        "INSERT INTO release (request, document_sha256, container, receipt_json, licence,
             released_at)
         VALUES (?, ?, ?, ?, ?, ?)",
        params![
            request,
            release.document_sha256,
            release.container,
            release.receipt_json,
            release.licence.as_ref().map(|licence| &licence.identifier),
            release.released_at.0,
        ],
    )?;
    match &release.document {
        Some(document) => write(
            connection,
            "INSERT INTO released_document (request, bytes) VALUES (?, ?)",
            params![request, document.as_ref()],
        ),
        None => Ok(()),
    }
}

pub(super) fn release_of(connection: &Connection, request: i64) -> rusqlite::Result<Release> {
    let (mut release, identifier): (Release, Option<String>) = connection
        .prepare_cached(
            "SELECT document_sha256, container, receipt_json, released_at, licence, bytes
             FROM release LEFT JOIN released_document USING (request) WHERE request = ?",
        )?
        .query_row([request], |row| {
            let release = Release {
                document_sha256: row.get(0)?,
                document: row.get::<_, Option<Vec<u8>>>(5)?.map(Bytes::from),
                container: row.get(1)?,
                receipt_json: row.get(2)?,
                licence: None,
                released_at: UnixSeconds(row.get(3)?),
            };
            Ok((release, row.get(4)?))
        })?;
    if let Some(identifier) = identifier {
        release.licence = licence(connection, &identifier)?;
    }
    Ok(release)
}

fn licence(connection: &Connection, identifier: &str) -> rusqlite::Result<Option<LicenceRow>> {
    first(
        connection,
        "SELECT identifier, number, licence_type, issuer_code, version, metadata_json,
             document_sha256, issued_at
         FROM licence WHERE identifier = ?",
        [identifier],
        |row| {
            Ok(LicenceRow {
                identifier: row.get(0)?,
                number: row.get(1)?,
                licence_type: row.get(2)?,
                issuer_code: row.get(3)?,
                version: row.get(4)?,
                metadata_json: row.get(5)?,
                document_sha256: row.get(6)?,
                issued_at: UnixSeconds(row.get(7)?),
            })
        },
    )
}

/// Of a row with the columns that [`super::record`] asks for.
pub(super) fn open_intent(row: &Row<'_>) -> rusqlite::Result<OpenIntent> {
    Ok(OpenIntent {
        id: IntentId(row.get(0)?),
        intent: Intent {
            key: RequestKey {
                caller: row.get(1)?,
                request_id: row.get(2)?,
            },
            attempt: row.get(3)?,
            ordinal: row.get(4)?,
            seal_id: row.get(5)?,
            profile: row.get(6)?,
            certificate_sha256: row.get(7)?,
            digest_algorithm: row.get(8)?,
            digest: row.get(9)?,
            recorded_at: UnixSeconds(row.get(10)?),
        },
    })
}
