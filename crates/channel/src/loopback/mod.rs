//! The channel of Accounts with emulateOutreach: nothing leaves the system. Every order is taken and delivered at once,
//! unless the configuration gives its device another fate. The same orders bring the same events on every run.

use crate::contract::{Acknowledge, Answer, Capabilities, Channel, Event, Events, Order, Report};
use crate::limits;
use crate::post::Post;
use carillon_model::moment::Clock;
use carillon_model::{AttemptId, AttemptResult, ChannelType};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// What becomes of orders to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Taken and delivered.
    #[default]
    Delivered,
    /// Taken, then reported as failed.
    Failed,
    /// Taken, and never reported.
    Unreported,
    /// Refused as a bad device.
    BadDevice,
    /// Refused, but it may be tried again.
    Refused,
    /// Nobody knows.
    Doubt,
}

/// How a loopback is set up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name, as a carrier's.
    pub name: String,
    /// Fates of devices; all others are delivered.
    #[serde(default)]
    pub fates: HashMap<String, Fate>,
}

/// See the file.
pub struct Loopback {
    carrier: Arc<str>,
    fates: HashMap<String, Fate>,
    channel: ChannelType,
    clock: Arc<dyn Clock>,
    post: Post,
}

impl Loopback {
    /// Starts on the current runtime.
    pub fn start(
        config: Config,
        channel: ChannelType,
        clock: Arc<dyn Clock>,
        events: Events,
    ) -> Arc<Self> {
        let (post, forward) = Post::start(events);
        tokio::spawn(forward);
        let carrier: Arc<str> = config.name.into();
        post.send(vec![Event::Link {
            carrier: carrier.clone(),
            up: true,
            at: clock.now(),
        }]);
        Arc::new(Self {
            carrier,
            fates: config.fates,
            channel,
            clock,
            post,
        })
    }

    /// Waits until the engine has taken every event; it reads on meanwhile.
    pub async fn stopped(&self) {
        self.post.emptied().await;
    }

    fn events_of(&self, order: &Order, out: &mut Vec<Event>) {
        let fate = self.fates.get(&order.to).copied().unwrap_or_default();
        let (attempt, at) = (order.attempt, self.clock.now());
        let refused = |result, code, permanent| Answer::Refused {
            result,
            code,
            permanent,
        };
        let message_id = message_id(attempt, fate);
        let answer = match fate {
            _ if order.expires.is_some_and(|expires| expires <= at) => Answer::NotSent,
            Fate::Delivered | Fate::Failed | Fate::Unreported => Answer::Accepted {
                message_ids: vec![message_id.clone()],
            },
            Fate::BadDevice => refused(AttemptResult::BadDevice, 0x0B, true),
            Fate::Refused => refused(AttemptResult::Failed, 0x08, false),
            Fate::Doubt => Answer::Doubt,
        };
        let taken = matches!(answer, Answer::Accepted { .. });
        out.push(Event::Answer {
            attempt,
            answer,
            at,
        });
        if let Some(report) = report(fate).filter(|_| taken) {
            let carrier = self.carrier.clone();
            out.push(Event::Report {
                carrier,
                message_id,
                reference: None,
                report,
                at,
                acknowledge: Acknowledge::none(),
            });
        }
    }
}

/// The id tells the fate, so that a query after a restart is answered as before.
fn message_id(attempt: AttemptId, fate: Fate) -> String {
    let word = match fate {
        Fate::Delivered => "delivered",
        Fate::Failed => "failed",
        _ => "unreported",
    };
    format!("{attempt}-{word}")
}

fn report(fate: Fate) -> Option<Report> {
    match fate {
        Fate::Delivered => Some(Report::Delivered),
        Fate::Failed => Some(Report::Failed {
            code: "UNDELIV".to_owned(),
        }),
        _ => None,
    }
}

impl Channel for Loopback {
    fn name(&self) -> &str {
        &self.carrier
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: self.channel,
            rate_per_second: None,
            window: limits::LOOPBACK_WAITING_MAX,
            receipts: true,
            receipt_wait_ms: carillon_model::moment::MINUTE,
            // Nothing leaves, so nothing can be doubled.
            idempotent: true,
            query: true,
        }
    }

    fn room(&self) -> usize {
        // Each order waits as at most two events.
        limits::LOOPBACK_WAITING_MAX.saturating_sub(self.post.waiting() / 2)
    }

    fn place(&self, orders: Vec<Order>) {
        let mut events = Vec::with_capacity(orders.len() * 2);
        let room = self.room();
        let at = self.clock.now();
        for (index, order) in orders.iter().enumerate() {
            if index < room {
                self.events_of(order, &mut events);
            } else {
                events.push(Event::Answer {
                    attempt: order.attempt,
                    answer: Answer::NotSent,
                    at,
                });
            }
        }
        self.post.send(events);
    }

    fn query(&self, queries: Vec<(AttemptId, String, String)>) {
        let at = self.clock.now();
        let answer = |(attempt, message_id, _): (AttemptId, String, String)| {
            let fate = match message_id.rsplit_once('-').map(|(_, word)| word) {
                Some("delivered") => Fate::Delivered,
                Some("failed") => Fate::Failed,
                _ => Fate::Unreported,
            };
            Event::Queried {
                attempt,
                report: report(fate),
                message_id,
                at,
            }
        };
        self.post.send(queries.into_iter().map(answer).collect());
    }
}
