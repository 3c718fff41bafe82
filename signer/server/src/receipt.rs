//! The receipt: recorded as JSON at release, and given again from there.

use serde::{Deserialize, Serialize};
use yinxin_pki::UnixSeconds;
use yinxin_proto::v1;
use yinxin_signer::profile::SealProfile;
use yinxin_signer::road::SelfChecked;
use yinxin_store::StoredDocument;

use crate::status::Refusal;

/// What the caller is told was recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    request_id: String,
    recorded_at: i64,
    pub(crate) document_bytes: u64,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    seal_id: String,
    profile: String,
    field: Option<String>,
    certificate_sha256: String,
    digest_algorithm: String,
    digest: String,
    signed_at: i64,
}

impl Receipt {
    pub(crate) fn new(
        request_id: &str,
        recorded_at: UnixSeconds,
        stored: Option<&StoredDocument>,
        signatures: &[SelfChecked],
    ) -> Self {
        let signatures = signatures
            .iter()
            .map(SelfChecked::receipt)
            .map(|signature| Signature {
                seal_id: signature.seal_id,
                profile: signature.profile.to_owned(),
                field: signature.field,
                certificate_sha256: base16ct::lower::encode_string(&signature.certificate_sha256),
                digest_algorithm: signature.digest_algorithm.to_owned(),
                digest: base16ct::lower::encode_string(&signature.digest),
                signed_at: signature.signed_at.0,
            })
            .collect();
        Self {
            request_id: request_id.to_owned(),
            recorded_at: recorded_at.0,
            document_bytes: stored.map_or(0, |stored| stored.length),
            signatures,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a receipt is numbers and strings")
    }

    pub(crate) fn from_json(json: &str) -> Result<Self, Refusal> {
        serde_json::from_str(json).map_err(|_| Refusal::Internal {
            what: "the record holds an unreadable receipt",
        })
    }

    /// As it goes over the wire. A digest sealing's field is the one its caller named.
    pub(crate) fn to_wire(&self, field_name: &str) -> Result<v1::Receipt, Refusal> {
        let signatures = self
            .signatures
            .iter()
            .map(|signature| {
                Ok(v1::SignatureReceipt {
                    seal_id: signature.seal_id.clone(),
                    profile: wire_profile(&signature.profile)?.into(),
                    certificate_sha256: bytes(&signature.certificate_sha256)?,
                    signed_at: Some(timestamp(UnixSeconds(signature.signed_at))),
                    field_name: signature
                        .field
                        .clone()
                        .unwrap_or_else(|| field_name.to_owned()),
                })
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(v1::Receipt {
            request_id: self.request_id.clone(),
            recorded_at: Some(timestamp(UnixSeconds(self.recorded_at))),
            signatures,
        })
    }
}

/// A time on the wire.
pub(crate) fn timestamp(at: UnixSeconds) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.0,
        nanos: 0,
    }
}

fn wire_profile(name: &str) -> Result<v1::SealProfile, Refusal> {
    match SealProfile::from_name(name) {
        Some(SealProfile::PadesBB) => Ok(v1::SealProfile::PadesBB),
        Some(SealProfile::GmSeal) => Ok(v1::SealProfile::GmSeal),
        Some(SealProfile::GmCms) => Ok(v1::SealProfile::GmCms),
        Some(SealProfile::Dual) => Ok(v1::SealProfile::Dual),
        None => Err(Refusal::Internal {
            what: "the record names an unknown profile",
        }),
    }
}

fn bytes(hexadecimal: &str) -> Result<Vec<u8>, Refusal> {
    base16ct::lower::decode_vec(hexadecimal).map_err(|_| Refusal::Internal {
        what: "the record holds an unreadable digest",
    })
}
