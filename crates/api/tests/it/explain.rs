//! explainContact and explainSubCampaign over a run whose contacts were admitted by the code that admits them.

use crate::world::{NOW, World};
use carillon_admission::{AdmitInto, RuleSet, admit, resolve};
use carillon_model::attempt::Attempt;
use carillon_model::campaign::Campaign;
use carillon_model::contact::{Contact, Device};
use carillon_model::counter::{Counters, Subject};
use carillon_model::list::List;
use carillon_model::moment::{HOUR, MINUTE};
use carillon_model::pass::Pass;
use carillon_model::run::{Load, PassResult, Place as Where, Progress, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::*;
use carillon_store::queue::Place;
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction, Urgency};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BOSS: &str = "boss@acme.example";
const RUN: SubCampaignId = SubCampaignId(660);
const LIST: i64 = 410;
const PHONE: &str = "+12075550111";
/// Client IDs, in the order of their ids from 510 on.
const PEOPLE: [&str; 8] = [
    "plain", "stopped", "bare", "unfit", "out", "done", "mail", "island",
];

fn contact(index: usize) -> Contact {
    let name = PEOPLE[index];
    let address = match name {
        "stopped" => "+12075550112",
        "mail" => "ann@example.org",
        _ => PHONE,
    };
    let device = Device {
        address: address.into(),
        device_type: if name == "mail" {
            DeviceType::Email
        } else {
            DeviceType::Mobile
        },
        number: 1,
        time_zone: (name == "island").then(|| "Pacific/Honolulu".into()),
        line_type: LineType::Unknown,
    };
    Contact {
        id: ContactId(510 + index as i64),
        container: LIST,
        external_id: name.into(),
        devices: if name == "bare" { vec![] } else { vec![device] },
        ..Contact::default()
    }
}

fn id_of(name: &str) -> ContactId {
    let index = PEOPLE.iter().position(|known| *known == name);
    ContactId(510 + index.expect("one of them") as i64)
}

/// A run of a text pass from six to six in the contact's zone and an e-mail pass on the day after, over everybody.
fn fill(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    let mut list: List = transaction.get(ListId(400))?.expect("in the world");
    list.base.internal_id = LIST;
    list.base.external_id = "explained".into();
    list.name = "explained".into();
    transaction.insert(&list)?;
    let contacts: Vec<Contact> = (0..PEOPLE.len()).map(contact).collect();
    transaction.put_contacts(LIST, &contacts)?;
    let mut text = Pass::new(PassId(661), "Text", ChannelType::Text);
    text.start_time = Some(jiff::civil::time(6, 0, 0, 0));
    text.end_time = Some(jiff::civil::time(18, 0, 0, 0));
    text.max_attempts = 3;
    let mut mail = Pass::new(PassId(662), "Mail", ChannelType::Email);
    mail.days_to_wait = 1;
    let mut found: SubCampaign = transaction.get(SubCampaignId(600))?.expect("in the world");
    found.base.internal_id = RUN.0;
    found.base.external_id = "Explained".into();
    found.list = Some(ListId(LIST));
    found.passes = vec![text, mail];
    transaction.insert(&found)?;
    let mut run: Run = transaction.run(SubCampaignId(600))?.expect("in the world");
    run.id = RUN;
    run.state = SubCampaignState::Loading;
    run.passes = vec![PassState::Pending; 2];
    run.load = Load {
        contact_after: 0,
        done: false,
    };
    transaction.put_run(&run)
}

/// Loads all but the last, as the engine does it.
fn load(transaction: &mut dyn Transaction, count: usize) -> carillon_store::Result<()> {
    let mut run = transaction.run(RUN)?.expect("it is there");
    let found: SubCampaign = transaction.get(RUN)?.expect("it is there");
    let campaign: Campaign = transaction.get(run.campaign)?.expect("it is there");
    let account = resolve(transaction, run.account)?.expect("it is there");
    let rules = RuleSet::load(transaction, &account, &campaign, &found)?;
    let after = ContactId(run.load.contact_after);
    let contacts = transaction.contact_page(LIST, after, count)?;
    let objection =
        |contact: &Contact| (contact.external_id == "unfit").then_some(Reason::MissingField);
    let into = AdmitInto {
        run: &run,
        sub_campaign: &found,
        batch: None,
        duplicates: &[],
        objection: &objection,
        keep_judgement: after.0 == 0,
    };
    admit(transaction, &rules, &into, &contacts, NOW)?;
    run.load.contact_after = contacts.last().map_or(after.0, |last| last.id.0);
    run.load.done = contacts.len() < count;
    if run.load.done {
        run.state = SubCampaignState::Running;
    }
    transaction.put_run(&run)
}

