//! Bytes to tokens (ISO 32000-2, 7.2), with the place of each.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::PdfError;

/// The six white-space characters of ISO 32000-2, Table 1.
pub(crate) const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

/// The delimiters of ISO 32000-2, Table 2.
pub(crate) const fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

/// Whatever is neither white space nor delimiter.
pub(crate) const fn is_regular(byte: u8) -> bool {
    !is_whitespace(byte) && !is_delimiter(byte)
}

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'b> {
    Integer(i64),
    Real(f64),
    Name(Cow<'b, [u8]>),
    String {
        bytes: Cow<'b, [u8]>,
        hexadecimal: bool,
    },
    ArrayOpen,
    ArrayClose,
    DictionaryOpen,
    DictionaryClose,
    /// A run of regular characters that is no number: `true`, `obj`, `R`, …
    Keyword(&'b [u8]),
    End,
}

/// Reads tokens from `position` on; the offsets it reports count from the start of `bytes`.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'b> {
    bytes: &'b [u8],
    position: usize,
}

impl<'b> Lexer<'b> {
    pub(crate) fn new(bytes: &'b [u8], position: usize) -> Self {
        Lexer { bytes, position }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    pub(crate) fn byte_at(&self, position: usize) -> Option<u8> {
        self.bytes.get(position).copied()
    }

    fn peek_next(&self) -> Option<u8> {
        self.bytes.get(self.position + 1).copied()
    }

    fn error<T>(&self, offset: usize, problem: &'static str) -> Result<T, PdfError> {
        Err(PdfError::Syntax { offset, problem })
    }

    /// Skips white space only.
    pub(crate) fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(is_whitespace) {
            self.position += 1;
        }
    }

    /// Skips white space and comments, which are the same to the syntax (7.2.4).
    pub(crate) fn skip_blank(&mut self) {
        loop {
            self.skip_whitespace();
            if self.peek() != Some(b'%') {
                return;
            }
            while self
                .peek()
                .is_some_and(|byte| byte != b'\r' && byte != b'\n')
            {
                self.position += 1;
            }
        }
    }

    /// Skips one end-of-line marker, CR LF, LF or CR, and says whether there was one.
    pub(crate) fn skip_end_of_line(&mut self) -> bool {
        match (self.peek(), self.peek_next()) {
            (Some(b'\r'), Some(b'\n')) => self.position += 2,
            (Some(b'\r' | b'\n'), _) => self.position += 1,
            _ => return false,
        }
        true
    }

    /// Skips `text` if it stands right here.
    pub(crate) fn skip_text(&mut self, text: &[u8]) -> bool {
        let here = self.bytes.get(self.position..).unwrap_or_default();
        let found = here.starts_with(text);
        if found {
            self.position += text.len();
        }
        found
    }

    /// Skips `word` if it stands right here and ends here.
    pub(crate) fn skip_word(&mut self, word: &[u8]) -> bool {
        let start = self.position;
        if self.skip_text(word) && !self.peek().is_some_and(is_regular) {
            return true;
        }
        self.position = start;
        false
    }

