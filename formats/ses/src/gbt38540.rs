//! GB/T 38540-2020 (v4), and GM/T 0031-2025 (v5), which adds the seal's time stamp: read and
//! written.
//!
//! ```text
//! SESeal        ::= SEQUENCE { eSealInfo SES_SealInfo, cert OCTET STRING,
//!                              signAlgID OBJECT IDENTIFIER, signedValue BIT STRING,
//!                              timeStamp [0] EXPLICIT BIT STRING OPTIONAL  -- v5 }
//! SES_Signature ::= SEQUENCE { toSign TBS_Sign, cert OCTET STRING,
//!                              signatureAlgID OBJECT IDENTIFIER, signature BIT STRING,
//!                              timeStamp [0] EXPLICIT BIT STRING OPTIONAL }
//! TBS_Sign      ::= SEQUENCE { version INTEGER, eseal SESeal, timeInfo GeneralizedTime,
//!                              dataHash BIT STRING, propertyInfo IA5String,
//!                              extDatas [0] EXPLICIT ExtensionDatas OPTIONAL }
//! ```

mod write;

use yinxin_pki::tlv::{Element, tag};

use crate::gmt0031::{signing_time, span};
use crate::seal::Signed;
use crate::verify::Held;
use crate::{Limits, Seal, SealSignature, SealVersion, SesError, read};

pub use write::{
    SealInfoV4, TbsSignV4, assemble_seal_signature_v4, assemble_seal_v4, assemble_seal_v5,
    seal_signature_length_max,
};

pub(crate) fn seal(element: &Element<'_>, limits: &Limits) -> Result<Seal, SesError> {
    let mut reader = element.children();
    let seal_info = reader.expect(tag::SEQUENCE, "eSealInfo")?;
    let certificate = reader.expect(tag::OCTET_STRING, "cert")?;
    let algorithm = reader.expect(tag::OID, "signAlgID")?;
    let signature = reader.expect(tag::BIT_STRING, "signedValue")?;
    let time_stamp = read::time_stamp(&mut reader)?;
    reader.finish("SESeal")?;
    let info = read::seal_info(&seal_info, limits)?;
    Ok(Seal {
        raw: element.raw.to_vec(),
        version: version(info.header.version),
        signed: Signed::Span(span(&seal_info, element)),
        header: info.header,
        es_id: info.es_id,
        property: info.property,
        picture: info.picture,
        extensions: info.extensions,
        maker_certificate_der: certificate.content.to_vec(),
        signature_algorithm_oid: algorithm.oid()?,
        signature: signature.bit_string()?.to_vec(),
        time_stamp,
        held: Held::default(),
    })
}

pub(crate) fn seal_signature(
    element: &Element<'_>,
    limits: &Limits,
) -> Result<SealSignature, SesError> {
    let mut reader = element.children();
    let to_sign = reader.expect(tag::SEQUENCE, "toSign")?;
    let certificate = reader.expect(tag::OCTET_STRING, "cert")?;
    let algorithm = reader.expect(tag::OID, "signatureAlgID")?;
    let signature = reader.expect(tag::BIT_STRING, "signature")?;
    let time_stamp = read::time_stamp(&mut reader)?;
    reader.finish("SES_Signature")?;

    let mut fields = to_sign.children();
    let to_sign_version = fields
        .expect(tag::INTEGER, "toSign.version")?
        .integer_u64()?;
    let seal = Seal::recall(&fields.expect(tag::SEQUENCE, "toSign.eseal")?, limits)?;
    let time = signing_time(&fields.next()?)?;
    let data_hash = fields.expect(tag::BIT_STRING, "toSign.dataHash")?;
    let property_info = read::string(&mut fields, "toSign.propertyInfo")?;
    let extensions = read::extensions(&mut fields, limits)?;
    fields.finish("TBS_Sign")?;
    Ok(SealSignature {
        raw: element.raw.to_vec(),
        version: version(seal.header.version),
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
        time_stamp,
    })
}

/// The layouts of v4 and v5 differ in an optional element only, so here the number decides.
fn version(number: u64) -> SealVersion {
    if number >= 5 {
        SealVersion::V5
    } else {
        SealVersion::V4
    }
}
