//! A document over bytes that somebody else holds: opened lazily, looked up on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chain::read_revisions;
use crate::error::PdfError;
use crate::filter;
use crate::limits::{Limits, check};
use crate::object::{Dictionary, Kind, Object, ObjectId, ObjectSource, Raw, Value};
use crate::object_stream::ObjectStream;
use crate::page::PageIndex;
use crate::section::{Spent, filters, room};
use crate::xref::{Revision, XrefEntry};

/// References that may lead from one to the next; honest files use one.
const REFERENCES_MAX: usize = 32;

/// A PDF document, read strictly and lazily.
///
/// Opening reads the cross reference of every revision and the catalog. Everything else is read
/// when it is asked for, each time anew; only decoded object streams and the page index stay.
#[derive(Debug)]
pub struct Document<'a> {
    bytes: &'a [u8],
    pub(crate) limits: Limits,
    revisions: Vec<Revision>,
    catalog: Object<'a>,
    state: Mutex<State>,
}

/// What is remembered between calls.
#[derive(Debug, Default)]
pub(crate) struct State {
    spent: Spent,
    /// By the offset of the stream's header, because a number may mean another object in another
    /// revision. Never emptied: the budget bounds it, and nothing is inflated twice.
    pub(crate) object_streams: HashMap<usize, Arc<ObjectStream>>,
    pub(crate) page_index: Option<Arc<PageIndex>>,
    pub(crate) page_calls: usize,
}

impl<'a> Document<'a> {
    /// Opens a document. Reads the whole cross reference, and of the objects only the catalog.
    ///
    /// # Errors
    /// Whatever is not a whole, unencrypted PDF whose cross reference can be read strictly
    /// (ISO 32000-2, 7.5). Nothing is repaired.
    pub fn open(bytes: &'a [u8], limits: Limits) -> Result<Self, PdfError> {
        check("file_bytes_max", bytes.len() as u64, limits.file_bytes_max)?;
        check_header(bytes)?;
        let (revisions, spent) = read_revisions(bytes, &limits)?;
        let state = Mutex::new(State {
            spent,
            ..State::default()
        });
        let catalog = Object {
            id: ObjectId::new(0, 0),
            value: Value {
                span: 0..0,
                kind: Kind::Null,
            },
            source: ObjectSource::File { span: 0..0 },
            revision_index: 0,
            view_index: 0,
            raw: Raw::File(bytes),
        };
        let mut document = Document {
            bytes,
            limits,
            revisions,
            catalog,
            state,
        };
        document.catalog = document.read_catalog(document.newest_index())?;
        Ok(document)
    }

