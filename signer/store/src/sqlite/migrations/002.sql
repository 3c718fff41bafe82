-- The record, version 2: seals, use rules, approvals and the use log.
--
-- All of it is written once: triggers refuse the rest. What a seal is follows from its events.

CREATE TABLE seal_event (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    code        TEXT    NOT NULL,
    -- From 1, without gaps in one seal.
    sequence    INTEGER NOT NULL CHECK (sequence >= 1),
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    change_json TEXT    NOT NULL,
    UNIQUE (code, sequence)
) STRICT;

CREATE TABLE rule_event (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    rule      TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    -- The rule as it is from now on; none when it is withdrawn.
    rule_json TEXT
) STRICT;

CREATE TABLE approval (
    id              TEXT    PRIMARY KEY,
    caller          TEXT    NOT NULL,
    operator        TEXT    NOT NULL,
    operation       TEXT    NOT NULL,
    seal            TEXT    NOT NULL,
    seal_name       TEXT    NOT NULL,
    document_sha256 BLOB    NOT NULL CHECK (length(document_sha256) = 32),
    place_sha256    BLOB    NOT NULL CHECK (length(place_sha256) = 32),
    place           TEXT    NOT NULL,
    copies          INTEGER NOT NULL CHECK (copies >= 1),
    case_number     TEXT    NOT NULL,
    needed          INTEGER NOT NULL CHECK (needed IN (1, 2)),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE approval_signature (
    approval           TEXT    NOT NULL REFERENCES approval (id),
    approver           TEXT    NOT NULL,
    certificate_sha256 BLOB    NOT NULL CHECK (length(certificate_sha256) = 32),
    cms_der            BLOB    NOT NULL,
    signed_at          INTEGER NOT NULL,
    PRIMARY KEY (approval, approver),
    UNIQUE (approval, certificate_sha256)
) STRICT, WITHOUT ROWID;

-- One use of one seal under one request, entered before its first intent. What came of it stands
-- in the request and its release.
CREATE TABLE seal_use (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    request             INTEGER NOT NULL REFERENCES request (id),
    seal                TEXT    NOT NULL,
    seal_version        INTEGER NOT NULL,
    rule                TEXT    NOT NULL,
    -- An approval is good once.
    approval            TEXT    UNIQUE REFERENCES approval (id),
    -- The day in Beijing, as quotas count.
    day                 TEXT    NOT NULL,
    at                  INTEGER NOT NULL,
    operator            TEXT    NOT NULL,
    unit                TEXT    NOT NULL,
    channel             TEXT    NOT NULL,
    terminal            TEXT    NOT NULL,
    item                TEXT    NOT NULL,
    case_number         TEXT    NOT NULL,
    document_sha256     BLOB    NOT NULL CHECK (length(document_sha256) = 32),
    place               TEXT    NOT NULL,
    copies              INTEGER NOT NULL,
    certificate_serials TEXT    NOT NULL,
    UNIQUE (request, seal)
) STRICT;

CREATE INDEX seal_use_by_rule ON seal_use (rule, day);
CREATE INDEX seal_use_by_seal ON seal_use (seal, day);
CREATE INDEX seal_use_by_day ON seal_use (day);

CREATE TRIGGER seal_event_is_kept BEFORE DELETE ON seal_event
    BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;
CREATE TRIGGER seal_event_stays BEFORE UPDATE ON seal_event
    BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER rule_event_is_kept BEFORE DELETE ON rule_event
    BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;
CREATE TRIGGER rule_event_stays BEFORE UPDATE ON rule_event
    BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER approval_is_kept BEFORE DELETE ON approval
    BEGIN SELECT RAISE(ABORT, 'an approval is never deleted'); END;
CREATE TRIGGER approval_stays BEFORE UPDATE ON approval
    BEGIN SELECT RAISE(ABORT, 'an approval is never changed'); END;
CREATE TRIGGER approval_signature_is_kept BEFORE DELETE ON approval_signature
    BEGIN SELECT RAISE(ABORT, 'a signature is never deleted'); END;
CREATE TRIGGER approval_signature_stays BEFORE UPDATE ON approval_signature
    BEGIN SELECT RAISE(ABORT, 'a signature is never changed'); END;
CREATE TRIGGER seal_use_is_kept BEFORE DELETE ON seal_use
    BEGIN SELECT RAISE(ABORT, 'a use is never deleted'); END;
CREATE TRIGGER seal_use_stays BEFORE UPDATE ON seal_use
    BEGIN SELECT RAISE(ABORT, 'a use is never changed'); END;

PRAGMA user_version = 2;
