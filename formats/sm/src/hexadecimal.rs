//! Hexadecimal for constants and for `Debug`.

/// 32 bytes from 64 hexadecimal digits, while compiling.
///
/// # Panics
/// When there are not exactly 64 digits; a constant then does not compile.
#[expect(
    clippy::indexing_slicing,
    reason = "runs while compiling; a wrong constant must not build"
)]
pub(crate) const fn bytes32(digits: &str) -> [u8; 32] {
    let digits = digits.as_bytes();
    assert!(digits.len() == 64, "32 bytes are 64 digits");
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = digit(digits[at * 2]) << 4 | digit(digits[at * 2 + 1]);
        at += 1;
    }
    bytes
}

#[expect(clippy::panic, reason = "runs while compiling")]
const fn digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'F' => digit - b'A' + 10,
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("not a hexadecimal digit"),
    }
}

/// Lower-case digits of `bytes`.
pub(crate) struct Hexadecimal<'a>(pub(crate) &'a [u8]);

impl std::fmt::Debug for Hexadecimal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
