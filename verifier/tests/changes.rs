//! What may follow a signature, and what may not.
//!
//! Each change is made twice: as a plain incremental update after a seal, and hidden in the
//! revision of a later seal by another signer.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{
    PROFILES, Places, Profile, append, check, code, expect, places, plain_pdf, request, revise,
    seal, seal_in, written,
};
use yinxin_pdf::{Document, FieldTarget, Limits, Placement, SignatureRequest, Value};
use yinxin_verifier::{
    ChangeVerdict, Changed, ChangesAfter, Indication, Language, SignatureReport, StepId,
    SubIndication,
};

/// As [`plain_pdf`], with an annotation, a text field, an empty signature field, metadata, a list of
/// annotations and one of fields in objects of their own.
fn rich_pdf() -> Vec<u8> {
    let mut pdf = plain_pdf();
    let prev = Document::open(&pdf, Limits::default())
        .unwrap()
        .newest()
        .xref_offset;
    let page = written(&pdf, 3).replace("/Parent", "/Annots 20 0 R/Parent");
    let objects = [
        (1, "<</Type/Catalog/Pages 2 0 R/Metadata 27 0 R/AcroForm<</Fields 21 0 R/DA(/F1 0 Tf)>>>>".to_owned()),
        (3, page),
        (20, "[22 0 R 23 0 R 24 0 R]".to_owned()),
        (21, "[23 0 R 24 0 R]".to_owned()),
        (22, "<</Type/Annot/Subtype/Square/Rect[10 10 90 90]/AP<</N 25 0 R>>>>".to_owned()),
        (23, "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Li)/Rect[100 10 190 90]/AP<</N 26 0 R>>/P 3 0 R>>".to_owned()),
        (24, "<</Type/Annot/Subtype/Widget/FT/Sig/T(office)/Rect[200 10 290 90]/P 3 0 R/F 4>>".to_owned()),
        (25, form("0 0 1 rg 0 0 80 80 re f")),
        (26, form("BT /F1 9 Tf (Li) Tj ET")),
        (27, "<</Type/Metadata/Subtype/XML/Length 4>>\nstream\n<x/>\nendstream".to_owned()),
    ];
    append(
        &mut pdf,
        &objects,
        "/Info 8 0 R/ID[<0102><0102>]",
        Some(prev),
    );
    pdf
}

fn form(content: &str) -> String {
    stream("/Type/XObject/Subtype/Form/BBox[0 0 90 80]", content)
}

fn stream(entries: &str, content: &str) -> String {
    format!(
        "<<{entries}/Length {}>>\nstream\n{content}\nendstream",
        content.len()
    )
}

fn first(pdf: &[u8]) -> (Indication, SignatureReport) {
    let report = check(pdf);
    (report.indication, report.signatures[0].clone())
}

fn changes(report: &SignatureReport) -> &ChangesAfter {
    report.changes_after.as_ref().unwrap()
}

/// The first signature must see an unexplained change of this kind, however it was brought in.
fn is_caught(what: &str, changed: &[u8], expected: Changed) {
    for (how, pdf) in [
        ("update", changed.to_vec()),
        (
            "inside a later seal",
            seal_in(changed, Profile::GmSeal, &invisible()),
        ),
    ] {
        let what = format!("{what}, {how}");
        let (indication, signature) = first(&pdf);
        assert_eq!(indication, Indication::TotalFailed, "{what}");
        expect(
            &what,
            &signature,
            Indication::TotalFailed,
            Some(SubIndication::FormatFailure),
        );
        let changes = changes(&signature);
        assert_eq!(changes.verdict, ChangeVerdict::Changed, "{what}");
        assert!(
            changes
                .unexplained
                .iter()
                .any(|change| change.what == expected),
            "{what}: {:?}",
            changes.unexplained
        );
        assert_eq!(
            code(&signature, StepId::ChangesAfter),
            "CHANGED_AFTER_SIGNING",
            "{what}"
        );
    }
}

/// A seal that fits on any page.
fn invisible() -> SignatureRequest {
    SignatureRequest {
        placement: Placement::Invisible { page_index: 0 },
        ..request()
    }
}

/// The first signature must stay valid.
fn is_accepted(what: &str, pdf: &[u8], verdict: ChangeVerdict) -> ChangesAfter {
    let (_, signature) = first(pdf);
    assert_eq!(
        changes(&signature).verdict,
        verdict,
        "{what}: {:?}",
        changes(&signature)
    );
    expect(what, &signature, Indication::TotalPassed, None);
    changes(&signature).clone()
}

