//! Tokens to values, and the frame of an indirect object (ISO 32000-2, 7.3).

use std::ops::Range;

use crate::error::PdfError;
use crate::lexer::{Lexer, Token, is_regular, is_whitespace};
use crate::limits::{Limits, check};
use crate::object::{Dictionary, Entry, Kind, ObjectId, Value};

/// Reads the value at `offset` of `bytes`; its spans count from the start of `bytes`.
///
/// # Errors
/// [`PdfError::Syntax`], [`PdfError::DuplicateKey`] and [`PdfError::LimitExceeded`].
pub fn parse_value(bytes: &[u8], offset: usize, limits: &Limits) -> Result<Value, PdfError> {
    Parser::new(bytes, offset, limits).value()
}

/// Reads values; one parser reads one object, because it counts the object's values.
pub(crate) struct Parser<'b, 'l> {
    pub(crate) lexer: Lexer<'b>,
    limits: &'l Limits,
    values: usize,
    start: usize,
    /// The object may be cut at `object_bytes_max`; then the true end stands here.
    is_cut: bool,
}

impl<'b, 'l> Parser<'b, 'l> {
    pub(crate) fn new(bytes: &'b [u8], offset: usize, limits: &'l Limits) -> Self {
        let end = offset.saturating_add(limits.object_bytes_max);
        let is_cut = end < bytes.len();
        let bytes = bytes.get(..end).unwrap_or(bytes);
        Parser {
            lexer: Lexer::new(bytes, offset),
            limits,
            values: 0,
            start: offset,
            is_cut,
        }
    }

    /// How many bytes were read so far.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.lexer.position().saturating_sub(self.start) as u64
    }

    pub(crate) fn value(&mut self) -> Result<Value, PdfError> {
        let result = self
            .token()
            .and_then(|(token, span)| self.value_from(token, span, 0));
        self.name_the_cut(result)
    }

    /// An error at the place where we cut the object is the limit, not the document.
    fn name_the_cut<T>(&self, result: Result<T, PdfError>) -> Result<T, PdfError> {
        if result.is_err() && self.is_cut && self.lexer.peek().is_none() {
            let max = self.limits.object_bytes_max as u64;
            return check("object_bytes_max", max.saturating_add(1), max).and(result);
        }
        result
    }

    fn token(&mut self) -> Result<(Token<'b>, Range<usize>), PdfError> {
        self.lexer.next()
    }

    fn value_from(
        &mut self,
        token: Token<'b>,
        span: Range<usize>,
        depth: usize,
    ) -> Result<Value, PdfError> {
        self.values += 1;
        check(
            "object_values_max",
            self.values as u64,
            self.limits.object_values_max as u64,
        )?;
        let start = span.start;
        let kind = match token {
            Token::Integer(number) => return Ok(self.integer_or_reference(number, span)),
            Token::Real(number) => Kind::Real(number),
            Token::Name(name) => Kind::Name(name.into_owned()),
            Token::String { bytes, hexadecimal } => Kind::String {
                bytes: bytes.into_owned(),
                hexadecimal,
            },
            Token::ArrayOpen => self.array(depth + 1)?,
            Token::DictionaryOpen => Kind::Dictionary(self.dictionary(start, depth + 1)?),
            Token::Keyword(b"true") => Kind::Boolean(true),
            Token::Keyword(b"false") => Kind::Boolean(false),
            Token::Keyword(b"null") => Kind::Null,
            Token::Keyword(_) => return fail(start, "an unknown keyword"),
            Token::ArrayClose => return fail(start, "] without ["),
            Token::DictionaryClose => return fail(start, ">> without <<"),
            Token::End => return fail(start, "the end where a value should be"),
        };
        Ok(Value {
            span: start..self.lexer.position(),
            kind,
        })
    }

    /// `12` alone, or `12 0 R`; `+12 0 R` is no reference.
    fn integer_or_reference(&mut self, number: i64, span: Range<usize>) -> Value {
        let after = self.lexer.clone();
        let is_signed = matches!(self.lexer.byte_at(span.start), Some(b'+' | b'-'));
        if span.end - span.start <= 10
            && !is_signed
            && let Ok(number) = u32::try_from(number)
            && let Some(generation) = self.lexer.reference_tail()
        {
            let kind = Kind::Reference(ObjectId { number, generation });
            return Value {
                span: span.start..self.lexer.position(),
                kind,
            };
        }
        self.lexer = after;
        Value {
            span,
            kind: Kind::Integer(number),
        }
    }

    fn check_depth(&self, depth: usize) -> Result<(), PdfError> {
        check("nesting_max", depth as u64, self.limits.nesting_max as u64)
    }

    fn array(&mut self, depth: usize) -> Result<Kind, PdfError> {
        self.check_depth(depth)?;
        let mut values = Vec::new();
        loop {
            let (token, span) = self.token()?;
            if token == Token::ArrayClose {
                return Ok(Kind::Array(values));
            }
            values.push(self.value_from(token, span, depth)?);
        }
    }

    fn dictionary(&mut self, start: usize, depth: usize) -> Result<Dictionary, PdfError> {
        self.check_depth(depth)?;
        let mut dictionary = Dictionary::default();
        loop {
            let (token, key_span) = self.token()?;
            if token == Token::DictionaryClose {
                break;
            }
            let Token::Name(key) = token else {
                return fail(key_span.start, "a dictionary key that is not a name");
            };
            let (token, span) = self.token()?;
            let value = self.value_from(token, span, depth)?;
            self.values += 1;
            dictionary.entries.push(Entry {
                key: key.into_owned(),
                key_span,
                value,
            });
        }
        dictionary.span = start..self.lexer.position();
        dictionary.check_keys()?;
        Ok(dictionary)
    }

    /// A value that must be a dictionary, such as a trailer.
    pub(crate) fn dictionary_value(&mut self) -> Result<Dictionary, PdfError> {
        let value = self.value()?;
        let start = value.span.start;
        if let Kind::Dictionary(dictionary) = value.kind {
            return Ok(dictionary);
        }
        fail(start, "not a dictionary")
    }
}

