-- Receipts that came before the answer they belong to.

-- name: count_early_receipts
-- How many are kept.
-- scan: they are few, each for at most a day.
SELECT count(*) FROM early_receipt;

-- name: keep_receipts
-- Keeps receipts; a later one for the same message id replaces it.
INSERT INTO early_receipt (carrier, message_id, at, delivered, status)
SELECT * FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BOOLEAN[], $5::TEXT[])
ON CONFLICT (carrier, message_id) DO UPDATE SET at = excluded.at, delivered = excluded.delivered, status = excluded.status;

-- name: take_receipts
-- Takes the receipts of message ids.
DELETE FROM early_receipt WHERE carrier = $1 AND message_id = ANY($2) RETURNING message_id, at, delivered, status;

-- name: drop_receipts
-- Drops receipts nobody has claimed.
DELETE FROM early_receipt WHERE at < $1;