/// Replaces text in an object as written.
fn edit(pdf: &[u8], number: u32, from: &str, to: &str) -> Vec<u8> {
    let before = written(pdf, number);
    let after = before.replacen(from, to, 1);
    assert_ne!(before, after, "object {number} has no {from}");
    revise(pdf, &[(number, &after)])
}

/// Adds entries at the end of a dictionary.
fn add(pdf: &[u8], number: u32, entries: &str) -> Vec<u8> {
    let before = written(pdf, number);
    let open = before.strip_suffix(">>").unwrap();
    revise(pdf, &[(number, &format!("{open}{entries}>>"))])
}

#[test]
fn changed_pages_are_caught() {
    let pdf = seal(&rich_pdf(), Profile::Rsa);
    let cases = [
        (
            "other content",
            revise(&pdf, &[(5, &stream("", "BT (We certify nothing.) Tj ET"))]),
            Changed::PageContent,
        ),
        (
            "content elsewhere",
            edit(&pdf, 3, "/Contents 5 0 R", "/Contents 6 0 R"),
            Changed::Page,
        ),
        (
            "more content",
            revise(
                &pdf,
                &[
                    (
                        3,
                        &written(&pdf, 3).replace("/Contents 5 0 R", "/Contents[5 0 R 90 0 R]"),
                    ),
                    (90, &stream("", "0 0 595 842 re f")),
                ],
            ),
            Changed::Page,
        ),
        (
            "another font",
            revise(&pdf, &[(7, "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>")]),
            Changed::PageContent,
        ),
        (
            "other resources",
            edit(&pdf, 3, "/F1 7 0 R", "/F1 8 0 R"),
            Changed::Page,
        ),
        (
            "a media box",
            add(&pdf, 3, "/MediaBox[0 0 100 100]"),
            Changed::Page,
        ),
        (
            "a crop box",
            add(&pdf, 3, "/CropBox[0 0 100 100]"),
            Changed::Page,
        ),
        ("a rotation", add(&pdf, 3, "/Rotate 180"), Changed::Page),
        ("a user unit", add(&pdf, 3, "/UserUnit 2"), Changed::Page),
        (
            "an inherited media box",
            edit(&pdf, 2, "595 842", "595 421"),
            Changed::PageTree,
        ),
        (
            "page actions",
            add(&pdf, 3, "/AA<</O<</S/JavaScript/JS(app.alert(1))>>>>"),
            Changed::Page,
        ),
    ];
    for (what, changed, expected) in cases {
        is_caught(what, &changed, expected);
    }
}

#[test]
fn added_removed_and_reordered_pages_are_caught() {
    let pdf = seal(&rich_pdf(), Profile::Rsa);
    let tree = written(&pdf, 2);
    let with = |kids: &str, count: usize| {
        tree.replace("[3 0 R 4 0 R]", kids)
            .replace("/Count 2", &format!("/Count {count}"))
    };
    let extra = "<</Type/Page/Parent 2 0 R>>";
    let cases = [
        (
            "added",
            revise(&pdf, &[(2, &with("[3 0 R 4 0 R 90 0 R]", 3)), (90, extra)]),
            3,
        ),
        ("removed", revise(&pdf, &[(2, &with("[3 0 R]", 1))]), 1),
        (
            "reordered",
            revise(&pdf, &[(2, &with("[4 0 R 3 0 R]", 2))]),
            2,
        ),
    ];
    for (what, changed, pages) in cases {
        is_caught(what, &changed, Changed::PageTree);
        let (_, signature) = first(&changed);
        assert_eq!(changes(&signature).pages_before, Some(2), "{what}");
        assert_eq!(changes(&signature).pages_after, Some(pages), "{what}");
    }
}

