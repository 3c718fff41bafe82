//! What the pages of a document show, as text: two documents with the same text look the same.

use std::collections::BTreeSet;

use yinxin_pdf::{Dictionary, Document, Kind, PdfError, Value};

/// Pages looked at; the seeds have two.
const PAGES_MAX: usize = 16;
/// Length of the text at which the view ends.
const BYTES_MAX: usize = 256 * 1024;

/// Everything that the pages lead to, except every `/Parent`, the keys in `but` of any dictionary,
/// and the values of signatures, which prove themselves.
///
/// # Errors
/// Whatever reading the pages brings.
pub fn pages(document: &Document<'_>, but: &[&[u8]]) -> Result<String, PdfError> {
    let mut text = String::new();
    for page_index in 0..document.page_count()?.min(PAGES_MAX) {
        let page = document.page(page_index)?;
        text += &format!(
            "page {page_index} {:?} {:?} {} {}\n",
            page.media_box, page.crop_box, page.rotate, page.user_unit
        );
        let mut view = View {
            document,
            but,
            seen: BTreeSet::from([page.id]),
            text: &mut text,
        };
        if let Some(resources) = &page.resources {
            view.value(resources)?;
        }
        if let Some(dictionary) = page.dictionary.dictionary() {
            view.dictionary(dictionary)?;
        }
    }
    Ok(text)
}

struct View<'v, 'a> {
    document: &'v Document<'a>,
    but: &'v [&'v [u8]],
    seen: BTreeSet<yinxin_pdf::ObjectId>,
    text: &'v mut String,
}

impl View<'_, '_> {
    fn dictionary(&mut self, dictionary: &Dictionary) -> Result<(), PdfError> {
        let signature = dictionary.get(b"ByteRange").is_some();
        let mut entries: Vec<_> = dictionary.iter().collect();
        entries.sort_by(|left, right| left.key.cmp(&right.key));
        for entry in entries {
            let key = entry.key.as_slice();
            if key == b"Parent" || (signature && key == b"Contents") || self.but.contains(&key) {
                continue;
            }
            *self.text += &format!("/{} ", entry.key.escape_ascii());
            self.value(&entry.value)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), PdfError> {
        if self.text.len() > BYTES_MAX {
            return Ok(());
        }
        match &value.kind {
            Kind::Null => *self.text += "null ",
            Kind::Boolean(value) => *self.text += &format!("{value} "),
            Kind::Integer(value) => *self.text += &format!("{value} "),
            Kind::Real(value) => *self.text += &format!("{value} "),
            Kind::String { bytes, .. } => *self.text += &format!("({}) ", bytes.escape_ascii()),
            Kind::Name(name) => *self.text += &format!("/{} ", name.escape_ascii()),
            Kind::Array(items) => {
                *self.text += "[";
                for item in items {
                    self.value(item)?;
                }
                *self.text += "] ";
            }
            Kind::Dictionary(dictionary) | Kind::Stream { dictionary, .. } => {
                *self.text += "<<";
                self.dictionary(dictionary)?;
                *self.text += ">> ";
            }
            Kind::Reference(id) => {
                if !self.seen.insert(*id) {
                    *self.text += &format!("{id:?} ");
                    return Ok(());
                }
                let object = match self.document.object(*id) {
                    Err(PdfError::ObjectMissing { .. }) => {
                        *self.text += "null ";
                        return Ok(());
                    }
                    other => other?,
                };
                self.value(&object.value)?;
                if object.value.is_stream() {
                    let data = self.document.stream_data(&object)?;
                    *self.text += &format!("stream {} ", data.escape_ascii());
                }
            }
        }
        Ok(())
    }
}
