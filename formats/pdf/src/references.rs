//! The references in an object, found without making values of it.
//!
//! Whoever asks who uses an object reads every other one, 700,000 in a large drawing. Of all that
//! the lexer checks, only what tells tokens apart is needed for that: in a value that
//! [`crate::parser`] accepts, the references found here are exactly its references. A value that it
//! refuses may pass here, or give some of its references before the error.

use std::borrow::Cow;

use crate::error::PdfError;
use crate::lexer::{Lexer, hex_value, is_delimiter, is_whitespace};
use crate::limits::{Limits, check};
use crate::object::ObjectId;

/// Takes a reference and the nearest key above it.
pub(crate) type Visit<'v> = dyn FnMut(ObjectId, &[u8]) + 'v;

/// Reads one value.
pub(crate) struct Walk<'b, 'l> {
    bytes: &'b [u8],
    start: usize,
    position: usize,
    limits: &'l Limits,
    values: usize,
    /// The arrays and dictionaries around this place.
    open: Vec<Open<'b>>,
}

struct Open<'b> {
    /// The key whose value comes next, in a dictionary.
    expects: Expects<'b>,
    /// The nearest key above.
    above: &'b [u8],
}

#[derive(Clone, Copy)]
enum Expects<'b> {
    Element,
    Key,
    ValueOf(&'b [u8]),
}

/// What a byte is to the scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    White,
    Delimiter,
    Regular,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Regular; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::indexing_slicing, reason = "the loop ends at the length")]
        if is_whitespace(byte as u8) {
            classes[byte] = Class::White;
        } else if is_delimiter(byte as u8) {
            classes[byte] = Class::Delimiter;
        }
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Class::Regular)
}

impl<'b, 'l> Walk<'b, 'l> {
    /// A walk through the value at `offset` of `bytes`.
    pub(crate) fn new(bytes: &'b [u8], offset: usize, limits: &'l Limits) -> Self {
        Self {
            bytes,
            start: offset,
            position: offset,
            limits,
            values: 0,
            open: Vec::new(),
        }
    }

    /// How many bytes were read so far.
    pub(crate) fn read_bytes(&self) -> u64 {
        (self.position - self.start) as u64
    }

    /// Visits every reference, in the order they are written.
    pub(crate) fn visit(&mut self, visit: &mut Visit<'_>) -> Result<(), PdfError> {
        loop {
            self.one_token(visit)?;
            if self.open.is_empty() {
                return Ok(());
            }
        }
    }

    fn one_token(&mut self, visit: &mut Visit<'_>) -> Result<(), PdfError> {
        self.skip_blank();
        let Some(byte) = self.peek() else {
            return self.fail("the end where a value should be");
        };
        match byte {
            b'[' => self.open(Expects::Element, 1),
            b'<' if self.next_is(b'<') => self.open(Expects::Key, 2),
            b']' => self.close(1),
            b'>' if self.next_is(b'>') => self.close(2),
            b'/' => {
                self.position += 1;
                let name = self.regular_run();
                self.count()?;
                match self.open.last_mut() {
                    Some(Open {
                        expects: expects @ Expects::Key,
                        ..
                    }) => *expects = Expects::ValueOf(name),
                    _ => self.value_done(),
                }
                Ok(())
            }
            b'(' => {
                self.literal_string()?;
                self.simple_value()
            }
            b'<' => {
                self.hexadecimal_string()?;
                self.simple_value()
            }
            b'0'..=b'9' => {
                if let Some(id) = self.number() {
                    visit(id, &plain_name(self.nearest_key()));
                }
                self.simple_value()
            }
            _ if class(byte) == Class::Regular => {
                self.regular_run();
                self.simple_value()
            }
            _ => self.fail("a delimiter that opens nothing"),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn next_is(&self, byte: u8) -> bool {
        self.bytes.get(self.position + 1) == Some(&byte)
    }

    fn fail<T>(&self, problem: &'static str) -> Result<T, PdfError> {
        Err(PdfError::Syntax {
            offset: self.position,
            problem,
        })
    }

    fn skip_blank(&mut self) {
        while let Some(byte) = self.peek() {
            match class(byte) {
                Class::White => self.position += 1,
                Class::Delimiter if byte == b'%' => {
                    let mut lexer = Lexer::new(self.bytes, self.position);
                    lexer.skip_blank();
                    self.position = lexer.position();
                }
                Class::Delimiter | Class::Regular => return,
            }
        }
    }

    fn regular_run(&mut self) -> &'b [u8] {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| class(*byte) != Class::Regular)
            .unwrap_or(rest.len());
        self.position += length;
        rest.get(..length).unwrap_or_default()
    }

    fn count(&mut self) -> Result<(), PdfError> {
        self.values += 1;
        check(
            "object_values_max",
            self.values as u64,
            self.limits.object_values_max as u64,
        )?;
        check(
            "object_bytes_max",
            self.read_bytes(),
            self.limits.object_bytes_max as u64,
        )
    }

    fn nearest_key(&self) -> &'b [u8] {
        match self.open.last() {
            Some(Open {
                expects: Expects::ValueOf(key),
                ..
            }) => key,
            Some(open) => open.above,
            None => b"",
        }
    }