#[test]
fn changed_annotations_are_caught() {
    let pdf = seal(&rich_pdf(), Profile::Rsa);
    let list = written(&pdf, 20);
    for subtype in [
        "FreeText",
        "Stamp",
        "Redact",
        "Text",
        "Link",
        "Popup",
        "Widget",
        "FileAttachment",
    ] {
        let annotation = format!("<</Type/Annot/Subtype/{subtype}/Rect[0 0 595 842]/P 3 0 R>>");
        let longer = list.replace(']', " 90 0 R]");
        let changed = revise(&pdf, &[(20, &longer), (90, &annotation)]);
        is_caught(subtype, &changed, Changed::PageAnnotations);
    }
    let cases = [
        (
            "moved",
            edit(&pdf, 22, "[10 10", "[30 30"),
            Changed::Annotation,
        ),
        (
            "another appearance",
            edit(&pdf, 22, "25 0 R", "26 0 R"),
            Changed::Annotation,
        ),
        (
            "its appearance redrawn",
            revise(&pdf, &[(25, &form("1 1 1 rg"))]),
            Changed::Annotation,
        ),
        (
            "appearance emptied",
            revise(&pdf, &[(25, &form(""))]),
            Changed::Annotation,
        ),
        ("hidden", add(&pdf, 22, "/F 2"), Changed::Annotation),
        ("freed", revise(&pdf, &[(22, "free")]), Changed::Deleted),
        ("made null", revise(&pdf, &[(22, "null")]), Changed::Deleted),
        (
            "taken off the page",
            edit(&pdf, 20, "22 0 R ", ""),
            Changed::PageAnnotations,
        ),
        (
            "list reordered",
            edit(&pdf, 20, "22 0 R 23 0 R", "23 0 R 22 0 R"),
            Changed::PageAnnotations,
        ),
        (
            "list gone",
            edit(&pdf, 3, "/Annots 20 0 R", ""),
            Changed::PageAnnotations,
        ),
    ];
    for (what, changed, expected) in cases {
        is_caught(what, &changed, expected);
    }
}

#[test]
fn changed_forms_and_fields_are_caught() {
    let pdf = seal(&rich_pdf(), Profile::Rsa);
    let Places {
        dictionary, field, ..
    } = places(&pdf);
    let sig = format!("/V {dictionary} 0 R");
    let stray = "<</Type/Annot/Subtype/Widget/FT/Tx/T(new)/Rect[0 0 9 9]/P 3 0 R>>";
    let empty = "<</Type/Annot/Subtype/Widget/FT/Sig/T(new)/Rect[0 0 595 842]/P 3 0 R>>";
    let longer = written(&pdf, 21).replace(']', " 90 0 R]");
    let cases = [
        (
            "another value",
            edit(&pdf, 23, "(Li)", "(Wang)"),
            Changed::FormField,
        ),
        (
            "another look of a value",
            revise(&pdf, &[(26, &form("BT (Wang) Tj ET"))]),
            Changed::Annotation,
        ),
        (
            "a new text field",
            revise(&pdf, &[(21, &longer), (90, stray)]),
            Changed::FormField,
        ),
        (
            "a new empty signature field",
            revise(&pdf, &[(21, &longer), (90, empty)]),
            Changed::FormField,
        ),
        (
            "a field dropped",
            edit(&pdf, 21, "23 0 R ", ""),
            Changed::Form,
        ),
        (
            "calculated afresh",
            edit(&pdf, 1, "/DA(", "/NeedAppearances true/DA("),
            Changed::Form,
        ),
        (
            "an XFA form",
            edit(&pdf, 1, "/DA(", "/XFA(x)/DA("),
            Changed::Form,
        ),
        (
            "the signed widget moved",
            {
                let rectangle = written(&pdf, field);
                let at = rectangle.find("/Rect").unwrap();
                let end = at + rectangle[at..].find(']').unwrap() + 1;
                edit(&pdf, field, &rectangle[at..end], "/Rect[0 0 10 10]")
            },
            Changed::ExistingSignature,
        ),
        (
            "the signed field hidden",
            edit(&pdf, field, "/F 132", "/F 134"),
            Changed::ExistingSignature,
        ),
        (
            "the unsigned field moved",
            edit(&pdf, 24, "[200 10", "[0 0"),
            Changed::FormField,
        ),
    ];
    for (what, changed, expected) in cases {
        // Some of these a later seal by our own writer refuses, so only the update is tried.
        let (indication, signature) = first(&changed);
        assert_eq!(indication, Indication::TotalFailed, "{what}");
        let unexplained = &changes(&signature).unexplained;
        assert!(
            unexplained.iter().any(|change| change.what == expected),
            "{what}: {unexplained:?}"
        );
    }
    // An old signature dictionary under a new field.
    let second =
        format!("<</Type/Annot/Subtype/Widget/FT/Sig/T(again)/Rect[0 0 90 90]/P 3 0 R{sig}>>");
    let reused = revise(&pdf, &[(21, &longer), (90, &second)]);
    is_caught(
        "an old signature in a new field",
        &reused,
        Changed::FormField,
    );
    // The value taken away leaves no signature to report: nothing passes either.
    for unsigned in [
        edit(&pdf, field, &sig, ""),
        edit(&pdf, 1, "/AcroForm", "/acroform"),
    ] {
        let report = check(&unsigned);
        assert_eq!(report.sub_indication, Some(SubIndication::NoSignature));
        let removed = report.removed_signatures.as_ref().unwrap();
        assert_eq!(removed.fields.len(), 1);
        assert_eq!(removed.revision + 1, report.document.revisions);
        let text = report.text(Language::English);
        assert!(text.contains("took away the signatures"), "{text}");
        assert!(text.contains(&removed.fields[0]), "{text}");
    }
}

