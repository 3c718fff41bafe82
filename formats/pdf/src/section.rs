//! One cross-reference section: a classic table or a stream (ISO 32000-2, 7.5.4, 7.5.8).

use std::ops::Range;

use crate::error::PdfError;
use crate::filter::{self, Filter, Predictor};
use crate::lexer::Lexer;
use crate::limits::{Limits, check};
use crate::object::{Dictionary, Value};
use crate::parser::{Body, Parser, object_frame, object_header, stream_end};
use crate::xref::{Packed, XrefEntry, XrefKind, sort_entries};

/// A section as read: entries sorted, nothing merged yet.
pub(crate) struct Section {
    pub(crate) kind: XrefKind,
    pub(crate) entries: Vec<Packed>,
    pub(crate) trailer: Dictionary,
    pub(crate) span: Range<usize>,
}

/// What reading the chain has cost so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) objects: usize,
    pub(crate) decoded_bytes: usize,
    pub(crate) parsed_bytes: u64,
}

impl Spent {
    fn add_objects(&mut self, more: u64, limits: &Limits) -> Result<(), PdfError> {
        let value = (self.objects as u64).saturating_add(more);
        check("objects_max", value, limits.objects_max as u64)?;
        self.objects = usize::try_from(value).unwrap_or(usize::MAX);
        Ok(())
    }

    pub(crate) fn check_parsed(&self, limits: &Limits) -> Result<(), PdfError> {
        check(
            "parsed_bytes_max",
            self.parsed_bytes,
            limits.parsed_bytes_max,
        )
    }
}

fn broken<T>(offset: usize, problem: &'static str) -> Result<T, PdfError> {
    Err(PdfError::XrefBroken { offset, problem })
}

/// Reads the section at `offset`, whichever form it has.
pub(crate) fn read_section(
    bytes: &[u8],
    offset: usize,
    limits: &Limits,
    spent: &mut Spent,
) -> Result<Section, PdfError> {
    let mut lexer = Lexer::new(bytes, offset);
    let section = if lexer.skip_word(b"xref") {
        read_table(bytes, offset, lexer, limits, spent)?
    } else {
        read_stream(bytes, offset, limits, spent)?
    };
    spent.check_parsed(limits)?;
    Ok(section)
}

/// 7.5.4. Lines of exactly 20 bytes; what they may end in is SP CR, SP LF or CR LF.
fn read_table<'b>(
    bytes: &'b [u8],
    offset: usize,
    mut lexer: Lexer<'b>,
    limits: &Limits,
    spent: &mut Spent,
) -> Result<Section, PdfError> {
    let mut entries: Vec<Packed> = Vec::new();
    let mut numbers_end: u64 = 0;
    loop {
        lexer.skip_blank();
        let line = lexer.position();
        let Some(first) = lexer.digits() else { break };
        let count = if lexer.skip_text(b" ") {
            lexer.digits()
        } else {
            None
        };
        let Some(count) = count else {
            return broken(line, "a subsection without its two numbers");
        };
        while lexer.skip_text(b" ") {}
        if !lexer.skip_end_of_line() {
            return broken(
                lexer.position(),
                "no end of line behind a subsection's numbers",
            );
        }
        let start = lexer.position();
        let rows = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(20))
            .and_then(|length| start.checked_add(length))
            .and_then(|end| bytes.get(start..end));
        let Some(rows) = rows else {
            return broken(line, "a subsection longer than the file");
        };
        spent.add_objects(count, limits)?;
        numbers_end = numbers_end.max(first.saturating_add(count));
        check("objects_max", numbers_end, u64::from(u32::MAX))?;
        entries.reserve_exact(rows.len() / 20);
        let first = first as u32;
        for ((row, at), number) in rows
            .as_chunks::<20>()
            .0
            .iter()
            .zip((start..).step_by(20))
            .zip(first..)
        {
            match table_row(row) {
                Some(entry) => entries.push(Packed::new(number, entry)),
                None => return broken(at, "an entry that is not 20 bytes of the standard's form"),
            }
        }
        lexer = Lexer::new(bytes, start + rows.len());
    }
    if !lexer.skip_word(b"trailer") {
        return broken(lexer.position(), "no trailer behind the table");
    }
    let mut parser = Parser::new(bytes, lexer.position(), limits);
    let trailer = parser.dictionary_value();
    spent.parsed_bytes += parser.read_bytes();
    let trailer = trailer?;
    let size = trailer_size(&trailer)?;
    if numbers_end > size {
        return broken(offset, "an object number that is not below /Size");
    }
    sort_entries(&mut entries, offset)?;
    let span = offset..trailer.span.end;
    Ok(Section {
        kind: XrefKind::Table,
        entries,
        trailer,
        span,
    })
}

