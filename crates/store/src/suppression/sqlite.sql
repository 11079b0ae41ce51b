-- Suppression entries by device and by Client ID, and opt-outs. Channel 0 stands for every channel. `+channel` keeps
-- SQLite from building a table of the two wanted channels for each question: a key has few rows, and they are compared.

-- name: suppresses_device
-- Whether a list has an entry for a device that binds on a channel at a moment.
SELECT 1 FROM suppressed_device
WHERE list = ?1 AND device = ?2 AND +channel IN (0, ?3) AND (expires IS NULL OR expires > ?4) LIMIT 1;

-- name: suppresses_client_id
-- Whether a list has an entry for a Client ID that binds on a channel at a moment.
SELECT 1 FROM suppressed_client_id
WHERE list = ?1 AND client_id = ?2 AND +channel IN (0, ?3) AND (expires IS NULL OR expires > ?4) LIMIT 1;

-- name: device_page
-- Entries of a list by device.
SELECT device, channel, address, expires, reason, source FROM suppressed_device
WHERE list = ?1 AND device > ?2 ORDER BY device, channel LIMIT ?3;

-- name: first_device_page
-- Entries of a list from the first device on.
SELECT device, channel, address, expires, reason, source FROM suppressed_device
WHERE list = ?1 ORDER BY device, channel LIMIT ?2;

-- name: client_id_page
-- Entries of a list by Client ID.
SELECT client_id, channel, address, expires, reason, source FROM suppressed_client_id
WHERE list = ?1 AND client_id > ?2 ORDER BY client_id, channel LIMIT ?3;

-- name: first_client_id_page
-- Entries of a list from the first Client ID on.
SELECT client_id, channel, address, expires, reason, source FROM suppressed_client_id
WHERE list = ?1 ORDER BY client_id, channel LIMIT ?2;

-- name: suppression_size
-- How many entries a list has.
SELECT entries FROM suppression_size WHERE list = ?1;

-- name: change_suppression_size
-- Adds to the number of entries, once for each call.
INSERT INTO suppression_size (list, entries) VALUES (?1, ?2) ON CONFLICT (list) DO UPDATE SET entries = entries + ?2;

-- name: insert_suppressed_device
-- Adds an entry for a device and channel that has none.
INSERT INTO suppressed_device (list, device, channel, address, expires, reason, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING;

-- name: replace_suppressed_device
-- Replaces the entry for a device and channel.
UPDATE suppressed_device SET address = ?4, expires = ?5, reason = ?6, source = ?7
WHERE list = ?1 AND device = ?2 AND channel = ?3;

-- name: insert_suppressed_client_id
-- Adds an entry for a Client ID and channel that has none.
INSERT INTO suppressed_client_id (list, client_id, channel, address, expires, reason, source)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING;

-- name: replace_suppressed_client_id
-- Replaces the entry for a Client ID and channel.
UPDATE suppressed_client_id SET address = ?4, expires = ?5, reason = ?6, source = ?7
WHERE list = ?1 AND client_id = ?2 AND channel = ?3;

-- name: remove_suppressed_device
-- Removes the entries of a device on every channel.
DELETE FROM suppressed_device WHERE list = ?1 AND device = ?2;

-- name: remove_suppressed_client_id
-- Removes the entries of a Client ID on every channel.
DELETE FROM suppressed_client_id WHERE list = ?1 AND client_id = ?2;

-- name: opted_out
-- Whether a device has opted out of a channel, by itself or with all others.
SELECT 1 FROM opt_out WHERE account = ?1 AND device = ?2 AND +channel IN (0, ?3) LIMIT 1;

-- name: count_opt_outs
-- Devices that have opted out of an Account.
SELECT count(DISTINCT device) FROM opt_out WHERE account = ?1;

-- name: opt_out
-- Notes an opt-out.
INSERT INTO opt_out (account, device, channel, at, source) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- name: lift_opt_out
-- Removes one opt-out; answers what it said.
DELETE FROM opt_out WHERE account = ?1 AND device = ?2 AND channel = ?3 RETURNING at, source;
