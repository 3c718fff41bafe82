//! The record in SQLite: one file, one process, one connection.
//!
//! One connection on purpose: SQLite has one writer at a time anyway, and whoever waits
//! waits here in order instead of inside SQLite with a timeout. A commit is durable before it is
//! answered; commits that wait at the same time share one sync of the disk.

mod approvals;
mod durable;
mod migrate;
mod record;
mod registry;
mod rows;
mod uses;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::lock::Lock;
use durable::WriteAheadLog;

pub use approvals::StoredApproval;
pub use registry::ChangeError;

/// Why the record could not be opened. Found at start, before any port opens.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operator's move: two servers must not share a record.
    #[error("another process is using the record {}", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The operator's move: the file belongs to something else.
    #[error("{} is an SQLite file, but not a record of Yinxin", path.display())]
    NotARecord {
        /// Which.
        path: PathBuf,
    },
    /// The operator's move: a newer program has written it.
    #[error("the record has version {found}; this program knows versions up to {known}")]
    Newer {
        /// The version in the file.
        found: i64,
        /// The newest version we can read.
        known: i64,
    },
    /// The operator's move: the file system cannot hold what SQLite's write-ahead log needs
    /// (shared memory), as some network file systems cannot.
    #[error("{} is on a file system without write-ahead logging (journal mode {mode}); use a local disk", path.display())]
    NoWriteAheadLog {
        /// Which record.
        path: PathBuf,
        /// What SQLite fell back to.
        mode: String,
    },
    /// The operator's move: the folder is missing or not ours to write.
    #[error("the record {} or its lock file cannot be made", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The database.
    #[error("the record cannot be opened while {doing}")]
    Database {
        /// What we were doing.
        doing: &'static str,
        /// The database's own words, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The record of one signer; cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteRecord {
    pool: SqlitePool,
    log: Arc<WriteAheadLog>,
    _lock: Arc<Lock>,
}

impl SqliteRecord {
    /// Opens the record at `path`, making it if need be, and brings it to the newest
    /// version. Its folder must exist.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let file_error = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        let mut lock_name = path.to_owned().into_os_string();
        lock_name.push(".lock");
        let Some(lock) = Lock::take(Path::new(&lock_name)).map_err(file_error)? else {
            return Err(OpenError::InUse {
                path: path.to_owned(),
            });
        };
        create_private(path).map_err(file_error)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // Syncing is ours: see `durable`.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            // For the moments when somebody reads the file with a tool of their own.
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            // The connection is never thrown away for its age: opening it takes longer
            // than any statement.
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options)
            .await
            .map_err(database("connecting"))?;
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&pool)
            .await
            .map_err(database("asking for the journal mode"))?;
        if mode != "wal" {
            return Err(OpenError::NoWriteAheadLog {
                path: path.to_owned(),
                mode,
            });
        }
        migrate::migrate(&pool, path).await?;
        Ok(Self {
            pool,
            log: Arc::new(WriteAheadLog::new(path)),
            _lock: Arc::new(lock),
        })
    }

    /// Lets the running statement end and closes the file; later calls fail. The record is
    /// free for another process once the value is dropped.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Makes the file, if it is new, so that only its owner may read it: the record names
/// holders. SQLite gives the files beside it the same permissions.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> OpenError {
    move |source| OpenError::Database {
        doing,
        source: Box::new(source),
    }
}
