//! The picture in the middle of a round seal, such as the national emblem: given, never carried along.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::drawing::{DrawnImage, Layer, RED, WHITE};
use super::path::Matrix;
use super::picture::{PictureError, VectorPicture, is_light};
use super::png_picture::{self, Pixels};
use super::{POINTS_PER_MM, PictureFile};

/// A picture for the middle of a seal. Its dark parts become seal red, its light ones paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emblem {
    /// An SVG of plain shapes, as [`VectorPicture`] takes it.
    Svg(String),
    /// A PNG with alpha, of at least 300 dots per inch at the size it gets.
    Png(PictureFile),
}

/// An emblem at its place.
pub(super) enum DrawnEmblem {
    Shapes(Vec<Layer>),
    Image(DrawnImage),
}

impl Emblem {
    /// The emblem with its corners on a circle of `reach` points around `centre`.
    ///
    /// # Errors
    /// It cannot be read, is no plain shape, has no transparency, or too few dots.
    pub(super) fn draw(&self, reach: f64, centre: [f64; 2]) -> Result<DrawnEmblem, PictureError> {
        match self {
            Self::Svg(svg) => {
                let picture = VectorPicture::read_emblem(svg.as_bytes())?;
                let [x, y] = centre;
                let to_page = Matrix::translate(x, y);
                Ok(DrawnEmblem::Shapes(picture.layers_within(reach, to_page)))
            }
            Self::Png(file) => {
                let mut pixels = Pixels::read(&file.0)?;
                let [columns, rows] = [pixels.width, pixels.height].map(f64::from);
                let points_per_pixel = 2.0 * reach / columns.hypot(rows);
                png_picture::check_dots(25.4 * POINTS_PER_MM / points_per_pixel)?;
                pixels.recolour(|colour| if is_light(colour) { WHITE } else { RED });
                let [width, height] = [columns, rows].map(|side| side * points_per_pixel);
                let [x, y] = centre;
                Ok(DrawnEmblem::Image(DrawnImage {
                    image: Arc::new(pixels.image()?),
                    png: pixels.png()?,
                    rectangle: [x - width / 2.0, y - height / 2.0, width, height],
                }))
            }
        }
    }
}
