//! Pictures of seals as they are uploaded: SVG and PNG.
//!
//! The first byte chooses the declared size. Laws: what is taken is drawn within limits, twice the
//! same; a refusal has words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_signer::appearance::{PngPicture, VectorPicture};

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let side = f64::from(*size);
    match VectorPicture::read_svg(bytes, side, side) {
        Ok(picture) => {
            let drawing = picture.drawing("a seal");
            assert_eq!(drawing.appearance(), picture.drawing("a seal").appearance());
            assert!(drawing.svg().starts_with("<svg "));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match PngPicture::read(bytes.to_vec(), side, side) {
        Ok(picture) => {
            assert_eq!(picture.bytes(), bytes);
            let appearance = picture.appearance("a seal");
            assert!(appearance.image.is_some());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
