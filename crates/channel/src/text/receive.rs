//! What comes over a session: responses find their orders, receipts and messages become events, and the carrier hears
//! that it may forget them once the engine says so.

use super::session::{End, Session};
use super::window::Response;
use super::wire::{self, Frame, command, status};
use super::{inbound, receipt};
use crate::contract::{Acknowledge, Answer, Event, Slip};
use bytes::Buf;
use carillon_model::{AttemptId, Moment};
use tokio::time::Instant;

/// Marks data_sm in the token of an acknowledgement; the low bits are the sequence number.
const DATA: u64 = 1 << 32;

impl Session {
    /// Reads every whole PDU of the input.
    pub(super) fn take_frames(&mut self, now: Instant) -> Option<End> {
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
            outbox.put_back(std::mem::take(&mut self.put_off));
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
            Response::Throttled(released) => {
                self.tally.2 += 1;
                self.put_off.extend(released);
            }
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

    pub(super) fn answered(&mut self, attempt: AttemptId, answer: Answer, at: Moment) {
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
    pub(super) fn answer_carrier(&mut self, slips: &mut Vec<Slip>) {
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
}