/// Takes a contact out of the queue of the first pass.
fn take(transaction: &mut dyn Transaction, name: &str) -> carillon_store::Result<Place> {
    let id = id_of(name);
    let mut place = Place {
        pass: 0,
        lane: 0,
        due: Moment(0),
        rank: id.0,
        contact: id,
    };
    for lane in transaction.lanes(RUN)? {
        place.lane = lane.number;
        if transaction.is_waiting(RUN, &place)? {
            assert_eq!(transaction.dequeue(RUN, &[place])?, [true]);
            return Ok(place);
        }
    }
    panic!("{name} does not wait")
}

fn attempt(place: Place, id: i64, result: Option<AttemptResult>) -> Attempt {
    Attempt {
        id: AttemptId(id),
        run: RUN,
        batch: None,
        pass: 0,
        pass_id: PassId(661),
        account: 20,
        contact: place.contact,
        device: carillon_model::contact::DeviceKey::of(PHONE),
        address: PHONE.into(),
        our_address: "55555".into(),
        channel: ChannelType::Text,
        direction: Direction::Outbound,
        number: 1,
        lane: place.lane,
        rank: place.rank,
        carrier: "demo".into(),
        text: "Hello".into(),
        written: NOW.plus(-MINUTE),
        accepted: None,
        parts: 0,
        parts_delivered: 0,
        ended: result.map(|_| NOW),
        result,
        reason: None,
        script_result: None,
        carrier_status: None,
        archived: false,
    }
}

fn progress(place: Place, at: Where, result: AttemptResult, due: Moment) -> Progress {
    Progress {
        run: RUN,
        contact: place.contact,
        place: at,
        pass: 0,
        lane: place.lane,
        rank: place.rank,
        due,
        attempts: 1,
        device_next: 0,
        bad_devices: 0,
        delivered: result.is_delivered(),
        attempted: true,
        results: vec![PassResult {
            pass: 0,
            result,
            script: None,
        }],
        reason: None,
    }
}

/// One is out with an attempt, one was reached.
fn dial(transaction: &mut dyn Transaction) -> carillon_store::Result<()> {
    let out = take(transaction, "out")?;
    let done = take(transaction, "done")?;
    let success = AttemptResult::Success;
    transaction.write_attempts(&[
        attempt(out, 1_001, None),
        attempt(done, 1_002, Some(success)),
    ])?;
    transaction.put_progress(&[progress(done, Where::Finished, success, Moment(0))])?;
    let change = Counters {
        not_attempted: -1,
        delivered: 1,
        attempted: 2,
        active: 1,
        pending: -2,
        ..Counters::default()
    };
    transaction.count(NOW, &[(Subject::whole(RUN), change)])
}

async fn work(
    world: &World,
    unit: impl FnOnce(&mut dyn Transaction) -> carillon_store::Result<()> + Send + 'static,
) {
    let done = world.state.store().write(Urgency::People, unit).await;
    done.expect("it fits");
}

async fn change_run(world: &World, change: impl FnOnce(&mut Run) + Send + 'static) {
    work(world, |transaction| {
        let mut run = transaction.run(RUN)?.expect("it is there");
        change(&mut run);
        transaction.put_run(&run)
    })
    .await;
}

async fn world() -> World {
    let world = World::new().await;
    work(&world, |transaction| {
        fill(transaction)?;
        load(transaction, 100)?;
        dial(transaction)
    })
    .await;
    world
}

async fn get(world: &World, login: &str, path: &str) -> (u16, Value) {
    let line = format!("GET /api/v1/sub-campaigns/{path}");
    let reply = world.json(login, &line, json!(null)).await;
    (reply.status, reply.json())
}

async fn explain(world: &World, name: &str) -> Value {
    let path = format!("660/contacts/{name}:explain");
    let (status, mut answer) = get(world, BOSS, &path).await;
    assert_eq!(status, 200, "{name}: {answer}");
    answer["data"].take()
}

fn words(explanation: &Value) -> (String, String) {
    let word = |name: &str| explanation[name].as_str().unwrap_or_default().to_owned();
    (word("state"), word("reason"))
}

