//! Contacts: one member for each Client ID, former ones still found, row numbers never used twice.

use crate::common::{contact, read, refused, write};
use carillon_model::ContactId;
use carillon_model::contact::{Contact, DeviceKey};
use carillon_store::Store;
use carillon_store::contact::{Container, Put};

const LIST: i64 = 50;
const OTHER: i64 = 51;

fn ids(contacts: &[Contact]) -> Vec<i64> {
    contacts.iter().map(|contact| contact.id.0).collect()
}

fn put(store: &Store, container: i64, contacts: Vec<Contact>) -> Vec<Put> {
    write(store, move |unit| unit.put_contacts(container, &contacts))
}

contract! {
    fn contacts_come_back_as_they_went(store: &Store) {
        let first = contact(10, "C-1", &["+12075550111", "+12075550112"]);
        let mut second = contact(11, "C-2", &["ann@example.org"]);
        second.devices[0].time_zone = Some("Europe/Paris".into());
        assert_eq!(put(store, LIST, vec![first.clone(), second.clone()]), [Put::Stored, Put::Stored]);
        let found = read(store, |snapshot| snapshot.contacts(&[ContactId(11), ContactId(99), ContactId(10)]));
        let expected = [second, first].map(|contact| Contact { container: LIST, ..contact });
        assert_eq!(found, expected);
    }

    fn a_second_import_replaces_and_the_old_one_stays_readable(store: &Store) {
        put(store, LIST, vec![contact(10, "C-1", &["+12075550111"]), contact(11, "C-2", &[])]);
        put(store, OTHER, vec![contact(12, "C-1", &["+12075550111"])]);
        assert_eq!(put(store, LIST, vec![contact(13, "C-1", &["+12075550119"])]), [Put::Replaced(ContactId(10))]);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contact_page(LIST, ContactId(0), 10))), [11, 13]);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contacts(&[ContactId(10)]))), [10]);
        let live = read(store, |snapshot| snapshot.contacts_live(&[10, 11, 12, 13, 99].map(ContactId)));
        assert_eq!(live, [false, true, true, true, false]);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contacts_with_client_id("C-1", 10))), [13, 12, 10]);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contacts_with_client_id("C-1", 2))), [13, 12]);
        let device = DeviceKey::of("+12075550111");
        assert_eq!(ids(&read(store, move |snapshot| snapshot.contacts_with_device(device, 10))), [12, 10]);
        assert_eq!(ids(&read(store, move |snapshot| snapshot.contacts_with_device(device, 1))), [12]);
        let members = read(store, |snapshot| snapshot.contacts_by_client_id(LIST, &["C-2", "C-9", "C-1"]));
        assert_eq!(members, [Some(ContactId(11)), None, Some(ContactId(13))]);
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)).contacts, 2);
    }

    fn a_client_id_may_come_twice_in_one_call(store: &Store) {
        let puts = put(store, LIST, vec![contact(10, "C-1", &[]), contact(11, "C-2", &[]), contact(12, "C-1", &[])]);
        assert_eq!(puts, [Put::Stored, Put::Stored, Put::Replaced(ContactId(10))]);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contact_page(LIST, ContactId(0), 10))), [11, 12]);
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)).contacts, 2);
    }

    fn client_ids_differ_by_case(store: &Store) {
        put(store, LIST, vec![contact(10, "c-1", &[]), contact(11, "C-1", &[])]);
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)).contacts, 2);
    }

    fn an_id_is_stored_once(store: &Store) {
        put(store, LIST, vec![contact(10, "C-1", &[])]);
        refused(store, |unit| unit.put_contacts(LIST, &[contact(10, "C-2", &[])]));
        refused(store, |unit| unit.put_former_contacts(LIST, &[contact(10, "C-2", &[])]));
        assert_eq!(read(store, |snapshot| snapshot.contacts_by_client_id(LIST, &["C-1", "C-2"])), [Some(ContactId(10)), None]);
    }

    fn pages_walk_the_members_of_one_container(store: &Store) {
        let contacts = |first: i64| (first..first + 5).map(|id| contact(id, &format!("C-{id}"), &[])).collect::<Vec<_>>();
        put(store, LIST, contacts(10));
        put(store, OTHER, contacts(20));
        put(store, LIST, contacts(30));
        let page = |after: i64, limit| ids(&read(store, move |snapshot| snapshot.contact_page(LIST, ContactId(after), limit)));
        assert_eq!(page(0, 7), [10, 11, 12, 13, 14, 30, 31]);
        assert_eq!(page(31, 7), [32, 33, 34]);
        assert_eq!(page(34, 7), [0; 0]);
    }

    fn former_contacts_are_found_but_no_members(store: &Store) {
        write(store, |unit| unit.put_former_contacts(LIST, &[contact(10, "C-1", &["+12075550111"]), contact(11, "C-1", &[])]));
        assert_eq!(ids(&read(store, |snapshot| snapshot.contact_page(LIST, ContactId(0), 10))), [0; 0]);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contacts_with_client_id("C-1", 10))), [11, 10]);
        let device = DeviceKey::of("+12075550111");
        assert_eq!(ids(&read(store, move |snapshot| snapshot.contacts_with_device(device, 10))), [10]);
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)).contacts, 0);
        assert_eq!(put(store, LIST, vec![contact(12, "C-1", &[])]), [Put::Stored]);
    }

    fn removed_contacts_are_no_members(store: &Store) {
        put(store, LIST, vec![contact(10, "C-1", &[]), contact(11, "C-2", &[])]);
        let removed = write(store, |unit| unit.remove_contacts(LIST, &["C-1", "C-9", "C-1"]));
        assert_eq!(removed, [true, false, false]);
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)).contacts, 1);
        assert_eq!(ids(&read(store, |snapshot| snapshot.contact_page(LIST, ContactId(0), 10))), [11]);
        assert_eq!(put(store, LIST, vec![contact(12, "C-1", &[])]), [Put::Stored]);
    }

    fn row_numbers_count_on_from_one(store: &Store) {
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)), Container { contacts: 0, next_row: 1 });
        assert_eq!(write(store, |unit| unit.take_row_numbers(LIST, 3)), 1);
        assert_eq!(write(store, |unit| unit.take_row_numbers(LIST, 2)), 4);
        put(store, LIST, vec![contact(10, "row-4", &[])]);
        assert_eq!(read(store, |snapshot| snapshot.container(LIST)), Container { contacts: 1, next_row: 6 });
        assert_eq!(write(store, |unit| unit.take_row_numbers(OTHER, 1)), 1);
    }
}
