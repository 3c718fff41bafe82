//! Writing v4 and v5: what is to be signed leaves as bytes, the signature comes back as bytes.
//!
//! v5 (GM/T 0031-2025) has the fields of v4 under its own number, and room for a time stamp on the
//! seal, so the same values write both.

use yinxin_pki::{UnixSeconds, tlv};

use crate::verify::SM2_WITH_SM3;
use crate::{CertList, Limits, Picture, SesError, limits};

/// The version number of GB/T 38540-2020 in headers and in TBS_Sign.
const VERSION_4: u64 = 4;
/// The version number of GM/T 0031-2025.
const VERSION_5: u64 = 5;
/// SES_Header.ID.
const ID: &str = "ES";
/// The longest DER of an SM2 signature: two INTEGERs of 33 bytes.
const SIGNATURE_BYTES_MAX: usize = 72;

/// What a seal maker signs: SES_SealInfo of a v4 seal, or of a v5 seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealInfoV4 {
    /// Vid, the vendor's identifier; ASCII.
    pub vendor_id: String,
    /// esID, unique among seals; ASCII.
    pub es_id: String,
    /// The issuer's own numbering of kinds of seals.
    pub seal_type: u64,
    /// The seal's name.
    pub name: String,
    /// Who may sign with the seal.
    pub cert_list: CertList,
    /// When the seal was made.
    pub create_date: UnixSeconds,
    /// The first moment of validity.
    pub valid_start: UnixSeconds,
    /// The last moment of validity.
    pub valid_end: UnixSeconds,
    /// What the seal looks like; its `kind` is ASCII.
    pub picture: Picture,
}

impl SealInfoV4 {
    /// DER of SES_SealInfo; the maker signs exactly these bytes.
    ///
    /// # Errors
    /// [`SesError::NotAscii`] names the field; [`SesError::LimitExceeded`] for more signers than
    /// the default [`Limits`] read back.
    pub fn to_der(&self) -> Result<Vec<u8>, SesError> {
        self.numbered_der(VERSION_4)
    }

    /// DER of SES_SealInfo under the number of v5 (GM/T 0031-2025).
    ///
    /// # Errors
    /// As [`SealInfoV4::to_der`].
    pub fn to_v5_der(&self) -> Result<Vec<u8>, SesError> {
        self.numbered_der(VERSION_5)
    }

    fn numbered_der(&self, version: u64) -> Result<Vec<u8>, SesError> {
        let signers = match &self.cert_list {
            CertList::Certificates(certificates) => certificates.len(),
            CertList::Digests(digests) => digests.len(),
        };
        limits::check("signers_max", signers, Limits::default().signers_max)?;
        let header = tlv::sequence(&[
            &tlv::ia5_string(ID),
            &tlv::integer(version),
            &ia5_string(&self.vendor_id, "vendor_id")?,
        ]);
        let (list_type, list) = match &self.cert_list {
            CertList::Certificates(certificates) => (
                1,
                certificates
                    .iter()
                    .map(|certificate| tlv::octet_string(certificate))
                    .collect::<Vec<_>>(),
            ),
            CertList::Digests(digests) => {
                let entries = digests.iter().map(|digest| {
                    if !digest.algorithm.is_ascii() {
                        return Err(SesError::NotAscii {
                            field: "cert_list.algorithm",
                        });
                    }
                    Ok(tlv::sequence(&[
                        &tlv::printable_string(&digest.algorithm),
                        &tlv::octet_string(&digest.value),
                    ]))
                });
                (2, entries.collect::<Result<Vec<_>, _>>()?)
            }
        };
        let property = tlv::sequence(&[
            &tlv::integer(self.seal_type),
            &tlv::utf8_string(&self.name),
            &tlv::integer(list_type),
            &tlv::sequence(&[&list.concat()]),
            &tlv::generalized_time(self.create_date),
            &tlv::generalized_time(self.valid_start),
            &tlv::generalized_time(self.valid_end),
        ]);
        let picture = tlv::sequence(&[
            &ia5_string(&self.picture.kind, "picture.kind")?,
            &tlv::octet_string(&self.picture.data),
            &tlv::integer(self.picture.width_mm.into()),
            &tlv::integer(self.picture.height_mm.into()),
        ]);
        Ok(tlv::sequence(&[
            &header,
            &ia5_string(&self.es_id, "es_id")?,
            &property,
            &picture,
        ]))
    }
}

fn ia5_string(text: &str, field: &'static str) -> Result<Vec<u8>, SesError> {
    if text.is_ascii() {
        Ok(tlv::ia5_string(text))
    } else {
        Err(SesError::NotAscii { field })
    }
}

