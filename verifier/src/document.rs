//! A whole document: its signatures found, grouped, judged, and summed up.

use std::collections::{BTreeMap, BTreeSet};

use yinxin_pdf::{Document, ObjectId, PdfError, SignatureDictionary, SignatureField};
use yinxin_pki::DigestAlgorithm;

use crate::changes::Background;
use crate::container::{Container, Surroundings, container_sha256};
use crate::coverage::{SignedRanges, judge_coverage};
use crate::digests::{Covered, HashedStart, digest_all};
use crate::escape::escape;
use crate::finding::{Finding, Steps, failed, passed, passed_with, unclear, warning};
use crate::report::{
    ChangeVerdict, ChangesAfter, DocumentFacts, Indication, RemovedSignatures, Report,
    SignatureReport, StepId, SubIndication,
};
use crate::seal_status::Sha256;
use crate::{CannotLook, Options, Trust, changes, pdf_date};

/// The /SubFilter of PAdES baseline (EN 319 142-1, 6.3), which asks for the signer's certificate in
/// a signed attribute.
const PADES: &str = "ETSI.CAdES.detached";

/// Older states that are searched for signatures no longer shown, half of them the newest, half the
/// oldest: a document without a signature is not worth more.
const STATES_LOOKED_AT: usize = 16;

/// Verifies a document.
///
/// # Errors
/// [`CannotLook`] when the document cannot be read strictly (damaged, encrypted, over a limit).
/// Whatever is wrong with a signature is in the report.
pub fn verify(document: &[u8], trust: &Trust, options: &Options) -> Result<Report, CannotLook> {
    verify_from(&HashedStart::new(false), document, trust, options)
}

/// Verifies a document whose first bytes have been hashed while the rest was not there yet.
///
/// `start` must have taken exactly the document's first bytes, which is for the caller to see to:
/// from others, every digest comes out wrong, and no signature passes.
///
/// # Errors
/// As [`verify`].
pub fn verify_from(
    start: &HashedStart,
    document: &[u8],
    trust: &Trust,
    options: &Options,
) -> Result<Report, CannotLook> {
    let document = Document::open(document, options.limits.clone())?;
    let places = document.signature_fields()?;
    let mut candidates: Vec<Candidate> = group(&places)
        .into_iter()
        .map(|group| Candidate::read(&document, group))
        .collect();

    let (owners, requests) = digest_requests(&candidates);
    let digests = digest_all(document.bytes(), start, &requests);
    for (owner, digest) in owners.into_iter().zip(digests.covered) {
        if let Some(candidate) = candidates.get_mut(owner) {
            candidate.digest = digest;
        }
    }

    candidates.sort_by_key(|candidate| candidate.order);
    note_overlaps(&mut candidates);
    let background = background(&document, &candidates);
    let signatures: Vec<SignatureReport> = candidates
        .into_iter()
        .map(|candidate| candidate.judge(&document, background.as_ref(), trust, options))
        .collect();
    let (indication, sub_indication) = worst(&signatures);
    Ok(Report {
        indication,
        sub_indication,
        verified_at: options.at,
        document: DocumentFacts {
            length: document.bytes().len() as u64,
            sha256: Sha256(digests.sha256),
            revisions: document.revisions().len(),
            pages: document.page_count().ok(),
        },
        removed_signatures: signatures
            .is_empty()
            .then(|| removed_signatures(&document))
            .flatten(),
        signatures,
        empty_fields: empty_fields(&places),
    })
}

/// Looks for signatures in older states of a document that shows none, newest first.
fn removed_signatures(document: &Document<'_>) -> Option<RemovedSignatures> {
    let older = document.revisions().split_last()?.1;
    let (oldest, newer) = older.split_at(older.len().min(STATES_LOOKED_AT / 2));
    let newest = newer.iter().rev().take(STATES_LOOKED_AT / 2);
    newest.chain(oldest.iter().rev()).find_map(|revision| {
        let bytes = document.bytes().get(..revision.end)?;
        // A state that cannot be read shows nothing to anybody.
        let state = Document::open(bytes, document.limits().clone()).ok()?;
        let mut fields: Vec<String> = Vec::new();
        for place in state.signature_fields().ok()? {
            let name = escape(&place.name);
            if place.value.is_some() && !fields.contains(&name) {
                fields.push(name);
            }
        }
        let revision = revision.index + 1;
        (!fields.is_empty()).then_some(RemovedSignatures { revision, fields })
    })
}

/// The indication of the whole document: that of its worst signature.
fn worst(signatures: &[SignatureReport]) -> (Indication, Option<SubIndication>) {
    signatures
        .iter()
        .map(|signature| (signature.indication, signature.sub_indication))
        .max()
        .unwrap_or((Indication::Indeterminate, Some(SubIndication::NoSignature)))
}

