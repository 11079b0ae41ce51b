//! Measures the text channel alone: submits a second and CPU per message against the bare sink, first without receipts,
//! then with one receipt per message. Both sides share this process, so its CPU counts them both.
//!
//! `cargo run --release -p carillon-channel --example smpp_rate -- [messages] [window]`

use carillon_channel::conformance::orders;
use carillon_channel::text::peer::Sink;
use carillon_channel::text::{Config, TextChannel};
use carillon_channel::{Channel, Event};
use carillon_model::Moment;
use carillon_model::moment::Clock;
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
    let messages: usize = arguments.next().map_or(Ok(500_000), |text| text.parse())?;
    let window: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    for receipts in [false, true] {
        measure(messages, window, receipts).await?;
    }
    Ok(())
}

async fn measure(
    messages: usize,
    window: usize,
    receipts: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let sink = Sink::start("127.0.0.1:0", receipts).await?;
    let mut config = Config::new("sink", &sink.address().to_string(), "carillon", "");
    config.window = window;
    config.receipts = receipts;
    let (sender, mut events) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let channel = TextChannel::start(
        config,
        Arc::new(Ticking(Instant::now())),
        sender,
        1,
        stop.clone(),
    )?;
    let mut waiting = orders("sink", 1, messages);
    waiting.reverse();
    let (mut answered, mut reported) = (0, 0);
    let mut began = (Instant::now(), cpu());
    while answered < messages || (receipts && reported < messages) {
        let batch = events.recv().await.ok_or("the channel ended")?;
        for event in batch {
            match event {
                Event::Answer { .. } => answered += 1,
                Event::Report { acknowledge, .. } => {
                    reported += 1;
                    acknowledge.done();
                }
                Event::Link { .. } => began = (Instant::now(), cpu()),
                Event::Inbound { .. } | Event::Queried { .. } => {}
            }
        }
        let room = channel.room().min(waiting.len());
        if room > 0 {
            channel.place(waiting.drain(waiting.len() - room..).collect());
        }
    }
    let (took, used) = (began.0.elapsed(), cpu() - began.1);
    println!(
        "{messages} messages, window {window}, receipts {receipts}: {:.0} submits/s, {:.2} us CPU per message (both sides)",
        messages as f64 / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / messages as f64,
    );
    stop.cancel();
    while !events.is_closed()
        && events.recv().await.is_some_and(|batch| {
            !batch
                .iter()
                .any(|event| matches!(event, Event::Link { up: false, .. }))
        })
    {}
    channel.stopped().await;
    Ok(())
}