/// The v4 seal: what the maker signed, his certificate and his signature.
#[must_use]
pub fn assemble_seal_v4(
    seal_info_der: &[u8],
    maker_certificate_der: &[u8],
    signature_der: &[u8],
) -> Vec<u8> {
    assemble(seal_info_der, maker_certificate_der, signature_der)
}

/// The v5 seal: as v4, with the time stamp over the maker's signature value when there is one: the
/// DER of a TimeStampToken.
#[must_use]
pub fn assemble_seal_v5(
    seal_info_der: &[u8],
    maker_certificate_der: &[u8],
    signature_der: &[u8],
    time_stamp_der: Option<&[u8]>,
) -> Vec<u8> {
    let time_stamp = time_stamp_der
        .map(|token| tlv::context(0, true, &tlv::bit_string(token)))
        .unwrap_or_default();
    tlv::sequence(&[
        seal_info_der,
        &tlv::octet_string(maker_certificate_der),
        &tlv::oid(SM2_WITH_SM3),
        &tlv::bit_string(signature_der),
        &time_stamp,
    ])
}

/// What a signer signs: TBS_Sign of a v4 seal signature, or of a v5 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TbsSignV4<'a> {
    /// The whole seal, byte for byte.
    pub seal_der: &'a [u8],
    /// When the signature is made.
    pub time: UnixSeconds,
    /// SM3 of what the signature covers.
    pub data_hash: [u8; 32],
    /// What the signature covers, in words of our own; bytes outside ASCII are written as in a
    /// URI (`%E5%8D%B0`), because the field is an IA5String.
    pub property_info: &'a str,
}

impl TbsSignV4<'_> {
    /// DER of TBS_Sign; the signer signs exactly these bytes.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        self.numbered_der(VERSION_4)
    }

    /// DER of TBS_Sign under the number of v5, for a v5 seal.
    #[must_use]
    pub fn to_v5_der(&self) -> Vec<u8> {
        self.numbered_der(VERSION_5)
    }

    fn numbered_der(&self, version: u64) -> Vec<u8> {
        tlv::sequence(&[
            &tlv::integer(version),
            self.seal_der,
            &tlv::generalized_time(self.time),
            &tlv::bit_string(&self.data_hash),
            &tlv::ia5_string(&percent_encoded(self.property_info)),
        ])
    }
}

fn percent_encoded(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii() {
            ascii.push(char::from(byte));
        } else {
            ascii.push_str(&format!("%{byte:02X}"));
        }
    }
    ascii
}

/// The v4 or v5 seal signature: what the signer signed, the signer's certificate and signature.
#[must_use]
pub fn assemble_seal_signature_v4(
    to_sign_der: &[u8],
    signer_certificate_der: &[u8],
    signature_der: &[u8],
) -> Vec<u8> {
    assemble(to_sign_der, signer_certificate_der, signature_der)
}

/// SESeal and SES_Signature have the same four elements since v4.
fn assemble(signed_der: &[u8], certificate_der: &[u8], signature_der: &[u8]) -> Vec<u8> {
    tlv::sequence(&[
        signed_der,
        &tlv::octet_string(certificate_der),
        &tlv::oid(SM2_WITH_SM3),
        &tlv::bit_string(signature_der),
    ])
}

/// The longest seal signature that [`assemble_seal_signature_v4`] can give for a seal, a
/// certificate and an ASCII propertyInfo of these lengths in bytes: at most a few bytes more than
/// it will be, since only the length of the signature value varies.
#[must_use]
pub fn seal_signature_length_max(
    seal_bytes: usize,
    signer_certificate_bytes: usize,
    property_info_bytes: usize,
) -> usize {
    let to_sign = element_length(
        tlv::integer(VERSION_4).len()
            + seal_bytes
            + tlv::generalized_time(UnixSeconds(0)).len()
            + tlv::bit_string(&[0; 32]).len()
            + element_length(property_info_bytes),
    );
    element_length(
        to_sign
            + element_length(signer_certificate_bytes)
            + tlv::oid(SM2_WITH_SM3).len()
            + element_length(1 + SIGNATURE_BYTES_MAX),
    )
}

/// Tag, length and a content of `content_bytes`.
fn element_length(content_bytes: usize) -> usize {
    let length_octets = if content_bytes < 0x80 {
        1
    } else {
        1 + (usize::BITS - content_bytes.leading_zeros()).div_ceil(8) as usize
    };
    1 + length_octets + content_bytes
}
