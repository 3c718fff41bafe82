//! What a signature covers: /ByteRange against the file (ISO 32000-2, 12.8.1).

use std::ops::Range;

use yinxin_pdf::{Document, SignatureDictionary};

use crate::finding::{Finding, Steps, failed, passed};
use crate::report::{Coverage, StepId, SubIndication};

/// The two ranges of an acceptable /ByteRange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedRanges {
    /// The first range is `0..first_end`.
    pub(crate) first_end: usize,
    pub(crate) second: Range<usize>,
    /// Index of the revision they end with.
    pub(crate) revision_index: usize,
    pub(crate) coverage: Coverage,
}

/// Checks form and place of a signature dictionary and its /ByteRange.
///
/// The ranges come back only if they are beyond doubt: they begin with the file, leave out exactly
/// this signature's /Contents with its angle brackets, hold the rest of the dictionary, and end with
/// a revision that shows this very dictionary.
pub(crate) fn judge_coverage(
    document: &Document<'_>,
    signature: &SignatureDictionary,
    steps: &mut Steps,
) -> Option<SignedRanges> {
    judge_form(document.bytes(), signature, steps);
    match ranges(document, signature) {
        Ok(ranges) => {
            steps.note(StepId::Coverage, passed());
            Some(ranges)
        }
        Err(finding) => {
            steps.note(
                StepId::Coverage,
                failed(SubIndication::FormatFailure, finding),
            );
            None
        }
    }
}

/// The dictionary is an object of its own, and /Contents can be written in one way only.
fn judge_form(bytes: &[u8], signature: &SignatureDictionary, steps: &mut Steps) {
    let mut fail = |finding| {
        steps.note(
            StepId::Format,
            failed(SubIndication::FormatFailure, finding),
        )
    };
    if signature.in_object_stream {
        fail(Finding::SignatureInObjectStream);
        return;
    }
    let written = bytes.get(signature.contents.clone()).unwrap_or_default();
    let is_plain = match written {
        [b'<', digits @ .., b'>'] => {
            let any = |kind: fn(u8) -> bool| {
                // Without a branch for each of some thousand digits.
                digits
                    .iter()
                    .fold(false, |found, digit| found | kind(*digit))
            };
            let lower = any(|digit| digit.is_ascii_lowercase());
            let upper = any(|digit| digit.is_ascii_uppercase());
            // 7.3.4.3 permits white space, an odd count and both cases. In the one place of the
            // file that no digest covers, that would leave bytes to play with.
            signature.contents_is_plain_hex && !(lower && upper)
        }
        _ => false,
    };
    if !is_plain {
        fail(Finding::ContentsNotPlain);
    }
}

fn ranges(
    document: &Document<'_>,
    signature: &SignatureDictionary,
) -> Result<SignedRanges, Finding> {
    let &[first_start, first_length, second_start, second_length] = signature.byte_range.as_slice()
    else {
        return Err(Finding::ByteRangeCount {
            count: signature.byte_range.len(),
        });
    };
    let file_length = document.bytes().len();
    let place = |value: i64| {
        usize::try_from(value)
            .ok()
            .filter(|value| *value <= file_length)
            .ok_or(Finding::ByteRangeOutOfFile)
    };
    if first_start != 0 {
        return Err(Finding::ByteRangeStart { first: first_start });
    }
    let first_end = place(first_length)?;
    let second_start = place(second_start)?;
    let second_length = place(second_length)?;
    if second_start < first_end {
        return Err(Finding::ByteRangeOverlap);
    }
    let end = second_start
        .checked_add(second_length)
        .filter(|end| *end <= file_length)
        .ok_or(Finding::ByteRangeOutOfFile)?;
    let contents = &signature.contents;
    if first_end != contents.start || second_start != contents.end {
        return Err(Finding::ByteRangeGap {
            gap_start: first_end as u64,
            gap_end: second_start as u64,
            contents_start: contents.start as u64,
            contents_end: contents.end as u64,
        });
    }
    // The gap is inside the dictionary, so the rest of it is covered if it ends inside range two.
    if signature.span.start >= contents.start || signature.span.end > end {
        return Err(Finding::DictionaryNotCovered);
    }
    let revision_index = document
        .revision_ending_at(end)
        .ok_or(Finding::RangeEndsInsideRevision { end: end as u64 })?;
    // Later sections may repeat the entry, but the signed state must show this very dictionary.
    if !document.shows_signature_at(signature, revision_index) {
        return Err(Finding::SignatureFromOtherRevision);
    }
    let revisions = document.revisions().len();
    let coverage = if revision_index + 1 < revisions {
        Coverage::WholeRevision {
            revision: revision_index + 1,
            revisions,
        }
    } else if end < file_length {
        return Err(Finding::BytesAfterLastRevision {
            count: (file_length - end) as u64,
        });
    } else {
        Coverage::WholeFile
    };
    Ok(SignedRanges {
        first_end,
        second: second_start..end,
        revision_index,
        coverage,
    })
}
