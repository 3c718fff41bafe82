//! What the reader takes and refuses, what the writer gives.

use std::borrow::Cow;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn only(bytes: &[u8]) -> Element<'_> {
    Reader::new(bytes).next().unwrap()
}

#[test]
fn an_element_keeps_the_bytes_it_was_read_from() {
    let bytes = hex("30 81 05 02 01 05 04 00 ff");
    let mut reader = Reader::new(&bytes);
    let outer = reader.expect(tag::SEQUENCE, "outer").unwrap();
    assert_eq!(outer.raw, &bytes[..8]);
    assert_eq!(outer.content, &bytes[3..8]);
    assert_eq!(reader.offset(), 8);

    let mut inner = outer.children();
    assert_eq!(inner.next_if(tag::OID), Ok(None));
    assert_eq!(inner.next().unwrap().integer_u64(), Ok(5));
    let octets = inner.expect(tag::OCTET_STRING, "octets").unwrap();
    assert_eq!((octets.offset, octets.content), (6, &[][..]));
    assert_eq!(inner.finish("inner"), Ok(()));
    assert_eq!(
        reader.finish("outer"),
        Err(TlvError::TrailingBytes {
            field: "outer",
            offset: 8,
            count: 1
        })
    );
}

#[test]
fn headers_that_cannot_be_are_refused_with_their_offset() {
    let offset = 0;
    for (name, bytes, error) in [
        ("nothing", "", TlvError::Truncated { offset }),
        ("no length", "30", TlvError::Truncated { offset }),
        ("short content", "0402aa", TlvError::Truncated { offset }),
        ("short length", "0482ff", TlvError::Truncated { offset }),
        (
            "huge length",
            "04 88 ffffffffffffffff",
            TlvError::Truncated { offset },
        ),
        (
            "length of nine octets",
            "04 89 010000000000000000",
            TlvError::BadLength { offset },
        ),
        ("reserved length", "04ff", TlvError::BadLength { offset }),
        (
            "indefinite primitive",
            "0480",
            TlvError::BadLength { offset },
        ),
        (
            "indefinite",
            "30800000",
            TlvError::IndefiniteLength { offset },
        ),
        ("long tag", "1f8101 00", TlvError::HighTagNumber { offset }),
    ] {
        assert_eq!(Reader::new(&hex(bytes)).next(), Err(error), "{name}");
    }
}

#[test]
fn a_missing_and_a_wrong_element_are_told_apart() {
    let bytes = hex("0500");
    let mut reader = Reader::new(&bytes);
    assert_eq!(
        reader.expect(tag::INTEGER, "version"),
        Err(TlvError::UnexpectedTag {
            field: "version",
            expected: 2,
            found: 5,
            offset: 0
        })
    );
    reader.next().unwrap();
    assert_eq!(
        reader.expect(tag::INTEGER, "version"),
        Err(TlvError::Missing {
            field: "version",
            offset: 2
        })
    );
}

#[test]
fn object_identifiers_go_both_ways() {
    for (dotted, encoded) in [
        ("1.2.156.10197.1.301", "06082a811ccf5501822d"),
        ("1.2.156.10197.1.501", "06082a811ccf55018375"),
        ("1.2.840.113549.1.7.2", "06092a864886f70d010702"),
        ("0.0", "060100"),
        ("2.999.3", "0603883703"),
        (
            "2.25.340282366920938463463374607431768211455",
            "06146983ffffffffffffffffffffffffffffffffff7f",
        ),
    ] {
        let bytes = hex(encoded);
        assert_eq!(oid(dotted), bytes, "{dotted}");
        assert_eq!(only(&bytes).oid().unwrap(), dotted);
    }
    for bad in ["", "1", "3.1", "1.40", "1..2", "1.+2", "1.2.", "a.b"] {
        assert_eq!(try_oid(bad), None, "{bad}");
    }
    for bad in [
        "0600",
        "06028001",
        "060181",
        "06142affffffffffffffffffffffffffffffffffff7f",
    ] {
        assert!(only(&hex(bad)).oid().is_err(), "{bad}");
    }
}

#[test]
fn integers_are_minimal_when_written_and_never_negative_when_read() {
    for value in [0, 1, 127, 128, 255, 256, 65_535, u64::MAX] {
        let written = integer(value);
        assert_eq!(only(&written).integer_u64(), Ok(value));
    }
    assert_eq!(integer(0), hex("020100"));
    assert_eq!(integer(128), hex("02020080"));
    assert_eq!(unsigned_integer(&hex("0000ff")), hex("020200ff"));
    for bad in ["0200", "0201ff", "0209010000000000000000"] {
        assert!(only(&hex(bad)).integer_u64().is_err(), "{bad}");
    }
    assert!(only(&hex("0500")).integer_u64().is_err());
}

#[test]
fn bit_strings_have_whole_octets() {
    assert_eq!(only(&bit_string(&[1, 2])).bit_string(), Ok(&[1, 2][..]));
    assert!(only(&hex("03020101")).bit_string().is_err());
    assert!(only(&hex("0300")).bit_string().is_err());
}

