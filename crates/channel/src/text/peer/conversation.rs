//! One connection of the carrier: every PDU and what comes of it. What a link did not acknowledge goes to the next one.

use super::fate::{Fate, mix};
use super::manners::{Config, IdSpelling, Misbehaviour, ReceiptSpelling};
use super::smsc::{Delivery, Inner, State, lock};
use crate::text::wire::{self, Frame, Message, command, status};
use bytes::{Buf, BytesMut};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// See the file.
pub(super) struct Session {
    inner: Arc<Inner>,
    receives: bool,
    bound: bool,
    unacknowledged: BTreeMap<u32, Delivery>,
    sequence: u32,
}

impl Drop for Session {
    /// What was not acknowledged is delivered again to the next link.
    fn drop(&mut self) {
        for delivery in std::mem::take(&mut self.unacknowledged).into_values() {
            self.inner.deliver(Instant::now(), delivery);
        }
    }
}

/// What the carrier does after a PDU.
enum Next {
    Go,
    Cut,
}

impl Session {
    /// A connection just accepted.
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            receives: false,
            bound: false,
            unacknowledged: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Serves until either side ends it.
    pub(super) async fn serve(mut self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let inner = self.inner.clone();
        let mut input = BytesMut::new();
        let mut output = Vec::new();
        loop {
            let woken = inner.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let next_due = self.deliver_due(&mut output);
            if !output.is_empty() {
                stream.write_all(&output).await?;
                output.clear();
            }
            let due = next_due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                read = stream.read_buf(&mut input) => if read? == 0 { return Ok(()) },
                () = woken => {}
                () = tokio::time::sleep_until(due) => {}
            }
            while let Ok(Some((frame, length))) = wire::next_frame(&input) {
                let next = self.take(&frame, &mut output);
                input.advance(length);
                if matches!(next, Next::Cut) {
                    stream.write_all(&output).await?;
                    return Ok(());
                }
            }
        }
    }

    /// Sends what is due, if this link receives; answers when the next is.
    fn deliver_due(&mut self, output: &mut Vec<u8>) -> Option<Instant> {
        if !self.receives {
            return None;
        }
        let mut state = lock(&self.inner.state);
        let now = Instant::now();
        while let Some(entry) = state.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let delivery = entry.remove();
            self.sequence += 1;
            wire::write_frame(output, delivery.command, 0, self.sequence, |body| {
                body.extend_from_slice(&delivery.body)
            });
            self.unacknowledged.insert(self.sequence, delivery);
            state.totals.deliveries += 1;
        }
        state.due.first_key_value().map(|((at, _), _)| *at)
    }

    fn take(&mut self, frame: &Frame<'_>, output: &mut Vec<u8>) -> Next {
        let manners = lock(&self.inner.misbehaviour).clone();
        let submits = lock(&self.inner.state).totals.submits;
        if self.bound
            && manners.silent_from.is_some_and(|from| {
                submits + u64::from(frame.command == command::SUBMIT_SM) >= from
            })
        {
            lock(&self.inner.state).totals.submits +=
                u64::from(frame.command == command::SUBMIT_SM);
            return Next::Go;
        }
        match frame.command {
            command::BIND_TRANSCEIVER | command::BIND_RECEIVER | command::BIND_TRANSMITTER => {
                return self.bind(frame, &manners, output);
            }
            command::SUBMIT_SM if self.bound => return self.submit(frame, &manners, output),
            command::QUERY_SM if self.bound => self.query(frame, output),
            command::ENQUIRE_LINK => {
                wire::write_bare(
                    output,
                    frame.command | command::RESPONSE,
                    status::OK,
                    frame.sequence,
                );
            }
            command::UNBIND => {
                wire::write_bare(
                    output,
                    frame.command | command::RESPONSE,
                    status::OK,
                    frame.sequence,
                );
                return Next::Cut;
            }
            response if response & command::RESPONSE != 0 => self.acknowledged(frame),
            _ => wire::write_bare(
                output,
                command::GENERIC_NACK,
                status::INVALID_COMMAND,
                frame.sequence,
            ),
        }
        Next::Go
    }

    fn bind(&mut self, frame: &Frame<'_>, manners: &Misbehaviour, output: &mut Vec<u8>) -> Next {
        let login = wire::read_bind(frame.body)
            .ok()
            .map(|(name, password)| (wire::text(name), wire::text(password)));
        let known = self.inner.config.login.is_none() || login == self.inner.config.login;
        let code = manners.refuse_bind.unwrap_or(if known {
            status::OK
        } else {
            status::INVALID_PASSWORD
        });
        wire::write_frame(
            output,
            frame.command | command::RESPONSE,
            code,
            frame.sequence,
            |body| wire::put_string(body, b"smsc"),
        );
        if code != status::OK {
            return Next::Cut;
        }
        self.bound = true;
        self.receives = frame.command != command::BIND_TRANSMITTER;
        lock(&self.inner.state).totals.binds += 1;
        Next::Go
    }

    fn submit(&mut self, frame: &Frame<'_>, manners: &Misbehaviour, output: &mut Vec<u8>) -> Next {
        let command = frame.command | command::RESPONSE;
        let Ok(message) = wire::read_message(frame.body) else {
            wire::write_frame(
                output,
                command,
                status::INVALID_MESSAGE_LENGTH,
                frame.sequence,
                |body| body.push(0),
            );
            return Next::Go;
        };
        let number = wire::text(message.destination.digits);
        let fate = self.inner.config.fates.of(&number, self.inner.config.seed);
        let now = Instant::now();
        let mut state = lock(&self.inner.state);
        state.totals.submits += 1;
        let submits = state.totals.submits;
        let code = judge(&mut state, &self.inner.config, manners, &number, fate, now);
        if code != status::OK {
            wire::write_frame(output, command, code, frame.sequence, |body| body.push(0));
            return Next::Go;
        }
        state.totals.taken += 1;
        let part = if message.esm_class & wire::ESM_HEADER != 0 {
            message.content.get(5).copied().unwrap_or(0)
        } else {
            0
        };
        let content = mix(&wire::text(message.content), 0);
        *state
            .taken
            .entry((number.clone(), message.reference, part, content))
            .or_insert(0) += 1;
        state.next_id += 1;
        let (response_id, receipt_id) = spell(state.next_id, manners.ids);
        state.states.insert(
            response_id.clone(),
            if fate == Fate::Failed { 5 } else { 2 },
        );
        let first = state.replied.insert(number.clone());
        drop(state);
        // The last ten before a cut get no answer, as when a link dies with a full window.
        let before_cut = manners
            .cut_at
            .is_some_and(|at| submits <= at && submits + 10 > at);
        let unanswered = before_cut
            || manners
                .unanswered_every
                .is_some_and(|every| submits.is_multiple_of(every));
        let mut response = Vec::new();
        if !unanswered {
            wire::write_frame(&mut response, command, status::OK, frame.sequence, |body| {
                wire::put_string(body, response_id.as_bytes());
            });
        }
        if manners.receipt_first && self.receives {
            self.report(&message, manners, fate, &receipt_id, now);
            self.deliver_due(output);
            output.extend_from_slice(&response);
        } else {
            output.extend_from_slice(&response);
            let wait = if fate == Fate::Slow {
                self.inner.config.slow_after
            } else {
                self.inner.config.receipt_after
            };
            self.report(&message, manners, fate, &receipt_id, now + wait);
            self.reply(
                &message,
                fate,
                first && part <= 1,
                now + wait + self.inner.config.reply_after,
            );
        }
        if manners.garbage_at == Some(submits) {
            output.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
        if manners.cut_at == Some(submits) {
            Next::Cut
        } else {
            Next::Go
        }
    }

    fn report(
        &self,
        message: &Message<'_>,
        manners: &Misbehaviour,
        fate: Fate,
        id: &str,
        at: Instant,
    ) {
        if message.registered_delivery & 0x03 == 0
            || manners.receipt_never
            || fate == Fate::Unreported
        {
            return;
        }
        if manners.intermediate_first {
            self.inner
                .deliver(at, receipt(message, ReceiptSpelling::Usual, id, 1));
        }
        let state = if fate == Fate::Failed { 5 } else { 2 };
        for _ in 0..=u8::from(manners.receipt_twice) {
            self.inner
                .deliver(at, receipt(message, manners.receipts, id, state));
        }
    }

    fn reply(&self, message: &Message<'_>, fate: Fate, first: bool, at: Instant) {
        let content: &[u8] = match fate {
            Fate::Replies if first => b"YES",
            Fate::Stop => b"STOP",
            _ => return,
        };
        let mut body = Vec::new();
        wire::put_message(
            &mut body,
            &Message {
                source: message.destination,
                destination: message.source,
                content,
                ..Message::default()
            },
        );
        self.inner.deliver(
            at,
            Delivery {
                command: command::DELIVER_SM,
                body,
            },
        );
    }

    fn query(&self, frame: &Frame<'_>, output: &mut Vec<u8>) {
        let id = wire::read_query(frame.body)
            .map(wire::text)
            .unwrap_or_default();
        let state = lock(&self.inner.state).states.get(&id).copied();
        let code = if state.is_some() {
            status::OK
        } else {
            status::QUERY_FAILED
        };
        wire::write_frame(
            output,
            command::QUERY_SM | command::RESPONSE,
            code,
            frame.sequence,
            |body| {
                wire::put_string(body, id.as_bytes());
                body.extend_from_slice(&[0, state.unwrap_or(7), 0]);
            },
        );
    }

    fn acknowledged(&mut self, frame: &Frame<'_>) {
        let Some(delivery) = self.unacknowledged.remove(&frame.sequence) else {
            return;
        };
        let mut state = lock(&self.inner.state);
        if frame.status == status::OK {
            state.totals.acknowledged += 1;
            return;
        }
        state.totals.put_off += 1;
        drop(state);
        self.inner
            .deliver(Instant::now() + Duration::from_millis(200), delivery);
    }
}

