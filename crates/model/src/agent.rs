//! Agents at work: the state of each agent and each group, and how an agent's states follow each other
//! (`entities.md` 3.3 and 7.5). What is permitted beside the states (a skip, a break without a code, who asks) is judged
//! before; here stands only what can follow what.

use crate::{AgentGroupId, AgentGroupState, AgentState, AttemptId, Moment, UserId};
use serde::{Deserialize, Serialize};

/// The state of an agent: the specification's AgentState, whose word is [`AgentState`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The agent.
    pub agent: UserId,
    /// The group it works in; none = signed out.
    pub agent_group: Option<AgentGroupId>,
    /// Its state.
    pub state: AgentState,
    /// Its phone, or where its screen is.
    pub device: Option<String>,
    /// Why it takes a break.
    pub break_code: Option<String>,
    /// Since when it is in this state.
    pub since: Moment,
    /// The attempt it handles.
    pub contact_attempt: Option<AttemptId>,
}

/// The state of a group with its figures: the specification's AgentGroupState, whose word is [`AgentGroupState`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupPresence {
    /// The group.
    pub agent_group: AgentGroupId,
    /// Its state.
    pub state: AgentGroupState,
    /// Agents signed in.
    pub signed_in: u32,
    /// Agents free for a contact.
    pub available: u32,
    /// Agents with a contact.
    pub busy: u32,
    /// Agents in the work after a call.
    pub after_call_work: u32,
    /// People who called and wait.
    pub inbound_hold_queue: u32,
    /// People who were called and wait.
    pub outbound_hold_queue: u32,
    /// Percent of live answers abandoned; none = there was no live answer.
    pub abandon_rate: Option<f64>,
    /// Percent of people bridged within maxBridgeTime; none = nobody was.
    pub service_level: Option<f64>,
}

/// What happens to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentEvent {
    /// A voice agent signs in.
    SignInForVoice,
    /// A text agent signs in.
    SignInForText,
    /// An agent signs in outside the group's schedule.
    SignInWhileClosed,
    /// DialOut: the agent's phone was called and answered.
    PhoneAnswered,
    /// DialIn: the agent called and keyed the PIN.
    PinKeyed,
    /// Back from the break.
    Resume,
    /// Contacts to attempt appear.
    WorkAppears,
    /// No contacts to attempt are left.
    WorkEnds,
    /// acquireAgent.
    Acquire,
    /// releaseAgent.
    Release,
    /// A contact is offered in preview.
    PreviewOffered,
    /// The previewed call starts: by the agent, or the countdown is over.
    Launch,
    /// The previewed contact is skipped.
    Skip,
    /// The launched call reached the person.
    PersonReached,
    /// The launched call did not reach the person.
    PersonNotReached,
    /// A person is connected, and the whisper prompt begins.
    WhisperBegins,
    /// Agent and person are bridged: after the whisper prompt, or at once where there is none.
    Bridged,
    /// The agent calls a third person.
    StartTransfer,
    /// All three talk.
    JoinAll,
    /// The person is given to the third.
    CompleteTransfer,
    /// Back to the person alone.
    BackToPerson,
    /// The person is handed over.
    HandedOver,
    /// The call ends.
    CallEnds,
    /// The work after the call is done, or its time is over.
    WorkDone,
    /// As WorkDone, by an agent for whom a break was asked during the call.
    WorkDoneThenBreak,
    /// The agent takes a break.
    Break,
    /// Sign-out, by the agent, a supervisor or autoSignOutMinutes.
    SignOut,
    /// The agent's phone is lost.
    BridgeLost,
}