/// `0000000017 00000 n` and two bytes of line end.
fn table_row(row: &[u8; 20]) -> Option<XrefEntry> {
    let (place, rest) = row.split_first_chunk::<10>()?;
    let (generation, rest) = rest.strip_prefix(b" ")?.split_first_chunk::<5>()?;
    let offset = decimal(place)?;
    let generation = u16::try_from(decimal(generation)?).ok()?;
    match rest {
        [b' ', kind @ (b'n' | b'f'), b' ', b'\r' | b'\n']
        | [b' ', kind @ (b'n' | b'f'), b'\r', b'\n'] => {
            if *kind == b'n' {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                return Some(XrefEntry::InFile { offset, generation });
            }
            // A next free number beyond every number is of no use, and none is ever followed.
            Some(XrefEntry::Free {
                next: u32::try_from(offset).unwrap_or(u32::MAX),
                generation,
            })
        }
        _ => None,
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u64::from(byte - b'0'))
    })
}

/// `/Size` of a trailer: above every object number of the document (7.5.5, Table 15).
fn trailer_size(trailer: &Dictionary) -> Result<u64, PdfError> {
    let wrong = |problem| PdfError::TrailerBroken {
        offset: trailer.span.start,
        key: "Size",
        problem,
    };
    let value = trailer.get(b"Size").ok_or(wrong("is missing"))?;
    value
        .as_integer()
        .and_then(|size| u64::try_from(size).ok())
        .ok_or(wrong("is not a count"))
}

/// 7.5.8. Everything the section needs must be direct, because nothing can be looked up yet.
fn read_stream(
    bytes: &[u8],
    offset: usize,
    limits: &Limits,
    spent: &mut Spent,
) -> Result<Section, PdfError> {
    let Some((_, body)) = object_header(bytes, offset, None) else {
        return broken(offset, "neither a table nor an object");
    };
    let frame = object_frame(bytes, body, limits, &mut spent.parsed_bytes)?;
    let Body::Stream { start } = frame.body else {
        return broken(offset, "an object that is no stream");
    };
    let trailer = match frame.value.as_dictionary() {
        Some(dictionary) if dictionary.has_name(b"Type", b"XRef") => dictionary.clone(),
        _ => return broken(offset, "a stream that is not of /Type /XRef"),
    };
    let length = trailer
        .get(b"Length")
        .and_then(Value::as_integer)
        .and_then(|length| u64::try_from(length).ok())
        .ok_or(PdfError::StreamLength {
            offset: start,
            problem: "/Length is not a direct count",
        })?;
    let (data, end) = stream_end(bytes, start, length)?;
    let size = trailer_size(&trailer)?;
    let widths = widths(&trailer, offset)?;
    let row = widths.iter().sum::<usize>();
    let subsections = subsections(&trailer, size, offset)?;
    let count = subsections
        .iter()
        .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    spent.add_objects(count, limits)?;

    let filters = direct_filters(&trailer, start)?;
    let left = limits.decoded_bytes_max.saturating_sub(spent.decoded_bytes);
    let (room, limit) = room(left, limits);
    let coded = bytes.get(data).unwrap_or_default();
    let decoded = filter::decode(
        coded,
        &filters,
        start,
        room,
        limit,
        &mut spent.decoded_bytes,
    )?;
    if decoded.len() as u64 != count.saturating_mul(row as u64) {
        return broken(offset, "data of another length than /W and /Index say");
    }
    let mut entries = Vec::with_capacity(decoded.len() / row.max(1));
    let mut rows = decoded.chunks_exact(row);
    for (first, count) in subsections {
        for (number, row) in (first..first + count).zip(&mut rows) {
            // `subsections` has checked that numbers stay below /Size and 2^32.
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            match stream_row(row, widths) {
                Some(entry) => entries.push(Packed::new(number, entry)),
                None => return broken(offset, "an entry with a number out of range"),
            }
        }
    }
    sort_entries(&mut entries, offset)?;
    Ok(Section {
        kind: XrefKind::Stream,
        entries,
        trailer,
        span: offset..end,
    })
}

