//! From the end of the file back over `/Prev`: the revisions of a document (ISO 32000-2, 7.5.5
//! to 7.5.8, and Annex F for linearized files).
//!
//! Nothing is searched for and nothing is guessed: the file ends with `startxref`, a number and
//! `%%EOF`, each section is followed by the `startxref` that names it, and an older revision ends
//! before the section of the newer one begins.

use std::sync::Arc;

use crate::error::PdfError;
use crate::lexer::{Lexer, is_regular, is_whitespace};
use crate::limits::{Limits, check};
use crate::object::{Dictionary, Value};
use crate::parser::{object_frame, object_header};
use crate::section::{Section, Spent, read_section};
use crate::xref::{Packed, Revision, XrefKind};

/// `startxref`, its number and `%%EOF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail {
    startxref_offset: usize,
    xref_offset: usize,
    eof_end: usize,
    end: usize,
}

/// Reads all revisions, oldest first, and says what that has cost.
pub(crate) fn read_revisions(
    bytes: &[u8],
    limits: &Limits,
) -> Result<(Vec<Revision>, Spent), PdfError> {
    let mut spent = Spent::default();
    let newest = last_tail(bytes)?;
    let mut revisions: Vec<Revision> = Vec::new();
    let mut next = Some(newest.xref_offset);
    // Everything of an older revision stands before the section of the newer one.
    let mut upper = bytes.len();
    while let Some(offset) = next {
        check(
            "revisions_max",
            revisions.len() as u64 + 1,
            limits.revisions_max as u64,
        )?;
        if offset >= upper {
            let newer = revisions
                .last()
                .map_or(newest.startxref_offset, |newer| newer.xref_offset);
            return Err(
                match revisions.iter().any(|newer| newer.xref_offset == offset) {
                    true => PdfError::XrefLoop { offset },
                    false => PdfError::PrevForward {
                        offset: newer,
                        prev: offset,
                    },
                },
            );
        }
        let readable = bytes.get(..upper).unwrap_or(bytes);
        let (revision, prev) = match read_revision(readable, offset, limits, &mut spent) {
            Err(PdfError::PrevForward { prev, .. })
                if revisions.iter().any(|newer| newer.xref_offset == prev) =>
            {
                return Err(PdfError::XrefLoop { offset: prev });
            }
            other => other?,
        };
        if revisions.is_empty() && revision.startxref_offset != newest.startxref_offset {
            let offset = newest.startxref_offset;
            let problem = "the last startxref does not follow the section it names";
            return Err(PdfError::XrefBroken { offset, problem });
        }
        upper = offset;
        next = prev;
        revisions.push(revision);
    }
    revisions.reverse();
    for (index, revision) in revisions.iter_mut().enumerate() {
        revision.index = index;
    }
    Ok((revisions, spent))
}

/// The end of the file, read backwards: `startxref`, a number, `%%EOF`, white space.
fn last_tail(bytes: &[u8]) -> Result<Tail, PdfError> {
    let written = trim_end(bytes, is_whitespace);
    let Some(before) = written.strip_suffix(b"%%EOF") else {
        // Only to say which of the two it is: cut off, or followed by something.
        let from = written.len().saturating_sub(64 * 1024);
        let near = written.get(from..).unwrap_or_default();
        return Err(
            match near.windows(5).rposition(|window| window == b"%%EOF") {
                Some(at) => PdfError::JunkAfterEof {
                    offset: from + at + 5,
                },
                None => PdfError::EofMissing {
                    length: bytes.len(),
                },
            },
        );
    };
    let missing = PdfError::StartxrefMissing {
        offset: before.len(),
    };
    let number = trim_end(before, is_whitespace);
    let line_end = before.get(number.len()..).unwrap_or_default();
    let keyword = trim_end(
        trim_end(number, |byte| byte.is_ascii_digit()),
        is_whitespace,
    );
    let Some(front) = keyword.strip_suffix(b"startxref") else {
        return Err(missing);
    };
    if !line_end.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
        || front.last().copied().is_some_and(is_regular)
    {
        return Err(missing);
    }
    let tail = tail_behind(bytes, front.len()).ok_or(missing)?;
    Ok(tail)
}

