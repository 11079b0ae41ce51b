-- Results and inputs of Jobs.

-- name: job_result
-- The pieces of a result in their order.
SELECT text FROM job_result WHERE job = $1 ORDER BY piece;

-- name: append_job_result
-- Adds a piece to a result.
INSERT INTO job_result (job, piece, text)
VALUES ($1, 1 + coalesce((SELECT max(piece) FROM job_result WHERE job = $1), 0), $2);

-- name: job_input
-- What a Job works on.
SELECT data FROM job_input WHERE job = $1;

-- name: put_job_input
-- Keeps what a Job works on.
INSERT INTO job_input (job, data) VALUES ($1, $2) ON CONFLICT (job) DO UPDATE SET data = $2;

-- name: drop_job_input
-- Drops what a Job has worked on.
DELETE FROM job_input WHERE job = $1;
