//! LicenceService.

use std::sync::Arc;

use serde_json::{Value, json};
use tonic::{Request, Response, Status};
use yinxin_pdf::{FieldTarget, Placement};
use yinxin_proto::v1;
use yinxin_proto::v1::licence_service_server::LicenceService;
use yinxin_signer::licence::{
    CivilDate, Issuance, Issuer, LicenceIdentifier, LicenceNumber, LicenceType, Metadata,
    ValidatedFields, compose, compose_inputs, metadata, qr_svg,
};
use yinxin_signer::record::{LicenceRow, LicenceSeries, Operation, Record as _, RequestKey};
use yinxin_signer::road::{Released, Wishes};

use super::{Admitted, Rpc};
use crate::pipeline::{Act, OpenRequest, Site};
use crate::receipt::Receipt;
use crate::service::Service;
use crate::status::Refusal;
use crate::steps::Step;
use crate::usage::{Wish, licence_subject};
use crate::{body, caller, fields};

/// The longest `fields_json`.
const FIELDS_BYTES_MAX: usize = 64 * 1024;

/// The proofs of one village are counted together, whatever they prove.
const PROOF_SERIES: &str = "proof";

#[tonic::async_trait]
impl LicenceService for Rpc {
    async fn issue_licence(
        &self,
        request: Request<v1::IssueLicenceRequest>,
    ) -> Result<Response<v1::IssueLicenceResponse>, Status> {
        let department = caller::department(&request)?;
        let (service, request) = (self.service(), request.into_inner());
        let worker = Arc::clone(&service);
        let work = async move { issue(&worker, department, request).await };
        Ok(Response::new(service.within_time(work).await?))
    }
}

/// A form that has been checked, and who issues from it.
struct Form {
    licence_type: LicenceType,
    fields: ValidatedFields,
    fields_json: Value,
    issuer: Issuer,
}

async fn issue(
    service: &Arc<Service>,
    department: String,
    request: v1::IssueLicenceRequest,
) -> Result<v1::IssueLicenceResponse, Refusal> {
    fields::request_id(&request.request_id)?;
    fields::who(request.operator.as_ref(), &request.case_number)?;
    let profile = fields::profile(request.profile)?;
    let permit = service.authorise(&Wish {
        department: &department,
        operation: Operation::IssueLicence,
        seal_id: &request.seal_id,
        licence_type: &request.licence_type,
        operator: request.operator.as_ref(),
        case_number: &request.case_number,
        usage: request.usage.as_ref(),
    })?;
    let form = form(&request, permit.held.issuer.as_ref())?;
    let admitted = Admitted {
        key: RequestKey {
            caller: department,
            request_id: request.request_id.clone(),
        },
        operation: Operation::IssueLicence,
        body_sha256: body::of_message(&request, None),
        details: json!({
            "seal": request.seal_id,
            "profile": profile.name(),
            "licence_type": request.licence_type,
            "case_number": request.case_number,
            "operator": request.operator.as_ref().map(|operator| &operator.account),
        }),
        permit,
        profile,
        further: Vec::new(),
        subject: licence_subject(&request),
    };
    let released = service
        .under_record(admitted, move |service, admitted, open| async move {
            issue_once(&service, admitted, open, form).await
        })
        .await?;
    answer(service, &released).await
}

fn form(request: &v1::IssueLicenceRequest, issuer: Option<&Issuer>) -> Result<Form, Refusal> {
    let licence_type =
        LicenceType::built_in(&request.licence_type).ok_or_else(|| Refusal::NoSuchLicenceType {
            name: request.licence_type.clone(),
        })?;
    if request.fields_json.len() > FIELDS_BYTES_MAX {
        return Err(Refusal::Limit {
            limit: "fields_json bytes",
            value: request.fields_json.len() as u64,
            max: FIELDS_BYTES_MAX as u64,
        });
    }
    let refuse = |field, rule: String| Refusal::Field { field, rule };
    let fields_json: Value = serde_json::from_str(&request.fields_json)
        .map_err(|error| refuse("fields_json", format!("must be one JSON object: {error}")))?;
    let fields = licence_type.validate(&fields_json)?;
    let issuer = issuer.cloned().ok_or_else(|| {
        refuse(
            "seal_id",
            "this seal belongs to no issuer of licences".to_owned(),
        )
    })?;
    if !request.division_code.is_empty() && request.division_code != issuer.division {
        return Err(refuse(
            "division_code",
            format!("the seal's owner sits in {}", issuer.division),
        ));
    }
    Ok(Form {
        licence_type,
        fields,
        fields_json,
        issuer,
    })
}

