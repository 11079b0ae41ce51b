-- What all aggregates share: ids, commits and interned texts.

-- name: sequence
-- Up to which id numbers were given out to this or an earlier process, how often a writer has begun, how many commits there were.
SELECT reserved, openings, commits FROM sequence WHERE only_row = 1;

-- name: begin_writing
-- Says that a writer has begun.
UPDATE sequence SET openings = openings + 1 WHERE only_row = 1;

-- name: label_text
-- The text of a label.
SELECT text FROM label WHERE id = $1;

-- name: label_id
-- The label of a text, if there is one.
SELECT id FROM label WHERE text = $1;

-- name: add_label
-- Interns a text.
INSERT INTO label (text) VALUES ($1) RETURNING id;
