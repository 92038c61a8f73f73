-- What a store of format 1 held, for the test of the migrations.
INSERT INTO definitions (hash, namespace, name, version, body) VALUES (
    x'a0cec6c62646879e339e602e243e05bb37d9c136f6f84cbd32913d72dfb64168',
    'default',
    'sample',
    '0.1.0',
    '{"namespace":"default","name":"sample","version":"0.1.0","on_failure":"continue","tasks":[{"name":"only","plugin":"noop"}]}'
);
INSERT INTO runs (id, definition, state, owner, workers, created_at, started_at, finished_at, base, variables) VALUES (
    x'018bcfe56801000000000000bddabdda',
    x'a0cec6c62646879e339e602e243e05bb37d9c136f6f84cbd32913d72dfb64168',
    'queued',
    '1-2-dead',
    4,
    1700000000000000,
    NULL,
    NULL,
    '/home/somebody',
    '[{"name":"TRUE","value":"1"}]'
);
INSERT INTO journal (id, run, seq, at, events) VALUES (
    1,
    x'018bcfe56801000000000000bddabdda',
    1,
    1700000001000000,
    '[{"e":"started","at":1700000001000000,"t":0,"a":1},{"e":"started","at":1700000002000000,"t":0,"a":2}]'
);
INSERT INTO requests (id, run, body) VALUES (
    1,
    x'018bcfe56801000000000000bddabdda',
    '{"request":"pause","by":"somebody"}'
);
