//! What a file gained after a signature, and whether later signatures explain it.
//!
//! The signed state is read from the covered bytes alone, the present state from the whole file.
//! Every object that a later cross-reference section names is compared; each difference must be
//! explained by a later signature (ISO 32000-2, 12.8.2.2 lists what signing touches): a new
//! signature dictionary, a new or so far empty signature field, its appearance, a page that gained
//! exactly that widget, a form that gained exactly that field. Validation data in the catalog
//! (/DSS, /Extensions), XMP metadata and the writer's name and date are accepted by kind and
//! reported, not analysed finer. What remains is
//! unexplained, however harmless it looks, and the verdict is [`ChangeVerdict::Changed`].
//!
//! A new object also counts as a change when the signed state already referred to its number: then
//! a page prepared with a reference to nothing would show it.
//!
//! EN 319 102-1 leaves later revisions to the format check. A file with unexplained changes is not
//! the file that was signed and shows something else than was signed, so the signature is
//! TOTAL-FAILED with FORMAT_FAILURE (as EU DSS does for "undefined changes"), although the signed
//! revision itself is whole; a comparison stopped by a limit is INDETERMINATE.

mod form;
mod objects;
mod references;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use yinxin_pdf::{Dictionary, Document, Object, PdfError, Value};

use crate::escape::escape_bytes;
use crate::report::{Change, ChangeVerdict, Changed, ChangesAfter};
use objects::{Delta, differing_keys, same_value};
pub(crate) use references::Background;
use references::Uses;

/// Catalog entries that a later signature or long-term validation may set.
const CATALOG_NOTED: [(&[u8], Changed); 3] = [
    (b"DSS", Changed::SecurityStore),
    (b"Extensions", Changed::Extensions),
    (b"Version", Changed::Extensions),
];

/// Entries of the information dictionary that a writer sets without changing what the document
/// says: the date, and its own name.
const INFORMATION_NOTED: [&[u8]; 2] = [b"ModDate", b"Producer"];

/// What XMP metadata must not hold: a reader of it could be made to fetch or unfold something.
const XML_DECLARATIONS: [&str; 2] = ["<!doctype", "<!entity"];

/// Keys of a document security store (ISO 32000-2, 12.8.4.3).
const SECURITY_STORE_KEYS: [&[u8]; 5] = [b"Type", b"VRI", b"Certs", b"OCSPs", b"CRLs"];

/// Changes named in a report; a rewritten file has as many as it has objects.
const CHANGES_NAMED_MAX: usize = 256;

/// Compares the signed state of a file with its present state.
///
/// `signed` is the document made of the covered revision and those before it, `background` what
/// [`Background::read`] gave for that revision or an older one. `forbids_more` says
/// that the signature certifies the document and allows no change (DocMDP, P 1).
///
/// # Errors
/// [`PdfError::LimitExceeded`] when a limit stops the comparison; other errors when one of the two
/// states has no readable catalog.
pub(crate) fn compare(
    signed: &Document<'_>,
    current: &Document<'_>,
    background: &Background,
    forbids_more: bool,
) -> Result<ChangesAfter, PdfError> {
    let deltas = objects::deltas(signed, current)?;
    let uses = background.uses_in(signed, &deltas)?;
    let mut comparison = Comparison {
        signed,
        current,
        deltas,
        uses,
        explained: BTreeSet::new(),
        widgets: BTreeSet::new(),
        later_signatures: BTreeSet::new(),
        allowed: BTreeSet::new(),
        unexplained: BTreeSet::new(),
    };
    comparison.trailer();
    comparison.catalog()?;
    comparison.existing_fields()?;
    comparison.pages()?;
    comparison.information()?;
    comparison.rest();
    if forbids_more && !comparison.later_signatures.is_empty() {
        comparison.unexplained.insert(Change {
            object: None,
            what: Changed::Permissions,
            key: Some("DocMDP".to_owned()),
        });
    }
    comparison.finish()
}

/// The comparison under way.
struct Comparison<'d, 'a> {
    signed: &'d Document<'a>,
    current: &'d Document<'a>,
    /// Every object number that means something else now.
    deltas: BTreeMap<u32, Delta<'d>>,
    /// Who referred to them in the signed state.
    uses: BTreeMap<u32, Uses>,
    /// Numbers whose difference has been accounted for, one way or the other.
    explained: BTreeSet<u32>,
    /// Widgets of newly signed fields.
    widgets: BTreeSet<u32>,
    /// Signature dictionaries that came later.
    later_signatures: BTreeSet<u32>,
    allowed: BTreeSet<Change>,
    unexplained: BTreeSet<Change>,
}

