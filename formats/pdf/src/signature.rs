//! The signature dictionary with the exact places of what it signs (ISO 32000-2, 12.8.1).

use std::ops::Range;

use crate::document::Document;
use crate::error::{PdfError, SignatureProblem};
use crate::object::{Dictionary, Kind, ObjectId, ObjectSource, Value};
use crate::text::text_string;

/// A signature dictionary as written. Whether its numbers make sense is for the verifier to say;
/// here only their types are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct SignatureDictionary {
    /// The dictionary's object.
    pub id: ObjectId,
    /// The dictionary from `<<` to behind `>>`.
    pub span: Range<usize>,
    /// The whole object from its header to behind `endobj`; the dictionary's span when it stands
    /// in an object stream.
    pub object_span: Range<usize>,
    /// `/Contents` with its angle brackets: what the gap of `/ByteRange` must be exactly.
    pub contents: Range<usize>,
    /// `/Contents` decoded, padding included.
    pub contents_bytes: Vec<u8>,
    /// Whether `/Contents` is nothing but an even number of digits, without white space.
    pub contents_is_plain_hex: bool,
    /// `/ByteRange` as written: any number of any integers.
    pub byte_range: Vec<i64>,
    /// Where the array of `/ByteRange` stands.
    pub byte_range_span: Range<usize>,
    /// `/Type`: `Sig`, `DocTimeStamp`, or missing.
    pub type_: Option<String>,
    /// `/Filter`.
    pub filter: Option<String>,
    /// `/SubFilter`.
    pub sub_filter: Option<String>,
    /// `/M`, the claimed time, as written.
    pub signing_time_text: Option<String>,
    /// `/Name`, a claim.
    pub name: Option<String>,
    /// `/Reason`, a claim.
    pub reason: Option<String>,
    /// `/Location`, a claim.
    pub location: Option<String>,
    /// Whether `/Reference` has a DocMDP transform: a certifying signature.
    pub has_doc_mdp: bool,
    /// `/P` of the DocMDP parameters, as written; the default of the standard is 2.
    pub doc_mdp_permissions: Option<i64>,
    /// Whether the dictionary stands in an object stream: then the spans count inside the decoded
    /// stream, and no `/ByteRange` can leave out its `/Contents`.
    pub in_object_stream: bool,
    /// The revision whose cross reference leads to it.
    pub revision_index: usize,
}

