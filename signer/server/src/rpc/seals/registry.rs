//! The life of seals.

use std::sync::Arc;

use yinxin_pki::SignatureAlgorithm;
use yinxin_proto::v1;
use yinxin_signer::keys::KeyStore as _;
use yinxin_signer::registry::{
    Actor, Change, Filing, FilingOutcome, FilingRecord, Material, RegistryError, Role, SealRecord,
    Terms, made_material, revocations,
};

use super::wire;
use crate::fields;
use crate::pipeline::blocking;
use crate::receipt::timestamp;
use crate::seals::load;
use crate::service::Service;
use crate::status::Refusal;

/// Seals on one page of a list.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1000;

/// The longest list of filing records.
const FILINGS_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) async fn apply(
    service: Arc<Service>,
    caller: String,
    request: v1::ApplySealRequest,
) -> Result<v1::Seal, Refusal> {
    let person = service.person(&caller, Role::Applicant)?;
    let application = wire::application(request)?;
    application.check()?;
    service.check_terms(&application.terms, &application.name)?;
    let now = service.clock.now();
    let record = service
        .record
        .apply_for_seal(application, &Actor::Person(person), service.duties, now)
        .await?;
    Ok(service.changed(&caller, record))
}

pub(super) async fn renew(
    service: Arc<Service>,
    caller: String,
    request: v1::RenewSealRequest,
) -> Result<v1::Seal, Refusal> {
    service.person(&caller, Role::Applicant)?;
    fields::text("reason", &request.reason, 1, 200)?;
    let terms = wire::terms(request.terms)?;
    terms.check()?;
    let record = service.seal(&request.code)?;
    service.check_terms(&terms, &record.application().name)?;
    let change = Change::RenewalApplied {
        terms: Box::new(terms),
        reason: request.reason,
    };
    service.append(&caller, &request.code, None, change).await
}

pub(super) async fn change(
    service: Arc<Service>,
    caller: String,
    request: v1::ChangeSealRequest,
) -> Result<v1::Seal, Refusal> {
    service.anybody(&caller)?;
    let record = service.seal(&request.code)?;
    let change = service.wanted_change(&caller, &record, &request).await?;
    let seen = (request.seen_sequence != 0).then_some(request.seen_sequence);
    service.append(&caller, &request.code, seen, change).await
}

impl Service {
    async fn wanted_change(
        self: &Arc<Self>,
        caller: &str,
        record: &SealRecord,
        request: &v1::ChangeSealRequest,
    ) -> Result<Change, Refusal> {
        use v1::SealAction as Action;
        let action = Action::try_from(request.action).unwrap_or(Action::Unspecified);
        let reason = match action {
            Action::Unspecified
            | Action::Approve
            | Action::Make
            | Action::File
            | Action::Activate => String::new(),
            Action::Reject
            | Action::Suspend
            | Action::Resume
            | Action::ReportLost
            | Action::Cancel
            | Action::Revoke
            | Action::Withdraw => {
                fields::text("reason", &request.reason, 1, 200)?;
                request.reason.clone()
            }
        };
        Ok(match action {
            Action::Unspecified => {
                return Err(Refusal::Field {
                    field: "action",
                    rule: "must be one of the actions".to_owned(),
                });
            }
            Action::Approve => Change::Approved,
            Action::Reject => Change::Rejected { reason },
            Action::Make => {
                // Before the maker's key is used.
                self.person(caller, Role::Maker)?;
                Change::Made {
                    material: Box::new(self.make(record).await?),
                }
            }
            Action::File => Change::Filed {
                filing: Filing {
                    number: request.filing_number.clone(),
                    authority: request.filing_authority.clone(),
                },
            },
            Action::Activate => {
                self.check_loads(record)?;
                Change::Activated
            }
            Action::Suspend => Change::Suspended { reason },
            Action::Resume => Change::Resumed { reason },
            Action::ReportLost => Change::Lost { reason },
            Action::Cancel => Change::Cancelled { reason },
            Action::Revoke => Change::Revoked { reason },
            Action::Withdraw => Change::Withdrawn { reason },
        })
    }

