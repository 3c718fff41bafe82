//! Each producer either makes its file or says why not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use yinxin_tests::peers::qpdf_check;
use yinxin_tests::producers::Producer;

#[test]
fn every_producer_makes_a_file_that_qpdf_can_read() {
    for producer in Producer::ALL {
        let Some(file) = producer.pdf() else { continue };
        let Some((code, complaints)) = qpdf_check(&file) else {
            return;
        };
        assert!(
            code == 0 || code == 3,
            "{}: {code} with {complaints}",
            producer.name()
        );
    }
}
