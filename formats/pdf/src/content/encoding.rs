//! What a byte of a simple font means (ISO 32000-2, 9.6.5, Annex D).

use super::latin::{COURIER_WIDTH, LATIN, LatinGlyph, STANDARD_FONTS};
use crate::object::{Dictionary, Value};

/// The encodings that a font may name, by their column in [`LATIN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Standard,
    MacRoman,
    WinAnsi,
}

impl Base {
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"StandardEncoding" => Some(Self::Standard),
            b"MacRomanEncoding" => Some(Self::MacRoman),
            b"WinAnsiEncoding" => Some(Self::WinAnsi),
            _ => None,
        }
    }

    fn glyph(self, code: u8) -> Option<&'static LatinGlyph> {
        let code = match (self, code) {
            // Annex D.2, notes 3 and 6: the no-break space and the soft hyphen.
            (Self::WinAnsi, 0xA0) | (Self::MacRoman, 0xCA) => b' ',
            (Self::WinAnsi, 0xAD) => b'-',
            (_, code) => code,
        };
        LATIN.iter().find(|(_, _, codes, _)| {
            let [standard, mac, win] = *codes;
            let own = match self {
                Self::Standard => standard,
                Self::MacRoman => mac,
                Self::WinAnsi => win,
            };
            own != 0 && own == code
        })
    }
}

/// What a simple font's encoding says of one code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Meaning {
    pub(super) character: Option<char>,
    latin: Option<&'static LatinGlyph>,
}

impl Meaning {
    const NONE: Self = Self {
        character: None,
        latin: None,
    };

    /// The width in thousandths of an em in a standard font.
    pub(super) fn standard_width(&self, font: StandardFont) -> Option<f64> {
        match font {
            StandardFont::Courier => Some(f64::from(COURIER_WIDTH)),
            StandardFont::Column(column) => {
                let (_, _, _, widths) = self.latin?;
                widths.get(column).copied().map(f64::from)
            }
        }
    }
}

/// A standard font by its widths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StandardFont {
    Courier,
    Column(usize),
}

impl StandardFont {
    /// By `/BaseFont`; Arial and Times New Roman have the same widths and are taken for them
    /// everywhere.
    pub(super) fn from_base_font(name: &[u8]) -> Option<Self> {
        let name = String::from_utf8_lossy(name);
        let name = name.split_once('+').map_or(&*name, |(_, name)| name);
        let is_bold = name.contains("Bold");
        let is_italic = name.contains("Italic") || name.contains("Oblique");
        let wanted = if name.starts_with("Courier") {
            return Some(Self::Courier);
        } else if name.starts_with("Helvetica") || name.starts_with("Arial") {
            if is_bold {
                "Helvetica-Bold"
            } else {
                "Helvetica"
            }
        } else if name.starts_with("Times") {
            match (is_bold, is_italic) {
                (false, false) => "Times-Roman",
                (true, false) => "Times-Bold",
                (false, true) => "Times-Italic",
                (true, true) => "Times-BoldItalic",
            }
        } else {
            return None;
        };
        let column = STANDARD_FONTS.iter().position(|known| *known == wanted)?;
        Some(Self::Column(column))
    }
}

/// The 256 meanings of a base encoding with its `/Differences` (9.6.5.1, table 112).
pub(super) fn meanings(base: Option<Base>, differences: &[Value]) -> Vec<Meaning> {
    let mut meanings: Vec<Meaning> = (0..=255)
        .map(|code| {
            let latin = base.and_then(|base| base.glyph(code));
            Meaning {
                character: latin.map(|(_, character, _, _)| *character),
                latin,
            }
        })
        .collect();
    let mut code = 0_usize;
    for item in differences {
        if let Some(first) = item.as_integer() {
            // What is no code is behind the last one, where nothing is set.
            code = usize::try_from(first).unwrap_or(usize::MAX);
        } else if let Some(name) = item.as_name() {
            if let Some(slot) = meanings.get_mut(code) {
                *slot = by_name(name);
            }
            code = code.saturating_add(1);
        }
    }
    meanings
}

/// A glyph name of the Latin set, or one that says its character: `uni5370`, `u20BB7`
/// (Adobe Glyph List Specification, 2). A suffix such as `.alt` makes no difference.
fn by_name(name: &[u8]) -> Meaning {
    let name = String::from_utf8_lossy(name);
    let name = name.split_once('.').map_or(&*name, |(name, _)| name);
    if let Some(latin) = LATIN.iter().find(|(known, ..)| *known == name) {
        let (_, character, _, _) = latin;
        return Meaning {
            character: Some(*character),
            latin: Some(latin),
        };
    }
    let digits = name
        .strip_prefix("uni")
        .filter(|digits| digits.len() == 4)
        .or_else(|| {
            name.strip_prefix('u')
                .filter(|digits| (4..=6).contains(&digits.len()))
        });
    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    Meaning {
        character: code.and_then(char::from_u32),
        ..Meaning::NONE
    }
}

/// Whether a font descriptor's `/Flags` say that the font has an encoding of its own (bit 3 of
/// table 121).
pub(super) fn is_symbolic(descriptor: &Dictionary) -> bool {
    let flags = descriptor.get(b"Flags").and_then(Value::as_integer);
    flags.unwrap_or(0) & 4 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_annex_d_says() {
        for (base, code, expected) in [
            (Base::WinAnsi, b'A', Some('A')),
            (Base::WinAnsi, 0x80, Some('€')),
            (Base::WinAnsi, 0xA0, Some(' ')),
            (Base::WinAnsi, b'\'', Some('\'')),
            (Base::Standard, b'\'', Some('’')),
            (Base::MacRoman, 0x80, Some('Ä')),
            (Base::Standard, 0x80, None),
        ] {
            let meaning = meanings(Some(base), &[]);
            assert_eq!(
                meaning.get(usize::from(code)).and_then(|one| one.character),
                expected,
                "{base:?} {code}"
            );
        }
    }

    #[test]
    fn glyph_names_say_their_characters() {
        for (name, expected) in [
            ("eacute", Some('é')),
            ("uni5370", Some('印')),
            ("u20BB7", Some('𠮷')),
            ("A.alt", Some('A')),
            ("g123", None),
            ("uniD800", None),
            ("", None),
        ] {
            assert_eq!(by_name(name.as_bytes()).character, expected, "{name}");
        }
    }
}
