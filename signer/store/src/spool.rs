//! A document that grows: the upload, then the tail of each signature.
//!
//! A short one stays in memory: the record will keep it, and no file is made for it. As soon as it
//! is longer than that, it is a file of the document folder.

use std::fs::File;
use std::ops::Deref;
use std::sync::mpsc::sync_channel;
use std::thread;

use bytes::Bytes;
use tempfile::TempPath;
use yinxin_signer::prefix::PrefixDigests;
use yinxin_spool::{Mapped, Spool};
use yinxin_verifier::HashedStart;

use crate::folder::{DocumentFolder, FolderError, io};
use crate::read_back::follow;

/// From this length on, the threads cost less than they save.
const BESIDE_BYTES_MIN: u64 = 1024 * 1024;

/// How many pieces the self-check's reader may lag behind.
const LENGTHS_WAITING: usize = 256;

/// A document whose bytes will not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub length: u64,
    /// A short document's bytes, for the record to keep; others are in the folder, durably.
    pub short: Option<Bytes>,
}

/// A document that is still growing, and is hashed while it grows. Dropped without
/// [`DocumentSpool::commit`], it is gone.
#[derive(Debug)]
pub struct DocumentSpool {
    folder: DocumentFolder,
    kept: Kept,
    bytes_max: u64,
    digests: PrefixDigests,
    read_back: HashedStart,
}

#[derive(Debug)]
enum Kept {
    Short { bytes: Vec<u8>, bytes_max: u64 },
    InFile { spool: Spool, path: TempPath },
}

/// The bytes of a document that is still growing.
#[derive(Debug)]
pub enum GrownSoFar<'a> {
    /// In memory.
    Short(&'a [u8]),
    /// In its file.
    InFile(Mapped),
}

impl Deref for GrownSoFar<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::InFile(mapped) => mapped,
        }
    }
}

impl DocumentSpool {
    /// A new, empty document of at most `bytes_max` bytes that stays in memory up to
    /// `short_bytes_max`. SHA-256 is taken of it as it grows, SM3 if asked.
    #[must_use]
    pub fn new(
        folder: &DocumentFolder,
        with_sm3: bool,
        short_bytes_max: u64,
        bytes_max: u64,
    ) -> Self {
        Self {
            folder: folder.clone(),
            kept: Kept::Short {
                bytes: Vec::new(),
                bytes_max: short_bytes_max,
            },
            bytes_max,
            digests: PrefixDigests::new(with_sm3),
            read_back: HashedStart::new(with_sm3),
        }
    }

