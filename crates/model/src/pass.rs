//! Passes: by which channel, in which windows, how often and at what pace a contact is tried (`entities.md` 4.4).

use crate::{
    AcceptContactsFrom, AcceptPhoneNumbers, AttemptResult, ChannelType, DayOfWeek, Moment,
    OnMachine, PacingType, PassId, ResultKind, ScriptId, TimeZoneSource,
};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// Days and zone of `Local`.
pub const LOCAL: &str = "Local";

/// A Pass. Every default is filled in when it is made, except where None is a meaning of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Its id.
    pub id: PassId,
    /// Unique in its parent.
    pub name: String,
    /// How people are reached.
    pub channel: ChannelType,
    /// `Device1` … `Device9`, `Home`, `Work`, `Mobile`, `Email`; empty = all that fit, in contact order.
    pub devices: Vec<String>,
    /// Lines it may use.
    pub accept_phone_numbers: AcceptPhoneNumbers,
    /// Whose results the accept sets look at.
    pub accept_contacts_from: AcceptContactsFrom,
    /// Accepted last results on voice passes.
    pub accept_voice_results: Vec<AttemptResult>,
    /// Accepted last results on text passes.
    pub accept_text_results: Vec<AttemptResult>,
    /// Accepted last results on e-mail passes.
    pub accept_email_results: Vec<AttemptResult>,
    /// Accepted last results of scripts.
    pub accept_script_results: Vec<AttemptResult>,
    /// Overrides the SubCampaign's Script.
    pub script: Option<ScriptId>,
    /// Allowed days to wait after the previous pass.
    pub days_to_wait: u16,
    /// Days on which its window opens.
    pub allowed_days: Vec<DayOfWeek>,
    /// Window start; none = the Org's firstContactTime.
    pub start_time: Option<Time>,
    /// Window end, exclusive; none = the Org's lastContactTime. End ≤ start runs into the next day.
    pub end_time: Option<Time>,
    /// `Local` or an IANA zone.
    pub time_zone: String,
    /// Where the zone of `Local` comes from; none = the SubCampaign's.
    pub time_zone_source: Option<TimeZoneSource>,
    /// Allowed days on which the window opens for a contact.
    pub window_days: u16,
    /// Caller ID; none = the Campaign's.
    pub caller_id: Option<String>,
    /// Where a connected person is sent; none = the agent group.
    pub direct_connect_phone_number: Option<String>,
    /// Short code, number or from address; none = the Campaign's.
    pub source_address: Option<String>,
    /// Leave a message on a machine.
    pub leave_message: bool,
    /// What to do with a machine otherwise.
    pub on_machine: OnMachine,
    /// 15 … 120.
    pub max_ring_seconds: u16,
    /// Attempts per contact in this pass, 1 … 20.
    pub max_attempts: u16,
    /// At most one per result.
    pub retry_rules: Vec<RetryRule>,
    /// How its rate is found; manual and web passes take none.
    pub pacing: Option<PacingType>,
    /// 1 … 10.
    pub pacing_priority: u8,
    /// Fixed only.
    pub contacts_per_minute: Option<f64>,
    /// Cap in every mode.
    pub max_contacts_per_minute: Option<f64>,
    /// Goal of Auto; none = the close of the last window.
    pub completion_time: Option<Moment>,
}

/// When to try again after a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRule {
    /// After this result.
    pub result: AttemptResult,
    /// 0 … 20.
    pub max_retries: u16,
    /// 1 … 1440.
    pub interval_minutes: u32,
}

impl Pass {
    /// A pass with the defaults of the specification.
    pub fn new(id: PassId, name: impl Into<String>, channel: ChannelType) -> Self {
        let paced = !matches!(channel, ChannelType::Manual | ChannelType::Web);
        Self {
            id,
            name: name.into(),
            channel,
            devices: Vec::new(),
            accept_phone_numbers: AcceptPhoneNumbers::LandlineAndWireless,
            accept_contacts_from: AcceptContactsFrom::AllPasses,
            accept_voice_results: Vec::new(),
            accept_text_results: Vec::new(),
            accept_email_results: Vec::new(),
            accept_script_results: Vec::new(),
            script: None,
            days_to_wait: 0,
            allowed_days: DayOfWeek::ALL.to_vec(),
            start_time: None,
            end_time: None,
            time_zone: LOCAL.to_owned(),
            time_zone_source: None,
            window_days: 1,
            caller_id: None,
            direct_connect_phone_number: None,
            source_address: None,
            leave_message: false,
            on_machine: OnMachine::HangUp,
            max_ring_seconds: 30,
            max_attempts: 1,
            retry_rules: Vec::new(),
            pacing: paced.then_some(PacingType::Auto),
            pacing_priority: 5,
            contacts_per_minute: None,
            max_contacts_per_minute: None,
            completion_time: None,
        }
    }

    /// Whether its window is reckoned in the contact's zone.
    pub fn is_local(&self) -> bool {
        self.time_zone == LOCAL
    }

    /// The accept set of a kind of result.
    pub fn accepted(&self, kind: ResultKind) -> &[AttemptResult] {
        match kind {
            ResultKind::Voice => &self.accept_voice_results,
            ResultKind::Text => &self.accept_text_results,
            ResultKind::Email => &self.accept_email_results,
            ResultKind::Script => &self.accept_script_results,
        }
    }

    /// Whether all four accept sets are empty: then a later pass takes whoever is not delivered yet.
    pub fn accepts_undelivered(&self) -> bool {
        ResultKind::ALL
            .iter()
            .all(|kind| self.accepted(*kind).is_empty())
    }

    /// Milliseconds until the retry after `result`, the `retries`-th for this result; none = no retry (`entities.md` 9.8).
    pub fn retry_after(
        &self,
        result: AttemptResult,
        retries_of_result: u16,
        attempts_made: u16,
    ) -> Option<i64> {
        if result.is_delivered() || attempts_made >= self.max_attempts {
            return None;
        }
        let minutes = match self.retry_rules.iter().find(|rule| rule.result == result) {
            Some(rule) if retries_of_result < rule.max_retries => Some(rule.interval_minutes),
            Some(_) => None,
            None => result.default_retry_minutes(),
        };
        minutes.map(|minutes| i64::from(minutes) * crate::moment::MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::MINUTE;

    #[test]
    fn retries_follow_rules_then_defaults() {
        let mut pass = Pass::new(PassId(1), "Pass 1", ChannelType::Text);
        assert_eq!(
            pass.retry_after(AttemptResult::Failed, 0, 1),
            None,
            "one attempt only"
        );
        pass.max_attempts = 3;
        assert_eq!(
            pass.retry_after(AttemptResult::Failed, 0, 1),
            Some(60 * MINUTE)
        );
        assert_eq!(pass.retry_after(AttemptResult::Unknown, 0, 1), None);
        assert_eq!(pass.retry_after(AttemptResult::Success, 0, 1), None);
        pass.retry_rules = vec![RetryRule {
            result: AttemptResult::Unknown,
            max_retries: 1,
            interval_minutes: 5,
        }];
        assert_eq!(
            pass.retry_after(AttemptResult::Unknown, 0, 1),
            Some(5 * MINUTE)
        );
        assert_eq!(pass.retry_after(AttemptResult::Unknown, 1, 2), None);
        assert_eq!(pass.retry_after(AttemptResult::Failed, 0, 3), None);
    }
}