async fn issue_once(
    service: &Arc<Service>,
    admitted: Admitted,
    open: OpenRequest,
    form: Form,
) -> Result<Released, Refusal> {
    let _working = service
        .working
        .acquire()
        .await
        .map_err(|_| Refusal::ShuttingDown)?;
    let internal = |what| Refusal::Internal { what };
    let issue_date = CivilDate::in_china(open.first_opened_at.0)
        .ok_or(internal("the clock stands outside the calendar"))?;
    let series = LicenceSeries {
        licence_type: PROOF_SERIES.to_owned(),
        issuer: form.issuer.division.clone(),
        year: issue_date.year(),
    };
    let sequence = service.record.reserve_number(&open.key, &series).await?;
    service.checkpoints.reached(Step::NumberReserved);
    let number = u32::try_from(sequence)
        .ok()
        .and_then(|sequence| {
            LicenceNumber::new(&form.issuer.division, issue_date.year(), sequence).ok()
        })
        .ok_or(internal("the village's numbers of this year are used up"))?;
    let identifier = LicenceIdentifier::new(
        form.licence_type.type_code(),
        &form.issuer.code,
        &number.serial(),
        1,
    )
    .map_err(|_| internal("the identifier's parts do not fit"))?;
    let issuance = Issuance {
        issuer: &form.issuer,
        number: &number,
        identifier: &identifier,
        issue_date,
    };
    let inputs = compose_inputs(&form.licence_type, &form.fields, &issuance)?;
    let facts = metadata(&form.licence_type, &form.fields, &issuance)?;
    let qr = qr_svg(&identifier).map_err(|_| internal("the identifier does not fit a QR code"))?;
    let seal = &admitted.permit.held.seal;
    let act = Act {
        seal: Arc::clone(seal),
        profile: admitted.profile,
        site: seal_site(&form.licence_type, seal.width_mm, seal.height_mm),
    };

    let (template, created) = (form.licence_type.template(), open.first_opened_at.0);
    let files = [(compose::QR_FILE, qr.into_bytes())];
    let pdf = service
        .typesetter
        .typeset(template, &inputs, &files, created)?;
    let mut spool = service.new_spool(true);
    spool.append(&pdf)?;
    let sealed = service.seal_document(&open, &[act], spool).await?;
    let licence = LicenceRow {
        identifier: identifier.to_string(),
        number: number.to_string(),
        licence_type: form.licence_type.key().to_owned(),
        issuer_code: form.issuer.code.clone(),
        version: 1,
        metadata_json: stored_metadata(&facts, &form.fields_json),
        document_sha256: sealed.stored.sha256,
        issued_at: open.first_opened_at,
    };
    service
        .release(
            &open,
            sealed.signatures,
            Some(&sealed.stored),
            Some(licence),
        )
        .await
}

/// The metadata of GB/T 36903, and the form it was made from.
fn stored_metadata(metadata: &Metadata, form: &Value) -> String {
    json!({ "metadata": metadata, "form": form }).to_string()
}

fn seal_site(licence_type: &LicenceType, width_mm: f64, height_mm: f64) -> Site {
    let place = licence_type.seal();
    let (x_mm, y_mm) = place.upper_left_mm(width_mm, height_mm);
    let placement = Placement::Visible {
        page_index: place.page_index,
        x_mm,
        y_mm,
        width_mm,
        height_mm,
    };
    Site {
        field: FieldTarget::New { name: None },
        place: placement.into(),
        wishes: Wishes::default(),
        reason: None,
        location: None,
    }
}

/// The answer, made from the release alone, so that a retry gets the same.
async fn answer(
    service: &Arc<Service>,
    released: &Released,
) -> Result<v1::IssueLicenceResponse, Refusal> {
    let internal = |what| Refusal::Internal { what };
    let release = released.release();
    let licence = release
        .licence
        .as_ref()
        .ok_or(internal("a licence's release has no licence"))?;
    let document = service.released_document(release).await?;
    let receipt = Receipt::from_json(&release.receipt_json)?;
    Ok(v1::IssueLicenceResponse {
        licence: Some(wire_licence(licence)?),
        document,
        document_sha256: licence.document_sha256.to_vec(),
        receipt: Some(receipt.to_wire("")?),
        replayed: released.replayed(),
    })
}

fn wire_licence(licence: &LicenceRow) -> Result<v1::Licence, Refusal> {
    let unreadable = || Refusal::Internal {
        what: "the record holds unreadable metadata",
    };
    let stored: Value = serde_json::from_str(&licence.metadata_json).map_err(|_| unreadable())?;
    let metadata = stored.get("metadata").ok_or_else(unreadable)?;
    let text = |key: &str| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(unreadable)
    };
    let texts = |key: &str| -> Result<Vec<String>, Refusal> {
        let list = metadata
            .get(key)
            .and_then(Value::as_array)
            .ok_or_else(unreadable)?;
        Ok(list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect())
    };
    let (names, codes) = (
        texts("certificateHolderName")?,
        texts("certificateHolderCode")?,
    );
    let holders = names
        .into_iter()
        .zip(codes)
        .map(|(name, code)| v1::LicenceHolder {
            name,
            masked_number: yinxin_signer::licence::codes::mask(&code),
        })
        .collect();
    let date = CivilDate::parse_compact(&text("certificateIssuedDate")?).ok_or_else(unreadable)?;
    Ok(v1::Licence {
        identifier: licence.identifier.clone(),
        number: licence.number.clone(),
        version: licence.version.into(),
        type_code: text("certificateTypeCode")?,
        type_name: text("certificateName")?,
        holders,
        issue_date: date.to_string(),
        state: v1::LicenceState::Effective.into(),
    })
}
