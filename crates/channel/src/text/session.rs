//! One bound connection. One task does everything for it: many PDUs are encoded into one buffer and written at once, and
//! one read brings many responses, so the cost per message is that of copying it. While the engine's queue is full the
//! session does not read, and the carrier feels it.

use super::link::Role;
use super::outbox::Query;
use super::receipt;
use super::window::{Response, Window};
use super::wire::{self, Frame, command, status};
use super::{Shared, inbound};
use crate::contract::{Acknowledge, Answer, Event, Slip};
use crate::limits;
use bytes::{Buf, BytesMut};
use carillon_model::{AttemptId, Moment};
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

/// Marks data_sm in the token of an acknowledgement; the low bits are the sequence number.
const DATA: u64 = 1 << 32;

/// See the file.
pub(super) struct Session {
    shared: Arc<Shared>,
    role: Role,
    waker: Arc<Notify>,
    stream: TcpStream,
    input: BytesMut,
    output: BytesMut,
    window: Window,
    /// Events the engine has no room for yet; the socket is not read until they are gone.
    pending: Vec<Event>,
    acknowledge: mpsc::UnboundedSender<Slip>,
    slips: mpsc::UnboundedReceiver<Slip>,
    unacknowledged: usize,
    /// When the carrier was last heard, or last could have been.
    heard: Instant,
    /// When reading went on after the engine had no room.
    resumed: Instant,
    probing: bool,
    stopping: Option<Instant>,
    unbinding: bool,
    /// Parts answered, parts taken and parts put off in the present read.
    tally: (usize, usize, usize),
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
            resumed: Instant::now(),
            probing: false,
            stopping: None,
            unbinding: false,
            tally: (0, 0, 0),
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
            if let Some(end) = self.keep_time(now) {
                return end;
            }
            let again = self.submit(now);
            if let Err(error) = self.write() {
                return End::Broken(error);
            }
            self.hand_over();
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
                    // While nothing could be read, no answer could be seen: silence counts from here.
                    self.resumed = Instant::now();
                    self.heard = self.resumed;
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