fn trim_end(bytes: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let kept = bytes
        .iter()
        .rposition(|byte| !drop(*byte))
        .map_or(0, |last| last + 1);
    bytes.get(..kept).unwrap_or_default()
}

/// `startxref`, a number and `%%EOF` from `position` on, comments before them skipped: iText
/// writes its name there.
fn tail_behind(bytes: &[u8], position: usize) -> Option<Tail> {
    let mut lexer = Lexer::new(bytes, position);
    lexer.skip_blank();
    let startxref_offset = lexer.position();
    if !lexer.skip_word(b"startxref") {
        return None;
    }
    lexer.skip_whitespace();
    let xref_offset = usize::try_from(lexer.digits()?).ok()?;
    lexer.skip_whitespace();
    if !lexer.skip_text(b"%%EOF") {
        return None;
    }
    let eof_end = lexer.position();
    lexer.skip_end_of_line();
    Some(Tail {
        startxref_offset,
        xref_offset,
        eof_end,
        end: lexer.position(),
    })
}

/// Reads the revision whose section begins at `offset`; `bytes` ends where the next newer
/// revision's section begins. Gives the offset of the next older section as well.
fn read_revision(
    bytes: &[u8],
    offset: usize,
    limits: &Limits,
    spent: &mut Spent,
) -> Result<(Revision, Option<usize>), PdfError> {
    let mut section = read_checked(bytes, offset, limits, spent)?;
    let mut prev = offset_entry(&section.trailer, b"Prev", "Prev")?;
    let mut xref_spans = vec![section.span.clone()];
    let mut tail_from = section.span.end;
    if let Some(main_offset) = prev.filter(|prev| *prev > offset) {
        let main = linearized_main(bytes, offset, main_offset, limits, spent)?;
        xref_spans.push(main.span.clone());
        tail_from = main.span.end;
        let entries = merge(section.entries, main.entries, |number, first, main| {
            if first == main || main.is_free() {
                return Ok(first);
            }
            let problem = "both sections of a linearized file have one object number";
            Err((number, problem))
        });
        section.entries = entries.map_err(|(_, problem)| PdfError::XrefBroken {
            offset: main_offset,
            problem,
        })?;
        prev = None;
    }
    let tail = tail_behind(bytes, tail_from).filter(|tail| tail.xref_offset == offset);
    let Some(tail) = tail else {
        let problem = "no startxref that names the section follows it";
        return Err(PdfError::XrefBroken {
            offset: tail_from,
            problem,
        });
    };
    let mut kind = section.kind;
    if kind == XrefKind::Table
        && let Some(stream_offset) = offset_entry(&section.trailer, b"XRefStm", "XRefStm")?
    {
        kind = XrefKind::Hybrid;
        let readable = bytes.get(..tail.startxref_offset).unwrap_or(bytes);
        let stream = read_checked(readable, stream_offset, limits, spent)?;
        if stream.kind != XrefKind::Stream {
            let problem = "/XRefStm does not name a cross-reference stream";
            return Err(PdfError::XrefBroken {
                offset: stream_offset,
                problem,
            });
        }
        xref_spans.push(stream.span.clone());
        section.entries =
            merge(section.entries, stream.entries, hybrid_entry).map_err(|number| {
                PdfError::HybridDisagrees {
                    number,
                    offset: stream_offset,
                }
            })?;
    }
    let revision = Revision {
        index: 0,
        startxref_offset: tail.startxref_offset,
        xref_offset: offset,
        eof_end: tail.eof_end,
        end: tail.end,
        trailer: section.trailer,
        kind,
        xref_spans,
        map: Arc::new(section.entries),
    };
    Ok((revision, prev))
}