fn fail<T>(offset: usize, problem: &'static str) -> Result<T, PdfError> {
    Err(PdfError::Syntax { offset, problem })
}

/// The frame of an indirect object, read up to `endobj` or up to the start of its stream data.
pub(crate) struct Frame {
    pub(crate) value: Value,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    /// Ends behind `endobj`.
    Plain { end: usize },
    /// The stream data begin here.
    Stream { start: usize },
}

/// Reads `number generation obj` at exactly `offset`; nothing may stand before it in its token.
/// Gives the id and where the header ends. With `asked`, a header of another number ends the
/// search before the white space behind it is read.
pub(crate) fn object_header(
    bytes: &[u8],
    offset: usize,
    asked: Option<ObjectId>,
) -> Option<(ObjectId, usize)> {
    // An offset into the middle of `11 0 obj` would otherwise find object 1.
    if let Some(before) = offset.checked_sub(1)
        && bytes.get(before).copied().is_some_and(is_regular)
    {
        return None;
    }
    let mut lexer = Lexer::new(bytes, offset);
    let number = u32::try_from(lexer.digits()?).ok()?;
    if asked.is_some_and(|asked| asked.number != number) {
        return None;
    }
    lexer.peek().filter(|byte| is_whitespace(*byte))?;
    lexer.skip_whitespace();
    let generation = u16::try_from(lexer.digits()?).ok()?;
    lexer.peek().filter(|byte| is_whitespace(*byte))?;
    lexer.skip_whitespace();
    let id = ObjectId { number, generation };
    if asked.is_some_and(|asked| asked != id) || !lexer.skip_word(b"obj") {
        return None;
    }
    Some((id, lexer.position()))
}

/// Reads the object whose header ended at `offset`; adds what was read to `read_bytes`,
/// also when it fails.
pub(crate) fn object_frame(
    bytes: &[u8],
    offset: usize,
    limits: &Limits,
    read_bytes: &mut u64,
) -> Result<Frame, PdfError> {
    let mut parser = Parser::new(bytes, offset, limits);
    let value = parser.value();
    *read_bytes += parser.read_bytes();
    let value = value?;
    let mut lexer = Lexer::new(bytes, value.span.end);
    lexer.skip_blank();
    let here = lexer.position();
    *read_bytes += (here - value.span.end) as u64;
    if lexer.skip_word(b"endobj") {
        return Ok(Frame {
            value,
            body: Body::Plain {
                end: lexer.position(),
            },
        });
    }
    if !lexer.skip_text(b"stream") {
        return fail(here, "neither endobj nor stream behind the value");
    }
    if !matches!(value.kind, Kind::Dictionary(_)) {
        return fail(here, "a stream without a dictionary");
    }
    // 7.3.8.1: CR LF or LF, not CR alone.
    if !lexer.skip_text(b"\r\n") && !lexer.skip_text(b"\n") {
        return fail(lexer.position(), "no end of line behind the keyword stream");
    }
    Ok(Frame {
        value,
        body: Body::Stream {
            start: lexer.position(),
        },
    })
}

/// Checks that `length` bytes from `start` lead to `endstream` and `endobj`; gives the data's
/// place and where the object ends.
pub(crate) fn stream_end(
    bytes: &[u8],
    start: usize,
    length: u64,
) -> Result<(Range<usize>, usize), PdfError> {
    let broken = |problem| PdfError::StreamLength {
        offset: start,
        problem,
    };
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| start.checked_add(length))
        .filter(|end| *end <= bytes.len())
        .ok_or(broken("/Length reaches behind the end of the revision"))?;
    let mut lexer = Lexer::new(bytes, end);
    // 7.3.8.1: there should be an end-of-line marker that /Length does not count.
    lexer.skip_end_of_line();
    if !lexer.skip_word(b"endstream") {
        return Err(broken("/Length does not lead to endstream"));
    }
    lexer.skip_blank();
    if !lexer.skip_word(b"endobj") {
        return Err(broken("no endobj behind endstream"));
    }
    Ok((start..end, lexer.position()))
}