    fn reads(&self) -> bool {
        self.pending.is_empty()
            && self.unacknowledged < limits::UNACKNOWLEDGED_MAX
            && self.output.len() < limits::OUTPUT_BYTES_MAX
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
            let (written, expired) =
                self.window
                    .write_parts(parts, now, outbox.clock.now(), &mut self.output);
            outbox.meter.submitted.increment(written as u64);
            outbox
                .meter
                .window_used
                .increment((self.window.used() - used) as f64);
            outbox.not_sent(expired);
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

    /// Gives the engine what there is, if it has room now.
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

    /// Reads every whole PDU of the input.
    fn take_frames(&mut self, now: Instant) -> Option<End> {
        let mut input = std::mem::take(&mut self.input);
        let at = self.shared.outbox.clock.now();
        let used = self.window.used();
        let mut taken = 0;
        let mut end = None;
        while end.is_none() {
            match wire::next_frame(&input[taken..]) {
                Ok(Some((frame, length))) => {
                    end = self.take_frame(&frame, now, at);
                    taken += length;
                }
                Ok(None) => break,
                Err(error) => {
                    wire::write_bare(
                        &mut self.output,
                        command::GENERIC_NACK,
                        status::INVALID_COMMAND_LENGTH,
                        0,
                    );
                    end = Some(End::Malformed(error));
                }
            }
        }
        input.advance(taken);
        self.input = input;
        let (answered, accepted, put_off) = std::mem::take(&mut self.tally);
        let outbox = &self.shared.outbox;
        if put_off > 0 {
            outbox.meter.throttled.increment(put_off as u64);
            outbox.throttled(now);
        }
        if answered > 0 {
            outbox.answered(now, answered, accepted);
        }
        outbox
            .meter
            .window_used
            .decrement((used - self.window.used()) as f64);
        end
    }

    fn take_frame(&mut self, frame: &Frame<'_>, now: Instant, at: Moment) -> Option<End> {
        match frame.command {
            command::DELIVER_SM | command::DATA_SM => self.take_message(frame, now, at),
            command::ENQUIRE_LINK => {
                wire::write_bare(
                    &mut self.output,
                    command::ENQUIRE_LINK | command::RESPONSE,
                    status::OK,
                    frame.sequence,
                );
            }
            command::UNBIND => {
                wire::write_bare(
                    &mut self.output,
                    command::UNBIND | command::RESPONSE,
                    status::OK,
                    frame.sequence,
                );
                return Some(End::Unbound);
            }
            command::ALERT_NOTIFICATION => {}
            response if response & command::RESPONSE != 0 => return self.take_response(frame, at),
            _ => wire::write_bare(
                &mut self.output,
                command::GENERIC_NACK,
                status::INVALID_COMMAND,
                frame.sequence,
            ),
        }
        None
    }

    fn take_response(&mut self, frame: &Frame<'_>, at: Moment) -> Option<End> {
        // A nack without a reason is still a no.
        let no_reason = frame.command == command::GENERIC_NACK && frame.status == status::OK;
        let code = if no_reason {
            status::SYSTEM_ERROR
        } else {
            frame.status
        };
        let shared = &self.shared;
        let remember = |id: &str, person: &str| {
            if shared.config.receipts {
                shared
                    .ids
                    .lock()
                    .expect("nothing panics while it holds the ids")
                    .accepted(id, person);
            }
        };
        let id = || wire::text(wire::read_message_id(frame.body));
        match self.window.responded(frame.sequence, code, id, remember) {
            Response::Answered(attempt, answer) => {
                self.tally.0 += 1;
                self.tally.1 += usize::from(matches!(answer, Answer::Accepted { .. }));
                self.answered(attempt, answer, at);
            }
            Response::Taken => {
                self.tally.0 += 1;
                self.tally.1 += 1;
            }
            Response::Nothing => self.tally.0 += 1,
            Response::Throttled => self.tally.2 += 1,
            Response::Queried(query) => {
                let report = match wire::read_query_response(frame.body) {
                    Ok((_, state, error)) if code == status::OK => {
                        receipt::report_of_state(state, error)
                    }
                    _ => None,
                };
                self.pending.push(Event::Queried {
                    attempt: query.attempt,
                    message_id: query.message_id,
                    report,
                    at,
                });
            }
            Response::Probe => self.probing = false,
            Response::Unbound => return Some(End::Stopped),
            Response::Stray => shared.outbox.meter.late.increment(1),
        }
        None
    }

    fn answered(&mut self, attempt: AttemptId, answer: Answer, at: Moment) {
        self.shared.outbox.meter.answer(&answer);
        self.pending.push(Event::Answer {
            attempt,
            answer,
            at,
        });
    }

    /// A receipt or a message from a person.
    fn take_message(&mut self, frame: &Frame<'_>, now: Instant, at: Moment) {
        let data = frame.command == command::DATA_SM;
        let read = if data {
            wire::read_data(frame.body)
        } else {
            wire::read_message(frame.body)
        };
        let Ok(message) = read else {
            // It would be no better when sent again.
            wire::write_empty_response(
                &mut self.output,
                frame.command,
                status::PERMANENT,
                frame.sequence,
            );
            return;
        };
        let token = u64::from(frame.sequence) | if data { DATA } else { 0 };
        if let Some(receipt) = receipt::read(&message) {
            self.shared.outbox.meter.receipt(&receipt.report);
            let person = wire::text(message.source.digits);
            let mut ids = self
                .shared
                .ids
                .lock()
                .expect("nothing panics while it holds the ids");
            let message_id = if ids.settled() {
                receipt.message_id
            } else {
                ids.resolve(&receipt.message_id, &person)
            };
            drop(ids);
            let acknowledge = self.await_acknowledgement(token);
            self.pending.push(Event::Report {
                carrier: self.shared.outbox.carrier.clone(),
                message_id,
                reference: receipt.reference,
                report: receipt.report,
                at,
                acknowledge,
            });
            return;
        }
        let read = self
            .shared
            .assembly
            .lock()
            .expect("nothing panics while it holds the parts")
            .read(&message, now);
        match read {
            inbound::Read::Whole(whole) => {
                let acknowledge = self.await_acknowledgement(token);
                self.pending.push(self.shared.inbound(whole, acknowledge));
            }
            inbound::Read::Kept => self.acknowledge_now(frame),
            inbound::Read::KeptInPlaceOf(left) => {
                self.pending
                    .push(self.shared.inbound(left, Acknowledge::none()));
                self.acknowledge_now(frame);
            }
        }
    }

    fn await_acknowledgement(&mut self, token: u64) -> Acknowledge {
        self.unacknowledged += 1;
        Acknowledge::to(&self.acknowledge, token)
    }

    fn acknowledge_now(&mut self, frame: &Frame<'_>) {
        wire::write_empty_response(&mut self.output, frame.command, status::OK, frame.sequence);
    }

    /// The engine has made events durable, or dropped them.
    fn answer_carrier(&mut self, slips: &mut Vec<Slip>) {
        self.unacknowledged -= slips.len();
        for slip in slips.drain(..) {
            let command = if slip.token & DATA == 0 {
                command::DELIVER_SM
            } else {
                command::DATA_SM
            };
            let status = if slip.done {
                status::OK
            } else {
                status::TEMPORARY
            };
            wire::write_empty_response(
                &mut self.output,
                command,
                status,
                (slip.token & 0xFFFF_FFFF) as u32,
            );
        }
    }

    /// Everything that depends on time: doubts, probes, the end.
    fn keep_time(&mut self, now: Instant) -> Option<End> {
        if self.pending.is_empty() {
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
        if self.pending.is_empty() {
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
