//! Between the wire's words and the library's.

use yinxin_pki::UnixSeconds;
use yinxin_proto::v1;
use yinxin_signer::appearance::SealKind;
use yinxin_signer::registry::{
    Application, CertListKind, Face, KeyBinding, SealLayout, SealRecord, SealState, Stage, Terms,
    Version,
};

use crate::receipt::timestamp;
use crate::status::Refusal;

/// The longest picture or design.
const FACE_BYTES_MAX: usize = 1024 * 1024;

fn refuse<T>(field: &'static str, rule: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Field {
        field,
        rule: rule.into(),
    })
}

pub(super) fn application(request: v1::ApplySealRequest) -> Result<Application, Refusal> {
    let kind: SealKind =
        serde_json::from_value(serde_json::Value::String(request.kind)).or_else(|_| {
            refuse(
                "kind",
                "must be legal_name, finance, invoice, contract, legal_representative, business \
                 or personal",
            )
        })?;
    Ok(Application {
        code: request.code,
        name: request.name,
        owner_name: request.owner_name,
        owner_code: request.owner_code,
        kind,
        division_code: (!request.division_code.is_empty()).then_some(request.division_code),
        keeper: request.keeper,
        terms: terms(request.terms)?,
    })
}

pub(super) fn terms(terms: Option<v1::SealTerms>) -> Result<Terms, Refusal> {
    let Some(terms) = terms else {
        return refuse("terms", "must be given");
    };
    if terms.face_json.len() > FACE_BYTES_MAX {
        return Err(Refusal::Limit {
            limit: "face_json bytes",
            value: terms.face_json.len() as u64,
            max: FACE_BYTES_MAX as u64,
        });
    }
    let face: Face = match serde_json::from_str(&terms.face_json) {
        Ok(face) => face,
        Err(error) => {
            return refuse(
                "terms.face_json",
                format!("must be one JSON object with design, svg or png: {error}"),
            );
        }
    };
    let binding = |binding: v1::KeyBinding| KeyBinding {
        key: binding.key,
        certificates_pem: binding.certificates_pem,
    };
    Ok(Terms {
        face,
        cert_list: match terms.cert_list_type {
            0 | 1 => CertListKind::Certificates,
            2 => CertListKind::Digests,
            _ => return refuse("terms.cert_list_type", "must be 1 or 2"),
        },
        layout: match terms.layout {
            0 | 4 => SealLayout::V4,
            5 => SealLayout::V5,
            _ => return refuse("terms.layout", "must be 4 or 5"),
        },
        valid_from: seconds("terms.valid_from", terms.valid_from)?.0,
        valid_until: seconds("terms.valid_until", terms.valid_until)?.0,
        gm: terms.gm.map(binding),
        pades: terms.pades.map(binding),
    })
}

/// A moment that must be given.
pub(super) fn seconds(
    field: &'static str,
    moment: Option<yinxin_proto::Timestamp>,
) -> Result<UnixSeconds, Refusal> {
    match moment {
        Some(moment) => Ok(UnixSeconds(moment.seconds)),
        None => refuse(field, "must be given"),
    }
}

pub(super) fn seal(record: &SealRecord, now: UnixSeconds, whole: bool) -> v1::Seal {
    let application = record.application();
    let state = record
        .status_at(now)
        .map_or(record.state(), |status| status.state);
    v1::Seal {
        code: application.code.clone(),
        name: application.name.clone(),
        owner_name: application.owner_name.clone(),
        owner_code: application.owner_code.clone(),
        kind: kind(application.kind),
        keeper: application.keeper.clone(),
        state: self::state(state).into(),
        stage: record.stage().map_or("", stage).to_owned(),
        active_version: record.active_version().map_or(0, |version| version.number),
        sequence: record.sequence(),
        versions: record
            .versions()
            .iter()
            .map(|one| version(one, whole))
            .collect(),
        history: if whole {
            record.history().iter().map(history).collect()
        } else {
            Vec::new()
        },
    }
}

fn kind(kind: SealKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

fn version(version: &Version, whole: bool) -> v1::SealVersion {
    let filing = version.filing.as_ref();
    v1::SealVersion {
        number: version.number,
        made_at: Some(timestamp(version.made_at)),
        valid_from: Some(timestamp(version.valid_from)),
        valid_until: Some(timestamp(version.valid_until)),
        certificates_sha256: version
            .certificates
            .iter()
            .map(|digest| digest.to_vec())
            .collect(),
        seal_der: if whole {
            version
                .material
                .ses_der()
                .ok()
                .flatten()
                .unwrap_or_default()
        } else {
            Vec::new()
        },
        filing_number: filing.map(|one| one.number.clone()).unwrap_or_default(),
        filing_authority: filing.map(|one| one.authority.clone()).unwrap_or_default(),
        active_from: version.active_from.map(timestamp),
    }
}

fn history(entry: &yinxin_signer::registry::HistoryEntry) -> v1::SealHistoryEntry {
    v1::SealHistoryEntry {
        sequence: entry.sequence,
        at: Some(timestamp(entry.at)),
        actor: entry.actor.clone(),
        change: entry.change.to_owned(),
        reason: entry.reason.clone(),
        version: entry.version,
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Applied => "applied",
        Stage::Approved => "approved",
        Stage::Made => "made",
        Stage::Filed => "filed",
    }
}

pub(super) fn state(state: SealState) -> v1::SealState {
    match state {
        SealState::Applied => v1::SealState::Applied,
        SealState::Rejected => v1::SealState::Rejected,
        SealState::Approved => v1::SealState::Approved,
        SealState::Made => v1::SealState::Made,
        SealState::Filed => v1::SealState::Filed,
        SealState::Active => v1::SealState::Active,
        SealState::NotYetValid => v1::SealState::NotYetValid,
        SealState::Expired => v1::SealState::Expired,
        SealState::Suspended => v1::SealState::Suspended,
        SealState::Lost => v1::SealState::Lost,
        SealState::Cancelled => v1::SealState::Cancelled,
        SealState::Revoked => v1::SealState::Revoked,
        SealState::Withdrawn => v1::SealState::Withdrawn,
    }
}
