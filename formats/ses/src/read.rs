//! The parts that all versions share, field by field.

use yinxin_pki::tlv::{Element, Reader, TlvError, tag};

use crate::limits::check;
use crate::{CertDigest, CertList, Extension, Header, Limits, Picture, Property, SesError};

/// The object's only element, and how many elements are in it.
pub(crate) fn outermost<'a>(
    bytes: &'a [u8],
    object: &'static str,
    limits: &Limits,
) -> Result<Element<'a>, SesError> {
    check("bytes_max", bytes.len(), limits.bytes_max)?;
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag::SEQUENCE, object)?;
    reader.finish(object)?;
    Ok(element)
}

/// How many elements a constructed element holds.
pub(crate) fn count(element: &Element<'_>) -> Result<usize, TlvError> {
    let mut reader = element.children();
    let mut elements = 0;
    while !reader.is_empty() {
        reader.next()?;
        elements += 1;
    }
    Ok(elements)
}

/// SES_SealInfo taken apart.
pub(crate) struct SealInfo {
    pub(crate) header: Header,
    pub(crate) es_id: String,
    pub(crate) property: Property,
    pub(crate) picture: Picture,
    pub(crate) extensions: Vec<Extension>,
}

/// ```text
/// SES_SealInfo ::= SEQUENCE { header SES_Header, esID IA5String,
///                             property SES_ESPropertyInfo, picture SES_ESPictrueInfo,
///                             extDatas ExtensionDatas OPTIONAL }
/// ```
pub(crate) fn seal_info(element: &Element<'_>, limits: &Limits) -> Result<SealInfo, SesError> {
    let mut reader = element.children();
    let header = header(&reader.expect(tag::SEQUENCE, "header")?)?;
    let es_id = string(&mut reader, "esID")?;
    let property = property(&reader.expect(tag::SEQUENCE, "property")?, limits)?;
    let picture = picture(&reader.expect(tag::SEQUENCE, "picture")?)?;
    let extensions = extensions(&mut reader, limits)?;
    reader.finish("SES_SealInfo")?;
    Ok(SealInfo {
        header,
        es_id,
        property,
        picture,
        extensions,
    })
}

/// ```text
/// SES_Header ::= SEQUENCE { ID IA5String, version INTEGER, Vid IA5String }
/// ```
fn header(element: &Element<'_>) -> Result<Header, SesError> {
    let mut reader = element.children();
    let header = Header {
        id: string(&mut reader, "header.ID")?,
        version: reader
            .expect(tag::INTEGER, "header.version")?
            .integer_u64()?,
        vendor_id: string(&mut reader, "header.Vid")?,
    };
    reader.finish("SES_Header")?;
    Ok(header)
}

/// ```text
/// SES_ESPropertyInfo ::= SEQUENCE { type INTEGER, name UTF8String,
///                                   certListType INTEGER,               -- absent in v1
///                                   certList SES_CertList,
///                                   createDate, validStart, validEnd    -- UTCTime in v1,
///                                                     -- GeneralizedTime since v4 }
/// ```
///
/// The version is not asked: an INTEGER in third place is certListType, and each time says by its
/// tag which kind it is.
fn property(element: &Element<'_>, limits: &Limits) -> Result<Property, SesError> {
    let mut reader = element.children();
    let seal_type = reader
        .expect(tag::INTEGER, "property.type")?
        .integer_u64()?;
    let name = string(&mut reader, "property.name")?;
    let list_type = match reader.next_if(tag::INTEGER)? {
        Some(list_type) => list_type.integer_u64()?,
        None => 1,
    };
    let list = reader.expect(tag::SEQUENCE, "property.certList")?;
    let cert_list = match list_type {
        1 => CertList::Certificates(certificates(&list, limits)?),
        2 => CertList::Digests(digests(&list, limits)?),
        value => return Err(SesError::UnknownCertListType { value }),
    };
    let property = Property {
        seal_type,
        name,
        cert_list,
        create_date: reader.next()?.time()?,
        valid_start: reader.next()?.time()?,
        valid_end: reader.next()?.time()?,
    };
    reader.finish("SES_ESPropertyInfo")?;
    Ok(property)
}

/// ```text
/// CertInfoList ::= SEQUENCE OF OCTET STRING
/// ```
fn certificates(list: &Element<'_>, limits: &Limits) -> Result<Vec<Vec<u8>>, SesError> {
    let mut reader = list.children();
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        check("signers_max", certificates.len() + 1, limits.signers_max)?;
        let certificate = reader.expect(tag::OCTET_STRING, "property.certList")?;
        certificates.push(certificate.content.to_vec());
    }
    Ok(certificates)
}

