//! Orgs: SuperEnterprise > Enterprise > Account. An Enterprise has a master account that owns what it shares.

use crate::entity::{Attributes, Base};
use crate::{CallRecording, CampaignId, OrgId, OrgType, StrategyId, TimeZoneSource};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An Org (`entities.md` 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Org {
    /// Base fields.
    pub base: Base,
    /// Its kind, fixed.
    pub org_type: OrgType,
    /// Its parent; none for the SuperEnterprise.
    pub parent: Option<OrgId>,
    /// Display name.
    pub name: String,
    /// Free context, kept as sent.
    pub preferences: Attributes,
    /// What it sets itself; what it does not set comes from its parent.
    pub settings: Settings,
}

crate::entity!(Org, Org, OrgId, |org| org
    .parent
    .map_or(0, |parent| parent.0));

/// Settings of an Org. None = as the parent has it; the resolved form is [`Resolved`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Logins and outreach allowed.
    pub enabled: Option<bool>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// IANA zone of reports.
    pub report_time_zone: Option<String>,
    /// ISO 3166-1 country by which phone numbers are read.
    pub country_code: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// Character set of imports.
    pub charset: Option<String>,
    /// Phone shown to the people called.
    pub default_caller_id: Option<String>,
    /// Start of the daily contact hours, local to the contact.
    pub first_contact_time: Option<Time>,
    /// End of the daily contact hours.
    pub last_contact_time: Option<Time>,
    /// Nothing leaves the system.
    pub emulate_outreach: Option<bool>,
    /// Recording of calls.
    pub call_recording: Option<CallRecording>,
    /// Name shown to users.
    pub application_name: Option<String>,
    /// Version of the user interface, as account managers see it.
    pub account_manager_ui_version: Option<String>,
    /// Campaign of batches that name none.
    pub default_campaign: Option<CampaignId>,
    /// Strategy of batches that name none.
    pub default_on_demand_strategy: Option<StrategyId>,
    /// The master account of an Enterprise.
    pub master_account: Option<OrgId>,
    /// Regular expression that imported Client IDs match.
    pub client_id_format: Option<String>,
    /// Zone sources that passes may use.
    pub time_zone_source_allowed: Option<Vec<TimeZoneSource>>,
    /// Caps over all passes of the Account.
    pub max_attempts_per_minute_voice: Option<u32>,
    /// See voice.
    pub max_attempts_per_minute_text: Option<u32>,
    /// See voice.
    pub max_attempts_per_minute_email: Option<u32>,
    /// Days that Lists are kept, 1 … 90; 0 = for ever.
    pub list_retention_days: Option<u32>,
    /// Days that Scripts are kept, 1 … 180; 0 = for ever.
    pub script_retention_days: Option<u32>,
    /// Days that attempts are kept, 1 … 3650; 0 = for ever.
    pub attempt_retention_days: Option<u32>,
    /// Percent of live answers that may be abandoned; 3.0 unless told.
    pub target_abandon_rate: Option<f64>,
    /// Seconds after which a connected person not bridged to an agent is abandoned; 2 unless told.
    pub abandon_call_seconds: Option<u32>,
    /// Pauses SubCampaigns that stay above the target; true unless told.
    pub compliance_mode_enabled: Option<bool>,
    /// Agents may skip a preview.
    pub preview_skip_permitted: Option<bool>,
    /// Seconds until a previewed call starts by itself, 1 … 180; 0 = it waits for the agent (unlimited).
    pub preview_countdown_seconds: Option<u32>,
    /// Agents may dial by hand.
    pub manual_dial_enabled: Option<bool>,
    /// Agents give a code when they take a break.
    pub require_break_code: Option<bool>,
    /// Minutes without a sign of life after which an agent is signed out; unless told, never.
    pub auto_sign_out_minutes: Option<u32>,
    /// Contact payloads are encrypted at rest.
    pub secure: Option<bool>,
    /// Networks (CIDR) that may use the form POST addresses; unless told, any.
    pub post_api_allowed_addresses: Option<Vec<String>>,
    /// Limits of `api.md` 1.10 by name, where they differ from the parent's.
    pub limits: BTreeMap<String, i64>,
}

