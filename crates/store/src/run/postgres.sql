-- Runs and the runs of batches, as JSON, with what they are looked up by.

-- name: run
-- A run.
SELECT body FROM run WHERE id = $1;

-- name: live_runs
-- Runs that still have something to do.
-- scan: of the index that holds those alone.
SELECT body FROM run WHERE live ORDER BY id;

-- name: put_run
-- Adds or replaces a run.
INSERT INTO run (id, live, body) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET live = $2, body = $3;

-- name: batch_run
-- The run of a batch.
SELECT body FROM batch_run WHERE id = $1;

-- name: live_batches
-- Batches of a run that still have something to do.
SELECT body FROM batch_run WHERE run = $1 AND live ORDER BY id;

-- name: batches_of
-- Ids of all batches of a run.
SELECT id FROM batch_run WHERE run = $1 ORDER BY id;

-- name: put_batch_run
-- Adds or replaces the run of a batch.
INSERT INTO batch_run (id, run, live, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET run = $2, live = $3, body = $4;
