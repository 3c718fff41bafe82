//! Fonts as far as text can be read and measured with them (ISO 32000-2, 9.5 to 9.10).

use std::cell::Cell;
use std::collections::BTreeMap;

use encoding_rs::GBK;
use hayro_cmap::{BfString, CMap, WritingMode};

use super::encoding::{Base, Meaning, StandardFont, is_symbolic, meanings};
use crate::document::Document;
use crate::error::PdfError;
use crate::object::{Dictionary, Object, Value};

/// Widths that a font may give its glyphs, of which it has at most 65,536.
const WIDTHS_MAX: u32 = 65_536;

/// Characters of one glyph: 512 bytes of UTF-16 (9.10.3).
const LIGATURE_CHARACTERS_MAX: usize = 256;

/// A font of either kind.
#[derive(Debug)]
pub(super) struct Font {
    kind: FontKind,
    to_unicode: Option<CMap>,
    /// Its ToUnicode has given a glyph more characters than one can have. Each look at such a text
    /// is a copy of it, so that there is no second look.
    is_hostile: Cell<bool>,
}

#[derive(Debug)]
enum FontKind {
    Simple(Simple),
    Composite(Composite),
}

#[derive(Debug)]
struct Simple {
    meanings: Vec<Meaning>,
    first: i64,
    /// In em.
    widths: Vec<f64>,
    missing_width: f64,
    standard: Option<StandardFont>,
    /// What a unit of the widths is, in em: 0.001 but in Type 3 fonts.
    unit: f64,
}

#[derive(Debug)]
struct Composite {
    codes: Codes,
    /// In thousandths of an em, by CID.
    widths: BTreeMap<u32, f64>,
    default_width: f64,
    is_vertical: bool,
    /// Above the origin of horizontal writing to that of vertical writing, and down to the next
    /// glyph, in thousandths of an em.
    vertical: [f64; 2],
}

/// How the bytes of a composite font's strings become characters and CIDs (9.7.5).
#[derive(Debug)]
enum Codes {
    /// Two bytes are the CID.
    Identity,
    /// UTF-16BE, for the CIDs of Adobe-GB1 and its like.
    Utf16,
    /// GBK in one or two bytes. The CID of a space: half-width, or as wide as the letters are.
    Gbk { space: u32 },
    /// A CMap in the document.
    Embedded(Box<CMap>),
}

/// One glyph of a string.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Glyph {
    pub(super) text: Text,
    /// Along the line, in em; downwards is negative.
    pub(super) advance: f64,
    /// Half of the width and the height, in em, that lead from the origin of vertical writing to
    /// that of horizontal writing; none in horizontal writing.
    pub(super) vertical: Option<[f64; 2]>,
    /// The one-byte code 32, which word spacing is for (9.3.3).
    pub(super) is_space: bool,
}

/// What a glyph stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Unknown,
    Character(char),
    Characters(String),
}

impl Font {
    /// Reads a font dictionary. What is missing in it is what its defaults say; what cannot be read
    /// makes its characters unknown, because it hinders nobody from sealing by other means.
    ///
    /// # Errors
    /// Whatever reading its objects brings: they are not as strict readers want them, or pass a
    /// limit.
    pub(super) fn read(document: &Document<'_>, font: &Dictionary) -> Result<Self, PdfError> {
        let to_unicode = match stream_of(document, font, b"ToUnicode")? {
            Some(stream) => CMap::parse(&document.stream_data(&stream)?, hayro_cmap::load_embedded),
            None => None,
        };
        let kind = if font.has_name(b"Subtype", b"Type0") {
            FontKind::Composite(Composite::read(document, font)?)
        } else {
            FontKind::Simple(Simple::read(document, font)?)
        };
        Ok(Self {
            kind,
            to_unicode,
            is_hostile: Cell::new(false),
        })
    }

    pub(super) fn is_vertical(&self) -> bool {
        matches!(&self.kind, FontKind::Composite(composite) if composite.is_vertical)
    }

