//! A pool of prepared nonces and a real fork: parent and child share none, even when the source of
//! randomness gives both the same bytes.
//!
//! A program of its own without the test harness, so that nothing else runs when it forks.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

#[cfg(unix)]
mod common;

#[cfg(not(unix))]
fn main() {
    eprintln!("SKIPPED: there is no fork on this system");
}

#[cfg(unix)]
fn main() {
    a_child_shares_no_nonce_with_its_parent();
}

#[cfg(unix)]
fn a_child_shares_no_nonce_with_its_parent() {
    use std::{
        collections::HashSet,
        io::{Read as _, Write as _},
        sync::Arc,
    };
    use yinxin_sm::{SecretKey, SigningContext};

    const DIGEST: [u8; 32] = [9; 32];
    let mut entropy = common::replayed(1);
    let context = SigningContext::new(Arc::new(SecretKey::from_bytes(&[3; 32]).unwrap()));
    context.prepare(&mut entropy).unwrap();
    let prepared = context.ready();
    assert!(prepared > 0);

    let (mut from_child, mut to_parent) = std::io::pipe().unwrap();
    #[expect(unsafe_code, reason = "the standard library has no fork")]
    // SAFETY: this program has one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(from_child);
        // With the pool of the parent this would not ask for randomness.
        assert_eq!(context.ready(), 0, "the child kept its parent's nonces");
        for _ in 0..prepared {
            let signature = context.sign_digest(&DIGEST, &mut entropy).unwrap();
            to_parent.write_all(&signature.to_raw()).unwrap();
        }
        std::process::exit(0);
    }
    assert!(child > 0, "fork failed");
    drop(to_parent);
    let mut bytes = Vec::new();
    from_child.read_to_end(&mut bytes).unwrap();
    let mut status = 0;
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: `status` is where the answer goes.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0), "the child failed");

    // All of the parent's pool, and a batch from the same random bytes as the child's.
    let mut seen = HashSet::new();
    for _ in 0..2 * prepared {
        let signature = context.sign_digest(&DIGEST, &mut entropy).unwrap();
        assert!(seen.insert(signature.to_raw()[..32].to_vec()));
    }
    assert_eq!(bytes.len(), prepared * 64);
    for signature in bytes.chunks_exact(64) {
        // The same digest with the same nonce gives the same r.
        assert!(
            seen.insert(signature[..32].to_vec()),
            "parent and child used the same nonce"
        );
    }
}
