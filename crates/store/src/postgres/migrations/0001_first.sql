-- Everything that is kept. Times are milliseconds since 1970 in UTC, words of the vocabulary are their place in its list, ids
-- are drawn from one sequence. Texts compare by their bytes (COLLATE "C"), as on every other backend. Wide columns come first
-- in the hot tables, so that no row is padded.

-- The one row the writer changes with every commit: up to which id numbers were given out; how often a writer has begun, and
-- how many commits there were, by which one that lost its connection learns whether its last commit was kept.
CREATE TABLE sequence (
  only_row SMALLINT PRIMARY KEY CHECK (only_row = 1), reserved BIGINT NOT NULL, openings BIGINT NOT NULL, commits BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO sequence VALUES (1, 0, 0, 0);

-- Texts that many rows repeat: carriers and our own addresses.
CREATE TABLE label (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text TEXT COLLATE "C" NOT NULL UNIQUE);

CREATE TABLE fact (name TEXT COLLATE "C" PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE epoch (topic SMALLINT PRIMARY KEY, changes BIGINT NOT NULL);

CREATE TABLE document (
  id BIGINT PRIMARY KEY, scope BIGINT NOT NULL, created BIGINT NOT NULL, version BIGINT NOT NULL, kind SMALLINT NOT NULL,
  deleted BOOLEAN NOT NULL, name TEXT COLLATE "C", body BYTEA NOT NULL
);
CREATE UNIQUE INDEX document_name ON document (kind, scope, name) WHERE NOT deleted AND name IS NOT NULL;
CREATE INDEX document_kind ON document (kind, id);
CREATE INDEX document_scope ON document (kind, scope, id);

CREATE TABLE script_content (
  script BIGINT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, data BYTEA NOT NULL, PRIMARY KEY (script, position)
);

-- A contact stands in exactly one of the two Client ID indexes. The Client ID leads in both, so one index serves the
-- uniqueness within a container and the search through all of them.
CREATE TABLE contact (
  id BIGINT PRIMARY KEY, container BIGINT NOT NULL, live BOOLEAN NOT NULL, client_id TEXT COLLATE "C" NOT NULL,
  payload BYTEA NOT NULL
);
CREATE UNIQUE INDEX contact_live ON contact (client_id, container) WHERE live;
CREATE INDEX contact_former ON contact (client_id) WHERE NOT live;
CREATE INDEX contact_member ON contact (container, id) WHERE live;
CREATE TABLE contact_device (device BIGINT NOT NULL, contact BIGINT NOT NULL, PRIMARY KEY (device, contact));

CREATE TABLE container (id BIGINT PRIMARY KEY, contacts BIGINT NOT NULL, next_row BIGINT NOT NULL) WITH (fillfactor = 50);

CREATE TABLE run (id BIGINT PRIMARY KEY, live BOOLEAN NOT NULL, body TEXT NOT NULL) WITH (fillfactor = 50);
CREATE INDEX run_live ON run (id) WHERE live;
CREATE TABLE batch_run (id BIGINT PRIMARY KEY, run BIGINT NOT NULL, live BOOLEAN NOT NULL, body TEXT NOT NULL)
  WITH (fillfactor = 50);
CREATE INDEX batch_run_of ON batch_run (run, id);
CREATE INDEX batch_run_live ON batch_run (run, id) WHERE live;

CREATE TABLE lane (run BIGINT NOT NULL, number BIGINT NOT NULL, facts BYTEA NOT NULL, PRIMARY KEY (run, number));
CREATE UNIQUE INDEX lane_facts ON lane (run, facts);
CREATE TABLE lane_waiting (
  run BIGINT NOT NULL, lane BIGINT NOT NULL, contacts BIGINT NOT NULL, pass INTEGER NOT NULL, PRIMARY KEY (run, pass, lane)
) WITH (fillfactor = 50);

-- Places come and go, so what was taken is cleaned up by count and not by share of the table.
CREATE TABLE queue (
  run BIGINT NOT NULL, lane BIGINT NOT NULL, due BIGINT NOT NULL, rank BIGINT NOT NULL, contact BIGINT NOT NULL,
  pass INTEGER NOT NULL, PRIMARY KEY (run, pass, lane, due, rank, contact)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000);

-- results: four bytes each, pass (two, little end first), result, script result (255 = none).
CREATE TABLE progress (
  run BIGINT NOT NULL, contact BIGINT NOT NULL, lane BIGINT NOT NULL, rank BIGINT NOT NULL, due BIGINT NOT NULL,
  pass INTEGER NOT NULL, attempts INTEGER NOT NULL, bad_devices INTEGER NOT NULL, device_next SMALLINT NOT NULL,
  place SMALLINT NOT NULL, reason SMALLINT, delivered BOOLEAN NOT NULL, attempted BOOLEAN NOT NULL, results BYTEA NOT NULL,
  PRIMARY KEY (run, contact)
) WITH (fillfactor = 85);

-- The hottest insert of all. No index names a column that later facts change, and pages keep room for them, so adding facts
-- touches no index; which attempts are open stands in a narrow table of its own.
CREATE TABLE attempt (
  id BIGINT PRIMARY KEY, run BIGINT NOT NULL, batch BIGINT, pass_id BIGINT NOT NULL, account BIGINT NOT NULL,
  contact BIGINT NOT NULL, device BIGINT NOT NULL, our_address BIGINT NOT NULL, carrier BIGINT NOT NULL, lane BIGINT NOT NULL,
  rank BIGINT NOT NULL, written BIGINT NOT NULL, accepted BIGINT, ended BIGINT, pass INTEGER NOT NULL, number INTEGER NOT NULL,
  parts INTEGER NOT NULL, parts_delivered INTEGER NOT NULL, channel SMALLINT NOT NULL, direction SMALLINT NOT NULL,
  result SMALLINT, reason SMALLINT, script_result SMALLINT, archived BOOLEAN NOT NULL, address TEXT NOT NULL,
  text TEXT NOT NULL, carrier_status TEXT
) WITH (fillfactor = 80);
CREATE INDEX attempt_contact ON attempt (contact, id);
CREATE INDEX attempt_device ON attempt (device, id);
CREATE INDEX attempt_run ON attempt (run, id);
CREATE INDEX attempt_batch ON attempt (batch, id) WHERE batch IS NOT NULL;
CREATE TABLE attempt_open (id BIGINT PRIMARY KEY, carrier BIGINT NOT NULL, run BIGINT NOT NULL)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000);
CREATE INDEX attempt_open_carrier ON attempt_open (carrier, id);
CREATE TABLE attempt_open_count (run BIGINT PRIMARY KEY, attempts BIGINT NOT NULL) WITH (fillfactor = 50);

CREATE TABLE message (
  carrier BIGINT NOT NULL, attempt BIGINT NOT NULL, message_id TEXT COLLATE "C" NOT NULL, PRIMARY KEY (carrier, message_id)
);
CREATE INDEX message_attempt ON message (attempt, message_id, carrier);

CREATE TABLE early_receipt (
  carrier BIGINT NOT NULL, at BIGINT NOT NULL, delivered BOOLEAN NOT NULL, message_id TEXT COLLATE "C" NOT NULL,
  status TEXT NOT NULL, PRIMARY KEY (carrier, message_id)
);
CREATE INDEX early_receipt_at ON early_receipt (at);

CREATE TABLE denial (
  run BIGINT NOT NULL, contact BIGINT NOT NULL, at BIGINT NOT NULL, rule BIGINT, rule_version BIGINT, reason SMALLINT NOT NULL,
  PRIMARY KEY (run, contact)
);
CREATE TABLE denial_count (run BIGINT NOT NULL, contacts BIGINT NOT NULL, reason SMALLINT NOT NULL, PRIMARY KEY (run, reason))
  WITH (fillfactor = 50);
CREATE TABLE judgement (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run BIGINT NOT NULL, at BIGINT NOT NULL, lane BIGINT, until BIGINT,
  reason SMALLINT, basis TEXT NOT NULL
);
CREATE INDEX judgement_run ON judgement (run, id);

CREATE TABLE counter (
  id BIGINT NOT NULL, filtered BIGINT NOT NULL, not_attempted BIGINT NOT NULL, delivered BIGINT NOT NULL, failed BIGINT NOT NULL,
  attempted BIGINT NOT NULL, active BIGINT NOT NULL, pending BIGINT NOT NULL, pass INTEGER NOT NULL, PRIMARY KEY (id, pass)
) WITH (fillfactor = 50);
CREATE TABLE counter_minute (
  id BIGINT NOT NULL, minute BIGINT NOT NULL, attempted BIGINT NOT NULL, pass INTEGER NOT NULL, PRIMARY KEY (id, pass, minute)
) WITH (fillfactor = 90);

-- channel: the number of the channel, 0 = every one.
CREATE TABLE suppressed_device (
  list BIGINT NOT NULL, device BIGINT NOT NULL, expires BIGINT, channel SMALLINT NOT NULL, address TEXT, reason TEXT, source TEXT,
  PRIMARY KEY (list, device, channel)
);
CREATE TABLE suppressed_client_id (
  list BIGINT NOT NULL, expires BIGINT, channel SMALLINT NOT NULL, client_id TEXT COLLATE "C" NOT NULL, address TEXT, reason TEXT,
  source TEXT, PRIMARY KEY (list, client_id, channel)
);
CREATE TABLE suppression_size (list BIGINT PRIMARY KEY, entries BIGINT NOT NULL) WITH (fillfactor = 50);
CREATE TABLE opt_out (
  account BIGINT NOT NULL, device BIGINT NOT NULL, at BIGINT NOT NULL, channel SMALLINT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (account, device, channel)
);

CREATE TABLE password (
  owner BIGINT NOT NULL, at BIGINT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (owner, number)
);
CREATE TABLE api_key (
  id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, created BIGINT NOT NULL, expires BIGINT, name TEXT NOT NULL,
  hash BYTEA NOT NULL UNIQUE, sealed BYTEA NOT NULL
);
CREATE INDEX api_key_owner ON api_key (owner, id);
CREATE TABLE nonce (nonce BYTEA PRIMARY KEY, at BIGINT NOT NULL);
CREATE INDEX nonce_at ON nonce (at);

CREATE TABLE job_result (job BIGINT NOT NULL, piece BIGINT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (job, piece));
CREATE TABLE job_input (job BIGINT PRIMARY KEY, data BYTEA NOT NULL);

CREATE TABLE system_event (
  id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, at BIGINT NOT NULL, person BIGINT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX system_event_owner ON system_event (owner, id);

CREATE TABLE kept_answer (
  org BIGINT NOT NULL, at BIGINT NOT NULL, status INTEGER NOT NULL, method TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL, request BYTEA NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (org, method, key)
);
CREATE INDEX kept_answer_at ON kept_answer (at);
