//! Plain documents of as many pages as a test wants, with words on them.

/// A4 in millimetres, page by page with a line of text.
#[must_use]
pub fn pages(count: usize) -> Vec<u8> {
    let line = |number| format!("BT /F0 12 Tf 72 780 Td (Page {number}) Tj ET");
    let contents: Vec<String> = (1..=count).map(line).collect();
    with_contents(&contents)
}

/// A line of Chinese text, 16 points high, at points from the lower left corner of its page.
#[must_use]
pub fn chinese(x: f64, y: f64, text: &str) -> String {
    let digits: String = text
        .encode_utf16()
        .map(|unit| format!("{unit:04X}"))
        .collect();
    format!("BT /F1 16 Tf {x} {y} Td <{digits}> Tj ET\n")
}

/// A4 pages with these contents; /F0 is Helvetica and /F1 a Song face, neither of them embedded.
#[must_use]
pub fn with_contents(contents: &[String]) -> Vec<u8> {
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        String::new(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts\
         [<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000/W[1 95 500]\
         /CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>]>>"
            .to_owned(),
    ];
    let mut kids = String::new();
    for content in contents {
        let page = objects.len() + 1;
        kids += &format!("{page} 0 R ");
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.2756 841.8898]/Contents {} 0 R\
             /Resources<</Font<</F0 3 0 R/F1 4 0 R>>>>>>",
            page + 1
        ));
        objects.push(format!(
            "<</Length {}>>\nstream\n{content}\nendstream",
            content.len()
        ));
    }
    objects[1] = format!("<</Type/Pages/Kids[{kids}]/Count {}>>", contents.len());
    let mut bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let size = objects.len() + 1;
    let mut table = format!("xref\n0 {size}\n0000000000 65535 f \n");
    for (number, object) in (1..).zip(&objects) {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let start = bytes.len();
    let tail = format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
    bytes.extend(table.bytes().chain(tail.bytes()));
    bytes
}