    fn open(&mut self, expects: Expects<'b>, bytes: usize) -> Result<(), PdfError> {
        self.count()?;
        let depth = self.open.len() + 1;
        check("nesting_max", depth as u64, self.limits.nesting_max as u64)?;
        let above = self.nearest_key();
        self.open.push(Open { expects, above });
        self.position += bytes;
        Ok(())
    }

    fn close(&mut self, bytes: usize) -> Result<(), PdfError> {
        let fits = match self.open.pop() {
            Some(Open { expects, .. }) => match expects {
                Expects::Element => bytes == 1,
                Expects::Key => bytes == 2,
                Expects::ValueOf(_) => false,
            },
            None => false,
        };
        if !fits {
            return self.fail("a closing bracket without its opening one");
        }
        self.position += bytes;
        self.value_done();
        Ok(())
    }

    fn simple_value(&mut self) -> Result<(), PdfError> {
        self.count()?;
        self.value_done();
        Ok(())
    }

    fn value_done(&mut self) {
        if let Some(Open {
            expects: expects @ Expects::ValueOf(_),
            ..
        }) = self.open.last_mut()
        {
            *expects = Expects::Key;
        }
    }

    fn literal_string(&mut self) -> Result<(), PdfError> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.position += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 1 => return Ok(()),
                b')' => depth -= 1,
                b'\\' => self.position += 1,
                _ => {}
            }
        }
        self.fail("a string that does not end")
    }

    fn hexadecimal_string(&mut self) -> Result<(), PdfError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == b'>') {
            Some(length) => {
                self.position += length + 1;
                Ok(())
            }
            None => self.fail("a hexadecimal string that does not end"),
        }
    }

    /// A number, and the reference it begins: see `reference_tail` in [`crate::parser`].
    fn number(&mut self) -> Option<ObjectId> {
        let digits = self.regular_run();
        if digits.len() > 10 {
            return None;
        }
        let number = digits
            .iter()
            .try_fold(0_u64, |value, byte| match byte {
                b'0'..=b'9' => Some(value * 10 + u64::from(byte - b'0')),
                _ => None,
            })
            .and_then(|number| u32::try_from(number).ok())?;
        let mut lexer = Lexer::new(self.bytes, self.position);
        let generation = lexer.reference_tail()?;
        self.position = lexer.position();
        Some(ObjectId { number, generation })
    }
}