    /// The glyphs of a string, in order.
    pub(super) fn glyphs(&self, bytes: &[u8], take: &mut dyn FnMut(Glyph)) {
        match &self.kind {
            FontKind::Simple(simple) => {
                for code in bytes {
                    let own = simple.meanings.get(usize::from(*code));
                    let text = self.text(u32::from(*code)).or_else(|| {
                        own.and_then(|meaning| meaning.character)
                            .map(Text::Character)
                    });
                    take(Glyph {
                        text: text.unwrap_or(Text::Unknown),
                        advance: simple.width(*code),
                        vertical: None,
                        is_space: *code == b' ',
                    });
                }
            }
            FontKind::Composite(composite) => {
                let mut rest = bytes;
                while let Some((code, after)) = composite.codes.next(rest) {
                    let length = rest.len() - after.len();
                    let text = self.text(code.code).or(code.character.map(Text::Character));
                    let width = composite.width(code.cid);
                    let [above, down] = composite.vertical;
                    take(Glyph {
                        text: text.unwrap_or(Text::Unknown),
                        advance: if composite.is_vertical {
                            down / 1000.0
                        } else {
                            width / 1000.0
                        },
                        vertical: composite
                            .is_vertical
                            .then_some([width / 2000.0, above / 1000.0]),
                        is_space: length == 1 && code.code == 32,
                    });
                    rest = after;
                }
            }
        }
    }

    fn text(&self, code: u32) -> Option<Text> {
        if self.is_hostile.get() {
            return None;
        }
        match self.to_unicode.as_ref()?.lookup_bf_string(code)? {
            BfString::Char('\0' | '\u{fffd}') => None,
            BfString::Char(character) => Some(Text::Character(character)),
            BfString::String(text) if text.chars().count() > LIGATURE_CHARACTERS_MAX => {
                self.is_hostile.set(true);
                None
            }
            BfString::String(text) => Some(Text::Characters(text)),
        }
    }
}

impl Simple {
    fn read(document: &Document<'_>, font: &Dictionary) -> Result<Self, PdfError> {
        let descriptor = document.lookup(font, b"FontDescriptor")?;
        let descriptor = descriptor.as_ref().and_then(Value::as_dictionary);
        let encoding = document.lookup(font, b"Encoding")?;
        let named = encoding.as_ref().and_then(Value::as_name);
        let dictionary = encoding.as_ref().and_then(Value::as_dictionary);
        let base = match (named, dictionary) {
            (Some(name), _) => Base::from_name(name),
            (None, Some(dictionary)) => dictionary
                .get(b"BaseEncoding")
                .and_then(Value::as_name)
                .and_then(Base::from_name),
            (None, None) => None,
        };
        // 9.6.5.2: without a name the font program's own encoding holds, which is the standard one
        // unless the font is symbolic.
        let base = base.or_else(|| {
            let own = descriptor.is_some_and(is_symbolic) || font.has_name(b"Subtype", b"Type3");
            (!own).then_some(Base::Standard)
        });
        let differences = match dictionary {
            Some(dictionary) => document.lookup(dictionary, b"Differences")?,
            None => None,
        };
        let differences = differences.as_ref().and_then(Value::as_array);
        let number = |dictionary: &Dictionary, key: &[u8]| {
            dictionary
                .get(key)
                .and_then(Value::as_number)
                .unwrap_or(0.0)
        };
        let unit = if font.has_name(b"Subtype", b"Type3") {
            let matrix = document.lookup(font, b"FontMatrix")?;
            let first = matrix
                .as_ref()
                .and_then(Value::as_array)
                .and_then(|matrix| matrix.first()?.as_number());
            first.unwrap_or(0.001)
        } else {
            0.001
        };
        let widths = document.lookup(font, b"Widths")?;
        let mut listed = Vec::new();
        for width in widths
            .as_ref()
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .take(256)
        {
            listed.push(document.resolve(width)?.as_number().unwrap_or(0.0) * unit);
        }
        let standard = font
            .get(b"BaseFont")
            .and_then(Value::as_name)
            .filter(|_| listed.is_empty())
            .and_then(StandardFont::from_base_font);
        let first = document.lookup(font, b"FirstChar")?;
        Ok(Self {
            meanings: meanings(base, differences.unwrap_or_default()),
            first: first.and_then(|first| first.as_integer()).unwrap_or(0),
            widths: listed,
            missing_width: descriptor.map_or(0.0, |descriptor| number(descriptor, b"MissingWidth")),
            standard,
            unit,
        })
    }

    /// In em.
    fn width(&self, code: u8) -> f64 {
        let place = usize::try_from(i64::from(code).saturating_sub(self.first)).ok();
        if let Some(width) = place.and_then(|place| self.widths.get(place)) {
            return *width;
        }
        let standard = self.standard.and_then(|font| {
            let meaning = self.meanings.get(usize::from(code))?;
            meaning.standard_width(font)
        });
        standard.unwrap_or(self.missing_width) * self.unit
    }
}

