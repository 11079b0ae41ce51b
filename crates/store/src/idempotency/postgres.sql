-- Answers kept under an Idempotency-Key.

-- name: kept_answer
-- The answer of a key, kept at or after a moment.
SELECT request, status, body, at FROM kept_answer WHERE org = $1 AND method = $2 AND key = $3 AND at >= $4;

-- name: keep_answer
-- Keeps an answer; one that was kept before the moment $8 gives way, a younger one stays.
INSERT INTO kept_answer (org, method, key, request, status, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (org, method, key) DO UPDATE SET request = $4, status = $5, body = $6, at = $7 WHERE kept_answer.at < $8;

-- name: drop_answers
-- Drops old answers.
DELETE FROM kept_answer WHERE at < $1;
