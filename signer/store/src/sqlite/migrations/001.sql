-- The record, version 1. Times are seconds since 1970-01-01T00:00:00Z; digests are
-- SHA-256 of 32 bytes unless a column says otherwise.
--
-- Everything but the state of a request is written once: triggers refuse the rest.

CREATE TABLE request (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    caller          TEXT    NOT NULL,
    request_id      TEXT    NOT NULL,
    operation       TEXT    NOT NULL,
    body_sha256     BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    details_json    TEXT    NOT NULL,
    first_opened_at INTEGER NOT NULL,
    attempt         INTEGER NOT NULL CHECK (attempt >= 1),
    state           TEXT    NOT NULL CHECK (state IN ('open', 'given-up', 'released')),
    -- Which run of the process works on it, while it is open.
    holder          TEXT    CHECK ((holder IS NULL) = (state <> 'open')),
    UNIQUE (caller, request_id)
) STRICT;

CREATE TABLE licence_number (
    licence_type TEXT    NOT NULL,
    issuer       TEXT    NOT NULL,
    year         INTEGER NOT NULL,
    number       INTEGER NOT NULL CHECK (number >= 1),
    request      INTEGER NOT NULL REFERENCES request (id),
    PRIMARY KEY (licence_type, issuer, year, number),
    UNIQUE (request, licence_type, issuer, year)
) STRICT, WITHOUT ROWID;

CREATE TABLE intent (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    request            INTEGER NOT NULL REFERENCES request (id),
    attempt            INTEGER NOT NULL,
    ordinal            INTEGER NOT NULL,
    seal_id            TEXT    NOT NULL,
    profile            TEXT    NOT NULL,
    certificate_sha256 BLOB    NOT NULL CHECK (length(certificate_sha256) = 32),
    digest_algorithm   TEXT    NOT NULL,
    digest             BLOB    NOT NULL,
    recorded_at        INTEGER NOT NULL,
    UNIQUE (request, attempt, ordinal)
) STRICT;

CREATE TABLE outcome (
    intent           INTEGER PRIMARY KEY REFERENCES intent (id),
    -- Exactly one of the two: the container that was made, or why none was.
    container_sha256 BLOB    CHECK (length(container_sha256) = 32),
    failed_reason    TEXT,
    at               INTEGER NOT NULL,
    CHECK ((container_sha256 IS NULL) <> (failed_reason IS NULL))
) STRICT;

CREATE TABLE licence (
    identifier      TEXT    PRIMARY KEY,
    number          TEXT    NOT NULL UNIQUE,
    licence_type    TEXT    NOT NULL,
    issuer_code     TEXT    NOT NULL,
    version         INTEGER NOT NULL CHECK (version >= 1),
    metadata_json   TEXT    NOT NULL,
    document_sha256 BLOB    NOT NULL CHECK (length(document_sha256) = 32),
    issued_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE release (
    request         INTEGER PRIMARY KEY REFERENCES request (id),
    document_sha256 BLOB    CHECK (length(document_sha256) = 32),
    container       BLOB,
    receipt_json    TEXT    NOT NULL,
    licence         TEXT    UNIQUE REFERENCES licence (identifier),
    released_at     INTEGER NOT NULL
) STRICT;

CREATE TRIGGER request_is_kept BEFORE DELETE ON request
    BEGIN SELECT RAISE(ABORT, 'a request is never deleted'); END;
CREATE TRIGGER request_stays_what_it_was
    BEFORE UPDATE OF id, caller, request_id, operation, body_sha256, details_json,
        first_opened_at ON request
    BEGIN SELECT RAISE(ABORT, 'only the state of a request changes'); END;
CREATE TRIGGER request_stays_released BEFORE UPDATE ON request WHEN OLD.state = 'released'
    BEGIN SELECT RAISE(ABORT, 'a released request does not change'); END;

CREATE TRIGGER licence_number_is_kept BEFORE DELETE ON licence_number
    BEGIN SELECT RAISE(ABORT, 'a number is never deleted'); END;
CREATE TRIGGER licence_number_stays BEFORE UPDATE ON licence_number
    BEGIN SELECT RAISE(ABORT, 'a number is never changed'); END;
CREATE TRIGGER intent_is_kept BEFORE DELETE ON intent
    BEGIN SELECT RAISE(ABORT, 'an intent is never deleted'); END;
CREATE TRIGGER intent_stays BEFORE UPDATE ON intent
    BEGIN SELECT RAISE(ABORT, 'an intent is never changed'); END;
CREATE TRIGGER outcome_is_kept BEFORE DELETE ON outcome
    BEGIN SELECT RAISE(ABORT, 'an outcome is never deleted'); END;
CREATE TRIGGER outcome_stays BEFORE UPDATE ON outcome
    BEGIN SELECT RAISE(ABORT, 'an outcome is never changed'); END;
CREATE TRIGGER licence_is_kept BEFORE DELETE ON licence
    BEGIN SELECT RAISE(ABORT, 'a licence is never deleted'); END;
CREATE TRIGGER licence_stays BEFORE UPDATE ON licence
    BEGIN SELECT RAISE(ABORT, 'a licence is never changed'); END;
CREATE TRIGGER release_is_kept BEFORE DELETE ON release
    BEGIN SELECT RAISE(ABORT, 'a release is never deleted'); END;
CREATE TRIGGER release_stays BEFORE UPDATE ON release
    BEGIN SELECT RAISE(ABORT, 'a release is never changed'); END;

-- 0x59584e52 is "YXNR": this file is a record of Yinxin.
PRAGMA application_id = 1498959442;
PRAGMA user_version = 1;
