//! Approvals of single uses.

use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use yinxin_pki::UnixSeconds;
use yinxin_proto::v1;
use yinxin_proto::v1::request_approval_request::Subject as Asked;
use yinxin_signer::approval::{Approval, ApprovalError, check_signature};
use yinxin_signer::record::Operation;
use yinxin_signer::registry::Role;
use yinxin_store::StoredApproval;

use crate::fields;
use crate::pipeline::blocking;
use crate::receipt::timestamp;
use crate::service::Service;
use crate::status::Refusal;
use crate::usage::{Subject, Wish, digest_subject, document_subject, licence_subject};

/// How long an approval is good for when nobody says: a day.
const SECONDS: u32 = 86_400;
const SECONDS_MAX: u32 = 30 * 86_400;

/// The longest CMS: a signature and a chain.
const CMS_BYTES_MAX: usize = 64 * 1024;

pub(super) async fn request(
    service: Arc<Service>,
    caller: String,
    request: v1::RequestApprovalRequest,
) -> Result<v1::Approval, Refusal> {
    let valid_seconds = match request.valid_seconds {
        0 => SECONDS,
        given if given <= SECONDS_MAX => given,
        given => {
            return Err(Refusal::Limit {
                limit: "valid_seconds",
                value: u64::from(given),
                max: u64::from(SECONDS_MAX),
            });
        }
    };
    let (wish, subject) = wanted(&caller, &request)?;
    fields::who(wish.operator, wish.case_number)?;
    let permit = service.authorise(&wish)?;
    // At least one, since somebody asks.
    let needed = permit.approvals()?.clamp(1, 2);
    let seal = &permit.held.seal;
    let now = service.clock.now();
    let approval = Approval {
        id: new_id()?,
        caller: caller.clone(),
        operator: wish
            .operator
            .map(|operator| operator.account.clone())
            .unwrap_or_default(),
        operation: subject.operation.name().to_owned(),
        seal: seal.id.clone(),
        seal_name: permit.held.record.application().name.clone(),
        document_sha256: subject.document_sha256,
        place_sha256: subject.place_sha256,
        place: subject.place,
        copies: wish.usage.map_or(1, |usage| usage.copies.max(1)),
        case_number: wish.case_number.to_owned(),
        needed,
        created_at: now,
        expires_at: UnixSeconds(now.0.saturating_add(i64::from(valid_seconds))),
    };
    service.record.request_approval(&approval).await?;
    tracing::info!(approval = %approval.id, department = %caller, seal = %approval.seal, "approval asked for");
    Ok(answer(&StoredApproval {
        approval,
        signatures: Vec::new(),
        used: false,
    }))
}

fn wanted<'a>(
    caller: &'a str,
    request: &'a v1::RequestApprovalRequest,
) -> Result<(Wish<'a>, Subject), Refusal> {
    let document_sha256 = request.document_sha256.as_slice();
    let further_seal = request.further_seal_id.as_str();
    let known = match &request.subject {
        Some(Asked::Document(header)) => {
            (header.further_seals.iter()).any(|further| further.seal_id == further_seal)
        }
        Some(Asked::Digest(_) | Asked::Licence(_)) | None => false,
    };
    if !further_seal.is_empty() && !known {
        return Err(Refusal::Field {
            field: "further_seal_id",
            rule: "must be one of the document's further_seals, or empty".to_owned(),
        });
    }
    Ok(match &request.subject {
        Some(Asked::Document(header)) => (
            Wish {
                department: caller,
                operation: Operation::SealDocument,
                seal_id: seal_of(header, further_seal),
                licence_type: "",
                operator: header.operator.as_ref(),
                case_number: &header.case_number,
                usage: header.usage.as_ref(),
            },
            document_subject(
                header,
                document_sha256.try_into().map_err(|_| Refusal::Field {
                    field: "document_sha256",
                    rule: "must be 32 bytes".to_owned(),
                })?,
                seal_of(header, further_seal),
            ),
        ),
        Some(Asked::Digest(digest)) => (
            Wish {
                department: caller,
                operation: Operation::SealDigest,
                seal_id: &digest.seal_id,
                licence_type: "",
                operator: digest.operator.as_ref(),
                case_number: &digest.case_number,
                usage: digest.usage.as_ref(),
            },
            digest_subject(digest)?,
        ),
        Some(Asked::Licence(licence)) => (
            Wish {
                department: caller,
                operation: Operation::IssueLicence,
                seal_id: &licence.seal_id,
                licence_type: &licence.licence_type,
                operator: licence.operator.as_ref(),
                case_number: &licence.case_number,
                usage: licence.usage.as_ref(),
            },
            licence_subject(licence),
        ),
        None => {
            return Err(Refusal::Field {
                field: "subject",
                rule: "must be document, digest or licence".to_owned(),
            });
        }
    })
}