    /// Draws the seal and has the maker's key sign the seal object.
    pub(crate) async fn make(self: &Arc<Self>, record: &SealRecord) -> Result<Material, Refusal> {
        let terms = record.terms_to_make().ok_or(RegistryError::WrongState {
            state: record.state().name(),
            change: "made",
        })?;
        let picture = terms
            .face
            .draw(&self.seals.font, &record.application().name)?;
        let maker = self.maker.clone();
        let vendor_id = maker.as_ref().map_or("", |(vendor_id, _)| vendor_id);
        let draft = record.draft(vendor_id, &picture, self.clock.now())?;
        let Some(draft) = draft else {
            return Ok(Material {
                ses_pem: None,
                ses_sha256: None,
                maker: None,
            });
        };
        let (_, identity) = maker.ok_or(Refusal::NoMaker)?;
        let service = Arc::clone(self);
        blocking(move || {
            let signature = service
                .keys
                .router
                .sign(&identity.key, &SignatureAlgorithm::Sm2Sm3, &draft.info_der)
                .map_err(yinxin_signer::error::SealError::Keys)?;
            Ok(made_material(&draft, &identity.certificate, &signature)?)
        })
        .await?
    }

    /// Refuses what could never be drawn or signed with, before anybody approves it.
    fn check_terms(&self, terms: &Terms, name: &str) -> Result<(), Refusal> {
        terms.face.draw(&self.seals.font, name)?;
        for binding in terms.gm.iter().chain(&terms.pades) {
            binding
                .identity()?
                .check(&self.keys.router)
                .map_err(Refusal::SealSetup)?;
        }
        Ok(())
    }

    /// Refuses to activate a version that could not be applied then.
    pub(crate) fn check_loads(&self, record: &SealRecord) -> Result<(), Refusal> {
        let Some(version) = record.versions().last() else {
            return Ok(());
        };
        load(
            record.application(),
            &version.terms,
            &version.material,
            &self.seals.font,
            &self.keys.router,
        )
        .map(|_| ())
        .map_err(|error| {
            tracing::error!(seal = %record.application().code, %error, "a made version does not load");
            Refusal::SealNotLoaded {
                seal: record.application().code.clone(),
            }
        })
    }

    async fn append(
        &self,
        caller: &str,
        code: &str,
        seen: Option<u32>,
        change: Change,
    ) -> Result<v1::Seal, Refusal> {
        let actor = Actor::Person(self.people.get(caller)?);
        let record = self
            .record
            .change_seal(code, seen, change, &actor, self.duties, self.clock.now())
            .await?;
        Ok(self.changed(caller, record))
    }

    /// Takes a stored change into use, and says so.
    fn changed(&self, caller: &str, record: SealRecord) -> v1::Seal {
        let code = record.application().code.clone();
        let change = record.history().last().map_or("", |entry| entry.change);
        tracing::info!(seal = %code, person = %caller, change, "seal changed");
        let answer = wire::seal(&record, self.clock.now(), true);
        if let Err(error) = self.seals.put(record, &self.keys.router) {
            tracing::error!(seal = %code, %error, "a seal of the registry cannot be used");
        }
        answer
    }

    fn seal(&self, code: &str) -> Result<SealRecord, Refusal> {
        match self.seals.get(code) {
            Some(entry) => Ok(entry.record().clone()),
            None => Err(RegistryError::NoSuchSeal {
                code: code.to_owned(),
            }
            .into()),
        }
    }
}

pub(super) async fn get(
    service: Arc<Service>,
    caller: String,
    request: v1::GetSealRequest,
) -> Result<v1::Seal, Refusal> {
    service.anybody(&caller)?;
    let record = service.seal(&request.code)?;
    Ok(wire::seal(&record, service.clock.now(), true))
}

pub(super) async fn list(
    service: Arc<Service>,
    caller: String,
    request: v1::ListSealsRequest,
) -> Result<v1::ListSealsResponse, Refusal> {
    service.anybody(&caller)?;
    let size = page_size(request.page_size) as usize;
    let now = service.clock.now();
    let mut seals: Vec<v1::Seal> = service
        .seals
        .all()
        .iter()
        .filter(|entry| entry.record().application().code > request.after_code)
        .take(size + 1)
        .map(|entry| wire::seal(entry.record(), now, false))
        .collect();
    let more = seals.len() > size;
    seals.truncate(size);
    let next_after_code = match seals.last() {
        Some(last) if more => last.code.clone(),
        Some(_) | None => String::new(),
    };
    Ok(v1::ListSealsResponse {
        seals,
        next_after_code,
    })
}

pub(super) fn page_size(asked: u32) -> u32 {
    if asked == 0 {
        PAGE
    } else {
        asked.min(PAGE_MAX)
    }
}