#[test]
fn changed_catalog_entries_are_caught() {
    let pdf = seal(&rich_pdf(), Profile::Rsa);
    for entries in [
        "/OpenAction<</S/JavaScript/JS(app.alert(1))>>",
        "/AA<</WC<</S/JavaScript/JS(1)>>>>",
        "/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>",
        "/OCProperties<</OCGs[]/D<<>>>>",
        "/PageLabels<</Nums[0<</S/r>>]>>",
        "/Outlines 8 0 R",
        "/Lang(en)",
    ] {
        is_caught(entries, &add(&pdf, 1, entries), Changed::Catalog);
    }
    let metadata = stream("/Type/Metadata/Subtype/XML", "<!DOCTYPE x>");
    is_caught(
        "metadata",
        &revise(&pdf, &[(27, &metadata)]),
        Changed::Metadata,
    );
    let title = edit(&pdf, 8, "A proof", "Another");
    is_caught("information", &title, Changed::Information);
    let permissions = add(&seal(&plain_pdf(), Profile::Rsa), 1, "/Perms<</UR3 8 0 R>>");
    let (_, signature) = first(&permissions);
    assert_eq!(changes(&signature).verdict, ChangeVerdict::LaterAdditions);
}

#[test]
fn a_trailer_that_leads_elsewhere_is_caught() {
    let pdf = seal(&plain_pdf(), Profile::Rsa);
    let prev = Document::open(&pdf, Limits::default())
        .unwrap()
        .newest()
        .xref_offset;
    let mut other = pdf.clone();
    append(
        &mut other,
        &[(90, written(&pdf, 1))],
        "/Info 8 0 R/ID[<0102><99>]",
        Some(prev),
    );
    let at = other
        .windows(11)
        .rposition(|window| window == b"/Root 1 0 R")
        .unwrap();
    let moved = b"/Root 90 0 R";
    other.splice(at..at + 11, moved.iter().copied());
    // The trailer stands before startxref, whose number counts from the front: nothing moved.
    let (_, signature) = first(&other);
    assert!(
        changes(&signature)
            .unexplained
            .iter()
            .any(|change| change.what == Changed::Trailer)
    );
    expect(
        "root",
        &signature,
        Indication::TotalFailed,
        Some(SubIndication::FormatFailure),
    );

    let mut other = pdf.clone();
    append(&mut other, &[], "/Info 8 0 R/ID[<ffff><99>]", Some(prev));
    let (_, signature) = first(&other);
    expect(
        "id",
        &signature,
        Indication::TotalFailed,
        Some(SubIndication::FormatFailure),
    );
}

#[test]
fn content_prepared_behind_an_empty_reference_is_caught() {
    let mut pdf = plain_pdf();
    let prev = Document::open(&pdf, Limits::default())
        .unwrap()
        .newest()
        .xref_offset;
    // Number 14 is what the second seal's appearance will get.
    let page = written(&pdf, 4).replace("/Contents 6 0 R", "/Contents[6 0 R 14 0 R]");
    append(
        &mut pdf,
        &[(4, page)],
        "/Info 8 0 R/ID[<0102><0102>]",
        Some(prev),
    );
    let once = seal(&pdf, Profile::Rsa);
    assert_eq!(check(&once).indication, Indication::TotalPassed);
    let content = stream("", "1 1 1 rg 0 0 595 842 re f");
    is_caught(
        "an update",
        &revise(&once, &[(14, &content)]),
        Changed::DanglingReference,
    );
    let twice = seal(&once, Profile::GmSeal);
    let (_, signature) = first(&twice);
    let new = Document::open(&twice, Limits::default()).unwrap();
    assert!(
        new.newest().entry(14).is_some(),
        "the second seal must take the prepared number"
    );
    assert_eq!(changes(&signature).verdict, ChangeVerdict::Changed);
}

