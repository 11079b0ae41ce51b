//! A store with an Account and a List, and what the tests ask of it.

use carillon_import::job::{Submission, submit};
use carillon_import::{Summary, job};
use carillon_model::contact::Contact;
use carillon_model::entity::Base;
use carillon_model::job::Job;
use carillon_model::list::List;
use carillon_model::moment::Clock;
use carillon_model::org::{Org, Settings};
use carillon_model::{ContactId, JobId, JobType, ListId, ListType, Moment, OrgId, OrgType, UserId};
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Store, Urgency};

pub struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Moment {
        NOW
    }
}

pub const NOW: Moment = Moment(1_795_525_509_120);
const USER: UserId = UserId(1);

pub struct Fixture {
    pub store: Store,
    pub account: OrgId,
    pub list: ListId,
}

impl Fixture {
    pub fn new(settings: Settings) -> Self {
        Self::on(Store::memory(), settings)
    }

    pub fn on(store: Store, settings: Settings) -> Self {
        let (account, list) = store
            .write_now(Urgency::People, move |transaction| {
                let first = transaction.take_ids(2)?;
                let base = |id, name: &str| Base::new(id, name, NOW, USER);
                transaction.insert(&Org {
                    base: base(first, "acme"),
                    org_type: OrgType::Account,
                    parent: None,
                    name: "Acme".to_owned(),
                    preferences: Default::default(),
                    settings,
                })?;
                transaction.insert(&list(
                    base(first + 1, "people"),
                    OrgId(first),
                    ListType::Standard,
                ))?;
                Ok::<_, Error>((OrgId(first), ListId(first + 1)))
            })
            .expect("a fresh store");
        Self {
            store,
            account,
            list,
        }
    }

    pub fn suppression_list(&self) -> ListId {
        let owner = self.account;
        self.store
            .write_now(Urgency::People, move |transaction| {
                let id = transaction.take_ids(1)?;
                transaction.insert(&list(
                    Base::new(id, "never", NOW, USER),
                    owner,
                    ListType::Suppression,
                ))?;
                Ok::<_, Error>(ListId(id))
            })
            .expect("stored")
    }

    pub fn submit(
        &self,
        job_type: JobType,
        subject: ListId,
        mapping: Option<&str>,
        data: Option<&[u8]>,
    ) -> JobId {
        let submission = Submission {
            job_type,
            owner: self.account,
            subject: subject.0,
            user: USER,
            mapping: mapping.map(str::to_owned),
            data: data.map(<[u8]>::to_vec),
        };
        let job = self.store.write_now(Urgency::People, move |transaction| {
            submit(transaction, &submission, NOW)
        });
        JobId(job.expect("stored").base.internal_id)
    }

    pub fn import(&self, csv: &[u8]) -> JobId {
        self.submit(JobType::Import, self.list, None, Some(csv))
    }

    pub fn cancel(&self, id: JobId) {
        self.store
            .write_now(Urgency::People, move |transaction| {
                let present = transaction.get::<Job>(id)?.expect("there");
                job::cancel(transaction, present, USER, NOW)
            })
            .expect("stored");
    }

    pub fn delete_list(&self) {
        let id = self.list;
        self.store
            .write_now(Urgency::People, move |transaction| {
                let list = transaction.get::<List>(id)?.expect("there");
                transaction.delete(&list)
            })
            .expect("deleted");
    }

    pub fn job(&self, id: JobId) -> Job {
        self.store
            .read_now(move |snapshot| snapshot.get::<Job>(id))
            .expect("readable")
            .expect("there")
    }

    pub fn summary(&self, id: JobId) -> Summary {
        Summary::read_from(&self.job(id).base.attributes)
    }

    pub fn report(&self, id: JobId) -> String {
        self.store
            .read_now(move |snapshot| snapshot.job_result(id))
            .expect("readable")
    }

    pub fn input_is_kept(&self, id: JobId) -> bool {
        self.store
            .read_now(move |snapshot| snapshot.job_input(id))
            .expect("readable")
            .is_some()
    }

    pub fn contacts(&self) -> Vec<Contact> {
        let list = self.list.0;
        self.store
            .read_now(move |snapshot| {
                let (mut contacts, mut after) = (Vec::new(), ContactId(0));
                loop {
                    let page = snapshot.contact_page(list, after, 1_000)?;
                    let Some(last) = page.last() else {
                        return Ok::<_, Error>(contacts);
                    };
                    after = last.id;
                    contacts.extend(page);
                }
            })
            .expect("readable")
    }

    pub fn client_ids(&self) -> Vec<String> {
        self.contacts()
            .into_iter()
            .map(|contact| contact.external_id)
            .collect()
    }
}

fn list(base: Base, owner: OrgId, list_type: ListType) -> List {
    List {
        name: base.external_id.clone(),
        base,
        owner,
        description: None,
        list_type,
        required: false,
    }
}

/// CSV of `count` people, the n-th with Client ID `C-<n>`.
pub fn people(count: usize) -> Vec<u8> {
    let rows = (0..count).map(|n| format!("C-{n},Ann{n},+1202555{:04}\n", n % 10_000));
    ("ClientID,FirstName,CellPhone\n".to_owned() + &rows.collect::<String>()).into_bytes()
}
