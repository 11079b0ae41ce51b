//! One connection from its first mail to its last. Two round trips for each mail: its envelope with DATA, then its content.
//! Until the first byte of the content is written the relay has nothing of it; from then to the answer it may have it.

use super::letter::{Mail, Unfit};
use super::outbox::{Take, Waiting};
use super::reply::{Reply, Stage, Verdict};
use super::wire::{Fault, Wire, put_data};
use super::{Shared, link};
use crate::contract::Answer;
use crate::limits;
use carillon_model::AttemptResult;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// We were told to stop.
    Stopped,
    /// No mail for a while, or enough mails over it.
    Idle,
    /// The relay closed it between two mails.
    Closed,
    /// The relay said "not now".
    Throttled,
    /// It was lost, or silent, in the middle of something.
    Broken,
}

/// See the file.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    wire: Wire,
    pipelining: bool,
    /// Whether the relay still holds an envelope that came to nothing.
    needs_reset: bool,
    handed_over: usize,
}

/// What became of one mail on this connection.
enum Outcome {
    Answered(Answer),
    /// The relay has nothing of it; it goes back.
    Back(End),
    /// As `Answered`, and the connection is of no more use.
    Last(Answer, End),
}

impl<'a> Session<'a> {
    pub fn new(shared: &'a Shared, open: link::Open) -> Self {
        Self {
            shared,
            wire: open.wire,
            pipelining: open.pipelining,
            needs_reset: false,
            handed_over: 0,
        }
    }

    pub async fn run(mut self) -> End {
        let outbox = &self.shared.outbox;
        loop {
            if self.shared.stop.is_cancelled() {
                return self.quit(End::Stopped).await;
            }
            if self.handed_over >= self.shared.config.reuse {
                return self.quit(End::Idle).await;
            }
            // Taken before the outbox is looked at, so that no change is missed.
            let changed = outbox.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (until, is_idle) = match outbox.take(Instant::now()) {
                Take::Mail(waiting) => match self.deliver(waiting).await {
                    Some(end) => return end,
                    None => continue,
                },
                Take::After(until) => (until, false),
                Take::Nothing => (Instant::now() + self.shared.config.idle, true),
            };
            tokio::select! {
                () = changed => {}
                () = self.shared.stop.cancelled() => {}
                () = tokio::time::sleep_until(until) => {
                    if is_idle {
                        return self.quit(End::Idle).await;
                    }
                }
                // A relay that speaks now says good-bye.
                _ = self.wire.fill() => return End::Closed,
            }
        }
    }

    /// Hands one mail over and answers its order, or gives it back.
    async fn deliver(&mut self, mut waiting: Waiting) -> Option<End> {
        let outbox = &self.shared.outbox;
        let mail = match self.shared.writer.write(&waiting.order) {
            Ok(mail) => mail,
            Err(unfit) => {
                let result = match unfit {
                    Unfit::Recipient => AttemptResult::BadDevice,
                    Unfit::Content => AttemptResult::Failed,
                };
                // 501: syntax error in parameters, which is what a relay would say.
                outbox.answer(&waiting, refused(result, 501, true));
                return None;
            }
        };
        self.handed_over += 1;
        outbox.meter.submitted.increment(1);
        let end = match self.hand_over(&mail).await {
            Outcome::Answered(answer) => {
                outbox.answer(&waiting, answer);
                return None;
            }
            Outcome::Last(answer, end) => {
                outbox.answer(&waiting, answer);
                return Some(end);
            }
            Outcome::Back(end) => end,
        };
        if end == End::Throttled {
            outbox.throttled(Instant::now());
        }
        waiting.tries += 1;
        if waiting.tries >= limits::MAIL_TRIES_MAX {
            outbox.answer(&waiting, refused(AttemptResult::Failed, 421, false));
        } else {
            outbox.put_back(waiting);
        }
        Some(end)
    }

    async fn hand_over(&mut self, mail: &Mail) -> Outcome {
        match self.envelope(mail).await {
            Ok(None) => self.content(mail).await,
            Ok(Some((reply, stage))) => self.judged(&reply, stage, mail),
            // A relay may close a connection that it has served well just when the next mail comes.
            Err(Fault::Closed | Fault::Broken(_)) if self.handed_over > 1 => {
                Outcome::Back(End::Closed)
            }
            Err(_) => Outcome::Back(End::Broken),
        }
    }

