//! The picture of a seal, whatever it was made from.

use yinxin_pdf::Appearance;

use super::{PngPicture, SealDrawing};

/// What a seal shows: drawn shapes, or an uploaded PNG.
#[derive(Debug, Clone, PartialEq)]
pub enum SealPicture {
    /// Shapes; for the seal object an SVG.
    Drawn(SealDrawing),
    /// A PNG, for the seal object as it was uploaded.
    Png {
        /// The file, read.
        picture: PngPicture,
        /// What follows «电子印章» in the alternate text.
        description: String,
    },
}

impl SealPicture {
    /// The true width and height in millimetres.
    #[must_use]
    pub fn size_mm(&self) -> [f64; 2] {
        match self {
            Self::Drawn(drawing) => [drawing.width_mm(), drawing.height_mm()],
            Self::Png { picture, .. } => picture.size_mm(),
        }
    }

    /// What the page shows.
    #[must_use]
    pub fn appearance(&self) -> Appearance {
        match self {
            Self::Drawn(drawing) => drawing.appearance(),
            Self::Png {
                picture,
                description,
            } => picture.appearance(description),
        }
    }

    /// The file inside the seal object, and its kind in the words of GB/T 38540.
    #[must_use]
    pub fn file(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::Drawn(drawing) => ("SVG", drawing.svg().into_bytes()),
            Self::Png { picture, .. } => ("PNG", picture.bytes().to_vec()),
        }
    }
}
