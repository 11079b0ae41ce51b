-- What contacts have behind them in a run.

-- name: progress
-- The progress of a contact in a run.
SELECT place, pass, lane, rank, due, attempts, device_next, bad_devices, delivered, attempted, reason, results
FROM progress WHERE run = ?1 AND contact = ?2;

-- name: put_progress
-- Adds or replaces the progress of a contact in a run.
INSERT INTO progress (run, contact, place, pass, lane, rank, due, attempts, device_next, bad_devices, delivered, attempted,
  reason, results)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
ON CONFLICT (run, contact) DO UPDATE SET place = ?3, pass = ?4, lane = ?5, rank = ?6, due = ?7, attempts = ?8,
  device_next = ?9, bad_devices = ?10, delivered = ?11, attempted = ?12, reason = ?13, results = ?14;
