//! Distinguished names as people read them (RFC 4514).

use std::fmt::Write as _;

use crate::tlv::{self, Element, tag};
use crate::{PkiError, oid};

/// A distinguished name taken apart.
///
/// ```text
/// Name ::= SEQUENCE OF RelativeDistinguishedName
/// RelativeDistinguishedName ::= SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DistinguishedName {
    /// In the order of the bytes, from the country down to the common name.
    relative_names: Vec<Vec<NameAttribute>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NameAttribute {
    oid: String,
    /// The value as text; `None` when it is no string, or not of its own encoding.
    text: Option<String>,
    /// The value's element, for `#hex`.
    value_der: Vec<u8>,
}

impl DistinguishedName {
    /// Reads the DER of a Name.
    pub(crate) fn read(der: &[u8]) -> Result<Self, PkiError> {
        let mut reader = tlv::Reader::new(der);
        let mut names = reader.expect(tag::SEQUENCE, "Name")?.children();
        reader.finish("Name")?;
        let mut relative_names = Vec::new();
        while !names.is_empty() {
            let mut attributes = names
                .expect(tag::SET, "RelativeDistinguishedName")?
                .children();
            let mut relative_name = Vec::new();
            while !attributes.is_empty() {
                let mut fields = attributes
                    .expect(tag::SEQUENCE, "AttributeTypeAndValue")?
                    .children();
                let oid = fields.expect(tag::OID, "AttributeType")?.oid()?;
                let value = fields.next()?;
                fields.finish("AttributeTypeAndValue")?;
                relative_name.push(NameAttribute {
                    oid,
                    text: text_of(&value),
                    value_der: value.raw.to_vec(),
                });
            }
            relative_names.push(relative_name);
        }
        Ok(Self { relative_names })
    }

    /// The values of one attribute type, in the order of the bytes.
    pub(crate) fn values<'a>(&'a self, oid: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.relative_names
            .iter()
            .flatten()
            .filter(move |attribute| attribute.oid == oid)
            .filter_map(|attribute| attribute.text.as_deref())
    }

    /// The RFC 4514 text, last relative name first: `CN=…,OU=…,O=…,C=CN`.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for (index, relative_name) in self.relative_names.iter().rev().enumerate() {
            if index > 0 {
                out.push(',');
            }
            for (index, attribute) in relative_name.iter().enumerate() {
                if index > 0 {
                    out.push('+');
                }
                attribute.write_to(&mut out);
            }
        }
        out
    }
}

impl NameAttribute {
    fn write_to(&self, out: &mut String) {
        match (keyword(&self.oid), &self.text) {
            (Some(keyword), Some(text)) => {
                out.push_str(keyword);
                out.push('=');
                escape_to(text, out);
            }
            // RFC 4514 2.4: without a keyword, or without a string, the encoding in hexadecimal.
            (known, _) => {
                out.push_str(known.unwrap_or(&self.oid));
                out.push_str("=#");
                for octet in &self.value_der {
                    write!(out, "{octet:02x}").expect("a String takes everything");
                }
            }
        }
    }
}

/// The keywords of RFC 4514 3, and those that certificates of companies and persons make common.
fn keyword(dotted: &str) -> Option<&'static str> {
    Some(match dotted {
        oid::COMMON_NAME => "CN",
        oid::LOCALITY => "L",
        oid::STATE_OR_PROVINCE => "ST",
        oid::ORGANIZATION => "O",
        oid::ORGANIZATIONAL_UNIT => "OU",
        oid::COUNTRY => "C",
        oid::STREET => "STREET",
        oid::DOMAIN_COMPONENT => "DC",
        oid::USER_ID => "UID",
        oid::SERIAL_NUMBER => "serialNumber",
        oid::SURNAME => "SN",
        oid::GIVEN_NAME => "givenName",
        oid::TITLE => "title",
        oid::EMAIL => "emailAddress",
        oid::ORGANIZATION_IDENTIFIER => "organizationIdentifier",
        _ => return None,
    })
}

