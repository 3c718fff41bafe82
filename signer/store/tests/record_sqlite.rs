//! SQLite under the record's contract.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub,
    reason = "a test may fail loudly"
)]

mod contract;

use contract::{Backend, record_contract};
use yinxin_store::SqliteRecord;

struct Sqlite(tempfile::TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Backend for Sqlite {
    type Record = SqliteRecord;

    async fn open(&self) -> SqliteRecord {
        SqliteRecord::open(&self.0.path().join("record.sqlite"))
            .await
            .unwrap()
    }

    async fn close(&self, record: SqliteRecord) {
        record.close().await;
    }
}

record_contract!(sqlite, Sqlite::new);
