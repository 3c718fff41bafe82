//! Why an update was refused although the document could be read.

/// A refusal of a [`crate::SignatureRequest`]: the caller asks for what the document does not allow.
///
/// Lengths are in micrometres (`_um`) as a reader sees the page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    // ── The field ────────────────────────────────────────────────────────────
    /// No signature field of this name exists.
    #[error("no signature field {name:?}; the document has: {}", names(.existing))]
    FieldNotFound {
        /// The fully qualified name asked for.
        name: String,
        /// The signature fields that exist.
        existing: Vec<String>,
    },
    /// The field already holds a signature.
    #[error("signature field {name:?} is already signed")]
    FieldAlreadySigned {
        /// The fully qualified name.
        name: String,
    },
    /// A field of this name exists already.
    #[error("a form field {name:?} exists already")]
    FieldNameTaken {
        /// The name asked for.
        name: String,
    },
    /// The name is empty or has a full stop, which separates the parts of a qualified name
    /// (ISO 32000-2, 12.7.4.2).
    #[error("{name:?} cannot be the name of a new form field")]
    FieldNameInvalid {
        /// The name asked for.
        name: String,
    },
    /// The field's widget is hidden (PDF/A-2, 6.3.2) or among the annotations of no page, so that
    /// nobody would see the seal.
    #[error("signature field {name:?} is hidden: a seal in it could not be seen")]
    FieldHidden {
        /// The fully qualified name.
        name: String,
    },
    /// An earlier signature locks the field (ISO 32000-2, 12.8.2.4).
    #[error("signature field {name:?} is locked by the signature in {by:?}")]
    FieldLocked {
        /// The fully qualified name.
        name: String,
        /// The signed field that locks it.
        by: String,
    },
    /// The field's `/SV` demands what the request does not give (ISO 32000-2, 12.7.5.5, table 237).
    #[error("signature field {name:?} demands another /{entry}")]
    SeedValue {
        /// The fully qualified name.
        name: String,
        /// The entry of the seed value dictionary.
        entry: &'static str,
    },

    // ── The place ────────────────────────────────────────────────────────────
    /// The stamp does not lie wholly on the visible page.
    #[error(
        "a stamp of {} × {} mm at {}, {} mm does not fit on page index {page_index} of {} × {} mm",
        mm(.width_um), mm(.height_um), mm(.x_um), mm(.y_um), mm(.page_width_um), mm(.page_height_um)
    )]
    OutsidePage {
        /// The page, counted from 0.
        page_index: usize,
        /// The width of the page as seen.
        page_width_um: i64,
        /// The height of the page as seen.
        page_height_um: i64,
        /// From the left edge.
        x_um: i64,
        /// From the upper edge.
        y_um: i64,
        /// The width of the stamp.
        width_um: i64,
        /// The height of the stamp.
        height_um: i64,
    },

    // ── The document's own rules ─────────────────────────────────────────────
    /// A certifying signature permits no change at all (DocMDP with P 1).
    #[error("the signature in {by:?} certifies the document and permits no changes")]
    CertifiedFinal {
        /// The field of the certifying signature.
        by: String,
    },
    /// A certified document takes signatures only in fields that were there when it was certified.
    #[error(
        "the signature in {by:?} certifies the document: only its existing empty fields can be signed"
    )]
    CertifiedFieldsOnly {
        /// The field of the certifying signature.
        by: String,
    },
    /// Only the first signature of a document certifies it or makes fields for others
    /// (ISO 32000-2, 12.8.2.2.1).
    #[error(
        "{by:?} is signed already: only the first signature can certify the document or make fields for others"
    )]
    NotTheFirst {
        /// A signed field.
        by: String,
    },
    /// The form is an XFA form: viewers show its XML instead of the pages, so the seal would not
    /// be seen and what is signed is not what is shown (forbidden by PDF/A-2, 6.4.2).
    #[error("the document holds an XFA form, whose pages are not what a reader sees")]
    XfaForm,

    // ── The request's own values ─────────────────────────────────────────────
    /// A value of the request cannot be written.
    #[error("request: {field} {problem}")]
    RequestInvalid {
        /// The field of [`crate::SignatureRequest`].
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The signature is longer than the room kept for it.
    #[error("the signature has {needed} bytes, the slot {room}")]
    ContentsTooLarge {
        /// The length of the signature.
        needed: usize,
        /// The length of the slot.
        room: usize,
    },
    /// The updated file would be longer than its cross reference can say (ISO 32000-2, 7.5.4).
    #[error("an offset of {offset} does not fit into the cross-reference table")]
    FileTooLong {
        /// The offset that does not fit.
        offset: u64,
    },
    /// No object numbers are left.
    #[error("the document's object numbers are used up")]
    ObjectNumbersUsedUp,
}

impl UpdateError {
    /// The stable code for machines, logs and `google.rpc.ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::FieldNotFound { .. } => "PDF_FIELD_NOT_FOUND",
            Self::FieldAlreadySigned { .. } => "PDF_FIELD_ALREADY_SIGNED",
            Self::FieldNameTaken { .. } => "PDF_FIELD_NAME_TAKEN",
            Self::FieldNameInvalid { .. } => "PDF_FIELD_NAME_INVALID",
            Self::FieldHidden { .. } => "PDF_FIELD_HIDDEN",
            Self::FieldLocked { .. } => "PDF_FIELD_LOCKED",
            Self::SeedValue { .. } => "PDF_FIELD_SEED_VALUE",
            Self::OutsidePage { .. } => "PDF_PLACEMENT_OUTSIDE_PAGE",
            Self::CertifiedFinal { .. } => "PDF_CERTIFIED_FINAL",
            Self::CertifiedFieldsOnly { .. } => "PDF_CERTIFIED_FIELDS_ONLY",
            Self::NotTheFirst { .. } => "PDF_NOT_THE_FIRST_SIGNATURE",
            Self::XfaForm => "PDF_XFA_FORM",
            Self::RequestInvalid { .. } => "PDF_REQUEST_INVALID",
            Self::ContentsTooLarge { .. } => "PDF_CONTENTS_TOO_LARGE",
            Self::FileTooLong { .. } => "PDF_FILE_TOO_LONG",
            Self::ObjectNumbersUsedUp => "PDF_OBJECT_NUMBERS_USED_UP",
        }
    }
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}

fn mm(micrometres: &i64) -> String {
    // A page of 2^53 µm is 9 million km wide.
    format!("{:.1}", *micrometres as f64 / 1000.0)
}
