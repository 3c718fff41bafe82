//! The two-dimensional code on the face, as an SVG of one path.
//!
//! GB/T 36905 asks for a data index on the face; what it must hold is not public. Ours holds
//! the licence identifier and nothing else, so that any scanner shows what is printed below it.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use super::LicenceIdentifier;

/// The light margin that ISO/IEC 18004 asks for around the symbol, in modules.
const QUIET_ZONE_MODULES: usize = 4;

/// Why no code can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// More text than the largest symbol holds; an identifier that was issued never is.
    #[error("{bytes} bytes do not fit into a QR code")]
    TooLong {
        /// Length of the text.
        bytes: usize,
    },
}

/// An SVG of the QR code (ISO/IEC 18004, error correction M) that holds the identifier:
/// black modules as one path on no ground, quiet zone of four modules included.
///
/// # Errors
/// [`QrError::TooLong`] for an identifier read from elsewhere that is overlong.
pub fn qr_svg(identifier: &LicenceIdentifier) -> Result<String, QrError> {
    svg_of(&identifier.to_string())
}

fn svg_of(text: &str) -> Result<String, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|_| QrError::TooLong { bytes: text.len() })?;
    let width = code.width();
    let side = width + 2 * QUIET_ZONE_MODULES;
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        // Neighbouring dark modules of a row become one rectangle: fewer seams, a shorter file.
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                let (left, top, length) =
                    (x + QUIET_ZONE_MODULES, y + QUIET_ZONE_MODULES, run.len());
                write!(path, "M{left} {top}h{length}v1h-{length}z")
                    .expect("a String takes all that is written");
            }
            x += run.len();
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\"><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_identifier_is_one_path_in_a_square() {
        let identifier = LicenceIdentifier::new(
            "11100000000013338W011",
            "11430000006122244L",
            "4419001140012026000001",
            1,
        )
        .unwrap();
        let svg = qr_svg(&identifier).unwrap();
        // 84 alphanumeric characters at level M: version 4, 33 modules, and 2 × 4 of margin.
        assert!(svg.contains("viewBox=\"0 0 41 41\""), "{svg}");
        assert_eq!(svg.matches("<path").count(), 1);
        // The upper left finder pattern begins right inside the quiet zone.
        assert!(svg.contains("d=\"M4 4h7v1h-7z"));
        assert_eq!(svg, qr_svg(&identifier).unwrap());
    }

    #[test]
    fn a_text_beyond_the_largest_symbol_is_refused() {
        assert_eq!(
            svg_of(&"x".repeat(3000)),
            Err(QrError::TooLong { bytes: 3000 })
        );
    }
}
