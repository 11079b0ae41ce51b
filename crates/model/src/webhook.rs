//! Webhooks: addresses of callers that are told what happened (`entities.md` 2). The signing secret is not part of the
//! entity: the store keeps it apart, encrypted, and it is answered once.

use crate::entity::Base;
use crate::{
    Moment, OrgId, WebhookDeliveryId, WebhookDeliveryState, WebhookEvent, WebhookId, WebhookState,
};
use serde::{Deserialize, Serialize};

/// A Webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// Base fields.
    pub base: Base,
    /// What happens under this Org is told.
    pub owner: OrgId,
    /// Where; https.
    pub url: String,
    /// What is told.
    pub events: Vec<WebhookEvent>,
    /// Wanted by its owner.
    pub active: bool,
    /// Whether it works.
    pub state: WebhookState,
}

crate::entity!(Webhook, Webhook, WebhookId, |webhook| webhook.owner.0);

/// One message to a Webhook, until it has been taken or given up. Its id stays the same on repetitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDelivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// To whom.
    pub webhook: WebhookId,
    /// What it tells.
    pub event: WebhookEvent,
    /// How far it is.
    pub state: WebhookDeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// The HTTP status of the last try; none when there was no answer.
    pub last_status: Option<u16>,
    /// When it is tried again.
    pub next_time: Option<Moment>,
}
