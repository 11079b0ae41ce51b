-- The queue. One writer takes places, so a claim is a read from the head of a lane and the deletion of that range.

-- name: lanes
-- Lanes of a run.
SELECT number, facts FROM lane WHERE run = ?1 ORDER BY number;

-- name: lane_by_facts
-- The lane with these facts.
SELECT number FROM lane INDEXED BY lane_facts WHERE run = ?1 AND facts = ?2;

-- name: add_lane
-- Makes the next lane of a run.
INSERT INTO lane (run, number, facts)
VALUES (?1, 1 + coalesce((SELECT max(number) FROM lane WHERE run = ?1), 0), ?2) RETURNING number;

-- name: waiting
-- How many wait in each pass and lane.
SELECT pass, lane, contacts FROM lane_waiting WHERE run = ?1 AND contacts <> 0 ORDER BY pass, lane;

-- name: change_waiting
-- Adds to the number waiting in a lane, once for each call and lane.
INSERT INTO lane_waiting (run, pass, lane, contacts) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (run, pass, lane) DO UPDATE SET contacts = contacts + ?4;

-- name: next_due
-- The due moment at the head of a lane.
SELECT due FROM queue WHERE run = ?1 AND pass = ?2 AND lane = ?3 ORDER BY due LIMIT 1;

-- name: is_waiting
-- Whether exactly this place is taken.
SELECT 1 FROM queue WHERE run = ?1 AND pass = ?2 AND lane = ?3 AND due = ?4 AND rank = ?5 AND contact = ?6;

-- name: enqueue
-- Adds a place.
INSERT INTO queue (run, pass, lane, due, rank, contact) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING;

-- name: head_places
-- The first places of a lane that are due, in key order.
SELECT due, rank, contact FROM queue WHERE run = ?1 AND pass = ?2 AND lane = ?3 AND due <= ?4
ORDER BY due, rank, contact LIMIT ?5;

-- name: take_head_places
-- Takes the places of a lane from its head up to a key.
DELETE FROM queue WHERE run = ?1 AND pass = ?2 AND lane = ?3 AND (due, rank, contact) <= (?4, ?5, ?6);

-- name: dequeue
-- Takes exactly this place.
DELETE FROM queue WHERE run = ?1 AND pass = ?2 AND lane = ?3 AND due = ?4 AND rank = ?5 AND contact = ?6;