/// What everybody is told adds up to what the whole is told, and both to the counters.
async fn adds_up(world: &World) -> Value {
    let (status, whole) = get(world, BOSS, "660:reasons").await;
    assert_eq!(status, 200, "{whole}");
    let mut told: BTreeMap<(String, String), i64> = BTreeMap::new();
    for name in PEOPLE {
        let explanation = explain(world, name).await;
        let (state, reason) = words(&explanation);
        if reason == "NotLoaded" {
            continue;
        }
        let reason = if state == "Done" {
            String::new()
        } else {
            reason
        };
        *told.entry((state, reason)).or_default() += 1;
    }
    let mut counted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in whole["data"]["reasons"].as_array().expect("rows") {
        *counted.entry(words(row)).or_default() += row["contacts"].as_i64().expect("a count");
    }
    assert_eq!(told, counted);
    let sum = |filtered: bool| -> i64 {
        let rows = counted.iter();
        rows.filter(|((state, _), _)| (state == "Filtered") == filtered)
            .map(|(_, contacts)| contacts)
            .sum()
    };
    let count = |name: &str| -> i64 {
        let text = whole["data"]["attributes"][name].as_str();
        text.and_then(|text| text.parse().ok()).expect("a count")
    };
    assert_eq!(sum(true), count("filteredCount"));
    let available = ["deliveredCount", "failedCount", "notAttemptedCount"];
    assert_eq!(sum(false), available.map(count).iter().sum::<i64>());
    whole["data"].clone()
}

#[tokio::test]
async fn everybody_has_one_reason_and_they_add_up() {
    let world = world().await;
    for (name, state, reason) in [
        ("plain", "Waiting", "Queue"),
        ("stopped", "Filtered", "SuppressedDevice"),
        ("bare", "Filtered", "NoDevice"),
        ("unfit", "Filtered", "MissingField"),
        ("out", "Active", "Result"),
        ("done", "Done", "Delivered"),
        ("mail", "Waiting", "Queue"),
        ("island", "Waiting", "WindowClosed"),
    ] {
        let told = explain(&world, name).await;
        assert_eq!(words(&told), (state.into(), reason.into()), "{told}");
        let verdict = if state == "Filtered" { "Deny" } else { "Allow" };
        assert_eq!(told["verdicts"][0]["verdict"], verdict, "{told}");
        assert!(told["text"].is_string(), "{told}");
    }
    adds_up(&world).await;

    let island = explain(&world, "island").await;
    // 06:00 in Honolulu.
    assert_eq!(island["until"], "2026-11-24T16:00:00.000Z", "{island}");
    assert_eq!(island["pass"]["name"], "Text");
    let mail = explain(&world, "mail").await;
    assert_eq!(mail["pass"]["name"], "Mail", "{mail}");
    assert!(mail["until"].is_string(), "{mail}");
    let done = explain(&world, "done").await;
    assert_eq!(done["attempts"], json!([{ "internalId": "1002" }]));
}

#[tokio::test]
async fn what_holds_the_run_holds_its_contacts() {
    let world = world().await;
    let plain = async |reason: &str, until: Value| {
        let told = explain(&world, "plain").await;
        assert_eq!(words(&told), ("Waiting".into(), reason.into()), "{told}");
        assert_eq!(told.get("until").cloned().unwrap_or_default(), until);
        adds_up(&world).await;
    };
    change_run(&world, |run| run.state = SubCampaignState::Paused).await;
    plain("Paused", json!(null)).await;
    change_run(&world, |run| {
        run.state = SubCampaignState::Pending;
        run.held = true;
    })
    .await;
    plain("Held", json!(null)).await;
    let start = NOW.plus(HOUR);
    change_run(&world, move |run| {
        run.held = false;
        run.start_time = start;
    })
    .await;
    plain("StartTime", json!(start.wire())).await;
    change_run(&world, |run| run.state = SubCampaignState::Stopping).await;
    plain("Stopping", json!(null)).await;
}

#[tokio::test]
async fn a_retry_and_a_cap_are_told_with_their_moment() {
    let world = world().await;
    let due = NOW.plus(5 * MINUTE);
    let wait = async |reason: Option<Reason>| {
        work(&world, move |transaction| {
            let place = take(transaction, "plain")?;
            let past = progress(place, Where::Waiting, AttemptResult::Failed, due);
            transaction.put_progress(&[Progress { reason, ..past }])?;
            transaction.enqueue(RUN, &[Place { due, ..place }])
        })
        .await;
    };
    wait(None).await;
    let told = explain(&world, "plain").await;
    assert_eq!(words(&told), ("Waiting".into(), "Queue".into()), "{told}");
    assert_eq!(told["until"], json!(due.wire()));
    work(&world, move |transaction| {
        let id = id_of("plain");
        let past = transaction.progress(RUN, &[id])?.pop().flatten();
        let reason = Some(Reason::AttemptRule);
        transaction.put_progress(&[Progress {
            reason,
            ..past.expect("it waits")
        }])
    })
    .await;
    let told = explain(&world, "plain").await;
    assert_eq!(words(&told).1, "AttemptRule", "{told}");
    assert_eq!(told["until"], json!(due.wire()));
}

