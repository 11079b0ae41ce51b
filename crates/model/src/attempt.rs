//! ContactAttempts: the ledger. A row is durable before the carrier hears of the attempt; each later fact is added to it
//! once. The attempt's id is the correlation key towards the carrier.

use crate::contact::DeviceKey;
use crate::entity::Attributes;
use crate::{
    AgentGroupId, AttemptId, AttemptResult, AttemptState, BatchId, ChannelType, ContactId,
    Direction, Moment, PassId, Reason, SubCampaignId, UserId,
};
use serde::{Deserialize, Serialize};

/// One attempt as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The SubCampaign it belongs to; 0 = none (an inbound message nobody asked for).
    pub run: SubCampaignId,
    /// The batch it belongs to.
    pub batch: Option<BatchId>,
    /// Index of its pass in the run, from 0.
    pub pass: u16,
    /// Id of its pass.
    pub pass_id: PassId,
    /// The Account.
    pub account: i64,
    /// The contact; 0 = unknown sender.
    pub contact: ContactId,
    /// The contact's side, as a key.
    pub device: DeviceKey,
    /// The contact's side, as text.
    pub address: String,
    /// Our side: short code, number or from address.
    pub our_address: String,
    /// How.
    pub channel: ChannelType,
    /// Who began.
    pub direction: Direction,
    /// 1-based, per contact and pass.
    pub number: u16,
    /// Lane and rank of the queue place it was claimed from, so that a retry or withdrawal finds its way back.
    pub lane: u32,
    /// See lane.
    pub rank: i64,
    /// Carrier it was given to.
    pub carrier: String,
    /// Text sent or received.
    pub text: String,
    /// When it was written (Pending).
    pub written: Moment,
    /// When the carrier took it.
    pub accepted: Option<Moment>,
    /// Parts the carrier took, and so receipts to wait for.
    pub parts: u16,
    /// Final receipts that said delivered.
    pub parts_delivered: u16,
    /// When it ended.
    pub ended: Option<Moment>,
    /// How it ended.
    pub result: Option<AttemptResult>,
    /// Why, with Filtered and NotAttemptedSkip.
    pub reason: Option<Reason>,
    /// How the script ended.
    pub script_result: Option<AttemptResult>,
    /// Status of the carrier as it was told.
    pub carrier_status: Option<String>,
    /// `archive` was added.
    pub archived: bool,
}

impl Attempt {
    /// Pending until handed over, Active until it ends, then Done.
    pub fn state(&self) -> AttemptState {
        match (self.result, self.accepted) {
            (Some(_), _) => AttemptState::Done,
            (None, Some(_)) => AttemptState::Active,
            (None, None) => AttemptState::Pending,
        }
    }

    /// Whole seconds from its start to its end.
    pub fn duration_seconds(&self) -> Option<i64> {
        self.ended
            .map(|ended| ended.since(self.written) / crate::moment::SECOND)
    }
}

/// What only attempts have that a person answers or an agent handles. It is kept beside the row so that the ledger stays
/// narrow for the many that have none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// The attempt.
    pub attempt: AttemptId,
    /// The agent group that took it.
    pub agent_group: Option<AgentGroupId>,
    /// The agent who handled it, or to whom it is assigned.
    pub agent: Option<UserId>,
    /// When it was answered.
    pub answered: Option<Moment>,
    /// Answers taken by the Script.
    pub responses: Attributes,
}

/// A later fact about an attempt. Each is added once; the store refuses a second final.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The carrier took it, in so many parts, and (where receipts are awaited) names them.
    Accepted {
        /// When.
        at: Moment,
        /// Message ids, one per part; empty when no receipt is awaited.
        message_ids: Vec<String>,
        /// How many parts.
        parts: u16,
    },
    /// A part was delivered.
    PartDelivered,
    /// It ended.
    Ended {
        /// When.
        at: Moment,
        /// How.
        result: AttemptResult,
        /// Why, with Filtered and NotAttemptedSkip.
        reason: Option<Reason>,
        /// How the script ended.
        script_result: Option<AttemptResult>,
        /// What the carrier said.
        carrier_status: Option<String>,
    },
    /// A late report changes Success to Failed, or Unknown to any.
    Corrected {
        /// The new result.
        result: AttemptResult,
        /// What the carrier said.
        carrier_status: Option<String>,
    },
}
