-- Receipts that came before the answer they belong to.

-- name: count_early_receipts
-- How many are kept.
-- scan: they are few, each for at most a day.
SELECT count(*) FROM early_receipt;

-- name: keep_receipt
-- Keeps a receipt; a later one for the same message id replaces it.
INSERT INTO early_receipt (carrier, message_id, at, delivered, status) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (carrier, message_id) DO UPDATE SET at = ?3, delivered = ?4, status = ?5;

-- name: take_receipt
-- Takes the receipt of a message id.
DELETE FROM early_receipt WHERE carrier = ?1 AND message_id = ?2 RETURNING at, delivered, status;

-- name: drop_receipts
-- Drops receipts nobody has claimed.
DELETE FROM early_receipt WHERE at < ?1;