#[tokio::test]
async fn a_load_that_goes_on_is_told() {
    let world = World::new().await;
    work(&world, |transaction| {
        fill(transaction)?;
        load(transaction, 4)
    })
    .await;
    for (name, reason) in [("plain", "Loading"), ("done", "NotLoaded")] {
        let told = explain(&world, name).await;
        assert_eq!(words(&told), ("Waiting".into(), reason.into()), "{told}");
    }
    adds_up(&world).await;
}

#[tokio::test]
async fn a_contact_is_found_by_either_name_and_only_in_its_run() {
    let world = world().await;
    let (status, by_id) = get(&world, BOSS, "660/contacts/id/510:explain").await;
    assert_eq!(status, 200, "{by_id}");
    assert_eq!(by_id["data"]["contact"]["externalId"], "plain");
    let (_, by_names) = get(
        &world,
        BOSS,
        "ext:Explained/contacts/plain:explain?campaign=100",
    )
    .await;
    assert_eq!(by_names["data"], by_id["data"], "{by_names}");

    let (_, foreign) = get(&world, "boss@other.example", "660/contacts/plain:explain").await;
    assert_eq!(foreign["code"], "OBJECT_NOT_EXISTS", "{foreign}");
    let (_, foreign) = get(&world, "boss@other.example", "660:reasons").await;
    assert_eq!(foreign["code"], "OBJECT_NOT_EXISTS", "{foreign}");
    // Of another List, of nobody, and come after the load.
    work(&world, |transaction| {
        let late = Contact {
            id: ContactId(590),
            external_id: "late".into(),
            ..contact(0)
        };
        transaction.put_contacts(LIST, &[late])?;
        Ok(())
    })
    .await;
    for name in ["C-1001", "nobody", "late"] {
        let (status, missing) = get(&world, BOSS, &format!("660/contacts/{name}:explain")).await;
        assert_eq!(status, 404, "{name}: {missing}");
        assert_eq!(missing["code"], "OBJECT_NOT_EXISTS", "{missing}");
    }
    let (status, _) = get(&world, BOSS, "660/contacts/id/500:explain").await;
    assert_eq!(status, 404, "a contact of another List");
}

#[tokio::test]
async fn one_that_was_replaced_is_explained_while_its_run_holds_it() {
    let world = world().await;
    work(&world, |transaction| {
        let newer = Contact {
            id: ContactId(591),
            ..contact(0)
        };
        transaction.put_contacts(LIST, &[newer])?;
        Ok(())
    })
    .await;
    let told = explain(&world, "plain").await;
    assert_eq!(told["contact"]["internalId"], "510", "{told}");
    assert_eq!(words(&told), ("Waiting".into(), "Queue".into()));
}

#[tokio::test]
async fn contacts_of_batches_are_explained_by_their_sub_campaign() {
    let world = World::new().await;
    let device = json!([{ "externalId": "+12075550144" }]);
    let body = json!({
        "contactBatch": { "owner": { "internalId": "20" }, "maxDuration": 60 },
        "contacts": [
            { "externalId": "B-1", "devices": device },
            { "externalId": "B-2" },
        ]
    });
    let made = world.json(BOSS, "POST /api/v1/contact-batches", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let batch = made.json()["data"]["internalId"]
        .as_str()
        .map(str::to_owned);
    let batch: i64 = batch.and_then(|id| id.parse().ok()).expect("an id");
    let run = world
        .state
        .store()
        .read_now(move |snapshot| snapshot.batch_run(BatchId(batch)))
        .expect("readable")
        .expect("made")
        .sub_campaign;
    for (name, state, reason) in [("B-1", "Waiting", "Queue"), ("B-2", "Filtered", "NoDevice")] {
        let (_, told) = get(&world, BOSS, &format!("{run}/contacts/{name}:explain")).await;
        assert_eq!(
            words(&told["data"]),
            (state.into(), reason.into()),
            "{told}"
        );
    }
}