/// RFC 4514 2.4; control characters are escaped too, so that a name cannot break a line.
fn escape_to(text: &str, out: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let special = matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || (character == ' ' && (index == 0 || index == last))
            || (character == '#' && index == 0);
        if special {
            out.push('\\');
            out.push(character);
        } else if character.is_control() {
            let mut buffer = [0; 4];
            for octet in character.encode_utf8(&mut buffer).bytes() {
                write!(out, "\\{octet:02X}").expect("a String takes everything");
            }
        } else {
            out.push(character);
        }
    }
}

/// The text of any of the string types a DirectoryString or a PKCS #9 attribute may be.
fn text_of(value: &Element<'_>) -> Option<String> {
    /// NumericString, TeletexString, VisibleString, UniversalString, BMPString.
    const NUMERIC: u8 = 0x12;
    const TELETEX: u8 = 0x14;
    const VISIBLE: u8 = 0x1a;
    const UNIVERSAL: u8 = 0x1c;
    const BMP: u8 = 0x1e;
    let content = value.content;
    match value.tag {
        tag::UTF8_STRING => String::from_utf8(content.to_vec()).ok(),
        tag::PRINTABLE_STRING | tag::IA5_STRING | NUMERIC | VISIBLE => content
            .is_ascii()
            .then(|| content.iter().map(|octet| char::from(*octet)).collect()),
        // T.61 in name, Latin-1 in every certificate that uses it.
        TELETEX => Some(content.iter().map(|octet| char::from(*octet)).collect()),
        BMP => {
            let (pairs, rest) = content.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16(&units).ok().filter(|_| rest.is_empty())
        }
        UNIVERSAL => {
            let (quads, rest) = content.as_chunks::<4>();
            quads
                .iter()
                .map(|quad| char::from_u32(u32::from_be_bytes(*quad)))
                .collect::<Option<String>>()
                .filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let relative_names: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(oid, value)| tlv::set_of(&[&tlv::sequence(&[&tlv::oid(oid), value])]))
            .collect();
        let relative_names: Vec<&[u8]> = relative_names.iter().map(Vec::as_slice).collect();
        tlv::sequence(&relative_names)
    }

    #[test]
    fn the_text_runs_from_the_common_name_up_to_the_country() {
        let der = name(&[
            (oid::COUNTRY, tlv::printable_string("CN")),
            (oid::ORGANIZATION, tlv::utf8_string("示例市")),
            (oid::COMMON_NAME, tlv::utf8_string("a")),
        ]);
        assert_eq!(
            DistinguishedName::read(&der).unwrap().text(),
            "CN=a,O=示例市,C=CN"
        );
    }

    #[test]
    fn what_could_be_mistaken_is_escaped() {
        for (value, expected) in [
            ("a,b", "CN=a\\,b"),
            (" a ", "CN=\\ a\\ "),
            ("#a#", "CN=\\#a#"),
            ("a\nb\0", "CN=a\\0Ab\\00"),
            ("", "CN="),
        ] {
            let der = name(&[(oid::COMMON_NAME, tlv::utf8_string(value))]);
            assert_eq!(DistinguishedName::read(&der).unwrap().text(), expected);
        }
    }

    #[test]
    fn string_types_of_old_certificates_are_read() {
        for (value, expected) in [
            (tlv::encode(0x1e, &[0x53, 0x70, 0x7a, 0xe0]), "CN=印章"),
            (tlv::encode(0x14, &[0xe9]), "CN=é"),
            (tlv::encode(0x1c, &[0, 0, 0x53, 0x70]), "CN=印"),
            (tlv::encode(0x1e, &[0x53]), "CN=#1e0153"),
            (tlv::encode(tag::UTF8_STRING, &[0xff]), "CN=#0c01ff"),
            (tlv::integer(5), "CN=#020105"),
        ] {
            let der = name(&[(oid::COMMON_NAME, value)]);
            assert_eq!(DistinguishedName::read(&der).unwrap().text(), expected);
        }
    }

    #[test]
    fn an_attribute_without_keyword_is_shown_by_its_number() {
        let der = name(&[("1.2.3.4", tlv::utf8_string("x"))]);
        assert_eq!(
            DistinguishedName::read(&der).unwrap().text(),
            "1.2.3.4=#0c0178"
        );
    }
}
