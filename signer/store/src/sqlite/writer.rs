//! The one thread that has the connection, and one sync of the disk for all who wait for it.
//!
//! Jobs come in a line. Those that are there together run in one transaction, each in a savepoint
//! of its own, so that one that is refused leaves nothing behind and the others stand. SQLite runs
//! with synchronous FULL: the commit syncs the write-ahead log, and only then do the jobs' answers
//! leave. The longer the disk takes, the more jobs share the next sync.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::oneshot;
use yinxin_signer::record::RecordError;

use super::rows::unavailable;
use crate::lock::Lock;

/// The most answers that wait for one commit: beyond that, the first ones would wait too long.
const TOGETHER_MAX: usize = 256;

/// How long a change that nobody waits for may stay uncommitted. Nothing hangs on it: whoever
/// builds on it commits it as well.
const UNAWAITED: Duration = Duration::from_millis(20);

/// When an answer may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// When all it says is durable.
    Durable,
    /// At once.
    Ahead,
}

/// Why nothing is known of a job, or of what it built on.
#[derive(Clone, Debug, thiserror::Error)]
enum Lost {
    #[error("the changes could not be committed")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// The system reports a failed sync once (fsync(2)): no later one can be believed.
    #[error("an earlier sync of the record failed; restart the service")]
    EarlierSync,
    #[error("the transaction was given up by the database, because of an earlier job's error")]
    RolledBack,
    #[error("the record is closed")]
    Closed,
}

type Reply = Box<dyn FnOnce(Result<(), Lost>) + Send>;
type Job = Box<dyn FnOnce(Result<&Connection, Lost>) -> (Answer, Reply) + Send>;

enum Message {
    Job(Job),
    Close(oneshot::Sender<()>),
}

/// Told how long each commit took.
#[derive(Clone, Default)]
struct Watcher(Arc<OnceLock<Watch>>);

type Watch = Box<dyn Fn(Duration) + Send + Sync>;

impl std::fmt::Debug for Watcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Watcher")
    }
}

/// The thread's handle; the thread ends with it.
#[derive(Debug)]
pub(super) struct Writer {
    watcher: Watcher,
    /// None only while it is dropped.
    messages: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Gives the connection to a thread of its own. `lock` is held until the file is closed.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub(super) fn start(connection: Connection, lock: Lock) -> std::io::Result<Self> {
        let (messages, line) = channel();
        let watcher = Watcher::default();
        let watched = watcher.clone();
        let thread = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || {
                let closed = serve(&connection, watched, &line);
                // SQLite writes its log into the file when the last connection closes.
                drop(connection);
                drop(lock);
                // Whoever asked is gone if this fails.
                closed.map(|tell| tell.send(()));
            })?;
        Ok(Self {
            watcher,
            messages: Some(messages),
            thread: Some(thread),
        })
    }

    /// Has `told` called with the time of each commit; the first one told stays.
    pub(super) fn watch(&self, told: impl Fn(Duration) + Send + Sync + 'static) {
        let _first = self.watcher.0.set(Box::new(told));
    }

    /// Runs a job in its turn; its answer is durable. What it has written is gone when it fails.
    ///
    /// # Errors
    /// The job's own, or that the database or the disk failed.
    pub(super) async fn work<T, E>(
        &self,
        doing: &'static str,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
    {
        self.work_ahead(doing, |_| false, job).await
    }

    /// As [`Writer::work`], but an answer that `may_leave` leaves before it is durable. Right only
    /// where nothing may be done on its strength but further jobs: they are later in the line, so
    /// none of them becomes durable before it.
    ///
    /// # Errors
    /// As [`Writer::work`].
    pub(super) async fn work_ahead<T, E>(
        &self,
        doing: &'static str,
        may_leave: fn(&T) -> bool,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let run = move |connection: Result<&Connection, Lost>| -> (Answer, Reply) {
            let done = connection
                .map_err(|lost| gone(doing, lost).into())
                .and_then(|connection| in_savepoint(connection, doing, job));
            let answer = match done.as_ref().is_ok_and(may_leave) {
                true => Answer::Ahead,
                false => Answer::Durable,
            };
            let reply = move |durable| {
                let answer = match durable {
                    Ok(()) => done,
                    Err(lost) => Err(gone(doing, lost).into()),
                };
                // A caller who has gone away needs no answer.
                let _ = tell.send(answer);
            };
            (answer, Box::new(reply))
        };
        let sent = self
            .messages
            .as_ref()
            .map(|messages| messages.send(Message::Job(Box::new(run))));
        match sent {
            Some(Ok(())) => match told.await {
                Ok(answer) => answer,
                Err(_) => Err(gone(doing, Lost::Closed).into()),
            },
            Some(Err(_)) | None => Err(gone(doing, Lost::Closed).into()),
        }
    }

    /// Comes back when the jobs before it are done and the file is closed; later ones fail.
    pub(super) async fn close(&self) {
        let (tell, told) = oneshot::channel();
        if let Some(messages) = &self.messages
            && messages.send(Message::Close(tell)).is_ok()
        {
            // An error means that the thread has ended already.
            let _ = told.await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.messages.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed when it happened.
            let _ = thread.join();
        }
    }
}

