-- The ledger of attempts, the message ids their receipts name, and how many are open.

-- name: attempt
-- An attempt by id.
SELECT id, run, batch, pass, pass_id, account, contact, device, address, our_address, channel, direction, number, lane, rank,
  carrier, written, accepted, parts, parts_delivered, ended, result, reason, script_result, archived, text, carrier_status
FROM attempt WHERE id = ?1;

-- name: attempts_of_contact
-- Ids of attempts to a contact.
SELECT id FROM attempt INDEXED BY attempt_contact
WHERE contact = ?1 AND id > ?2 AND written >= ?3 AND written < ?4 ORDER BY id LIMIT ?5;

-- name: attempts_of_device
-- Ids of attempts to or from a device: by way of the contacts that have it, and those that stand apart.
SELECT id FROM (
  SELECT a.id FROM contact_device d CROSS JOIN attempt a INDEXED BY attempt_contact ON a.contact = d.contact
  WHERE d.device = ?1 AND a.device = ?1 AND a.id > ?2 AND a.written >= ?3 AND a.written < ?4
  UNION SELECT a.id FROM contact_device_new d CROSS JOIN attempt a INDEXED BY attempt_contact ON a.contact = d.contact
  WHERE d.device = ?1 AND a.device = ?1 AND a.id > ?2 AND a.written >= ?3 AND a.written < ?4
  UNION SELECT a.id FROM attempt_stray s CROSS JOIN attempt a ON a.id = s.attempt
  WHERE s.device = ?1 AND s.attempt > ?2 AND a.written >= ?3 AND a.written < ?4
) ORDER BY id LIMIT ?5;

-- name: attempts_of_batch
-- Ids of attempts of a batch.
SELECT id FROM attempt INDEXED BY attempt_batch
WHERE batch = ?1 AND id > ?2 AND written >= ?3 AND written < ?4 ORDER BY id LIMIT ?5;

-- name: attempts_of_run
-- Ids of attempts of a run.
SELECT id FROM attempt INDEXED BY attempt_run
WHERE run = ?1 AND id > ?2 AND written >= ?3 AND written < ?4 ORDER BY id LIMIT ?5;

-- name: last_attempt_between
-- The last outbound attempt (direction ?3) to a device from an address of ours.
SELECT max(id) FROM (
  SELECT a.id FROM contact_device d CROSS JOIN attempt a INDEXED BY attempt_contact ON a.contact = d.contact
  WHERE d.device = ?1 AND a.device = ?1 AND a.our_address = ?2 AND a.direction = ?3
  UNION ALL SELECT a.id FROM contact_device_new d CROSS JOIN attempt a INDEXED BY attempt_contact ON a.contact = d.contact
  WHERE d.device = ?1 AND a.device = ?1 AND a.our_address = ?2 AND a.direction = ?3
  UNION ALL SELECT a.id FROM attempt_stray s CROSS JOIN attempt a ON a.id = s.attempt
  WHERE s.device = ?1 AND a.our_address = ?2 AND a.direction = ?3
);

-- name: next_open_carrier
-- The first carrier above one that has open attempts: how the open ones of all carriers are walked.
SELECT carrier FROM attempt INDEXED BY attempt_open WHERE result IS NULL AND carrier > ?1 ORDER BY carrier LIMIT 1;

-- name: open_attempts_of_one_carrier
-- Ids of open attempts of a carrier.
SELECT id FROM attempt INDEXED BY attempt_open WHERE carrier = ?1 AND result IS NULL AND id > ?2 ORDER BY id LIMIT ?3;

-- name: accepted_attempts_of_carrier
-- Ids of open attempts of a carrier that it has taken, oldest first.
SELECT id FROM attempt INDEXED BY attempt_open
WHERE carrier = ?1 AND result IS NULL AND accepted IS NOT NULL ORDER BY id LIMIT ?2;

-- name: count_open_attempts
-- Open attempts of a run.
SELECT attempts FROM attempt_open_count WHERE run = ?1;

-- name: change_open_count
-- Adds to the number of open attempts of a run, once for each call and run.
INSERT INTO attempt_open_count (run, attempts) VALUES (?1, ?2)
ON CONFLICT (run) DO UPDATE SET attempts = attempts + ?2;

-- name: packed_contact
-- The devices of a contact, packed with all it holds.
SELECT payload FROM contact WHERE id = ?1;

-- name: insert_stray
-- Notes an attempt whose device is none of its contact's.
INSERT INTO attempt_stray (device, attempt) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: insert_attempt
-- Adds an attempt.
INSERT INTO attempt (id, run, batch, pass, pass_id, account, contact, device, address, our_address, channel, direction, number,
  lane, rank, carrier, written, accepted, parts, parts_delivered, ended, result, reason, script_result, archived, text,
  carrier_status)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,
  ?26, ?27);

-- name: accept_attempt
-- The carrier took it.
UPDATE attempt SET accepted = ?2, parts = ?3 WHERE id = ?1;

-- name: deliver_part
-- One more part was delivered.
UPDATE attempt SET parts_delivered = parts_delivered + 1 WHERE id = ?1;

-- name: end_attempt
-- It ended; it is no longer open.
UPDATE attempt SET ended = ?2, result = ?3, reason = ?4, script_result = ?5, carrier_status = ?6 WHERE id = ?1;

-- name: correct_attempt
-- A late report changed the result.
UPDATE attempt SET result = ?2, carrier_status = ?3 WHERE id = ?1;

-- name: archive_attempt
-- Marks it archived.
UPDATE attempt SET archived = 1 WHERE id = ?1;

-- name: attempt_of_message
-- The attempt a message id belongs to.
SELECT attempt FROM message WHERE carrier = ?1 AND message_id = ?2;

-- name: messages_of_attempt
-- The message ids of an attempt.
SELECT message_id FROM message INDEXED BY message_attempt WHERE attempt = ?1 ORDER BY message_id;

-- name: put_message
-- Notes a message id; a carrier that uses one again means the newer attempt.
INSERT INTO message (carrier, message_id, attempt) VALUES (?1, ?2, ?3)
ON CONFLICT (carrier, message_id) DO UPDATE SET attempt = ?3;

-- name: forget_message
-- Forgets a message id.
DELETE FROM message WHERE carrier = ?1 AND message_id = ?2;

-- name: oldest_messages
-- Message ids from the oldest attempt on, with when it was written and ended.
-- scan: walks the index from its start; the caller stops at the first attempt that is young enough.
SELECT m.carrier, m.message_id, a.written, a.ended
FROM message m INDEXED BY message_attempt CROSS JOIN attempt a ON a.id = m.attempt ORDER BY m.attempt;
