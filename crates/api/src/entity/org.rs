//! Orgs on the wire (`entities.md` 3.1).

use super::{Names, phone_attribute, zone_name};
use crate::fault::{Fault, Outcome, Row};
use crate::shape::{Field, Identity, Shape, Type, form};
use crate::tree::View;
use crate::value::{Object, id, time_text};
use carillon_model::org::{Org, Settings};
use carillon_model::{CallRecording, CampaignId, OrgType, StrategyId, TimeZoneSource};

/// An Org.
pub static ORG: Shape = Shape::entity(
    "org",
    "SuperEnterprise, Enterprise or Account. An Account runs campaigns; what an Org does not set it has from its parent.",
    Identity::Org,
    Field::new("externalId", Type::Name, "Its name, unique under its parent.").must().g(),
    &[
        Field::new("type", Type::Words(OrgType::TEXTS), "Its kind, fixed.").must(),
        Field::new("parent", Type::Entity(&ORG), "Its parent; none for the SuperEnterprise.").c(),
        Field::new("name", Type::Text(64), "Display name.").cg().or("externalId"),
        Field::new("preferences", Type::Attributes, "Free context, kept as sent.").cg(),
    ],
)
.with_attributes(ATTRIBUTES)
.with_free_attributes();

const ATTRIBUTES: &[Field] = &[
    Field::new("enabled", Type::Boolean, "Logins and outreach are allowed.")
        .cg()
        .or("true"),
    Field::new("timeZone", Type::Zone, "IANA zone.")
        .cg()
        .or("parent's, UTC"),
    Field::new("reportTimeZone", Type::Zone, "IANA zone of reports.")
        .cg()
        .or("timeZone"),
    Field::new(
        "countryCode",
        Type::Text(2),
        "ISO 3166-1 country by which phone numbers are read.",
    )
    .cg()
    .or("US"),
    Field::new("locale", Type::Text(35), "BCP 47 language tag.")
        .cg()
        .or("en-US"),
    Field::new("charset", Type::Text(40), "Character set of imports.")
        .cg()
        .or("UTF-8"),
    Field::new(
        "defaultCallerID",
        Type::Phone,
        "Phone shown to the people called.",
    )
    .cg(),
    Field::new(
        "firstContactTime",
        Type::Time,
        "Start of the daily contact hours, local to the contact.",
    )
    .cg()
    .or("08:00"),
    Field::new(
        "lastContactTime",
        Type::Time,
        "End of the daily contact hours.",
    )
    .cg()
    .or("21:00"),
    Field::new(
        "emulateOutreach",
        Type::Boolean,
        "Nothing leaves the system.",
    )
    .cg()
    .or("false"),
    Field::new(
        "callRecording",
        Type::Words(CallRecording::TEXTS),
        "Recording of calls.",
    )
    .cg()
    .or("Never"),
    Field::new("applicationName", Type::Text(64), "Name shown to users.")
        .cg()
        .or("Carillon"),
    Field::new(
        "defaultCampaign",
        Type::Id,
        "Campaign of batches that name none.",
    )
    .cg(),
    Field::new(
        "defaultOnDemandStrategy",
        Type::Id,
        "OutreachStrategy of batches that name none.",
    )
    .cg(),
    Field::new(
        "masterAccount",
        Type::Id,
        "Account that owns what an Enterprise shares.",
    ),
    Field::new(
        "clientIdFormat",
        Type::Text(255),
        "Regular expression that imported Client IDs match.",
    )
    .cg(),
    Field::new(
        "timeZoneSourceAllowed",
        Type::Text(100),
        "Zone sources that passes may use, separated by commas.",
    )
    .cg()
    .or("all four"),
    Field::new(
        "maxAttemptsPerMinuteVoice",
        Type::Integer(1, 1_000_000),
        "Cap over all passes of the Account.",
    )
    .cg(),
    Field::new(
        "maxAttemptsPerMinuteText",
        Type::Integer(1, 1_000_000),
        "Cap over all passes of the Account.",
    )
    .cg(),
    Field::new(
        "maxAttemptsPerMinuteEmail",
        Type::Integer(1, 1_000_000),
        "Cap over all passes of the Account.",
    )
    .cg(),
    Field::new(
        "attemptRetentionDays",
        Type::Text(5),
        "1 to 3650 days, or never.",
    )
    .cg()
    .or("90"),
    Field::new(
        "secure",
        Type::Boolean,
        "Contact payloads are encrypted at rest.",
    )
    .c()
    .or("false"),
];

