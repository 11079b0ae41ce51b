//! One bound connection. One task does everything for it: many PDUs are encoded into one buffer and written at once, and
//! one read brings many responses, so the cost per message is that of copying it. While the engine's queue is full the
//! session does not read, and the carrier feels it.

use super::Shared;
use super::link::Role;
use super::outbox::Query;
use super::prepare::Prepared;
use super::window::Window;
use super::wire::{self, command, status};
use crate::contract::{Answer, Event, Slip};
use crate::limits;
use bytes::{Buf, BytesMut};
use carillon_model::Moment;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// We were told to stop.
    Stopped,
    /// The carrier unbound.
    Unbound,
    /// The carrier closed the connection.
    Closed,
    /// A probe was not answered.
    Silent,
    /// What came is no SMPP.
    Malformed(#[expect(dead_code, reason = "read by the log through Debug")] wire::Error),
    /// The connection broke.
    Broken(#[expect(dead_code, reason = "read by the log through Debug")] std::io::Error),
}

/// See the file.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    role: Role,
    waker: Arc<Notify>,
    stream: TcpStream,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    pub(super) window: Window,
    /// Events the engine has no room for yet; the socket is not read until they are gone.
    pub(super) pending: Vec<Event>,
    pub(super) acknowledge: mpsc::UnboundedSender<Slip>,
    slips: mpsc::UnboundedReceiver<Slip>,
    pub(super) unacknowledged: usize,
    /// When the carrier was last heard, or last could have been.
    heard: Instant,
    /// The engine does not take what comes, so nothing is read and no silence counts.
    deaf: bool,
    /// When reading went on after that.
    resumed: Instant,
    pub(super) probing: bool,
    stopping: Option<Instant>,
    unbinding: bool,
    /// Parts answered, parts taken and parts put off in the present read.
    pub(super) tally: (usize, usize, usize),
    /// Orders the carrier put off in the present read.
    pub(super) put_off: Vec<Prepared>,
}

/// What woke the session.
enum Wake {
    Stop,
    Readable(std::io::Result<()>),
    Writable,
    Slips,
    Look,
}

impl Session {
    pub fn new(
        shared: Arc<Shared>,
        role: Role,
        waker: Arc<Notify>,
        stream: TcpStream,
        input: BytesMut,
    ) -> Self {
        let (acknowledge, slips) = mpsc::unbounded_channel();
        let window = Window::new(shared.config.window);
        Self {
            shared,
            role,
            waker,
            stream,
            input,
            output: BytesMut::with_capacity(limits::READ_BYTES),
            window,
            pending: Vec::new(),
            acknowledge,
            slips,
            unacknowledged: 0,
            heard: Instant::now(),
            deaf: false,
            resumed: Instant::now(),
            probing: false,
            stopping: None,
            unbinding: false,
            tally: (0, 0, 0),
            put_off: Vec::new(),
        }
    }

    /// Runs until the connection ends, and leaves nothing unanswered.
    pub async fn run(mut self) -> End {
        if self.role.sends() {
            self.shared.outbox.link_up();
        }
        // What came together with the answer to the bind.
        let end = match self.take_frames(Instant::now()) {
            Some(end) => end,
            None => self.turn_until_end().await,
        };
        self.leave().await;
        end
    }

