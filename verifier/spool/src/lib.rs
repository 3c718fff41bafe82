//! An uploaded document in a file, mapped read-only: a 100 MB drawing costs page cache
//! and no heap.
//!
//! The one place of the project that maps files, and so the one with the `unsafe` that
//! mapping needs.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::path::Path;

/// Why bytes could not be spooled.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The caller's move: more bytes than permitted. Nothing of the last piece was kept.
    #[error("the document has more than {max} bytes")]
    TooLong {
        /// The limit that [`Spool`] was made with.
        max: u64,
    },
    /// Ours, or the disk's.
    #[error("the spool failed while {doing}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

fn io(doing: &'static str) -> impl FnOnce(io::Error) -> SpoolError {
    move |source| SpoolError::Io { doing, source }
}

/// A file that only grows, up to a limit, and can be mapped at any moment.
#[derive(Debug)]
pub struct Spool {
    file: File,
    length: u64,
    bytes_max: u64,
}

impl Spool {
    /// A spool without a name in `folder`: it is gone when the value is, even after a
    /// crash.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when the folder is missing or may not be written.
    pub fn anonymous(folder: &Path, bytes_max: u64) -> Result<Self, SpoolError> {
        let file = tempfile::tempfile_in(folder).map_err(io("creating a file"))?;
        Ok(Self {
            file,
            length: 0,
            bytes_max,
        })
    }

    /// A spool over a file the caller has just created, open for reading and writing and
    /// still empty. Only the spool may write to it.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when the file is not empty or cannot be asked.
    pub fn over_new_file(file: File, bytes_max: u64) -> Result<Self, SpoolError> {
        let length = file.metadata().map_err(io("reading a length"))?.len();
        if length != 0 {
            return Err(io("taking over a new file")(
                io::ErrorKind::AlreadyExists.into(),
            ));
        }
        Ok(Self {
            file,
            length,
            bytes_max,
        })
    }

    /// Adds the next bytes. An earlier [`Spool::map`] keeps showing the bytes before them.
    ///
    /// # Errors
    /// [`SpoolError::TooLong`] beyond the limit; [`SpoolError::Io`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        // A slice is never longer than u64::MAX, so the sum can only fail past the limit.
        let length = self.length.checked_add(bytes.len() as u64);
        let Some(length) = length.filter(|length| *length <= self.bytes_max) else {
            return Err(SpoolError::TooLong {
                max: self.bytes_max,
            });
        };
        self.file.write_all(bytes).map_err(io("writing"))?;
        self.length = length;
        Ok(())
    }

    /// How many bytes were added.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes so far.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when the system refuses the mapping.
    pub fn map(&self) -> Result<Mapped, SpoolError> {
        map(&self.file).map_err(io("mapping"))
    }

    /// The file, for example to make it durable.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// A file's bytes, as many as it had when it was mapped. Keeps the file alive, even after
/// its name is gone.
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file by its path, read-only.
///
/// Nobody may shorten or rewrite the file in place while the value lives; the system
/// would end the process, or a check could see other bytes than its report speaks of.
/// Replacing it by renaming another file over it is harmless.
///
/// # Errors
/// As the system reports: not found, not permitted, not a regular file.
pub fn map_file(path: &Path) -> io::Result<Mapped> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    map(&file)
}

#[allow(
    unsafe_code,
    reason = "mapping a file is unsafe in Rust; the comment says why it holds"
)]
fn map(file: &File) -> io::Result<Mapped> {
    // SAFETY: the bytes must not change while they are borrowed. A spool's file has no
    // name, or one inside a folder only its service writes to, and Spool only ever adds
    // bytes behind those that are mapped. For `map_file` its documentation hands the duty
    // to the caller.
    unsafe { memmap2::Mmap::map(file) }.map(Mapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(bytes_max: u64) -> Spool {
        Spool::anonymous(&std::env::temp_dir(), bytes_max).unwrap()
    }

    #[test]
    fn what_was_added_is_what_is_mapped() {
        let mut spool = spool(100);
        assert_eq!(&*spool.map().unwrap(), b"");
        spool.append(b"one").unwrap();
        spool.append(b"").unwrap();
        let first = spool.map().unwrap();
        spool.append(b"two").unwrap();
        assert_eq!(&*first, b"one");
        assert_eq!(&*spool.map().unwrap(), b"onetwo");
        assert_eq!(spool.length(), 6);
    }

    #[test]
    fn a_map_outlives_its_spool() {
        let mut spool = spool(100);
        spool.append(b"kept").unwrap();
        let mapped = spool.map().unwrap();
        drop(spool);
        assert_eq!(&*mapped, b"kept");
    }

    #[test]
    fn a_piece_beyond_the_limit_is_refused_and_not_kept() {
        let mut spool = spool(4);
        spool.append(b"four").unwrap();
        let error = spool.append(b"5").unwrap_err();
        assert!(matches!(error, SpoolError::TooLong { max: 4 }), "{error}");
        assert_eq!(&*spool.map().unwrap(), b"four");
    }

    #[test]
    fn a_file_that_is_not_empty_is_not_taken_over() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"x").unwrap();
        assert!(matches!(
            Spool::over_new_file(file, 9),
            Err(SpoolError::Io { .. })
        ));
    }

    #[test]
    fn a_folder_and_a_missing_file_are_errors_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        assert!(map_file(folder.path()).is_err());
        assert!(map_file(&folder.path().join("none")).is_err());
    }
}
