-- Suppression entries by device and by Client ID, and opt-outs. Channel 0 stands for every channel.

-- name: suppressed_devices
-- The place in the row of lists of the first one that has an entry for a device which binds on a channel at a moment.
SELECT asked.device, min(list.place) FROM UNNEST($1::BIGINT[]) AS asked (device)
CROSS JOIN UNNEST($2::BIGINT[]) WITH ORDINALITY AS list (id, place)
JOIN suppressed_device AS entry ON entry.list = list.id AND entry.device = asked.device
WHERE entry.channel IN (0, $3) AND (entry.expires IS NULL OR entry.expires > $4) GROUP BY asked.device;

-- name: suppressed_client_ids
-- The same for Client IDs.
SELECT asked.client_id, min(list.place) FROM UNNEST($1::TEXT[]) AS asked (client_id)
CROSS JOIN UNNEST($2::BIGINT[]) WITH ORDINALITY AS list (id, place)
JOIN suppressed_client_id AS entry ON entry.list = list.id AND entry.client_id = asked.client_id
WHERE entry.channel IN (0, $3) AND (entry.expires IS NULL OR entry.expires > $4) GROUP BY asked.client_id;

-- name: device_page
-- Entries of a list by device.
SELECT device, channel, address, expires, reason, source FROM suppressed_device
WHERE list = $1 AND device > $2 ORDER BY device, channel LIMIT $3;

-- name: first_device_page
-- Entries of a list from the first device on.
SELECT device, channel, address, expires, reason, source FROM suppressed_device
WHERE list = $1 ORDER BY device, channel LIMIT $2;

-- name: client_id_page
-- Entries of a list by Client ID.
SELECT client_id, channel, address, expires, reason, source FROM suppressed_client_id
WHERE list = $1 AND client_id > $2 ORDER BY client_id, channel LIMIT $3;

-- name: first_client_id_page
-- Entries of a list from the first Client ID on.
SELECT client_id, channel, address, expires, reason, source FROM suppressed_client_id
WHERE list = $1 ORDER BY client_id, channel LIMIT $2;

-- name: suppression_size
-- How many entries a list has.
SELECT entries FROM suppression_size WHERE list = $1;

-- name: change_suppression_size
-- Adds to the number of entries, once for each call.
INSERT INTO suppression_size (list, entries) VALUES ($1, $2)
ON CONFLICT (list) DO UPDATE SET entries = suppression_size.entries + $2;

-- name: put_suppressed_devices
-- Adds or replaces entries for devices; answers for each row whether it is new (a row that was replaced has an xmax).
INSERT INTO suppressed_device (list, device, channel, address, expires, reason, source)
SELECT $1, entry.* FROM UNNEST($2::BIGINT[], $3::SMALLINT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[], $7::TEXT[]) AS entry
ON CONFLICT (list, device, channel) DO UPDATE SET address = excluded.address, expires = excluded.expires,
  reason = excluded.reason, source = excluded.source
RETURNING xmax = 0;

-- name: put_suppressed_client_ids
-- The same for Client IDs.
INSERT INTO suppressed_client_id (list, client_id, channel, address, expires, reason, source)
SELECT $1, entry.* FROM UNNEST($2::TEXT[], $3::SMALLINT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[], $7::TEXT[]) AS entry
ON CONFLICT (list, client_id, channel) DO UPDATE SET address = excluded.address, expires = excluded.expires,
  reason = excluded.reason, source = excluded.source
RETURNING xmax = 0;

-- name: remove_suppressed_devices
-- Removes the entries of devices on every channel; answers them.
DELETE FROM suppressed_device WHERE list = $1 AND device = ANY($2) RETURNING device;

-- name: remove_suppressed_client_ids
-- Removes the entries of Client IDs on every channel; answers them.
DELETE FROM suppressed_client_id WHERE list = $1 AND client_id = ANY($2) RETURNING client_id;

-- name: opted_out
-- Which devices have opted out of a channel, by itself or with all others.
SELECT device FROM opt_out WHERE account = $1 AND device = ANY($2) AND channel IN (0, $3);

-- name: count_opt_outs
-- Devices that have opted out of an Account.
SELECT count(DISTINCT device) FROM opt_out WHERE account = $1;

-- name: opt_out
-- Notes an opt-out, unless the device is covered already.
INSERT INTO opt_out (account, device, channel, at, source) SELECT $1, $2, $3::SMALLINT, $4, $5
WHERE NOT EXISTS (SELECT 1 FROM opt_out WHERE account = $1 AND device = $2 AND channel IN (0, $3::SMALLINT));

-- name: lift_opt_out
-- Removes the opt-outs of a channel and of all; answers what they said.
DELETE FROM opt_out WHERE account = $1 AND device = $2 AND channel IN (0, $3) RETURNING channel, at, source;

-- name: keep_opt_outs
-- Notes opt-outs of single channels, in the place of one of all.
INSERT INTO opt_out (account, device, channel, at, source)
SELECT $1, $2, channel, $4, $5 FROM UNNEST($3::SMALLINT[]) AS other (channel) ON CONFLICT DO NOTHING;