impl Comparison<'_, '_> {
    fn flag(&mut self, object: Option<u32>, what: Changed, key: Option<&[u8]>) {
        if let Some(number) = object {
            self.explained.insert(number);
        }
        let key = key.map(escape_bytes);
        self.unexplained.insert(Change { object, what, key });
    }

    fn allow(&mut self, object: Option<u32>, what: Changed, key: Option<&[u8]>) {
        let key = key.map(escape_bytes);
        self.allowed.insert(Change { object, what, key });
    }

    /// The value behind references in the signed state; null when it is missing.
    fn then(&self, value: Option<&Value>) -> Result<Option<Value>, PdfError> {
        objects::resolve(self.signed, value)
    }

    /// The value behind references now; null when it is missing.
    fn now(&self, value: Option<&Value>) -> Result<Option<Value>, PdfError> {
        objects::resolve(self.current, value)
    }

    fn equal(&self, left: &Value, right: &Value) -> bool {
        same_value(self.current.bytes(), left, right)
    }

    fn keys_that_differ(&self, left: &Dictionary, right: &Dictionary) -> Vec<Vec<u8>> {
        differing_keys(self.current.bytes(), left, right)
    }

    /// /Root and /ID stay; the rest of a trailer is bookkeeping of the cross reference.
    fn trailer(&mut self) {
        let (then, now) = (self.signed.trailer(), self.current.trailer());
        if then.get(b"Root").and_then(Value::as_reference)
            != now.get(b"Root").and_then(Value::as_reference)
        {
            self.flag(None, Changed::Trailer, Some(b"Root"));
        }
        let permanent_id = |trailer: &Dictionary| {
            let id = trailer.get(b"ID")?.as_array()?.first()?;
            id.as_string().map(<[u8]>::to_vec)
        };
        let id_then = permanent_id(then);
        // 14.4: the first part identifies the document for ever.
        if id_then.is_some() && id_then != permanent_id(now) {
            self.flag(None, Changed::Trailer, Some(b"ID"));
        }
    }

    fn catalog(&mut self) -> Result<(), PdfError> {
        let number = self.current.catalog_id().number;
        let then = self.signed.catalog().clone();
        let now = self.current.catalog().clone();
        let metadata_accepted = self.metadata(&now);
        for key in self.keys_that_differ(&then, &now) {
            let noted = CATALOG_NOTED
                .iter()
                .find(|(name, _)| *name == key.as_slice());
            match noted {
                _ if key == b"AcroForm" => {}
                _ if key == b"Metadata" && metadata_accepted => {}
                Some((_, what)) if now.get(&key).is_some() => {
                    self.allow(Some(number), *what, Some(&key))
                }
                // A later signature may become the certifying one only if none was before it.
                _ if key == b"Perms" && then.get(b"Perms").is_none() => {
                    self.allow(Some(number), Changed::Permissions, Some(&key));
                }
                Some(_) | None => self.flag(Some(number), Changed::Catalog, Some(&key)),
            }
        }
        self.explained.insert(number);
        self.form(&then, &now)?;
        self.security_store(&then, &now)?;
        for key in [b"Extensions".as_slice(), b"Perms"] {
            if let Some(value) = now.get(key) {
                self.explain_new_objects(value);
            }
        }
        Ok(())
    }

