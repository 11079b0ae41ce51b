//! AgentGroups are named by campaigns and batches. This version keeps none, so a reference to one finds nothing.

use crate::shape::{Field, Identity, Shape, Type};
use carillon_model::AgentGroupType;

/// An AgentGroup, as far as it is referred to.
pub static AGENT_GROUP: Shape = Shape::entity(
    "agentGroup",
    "A group of agents. This version has no agent groups: a reference to one answers OBJECT_NOT_EXISTS.",
    Identity::Parent,
    Field::new("externalId", Type::Name, "Its name.").c(),
    &[
        Field::new(
            "parent",
            Type::Entity(&super::org::ORG),
            "The Org it belongs to.",
        )
        .c(),
        Field::new("type", Type::Words(AgentGroupType::TEXTS), "Its kind.").c(),
    ],
);