/// The status of a submit.
fn judge(
    state: &mut State,
    config: &Config,
    manners: &Misbehaviour,
    number: &str,
    fate: Fate,
    now: Instant,
) -> u32 {
    let every =
        |every: Option<u64>, submits: u64| every.is_some_and(|every| submits.is_multiple_of(every));
    if state
        .second
        .is_none_or(|second| now.duration_since(second) >= Duration::from_secs(1))
    {
        state.second = Some(now);
        state.in_second = 0;
    }
    state.in_second += 1;
    let code = if every(manners.queue_full_every, state.totals.submits) {
        status::QUEUE_FULL
    } else if every(manners.throttle_every, state.totals.submits)
        || config.rate.is_some_and(|rate| state.in_second > rate)
        || (fate == Fate::Throttled && state.throttled_once.insert(number.to_owned()))
    {
        status::THROTTLED
    } else if fate == Fate::UnknownSubscriber {
        state.totals.refused += 1;
        return status::INVALID_DESTINATION;
    } else {
        return status::OK;
    };
    state.totals.throttled += 1;
    code
}

fn spell(id: u64, spelling: IdSpelling) -> (String, String) {
    match spelling {
        IdSpelling::Alike => (format!("m{id}"), format!("m{id}")),
        IdSpelling::HexThenDecimal => (format!("{id:08X}"), id.to_string()),
        IdSpelling::DecimalThenHex => (id.to_string(), format!("{id:08X}")),
    }
}