/// The seal whose use is to be approved.
fn seal_of<'a>(header: &'a v1::SealDocumentHeader, further_seal: &'a str) -> &'a str {
    if further_seal.is_empty() {
        &header.seal_id
    } else {
        further_seal
    }
}

fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Refusal::Internal {
            what: "the system gives no randomness",
        })?;
    Ok(base16ct::lower::encode_string(&bytes))
}

pub(super) async fn sign(
    service: Arc<Service>,
    caller: String,
    request: v1::SignApprovalRequest,
) -> Result<v1::Approval, Refusal> {
    service.person(&caller, Role::Approver)?;
    if request.cms_der.len() > CMS_BYTES_MAX {
        return Err(Refusal::Limit {
            limit: "cms_der bytes",
            value: request.cms_der.len() as u64,
            max: CMS_BYTES_MAX as u64,
        });
    }
    let stored = service.approval(&request.id).await?;
    let keeper = service
        .seals
        .get(&stored.approval.seal)
        .map(|entry| entry.record().application().keeper.clone())
        .unwrap_or_default();
    let before = stored.signatures.len();
    let worker = Arc::clone(&service);
    let person_name = caller.clone();
    let (mut stored, signature) = blocking(move || {
        let person = worker.people.get(&person_name)?;
        let signature = check_signature(
            &stored.approval,
            person,
            &keeper,
            &stored.signatures,
            &request.cms_der,
            &worker.trust,
            worker.clock.now(),
        )?;
        Ok::<_, Refusal>((stored, signature))
    })
    .await??;
    service
        .record
        .sign_approval(&stored.approval.id, before, &signature)
        .await?;
    tracing::info!(approval = %stored.approval.id, person = %caller, "approval signed");
    stored.signatures.push(signature);
    Ok(answer(&stored))
}

pub(super) async fn get(
    service: Arc<Service>,
    caller: String,
    request: v1::GetApprovalRequest,
) -> Result<v1::Approval, Refusal> {
    let stored = service.approval(&request.id).await?;
    if stored.approval.caller != caller && service.anybody(&caller).is_err() {
        return Err(ApprovalError::Unknown { id: request.id }.into());
    }
    Ok(answer(&stored))
}

impl Service {
    async fn approval(&self, id: &str) -> Result<StoredApproval, Refusal> {
        let stored = self.record.approval(id).await?;
        Ok(stored.ok_or_else(|| ApprovalError::Unknown { id: id.to_owned() })?)
    }
}

fn answer(stored: &StoredApproval) -> v1::Approval {
    v1::Approval {
        id: stored.approval.id.clone(),
        statement: stored.approval.statement(),
        needed: u32::from(stored.approval.needed),
        signed: stored
            .signatures
            .iter()
            .map(|one| v1::ApprovalSigned {
                approver: one.approver.clone(),
                certificate_sha256: one.certificate_sha256.to_vec(),
                signed_at: Some(timestamp(one.signed_at)),
                cms_der: one.cms_der.clone(),
            })
            .collect(),
        expires_at: Some(timestamp(stored.approval.expires_at)),
        used: stored.used,
    }
}
