-- The queue. One writer takes places, so a claim needs no locks; it begins after the key the last one took.

-- name: lanes
-- Lanes of a run.
SELECT number, facts FROM lane WHERE run = $1 ORDER BY number;

-- name: lane_by_facts
-- The lane with these facts.
SELECT number FROM lane WHERE run = $1 AND facts = $2;

-- name: add_lane
-- Makes the next lane of a run.
INSERT INTO lane (run, number, facts)
VALUES ($1, 1 + coalesce((SELECT max(number) FROM lane WHERE run = $1), 0), $2) RETURNING number;

-- name: waiting
-- How many wait in each pass and lane.
SELECT pass, lane, contacts FROM lane_waiting WHERE run = $1 AND contacts <> 0 ORDER BY pass, lane;

-- name: next_due
-- The due moment at the head of a lane.
SELECT due FROM queue WHERE run = $1 AND pass = $2 AND lane = $3 ORDER BY due, rank, contact LIMIT 1;

-- name: is_waiting
-- Whether exactly this place is taken.
SELECT 1 FROM queue WHERE run = $1 AND pass = $2 AND lane = $3 AND due = $4 AND rank = $5 AND contact = $6;

-- name: enqueue
-- Adds places, and those that are new to the number waiting.
WITH added AS (
  INSERT INTO queue (run, pass, lane, due, rank, contact)
  SELECT $1, place.* FROM UNNEST($2::INTEGER[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[]) AS place
  ON CONFLICT DO NOTHING RETURNING pass, lane
)
INSERT INTO lane_waiting (run, pass, lane, contacts) SELECT $1, pass, lane, count(*) FROM added GROUP BY pass, lane
ON CONFLICT (run, pass, lane) DO UPDATE SET contacts = lane_waiting.contacts + excluded.contacts;

-- name: claim
-- Takes the first places of a lane after the key ($4, $5, $6) that are due, and takes them off the number waiting.
WITH taken AS (
  DELETE FROM queue WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM queue
    WHERE run = $1 AND pass = $2 AND lane = $3 AND (due, rank, contact) > ($4, $5, $6) AND due <= $7
    ORDER BY due, rank, contact LIMIT $8
  )) RETURNING due, rank, contact
), counted AS (
  UPDATE lane_waiting SET contacts = contacts - (SELECT count(*) FROM taken)
  WHERE run = $1 AND pass = $2 AND lane = $3 AND EXISTS (SELECT 1 FROM taken)
)
SELECT due, rank, contact FROM taken;

-- name: dequeue
-- Takes exactly these places, and takes them off the number waiting.
WITH taken AS (
  DELETE FROM queue USING UNNEST($2::INTEGER[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[])
    AS place (pass, lane, due, rank, contact)
  WHERE queue.run = $1 AND queue.pass = place.pass AND queue.lane = place.lane AND queue.due = place.due
    AND queue.rank = place.rank AND queue.contact = place.contact
  RETURNING queue.pass, queue.lane, queue.due, queue.rank, queue.contact
), counted AS (
  UPDATE lane_waiting SET contacts = contacts - gone.places
  FROM (SELECT pass, lane, count(*) AS places FROM taken GROUP BY pass, lane) AS gone
  WHERE lane_waiting.run = $1 AND lane_waiting.pass = gone.pass AND lane_waiting.lane = gone.lane
)
SELECT pass, lane, due, rank, contact FROM taken;
