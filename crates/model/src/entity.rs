//! What all stored entities have in common: base fields, free attributes, a kind, a scope and a name.

use crate::{Moment, UserId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// Free attributes by name; BTreeMap because the wire answers them sorted.
pub type Attributes = BTreeMap<String, String>;

/// The base fields of every entity (`entities.md` 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// Unique over all entity types, never used again.
    pub internal_id: i64,
    /// The name in its scope.
    pub external_id: String,
    /// When it was made.
    pub created: Moment,
    /// When it was last changed.
    pub updated: Moment,
    /// Who made it.
    pub created_by: UserId,
    /// Who changed it last.
    pub modified_by: UserId,
    /// Attributes that are no core fields and have no meaning here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: Attributes,
}

impl Base {
    /// Base fields of an entity made now by `user`.
    pub fn new(
        internal_id: i64,
        external_id: impl Into<String>,
        now: Moment,
        user: UserId,
    ) -> Self {
        Self {
            internal_id,
            external_id: external_id.into(),
            created: now,
            updated: now,
            created_by: user,
            modified_by: user,
            attributes: Attributes::new(),
        }
    }
}

/// Kinds of entity that are kept as whole documents: few, read often, changed seldom. Contacts, attempts and all that
/// moves while a campaign runs have tables of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// Org.
    Org = 1,
    /// User.
    User = 2,
    /// Script.
    Script = 3,
    /// Campaign.
    Campaign = 4,
    /// OutreachStrategy.
    Strategy = 5,
    /// SubCampaign.
    SubCampaign = 6,
    /// ContactBatch.
    Batch = 7,
    /// List.
    List = 8,
    /// ComplianceRule.
    ComplianceRule = 9,
    /// Job.
    Job = 10,
    /// AgentGroup.
    AgentGroup = 11,
    /// InboundDevice.
    InboundDevice = 12,
    /// Event.
    Event = 13,
    /// Webhook.
    Webhook = 14,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] = &[
        Kind::Org,
        Kind::User,
        Kind::Script,
        Kind::Campaign,
        Kind::Strategy,
        Kind::SubCampaign,
        Kind::Batch,
        Kind::List,
        Kind::ComplianceRule,
        Kind::Job,
        Kind::AgentGroup,
        Kind::InboundDevice,
        Kind::Event,
        Kind::Webhook,
    ];
}

/// An entity kept as a document.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// What it is.
    const KIND: Kind;
    /// Its typed id.
    type Id: Copy + Into<i64> + From<i64> + Send + 'static;

    /// Its base fields.
    fn base(&self) -> &Base;
    /// Its base fields, for change.
    fn base_mut(&mut self) -> &mut Base;
    /// The id of that in which its name is unique: parent Org, owner Org or Campaign; 0 = the installation.
    fn scope(&self) -> i64;
    /// The name as compared in its scope; none = nameless (batches may be), or not unique by name (jobs).
    fn unique_name(&self) -> Option<String> {
        Some(crate::name::fold(&self.base().external_id))
    }

    /// Its typed id.
    fn id(&self) -> Self::Id {
        Self::Id::from(self.base().internal_id)
    }
    /// Its name as written.
    fn external_id(&self) -> &str {
        &self.base().external_id
    }
}

/// Implements [`Entity`] for a struct with a field `base`.
#[macro_export]
macro_rules! entity {
    ($type:ty, $kind:ident, $id:ty, |$this:ident| $scope:expr $(, $name:expr)?) => {
        impl $crate::entity::Entity for $type {
            const KIND: $crate::entity::Kind = $crate::entity::Kind::$kind;
            type Id = $id;
            fn base(&self) -> &$crate::entity::Base {
                &self.base
            }
            fn base_mut(&mut self) -> &mut $crate::entity::Base {
                &mut self.base
            }
            fn scope(&self) -> i64 {
                let $this = self;
                $scope
            }
            $(fn unique_name(&self) -> Option<String> {
                let $this = self;
                $name
            })?
        }
    };
}
