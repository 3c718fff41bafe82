//! Licence templates typeset to PDF/A-2b, tagged.
//!
//! A template is a Typst program written by an administrator; the data of a licence reaches it
//! as `json("inputs.json")` and is never evaluated. A template sees the files handed in with
//! it and nothing else: no file system, no packages, no network, no clock but the moment of
//! creation it is given. The same template, inputs, files, fonts and moment give the same bytes.
//!
//! A template can still loop or fill memory as any program can, so templates must come from
//! people who may administer the service.

mod document;
mod error;
mod world;

pub use error::{Diagnostic, TypesetError};

use std::sync::atomic::{AtomicUsize, Ordering};

use typst::comemo;
use typst_layout::PagedDocument;
use world::{Desk, Fonts};

/// The name under which a template reads its inputs.
pub const INPUTS_FILE: &str = "inputs.json";

/// Documents typeset between two clean-ups of the engine's caches. The caches make the second
/// document some ten times as fast as the first and grow by about a megabyte a document.
const DOCUMENTS_PER_CLEAN_UP: usize = 16;

/// Clean-ups that a cached result survives without being used: what belongs to the template
/// and the fonts is used by every document and stays, what belongs to one document goes.
const CLEAN_UPS_SURVIVED: usize = 1;

/// Fonts and engine, ready to typeset one document after another; shared between threads.
///
/// The engine's caches belong to the process, not to this value.
pub struct Typesetter {
    fonts: Fonts,
    documents: AtomicUsize,
}

impl Typesetter {
    /// A typesetter with these font files (OpenType, TrueType or collections of them), each
    /// kept in memory whole. Templates choose among them by family name.
    ///
    /// # Errors
    /// [`TypesetError::NoFonts`] without any file, [`TypesetError::FontUnreadable`] for a file
    /// in which no font can be read.
    pub fn new(fonts: Vec<Vec<u8>>) -> Result<Self, TypesetError> {
        Ok(Self {
            fonts: Fonts::read(fonts)?,
            documents: AtomicUsize::new(0),
        })
    }

    /// The family names that templates can use, sorted, each once.
    #[must_use]
    pub fn font_families(&self) -> Vec<String> {
        self.fonts.families()
    }

    /// Typesets a template to PDF/A-2b (ISO 19005-2) with structure tags.
    ///
    /// The template reads `inputs` as `json("inputs.json")` and each of `files` under its name.
    /// `created` (seconds since 1970-01-01T00:00:00Z) becomes the creation date, written in
    /// China Standard Time, and the template's `datetime.today()`. The document identifier is
    /// derived from inputs and moment.
    ///
    /// # Errors
    /// [`TypesetError::Template`] with the engine's diagnostics, also when the result would
    /// break PDF/A; [`TypesetError::MissingGlyph`] when a character has no glyph in any font;
    /// [`TypesetError::FileName`] and [`TypesetError::Created`] for arguments out of range.
    pub fn typeset(
        &self,
        template: &str,
        inputs: &serde_json::Value,
        files: &[(&str, Vec<u8>)],
        created: i64,
    ) -> Result<Vec<u8>, TypesetError> {
        let inputs_json = inputs.to_string();
        let identifier = format!("{created}\n{inputs_json}");
        let desk = Desk::lay_out(
            &self.fonts,
            template,
            inputs_json.into_bytes(),
            files,
            created,
        )?;
        let result = compile(&desk).and_then(|document| {
            document::require_glyphs(&document)?;
            document::export(&desk, &document, identifier)
        });
        if self.documents.fetch_add(1, Ordering::Relaxed) % DOCUMENTS_PER_CLEAN_UP
            == DOCUMENTS_PER_CLEAN_UP - 1
        {
            comemo::evict(CLEAN_UPS_SURVIVED);
        }
        result
    }
}

/// Lays the pages out. Warnings count as errors, because the next document may not be as lucky
/// as this one; the one exception is a family name that no font has, since templates name
/// alternatives.
fn compile(desk: &Desk<'_>) -> Result<PagedDocument, TypesetError> {
    let compiled = typst::compile::<PagedDocument>(desk);
    let document = compiled
        .output
        .map_err(|errors| desk.template_error(&errors))?;
    let grave: Vec<_> = compiled
        .warnings
        .into_iter()
        .filter(|warning| !warning.message.starts_with("unknown font family"))
        .collect();
    if grave.is_empty() {
        Ok(document)
    } else {
        Err(desk.template_error(&grave))
    }
}
