CREATE TABLE api_key (
  id INTEGER PRIMARY KEY, user INTEGER NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER,
  hash BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL
);

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL, batch INTEGER, pass INTEGER NOT NULL, pass_id INTEGER NOT NULL,
  account INTEGER NOT NULL, contact INTEGER NOT NULL, device INTEGER NOT NULL, address TEXT, our_address INTEGER NOT NULL,
  channel INTEGER NOT NULL, direction INTEGER NOT NULL, number INTEGER NOT NULL, lane INTEGER NOT NULL, rank INTEGER NOT NULL,
  carrier INTEGER NOT NULL, written INTEGER NOT NULL, accepted INTEGER, parts INTEGER NOT NULL, parts_delivered INTEGER NOT NULL,
  ended INTEGER, result INTEGER, reason INTEGER, script_result INTEGER, archived INTEGER NOT NULL, text TEXT NOT NULL,
  carrier_status TEXT
);

CREATE TABLE attempt_open_count (run INTEGER PRIMARY KEY, attempts INTEGER NOT NULL);

CREATE TABLE attempt_stray (device INTEGER NOT NULL, attempt INTEGER NOT NULL, PRIMARY KEY (device, attempt)) WITHOUT ROWID;

CREATE TABLE batch_run (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, live INTEGER NOT NULL, body TEXT NOT NULL);

CREATE TABLE contact (
  id INTEGER PRIMARY KEY, container INTEGER NOT NULL, live INTEGER NOT NULL, client_id TEXT NOT NULL, payload BLOB NOT NULL
);

CREATE TABLE contact_device (device INTEGER NOT NULL, contact INTEGER NOT NULL, PRIMARY KEY (device, contact)) WITHOUT ROWID;

CREATE TABLE contact_device_new (device INTEGER NOT NULL, contact INTEGER NOT NULL, PRIMARY KEY (device, contact)) WITHOUT ROWID;

CREATE TABLE container (id INTEGER PRIMARY KEY, contacts INTEGER NOT NULL, next_row INTEGER NOT NULL);

CREATE TABLE counter (
  id INTEGER NOT NULL, pass INTEGER NOT NULL, filtered INTEGER NOT NULL, not_attempted INTEGER NOT NULL,
  delivered INTEGER NOT NULL, failed INTEGER NOT NULL, attempted INTEGER NOT NULL, active INTEGER NOT NULL,
  pending INTEGER NOT NULL, PRIMARY KEY (id, pass)
) WITHOUT ROWID;

CREATE TABLE counter_minute (
  id INTEGER NOT NULL, pass INTEGER NOT NULL, minute INTEGER NOT NULL, attempted INTEGER NOT NULL, PRIMARY KEY (id, pass, minute)
) WITHOUT ROWID;

CREATE TABLE denial (
  run INTEGER NOT NULL, contact INTEGER NOT NULL, at INTEGER NOT NULL, reason INTEGER NOT NULL, rule INTEGER,
  rule_version INTEGER, PRIMARY KEY (run, contact)
) WITHOUT ROWID;

CREATE TABLE denial_count (run INTEGER NOT NULL, reason INTEGER NOT NULL, contacts INTEGER NOT NULL, PRIMARY KEY (run, reason)) WITHOUT ROWID;

CREATE TABLE document (
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, scope INTEGER NOT NULL, name TEXT, created INTEGER NOT NULL,
  deleted INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL
);

CREATE TABLE early_receipt (
  carrier INTEGER NOT NULL, message_id TEXT NOT NULL, at INTEGER NOT NULL, delivered INTEGER NOT NULL, status TEXT NOT NULL,
  PRIMARY KEY (carrier, message_id)
) WITHOUT ROWID;

CREATE TABLE epoch (topic INTEGER PRIMARY KEY, changes INTEGER NOT NULL);

CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE job_input (job INTEGER PRIMARY KEY, data BLOB NOT NULL);

CREATE TABLE job_result (job INTEGER NOT NULL, piece INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (job, piece)) WITHOUT ROWID;

CREATE TABLE judgement (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL, at INTEGER NOT NULL, lane INTEGER, until INTEGER, reason INTEGER, basis TEXT NOT NULL
);

CREATE TABLE kept_answer (
  org INTEGER NOT NULL, method TEXT NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, status INTEGER NOT NULL,
  body BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (org, method, key)
);

