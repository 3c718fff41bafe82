//! What holds for every template.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::{ask, typesetter};
use serde_json::json;
use yinxin_typeset::{TypesetError, Typesetter};

/// 2026-11-22T08:00:00Z.
const CREATED: i64 = 1_795_334_400;

const TEMPLATE: &str = r#"
#let data = json("inputs.json")
#set document(title: "证明")
#set text(font: ("No Such Song", "Noto Serif CJK SC", "Noto Serif SC"), lang: "zh")
= 证明
兹证明#data.name;。#datetime.today().display()
"#;

fn failure(template: &str) -> Option<String> {
    let error = typesetter()?
        .typeset(template, &json!({}), &[], CREATED)
        .unwrap_err();
    assert!(matches!(error, TypesetError::Template { .. }), "{error}");
    Some(error.to_string())
}

#[test]
fn the_same_inputs_give_the_same_bytes_in_any_order_and_thread() {
    let (Some(one), Some(other)) = (typesetter(), typesetter()) else {
        return;
    };
    let pdf = |typesetter: &Typesetter, name: &str| {
        typesetter
            .typeset(TEMPLATE, &json!({"name": name}), &[], CREATED)
            .unwrap()
    };
    let first = pdf(&one, "张示例");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (one, other, first, pdf) = (&one, &other, &first, &pdf);
            scope.spawn(move || {
                for round in 0..20 {
                    pdf(one, &format!("李样本{thread}{round}"));
                    assert_eq!(&pdf(one, "张示例"), first);
                    assert_eq!(&pdf(other, "张示例"), first);
                }
            });
        }
    });
    assert_ne!(pdf(&one, "李样本"), first);
    assert_ne!(
        one.typeset(TEMPLATE, &json!({"name": "张示例"}), &[], CREATED + 1)
            .unwrap(),
        first
    );
}

#[test]
fn the_result_is_a_tagged_pdf_a_2b_of_the_given_moment() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    let pdf = typesetter
        .typeset(TEMPLATE, &json!({"name": "张示例"}), &[], CREATED)
        .unwrap();
    let text = String::from_utf8_lossy(&pdf);
    for needle in [
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>B</pdfaid:conformance>",
        "/StructTreeRoot",
        "/Marked true",
        "/OutputIntents",
        "2026-11-22T16:00:00+08:00",
    ] {
        assert!(text.contains(needle), "{needle}");
    }
    assert!(!text.contains("/Encrypt"));
    if let Some((sound, report)) = ask("qpdf", &["--check"], &pdf, &[]) {
        assert!(
            sound && report.contains("No syntax or stream encoding errors"),
            "{report}"
        );
    }
    if let Some((_, words)) = ask("pdftotext", &[], &pdf, &["-"]) {
        assert!(words.contains("兹证明张示例。2026-11-22"), "{words}");
    }
}

#[test]
fn data_is_text_and_never_markup_or_code() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    let name = r#"#panic("run") *bold* $x^2$ \u{41} @ref <label> // comment"#;
    let pdf = typesetter
        .typeset(TEMPLATE, &json!({"name": name}), &[], CREATED)
        .unwrap();
    if let Some((_, words)) = ask("pdftotext", &[], &pdf, &["-"]) {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains(r#"#panic("run") *bold* $x^2$ \u{41} @ref"#),
            "{words}"
        );
    }
}

#[test]
fn a_template_sees_no_file_package_or_address_it_was_not_given() {
    for (template, expected) in [
        (r#"#read("/etc/passwd")"#, "file not found"),
        (r#"#read("../../Cargo.toml")"#, "would escape"),
        (r#"#include "other.typ""#, "file not found"),
        (r#"#import "@preview/cetz:0.4.0""#, "access"),
        (r#"#image("https://example.org/a.png")"#, "file not found"),
    ] {
        let Some(message) = failure(template) else {
            return;
        };
        assert!(message.contains(expected), "{template}: {message}");
    }
}

#[test]
fn files_that_are_given_are_read_and_odd_names_refused() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1h-1z"/></svg>"#;
    let template = r#"#import "part/one.typ": word
        #image("square.svg", alt: "square") #word"#;
    let files = [
        ("square.svg", svg.to_vec()),
        ("part/one.typ", b"#let word = [ok]".to_vec()),
    ];
    typesetter
        .typeset(template, &json!({}), &files, CREATED)
        .unwrap();
    for name in [
        "",
        "/a",
        "../a",
        "inputs.json",
        "template.typ",
        "./template.typ",
    ] {
        let error = typesetter
            .typeset("", &json!({}), &[(name, Vec::new())], CREATED)
            .unwrap_err();
        assert_eq!(
            error,
            TypesetError::FileName {
                name: name.to_owned()
            }
        );
    }
}

#[test]
fn a_failing_template_tells_what_and_where() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    let TypesetError::Template { diagnostics } = typesetter
        .typeset("\n\n  #panic(\"over\")", &json!({}), &[], CREATED)
        .unwrap_err()
    else {
        panic!("not a template error");
    };
    assert_eq!(
        diagnostics[0].place,
        Some(("template.typ".to_owned(), 3, 4))
    );
    assert!(diagnostics[0].message.contains("over"));
}

#[test]
fn a_warning_is_an_error_unless_it_is_about_an_alternative_font() {
    let Some(message) = failure("#[**]") else {
        return;
    };
    assert!(message.contains("no text within stars"), "{message}");
}

#[test]
fn a_character_without_glyph_is_refused_by_name() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    let error = typesetter
        .typeset(
            TEMPLATE,
            &json!({"name": "张\u{13000}例\u{1F9FF}"}),
            &[],
            CREATED,
        )
        .unwrap_err();
    assert_eq!(
        error,
        TypesetError::MissingGlyph {
            characters: vec!['\u{13000}', '\u{1F9FF}'],
            page_number: 1
        }
    );
    assert!(error.to_string().contains("U+13000"));
}

#[test]
fn a_moment_outside_the_calendar_is_refused() {
    let Some(typesetter) = typesetter() else {
        return;
    };
    for created in [
        i64::MIN,
        -62_135_625_601,
        253_402_271_999 + 28_800,
        i64::MAX,
    ] {
        assert!(
            matches!(
                typesetter.typeset("", &json!({}), &[], created),
                Err(TypesetError::Created { .. })
            ),
            "{created}"
        );
    }
}

#[test]
fn fonts_must_be_fonts() {
    assert!(matches!(
        Typesetter::new(Vec::new()),
        Err(TypesetError::NoFonts)
    ));
    assert!(matches!(
        Typesetter::new(vec![b"not a font".to_vec()]),
        Err(TypesetError::FontUnreadable { number: 1 })
    ));
}