fn gone(doing: &'static str, lost: Lost) -> RecordError {
    RecordError::Unavailable {
        doing,
        source: Box::new(lost),
    }
}

fn in_savepoint<T, E: From<RecordError>>(
    connection: &Connection,
    doing: &'static str,
    job: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "SAVEPOINT job").map_err(unavailable(doing))?;
    let done = job(connection);
    // A grave error has ended the whole transaction, savepoint and all.
    if !connection.is_autocommit() {
        if done.is_err() {
            run(connection, "ROLLBACK TO job").map_err(unavailable(doing))?;
        }
        run(connection, "RELEASE job").map_err(unavailable(doing))?;
    }
    done
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(statement)?
        .execute([])
        .map(|_| ())
}

/// Does what comes in until nobody is left to ask for anything, or somebody closes.
fn serve(
    connection: &Connection,
    watcher: Watcher,
    line: &Receiver<Message>,
) -> Option<oneshot::Sender<()>> {
    let mut batch = Batch {
        connection,
        watcher,
        waiting: Vec::new(),
        open: false,
        sync_failed: false,
    };
    loop {
        let next = if batch.waiting.len() >= TOGETHER_MAX {
            Err(RecvTimeoutError::Timeout)
        } else if !batch.waiting.is_empty() {
            line.try_recv().map_err(|_| RecvTimeoutError::Timeout)
        } else if batch.open {
            line.recv_timeout(UNAWAITED)
        } else {
            line.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match next {
            Ok(Message::Job(job)) => batch.job(job),
            Ok(Message::Close(tell)) => {
                batch.commit();
                return Some(tell);
            }
            Err(RecvTimeoutError::Timeout) => batch.commit(),
            Err(RecvTimeoutError::Disconnected) => {
                batch.commit();
                return None;
            }
        }
    }
}

struct Batch<'a> {
    connection: &'a Connection,
    watcher: Watcher,
    /// The answers that wait for the commit.
    waiting: Vec<Reply>,
    /// Whether there is a transaction.
    open: bool,
    sync_failed: bool,
}

impl Batch<'_> {
    fn job(&mut self, job: Job) {
        if let Err(lost) = self.begin() {
            let (_, reply) = job(Err(lost));
            return reply(Ok(()));
        }
        let (answer, reply) = job(Ok(self.connection));
        if self.connection.is_autocommit() {
            // The database has rolled everything back, for want of space or memory.
            self.open = false;
            self.waiting.push(reply);
            self.answer(&Err(Lost::RolledBack));
            return;
        }
        match answer {
            Answer::Durable => self.waiting.push(reply),
            Answer::Ahead => reply(Ok(())),
        }
    }

    fn begin(&mut self) -> Result<(), Lost> {
        if self.sync_failed {
            return Err(Lost::EarlierSync);
        }
        if !self.open {
            run(self.connection, "BEGIN IMMEDIATE")
                .map_err(|error| Lost::Commit(Arc::new(error)))?;
            self.open = true;
        }
        Ok(())
    }

    fn commit(&mut self) {
        if !self.open {
            return;
        }
        self.open = false;
        let started = Instant::now();
        let committed = run(self.connection, "COMMIT");
        if let Some(told) = self.watcher.0.get() {
            told(started.elapsed());
        }
        if let Err(error) = &committed {
            self.sync_failed = is_failed_sync(error);
            if !self.connection.is_autocommit() {
                // Its own failure changes nothing: the jobs are told below that they are lost.
                let _ = run(self.connection, "ROLLBACK");
            }
        }
        self.answer(&committed.map_err(|error| Lost::Commit(Arc::new(error))));
    }

    fn answer(&mut self, durable: &Result<(), Lost>) {
        for reply in self.waiting.drain(..) {
            reply(durable.clone());
        }
    }
}

