//! What the fuzz targets share: a PDF written from a short script, the keys and documents that
//! `make-seeds` made, and what a document's pages show.

pub mod made;
pub mod script;
pub mod view;

use yinxin_pdf::Limits;

/// Limits under which no single input takes long, so that a slow one is a finding.
#[must_use]
pub fn limits() -> Limits {
    const MIB: usize = 1024 * 1024;
    Limits {
        file_bytes_max: MIB as u64,
        pages_max: 500,
        objects_max: 10_000,
        nesting_max: 100,
        revisions_max: 50,
        stream_bytes_max: MIB,
        decoded_bytes_max: 2 * MIB,
        signatures_max: 16,
        object_values_max: 10_000,
        object_bytes_max: MIB,
        parsed_bytes_max: 4 * MIB as u64,
        form_nodes_max: 1_000,
    }
}
