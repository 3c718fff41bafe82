//! Why a document was refused: always with the place.

use crate::object::ObjectId;
use crate::update::UpdateError;

/// What is wrong with a document, or with a request to read or update it.
///
/// Offsets count bytes from the start of the file; inside [`PdfError::InObjectStream`] they count
/// from the start of the decoded stream. [`PdfError::reason`] gives the stable code for machines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    // ── The file as a whole ──────────────────────────────────────────────────
    /// No `%PDF-` near the start.
    #[error("not a PDF: no %PDF- header (file of {length} bytes)")]
    NotAPdf {
        /// Length of the file.
        length: usize,
    },
    /// `%PDF-` is there, but not at offset 0, so that every offset in the file is ambiguous.
    #[error("{length} bytes stand before %PDF-")]
    JunkBeforeHeader {
        /// How many bytes stand before the header.
        length: usize,
    },
    /// The header names no version of the form `%PDF-1.7`.
    #[error("the version in the %PDF- header cannot be read")]
    HeaderBroken,
    /// The file does not end with `%%EOF`; probably it was cut off.
    #[error("no %%EOF at the end of the file ({length} bytes)")]
    EofMissing {
        /// Length of the file.
        length: usize,
    },
    /// Something other than white space follows the last `%%EOF`.
    #[error("unexpected bytes after the last %%EOF at offset {offset}")]
    JunkAfterEof {
        /// Where the unexpected bytes begin.
        offset: usize,
    },
    /// A trailer names `/Encrypt`; encrypted documents can be neither sealed nor verified.
    #[error("the document is encrypted (trailer at offset {offset})")]
    Encrypted {
        /// Where the trailer with `/Encrypt` stands.
        offset: usize,
    },

    // ── Cross reference ──────────────────────────────────────────────────────
    /// No `startxref` and number where ISO 32000-2, 7.5.5 wants them.
    #[error("no startxref with its number at offset {offset}")]
    StartxrefMissing {
        /// Where it was looked for.
        offset: usize,
    },
    /// A cross-reference section cannot be read.
    #[error("cross reference at offset {offset}: {problem}")]
    XrefBroken {
        /// Where reading stopped.
        offset: usize,
        /// What was wrong.
        problem: &'static str,
    },
    /// `/Prev` comes back to a section already read.
    #[error("the cross-reference section at offset {offset} is on the /Prev chain twice")]
    XrefLoop {
        /// The section met twice.
        offset: usize,
    },
    /// `/Prev` points at or behind its own section, and the file is not linearized.
    #[error("the cross-reference section at offset {offset} names a later one ({prev}) as /Prev")]
    PrevForward {
        /// The section with the `/Prev`.
        offset: usize,
        /// Where it points.
        prev: usize,
    },
    /// In a hybrid file table and stream give one object two different places.
    #[error("table and /XRefStm at offset {offset} disagree about object {number}")]
    HybridDisagrees {
        /// The object's number.
        number: u32,
        /// Where the stream stands.
        offset: usize,
    },
    /// A trailer entry is missing or has the wrong form.
    #[error("trailer at offset {offset}: /{key} {problem}")]
    TrailerBroken {
        /// Where the trailer dictionary stands.
        offset: usize,
        /// The entry.
        key: &'static str,
        /// What was wrong with it.
        problem: &'static str,
    },

    // ── Objects ──────────────────────────────────────────────────────────────
    /// The bytes are not PDF syntax.
    #[error("syntax at offset {offset}: {problem}")]
    Syntax {
        /// Where reading stopped.
        offset: usize,
        /// What was wrong.
        problem: &'static str,
    },
    /// A dictionary has one key twice, so that two readers may see two documents.
    #[error("dictionary key /{key} a second time at offset {offset}")]
    DuplicateKey {
        /// Where the second key stands.
        offset: usize,
        /// The key, with `#xx` resolved.
        key: String,
    },
    /// The object is free or in no cross-reference section.
    #[error("object {id} does not exist")]
    ObjectMissing {
        /// The object asked for.
        id: ObjectId,
    },
    /// The entry's offset is 0 or not inside the revision that wrote the entry.
    #[error("object {id}: offset {offset} is not inside its revision, which ends at {end}")]
    ObjectOffset {
        /// The object asked for.
        id: ObjectId,
        /// What the entry says.
        offset: usize,
        /// Where the revision ends.
        end: usize,
    },
    /// At the entry's offset there is no header `number generation obj` with the asked id.
    #[error("object {asked}: its header does not stand at offset {offset}")]
    ObjectMismatch {
        /// The object asked for.
        asked: ObjectId,
        /// Where its header should stand.
        offset: usize,
    },
    /// The cross reference knows the number with another generation.
    #[error("object {asked} is asked for, but the cross reference has generation {generation}")]
    GenerationMismatch {
        /// The object asked for.
        asked: ObjectId,
        /// The generation in the cross reference.
        generation: u16,
    },
    /// `/Length` is missing or does not lead to `endstream`.
    #[error("stream data at offset {offset}: {problem}")]
    StreamLength {
        /// Where the stream data begin.
        offset: usize,
        /// What was wrong.
        problem: &'static str,
    },
    /// An object stream does not hold what the cross reference says.
    #[error("object stream {container}: {problem}")]
    ObjectStreamBroken {
        /// The stream.
        container: ObjectId,
        /// What was wrong.
        problem: &'static str,
    },
    /// An error inside the decoded data of an object stream.
    #[error("in object stream {container}: {source}")]
    InObjectStream {
        /// The stream.
        container: ObjectId,
        /// The error; its offsets count inside the decoded data.
        source: Box<PdfError>,
    },
    /// The stream uses a filter that this reader does not decode (images, `Crypt`).
    #[error("stream data at offset {offset}: filter {filter} is not supported")]
    FilterUnsupported {
        /// Where the stream data begin.
        offset: usize,
        /// The filter's name.
        filter: String,
    },
    /// The data do not decode.
    #[error("stream data at offset {offset}: {filter}: {problem}")]
    FilterBroken {
        /// Where the stream data begin.
        offset: usize,
        /// The filter's name.
        filter: &'static str,
        /// What was wrong.
        problem: &'static str,
    },
    /// References lead from one to the next without end.
    #[error("reference {id} leads through too many others")]
    ReferenceLoop {
        /// The last reference followed.
        id: ObjectId,
    },
    /// An entry has another type than the standard gives it.
    #[error("/{key} at offset {offset}: expected {expected}")]
    WrongType {
        /// Where the value stands.
        offset: usize,
        /// The dictionary key.
        key: &'static str,
        /// What was expected.
        expected: &'static str,
    },

    // ── Pages, fields, signatures ────────────────────────────────────────────
    /// The page tree does not follow ISO 32000-2, 7.7.3.
    #[error("page tree at object {id}: {problem}")]
    PageTreeBroken {
        /// The node.
        id: ObjectId,
        /// What was wrong.
        problem: &'static str,
    },
    /// The document has fewer pages.
    #[error("page index {page_index} of a document of {page_count} pages")]
    PageMissing {
        /// What was asked for, from 0.
        page_index: usize,
        /// How many pages there are.
        page_count: usize,
    },
    /// The form's field tree does not follow ISO 32000-2, 12.7.
    #[error("form field {id}: {problem}")]
    FormBroken {
        /// The field or the catalog.
        id: ObjectId,
        /// What was wrong.
        problem: &'static str,
    },
    /// A signature dictionary has a form no signature can have.
    #[error("signature {id} at offset {offset}: {problem} ({})", problem.clause())]
    SignatureShape {
        /// The signature dictionary's object.
        id: ObjectId,
        /// Where the fault stands.
        offset: usize,
        /// The fault.
        problem: SignatureProblem,
    },
    /// There is no such revision.
    #[error("revision index {revision_index} of a document of {revisions} revisions")]
    RevisionMissing {
        /// What was asked for, from 0 (oldest).
        revision_index: usize,
        /// How many there are.
        revisions: usize,
    },

    // ── Limits ───────────────────────────────────────────────────────────────
    /// The document costs more than the configured limit.
    #[error("limit {limit} passed: {value} is more than {max}")]
    LimitExceeded {
        /// The field of [`crate::Limits`], or one of the fixed `filters` (on one stream) and
        /// `field_name_bytes`.
        limit: &'static str,
        /// What the document asks for (at least).
        value: u64,
        /// The limit.
        max: u64,
    },

    // ── Requests to update ───────────────────────────────────────────────────
    /// The document can be read, but the update asked for cannot be made.
    #[error(transparent)]
    Update(#[from] UpdateError),
}