    fn judged(&self, reply: &Reply, stage: Stage, mail: &Mail) -> Outcome {
        let code = u32::from(reply.code);
        match reply.verdict(stage) {
            Verdict::Accepted => Outcome::Answered(Answer::Accepted {
                message_ids: vec![mail.message_id.clone()],
            }),
            Verdict::Later => Outcome::Back(End::Throttled),
            Verdict::Refused { result, permanent } => {
                tracing::debug!(
                    carrier = self.shared.config.name,
                    code,
                    text = reply.text,
                    "mail refused"
                );
                Outcome::Answered(refused(result, code, permanent))
            }
        }
    }

    /// Sends the envelope. None = the relay waits for the content; else what it refused with.
    async fn envelope(&mut self, mail: &Mail) -> Result<Option<(Reply, Stage)>, Fault> {
        let mut commands = Vec::with_capacity(4);
        if std::mem::take(&mut self.needs_reset) {
            commands.push("RSET\r\n".to_owned());
        }
        let resets = commands.len();
        commands.push(format!("MAIL FROM:<{}>\r\n", mail.return_path));
        commands.push(format!("RCPT TO:<{}>\r\n", mail.to));
        commands.push("DATA\r\n".to_owned());
        if self.pipelining {
            self.send(commands.concat().as_bytes()).await?;
        }
        let mut refusal = None;
        for (index, command) in commands.iter().enumerate() {
            if !self.pipelining {
                if refusal.is_some() {
                    break;
                }
                self.send(command.as_bytes()).await?;
            }
            let reply = self.reply(self.shared.config.response_timeout).await?;
            let is_data = index == resets + 2;
            if is_data && reply.code == 354 {
                if refusal.is_none() {
                    return Ok(None);
                }
                // It waits for a content nobody is to get: an empty one goes to nobody.
                self.send(b".\r\n").await?;
                self.reply(self.shared.config.response_timeout).await?;
            } else if (is_data || !reply.is_positive()) && refusal.is_none() && index >= resets {
                let stage = match index - resets {
                    0 => Stage::Sender,
                    1 => Stage::Recipient,
                    _ => Stage::Content,
                };
                // Any "go on" but 354 is no answer to DATA.
                let code = if reply.is_positive() { 451 } else { reply.code };
                refusal = Some((Reply { code, ..reply }, stage));
            }
            if refusal.as_ref().is_some_and(|(reply, _)| reply.code == 421) {
                break;
            }
        }
        self.needs_reset = true;
        Ok(refusal)
    }

    /// Sends the content. From here on a lost connection or a silence is a doubt.
    async fn content(&mut self, mail: &Mail) -> Outcome {
        let mut bytes = Vec::with_capacity(mail.content.len() + mail.content.len() / 50 + 8);
        put_data(&mail.content, &mut bytes);
        let stop = &self.shared.stop;
        // At the end of Carillon the last answers are awaited for some seconds only.
        let given_up = async {
            stop.cancelled().await;
            tokio::time::sleep(limits::STOP_WAIT).await;
        };
        let answered = async {
            self.send(&bytes).await?;
            self.reply(self.shared.config.response_timeout).await
        };
        let reply = tokio::select! {
            reply = answered => reply,
            () = given_up => Err(Fault::Closed),
        };
        match reply {
            Ok(reply) => self.judged(&reply, Stage::Content, mail),
            Err(_) => Outcome::Last(Answer::Doubt, End::Broken),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let wait = self.shared.config.response_timeout;
        timeout(wait, self.wire.send(bytes))
            .await
            .unwrap_or(Err(Fault::Closed))
    }

    async fn reply(&mut self, wait: Duration) -> Result<Reply, Fault> {
        timeout(wait, self.wire.reply())
            .await
            .unwrap_or(Err(Fault::Closed))
    }

    /// Says good-bye without waiting long for an answer.
    async fn quit(&mut self, end: End) -> End {
        let good_bye = async {
            if self.wire.send(b"QUIT\r\n").await.is_ok() && !self.wire.has_input() {
                // What it answers makes no difference.
                let _ = self.wire.reply().await;
            }
        };
        let _ = timeout(limits::UNBIND_WAIT, good_bye).await;
        end
    }
}

fn refused(result: AttemptResult, code: u32, permanent: bool) -> Answer {
    Answer::Refused {
        result,
        code,
        permanent,
    }
}
