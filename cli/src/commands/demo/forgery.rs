//! What a forger would try first.

use lopdf::{Dictionary, Document, IncrementalDocument, Object, Stream};
use serde_json::Value;

use crate::failure::{Failure, doing};
use yinxin_proto::Bytes;

/// The form with the last character of the spouse's number changed.
pub(super) fn with_wrong_check_digit(fields: &str) -> Result<String, Failure> {
    let mut form: Value =
        serde_json::from_str(fields).map_err(doing("演示表单", "the demonstration's form"))?;
    let number = form
        .get_mut("spouse_citizen_number")
        .ok_or_else(|| Failure::new("演示表单不完整", "the demonstration's form is incomplete"))?;
    let mut digits = number.as_str().unwrap_or_default().to_owned();
    let wrong = if digits.pop() == Some('1') { '2' } else { '1' };
    digits.push(wrong);
    *number = Value::from(digits);
    Ok(form.to_string())
}

/// One bit of the page's content changed, in the middle of the first stream.
pub(super) fn flip_a_byte(pdf: &[u8]) -> Result<Bytes, Failure> {
    let start = find(pdf, b"stream\n").or_else(|| find(pdf, b"stream\r\n"));
    let place = start
        .map(|start| start + 32)
        .filter(|place| *place < pdf.len())
        .ok_or_else(|| Failure::new("没有可改的内容", "nothing to change"))?;
    let mut forged = pdf.to_vec();
    if let Some(byte) = forged.get_mut(place) {
        *byte ^= 1;
    }
    Ok(forged.into())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// The same file with a new revision that paints a bar over the first page.
pub(super) fn append_a_revision(pdf: &[u8]) -> Result<Bytes, Failure> {
    let failed = |error: lopdf::Error| {
        Failure::new(
            format!("无法追加：{error}"),
            format!("cannot append: {error}"),
        )
    };
    let document = Document::load_mem(pdf).map_err(failed)?;
    let page_id = document
        .get_pages()
        .get(&1)
        .copied()
        .ok_or_else(|| Failure::new("没有第一页", "there is no first page"))?;
    let mut update = IncrementalDocument::create_from(pdf.to_vec(), document);
    update
        .opt_clone_object_to_new_document(page_id)
        .map_err(failed)?;
    let paint = b"\nq 0 0 0 rg 100 600 300 20 re f Q\n".to_vec();
    let bar = update
        .new_document
        .add_object(Stream::new(Dictionary::new(), paint));
    let page = update
        .new_document
        .get_object_mut(page_id)
        .and_then(Object::as_dict_mut)
        .map_err(failed)?;
    let before = page.get(b"Contents").map_err(failed)?.clone();
    let mut contents = match before.as_array() {
        Ok(list) => list.clone(),
        Err(_) => vec![before],
    };
    contents.push(Object::Reference(bar));
    page.set("Contents", Object::Array(contents));
    let mut forged = Vec::new();
    update
        .save_to(&mut forged)
        .map_err(doing("无法追加", "cannot append"))?;
    Ok(forged.into())
}