/// What is wrong with a signature dictionary's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureProblem {
    /// The object is no dictionary.
    #[error("the signature is not a dictionary")]
    NotADictionary,
    /// `/Contents` is missing or null.
    #[error("/Contents is missing")]
    ContentsMissing,
    /// `/Contents` is no string.
    #[error("/Contents is not a string")]
    ContentsNotAString,
    /// `/Contents` is a literal string `( )`, whose length in the file is not fixed.
    #[error("/Contents is a literal string, not a hexadecimal one")]
    ContentsLiteral,
    /// `/Contents` is a reference, so that no gap of the `/ByteRange` can hold it.
    #[error("/Contents is an indirect reference")]
    ContentsIndirect,
    /// `/Contents` is `<>`.
    #[error("/Contents is empty")]
    ContentsEmpty,
    /// `/ByteRange` is missing or null.
    #[error("/ByteRange is missing")]
    ByteRangeMissing,
    /// `/ByteRange` is no array.
    #[error("/ByteRange is not an array")]
    ByteRangeNotAnArray,
    /// `/ByteRange` is a reference.
    #[error("/ByteRange is an indirect reference")]
    ByteRangeIndirect,
    /// An element of `/ByteRange` is no direct integer.
    #[error("/ByteRange has an element (index {index}) that is not a direct integer")]
    ByteRangeElement {
        /// Which one, from 0.
        index: usize,
    },
    /// The field's `/V` holds the dictionary itself instead of a reference.
    #[error("the field's /V is not an indirect reference")]
    ValueNotIndirect,
}

