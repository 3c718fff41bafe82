//! Signature dictionaries and their /Contents.

use super::maker::Maker;

pub(super) fn byte_range_of_a_million() -> Vec<u8> {
    let numbers = "0 ".repeat(1_000_000);
    let mut maker = Maker::with_page("/AcroForm<</SigFlags 3/Fields[4 0 R]>>", "");
    maker.object(
        4,
        "<</FT/Sig/Subtype/Widget/Rect[0 0 0 0]/T(s)/V 5 0 R/P 3 0 R>>",
    );
    maker.object(
        5,
        &format!("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[{numbers}]/Contents<3000>>>"),
    );
    maker.table("");
    maker.file
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

/// A SignedData with 100,000 digest algorithms.
pub(super) fn many_algorithms() -> Vec<u8> {
    let signed_data = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    let algorithm = [0x30, 4, 6, 2, 0x2a, 3];
    let inner = der(
        0x30,
        &[&[2, 1, 1][..], &der(0x31, &algorithm.repeat(100_000))].concat(),
    );
    der(0x30, &[&signed_data[..], &der(0xa0, &inner)].concat())
}

pub(super) fn nested_asn1(bytes: usize) -> Vec<u8> {
    let mut inner: Vec<u8> = Vec::new();
    // Built from the inside, written backwards: prepending to a long vector costs its length.
    let mut backwards: Vec<u8> = Vec::new();
    while backwards.len() < bytes {
        let length = u32::try_from(backwards.len()).unwrap().to_be_bytes();
        backwards.extend(length.iter().rev());
        backwards.extend([0x84, 0x30]);
    }
    inner.extend(backwards.iter().rev());
    inner
}

/// A signed-looking file whose ByteRange is right and whose /Contents are the given bytes.
#[must_use]
pub fn contents(container: &[u8]) -> Vec<u8> {
    let mut maker = Maker::with_page("/AcroForm<</SigFlags 3/Fields[4 0 R]>>", "/Annots[4 0 R]");
    maker.object(
        4,
        "<</FT/Sig/Subtype/Widget/Rect[0 0 0 0]/T(s)/V 5 0 R/P 3 0 R>>",
    );
    let hex: String = container.iter().map(|byte| format!("{byte:02x}")).collect();
    let range = "[0000000000 0000000000 0000000000 0000000000]";
    let before =
        "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20261122000000Z)";
    maker.object(5, &format!("{before}/ByteRange{range}/Contents<{hex}>>>"));
    maker.table("");
    let mut file = maker.file;
    let range_at = find(&file, range.as_bytes());
    let open = find(&file, format!("<{hex}>").as_bytes());
    let close = open + hex.len() + 2;
    let real = format!(
        "[0000000000 {open:010} {close:010} {:010}]",
        file.len() - close
    );
    file[range_at..range_at + real.len()].copy_from_slice(real.as_bytes());
    file
}

fn find(file: &[u8], part: &[u8]) -> usize {
    file.windows(part.len())
        .position(|window| window == part)
        .expect("written just now")
}