impl Composite {
    fn read(document: &Document<'_>, font: &Dictionary) -> Result<Self, PdfError> {
        let encoding = document.lookup(font, b"Encoding")?;
        let (codes, is_vertical) = match encoding.as_ref().and_then(Value::as_name) {
            Some(name) => predefined(name),
            None => match stream_of(document, font, b"Encoding")? {
                Some(stream) => {
                    let data = document.stream_data(&stream)?;
                    match CMap::parse(&data, hayro_cmap::load_embedded) {
                        Some(map) => {
                            let vertical =
                                map.metadata().writing_mode == Some(WritingMode::Vertical);
                            (Codes::Embedded(Box::new(map)), vertical)
                        }
                        None => (Codes::Identity, false),
                    }
                }
                None => (Codes::Identity, false),
            },
        };
        let descendants = document.lookup(font, b"DescendantFonts")?;
        let descendant = match descendants
            .as_ref()
            .and_then(Value::as_array)
            .and_then(|fonts| fonts.first())
        {
            Some(first) => Some(document.resolve(first)?),
            None => None,
        };
        let empty = Dictionary::default();
        let descendant = descendant
            .as_ref()
            .and_then(Value::as_dictionary)
            .unwrap_or(&empty);
        let default_width = document.lookup(descendant, b"DW")?;
        let vertical = document.lookup(descendant, b"DW2")?;
        let vertical = match vertical.as_ref().and_then(Value::as_array) {
            Some([above, down]) => [
                above.as_number().unwrap_or(880.0),
                down.as_number().unwrap_or(-1000.0),
            ],
            Some(_) | None => [880.0, -1000.0],
        };
        Ok(Self {
            codes,
            widths: cid_widths(document, descendant)?,
            default_width: default_width
                .and_then(|width| width.as_number())
                .unwrap_or(1000.0),
            is_vertical,
            vertical,
        })
    }

    fn width(&self, cid: u32) -> f64 {
        self.widths.get(&cid).copied().unwrap_or(self.default_width)
    }
}

/// `/W` (9.7.4.3): `c [w …]` and `first last w`.
fn cid_widths(
    document: &Document<'_>,
    descendant: &Dictionary,
) -> Result<BTreeMap<u32, f64>, PdfError> {
    let mut widths = BTreeMap::new();
    let Some(list) = document.lookup(descendant, b"W")? else {
        return Ok(widths);
    };
    let mut items = list.as_array().unwrap_or_default().iter();
    let cid = |value: &Value| value.as_integer().and_then(|cid| u32::try_from(cid).ok());
    // Counted as they are given: ranges over one another would be given for ever.
    let mut left = WIDTHS_MAX;
    while let (Some(first), Some(second)) = (items.next(), items.next()) {
        let Some(first) = cid(first) else { break };
        let second = document.resolve(second)?;
        if let Some(listed) = second.as_array() {
            for (after, width) in (0..left).zip(listed) {
                let Some(cid) = first.checked_add(after) else {
                    break;
                };
                widths.insert(cid, width.as_number().unwrap_or(0.0));
            }
            left = left.saturating_sub(u32::try_from(listed.len()).unwrap_or(u32::MAX));
        } else if let (Some(last), Some(width)) = (cid(&second), items.next()) {
            let width = width.as_number().unwrap_or(0.0);
            let count = last.saturating_sub(first).saturating_add(1).min(left);
            for cid in (first..=last).zip(0..count).map(|(cid, _)| cid) {
                widths.insert(cid, width);
            }
            left -= count;
        } else {
            break;
        }
        if left == 0 {
            break;
        }
    }
    Ok(widths)
}

/// The predefined CMaps of 9.7.5.2 for simplified Chinese, and those that are the identity. Of
/// others only the writing mode is known.
fn predefined(name: &[u8]) -> (Codes, bool) {
    let is_vertical = name.ends_with(b"-V");
    let stem = name
        .strip_suffix(b"-H")
        .or_else(|| name.strip_suffix(b"-V"))
        .unwrap_or(name);
    let codes = match stem {
        b"UniGB-UCS2" | b"UniGB-UTF16" | b"UniCNS-UCS2" | b"UniCNS-UTF16" | b"UniJIS-UCS2"
        | b"UniJIS-UTF16" | b"UniKS-UCS2" | b"UniKS-UTF16" => Codes::Utf16,
        b"GBKp-EUC" => Codes::Gbk { space: 1 },
        b"GBK-EUC" | b"GB-EUC" => Codes::Gbk { space: 814 },
        _ => Codes::Identity,
    };
    (codes, is_vertical)
}

/// A code of a composite font.
struct Code {
    code: u32,
    cid: u32,
    character: Option<char>,
}