impl SignatureProblem {
    /// The clause that asks for the right form.
    pub fn clause(self) -> &'static str {
        match self {
            SignatureProblem::NotADictionary
            | SignatureProblem::ContentsMissing
            | SignatureProblem::ContentsNotAString
            | SignatureProblem::ContentsLiteral
            | SignatureProblem::ContentsIndirect
            | SignatureProblem::ContentsEmpty => "ISO 32000-2, 12.8.1, Table 255, Contents",
            SignatureProblem::ByteRangeMissing
            | SignatureProblem::ByteRangeNotAnArray
            | SignatureProblem::ByteRangeIndirect
            | SignatureProblem::ByteRangeElement { .. } => {
                "ISO 32000-2, 12.8.1, Table 255, ByteRange"
            }
            SignatureProblem::ValueNotIndirect => "ISO 32000-2, 12.7.5.5",
        }
    }
}

impl PdfError {
    /// The stable code for machines, logs and `google.rpc.ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        match self {
            PdfError::NotAPdf { .. } => "PDF_NOT_A_PDF",
            PdfError::JunkBeforeHeader { .. } => "PDF_JUNK_BEFORE_HEADER",
            PdfError::HeaderBroken => "PDF_HEADER_BROKEN",
            PdfError::EofMissing { .. } => "PDF_EOF_MISSING",
            PdfError::JunkAfterEof { .. } => "PDF_JUNK_AFTER_EOF",
            PdfError::Encrypted { .. } => "PDF_ENCRYPTED",
            PdfError::StartxrefMissing { .. } => "PDF_STARTXREF_MISSING",
            PdfError::XrefBroken { .. } => "PDF_XREF_BROKEN",
            PdfError::XrefLoop { .. } => "PDF_XREF_LOOP",
            PdfError::PrevForward { .. } => "PDF_XREF_FORWARD",
            PdfError::HybridDisagrees { .. } => "PDF_HYBRID_DISAGREES",
            PdfError::TrailerBroken { .. } => "PDF_TRAILER_BROKEN",
            PdfError::Syntax { .. } => "PDF_SYNTAX",
            PdfError::DuplicateKey { .. } => "PDF_DUPLICATE_KEY",
            PdfError::ObjectMissing { .. } => "PDF_OBJECT_MISSING",
            PdfError::ObjectOffset { .. } => "PDF_OBJECT_OFFSET",
            PdfError::ObjectMismatch { .. } => "PDF_OBJECT_MISMATCH",
            PdfError::GenerationMismatch { .. } => "PDF_GENERATION_MISMATCH",
            PdfError::StreamLength { .. } => "PDF_STREAM_LENGTH",
            PdfError::ObjectStreamBroken { .. } => "PDF_OBJECT_STREAM_BROKEN",
            PdfError::InObjectStream { source, .. } => source.reason(),
            PdfError::FilterUnsupported { .. } => "PDF_FILTER_UNSUPPORTED",
            PdfError::FilterBroken { .. } => "PDF_FILTER_BROKEN",
            PdfError::ReferenceLoop { .. } => "PDF_REFERENCE_LOOP",
            PdfError::WrongType { .. } => "PDF_WRONG_TYPE",
            PdfError::PageTreeBroken { .. } => "PDF_PAGE_TREE_BROKEN",
            PdfError::PageMissing { .. } => "PDF_PAGE_MISSING",
            PdfError::FormBroken { .. } => "PDF_FORM_BROKEN",
            PdfError::SignatureShape { .. } => "PDF_SIGNATURE_SHAPE",
            PdfError::RevisionMissing { .. } => "PDF_REVISION_MISSING",
            PdfError::LimitExceeded { .. } => "PDF_LIMIT",
            PdfError::Update(refusal) => refusal.reason(),
        }
    }
}
