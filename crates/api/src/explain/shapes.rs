//! Explanations on the wire.

use super::why::WORDS;
use super::{State, VerdictKind};
use crate::entity::attempt::CONTACT_ATTEMPT;
use crate::entity::compliance_rule::COMPLIANCE_RULE;
use crate::entity::contact::CONTACT;
use crate::entity::pass::PASS;
use crate::entity::sub_campaign::SUB_CAMPAIGN;
use crate::shape::{Family, Field, Shape, Type};
use carillon_model::Reason;

const COUNT: Type = Type::Integer(0, i64::MAX);

/// A verdict that was kept.
pub static VERDICT: Shape = Shape::plain(
    "verdict",
    "A judgement about a contact, or about the lane it waits in.",
    Family::Top,
    &[
        Field::new("time", Type::DateTime, "When it was judged."),
        Field::new(
            "verdict",
            Type::Words(VerdictKind::TEXTS),
            "What was judged.",
        ),
        Field::new("reason", Type::Words(Reason::TEXTS), "Why."),
        Field::new(
            "rule",
            Type::Entity(&COMPLIANCE_RULE),
            "The rule that decided, where it was a rule.",
        ),
        Field::new("version", COUNT, "Its version."),
        Field::new("until", Type::DateTime, "Until when it defers."),
    ],
);

/// Why a contact is where it is.
pub static CONTACT_EXPLANATION: Shape = Shape::plain(
    "contactExplanation",
    "What happened to a contact in a SubCampaign and why, or what it waits for and until when. It has exactly one reason.",
    Family::Top,
    &[
        Field::new(
            "subCampaign",
            Type::Entity(&SUB_CAMPAIGN),
            "The SubCampaign.",
        ),
        Field::new("contact", Type::Entity(&CONTACT), "The contact."),
        Field::new("state", Type::Words(State::TEXTS), "Where it is."),
        Field::new(
            "pass",
            Type::Entity(&PASS),
            "The pass it is in, or was in last.",
        ),
        Field::new("reason", Type::Words(&WORDS), "Why."),
        Field::new("text", Type::Lines(255), "The reason as a sentence."),
        Field::new(
            "until",
            Type::DateTime,
            "Until when it waits, as far as can be seen.",
        ),
        Field::new(
            "verdicts",
            Type::Entity(&VERDICT),
            "Verdicts that were kept, oldest first.",
        )
        .many(1_000),
        Field::new(
            "attempts",
            Type::Entity(&CONTACT_ATTEMPT),
            "Its attempts in this SubCampaign, oldest first.",
        )
        .many(1_000),
    ],
);

/// So many contacts share a state and a reason.
pub static REASON_COUNT: Shape = Shape::plain(
    "reasonCount",
    "How many contacts share a state and a reason.",
    Family::Top,
    &[
        Field::new("state", Type::Words(State::TEXTS), "Where they are."),
        Field::new("pass", Type::Entity(&PASS), "The pass in which they wait."),
        Field::new(
            "reason",
            Type::Words(&WORDS),
            "Why; none for Done: the counters tell their results.",
        ),
        Field::new("text", Type::Lines(255), "The reason as a sentence."),
        Field::new(
            "until",
            Type::DateTime,
            "Until when they wait, as far as can be seen.",
        ),
        Field::new("contacts", COUNT, "How many."),
    ],
);

/// What a SubCampaign's contacts wait for.
pub static SUB_CAMPAIGN_EXPLANATION: Shape = Shape::plain(
    "subCampaignExplanation",
    "How many contacts of a SubCampaign share each state and reason. Filtered adds up to filteredCount; Waiting, Active and \
     Done together to deliveredCount, failedCount and notAttemptedCount.",
    Family::Top,
    &[
        Field::new(
            "subCampaign",
            Type::Entity(&SUB_CAMPAIGN),
            "The SubCampaign.",
        ),
        Field::new("reasons", Type::Entity(&REASON_COUNT), "The counts.").many(1_000),
    ],
)
.with_attributes(&[
    Field::new("filteredCount", COUNT, "Contacts that may not be attempted."),
    Field::new("notAttemptedCount", COUNT, "Contacts without a finished attempt."),
    Field::new("deliveredCount", COUNT, "Contacts reached."),
    Field::new("failedCount", COUNT, "Contacts tried and not reached."),
    Field::new("activeCount", COUNT, "Attempts that are out."),
]);
