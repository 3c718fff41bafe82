//! Pages, fields and references that loop, double or never end.

use super::maker::Maker;

pub(super) fn signatures(count: u32) -> Vec<u8> {
    let fields: String = (0..count)
        .map(|index| format!("{} 0 R ", 10 + 2 * index))
        .collect();
    let mut maker = Maker::with_page(&format!("/AcroForm<</SigFlags 3/Fields[{fields}]>>"), "");
    for index in 0..count {
        let field = 10 + 2 * index;
        maker.object(
            field,
            &format!(
                "<</FT/Sig/Subtype/Widget/Rect[0 0 0 0]/T(s{index})/V {} 0 R/P 3 0 R>>",
                field + 1
            ),
        );
        maker.object(
            field + 1,
            "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\
             /ByteRange[0 10 20 30]/Contents<3000>>>",
        );
    }
    maker.table("");
    maker.file
}

pub(super) fn page_tree_loop() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    maker.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
    maker.object(3, "<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>");
    maker.table("");
    maker.file
}

pub(super) fn page_tree_deep() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for number in 2..5_002 {
        maker.object(
            number,
            &format!("<</Type/Pages/Kids[{} 0 R]/Count 1>>", number + 1),
        );
    }
    maker.object(
        5_002,
        "<</Type/Page/Parent 5001 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
    );
    maker.table("");
    maker.file
}

/// 2^60 leaves in 62 objects.
pub(super) fn page_tree_doubling() -> Vec<u8> {
    let mut maker = Maker::default();
    maker.object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for number in 2..62 {
        let next = number + 1;
        maker.object(
            number,
            &format!("<</Type/Pages/Kids[{next} 0 R {next} 0 R]/Count 2>>"),
        );
    }
    maker.object(62, "<</Type/Pages/Kids[]/Count 0>>");
    maker.table("");
    maker.file
}

pub(super) fn page_is_its_own_parent() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    // Without a MediaBox, so that the inherited one has to be looked for.
    maker.object(3, "<</Type/Page/Parent 3 0 R/Resources<<>>>>");
    maker.table("");
    maker.file
}

pub(super) fn field_tree_doubling() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</Fields[10 0 R]>>", "");
    for number in 10..70 {
        let next = number + 1;
        maker.object(number, &format!("<</T(a)/Kids[{next} 0 R {next} 0 R]>>"));
    }
    maker.object(70, "<</T(b)/FT/Tx>>");
    maker.table("");
    maker.file
}

pub(super) fn field_parent_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</Fields[4 0 R]>>", "");
    maker.object(4, "<</T(a)/Parent 5 0 R/Subtype/Widget/Rect[0 0 0 0]>>");
    maker.object(5, "<</T(b)/Parent 4 0 R>>");
    maker.table("");
    maker.file
}

pub(super) fn form_of_a_million_fields() -> Vec<u8> {
    let fields = "4 0 R ".repeat(1_000_000);
    let mut maker = Maker::with_page("/AcroForm 5 0 R", "");
    maker.object(4, "<</T(a)/FT/Tx>>");
    maker.object(5, &format!("<</Fields[{fields}]>>"));
    maker.table("");
    maker.file
}

pub(super) fn page_count_lies() -> Vec<u8> {
    let mut maker = Maker::with_page("", "");
    maker.object(2, "<</Type/Pages/Kids[3 0 R]/Count 2147483647>>");
    maker.table("");
    maker.file
}

pub(super) fn field_tree_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</Fields[4 0 R]>>", "");
    maker.object(4, "<</T(a)/Kids[5 0 R]>>");
    maker.object(5, "<</T(b)/Parent 4 0 R/Kids[4 0 R]>>");
    maker.table("");
    maker.file
}

pub(super) fn reference_loop() -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm 4 0 R", "");
    maker.object(4, "5 0 R");
    maker.object(5, "4 0 R");
    maker.table("");
    maker.file
}
