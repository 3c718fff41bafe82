//! A tail with an empty slot, and what is to be hashed around it.

use super::error::UpdateError;
use super::signature::{Slots, byte_range_text};
use crate::error::PdfError;

/// Something about the document that does not hinder a signature, but is worth saying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// `/NeedAppearances` is true: the document is no PDF/A, and viewers may redraw other fields.
    NeedAppearances,
    /// The document is tagged and the new widget is not in its structure tree: an earlier
    /// signature is worth more than the tag, or the tree has an unusual shape.
    NotTagged,
    /// The new widget lies over that of another signature field.
    OverlapsField {
        /// The other field's fully qualified name.
        name: String,
    },
}

/// What comes after the original, complete but for the signature value.
#[derive(Debug)]
pub struct PreparedUpdate {
    tail: Vec<u8>,
    original_len: u64,
    slots: Slots,
    field_name: String,
    notes: Vec<Note>,
}

impl PreparedUpdate {
    /// Fills in the byte range.
    pub(super) fn new(
        tail: Vec<u8>,
        original_len: u64,
        slots: Slots,
        field_name: String,
        notes: Vec<Note>,
    ) -> Result<Self, UpdateError> {
        let mut prepared = Self {
            tail,
            original_len,
            slots,
            field_name,
            notes,
        };
        let text = byte_range_text(prepared.byte_range());
        let place = prepared.slots.byte_range.clone();
        // Numbers of more than ten digits would need more room than the slot has.
        if text.len() != place.len() {
            let offset = original_len + prepared.tail.len() as u64;
            return Err(UpdateError::FileTooLong { offset });
        }
        if let Some(slot) = prepared.tail.get_mut(place) {
            slot.copy_from_slice(text.as_bytes());
        }
        Ok(prepared)
    }

    /// The bytes that go after the original, the slot still empty.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// `/ByteRange`: everything but the hexadecimal string `/Contents` with its angle brackets.
    pub fn byte_range(&self) -> [u64; 4] {
        let file = |place: usize| self.original_len + place as u64;
        let after = file(self.slots.contents.end);
        let end = file(self.tail.len());
        [0, file(self.slots.contents.start), after, end - after]
    }

    /// The fully qualified name of the field that is signed.
    pub fn field_name(&self) -> &str {
        &self.field_name
    }

    /// The length of the document that the tail goes after.
    pub fn original_len(&self) -> u64 {
        self.original_len
    }

    /// What is worth telling about the document.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The room for the signature value, in bytes.
    pub fn contents_bytes(&self) -> usize {
        (self.slots.contents.len() - 2) / 2
    }

    /// What the signature covers, in order: the original and the tail before and after `/Contents`.
    ///
    /// `original` is the document this was prepared for.
    pub fn covered<'a>(&'a self, original: &'a [u8]) -> [&'a [u8]; 3] {
        let slot = &self.slots.contents;
        [
            original,
            self.tail.get(..slot.start).unwrap_or_default(),
            self.tail.get(slot.end..).unwrap_or_default(),
        ]
    }

    /// Fills the slot and gives the finished tail; what is left of the slot stays zero.
    ///
    /// # Errors
    /// [`UpdateError::ContentsTooLarge`]: the slot never grows, because all else is hashed already.
    pub fn finish(mut self, contents: &[u8]) -> Result<Vec<u8>, PdfError> {
        let room = self.contents_bytes();
        let needed = contents.len();
        let digits = self.slots.contents.start + 1..self.slots.contents.end - 1;
        let slot = self.tail.get_mut(digits).unwrap_or_default();
        base16ct::lower::encode(contents, slot)
            .map_err(|_| UpdateError::ContentsTooLarge { needed, room })?;
        Ok(self.tail)
    }
}
