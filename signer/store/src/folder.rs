//! Documents by their SHA-256 in a local folder.
//!
//! ```text
//! <root>/lock             held by the one process that writes here
//! <root>/tmp/…            documents that are growing; emptied at open
//! <root>/abc/<64 hexadecimal digits>.pdf
//! ```
//! 4,096 folders: a hundred million documents are 25,000 in each, and every folder is soon there, so
//! that a new document costs the syncs of its file and of one folder.
//!
//! A document is written once: the upload grows in `tmp`, gets its tail there, is made
//! durable and renamed into place. It is never copied and never changed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tempfile::TempPath;
use yinxin_signer::prefix::PrefixDigests;
use yinxin_spool::{Mapped, Spool, SpoolError, map_file};
use yinxin_verifier::HashedStart;

use crate::lock::Lock;
use crate::read_back::follow;

/// How many digits of a document's digest name its folder.
const FOLDER_DIGITS: usize = 3;

/// From this length on, the threads cost less than they save.
const BESIDE_BYTES_MIN: u64 = 1024 * 1024;

/// How many pieces the self-check's reader may lag behind.
const LENGTHS_WAITING: usize = 256;

/// Why the folder did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The caller's move: the document is longer than permitted.
    #[error("the document has more than {max} bytes")]
    TooLong {
        /// The limit the spool was made with.
        max: u64,
    },
    /// The operator's move: two servers must not share a folder.
    #[error("another process is using the document folder {}", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The outside world's move: no such document. The record knew it, so it was lost or
    /// removed behind our back.
    #[error("the document {} is not in the folder", hexadecimal(sha256))]
    Missing {
        /// Which.
        sha256: [u8; 32],
    },
    /// Ours, or the disk's.
    #[error("the document folder failed while {doing}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl From<SpoolError> for FolderError {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::TooLong { max } => Self::TooLong { max },
            SpoolError::Io { doing, source } => Self::Io { doing, source },
        }
    }
}

fn io(doing: &'static str) -> impl FnOnce(io::Error) -> FolderError {
    move |source| FolderError::Io { doing, source }
}

/// A document that is in the folder, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its name: SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub length: u64,
}

/// The folder; cheap to clone.
#[derive(Clone, Debug)]
pub struct DocumentFolder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    tmp: PathBuf,
    /// Folders of documents whose names are known to be durable.
    durable: Mutex<HashSet<PathBuf>>,
    _lock: Lock,
}

impl DocumentFolder {
    /// Opens the folder, making it if need be, and clears away what a crash has left
    /// half-written.
    ///
    /// # Errors
    /// [`FolderError::InUse`]; [`FolderError::Io`].
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(root).map_err(io("making the folder"))?;
        let lock = Lock::take(&root.join("lock")).map_err(io("locking the folder"))?;
        let Some(lock) = lock else {
            return Err(FolderError::InUse {
                folder: root.to_owned(),
            });
        };
        let tmp = root.join("tmp");
        fs::create_dir_all(&tmp).map_err(io("making the folder"))?;
        for entry in fs::read_dir(&tmp).map_err(io("clearing half-written documents"))? {
            entry
                .and_then(|entry| fs::remove_file(entry.path()))
                .map_err(io("clearing half-written documents"))?;
        }
        let mut durable = HashSet::new();
        for entry in fs::read_dir(root).map_err(io("reading the folder"))? {
            durable.insert(entry.map_err(io("reading the folder"))?.path());
        }
        sync_folder(root)?;
        let durable = Mutex::new(durable);
        Ok(Self(Arc::new(Inner {
            root: root.to_owned(),
            tmp,
            durable,
            _lock: lock,
        })))
    }

    /// A new, empty document of at most `bytes_max` bytes that is hashed while it grows:
    /// with SHA-256 always, with SM3 if asked.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn spool(&self, with_sm3: bool, bytes_max: u64) -> Result<DocumentSpool, FolderError> {
        let (file, path) = tempfile::Builder::new()
            .suffix(".part")
            .tempfile_in(&self.0.tmp)
            .map_err(io("creating a file"))?
            .into_parts();
        let spool = Spool::over_new_file(file, bytes_max)?;
        Ok(DocumentSpool {
            folder: self.clone(),
            spool,
            path,
            digests: PrefixDigests::new(with_sm3),
            read_back: HashedStart::new(with_sm3),
        })
    }

    /// The bytes of a stored document.
    ///
    /// # Errors
    /// [`FolderError::Missing`]; [`FolderError::Io`].
    pub fn get(&self, sha256: &[u8; 32]) -> Result<Mapped, FolderError> {
        match map_file(&self.path(sha256)) {
            Ok(mapped) => Ok(mapped),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FolderError::Missing { sha256: *sha256 })
            }
            Err(error) => Err(io("reading a document")(error)),
        }
    }

    fn path(&self, sha256: &[u8; 32]) -> PathBuf {
        let name = hexadecimal(sha256);
        let (folder, _) = name.split_at(FOLDER_DIGITS);
        self.0.root.join(folder).join(name.clone() + ".pdf")
    }

    /// Makes a folder of documents, durably: its name is synced in the root.
    fn ensure_folder(&self, folder: &Path) -> Result<(), FolderError> {
        let durable = || {
            let durable = self.0.durable.lock();
            durable.unwrap_or_else(PoisonError::into_inner)
        };
        if durable().contains(folder) {
            return Ok(());
        }
        match fs::create_dir(folder) {
            Ok(()) => {}
            // Perhaps made a moment ago by another thread that has not synced it yet.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io("making a folder")(error)),
        }
        sync_folder(&self.0.root)?;
        durable().insert(folder.to_owned());
        Ok(())
    }
}