/// A name with its `#xx` resolved; one that cannot be resolved stays as it is.
fn plain_name(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'#') {
        return Cow::Borrowed(name);
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let byte = match (*first, after) {
            (b'#', [high, low, behind @ ..]) => match (hex_value(*high), hex_value(*low)) {
                (Some(high), Some(low)) => {
                    rest = behind;
                    high << 4 | low
                }
                _ => b'#',
            },
            (byte, _) => byte,
        };
        plain.push(byte);
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::object::{Kind, Value};
    use crate::parser::Parser;

    fn in_value<'v>(value: &'v Value, key: &'v [u8], found: &mut Vec<(ObjectId, Vec<u8>)>) {
        match &value.kind {
            Kind::Reference(id) => found.push((*id, key.to_vec())),
            Kind::Array(values) => values.iter().for_each(|value| in_value(value, key, found)),
            Kind::Dictionary(dictionary) => dictionary
                .iter()
                .for_each(|entry| in_value(&entry.value, &entry.key, found)),
            Kind::Null
            | Kind::Boolean(_)
            | Kind::Integer(_)
            | Kind::Real(_)
            | Kind::String { .. }
            | Kind::Name(_)
            | Kind::Stream { .. } => {}
        }
    }

    /// Compares the two ways, and says whether the parser accepts the value.
    fn agree(bytes: &[u8]) -> bool {
        let limits = Limits::default();
        let mut visited = Vec::new();
        let mut walk = Walk::new(bytes, 0, &limits);
        let result = walk.visit(&mut |id, key| visited.push((id, key.to_vec())));
        let mut parser = Parser::new(bytes, 0, &limits);
        let Ok(value) = parser.value() else {
            return false;
        };
        let mut found = Vec::new();
        in_value(&value, b"", &mut found);
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(result, Ok(()), "{text}");
        assert_eq!(visited, found, "{text}");
        assert_eq!(walk.read_bytes(), parser.read_bytes(), "{text}");
        true
    }

    #[test]
    fn the_references_visited_are_those_of_the_value() {
        let deep = format!("{}1 0 R{}", "[".repeat(99), "]".repeat(99));
        for text in [
            "7 0 R",
            "<</A 1 0 R/B[2 0 R 3 4 0 R]/C<</D 5 6 R/E(7 0 R)/F<37203020>>>/G/H>>",
            "<</A[<</B 1 0 R>>2 0 R[/C 3 0 R]]/D 4 0 R>>",
            "[1 0 R<</#41 2 0 R>>3%c\n0%d\nR 4 0 R]",
            "[+1 0 true]",
            "[1 +0 true]",
            "[12345678901 0 true 2 0 R]",
            "[00000000012 0 true 0000000012 00000 R 4294967295 65535 R]",
            "<</A[[[9 0 R]]]/B true/C null/D -1.5/E .5/F -7>>",
            "(a(b)c\\)\\\\)",
            "[(\\() 1 0 R(\\\r\n) 2 0 R(()()) 3 0 R]",
            "<</A 1 0 R>>endobj",
            &deep,
        ] {
            assert!(agree(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_walk_ends_with_the_limits_of_the_parser() {
        let deep = format!("{}1 0 R{}", "[".repeat(101), "]".repeat(101));
        let mut limits = Limits::default();
        let error = |bytes: &[u8], limits: &Limits| {
            let walked = Walk::new(bytes, 0, limits).visit(&mut |_, _| {});
            assert_eq!(walked, Parser::new(bytes, 0, limits).value().map(|_| ()));
            walked.unwrap_err()
        };
        let limit = |error: PdfError| matches!(error, PdfError::LimitExceeded { .. });
        assert!(limit(error(deep.as_bytes(), &limits)));
        limits.object_values_max = 3;
        assert!(limit(error(b"[1 2 3]", &limits)));
        assert!(limit(error(b"<</A 1/B 2>>", &limits)));
        for broken in ["", "]", ">>", "[1", "<</A 1 0 R", "[(", "[<", "[>>", "<<]"] {
            let walked = Walk::new(broken.as_bytes(), 0, &limits).visit(&mut |_, _| {});
            assert!(walked.is_err(), "{broken}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn pieces_of_syntax_in_any_order_give_the_references_of_the_parser(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "[", "]", "[", "]", "<<", ">>", "/A", "/#41", "/", "(", ")", "(x)", "\\", "<", ">", "<41>", "1", "0", "R",
                "1 0 R", "23 0 R", " ", "\n", "%c\n", "-1", "+1", ".5", "true", "null", "/K 1 0 R",
            ]), 0..12),
            is_dictionary: bool,
        ) {
            let inside = pieces.concat();
            let text = if is_dictionary { format!("<</Key {inside}>>") } else { format!("[{inside}]") };
            agree(text.as_bytes());
        }
    }
}
