//! The audit chain in its file: appended, flushed to the disk, never rewritten.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use yinxin_signer::ceremony::audit::{Entry, Head, Note, Stage, read_chain};

use crate::KeysError;
use crate::error::file_error;

/// The audit of a room. One process at a time has the room, so nobody appends in between.
#[derive(Clone, Debug)]
pub struct AuditFile {
    path: PathBuf,
}

impl AuditFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Every entry, when the chain is whole.
    ///
    /// # Errors
    /// [`KeysError::Audit`], [`KeysError::File`].
    pub fn read(&self) -> Result<(Vec<Entry>, Head), KeysError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(read_chain(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok((Vec::new(), Head::default()))
            }
            Err(source) => Err(KeysError::File {
                path: self.path.clone(),
                source,
            }),
        }
    }

    /// Appends an entry; it is on the disk when this is done.
    pub(crate) fn append(&self, note: &Note, stage: Stage) -> Result<Head, KeysError> {
        let (_, head) = self.read()?;
        let (line, next) = head.next(note, stage);
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(file_error(&self.path))?;
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(file_error(&self.path))?;
        if head.sequence == 0
            && let Some(folder) = self.path.parent()
        {
            crate::room::sync_folder(folder)?;
        }
        Ok(next)
    }
}