impl AgentEvent {
    /// Every event, in the order of the specification's table.
    pub const ALL: &'static [AgentEvent] = &[
        AgentEvent::SignInForVoice,
        AgentEvent::SignInForText,
        AgentEvent::SignInWhileClosed,
        AgentEvent::PhoneAnswered,
        AgentEvent::PinKeyed,
        AgentEvent::Resume,
        AgentEvent::WorkAppears,
        AgentEvent::WorkEnds,
        AgentEvent::Acquire,
        AgentEvent::Release,
        AgentEvent::PreviewOffered,
        AgentEvent::Launch,
        AgentEvent::Skip,
        AgentEvent::PersonReached,
        AgentEvent::PersonNotReached,
        AgentEvent::WhisperBegins,
        AgentEvent::Bridged,
        AgentEvent::StartTransfer,
        AgentEvent::JoinAll,
        AgentEvent::CompleteTransfer,
        AgentEvent::BackToPerson,
        AgentEvent::HandedOver,
        AgentEvent::CallEnds,
        AgentEvent::WorkDone,
        AgentEvent::WorkDoneThenBreak,
        AgentEvent::Break,
        AgentEvent::SignOut,
        AgentEvent::BridgeLost,
    ];
}

impl AgentState {
    /// The state after an event; none = the event cannot happen in this state (INVALID_STATE for a request).
    /// `has_work` says whether the agent's group has contacts to attempt.
    pub fn next(self, event: AgentEvent, has_work: bool) -> Option<AgentState> {
        use AgentEvent as E;
        use AgentState as S;
        let idle = if has_work { S::Available } else { S::NoWork };
        Some(match (self, event) {
            (S::SignedOut, E::SignInForVoice) => S::Disconnected,
            (S::SignedOut, E::SignInForText) => S::Available,
            (S::SignedOut, E::SignInWhileClosed) => S::Unavailable,
            (S::Disconnected, E::PhoneAnswered) => idle,
            (S::Disconnected, E::PinKeyed) => S::Break,
            (S::Break, E::Resume) => idle,
            (S::NoWork, E::WorkAppears) => S::Available,
            (S::Available, E::WorkEnds) => S::NoWork,
            (S::Available, E::Acquire) => S::Reserved,
            (S::Reserved, E::Release) => S::Available,
            (S::Available | S::Reserved, E::PreviewOffered) => S::Preview,
            (S::Preview, E::Launch) => S::Launching,
            (S::Preview, E::Skip) => S::Available,
            (S::Launching, E::PersonReached) => S::Talking,
            (S::Launching, E::PersonNotReached) => S::AfterCallWork,
            (S::Available | S::Reserved, E::WhisperBegins) => S::Whisper,
            (S::Available | S::Reserved | S::Whisper, E::Bridged) => S::Talking,
            (S::Talking, E::StartTransfer) => S::Consult,
            (S::Talking | S::Consult, E::JoinAll) => S::Conference,
            (S::Talking | S::Consult | S::Conference, E::CompleteTransfer) => S::Transfer,
            (S::Consult | S::Conference | S::Transfer, E::BackToPerson) => S::Talking,
            (S::Consult | S::Conference | S::Transfer, E::HandedOver) => S::AfterCallWork,
            (S::Talking | S::Conference, E::CallEnds) => S::AfterCallWork,
            (S::AfterCallWork, E::WorkDone) => idle,
            (S::AfterCallWork, E::WorkDoneThenBreak) => S::Break,
            (S::NoWork | S::Available, E::Break) => S::Break,
            (state, E::SignOut) if state != S::SignedOut && !state.is_on_call() => S::SignedOut,
            (state, E::BridgeLost) if state.is_bridged() && !state.is_on_call() => S::Disconnected,
            _ => return None,
        })
    }

    /// Whether a person is on the line, or being called for this agent.
    pub const fn is_on_call(self) -> bool {
        matches!(
            self,
            Self::Launching
                | Self::Whisper
                | Self::Talking
                | Self::Consult
                | Self::Conference
                | Self::Transfer
        )
    }

