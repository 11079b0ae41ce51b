-- What contacts have behind them in a run.

-- name: progress
-- The progress of contacts in a run.
SELECT contact, place, pass, lane, rank, due, attempts, device_next, bad_devices, delivered, attempted, reason, results
FROM progress WHERE run = $1 AND contact = ANY($2);

-- name: put_progress
-- Adds or replaces the progress of contacts in runs.
INSERT INTO progress (run, contact, place, pass, lane, rank, due, attempts, device_next, bad_devices, delivered, attempted,
  reason, results)
SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::SMALLINT[], $4::INTEGER[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[],
  $8::INTEGER[], $9::SMALLINT[], $10::INTEGER[], $11::BOOLEAN[], $12::BOOLEAN[], $13::SMALLINT[], $14::BYTEA[])
ON CONFLICT (run, contact) DO UPDATE SET place = excluded.place, pass = excluded.pass, lane = excluded.lane,
  rank = excluded.rank, due = excluded.due, attempts = excluded.attempts, device_next = excluded.device_next,
  bad_devices = excluded.bad_devices, delivered = excluded.delivered, attempted = excluded.attempted,
  reason = excluded.reason, results = excluded.results;
