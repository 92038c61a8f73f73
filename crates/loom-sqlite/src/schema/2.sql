-- Small records beside the runs. A version never repeats, not after a delete either: the last one
-- given out is counted.
CREATE TABLE documents (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    secret TEXT,
    PRIMARY KEY (collection, key)
) WITHOUT ROWID;
CREATE TABLE document_versions (last INTEGER NOT NULL);
INSERT INTO document_versions VALUES (0);
-- A run that has ended belongs to nobody, so that anybody may go on with it.
UPDATE runs SET owner = NULL WHERE state IN ('succeeded', 'failed', 'cancelled');

-- What owners use of what has so many slots for all of them, and since when they stand in line for
-- more (microseconds since 1970, like when they last asked). Rows of dead owners mean nothing.
CREATE TABLE slots (
    key TEXT NOT NULL,
    owner TEXT NOT NULL,
    used INTEGER NOT NULL,
    waits_since INTEGER,
    asked_at INTEGER,
    PRIMARY KEY (key, owner)
) WITHOUT ROWID;
