//! What earlier signatures and the field itself permit (ISO 32000-2, 12.8.2 and 12.7.5.5).

use super::Update;
use super::error::UpdateError;
use super::lookup::{Found, elements, entry};
use super::patch::{Patch, Slot, reference};
use super::request::{Certification, FieldTarget, SignatureRequest};
use crate::document::Document;
use crate::error::PdfError;
use crate::object::{Object, ObjectId, Value};
use crate::text::text_string;

/// A signed field: its name and its signature dictionary.
pub(super) struct Signed {
    pub(super) field: String,
    pub(super) value: ObjectId,
}

/// Refuses what an earlier signature forbids.
pub(super) fn check_earlier(
    document: &Document<'_>,
    signed: &[Signed],
    target: &FieldTarget,
) -> Result<(), PdfError> {
    let mut values: Vec<(String, ObjectId)> = signed
        .iter()
        .map(|signed| (signed.field.clone(), signed.value))
        .collect();
    // The catalog may name a certification whose field was taken away.
    if let Some(permissions) = document.lookup(document.catalog(), b"Perms")? {
        let certification = permissions
            .as_dictionary()
            .and_then(|permissions| permissions.get(b"DocMDP"))
            .and_then(Value::as_reference);
        if let Some(id) = certification.filter(|id| values.iter().all(|(_, known)| known != id)) {
            values.push(("/Perms".to_owned(), id));
        }
    }
    for (by, id) in values {
        let Some(signature) = document.follow(id, document.newest_index())? else {
            continue;
        };
        for (method, parameters) in transforms(document, &signature.value)? {
            match method.as_slice() {
                b"DocMDP" => check_certification(document, parameters.as_ref(), &by, target)?,
                b"FieldMDP" => check_lock(document, parameters.as_ref(), &by, target)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Refuses what only the first signature of a document may do (12.8.2.2.1): to certify, and to
/// make fields for others.
pub(super) fn check_first(
    signed: &[Signed],
    request: &SignatureRequest,
) -> Result<(), UpdateError> {
    let options = &request.options;
    let asks = options.certification.is_some() || options.family.is_some();
    if asks && let Some(first) = signed.first() {
        let by = first.field.clone();
        return Err(UpdateError::NotTheFirst { by });
    }
    if asks && matches!(request.field, FieldTarget::Existing { .. }) {
        return Err(UpdateError::RequestInvalid {
            field: "field",
            problem: "is an existing one, and a certification or fields for others need a new one",
        });
    }
    let has_others = options
        .family
        .as_ref()
        .is_some_and(|family| !family.empty.is_empty());
    if has_others && options.certification == Some(Certification::NoChanges) {
        return Err(UpdateError::RequestInvalid {
            field: "certification",
            problem: "permits no change, and there are fields for later signers",
        });
    }
    Ok(())
}

/// The written `/Reference` of a certifying signature (12.8.2.2).
pub(super) fn certification_reference(certification: Certification) -> Vec<u8> {
    format!(
        "[<</Type/SigRef/TransformMethod/DocMDP\
         /TransformParams<</Type/TransformParams/V/1.2/P {}>>>>]",
        certification.permission()
    )
    .into_bytes()
}

/// Names the certifying signature in the catalog's `/Perms` (12.8.6).
pub(super) fn note_certification(
    update: &mut Update<'_, '_>,
    signature: ObjectId,
) -> Result<(), PdfError> {
    let document = update.document;
    let catalog = Slot::object(document.catalog_id());
    let slot = match Found::follow(document, document.catalog().get(b"Perms"))? {
        Found::There(object) => Slot::object(object.id),
        Found::Nothing | Found::Here(_) => catalog.inside("Perms"),
    };
    let value = Patch::Replace(reference(signature));
    update.changes.entry(&slot, "DocMDP", value);
    Ok(())
}

/// A transform method and its parameters.
type Transform = (Vec<u8>, Option<Value>);

/// The transform methods of a signature's `/Reference` with their parameters.
fn transforms(document: &Document<'_>, signature: &Value) -> Result<Vec<Transform>, PdfError> {
    let mut transforms = Vec::new();
    for item in elements(document, signature, b"Reference")? {
        let method = entry(document, &item, b"TransformMethod")?;
        if let Some(method) = method.as_ref().and_then(Value::as_name) {
            let parameters = entry(document, &item, b"TransformParams")?;
            transforms.push((method.to_vec(), parameters));
        }
    }
    Ok(transforms)
}

/// 12.8.2.2: P 1 permits no change; 2 and 3 permit signing, which validators take to mean the
/// fields that exist.
fn check_certification(
    document: &Document<'_>,
    parameters: Option<&Value>,
    by: &str,
    target: &FieldTarget,
) -> Result<(), PdfError> {
    let permission = match parameters {
        Some(parameters) => entry(document, parameters, b"P")?.and_then(|p| p.as_integer()),
        None => None,
    };
    let by = by.to_owned();
    match (permission.unwrap_or(2), target) {
        (2 | 3, FieldTarget::Existing { .. }) => Ok(()),
        (2 | 3, FieldTarget::New { .. }) => Err(UpdateError::CertifiedFieldsOnly { by }.into()),
        _ => Err(UpdateError::CertifiedFinal { by }.into()),
    }
}

/// 12.8.2.4: signing a locked field would change it.
fn check_lock(
    document: &Document<'_>,
    parameters: Option<&Value>,
    by: &str,
    target: &FieldTarget,
) -> Result<(), PdfError> {
    let (FieldTarget::Existing { name }, Some(parameters)) = (target, parameters) else {
        return Ok(());
    };
    let listed = elements(document, parameters, b"Fields")?
        .iter()
        .filter_map(Value::as_string)
        .any(|listed| covers(&text_string(listed), name));
    let action = entry(document, parameters, b"Action")?;
    let locked = match action.as_ref().and_then(Value::as_name) {
        Some(b"Include") => listed,
        Some(b"Exclude") => !listed,
        // /All; and what is not understood is taken for the strictest.
        _ => true,
    };
    if locked {
        return Err(UpdateError::FieldLocked {
            name: name.clone(),
            by: by.to_owned(),
        }
        .into());
    }
    Ok(())
}

/// A listed name stands for the field and all below it, `a` for `a.b` but not for `ab`.
fn covers(listed: &str, name: &str) -> bool {
    name.strip_prefix(listed)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Refuses a request that the field's seed values do not accept (12.7.5.5, table 237).
pub(super) fn check_seed_value(
    document: &Document<'_>,
    field: &Value,
    name: &str,
    request: &SignatureRequest,
) -> Result<(), PdfError> {
    let Some(seed) = entry(document, field, b"SV")? else {
        return Ok(());
    };
    let flags = entry(document, &seed, b"Ff")?
        .and_then(|flags| flags.as_integer())
        .unwrap_or(0);
    let demands = |bit: u32| flags & (1 << (bit - 1)) != 0;
    let refuse = |entry: &'static str| {
        Err(UpdateError::SeedValue {
            name: name.to_owned(),
            entry,
        }
        .into())
    };
    if demands(1) {
        let filter = entry(document, &seed, b"Filter")?;
        if filter.as_ref().and_then(Value::as_name) != Some(request.filter.as_bytes()) {
            return refuse("Filter");
        }
    }
    if demands(2) {
        let accepted = elements(document, &seed, b"SubFilter")?;
        let asked = Some(request.sub_filter.as_bytes());
        if !accepted.iter().any(|known| known.as_name() == asked) {
            return refuse("SubFilter");
        }
    }
    if demands(4) {
        let accepted = elements(document, &seed, b"Reasons")?;
        let known = |reason: &Value| reason.as_string().map(text_string);
        if !accepted.is_empty()
            && !accepted
                .iter()
                .any(|reason| known(reason) == request.reason)
        {
            return refuse("Reasons");
        }
    }
    // What the container would have to fulfil cannot be judged from the request.
    for (bit, entry) in [
        (5, "LegalAttestation"),
        (6, "AddRevInfo"),
        (7, "DigestMethod"),
        (8, "LockDocument"),
    ] {
        if demands(bit) {
            return refuse(entry);
        }
    }
    Ok(())
}

/// The written `/Reference` that carries out the field's `/Lock` (12.7.5.5, 12.8.2.4).
pub(super) fn lock_reference(
    document: &Document<'_>,
    field: &Object<'_>,
    catalog: ObjectId,
) -> Result<Option<Vec<u8>>, PdfError> {
    let lock = field
        .dictionary()
        .and_then(|dictionary| dictionary.get(b"Lock"));
    let found = Found::follow(document, lock)?;
    let raw = match &found {
        Found::Nothing => return Ok(None),
        Found::Here(_) => field.raw(),
        Found::There(object) => object.raw(),
    };
    let Some(lock) = found.value().and_then(Value::as_dictionary) else {
        return Ok(None);
    };
    let mut out = b"[<</Type/SigRef/TransformMethod/FieldMDP/Data ".to_vec();
    out.extend_from_slice(&reference(catalog));
    out.extend_from_slice(b"/TransformParams<</Type/TransformParams/V/1.2");
    for key in [&b"Action"[..], b"Fields"] {
        if let Some(value) = lock.get(key) {
            out.push(b'/');
            out.extend_from_slice(key);
            out.push(b' ');
            out.extend_from_slice(raw.get(value.span.clone()).unwrap_or_default());
        }
    }
    out.extend_from_slice(b">>>>");
    if let Some(permission) = lock.get(b"P").and_then(Value::as_integer) {
        out.extend_from_slice(
            format!(
                "<</Type/SigRef/TransformMethod/DocMDP\
                 /TransformParams<</Type/TransformParams/V/1.2/P {permission}>>>>"
            )
            .as_bytes(),
        );
    }
    out.push(b']');
    Ok(Some(out))
}
