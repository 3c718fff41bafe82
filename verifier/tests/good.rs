//! Documents as they should be: what the report says of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use support::{PROFILES, Profile, check, code, expect, plain_pdf, request, seal, seal_in};
use yinxin_pdf::{Placement, SignatureRequest};
use yinxin_verifier::{ChangeVerdict, Coverage, Indication, Language, StepId, SubIndication};

#[test]
fn a_document_sealed_once_passes_in_every_profile() {
    for profile in PROFILES {
        let report = check(&seal(&plain_pdf(), profile));
        assert_eq!(report.signatures.len(), 1, "{profile:?}");
        let signature = &report.signatures[0];
        expect(
            &format!("{profile:?}"),
            signature,
            Indication::TotalPassed,
            None,
        );
        assert_eq!(signature.coverage, Some(Coverage::WholeFile));
        assert_eq!(signature.fields, ["Seal-1"]);
        assert_eq!(signature.page_numbers, [1]);
        assert_eq!(report.indication, Indication::TotalPassed);
        assert_eq!(report.document.pages, Some(2));
        assert_eq!(report.document.revisions, 2);
    }
}

#[test]
fn a_later_seal_leaves_the_earlier_one_valid() {
    for first in PROFILES {
        for second in [Profile::GmSeal, Profile::Rsa] {
            let what = format!("{first:?} then {second:?}");
            let report = check(&seal(&seal(&plain_pdf(), first), second));
            assert_eq!(report.indication, Indication::TotalPassed, "{what}");
            let [earlier, later] = report.signatures.as_slice() else {
                panic!("{what}")
            };
            assert_eq!(
                earlier.coverage,
                Some(Coverage::WholeRevision {
                    revision: 2,
                    revisions: 3
                })
            );
            let changes = earlier.changes_after.as_ref().unwrap();
            assert_eq!(
                changes.verdict,
                ChangeVerdict::LaterSignatures,
                "{changes:?}"
            );
            assert_eq!(changes.later_fields, ["Seal-2"]);
            assert_eq!(later.coverage, Some(Coverage::WholeFile));
            assert_eq!(
                later.changes_after.as_ref().unwrap().verdict,
                ChangeVerdict::None
            );
        }
    }
}

#[test]
fn a_later_seal_over_an_earlier_one_is_said() {
    let once = seal(&plain_pdf(), Profile::Rsa);
    let over = check(&seal(&once, Profile::GmSeal));
    expect("over", &over.signatures[0], Indication::TotalPassed, None);
    assert!(code(&over.signatures[0], StepId::ChangesAfter).contains("COVERED_BY_LATER"));
    assert!(!code(&over.signatures[1], StepId::ChangesAfter).contains("COVERED_BY_LATER"));
    let beside = SignatureRequest {
        placement: Placement::Visible {
            page_index: 0,
            x_mm: 20.0,
            y_mm: 20.0,
            width_mm: 40.0,
            height_mm: 40.0,
        },
        ..request()
    };
    let beside = check(&seal_in(&once, Profile::GmSeal, &beside));
    assert!(!code(&beside.signatures[0], StepId::ChangesAfter).contains("COVERED_BY_LATER"));
}

#[test]
fn a_document_without_signatures_is_indeterminate() {
    let report = check(&plain_pdf());
    assert_eq!(report.indication, Indication::Indeterminate);
    assert_eq!(report.sub_indication, Some(SubIndication::NoSignature));
    assert_eq!(report.removed_signatures, None);
    assert!(report.text(Language::English).starts_with("CANNOT TELL"));
    assert!(report.text(Language::Chinese).starts_with("无法判断"));
}

#[test]
fn the_same_input_gives_the_same_report() {
    let sealed = seal(&seal(&plain_pdf(), Profile::GmSeal), Profile::Rsa);
    assert_eq!(check(&sealed).to_json(), check(&sealed).to_json());
}

#[test]
fn the_words_name_signer_and_verdict_in_both_languages() {
    let report = check(&seal(&plain_pdf(), Profile::GmSeal));
    let chinese = report.text(Language::Chinese);
    assert!(chinese.starts_with("有效"), "{chinese}");
    assert!(chinese.contains("示例市民政局"), "{chinese}");
    assert!(chinese.contains("石排镇某村村民委员会"), "{chinese}");
    let english = report.text(Language::English);
    assert!(english.starts_with("VALID"), "{english}");
    assert!(english.contains("TOTAL-PASSED"), "{english}");
}

#[test]
#[ignore = "prints a report, to look at"]
fn print_a_report() {
    let sealed = seal(&seal(&plain_pdf(), Profile::GmSeal), Profile::Rsa);
    println!("{}", check(&sealed).text(Language::Chinese));
    println!("{}", check(&sealed).text(Language::English));
    println!("{}", check(&sealed).to_json());
    let changed = support::revise(&sealed, &[(5, "<</Length 0>>\nstream\n\nendstream")]);
    println!("{}", check(&changed).text(Language::Chinese));
    println!("{}", check(&changed).text(Language::English));
}