    /// Digits right here, as an unsigned number; nothing is skipped before them.
    pub(crate) fn digits(&mut self) -> Option<u64> {
        let start = self.position;
        let mut value: u64 = 0;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            let Some(next) = value
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
            else {
                self.position = start;
                return None;
            };
            value = next;
            self.position += 1;
        }
        (self.position > start).then_some(value)
    }

    /// `0 R` behind an unsigned integer; `1 +0 R` is no reference.
    pub(crate) fn reference_tail(&mut self) -> Option<u16> {
        self.skip_blank();
        if !self.peek()?.is_ascii_digit() {
            return None;
        }
        let start = self.position;
        let generation = self.digits()?;
        if self.position - start > 5 || self.peek().is_some_and(is_regular) {
            return None;
        }
        self.skip_blank();
        if !self.skip_word(b"R") {
            return None;
        }
        u16::try_from(generation).ok()
    }

    /// The next token and its place.
    pub(crate) fn next(&mut self) -> Result<(Token<'b>, Range<usize>), PdfError> {
        self.skip_blank();
        let start = self.position;
        let Some(byte) = self.peek() else {
            return Ok((Token::End, start..start));
        };
        let token = match byte {
            b'[' => self.single(Token::ArrayOpen),
            b']' => self.single(Token::ArrayClose),
            b'/' => self.name()?,
            b'(' => self.literal_string()?,
            b'<' if self.peek_next() == Some(b'<') => self.double(Token::DictionaryOpen),
            b'<' => self.hexadecimal_string()?,
            b'>' if self.peek_next() == Some(b'>') => self.double(Token::DictionaryClose),
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number()?,
            _ if is_regular(byte) => Token::Keyword(self.regular_run()),
            _ => return self.error(start, "a delimiter that opens nothing"),
        };
        Ok((token, start..self.position))
    }

    fn single(&mut self, token: Token<'b>) -> Token<'b> {
        self.position += 1;
        token
    }

    fn double(&mut self, token: Token<'b>) -> Token<'b> {
        self.position += 2;
        token
    }

    fn regular_run(&mut self) -> &'b [u8] {
        let start = self.position;
        while self.peek().is_some_and(is_regular) {
            self.position += 1;
        }
        self.bytes.get(start..self.position).unwrap_or_default()
    }

    /// 7.3.3: an optional sign, digits, at most one point; no exponent.
    fn number(&mut self) -> Result<Token<'b>, PdfError> {
        let start = self.position;
        let text = self.regular_run();
        let unsigned = match text {
            [b'+' | b'-', rest @ ..] => rest,
            _ => text,
        };
        let points = unsigned.iter().filter(|byte| **byte == b'.').count();
        let digits = unsigned.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits == 0 || points > 1 || points + digits != unsigned.len() {
            return self.error(start, "not a number");
        }
        let text = std::str::from_utf8(text).unwrap_or_default();
        if points == 0 {
            return match text.parse() {
                Ok(value) => Ok(Token::Integer(value)),
                Err(_) => self.error(start, "integer out of range"),
            };
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Token::Real(value)),
            _ => self.error(start, "real out of range"),
        }
    }

    /// 7.3.5. Bytes of 80h and more are taken as they are: Chinese producers write font names in
    /// UTF-8 or GBK without `#xx`, and they mean one thing to every reader.
    fn name(&mut self) -> Result<Token<'b>, PdfError> {
        self.position += 1;
        let start = self.position;
        let text = self.regular_run();
        if !text.contains(&b'#') {
            return Ok(Token::Name(text.into()));
        }
        let mut name = Vec::with_capacity(text.len());
        let mut rest = text;
        loop {
            rest = match rest {
                [] => return Ok(Token::Name(name.into())),
                [b'#', high, low, after @ ..] => match (hex_value(*high), hex_value(*low)) {
                    (Some(0), Some(0)) => return self.error(start, "#00 in a name"),
                    (Some(high), Some(low)) => {
                        name.push(high << 4 | low);
                        after
                    }
                    _ => return self.error(start, "# without two hexadecimal digits in a name"),
                },
                [b'#', ..] => {
                    return self.error(start, "# without two hexadecimal digits in a name");
                }
                [byte, after @ ..] => {
                    name.push(*byte);
                    after
                }
            };
        }
    }

    /// 7.3.4.2. Balanced parentheses are counted, not recursed into.
    fn literal_string(&mut self) -> Result<Token<'b>, PdfError> {
        let start = self.position;
        self.position += 1;
        let mut open: usize = 1;
        let mut bytes: Cow<'b, [u8]> = Cow::default();
        loop {
            // Most of a string stands for itself.
            let rest = self.bytes.get(self.position..).unwrap_or_default();
            let special = rest
                .iter()
                .position(|byte| matches!(byte, b'(' | b')' | b'\\' | b'\r'));
            let plain = rest
                .get(..special.unwrap_or(rest.len()))
                .unwrap_or_default();
            self.position += plain.len();
            if bytes.is_empty() && self.peek() == Some(b')') && open == 1 {
                bytes = Cow::Borrowed(plain);
            } else {
                bytes.to_mut().extend_from_slice(plain);
            }
            let Some(byte) = self.peek() else {
                return self.error(start, "a string that does not end");
            };
            self.position += 1;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(Token::String {
                            bytes,
                            hexadecimal: false,
                        });
                    }
                }
                b'\r' => {
                    // Every end-of-line marker in a string reads as LF.
                    if self.peek() == Some(b'\n') {
                        self.position += 1;
                    }
                    bytes.to_mut().push(b'\n');
                    continue;
                }
                _ => {
                    self.escape(bytes.to_mut());
                    continue;
                }
            }
            bytes.to_mut().push(byte);
        }
    }

    /// What follows a backslash; an unknown escape is the character itself (7.3.4.2).
    fn escape(&mut self, bytes: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        if self.skip_end_of_line() {
            return;
        }
        self.position += 1;
        bytes.push(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                    self.position += 1;
                }
                // High-order overflow is ignored, as the standard says.
                (value & 0xff) as u8
            }
            other => other,
        });
    }

    /// The bytes of the digits that stand here with nothing between them, up to the last few.
    fn plain_digits(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let here = self.bytes.get(self.position..).unwrap_or_default();
        for decoded in here
            .as_chunks::<DIGITS_AT_A_TIME>()
            .0
            .iter()
            .map_while(decode_digits)
        {
            bytes.extend_from_slice(&decoded);
            self.position += DIGITS_AT_A_TIME;
        }
        bytes
    }

    /// 7.3.4.3: white space between the digits is ignored, a missing last digit is 0.
    fn hexadecimal_string(&mut self) -> Result<Token<'b>, PdfError> {
        let start = self.position;
        self.position += 1;
        let mut bytes = self.plain_digits();
        let mut high: Option<u8> = None;
        while let Some(byte) = self.peek() {
            let offset = self.position;
            self.position += 1;
            if byte == b'>' {
                bytes.extend(high.map(|high| high << 4));
                return Ok(Token::String {
                    bytes: bytes.into(),
                    hexadecimal: true,
                });
            }
            if is_whitespace(byte) {
                continue;
            }
            let Some(digit) = hex_value(byte) else {
                return self.error(offset, "not a hexadecimal digit");
            };
            match high.take() {
                None => high = Some(digit),
                Some(high) => bytes.push(high << 4 | digit),
            }
        }
        self.error(start, "a hexadecimal string that does not end")
    }
}

