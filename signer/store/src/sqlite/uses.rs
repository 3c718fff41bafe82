//! The use log: entering a use with its quota and its approval, and asking the log.

use sqlx::{QueryBuilder, Row as _, Sqlite};
use yinxin_pki::UnixSeconds;
use yinxin_signer::approval::{ApprovalRefused, check_use};
use yinxin_signer::record::{RecordError, RequestKey};
use yinxin_signer::rules::{Denied, beijing_day};
use yinxin_signer::usage::{
    PermittingRule, UseClaim, UseCount, UseFacts, UseFilter, UseGroup, UseRefused, UseRow,
};

use super::SqliteRecord;
use super::approvals::load;
use super::rows::{Transaction, digest, open_row, refused, unavailable};

const DOING: &str = "entering a use of a seal";

impl SqliteRecord {
    /// Enters a use before its first intent: in one transaction, that the seal is what the signer
    /// thinks, that a rule has room today, and that an approval covers it and is used up. A later
    /// attempt of the same request finds its use entered.
    ///
    /// # Errors
    /// [`UseRefused`]: nothing is entered, nothing may be signed.
    pub async fn enter_use(&self, claim: &UseClaim) -> Result<(), UseRefused> {
        let mut transaction = self.begin(DOING).await?;
        let Some((request, _)) = open_row(&mut transaction, &claim.key, DOING).await? else {
            return Ok(refused("a use belongs to an open request")?);
        };
        let seal = &claim.claimed.seal;
        let sequence: Option<u32> =
            sqlx::query_scalar("SELECT max(sequence) FROM seal_event WHERE code = ?")
                .bind(seal)
                .fetch_one(&mut *transaction)
                .await
                .map_err(unavailable(DOING))?;
        if sequence != Some(claim.seal_sequence) {
            return Err(UseRefused::SealChanged { seal: seal.clone() });
        }
        let entered: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM seal_use WHERE request = ? AND seal = ?)",
        )
        .bind(request)
        .bind(seal)
        .fetch_one(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        if entered {
            return Ok(());
        }
        let day = beijing_day(claim.at);
        let (rule, approval) = permission(&mut transaction, claim, &day).await?;
        insert(
            &mut transaction,
            claim,
            request,
            &day,
            &rule,
            approval.as_deref(),
        )
        .await?;
        transaction
            .commit()
            .await
            .map_err(unavailable(DOING))
            .map_err(UseRefused::Record)
    }

    /// How many uses a rule has had on a day.
    ///
    /// # Errors
    /// The database.
    pub async fn uses_of_rule(&self, rule: &str, day: &str) -> Result<u64, RecordError> {
        let mut transaction = self.begin("counting uses").await?;
        uses_of_rule(&mut transaction, rule, day).await
    }

    /// Lines of the log, oldest first, after the line `after`, at most `max`.
    ///
    /// # Errors
    /// The database.
    pub async fn uses(
        &self,
        filter: &UseFilter,
        after: i64,
        max: u32,
    ) -> Result<Vec<UseRow>, RecordError> {
        const DOING: &str = "reading the use log";
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT seal_use.*, request.caller, request.request_id, request.operation,
                 request.state, release.document_sha256 AS sealed_sha256,
                 (SELECT group_concat(approver, char(10)) FROM
                     (SELECT approver FROM approval_signature
                      WHERE approval_signature.approval = seal_use.approval
                      ORDER BY signed_at, approver)) AS approvers,
                 (SELECT failed_reason FROM outcome JOIN intent ON intent.id = outcome.intent
                  WHERE intent.request = request.id AND failed_reason IS NOT NULL
                  ORDER BY intent.id DESC LIMIT 1) AS failed_reason
             FROM seal_use JOIN request ON request.id = seal_use.request
             LEFT JOIN release ON release.request = request.id
             WHERE seal_use.id > ",
        );
        query.push_bind(after);
        push_filter(&mut query, filter);
        query.push(" ORDER BY seal_use.id LIMIT ").push_bind(max);
        let rows = query
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable(DOING))?;
        rows.iter()
            .map(|row| use_row(row).map_err(unavailable(DOING))?.finish(DOING))
            .collect()
    }

    /// Counts of uses by group.
    ///
    /// # Errors
    /// The database.
    pub async fn count_uses(
        &self,
        filter: &UseFilter,
        group: UseGroup,
    ) -> Result<Vec<UseCount>, RecordError> {
        const DOING: &str = "counting uses";
        let expression = match group {
            UseGroup::Seal => "seal_use.seal",
            UseGroup::Unit => "request.caller || '/' || seal_use.unit",
            UseGroup::Item => "seal_use.item",
            UseGroup::Day => "seal_use.day",
        };
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(expression).push(
            " AS grouped, count(*), count(release.request)
             FROM seal_use JOIN request ON request.id = seal_use.request
             LEFT JOIN release ON release.request = request.id
             WHERE TRUE",
        );
        push_filter(&mut query, filter);
        query.push(" GROUP BY grouped ORDER BY grouped");
        let rows: Vec<(String, i64, i64)> = query
            .build_query_as()
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable(DOING))?;
        Ok(rows
            .into_iter()
            .map(|(group, entered, released)| UseCount {
                group,
                entered: entered.unsigned_abs(),
                released: released.unsigned_abs(),
            })
            .collect())
    }
}

