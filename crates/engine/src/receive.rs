//! What people send us (`entities.md` 12). Reserved words go first: STOP opts the device out in this very unit, before any
//! further attempt is written; HELP and START are answered. Every message is kept as an inbound attempt, beside the
//! attempt it replies to where there is one. Conversations of two-way Scripts are not held by this version: a reply is
//! kept and answered by nothing but the reserved words.

use crate::carriers::Carriers;
use crate::dispose::OUTSIDE;
use crate::limits::{
    ADDRESSES_HELD, AUTOMATIC_REPLY_EVERY, CAMPAIGNS_READ_MAX, CONVERSATION,
    INBOUND_CHARACTERS_MAX, REPLY_PARTS_MAX,
};
use crate::withdraw::Stopped;
use carillon_channel::{Content, Order};
use carillon_compliance::number::device_key;
use carillon_model::attempt::Attempt;
use carillon_model::campaign::Campaign;
use carillon_model::contact::DeviceKey;
use carillon_model::org::Org;
use carillon_model::{
    AttemptId, AttemptResult, ChannelType, ContactId, Direction, Moment, OrgId, PassId,
    SubCampaignId,
};
use carillon_script::keyword::{Reserved, reserved};
use carillon_store::suppression::OptOut;
use carillon_store::{EntityReadExt, Result, Transaction};
use std::collections::HashMap;
use std::sync::Arc;

/// A message from a person.
#[derive(Debug, Clone)]
pub struct Message {
    /// Who brought it.
    pub carrier: Arc<str>,
    /// The person's address.
    pub from: String,
    /// Our address.
    pub to: String,
    /// The text.
    pub body: String,
    /// When.
    pub at: Moment,
}

/// What a tick received.
#[derive(Debug, Default)]
pub struct Received {
    /// Automatic replies with the index of their carrier.
    pub orders: Vec<(usize, Order)>,
    /// Messages kept.
    pub messages: usize,
    /// Devices opted out.
    pub opted_out: usize,
    /// Devices whose owners said STOP, with the Accounts they said it to.
    pub(crate) stopped: Vec<Stopped>,
}

/// Whose our addresses are, as far as Campaigns say; read again after a minute.
#[derive(Debug, Default)]
pub struct Addresses {
    accounts: HashMap<String, Vec<OrgId>>,
    read: Option<Moment>,
}

impl Addresses {
    fn accounts<T: Transaction + ?Sized>(
        &mut self,
        tx: &T,
        address: &str,
        now: Moment,
    ) -> Result<Vec<OrgId>> {
        if self.read.is_none_or(|at| now.since(at) >= ADDRESSES_HELD) {
            self.accounts.clear();
            for campaign in tx.all::<Campaign>(None, 0, CAMPAIGNS_READ_MAX)? {
                if let Some(source) = campaign.source_address {
                    let accounts = self.accounts.entry(bare(&source).to_owned()).or_default();
                    if !accounts.contains(&campaign.owner) {
                        accounts.push(campaign.owner);
                    }
                }
            }
            self.read = Some(now);
        }
        Ok(self
            .accounts
            .get(bare(address))
            .cloned()
            .unwrap_or_default())
    }
}

/// Carriers write our address with or without the plus.
fn bare(address: &str) -> &str {
    address.strip_prefix('+').unwrap_or(address)
}

/// Takes messages in, in order.
pub fn receive<T: Transaction + ?Sized>(
    tx: &mut T,
    addresses: &mut Addresses,
    carriers: &mut Carriers,
    messages: Vec<Message>,
    now: Moment,
) -> Result<Received> {
    let mut received = Received::default();
    for message in messages {
        let ours = Ours::find(tx, addresses, &message, now)?;
        take(tx, carriers, &ours, &message, &mut received, now)?;
        received.messages += 1;
    }
    Ok(received)
}

/// To whom a message belongs on our side.
struct Ours {
    device: DeviceKey,
    /// Our address as we wrote it, else as the carrier does.
    address: String,
    /// The last attempt between the two.
    last: Option<Attempt>,
    /// Accounts that a STOP binds.
    accounts: Vec<OrgId>,
}

impl Ours {
    fn find<T: Transaction + ?Sized>(
        tx: &T,
        addresses: &mut Addresses,
        message: &Message,
        now: Moment,
    ) -> Result<Self> {
        let device = device_key(&message.from);
        let with_plus = format!("+{}", bare(&message.to));
        let mut address = message.to.clone();
        let mut last = None;
        for spelling in [message.to.as_str(), bare(&message.to), with_plus.as_str()] {
            last = tx.last_attempt_between(device, spelling)?;
            if last.is_some() {
                address = spelling.to_owned();
                break;
            }
        }
        let accounts = match &last {
            Some(attempt) => vec![OrgId(attempt.account)],
            None => addresses.accounts(tx, &message.to, now)?,
        };
        Ok(Self {
            device,
            address,
            last,
            accounts,
        })
    }

    /// The attempt whose conversation goes on: within 24 hours of our last message.
    fn conversation(&self, now: Moment) -> Option<&Attempt> {
        self.last
            .as_ref()
            .filter(|attempt| now.since(attempt.written) <= CONVERSATION)
    }
}

