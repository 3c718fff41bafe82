//! Seals in tagged documents.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod sealing;
mod support;

use sealing::{dictionary_of, qpdf_accepts, request, sealed, try_prepare, visible, with_table};
use support::open;
use yinxin_pdf::{Note, SignatureRequest};

#[test]
fn the_first_seal_of_a_tagged_document_is_tagged_and_later_ones_leave_the_tree_alone() {
    let element = "<</Type/StructElem/S/Document/P 3 0 R/K 5 0 R>>";
    let paragraph = "<</Type/StructElem/S/P/P 4 0 R/Pg 10 0 R/K 0>>";
    let flat = (
        "a flat tree",
        "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R/ParentTreeNextKey 1>>",
        "<</Nums[0 7 0 R]>>",
        1,
    );
    let direct = (
        "a direct tree",
        "<</Type/StructTreeRoot/K 4 0 R/ParentTree<</Nums[5 7 0 R]>>>>",
        "null",
        6,
    );
    let deep = (
        "a deep tree",
        "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R>>",
        "<</Kids[8 0 R]>>",
        4,
    );
    let empty = (
        "an empty tree",
        "<</Type/StructTreeRoot/K[4 0 R]/ParentTree 6 0 R>>",
        "<<>>",
        0,
    );
    for (name, root, tree, key) in [flat, direct, deep, empty] {
        let objects = [
            (3, root),
            (4, element),
            (5, paragraph),
            (6, tree),
            (7, "[5 0 R]"),
            (8, "<</Limits[0 3]/Nums 9 0 R>>"),
            (9, "[0 7 0 R 3 7 0 R]"),
        ];
        let original = with_table(
            "/MarkInfo<</Marked true>>/StructTreeRoot 3 0 R",
            "",
            &objects,
        );
        let bytes = sealed(&original, &request(), &[1; 10]);
        let document = open(&bytes).unwrap();
        let widget = document.signature_fields().unwrap()[0].widget_id.unwrap();
        let widget_entries = document.object(widget).unwrap();
        let parent_key = widget_entries
            .dictionary()
            .unwrap()
            .get(b"StructParent")
            .unwrap();
        assert_eq!(parent_key.as_integer(), Some(key), "{name}");
        let parent = document.object(support::id(4)).unwrap();
        let kids = parent
            .dictionary()
            .unwrap()
            .get(b"K")
            .unwrap()
            .as_array()
            .unwrap();
        assert_eq!(kids[0].as_reference(), Some(support::id(5)), "{name}");
        let form = dictionary_of(&document, &kids[1]);
        let form = form.dictionary().unwrap();
        assert!(form.has_name(b"S", b"Form"), "{name}");
        let marked = form.get(b"K").unwrap().as_dictionary().unwrap();
        assert_eq!(
            marked.get(b"Obj").unwrap().as_reference(),
            Some(widget),
            "{name}"
        );
        let root = document.object(support::id(3)).unwrap();
        let next = root
            .dictionary()
            .unwrap()
            .get(b"ParentTreeNextKey")
            .unwrap()
            .as_integer();
        assert_eq!(next, Some(key + 1), "{name}");
        let tail = String::from_utf8_lossy(&bytes[original.len()..]).into_owned();
        assert!(tail.contains("/Tabs /S"), "{name}");
        assert_eq!(
            tail.contains(&format!("/Limits [0 {key}]")),
            name == "a deep tree",
            "{tail}"
        );
        qpdf_accepts(name, &bytes);

        let again = SignatureRequest {
            placement: visible(0, 20.0, 20.0),
            ..request()
        };
        let prepared = try_prepare(&bytes, &again).unwrap();
        assert_eq!(prepared.notes(), [Note::NotTagged], "{name}");
        assert!(
            !String::from_utf8_lossy(prepared.tail()).contains("StructParent"),
            "{name}"
        );
    }
    let odd = with_table(
        "/StructTreeRoot 3 0 R",
        "",
        &[(3, "<</Type/StructTreeRoot>>")],
    );
    assert_eq!(
        try_prepare(&odd, &request()).unwrap().notes(),
        [Note::NotTagged]
    );
}