    /// The catalog as the revision `revision_index` and the older ones have it.
    ///
    /// # Errors
    /// [`PdfError::TrailerBroken`] when `/Root` does not lead to a dictionary of
    /// `/Type /Catalog`, and whatever reading that object brings.
    pub fn read_catalog(&self, revision_index: usize) -> Result<Object<'a>, PdfError> {
        let trailer = &self.revision(revision_index)?.trailer;
        let wrong = |problem| PdfError::TrailerBroken {
            offset: trailer.span.start,
            key: "Root",
            problem,
        };
        let root = trailer.get(b"Root").ok_or(wrong("is missing"))?;
        let id = root.as_reference().ok_or(wrong("is not a reference"))?;
        let catalog = self.object_at(id, revision_index)?;
        let is_catalog = !catalog.value.is_stream()
            && catalog
                .dictionary()
                .is_some_and(|entries| entries.has_name(b"Type", b"Catalog"));
        if !is_catalog {
            return Err(wrong("does not lead to a dictionary of /Type /Catalog"));
        }
        Ok(catalog)
    }

    /// The whole file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The limits it was opened with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// All revisions, oldest first; at least one.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The id of the newest catalog.
    pub fn catalog_id(&self) -> ObjectId {
        self.catalog.id
    }

    /// The newest catalog (ISO 32000-2, 7.7.2).
    pub fn catalog(&self) -> &Dictionary {
        // `open` has checked that it is one.
        self.catalog
            .dictionary()
            .expect("the catalog is a dictionary since open")
    }

    /// The newest catalog as the object it was read from.
    pub fn catalog_object(&self) -> &Object<'a> {
        &self.catalog
    }

    /// The newest trailer dictionary.
    pub fn trailer(&self) -> &Dictionary {
        &self.newest().trailer
    }

    /// The newest revision.
    pub fn newest(&self) -> &Revision {
        self.revisions
            .last()
            .expect("a chain has at least one section")
    }

    /// The version in the header, such as `1.7`. The catalog's `/Version` may be a newer one.
    pub fn header_version(&self) -> &'a str {
        let version = self.bytes.get(5..8).unwrap_or_default();
        std::str::from_utf8(version).unwrap_or_default()
    }

    /// The revision that ends at `offset`: just behind its `%%EOF` or in the white space that
    /// follows. A signature that covers a whole revision ends there.
    pub fn revision_ending_at(&self, offset: usize) -> Option<usize> {
        let at = self
            .revisions
            .partition_point(|revision| revision.eof_end <= offset);
        let revision = self.revisions.get(at.checked_sub(1)?)?;
        revision
            .ends_at(self.bytes, offset)
            .then_some(revision.index)
    }

    /// Everything that revisions newer than `revision_index` say about objects: number, revision
    /// and entry, sorted by number, the newest entry of each number only.
    pub fn objects_changed_after(&self, revision_index: usize) -> Vec<(u32, usize, XrefEntry)> {
        let newer = self
            .revisions
            .iter()
            .skip(revision_index.saturating_add(1))
            .rev();
        let mut changed: Vec<(u32, usize, XrefEntry)> = newer
            .flat_map(|revision| {
                revision
                    .entries()
                    .map(|(number, entry)| (number, revision.index, entry))
            })
            .collect();
        // Stable: of one number the newest revision stays in front and is kept.
        changed.sort_by_key(|(number, _, _)| *number);
        changed.dedup_by_key(|(number, _, _)| *number);
        changed
    }

    /// Where the revisions up to `revision_index` put object `number`: the revision that says so,
    /// and its entry.
    pub fn entry_at(&self, number: u32, revision_index: usize) -> Option<(usize, XrefEntry)> {
        let visible = self.revisions.get(..=revision_index)?;
        visible
            .iter()
            .rev()
            .find_map(|revision| revision.entry(number).map(|entry| (revision.index, entry)))
    }

    /// The object as the newest revision has it.
    ///
    /// # Errors
    /// See [`Document::object_at`].
    pub fn object(&self, id: ObjectId) -> Result<Object<'a>, PdfError> {
        self.object_at(id, self.newest_index())
    }

    /// The object as revision `revision_index` and the older ones have it.
    ///
    /// # Errors
    /// [`PdfError::ObjectMissing`] for a number that is free or in no section,
    /// [`PdfError::GenerationMismatch`], [`PdfError::ObjectOffset`], [`PdfError::ObjectMismatch`]
    /// when the header at the entry's offset is not exactly that of `id`, and syntax errors.
    pub fn object_at(&self, id: ObjectId, revision_index: usize) -> Result<Object<'a>, PdfError> {
        match self.place(id, revision_index)? {
            (at, Place::InFile { offset }) => self.object_in_file(id, offset, at, revision_index),
            (at, Place::InStream { container, index }) => {
                let stream = self.object_stream(container, at, revision_index)?;
                self.object_in_stream(id, &stream, index, at, revision_index)
            }
        }
    }

    /// Visits every reference in an object of the newest revision, in the order they are written,
    /// with the nearest key above each. Several times as fast as [`Document::object`], because no
    /// value is made; so an object that is wrong in its keys or behind its value is not found out.
    ///
    /// # Errors
    /// As [`Document::object_at`]; references may have been visited before.
    pub fn references(
        &self,
        id: ObjectId,
        visit: &mut dyn FnMut(ObjectId, &[u8]),
    ) -> Result<(), PdfError> {
        let newest = self.newest_index();
        match self.place(id, newest)? {
            (at, Place::InFile { offset }) => self.references_in_file(id, offset, at, visit),
            (at, Place::InStream { container, index }) => {
                let stream = self.object_stream(container, at, newest)?;
                let mut read_bytes = 0;
                let visited = stream.references(id, index, &self.limits, &mut read_bytes, visit);
                self.charge(read_bytes)?;
                visited
            }
        }
    }

    /// Where object `id` stands, and the revision that says so.
    fn place(&self, id: ObjectId, revision_index: usize) -> Result<(usize, Place), PdfError> {
        self.revision(revision_index)?;
        let missing = PdfError::ObjectMissing { id };
        // Object 0 heads the list of free ones and is never in use (7.5.4).
        if id.number == 0 {
            return Err(missing);
        }
        let (at, place, generation) = match self.entry_at(id.number, revision_index) {
            None | Some((_, XrefEntry::Free { .. })) => return Err(missing),
            Some((at, XrefEntry::InFile { offset, generation })) => {
                (at, Place::InFile { offset }, generation)
            }
            Some((at, XrefEntry::InStream { container, index })) => {
                (at, Place::InStream { container, index }, 0)
            }
        };
        if generation != id.generation {
            return Err(PdfError::GenerationMismatch {
                asked: id,
                generation,
            });
        }
        Ok((at, place))
    }

    /// Follows references in the newest revision; a reference to nothing is `null` (7.3.10).
    ///
    /// # Errors
    /// [`PdfError::ReferenceLoop`], and whatever reading the objects brings.
    pub fn resolve(&self, value: &Value) -> Result<Value, PdfError> {
        self.resolve_at(value, self.newest_index())
    }

    /// Follows references as revision `revision_index` and the older ones have them.
    ///
    /// # Errors
    /// See [`Document::resolve`].
    pub fn resolve_at(&self, value: &Value, revision_index: usize) -> Result<Value, PdfError> {
        let Some(first) = value.as_reference() else {
            return Ok(value.clone());
        };
        match self.follow(first, revision_index)? {
            Some(object) => Ok(object.value),
            None => Ok(Value {
                span: value.span.clone(),
                kind: Kind::Null,
            }),
        }
    }

    /// The object a reference leads to, through other references; `None` for a missing one.
    pub(crate) fn follow(
        &self,
        id: ObjectId,
        revision_index: usize,
    ) -> Result<Option<Object<'a>>, PdfError> {
        let mut id = id;
        for _ in 0..REFERENCES_MAX {
            let object = match self.object_at(id, revision_index) {
                Err(PdfError::ObjectMissing { .. }) => return Ok(None),
                other => other?,
            };
            match object.value.as_reference() {
                Some(next) => id = next,
                None => return Ok(Some(object)),
            }
        }
        Err(PdfError::ReferenceLoop { id })
    }

    /// The value of `key`, references followed in the newest revision; `None` when it is missing
    /// or null.
    ///
    /// # Errors
    /// See [`Document::resolve`].
    pub fn lookup(&self, dictionary: &Dictionary, key: &[u8]) -> Result<Option<Value>, PdfError> {
        let Some(value) = dictionary.get(key) else {
            return Ok(None);
        };
        let value = self.resolve(value)?;
        Ok((!value.is_null()).then_some(value))
    }

    /// The decoded data of a stream; FlateDecode, LZWDecode, ASCIIHexDecode, ASCII85Decode and
    /// RunLengthDecode with predictors.
    ///
    /// # Errors
    /// [`PdfError::WrongType`] when it is no stream or its data are in another file,
    /// [`PdfError::FilterUnsupported`], [`PdfError::FilterBroken`], and
    /// [`PdfError::LimitExceeded`]: what is decoded counts against `decoded_bytes_max` each time.
    pub fn stream_data(&self, object: &Object<'_>) -> Result<Vec<u8>, PdfError> {
        let Kind::Stream { dictionary, data } = &object.value.kind else {
            let offset = object.value.span.start;
            return Err(PdfError::WrongType {
                offset,
                key: "stream",
                expected: "a stream",
            });
        };
        let view = object.view_index;
        let filters = filters(dictionary, data.start, |value| self.resolve_at(value, view))?;
        let left = self
            .limits
            .decoded_bytes_max
            .saturating_sub(self.state().spent.decoded_bytes);
        let (room, limit) = room(left, &self.limits);
        let coded = self.bytes.get(data.clone()).unwrap_or_default();
        self.charge(coded.len() as u64)?;
        let mut spent = 0;
        let decoded = filter::decode(coded, &filters, data.start, room, limit, &mut spent);
        let mut state = self.state();
        state.spent.decoded_bytes = state.spent.decoded_bytes.saturating_add(spent);
        decoded
    }

    // ── Inside ───────────────────────────────────────────────────────────────

    pub(crate) fn newest_index(&self) -> usize {
        self.revisions.len().saturating_sub(1)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn revision(&self, revision_index: usize) -> Result<&Revision, PdfError> {
        let revisions = self.revisions.len();
        self.revisions
            .get(revision_index)
            .ok_or(PdfError::RevisionMissing {
                revision_index,
                revisions,
            })
    }

    /// Adds to the account of bytes read.
    pub(crate) fn charge(&self, read_bytes: u64) -> Result<(), PdfError> {
        let mut state = self.state();
        state.spent.parsed_bytes = state.spent.parsed_bytes.saturating_add(read_bytes);
        state.spent.check_parsed(&self.limits)
    }
}

/// Where an object stands.
enum Place {
    InFile { offset: usize },
    InStream { container: u32, index: u32 },
}

/// `%PDF-1.7` at offset 0 (7.5.2).
fn check_header(bytes: &[u8]) -> Result<(), PdfError> {
    const MARK: &[u8] = b"%PDF-";
    let near = bytes.get(..1024).unwrap_or(bytes);
    match near.windows(MARK.len()).position(|window| window == MARK) {
        None => {
            return Err(PdfError::NotAPdf {
                length: bytes.len(),
            });
        }
        Some(0) => {}
        Some(length) => return Err(PdfError::JunkBeforeHeader { length }),
    }
    match bytes.get(MARK.len()..MARK.len() + 3) {
        Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit() => Ok(()),
        _ => Err(PdfError::HeaderBroken),
    }
}
