//! The library's report as a message.

use yinxin_pki::UnixSeconds;
use yinxin_proto::{Timestamp, v1};
use yinxin_verifier::{Indication, Language, Report, SignatureReport, Status, Step, SubIndication};

use crate::refusal::Refusal;

pub(crate) fn timestamp(at: UnixSeconds) -> Timestamp {
    Timestamp {
        seconds: at.0,
        nanos: 0,
    }
}

pub(crate) fn response(
    report: &Report,
    language: Language,
) -> Result<v1::VerifyDocumentResponse, Refusal> {
    Ok(v1::VerifyDocumentResponse {
        indication: indication(report.indication).into(),
        report_json: report.to_json(),
        report_text: report.text(language),
        signatures: report
            .signatures
            .iter()
            .map(|one| signature(one, language))
            .collect(),
        document_sha256: report.document.sha256.0.to_vec(),
        document_bytes: report.document.length,
        verified_at: Some(timestamp(report.verified_at)),
    })
}

fn indication(indication: Indication) -> v1::Indication {
    match indication {
        Indication::TotalPassed => v1::Indication::TotalPassed,
        Indication::Indeterminate => v1::Indication::Indeterminate,
        Indication::TotalFailed => v1::Indication::TotalFailed,
    }
}

fn signature(report: &SignatureReport, language: Language) -> v1::SignatureSummary {
    v1::SignatureSummary {
        fields: report.fields.clone(),
        kind: report.kind.code().to_owned(),
        signer_name: report
            .signer
            .as_ref()
            .map_or_else(String::new, |signer| signer.display_name().to_owned()),
        seal_name: report
            .seal
            .as_ref()
            .map_or_else(String::new, |seal| seal.name.clone()),
        claimed_time: report.claimed_time.map(timestamp),
        indication: indication(report.indication).into(),
        sub_indication: report
            .sub_indication
            .map_or_else(String::new, |sub: SubIndication| sub.code().to_owned()),
        steps: report.steps.iter().map(|one| step(one, language)).collect(),
    }
}

fn step(step: &Step, language: Language) -> v1::VerificationStep {
    let status = match step.status {
        Status::Passed => v1::StepStatus::Passed,
        Status::NotChecked => v1::StepStatus::NotChecked,
        Status::Warning => v1::StepStatus::Warning,
        Status::Indeterminate => v1::StepStatus::Indeterminate,
        Status::Failed => v1::StepStatus::Failed,
    };
    v1::VerificationStep {
        id: step.id.code().to_owned(),
        status: status.into(),
        detail: step.detail(language),
    }
}