/// After these nobody knows what is on the disk.
fn is_failed_sync(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| {
        error.code == ErrorCode::SystemIoFailure
            && [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].contains(&error.extended_code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOING: &str = "trying";

    fn writer(folder: &std::path::Path) -> Writer {
        let connection = Connection::open(folder.join("record")).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE parent (id INTEGER PRIMARY KEY);
                 CREATE TABLE child (
                     parent REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);",
            )
            .unwrap();
        let lock = Lock::take(&folder.join("lock")).unwrap().unwrap();
        Writer::start(connection, lock).unwrap()
    }

    async fn insert(writer: &Writer, statement: &'static str) -> Result<(), RecordError> {
        writer
            .work(DOING, move |connection| {
                run(connection, statement).map_err(unavailable(DOING))
            })
            .await
    }

    async fn count(writer: &Writer) -> i64 {
        writer
            .work(DOING, |connection| {
                connection
                    .query_row("SELECT count(*) FROM parent", [], |row| row.get(0))
                    .map_err(unavailable(DOING))
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_refused_job_leaves_nothing_behind_and_the_others_stand() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let refused = writer.work(DOING, |connection| {
            run(connection, "INSERT INTO parent VALUES (2)").unwrap();
            Err::<(), _>(RecordError::Refused { rule: "no" })
        });
        let (before, refused, after) = tokio::join!(
            insert(&writer, "INSERT INTO parent VALUES (1)"),
            refused,
            insert(&writer, "INSERT INTO parent VALUES (3)"),
        );
        before.unwrap();
        after.unwrap();
        assert!(matches!(refused, Err(RecordError::Refused { .. })));
        assert_eq!(count(&writer).await, 2);
    }

    #[tokio::test]
    async fn a_failed_commit_is_every_waiting_jobs_error_and_the_next_ones_work() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(folder.path());
        let (first, second) = tokio::join!(
            insert(&writer, "INSERT INTO parent VALUES (1)"),
            insert(&writer, "INSERT INTO child VALUES (9)"),
        );
        assert!(matches!(second, Err(RecordError::Unavailable { .. })));
        // Together with the other, or already committed before it came.
        assert_eq!(count(&writer).await, i64::from(first.is_ok()));
        insert(&writer, "INSERT INTO parent VALUES (4)")
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn what_was_answered_ahead_is_there_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let first = writer(folder.path());
        first
            .work_ahead(
                DOING,
                |()| true,
                |connection| {
                    run(connection, "INSERT INTO parent VALUES (1)").map_err(unavailable(DOING))
                },
            )
            .await
            .unwrap();
        first.close().await;
        let refused = insert(&first, "INSERT INTO parent VALUES (2)").await;
        assert!(matches!(refused, Err(RecordError::Unavailable { .. })));
        drop(first);
        let connection = Connection::open(folder.path().join("record")).unwrap();
        let rows: i64 = connection
            .query_row("SELECT count(*) FROM parent", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn after_a_failed_sync_nothing_is_believed() {
        let cases = [
            (ffi::SQLITE_IOERR_FSYNC, true),
            (ffi::SQLITE_IOERR_DIR_FSYNC, true),
            (ffi::SQLITE_IOERR_WRITE, false),
            (ffi::SQLITE_FULL, false),
        ];
        for (code, expected) in cases {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(is_failed_sync(&error), expected, "{code}");
        }
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("record")).unwrap();
        let mut batch = Batch {
            connection: &connection,
            watcher: Watcher::default(),
            waiting: Vec::new(),
            open: false,
            sync_failed: true,
        };
        assert!(matches!(batch.begin(), Err(Lost::EarlierSync)));
    }
}
