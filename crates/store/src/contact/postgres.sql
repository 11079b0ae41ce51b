-- Contacts, their devices and their containers.

-- name: contacts
-- Contacts by id, live or not.
SELECT id, container, client_id, payload FROM contact WHERE id = ANY($1);

-- name: contacts_are_live
-- Which contacts are members of their containers.
SELECT id FROM contact WHERE id = ANY($1) AND live;

-- name: contact_page
-- Members of a container by id.
SELECT id, container, client_id, payload FROM contact WHERE container = $1 AND live AND id > $2 ORDER BY id LIMIT $3;

-- name: live_contacts
-- The members with Client IDs.
SELECT client_id, id FROM contact WHERE client_id = ANY($1) AND container = $2 AND live;

-- name: contacts_with_client_id
-- Contacts of all containers with a Client ID, newest first, from the index of the live ones and that of the former ones.
SELECT id, container, client_id, payload FROM contact WHERE id = ANY(ARRAY(
  (SELECT id FROM contact WHERE client_id = $1 AND live)
  UNION ALL (SELECT id FROM contact WHERE client_id = $1 AND NOT live)
  ORDER BY id DESC LIMIT $2
)) ORDER BY id DESC;

-- name: contacts_with_device
-- Contacts of all containers with a device, newest first.
SELECT id, container, client_id, payload FROM contact WHERE id = ANY(ARRAY(
  SELECT contact FROM contact_device WHERE device = $1 ORDER BY contact DESC LIMIT $2
)) ORDER BY id DESC;

-- name: retire_contacts
-- Takes the members with Client IDs out of their container; answers them.
UPDATE contact SET live = FALSE WHERE client_id = ANY($1) AND container = $2 AND live RETURNING client_id, id;

-- name: copy_contacts
-- Adds contacts; a repeated id is refused.
COPY contact (id, container, live, client_id, payload) FROM STDIN (FORMAT binary);

-- name: copy_devices
-- Adds devices.
COPY contact_device (device, contact) FROM STDIN (FORMAT binary);

-- name: container
-- What a container holds.
SELECT contacts, next_row FROM container WHERE id = $1;

-- name: change_container
-- Adds to the number of members and to the next row number, which starts at 1.
INSERT INTO container (id, contacts, next_row) VALUES ($1, $2, 1 + $3::BIGINT)
ON CONFLICT (id) DO UPDATE SET contacts = container.contacts + $2, next_row = container.next_row + $3
RETURNING next_row;
