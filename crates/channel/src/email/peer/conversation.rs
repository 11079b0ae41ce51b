//! One connection to the relay.

use super::super::wire::{Data, Fault, Wire};
use super::{Misbehaviour, State, Taken, lock};
use std::sync::Arc;
use tokio::net::TcpStream;

/// Largest mail the relay takes.
const MAIL_BYTES_MAX: usize = 10_000_000;

pub(super) async fn converse(state: Arc<State>, stream: TcpStream) {
    // A connection that cannot be tuned, or ends, is the other side's matter.
    let _ = stream.set_nodelay(true);
    let mut talk = Talk {
        state,
        wire: Wire::new(Box::new(stream)),
        out: Vec::new(),
        sender: None,
        recipient: None,
        mails: 0,
    };
    let _ = talk.run().await;
}

struct Talk {
    state: Arc<State>,
    wire: Wire,
    /// Replies not yet written: they wait until there is nothing more to read.
    out: Vec<u8>,
    sender: Option<String>,
    recipient: Option<String>,
    mails: usize,
}

fn due(every: Option<usize>, count: usize) -> bool {
    every.is_some_and(|every| count.is_multiple_of(every))
}

fn path(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(String::new(), |(path, _)| path.to_owned())
}

impl Talk {
    async fn run(&mut self) -> Result<(), Fault> {
        let manners = self.manners();
        let greeting = manners
            .greeting
            .unwrap_or_else(|| "220 peer ESMTP".to_owned());
        self.say(&greeting);
        if !greeting.starts_with("220") {
            return self.flush().await;
        }
        loop {
            if !self.wire.has_input() {
                self.flush().await?;
            }
            let line = self.wire.line().await?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let verb: String = line
                .chars()
                .take(4)
                .collect::<String>()
                .to_ascii_uppercase();
            let more = match verb.as_str() {
                "EHLO" if self.manners().no_pipelining => self.say("250-peer\r\n250 8BITMIME"),
                "EHLO" => self.say("250-peer\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"),
                "RSET" => {
                    (self.sender, self.recipient) = (None, None);
                    self.say("250 2.0.0 ok")
                }
                "MAIL" => self.sender(&line),
                "RCPT" => self.recipient(&line),
                "DATA" => self.data().await?,
                "QUIT" => {
                    self.say("221 2.0.0 bye");
                    false
                }
                _ => self.say("500 5.5.2 what"),
            };
            if !more {
                return self.flush().await;
            }
        }
    }

    fn manners(&self) -> Misbehaviour {
        lock(&self.state.misbehaviour).clone()
    }

    fn say(&mut self, reply: &str) -> bool {
        self.out.extend_from_slice(reply.as_bytes());
        self.out.extend_from_slice(b"\r\n");
        true
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        if self.out.is_empty() {
            return Ok(());
        }
        let sent = self.wire.send(&self.out).await;
        self.out.clear();
        sent
    }

    fn sender(&mut self, line: &str) -> bool {
        let manners = self.manners();
        let count = {
            let mut counts = lock(&self.state.counts);
            counts.senders += 1;
            counts.senders
        };
        if manners
            .closes_after
            .is_some_and(|after| self.mails >= after)
        {
            self.out.clear();
            return false;
        }
        if due(manners.later_every, count) {
            self.say("421 4.7.0 not now");
            return false;
        }
        if self.sender.is_some() {
            return self.say("503 5.5.1 a mail is open already");
        }
        self.sender = Some(path(line));
        self.say("250 2.1.0 ok")
    }

    fn recipient(&mut self, line: &str) -> bool {
        let address = path(line);
        let reply = match address.split('@').next().unwrap_or_default() {
            _ if self.sender.is_none() => "503 5.5.1 no sender",
            "unknown" => "550 5.1.1 no such mailbox",
            "nobody" => "550 no such user here",
            "policy" => "550 5.7.1 not from you",
            "busy" => "450 4.2.0 greylisted",
            "gone" => {
                self.out.clear();
                return false;
            }
            _ => {
                self.recipient = Some(address);
                "250 2.1.5 ok"
            }
        };
        self.say(reply)
    }

    async fn data(&mut self) -> Result<bool, Fault> {
        let manners = self.manners();
        if self.recipient.is_none() && !manners.careless_data {
            return Ok(self.say("503 5.5.1 no valid recipient"));
        }
        self.say("354 go on");
        self.flush().await?;
        let data = self.wire.data(MAIL_BYTES_MAX).await?;
        let (from, to) = (
            self.sender.take().unwrap_or_default(),
            self.recipient.take(),
        );
        let (Data::Whole(content), Some(to)) = (data, to) else {
            return Ok(self.say("554 5.5.1 nobody gets that"));
        };
        let local = to.split('@').next().unwrap_or_default().to_owned();
        match local.as_str() {
            "spam" => return Ok(self.say("550 5.7.1 smells")),
            "late" => return Ok(self.say("451 4.3.0 not today")),
            _ => {}
        }
        self.mails += 1;
        if self.mails == 1 {
            self.state
                .seen
                .send_modify(|(_, connections)| *connections += 1);
        }
        let count = {
            let mut counts = lock(&self.state.counts);
            counts.mails += 1;
            counts.mails
        };
        if let Some(taken) = &self.state.taken {
            lock(taken).push(Taken { from, to, content });
        }
        if local == "lost" {
            return Ok(false);
        }
        if due(manners.unanswered_every, count) {
            self.state.seen.send_modify(|(silent, _)| *silent = true);
            // Says nothing, until it is cut.
            std::future::pending::<()>().await;
        }
        if manners.unanswered_every.is_some() {
            let first = manners.connections_first;
            let mut seen = self.state.seen.subscribe();
            // The sender lives as long as this connection, so it is not gone.
            let _ = seen
                .wait_for(|(silent, connections)| *silent && *connections >= first)
                .await;
        }
        Ok(self.say("250 2.0.0 taken"))
    }
}
