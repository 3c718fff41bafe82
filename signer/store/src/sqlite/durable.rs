//! One sync of the disk for all commits that wait for it.
//!
//! SQLite itself runs with synchronous NORMAL: a commit is written to the write-ahead log, which
//! is synced only before a checkpoint (sqlite.org/wal.html, "Performance Considerations"). So a
//! commit is not over here before the log has been synced behind it; whoever comes while a sync
//! runs shares the next one. A log whose end was lost is cut by SQLite at the last whole commit.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{Sqlite, SqliteConnection};
use tokio::sync::Mutex;

/// The write-ahead log of one record.
#[derive(Debug)]
pub(super) struct WriteAheadLog {
    path: PathBuf,
    /// How many commits were written.
    written: AtomicU64,
    synced: Mutex<Synced>,
}

#[derive(Debug)]
enum Synced {
    /// So many of the commits are durable.
    UpTo(u64),
    /// A sync failed. The system reports that once (fsync(2)): no later one can be believed.
    Failed,
}

impl WriteAheadLog {
    /// The log beside the record at `record`.
    pub(super) fn new(record: &Path) -> Self {
        let mut path = record.to_owned().into_os_string();
        path.push("-wal");
        Self {
            path: path.into(),
            written: AtomicU64::new(0),
            synced: Mutex::new(Synced::UpTo(0)),
        }
    }

    /// Comes back when everything written so far is durable.
    pub(super) async fn settle(&self) -> io::Result<()> {
        let wanted = self.written.load(Ordering::SeqCst);
        let mut synced = self.synced.lock().await;
        match *synced {
            Synced::UpTo(commits) if commits >= wanted => return Ok(()),
            Synced::UpTo(_) => {}
            Synced::Failed => {
                return Err(io::Error::other(
                    "an earlier sync of the write-ahead log failed; restart the service",
                ));
            }
        }
        let reached = self.written.load(Ordering::SeqCst);
        let path = self.path.clone();
        let result = tokio::task::spawn_blocking(move || sync(&path))
            .await
            .map_err(io::Error::other)
            .and_then(|result| result);
        *synced = match result {
            Ok(()) => Synced::UpTo(reached),
            Err(_) => Synced::Failed,
        };
        result
    }
}

/// Syncs the log by its name, not through a handle kept open: SQLite may make a new one.
fn sync(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(log) => log.sync_data(),
        // SQLite removes the log when its last connection closes, after a synced checkpoint.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A transaction whose commit is durable when it comes back.
#[derive(Debug)]
pub(super) struct Transaction {
    inner: sqlx::Transaction<'static, Sqlite>,
    log: Arc<WriteAheadLog>,
}

impl Transaction {
    pub(super) fn new(inner: sqlx::Transaction<'static, Sqlite>, log: &Arc<WriteAheadLog>) -> Self {
        let log = Arc::clone(log);
        Self { inner, log }
    }

    /// # Errors
    /// The database's, or the disk's: then nobody knows whether it will be there after a restart.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.inner.commit().await?;
        self.log.written.fetch_add(1, Ordering::SeqCst);
        self.log.settle().await.map_err(sqlx::Error::Io)
    }
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commits_that_wait_together_share_a_sync_and_a_failure_stays() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("record.db");
        let log = WriteAheadLog::new(&record);
        std::fs::write(&log.path, b"frames").unwrap();
        log.written.store(5, Ordering::SeqCst);
        log.settle().await.unwrap();
        assert!(matches!(*log.synced.lock().await, Synced::UpTo(5)));

        // What is durable already needs no log.
        std::fs::remove_file(&log.path).unwrap();
        std::os::unix::fs::symlink(&log.path, &log.path).unwrap();
        log.settle().await.unwrap();

        log.written.store(6, Ordering::SeqCst);
        log.settle().await.unwrap_err();
        std::fs::remove_file(&log.path).unwrap();
        std::fs::write(&log.path, b"frames").unwrap();
        log.settle().await.unwrap_err();
    }
}
