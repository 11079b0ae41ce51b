-- Denials and judgements.

-- name: denial
-- Why a contact of a run was denied.
SELECT at, reason, rule, rule_version FROM denial WHERE run = $1 AND contact = $2;

-- name: denials_by_reason
-- Denials of a run by reason.
SELECT reason, contacts FROM denial_count WHERE run = $1 ORDER BY reason;

-- name: put_denials
-- Keeps denials, the first one of each contact, and counts those that are new.
WITH kept AS (
  INSERT INTO denial (run, contact, at, reason, rule, rule_version)
  SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::SMALLINT[], $5::BIGINT[], $6::BIGINT[])
  ON CONFLICT DO NOTHING RETURNING run, reason
)
INSERT INTO denial_count (run, reason, contacts) SELECT run, reason, count(*) FROM kept GROUP BY run, reason
ON CONFLICT (run, reason) DO UPDATE SET contacts = denial_count.contacts + excluded.contacts;

-- name: judgements
-- Judgements of a run in the order they were kept.
SELECT at, lane, until, reason, basis FROM judgement WHERE run = $1 ORDER BY id LIMIT $2;

-- name: put_judgement
-- Keeps a judgement.
INSERT INTO judgement (run, at, lane, until, reason, basis) VALUES ($1, $2, $3, $4, $5, $6);
