//! How far a SubCampaign or a batch has come: the state machines of `entities.md` 7.1 to 7.3. The API writes what a
//! client asks for through these functions; the engine moves the states by itself through the same ones.

use crate::{
    AttemptResult, BatchId, BatchState, CampaignId, ContactId, Moment, OrgId, PassState, Reason,
    SubCampaignId, SubCampaignState, SubCampaignType,
};
use serde::{Deserialize, Serialize};

/// The moving part of a SubCampaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The SubCampaign.
    pub id: SubCampaignId,
    /// Its Account.
    pub account: OrgId,
    /// Its Campaign.
    pub campaign: CampaignId,
    /// How it was made.
    pub run_type: SubCampaignType,
    /// Its state.
    pub state: SubCampaignState,
    /// Held until a client asks for Running (autoStart false).
    pub held: bool,
    /// When it may start.
    pub start_time: Moment,
    /// When its work ended.
    pub end_time: Option<Moment>,
    /// States of its passes, in order.
    pub passes: Vec<PassState>,
    /// How far the load has come.
    pub load: Load,
    /// Until when late replies and reports are awaited (Awaiting).
    pub awaiting_until: Option<Moment>,
    /// Counts up with every change, so that the engine notices.
    pub version: u64,
}

/// How far the load of a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Load {
    /// The last contact of the List that was admitted or filtered.
    pub contact_after: i64,
    /// Whether all were.
    pub done: bool,
}

/// What a client may ask of a SubCampaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Start or resume.
    Running,
    /// Pause.
    Paused,
    /// Stop for good.
    Done,
}

impl Request {
    /// Reads the wire word: Running, Paused, and Done or equivalently Stopping.
    pub fn parse(text: &str) -> Option<Self> {
        match SubCampaignState::parse(text)? {
            SubCampaignState::Running => Some(Self::Running),
            SubCampaignState::Paused => Some(Self::Paused),
            SubCampaignState::Done | SubCampaignState::Stopping => Some(Self::Done),
            _ => None,
        }
    }
}

/// The state forbids the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidState;

impl Run {
    /// Applies a client's request (`entities.md` 7.1, `api.md` M21.3). Asking for what holds already changes nothing.
    /// Running from Paused or Pending goes to Pending; the engine moves it to Running when a window is open.
    pub fn request(&mut self, request: Request, now: Moment) -> Result<(), InvalidState> {
        use SubCampaignState::*;
        match (request, self.state) {
            (Request::Running, Running)
            | (Request::Paused, Paused)
            | (Request::Done, Stopping | Done | Cancelled) => return Ok(()),
            (Request::Running, Loading | Pending) => {
                self.held = false;
                self.start_time = now;
            }
            (Request::Running, Paused) => {
                self.held = false;
                self.set_state(if self.load.done { Pending } else { Loading });
                self.set_pass_states(|state| {
                    if state == PassState::Paused {
                        PassState::Pending
                    } else {
                        state
                    }
                });
            }
            (Request::Paused, Running | Pending) => {
                self.set_state(Paused);
                self.set_pass_states(|state| match state {
                    PassState::Pending | PassState::Running => PassState::Paused,
                    other => other,
                });
            }
            (Request::Done, Loading | Pending | Running | Paused | Completing) => {
                self.set_state(Stopping)
            }
            (Request::Done, Awaiting) => {
                self.awaiting_until = None;
                self.set_state(Done);
            }
            _ => return Err(InvalidState),
        }
        self.version += 1;
        Ok(())
    }

    /// Moves the state and counts the change.
    pub fn set_state(&mut self, state: SubCampaignState) {
        self.state = state;
        self.version += 1;
    }

    /// Moves the states of the passes.
    pub fn set_pass_states(&mut self, change: impl Fn(PassState) -> PassState) {
        for state in &mut self.passes {
            *state = change(*state);
        }
    }

    /// Whether attempts may be written now.
    pub fn may_attempt(&self) -> bool {
        self.state == SubCampaignState::Running
    }

    /// Whether the engine still has something to do for it.
    pub fn is_live(&self) -> bool {
        !matches!(
            self.state,
            SubCampaignState::Done | SubCampaignState::Cancelled
        )
    }
}

/// The moving part of a ContactBatch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchRun {
    /// The batch.
    pub id: BatchId,
    /// The OnDemand SubCampaign it runs in.
    pub sub_campaign: SubCampaignId,
    /// Its state.
    pub state: BatchState,
    /// When it starts.
    pub start_time: Moment,
    /// When what is left expires.
    pub end_time: Moment,
    /// When it was finished.
    pub finished: Option<Moment>,
    /// Its weight.
    pub priority: u8,
}