/// Names of limits that an Org may set (`api.md` 1.10).
pub const LIMITS: &[&str] = &[
    "limit.script.active",
    "limit.campaign.available",
    "limit.subCampaign.active",
    "limit.complianceRule",
    "limit.script.contents",
    "limit.script.bytes",
    "limit.contactBatch.contacts",
    "limit.contactBatch.startAheadDays",
    "limit.contactBatch.maxDurationMinutes",
    "limit.showContactAttempts",
    "limit.result.listScripts",
    "limit.result.listCampaigns",
    "limit.result.listComplianceRules",
    "limit.result.listSubCampaignStates",
    "limit.result.listContactAttempts",
    "limit.passes",
    "limit.elements",
    "limit.attributes",
    "limit.users.perCall",
    "limit.accounts",
    "limit.enterprises",
    "limit.request.perMinute",
    "api.contact.payload.block.size",
    "api.contact.queue.max",
];

/// An Org as (D).
pub fn detail(names: Names<'_>, org: &Org) -> Outcome<Object> {
    let mut object = names.base(Object::new(&ORG), &org.base)?;
    object.put("type", org.org_type.text());
    if let Some(parent) = org.parent {
        object.put("parent", names.org_key(parent)?);
    }
    object.put("name", org.name.clone());
    object.put("preferences", org.preferences.clone());
    settings(&mut object, org);
    Ok(object)
}

fn settings(object: &mut Object, org: &Org) {
    let own = &org.settings;
    let yes = |truth: Option<bool>| truth.map(|truth| truth.to_string());
    let enabled = own
        .enabled
        .or_else(|| (org.org_type != OrgType::SuperEnterprise).then_some(true));
    object.put_attribute("enabled", yes(enabled));
    object.put_attribute("timeZone", own.time_zone.clone());
    object.put_attribute("reportTimeZone", own.report_time_zone.clone());
    object.put_attribute("countryCode", own.country_code.clone());
    object.put_attribute("locale", own.locale.clone());
    object.put_attribute("charset", own.charset.clone());
    object.put_attribute("defaultCallerID", own.default_caller_id.clone());
    object.put_attribute("firstContactTime", own.first_contact_time.map(time_text));
    object.put_attribute("lastContactTime", own.last_contact_time.map(time_text));
    object.put_attribute("emulateOutreach", yes(own.emulate_outreach));
    object.put_attribute("callRecording", own.call_recording.map(CallRecording::text));
    object.put_attribute("applicationName", own.application_name.clone());
    object.put_attribute("defaultCampaign", own.default_campaign.map(id));
    object.put_attribute(
        "defaultOnDemandStrategy",
        own.default_on_demand_strategy.map(id),
    );
    object.put_attribute("masterAccount", own.master_account.map(id));
    object.put_attribute("clientIdFormat", own.client_id_format.clone());
    let sources = own.time_zone_source_allowed.as_ref();
    object.put_attribute(
        "timeZoneSourceAllowed",
        sources.map(|sources| {
            sources
                .iter()
                .map(|source| source.text())
                .collect::<Vec<_>>()
                .join(",")
        }),
    );
    object.put_attribute(
        "maxAttemptsPerMinuteVoice",
        own.max_attempts_per_minute_voice
            .map(|most| most.to_string()),
    );
    object.put_attribute(
        "maxAttemptsPerMinuteText",
        own.max_attempts_per_minute_text
            .map(|most| most.to_string()),
    );
    object.put_attribute(
        "maxAttemptsPerMinuteEmail",
        own.max_attempts_per_minute_email
            .map(|most| most.to_string()),
    );
    let days = |days: u32| {
        if days == 0 {
            "never".to_owned()
        } else {
            days.to_string()
        }
    };
    object.put_attribute("attemptRetentionDays", own.attempt_retention_days.map(days));
    object.put_attribute("secure", yes(own.secure));
    for (name, limit) in &own.limits {
        object.put_attribute(name, Some(limit.to_string()));
    }
}

