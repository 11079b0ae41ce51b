//! kill -9 at random moments of a running campaign. What must hold, whatever the moment: no acknowledged contact is lost,
//! no message left without its row in the ledger, nobody gets a second message (the pass allows one attempt and no rule
//! repeats `Unknown`), and the counters' invariants hold after each restart.

use crate::support::{Installation, Server, launch, people, set_up, wait_until};
use carillon_channel::text::peer::{Fate, Fates, Smsc, SmscConfig};
use carillon_model::contact::DeviceKey;
use carillon_model::counter::Subject;
use carillon_model::{AttemptId, AttemptResult, Moment, SubCampaignId};
use carillon_store::Store;
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Kills of one run; `cargo xtask soak crash` asks for more.
const KILLS: u32 = 20;
/// Contacts of the list.
const PEOPLE: usize = 3_000;

fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn a_campaign_survives_kills() {
    let kills = asked("CARILLON_KILLS", u64::from(KILLS)) as u32;
    let seed = asked("CARILLON_SEED", 20_261_124);
    println!("{kills} kills, seed {seed} (CARILLON_KILLS, CARILLON_SEED)");
    let mut chance = SmallRng::seed_from_u64(seed);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    // Nobody writes back: a confirmation would be a second message of its own right.
    let mut fates = Fates::realistic();
    fates.of_thousand[Fate::Replies as usize] = 0;
    fates.of_thousand[Fate::Stop as usize] = 0;
    let config = SmscConfig {
        fates,
        seed,
        ..SmscConfig::default()
    };
    let centre = runtime
        .block_on(Smsc::start("127.0.0.1:0", config))
        .expect("an SMS centre");
    let installation = Installation::new();
    // Each kill gets about half a second of the campaign.
    let contacts = PEOPLE.max(kills as usize * 60);
    installation.import("People", &people(contacts));
    let carriers = format!(
        "[[carrier]]\nname = \"centre\"\nkind = \"smpp\"\naddress = \"{}\"\nsystem_id = \"t\"\npassword = \"t\"\nbinds = 2\n\
         receipts = true\nreceipt_wait = \"3s\"\nreconnect = \"50ms\"\n",
        centre.address()
    );
    let server = installation.serve(&carriers);
    let pass = json!({"pacing": "Fixed", "contactsPerMinute": 7_200, "maxAttempts": 1});
    let campaign = set_up(
        &server,
        &installation,
        "Hello {{ contact.firstName }}",
        &pass,
    );
    let run = launch(&server, &installation, &campaign, "People");
    let mut server = server;
    let mut batches = Vec::new();
    for kill in 0..kills {
        let moment = chance.random_range(20..700);
        std::thread::sleep(Duration::from_millis(moment));
        batches.push(hand_in(
            &server,
            &installation,
            &campaign.campaign,
            &campaign.strategy,
            kill,
        ));
        server.kill();
        check_counters(&installation, &run, contacts as i64);
        server = installation.serve(&carriers);
    }
    finish(&server, &run, &batches);
    assert!(server.stop(), "a graceful stop succeeds");
    check_everything(&installation, &run, &centre, contacts);
}

/// A batch of one, whose number nobody else has; answered, so never to be lost.
fn hand_in(
    server: &Server,
    installation: &Installation,
    campaign: &str,
    strategy: &str,
    kill: u32,
) -> String {
    let contact = json!({"externalId": format!("B-{kill}"), "devices": [{"externalId": format!("+1 907 555 {:04}", kill % 10_000)}]});
    let body = json!({
        "contactBatch": {"owner": installation.account(), "campaign": {"internalId": campaign},
            "outreachStrategy": {"internalId": strategy}, "maxDuration": 60},
        "contacts": [contact],
    });
    server.create("/api/v1/contact-batches", &body)
}

fn finish(server: &Server, run: &str, batches: &[String]) {
    wait_until("the campaign is done", || server.state(run) == "Done");
    for batch in batches {
        let path = format!("/api/v1/contact-batches/{batch}/state");
        wait_until("every batch is done", || {
            server.call("GET", &path, &json!(null))["state"] == "Done"
        });
    }
}

/// Opens the store of a killed server, as the next start does, and checks what must hold at every moment.
fn check_counters(installation: &Installation, run: &str, contacts: i64) {
    let store = Store::open(&installation.path("data")).expect("the store opens after a kill");
    let id = SubCampaignId(run.parse().expect("digits"));
    store
        .read_now(move |snapshot| {
            let run = snapshot
                .run(id)?
                .expect("an acknowledged SubCampaign is never lost");
            if run.load.done {
                let broken = carillon_engine::invariant::check_invariants(snapshot, id)?;
                assert!(broken.is_empty(), "{}", broken.join("\n"));
                let counters = snapshot.counters(&[Subject::whole(id)])?[0];
                assert!(
                    counters.is_sound(contacts),
                    "{counters:?} for {contacts} contacts"
                );
            }
            Ok::<_, carillon_store::Error>(())
        })
        .expect("the store answers");
    store.close();
}

/// The ledger against what the SMS centre saw.
fn check_everything(installation: &Installation, run: &str, centre: &Smsc, contacts: usize) {
    check_counters(installation, run, contacts as i64);
    let store = Store::open(&installation.path("data")).expect("the store opens");
    let run = SubCampaignId(run.parse().expect("digits"));
    let mut by_device: BTreeMap<DeviceKey, Vec<AttemptResult>> = BTreeMap::new();
    for attempt in attempts_of(&store, run) {
        let result = attempt
            .result
            .expect("a done SubCampaign has no open attempt");
        by_device.entry(attempt.device).or_default().push(result);
    }
    let sent: Vec<_> = by_device
        .values()
        .flatten()
        .filter(|result| result.counts_as_attempt())
        .collect();
    let unknown = sent
        .iter()
        .filter(|result| ***result == AttemptResult::Unknown)
        .count();
    println!("{} attempts, {unknown} marked Unknown", sent.len());
    for (device, results) in &by_device {
        let counted = results
            .iter()
            .filter(|result| result.counts_as_attempt())
            .count();
        assert_eq!(counted, 1, "{device:?} has {results:?}");
    }
    assert_eq!(by_device.len(), contacts, "every contact was tried");
    let mut seen = BTreeSet::new();
    for ((number, _), times) in centre.taken() {
        assert_eq!(times, 1, "{number} was sent the same message {times} times");
        assert!(seen.insert(number.clone()), "{number} got a second message");
        let key = DeviceKey::of(&format!("+{}", number.trim_start_matches('+')));
        let is_of_batch = number.trim_start_matches('+').starts_with("1907555");
        assert!(
            is_of_batch || by_device.contains_key(&key),
            "{number} was sent a message the ledger does not know"
        );
    }
    store.close();
}

fn attempts_of(store: &Store, run: SubCampaignId) -> Vec<carillon_model::attempt::Attempt> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(
            AttemptId(0),
            |attempt: &carillon_model::attempt::Attempt| attempt.id,
        );
        let query = AttemptQuery {
            of: AttemptsOf::Run(run),
            from: Moment(0),
            to: Moment::NEVER,
            after,
            limit: 1_000,
        };
        let page = store
            .read_now(move |snapshot| snapshot.attempts_of(&query))
            .expect("the store answers");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}