/// A document that is still growing. Dropped without [`DocumentSpool::commit`], it is gone.
#[derive(Debug)]
pub struct DocumentSpool {
    folder: DocumentFolder,
    spool: Spool,
    path: TempPath,
    digests: PrefixDigests,
    read_back: HashedStart,
}

impl DocumentSpool {
    /// Adds and hashes the next bytes: a chunk of the upload, later a signature's tail.
    ///
    /// # Errors
    /// [`FolderError::TooLong`]; [`FolderError::Io`], after which the spool must be dropped.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FolderError> {
        self.spool.append(bytes)?;
        self.digests.update(bytes);
        Ok(())
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
            if self.length() >= BESIDE_BYTES_MIN {
                return self.append_beside(pieces);
            }
        }
        Ok(())
    }

    fn append_beside<P>(&mut self, pieces: impl Iterator<Item = P>) -> Result<(), FolderError>
    where
        P: AsRef<[u8]> + Clone + Send,
    {
        let file = self.spool.file().try_clone();
        let file = file.map_err(io("reading a document back"))?;
        let (spool, digests, read_back) = (&mut self.spool, &mut self.digests, &mut self.read_back);
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

    /// What can make the bytes so far durable beside other work, so that
    /// [`DocumentSpool::commit`], which syncs them all the same, has less to wait for.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn flusher(&self) -> Result<Flusher, FolderError> {
        let file = self.spool.file().try_clone();
        Ok(Flusher(file.map_err(io("syncing a document"))?))
    }

    /// The bytes so far, without a copy; later ones are not in it.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn map(&self) -> Result<Mapped, FolderError> {
        Ok(self.spool.map()?)
    }

    /// Running digests over exactly the bytes so far.
    #[must_use]
    pub fn digests(&self) -> &PrefixDigests {
        &self.digests
    }

    /// What the verifier has hashed of the file so far: of a short document nothing.
    #[must_use]
    pub fn read_back(&self) -> &HashedStart {
        &self.read_back
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.spool.length()
    }

    /// Puts the document in its place, durably: file synced, renamed, folder synced.
    /// A document that is there already stays; the bytes are the same.
    ///
    /// # Errors
    /// [`FolderError::Io`]: then it must count as not stored.
    pub fn commit(self) -> Result<StoredDocument, FolderError> {
        let stored = StoredDocument {
            sha256: self.digests.sha256(),
            length: self.spool.length(),
        };
        let place = self.folder.path(&stored.sha256);
        let parent = place.parent().unwrap_or(&self.folder.0.root);
        self.spool
            .file()
            .sync_all()
            .map_err(io("syncing a document"))?;
        self.folder.ensure_folder(parent)?;
        self.path
            .persist(&place)
            .map_err(|failed| io("placing a document")(failed.error))?;
        sync_folder(parent)?;
        Ok(stored)
    }
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

/// Makes names that were added to a folder durable.
fn sync_folder(folder: &Path) -> Result<(), FolderError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io("syncing a folder"))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
