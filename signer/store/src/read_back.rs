//! Reads a growing document back for the self-check, while it is still growing.
//!
//! The signer's digests are taken of the bytes that came in, these of the bytes the system keeps:
//! a piece that was lost or misplaced in between makes the two differ, and nothing is released.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc::Receiver;

use yinxin_verifier::HashedStart;

/// How much is read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Hashes `file` into `start`, which has all before, up to each of the lengths that are sent.
pub(crate) fn follow(
    file: &File,
    start: &mut HashedStart,
    lengths: Receiver<u64>,
) -> io::Result<()> {
    let mut buffer = vec![0; PIECE_BYTES];
    for length in lengths {
        while let Some(left) = length.checked_sub(start.length()).filter(|left| *left > 0) {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
            let (piece, _) = buffer.split_at_mut(wanted);
            file.read_exact_at(piece, start.length())?;
            start.update(piece);
        }
    }
    Ok(())
}
