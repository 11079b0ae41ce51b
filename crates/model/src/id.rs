//! A typed id for each entity. On the wire an id is 1 to 19 decimal digits, unique over all entity types and
//! never used again; 0 is the system SubCampaign.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl From<i64> for $name {
            fn from(digits: i64) -> Self {
                Self(digits)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// SuperEnterprise, Enterprise, Account or ScheduleGroup.
    OrgId,
    /// A person or program that logs in.
    UserId,
    /// A Script.
    ScriptId,
    /// A Campaign.
    CampaignId,
    /// An OutreachStrategy.
    StrategyId,
    /// A Pass of a strategy or of a SubCampaign.
    PassId,
    /// A SubCampaign: the run of a Campaign over a List, or over the batches of a day.
    SubCampaignId,
    /// A ContactBatch.
    BatchId,
    /// A ContactAttempt. It is also the carrier's correlation key.
    AttemptId,
    /// A List of contacts, or a suppression list.
    ListId,
    /// One Contact in one List or batch.
    ContactId,
    /// An AgentGroup.
    AgentGroupId,
    /// A ComplianceRule.
    RuleId,
    /// An API key.
    ApiKeyId,
    /// A Job: background work.
    JobId,
    /// One line of the audit trail.
    SystemEventId,
    /// An InboundDevice.
    InboundDeviceId,
    /// An Event.
    EventId,
    /// A Subscription.
    SubscriptionId,
    /// A Webhook.
    WebhookId,
    /// A WebhookDelivery. It is also the `webhook-id` by which the receiver knows a repetition.
    WebhookDeliveryId,
}

/// Reads the digits of an internalId: 1 to 19 decimal digits that fit 63 bits.
pub fn parse_digits(text: &str) -> Option<i64> {
    let all_digits =
        !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse_digits;

    #[test]
    fn digits_are_bounded() {
        assert_eq!(parse_digits("42"), Some(42));
        assert_eq!(parse_digits("9223372036854775807"), Some(i64::MAX));
        for bad in [
            "",
            "-1",
            "+1",
            " 1",
            "1.0",
            "9223372036854775808",
            "12345678901234567890",
            "١",
        ] {
            assert_eq!(parse_digits(bad), None, "{bad}");
        }
    }
}
