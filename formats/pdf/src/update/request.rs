//! What a caller asks of an update: where the seal goes, what it shows, what the signature says.

/// Where the widget of a new signature field goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Placement {
    /// A rectangle on the page; an appearance of other proportions stands in its middle.
    ///
    /// Lengths are true millimetres as seen by a reader of the page, with `/Rotate`, the CropBox
    /// and `/UserUnit` applied.
    Visible {
        /// The page, counted from 0.
        page_index: usize,
        /// From the left edge of the page as seen to the left edge of the stamp.
        x_mm: f64,
        /// From the upper edge of the page as seen down to the upper edge of the stamp.
        y_mm: f64,
        /// The width of the stamp.
        width_mm: f64,
        /// The height of the stamp.
        height_mm: f64,
    },
    /// A widget without area; it needs a page all the same (ISO 32000-2, 12.7.5.5).
    Invisible {
        /// The page, counted from 0.
        page_index: usize,
    },
}

impl Placement {
    /// The page that carries the widget, counted from 0.
    pub fn page_index(&self) -> usize {
        match self {
            Self::Visible { page_index, .. } | Self::Invisible { page_index } => *page_index,
        }
    }
}

/// What the page shows where the seal stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Appearance {
    /// A content stream of path operators and device colours; it uses no resource.
    pub content: Vec<u8>,
    /// The rectangle that `content` draws in, `[left, bottom, right, top]` in points.
    pub bbox: [f64; 4],
    /// The words for someone who cannot see it; they become `/TU` of the field.
    pub alternate_text: String,
}

/// Which field takes the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldTarget {
    /// A new field.
    New {
        /// The partial name of the field; `None` takes the first free one of `Seal-1`, `Seal-2`, …
        name: Option<String>,
    },
    /// An empty signature field that the document already has.
    Existing {
        /// The fully qualified name, parts joined by full stops.
        name: String,
    },
}

/// One signature to prepare.
#[derive(Debug, Clone, PartialEq)]
pub struct SignatureRequest {
    /// The field that takes the signature.
    pub field: FieldTarget,
    /// The place of a new field. An existing field keeps its own place.
    pub placement: Placement,
    /// What the widget shows; `None` for a signature without a picture.
    pub appearance: Option<Appearance>,
    /// The `/Filter` name, without the slash.
    pub filter: String,
    /// The `/SubFilter` name, without the slash.
    pub sub_filter: String,
    /// The exact room for the signature value, in bytes before hexadecimal.
    pub contents_bytes: usize,
    /// The claimed time `/M`, in seconds since 1970-01-01T00:00:00Z.
    pub signing_time: i64,
    /// The offset from UTC in which `/M` is written, in minutes; 480 for Beijing.
    pub signing_offset_minutes: i16,
    /// `/Name`, the person or authority that signs.
    pub name: Option<String>,
    /// `/Reason`.
    pub reason: Option<String>,
    /// `/Location`.
    pub location: Option<String>,
}
