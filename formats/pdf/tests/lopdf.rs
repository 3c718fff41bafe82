//! Against lopdf: what its writer writes, our reader reads back equal; and on whole files both
//! see the same objects. (The other way round, lopdf is no judge: it takes objects under the
//! number of their header, whatever the cross reference says.)
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;

use lopdf::{Dictionary, IncrementalDocument, Object, StringFormat, dictionary};
use proptest::prelude::*;
use yinxin_pdf::{Document, Kind, Limits, ObjectId, PdfError, Value, parse_value};

/// Any object lopdf can write and no standard forbids: no NaN, no zero byte in a name.
fn objects() -> impl Strategy<Value = Object> {
    let name = || prop::collection::vec(1_u8.., 0..8);
    let leaf = prop_oneof![
        Just(Object::Null),
        any::<bool>().prop_map(Object::Boolean),
        any::<i64>().prop_map(Object::Integer),
        prop::num::f32::NORMAL.prop_map(Object::Real),
        (-1000.0_f32..1000.0).prop_map(Object::Real),
        name().prop_map(Object::Name),
        (prop::collection::vec(any::<u8>(), 0..20), any::<bool>()).prop_map(|(bytes, literal)| {
            let format = if literal {
                StringFormat::Literal
            } else {
                StringFormat::Hexadecimal
            };
            Object::String(bytes, format)
        }),
        (any::<u32>(), any::<u16>()).prop_map(Object::Reference),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Object::Array),
            prop::collection::vec((name(), inner), 0..8)
                .prop_map(|entries| Object::Dictionary(entries.into_iter().collect())),
        ]
    })
}

/// Whether both say the same. lopdf writes whole reals without a point, so that they come back as
/// integers, and keeps reals in 32 bits.
fn same(theirs: &Object, ours: &Value) -> bool {
    match (theirs, &ours.kind) {
        (Object::Null, Kind::Null) => true,
        (Object::Boolean(theirs), Kind::Boolean(ours)) => theirs == ours,
        (Object::Integer(theirs), Kind::Integer(ours)) => theirs == ours,
        (Object::Real(theirs), _) => ours
            .as_number()
            .is_some_and(|ours| (ours as f32) == *theirs),
        (Object::Name(theirs), Kind::Name(ours)) => theirs == ours,
        (Object::String(theirs, format), Kind::String { bytes, hexadecimal }) => {
            theirs == bytes && (*format == StringFormat::Hexadecimal) == *hexadecimal
        }
        (Object::Reference(theirs), Kind::Reference(ours)) => {
            *theirs == (ours.number, ours.generation)
        }
        (Object::Array(theirs), Kind::Array(ours)) => {
            theirs.len() == ours.len()
                && theirs
                    .iter()
                    .zip(ours)
                    .all(|(theirs, ours)| same(theirs, ours))
        }
        (Object::Dictionary(theirs), Kind::Dictionary(ours)) => same_entries(theirs, ours),
        (Object::Stream(theirs), Kind::Stream { dictionary, .. }) => {
            same_entries(&theirs.dict, dictionary)
        }
        _ => false,
    }
}

fn same_entries(theirs: &Dictionary, ours: &yinxin_pdf::Dictionary) -> bool {
    theirs.len() == ours.entries.len()
        && ours.iter().all(|entry| {
            theirs
                .get(&entry.key)
                .is_ok_and(|value| same(value, &entry.value))
        })
}

