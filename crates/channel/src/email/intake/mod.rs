//! Takes the bounces that come to the return paths. It speaks SMTP and LMTP, to relays of the operator's own; it takes a mail
//! for one return path of ours that bears a delivery report, and nothing else. "250" is said only when the engine has the
//! report durable; until then the sender keeps the bounce and offers it again, so reports may be repeated.

mod report;

use super::Shared;
use super::wire::{Data, Fault, Wire};
use crate::contract::{Acknowledge, Event, Events, Slip};
use crate::limits;
use carillon_model::AttemptId;
use report::Finding;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Listens for bounces; needs a runtime.
pub(super) fn listen(address: &str) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

/// Serves senders until the carrier is stopped.
pub(super) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    events: Events,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(limits::INTAKE_CONNECTIONS_MAX));
    loop {
        // Above the bound, connections wait in the system's queue.
        let place = tokio::select! {
            () = shared.stop.cancelled() => return,
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
        };
        let stream = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(carrier = shared.config.name, %error, "cannot take a connection for bounces");
                    tokio::time::sleep(limits::INTAKE_PAUSE).await;
                    continue;
                }
            },
        };
        let (shared, events) = (shared.clone(), events.clone());
        tasks.spawn(async move {
            let stop = shared.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                end = Visit::new(&shared, &events, stream).run() => {
                    if let Err(fault) = end {
                        tracing::debug!(carrier = shared.config.name, %fault, "a sender of bounces left");
                    }
                }
            }
            drop(place);
        });
    }
}

/// One sender's connection.
struct Visit<'a> {
    shared: &'a Shared,
    events: &'a Events,
    wire: Wire,
    greeted: bool,
    sender: bool,
    attempt: Option<AttemptId>,
}

enum Next {
    Say(&'static str),
    Data,
    Leave,
}

impl<'a> Visit<'a> {
    fn new(shared: &'a Shared, events: &'a Events, stream: TcpStream) -> Self {
        Self {
            shared,
            events,
            wire: Wire::new(Box::new(stream)),
            greeted: false,
            sender: false,
            attempt: None,
        }
    }

    async fn run(mut self) -> Result<(), Fault> {
        let greeting = format!("220 {} ESMTP\r\n", self.shared.config.return_domain);
        self.wire.send(greeting.as_bytes()).await?;
        for _ in 0..limits::INTAKE_COMMANDS_MAX {
            let line = timeout(limits::INTAKE_WAIT, self.wire.line())
                .await
                .unwrap_or(Err(Fault::Closed))?;
            match self.command(&String::from_utf8_lossy(&line)) {
                Next::Say(reply) => self.wire.send(reply.as_bytes()).await?,
                Next::Data => self.data().await?,
                Next::Leave => break,
            }
        }
        self.wire.send(b"221 2.0.0 bye\r\n").await
    }

    fn command(&mut self, line: &str) -> Next {
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let is = |start: &str| {
            line.get(..start.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
        };
        match verb.as_str() {
            "EHLO" | "LHLO" => {
                self.greeted = true;
                self.reset();
                Next::Say(
                    "250-ready\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 1048576\r\n250 ENHANCEDSTATUSCODES\r\n",
                )
            }
            "HELO" => {
                self.greeted = true;
                self.reset();
                Next::Say("250 ready\r\n")
            }
            "NOOP" => Next::Say("250 2.0.0 ok\r\n"),
            "RSET" => {
                self.reset();
                Next::Say("250 2.0.0 ok\r\n")
            }
            "QUIT" => Next::Leave,
            _ if !self.greeted => Next::Say("503 5.5.1 say EHLO or LHLO first\r\n"),
            _ if is("MAIL FROM:") => {
                self.reset();
                self.sender = true;
                Next::Say("250 2.1.0 ok\r\n")
            }
            _ if is("RCPT TO:") => Next::Say(self.recipient(&line["RCPT TO:".len()..])),
            "DATA" if self.attempt.is_some() => Next::Data,
            "DATA" => Next::Say("503 5.5.1 no recipient\r\n"),
            "VRFY" => Next::Say("252 2.0.0 send some mail\r\n"),
            _ => Next::Say("500 5.5.2 not known\r\n"),
        }
    }

    fn reset(&mut self) {
        (self.sender, self.attempt) = (false, None);
    }

    fn recipient(&mut self, argument: &str) -> &'static str {
        if !self.sender {
            return "503 5.5.1 no sender\r\n";
        }
        let argument = argument.trim_start();
        let path = argument
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .map(|(path, _)| path);
        match path.and_then(|path| self.shared.writer.attempt_of(path)) {
            None => "550 5.1.1 no such address\r\n",
            // A return path names one attempt, and so does a bounce.
            Some(attempt) if self.attempt.is_some_and(|other| other != attempt) => {
                "452 4.5.3 one recipient at a time\r\n"
            }
            Some(attempt) => {
                self.attempt = Some(attempt);
                "250 2.1.5 ok\r\n"
            }
        }
    }

    async fn data(&mut self) -> Result<(), Fault> {
        self.wire.send(b"354 go on, end with .\r\n").await?;
        let data = timeout(
            limits::INTAKE_WAIT,
            self.wire.data(limits::BOUNCE_BYTES_MAX),
        )
        .await
        .unwrap_or(Err(Fault::Closed))?;
        let attempt = self.attempt.take();
        self.reset();
        let reply = match (data, attempt) {
            (Data::TooLarge, _) => "552 5.3.4 too large\r\n",
            (Data::Whole(mail), Some(attempt)) => match report::read(&mail) {
                None => "550 5.6.0 no delivery report in it\r\n",
                Some(finding) => self.pass_on(attempt, finding).await,
            },
            (Data::Whole(_), None) => "503 5.5.1 no recipient\r\n",
        };
        self.wire.send(reply.as_bytes()).await
    }

    /// Gives a report to the engine and waits until it is durable.
    async fn pass_on(&mut self, attempt: AttemptId, Finding(report): Finding) -> &'static str {
        const AGAIN: &str = "451 4.3.0 try again later\r\n";
        let (link, mut slips) = mpsc::unbounded_channel::<Slip>();
        self.shared.outbox.meter.receipt(&report);
        let event = Event::Report {
            carrier: self.shared.outbox.carrier.clone(),
            message_id: self.shared.writer.message_id(attempt),
            reference: u64::try_from(attempt.0).ok(),
            report,
            at: self.shared.outbox.clock.now(),
            acknowledge: Acknowledge::to(&link, 0),
        };
        let kept = async {
            self.events.send(vec![event]).await.ok()?;
            slips.recv().await.filter(|slip| slip.done)
        };
        match timeout(limits::INTAKE_WAIT, kept).await {
            Ok(Some(_)) => "250 2.0.0 taken\r\n",
            Ok(None) | Err(_) => AGAIN,
        }
    }
}
