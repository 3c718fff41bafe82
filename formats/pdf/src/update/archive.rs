//! What PDF/A asks of a seal that is put on a document which says it is one (ISO 19005).

use lopdf::{Dictionary, Object as NewObject};

use super::lookup::{Found, elements, entry};
use super::signature::name;
use crate::document::Document;
use crate::error::PdfError;
use crate::object::Value;

/// The archive format that a document claims.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Archive {
    part: Option<u8>,
    has_rgb_intent: bool,
}

impl Archive {
    /// Metadata or output intents that cannot be read claim nothing: a seal does not fail on them.
    pub(super) fn of(document: &Document<'_>) -> Self {
        Self {
            part: claimed_part(document).unwrap_or_default(),
            has_rgb_intent: has_rgb_intent(document).unwrap_or_default(),
        }
    }

    /// PDF/A-1 has no soft masks (ISO 19005-1, 6.4); later parts have none on a page whose colours no
    /// output intent and no group of the page's own say the meaning of (ISO 19005-2, 6.2.10).
    pub(super) fn forbids_soft_masks(self) -> bool {
        self.part == Some(1) || (self.part.is_some() && !self.has_rgb_intent)
    }

    /// PDF/A-1 wants an appearance of every field, whether it can be seen or not (ISO 19005-1, 6.9).
    pub(super) fn wants_all_appearances(self) -> bool {
        self.part == Some(1)
    }

    /// What device RGB is to mean, if the document has no output intent that says so (ISO 19005-1,
    /// 6.2.3.3; ISO 19005-2, 6.2.4.3): sRGB, calibrated.
    pub(super) fn default_colours(self) -> Option<Dictionary> {
        (self.part.is_some() && !self.has_rgb_intent).then(|| {
            let mut calibration = Dictionary::new();
            // IEC 61966-2-1: D65, its primaries, and 2.2 for its curve.
            calibration.set("WhitePoint", reals(&[0.9505, 1.0, 1.089]));
            calibration.set("Gamma", reals(&[2.2, 2.2, 2.2]));
            let matrix = [
                0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505,
            ];
            calibration.set("Matrix", reals(&matrix));
            let space = NewObject::Array(vec![name("CalRGB"), NewObject::Dictionary(calibration)]);
            let mut spaces = Dictionary::new();
            spaces.set("DefaultRGB", space);
            spaces
        })
    }
}

fn reals(values: &[f32]) -> NewObject {
    NewObject::Array(values.iter().copied().map(NewObject::Real).collect())
}

/// `pdfaid:part` of the document's XMP, which PDF/A wants under that prefix (ISO 19005-1, 6.7.11).
fn claimed_part(document: &Document<'_>) -> Result<Option<u8>, PdfError> {
    let Found::There(metadata) = Found::follow(document, document.catalog().get(b"Metadata"))?
    else {
        return Ok(None);
    };
    if !metadata.value.is_stream() {
        return Ok(None);
    }
    Ok(part_in(&document.stream_data(&metadata)?))
}

/// `pdfaid:part="1"` as an attribute, or `<pdfaid:part>1</pdfaid:part>`.
fn part_in(xmp: &[u8]) -> Option<u8> {
    const PROPERTY: &[u8] = b"pdfaid:part";
    let at = xmp
        .windows(PROPERTY.len())
        .position(|window| window == PROPERTY)?;
    let mut rest = xmp
        .get(at + PROPERTY.len()..)?
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace());
    match rest.next()? {
        b'>' => {}
        b'=' => {
            rest.next().filter(|quote| matches!(quote, b'"' | b'\''))?;
        }
        _ => return None,
    }
    rest.next()
        .filter(|digit| digit.is_ascii_digit())
        .map(|digit| digit - b'0')
}

/// An output intent of PDF/A whose profile has three components.
fn has_rgb_intent(document: &Document<'_>) -> Result<bool, PdfError> {
    let catalog = document.object(document.catalog_id())?;
    for intent in elements(document, &catalog.value, b"OutputIntents")? {
        let kind = entry(document, &intent, b"S")?;
        let is_archival = kind.is_some_and(|kind| kind.as_name() == Some(b"GTS_PDFA1"));
        let profile = entry(document, &intent, b"DestOutputProfile")?;
        let components = match &profile {
            Some(profile) => entry(document, profile, b"N")?,
            None => None,
        };
        if is_archival && components.as_ref().and_then(Value::as_integer) == Some(3) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::part_in;

    #[test]
    fn the_part_is_read_from_an_attribute_and_from_an_element() {
        for (xmp, expected) in [
            (
                "<rdf:Description pdfaid:part=\"1\" pdfaid:conformance='B'/>",
                Some(1),
            ),
            ("<rdf:Description pdfaid:part = '2'/>", Some(2)),
            ("<pdfaid:part>3</pdfaid:part>", Some(3)),
            ("<pdfaid:part> 4 </pdfaid:part>", Some(4)),
            ("<pdfaid:part></pdfaid:part>", None),
            ("<pdfaid:parts>1</pdfaid:parts>", None),
            ("pdfaid:part", None),
            ("pdfaid:part=1", None),
            ("<dc:title>part 1</dc:title>", None),
            ("", None),
        ] {
            assert_eq!(part_in(xmp.as_bytes()), expected, "{xmp}");
        }
    }
}
