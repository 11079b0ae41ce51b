-- Counters, as they stand and by minute.

-- name: counters
-- The counters of a subject.
SELECT filtered, not_attempted, delivered, failed, attempted, active, pending FROM counter WHERE id = ?1 AND pass = ?2;

-- name: count
-- Adds a change to the counters of a subject.
INSERT INTO counter (id, pass, filtered, not_attempted, delivered, failed, attempted, active, pending)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (id, pass) DO UPDATE SET filtered = filtered + ?3, not_attempted = not_attempted + ?4,
  delivered = delivered + ?5, failed = failed + ?6, attempted = attempted + ?7, active = active + ?8, pending = pending + ?9;

-- name: count_minute
-- Adds attempts to the minute in which they happened.
INSERT INTO counter_minute (id, pass, minute, attempted) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (id, pass, minute) DO UPDATE SET attempted = attempted + ?4;

-- name: attempted_between
-- Attempts of a subject in the minutes from ?3 to ?4, both included.
SELECT coalesce(sum(attempted), 0) FROM counter_minute WHERE id = ?1 AND pass = ?2 AND minute >= ?3 AND minute <= ?4;
