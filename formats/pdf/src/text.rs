//! Text strings to Unicode (ISO 32000-2, 7.9.2.2).

/// The text of a text string: UTF-16BE or UTF-8 by its byte order mark, PDFDocEncoding otherwise.
/// What cannot be decoded becomes U+FFFD.
pub fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => {
            let (pairs, odd) = rest.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            let text = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}'));
            text.chain((!odd.is_empty()).then_some('\u{fffd}'))
                .collect()
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| pdf_doc_character(*byte)).collect(),
    }
}

/// ISO 32000-2, Annex D.2, the column PDFDocEncoding.
fn pdf_doc_character(byte: u8) -> char {
    const FROM_18: [char; 8] = [
        '\u{2d8}', '\u{2c7}', '\u{2c6}', '\u{2d9}', '\u{2dd}', '\u{2db}', '\u{2da}', '\u{2dc}',
    ];
    const FROM_80: [char; 33] = [
        '\u{2022}', '\u{2020}', '\u{2021}', '\u{2026}', '\u{2014}', '\u{2013}', '\u{192}',
        '\u{2044}', '\u{2039}', '\u{203a}', '\u{2212}', '\u{2030}', '\u{201e}', '\u{201c}',
        '\u{201d}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{2122}', '\u{fb01}', '\u{fb02}',
        '\u{141}', '\u{152}', '\u{160}', '\u{178}', '\u{17d}', '\u{131}', '\u{142}', '\u{153}',
        '\u{161}', '\u{17e}', '\u{fffd}', '\u{20ac}',
    ];
    let from = |table: &[char], first: u8| table.get(usize::from(byte - first)).copied();
    match byte {
        0x18..=0x1f => from(&FROM_18, 0x18).unwrap_or('\u{fffd}'),
        0x80..=0xa0 => from(&FROM_80, 0x80).unwrap_or('\u{fffd}'),
        0x7f | 0xad => '\u{fffd}',
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::text_string;

    #[test]
    fn texts_are_decoded_by_their_mark() {
        for (bytes, expected) in [
            (&b"plain"[..], "plain"),
            (b"\x80 \xe9\xa0", "\u{2022} \u{e9}\u{20ac}"),
            (b"\x18\x9f\xad", "\u{2d8}\u{fffd}\u{fffd}"),
            (b"\xfe\xff\x53\x70\xd8\x40\xdc\x0b", "印\u{2000b}"),
            (b"\xfe\xff\xd8\x40\x53", "\u{fffd}\u{fffd}"),
            (b"\xef\xbb\xbf\xe5\x8d\xb0", "印"),
            (b"\xef\xbb\xbf\xff", "\u{fffd}"),
        ] {
            assert_eq!(text_string(bytes), expected, "{bytes:?}");
        }
    }
}
