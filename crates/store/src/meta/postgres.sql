-- Facts about the installation, and epochs.

-- name: fact
-- A fact.
SELECT value FROM fact WHERE name = $1;

-- name: put_fact
-- Sets a fact.
INSERT INTO fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2;

-- name: epoch
-- How often a topic has changed.
SELECT changes FROM epoch WHERE topic = $1;

-- name: touch
-- Says that a topic has changed.
INSERT INTO epoch (topic, changes) VALUES ($1, 1) ON CONFLICT (topic) DO UPDATE SET changes = epoch.changes + 1;
