-- The audit trail.

-- name: system_events
-- Events of Orgs by id: the first of each, then the first of all.
SELECT found.* FROM UNNEST($1::BIGINT[]) AS asked (owner) CROSS JOIN LATERAL (
  SELECT id, owner, at, person, action, subject, detail FROM system_event
  WHERE system_event.owner = asked.owner AND id > $2 AND at >= $3 AND at < $4 ORDER BY id LIMIT $5
) AS found ORDER BY found.id LIMIT $5;

-- name: append_system_events
-- Adds events.
INSERT INTO system_event (id, owner, at, person, action, subject, detail)
SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::TEXT[], $7::TEXT[]);