impl BatchRun {
    /// Cancels it; only a batch that is not finished can be (`entities.md` 7.3).
    pub fn cancel(&mut self, now: Moment) -> Result<(), InvalidState> {
        if !self.is_live() {
            return Err(InvalidState);
        }
        self.state = BatchState::Cancelled;
        self.finished = Some(now);
        Ok(())
    }

    /// Whether it still takes and tries contacts.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, BatchState::Done | BatchState::Cancelled)
    }
}

/// What a contact has behind it in a run. A contact without one has never been tried: it waits in the queue of the first
/// pass, or was filtered (a verdict says why).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The run.
    pub run: SubCampaignId,
    /// The contact.
    pub contact: ContactId,
    /// Where it is.
    pub place: Place,
    /// Index of the pass it is in, or was in last.
    pub pass: u16,
    /// Its lane in that pass.
    pub lane: u32,
    /// Its rank.
    pub rank: i64,
    /// When it is due again (Waiting).
    pub due: Moment,
    /// Attempts made in that pass that count.
    pub attempts: u16,
    /// Position in the device order from which the next attempt takes its device.
    pub device_next: u8,
    /// Devices with a final bad result, one bit for each device number.
    pub bad_devices: u16,
    /// Whether any result was delivered.
    pub delivered: bool,
    /// Whether any finished attempt counted.
    pub attempted: bool,
    /// Results, oldest first.
    pub results: Vec<PassResult>,
    /// Why it left without an attempt, when it did.
    pub reason: Option<Reason>,
}

/// One result of a contact in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassResult {
    /// Index of the pass.
    pub pass: u16,
    /// The result.
    pub result: AttemptResult,
    /// How the script ended.
    pub script: Option<AttemptResult>,
}

/// Where a contact is in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Place {
    /// In the queue of its pass.
    Waiting = 0,
    /// Has left the last pass.
    Finished = 1,
}

impl Progress {
    /// How often `result` came in the pass the contact is in.
    pub fn count_in_pass(&self, result: AttemptResult) -> u16 {
        self.results
            .iter()
            .filter(|past| past.pass == self.pass && past.result == result)
            .count() as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SubCampaignState::*;

    fn run(state: SubCampaignState) -> Run {
        Run {
            id: SubCampaignId(1),
            account: OrgId(2),
            campaign: CampaignId(3),
            run_type: SubCampaignType::Outbound,
            state,
            held: true,
            start_time: Moment(0),
            end_time: None,
            passes: vec![PassState::Pending],
            load: Load {
                contact_after: 0,
                done: true,
            },
            awaiting_until: None,
            version: 1,
        }
    }

    #[test]
    fn requests_follow_the_table() {
        let table = [
            (Request::Running, Loading, Ok(Loading)),
            (Request::Running, Pending, Ok(Pending)),
            (Request::Running, Running, Ok(Running)),
            (Request::Running, Paused, Ok(Pending)),
            (Request::Running, Stopping, Err(InvalidState)),
            (Request::Running, Completing, Err(InvalidState)),
            (Request::Running, Awaiting, Err(InvalidState)),
            (Request::Running, Done, Err(InvalidState)),
            (Request::Running, Cancelled, Err(InvalidState)),
            (Request::Paused, Loading, Err(InvalidState)),
            (Request::Paused, Pending, Ok(Paused)),
            (Request::Paused, Running, Ok(Paused)),
            (Request::Paused, Paused, Ok(Paused)),
            (Request::Paused, Stopping, Err(InvalidState)),
            (Request::Paused, Completing, Err(InvalidState)),
            (Request::Paused, Awaiting, Err(InvalidState)),
            (Request::Paused, Done, Err(InvalidState)),
            (Request::Paused, Cancelled, Err(InvalidState)),
            (Request::Done, Loading, Ok(Stopping)),
            (Request::Done, Pending, Ok(Stopping)),
            (Request::Done, Running, Ok(Stopping)),
            (Request::Done, Paused, Ok(Stopping)),
            (Request::Done, Completing, Ok(Stopping)),
            (Request::Done, Awaiting, Ok(Done)),
            (Request::Done, Stopping, Ok(Stopping)),
            (Request::Done, Done, Ok(Done)),
            (Request::Done, Cancelled, Ok(Cancelled)),
        ];
        for (request, from, expected) in table {
            let mut run = run(from);
            let answer = run.request(request, Moment(5)).map(|()| run.state);
            assert_eq!(answer, expected, "{request:?} in {from}");
        }
    }

    #[test]
    fn a_running_request_lifts_the_hold() {
        let mut run = run(Pending);
        run.request(Request::Running, Moment(9)).expect("legal");
        assert_eq!((run.held, run.start_time), (false, Moment(9)));
    }
}