CREATE TABLE label (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

CREATE TABLE lane (run INTEGER NOT NULL, number INTEGER NOT NULL, facts BLOB NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID;

CREATE TABLE lane_waiting (
  run INTEGER NOT NULL, pass INTEGER NOT NULL, lane INTEGER NOT NULL, contacts INTEGER NOT NULL, PRIMARY KEY (run, pass, lane)
) WITHOUT ROWID;

CREATE TABLE message (
  carrier INTEGER NOT NULL, message_id TEXT NOT NULL, attempt INTEGER NOT NULL, PRIMARY KEY (carrier, message_id)
) WITHOUT ROWID;

CREATE TABLE nonce (nonce BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE opt_out (
  account INTEGER NOT NULL, device INTEGER NOT NULL, channel INTEGER NOT NULL, at INTEGER NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (account, device, channel)
) WITHOUT ROWID;

CREATE TABLE password (
  user INTEGER NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (user, number)
) WITHOUT ROWID;

CREATE TABLE progress (
  run INTEGER NOT NULL, contact INTEGER NOT NULL, place INTEGER NOT NULL, pass INTEGER NOT NULL, lane INTEGER NOT NULL,
  rank INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL, device_next INTEGER NOT NULL,
  bad_devices INTEGER NOT NULL, delivered INTEGER NOT NULL, attempted INTEGER NOT NULL, reason INTEGER, results BLOB NOT NULL,
  PRIMARY KEY (run, contact)
) WITHOUT ROWID;

CREATE TABLE queue (
  run INTEGER NOT NULL, pass INTEGER NOT NULL, lane INTEGER NOT NULL, due INTEGER NOT NULL, rank INTEGER NOT NULL,
  contact INTEGER NOT NULL, PRIMARY KEY (run, pass, lane, due, rank, contact)
) WITHOUT ROWID;

CREATE TABLE run (id INTEGER PRIMARY KEY, live INTEGER NOT NULL, body TEXT NOT NULL);

CREATE TABLE script_content (
  script INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (script, position)
);

CREATE TABLE sequence (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), reserved INTEGER NOT NULL);

CREATE TABLE suppressed_client_id (
  list INTEGER NOT NULL, client_id TEXT NOT NULL, channel INTEGER NOT NULL, address TEXT, expires INTEGER, reason TEXT,
  source TEXT, PRIMARY KEY (list, client_id, channel)
) WITHOUT ROWID;

CREATE TABLE suppressed_device (
  list INTEGER NOT NULL, device INTEGER NOT NULL, channel INTEGER NOT NULL, address TEXT, expires INTEGER, reason TEXT,
  source TEXT, PRIMARY KEY (list, device, channel)
) WITHOUT ROWID;

CREATE TABLE suppression_size (list INTEGER PRIMARY KEY, entries INTEGER NOT NULL);

CREATE TABLE system_event (
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, at INTEGER NOT NULL, user INTEGER NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, detail TEXT NOT NULL
);

CREATE INDEX api_key_user ON api_key (user);

CREATE INDEX attempt_batch ON attempt (batch) WHERE batch IS NOT NULL;

CREATE INDEX attempt_contact ON attempt (contact);

CREATE INDEX attempt_open ON attempt (carrier) WHERE result IS NULL;

CREATE INDEX attempt_run ON attempt (run);

CREATE INDEX batch_run_live ON batch_run (run) WHERE live = 1;

CREATE INDEX batch_run_of ON batch_run (run);

CREATE INDEX contact_former ON contact (client_id) WHERE live = 0;

CREATE UNIQUE INDEX contact_live ON contact (client_id, container) WHERE live = 1;

CREATE INDEX contact_member ON contact (container) WHERE live = 1;

CREATE INDEX document_kind ON document (kind, id, deleted);

CREATE UNIQUE INDEX document_name ON document (kind, scope, name) WHERE deleted = 0 AND name IS NOT NULL;

CREATE INDEX document_scope ON document (kind, scope, id, deleted);

CREATE INDEX early_receipt_at ON early_receipt (at);

CREATE INDEX judgement_run ON judgement (run);

CREATE INDEX kept_answer_at ON kept_answer (at);

CREATE UNIQUE INDEX lane_facts ON lane (run, facts);

CREATE INDEX message_attempt ON message (attempt);

CREATE INDEX nonce_at ON nonce (at);

CREATE INDEX run_live ON run (live) WHERE live = 1;

CREATE INDEX system_event_owner ON system_event (owner);