/// The smaller of the limits on one stream and on all, and which of them it is.
pub(crate) fn room(left: usize, limits: &Limits) -> (usize, &'static str) {
    if left < limits.stream_bytes_max {
        (left, "decoded_bytes_max")
    } else {
        (limits.stream_bytes_max, "stream_bytes_max")
    }
}

/// `/W`: three field widths, the sum at least 1.
fn widths(trailer: &Dictionary, offset: usize) -> Result<[usize; 3], PdfError> {
    let width = |value: &Value| {
        value
            .as_integer()
            .and_then(|width| usize::try_from(width).ok())
            .filter(|width| *width <= 8)
    };
    let widths = match trailer.get(b"W").and_then(Value::as_array) {
        Some([kind, place, generation]) => [width(kind), width(place), width(generation)],
        _ => [None; 3],
    };
    match widths {
        [Some(kind), Some(place), Some(generation)] if kind + place + generation > 0 => {
            Ok([kind, place, generation])
        }
        _ => broken(offset, "/W is not three widths of 0 to 8"),
    }
}

/// `/Index`: pairs of first number and count; by default everything below `/Size`.
fn subsections(
    trailer: &Dictionary,
    size: u64,
    offset: usize,
) -> Result<Vec<(u64, u64)>, PdfError> {
    let size = size.min(u64::from(u32::MAX));
    let Some(index) = trailer.get(b"Index") else {
        return Ok(vec![(0, size)]);
    };
    let number = |value: &Value| {
        value
            .as_integer()
            .and_then(|value| u64::try_from(value).ok())
    };
    let pairs = index.as_array().map(<[Value]>::as_chunks::<2>);
    let Some((pairs, [])) = pairs else {
        return broken(offset, "/Index is not an array of pairs");
    };
    let mut subsections = Vec::with_capacity(pairs.len());
    for [first, count] in pairs {
        match (number(first), number(count)) {
            (Some(first), Some(count))
                if first.checked_add(count).is_some_and(|end| end <= size) =>
            {
                subsections.push((first, count));
            }
            _ => return broken(offset, "/Index names numbers that are not below /Size"),
        }
    }
    Ok(subsections)
}

/// The three fields of an entry (7.5.8.3, Table 18); a width of 0 means the default.
fn stream_row(row: &[u8], widths: [usize; 3]) -> Option<XrefEntry> {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let [kind_width, place_width, _] = widths;
    let (kind, rest) = row.split_at_checked(kind_width)?;
    let (place, last) = rest.split_at_checked(place_width)?;
    let kind = if kind.is_empty() { 1 } else { number(kind) };
    let (place, last) = (number(place), number(last));
    match kind {
        // Producers fill these two with whatever they like; no free list is ever followed.
        0 => Some(XrefEntry::Free {
            next: u32::try_from(place).unwrap_or(u32::MAX),
            generation: u16::try_from(last).unwrap_or(u16::MAX),
        }),
        1 => Some(XrefEntry::InFile {
            offset: usize::try_from(place).unwrap_or(usize::MAX),
            generation: u16::try_from(last).ok()?,
        }),
        2 => Some(XrefEntry::InStream {
            container: u32::try_from(place).ok()?,
            index: u32::try_from(last).ok()?,
        }),
        // 7.5.8.3: an unknown type is a reference to the null object.
        _ => Some(XrefEntry::Free {
            next: 0,
            generation: u16::MAX,
        }),
    }
}

