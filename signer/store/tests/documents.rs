//! The document folder: what is committed stays, what is not is gone.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::fs;
use std::path::Path;

use yinxin_store::{DocumentFolder, DocumentSpool, FolderError, StoredDocument};

/// SHA-256 of "abc" (FIPS 180-4, example).
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn commit(folder: &DocumentFolder, pieces: &[&[u8]]) -> StoredDocument {
    let mut spool = DocumentSpool::new(folder, false, 0, 1_000);
    for piece in pieces {
        spool.append(piece).unwrap();
    }
    commit_as_hashed(spool).unwrap()
}

/// Under the digest that an honest self-check finds, too.
fn commit_as_hashed(spool: DocumentSpool) -> Result<StoredDocument, FolderError> {
    let sha256 = spool.digests().sha256();
    spool.commit(sha256)
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_document_stands_under_its_digest_and_is_read_back() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let stored = commit(&folder, &[b"a", b"", b"bc"]);
    assert_eq!(stored.length, 3);
    let place = root.path().join("ba7").join(format!("{ABC}.pdf"));
    assert_eq!(fs::read(place).unwrap(), b"abc");
    assert_eq!(&*folder.get(&stored.sha256).unwrap(), b"abc");
    assert_eq!(files_in(&root.path().join("tmp")), 0);
}

#[test]
fn a_tail_is_added_behind_what_was_mapped() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let mut spool = DocumentSpool::new(&folder, false, 0, 1_000);
    spool.append(b"a").unwrap();
    assert_eq!(&*spool.map().unwrap(), b"a");
    let before = spool.digests().clone();
    spool.append(b"bc").unwrap();
    assert_eq!(&*spool.map().unwrap(), b"abc");
    assert_eq!((before.length(), spool.length()), (1, 3));
    let expected = before
        .digest(yinxin_pki::DigestAlgorithm::Sha256, &[b"b", b"c"])
        .unwrap();
    let stored = commit_as_hashed(spool).unwrap();
    assert_eq!(stored.sha256.as_slice(), expected);
}

#[test]
fn the_same_document_twice_is_one_document() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let first = commit(&folder, &[b"abc"]);
    let mapped = folder.get(&first.sha256).unwrap();
    assert_eq!(commit(&folder, &[b"ab", b"c"]), first);
    assert_eq!(&*mapped, b"abc");
    assert_eq!(files_in(&root.path().join("ba7")), 1);
}

#[test]
fn a_short_document_is_given_back_and_makes_no_file() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    for (pieces, is_short) in [
        (&[] as &[&[u8]], true),
        (&[b"a"], true),
        (&[b"a", b"bc"], true),
        (&[b"abc"], true),
        (&[b"abc", b"d"], false),
        (&[b"abcd"], false),
        (&[b"", b"ab", b"cd", b"ef"], false),
    ] {
        let whole = pieces.concat();
        let mut spool = DocumentSpool::new(&folder, true, 3, 1_000);
        for piece in pieces {
            spool.append(piece).unwrap();
        }
        assert_eq!(&*spool.map().unwrap(), whole);
        assert_eq!(files_in(&root.path().join("tmp")), usize::from(!is_short));
        for algorithm in yinxin_pki::DigestAlgorithm::ALL {
            let digest = spool.digests().digest(algorithm, &[]).unwrap();
            assert_eq!(digest, algorithm.digest(&whole));
        }
        let stored = commit_as_hashed(spool).unwrap();
        assert_eq!(stored.length, whole.len() as u64);
        assert_eq!(stored.short.is_some(), is_short);
        match stored.short {
            Some(bytes) => assert_eq!(&*bytes, whole),
            None => assert_eq!(&*folder.get(&stored.sha256).unwrap(), whole),
        }
    }
}

#[test]
fn a_long_document_that_is_not_what_was_written_is_refused_and_gone() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let mut spool = DocumentSpool::new(&folder, true, 0, 1_000);
    spool.append(b"a").unwrap();
    spool.append_last(b"bc").unwrap();
    let other = yinxin_pki::DigestAlgorithm::Sha256.digest(b"abd");
    let refused = spool.commit(other.try_into().unwrap());
    assert!(matches!(refused, Err(FolderError::Changed)));
    assert_eq!(files_in(&root.path().join("tmp")), 0);
}

