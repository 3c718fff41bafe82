//! A strict PDF reader with revisions and a writer of incremental updates.