proptest! {
    // A failure is to become a test with a name, not a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_lopdf_writes_is_read_back_equal(object in objects()) {
        let mut bytes = Vec::new();
        lopdf::Writer::write_object(&mut bytes, &object).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let value = parse_value(&bytes, 0, &Limits::default());
        let value = value.unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert!(same(&object, &value), "{text}: {value:?}");
        prop_assert_eq!(value.span, 0..bytes.len());
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_value(&bytes, 0, &Limits::default());
    }

    /// Bytes that look like PDF reach further into the parser.
    #[test]
    fn any_tokens_are_a_value_or_an_error(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "<<", ">>", "<", ">", "(", ")", "/A", "/", "/#41", "1", "-1.5", "0", "R",
                "true", "null", "obj", "endobj", "stream\n", "endstream", " ", "\n", "%c\n", "\\",
            ]),
            0..60,
        )
    ) {
        let text = tokens.concat();
        if let Ok(value) = parse_value(text.as_bytes(), 0, &Limits::default()) {
            prop_assert!(value.span.end <= text.len());
        }
    }

    #[test]
    fn both_see_the_same_objects(
        values in prop::collection::vec(objects(), 1..12),
        updates in prop::collection::vec(prop::collection::vec((0_usize..16, objects()), 1..4), 0..3),
        is_modern in any::<bool>(),
    ) {
        let mut document = base();
        let old = values.len();
        for value in values {
            document.add_object(value);
        }
        let mut bytes = Vec::new();
        if is_modern {
            document.save_modern(&mut bytes).unwrap();
        } else {
            document.save_to(&mut bytes).unwrap();
        }
        compare(&bytes)?;
        for (count, update) in updates.into_iter().enumerate() {
            let before = lopdf::Document::load_mem(&bytes).unwrap();
            let mut next = IncrementalDocument::create_from(bytes.clone(), before);
            for (place, value) in update {
                // Some numbers exist, some are new; none is that of an object stream.
                let number = if place < 8 { 4 + place % old } else { 100 + place } as u32;
                next.new_document.objects.insert((number, 0), value);
                next.new_document.max_id = next.new_document.max_id.max(number);
            }
            let mut updated = Vec::new();
            next.save_to(&mut updated).unwrap();
            prop_assert_eq!(&updated[..bytes.len()], &bytes[..]);
            bytes = updated;
            let revisions = Document::open(&bytes, Limits::default()).unwrap().revisions().len();
            prop_assert_eq!(revisions, count + 2);
            compare(&bytes)?;
        }
    }
}

/// A document of one page: catalog 1, tree 2, page 3.
fn base() -> lopdf::Document {
    let mut document = lopdf::Document::with_version("1.7");
    document.objects.insert(
        (1, 0),
        dictionary! { "Type" => "Catalog", "Pages" => (2, 0) }.into(),
    );
    let tree = dictionary! {
        "Type" => "Pages", "Count" => 1,
        "Kids" => vec![Object::Reference((3, 0))],
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    };
    document.objects.insert((2, 0), tree.into());
    let page = dictionary! { "Type" => "Page", "Parent" => (2, 0) };
    document.objects.insert((3, 0), page.into());
    document.max_id = 3;
    document.trailer.set("Root", Object::Reference((1, 0)));
    document
}

/// Every object lopdf sees, our reader sees equal, and no other.
fn compare(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = lopdf::Document::load_mem(bytes).unwrap();
    let ours = Document::open(bytes, Limits::default());
    let ours = ours.map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(ours.page(0).is_ok() && ours.page_count() == Ok(1));
    let mut numbers = BTreeMap::new();
    for revision in ours.revisions() {
        numbers.extend(revision.entries().map(|(number, _)| (number, ())));
    }
    for number in numbers.into_keys() {
        let object = match ours.object(ObjectId::new(number, 0)) {
            Err(PdfError::ObjectMissing { .. }) => continue,
            other => other.map_err(|error| TestCaseError::fail(error.to_string()))?,
        };
        // lopdf takes apart what only carries other objects.
        let is_carrier = object.value.is_stream()
            && object.dictionary().is_some_and(|dictionary| {
                dictionary.has_name(b"Type", b"ObjStm") || dictionary.has_name(b"Type", b"XRef")
            });
        if is_carrier {
            continue;
        }
        let their = theirs.objects.get(&(number, 0));
        prop_assert!(
            their.is_some_and(|their| same(their, &object.value)),
            "{number}: {their:?}"
        );
    }
    for (number, generation) in theirs.objects.keys().copied() {
        let found = ours.entry_at(number, ours.revisions().len() - 1);
        prop_assert!(
            found.is_some() && generation == 0,
            "only lopdf sees object {number}"
        );
    }
    Ok(())
}
