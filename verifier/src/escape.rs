//! Makes text from outside safe to show.

/// Longest text shown, in characters; X.520 allows names of 64, seals some hundred.
const SHOWN_CHARACTERS_MAX: usize = 512;

/// The text with every character that could hide or rearrange others written as `\u{…}`, cut at
/// 512 characters.
///
/// Control characters, line and paragraph separators, bidirectional controls (Unicode UAX #9),
/// zero-width characters and tag characters are written out. Variation selectors stay: rare
/// Chinese names need them.
#[must_use]
pub fn escape(text: &str) -> String {
    // Most of what is shown is short and plain.
    if text.len() <= SHOWN_CHARACTERS_MAX && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN_CHARACTERS_MAX {
            shown.push('…');
            break;
        }
        if is_deceptive(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// As [`escape`], for names that a PDF writes in bytes.
pub(crate) fn escape_bytes(bytes: &[u8]) -> String {
    escape(&String::from_utf8_lossy(bytes))
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_or_rearrange_others_are_written_out() {
        let cases = [
            ("village office", "village office"),
            ("石排镇\u{e0100}村委会", "石排镇\u{e0100}村委会"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
        ];
        for (text, shown) in cases {
            assert_eq!(escape(text), shown, "{text:?}");
        }
    }

    #[test]
    fn plain_text_stays_as_it_is_and_only_that() {
        for byte in 0..=0x7f_u8 {
            let character = char::from(byte);
            let text = format!("a{character}b");
            let shown = if character.is_control() {
                format!("a\\u{{{byte:x}}}b")
            } else {
                text.clone()
            };
            assert_eq!(escape(&text), shown);
        }
        let most = "x".repeat(SHOWN_CHARACTERS_MAX);
        assert_eq!(escape(&most), most);
        assert_eq!(escape(&format!("{most}y")), format!("{most}…"));
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(
            escape(&"x".repeat(10_000)).chars().count(),
            SHOWN_CHARACTERS_MAX + 1
        );
    }
}