impl Settings {
    /// These settings, with what they leave open taken from `parent` (already resolved the same way).
    /// masterAccount, defaultCampaign and defaultOnDemandStrategy belong to one Org and are never inherited.
    #[must_use]
    pub fn over(&self, parent: &Settings) -> Settings {
        let own = self.clone();
        let mut limits = parent.limits.clone();
        limits.extend(own.limits);
        Settings {
            enabled: Some(own.enabled.unwrap_or(true) && parent.enabled.unwrap_or(true)),
            time_zone: own.time_zone.or_else(|| parent.time_zone.clone()),
            report_time_zone: own
                .report_time_zone
                .or_else(|| parent.report_time_zone.clone()),
            country_code: own.country_code.or_else(|| parent.country_code.clone()),
            locale: own.locale.or_else(|| parent.locale.clone()),
            charset: own.charset.or_else(|| parent.charset.clone()),
            default_caller_id: own
                .default_caller_id
                .or_else(|| parent.default_caller_id.clone()),
            first_contact_time: own.first_contact_time.or(parent.first_contact_time),
            last_contact_time: own.last_contact_time.or(parent.last_contact_time),
            emulate_outreach: own.emulate_outreach.or(parent.emulate_outreach),
            call_recording: own.call_recording.or(parent.call_recording),
            application_name: own
                .application_name
                .or_else(|| parent.application_name.clone()),
            account_manager_ui_version: own
                .account_manager_ui_version
                .or_else(|| parent.account_manager_ui_version.clone()),
            default_campaign: own.default_campaign,
            default_on_demand_strategy: own.default_on_demand_strategy,
            master_account: own.master_account,
            client_id_format: own
                .client_id_format
                .or_else(|| parent.client_id_format.clone()),
            time_zone_source_allowed: own
                .time_zone_source_allowed
                .or_else(|| parent.time_zone_source_allowed.clone()),
            max_attempts_per_minute_voice: own
                .max_attempts_per_minute_voice
                .or(parent.max_attempts_per_minute_voice),
            max_attempts_per_minute_text: own
                .max_attempts_per_minute_text
                .or(parent.max_attempts_per_minute_text),
            max_attempts_per_minute_email: own
                .max_attempts_per_minute_email
                .or(parent.max_attempts_per_minute_email),
            list_retention_days: own.list_retention_days.or(parent.list_retention_days),
            script_retention_days: own.script_retention_days.or(parent.script_retention_days),
            attempt_retention_days: own.attempt_retention_days.or(parent.attempt_retention_days),
            target_abandon_rate: own.target_abandon_rate.or(parent.target_abandon_rate),
            abandon_call_seconds: own.abandon_call_seconds.or(parent.abandon_call_seconds),
            compliance_mode_enabled: own
                .compliance_mode_enabled
                .or(parent.compliance_mode_enabled),
            preview_skip_permitted: own.preview_skip_permitted.or(parent.preview_skip_permitted),
            preview_countdown_seconds: own
                .preview_countdown_seconds
                .or(parent.preview_countdown_seconds),
            manual_dial_enabled: own.manual_dial_enabled.or(parent.manual_dial_enabled),
            require_break_code: own.require_break_code.or(parent.require_break_code),
            auto_sign_out_minutes: own.auto_sign_out_minutes.or(parent.auto_sign_out_minutes),
            secure: own.secure.or(parent.secure),
            post_api_allowed_addresses: own
                .post_api_allowed_addresses
                .or_else(|| parent.post_api_allowed_addresses.clone()),
            limits,
        }
    }

    /// IANA zone of the Org: its own, else its parent's, else UTC.
    pub fn zone_name(&self) -> &str {
        self.time_zone.as_deref().unwrap_or("UTC")
    }

    /// Country by which phone numbers are read.
    pub fn country(&self) -> &str {
        self.country_code.as_deref().unwrap_or("US")
    }

    /// Daily contact hours [first, last), local to the contact.
    pub fn contact_hours(&self) -> (Time, Time) {
        (
            self.first_contact_time
                .unwrap_or(jiff::civil::time(8, 0, 0, 0)),
            self.last_contact_time
                .unwrap_or(jiff::civil::time(21, 0, 0, 0)),
        )
    }

    /// A limit of `api.md` 1.10 by name, or its default.
    pub fn limit(&self, name: &str, default: usize) -> usize {
        self.limits
            .get(name)
            .map_or(default, |limit| usize::try_from(*limit).unwrap_or(0))
    }
}

/// An Org with the chain above it and its settings resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The Org itself.
    pub org: Org,
    /// Its ancestors, nearest first.
    pub ancestors: Vec<Org>,
    /// Its settings with everything inherited.
    pub settings: Settings,
}

impl Resolved {
    /// Resolves the settings of `org` under `ancestors` (nearest first).
    pub fn new(org: Org, ancestors: Vec<Org>) -> Self {
        let settings = ancestors
            .iter()
            .rev()
            .chain([&org])
            .fold(Settings::default(), |above, below| {
                below.settings.over(&above)
            });
        Self {
            org,
            ancestors,
            settings,
        }
    }

    /// The ids of the Org and its ancestors, nearest first: whoever owns a rule in this chain binds the Org.
    pub fn chain(&self) -> impl Iterator<Item = OrgId> + '_ {
        std::iter::once(OrgId(self.org.base.internal_id))
            .chain(self.ancestors.iter().map(|org| OrgId(org.base.internal_id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_inherited_and_disabling_reaches_down() {
        let parent = Settings {
            enabled: Some(false),
            time_zone: Some("Europe/Paris".into()),
            target_abandon_rate: Some(2.5),
            abandon_call_seconds: Some(2),
            post_api_allowed_addresses: Some(vec!["192.0.2.0/24".into()]),
            ..Settings::default()
        };
        let own = Settings {
            enabled: Some(true),
            country_code: Some("FR".into()),
            abandon_call_seconds: Some(3),
            ..Settings::default()
        };
        let resolved = own.over(&parent);
        assert_eq!(resolved.enabled, Some(false));
        assert_eq!(resolved.zone_name(), "Europe/Paris");
        assert_eq!(resolved.country(), "FR");
        assert_eq!(resolved.target_abandon_rate, Some(2.5));
        assert_eq!(resolved.abandon_call_seconds, Some(3));
        assert_eq!(
            resolved.post_api_allowed_addresses,
            parent.post_api_allowed_addresses
        );
    }
}