/// ```text
/// CertDigestList ::= SEQUENCE OF SEQUENCE { type PrintableString, value OCTET STRING }
/// ```
fn digests(list: &Element<'_>, limits: &Limits) -> Result<Vec<CertDigest>, SesError> {
    let mut reader = list.children();
    let mut digests = Vec::new();
    while !reader.is_empty() {
        check("signers_max", digests.len() + 1, limits.signers_max)?;
        let mut entry = reader
            .expect(tag::SEQUENCE, "property.certList")?
            .children();
        digests.push(CertDigest {
            algorithm: string(&mut entry, "certDigest.type")?,
            value: entry
                .expect(tag::OCTET_STRING, "certDigest.value")?
                .content
                .to_vec(),
        });
        entry.finish("CertDigestObj")?;
    }
    Ok(digests)
}

/// ```text
/// SES_ESPictrueInfo ::= SEQUENCE { type IA5String, data OCTET STRING,
///                                  width INTEGER, height INTEGER }
/// ```
fn picture(element: &Element<'_>) -> Result<Picture, SesError> {
    let mut reader = element.children();
    let picture = Picture {
        kind: string(&mut reader, "picture.type")?,
        data: reader
            .expect(tag::OCTET_STRING, "picture.data")?
            .content
            .to_vec(),
        width_mm: millimetres(&mut reader, "picture.width")?,
        height_mm: millimetres(&mut reader, "picture.height")?,
    };
    reader.finish("SES_ESPictrueInfo")?;
    Ok(picture)
}

fn millimetres(reader: &mut Reader<'_>, field: &'static str) -> Result<u32, SesError> {
    let value = reader.expect(tag::INTEGER, field)?.integer_u64()?;
    u32::try_from(value).map_err(|_| SesError::NumberTooLarge { field, value })
}

/// ```text
/// ExtensionDatas ::= SEQUENCE SIZE (0..MAX) OF ExtData
/// ExtData ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE,
///                        extnValue OCTET STRING }
/// ```
///
/// Bare in a seal, under `[0]` in a seal signature; both are taken in both places.
pub(crate) fn extensions(
    reader: &mut Reader<'_>,
    limits: &Limits,
) -> Result<Vec<Extension>, SesError> {
    let list = match reader.next_if(tag::context_constructed(0))? {
        Some(explicit) => {
            let mut inside = explicit.children();
            let list = inside.expect(tag::SEQUENCE, "extDatas")?;
            inside.finish("extDatas")?;
            Some(list)
        }
        None => reader.next_if(tag::SEQUENCE)?,
    };
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let mut entries = list.children();
    let mut extensions = Vec::new();
    while !entries.is_empty() {
        check(
            "extensions_max",
            extensions.len() + 1,
            limits.extensions_max,
        )?;
        let mut entry = entries.expect(tag::SEQUENCE, "ExtData")?.children();
        extensions.push(Extension {
            oid: entry.expect(tag::OID, "extnID")?.oid()?,
            critical: match entry.next_if(tag::BOOLEAN)? {
                Some(critical) => critical.boolean()?,
                None => false,
            },
            value: entry
                .expect(tag::OCTET_STRING, "extnValue")?
                .content
                .to_vec(),
        });
        entry.finish("ExtData")?;
    }
    Ok(extensions)
}

/// ```text
/// timeStamp [0] EXPLICIT BIT STRING OPTIONAL
/// ```
///
/// No real token was ever seen here, so another type inside is handed on as it stands.
pub(crate) fn time_stamp(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, SesError> {
    let Some(explicit) = reader.next_if(tag::context_constructed(0))? else {
        return Ok(None);
    };
    let mut inside = explicit.children();
    let token = inside.next()?;
    inside.finish("timeStamp")?;
    let octets = match token.tag {
        tag::BIT_STRING => token.bit_string()?,
        tag::OCTET_STRING => token.content,
        _ => token.raw,
    };
    Ok(Some(octets.to_vec()))
}

/// The next element, a string of whichever type: some producers put UTF8String where the
/// standards ask for IA5String, and the other way round.
pub(crate) fn string(reader: &mut Reader<'_>, field: &'static str) -> Result<String, TlvError> {
    let string_tag = match reader.peek() {
        Some(tag @ (tag::UTF8_STRING | tag::PRINTABLE_STRING)) => tag,
        // If it is none at all, the error names the type of the standards.
        Some(_) | None => tag::IA5_STRING,
    };
    let text = reader.expect(string_tag, field)?.utf8()?;
    Ok(text.to_owned())
}