#[test]
fn a_certification_that_allows_nothing_allows_no_later_seal() {
    let request = SignatureRequest {
        reason: Some("x".repeat(120)),
        ..invisible()
    };
    let pdf = seal_in(&plain_pdf(), Profile::Rsa, &request);
    let at = pdf
        .windows(7)
        .rposition(|window| window == b"/Reason")
        .unwrap();
    let end = at + pdf[at..].iter().position(|byte| *byte == b')').unwrap() + 1;
    let mut certified = pdf.clone();
    certified[at..end].fill(b' ');
    let text = b"/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]";
    certified[at..at + text.len()].copy_from_slice(text);
    // Our own writer would refuse to seal this, so the second seal is made first.
    let twice = seal(&pdf, Profile::GmSeal);
    certified.extend_from_slice(&twice[pdf.len()..]);
    let (_, signature) = first(&certified);
    let [change] = changes(&signature).unexplained.as_slice() else {
        panic!("{signature:?}")
    };
    assert_eq!(change.what, Changed::Permissions);
}

#[test]
fn updates_that_change_nothing_leave_the_signature_valid() {
    for profile in PROFILES {
        let pdf = seal(&rich_pdf(), profile);
        is_accepted("empty", &revise(&pdf, &[]), ChangeVerdict::LaterAdditions);
        let same = written(&pdf, 3);
        let spaced = same
            .replace("/Parent", " /Parent ")
            .replace("<</Type/Page", "<< /Type /Page");
        is_accepted(
            "identical",
            &revise(&pdf, &[(3, &same)]),
            ChangeVerdict::LaterAdditions,
        );
        is_accepted(
            "respaced",
            &revise(&pdf, &[(3, &spaced)]),
            ChangeVerdict::LaterAdditions,
        );
        let orphan = is_accepted(
            "orphan",
            &revise(&pdf, &[(90, "(x)")]),
            ChangeVerdict::LaterAdditions,
        );
        assert_eq!(orphan.allowed[0].what, Changed::Orphan);
        let metadata = stream("/Type/Metadata/Subtype/XML", "<x:xmpmeta/>");
        let described = revise(&pdf, &[(27, &metadata)]);
        let described = is_accepted("metadata", &described, ChangeVerdict::LaterAdditions);
        assert_eq!(described.allowed[0].what, Changed::Metadata);
        let date = edit(&pdf, 8, "20261122000000Z", "20261123000000Z");
        let dated = is_accepted("a date", &date, ChangeVerdict::LaterAdditions);
        assert_eq!(dated.allowed[0].what, Changed::Information);
    }
}

#[test]
fn validation_data_are_accepted_and_named() {
    let pdf = seal(&rich_pdf(), Profile::Rsa);
    let data = stream("", "not looked into");
    let store = "<</Type/DSS/Certs[91 0 R]/VRI<</A<</Cert[91 0 R]>>>>>>";
    let catalog =
        written(&pdf, 1).replace("/Pages", "/DSS 90 0 R/Extensions<</ESIC 92 0 R>>/Pages");
    let with_store = revise(
        &pdf,
        &[
            (1, &catalog),
            (90, store),
            (91, &data),
            (92, "<</BaseVersion/1.7/ExtensionLevel 1>>"),
        ],
    );
    let changes = is_accepted("store", &with_store, ChangeVerdict::LaterAdditions);
    let named: Vec<Changed> = changes.allowed.iter().map(|change| change.what).collect();
    assert!(named.contains(&Changed::SecurityStore) && named.contains(&Changed::Extensions));
    // It may grow, and be sealed over.
    let longer = store.replace("[91 0 R]/VRI", "[91 0 R 93 0 R]/VRI");
    let grown = revise(&with_store, &[(90, &longer), (93, &data)]);
    is_accepted("grown", &grown, ChangeVerdict::LaterAdditions);
    is_accepted(
        "sealed over",
        &seal(&grown, Profile::GmSeal),
        ChangeVerdict::LaterAdditions,
    );
    // But no stream in it may be rewritten, and no other key may hide in it.
    let rewritten = revise(
        &seal(&with_store, Profile::GmSeal),
        &[(91, &stream("", "other"))],
    );
    let last = check(&rewritten).signatures[1].clone();
    assert_eq!(last.indication, Indication::TotalFailed);
    let hidden = revise(
        &pdf,
        &[(1, &catalog), (90, "<</Type/DSS/OpenAction 8 0 R>>")],
    );
    is_caught("another key", &hidden, Changed::SecurityStore);
}

