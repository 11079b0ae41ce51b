-- Password hashes, API keys and nonces.

-- name: passwords
-- The last password hashes of a User, newest first.
SELECT hash FROM password WHERE owner = $1 ORDER BY number DESC LIMIT $2;

-- name: put_password
-- Adds the newest password hash of a User.
INSERT INTO password (owner, number, hash, at)
VALUES ($1, 1 + coalesce((SELECT max(number) FROM password WHERE owner = $1), 0), $2, $3);

-- name: api_key_by_hash
-- The key with a hash.
SELECT id, owner, name, created, expires, hash, sealed FROM api_key WHERE hash = $1;

-- name: api_keys
-- Keys of a User.
SELECT id, owner, name, created, expires, hash, sealed FROM api_key WHERE owner = $1 ORDER BY id;

-- name: put_api_key
-- Adds a key.
INSERT INTO api_key (id, owner, name, created, expires, hash, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: delete_api_key
-- Removes a key.
DELETE FROM api_key WHERE id = $1;

-- name: use_nonce
-- Marks a nonce as used, unless it was.
INSERT INTO nonce (nonce, at) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: drop_nonces
-- Forgets old nonces.
DELETE FROM nonce WHERE at < $1;