pub(super) async fn status(
    service: Arc<Service>,
    _caller: String,
    request: v1::GetSealStatusRequest,
) -> Result<v1::GetSealStatusResponse, Refusal> {
    let record = service.seal(&request.code)?;
    let at = match request.at {
        Some(_) => wire::seconds("at", request.at)?,
        None => service.clock.now(),
    };
    // Before its application a seal is as unknown as one that never was.
    let status = record.status_at(at).ok_or(RegistryError::NoSuchSeal {
        code: request.code.clone(),
    })?;
    let valid = if request.certificate_sha256.is_empty() {
        status.is_valid()
    } else {
        let digest: [u8; 32] = request
            .certificate_sha256
            .as_slice()
            .try_into()
            .map_err(|_| Refusal::Field {
                field: "certificate_sha256",
                rule: "must be 32 bytes".to_owned(),
            })?;
        record.permits_at(&digest, at)
    };
    Ok(v1::GetSealStatusResponse {
        seal_status: u32::from(!valid),
        state: wire::state(status.state).into(),
        version: status.version.unwrap_or(0),
        since: Some(timestamp(status.since)),
        at: Some(timestamp(status.at)),
    })
}

pub(super) async fn revoked(
    service: Arc<Service>,
    _caller: String,
    request: v1::ListSealRevocationsRequest,
) -> Result<v1::ListSealRevocationsResponse, Refusal> {
    let (from, to) = (
        wire::seconds("from", request.from)?,
        wire::seconds("to", request.to)?,
    );
    let entries = service.seals.all();
    let all = revocations(entries.iter().map(|entry| entry.record()), from, to);
    let page = request.page.max(1) as usize;
    Ok(v1::ListSealRevocationsResponse {
        total: u32::try_from(all.len()).unwrap_or(u32::MAX),
        revocations: all
            .into_iter()
            .skip((page - 1).saturating_mul(PAGE as usize))
            .take(PAGE as usize)
            .map(|entry| v1::SealRevocation {
                code: entry.code,
                name: entry.name,
                invalid_type: entry.kind.number(),
                effective_at: Some(timestamp(entry.at)),
                reason: entry.reason,
            })
            .collect(),
    })
}

pub(super) async fn export(
    service: Arc<Service>,
    caller: String,
    _request: v1::ExportFilingsRequest,
) -> Result<v1::ExportFilingsResponse, Refusal> {
    service.anybody(&caller)?;
    let now = service.clock.now();
    let records: Vec<FilingRecord> = service
        .seals
        .all()
        .iter()
        .flat_map(|entry| entry.record().filing_records(now))
        .collect();
    let filings_json = serde_json::to_string_pretty(&records).map_err(|_| Refusal::Internal {
        what: "a filing record cannot be written",
    })?;
    Ok(v1::ExportFilingsResponse { filings_json })
}

pub(super) async fn import(
    service: Arc<Service>,
    caller: String,
    request: v1::ImportFilingsRequest,
) -> Result<v1::ImportFilingsResponse, Refusal> {
    service.person(&caller, Role::Maker)?;
    if request.filings_json.len() > FILINGS_BYTES_MAX {
        return Err(Refusal::Limit {
            limit: "filings_json bytes",
            value: request.filings_json.len() as u64,
            max: FILINGS_BYTES_MAX as u64,
        });
    }
    let records: Vec<FilingRecord> =
        serde_json::from_str(&request.filings_json).map_err(|error| Refusal::Field {
            field: "filings_json",
            rule: format!("must be an array of filing records: {error}"),
        })?;
    let mut filings = Vec::new();
    for record in records {
        let outcome = service.take_filing(&caller, &record).await;
        let (outcome, message) = match outcome {
            Ok(outcome) => (outcome.to_owned(), String::new()),
            Err(refusal) => (refusal.reason().to_owned(), refusal.to_string()),
        };
        filings.push(v1::ImportedFiling {
            code: record.seal_code,
            outcome,
            message,
        });
    }
    Ok(v1::ImportFilingsResponse { filings })
}

impl Service {
    async fn take_filing(
        &self,
        caller: &str,
        record: &FilingRecord,
    ) -> Result<&'static str, Refusal> {
        match self.seal(&record.seal_code)?.take_filing(record)? {
            FilingOutcome::KnownAlready => Ok("known"),
            FilingOutcome::Files(change) => {
                self.append(caller, &record.seal_code, None, change).await?;
                Ok("filed")
            }
        }
    }
}
