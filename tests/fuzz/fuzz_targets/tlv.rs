//! The reader of tags and lengths.
//!
//! Laws: elements lie one behind the other and are what `encode` writes; what is normalised once
//! stays as it is; identifiers, numbers and times are read back as they were written.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use yinxin_pki::UnixSeconds;
use yinxin_pki::tlv::{self, BerLimits, Element, Reader, der_length, normalise_ber, tag};

fuzz_target!(|input: &[u8]| {
    let mut reader = Reader::new(input);
    while let Ok(element) = reader.next() {
        walk(&element, 0);
    }
    if let Ok(length) = der_length(input) {
        assert!((2..=input.len()).contains(&length));
    }
    if let Ok(normal) = normalise_ber(input, &BerLimits::default()) {
        assert_eq!(der_length(input), Ok(input.len()));
        assert_eq!(der_length(&normal), Ok(normal.len()));
        let again = normalise_ber(&normal, &BerLimits::default());
        assert!(matches!(again, Ok(Cow::Borrowed(same)) if same == &*normal));
    }
    if let Ok(text) = std::str::from_utf8(input) {
        if let Some(oid) = tlv::try_oid(text) {
            let read = Reader::new(&oid).next().and_then(|element| element.oid());
            assert_eq!(tlv::try_oid(&read.expect("our own")), Some(oid));
        }
        if let Some(time) = UnixSeconds::parse_rfc3339(text) {
            assert_eq!(UnixSeconds::parse_rfc3339(&time.to_string()), Some(time));
        }
    }
});

fn walk(element: &Element<'_>, depth: usize) {
    let rewritten = tlv::encode(element.tag, element.content);
    assert!(rewritten.len() <= element.raw.len());
    let read = Reader::new(&rewritten).next().expect("our own");
    assert_eq!((read.tag, read.content), (element.tag, element.content));
    if let Ok(oid) = element.oid() {
        assert_eq!(
            tlv::try_oid(&oid),
            Some(tlv::encode(tag::OID, element.content))
        );
    }
    if let Ok(octets) = element.bit_string() {
        assert_eq!(
            tlv::bit_string(octets),
            tlv::encode(tag::BIT_STRING, element.content)
        );
    }
    if let Ok(number) = element.integer_u64() {
        let integer = tlv::integer(number);
        let read = Reader::new(&integer).next();
        assert_eq!(read.and_then(|element| element.integer_u64()), Ok(number));
    }
    if let Ok(time) = element.time() {
        for written in [tlv::generalized_time(time), tlv::certificate_time(time)] {
            let read = Reader::new(&written).next();
            assert_eq!(read.and_then(|element| element.time()), Ok(time));
        }
        assert_eq!(UnixSeconds::parse_rfc3339(&time.to_string()), Some(time));
    }
    let _ = (element.utf8(), element.boolean());
    if element.tag & 0x20 != 0 && depth < 64 {
        let mut children = element.children();
        while let Ok(child) = children.next() {
            assert!(child.offset >= element.offset);
            walk(&child, depth + 1);
        }
    }
}
