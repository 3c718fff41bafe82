//! Updates behind an honest signature.

use std::io::Write as _;

use super::maker::deflated;

/// Updates that hurt, to be appended to a file that is honestly sealed: the judgement of what
/// came after a signature must stay in bounds, too. `sealed` must end with its `%%EOF` line, have
/// its catalog as object 1 and its page as object 3.
#[must_use]
pub fn updates(sealed: &[u8]) -> Vec<(String, Vec<u8>)> {
    vec![
        (
            "update-of-900-empty-revisions".into(),
            empty_revisions(sealed, 900),
        ),
        (
            "update-of-200000-objects".into(),
            many_objects(sealed, 200_000),
        ),
        ("update-of-bombs".into(), bombs_behind(sealed)),
        ("update-of-500-long-pages".into(), long_pages(sealed, 500)),
        ("update-of-a-deep-page".into(), deep_page(sealed)),
        (
            "update-of-a-doubling-graph".into(),
            doubling_graph(sealed, false),
        ),
        (
            "update-of-a-doubling-form".into(),
            doubling_graph(sealed, true),
        ),
        ("update-of-a-loop".into(), {
            let mut file = sealed.to_vec();
            append(
                &mut file,
                &[(3, "<</Type/Page/Parent 3 0 R/Annots 3 0 R>>".into())],
            );
            file
        }),
    ]
}

/// The number after the last startxref.
fn newest_xref(file: &[u8]) -> usize {
    let keyword = b"startxref";
    let at = file
        .windows(keyword.len())
        .rposition(|window| window == keyword)
        .unwrap();
    let text = String::from_utf8_lossy(&file[at + keyword.len()..]).into_owned();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// One revision with these objects.
fn append(file: &mut Vec<u8>, objects: &[(u32, String)]) {
    let previous = newest_xref(file);
    let mut rows = String::from("xref\n0 1\n0000000000 65535 f \n");
    for (number, body) in objects {
        rows.push_str(&format!("{number} 1\n{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }
    let at = file.len();
    file.extend_from_slice(rows.as_bytes());
    write!(
        file,
        "trailer\n<</Size 1000000/Root 1 0 R/Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
}

fn empty_revisions(sealed: &[u8], count: usize) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let mut previous = newest_xref(&file);
    for _ in 0..count {
        let at = file.len();
        write!(
            file,
            "xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1000000/Root 1 0 R/Prev {previous}>>\n\
             startxref\n{at}\n%%EOF\n"
        )
        .unwrap();
        previous = at;
    }
    file
}

fn many_objects(sealed: &[u8], count: u32) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let objects: Vec<(u32, String)> = (0..count)
        .map(|index| (100_000 + index, "<</A/B>>".to_owned()))
        .collect();
    append(&mut file, &objects);
    file
}

/// The newest body of an object, with more entries at the end of its dictionary.
fn extended(file: &[u8], number: u32, entries: &str) -> String {
    let header = format!("\n{number} 0 obj");
    let at = file
        .windows(header.len())
        .rposition(|window| window == header.as_bytes())
        .expect("the object stands in the file");
    let text = String::from_utf8_lossy(&file[at + header.len()..]).into_owned();
    let body = text.split("endobj").next().unwrap_or_default().trim();
    let open = body.strip_suffix(">>").expect("a dictionary");
    format!("{open}{entries}>>")
}

fn bombs_behind(sealed: &[u8]) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let data = deflated(b"", b' ', 200 << 20);
    let catalog = extended(
        &file,
        1,
        "/Metadata 200 0 R/DSS<</Certs[201 0 R 202 0 R]/CRLs[203 0 R 204 0 R]/OCSPs[205 0 R 206 0 R]>>",
    );
    let previous = newest_xref(&file);
    let mut rows = String::from("xref\n0 1\n0000000000 65535 f \n");
    for number in 200_u32..208 {
        rows.push_str(&format!("{number} 1\n{:010} 00000 n \n", file.len()));
        write!(
            file,
            "{number} 0 obj\n<</Type/Metadata/Subtype/XML/Filter/FlateDecode/Length {}>>\nstream\n",
            data.len()
        )
        .unwrap();
        file.extend_from_slice(&data);
        file.extend_from_slice(b"\nendstream\nendobj\n");
    }
    rows.push_str(&format!("1 1\n{:010} 00000 n \n", file.len()));
    write!(file, "1 0 obj\n{catalog}\nendobj\n").unwrap();
    let at = file.len();
    file.extend_from_slice(rows.as_bytes());
    write!(
        file,
        "trailer\n<</Size 1000000/Root 1 0 R/Prev {previous}>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
    file
}

/// Revision after revision that writes the page again with a long array.
fn long_pages(sealed: &[u8], count: usize) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let page = extended(&file, 3, &format!("/B[{}]", "4 0 R ".repeat(3_000)));
    for _ in 0..count {
        append(&mut file, &[(3, page.clone())]);
    }
    file
}

fn deep_page(sealed: &[u8]) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    append(
        &mut file,
        &[(3, format!("<</Type/Page/Parent 2 0 R/Annots {deep}>>"))],
    );
    file
}

/// Object after object, each naming the next one twice: 2^200 paths, from the catalog and, if
/// asked, from the form and the page.
fn doubling_graph(sealed: &[u8], everywhere: bool) -> Vec<u8> {
    let mut file = sealed.to_vec();
    let mut objects: Vec<(u32, String)> = (300..500)
        .map(|number| {
            let next = number + 1;
            (
                number,
                format!("<</A {next} 0 R/B {next} 0 R/Kids[{next} 0 R {next} 0 R]>>"),
            )
        })
        .collect();
    objects.push((500, "<</End true>>".to_owned()));
    if everywhere {
        let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[300 0 R 300 0 R]\
                    /Resources 300 0 R>>";
        let catalog = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[300 0 R]/SigFlags 3>>>>";
        objects.push((3, page.to_owned()));
        objects.push((1, catalog.to_owned()));
    } else {
        objects.push((
            1,
            extended(&file, 1, "/Extra 300 0 R/More[300 0 R 300 0 R]"),
        ));
        objects.push((
            3,
            extended(&file, 3, "/PieceInfo 300 0 R/B[300 0 R 300 0 R]"),
        ));
    }
    append(&mut file, &objects);
    file
}