    /// Adds and hashes the next bytes: a chunk of the upload, later a signature's tail.
    ///
    /// # Errors
    /// [`FolderError::TooLong`]; [`FolderError::Io`], after which the spool must be dropped.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FolderError> {
        self.keep(bytes)?;
        self.digests.update(bytes);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), FolderError> {
        // A slice is never longer than u64::MAX, so the sum can only fail past the limit.
        let length = self.length().saturating_add(bytes.len() as u64);
        if length > self.bytes_max {
            return Err(FolderError::TooLong {
                max: self.bytes_max,
            });
        }
        if let Kept::Short {
            bytes: before,
            bytes_max,
        } = &self.kept
            && length > *bytes_max
        {
            let (mut spool, path) = self.folder.grow(self.bytes_max)?;
            spool.append(before)?;
            self.kept = Kept::InFile { spool, path };
        }
        match &mut self.kept {
            Kept::Short { bytes: before, .. } => before.extend_from_slice(bytes),
            Kept::InFile { spool, .. } => spool.append(bytes)?,
        }
        Ok(())
    }

    /// As [`DocumentSpool::append`], for bytes after which nothing is signed any more. Of a short
    /// document they are not hashed, of a long one only with SHA-256.
    ///
    /// # Errors
    /// As [`DocumentSpool::append`].
    pub fn append_last(&mut self, bytes: &[u8]) -> Result<(), FolderError> {
        self.keep(bytes)?;
        if let Kept::InFile { .. } = self.kept {
            self.digests.end_sm3();
            self.digests.update(bytes);
        }
        Ok(())
    }

    /// Whether the next `more` bytes need the disk.
    #[must_use]
    pub fn needs_disk_for(&self, more: usize) -> bool {
        match &self.kept {
            Kept::Short { bytes, bytes_max } => {
                bytes.len().saturating_add(more) as u64 > *bytes_max
            }
            Kept::InFile { .. } => true,
        }
    }

    /// Adds and hashes pieces as they arrive, until there are no more. A long document is hashed
    /// on several threads and is read back for the self-check at the same time.
    ///
    /// # Errors
    /// As [`DocumentSpool::append`].
    pub fn append_all<P>(&mut self, mut pieces: impl Iterator<Item = P>) -> Result<(), FolderError>
    where
        P: AsRef<[u8]> + Clone + Send,
    {
        while let Some(piece) = pieces.next() {
            self.append(piece.as_ref())?;
            if self.length() >= BESIDE_BYTES_MIN
                && let Kept::InFile { spool, .. } = &mut self.kept
            {
                return append_beside(spool, &mut self.digests, &mut self.read_back, pieces);
            }
        }
        Ok(())
    }

    /// What can make the bytes so far durable beside other work, so that
    /// [`DocumentSpool::commit`], which syncs them all the same, has less to wait for. Nothing for
    /// a short document.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn flusher(&self) -> Result<Option<Flusher>, FolderError> {
        match &self.kept {
            Kept::Short { .. } => Ok(None),
            Kept::InFile { spool, .. } => {
                let file = spool.file().try_clone();
                Ok(Some(Flusher(file.map_err(io("syncing a document"))?)))
            }
        }
    }

    /// The bytes so far, without a copy.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn map(&self) -> Result<GrownSoFar<'_>, FolderError> {
        match &self.kept {
            Kept::Short { bytes, .. } => Ok(GrownSoFar::Short(bytes)),
            Kept::InFile { spool, .. } => Ok(GrownSoFar::InFile(spool.map()?)),
        }
    }

    /// Running digests over exactly the bytes so far, but for those of
    /// [`DocumentSpool::append_last`].
    #[must_use]
    pub fn digests(&self) -> &PrefixDigests {
        &self.digests
    }

    /// What the verifier has hashed of the document so far: of one under a megabyte nothing.
    #[must_use]
    pub fn read_back(&self) -> &HashedStart {
        &self.read_back
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        match &self.kept {
            Kept::Short { bytes, .. } => bytes.len() as u64,
            Kept::InFile { spool, .. } => spool.length(),
        }
    }

    /// Ends the growing. A short document is given back for the record to keep; another is put in
    /// its place in the folder, durably. `sha256` is its name: SHA-256 as the self-check has taken
    /// it of the whole, which for a long document must agree with that of the bytes as they came.
    ///
    /// # Errors
    /// [`FolderError::Changed`]; [`FolderError::Io`]: then it must count as not stored.
    pub fn commit(self, sha256: [u8; 32]) -> Result<StoredDocument, FolderError> {
        let length = self.length();
        let short = match self.kept {
            Kept::Short { bytes, .. } => Some(bytes.into()),
            Kept::InFile { spool, path } => {
                if self.digests.sha256() != sha256 {
                    return Err(FolderError::Changed);
                }
                self.folder.place(spool.file(), path, &sha256)?;
                None
            }
        };
        Ok(StoredDocument {
            sha256,
            length,
            short,
        })
    }
}

fn append_beside<P>(
    spool: &mut Spool,
    digests: &mut PrefixDigests,
    read_back: &mut HashedStart,
    pieces: impl Iterator<Item = P>,
) -> Result<(), FolderError>
where
    P: AsRef<[u8]> + Clone + Send,
{
    let file = spool.file().try_clone();
    let file = file.map_err(io("reading a document back"))?;
    let (lengths, written) = sync_channel(LENGTHS_WAITING);
    thread::scope(|scope| {
        let reading = scope.spawn(move || follow(&file, read_back, written));
        let appended = digests.update_all(|take| {
            // The reader stops early only when it has failed, and then it says why.
            let _ = lengths.send(spool.length());
            for piece in pieces {
                spool.append(piece.as_ref())?;
                let _ = lengths.send(spool.length());
                take(piece);
            }
            Ok(())
        });
        drop(lengths);
        let read = match reading.join() {
            Ok(read) => read.map_err(io("reading a document back")),
            Err(panic) => std::panic::resume_unwind(panic),
        };
        appended.and(read)
    })
}

/// A growing document's file, to be flushed from another thread.
#[derive(Debug)]
pub struct Flusher(File);

impl Flusher {
    /// Has the disk take what was written.
    ///
    /// # Errors
    /// [`FolderError::Io`]: the spool must be dropped. The system reports a failed write once
    /// (fsync(2)), so a commit after it could succeed without the bytes.
    pub fn flush(self) -> Result<(), FolderError> {
        self.0.sync_data().map_err(io("syncing a document"))
    }
}
