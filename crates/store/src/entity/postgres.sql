-- Documents and the contents of Scripts.

-- name: document
-- A document by id, deleted or not.
SELECT id, scope, name, created, deleted, version, body FROM document WHERE id = $1 AND kind = $2;

-- name: document_by_name
-- The live document of a name in a scope.
SELECT id, scope, name, created, deleted, version, body FROM document
WHERE kind = $1 AND scope = $2 AND name = $3 AND NOT deleted AND name IS NOT NULL;

-- name: documents_of_kind
-- Documents of a kind in all scopes, by id; $3 says whether deleted ones come too.
SELECT id, scope, name, created, deleted, version, body FROM document
WHERE kind = $1 AND id > $2 AND deleted <= $3 ORDER BY id LIMIT $4;

-- name: documents_of_scope
-- Documents of a kind in a scope, by id; $4 says whether deleted ones come too.
SELECT id, scope, name, created, deleted, version, body FROM document
WHERE kind = $1 AND scope = $2 AND id > $3 AND deleted <= $4 ORDER BY id LIMIT $5;

-- name: count_documents
-- Live documents of a kind in a scope.
SELECT count(*) FROM document WHERE kind = $1 AND scope = $2 AND NOT deleted;

-- name: document_exists
-- Whether a document has an id.
SELECT 1 FROM document WHERE id = $1;

-- name: insert_document
-- Adds a document, unless its id or its name is taken.
INSERT INTO document (id, kind, scope, name, created, deleted, version, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING;

-- name: name_is_taken
-- Whether a live document other than $4 has a name.
SELECT 1 FROM document WHERE kind = $1 AND scope = $2 AND name = $3 AND NOT deleted AND name IS NOT NULL AND id <> $4;

-- name: replace_document
-- Writes the next version of a document.
UPDATE document SET scope = $3, name = $4, created = $5, deleted = $6, version = $7, body = $8 WHERE id = $1 AND kind = $2;

-- name: script_contents
-- The contents of a Script in their order.
SELECT name, data FROM script_content WHERE script = $1 ORDER BY position;

-- name: insert_script_contents
-- Keeps the contents of a Script, in order; a Script whose contents are kept already is refused by the key.
INSERT INTO script_content (script, position, name, data)
SELECT $1, content.position, content.name, content.data
FROM UNNEST($2::TEXT[], $3::BYTEA[]) WITH ORDINALITY AS content (name, data, position);
