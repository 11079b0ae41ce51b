-- Denials and judgements.

-- name: denial
-- Why a contact of a run was denied.
SELECT at, reason, rule, rule_version FROM denial WHERE run = ?1 AND contact = ?2;

-- name: denials_by_reason
-- Denials of a run by reason.
SELECT reason, contacts FROM denial_count WHERE run = ?1 ORDER BY reason;

-- name: put_denial
-- Keeps a denial; the first one of a contact stays.
INSERT INTO denial (run, contact, at, reason, rule, rule_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING;

-- name: count_denials
-- Adds to the denials of a run for a reason, once for each call.
INSERT INTO denial_count (run, reason, contacts) VALUES (?1, ?2, ?3)
ON CONFLICT (run, reason) DO UPDATE SET contacts = contacts + ?3;

-- name: judgements
-- Judgements of a run in the order they were kept.
SELECT at, lane, until, reason, basis FROM judgement INDEXED BY judgement_run WHERE run = ?1 ORDER BY id LIMIT ?2;

-- name: put_judgement
-- Keeps a judgement.
INSERT INTO judgement (run, at, lane, until, reason, basis) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
