//! Documents: unique names, versions, soft deletion, pages.

use crate::common::{read, refused, write};
use carillon_model::campaign::Campaign;
use carillon_model::entity::{Base, Kind};
use carillon_model::script::Content;
use carillon_model::{CampaignId, Moment, OrgId, ScriptId, UserId};
use carillon_store::entity::{Document, DocumentQuery};
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Store};

fn document(id: i64, kind: Kind, scope: i64, name: Option<&str>) -> Document {
    let name = name.map(str::to_owned);
    Document {
        kind,
        id,
        scope,
        name,
        created: Moment(id),
        deleted: false,
        version: 1,
        body: format!("{{\"id\":{id}}}").into(),
    }
}

fn campaign(id: i64, name: &str) -> Campaign {
    Campaign {
        base: Base::new(id, name, Moment(5), UserId(1)),
        owner: OrgId(9),
        description: None,
        default_agent_group: None,
        default_strategy: None,
        default_script: None,
        template_sub_campaign: None,
        caller_id: None,
        source_address: None,
        suppression_lists: Vec::new(),
        compliance_rules: Vec::new(),
        start_date: None,
        end_date: None,
    }
}

fn ids(documents: &[Document]) -> Vec<i64> {
    documents.iter().map(|document| document.id).collect()
}