#[test]
fn booleans_are_read_as_ber_and_written_as_der() {
    assert_eq!(only(&hex("010101")).boolean(), Ok(true));
    assert_eq!(only(&boolean(true)).raw, hex("0101ff"));
    assert_eq!(only(&boolean(false)).boolean(), Ok(false));
    assert!(only(&hex("01020000")).boolean().is_err());
}

#[test]
fn the_length_form_changes_at_its_borders() {
    for (length, header) in [
        (0, "0400"),
        (127, "047f"),
        (128, "048180"),
        (255, "0481ff"),
        (256, "04820100"),
        (65_536, "0483010000"),
    ] {
        let written = octet_string(&vec![7; length]);
        let header = hex(header);
        assert!(written.starts_with(&header), "{length}");
        assert_eq!(written.len(), header.len() + length);
        assert_eq!(only(&written).content.len(), length);
    }
}

#[test]
fn a_set_of_is_sorted_by_its_encodings() {
    let (a, b, c) = (integer(300), integer(2), null());
    assert_eq!(set_of(&[&a, &c, &b]), [hex("3109"), b, a, c].concat());
}

#[test]
fn times_go_both_ways() {
    for (seconds, utc, generalized, text) in [
        (
            0,
            "700101000000Z",
            "19700101000000Z",
            "1970-01-01T00:00:00Z",
        ),
        (
            1_587_521_340,
            "200422020900Z",
            "20200422020900Z",
            "2020-04-22T02:09:00Z",
        ),
        (
            951_782_400,
            "000229000000Z",
            "20000229000000Z",
            "2000-02-29T00:00:00Z",
        ),
        (
            2_524_607_999,
            "491231235959Z",
            "20491231235959Z",
            "2049-12-31T23:59:59Z",
        ),
        (
            -631_152_000,
            "500101000000Z",
            "19500101000000Z",
            "1950-01-01T00:00:00Z",
        ),
    ] {
        let time = UnixSeconds(seconds);
        assert_eq!(only(&utc_time(time)).content, utc.as_bytes());
        assert_eq!(
            only(&generalized_time(time)).content,
            generalized.as_bytes()
        );
        assert_eq!(only(&utc_time(time)).time(), Ok(time));
        assert_eq!(only(&generalized_time(time)).time(), Ok(time));
        assert_eq!(time.to_string(), text);
        assert_eq!(UnixSeconds::parse_rfc3339(text), Some(time));
    }
    let beyond = UnixSeconds(2_524_608_000);
    assert_eq!(only(&certificate_time(beyond)).content, b"20500101000000Z");
    assert_eq!(only(&certificate_time(UnixSeconds(0))).tag, tag::UTC_TIME);
    assert_eq!(
        only(&generalized_time(UnixSeconds(i64::MAX))).content,
        b"99991231235959Z"
    );
    assert_eq!(
        only(&generalized_time(UnixSeconds(i64::MIN))).content,
        b"00000101000000Z"
    );
    for extreme in [i64::MIN, i64::MAX] {
        assert!(!UnixSeconds(extreme).to_string().is_empty());
    }
}

#[test]
fn every_day_from_1600_to_2400_goes_both_ways() {
    let first = UnixSeconds::from_civil(1600, 1, 1, 12, 34, 56).unwrap();
    for day in 0..292_194 {
        let time = UnixSeconds(first.0 + day * 86_400);
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = time.civil();
        assert_eq!(
            UnixSeconds::from_civil(year, month, day, hour, minute, second),
            Some(time)
        );
    }
}

#[test]
fn offsets_and_fractions_are_read_and_zoneless_times_refused() {
    let moment = UnixSeconds::from_civil(2020, 4, 22, 2, 9, 0).unwrap();
    let generalized = |text: &str| only(&encode(tag::GENERALIZED_TIME, text.as_bytes())).time();
    for text in [
        "20200422020900Z",
        "202004220209Z",
        "20200422100900+0800",
        "20200422020900.5Z",
    ] {
        assert_eq!(generalized(text), Ok(moment), "{text}");
    }
    for text in [
        "20200422020900",
        "2020042202Z",
        "20200431000000Z",
        "20200422020960Z",
        "20200422020900.Z",
        "20200422020900Zx",
        "",
        "2020-4-22",
    ] {
        assert!(generalized(text).is_err(), "{text}");
    }
    assert_eq!(
        only(&encode(tag::UTC_TIME, b"2004221009+0800")).time(),
        Ok(moment)
    );
    assert_eq!(
        UnixSeconds::parse_rfc3339("2020-04-22T10:09:00.123+08:00"),
        Some(moment)
    );
    for text in [
        "2020-04-22",
        "2020-04-22T10:09:00",
        "2020-04-22T10:09:00+0800",
        "2020-02-30T00:00:00Z",
    ] {
        assert_eq!(UnixSeconds::parse_rfc3339(text), None, "{text}");
    }
}

#[test]
fn implicit_fields_are_read_by_the_type_their_reader_asks_for() {
    let implicit = context(0, false, &[0x2a]);
    assert_eq!(only(&implicit).oid().unwrap(), "1.2");
    assert!(only(&null()).oid().is_err());
    assert!(only(&context(0, true, &[0x2a])).oid().is_err());
}

