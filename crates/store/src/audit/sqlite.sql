-- The audit trail.

-- name: system_events
-- Events of an Org by id.
SELECT id, owner, at, user, action, subject, detail FROM system_event INDEXED BY system_event_owner
WHERE owner = ?1 AND id > ?2 AND at >= ?3 AND at < ?4 ORDER BY id LIMIT ?5;

-- name: append_system_event
-- Adds an event.
INSERT INTO system_event (id, owner, at, user, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
