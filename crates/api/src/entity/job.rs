//! Jobs and their states on the wire (`entities.md` 2).

use super::Names;
use crate::fault::Outcome;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::value::{Object, id};
use carillon_model::job::Job;
use carillon_model::{JobState, JobType};

/// A Job.
pub static JOB: Shape = Shape::entity(
    "job",
    "Handle of background work.",
    Identity::Id,
    Field::new("externalId", Type::Name, "Jobs have no names."),
    &[
        Field::new("type", Type::Words(JobType::TEXTS), "Its kind."),
        Field::new("owner", Type::Entity(&super::org::ORG), "Whose it is."),
    ],
);

/// The state of a Job.
pub static JOB_STATE: Shape = Shape {
    has_attributes: true,
    ..Shape::plain(
        "jobState",
        "How far a Job is.",
        Family::State,
        &[
            Field::new("job", Type::Entity(&JOB), "The Job.").c(),
            Field::new("state", Type::Words(JobState::TEXTS), "Its state.").c(),
            Field::new("progress", Type::Integer(0, 100), "Percent."),
            Field::new("startTime", Type::DateTime, "When it began."),
            Field::new("endTime", Type::DateTime, "When it ended."),
        ],
    )
}
.with_attributes(&[Field::new("message", Type::Raw, "Why it failed.")]);

/// A Job as (K).
pub fn key(names: Names<'_>, job: &Job) -> Outcome<Object> {
    Ok(Object::new(&JOB)
        .set("internalId", id(job.base.internal_id))
        .set("type", job.job_type.text())
        .set("owner", names.org_cut(job.owner)?))
}

/// The state of a Job as (D).
pub fn state(names: Names<'_>, job: &Job) -> Outcome<Object> {
    Ok(Object::new(&JOB_STATE)
        .set("job", key(names, job)?)
        .set("state", job.state.text())
        .set("progress", job.progress)
        .set("startTime", job.start_time)
        .set("endTime", job.end_time)
        .with_attribute("message", job.message.clone()))
}
