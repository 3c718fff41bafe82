//! Rows and values: what the record's statements bind and what they give back.

use yinxin_pki::UnixSeconds;
use yinxin_signer::record::{
    Intent, IntentId, LicenceRow, LicenceSeries, NewRequest, OpenIntent, RecordError, Release,
    RequestKey,
};

pub(super) use super::durable::Transaction;

pub(super) fn unavailable(doing: &'static str) -> impl FnOnce(sqlx::Error) -> RecordError {
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

pub(super) fn digest(doing: &'static str, bytes: Vec<u8>) -> Result<[u8; 32], RecordError> {
    bytes
        .try_into()
        .map_err(|_| damaged(doing, "a digest is not 32 bytes long"))
}

/// `id, operation, body_sha256, first_opened_at, attempt, state, holder`
pub(super) type RequestColumns = (i64, String, Vec<u8>, i64, u32, String, Option<String>);

/// The row and the attempt of a request that is open.
pub(super) async fn open_row(
    transaction: &mut Transaction,
    key: &RequestKey,
    doing: &'static str,
) -> Result<Option<(i64, i64)>, RecordError> {
    sqlx::query_as(
        "SELECT id, attempt FROM request
         WHERE caller = ? AND request_id = ? AND state = 'open'",
    )
    .bind(&key.caller)
    .bind(&key.request_id)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(unavailable(doing))
}

pub(super) async fn insert_request(
    transaction: &mut Transaction,
    request: &NewRequest,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO request (caller, request_id, operation, body_sha256, details_json,
             first_opened_at, attempt, state, holder)
         VALUES (?, ?, ?, ?, ?, ?, 1, 'open', ?)",
    )
    .bind(&request.key.caller)
    .bind(&request.key.request_id)
    .bind(request.operation.name())
    .bind(request.body_sha256.as_slice())
    .bind(&request.details_json)
    .bind(request.opened_at.0)
    .bind(&request.holder)
    .execute(&mut **transaction)
    .await
    .map(|_| ())
}

/// The highest number of the series and one more; the primary key finds it at once.
pub(super) async fn next_number(
    transaction: &mut Transaction,
    request: i64,
    series: &LicenceSeries,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO licence_number (licence_type, issuer, year, number, request)
         SELECT ?1, ?2, ?3, coalesce(max(number), 0) + 1, ?4 FROM licence_number
             WHERE licence_type = ?1 AND issuer = ?2 AND year = ?3
         RETURNING number",
    )
    .bind(&series.licence_type)
    .bind(&series.issuer)
    .bind(series.year)
    .bind(request)
    .fetch_one(&mut **transaction)
    .await
}

pub(super) async fn licence_taken(
    transaction: &mut Transaction,
    licence: &LicenceRow,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM licence WHERE identifier = ?)
             OR EXISTS (SELECT 1 FROM licence WHERE number = ?)",
    )
    .bind(&licence.identifier)
    .bind(&licence.number)
    .fetch_one(&mut **transaction)
    .await
}

pub(super) async fn insert_licence(
    transaction: &mut Transaction,
    licence: &LicenceRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO licence (identifier, number, licence_type, issuer_code, version,
             metadata_json, document_sha256, issued_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&licence.identifier)
    .bind(&licence.number)
    .bind(&licence.licence_type)
    .bind(&licence.issuer_code)
    .bind(licence.version)
    .bind(&licence.metadata_json)
    .bind(licence.document_sha256.as_slice())
    .bind(licence.issued_at.0)
    .execute(&mut **transaction)
    .await
    .map(|_| ())
}

pub(super) async fn insert_release(
    transaction: &mut Transaction,
    request: i64,
    release: &Release,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO release (request, document_sha256, container, receipt_json, licence,
             released_at)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(request)
    .bind(release.document_sha256.as_ref().map(<[u8; 32]>::as_slice))
    .bind(&release.container)
    .bind(&release.receipt_json)
    .bind(release.licence.as_ref().map(|licence| &licence.identifier))
    .bind(release.released_at.0)
    .execute(&mut **transaction)
    .await
    .map(|_| ())
}

/// `document_sha256, container, receipt_json, licence, released_at`
pub(super) type ReleaseColumns = (
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    String,
    Option<String>,
    i64,
);

pub(super) async fn release_of(
    transaction: &mut Transaction,
    request: i64,
) -> Result<Release, RecordError> {
    const DOING: &str = "reading a release";
    let row: ReleaseColumns = sqlx::query_as(
        "SELECT document_sha256, container, receipt_json, licence, released_at
         FROM release WHERE request = ?",
    )
    .bind(request)
    .fetch_one(&mut **transaction)
    .await
    .map_err(unavailable(DOING))?;
    let (document_sha256, container, receipt_json, identifier, released_at) = row;
    let licence: Option<LicenceColumns> = sqlx::query_as(
        "SELECT identifier, number, licence_type, issuer_code, version, metadata_json,
             document_sha256, issued_at
         FROM licence WHERE identifier = ?",
    )
    .bind(identifier)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(unavailable(DOING))?;
    Ok(Release {
        document_sha256: document_sha256
            .map(|bytes| digest(DOING, bytes))
            .transpose()?,
        container,
        receipt_json,
        licence: licence.map(|row| licence_row(DOING, row)).transpose()?,
        released_at: UnixSeconds(released_at),
    })
}

pub(super) type IntentRow = (
    i64,
    String,
    String,
    u32,
    u32,
    String,
    String,
    Vec<u8>,
    String,
    Vec<u8>,
    i64,
);

pub(super) fn open_intent(doing: &'static str, row: IntentRow) -> Result<OpenIntent, RecordError> {
    let (id, caller, request_id, attempt, ordinal, seal_id, profile, certificate_sha256, ..) = row;
    let (.., digest_algorithm, covered_digest, recorded_at) = row;
    Ok(OpenIntent {
        id: IntentId(id),
        intent: Intent {
            key: RequestKey { caller, request_id },
            attempt,
            ordinal,
            seal_id,
            profile,
            certificate_sha256: digest(doing, certificate_sha256)?,
            digest_algorithm,
            digest: covered_digest,
            recorded_at: UnixSeconds(recorded_at),
        },
    })
}

pub(super) type LicenceColumns = (String, String, String, String, u16, String, Vec<u8>, i64);

pub(super) fn licence_row(
    doing: &'static str,
    row: LicenceColumns,
) -> Result<LicenceRow, RecordError> {
    let (identifier, number, licence_type, issuer_code, version, metadata_json, sha256, issued_at) =
        row;
    Ok(LicenceRow {
        identifier,
        number,
        licence_type,
        issuer_code,
        version,
        metadata_json,
        document_sha256: digest(doing, sha256)?,
        issued_at: UnixSeconds(issued_at),
    })
}
