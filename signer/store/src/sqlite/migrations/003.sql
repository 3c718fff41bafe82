-- The record, version 3: short documents are kept in the record itself, so that a village proof
-- costs no file of its own and is there if and only if its release is.

CREATE TABLE released_document (
    request INTEGER PRIMARY KEY REFERENCES release (request),
    bytes   BLOB    NOT NULL
) STRICT;

CREATE TRIGGER released_document_is_kept BEFORE DELETE ON released_document
    BEGIN SELECT RAISE(ABORT, 'a document is never deleted'); END;
CREATE TRIGGER released_document_stays BEFORE UPDATE ON released_document
    BEGIN SELECT RAISE(ABORT, 'a document is never changed'); END;

PRAGMA user_version = 3;
