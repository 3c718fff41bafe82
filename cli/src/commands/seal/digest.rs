//! `yinxin seal --digest-only`: the file is prepared and finished here, and only its digest leaves.

use yinxin_pdf::{
    Appearance, Certification, Document, FieldTarget, Limits, Placement, SignatureOptions,
    SignatureRequest,
};
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::placement::Position;

use super::super::now;
use crate::args::Seal;
use crate::client::Signer;
use crate::failure::{Failure, doing};

/// China has one time, eight hours ahead of UTC.
const UTC_OFFSET_MINUTES: i16 = 480;

/// What has to be appended to the file: prepared here, with the container that the service gives.
pub(super) async fn seal(
    arguments: &Seal,
    header: v1::SealDocumentHeader,
    signer: &Signer,
    document: &Bytes,
) -> Result<Vec<u8>, Failure> {
    let described = signer
        .describe(v1::DescribeSealRequest {
            seal_id: header.seal_id.clone(),
            profile: header.profile,
        })
        .await?;
    let cannot = "文件不能盖章";
    let opened = Document::open(document, Limits::default())
        .map_err(doing(cannot, "the file cannot be sealed"))?;
    let request = signature_request(&header, &described)?;
    // The service sees no fields; a signing plan is kept here.
    yinxin_signer::plan::check_turn(&opened, &request.field)
        .map_err(doing(cannot, "the file cannot be sealed"))?;
    let update = yinxin_pdf::prepare(&opened, &request)
        .map_err(doing(cannot, "the file cannot be sealed"))?;
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
            request_id: header.request_id,
            seal_id: header.seal_id,
            profile: header.profile,
            digest_algorithm: described.digest_algorithm,
            digest: digester.finish(),
            document_name: arguments.input.file_name().map_or_else(
                || "PDF".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            field_name: update.field_name().to_owned(),
            case_number: header.case_number,
            operator: header.operator,
            usage: header.usage,
        })
        .await?;
    update
        .finish(&answer.container)
        .map_err(doing("无法写入签章", "the signature does not fit"))
}

fn signature_request(
    header: &v1::SealDocumentHeader,
    described: &v1::DescribeSealResponse,
) -> Result<SignatureRequest, Failure> {
    let bbox: [f64; 4] = described
        .appearance_bbox
        .as_slice()
        .try_into()
        .map_err(|_| Failure::new("印章图样不完整", "the seal's appearance is incomplete"))?;
    let (field, placement) = place(header, described)?;
    let is_visible = !matches!(placement, Placement::Invisible { .. });
    Ok(SignatureRequest {
        field,
        placement,
        appearance: is_visible.then(|| Appearance {
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
        reason: (!header.reason.is_empty()).then(|| header.reason.clone()),
        location: None,
        options: SignatureOptions {
            may_leave_page: header
                .placement
                .as_ref()
                .is_some_and(|placement| placement.may_leave_page),
            certification: match header.certification() {
                v1::Certification::Unspecified => None,
                v1::Certification::NoChanges => Some(Certification::NoChanges),
                v1::Certification::FillingAndSigning => Some(Certification::FillingAndSigning),
            },
            family: None,
        },
    })
}

/// Places that need no look at what the pages say; the others are the service's work.
fn place(
    header: &v1::SealDocumentHeader,
    described: &v1::DescribeSealResponse,
) -> Result<(FieldTarget, Placement), Failure> {
    let position = header
        .placement
        .as_ref()
        .and_then(|one| one.position.as_ref());
    let page_index = |page_number: u32| page_number.saturating_sub(1) as usize;
    let new = FieldTarget::New { name: None };
    let visible = |page_number, x_mm, y_mm| Placement::Visible {
        page_index: page_index(page_number),
        x_mm,
        y_mm,
        width_mm: described.width_mm,
        height_mm: described.height_mm,
    };
    match position {
        Some(Position::Visible(at)) => Ok((new, visible(at.page_number, at.x_mm, at.y_mm))),
        Some(Position::Invisible(on)) => Ok((
            new,
            Placement::Invisible {
                page_index: page_index(on.page_number),
            },
        )),
        Some(Position::ExistingField(field)) => {
            let name = field.name.clone();
            Ok((FieldTarget::Existing { name }, visible(1, 0.0, 0.0)))
        }
        Some(
            Position::Pages(_)
            | Position::Keyword(_)
            | Position::IssuerAndDate(_)
            | Position::Seam(_),
        )
        | None => Err(Failure::new(
            "--digest-only 只能盖在一页上（--page 数字、--x、--y）、已有的域（--field、--party）或不显示（--invisible）；其他位置请去掉 --digest-only",
            "--digest-only takes one page (--page NUMBER, --x, --y), a field of the file (--field, --party) or --invisible; for any other place leave it out",
        )),
    }
}
