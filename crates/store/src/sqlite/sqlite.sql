-- What all aggregates share: ids and interned texts.

-- name: reserved_ids
-- Up to which id numbers were given out to this or an earlier process.
SELECT reserved FROM sequence WHERE only_row = 1;

-- name: reserve_ids
-- Reserves the ids up to a number; committed with the units that use them.
UPDATE sequence SET reserved = ?1 WHERE only_row = 1;

-- name: label_text
-- The text of a label.
SELECT text FROM label WHERE id = ?1;

-- name: label_id
-- The label of a text, if there is one.
SELECT id FROM label WHERE text = ?1;

-- name: add_label
-- Interns a text.
INSERT INTO label (text) VALUES (?1);