fn receipt(message: &Message<'_>, spelling: ReceiptSpelling, id: &str, state: u8) -> Delivery {
    let word = match state {
        1 => "ENROUTE",
        2 => "DELIVRD",
        _ => "UNDELIV",
    };
    let error = if state == 5 { "069" } else { "000" };
    let text = match spelling {
        ReceiptSpelling::Odd => format!("stat:{} ID:{id}", word.to_lowercase()),
        ReceiptSpelling::Parameters | ReceiptSpelling::DataSm => String::new(),
        ReceiptSpelling::Usual => format!(
            "id:{id} sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:{word} err:{error} text:"
        ),
    };
    let parameters = spelling != ReceiptSpelling::Odd;
    let answer = Message {
        source: message.destination,
        destination: message.source,
        esm_class: if state == 1 { 0x20 } else { 0x04 },
        content: text.as_bytes(),
        reference: message.reference.filter(|_| parameters),
        receipted: parameters.then_some(id.as_bytes()),
        state: parameters.then_some(state),
        ..Message::default()
    };
    let mut body = Vec::new();
    if spelling == ReceiptSpelling::DataSm {
        wire::put_data(&mut body, &answer);
        return Delivery {
            command: command::DATA_SM,
            body,
        };
    }
    wire::put_message(&mut body, &answer);
    Delivery {
        command: command::DELIVER_SM,
        body,
    }
}
