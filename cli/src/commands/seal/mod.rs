//! `yinxin seal`: a PDF through the signing service, or only its digest.

mod digest;
pub(crate) mod place;
mod places_file;

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Deserialize;
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::Bytes;
use yinxin_proto::v1;

use self::place::Spelling;
use self::places_file::PlacesFile;
use super::seal_admin::print_approval;
use super::{block_on, profile, read, write};
use crate::args::Seal;
use crate::client::ConnectionFile;
use crate::failure::Failure;
use crate::language::Language;

/// What may follow the first signature (DocMDP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Certify {
    /// 不得再改动（P 1） · nothing
    #[value(alias = "p1")]
    NoChanges,
    /// 只可填写并签署已有的域（P 2） · filling in and signing the fields that are there
    #[value(alias = "p2")]
    FillingAndSigning,
}

impl Certify {
    fn wire(self) -> v1::Certification {
        match self {
            Self::NoChanges => v1::Certification::NoChanges,
            Self::FillingAndSigning => v1::Certification::FillingAndSigning,
        }
    }
}

pub(crate) fn run(arguments: &Seal, language: Language) -> Result<ExitCode, Failure> {
    let header = header(arguments)?;
    let document = read(&arguments.input)?;
    let file = ConnectionFile::read(&arguments.connection.connect)?;
    if arguments.request_approval {
        return request_approvals(&file, header, &document);
    }
    block_on(async {
        let signer = file.signer().await?;
        if arguments.digest_only {
            let tail = digest::seal(arguments, header, &signer, &document).await?;
            write(&arguments.output, &[&document, &tail])
        } else {
            let sealed = signer.seal(header, document).await?;
            write(&arguments.output, &[&sealed])
        }
    })?;
    println!(
        "{} {}",
        language.pick("已盖章", "sealed"),
        arguments.output.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Asks for the approval of exactly this use of each of its seals, and prints them for the
/// approvers.
fn request_approvals(
    file: &ConnectionFile,
    header: v1::SealDocumentHeader,
    document: &Bytes,
) -> Result<ExitCode, Failure> {
    // The first seal, then each other one once, however many places it has.
    let mut seals = vec![String::new()];
    for further in &header.further_seals {
        if further.seal_id != header.seal_id && !seals.contains(&further.seal_id) {
            seals.push(further.seal_id.clone());
        }
    }
    let document_sha256 = DigestAlgorithm::Sha256.digest(document);
    let approvals = block_on(async {
        let mut service = file.signer().await?.seals();
        let mut approvals = Vec::with_capacity(seals.len());
        for further_seal_id in seals {
            let subject = v1::request_approval_request::Subject::Document(header.clone());
            let request = v1::RequestApprovalRequest {
                subject: Some(subject),
                document_sha256: document_sha256.clone(),
                valid_seconds: 0,
                further_seal_id,
            };
            let approval = service
                .request_approval(request)
                .await
                .map_err(|status| Failure::status(&status))?;
            approvals.push(approval.into_inner());
        }
        Ok(approvals)
    })?;
    approvals.iter().try_for_each(print_approval)?;
    Ok(ExitCode::SUCCESS)
}

fn header(arguments: &Seal) -> Result<v1::SealDocumentHeader, Failure> {
    let connection = &arguments.connection;
    let mut header = v1::SealDocumentHeader {
        request_id: connection.request_id()?,
        seal_id: connection.seal.clone(),
        profile: connection.profile()?.into(),
        reason: arguments.reason.clone(),
        case_number: connection.case.clone(),
        operator: Some(connection.operator()),
        usage: Some(arguments.usage.context()),
        certification: arguments
            .certify
            .map_or(v1::Certification::Unspecified, Certify::wire)
            .into(),
        ..v1::SealDocumentHeader::default()
    };
    match &arguments.places {
        None => header.placement = Some(arguments.place.placement(Spelling::Options)?),
        Some(path) => {
            if let Some(given) = arguments.place.given().first() {
                let given = Spelling::Options.of(given);
                return Err(Failure::new(
                    format!("{given} 不与 --places 一起用：位置请都写在文件里"),
                    format!("{given} does not go with --places: write every place into the file"),
                ));
            }
            PlacesFile::read(path)?.fill(&mut header)?;
        }
    }
    let is_first_of_many = header.plan.is_some() || header.certification != 0;
    if is_first_of_many && header.profile() == v1::SealProfile::Dual {
        return Err(Failure::new(
            "签署计划与 --certify 每方只签一次，dual 会签两次：请用 --profile pades-b-b、gm-seal 或 gm-cms",
            "with a signing plan or --certify each party makes one signature, and dual makes two: use --profile pades-b-b, gm-seal or gm-cms",
        ));
    }
    Ok(header)
}
