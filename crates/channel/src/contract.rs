//! The contract between the engine and a channel: orders go down, events come up. The engine has committed an attempt
//! before its order is placed; a channel answers each order exactly once and never sends one twice. Where it cannot know
//! whether the carrier took a message, it says Doubt and leaves the decision to the ledger.

use carillon_model::{AttemptId, AttemptResult, ChannelType, Moment};
use carillon_script::email::Rendered;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One message to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The attempt, already durable.
    pub attempt: AttemptId,
    /// Who shall carry it.
    pub carrier: Arc<str>,
    /// Our address: short code, number or name; the sender's address of an e-mail.
    pub from: String,
    /// The person's address: `+digits`, or an e-mail address.
    pub to: String,
    /// What is said.
    pub content: Content,
    /// It may not leave at or after this moment.
    pub expires: Option<Moment>,
}

/// What is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A text message.
    Text {
        /// The text.
        body: String,
        /// Most parts it may take; a longer text is refused.
        max_parts: u8,
    },
    /// An e-mail.
    Email {
        /// The rendered letter.
        letter: Box<Rendered>,
    },
}

/// What comes back. For each order exactly one Answer; any number of Reports. Reports and Inbound may be repeated by the
/// carrier after a reconnect; a channel never reorders what one link brought.
#[derive(Debug)]
pub enum Event {
    /// What became of an order.
    Answer {
        /// The attempt.
        attempt: AttemptId,
        /// What became of it.
        answer: Answer,
        /// When.
        at: Moment,
    },
    /// A delivery receipt.
    Report {
        /// Who sent it.
        carrier: Arc<str>,
        /// The part it is about, spelled as in `Accepted` wherever the channel can know that; see `text::message_key`.
        message_id: String,
        /// The user_message_reference, if the receipt returns it: the low 16 bits of the attempt id, so only a hint. A
        /// bounce comes to the return path of its attempt and names it whole.
        reference: Option<u64>,
        /// What it says.
        report: Report,
        /// When.
        at: Moment,
        /// To be called when it is durable.
        acknowledge: Acknowledge,
    },
    /// A message from a person.
    Inbound {
        /// Who brought it.
        carrier: Arc<str>,
        /// The person's address, `+digits` where it is a number.
        from: String,
        /// Our address as the carrier writes it.
        to: String,
        /// The text.
        body: String,
        /// When.
        at: Moment,
        /// To be called when it is durable.
        acknowledge: Acknowledge,
    },
    /// What a query brought: exactly one for each.
    Queried {
        /// The attempt.
        attempt: AttemptId,
        /// The message asked about.
        message_id: String,
        /// What the carrier says; none = it does not know, or could not be asked.
        report: Option<Report>,
        /// When.
        at: Moment,
    },
    /// The carrier can be reached again, or no longer.
    Link {
        /// Which.
        carrier: Arc<str>,
        /// Whether orders can leave.
        up: bool,
        /// When.
        at: Moment,
    },
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The carrier took all parts.
    Accepted {
        /// Its id for each part, as it wrote them.
        message_ids: Vec<String>,
    },
    /// The carrier, or the channel before anything left, refused it.
    Refused {
        /// Failed or BadDevice.
        result: AttemptResult,
        /// The carrier's status; the channel uses the same numbers for what it refuses itself.
        code: u32,
        /// Whether trying again is useless.
        permanent: bool,
    },
    /// It was handed over and no answer came: the link was cut or the carrier silent.
    Doubt,
    /// It certainly was not taken: no link, expired, no room, withdrawn, shut down.
    NotSent,
}

/// What a delivery receipt or a query says.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// It reached the person's device.
    Delivered,
    /// It will not.
    Failed {
        /// The carrier's word and error number, as `UNDELIV 001`; the enhanced status code of a bounce, as `5.1.1` (see
        /// `email::is_bad_device`).
        code: String,
    },
    /// Not final.
    Intermediate {
        /// The carrier's word.
        state: String,
    },
    /// The carrier does not know.
    Unknown,
}

/// Tells the channel that an event is durable, so that the carrier may forget it. Dropped without being called = not
/// acknowledged: the carrier is told to send again.
#[derive(Default)]
pub struct Acknowledge(Option<(mpsc::UnboundedSender<Slip>, u64)>);

/// One acknowledgement on its way back to the link that brought the event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slip {
    /// What is acknowledged, in the words of the link.
    pub token: u64,
    /// False = it was dropped.
    pub done: bool,
}

impl Acknowledge {
    /// An acknowledgement nobody waits for.
    pub fn none() -> Self {
        Self(None)
    }

    /// One that tells `link` of `token`. The link bounds how many are out, so its queue is bounded too.
    pub(crate) fn to(link: &mpsc::UnboundedSender<Slip>, token: u64) -> Self {
        Self(Some((link.clone(), token)))
    }

    /// The event is durable.
    pub fn done(mut self) {
        self.tell(true);
    }

    fn tell(&mut self, done: bool) {
        if let Some((link, token)) = self.0.take() {
            // A link that is gone has nothing to acknowledge: its carrier sends again by itself.
            let _ = link.send(Slip { token, done });
        }
    }
}

impl Drop for Acknowledge {
    fn drop(&mut self) {
        self.tell(false);
    }
}

impl std::fmt::Debug for Acknowledge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() {
            "Acknowledge(awaited)"
        } else {
            "Acknowledge(none)"
        })
    }
}

/// What a channel can do; the engine asks for these, never for the kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// How it reaches people.
    pub channel: ChannelType,
    /// Most messages (parts) a second; none = as fast as the carrier answers.
    pub rate_per_second: Option<f64>,
    /// Most messages handed over and not yet answered, over all links: the doubt a cut can leave.
    pub window: usize,
    /// Whether Reports will come.
    pub receipts: bool,
    /// How long to wait for the final one.
    pub receipt_wait_ms: i64,
    /// Whether the carrier takes the attempt id as an idempotency key.
    pub idempotent: bool,
    /// Whether `query` can bring an answer.
    pub query: bool,
}

/// A way to reach people.
pub trait Channel: Send + Sync {
    /// The carrier's name in the configuration.
    fn name(&self) -> &str;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// Orders it would take now without keeping more than one second's worth waiting; 0 when no link is up.
    fn room(&self) -> usize;
    /// Takes orders. Never blocks; takes as many as the last `room` said and answers the rest NotSent.
    fn place(&self, orders: Vec<Order>);
    /// Asks the carrier about messages: attempt, message id as in `Accepted`, our address. Each brings one `Queried`.
    fn query(&self, queries: Vec<(AttemptId, String, String)>);
    /// Takes back what the carrier has nothing of and answers it NotSent. What may be with the carrier, what is answered
    /// and what was never placed is left alone. Never blocks. A channel that keeps nothing waiting has nothing to give back.
    fn withdraw(&self, _attempts: &[AttemptId]) {}
    /// Whether a link is up by which orders can leave. A channel without links always is.
    fn is_up(&self) -> bool {
        true
    }
}

/// Where events go. It is bounded: while it is full, a session does not read its socket. Vectors, because one read of a
/// socket brings many.
pub type Events = mpsc::Sender<Vec<Event>>;
