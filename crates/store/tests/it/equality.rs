//! The law of the backends: whatever is done, memory, SQLite and PostgreSQL answer alike.

use crate::cluster::Cluster;
use crate::common::{accepted, attempt, contact, ended, in_batch};
use carillon_model::attempt::{Attempt, Fact};
use carillon_model::contact::DeviceKey;
use carillon_model::list::{SuppressionEntry, SuppressionKey};
use carillon_model::run::{PassResult, Place as Whereabouts, Progress};
use carillon_model::{
    AttemptId, AttemptResult, BatchId, ChannelType, ContactId, Direction, ListId, Moment, OrgId,
    Reason, SubCampaignId,
};
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use carillon_store::queue::Place;
use carillon_store::suppression::OptOut;
use carillon_store::{Error, Result, Store, Transaction, Urgency};
use proptest::prelude::*;

/// One thing done. Values are drawn from few, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Put {
        container: i64,
        former: bool,
        contacts: Vec<(u8, u8)>,
    },
    Remove {
        container: i64,
        clients: Vec<u8>,
    },
    Enqueue(Vec<Place>),
    Claim {
        pass: u16,
        lane: u32,
        now: i64,
        limit: usize,
    },
    Dequeue(Vec<Place>),
    Sweep {
        lane: u32,
        limit: usize,
    },
    Progress {
        contact: i64,
        results: Vec<(u16, usize)>,
    },
    Attempt {
        contact: i64,
        phone: u8,
        inbound: bool,
        batch: Option<i64>,
        second: bool,
        result: Option<usize>,
    },
    Fact {
        back: u8,
        fact: Fact,
    },
    Forget {
        before: i64,
        limit: usize,
    },
    Suppress {
        list: i64,
        key: SuppressionKey,
        channel: Option<usize>,
        expires: Option<i64>,
    },
    Release {
        list: i64,
        key: SuppressionKey,
    },
    OptOut {
        phone: u8,
        channel: Option<usize>,
    },
    OptIn {
        phone: u8,
        channel: usize,
    },
}

fn phone(number: u8) -> String {
    if number.is_multiple_of(3) {
        format!("p{number}@example.org")
    } else {
        format!("+1207555{number:04}")
    }
}

fn place() -> impl Strategy<Value = Place> {
    (0..2u16, 1..3u32, 0..4i64, -2..3i64, 1..9i64).prop_map(|(pass, lane, due, rank, contact)| {
        Place {
            pass,
            lane,
            due: Moment(due),
            rank,
            contact: ContactId(contact),
        }
    })
}

