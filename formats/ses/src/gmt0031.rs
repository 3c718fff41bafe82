//! GM/T 0031-2014 (v1): read only.
//!
//! ```text
//! SESeal        ::= SEQUENCE { esealInfo SES_SealInfo, signInfo SES_SignInfo }
//! SES_SignInfo  ::= SEQUENCE { cert OCTET STRING, signatureAlgorithm OBJECT IDENTIFIER,
//!                              signData BIT STRING }
//! SES_Signature ::= SEQUENCE { toSign TBS_Sign, signature BIT STRING }
//! TBS_Sign      ::= SEQUENCE { version INTEGER, eseal SESeal, timeInfo BIT STRING,
//!                              dataHash BIT STRING, propertyInfo IA5String,
//!                              cert OCTET STRING, signatureAlgorithm OBJECT IDENTIFIER }
//! ```

use yinxin_pki::{
    UnixSeconds,
    tlv::{self, Element, Reader, tag},
};

use crate::seal::Signed;
use crate::verify::Held;
use crate::{Limits, Seal, SealSignature, SealVersion, SesError, SigningTime, read};

pub(crate) fn seal(element: &Element<'_>, limits: &Limits) -> Result<Seal, SesError> {
    let mut reader = element.children();
    let seal_info = reader.expect(tag::SEQUENCE, "esealInfo")?;
    let mut sign_info = reader.expect(tag::SEQUENCE, "signInfo")?.children();
    reader.finish("SESeal")?;
    let certificate = sign_info.expect(tag::OCTET_STRING, "signInfo.cert")?;
    let algorithm = sign_info.expect(tag::OID, "signInfo.signatureAlgorithm")?;
    let signature = sign_info.expect(tag::BIT_STRING, "signInfo.signData")?;
    sign_info.finish("SES_SignInfo")?;
    let info = read::seal_info(&seal_info, limits)?;
    Ok(Seal {
        raw: element.raw.to_vec(),
        version: SealVersion::V1,
        // 5.1: the maker signs information, certificate and algorithm as one SEQUENCE, which
        // stands nowhere in the object.
        signed: Signed::Pieces([
            span(&seal_info, element),
            span(&certificate, element),
            span(&algorithm, element),
        ]),
        header: info.header,
        es_id: info.es_id,
        property: info.property,
        picture: info.picture,
        extensions: info.extensions,
        maker_certificate_der: certificate.content.to_vec(),
        signature_algorithm_oid: algorithm.oid()?,
        signature: signature.bit_string()?.to_vec(),
        time_stamp: None,
        held: Held::default(),
    })
}

pub(crate) fn seal_signature(
    element: &Element<'_>,
    limits: &Limits,
) -> Result<SealSignature, SesError> {
    let mut reader = element.children();
    let to_sign = reader.expect(tag::SEQUENCE, "toSign")?;
    let signature = reader.expect(tag::BIT_STRING, "signature")?;
    reader.finish("SES_Signature")?;

    let mut fields = to_sign.children();
    let to_sign_version = fields
        .expect(tag::INTEGER, "toSign.version")?
        .integer_u64()?;
    let seal = Seal::recall(&fields.expect(tag::SEQUENCE, "toSign.eseal")?, limits)?;
    let time = signing_time(&fields.next()?)?;
    let data_hash = fields.expect(tag::BIT_STRING, "toSign.dataHash")?;
    let property_info = read::string(&mut fields, "toSign.propertyInfo")?;
    let certificate = fields.expect(tag::OCTET_STRING, "toSign.cert")?;
    let algorithm = fields.expect(tag::OID, "toSign.signatureAlgorithm")?;
    let extensions = read::extensions(&mut fields, limits)?;
    fields.finish("TBS_Sign")?;
    Ok(SealSignature {
        raw: element.raw.to_vec(),
        version: SealVersion::V1,
        to_sign: span(&to_sign, element),
        to_sign_version,
        seal,
        time,
        data_hash: data_hash.bit_string()?.to_vec(),
        property_info,
        extensions,
        signer_certificate_der: certificate.content.to_vec(),
        signature_algorithm_oid: algorithm.oid()?,
        signature: signature.bit_string()?.to_vec(),
        time_stamp: None,
    })
}

/// Where `inner` stands in the bytes of `outer`.
pub(crate) fn span(inner: &Element<'_>, outer: &Element<'_>) -> std::ops::Range<usize> {
    let start = inner.offset - outer.offset;
    start..start + inner.raw.len()
}

/// A BIT STRING around a time-stamp token, an ASN.1 time, or text such as
/// `2020-01-25T07:31:56.377Z`; since v4 a bare GeneralizedTime.
pub(crate) fn signing_time(element: &Element<'_>) -> Result<SigningTime, SesError> {
    if element.tag != tag::BIT_STRING {
        return Ok(SigningTime {
            at: Some(element.time()?),
            text: String::from_utf8_lossy(element.content).into_owned(),
            raw: element.content.to_vec(),
        });
    }
    let raw = element.bit_string()?;
    let inner = Reader::new(raw).next().ok();
    if let Some(time) = inner
        && matches!(time.tag, tag::UTC_TIME | tag::GENERALIZED_TIME)
    {
        return Ok(SigningTime {
            at: time.time().ok(),
            text: String::from_utf8_lossy(time.content).into_owned(),
            raw: raw.to_vec(),
        });
    }
    let text = std::str::from_utf8(raw)
        .ok()
        .filter(|text| text.chars().all(|character| !character.is_control()))
        .unwrap_or_default();
    Ok(SigningTime {
        at: UnixSeconds::parse_rfc3339(text).or_else(|| asn1_time(text)),
        text: text.to_owned(),
        raw: raw.to_vec(),
    })
}

/// The text of a GeneralizedTime or UTCTime without its tag.
fn asn1_time(text: &str) -> Option<UnixSeconds> {
    [tag::GENERALIZED_TIME, tag::UTC_TIME]
        .into_iter()
        .find_map(|time_tag| {
            let encoded = tlv::encode(time_tag, text.as_bytes());
            Reader::new(&encoded).next().ok()?.time().ok()
        })
}
