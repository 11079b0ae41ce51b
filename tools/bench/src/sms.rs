//! Bars 12 and 13: texts by a campaign (claim, check, durable record, submit_sm, answer) and Kannel without a store, each
//! against the same bare sink; rate and CPU a message. Bar 4 at full load: syncs a message.

use crate::kannel::Kannel;
use crate::server::{Installation, Server, id_of};
use crate::{Failure, median};
use carillon_channel::text::peer::Sink;
use serde_json::json;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

/// Contacts of one campaign run.
const CONTACTS: u64 = 300_000;
/// Seconds of one run of the peer.
const PEER_SECONDS: u64 = 10;
/// Runs of each side, one after the other.
const RUNS: usize = 3;
/// A run that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(180);

struct Figures {
    rate: f64,
    cpu_microseconds: f64,
    syncs: f64,
    resident_megabytes: f64,
}

/// Measures and prints.
pub fn run() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    for receipts in [false, true] {
        measure(&runtime, receipts)?;
    }
    Ok(())
}

fn measure(runtime: &tokio::runtime::Runtime, receipts: bool) -> Result<(), Failure> {
    let sink = runtime.block_on(Sink::start("127.0.0.1:0", receipts))?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(campaign(&sink, receipts)?);
        if Kannel::is_installed() && !receipts {
            let folder = tempfile::tempdir()?;
            let kannel = Kannel::start(folder.path(), sink.address().port())?;
            peer.push(kannel.measure(PEER_SECONDS, || sink.submitted())?);
        }
    }
    let of = |figure: fn(&Figures) -> f64| median(ours.iter().map(figure).collect());
    let (rate, cpu) = (of(|it| it.rate), of(|it| it.cpu_microseconds));
    println!(
        "campaign, receipts {}: {rate:.0} texts/s, {cpu:.1} us CPU a text, 1 sync per {:.0} texts, {:.0} MB resident",
        if receipts { "on" } else { "off" },
        1.0 / of(|it| it.syncs),
        of(|it| it.resident_megabytes)
    );
    if !peer.is_empty() {
        let peer_rate = median(peer.iter().map(|figures| figures.0).collect());
        let peer_cpu = median(peer.iter().map(|figures| figures.1).collect());
        println!("Kannel without a store: {peer_rate:.0} texts/s, {peer_cpu:.1} us CPU a text");
        println!("bar 12: {:.2}x (must 3x, aim 5x)", rate / peer_rate);
        println!("bar 13: {:.2}x (must 0.5x, aim 0.25x)", cpu / peer_cpu);
    }
    Ok(())
}

fn campaign(sink: &Sink, receipts: bool) -> Result<Figures, Failure> {
    let installation = Installation::new()?;
    let list = installation.file("list.csv");
    let mut file = BufWriter::new(std::fs::File::create(&list)?);
    writeln!(file, "ClientID,FirstName,CellPhone")?;
    for index in 0..CONTACTS {
        writeln!(file, "C-{index},Ann,+1201{:07}", 2_000_000 + index)?;
    }
    file.flush()?;
    drop(file);
    installation.import("Many", &list)?;
    let server = installation.serve(&format!(
        "[[carrier]]\nname = \"sink\"\nkind = \"smpp\"\naddress = \"{}\"\nsystem_id = \"bench\"\npassword = \"bench\"\nreceipts = {receipts}\nbinds = 2\nwindow = 1000\n",
        sink.address()
    ))?;
    let pacing = json!({"pacing": "Fixed", "contactsPerMinute": 60_000_000.0});
    let [campaign, _, _] = server.set_up(&installation, &pacing)?;
    let org = json!({ "internalId": installation.account });
    let (used, before, syncs) = (
        server.cpu_seconds(),
        sink.submitted(),
        server.metric("carillon_store_commits_total")?,
    );
    let run = json!({
        "subCampaign": {"externalId": "Many", "campaign": {"internalId": campaign}},
        "list": {"externalId": "Many", "owner": org}, "org": org,
    });
    let run = id_of(&server.call("POST", "sub-campaigns", &run)?)?;
    let start = wait_until(&server, || Ok(sink.submitted() > before))?;
    wait_until(&server, || Ok(sink.submitted() >= before + CONTACTS))?;
    let seconds = start.elapsed().as_secs_f64();
    wait_until(&server, || {
        let state = server.call("GET", &format!("sub-campaigns/{run}/state"), &json!(null))?;
        Ok(state["data"]["attributes"]["deliveredCount"] == json!(CONTACTS.to_string()))
    })?;
    if sink.submitted() != before + CONTACTS {
        return Err(format!(
            "{} texts for {CONTACTS} contacts",
            sink.submitted() - before
        )
        .into());
    }
    let count = CONTACTS as f64;
    Ok(Figures {
        rate: count / seconds,
        cpu_microseconds: (server.cpu_seconds() - used) * 1e6 / count,
        syncs: (server.metric("carillon_store_commits_total")? - syncs) / count,
        resident_megabytes: server.resident_megabytes(),
    })
}

/// Waits for a condition; answers when it was first seen.
fn wait_until(
    server: &Server,
    condition: impl Fn() -> Result<bool, Failure>,
) -> Result<Instant, Failure> {
    let start = Instant::now();
    while !condition()? {
        if start.elapsed() > PATIENCE {
            return Err(format!(
                "{} s were not enough; resident {:.0} MB",
                PATIENCE.as_secs(),
                server.resident_megabytes()
            )
            .into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(Instant::now())
}
