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
