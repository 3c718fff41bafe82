//! The world a template can see: its fonts, its files, one moment.

use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{DiagSpan, FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World, WorldExt as _};

use crate::error::{Diagnostic, TypesetError};

/// The name of the template in diagnostics.
const TEMPLATE_FILE: &str = "template.typ";

/// China Standard Time.
const CHINA_OFFSET: time::UtcOffset = time::macros::offset!(+8);

/// The fonts and the standard library: the same for every document.
pub(crate) struct Fonts {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

impl Fonts {
    pub(crate) fn read(files: Vec<Vec<u8>>) -> Result<Self, TypesetError> {
        if files.is_empty() {
            return Err(TypesetError::NoFonts);
        }
        let mut fonts = Vec::new();
        for (index, file) in files.into_iter().enumerate() {
            let before = fonts.len();
            fonts.extend(Font::iter(Bytes::new(file)));
            if fonts.len() == before {
                return Err(TypesetError::FontUnreadable { number: index + 1 });
            }
        }
        let book = FontBook::from_fonts(&fonts);
        Ok(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(book),
            fonts,
        })
    }

    pub(crate) fn families(&self) -> Vec<String> {
        self.book
            .families()
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

/// One document's world: a desk with the template and its files on it.
pub(crate) struct Desk<'a> {
    fonts: &'a Fonts,
    template: Source,
    /// A handful, so that a search beats a map.
    files: Vec<(FileId, Bytes)>,
    created: time::OffsetDateTime,
}

impl<'a> Desk<'a> {
    pub(crate) fn lay_out(
        fonts: &'a Fonts,
        template: &str,
        inputs_json: Vec<u8>,
        files: &[(&str, Vec<u8>)],
        created: i64,
    ) -> Result<Self, TypesetError> {
        let template = Source::new(file_id(TEMPLATE_FILE)?, template.to_owned());
        let mut on_desk = vec![(file_id(crate::INPUTS_FILE)?, Bytes::new(inputs_json))];
        for (name, bytes) in files {
            let id = file_id(name)?;
            if id == template.id() || on_desk.iter().any(|(taken, _)| *taken == id) {
                return Err(TypesetError::FileName {
                    name: (*name).to_owned(),
                });
            }
            on_desk.push((id, Bytes::new(bytes.clone())));
        }
        let created = time::OffsetDateTime::from_unix_timestamp(created)
            .ok()
            .and_then(|moment| moment.checked_to_offset(CHINA_OFFSET))
            .filter(|moment| (1..=9999).contains(&moment.year()))
            .ok_or(TypesetError::Created { created })?;
        Ok(Self {
            fonts,
            template,
            files: on_desk,
            created,
        })
    }

    /// The moment of creation on a clock in China, with the offset in minutes.
    pub(crate) fn created(&self) -> (Option<Datetime>, i32) {
        let moment = self.created;
        let datetime = Datetime::from_ymd_hms(
            moment.year(),
            moment.month().into(),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second(),
        );
        (datetime, i32::from(CHINA_OFFSET.whole_minutes()))
    }

    pub(crate) fn template_error(&self, diagnostics: &[SourceDiagnostic]) -> TypesetError {
        let diagnostics = diagnostics
            .iter()
            .map(|diagnostic| Diagnostic {
                message: diagnostic.message.to_string(),
                hints: diagnostic
                    .hints
                    .iter()
                    .map(|hint| hint.v.to_string())
                    .collect(),
                place: self.place(diagnostic.span),
            })
            .collect();
        TypesetError::Template { diagnostics }
    }

    fn place(&self, span: DiagSpan) -> Option<(String, usize, usize)> {
        let source = self.source(span.id()?).ok()?;
        let range = self.range(span)?;
        let (line_index, column_index) = source.lines().byte_to_line_column(range.start)?;
        let file = source.id().get().vpath().get_without_slash().to_owned();
        Some((file, line_index + 1, column_index + 1))
    }
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.fonts.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() {
            return Ok(self.template.clone());
        }
        let bytes = self.file(id)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| FileError::InvalidUtf8)?;
        Ok(Source::new(id, text.to_owned()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let path = id.get();
        match path.root() {
            VirtualRoot::Package(_) => Err(FileError::AccessDenied),
            VirtualRoot::Project => self
                .files
                .iter()
                .find_map(|(known, bytes)| (*known == id).then(|| bytes.clone()))
                .ok_or_else(|| FileError::NotFound(path.vpath().get_without_slash().into())),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.fonts.get(index).cloned()
    }

    fn today(&self, offset: Option<Duration>) -> Option<Datetime> {
        let moment = match offset {
            None => self.created,
            Some(offset) => {
                let seconds = time::Duration::seconds_f64(offset.seconds());
                self.created
                    .to_offset(time::UtcOffset::UTC)
                    .checked_add(seconds)?
            }
        };
        Datetime::from_ymd(moment.year(), moment.month().into(), moment.day())
    }
}

/// The engine's handle for a name. The engine keeps every name for the life of the process and
/// has room for 65,535, so the names come from templates and never from a licence's data.
fn file_id(name: &str) -> Result<FileId, TypesetError> {
    let refuse = || TypesetError::FileName {
        name: name.to_owned(),
    };
    if name.is_empty() || name.starts_with('/') {
        return Err(refuse());
    }
    let path = VirtualPath::new(name).map_err(|_| refuse())?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}
