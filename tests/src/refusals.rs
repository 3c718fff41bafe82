//! Files that must not be sealed: encrypted, damaged, or readable only by readers that repair.

use std::process::Command;

use crate::peers::tool;
use crate::process::run_ok;
use crate::producers::Producer;
use crate::skip::skip;

/// A file, and the reasons of which one must be given.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What was done to it.
    pub name: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
    /// The stable reasons that tell the caller what is wrong; any of them will do.
    pub reasons: &'static [&'static str],
}

/// All that can be made on this machine; the others are visible skips.
#[must_use]
pub fn refusals() -> Vec<Refusal> {
    let mut all = encrypted();
    let Some(file) = Producer::Reportlab.pdf() else {
        return all;
    };
    let whole = std::fs::read(file).unwrap();
    let mut add = |name, bytes: Vec<u8>, reasons| {
        all.push(Refusal {
            name,
            bytes,
            reasons,
        })
    };

    add(
        "cut off in the middle",
        whole[..whole.len() / 2].to_vec(),
        &["PDF_EOF_MISSING"],
    );
    add(
        "last line missing",
        without_tail(&whole, b"%%EOF"),
        &["PDF_EOF_MISSING"],
    );
    add(
        "startxref off by one",
        edited(&whole, |text, at| {
            text[at] = if text[at] == b'9' { b'8' } else { text[at] + 1 }
        }),
        &["PDF_XREF_BROKEN", "PDF_SYNTAX", "PDF_STARTXREF_MISSING"],
    );
    add(
        "junk before the header",
        [b"HTTP/1.1 200 OK\r\n\r\n", &whole[..]].concat(),
        &["PDF_JUNK_BEFORE_HEADER"],
    );
    add(
        "junk after the end",
        [&whole[..], b"<html>sent by a gateway</html>"].concat(),
        &["PDF_JUNK_AFTER_EOF", "PDF_EOF_MISSING"],
    );
    // As a transfer in text mode leaves it: every offset in the table is wrong, and a repairing
    // reader opens it all the same.
    add(
        "line ends changed to CR LF",
        line_ends_changed(&whole),
        &[
            "PDF_XREF_BROKEN",
            "PDF_SYNTAX",
            "PDF_STARTXREF_MISSING",
            "PDF_OBJECT_MISMATCH",
        ],
    );
    add(
        "no cross reference at all",
        without_xref(&whole),
        &["PDF_XREF_BROKEN", "PDF_STARTXREF_MISSING", "PDF_SYNTAX"],
    );
    add(
        "catalog's offset wrong",
        catalog_offset_wrong(&whole),
        &["PDF_OBJECT_MISMATCH", "PDF_OBJECT_OFFSET", "PDF_SYNTAX"],
    );
    add(
        "not a PDF",
        b"PK\x03\x04 an office file with the wrong name".to_vec(),
        &["PDF_NOT_A_PDF"],
    );
    all
}

fn encrypted() -> Vec<Refusal> {
    let modes: [(&str, &[&str]); 4] = [
        (
            "encrypted, AES-256, owner password only",
            &["", "owner", "256"],
        ),
        (
            "encrypted, AES-256, user password",
            &["user", "owner", "256"],
        ),
        ("encrypted, AES-128", &["", "owner", "128", "--use-aes=y"]),
        ("encrypted, RC4", &["", "owner", "40"]),
    ];
    let Some(source) = Producer::Reportlab.pdf() else {
        return Vec::new();
    };
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for (name, arguments) in modes {
        let Some(mut qpdf) = tool("qpdf") else {
            return all;
        };
        let out = folder.path().join("out.pdf");
        qpdf.args(["--allow-weak-crypto", "--encrypt"])
            .args(arguments)
            .arg("--");
        if let Err(why) = run_ok(Command::arg(qpdf.arg(&source), &out)) {
            skip(name, &why);
            continue;
        }
        let bytes = std::fs::read(&out).unwrap();
        all.push(Refusal {
            name,
            bytes,
            reasons: &["PDF_ENCRYPTED"],
        });
    }
    all
}

fn last(whole: &[u8], part: &[u8]) -> usize {
    whole
        .windows(part.len())
        .rposition(|window| window == part)
        .expect("every PDF has one")
}

fn without_tail(whole: &[u8], part: &[u8]) -> Vec<u8> {
    whole[..last(whole, part)].to_vec()
}

/// Changes the last digit of the number after startxref.
fn edited(whole: &[u8], change: impl Fn(&mut [u8], usize)) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let keyword = last(whole, b"startxref");
    let digits = whole[keyword..]
        .iter()
        .enumerate()
        .skip_while(|(_, byte)| !byte.is_ascii_digit())
        .take_while(|(_, byte)| byte.is_ascii_digit())
        .map(|(index, _)| keyword + index)
        .last()
        .expect("startxref has a number");
    change(&mut bytes, digits);
    bytes
}

fn line_ends_changed(whole: &[u8]) -> Vec<u8> {
    whole
        .iter()
        .flat_map(|byte| {
            if *byte == b'\n' {
                vec![b'\r', b'\n']
            } else {
                vec![*byte]
            }
        })
        .collect()
}

fn without_xref(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole[..last(whole, b"xref\n0")].to_vec();
    bytes.extend_from_slice(b"%%EOF\n");
    bytes
}

/// Adds one to the table's offset of the object that the trailer names as /Root.
fn catalog_offset_wrong(whole: &[u8]) -> Vec<u8> {
    let root = last(whole, b"/Root ") + 6;
    let number: usize = String::from_utf8_lossy(&whole[root..root + 6])
        .split(' ')
        .next()
        .and_then(|digits| digits.parse().ok())
        .expect("/Root is a reference");
    let table = last(whole, b"xref\n0");
    let first_row = table
        + 5
        + whole[table + 5..]
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap()
        + 1;
    let digit = first_row + number * 20 + 9;
    let mut bytes = whole.to_vec();
    bytes[digit] = if bytes[digit] == b'9' {
        b'8'
    } else {
        bytes[digit] + 1
    };
    bytes
}
