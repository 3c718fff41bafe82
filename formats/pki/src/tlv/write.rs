//! The DER we write: minimal lengths, minimal integers, sorted sets.

use super::{UnixSeconds, tag};

/// One element: tag, minimal definite length, content.
#[must_use]
pub fn encode(element_tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    out.push(element_tag);
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        Ok(_) | Err(_) => {
            let octets = content.len().to_be_bytes();
            let octets = without_leading_zeros(&octets);
            out.push(0x80 | u8::try_from(octets.len()).expect("a length has at most 8 octets"));
            out.extend_from_slice(octets);
        }
    }
    out.extend_from_slice(content);
    out
}

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

/// A SEQUENCE of the given elements, in the given order.
#[must_use]
pub fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    encode(tag::SEQUENCE, &elements.concat())
}

/// A SET OF the given elements, in DER order (ITU-T X.690, 11.6).
#[must_use]
pub fn set_of(elements: &[&[u8]]) -> Vec<u8> {
    let mut sorted = elements.to_vec();
    sorted.sort_unstable();
    encode(tag::SET, &sorted.concat())
}

/// An OBJECT IDENTIFIER from its dotted form, which is one of our own constants.
///
/// # Panics
/// When `dotted` is no object identifier; use [`try_oid`] for text from outside.
#[must_use]
pub fn oid(dotted: &str) -> Vec<u8> {
    try_oid(dotted).expect("our own constants are object identifiers")
}

/// An OBJECT IDENTIFIER from its dotted form; `None` when `dotted` is none.
#[must_use]
pub fn try_oid(dotted: &str) -> Option<Vec<u8>> {
    let mut arcs = dotted.split('.').map(parse_arc);
    let first = arcs.next()??;
    let second = arcs.next()??;
    // X.690, 8.19.4: the first arc is 0, 1 or 2, the second below 40 under 0 and 1.
    if first > 2 || (first < 2 && second >= 40) {
        return None;
    }
    let mut content = Vec::new();
    push_arc((first * 40).checked_add(second)?, &mut content);
    for arc in arcs {
        push_arc(arc?, &mut content);
    }
    Some(encode(tag::OID, &content))
}

fn parse_arc(text: &str) -> Option<u128> {
    // parse() would take a sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn push_arc(arc: u128, content: &mut Vec<u8>) {
    let groups = (128 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group == 0 { 0 } else { 0x80 };
        let bits = u8::try_from((arc >> (group * 7)) & 0x7f).expect("seven bits fit an octet");
        content.push(more | bits);
    }
}

/// An INTEGER.
#[must_use]
pub fn integer(value: u64) -> Vec<u8> {
    unsigned_integer(&value.to_be_bytes())
}

/// An INTEGER from its big-endian magnitude; leading zeros do not matter.
#[must_use]
pub fn unsigned_integer(magnitude: &[u8]) -> Vec<u8> {
    let magnitude = without_leading_zeros(magnitude);
    match magnitude.first() {
        Some(first) if first & 0x80 == 0 => encode(tag::INTEGER, magnitude),
        // The sign bit needs an octet of its own; so does zero.
        Some(_) | None => encode(tag::INTEGER, &[&[0], magnitude].concat()),
    }
}

/// A BOOLEAN.
#[must_use]
pub fn boolean(value: bool) -> Vec<u8> {
    encode(tag::BOOLEAN, &[if value { 0xff } else { 0 }])
}

/// A NULL.
#[must_use]
pub fn null() -> Vec<u8> {
    encode(tag::NULL, &[])
}

/// An OCTET STRING.
#[must_use]
pub fn octet_string(octets: &[u8]) -> Vec<u8> {
    encode(tag::OCTET_STRING, octets)
}

/// A BIT STRING of whole octets.
#[must_use]
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    encode(tag::BIT_STRING, &[&[0], octets].concat())
}

/// A UTF8String.
#[must_use]
pub fn utf8_string(text: &str) -> Vec<u8> {
    encode(tag::UTF8_STRING, text.as_bytes())
}

/// An IA5String; the caller sees to it that `text` is ASCII.
#[must_use]
pub fn ia5_string(text: &str) -> Vec<u8> {
    encode(tag::IA5_STRING, text.as_bytes())
}

/// A PrintableString; the caller sees to it that `text` keeps to its alphabet.
#[must_use]
pub fn printable_string(text: &str) -> Vec<u8> {
    encode(tag::PRINTABLE_STRING, text.as_bytes())
}

/// A GeneralizedTime `YYYYMMDDHHMMSSZ`. Outside the years 0 to 9999 the nearest moment inside.
#[must_use]
pub fn generalized_time(time: UnixSeconds) -> Vec<u8> {
    let civil = time
        .clamp(UnixSeconds::YEAR_0, UnixSeconds::YEAR_9999_END)
        .civil();
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    );
    encode(tag::GENERALIZED_TIME, text.as_bytes())
}

/// A UTCTime `YYMMDDHHMMSSZ`. Outside the years 1950 to 2049 the nearest moment inside.
#[must_use]
pub fn utc_time(time: UnixSeconds) -> Vec<u8> {
    let civil = time
        .clamp(UnixSeconds::YEAR_1950, UnixSeconds::YEAR_2049_END)
        .civil();
    let text = format!(
        "{:02}{:02}{:02}{:02}{:02}{:02}Z",
        civil.year.rem_euclid(100),
        civil.month,
        civil.day,
        civil.hour,
        civil.minute,
        civil.second
    );
    encode(tag::UTC_TIME, text.as_bytes())
}

/// The form certificates and CRLs ask for: UTCTime through 2049, GeneralizedTime after
/// (RFC 5280, 4.1.2.5).
#[must_use]
pub fn certificate_time(time: UnixSeconds) -> Vec<u8> {
    if time >= UnixSeconds::YEAR_1950 && time <= UnixSeconds::YEAR_2049_END {
        utc_time(time)
    } else {
        generalized_time(time)
    }
}

/// The element `[number]`: EXPLICIT around whole elements when `constructed`, IMPLICIT content of
/// a primitive otherwise; `number` below 31.
#[must_use]
pub fn context(number: u8, constructed: bool, content: &[u8]) -> Vec<u8> {
    let element_tag = if constructed {
        tag::context_constructed(number)
    } else {
        tag::context_primitive(number)
    };
    encode(element_tag, content)
}