    /// Accepts new XMP metadata, which writers set when they sign; says so. What shows on a page
    /// does not depend on it, as long as nothing else uses the stream.
    fn metadata(&mut self, now: &Dictionary) -> bool {
        let value = now.get(b"Metadata").and_then(Value::as_reference);
        let Some((number, delta)) =
            value.and_then(|id| Some((id.number, self.deltas.get(&id.number)?)))
        else {
            return false;
        };
        let is_metadata = |object: &Object<'_>| {
            object.value.is_stream()
                && object
                    .dictionary()
                    .is_some_and(|stream| stream.has_name(b"Type", b"Metadata"))
        };
        let Some(object) = delta.now.as_ref().filter(|object| is_metadata(object)) else {
            return false;
        };
        let replaces_its_like = delta.then.as_ref().is_none_or(is_metadata);
        let used_elsewhere = self.uses.get(&number).is_some_and(|uses| uses.count > 1);
        let is_plain = self.current.stream_data(object).is_ok_and(|data| {
            let text = String::from_utf8(data).map(|text| text.to_ascii_lowercase());
            text.is_ok_and(|text| XML_DECLARATIONS.iter().all(|word| !text.contains(word)))
        });
        if !replaces_its_like || used_elsewhere || !is_plain {
            return false;
        }
        self.explained.insert(number);
        self.allow(Some(number), Changed::Metadata, None);
        true
    }

    /// Accepts what a document security store consists of, and says so.
    fn security_store(&mut self, then: &Dictionary, now: &Dictionary) -> Result<(), PdfError> {
        let Some(now_value) = now.get(b"DSS") else {
            return Ok(());
        };
        // Containers of the old store that may have grown: the store itself and what it names.
        let mut containers = BTreeSet::new();
        if let Some(then_value) = then.get(b"DSS") {
            containers.extend(then_value.as_reference());
            let store = self.then(Some(then_value))?;
            let store = store.as_ref().and_then(Value::as_dictionary);
            for entry in store.into_iter().flat_map(Dictionary::iter) {
                containers.extend(entry.value.as_reference());
            }
        }
        for id in containers {
            let is_container = self
                .deltas
                .get(&id.number)
                .and_then(|delta| delta.now.as_ref())
                .is_some_and(|object| !object.value.is_stream());
            // One that something else refers to as well, such as a page, is no mere container.
            if is_container
                && self
                    .uses
                    .get(&id.number)
                    .is_some_and(|uses| uses.count == 1)
            {
                self.allow(Some(id.number), Changed::SecurityStore, None);
                self.explained.insert(id.number);
            }
        }
        if let Some(store) = self.now(Some(now_value))?
            && let Some(store) = store.as_dictionary()
        {
            for entry in store.iter() {
                if !SECURITY_STORE_KEYS.contains(&entry.key.as_slice()) {
                    let number = now_value.as_reference().map(|id| id.number);
                    self.flag(number, Changed::SecurityStore, Some(&entry.key));
                }
                self.explain_new_objects(&entry.value);
            }
        }
        self.explain_new_objects(now_value);
        Ok(())
    }

    /// The information dictionary may get a new date of change.
    fn information(&mut self) -> Result<(), PdfError> {
        let then_value = self.signed.trailer().get(b"Info").cloned();
        let now_value = self.current.trailer().get(b"Info").cloned();
        let number = now_value
            .as_ref()
            .and_then(Value::as_reference)
            .map(|id| id.number);
        let then = self.then(then_value.as_ref())?;
        let now = self.now(now_value.as_ref())?;
        let empty = Dictionary::default();
        let dictionary = |value: &Option<Value>| {
            value
                .as_ref()
                .and_then(Value::as_dictionary)
                .cloned()
                .unwrap_or_else(|| empty.clone())
        };
        let differing = self.keys_that_differ(&dictionary(&then), &dictionary(&now));
        if let Some(number) = number
            && self.deltas.contains_key(&number)
        {
            self.explained.insert(number);
        }
        for key in differing {
            if INFORMATION_NOTED.contains(&key.as_slice()) {
                self.allow(number, Changed::Information, Some(&key));
            } else {
                self.flag(number, Changed::Information, Some(&key));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ChangesAfter, PdfError> {
        let mut later_fields = Vec::new();
        for field in self.current.signature_fields()? {
            if field
                .value
                .is_some_and(|id| self.later_signatures.contains(&id.number))
            {
                later_fields.push(crate::escape::escape(&field.name));
            }
        }
        let pages_before = self.signed.page_count().ok();
        let pages_after = self.current.page_count().ok();
        if pages_before != pages_after && self.unexplained.is_empty() {
            self.flag(None, Changed::PageTree, None);
        }
        let verdict = if !self.unexplained.is_empty() {
            ChangeVerdict::Changed
        } else if self
            .allowed
            .iter()
            .all(|change| change.what == Changed::Orphan)
            && !later_fields.is_empty()
        {
            ChangeVerdict::LaterSignatures
        } else {
            ChangeVerdict::LaterAdditions
        };
        Ok(ChangesAfter {
            verdict,
            later_fields,
            unexplained_count: self.unexplained.len(),
            allowed: self.allowed.into_iter().take(CHANGES_NAMED_MAX).collect(),
            unexplained: self
                .unexplained
                .into_iter()
                .take(CHANGES_NAMED_MAX)
                .collect(),
            pages_before,
            pages_after,
        })
    }
}
