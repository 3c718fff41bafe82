//! Approvals and the signatures under them.

use yinxin_pki::UnixSeconds;
use yinxin_signer::approval::{Approval, ApprovalSignature};
use yinxin_signer::record::RecordError;

use super::SqliteRecord;
use super::rows::{Transaction, digest, refused, unavailable};

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

type ApprovalColumns = (
    String,
    String,
    String,
    String,
    String,
    String,
    Vec<u8>,
    Vec<u8>,
    String,
    u32,
    String,
    u8,
    i64,
    i64,
);

/// `approver, certificate_sha256, cms_der, signed_at`
type SignatureColumns = (String, Vec<u8>, Vec<u8>, i64);

impl SqliteRecord {
    /// Enters an approval to be signed.
    ///
    /// # Errors
    /// The database; an id that is taken.
    pub async fn request_approval(&self, approval: &Approval) -> Result<(), RecordError> {
        const DOING: &str = "entering an approval";
        let mut transaction = self.begin(DOING).await?;
        sqlx::query(
            "INSERT INTO approval (id, caller, operator, operation, seal, seal_name,
                 document_sha256, place_sha256, place, copies, case_number, needed, created_at,
                 expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&approval.id)
        .bind(&approval.caller)
        .bind(&approval.operator)
        .bind(&approval.operation)
        .bind(&approval.seal)
        .bind(&approval.seal_name)
        .bind(approval.document_sha256.as_slice())
        .bind(approval.place_sha256.as_slice())
        .bind(&approval.place)
        .bind(approval.copies)
        .bind(&approval.case_number)
        .bind(approval.needed)
        .bind(approval.created_at.0)
        .bind(approval.expires_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))
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
        let mut transaction = self.begin(DOING).await?;
        let known = load(&mut transaction, id).await?;
        if known.is_none_or(|known| known.signatures.len() != before || known.used) {
            return refused("a signature is entered under the approval it was checked against");
        }
        sqlx::query(
            "INSERT INTO approval_signature
                 (approval, approver, certificate_sha256, cms_der, signed_at)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(&signature.approver)
        .bind(signature.certificate_sha256.as_slice())
        .bind(&signature.cms_der)
        .bind(signature.signed_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable(DOING))?;
        transaction.commit().await.map_err(unavailable(DOING))
    }

    /// An approval by its id.
    ///
    /// # Errors
    /// The database.
    pub async fn approval(&self, id: &str) -> Result<Option<StoredApproval>, RecordError> {
        let mut transaction = self.begin("reading an approval").await?;
        load(&mut transaction, id).await
    }
}

pub(super) async fn load(
    transaction: &mut Transaction,
    id: &str,
) -> Result<Option<StoredApproval>, RecordError> {
    const DOING: &str = "reading an approval";
    let row: Option<ApprovalColumns> = sqlx::query_as(
        "SELECT id, caller, operator, operation, seal, seal_name, document_sha256, place_sha256,
             place, copies, case_number, needed, created_at, expires_at
         FROM approval WHERE id = ?",
    )
    .bind(id)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(unavailable(DOING))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let (id, caller, operator, operation, seal, seal_name, document, place_sha256, ..) = row;
    let (.., place, copies, case_number, needed, created_at, expires_at) = row;
    let signatures: Vec<SignatureColumns> = sqlx::query_as(
        "SELECT approver, certificate_sha256, cms_der, signed_at FROM approval_signature
         WHERE approval = ? ORDER BY signed_at, approver",
    )
    .bind(&id)
    .fetch_all(&mut **transaction)
    .await
    .map_err(unavailable(DOING))?;
    let used: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM seal_use WHERE approval = ?)")
            .bind(&id)
            .fetch_one(&mut **transaction)
            .await
            .map_err(unavailable(DOING))?;
    Ok(Some(StoredApproval {
        approval: Approval {
            id,
            caller,
            operator,
            operation,
            seal,
            seal_name,
            document_sha256: digest(DOING, document)?,
            place_sha256: digest(DOING, place_sha256)?,
            place,
            copies,
            case_number,
            needed,
            created_at: UnixSeconds(created_at),
            expires_at: UnixSeconds(expires_at),
        },
        signatures: signatures
            .into_iter()
            .map(|(approver, certificate_sha256, cms_der, signed_at)| {
                Ok(ApprovalSignature {
                    approver,
                    certificate_sha256: digest(DOING, certificate_sha256)?,
                    cms_der,
                    signed_at: UnixSeconds(signed_at),
                })
            })
            .collect::<Result<_, RecordError>>()?,
        used,
    }))
}
