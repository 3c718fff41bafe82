//! The record in SQLite: one file, one process, one connection in a thread of its own.
//!
//! One connection on purpose: SQLite has one writer at a time anyway, and whoever waits
//! waits here in order instead of inside SQLite with a timeout. Jobs that wait at the same time
//! share one commit and one sync of the disk: see `writer`.

mod approvals;
mod migrate;
mod record;
mod registry;
mod rows;
mod uses;
mod writer;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use yinxin_signer::record::RecordError;

use crate::lock::Lock;
use writer::Writer;

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

/// Statements that are kept prepared: all of them.
const STATEMENTS_MAX: usize = 128;

/// How long to wait when somebody reads the file with a tool of their own.
const BUSY: Duration = Duration::from_secs(10);

/// What every connection is set to. SQLite syncs its write-ahead log at each commit (FULL) and
/// takes it into the file from time to time: at 16 MiB, so that the two syncs this costs are shared
/// by some hundred documents. 16 MiB of pages stay in memory: all that several documents need, and
/// no more, because SQLite goes through all of them at a commit when a page was split.
const SETTINGS: &str = "PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = 4096;
    PRAGMA cache_size = -16384;";

/// The record of one signer; cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteRecord {
    writer: Arc<Writer>,
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
        let owned = path.to_owned();
        let (connection, lock) = tokio::task::spawn_blocking(move || connect(&owned))
            .await
            .map_err(|error| file_error(io::Error::other(error)))??;
        let writer = Writer::start(connection, lock).map_err(file_error)?;
        Ok(Self {
            writer: Arc::new(writer),
        })
    }

    /// Has `told` called with the time of each commit, its sync of the disk included; the first one
    /// told stays.
    pub fn watch_commits(&self, told: impl Fn(Duration) + Send + Sync + 'static) {
        self.writer.watch(told);
    }

    /// Lets the running jobs end and closes the file; later calls fail. The record is then free
    /// for another process.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    async fn work<T, E>(
        &self,
        doing: &'static str,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
    {
        self.writer.work(doing, job).await
    }
}

fn connect(path: &Path) -> Result<(Connection, Lock), OpenError> {
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
    // Only one thread ever has it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(path, flags).map_err(database("connecting"))?;
    connection
        .busy_timeout(BUSY)
        .map_err(database("connecting"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise SQLite prepares a statement again when a value is bound that its plan might depend
    // on; the use log's and the release's were, at each sealing. No plan here needs it.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(database("connecting"))?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(database("asking for the journal mode"))?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog {
            path: path.to_owned(),
            mode,
        });
    }
    connection
        .execute_batch(SETTINGS)
        .map_err(database("connecting"))?;
    migrate::migrate(&mut connection, path)?;
    Ok((connection, lock))
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

fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> OpenError {
    move |source| OpenError::Database {
        doing,
        source: Box::new(source),
    }
}
