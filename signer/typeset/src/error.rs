//! What can go wrong between a template and its PDF.

use std::fmt;

/// Why a document was not typeset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypesetError {
    /// No font file was given.
    #[error("no font file was given")]
    NoFonts,
    /// A font file in which no font can be read.
    #[error("font file number {number} has no font that can be read")]
    FontUnreadable {
        /// Its place in the list, from 1.
        number: usize,
    },
    /// A file name that is not a plain relative path, is taken twice, or is the inputs' own.
    #[error("file name {name:?} cannot be used")]
    FileName {
        /// The name.
        name: String,
    },
    /// The moment of creation is outside the years 1 to 9999.
    #[error("moment of creation {created} is outside the calendar")]
    Created {
        /// Seconds since 1970-01-01T00:00:00Z.
        created: i64,
    },
    /// The template failed, or its result would break PDF/A.
    #[error("template failed: {}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Template {
        /// What the engine says, at least one.
        diagnostics: Vec<Diagnostic>,
    },
    /// Characters for which none of the fonts has a glyph. The page would show empty boxes.
    #[error("no font has a glyph for {} (page {page_number})", characters.iter().map(|character| format!("{character:?} (U+{:04X})", u32::from(*character))).collect::<Vec<_>>().join(", "))]
    MissingGlyph {
        /// The characters, each once, in the order of the page.
        characters: Vec<char>,
        /// The first page with one of them, from 1.
        page_number: usize,
    },
}

/// One message of the typesetting engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// What to do about it, where the engine knows.
    pub hints: Vec<String>,
    /// File, line and column (both from 1) of the template, where the engine knows.
    pub place: Option<(String, usize, usize)>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line, column)) = &self.place {
            write!(formatter, "{file}:{line}:{column}: ")?;
        }
        formatter.write_str(&self.message)?;
        for hint in &self.hints {
            write!(formatter, " (hint: {hint})")?;
        }
        Ok(())
    }
}