impl Document<'_> {
    /// The signature dictionary `id` as the newest revision has it.
    ///
    /// # Errors
    /// [`PdfError::SignatureShape`] names what no signature can be; [`PdfError::DuplicateKey`]
    /// when any key stands in it twice; and whatever reading the object brings.
    pub fn signature(&self, id: ObjectId) -> Result<SignatureDictionary, PdfError> {
        self.signature_at(id, self.newest_index())
    }

    /// The signature dictionary `id` as revision `revision_index` and the older ones have it.
    ///
    /// # Errors
    /// See [`Document::signature`].
    pub fn signature_at(
        &self,
        id: ObjectId,
        revision_index: usize,
    ) -> Result<SignatureDictionary, PdfError> {
        let object = self.object_at(id, revision_index)?;
        let shape = |offset, problem| PdfError::SignatureShape {
            id,
            offset,
            problem,
        };
        let Kind::Dictionary(dictionary) = &object.value.kind else {
            return Err(shape(
                object.value.span.start,
                SignatureProblem::NotADictionary,
            ));
        };
        let span = dictionary.span.clone();
        let (contents, contents_bytes) =
            contents(dictionary).map_err(|(offset, problem)| shape(offset, problem))?;
        let (byte_range_span, byte_range) =
            byte_range(dictionary).map_err(|(offset, problem)| shape(offset, problem))?;
        let digits = object
            .raw()
            .get(contents.start + 1..contents.end - 1)
            .unwrap_or_default();
        // Without a branch for each of some thousand digits.
        let only_digits = digits
            .iter()
            .fold(true, |only, digit| only & digit.is_ascii_hexdigit());
        let is_plain = digits.len() % 2 == 0 && only_digits;
        let (object_span, in_object_stream) = match &object.source {
            ObjectSource::File { span } => (span.clone(), false),
            ObjectSource::ObjectStream { .. } => (span.clone(), true),
        };
        let text = |key: &[u8]| self.text_at(dictionary, key, revision_index);
        let name = |key: &[u8]| self.name_at(dictionary, key, revision_index);
        let doc_mdp = self.doc_mdp(dictionary, revision_index)?;
        Ok(SignatureDictionary {
            id,
            object_span,
            contents_is_plain_hex: is_plain,
            contents,
            contents_bytes,
            byte_range,
            byte_range_span,
            type_: name(b"Type")?,
            filter: name(b"Filter")?,
            sub_filter: name(b"SubFilter")?,
            signing_time_text: text(b"M")?,
            name: text(b"Name")?,
            reason: text(b"Reason")?,
            location: text(b"Location")?,
            has_doc_mdp: doc_mdp.is_some(),
            doc_mdp_permissions: doc_mdp.flatten(),
            in_object_stream,
            revision_index: object.revision_index,
            span,
        })
    }

    /// Whether revision `revision_index` shows the dictionary `newest`, which [`Document::signature`]
    /// gave: the same bytes of the file, not in an object stream.
    pub fn shows_signature_at(&self, newest: &SignatureDictionary, revision_index: usize) -> bool {
        // The newest revision is where it was read.
        if revision_index == self.newest_index() {
            return !newest.in_object_stream;
        }
        self.signature_at(newest.id, revision_index)
            .is_ok_and(|then| then.span == newest.span && !then.in_object_stream)
    }

    /// A text string entry; a value of another type is not a text and reads as none.
    fn text_at(
        &self,
        dictionary: &Dictionary,
        key: &[u8],
        view: usize,
    ) -> Result<Option<String>, PdfError> {
        let Some(value) = dictionary.get(key) else {
            return Ok(None);
        };
        Ok(self.resolve_at(value, view)?.as_string().map(text_string))
    }

    fn name_at(
        &self,
        dictionary: &Dictionary,
        key: &[u8],
        view: usize,
    ) -> Result<Option<String>, PdfError> {
        let Some(value) = dictionary.get(key) else {
            return Ok(None);
        };
        let value = self.resolve_at(value, view)?;
        Ok(value
            .as_name()
            .map(|name| String::from_utf8_lossy(name).into_owned()))
    }

    /// `Some` when `/Reference` has a DocMDP transform (12.8.2.2), with its `/P`.
    fn doc_mdp(
        &self,
        dictionary: &Dictionary,
        view: usize,
    ) -> Result<Option<Option<i64>>, PdfError> {
        let Some(references) = dictionary.get(b"Reference") else {
            return Ok(None);
        };
        let references = self.resolve_at(references, view)?;
        for reference in references.as_array().unwrap_or_default() {
            let reference = self.resolve_at(reference, view)?;
            let Some(reference) = reference.as_dictionary() else {
                continue;
            };
            if self
                .name_at(reference, b"TransformMethod", view)?
                .as_deref()
                != Some("DocMDP")
            {
                continue;
            }
            let Some(parameters) = reference.get(b"TransformParams") else {
                return Ok(Some(None));
            };
            let parameters = self.resolve_at(parameters, view)?;
            let permissions = match parameters
                .as_dictionary()
                .and_then(|entries| entries.get(b"P"))
            {
                Some(permissions) => self.resolve_at(permissions, view)?.as_integer(),
                None => None,
            };
            return Ok(Some(permissions));
        }
        Ok(None)
    }
}

type Shaped<T> = Result<(Range<usize>, T), (usize, SignatureProblem)>;

fn contents(dictionary: &Dictionary) -> Shaped<Vec<u8>> {
    let start = dictionary.span.start;
    let value = dictionary
        .get(b"Contents")
        .ok_or((start, SignatureProblem::ContentsMissing))?;
    let problem = match &value.kind {
        Kind::String {
            bytes,
            hexadecimal: true,
        } if !bytes.is_empty() => {
            return Ok((value.span.clone(), bytes.clone()));
        }
        Kind::String {
            hexadecimal: true, ..
        } => SignatureProblem::ContentsEmpty,
        Kind::String {
            hexadecimal: false, ..
        } => SignatureProblem::ContentsLiteral,
        Kind::Reference(_) => SignatureProblem::ContentsIndirect,
        Kind::Null
        | Kind::Boolean(_)
        | Kind::Integer(_)
        | Kind::Real(_)
        | Kind::Name(_)
        | Kind::Array(_)
        | Kind::Dictionary(_)
        | Kind::Stream { .. } => SignatureProblem::ContentsNotAString,
    };
    Err((value.span.start, problem))
}

fn byte_range(dictionary: &Dictionary) -> Shaped<Vec<i64>> {
    let start = dictionary.span.start;
    let value = dictionary
        .get(b"ByteRange")
        .ok_or((start, SignatureProblem::ByteRangeMissing))?;
    if value.as_reference().is_some() {
        return Err((value.span.start, SignatureProblem::ByteRangeIndirect));
    }
    let elements = value
        .as_array()
        .ok_or((value.span.start, SignatureProblem::ByteRangeNotAnArray))?;
    let mut numbers = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let problem = SignatureProblem::ByteRangeElement { index };
        numbers.push(Value::as_integer(element).ok_or((element.span.start, problem))?);
    }
    Ok((value.span.clone(), numbers))
}