/// Digits decoded at a time: a signature's `/Contents` has thousands and nothing between them.
const DIGITS_AT_A_TIME: usize = 32;

/// The bytes of so many digits; `None` when anything else is among them.
fn decode_digits(digits: &[u8; DIGITS_AT_A_TIME]) -> Option<[u8; DIGITS_AT_A_TIME / 2]> {
    let mut bytes = [0; DIGITS_AT_A_TIME / 2];
    let mut wrong = false;
    // Without a branch, so that the compiler can take them side by side.
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (high, high_wrong) = digit(*high);
        let (low, low_wrong) = digit(*low);
        *byte = high << 4 | low;
        wrong |= high_wrong | low_wrong;
    }
    (!wrong).then_some(bytes)
}

/// The value of a hexadecimal digit, and whether it is none.
const fn digit(byte: u8) -> (u8, bool) {
    let decimal = byte.wrapping_sub(b'0');
    let letter = (byte | 0x20).wrapping_sub(b'a');
    let value = if decimal < 10 {
        decimal
    } else {
        letter.wrapping_add(10) & 0xf
    };
    (value, decimal >= 10 && letter >= 6)
}

pub(crate) fn hex_value(byte: u8) -> Option<u8> {
    match digit(byte) {
        (value, false) => Some(value),
        (_, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Option<Token<'_>> {
        let mut lexer = Lexer::new(text.as_bytes(), 0);
        let token = lexer.next().ok()?;
        assert_eq!(token.1.end, text.trim_end().len(), "{text}");
        Some(token.0)
    }

    #[test]
    fn numbers_have_the_forms_of_the_standard_only() {
        for (text, expected) in [
            ("123", Some(Token::Integer(123))),
            ("+17", Some(Token::Integer(17))),
            ("-98", Some(Token::Integer(-98))),
            ("0", Some(Token::Integer(0))),
            ("34.5", Some(Token::Real(34.5))),
            ("-3.62", Some(Token::Real(-3.62))),
            ("4.", Some(Token::Real(4.0))),
            ("-.002", Some(Token::Real(-0.002))),
            ("--5", None),
            ("5-3", None),
            (".", None),
            ("-", None),
            ("6.02e23", None),
            ("1.2.3", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(token(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_have_the_escapes_of_the_standard() {
        for (text, expected) in [
            ("()", &b""[..]),
            ("(a(b)c)", b"a(b)c"),
            ("(\\(\\)\\\\)", b"()\\"),
            ("(\\n\\r\\t\\b\\f)", b"\n\r\t\x08\x0c"),
            ("(\\q)", b"q"),
            ("(a\\\r\nb\\\nc)", b"abc"),
            ("(a\r\nb\rc\nd)", b"a\nb\nc\nd"),
            ("(\\0053\\53\\7x\\777)", b"\x053+\x07x\xff"),
            ("<>", b""),
            ("<901FA3>", &[0x90, 0x1f, 0xa3]),
            ("<90 1f\nA>", &[0x90, 0x1f, 0xa0]),
        ] {
            let Some(Token::String { bytes, .. }) = token(text) else {
                panic!("{text}")
            };
            assert_eq!(bytes, expected, "{text}");
        }
        for text in ["(", "(()", "(\\)", "(\\", "<", "<0", "<0x>"] {
            assert_eq!(token(text), None, "{text}");
        }
    }

    #[test]
    fn long_hexadecimal_strings_are_what_their_digits_say() {
        let plain = "0123456789abcdefABCDEF90".repeat(7);
        let bytes = |digits: &str| -> Vec<u8> {
            let even = format!("{digits}0");
            even.as_bytes()
                .chunks_exact(2)
                .map(|pair| {
                    let pair = std::str::from_utf8(pair).unwrap();
                    u8::from_str_radix(pair, 16).unwrap()
                })
                .collect()
        };
        for length in 0..plain.len() {
            let digits = &plain[..length];
            let read = |text: &str| match token(text) {
                Some(Token::String { bytes, .. }) => Some(bytes.into_owned()),
                _ => None,
            };
            let expected = Some(bytes(digits));
            assert_eq!(read(&format!("<{digits}>")), expected, "{digits}");
            let (front, rear) = digits.split_at(length / 2);
            assert_eq!(read(&format!("<{front}\n {rear}>")), expected, "{digits}");
            assert_eq!(read(&format!("<{front}g{rear}>")), None, "{digits}");
            assert_eq!(read(&format!("<{front}({rear}>")), None, "{digits}");
        }
        for byte in 0..=u8::MAX {
            let expected = char::from(byte).to_digit(16);
            assert_eq!(hex_value(byte).map(u32::from), expected, "{byte}");
        }
    }

    #[test]
    fn names_are_decoded() {
        for (text, expected) in [
            ("/Name1", Some(&b"Name1"[..])),
            ("/", Some(b"")),
            (
                "/A;Name_With-Various***Characters?",
                Some(b"A;Name_With-Various***Characters?"),
            ),
            ("/lime#20Green", Some(b"lime Green")),
            ("/#E5#ae#8b", Some("宋".as_bytes())),
            ("/宋", Some("宋".as_bytes())),
            ("/a#", None),
            ("/a#4", None),
            ("/a#xy", None),
            ("/a#00", None),
        ] {
            let name = expected.map(|name| Token::Name(name.into()));
            assert_eq!(token(text), name, "{text}");
        }
    }
}