/// Applies what a create or change says to the settings of an Org. Texts have been checked for their form.
pub fn apply(view: View<'_>, settings: &mut Settings, country: &str) -> Outcome<()> {
    let wrong = |name: &str, reason: &'static str| Fault::of(Row::DV, view.path_to(name), reason);
    let flag = |name: &str, slot: &mut Option<bool>| {
        if let Some(truth) = view.attribute(name).and_then(form::boolean) {
            *slot = Some(truth);
        }
    };
    flag("enabled", &mut settings.enabled);
    flag("emulateOutreach", &mut settings.emulate_outreach);
    flag("secure", &mut settings.secure);
    if let Some(country) = view.attribute("countryCode") {
        let legal = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !legal {
            return Err(wrong("countryCode", "an ISO 3166-1 code has two letters").into());
        }
        settings.country_code = Some(country.to_ascii_uppercase());
    }
    if let Some(caller_id) = phone_attribute(
        view,
        "defaultCallerID",
        settings.country_code.as_deref().unwrap_or(country),
    )? {
        settings.default_caller_id = Some(caller_id);
    }
    let zone = |name: &str, slot: &mut Option<String>| {
        if let Some(zone) = view.attribute(name).and_then(zone_name) {
            *slot = Some(zone);
        }
    };
    zone("timeZone", &mut settings.time_zone);
    zone("reportTimeZone", &mut settings.report_time_zone);
    let words = |name: &str, slot: &mut Option<String>| {
        if let Some(text) = view.attribute(name) {
            *slot = Some(text.to_owned());
        }
    };
    words("locale", &mut settings.locale);
    words("charset", &mut settings.charset);
    words("applicationName", &mut settings.application_name);
    words("clientIdFormat", &mut settings.client_id_format);
    if let Some(time) = view.attribute("firstContactTime").and_then(form::time) {
        settings.first_contact_time = Some(time);
    }
    if let Some(time) = view.attribute("lastContactTime").and_then(form::time) {
        settings.last_contact_time = Some(time);
    }
    if let Some(word) = view
        .attribute("callRecording")
        .and_then(CallRecording::parse)
    {
        settings.call_recording = Some(word);
    }
    if let Some(campaign) = view
        .attribute("defaultCampaign")
        .and_then(form::internal_id)
    {
        settings.default_campaign = Some(CampaignId(campaign));
    }
    if let Some(strategy) = view
        .attribute("defaultOnDemandStrategy")
        .and_then(form::internal_id)
    {
        settings.default_on_demand_strategy = Some(StrategyId(strategy));
    }
    if let Some(text) = view.attribute("timeZoneSourceAllowed") {
        let sources: Option<Vec<TimeZoneSource>> = text
            .split(',')
            .map(|word| TimeZoneSource::parse(word.trim()))
            .collect();
        settings.time_zone_source_allowed = Some(
            sources.ok_or_else(|| wrong("timeZoneSourceAllowed", "not a list of zone sources"))?,
        );
    }
    let cap = |name: &str, slot: &mut Option<u32>| {
        if let Some(most) = view
            .attribute(name)
            .and_then(form::integer)
            .and_then(|most| u32::try_from(most).ok())
        {
            *slot = Some(most);
        }
    };
    cap(
        "maxAttemptsPerMinuteVoice",
        &mut settings.max_attempts_per_minute_voice,
    );
    cap(
        "maxAttemptsPerMinuteText",
        &mut settings.max_attempts_per_minute_text,
    );
    cap(
        "maxAttemptsPerMinuteEmail",
        &mut settings.max_attempts_per_minute_email,
    );
    if let Some(days) = view.attribute("attemptRetentionDays") {
        settings.attempt_retention_days = Some(match days.trim() {
            "never" => 0,
            days => days
                .parse()
                .ok()
                .filter(|days| (1..=3_650).contains(days))
                .ok_or_else(|| wrong("attemptRetentionDays", "1 to 3650, or never"))?,
        });
    }
    Ok(())
}

/// Limits that a change sets; an unknown `limit.` name or a number below 0 is refused.
pub fn limits(view: View<'_>) -> Outcome<Vec<(String, i64)>> {
    let mut limits = Vec::new();
    for (name, value) in view.attributes("attributes") {
        if !name.starts_with("limit.") && !name.starts_with("api.") {
            continue;
        }
        let number = form::integer(value).filter(|number| *number >= 0);
        match number.filter(|_| LIMITS.contains(&name)) {
            Some(number) => limits.push((name.to_owned(), number)),
            None => {
                return Err(Fault::of(
                    Row::DV,
                    view.path_to(name),
                    "not a limit, or not a number from 0",
                )
                .into());
            }
        }
    }
    Ok(limits)
}
