//! The use log: entering a use with its quota and its approval, and asking the log.

use rusqlite::{Connection, Row, ToSql, params};
use yinxin_pki::UnixSeconds;
use yinxin_signer::approval::{ApprovalRefused, check_use};
use yinxin_signer::record::{RecordError, RequestKey};
use yinxin_signer::rules::{Denied, beijing_day};
use yinxin_signer::usage::{
    PermittingRule, UseClaim, UseCount, UseFacts, UseFilter, UseGroup, UseRefused, UseRow,
};

use super::SqliteRecord;
use super::approvals::load;
use super::rows::{all, unavailable, value, write};

const DOING: &str = "entering a use of a seal";

/// Enters a use before its first intent: in one transaction, that the seal is what the signer
/// thinks, that a rule has room today, and that an approval covers it and is used up. A later
/// attempt of the same request finds its use entered.
///
/// # Errors
/// [`UseRefused`]: nothing may be signed.
pub(super) fn enter_use(
    connection: &Connection,
    request: i64,
    claim: &UseClaim,
) -> Result<(), UseRefused> {
    let seal = &claim.claimed.seal;
    let sequence: Option<u32> = value(
        connection,
        "SELECT max(sequence) FROM seal_event WHERE code = ?",
        [seal],
    )
    .map_err(unavailable(DOING))?;
    if sequence != Some(claim.seal_sequence) {
        return Err(UseRefused::SealChanged { seal: seal.clone() });
    }
    let entered: bool = value(
        connection,
        "SELECT EXISTS (SELECT 1 FROM seal_use WHERE request = ? AND seal = ?)",
        params![request, seal],
    )
    .map_err(unavailable(DOING))?;
    if entered {
        return Ok(());
    }
    let day = beijing_day(claim.at);
    let (rule, approval) = permission(connection, claim, &day)?;
    insert(connection, claim, request, &day, &rule, approval.as_deref())
        .map_err(unavailable(DOING))
        .map_err(UseRefused::Record)
}

impl SqliteRecord {
    /// How many uses a rule has had on a day.
    ///
    /// # Errors
    /// The database.
    pub async fn uses_of_rule(&self, rule: &str, day: &str) -> Result<u64, RecordError> {
        let (rule, day) = (rule.to_owned(), day.to_owned());
        self.work("counting uses", move |connection| {
            uses_of_rule(connection, &rule, &day)
        })
        .await
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
        let filter = filter.clone();
        self.work(DOING, move |connection| {
            let mut query = Query::new(
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
                 WHERE seal_use.id > ?",
            );
            query.bound.push(&after);
            query.filter(&filter);
            query.text.push_str(" ORDER BY seal_use.id LIMIT ?");
            query.bound.push(&max);
            query.all(connection, use_row).map_err(unavailable(DOING))
        })
        .await
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
        let filter = filter.clone();
        let expression = match group {
            UseGroup::Seal => "seal_use.seal",
            UseGroup::Unit => "request.caller || '/' || seal_use.unit",
            UseGroup::Item => "seal_use.item",
            UseGroup::Day => "seal_use.day",
        };
        self.work(DOING, move |connection| {
            let mut query = Query::new(&format!(
                "SELECT {expression} AS grouped, count(*), count(release.request)
                 FROM seal_use JOIN request ON request.id = seal_use.request
                 LEFT JOIN release ON release.request = request.id
                 WHERE TRUE"
            ));
            query.filter(&filter);
            query.text.push_str(" GROUP BY grouped ORDER BY grouped");
            query
                .all(connection, |row| {
                    Ok(UseCount {
                        group: row.get(0)?,
                        entered: row.get::<_, i64>(1)?.unsigned_abs(),
                        released: row.get::<_, i64>(2)?.unsigned_abs(),
                    })
                })
                .map_err(unavailable(DOING))
        })
        .await
    }
}

/// A statement that grows with what is asked, and what is bound to it.
struct Query<'a> {
    text: String,
    bound: Vec<&'a dyn ToSql>,
}

