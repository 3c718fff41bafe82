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
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempPath;
use yinxin_spool::{Mapped, Spool, SpoolError, map_file};

use crate::lock::Lock;

/// How many digits of a document's digest name its folder.
const FOLDER_DIGITS: usize = 3;

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
    #[error(
        "the document {} is not in the folder",
        base16ct::lower::encode_string(sha256)
    )]
    Missing {
        /// Which.
        sha256: [u8; 32],
    },
    /// The disk's, or somebody's who writes in our folder.
    #[error("the document in its file is not the one that was written")]
    Changed,
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

pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> FolderError {
    move |source| FolderError::Io { doing, source }
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

    /// A new file that may grow to `bytes_max` bytes, and its name until it has its place.
    pub(crate) fn grow(&self, bytes_max: u64) -> Result<(Spool, TempPath), FolderError> {
        let (file, path) = tempfile::Builder::new()
            .suffix(".part")
            .tempfile_in(&self.0.tmp)
            .map_err(io("creating a file"))?
            .into_parts();
        Ok((Spool::over_new_file(file, bytes_max)?, path))
    }

    /// Puts a file in its place, durably: file synced, renamed, folder synced. A document that is
    /// there already stays; the bytes are the same.
    pub(crate) fn place(
        &self,
        file: &File,
        path: TempPath,
        sha256: &[u8; 32],
    ) -> Result<(), FolderError> {
        let place = self.path(sha256);
        let parent = place.parent().unwrap_or(&self.0.root);
        file.sync_all().map_err(io("syncing a document"))?;
        self.ensure_folder(parent)?;
        path.persist(&place)
            .map_err(|failed| io("placing a document")(failed.error))?;
        sync_folder(parent)
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
        let name = base16ct::lower::encode_string(sha256);
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

/// Makes names that were added to a folder durable.
fn sync_folder(folder: &Path) -> Result<(), FolderError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io("syncing a folder"))
}
