-- The ledger of attempts, the message ids their receipts name, and which are open.

-- name: attempts
-- Attempts by id.
SELECT id, run, batch, pass, pass_id, account, contact, device, address, our_address, channel, direction, number, lane, rank,
  carrier, written, accepted, parts, parts_delivered, ended, result, reason, script_result, archived, text, carrier_status
FROM attempt WHERE id = ANY($1) ORDER BY id;

-- name: attempts_of_contacts
-- Ids of attempts to contacts: the first of each, then the first of all.
SELECT found.id FROM UNNEST($1::BIGINT[]) AS asked (contact) CROSS JOIN LATERAL (
  SELECT id FROM attempt WHERE attempt.contact = asked.contact AND id > $2 AND written >= $3 AND written < $4 ORDER BY id LIMIT $5
) AS found ORDER BY found.id LIMIT $5;

-- name: attempts_of_device
-- Ids of attempts to or from a device.
SELECT id FROM attempt WHERE device = $1 AND id > $2 AND written >= $3 AND written < $4 ORDER BY id LIMIT $5;

-- name: attempts_of_batch
-- Ids of attempts of a batch.
SELECT id FROM attempt WHERE batch = $1 AND id > $2 AND written >= $3 AND written < $4 ORDER BY id LIMIT $5;

-- name: attempts_of_run
-- Ids of attempts of a run.
SELECT id FROM attempt WHERE run = $1 AND id > $2 AND written >= $3 AND written < $4 ORDER BY id LIMIT $5;

-- name: last_attempt_between
-- The last outbound attempt (direction $3) to a device from an address of ours.
SELECT id FROM attempt WHERE device = $1 AND our_address = $2 AND direction = $3 ORDER BY id DESC LIMIT 1;

-- name: open_attempts
-- Ids of open attempts.
SELECT id FROM attempt_open WHERE id > $1 ORDER BY id LIMIT $2;

-- name: accepted_attempts_of_carrier
-- Ids of open attempts of a carrier that it has taken, oldest first.
SELECT open.id FROM attempt_open AS open JOIN attempt ON attempt.id = open.id
WHERE open.carrier = $1 AND attempt.accepted IS NOT NULL ORDER BY open.id LIMIT $2;

-- name: count_open_attempts
-- Open attempts of a run.
SELECT attempts FROM attempt_open_count WHERE run = $1;

-- name: copy_attempts
-- Adds attempts; a repeated id is refused.
COPY attempt (id, run, batch, pass, pass_id, account, contact, device, address, our_address, channel, direction, number, lane,
  rank, carrier, written, accepted, parts, parts_delivered, ended, result, reason, script_result, archived, text, carrier_status)
FROM STDIN (FORMAT binary);

-- name: open
-- Notes attempts as open, and counts them.
WITH opened AS (
  INSERT INTO attempt_open (id, carrier, run) SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) RETURNING run
)
INSERT INTO attempt_open_count (run, attempts) SELECT run, count(*) FROM opened GROUP BY run
ON CONFLICT (run) DO UPDATE SET attempts = attempt_open_count.attempts + excluded.attempts;

-- name: close
-- Notes that attempts have ended, and counts them.
WITH closed AS (DELETE FROM attempt_open WHERE id = ANY($1) RETURNING run)
UPDATE attempt_open_count SET attempts = attempts - gone.attempts_closed
FROM (SELECT run, count(*) AS attempts_closed FROM closed GROUP BY run) AS gone WHERE attempt_open_count.run = gone.run;

-- name: change_attempts
-- Writes what facts have changed.
UPDATE attempt SET accepted = new.accepted, parts = new.parts, parts_delivered = new.parts_delivered, ended = new.ended,
  result = new.result, reason = new.reason, script_result = new.script_result, carrier_status = new.carrier_status
FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::INTEGER[], $4::INTEGER[], $5::BIGINT[], $6::SMALLINT[], $7::SMALLINT[],
  $8::SMALLINT[], $9::TEXT[])
  AS new (id, accepted, parts, parts_delivered, ended, result, reason, script_result, carrier_status)
WHERE attempt.id = new.id;

-- name: archive_attempt
-- Marks it archived.
UPDATE attempt SET archived = TRUE WHERE id = $1;

-- name: attempt_of_message
-- The attempt a message id belongs to.
SELECT attempt FROM message WHERE carrier = $1 AND message_id = $2;

-- name: messages_of_attempt
-- The message ids of an attempt.
SELECT message_id FROM message WHERE attempt = $1 ORDER BY message_id;

-- name: put_messages
-- Notes message ids; a carrier that uses one again means the newer attempt.
INSERT INTO message (carrier, message_id, attempt) SELECT * FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[])
ON CONFLICT (carrier, message_id) DO UPDATE SET attempt = excluded.attempt;

-- name: forget_messages
-- Forgets message ids.
DELETE FROM message USING UNNEST($1::BIGINT[], $2::TEXT[]) AS old (carrier, message_id)
WHERE message.carrier = old.carrier AND message.message_id = old.message_id;

-- name: oldest_messages
-- Message ids from the oldest attempt on, after the key ($1, $2, $3), with when it was written and ended.
SELECT old.attempt, old.message_id, old.carrier, attempt.written, attempt.ended FROM (
  SELECT * FROM message WHERE (attempt, message_id, carrier) > ($1, $2, $3) ORDER BY attempt, message_id, carrier LIMIT $4
) AS old JOIN attempt ON attempt.id = old.attempt ORDER BY old.attempt, old.message_id, old.carrier;