/// The rule for hybrid files (7.5.8.4): an object hidden from old readers is free in the table
/// and stands in the stream. Any other difference would show two readers two documents.
fn hybrid_entry(number: u32, table: Packed, stream: Packed) -> Result<Packed, u32> {
    if table == stream || stream.is_free() && table.is_free() {
        Ok(table)
    } else if table.is_free() {
        Ok(stream)
    } else {
        Err(number)
    }
}

/// Reads a section and refuses it if its trailer says that the document is encrypted.
fn read_checked(
    bytes: &[u8],
    offset: usize,
    limits: &Limits,
    spent: &mut Spent,
) -> Result<Section, PdfError> {
    if offset >= bytes.len() {
        let problem = "a section behind the place that names it";
        return Err(PdfError::XrefBroken { offset, problem });
    }
    let section = read_section(bytes, offset, limits, spent)?;
    if section.trailer.get(b"Encrypt").is_some() {
        return Err(PdfError::Encrypted {
            offset: section.trailer.span.start,
        });
    }
    Ok(section)
}

fn offset_entry(
    trailer: &Dictionary,
    key: &[u8],
    name: &'static str,
) -> Result<Option<usize>, PdfError> {
    let Some(value) = trailer.get(key) else {
        return Ok(None);
    };
    let offset = value
        .as_integer()
        .and_then(|offset| usize::try_from(offset).ok());
    let wrong = PdfError::TrailerBroken {
        offset: trailer.span.start,
        key: name,
        problem: "is not a direct offset",
    };
    offset.map(Some).ok_or(wrong)
}

/// The main section of a linearized file (Annex F): the one case in which `/Prev` may point
/// forward. The first object must be the linearization dictionary, its `/L` the end of this
/// revision, and the main section the oldest. Its `startxref` names the first-page section, which
/// the caller checks.
fn linearized_main(
    bytes: &[u8],
    first_offset: usize,
    main_offset: usize,
    limits: &Limits,
    spent: &mut Spent,
) -> Result<Section, PdfError> {
    let forward = PdfError::PrevForward {
        offset: first_offset,
        prev: main_offset,
    };
    let Some(length) = linearized_length(bytes, limits, spent) else {
        return Err(forward);
    };
    let main = read_checked(bytes, main_offset, limits, spent)?;
    if main.trailer.get(b"Prev").is_some() || main.trailer.get(b"XRefStm").is_some() {
        return Err(forward);
    }
    let ends = tail_behind(bytes, main.span.end).is_some_and(|tail| {
        let padding = bytes.get(tail.eof_end..length);
        padding.is_some_and(|padding| padding.iter().copied().all(is_whitespace))
    });
    if ends { Ok(main) } else { Err(forward) }
}

/// `/L` of the linearization dictionary, if the first object is one.
fn linearized_length(bytes: &[u8], limits: &Limits, spent: &mut Spent) -> Option<usize> {
    let mut lexer = Lexer::new(bytes, 0);
    lexer.skip_blank();
    let (_, body) = object_header(bytes, lexer.position(), None)?;
    let frame = object_frame(bytes, body, limits, &mut spent.parsed_bytes).ok()?;
    let dictionary = frame.value.as_dictionary()?;
    dictionary.get(b"Linearized")?;
    dictionary
        .get(b"L")
        .and_then(Value::as_integer)
        .and_then(|length| usize::try_from(length).ok())
}

/// Merges two sorted lists; `both` decides about a number that is in both.
fn merge<E>(
    first: Vec<Packed>,
    second: Vec<Packed>,
    both: impl Fn(u32, Packed, Packed) -> Result<Packed, E>,
) -> Result<Vec<Packed>, E> {
    if second.is_empty() {
        return Ok(first);
    }
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter().peekable();
    for entry in first {
        while let Some(lower) = second.next_if(|other| other.number() < entry.number()) {
            merged.push(lower);
        }
        match second.next_if(|other| other.number() == entry.number()) {
            Some(other) => merged.push(both(entry.number(), entry, other)?),
            None => merged.push(entry),
        }
    }
    merged.extend(second);
    Ok(merged)
}
