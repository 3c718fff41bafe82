//! What the cross reference says about each object, revision by revision (ISO 32000-2, 7.5.4).

use std::ops::Range;
use std::sync::Arc;

use crate::error::PdfError;
use crate::lexer::is_whitespace;
use crate::object::Dictionary;

/// One entry of a cross-reference section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XrefEntry {
    /// The number is free.
    Free {
        /// The next free number.
        next: u32,
        /// The generation a new object of this number would get.
        generation: u16,
    },
    /// The object stands in the file.
    InFile {
        /// Where its header begins. Checked when the object is asked for, not before.
        offset: usize,
        /// Its generation.
        generation: u16,
    },
    /// The object stands in an object stream; its generation is 0.
    InStream {
        /// Number of the object stream.
        container: u32,
        /// Place in the stream, from 0.
        index: u32,
    },
}

/// An entry in 16 bytes, so that 700,000 objects cost 11 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    number: u32,
    kind: u16,
    generation: u16,
    place: u64,
}

impl Packed {
    pub(crate) fn new(number: u32, entry: XrefEntry) -> Self {
        match entry {
            XrefEntry::Free { next, generation } => Packed {
                number,
                kind: 0,
                generation,
                place: u64::from(next),
            },
            XrefEntry::InFile { offset, generation } => Packed {
                number,
                kind: 1,
                generation,
                place: offset as u64,
            },
            XrefEntry::InStream { container, index } => {
                let place = u64::from(container) << 32 | u64::from(index);
                Packed {
                    number,
                    kind: 2,
                    generation: 0,
                    place,
                }
            }
        }
    }

    pub(crate) fn number(self) -> u32 {
        self.number
    }

    pub(crate) fn entry(self) -> XrefEntry {
        let generation = self.generation;
        let low = (self.place & u64::from(u32::MAX)) as u32;
        match self.kind {
            0 => XrefEntry::Free {
                next: low,
                generation,
            },
            1 => XrefEntry::InFile {
                offset: usize::try_from(self.place).unwrap_or(usize::MAX),
                generation,
            },
            _ => XrefEntry::InStream {
                container: (self.place >> 32) as u32,
                index: low,
            },
        }
    }

    pub(crate) fn is_free(self) -> bool {
        self.kind == 0
    }
}

/// Sorts the entries of one section.
///
/// # Errors
/// [`PdfError::XrefBroken`] when a number occurs twice, which 7.5.4 forbids.
pub(crate) fn sort_entries(entries: &mut [Packed], offset: usize) -> Result<(), PdfError> {
    if !entries.is_sorted_by_key(|entry| entry.number) {
        entries.sort_unstable_by_key(|entry| entry.number);
    }
    let next = entries.iter().skip(1);
    if entries
        .iter()
        .zip(next)
        .any(|(left, right)| left.number == right.number)
    {
        return Err(PdfError::XrefBroken {
            offset,
            problem: "an object number occurs twice",
        });
    }
    Ok(())
}

/// The form of a cross-reference section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XrefKind {
    /// A classic table.
    Table,
    /// A cross-reference stream.
    Stream,
    /// A classic table whose trailer names a stream as well (7.5.8.4).
    Hybrid,
}

/// One state of the document: everything up to one `%%EOF`.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Place among the revisions; 0 is the oldest.
    pub index: usize,
    /// Where the keyword `startxref` of this revision stands.
    pub startxref_offset: usize,
    /// The number behind `startxref`: where the cross-reference section begins.
    pub xref_offset: usize,
    /// Just behind `%%EOF`.
    pub eof_end: usize,
    /// Just behind `%%EOF` and its end-of-line marker, if it has one.
    pub end: usize,
    /// The trailer dictionary; of a cross-reference stream its dictionary. In a linearized file
    /// that of the first-page section, which is the newer of the pair.
    pub trailer: Dictionary,
    /// The form of the section.
    pub kind: XrefKind,
    /// The bytes of all sections of this revision, from `xref` to behind the trailer dictionary
    /// or from the header of the stream to its `endobj`.
    pub xref_spans: Vec<Range<usize>>,
    pub(crate) map: Arc<Vec<Packed>>,
}

impl Revision {
    /// All entries, by rising number; those for free numbers included.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u32, XrefEntry)> + '_ {
        self.map
            .iter()
            .map(|packed| (packed.number, packed.entry()))
    }

    /// The entry for `number`, if this revision has one.
    pub fn entry(&self, number: u32) -> Option<XrefEntry> {
        let place = self
            .map
            .binary_search_by_key(&number, |packed| packed.number)
            .ok()?;
        self.map.get(place).map(|packed| packed.entry())
    }

    /// Whether `offset` is an end of this revision: behind `%%EOF`, with or without the white
    /// space that follows it.
    pub(crate) fn ends_at(&self, bytes: &[u8], offset: usize) -> bool {
        bytes
            .get(self.eof_end..offset)
            .is_some_and(|between| between.iter().copied().all(is_whitespace))
    }
}