impl<'a> Query<'a> {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            bound: Vec::new(),
        }
    }

    fn filter(&mut self, filter: &'a UseFilter) {
        let parts = [
            (" AND seal_use.seal = ?", &filter.seal),
            (" AND request.caller = ?", &filter.caller),
            (" AND seal_use.unit = ?", &filter.unit),
            (" AND seal_use.item = ?", &filter.item),
            (" AND seal_use.day >= ?", &filter.from_day),
            (" AND seal_use.day <= ?", &filter.to_day),
        ];
        for (condition, value) in parts {
            if let Some(value) = value {
                self.text.push_str(condition);
                self.bound.push(value);
            }
        }
    }

    fn all<T>(
        &self,
        connection: &Connection,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        all(connection, &self.text, self.bound.as_slice(), read)
    }
}

/// The first rule with room whose approvals are there, and the approval that is used up by it.
fn permission(
    connection: &Connection,
    claim: &UseClaim,
    day: &str,
) -> Result<(String, Option<String>), UseRefused> {
    let mut refusal: UseRefused = Denied::UnknownDepartment.into();
    for rule in &claim.rules {
        if let Some(quota) = rule.quota_per_day
            && uses_of_rule(connection, &rule.id, day)? >= u64::from(quota)
        {
            refusal = Denied::Quota.into();
            continue;
        }
        if rule.approvals == 0 {
            return Ok((rule.id.clone(), None));
        }
        match covering(connection, claim, rule)? {
            Ok(approval) => return Ok((rule.id.clone(), Some(approval))),
            Err(refused) => refusal = refused.into(),
        }
    }
    Err(refusal)
}

/// The approval that covers the use; of several that do not, the one for this seal says why.
fn covering(
    connection: &Connection,
    claim: &UseClaim,
    rule: &PermittingRule,
) -> Result<Result<String, ApprovalRefused>, RecordError> {
    let mut refusal = ApprovalRefused::Needed;
    for id in &claim.approval_ids {
        let Some(stored) = load(connection, id).map_err(unavailable(DOING))? else {
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

fn uses_of_rule(connection: &Connection, rule: &str, day: &str) -> Result<u64, RecordError> {
    let count: i64 = value(
        connection,
        "SELECT count(*) FROM seal_use WHERE rule = ? AND day = ?",
        params![rule, day],
    )
    .map_err(unavailable("counting uses"))?;
    Ok(count.unsigned_abs())
}

fn insert(
    connection: &Connection,
    claim: &UseClaim,
    request: i64,
    day: &str,
    rule: &str,
    approval: Option<&str>,
) -> rusqlite::Result<()> {
    let facts = &claim.facts;
    write(
        connection,
        "INSERT INTO seal_use (request, seal, seal_version, rule, approval, day, at, operator,
             unit, channel, terminal, item, case_number, document_sha256, place, copies,
             certificate_serials)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            request,
            claim.claimed.seal,
            claim.seal_version,
            rule,
            approval,
            day,
            claim.at.0,
            facts.operator,
            facts.unit,
            facts.channel,
            facts.terminal,
            facts.item,
            facts.case_number,
            claim.claimed.document_sha256,
            facts.place,
            claim.claimed.copies,
            facts.certificate_serials,
        ],
    )
}

fn use_row(row: &Row<'_>) -> rusqlite::Result<UseRow> {
    let state: String = row.get("state")?;
    let failed_reason: Option<String> = row.get("failed_reason")?;
    let result = match state.as_str() {
        "given-up" => failed_reason.unwrap_or(state),
        _ => state,
    };
    let approvers: Option<String> = row.get("approvers")?;
    Ok(UseRow {
        id: row.get("id")?,
        key: RequestKey {
            caller: row.get("caller")?,
            request_id: row.get("request_id")?,
        },
        operation: row.get("operation")?,
        seal: row.get("seal")?,
        seal_version: row.get("seal_version")?,
        rule: row.get("rule")?,
        approval: row.get("approval")?,
        approvers: approvers
            .map(|names| names.lines().map(str::to_owned).collect())
            .unwrap_or_default(),
        day: row.get("day")?,
        at: UnixSeconds(row.get("at")?),
        facts: UseFacts {
            operator: row.get("operator")?,
            unit: row.get("unit")?,
            channel: row.get("channel")?,
            terminal: row.get("terminal")?,
            item: row.get("item")?,
            case_number: row.get("case_number")?,
            place: row.get("place")?,
            certificate_serials: row.get("certificate_serials")?,
        },
        copies: row.get("copies")?,
        document_sha256: row.get("document_sha256")?,
        sealed_sha256: row.get("sealed_sha256")?,
        result,
    })
}