fn take<T: Transaction + ?Sized>(
    tx: &mut T,
    carriers: &mut Carriers,
    ours: &Ours,
    message: &Message,
    received: &mut Received,
    now: Moment,
) -> Result<()> {
    let meaning = reserved(&message.body);
    let reply = match meaning {
        Some(Reserved::Stop) => {
            let mut is_new = false;
            for account in &ours.accounts {
                received.stopped.push((*account, ours.device));
                is_new |= tx.opt_out(&OptOut {
                    account: *account,
                    device: ours.device,
                    channel: Some(ChannelType::Text),
                    at: now,
                    source: first_word(&message.body),
                })?;
            }
            received.opted_out += usize::from(is_new);
            is_new.then_some(Reply::Stopped)
        }
        Some(Reserved::Start) => lift(tx, ours)?.then_some(Reply::Started),
        Some(Reserved::Yes) => lift(tx, ours)?.then_some(Reply::Started),
        Some(Reserved::Help) => Some(Reply::Help),
        None => None,
    };
    let id = AttemptId(tx.take_ids(2)?);
    tx.write_attempts(&[inbound(ours, message, id, now)])?;
    if let Some(reply) = reply {
        let id = AttemptId(id.0 + 1);
        if let Some(order) = answer(tx, carriers, ours, message, reply, id, now)? {
            received.orders.push(order);
        }
    }
    Ok(())
}

/// Lifts opt-outs; answers whether there were any.
fn lift<T: Transaction + ?Sized>(tx: &mut T, ours: &Ours) -> Result<bool> {
    let mut lifted = false;
    for account in &ours.accounts {
        lifted |= tx.lift_opt_out(*account, ours.device, ChannelType::Text)?;
    }
    Ok(lifted)
}

/// What we say by ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Stopped,
    Started,
    Help,
}

impl Reply {
    fn text(self, account: &str) -> String {
        match self {
            Self::Stopped => {
                format!(
                    "{account}: you will get no more texts from us. Reply START to get them again."
                )
            }
            Self::Started => {
                format!("{account}: you will get texts from us again. Reply STOP to end.")
            }
            Self::Help => format!(
                "{account}: reply STOP to get no more texts from us, START to get them again."
            ),
        }
    }
}

/// The row and order of an automatic reply; it goes back by the carrier that brought the message.
fn answer<T: Transaction + ?Sized>(
    tx: &mut T,
    carriers: &mut Carriers,
    ours: &Ours,
    message: &Message,
    reply: Reply,
    id: AttemptId,
    now: Moment,
) -> Result<Option<(usize, Order)>> {
    let Some(carrier) = carriers.find(&message.carrier) else {
        return Ok(None);
    };
    let account = ours.accounts.first().copied();
    let name = match account {
        Some(account) => tx
            .get::<Org>(account)?
            .map(|org| org.name)
            .unwrap_or_default(),
        None => return Ok(None),
    };
    let body = reply.text(&name);
    let is_repeated = ours.last.as_ref().is_some_and(|last| {
        last.number == OUTSIDE
            && last.text == body
            && now.since(last.written) < AUTOMATIC_REPLY_EVERY
    });
    if is_repeated {
        return Ok(None);
    }
    carriers.take_from(carrier);
    let mut attempt = beside(ours, message, id, now);
    attempt.direction = Direction::Outbound;
    attempt.text = body.clone();
    tx.write_attempts(&[attempt])?;
    let order = Order {
        attempt: id,
        carrier: message.carrier.clone(),
        from: ours.address.clone(),
        to: message.from.clone(),
        content: Content::Text {
            body,
            max_parts: REPLY_PARTS_MAX,
        },
        expires: None,
    };
    Ok(Some((carrier, order)))
}

fn inbound(ours: &Ours, message: &Message, id: AttemptId, now: Moment) -> Attempt {
    let mut attempt = beside(ours, message, id, now);
    attempt.text = message.body.chars().take(INBOUND_CHARACTERS_MAX).collect();
    attempt.accepted = Some(message.at);
    attempt.parts = 1;
    attempt.ended = Some(now);
    attempt.result = Some(AttemptResult::Success);
    attempt
}

/// An attempt outside the passes, beside the one whose conversation it belongs to.
fn beside(ours: &Ours, message: &Message, id: AttemptId, now: Moment) -> Attempt {
    let conversation = ours.conversation(now);
    Attempt {
        id,
        run: conversation.map_or(SubCampaignId(0), |last| last.run),
        batch: conversation.and_then(|last| last.batch),
        pass: conversation.map_or(0, |last| last.pass),
        pass_id: conversation.map_or(PassId(0), |last| last.pass_id),
        account: ours.accounts.first().map_or(0, |account| account.0),
        contact: ours.last.as_ref().map_or(ContactId(0), |last| last.contact),
        device: ours.device,
        address: message.from.clone(),
        our_address: ours.address.clone(),
        channel: ChannelType::Text,
        direction: Direction::Inbound,
        number: OUTSIDE,
        lane: 0,
        rank: 0,
        carrier: message.carrier.to_string(),
        text: String::new(),
        written: now,
        accepted: None,
        parts: 0,
        parts_delivered: 0,
        ended: None,
        result: None,
        reason: None,
        script_result: None,
        carrier_status: None,
        archived: false,
    }
}

fn first_word(body: &str) -> String {
    body.split_whitespace()
        .next()
        .unwrap_or_default()
        .chars()
        .take(32)
        .collect()
}
