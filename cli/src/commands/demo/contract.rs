//! A contract of several pages in the demonstration: one request for a seal at its end and one over
//! the seam of its pages.

use serde_json::json;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::placement::Position;
use yinxin_signer_server::Config;

use super::operator;
use crate::commands::{now, random_request_id};
use crate::failure::{Failure, doing};

const TEMPLATE: &str = include_str!("contract.typ");

/// The contract, typeset with the signer's fonts.
pub(super) fn pdf(signer: &Config) -> Result<Bytes, Failure> {
    let cannot = "合同无法排版";
    yinxin_signer_server::typesetter(&signer.fonts)
        .map_err(doing(cannot, "the contract cannot be typeset"))?
        .typeset(TEMPLATE, &json!({}), &[], now().0)
        .map(Bytes::from)
        .map_err(doing(cannot, "the contract cannot be typeset"))
}

pub(super) fn request() -> Result<v1::SealDocumentHeader, Failure> {
    let at = |position| {
        Some(v1::Placement {
            position: Some(position),
            ..v1::Placement::default()
        })
    };
    let seal_id = yinxin_keys_dev::SEAL_ID.to_owned();
    let seam = v1::FurtherSeal {
        seal_id: seal_id.clone(),
        profile: v1::SealProfile::GmSeal.into(),
        placement: at(Position::Seam(v1::SeamPlacement::default())),
        ..v1::FurtherSeal::default()
    };
    Ok(v1::SealDocumentHeader {
        request_id: random_request_id()?,
        seal_id,
        profile: v1::SealProfile::Dual.into(),
        placement: at(Position::Keyword(v1::KeywordPlacement {
            keyword: "甲方（盖章）".to_owned(),
            offset_x_mm: 12.0,
            offset_y_mm: 12.0,
            ..v1::KeywordPlacement::default()
        })),
        further_seals: vec![seam],
        case_number: "DEMO-2".to_owned(),
        operator: operator(),
        ..v1::SealDocumentHeader::default()
    })
}
