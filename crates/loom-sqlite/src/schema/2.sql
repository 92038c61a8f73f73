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

-- What is said about a run, as JSON; nothing for runs about which nothing is.
ALTER TABLE runs ADD COLUMN meta TEXT;

-- For finding runs by what is said about them. Rows go with their run.
CREATE TABLE run_tags (
    tag TEXT NOT NULL,
    run BLOB NOT NULL,
    PRIMARY KEY (tag, run)
) WITHOUT ROWID;
CREATE TABLE run_annotations (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    run BLOB NOT NULL,
    PRIMARY KEY (key, value, run)
) WITHOUT ROWID;

-- What is said about a run and is often asked for. Runs about which nothing is said are in none.
CREATE INDEX runs_by_initiator ON runs (meta ->> 'initiator') WHERE meta IS NOT NULL;
CREATE INDEX runs_by_source ON runs (meta ->> 'source') WHERE meta IS NOT NULL;
CREATE INDEX runs_by_correlation ON runs (meta ->> 'correlation_id') WHERE meta IS NOT NULL;

-- For lists of a workflow's runs and for counting them by their states; also for dropping
-- definitions that are no longer used.
DROP INDEX runs_by_definition;
CREATE INDEX runs_by_definition ON runs (definition, state);

-- For lists by the end of runs. A run enters it when it ends.
CREATE INDEX runs_by_end ON runs (finished_at) WHERE finished_at IS NOT NULL;

-- For finding definitions by name without passing their bodies.
CREATE INDEX definitions_by_name ON definitions (name, namespace, version, hash);
