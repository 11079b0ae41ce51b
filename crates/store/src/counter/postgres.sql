-- Counters, as they stand and by minute.

-- name: counters
-- The counters of subjects.
SELECT counter.id, counter.pass, filtered, not_attempted, delivered, failed, attempted, active, pending
FROM UNNEST($1::BIGINT[], $2::INTEGER[]) AS asked (id, pass) JOIN counter USING (id, pass);

-- name: count
-- Adds changes to the counters of subjects.
INSERT INTO counter (id, pass, filtered, not_attempted, delivered, failed, attempted, active, pending)
SELECT * FROM UNNEST($1::BIGINT[], $2::INTEGER[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[],
  $8::BIGINT[], $9::BIGINT[])
ON CONFLICT (id, pass) DO UPDATE SET filtered = counter.filtered + excluded.filtered,
  not_attempted = counter.not_attempted + excluded.not_attempted, delivered = counter.delivered + excluded.delivered,
  failed = counter.failed + excluded.failed, attempted = counter.attempted + excluded.attempted,
  active = counter.active + excluded.active, pending = counter.pending + excluded.pending;

-- name: count_minute
-- Adds attempts to the minute in which they happened.
INSERT INTO counter_minute (id, pass, minute, attempted)
SELECT id, pass, $3, attempted FROM UNNEST($1::BIGINT[], $2::INTEGER[], $4::BIGINT[]) AS change (id, pass, attempted)
WHERE attempted <> 0
ON CONFLICT (id, pass, minute) DO UPDATE SET attempted = counter_minute.attempted + excluded.attempted;

-- name: attempted_between
-- Attempts of a subject in the minutes from $3 to $4, both included.
SELECT coalesce(sum(attempted), 0)::BIGINT FROM counter_minute WHERE id = $1 AND pass = $2 AND minute >= $3 AND minute <= $4;
