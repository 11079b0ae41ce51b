-- Contacts, their devices and their containers.

-- name: contact
-- A contact by id, live or not.
SELECT id, container, client_id, payload FROM contact WHERE id = ?1;

-- name: contact_is_live
-- Whether a contact is a member of its container.
SELECT live FROM contact WHERE id = ?1;

-- name: contact_page
-- Members of a container by id: the row ids stand in the index of members.
SELECT id, container, client_id, payload FROM contact INDEXED BY contact_member
WHERE container = ?1 AND live = 1 AND id > ?2 ORDER BY id LIMIT ?3;

-- name: live_contact
-- The member with a Client ID.
SELECT id FROM contact INDEXED BY contact_live WHERE client_id = ?1 AND container = ?2 AND live = 1;

-- name: contacts_with_client_id
-- Contacts of all containers with a Client ID, newest first, from the index of the live ones and that of the former ones.
SELECT id, container, client_id, payload FROM contact WHERE id IN (
  SELECT id FROM contact WHERE client_id = ?1 AND live = 1
  UNION ALL SELECT id FROM contact WHERE client_id = ?1 AND live = 0
  ORDER BY id DESC LIMIT ?2
) ORDER BY id DESC;

-- name: contacts_with_device
-- Contacts of all containers with a device, newest first, from both trees of devices.
SELECT id, container, client_id, payload FROM contact WHERE id IN (
  SELECT contact FROM contact_device WHERE device = ?1
  UNION ALL SELECT contact FROM contact_device_new WHERE device = ?1
  ORDER BY contact DESC LIMIT ?2
) ORDER BY id DESC;

-- name: insert_contact
-- Adds a contact unless its Client ID has a member already: the index of members says so.
INSERT INTO contact (id, container, live, client_id, payload) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- name: retire_contact
-- Takes the member with a Client ID out of its container; answers its id.
UPDATE contact INDEXED BY contact_live SET live = 0 WHERE client_id = ?1 AND container = ?2 AND live = 1 RETURNING id;

-- name: insert_device
-- Adds a device to the small tree.
INSERT INTO contact_device_new (device, contact) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: container
-- What a container holds.
SELECT contacts, next_row FROM container WHERE id = ?1;

-- name: change_container
-- Adds to the number of members and to the next row number, which starts at 1.
INSERT INTO container (id, contacts, next_row) VALUES (?1, ?2, 1 + ?3)
ON CONFLICT (id) DO UPDATE SET contacts = contacts + ?2, next_row = next_row + ?3
RETURNING next_row;

-- name: new_devices
-- How many devices the small tree holds, when the store is opened.
-- scan: the small tree is bounded, and it is counted once for each start.
SELECT count(*) FROM contact_device_new;

-- name: copy_devices
-- Copies the next devices of the small tree into the large one, in key order, so that each page is touched for many.
INSERT INTO contact_device (device, contact)
SELECT device, contact FROM contact_device_new WHERE device > ?1 AND device <= ?2 ORDER BY device, contact
ON CONFLICT DO NOTHING;

-- name: last_copied_device
-- The last device of a piece of ?2 + 1 rows.
SELECT device FROM contact_device_new WHERE device > ?1 ORDER BY device LIMIT 1 OFFSET ?2;

-- name: drop_devices
-- Takes what was copied out of the small tree.
DELETE FROM contact_device_new WHERE device > ?1 AND device <= ?2;
