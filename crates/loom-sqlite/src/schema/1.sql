-- Workflows, by the SHA-256 of their canonical JSON.
CREATE TABLE definitions (
    hash BLOB PRIMARY KEY NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    body TEXT NOT NULL
);

-- One row a run, touched when the run is created and when its state changes. Times are microseconds
-- since 1970; the identity's byte order is age. What is long stands last.
CREATE TABLE runs (
    id BLOB PRIMARY KEY NOT NULL,
    definition BLOB NOT NULL REFERENCES definitions (hash),
    state TEXT NOT NULL,
    owner TEXT,
    workers INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    base TEXT NOT NULL,
    variables TEXT NOT NULL
) WITHOUT ROWID;

-- For lists by state.
CREATE INDEX runs_by_state ON runs (state);

-- For dropping definitions that are no longer used.
CREATE INDEX runs_by_definition ON runs (definition);

-- What happened, only ever appended, so that a commit touches few pages however many runs it is
-- about: each row a JSON list of events of one run, of which the first has the number `seq` within
-- the run and happened at `at`. Without a reference to `runs`, whose check would cost a look-up for
-- each row: rows go with their run in one transaction.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    run BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    events TEXT NOT NULL
);

-- Where a run's rows are. It is brought up to date behind the journal, many rows at once, because
-- each run's entries have a page of their own; rows above `upto` have to be searched for.
CREATE TABLE journal_index (
    run BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (run, seq, id)
) WITHOUT ROWID;
CREATE TABLE journal_indexed (upto INTEGER NOT NULL);
INSERT INTO journal_indexed VALUES (0);

-- What was asked of runs and not yet taken by their owners.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    run BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);