/// The first rule with room whose approvals are there, and the approval that is used up by it.
async fn permission(
    transaction: &mut Transaction,
    claim: &UseClaim,
    day: &str,
) -> Result<(String, Option<String>), UseRefused> {
    let mut refusal: UseRefused = Denied::UnknownDepartment.into();
    for rule in &claim.rules {
        if let Some(quota) = rule.quota_per_day
            && uses_of_rule(transaction, &rule.id, day).await? >= u64::from(quota)
        {
            refusal = Denied::Quota.into();
            continue;
        }
        if rule.approvals == 0 {
            return Ok((rule.id.clone(), None));
        }
        match covering(transaction, claim, rule).await? {
            Ok(approval) => return Ok((rule.id.clone(), Some(approval))),
            Err(refused) => refusal = refused.into(),
        }
    }
    Err(refusal)
}

/// The approval that covers the use; of several that do not, the one for this seal says why.
async fn covering(
    transaction: &mut Transaction,
    claim: &UseClaim,
    rule: &PermittingRule,
) -> Result<Result<String, ApprovalRefused>, RecordError> {
    let mut refusal = ApprovalRefused::Needed;
    for id in &claim.approval_ids {
        let Some(stored) = load(transaction, id).await? else {
            refusal = ApprovalRefused::Unknown;
            continue;
        };
        let checked = check_use(
            &stored.approval,
            stored.signatures.len(),
            stored.used,
            rule.approvals,
            &claim.claimed,
            claim.at,
        );
        match checked {
            Ok(()) => return Ok(Ok(id.clone())),
            // A request with several seals brings an approval for each of them.
            Err(ApprovalRefused::OtherSeal) if refusal != ApprovalRefused::Needed => {}
            Err(why) => refusal = why,
        }
    }
    Ok(Err(refusal))
}

async fn uses_of_rule(
    transaction: &mut Transaction,
    rule: &str,
    day: &str,
) -> Result<u64, RecordError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM seal_use WHERE rule = ? AND day = ?")
        .bind(rule)
        .bind(day)
        .fetch_one(&mut **transaction)
        .await
        .map_err(unavailable("counting uses"))?;
    Ok(count.unsigned_abs())
}

async fn insert(
    transaction: &mut Transaction,
    claim: &UseClaim,
    request: i64,
    day: &str,
    rule: &str,
    approval: Option<&str>,
) -> Result<(), RecordError> {
    let facts = &claim.facts;
    sqlx::query(
        "INSERT INTO seal_use (request, seal, seal_version, rule, approval, day, at, operator,
             unit, channel, terminal, item, case_number, document_sha256, place, copies,
             certificate_serials)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(request)
    .bind(&claim.claimed.seal)
    .bind(claim.seal_version)
    .bind(rule)
    .bind(approval)
    .bind(day)
    .bind(claim.at.0)
    .bind(&facts.operator)
    .bind(&facts.unit)
    .bind(&facts.channel)
    .bind(&facts.terminal)
    .bind(&facts.item)
    .bind(&facts.case_number)
    .bind(claim.claimed.document_sha256.as_slice())
    .bind(&facts.place)
    .bind(claim.claimed.copies)
    .bind(&facts.certificate_serials)
    .execute(&mut **transaction)
    .await
    .map_err(unavailable(DOING))?;
    Ok(())
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &UseFilter) {
    let parts = [
        (" AND seal_use.seal = ", &filter.seal),
        (" AND request.caller = ", &filter.caller),
        (" AND seal_use.unit = ", &filter.unit),
        (" AND seal_use.item = ", &filter.item),
        (" AND seal_use.day >= ", &filter.from_day),
        (" AND seal_use.day <= ", &filter.to_day),
    ];
    for (condition, value) in parts {
        if let Some(value) = value {
            query.push(condition).push_bind(value.clone());
        }
    }
}

/// A line whose digests are not measured yet.
struct RawUse {
    row: UseRow,
    document_sha256: Vec<u8>,
    sealed_sha256: Option<Vec<u8>>,
}

impl RawUse {
    fn finish(self, doing: &'static str) -> Result<UseRow, RecordError> {
        Ok(UseRow {
            document_sha256: digest(doing, self.document_sha256)?,
            sealed_sha256: self
                .sealed_sha256
                .map(|bytes| digest(doing, bytes))
                .transpose()?,
            ..self.row
        })
    }
}

fn use_row(row: &sqlx::sqlite::SqliteRow) -> Result<RawUse, sqlx::Error> {
    let state: String = row.try_get("state")?;
    let failed_reason: Option<String> = row.try_get("failed_reason")?;
    let result = match state.as_str() {
        "given-up" => failed_reason.unwrap_or(state),
        _ => state,
    };
    let approvers: Option<String> = row.try_get("approvers")?;
    Ok(RawUse {
        document_sha256: row.try_get("document_sha256")?,
        sealed_sha256: row.try_get("sealed_sha256")?,
        row: UseRow {
            id: row.try_get("id")?,
            key: RequestKey {
                caller: row.try_get("caller")?,
                request_id: row.try_get("request_id")?,
            },
            operation: row.try_get("operation")?,
            seal: row.try_get("seal")?,
            seal_version: row.try_get("seal_version")?,
            rule: row.try_get("rule")?,
            approval: row.try_get("approval")?,
            approvers: approvers
                .map(|names| names.lines().map(str::to_owned).collect())
                .unwrap_or_default(),
            day: row.try_get("day")?,
            at: UnixSeconds(row.try_get("at")?),
            facts: UseFacts {
                operator: row.try_get("operator")?,
                unit: row.try_get("unit")?,
                channel: row.try_get("channel")?,
                terminal: row.try_get("terminal")?,
                item: row.try_get("item")?,
                case_number: row.try_get("case_number")?,
                place: row.try_get("place")?,
                certificate_serials: row.try_get("certificate_serials")?,
            },
            copies: row.try_get("copies")?,
            document_sha256: [0; 32],
            sealed_sha256: None,
            result,
        },
    })
}