impl Codes {
    /// The first code, and what follows it.
    fn next<'b>(&self, bytes: &'b [u8]) -> Option<(Code, &'b [u8])> {
        match self {
            Self::Identity => {
                let (code, rest) = two(bytes)?;
                let code = Code {
                    code,
                    cid: code,
                    character: None,
                };
                Some((code, rest))
            }
            Self::Utf16 => {
                let (high, rest) = two(bytes)?;
                let (code, rest) = match (high, two(rest)) {
                    (0xD800..=0xDBFF, Some((low @ 0xDC00..=0xDFFF, after))) => {
                        (0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), after)
                    }
                    _ => (high, rest),
                };
                let code = Code {
                    code,
                    cid: letter_cid(code, 1),
                    character: char::from_u32(code),
                };
                Some((code, rest))
            }
            Self::Gbk { space } => {
                let (first, rest) = bytes.split_first()?;
                if let (0x81..=0xFE, Some((second, after))) = (first, rest.split_first()) {
                    let code = u32::from(*first) << 8 | u32::from(*second);
                    let pair = [*first, *second];
                    let (text, had_errors) = GBK.decode_without_bom_handling(&pair);
                    let code = Code {
                        code,
                        cid: letter_cid(code, *space),
                        character: text.chars().next().filter(|_| !had_errors),
                    };
                    return Some((code, after));
                }
                let code = Code {
                    code: u32::from(*first),
                    cid: letter_cid(u32::from(*first), *space),
                    character: Some(char::from(*first)).filter(char::is_ascii),
                };
                Some((code, rest))
            }
            Self::Embedded(map) => {
                let mut code = 0;
                for (length, byte) in (1..=4_u8).zip(bytes) {
                    code = code << 8 | u32::from(*byte);
                    if let Some(cid) = map.lookup_cid_code(code, length) {
                        let rest = bytes.get(usize::from(length)..).unwrap_or_default();
                        let code = Code {
                            code,
                            cid,
                            character: None,
                        };
                        return Some((code, rest));
                    }
                }
                let (code, rest) = two(bytes)?;
                let code = Code {
                    code,
                    cid: 0,
                    character: None,
                };
                Some((code, rest))
            }
        }
    }
}

/// The CID of an ASCII character, which all Adobe character collections count from `space` on.
/// All others stand for themselves far above: they are as wide as `/DW` says, as ideographs are.
fn letter_cid(code: u32, space: u32) -> u32 {
    match code {
        0x20..=0x7E => code - 0x20 + space,
        _ => u32::MAX,
    }
}

/// Two bytes as a number; a lone one at the end counts as its high half.
fn two(bytes: &[u8]) -> Option<(u32, &[u8])> {
    match bytes {
        [] => None,
        [only] => Some((u32::from(*only) << 8, &[])),
        [high, low, rest @ ..] => Some((u32::from(*high) << 8 | u32::from(*low), rest)),
    }
}

fn stream_of<'a>(
    document: &Document<'a>,
    dictionary: &Dictionary,
    key: &[u8],
) -> Result<Option<Object<'a>>, PdfError> {
    let Some(id) = dictionary.get(key).and_then(Value::as_reference) else {
        return Ok(None);
    };
    let object = document.follow(id, document.newest_index())?;
    Ok(object.filter(|object| object.value.is_stream()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters(codes: &Codes, mut bytes: &[u8]) -> Vec<(Option<char>, u32)> {
        let mut found = Vec::new();
        while let Some((code, rest)) = codes.next(bytes) {
            found.push((code.character, code.cid));
            bytes = rest;
        }
        found
    }

    #[test]
    fn strings_of_composite_fonts_fall_into_codes() {
        let far = u32::MAX;
        for (what, codes, bytes, expected) in [
            (
                "UTF-16",
                Codes::Utf16,
                &b"\x53\x70\x00A\xd8\x42\xdf\xb7"[..],
                vec![(Some('印'), far), (Some('A'), 34), (Some('𠮷'), far)],
            ),
            (
                "GBK",
                Codes::Gbk { space: 814 },
                b"\xd3\xa1A",
                vec![(Some('印'), far), (Some('A'), 847)],
            ),
            (
                "identity",
                Codes::Identity,
                b"\x00\x01\x02",
                vec![(None, 1), (None, 512)],
            ),
            (
                "half a pair",
                Codes::Utf16,
                b"\xd8\x42\x00A",
                vec![(None, far), (Some('A'), 34)],
            ),
        ] {
            assert_eq!(characters(&codes, bytes), expected, "{what}");
        }
    }
}
