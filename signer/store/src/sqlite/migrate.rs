//! Brings a record to the newest version: one script for each, in order, each in one
//! transaction that ends by setting `user_version`.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{OpenError, database};

/// "YXNR" as a big-endian number: the `application_id` of a record.
const APPLICATION_ID: i64 = 0x5958_4e52;

/// The script at index n makes version n + 1. A script that was released never changes.
const SCRIPTS: [&str; 3] = [
    include_str!("migrations/001.sql"),
    include_str!("migrations/002.sql"),
    include_str!("migrations/003.sql"),
];

pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(database("starting the upgrade"))?;
    let found = number(&transaction, "PRAGMA user_version")?;
    let known = i64::try_from(SCRIPTS.len()).unwrap_or(i64::MAX);
    let tables = number(&transaction, "SELECT count(*) FROM sqlite_schema")?;
    let application_id = number(&transaction, "PRAGMA application_id")?;
    if application_id != APPLICATION_ID && (tables != 0 || found != 0 || application_id != 0) {
        return Err(OpenError::NotARecord {
            path: path.to_owned(),
        });
    }
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (version, script) in (1..).zip(SCRIPTS) {
        if version > found {
            transaction
                .execute_batch(script)
                .map_err(database("upgrading"))?;
        }
    }
    transaction.commit().map_err(database("ending the upgrade"))
}

fn number(transaction: &Transaction<'_>, statement: &str) -> Result<i64, OpenError> {
    transaction
        .query_row(statement, [], |row| row.get(0))
        .map_err(database("reading the version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteRecord;

    fn execute(path: &Path, statement: &str) -> rusqlite::Result<()> {
        Connection::open(path)?.execute_batch(statement)
    }

    #[tokio::test]
    async fn a_new_record_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.sqlite");
        SqliteRecord::open(&path).await.unwrap().close().await;
        SqliteRecord::open(&path).await.unwrap().close().await;
    }

    #[tokio::test]
    async fn a_record_of_version_one_is_brought_up_and_keeps_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.sqlite");
        execute(&path, SCRIPTS[0]).unwrap();
        execute(
            &path,
            "INSERT INTO request VALUES
                 (1, 'c', 'r', 'o', zeroblob(32), '{}', 1, 1, 'open', 'h')",
        )
        .unwrap();
        let record = SqliteRecord::open(&path).await.unwrap();
        assert!(record.seals().await.unwrap().is_empty());
        record.close().await;
        let kept: i64 = Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM request", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_may_read_the_record_and_what_lies_beside_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let _record = SqliteRecord::open(&folder.path().join("record.sqlite"))
            .await
            .unwrap();
        for name in ["record.sqlite", "record.sqlite-wal"] {
            let mode = folder
                .path()
                .join(name)
                .metadata()
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[tokio::test]
    async fn a_record_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.sqlite");
        let first = SqliteRecord::open(&path).await.unwrap();
        let error = SqliteRecord::open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error}");
        drop(first);
        SqliteRecord::open(&path).await.unwrap();
    }

    #[tokio::test]
    async fn a_record_from_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.sqlite");
        SqliteRecord::open(&path).await.unwrap().close().await;
        execute(&path, "PRAGMA user_version = 99").unwrap();
        let error = SqliteRecord::open(&path).await.unwrap_err();
        assert!(
            matches!(
                error,
                OpenError::Newer {
                    found: 99,
                    known: 3
                }
            ),
            "{error}"
        );
    }

    #[tokio::test]
    async fn somebody_elses_database_is_refused_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.sqlite");
        execute(&path, "CREATE TABLE theirs (x)").unwrap();
        let error = SqliteRecord::open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::NotARecord { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "no database ".repeat(1000)).unwrap();
        let error = SqliteRecord::open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::Database { .. }), "{error}");
    }

    #[tokio::test]
    async fn what_was_written_once_cannot_be_changed_or_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.sqlite");
        SqliteRecord::open(&path).await.unwrap().close().await;
        execute(
            &path,
            "INSERT INTO request VALUES
                 (1, 'c', 'r', 'o', zeroblob(32), '{}', 1, 1, 'open', 'h');
             INSERT INTO licence_number VALUES ('t', 'i', 2026, 1, 1);
             INSERT INTO intent VALUES (1, 1, 1, 0, 's', 'p', zeroblob(32), 'd', x'00', 1);
             INSERT INTO outcome VALUES (1, zeroblob(32), NULL, 1);
             INSERT INTO licence VALUES ('L', 'N', 't', 'c', 1, '{}', zeroblob(32), 1);
             INSERT INTO release VALUES (1, NULL, NULL, '{}', 'L', 1);
             INSERT INTO seal_event VALUES (1, 's', 1, 1, 'a', '{}');
             INSERT INTO rule_event VALUES (1, 'r', 1, 'a', NULL);
             INSERT INTO approval VALUES ('A', 'c', 'o', 'o', 's', 'n', zeroblob(32),
                 zeroblob(32), 'p', 1, 'c', 1, 1, 1);
             INSERT INTO approval_signature VALUES ('A', 'p', zeroblob(32), x'00', 1);
             INSERT INTO seal_use VALUES (1, 1, 's', 1, 'r', 'A', 'd', 1, '', '', '', '', '', '',
                 zeroblob(32), 'p', 1, '');
             INSERT INTO released_document VALUES (1, x'00');
             UPDATE request SET state = 'released', holder = NULL;",
        )
        .unwrap();
        for statement in [
            "DELETE FROM request",
            "UPDATE request SET caller = 'd'",
            "UPDATE request SET state = 'open', holder = 'h'",
            "DELETE FROM licence_number",
            "UPDATE licence_number SET number = 2",
            "DELETE FROM intent",
            "UPDATE intent SET digest = x'01'",
            "DELETE FROM outcome",
            "UPDATE outcome SET at = 2",
            "DELETE FROM licence",
            "UPDATE licence SET version = 2",
            "DELETE FROM release",
            "UPDATE release SET receipt_json = ''",
            "DELETE FROM released_document",
            "UPDATE released_document SET bytes = x'01'",
            "DELETE FROM seal_event",
            "UPDATE seal_event SET at = 2",
            "DELETE FROM rule_event",
            "UPDATE rule_event SET rule_json = '{}'",
            "DELETE FROM approval",
            "UPDATE approval SET copies = 2",
            "DELETE FROM approval_signature",
            "UPDATE approval_signature SET approver = 'q'",
            "DELETE FROM seal_use",
            "UPDATE seal_use SET rule = 'q'",
        ] {
            assert!(execute(&path, statement).is_err(), "{statement}");
        }
    }
}