#[test]
fn definite_input_is_borrowed_and_indefinite_input_rewritten() {
    let limits = BerLimits::default();
    let definite = hex("30 81 05 02 01 05 04 00");
    assert!(matches!(
        normalise_ber(&definite, &limits),
        Ok(Cow::Borrowed(_))
    ));

    for (name, ber, der) in [
        ("sequence", "3080 020105 0000", "3003 020105"),
        ("nested", "3080 a080 020105 0000 0000", "3005 a003 020105"),
        (
            "chunked octets",
            "3080 2480 0401aa 0402bbcc 0000 0000",
            "3005 0403aabbcc",
        ),
        (
            "chunks in chunks",
            "2480 2480 0401aa 0000 0401bb 0000",
            "0402aabb",
        ),
        ("definite chunks", "2406 0401aa 0401bb", "0402aabb"),
        (
            "padded length inside is kept",
            "3080 308103 020105 0000",
            "3006 308103 020105",
        ),
    ] {
        let ber = hex(ber);
        assert_eq!(normalise_ber(&ber, &limits).unwrap(), hex(der), "{name}");
        assert_eq!(
            der_length(&[&ber[..], &[0; 9]].concat()),
            Ok(ber.len()),
            "{name}"
        );
    }
}

#[test]
fn normalising_stops_at_its_limits_and_at_damage() {
    let limits = BerLimits {
        bytes_max: 1 << 20,
        depth_max: 64,
    };
    let deep = hex("3080").repeat(10_000);
    assert!(matches!(
        normalise_ber(&deep, &limits),
        Err(TlvError::LimitExceeded {
            limit: "depth_max",
            value: 65,
            max: 64
        })
    ));
    assert!(der_length(&deep).is_err());
    let long = vec![0; limits.bytes_max + 1];
    assert!(matches!(
        normalise_ber(&long, &limits),
        Err(TlvError::LimitExceeded {
            limit: "bytes_max",
            ..
        })
    ));
    for (name, bytes) in [
        ("no end", "3080 020105"),
        ("half an end", "3080 020105 00"),
        ("child past its parent", "3080 3002 0205 0000"),
        ("trailing", "3080 0000 00"),
        ("a chunk that is no octet string", "2480 020105 0000"),
    ] {
        assert!(normalise_ber(&hex(bytes), &limits).is_err(), "{name}");
    }
}

#[test]
fn the_first_length_trims_padding() {
    assert_eq!(der_length(&hex("020105 000000")), Ok(3));
    assert!(der_length(&hex("020205")).is_err());
    assert!(der_length(&[]).is_err());
}

/// A CMS-like nest in BER, with chunks, padded lengths and every type that is decoded.
fn sample() -> Vec<u8> {
    let primitives = [
        oid("1.2.156.10197.1.501"),
        integer(70_000),
        boolean(true),
        bit_string(&[1, 2, 3]),
        utf8_string("印"),
        utc_time(UnixSeconds(0)),
        generalized_time(UnixSeconds(0)),
        null(),
    ]
    .concat();
    let chunks = hex("2480 0403010203 2480 04810104 0000 0000");
    let inner = [hex("a080"), sequence(&[&primitives]), chunks, hex("0000")].concat();
    [hex("3080"), inner, hex("308102 0500 0000")].concat()
}

/// Reads everything there is, in every way there is.
fn work_through(bytes: &[u8]) {
    let _ = der_length(bytes);
    if let Ok(definite) = normalise_ber(bytes, &BerLimits::default()) {
        let again = normalise_ber(&definite, &BerLimits::default());
        assert!(
            matches!(again, Ok(Cow::Borrowed(_))),
            "normalising twice changes nothing"
        );
        assert_eq!(der_length(&definite), Ok(definite.len()));
    }
    let mut reader = Reader::new(bytes);
    while let Ok(element) = reader.next() {
        assert!(element.raw.ends_with(element.content));
        assert_eq!(
            bytes.get(reader.offset() - element.raw.len()..reader.offset()),
            Some(element.raw)
        );
        let _ = (
            element.oid(),
            element.bit_string(),
            element.time(),
            element.integer_u64(),
        );
        let _ = (element.boolean(), element.utf8());
        if element.tag & 0x20 != 0 {
            work_through(element.content);
        }
    }
}

#[test]
fn every_truncation_and_changed_byte_is_an_answer_and_never_a_panic() {
    let limits = BerLimits::default();
    let ber = sample();
    let der = normalise_ber(&ber, &limits).unwrap().into_owned();
    assert!(der.windows(6).any(|window| window == hex("040401020304")));
    for bytes in [ber, der] {
        work_through(&bytes);
        for cut in 0..bytes.len() {
            assert!(
                normalise_ber(&bytes[..cut], &limits).is_err(),
                "cut at {cut}"
            );
            work_through(&bytes[..cut]);
        }
        for at in 0..bytes.len() {
            for value in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = value;
                work_through(&changed);
            }
        }
    }
}
