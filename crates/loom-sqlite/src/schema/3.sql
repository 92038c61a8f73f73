-- What was asked of runs and waits for their owners. AUTOINCREMENT, because a number is given only once for
-- as long as the store lives: whoever asked looks for the answer by it, and an owner answers by it what it has
-- read a moment ago, while others withdraw theirs and post new ones.
ALTER TABLE requests RENAME TO requests_of_format_2;
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);
INSERT INTO requests (id, run, body) SELECT id, run, body FROM requests_of_format_2;
DROP TABLE requests_of_format_2;

-- How requests were answered: why they were refused, or nothing if they were granted. A row is there until
-- who asked has read it, or its run goes. A table of its own, so that those that wait stay few.
CREATE TABLE answers (
    run BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    request INTEGER NOT NULL,
    refusal TEXT,
    PRIMARY KEY (run, request)
) WITHOUT ROWID;

-- Which key secrets are sealed with: the SHA-256 of the key file; nothing as long as nothing is sealed. In a
-- store that an older format wrote something may be, so that the key is yet to be found out: no bytes.
CREATE TABLE sealing (fingerprint BLOB);
INSERT INTO sealing SELECT CASE
    WHEN EXISTS (SELECT 1 FROM definitions) OR EXISTS (SELECT 1 FROM documents) THEN x''
END;
