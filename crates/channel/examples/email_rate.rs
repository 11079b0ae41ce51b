//! Measures the e-mail channel alone: mails a second and CPU per mail against a sink that keeps nothing, first without a
//! signature, then with each key named. Both sides share this process, so its CPU counts them both.
//!
//! `cargo run --release -p carillon-channel --example email_rate -- [mails] [connections] [bytes] [key.pem …]`

use carillon_channel::conformance::emails;
use carillon_channel::email::links::Key;
use carillon_channel::email::peer::Relay;
use carillon_channel::email::{Config, Dkim, EmailChannel};
use carillon_channel::{Channel, Content, Event};
use carillon_model::Moment;
use carillon_model::moment::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

struct Ticking(Instant);

impl Clock for Ticking {
    fn now(&self) -> Moment {
        Moment(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// CPU time of this process so far, from the kernel's clock ticks of 10 ms.
fn cpu() -> Duration {
    let stat =
        std::fs::read_to_string("/proc/self/stat").expect("Linux tells the CPU time of a process");
    let after_name = stat
        .rsplit_once(") ")
        .expect("the name is in parentheses")
        .1;
    let ticks: u64 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mails: usize = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let connections: usize = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let bytes: usize = arguments.next().map_or(Ok(4_096), |text| text.parse())?;
    measure(mails, connections, bytes, None).await?;
    for key in arguments {
        measure(mails, connections, bytes, Some(PathBuf::from(key))).await?;
    }
    Ok(())
}

async fn measure(
    mails: usize,
    connections: usize,
    bytes: usize,
    key: Option<PathBuf>,
) -> Result<(), Box<dyn std::error::Error>> {
    let relay = Relay::sink("127.0.0.1:0").await?;
    let signed = key
        .as_ref()
        .map_or("unsigned".to_owned(), |key| key.display().to_string());
    let config = Config {
        connections,
        dkim: key.map(|key| Dkim {
            domain: "example.com".to_owned(),
            selector: "rate".to_owned(),
            key,
        }),
        ..Config::new(
            "sink",
            &relay.address().to_string(),
            "bounces.example.com",
            "https://reach.example.com",
            Key::new(&[1; 32]),
        )
    };
    let (sender, mut events) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let clock = Arc::new(Ticking(Instant::now()));
    let channel = EmailChannel::start(config, clock, sender, 1, stop.clone())?;
    let mut waiting = emails("sink", 1, mails);
    // About 1.5 kB of headers and boundaries come on top.
    let line = "Sixty-four characters of text in each and every line of this.\n";
    for order in &mut waiting {
        if let Content::Email { letter } = &mut order.content {
            letter.text = Some(line.repeat(bytes.saturating_sub(1_500) / line.len() / 2 + 1));
            letter.html = letter.text.clone();
        }
    }
    waiting.reverse();
    let mut answered = 0;
    let mut began = (Instant::now(), cpu());
    while answered < mails {
        for event in events.recv().await.ok_or("the channel ended")? {
            match event {
                Event::Answer { .. } => answered += 1,
                Event::Link { .. } => began = (Instant::now(), cpu()),
                Event::Report { .. } | Event::Inbound { .. } | Event::Queried { .. } => {}
            }
        }
        let room = channel.room().min(waiting.len());
        if room > 0 {
            channel.place(waiting.drain(waiting.len() - room..).collect());
        }
    }
    let (took, used) = (began.0.elapsed(), cpu() - began.1);
    println!(
        "{mails} mails, {} taken, {connections} connections, {signed}: {:.0} mails/s, {:.1} us CPU per mail (both sides)",
        relay.count(),
        mails as f64 / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / mails as f64,
    );
    stop.cancel();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    channel.stopped().await;
    Ok(())
}