    /// Whether a voice agent's phone is connected.
    pub const fn is_bridged(self) -> bool {
        !matches!(
            self,
            Self::SignedOut | Self::Disconnected | Self::Unavailable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::AgentEvent as E;
    use super::*;
    use AgentState as S;

    /// `entities.md` 7.5 row by row: from, event, to with work, to without.
    const TABLE: &[(&[S], E, S, S)] = &[
        (
            &[S::SignedOut],
            E::SignInForVoice,
            S::Disconnected,
            S::Disconnected,
        ),
        (
            &[S::SignedOut],
            E::SignInForText,
            S::Available,
            S::Available,
        ),
        (
            &[S::SignedOut],
            E::SignInWhileClosed,
            S::Unavailable,
            S::Unavailable,
        ),
        (
            &[S::Disconnected],
            E::PhoneAnswered,
            S::Available,
            S::NoWork,
        ),
        (&[S::Disconnected], E::PinKeyed, S::Break, S::Break),
        (&[S::Break], E::Resume, S::Available, S::NoWork),
        (&[S::NoWork], E::WorkAppears, S::Available, S::Available),
        (&[S::Available], E::WorkEnds, S::NoWork, S::NoWork),
        (&[S::Available], E::Acquire, S::Reserved, S::Reserved),
        (&[S::Reserved], E::Release, S::Available, S::Available),
        (
            &[S::Available, S::Reserved],
            E::PreviewOffered,
            S::Preview,
            S::Preview,
        ),
        (&[S::Preview], E::Launch, S::Launching, S::Launching),
        (&[S::Preview], E::Skip, S::Available, S::Available),
        (&[S::Launching], E::PersonReached, S::Talking, S::Talking),
        (
            &[S::Launching],
            E::PersonNotReached,
            S::AfterCallWork,
            S::AfterCallWork,
        ),
        (
            &[S::Available, S::Reserved],
            E::WhisperBegins,
            S::Whisper,
            S::Whisper,
        ),
        (
            &[S::Available, S::Reserved, S::Whisper],
            E::Bridged,
            S::Talking,
            S::Talking,
        ),
        (&[S::Talking], E::StartTransfer, S::Consult, S::Consult),
        (
            &[S::Talking, S::Consult],
            E::JoinAll,
            S::Conference,
            S::Conference,
        ),
        (
            &[S::Talking, S::Consult, S::Conference],
            E::CompleteTransfer,
            S::Transfer,
            S::Transfer,
        ),
        (
            &[S::Consult, S::Conference, S::Transfer],
            E::BackToPerson,
            S::Talking,
            S::Talking,
        ),
        (
            &[S::Consult, S::Conference, S::Transfer],
            E::HandedOver,
            S::AfterCallWork,
            S::AfterCallWork,
        ),
        (
            &[S::Talking, S::Conference],
            E::CallEnds,
            S::AfterCallWork,
            S::AfterCallWork,
        ),
        (&[S::AfterCallWork], E::WorkDone, S::Available, S::NoWork),
        (
            &[S::AfterCallWork],
            E::WorkDoneThenBreak,
            S::Break,
            S::Break,
        ),
        (&[S::NoWork, S::Available], E::Break, S::Break, S::Break),
        (
            &[
                S::Disconnected,
                S::Break,
                S::NoWork,
                S::Available,
                S::Reserved,
                S::Preview,
                S::AfterCallWork,
                S::Unavailable,
            ],
            E::SignOut,
            S::SignedOut,
            S::SignedOut,
        ),
        (
            &[
                S::Break,
                S::NoWork,
                S::Available,
                S::Reserved,
                S::Preview,
                S::AfterCallWork,
            ],
            E::BridgeLost,
            S::Disconnected,
            S::Disconnected,
        ),
    ];

    #[test]
    fn agents_move_as_the_table_says_and_not_otherwise() {
        for &state in S::ALL {
            for &event in E::ALL {
                let row = TABLE
                    .iter()
                    .find(|(from, of, ..)| *of == event && from.contains(&state));
                assert_eq!(
                    state.next(event, true),
                    row.map(|row| row.2),
                    "{state} {event:?}"
                );
                assert_eq!(
                    state.next(event, false),
                    row.map(|row| row.3),
                    "{state} {event:?}"
                );
            }
        }
    }

    #[test]
    fn every_state_but_the_first_is_reached_and_left() {
        for &state in S::ALL {
            let goes_to = |from: S| {
                E::ALL.iter().any(|event| {
                    [true, false]
                        .iter()
                        .any(|work| from.next(*event, *work) == Some(state))
                })
            };
            assert!(S::ALL.iter().any(|from| goes_to(*from)), "{state}");
            assert!(
                E::ALL
                    .iter()
                    .any(|event| state.next(*event, true).is_some()),
                "{state}"
            );
        }
    }
}
