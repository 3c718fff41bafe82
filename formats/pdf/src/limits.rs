//! What one document may cost at most.

use crate::error::PdfError;

/// Bounds on everything that comes from outside; passing one is [`PdfError::LimitExceeded`].
///
/// The defaults are those of the design: a PDF of 512 MiB, 20,000 pages, two million objects,
/// nesting 100, 64 signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the file in bytes.
    pub file_bytes_max: u64,
    /// Leaves of the page tree.
    pub pages_max: usize,
    /// Cross-reference entries, summed over all revisions (16 bytes of memory each).
    pub objects_max: usize,
    /// Arrays and dictionaries inside one another, and levels of the page and field trees.
    pub nesting_max: usize,
    /// Cross-reference sections on the `/Prev` chain.
    pub revisions_max: usize,
    /// Decoded length of one stream.
    pub stream_bytes_max: usize,
    /// Decoded length of all streams together, over the life of one [`crate::Document`].
    /// An object stream counts once, because it stays decoded.
    pub decoded_bytes_max: usize,
    /// Different signature dictionaries named by signature fields.
    pub signatures_max: usize,
    /// Values in one object; the longest honest ones are flat `/Kids` arrays of some ten thousand.
    pub object_values_max: usize,
    /// Length of one object without its stream data.
    pub object_bytes_max: usize,
    /// Bytes of object syntax and of encoded stream data read over the life of one
    /// [`crate::Document`]. It stops files whose objects stand inside one another, so that reading
    /// each is reading all; an honest document is seldom read twice.
    pub parsed_bytes_max: u64,
    /// Fields and widgets below `/AcroForm`.
    pub form_nodes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Limits {
            file_bytes_max: 512 * MIB as u64,
            pages_max: 20_000,
            objects_max: 2_000_000,
            nesting_max: 100,
            revisions_max: 1_000,
            stream_bytes_max: 16 * MIB,
            decoded_bytes_max: 64 * MIB,
            signatures_max: 64,
            object_values_max: 500_000,
            object_bytes_max: 16 * MIB,
            parsed_bytes_max: 256 * MIB as u64,
            form_nodes_max: 50_000,
        }
    }
}

/// `Ok` when `value` does not pass `max`.
pub(crate) fn check(limit: &'static str, value: u64, max: u64) -> Result<(), PdfError> {
    if value > max {
        return Err(PdfError::LimitExceeded { limit, value, max });
    }
    Ok(())
}