#[test]
fn the_last_bytes_of_a_document_are_kept_like_all_others() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let sha256 = yinxin_pki::DigestAlgorithm::Sha256.digest(b"abc");
    for short_bytes_max in [0, 2, 3] {
        let mut spool = DocumentSpool::new(&folder, true, short_bytes_max, 1_000);
        spool.append(b"ab").unwrap();
        spool.append_last(b"c").unwrap();
        assert_eq!(&*spool.map().unwrap(), b"abc");
        let stored = spool.commit(sha256.clone().try_into().unwrap()).unwrap();
        assert_eq!(stored.short.is_some(), short_bytes_max == 3);
        match stored.short {
            Some(bytes) => assert_eq!(bytes, "abc"),
            None => assert_eq!(&*folder.get(&stored.sha256).unwrap(), b"abc"),
        }
    }
}

#[test]
fn a_document_that_was_not_committed_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let mut spool = DocumentSpool::new(&folder, false, 0, 1_000);
    spool.append(b"abc").unwrap();
    assert_eq!(files_in(&root.path().join("tmp")), 1);
    drop(spool);
    assert_eq!(files_in(&root.path().join("tmp")), 0);
}

#[test]
fn what_a_crash_left_half_written_is_cleared_at_open_and_documents_stay() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let stored = commit(&folder, &[b"abc"]);
    drop(folder);
    fs::write(root.path().join("tmp").join("left.part"), b"half").unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    assert_eq!(files_in(&root.path().join("tmp")), 0);
    assert_eq!(&*folder.get(&stored.sha256).unwrap(), b"abc");
}

#[test]
fn a_folder_in_use_is_refused_and_its_uploads_are_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let mut spool = DocumentSpool::new(&folder, false, 0, 1_000);
    spool.append(b"abc").unwrap();
    let error = DocumentFolder::open(root.path()).unwrap_err();
    assert!(matches!(error, FolderError::InUse { .. }), "{error}");
    commit_as_hashed(spool).unwrap();
}

#[test]
fn a_document_above_the_limit_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let mut spool = DocumentSpool::new(&folder, false, 0, 3);
    spool.append(b"abc").unwrap();
    let error = spool.append(b"d").unwrap_err();
    assert!(matches!(error, FolderError::TooLong { max: 3 }), "{error}");
}

#[test]
fn a_missing_document_is_named() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    let error = folder.get(&[0xab; 32]).unwrap_err();
    assert!(matches!(error, FolderError::Missing { .. }));
    assert!(error.to_string().contains(&"ab".repeat(32)), "{error}");
}

#[test]
fn documents_committed_at_once_all_stand() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let folder = folder.clone();
            scope.spawn(move || {
                for index in 0..20_u8 {
                    let bytes = [thread, index];
                    let stored = commit(&folder, &[&bytes]);
                    assert_eq!(&*folder.get(&stored.sha256).unwrap(), &bytes);
                }
            });
        }
    });
}

#[test]
fn a_long_document_is_read_back_while_it_grows_and_a_short_one_is_not() {
    let root = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::open(root.path()).unwrap();
    for (pieces, piece_bytes, is_read_back) in [
        (0, 1, false),
        (3, 1_000, false),
        (90, 70_001, true),
        (1, 3_000_000, true),
    ] {
        let mut spool = DocumentSpool::new(&folder, true, 0, 10_000_000);
        let piece: Vec<u8> = (0..piece_bytes).map(|at| (at % 253) as u8).collect();
        spool
            .append_all(std::iter::repeat_n(&piece, pieces))
            .unwrap();
        let length = (pieces * piece_bytes) as u64;
        assert_eq!(spool.length(), length);
        assert_eq!(spool.digests().length(), length);
        let expected = if is_read_back { length } else { 0 };
        assert_eq!(
            spool.read_back().length(),
            expected,
            "{pieces} x {piece_bytes}"
        );
        let whole = piece.repeat(pieces);
        assert_eq!(&*spool.map().unwrap(), whole);
        for algorithm in yinxin_pki::DigestAlgorithm::ALL {
            let digest = spool.digests().digest(algorithm, &[]).unwrap();
            assert_eq!(digest, algorithm.digest(&whole));
        }
    }
}
