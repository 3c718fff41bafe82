//! Approvals and the signatures under them.

use rusqlite::{Connection, params};
use yinxin_pki::UnixSeconds;
use yinxin_signer::approval::{Approval, ApprovalSignature};
use yinxin_signer::record::RecordError;

use super::SqliteRecord;
use super::rows::{all, first, refused, unavailable, value, write};

/// An approval with what has come in under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApproval {
    /// What is to be approved.
    pub approval: Approval,
    /// Who has signed, in order.
    pub signatures: Vec<ApprovalSignature>,
    /// Whether it is used up.
    pub used: bool,
}

impl SqliteRecord {
    /// Enters an approval to be signed.
    ///
    /// # Errors
    /// The database; an id that is taken.
    pub async fn request_approval(&self, approval: &Approval) -> Result<(), RecordError> {
        const DOING: &str = "entering an approval";
        let approval = approval.clone();
        self.work(DOING, move |connection| {
            write(
                connection,
                "INSERT INTO approval (id, caller, operator, operation, seal, seal_name,
                     document_sha256, place_sha256, place, copies, case_number, needed, created_at,
                     expires_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    approval.id,
                    approval.caller,
                    approval.operator,
                    approval.operation,
                    approval.seal,
                    approval.seal_name,
                    approval.document_sha256,
                    approval.place_sha256,
                    approval.place,
                    approval.copies,
                    approval.case_number,
                    approval.needed,
                    approval.created_at.0,
                    approval.expires_at.0,
                ],
            )
            .map_err(unavailable(DOING))
        })
        .await
    }

    /// Enters a signature that has been checked. `before` is how many there were when it was.
    ///
    /// # Errors
    /// `Refused` when others came in between; the database.
    pub async fn sign_approval(
        &self,
        id: &str,
        before: usize,
        signature: &ApprovalSignature,
    ) -> Result<(), RecordError> {
        const DOING: &str = "entering an approver's signature";
        let (id, signature) = (id.to_owned(), signature.clone());
        self.work(DOING, move |connection| {
            let known = load(connection, &id).map_err(unavailable(DOING))?;
            if known.is_none_or(|known| known.signatures.len() != before || known.used) {
                return refused("a signature is entered under the approval it was checked against");
            }
            write(
                connection,
                "INSERT INTO approval_signature
                     (approval, approver, certificate_sha256, cms_der, signed_at)
                 VALUES (?, ?, ?, ?, ?)",
                params![
                    id,
                    signature.approver,
                    signature.certificate_sha256,
                    signature.cms_der,
                    signature.signed_at.0,
                ],
            )
            .map_err(unavailable(DOING))
        })
        .await
    }

    /// An approval by its id.
    ///
    /// # Errors
    /// The database.
    pub async fn approval(&self, id: &str) -> Result<Option<StoredApproval>, RecordError> {
        const DOING: &str = "reading an approval";
        let id = id.to_owned();
        self.work(DOING, move |connection| {
            load(connection, &id).map_err(unavailable(DOING))
        })
        .await
    }
}

pub(super) fn load(connection: &Connection, id: &str) -> rusqlite::Result<Option<StoredApproval>> {
    let approval = first(
        connection,
        "SELECT id, caller, operator, operation, seal, seal_name, document_sha256, place_sha256,
             place, copies, case_number, needed, created_at, expires_at
         FROM approval WHERE id = ?",
        [id],
        |row| {
            Ok(Approval {
                id: row.get(0)?,
                caller: row.get(1)?,
                operator: row.get(2)?,
                operation: row.get(3)?,
                seal: row.get(4)?,
                seal_name: row.get(5)?,
                document_sha256: row.get(6)?,
                place_sha256: row.get(7)?,
                place: row.get(8)?,
                copies: row.get(9)?,
                case_number: row.get(10)?,
                needed: row.get(11)?,
                created_at: UnixSeconds(row.get(12)?),
                expires_at: UnixSeconds(row.get(13)?),
            })
        },
    )?;
    let Some(approval) = approval else {
        return Ok(None);
    };
    let signatures = all(
        connection,
        "SELECT approver, certificate_sha256, cms_der, signed_at FROM approval_signature
         WHERE approval = ? ORDER BY signed_at, approver",
        [id],
        |row| {
            Ok(ApprovalSignature {
                approver: row.get(0)?,
                certificate_sha256: row.get(1)?,
                cms_der: row.get(2)?,
                signed_at: UnixSeconds(row.get(3)?),
            })
        },
    )?;
    let used = value(
        connection,
        "SELECT EXISTS (SELECT 1 FROM seal_use WHERE approval = ?)",
        [id],
    )?;
    Ok(Some(StoredApproval {
        approval,
        signatures,
        used,
    }))
}