/// The filters of a cross-reference stream, all values direct.
fn direct_filters(dictionary: &Dictionary, offset: usize) -> Result<Vec<Filter>, PdfError> {
    filters(dictionary, offset, |value| Ok(value.clone()))
}

/// `/Filter` and `/DecodeParms` of a stream; `resolve` follows references where that is allowed.
pub(crate) fn filters(
    dictionary: &Dictionary,
    offset: usize,
    resolve: impl Fn(&Value) -> Result<Value, PdfError>,
) -> Result<Vec<Filter>, PdfError> {
    if let Some(file) = dictionary.get(b"F") {
        let offset = file.span.start;
        return Err(PdfError::WrongType {
            offset,
            key: "F",
            expected: "data inside the file",
        });
    }
    let list = |key: &[u8]| -> Result<Vec<Value>, PdfError> {
        let Some(value) = dictionary.get(key) else {
            return Ok(Vec::new());
        };
        let value = resolve(value)?;
        if value.is_null() {
            return Ok(Vec::new());
        }
        match value.as_array() {
            Some(values) if values.len() <= FILTERS_MAX => values.iter().map(&resolve).collect(),
            Some(values) => Err(PdfError::LimitExceeded {
                limit: "filters",
                value: values.len() as u64,
                max: FILTERS_MAX as u64,
            }),
            None => Ok(vec![value]),
        }
    };
    let names = list(b"Filter")?;
    let parameters = list(b"DecodeParms")?;
    let mut filters = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let Some(name) = name.as_name() else {
            let wrong = PdfError::WrongType {
                offset: name.span.start,
                key: "Filter",
                expected: "a name",
            };
            return Err(wrong);
        };
        let parameters = parameters.get(index).and_then(Value::as_dictionary);
        let number = |key: &[u8], default: i64| -> Result<i64, PdfError> {
            let Some(value) = parameters.and_then(|parameters| parameters.get(key)) else {
                return Ok(default);
            };
            let offset = value.span.start;
            let wrong = PdfError::WrongType {
                offset,
                key: "DecodeParms",
                expected: "integers",
            };
            resolve(value)?.as_integer().ok_or(wrong)
        };
        let predictor = || -> Result<Predictor, PdfError> {
            let none = Predictor::NONE;
            Ok(Predictor {
                predictor: number(b"Predictor", none.predictor)?,
                colors: number(b"Colors", none.colors)?,
                bits_per_component: number(b"BitsPerComponent", none.bits_per_component)?,
                columns: number(b"Columns", none.columns)?,
            })
        };
        filters.push(match name {
            b"FlateDecode" => Filter::Flate(predictor()?),
            b"LZWDecode" => Filter::Lzw {
                predictor: predictor()?,
                early_change: number(b"EarlyChange", 1)? != 0,
            },
            b"ASCIIHexDecode" => Filter::AsciiHex,
            b"ASCII85Decode" => Filter::Ascii85,
            b"RunLengthDecode" => Filter::RunLength,
            other => {
                let filter = String::from_utf8_lossy(other).into_owned();
                return Err(PdfError::FilterUnsupported { offset, filter });
            }
        });
    }
    Ok(filters)
}

/// Filters on one stream; the longest honest chain is three.
const FILTERS_MAX: usize = 8;
