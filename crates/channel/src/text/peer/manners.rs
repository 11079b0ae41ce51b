//! How a carrier of ours is set up: fates, delays, and what it does wrong.

use super::fate::Fates;
use std::time::Duration;

/// How a carrier is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where chance comes from.
    pub seed: u64,
    /// What becomes of numbers.
    pub fates: Fates,
    /// Who may bind; none = everybody.
    pub login: Option<(String, String)>,
    /// Between response and receipt.
    pub receipt_after: Duration,
    /// The same for slow numbers.
    pub slow_after: Duration,
    /// Between delivery and the person's reply.
    pub reply_after: Duration,
    /// Messages a second above which it throttles.
    pub rate: Option<u32>,
    /// What it does wrong.
    pub misbehaviour: Misbehaviour,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            fates: Fates::all_delivered(),
            login: None,
            receipt_after: Duration::from_millis(20),
            slow_after: Duration::from_secs(5),
            reply_after: Duration::from_millis(500),
            rate: None,
            misbehaviour: Misbehaviour::default(),
        }
    }
}

/// How ids are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdSpelling {
    /// Letters and digits, alike in both.
    #[default]
    Alike,
    /// Eight hexadecimal digits in the response, decimal in the receipt.
    HexThenDecimal,
    /// Decimal in the response, eight hexadecimal digits in the receipt.
    DecimalThenHex,
}

/// How receipts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReceiptSpelling {
    /// Text as usual, and optional parameters.
    #[default]
    Usual,
    /// Lower case, in another order, fields missing, no parameters.
    Odd,
    /// Optional parameters only.
    Parameters,
    /// By data_sm.
    DataSm,
}

/// What a carrier does wrong. "Every nth" counts submits over all links.
#[derive(Debug, Clone, Default)]
pub struct Misbehaviour {
    /// The receipt comes before the response.
    pub receipt_first: bool,
    /// Each receipt comes twice.
    pub receipt_twice: bool,
    /// No receipt comes.
    pub receipt_never: bool,
    /// An intermediate notification comes before each receipt.
    pub intermediate_first: bool,
    /// See the type.
    pub ids: IdSpelling,
    /// See the type.
    pub receipts: ReceiptSpelling,
    /// Every nth submit is throttled.
    pub throttle_every: Option<u64>,
    /// Every nth submit finds the queue full.
    pub queue_full_every: Option<u64>,
    /// Every nth submit is taken and not answered.
    pub unanswered_every: Option<u64>,
    /// The nth submit and the 9 before it are taken, then the link is cut without an answer to them.
    pub cut_at: Option<u64>,
    /// From the nth submit on, nothing is answered, not even probes.
    pub silent_from: Option<u64>,
    /// At the nth submit, bytes come that are no SMPP.
    pub garbage_at: Option<u64>,
    /// Binds are refused with this status.
    pub refuse_bind: Option<u32>,
}

/// What a carrier saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Binds that came about.
    pub binds: u64,
    /// submit_sm received.
    pub submits: u64,
    /// submit_sm taken.
    pub taken: u64,
    /// submit_sm refused for now.
    pub throttled: u64,
    /// submit_sm refused.
    pub refused: u64,
    /// deliver_sm sent.
    pub deliveries: u64,
    /// deliver_sm acknowledged.
    pub acknowledged: u64,
    /// deliver_sm answered with "try again".
    pub put_off: u64,
}