contract! {
    fn documents_come_back_as_they_went(store: &Store) {
        let kept = document(4, Kind::List, 2, Some("customers"));
        let again = kept.clone();
        write(store, move |unit| unit.insert_document(&again));
        let read_back = read(store, |snapshot| snapshot.document(Kind::List, 4));
        assert_eq!(read_back, Some(kept.clone()));
        assert_eq!(read(store, |snapshot| snapshot.document_by_name(Kind::List, 2, "customers")), Some(kept));
        assert_eq!(read(store, |snapshot| snapshot.document(Kind::Campaign, 4)), None);
        assert_eq!(read(store, |snapshot| snapshot.document_by_name(Kind::List, 3, "customers")), None);
    }

    fn a_name_is_unique_among_the_live_of_its_scope_and_kind(store: &Store) {
        write(store, |unit| {
            unit.insert_document(&document(1, Kind::List, 2, Some("a")))?;
            unit.insert_document(&document(2, Kind::List, 3, Some("a")))?;
            unit.insert_document(&document(3, Kind::Campaign, 2, Some("a")))?;
            unit.insert_document(&document(4, Kind::List, 2, None))?;
            unit.insert_document(&document(5, Kind::List, 2, None))
        });
        let error = refused(store, |unit| unit.insert_document(&document(6, Kind::List, 2, Some("a"))));
        assert!(matches!(error, Error::NameInUse), "{error}");
        write(store, |unit| {
            unit.replace_document(&Document { deleted: true, version: 2, ..document(1, Kind::List, 2, Some("a")) })?;
            unit.insert_document(&document(6, Kind::List, 2, Some("a")))
        });
        let error = refused(store, |unit| unit.replace_document(&document(4, Kind::List, 2, Some("a"))));
        assert!(matches!(error, Error::NameInUse), "{error}");
        let error = refused(store, |unit| unit.replace_document(&document(1, Kind::List, 2, Some("a"))));
        assert!(matches!(error, Error::NameInUse), "a deleted one cannot come back under a name that was taken: {error}");
        write(store, |unit| unit.replace_document(&document(6, Kind::List, 2, Some("b"))));
        write(store, |unit| unit.replace_document(&document(4, Kind::List, 2, Some("a"))));
        assert_eq!(read(store, |snapshot| snapshot.document_by_name(Kind::List, 2, "a")).map(|found| found.id), Some(4));
    }

    fn a_taken_name_does_not_spoil_the_unit_that_met_it(store: &Store) {
        write(store, |unit| unit.insert_document(&document(1, Kind::List, 2, Some("a"))));
        write(store, |unit| {
            assert!(matches!(unit.insert_document(&document(2, Kind::List, 2, Some("a"))), Err(Error::NameInUse)));
            unit.insert_document(&document(2, Kind::List, 2, Some("b")))
        });
        assert_eq!(read(store, |snapshot| snapshot.count_documents(Kind::List, 2)), 2);
    }

    fn ids_are_unique_over_all_kinds(store: &Store) {
        write(store, |unit| unit.insert_document(&document(1, Kind::List, 2, Some("a"))));
        let error = refused(store, |unit| unit.insert_document(&document(1, Kind::Campaign, 2, Some("b"))));
        assert!(matches!(error, Error::Database(_)), "{error}");
    }

    fn what_is_not_there_cannot_be_replaced(store: &Store) {
        write(store, |unit| unit.insert_document(&document(1, Kind::List, 2, Some("a"))));
        for absent in [document(2, Kind::List, 2, Some("x")), document(1, Kind::Campaign, 2, Some("x"))] {
            let id = absent.id;
            let error = refused(store, move |unit| unit.replace_document(&absent));
            assert!(matches!(error, Error::Missing { id: missing, .. } if missing == id), "{error}");
        }
    }

    fn pages_go_on_after_the_last_id(store: &Store) {
        write(store, |unit| {
            for id in 1..=9 {
                let deleted = id % 3 == 0;
                unit.insert_document(&Document { deleted, ..document(id, Kind::List, id % 2, Some(&format!("n{id}"))) })?;
            }
            unit.insert_document(&document(20, Kind::Campaign, 1, Some("other")))
        });
        let page = |scope, include_deleted, after, limit| {
            let query = DocumentQuery { kind: Kind::List, scope, include_deleted, after, limit };
            ids(&read(store, move |snapshot| snapshot.documents(query)))
        };
        assert_eq!(page(None, false, 0, 4), [1, 2, 4, 5]);
        assert_eq!(page(None, false, 5, 4), [7, 8]);
        assert_eq!(page(None, true, 7, 100), [8, 9]);
        assert_eq!(page(Some(1), false, 0, 2), [1, 5]);
        assert_eq!(page(Some(1), false, 5, 2), [7]);
        assert_eq!(page(Some(1), true, 0, 100), [1, 3, 5, 7, 9]);
        assert_eq!(page(Some(8), true, 0, 100), [0; 0]);
        assert_eq!(page(None, true, i64::MAX, 100), [0; 0]);
        assert_eq!(read(store, |snapshot| snapshot.count_documents(Kind::List, 1)), 3);
    }

    fn contents_of_a_script_are_kept_once(store: &Store) {
        let contents = vec![
            Content { name: "b.xml".into(), data: b"<b/>".to_vec() },
            Content { name: "a.wav".into(), data: vec![0, 255, 1] },
        ];
        let kept = contents.clone();
        write(store, move |unit| unit.put_script_contents(ScriptId(3), &kept));
        assert_eq!(read(store, |snapshot| snapshot.script_contents(ScriptId(3))), contents);
        assert_eq!(read(store, |snapshot| snapshot.script_contents(ScriptId(4))), []);
        refused(store, move |unit| unit.put_script_contents(ScriptId(3), &contents));
    }

    fn entities_are_typed(store: &Store) {
        write(store, |unit| unit.insert(&campaign(11, "Spring Sale")));
        let found = read(store, |snapshot| snapshot.find::<Campaign>(9, "SPRING sale"));
        assert_eq!(found, Some(campaign(11, "Spring Sale")));
        let version = write(store, |unit| unit.replace(&campaign(11, "Summer Sale")));
        assert_eq!(version, 2);
        assert_eq!(read(store, |snapshot| snapshot.find::<Campaign>(9, "Spring Sale")), None);
        write(store, |unit| unit.delete(&campaign(11, "Summer Sale")));
        assert_eq!(read(store, |snapshot| snapshot.get::<Campaign>(CampaignId(11))), None);
        let stored = read(store, |snapshot| snapshot.stored::<Campaign>(CampaignId(11))).expect("still readable");
        assert!(stored.deleted);
        assert_eq!(stored.version, 3);
        write(store, |unit| unit.insert(&campaign(12, "summer sale")));
        assert_eq!(read(store, |snapshot| snapshot.all::<Campaign>(Some(9), 0, 10)).len(), 1);
    }
}
