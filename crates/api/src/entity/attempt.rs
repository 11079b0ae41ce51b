//! ContactAttempts on the wire (`entities.md` 4.7).

use super::{Names, contact};
use crate::fault::Outcome;
use crate::shape::{Field, Identity, Shape, Type};
use crate::value::{Object, Value, id};
use carillon_model::attempt::Attempt;
use carillon_model::contact::Device;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AttemptResult, AttemptState, DeviceType, Direction, LineType, Reason, SubCampaignId,
};

/// A ContactAttempt.
pub static CONTACT_ATTEMPT: Shape = Shape::entity(
    "contactAttempt",
    "One try to reach one contact, or one message received.",
    Identity::Id,
    Field::new("externalId", Type::Name, "Attempts have no names."),
    &[
        Field::new("contact", Type::Entity(&contact::CONTACT), "Whom.")
            .whole()
            .cg(),
        Field::new(
            "subCampaign",
            Type::Entity(&super::sub_campaign::SUB_CAMPAIGN),
            "In which SubCampaign.",
        ),
        Field::new("pass", Type::Entity(&super::pass::PASS), "In which pass."),
        Field::new(
            "contactBatch",
            Type::Entity(&super::contact_batch::CONTACT_BATCH),
            "In which batch.",
        ),
        Field::new(
            "script",
            Type::Entity(&super::script::SCRIPT),
            "With which Script.",
        ),
        Field::new("channel", Type::Channel, "How."),
        Field::new("direction", Type::Words(Direction::TEXTS), "Who began."),
        Field::new(
            "device",
            Type::Entity(&contact::DEVICE),
            "The contact's side.",
        ),
        Field::new(
            "secondaryDevice",
            Type::Entity(&contact::DEVICE),
            "Our side: caller ID, short code, number.",
        ),
        Field::new("messageText", Type::Raw, "Text sent or received."),
        Field::new("state", Type::Words(AttemptState::TEXTS), "How far it is."),
        Field::new("result", Type::Words(AttemptResult::TEXTS), "How it ended."),
        Field::new(
            "reason",
            Type::Words(Reason::TEXTS),
            "Why, with Filtered and NotAttemptedSkip.",
        ),
        Field::new(
            "scriptResult",
            Type::Words(AttemptResult::TEXTS),
            "How the Script ended.",
        ),
        Field::new(
            "attemptNumber",
            Type::Integer(1, i64::MAX),
            "Counts from 1, per contact and pass.",
        ),
        Field::new("startTime", Type::DateTime, "When it was written."),
        Field::new("answerTime", Type::DateTime, "When it was answered."),
        Field::new("endTime", Type::DateTime, "When it ended."),
        Field::new(
            "duration",
            Type::Integer(0, i64::MAX),
            "Seconds from start to end.",
        ),
        Field::new(
            "responses",
            Type::Attributes,
            "Answers taken by the Script.",
        ),
        Field::new("tags", Type::Words(&["archive"]), "Tags.")
            .many(10)
            .g(),
    ],
)
.with_attributes(&[
    Field::new(
        "carrierStatus",
        Type::Raw,
        "Status of the carrier as it was told.",
    ),
    Field::new(
        "parts",
        Type::Integer(1, i64::MAX),
        "Parts of a text message.",
    ),
]);

/// A ContactAttempt as (K).
pub fn key(attempt: &Attempt) -> Object {
    Object::new(&CONTACT_ATTEMPT).set("internalId", id(attempt.id))
}

fn device(address: &str) -> Option<Object> {
    let device_type = if address.contains('@') {
        DeviceType::Email
    } else {
        DeviceType::Mobile
    };
    (!address.is_empty()).then(|| {
        contact::device_detail(&Device {
            address: address.to_owned(),
            device_type,
            number: 0,
            time_zone: None,
            line_type: LineType::Unknown,
        })
    })
}

/// A ContactAttempt as (D).
pub fn detail(names: Names<'_>, attempt: &Attempt) -> Outcome<Object> {
    let mut object = key(attempt).set("createdDate", attempt.written).set(
        "updatedDate",
        attempt
            .ended
            .or(attempt.accepted)
            .unwrap_or(attempt.written),
    );
    if attempt.contact.0 != 0 {
        let contact = names.snapshot.contacts(&[attempt.contact])?.pop();
        object.put("contact", contact.map(|contact| contact::summary(&contact)));
    }
    if attempt.run != SubCampaignId(0)
        && let Some(run) = names.referred::<SubCampaign>(attempt.run)?
    {
        object.put("subCampaign", super::sub_campaign::key(names, &run)?);
        if let Some(pass) = run.passes.get(usize::from(attempt.pass)) {
            object.put("pass", super::pass::key(pass));
            if let Some(script) = pass.script.or(run.script) {
                object.put("script", names.script_key(script)?);
            }
        }
    }
    if let Some(batch) = attempt.batch {
        object.put("contactBatch", names.batch_key(batch)?);
    }
    object.put("channel", attempt.channel);
    object.put("direction", attempt.direction.text());
    object.put("device", device(&attempt.address));
    object.put("secondaryDevice", device(&attempt.our_address));
    object.put(
        "messageText",
        (!attempt.text.is_empty()).then(|| attempt.text.clone()),
    );
    object.put("state", attempt.state().text());
    object.put("result", attempt.result.map(AttemptResult::text));
    object.put("reason", attempt.reason.map(Reason::text));
    object.put(
        "scriptResult",
        attempt.script_result.map(AttemptResult::text),
    );
    object.put(
        "attemptNumber",
        (attempt.number > 0).then(|| i64::from(attempt.number)),
    );
    object.put("startTime", attempt.written);
    object.put("endTime", attempt.ended);
    object.put("duration", attempt.duration_seconds());
    object.put(
        "tags",
        Value::Many(if attempt.archived {
            vec![Value::Text("archive".into())]
        } else {
            Vec::new()
        }),
    );
    object.put_attribute("carrierStatus", attempt.carrier_status.clone());
    object.put_attribute(
        "parts",
        (attempt.parts > 0).then(|| attempt.parts.to_string()),
    );
    Ok(object)
}