    async fn turn_until_end(&mut self) -> End {
        let timer = tokio::time::sleep_until(Instant::now());
        tokio::pin!(timer);
        let mut slips = Vec::new();
        loop {
            let now = Instant::now();
            self.hand_over();
            self.listen(now);
            if let Some(end) = self.keep_time(now) {
                return end;
            }
            let again = self.submit(now);
            if let Err(error) = self.write() {
                return End::Broken(error);
            }
            let deadline = self.deadline(now, again);
            if timer.deadline() > deadline || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let reads = self.reads();
            let submits = self.role.sends() && self.stopping.is_none() && self.window.free() > 0;
            let wake = tokio::select! {
                () = self.shared.stop.cancelled(), if self.stopping.is_none() => Wake::Stop,
                ready = self.stream.readable(), if reads => Wake::Readable(ready),
                _ = self.stream.writable(), if !self.output.is_empty() => Wake::Writable,
                _ = self.slips.recv_many(&mut slips, 1_000) => Wake::Slips,
                permit = self.shared.events.reserve(), if !self.pending.is_empty() => {
                    let pending = std::mem::take(&mut self.pending);
                    if let Ok(permit) = permit {
                        permit.send(pending);
                    }
                    Wake::Look
                }
                () = self.waker.notified(), if submits => Wake::Look,
                () = timer.as_mut() => Wake::Look,
            };
            let end = match wake {
                Wake::Stop => {
                    self.stopping = Some(Instant::now() + limits::STOP_WAIT);
                    None
                }
                Wake::Readable(ready) => {
                    ready.map_or_else(|error| Some(End::Broken(error)), |()| self.read())
                }
                Wake::Slips => {
                    self.answer_carrier(&mut slips);
                    None
                }
                Wake::Writable | Wake::Look => None,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Whether the socket is read. A carrier that does not read us is not read either, but its silence counts.
    fn reads(&self) -> bool {
        !self.deaf && self.pending.is_empty() && self.output.len() < limits::OUTPUT_BYTES_MAX
    }

    /// While nothing can be read, no answer can be seen: silence counts from where reading goes on.
    fn listen(&mut self, now: Instant) {
        let was_deaf = self.deaf;
        self.deaf = !self.pending.is_empty() || self.unacknowledged >= limits::UNACKNOWLEDGED_MAX;
        if was_deaf && !self.deaf {
            self.resumed = now;
            self.heard = now;
        }
    }

    /// Takes what the outbox grants and encodes it. Answers when to ask again.
    fn submit(&mut self, now: Instant) -> Option<Instant> {
        let free = self.window.free();
        let full = self.output.len() >= limits::OUTPUT_BYTES_MAX;
        if !self.role.sends() || self.stopping.is_some() || free == 0 || full {
            return None;
        }
        let outbox = &self.shared.outbox;
        let grant = outbox.take(now, self.window.held(), free);
        let parts = grant.parts - grant.queries.len();
        for order in grant.orders {
            self.window.admit(order);
        }
        for query in grant.queries {
            let (id, from) = (query.message_id.clone(), query.from.clone());
            let sequence = self.window.asked(query, now);
            wire::write_frame(&mut self.output, command::QUERY_SM, 0, sequence, |body| {
                wire::put_string(body, id.as_bytes());
                body.extend_from_slice(&[0, 0]);
                wire::put_string(body, from.trim_start_matches('+').as_bytes());
            });
        }
        if parts > 0 {
            let used = self.window.used();
            let written = self.window.write_parts(parts, now, &mut self.output);
            outbox.meter.submitted.increment(written as u64);
            outbox
                .meter
                .window_used
                .increment((self.window.used() - used) as f64);
        }
        grant.again
    }

    /// Writes as much as the socket takes now.
    fn write(&mut self) -> std::io::Result<()> {
        while !self.output.is_empty() {
            match self.stream.try_write(&self.output) {
                Ok(written) => self.output.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives the engine what there is, if it has room now. Only before `listen`: what it says holds until the next turn.
    fn hand_over(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match self
            .shared
            .events
            .try_send(std::mem::take(&mut self.pending))
        {
            // An engine that is gone cannot be told; its store knows which attempts are open.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(events)) => self.pending = events,
        }
    }

    fn read(&mut self) -> Option<End> {
        self.input.reserve(limits::READ_BYTES);
        match self.stream.try_read_buf(&mut self.input) {
            Ok(0) => return Some(End::Closed),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => return Some(End::Broken(error)),
        }
        let now = Instant::now();
        self.heard = now;
        self.take_frames(now)
    }

    /// Everything that depends on time: doubts, probes, the end.
    fn keep_time(&mut self, now: Instant) -> Option<End> {
        if !self.deaf {
            let timeout = self.shared.config.response_timeout;
            let overdue = self.answers_due().is_some_and(|due| due <= now);
            if overdue && let Some(end) = self.give_up(now - timeout) {
                return Some(end);
            }
            if !self.probing && now.duration_since(self.heard) >= self.shared.config.enquire_link {
                self.probing = true;
                let sequence = self.window.probed(now);
                wire::write_bare(
                    &mut self.output,
                    command::ENQUIRE_LINK,
                    status::OK,
                    sequence,
                );
            }
        }
        let over = self.stopping?;
        if self.unbinding {
            return (now >= over).then_some(End::Stopped);
        }
        let settled =
            self.window.used() == 0 && self.unacknowledged == 0 && self.pending.is_empty();
        if settled || now >= over {
            self.unbinding = true;
            self.stopping = Some(now + limits::UNBIND_WAIT);
            let sequence = self.window.unbinding(now);
            wire::write_bare(&mut self.output, command::UNBIND, status::OK, sequence);
        }
        None
    }

    /// When the oldest unanswered PDU becomes a doubt. A carrier that could not be heard for a while gets the time again.
    fn answers_due(&mut self) -> Option<Instant> {
        let oldest = self.window.oldest()?;
        Some(oldest.max(self.resumed) + self.shared.config.response_timeout)
    }

    fn give_up(&mut self, deadline: Instant) -> Option<End> {
        let used = self.window.used();
        let (dead, doubts, queries) = self.window.overdue(deadline);
        let at = self.shared.outbox.clock.now();
        self.shared
            .outbox
            .meter
            .window_used
            .decrement((used - self.window.used()) as f64);
        for attempt in doubts {
            self.answered(attempt, Answer::Doubt, at);
        }
        self.not_known(queries, at);
        dead.then_some(End::Silent)
    }

    fn not_known(&mut self, queries: Vec<Query>, at: Moment) {
        let answers = queries.into_iter().map(|query| Event::Queried {
            attempt: query.attempt,
            message_id: query.message_id,
            report: None,
            at,
        });
        self.pending.extend(answers);
    }

    /// The next moment at which `keep_time` or `submit` has something to do.
    fn deadline(&mut self, now: Instant, again: Option<Instant>) -> Instant {
        let mut deadline = now + Duration::from_secs(60);
        let mut sooner = |moment: Option<Instant>| {
            deadline = moment.map_or(deadline, |moment| moment.min(deadline))
        };
        sooner(again);
        sooner(self.stopping);
        if !self.deaf {
            sooner(self.answers_due());
            sooner((!self.probing).then(|| self.heard + self.shared.config.enquire_link));
        }
        deadline
    }

    /// The connection is over: says what is in doubt, and gives back what was not sent.
    async fn leave(&mut self) {
        // Answers written last, above all unbind_resp, still go if the socket takes them.
        let _ = self.write();
        let used = self.window.used();
        let rest = self.window.cut();
        self.shared.outbox.meter.window_used.decrement(used as f64);
        let at = self.shared.outbox.clock.now();
        for attempt in rest.doubts {
            self.answered(attempt, Answer::Doubt, at);
        }
        self.not_known(rest.queries, at);
        if !self.pending.is_empty() {
            // Fails only when the engine is gone; its store knows which attempts are open.
            let _ = self
                .shared
                .events
                .send(std::mem::take(&mut self.pending))
                .await;
        }
        if self.role.sends() {
            self.shared.outbox.link_down(rest.unsent);
        }
    }
}
