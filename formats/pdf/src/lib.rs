//! A strict PDF reader with revisions and a writer of incremental updates.
//!
//! The reader works on a slice that somebody else holds (a buffer or a memory map) and opens no
//! file. It is lazy: opening reads the cross reference of every revision, 16 bytes of memory for
//! each object, and nothing but the catalog of the objects. It is strict: what ISO 32000-2 does
//! not allow is refused with its offset and never repaired, because two readers that repair
//! differently see two documents.
//!
//! Refused although other readers open them: bytes in front of `%PDF-` or behind the last
//! `%%EOF`; a `startxref` or offset that is wrong by one; table entries that are not 20 bytes;
//! numbers at or above `/Size` or twice in a section; duplicate dictionary keys; a `/Length` that
//! does not lead to `endstream`; encrypted documents.
//!
//! In a hybrid file (7.5.8.4) an object that is free in the table and stands in the `/XRefStm` is
//! what hybrid files are for; any other difference between the two is refused at open. A
//! linearized file (Annex F) is one revision, although it has two sections and the chain leads
//! forward once. An object stream, or the object of a `/Length`, that a later update has replaced
//! does not speak for older entries: what would need it is refused.
//!
//! Checked at open: header, end, and the whole `/Prev` chain. Checked when an object is asked
//! for: that its entry lies inside its revision and that the header there has its number and
//! generation. An honest file may carry wrong entries for objects that nothing uses.

mod chain;
mod content;
mod document;
mod error;
mod filter;
mod form;
mod lexer;
mod limits;
mod load;
mod object;
mod object_stream;
mod page;
mod parser;
mod references;
mod section;
mod signature;
mod text;
pub mod update;
mod xref;

pub use content::{TextMatch, TextSearch};
pub use document::Document;
pub use error::{PdfError, SignatureProblem};
pub use form::SignatureField;
pub use limits::Limits;
pub use object::{Dictionary, Entry, Kind, Object, ObjectId, ObjectSource, Value};
pub use page::Page;
pub use parser::parse_value;
pub use signature::SignatureDictionary;
pub use text::text_string;
pub use update::{
    Appearance, Certification, EmptyField, FieldFamily, FieldTarget, Image, Note, Operators, Part,
    Placement, PreparedUpdate, SignatureOptions, SignatureRequest, Spot, UpdateError, prepare,
};
pub use xref::{Revision, XrefEntry, XrefKind};