#[test]
fn an_array_that_is_both_validation_data_and_page_content_is_no_hiding_place() {
    let mut pdf = plain_pdf();
    let prev = Document::open(&pdf, Limits::default())
        .unwrap()
        .newest()
        .xref_offset;
    let objects = [
        (
            1,
            "<</Type/Catalog/Pages 2 0 R/DSS<</Certs 30 0 R>>>>".to_owned(),
        ),
        (
            3,
            written(&pdf, 3).replace("/Contents 5 0 R", "/Contents 30 0 R"),
        ),
        (30, "[5 0 R]".to_owned()),
    ];
    append(
        &mut pdf,
        &objects,
        "/Info 8 0 R/ID[<0102><0102>]",
        Some(prev),
    );
    let pdf = seal(&pdf, Profile::Rsa);
    let cover = stream("", "1 1 1 rg 0 0 595 842 re f");
    let changed = revise(&pdf, &[(30, "[5 0 R 90 0 R]"), (90, &cover)]);
    is_caught("shared", &changed, Changed::PageContent);
}

#[test]
fn an_empty_field_may_be_signed_later() {
    let once = seal(&rich_pdf(), Profile::GmSeal);
    assert_eq!(check(&once).empty_fields, ["office"]);
    let office = SignatureRequest {
        field: FieldTarget::Existing {
            name: "office".to_owned(),
        },
        ..request()
    };
    let twice = seal_in(&once, Profile::Rsa, &office);
    let changes = is_accepted("office", &twice, ChangeVerdict::LaterSignatures);
    assert_eq!(changes.later_fields, ["office"]);
    assert_eq!(check(&twice).indication, Indication::TotalPassed);
    // Signing it must not move it.
    let document = Document::open(&twice, Limits::default()).unwrap();
    let field = document.object(yinxin_pdf::ObjectId::new(24, 0)).unwrap();
    assert!(
        field
            .dictionary()
            .and_then(|field| field.get(b"V"))
            .and_then(Value::as_reference)
            .is_some()
    );
    let moved = edit(&twice, 24, "[200 10", "[0 0");
    let (_, signature) = first(&moved);
    assert_eq!(changes_verdict(&signature), ChangeVerdict::Changed);
}

fn changes_verdict(report: &SignatureReport) -> ChangeVerdict {
    changes(report).verdict
}

#[test]
fn a_later_seal_with_an_action_or_optional_content_is_caught() {
    let pdf = seal(&plain_pdf(), Profile::Rsa);
    let twice = seal(&pdf, Profile::GmSeal);
    let Places { field, .. } = places(&twice);
    // The second revision is made anew with more in its widget; the second signature breaks, the
    // first one must see why.
    for entry in [
        "/A<</S/JavaScript/JS(1)>>",
        "/AA<<>>",
        "/OC 8 0 R",
        "/Unknown 1",
    ] {
        let changed = add(&twice, field, entry);
        let (_, signature) = first(&changed);
        assert_eq!(
            changes_verdict(&signature),
            ChangeVerdict::Changed,
            "{entry}"
        );
    }
}

#[test]
fn a_seam_stamp_is_one_signature_in_many_places() {
    let pdf = seal(&plain_pdf(), Profile::Rsa);
    let Places { dictionary, .. } = places(&pdf);
    // Two more fields that share /V, in the revision of the signature itself, would be one
    // signature; added later they are a change.
    let form = {
        let document = Document::open(&pdf, Limits::default()).unwrap();
        document
            .catalog()
            .get(b"AcroForm")
            .unwrap()
            .as_reference()
            .unwrap()
            .number
    };
    let fields = written(&pdf, form).replace("/Fields[", "/Fields[ 90 0 R ");
    let widget = format!(
        "<</Type/Annot/Subtype/Widget/FT/Sig/T(p2)/Rect[0 0 9 9]/P 4 0 R/V {dictionary} 0 R>>"
    );
    let page = written(&pdf, 4).replace("/Parent", "/Annots[90 0 R]/Parent");
    let shared = revise(&pdf, &[(form, &fields), (90, &widget), (4, &page)]);
    let report = check(&shared);
    assert_eq!(report.signatures.len(), 1);
    assert_eq!(report.signatures[0].page_numbers, [1, 2]);
    assert_eq!(report.signatures[0].fields.len(), 2);
    assert_eq!(report.indication, Indication::TotalFailed);
}
