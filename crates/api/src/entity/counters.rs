//! Counters as attributes of state objects (`entities.md` 8), and the state objects themselves.

use super::{Names, contact_batch, pass, sub_campaign};
use crate::fault::{Outcome, Stop};
use crate::value::{Object, double_text};
use carillon_model::contact_batch::ContactBatch;
use carillon_model::counter::{Counters, Subject};
use carillon_model::moment::MINUTE;
use carillon_model::run::{BatchRun, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{BatchId, Moment, SubCampaignId};

fn put(object: &mut Object, counters: &Counters, last_15: i64) {
    let counts = [
        ("filteredCount", counters.filtered),
        ("notAttemptedCount", counters.not_attempted),
        ("deliveredCount", counters.delivered),
        ("failedCount", counters.failed),
        ("attemptedCount", counters.attempted),
        ("activeCount", counters.active),
        ("pendingCount", counters.pending),
        ("attemptedCountLast15", last_15),
        // Nothing connects people to agents in this version.
        ("dcHandled", 0),
        ("dcFailed", 0),
        ("dcHandledLast15", 0),
        ("dcFailedLast15", 0),
        ("afterContactWorkCount", 0),
        ("abandonedLastHour", 0),
        ("abandonedToday", 0),
    ];
    for (name, count) in counts {
        object.put_attribute(name, Some(count.to_string()));
    }
}

/// What is projected for the attempts still to come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Projection {
    /// Attempts per minute now.
    pub per_minute: f64,
    /// Until the end of the clock hour in the Account's zone.
    pub this_hour: i64,
    /// In the next clock hour.
    pub next_hour: i64,
    /// After that.
    pub future: i64,
}

fn put_projection(object: &mut Object, projection: Projection) {
    object.put_attribute(
        "contactsPerMinute",
        Some(double_text((projection.per_minute * 10.0).round() / 10.0)),
    );
    object.put_attribute("thisHourContacts", Some(projection.this_hour.to_string()));
    object.put_attribute("nextHourContacts", Some(projection.next_hour.to_string()));
    object.put_attribute("futureContacts", Some(projection.future.to_string()));
}

impl Names<'_> {
    fn last_15(&self, subject: Subject) -> Outcome<i64> {
        let now = self.context.now;
        Ok(self
            .snapshot
            .attempted_between(subject, now.plus(-15 * MINUTE), now)?)
    }

    /// The run of a SubCampaign.
    pub fn run(&self, id: SubCampaignId) -> Outcome<Run> {
        self.snapshot
            .run(id)?
            .ok_or_else(|| Stop::Internal(format!("the SubCampaign {id} has no run")))
    }

    /// A SubCampaign with its run's times, as (D).
    pub fn sub_campaign_detail(&self, found: &SubCampaign) -> Outcome<Object> {
        let run = self.run(SubCampaignId(found.base.internal_id))?;
        sub_campaign::detail(*self, found, run.start_time, run.end_time)
    }

    /// The state of a SubCampaign as (D): one consistent snapshot.
    pub fn sub_campaign_state(&self, found: &SubCampaign, run: &Run) -> Outcome<Object> {
        let mut object = Object::new(&sub_campaign::SUB_CAMPAIGN_STATE)
            .set(
                "subCampaign",
                sub_campaign::detail(*self, found, run.start_time, run.end_time)?,
            )
            .set("state", run.state.text());
        let whole = Subject::whole(run.id);
        let subjects: Vec<Subject> = std::iter::once(whole)
            .chain((0..found.passes.len()).map(|index| Subject::pass(run.id, index as u16)))
            .collect();
        let counters = self.snapshot.counters(&subjects)?;
        let projections = crate::projection::of_run(self, found, run, &counters)?;
        let mut total = Projection::default();
        let mut states = Vec::new();
        for (index, pass) in found.passes.iter().enumerate() {
            let state = run
                .passes
                .get(index)
                .copied()
                .unwrap_or(carillon_model::PassState::Pending);
            let mut pass_state = Object::new(&sub_campaign::PASS_STATE)
                .set("pass", pass::key(pass))
                .set("state", state.text());
            put(
                &mut pass_state,
                &counters[index + 1],
                self.last_15(subjects[index + 1])?,
            );
            let projection = projections.get(index).copied().unwrap_or_default();
            put_projection(&mut pass_state, projection);
            total.per_minute += projection.per_minute;
            total.this_hour += projection.this_hour;
            total.next_hour += projection.next_hour;
            total.future += projection.future;
            states.push(pass_state);
        }
        object.put("passStates", states);
        put(&mut object, &counters[0], self.last_15(whole)?);
        put_projection(&mut object, total);
        Ok(object)
    }

    /// The state of a ContactBatch as (D).
    pub fn batch_state(&self, batch: &ContactBatch) -> Outcome<Object> {
        let id = BatchId(batch.base.internal_id);
        let run: BatchRun = self
            .snapshot
            .batch_run(id)?
            .ok_or_else(|| Stop::Internal(format!("the ContactBatch {id} has no run")))?;
        let subject = Subject::whole(id);
        let counters = self.snapshot.counters(&[subject])?[0];
        let mut object = Object::new(&contact_batch::CONTACT_BATCH_STATE)
            .set("contactBatch", contact_batch::detail(*self, batch)?)
            .set("state", run.state.text())
            .set("startTime", run.start_time)
            .set("endTime", run.finished);
        put(&mut object, &counters, self.last_15(subject)?);
        put_projection(&mut object, self.batch_projection(&run, counters.pending));
        Ok(object)
    }

    /// A batch keeps no pace: what is due goes within the minute.
    fn batch_projection(&self, run: &BatchRun, pending: i64) -> Projection {
        let now: Moment = self.context.now;
        if run.state == carillon_model::BatchState::Running {
            Projection {
                per_minute: pending as f64,
                this_hour: pending,
                ..Projection::default()
            }
        } else if run.is_live() && run.start_time > now {
            Projection {
                future: pending,
                ..Projection::default()
            }
        } else {
            Projection::default()
        }
    }
}
