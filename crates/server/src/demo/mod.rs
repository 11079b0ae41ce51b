//! `carillon demo`: a whole campaign on one machine, through the real doors and a real protocol. An installation in an
//! empty folder, an SMS centre of its own on loopback, invented people, rules, live progress, a table at the end.

mod campaign;
mod table;

use crate::client::Client;
use crate::clock::SystemClock;
use crate::command::{self, Failure};
use crate::{config, installation, serve, work};
use carillon_channel::text::peer::{Fates, Smsc, SmscConfig};
use carillon_model::{ListId, OrgId};
use indicatif::{ProgressBar, ProgressStyle};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The people: invented, every number from a range its numbering plan sets aside for fiction.
const PEOPLE: &[u8] = include_bytes!("../../demo/people.csv");
/// Log-in of the demo; the listener is loopback, the folder new.
const LOGIN: &str = "demo@carillon.example";
/// Its password.
const PASSWORD: &str = "carillon-demo-password";
/// Fates are dealt by this seed, so that two demos look alike.
const SEED: u64 = 2026;
/// How often progress is asked for.
const GLANCE: Duration = Duration::from_millis(250);
/// A campaign that has not come to rest by then is shown as it is.
const PATIENCE: Duration = Duration::from_secs(240);

/// Runs the demo.
pub async fn run(arguments: command::Demo) -> Result<(), Failure> {
    crate::logging::start(&config::Log {
        filter: "warn".to_owned(),
        ..config::Log::default()
    });
    let data = folder(&arguments)?;
    let begun = Instant::now();
    let centre = Smsc::start(
        "127.0.0.1:0",
        SmscConfig {
            fates: Fates::realistic(),
            seed: SEED,
            ..SmscConfig::default()
        },
    )
    .await?;
    println!(
        "SMS centre    smpp://{} (on loopback, in this process)",
        centre.address()
    );

    let names = carillon_api::InitNames {
        enterprise: "Carillon Demo",
        account: "North",
        login: LOGIN,
    };
    let at = data.clone();
    let (store, key, installed) =
        tokio::task::spawn_blocking(move || installation::make(&at, &names, PASSWORD)).await??;
    println!("Installation  {}", data.display());
    let configuration = configuration(&arguments, &data, centre.address())?;
    let running = serve::start(configuration, store.clone(), key).await?;
    println!(
        "Server        {}  (log in as {LOGIN} with {PASSWORD})",
        running.url()
    );

    let client = Client::new(running.url(), &installed.secret);
    let account = OrgId(installed.account);
    let (setting, enterprise) = (client.clone(), OrgId(installed.enterprise));
    let lists =
        tokio::task::spawn_blocking(move || campaign::prepare(&setting, enterprise, account))
            .await??;
    import(&store, account, lists.people).await?;
    let launching = client.clone();
    let run = tokio::task::spawn_blocking(move || campaign::launch(&launching, account, &lists))
        .await??;
    watch(&client, run).await?;

    let totals = centre.totals();
    let table = store
        .read(move |snapshot| table::read(snapshot, run, account))
        .await?;
    table::print(&table, &totals, begun.elapsed());
    if arguments.exit {
        running.stop().await;
    } else {
        println!(
            "The server goes on at {} until Ctrl-C; log in as {LOGIN} with {PASSWORD}.",
            running.url()
        );
        println!("API key: {}", installed.secret);
        running.until_signal().await;
    }
    Ok(())
}

/// The folder asked for, or a new one that stays when the demo ends, so that it can be looked at.
fn folder(arguments: &command::Demo) -> Result<PathBuf, Failure> {
    let Some(folder) = &arguments.data else {
        let name = format!("carillon-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        return Ok(folder);
    };
    std::fs::create_dir_all(folder)?;
    match std::fs::read_dir(folder)?.next() {
        None => Ok(folder.clone()),
        Some(_) => Err(format!(
            "{} is not empty; the demo makes an installation of its own",
            folder.display()
        )
        .into()),
    }
}

fn configuration(
    arguments: &command::Demo,
    data: &std::path::Path,
    centre: SocketAddr,
) -> Result<config::Config, Failure> {
    let carrier = format!(
        "[[carrier]]\nname = \"demo-centre\"\nkind = \"smpp\"\naddress = \"{centre}\"\nsystem_id = \"demo\"\npassword = \"demo\"\n\
         rate = 150.0\nbinds = 2\nwindow = 50\nreceipts = true\nreceipt_wait = \"20s\"\n"
    );
    let mut config: config::Config = toml::from_str(&carrier)?;
    config.server.data = data.to_owned();
    config.server.listen = free(arguments.listen)?;
    Ok(config)
}

/// The address asked for, or the same host with a port of the system's choice when it is in use.
fn free(listen: SocketAddr) -> Result<SocketAddr, Failure> {
    match TcpListener::bind(listen) {
        Ok(listener) => Ok(listener.local_addr()?),
        Err(_) => Ok(TcpListener::bind((listen.ip(), 0))?.local_addr()?),
    }
}

async fn import(
    store: &carillon_store::Store,
    account: OrgId,
    list: ListId,
) -> Result<(), Failure> {
    let store = store.clone();
    let summary = tokio::task::spawn_blocking(move || {
        let bytes = Some(PEOPLE.len() as u64);
        let bar = work::bar(bytes);
        let imported = work::import_file(&store, account, list, PEOPLE, bytes, None, &mut |read| {
            bar.set_position(read)
        });
        bar.finish_and_clear();
        imported.map(|(summary, _)| summary)
    })
    .await??;
    println!(
        "Imported      {} rows = {} stored + {} merged + {} rejected",
        summary.rows, summary.stored, summary.merged, summary.rejected
    );
    Ok(())
}

/// Shows progress until nothing moves any more: everybody is reached, given up, filtered, or waits for another day.
async fn watch(client: &Client, run: carillon_model::SubCampaignId) -> Result<(), Failure> {
    let style = ProgressStyle::with_template("{bar:40.green} {pos}/{len} contacts  {msg}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let start = Instant::now();
    loop {
        let asking = client.clone();
        let state = tokio::task::spawn_blocking(move || campaign::state(&asking, run)).await??;
        bar.set_length(state.available);
        bar.set_position(state.delivered + state.failed);
        bar.set_message(format!(
            "{} delivered, {} failed, {} active, {} filtered",
            state.delivered, state.failed, state.active, state.filtered
        ));
        if state.is_at_rest() || start.elapsed() > PATIENCE {
            bar.finish();
            return Ok(());
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// The clock of the demo is the system's.
pub(super) fn now() -> carillon_model::Moment {
    use carillon_model::moment::Clock;
    SystemClock.now()
}