fn empty_fields(places: &[SignatureField]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for place in places
        .iter()
        .filter(|place| place.value.is_none() && place.problem.is_none())
    {
        let name = escape(&place.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// One signature and the fields that show it: a seam stamp is one signature in many places.
struct Group {
    /// `None` when the field's value is no reference, so that there is nothing to read.
    signature: Option<ObjectId>,
    problem: Option<String>,
    fields: Vec<String>,
    page_numbers: BTreeSet<usize>,
    /// Where it is shown: page number and rectangle.
    shown: Vec<(usize, [f64; 4])>,
}

/// Groups the places by the signature dictionary they refer to, in the order of the form.
fn group(places: &[SignatureField]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_signature: BTreeMap<ObjectId, usize> = BTreeMap::new();
    for place in places {
        if place.value.is_none() && place.problem.is_none() {
            continue;
        }
        let known = place.value.and_then(|id| by_signature.get(&id).copied());
        let index = known.unwrap_or_else(|| {
            groups.push(Group {
                signature: place.value,
                problem: place.problem.map(|problem| problem.to_string()),
                fields: Vec::new(),
                page_numbers: BTreeSet::new(),
                shown: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(id) = place.value {
            by_signature.insert(id, index);
        }
        if let Some(group) = groups.get_mut(index) {
            let name = escape(&place.name);
            if !group.fields.contains(&name) {
                group.fields.push(name);
            }
            if let Some(page_index) = place.page_index {
                let page_number = page_index + 1;
                group.page_numbers.insert(page_number);
                group
                    .shown
                    .extend(place.rect.map(|rectangle| (page_number, rectangle)));
            }
        }
    }
    groups
}

/// A signature under judgement.
struct Candidate {
    group: Group,
    steps: Steps,
    dictionary: Option<SignatureDictionary>,
    ranges: Option<SignedRanges>,
    container: Option<Container>,
    digest: Option<Vec<u8>>,
    /// Oldest first: by where the covered bytes end, else last.
    order: (usize, Option<ObjectId>),
}

impl Candidate {
    /// Reads dictionary, ranges and container; nothing is hashed yet.
    fn read(document: &Document<'_>, group: Group) -> Self {
        let mut steps = Steps::default();
        let read = group.signature.map(|id| document.signature(id));
        let dictionary = match read {
            Some(Ok(dictionary)) => Some(dictionary),
            Some(Err(error)) => {
                steps.note(
                    StepId::Format,
                    dictionary_broken(error.reason(), error.to_string()),
                );
                None
            }
            None => {
                let message = group.problem.clone().unwrap_or_default();
                steps.note(
                    StepId::Format,
                    dictionary_broken("PDF_SIGNATURE_SHAPE", message),
                );
                None
            }
        };
        let mut ranges = None;
        let mut container = None;
        if let Some(dictionary) = &dictionary {
            ranges = judge_coverage(document, dictionary, &mut steps);
            container = Container::read(&dictionary.contents_bytes, &mut steps);
        }
        let end = ranges
            .as_ref()
            .map_or(usize::MAX, |ranges| ranges.second.end);
        let order = (end, group.signature);
        Self {
            group,
            steps,
            dictionary,
            ranges,
            container,
            digest: None,
            order,
        }
    }

    fn judge(
        mut self,
        document: &Document<'_>,
        background: Result<&Background, &PdfError>,
        trust: &Trust,
        options: &Options,
    ) -> SignatureReport {
        let mut report = SignatureReport::empty();
        report.fields = self.group.fields;
        report.page_numbers = self.group.page_numbers.into_iter().collect();
        if let Some(ranges) = &self.ranges {
            report.coverage = Some(ranges.coverage);
            let certifies = self
                .dictionary
                .as_ref()
                .and_then(|dictionary| dictionary.doc_mdp_permissions);
            report.changes_after = judge_changes(
                document,
                background,
                ranges,
                certifies == Some(1),
                &mut self.steps,
            );
        }
        if let (Some(container), Some(dictionary)) = (&self.container, &self.dictionary) {
            let surroundings = Surroundings {
                trust,
                options,
                digest: self.digest,
                container_sha256: container_sha256(&dictionary.contents_bytes, trust),
                covers_nothing: self
                    .ranges
                    .as_ref()
                    .is_some_and(|ranges| ranges.first_end == 0 && ranges.second.is_empty()),
                dictionary_time: dictionary
                    .signing_time_text
                    .as_deref()
                    .and_then(pdf_date::parse),
                wants_certificate_attribute: dictionary.sub_filter.as_deref() == Some(PADES),
            };
            report.kind = container.kind();
            report.sub_filter = dictionary.sub_filter.as_deref().map(escape);
            report.take(container.judge(&surroundings, &mut self.steps));
        }
        report.conclude(self.steps);
        report
    }
}

fn dictionary_broken(reason: &'static str, message: String) -> crate::finding::Judgement {
    let message = escape(&message);
    failed(
        SubIndication::FormatFailure,
        Finding::SignatureDictionaryBroken { reason, message },
    )
}

/// Which candidates need a digest, and of what.
fn digest_requests(candidates: &[Candidate]) -> (Vec<usize>, Vec<Covered>) {
    let mut owners = Vec::new();
    let mut requests = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let algorithm: Option<DigestAlgorithm> = candidate
            .container
            .as_ref()
            .and_then(Container::digest_algorithm);
        if let (Some(ranges), Some(algorithm)) = (&candidate.ranges, algorithm) {
            owners.push(index);
            requests.push(Covered {
                first_end: ranges.first_end,
                second: ranges.second.clone(),
                algorithm,
            });
        }
    }
    (owners, requests)
}

/// Notes where a later signature is shown over an earlier one. `candidates` are in their order.
fn note_overlaps(candidates: &mut [Candidate]) {
    for later_index in 1..candidates.len() {
        let (earlier, later) = candidates.split_at_mut(later_index);
        let Some(later) = later.first() else { continue };
        for candidate in earlier {
            let shown = &candidate.group.shown;
            let covered = later.group.shown.iter().find(|(page_number, rectangle)| {
                shown
                    .iter()
                    .any(|(page, below)| page == page_number && overlap(below, rectangle))
            });
            if let (Some((page_number, _)), Some(field)) = (covered, later.group.fields.first()) {
                let finding = Finding::CoveredByLater {
                    field: field.clone(),
                    page_number: *page_number,
                };
                candidate.steps.note(StepId::ChangesAfter, warning(finding));
            }
        }
    }
}

/// Whether two rectangles (left, bottom, right, top) share an area.
fn overlap(one: &[f64; 4], other: &[f64; 4]) -> bool {
    let [left, bottom, right, top] = one;
    let [other_left, other_bottom, other_right, other_top] = other;
    left < other_right && other_left < right && bottom < other_top && other_bottom < top
}

/// Reads once what all comparisons need. Without a signature that something follows, nothing is
/// read.
fn background(document: &Document<'_>, candidates: &[Candidate]) -> Result<Background, PdfError> {
    let newest = document.revisions().len().saturating_sub(1);
    let oldest = candidates
        .iter()
        .filter_map(|candidate| Some(candidate.ranges.as_ref()?.revision_index))
        .min();
    match oldest {
        Some(oldest) if oldest < newest => Background::read(document, oldest),
        Some(_) | None => Ok(Background::default()),
    }
}

/// Compares the covered state with the present one.
fn judge_changes(
    document: &Document<'_>,
    background: Result<&Background, &PdfError>,
    ranges: &SignedRanges,
    forbids_more: bool,
    steps: &mut Steps,
) -> Option<ChangesAfter> {
    let id = StepId::ChangesAfter;
    if ranges.revision_index + 1 == document.revisions().len() {
        steps.note(id, passed());
        let pages = document.page_count().ok();
        return Some(ChangesAfter {
            verdict: ChangeVerdict::None,
            later_fields: Vec::new(),
            allowed: Vec::new(),
            unexplained: Vec::new(),
            unexplained_count: 0,
            pages_before: pages,
            pages_after: pages,
        });
    }
    let covered = document
        .bytes()
        .get(..ranges.second.end)
        .unwrap_or_default();
    let compared = background.map_err(Clone::clone).and_then(|background| {
        let signed = Document::open(covered, document.limits().clone())?;
        changes::compare(&signed, document, background, forbids_more)
    });
    match compared {
        Ok(changes) => {
            steps.note(
                id,
                match changes.verdict {
                    ChangeVerdict::None => passed(),
                    ChangeVerdict::LaterSignatures => passed_with(Finding::LaterSignatures {
                        fields: changes.later_fields.clone(),
                    }),
                    ChangeVerdict::LaterAdditions => warning(Finding::LaterAdditions),
                    ChangeVerdict::Changed => failed(
                        SubIndication::FormatFailure,
                        Finding::ChangedAfterSigning {
                            count: changes.unexplained_count,
                        },
                    ),
                    ChangeVerdict::Undetermined => unclear(
                        SubIndication::Generic,
                        Finding::ComparisonNotPossible {
                            message: String::new(),
                        },
                    ),
                },
            );
            Some(changes)
        }
        Err(error) => {
            let is_limit = matches!(error, PdfError::LimitExceeded { .. });
            let finding = Finding::ComparisonNotPossible {
                message: escape(&error.to_string()),
            };
            steps.note(
                id,
                if is_limit {
                    unclear(SubIndication::Generic, finding)
                } else {
                    failed(SubIndication::FormatFailure, finding)
                },
            );
            Some(ChangesAfter {
                verdict: ChangeVerdict::Undetermined,
                later_fields: Vec::new(),
                allowed: Vec::new(),
                unexplained: Vec::new(),
                unexplained_count: 0,
                pages_before: None,
                pages_after: None,
            })
        }
    }
}