fn key() -> impl Strategy<Value = SuppressionKey> {
    prop_oneof![
        (0..4u8).prop_map(|number| SuppressionKey::Device(DeviceKey::of(&phone(number)))),
        "[aAé]{0,2}".prop_map(SuppressionKey::ClientId),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let result = prop::sample::select(AttemptResult::ALL);
    prop_oneof![
        (0..9i64, prop::collection::vec("[mn]", 0..3)).prop_map(|(at, ids)| {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            accepted(1_000 + at, &ids)
        }),
        Just(Fact::PartDelivered),
        (0..9i64, result.clone()).prop_map(|(at, result)| ended(1_000 + at, result)),
        (result, prop::option::of("[a-c]")).prop_map(|(result, carrier_status)| Fact::Corrected {
            result,
            carrier_status
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let channel = 0..ChannelType::ALL.len();
    prop_oneof![
        (
            1..3i64,
            any::<bool>(),
            prop::collection::vec((0..5u8, 0..4u8), 1..5)
        )
            .prop_map(|(container, former, contacts)| Step::Put {
                container,
                former,
                contacts
            }),
        (1..3i64, prop::collection::vec(0..5u8, 1..4))
            .prop_map(|(container, clients)| Step::Remove { container, clients }),
        prop::collection::vec(place(), 1..6).prop_map(Step::Enqueue),
        (0..2u16, 1..3u32, 0..4i64, 0..5usize).prop_map(|(pass, lane, now, limit)| Step::Claim {
            pass,
            lane,
            now,
            limit
        }),
        prop::collection::vec(place(), 1..6).prop_map(Step::Dequeue),
        (1..3u32, 0..5usize).prop_map(|(lane, limit)| Step::Sweep { lane, limit }),
        (1..9i64, prop::collection::vec((0..3u16, 0..16usize), 0..4))
            .prop_map(|(contact, results)| Step::Progress { contact, results }),
        (
            0..6i64,
            0..4u8,
            any::<bool>(),
            prop::option::of(1..3i64),
            any::<bool>(),
            prop::option::of(0..16usize)
        )
            .prop_map(
                |(contact, phone, inbound, batch, second, result)| Step::Attempt {
                    contact,
                    phone,
                    inbound,
                    batch,
                    second,
                    result
                }
            ),
        (0..6u8, fact()).prop_map(|(back, fact)| Step::Fact { back, fact }),
        (1_000..1_012i64, 0..4usize).prop_map(|(before, limit)| Step::Forget { before, limit }),
        (
            1..3i64,
            key(),
            prop::option::of(channel.clone()),
            prop::option::of(0..4i64)
        )
            .prop_map(|(list, key, channel, expires)| Step::Suppress {
                list,
                key,
                channel,
                expires
            }),
        (1..3i64, key()).prop_map(|(list, key)| Step::Release { list, key }),
        (0..4u8, prop::option::of(channel.clone()))
            .prop_map(|(phone, channel)| Step::OptOut { phone, channel }),
        (0..4u8, channel).prop_map(|(phone, channel)| Step::OptIn { phone, channel }),
    ]
}

const RUN: SubCampaignId = SubCampaignId(1);
const ACCOUNT: OrgId = OrgId(1);

/// Does one step; answers what the store said.
fn apply(unit: &mut dyn Transaction, step: &Step) -> Result<String> {
    Ok(match step {
        Step::Put {
            container,
            former,
            contacts,
        } => {
            let first = unit.take_ids(contacts.len() as u64)?;
            let contacts: Vec<_> = (first..)
                .zip(contacts)
                .map(|(id, (client, number))| {
                    contact(id, &format!("C-{client}"), &[&phone(*number)])
                })
                .collect();
            if *former {
                format!("{:?}", unit.put_former_contacts(*container, &contacts)?)
            } else {
                format!("{:?}", unit.put_contacts(*container, &contacts)?)
            }
        }
        Step::Remove { container, clients } => {
            let clients: Vec<String> = clients.iter().map(|client| format!("C-{client}")).collect();
            let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
            format!("{:?}", unit.remove_contacts(*container, &clients)?)
        }
        Step::Enqueue(places) => format!("{:?}", unit.enqueue(RUN, places)?),
        Step::Claim {
            pass,
            lane,
            now,
            limit,
        } => format!("{:?}", unit.claim(RUN, *pass, *lane, Moment(*now), *limit)?),
        Step::Dequeue(places) => format!("{:?}", unit.dequeue(RUN, places)?),
        Step::Sweep { lane, limit } => format!("{:?}", unit.sweep(RUN, 0, *lane, *limit)?),
        Step::Progress { contact, results } => {
            format!("{:?}", unit.put_progress(&[progress(*contact, results)])?)
        }
        Step::Attempt {
            contact,
            phone: number,
            inbound,
            batch,
            second,
            result,
        } => {
            let id = unit.take_ids(1)?;
            let mut attempt = attempt(id, 1, *contact, &phone(*number));
            attempt.written = Moment(1_000 + id / 4);
            if let Some(batch) = batch {
                attempt = in_batch(attempt, *batch);
            }
            if *inbound {
                attempt.direction = Direction::Inbound;
            }
            if *second {
                attempt.carrier = "second".into();
                attempt.our_address = "777".into();
            }
            attempt.result = result.map(|index| AttemptResult::ALL[index]);
            format!("{:?}", unit.write_attempts(&[attempt])?)
        }
        Step::Fact { back, fact } => {
            let all = run_attempts(unit)?;
            let id = all
                .iter()
                .rev()
                .nth(usize::from(*back))
                .map_or(AttemptId(-1), |attempt| attempt.id);
            format!("{:?}", unit.add_facts(&[(id, fact.clone())])?)
        }
        Step::Forget { before, limit } => {
            format!("{:?}", unit.forget_messages(Moment(*before), *limit)?)
        }
        Step::Suppress {
            list,
            key,
            channel,
            expires,
        } => {
            let entry = SuppressionEntry {
                key: key.clone(),
                device: None,
                channel: channel.map(|index| ChannelType::ALL[index]),
                expires: expires.map(Moment),
                reason: None,
                source: Some("test".into()),
            };
            format!("{:?}", unit.put_suppressions(ListId(*list), &[entry])?)
        }
        Step::Release { list, key } => format!(
            "{:?}",
            unit.remove_suppressions(ListId(*list), std::slice::from_ref(key))?
        ),
        Step::OptOut {
            phone: number,
            channel,
        } => {
            let opt_out = OptOut {
                account: ACCOUNT,
                device: DeviceKey::of(&phone(*number)),
                channel: channel.map(|index| ChannelType::ALL[index]),
                at: Moment(1),
                source: "STOP".into(),
            };
            format!("{:?}", unit.opt_out(&opt_out)?)
        }
        Step::OptIn {
            phone: number,
            channel,
        } => {
            format!(
                "{:?}",
                unit.lift_opt_out(
                    ACCOUNT,
                    DeviceKey::of(&phone(*number)),
                    ChannelType::ALL[*channel]
                )?
            )
        }
    })
}

fn progress(contact: i64, results: &[(u16, usize)]) -> Progress {
    Progress {
        run: RUN,
        contact: ContactId(contact),
        place: Whereabouts::Waiting,
        pass: 0,
        lane: 1,
        rank: contact,
        due: Moment(contact),
        attempts: results.len() as u16,
        device_next: 1,
        bad_devices: 2,
        delivered: false,
        attempted: true,
        results: results
            .iter()
            .map(|(pass, index)| PassResult {
                pass: *pass,
                result: AttemptResult::ALL[*index],
                script: None,
            })
            .collect(),
        reason: Some(Reason::Skipped),
    }
}

fn run_attempts(unit: &mut dyn Transaction) -> Result<Vec<Attempt>> {
    unit.attempts_of(&query(AttemptsOf::Run(RUN)))
}

fn query(of: AttemptsOf) -> AttemptQuery {
    AttemptQuery {
        of,
        from: Moment(0),
        to: Moment::NEVER,
        after: AttemptId(0),
        limit: 1_000,
    }
}

/// Everything that can be asked about those few values.
fn everything(unit: &mut dyn Transaction) -> Result<Vec<String>> {
    let mut said = Vec::new();
    let devices: Vec<DeviceKey> = (0..4).map(|number| DeviceKey::of(&phone(number))).collect();
    for container in 1..3 {
        said.push(format!("{:?}", unit.container(container)?));
        said.push(format!(
            "{:?}",
            unit.contact_page(container, ContactId(0), 100)?
        ));
        said.push(format!(
            "{:?}",
            unit.contacts_by_client_id(container, &["C-0", "C-1", "C-2", "C-3", "C-4"])?
        ));
        said.push(format!("{:?}", unit.suppression_size(ListId(container))?));
        said.push(format!(
            "{:?}",
            unit.suppression_page(ListId(container), None, 3)?
        ));
    }
    said.push(format!("{:?}", unit.contacts_with_client_id("C-1", 3)?));
    said.push(format!("{:?}", unit.waiting(RUN)?));
    said.push(format!("{:?}", unit.next_due(RUN, 0, 1)?));
    said.push(format!(
        "{:?}",
        unit.progress(RUN, &(1..9).map(ContactId).collect::<Vec<_>>())?
    ));
    said.push(format!("{:?}", run_attempts(unit)?));
    said.push(format!("{:?}", unit.open_attempts(AttemptId(0), 5)?));
    said.push(format!("{:?}", unit.open_attempts_of_carrier("first", 5)?));
    said.push(format!("{:?}", unit.count_open_attempts(RUN)?));
    said.push(format!(
        "{:?}",
        unit.attempts_of(&query(AttemptsOf::Contacts(
            (0..6).map(ContactId).collect()
        )))?
    ));
    said.push(format!(
        "{:?}",
        unit.attempts_of(&query(AttemptsOf::Batch(BatchId(1))))?
    ));
    for device in &devices {
        said.push(format!("{:?}", unit.contacts_with_device(*device, 3)?));
        said.push(format!(
            "{:?}",
            unit.attempts_of(&query(AttemptsOf::Device(*device)))?
        ));
        said.push(format!(
            "{:?}",
            unit.last_attempt_between(*device, "12345")?
        ));
    }
    for carrier in ["first", "second"] {
        said.push(format!(
            "{:?}",
            [
                unit.attempt_of_message(carrier, "m")?,
                unit.attempt_of_message(carrier, "n")?
            ]
        ));
    }
    let keys: Vec<SuppressionKey> = devices
        .iter()
        .copied()
        .map(SuppressionKey::Device)
        .collect();
    for channel in ChannelType::ALL.iter().copied() {
        said.push(format!(
            "{:?}",
            unit.suppressed(&[ListId(2), ListId(1)], &keys, channel, Moment(2))?
        ));
        said.push(format!("{:?}", unit.opted_out(ACCOUNT, &devices, channel)?));
    }
    said.push(format!("{:?}", unit.count_opt_outs(ACCOUNT)?));
    Ok(said)
}

/// Runs units on a store; answers all that it said. Ids start anew in each store, so they are alike too.
fn story(store: &Store, units: &[(Vec<Step>, bool)]) -> Vec<String> {
    let mut said = Vec::new();
    for (steps, keep) in units.iter().cloned() {
        let (sender, answers) = std::sync::mpsc::channel();
        let outcome = store.write_now::<Vec<String>, Error>(Urgency::People, move |unit| {
            for step in &steps {
                sender.send(apply(unit, step)?).expect("the test listens");
            }
            if keep {
                everything(unit)
            } else {
                Err(Error::NameInUse)
            }
        });
        said.extend(answers.try_iter());
        match outcome {
            Ok(all) => said.extend(all),
            Err(error) => said.push(error.to_string()),
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_sqlite_answer_alike(
        units in prop::collection::vec((prop::collection::vec(step(), 1..12), prop::bool::weighted(0.8)), 1..10)
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let sqlite = Store::open(folder.path()).expect("a store");
        let memory = Store::memory();
        let (theirs, ours) = (story(&memory, &units), story(&sqlite, &units));
        prop_assert_eq!(theirs, ours);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_postgres_answer_alike(
        units in prop::collection::vec((prop::collection::vec(step(), 1..12), prop::bool::weighted(0.8)), 1..10)
    ) {
        let database = Cluster::shared().database();
        let postgres = Store::open_database(&database.url()).expect("a store");
        let memory = Store::memory();
        let (theirs, ours) = (story(&memory, &units), story(&postgres, &units));
        prop_assert_eq!(theirs, ours);
        postgres.close();
    }
}
