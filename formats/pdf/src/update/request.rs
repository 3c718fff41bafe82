//! What a caller asks of an update: where the seal goes, what it shows, what the signature says.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::ZlibEncoder;

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
    /// One signature shown in several places: a field for each, all with the same value, because
    /// a signature field never has more than one widget (ISO 32000-2, 12.7.5.5).
    Places(Vec<Spot>),
}

impl Placement {
    /// The page that carries the first widget, counted from 0.
    pub fn page_index(&self) -> usize {
        match self {
            Self::Visible { page_index, .. } | Self::Invisible { page_index } => *page_index,
            Self::Places(spots) => spots.first().map_or(0, |spot| spot.page_index),
        }
    }
}

/// One of several places of a signature; lengths as in [`Placement::Visible`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// The page, counted from 0.
    pub page_index: usize,
    /// From the left edge of the page as seen.
    pub x_mm: f64,
    /// From the upper edge of the page as seen.
    pub y_mm: f64,
    /// The width of what is shown here.
    pub width_mm: f64,
    /// The height of what is shown here.
    pub height_mm: f64,
    /// Which part of the appearance is shown here.
    pub part: Part,
}

/// A part of an appearance, its edges in shares of the whole from the upper left corner as seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// 0 for the left edge of the whole.
    pub left: f64,
    /// 0 for the upper edge of the whole.
    pub top: f64,
    /// 1 for the right edge of the whole.
    pub right: f64,
    /// 1 for the lower edge of the whole.
    pub bottom: f64,
}

impl Part {
    /// All of it.
    pub const WHOLE: Self = Self {
        left: 0.0,
        top: 0.0,
        right: 1.0,
        bottom: 1.0,
    };
}

/// What the page shows where the seal stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Appearance {
    /// A content stream of path operators and device colours; its only resource is `/Im0`, the
    /// image if there is one.
    pub content: Operators,
    /// The rectangle that `content` draws in, `[left, bottom, right, top]` in points.
    pub bbox: [f64; 4],
    /// The words for someone who cannot see it; they become `/TU` of the field.
    pub alternate_text: String,
    /// A picture that `content` draws as `/Im0`; stored once, however many places show it.
    pub image: Option<Arc<Image>>,
}

/// A content stream (ISO 32000-2, 7.8.2), compressed once however many documents show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operators {
    plain: Arc<[u8]>,
    deflated: Arc<[u8]>,
}

impl Operators {
    /// The stream before compression.
    #[must_use]
    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// The stream for `/FlateDecode`.
    pub(crate) fn deflated(&self) -> &[u8] {
        &self.deflated
    }
}

impl From<Vec<u8>> for Operators {
    fn from(plain: Vec<u8>) -> Self {
        Self {
            deflated: deflate(&plain).into(),
            plain: plain.into(),
        }
    }
}

impl From<&[u8]> for Operators {
    fn from(plain: &[u8]) -> Self {
        plain.to_vec().into()
    }
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

/// A picture in RGB, ready to be written as an image XObject (ISO 32000-2, 8.9.5).
///
/// The data are those of a PNG's `IDAT` chunks: zlib streams of rows with a PNG filter type each
/// (`FlateDecode` with `/Predictor 15`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Three samples of 8 bits a pixel: device RGB.
    pub colour: Vec<u8>,
    /// One sample of 8 bits a pixel, 0 for clear (`/SMask`).
    pub alpha: Option<Vec<u8>>,
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
    /// What few requests need.
    pub options: SignatureOptions,
}

/// What few requests need; the default is none of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignatureOptions {
    /// New places may stick out of their page, or be larger than it.
    pub may_leave_page: bool,
    /// The signature certifies the document: it must be the first, in a new field.
    pub certification: Option<Certification>,
    /// Fields for later signers, made in the same update. No earlier signature may exist: it would
    /// not have agreed to them.
    pub family: Option<FieldFamily>,
}

/// What may follow a certifying signature (DocMDP, ISO 32000-2, 12.8.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certification {
    /// P 1: nothing.
    NoChanges,
    /// P 2: filling in existing fields, and signing them.
    FillingAndSigning,
}

impl Certification {
    /// `/P`.
    pub fn permission(self) -> i64 {
        match self {
            Self::NoChanges => 1,
            Self::FillingAndSigning => 2,
        }
    }
}

/// Fields below one parent: the new one that is signed first, then empty ones in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFamily {
    /// The partial name of the parent, a new field at the top of the form.
    pub parent: String,
    /// The empty fields.
    pub empty: Vec<EmptyField>,
}

/// A signature field for a later signer.
#[derive(Debug, Clone, PartialEq)]
pub struct EmptyField {
    /// Its partial name.
    pub name: String,
    /// Its one place; [`Placement::Places`] with several is refused.
    pub placement: Placement,
    /// `/TU`: what the field is for, in words.
    pub description: String,
    /// Signing it locks all fields and permits no change after it (`/Lock`, 12.7.5.5, table 236).
    pub closes_document: bool,
}
