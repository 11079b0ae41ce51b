//! Bounds of the engine, each with its reason.

use carillon_model::moment::{DAY, MINUTE, SECOND};

/// Attempts written by one tick: enough that the sync of the log is a small part of each, few enough that people who write
/// meanwhile wait some milliseconds only.
pub const DIAL_MAX: usize = 1_000;
/// Attempts written by one tick of one lane, so that lanes take turns within a tick.
pub const CLAIM_MAX: usize = 500;
/// Orders placed and not answered that are remembered, so that they can be asked back. The windows of the channels keep them
/// far below this; one beyond it is sent although its run was paused meanwhile.
pub const ORDERS_HELD_MAX: usize = 100_000;
/// Events taken by one tick.
pub const EVENTS_MAX: usize = 2_000;
/// Contacts of one piece of a load: judged and written in about 5 ms.
pub const LOAD_PIECE: usize = 250;
/// Contacts of one piece of a sweep.
pub const SWEEP_PIECE: usize = 250;
/// Open attempts reconciled by one tick after a start.
pub const RECONCILE_PIECE: usize = 500;
/// Attempts whose receipts are overdue, ended by one tick.
pub const OVERDUE_PIECE: usize = 500;
/// Message ids forgotten in one piece.
pub const FORGET_PIECE: usize = 1_000;
/// How often rates are reckoned anew when nothing else asks for it (`entities.md` 13.1).
pub const PACE_EVERY: i64 = 60 * SECOND;
/// Longest time between two looks at everything, should a wake-up be lost.
pub const LOOK_EVERY: i64 = 5 * SECOND;
/// How often a channel without room is asked again. Room comes with answers, and those wake the engine by themselves; this
/// is for room that comes without one.
pub const ROOM_WAIT: i64 = 100;
/// How long a receipt that came before its answer is kept.
pub const EARLY_RECEIPTS_KEPT: i64 = DAY;
/// How long the message ids of ended attempts are kept: late reports are taken for as long.
pub const MESSAGES_KEPT: i64 = 2 * DAY;
/// How often what is kept for a time only is looked through.
pub const TIDY_EVERY: i64 = 10 * MINUTE;
/// How long after our last message a reply belongs to its conversation (`entities.md` 12).
pub const CONVERSATION: i64 = DAY;
/// At most one automatic reply to a device from an address of ours in this time: two machines must not talk for ever.
pub const AUTOMATIC_REPLY_EVERY: i64 = MINUTE;
/// Characters of an inbound message that are kept.
pub const INBOUND_CHARACTERS_MAX: usize = 4_000;
/// Most parts of an automatic reply.
pub const REPLY_PARTS_MAX: u8 = 3;
/// How long the Accounts of our addresses are held before they are read again.
pub const ADDRESSES_HELD: i64 = MINUTE;
/// Campaigns read to find the Account of an address.
pub const CAMPAIGNS_READ_MAX: usize = 20_000;
/// Openings recorded as judgements for one run, so that rules which change every minute do not fill the store.
pub const JUDGEMENTS_PER_RUN_MAX: usize = 1_000;
/// How long the driver waits after a failed commit at first; doubled up to the longest.
pub const BACK_OFF_FIRST: std::time::Duration = std::time::Duration::from_millis(100);
/// See first.
pub const BACK_OFF_LONGEST: std::time::Duration = std::time::Duration::from_secs(10);
/// How long a shutdown waits for answers to what was placed.
pub const SHUTDOWN_WAIT: std::time::Duration = std::time::Duration::from_secs(10);
