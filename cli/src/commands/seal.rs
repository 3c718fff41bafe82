//! `yinxin seal`: a PDF through the signing service, or only its digest.

use std::process::ExitCode;

use yinxin_pdf::{
    Appearance, Document, FieldTarget, Limits, Placement, SignatureOptions, SignatureRequest,
};
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::placement::Position;

use super::seal_admin::print_approval;
use super::{block_on, now, read, write};
use crate::args::Seal;
use crate::client::{ConnectionFile, Signer};
use crate::failure::{Failure, doing};
use crate::language::Language;

/// China has one time, eight hours ahead of UTC.
const UTC_OFFSET_MINUTES: i16 = 480;

pub(crate) fn run(arguments: &Seal, language: Language) -> Result<ExitCode, Failure> {
    let document = read(&arguments.input)?;
    let file = ConnectionFile::read(&arguments.connection.connect)?;
    if arguments.request_approval {
        return request_approval(arguments, &file, &document);
    }
    block_on(async {
        let signer = file.signer().await?;
        if arguments.digest_only {
            let tail = seal_digest(arguments, &signer, &document).await?;
            write(&arguments.output, &[&document, &tail])
        } else {
            let header = header(arguments)?;
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

/// Asks for the approval of exactly this use and prints it for the approvers.
fn request_approval(
    arguments: &Seal,
    file: &ConnectionFile,
    document: &Bytes,
) -> Result<ExitCode, Failure> {
    let request = v1::RequestApprovalRequest {
        subject: Some(v1::request_approval_request::Subject::Document(header(
            arguments,
        )?)),
        document_sha256: DigestAlgorithm::Sha256.digest(document),
        valid_seconds: 0,
    };
    let approval = block_on(async {
        let mut seals = file.signer().await?.seals();
        seals
            .request_approval(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| Failure::status(&status))
    })?;
    print_approval(&approval)?;
    Ok(ExitCode::SUCCESS)
}

fn header(arguments: &Seal) -> Result<v1::SealDocumentHeader, Failure> {
    let connection = &arguments.connection;
    let position = match (&arguments.field, arguments.invisible) {
        (Some(name), _) => Position::ExistingField(v1::ExistingField { name: name.clone() }),
        (None, true) => Position::Invisible(v1::InvisiblePlacement {
            page_number: arguments.page,
            field_name: String::new(),
        }),
        (None, false) => Position::Visible(v1::VisiblePlacement {
            page_number: arguments.page,
            x_mm: arguments.x,
            y_mm: arguments.y,
            field_name: String::new(),
        }),
    };
    Ok(v1::SealDocumentHeader {
        request_id: connection.request_id()?,
        seal_id: connection.seal.clone(),
        profile: connection.profile()?.into(),
        placement: Some(v1::Placement {
            position: Some(position),
            ..v1::Placement::default()
        }),
        reason: arguments.reason.clone(),
        location: String::new(),
        case_number: connection.case.clone(),
        operator: Some(connection.operator()),
        document_bytes: 0,
        usage: Some(arguments.usage.context()),
        ..v1::SealDocumentHeader::default()
    })
}

/// Prepares the file here, asks the service for the container, and gives back what has to be
/// appended to the file.
async fn seal_digest(
    arguments: &Seal,
    signer: &Signer,
    document: &Bytes,
) -> Result<Vec<u8>, Failure> {
    let connection = &arguments.connection;
    let described = signer
        .describe(v1::DescribeSealRequest {
            seal_id: connection.seal.clone(),
            profile: connection.profile()?.into(),
        })
        .await?;
    let opened = Document::open(document, Limits::default())
        .map_err(doing("文件不能盖章", "the file cannot be sealed"))?;
    let request = signature_request(arguments, &described)?;
    let update = yinxin_pdf::prepare(&opened, &request)
        .map_err(doing("文件不能盖章", "the file cannot be sealed"))?;
    let algorithm = match described.digest_algorithm() {
        v1::DigestAlgorithm::Sha256 => DigestAlgorithm::Sha256,
        v1::DigestAlgorithm::Sm3 => DigestAlgorithm::Sm3,
        v1::DigestAlgorithm::Unspecified => {
            return Err(Failure::new(
                "服务没有给出摘要算法",
                "the service names no digest",
            ));
        }
    };
    let mut digester = algorithm.start();
    update
        .covered(document)
        .iter()
        .for_each(|part| digester.update(part));
    let answer = signer
        .seal_digest(v1::SealDigestRequest {
            request_id: connection.request_id()?,
            seal_id: connection.seal.clone(),
            profile: connection.profile()?.into(),
            digest_algorithm: described.digest_algorithm,
            digest: digester.finish(),
            document_name: arguments.input.file_name().map_or_else(
                || "PDF".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            field_name: update.field_name().to_owned(),
            case_number: connection.case.clone(),
            operator: Some(connection.operator()),
            usage: Some(arguments.usage.context()),
        })
        .await?;
    update
        .finish(&answer.container)
        .map_err(doing("无法写入签章", "the signature does not fit"))
}

fn signature_request(
    arguments: &Seal,
    described: &v1::DescribeSealResponse,
) -> Result<SignatureRequest, Failure> {
    let page_index = arguments
        .page
        .checked_sub(1)
        .map_or(0, |index| index as usize);
    let bbox: [f64; 4] = described
        .appearance_bbox
        .as_slice()
        .try_into()
        .map_err(|_| Failure::new("印章图样不完整", "the seal's appearance is incomplete"))?;
    let placement = if arguments.invisible {
        Placement::Invisible { page_index }
    } else {
        Placement::Visible {
            page_index,
            x_mm: arguments.x,
            y_mm: arguments.y,
            width_mm: described.width_mm,
            height_mm: described.height_mm,
        }
    };
    Ok(SignatureRequest {
        field: match &arguments.field {
            Some(name) => FieldTarget::Existing { name: name.clone() },
            None => FieldTarget::New { name: None },
        },
        placement,
        appearance: (!arguments.invisible).then(|| Appearance {
            content: described.appearance_content.as_slice().into(),
            bbox,
            alternate_text: described.alternate_text.clone(),
            image: None,
        }),
        filter: described.filter.clone(),
        sub_filter: described.sub_filter.clone(),
        contents_bytes: described.container_bytes_max as usize,
        signing_time: now().0,
        signing_offset_minutes: UTC_OFFSET_MINUTES,
        name: Some(described.name.clone()),
        reason: (!arguments.reason.is_empty()).then(|| arguments.reason.clone()),
        location: None,
        options: SignatureOptions::default(),
    })
}
