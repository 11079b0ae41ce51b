//! Passes on the wire (`entities.md` 4.4): parts of a strategy or SubCampaign.

use super::{Names, boolean, double, integer, moment, phone, text, time, word, words};
use crate::check::Findings;
use crate::context::Context;
use crate::fault::{Outcome, Row};
use crate::shape::form::Bound;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::tree::View;
use crate::value::{Object, Value, id};
use carillon_model::org::Resolved;
use carillon_model::pass::{LOCAL, Pass, RetryRule};
use carillon_model::script::Script;
use carillon_model::{
    AcceptContactsFrom, AcceptPhoneNumbers, AttemptResult, ChannelType, DayOfWeek, OnMachine,
    OrgId, PacingType, PassId, ScriptId, TimeZoneSource,
};
use carillon_store::Snapshot;

const VOICE_RESULTS: &[&str] = &[
    "NotAttempted",
    "NotAttemptedSkip",
    "Busy",
    "NoAnswer",
    "NotConnected",
    "BadDevice",
    "HangUpOnMachine",
    "UndeliveredMachine",
    "DeliveredMachine",
    "DeliveredPerson",
    "DeliveredWithoutSuccess",
    "Abandoned",
    "Unknown",
    "Filtered",
];
const TEXT_RESULTS: &[&str] = &["NotAttempted", "Failed", "Success", "Unknown", "Filtered"];
const SCRIPT_RESULTS: &[&str] = &["NotAttempted", "Failed", "Success"];
const DEVICES: &[&str] = &[
    "Device1", "Device2", "Device3", "Device4", "Device5", "Device6", "Device7", "Device8",
    "Device9", "Home", "Work", "Mobile", "Email",
];

/// A RetryRule.
pub static RETRY_RULE: Shape = Shape::plain(
    "retryRule",
    "When to try again after a result.",
    Family::Top,
    &[
        Field::new(
            "result",
            Type::Words(AttemptResult::TEXTS),
            "After this result.",
        )
        .must()
        .g(),
        Field::new("maxRetries", Type::Integer(0, 20), "How often.")
            .must()
            .g(),
        Field::new(
            "intervalMinutes",
            Type::Integer(1, 1_440),
            "After how many minutes.",
        )
        .must()
        .g(),
    ],
);

/// A Pass.
pub static PASS: Shape = Shape {
    identity: Identity::None,
    rule: Some(fields_together),
    ..Shape::plain(
        "pass",
        "One round of attempts: channel, window, retries, pace.",
        Family::Top,
        &[
            Field::new("internalId", Type::Id, "Its id."),
            Field::new("name", Type::Name, "Unique in its parent.")
                .cg()
                .or("Pass <n>"),
            Field::new("channel", Type::Channel, "How people are reached.")
                .must()
                .g(),
            Field::new(
                "devices",
                Type::Words(DEVICES),
                "Tried in order; CallPassBased only.",
            )
            .many(13)
            .cg()
            .or("all that fit, in contact order"),
            Field::new(
                "acceptPhoneNumbers",
                Type::Words(AcceptPhoneNumbers::TEXTS),
                "Lines it may use; an unknown line type passes every filter.",
            )
            .cg()
            .or("LandlineAndWireless"),
            Field::new(
                "acceptContactsFrom",
                Type::Words(AcceptContactsFrom::TEXTS),
                "Whose results the accept sets look at, from the second pass on.",
            )
            .cg()
            .or("AllPasses"),
            Field::new(
                "acceptVoiceResults",
                Type::Words(VOICE_RESULTS),
                "Accepted last results on voice passes.",
            )
            .many(20)
            .cg(),
            Field::new(
                "acceptTextResults",
                Type::Words(TEXT_RESULTS),
                "Accepted last results on text passes.",
            )
            .many(20)
            .cg(),
            Field::new(
                "acceptEmailResults",
                Type::Words(TEXT_RESULTS),
                "Accepted last results on e-mail passes.",
            )
            .many(20)
            .cg(),
            Field::new(
                "acceptScriptResults",
                Type::Words(SCRIPT_RESULTS),
                "Accepted last results of scripts.",
            )
            .many(20)
            .cg(),
            Field::new(
                "script",
                Type::Entity(&super::script::SCRIPT),
                "Overrides the SubCampaign's Script.",
            )
            .cg(),
            Field::new(
                "daysToWait",
                Type::Integer(0, 365),
                "Allowed days to wait after the previous pass.",
            )
            .cg()
            .or("0"),
            Field::new(
                "allowedDays",
                Type::Words(DayOfWeek::TEXTS),
                "Days on which its window opens.",
            )
            .many(7)
            .cg()
            .or("all seven"),
            Field::new("startTime", Type::Time, "Window start.")
                .cg()
                .or("Org firstContactTime"),
            Field::new(
                "endTime",
                Type::Time,
                "Window end, exclusive; end before or at the start runs into the next day.",
            )
            .cg()
            .or("Org lastContactTime"),
            Field::new("timeZone", Type::ZoneOrLocal, "Local, or an IANA zone.")
                .cg()
                .or("Local"),
            Field::new(
                "timeZoneSource",
                Type::Words(TimeZoneSource::TEXTS),
                "Where the zone of Local comes from.",
            )
            .cg()
            .or("ContactThenDevice"),
            Field::new(
                "windowDays",
                Type::Integer(1, 30),
                "Allowed days on which the window opens for a contact.",
            )
            .cg()
            .or("1"),
            Field::new("callerID", Type::Phone, "Voice: phone shown.")
                .cg()
                .or("Campaign's"),
            Field::new(
                "directConnectPhoneNumber",
                Type::Phone,
                "Where a connected person is sent.",
            )
            .cg(),
            Field::new(
                "sourceAddress",
                Type::Text(254),
                "Text: short code or number; e-mail: from address.",
            )
            .cg()
            .or("Campaign's"),
            Field::new(
                "leaveMessage",
                Type::Boolean,
                "Leave a message on a machine.",
            )
            .cg()
            .or("false"),
            Field::new(
                "onMachine",
                Type::Words(OnMachine::TEXTS),
                "What to do with a machine when no message is left.",
            )
            .cg()
            .or("HangUp"),
            Field::new(
                "maxRingSeconds",
                Type::Integer(15, 120),
                "How long it rings.",
            )
            .cg()
            .or("30"),
            Field::new(
                "maxAttempts",
                Type::Integer(1, 20),
                "Attempts per contact in this pass.",
            )
            .cg()
            .or("1"),
            Field::new(
                "retryRules",
                Type::Entity(&RETRY_RULE),
                "At most one per result.",
            )
            .whole()
            .many(20)
            .cg(),
            Field::new(
                "pacing",
                Type::Words(PacingType::TEXTS),
                "How its rate is found.",
            )
            .cg()
            .or("Auto"),
            Field::new("pacingPriority", Type::Integer(1, 10), "Weight.")
                .cg()
                .or("5"),
            Field::new("contactsPerMinute", Type::Rate, "Rate; Fixed only.").cg(),
            Field::new("maxContactsPerMinute", Type::Rate, "Cap in every mode.").cg(),
            Field::new("completionTime", Type::DateTime, "Goal of Auto.")
                .cg()
                .or("close of the last window"),
        ],
    )
};

fn fields_together(view: View<'_>, findings: &mut Findings) {
    let Some(channel) = view
        .text("channel")
        .and_then(|text| ChannelType::parse_wire(text.trim()))
    else {
        return;
    };
    let pacing = word!(view, "pacing", PacingType);
    let legal = match (channel, pacing) {
        (ChannelType::Manual | ChannelType::Web, pacing) => pacing.is_none(),
        (_, None | Some(PacingType::Fixed)) => true,
        (
            ChannelType::Voice | ChannelType::Dialer | ChannelType::Preview,
            Some(PacingType::Agent),
        ) => true,
        (ChannelType::Voice | ChannelType::Text | ChannelType::Email, Some(PacingType::Auto)) => {
            true
        }
        _ => false,
    };
    if !legal {
        findings.add(
            Row::DR,
            || view.path_to("pacing"),
            "this pacing does not go with this channel",
        );
    }
    match (
        pacing == Some(PacingType::Fixed),
        view.has("contactsPerMinute"),
    ) {
        (true, false) => findings.add(
            Row::DR,
            || view.path_to("contactsPerMinute"),
            "pacing Fixed needs a rate",
        ),
        (false, true) => findings.add(
            Row::DR,
            || view.path_to("contactsPerMinute"),
            "a rate goes with pacing Fixed only",
        ),
        _ => {}
    }
    retry_rules(view, channel, findings);
}

fn retry_rules(view: View<'_>, channel: ChannelType, findings: &mut Findings) {
    let mut seen = Vec::new();
    for rule in view.items("retryRules") {
        let Some(result) = word!(rule, "result", AttemptResult) else {
            continue;
        };
        if !result.is_of(channel.result_kind()) || result.is_delivered() {
            findings.add(
                Row::DV,
                || rule.path_to("result"),
                "not a result that this channel repeats",
            );
        }
        let calls = matches!(
            channel,
            ChannelType::Voice | ChannelType::Dialer | ChannelType::Preview
        );
        if result == AttemptResult::Unknown && calls {
            findings.add(
                Row::DV,
                || rule.path_to("result"),
                "Unknown is never repeated on this channel",
            );
        }
        if seen.contains(&result) {
            findings.add(
                Row::DR,
                || rule.path_to("result"),
                "two rules for one result",
            );
        }
        seen.push(result);
    }
}

/// Reads the passes of a strategy or SubCampaign; ids are given later. `account` is where they will run.
pub fn read_all(
    context: &Context,
    snapshot: &dyn Snapshot,
    view: View<'_>,
    account: &Resolved,
) -> Outcome<Vec<Pass>> {
    let mut passes = Vec::new();
    for (index, item) in view.items("passes").enumerate() {
        passes.push(read(context, snapshot, item, index, account)?);
    }
    Ok(passes)
}

fn read(
    context: &Context,
    snapshot: &dyn Snapshot,
    view: View<'_>,
    index: usize,
    account: &Resolved,
) -> Outcome<Pass> {
    let channel = view
        .text("channel")
        .and_then(|text| ChannelType::parse_wire(text.trim()));
    let channel = channel.expect("the channel was checked");
    let name = view
        .text("name")
        .map_or_else(|| format!("Pass {}", index + 1), carillon_model::name::tidy);
    let mut pass = Pass::new(PassId(0), name, channel);
    let country = account.settings.country();
    pass.devices = view
        .items("devices")
        .filter_map(|item| item.scalar())
        .filter_map(|sent| {
            DEVICES
                .iter()
                .find(|word| word.eq_ignore_ascii_case(sent.trim()))
        })
        .map(|word| (*word).to_owned())
        .collect();
    if let Some(word) = word!(view, "acceptPhoneNumbers", AcceptPhoneNumbers) {
        pass.accept_phone_numbers = word;
    }
    if let Some(word) = word!(view, "acceptContactsFrom", AcceptContactsFrom) {
        pass.accept_contacts_from = word;
    }
    pass.accept_voice_results = words!(view, "acceptVoiceResults", AttemptResult);
    pass.accept_text_results = words!(view, "acceptTextResults", AttemptResult);
    pass.accept_email_results = words!(view, "acceptEmailResults", AttemptResult);
    pass.accept_script_results = words!(view, "acceptScriptResults", AttemptResult);
    pass.script = match view.get("script") {
        Some(script) => {
            let owner = OrgId(account.org.base.internal_id);
            Some(ScriptId(
                context
                    .find::<Script>(snapshot, script, Some(owner))?
                    .entity
                    .base
                    .internal_id,
            ))
        }
        None => None,
    };
    timeframe(context, view, &mut pass, account);
    pass.caller_id = phone(view, "callerID", country)?;
    pass.direct_connect_phone_number = phone(view, "directConnectPhoneNumber", country)?;
    pass.source_address = text(view, "sourceAddress");
    pass.leave_message = boolean(view, "leaveMessage").unwrap_or(false);
    if let Some(word) = word!(view, "onMachine", OnMachine) {
        pass.on_machine = word;
    }
    pass.max_ring_seconds = integer(view, "maxRingSeconds").unwrap_or(pass.max_ring_seconds);
    pass.max_attempts = integer(view, "maxAttempts").unwrap_or(pass.max_attempts);
    pass.retry_rules = view
        .items("retryRules")
        .filter_map(|rule| {
            Some(RetryRule {
                result: word!(rule, "result", AttemptResult)?,
                max_retries: integer(rule, "maxRetries")?,
                interval_minutes: integer(rule, "intervalMinutes")?,
            })
        })
        .collect();
    if let Some(word) = word!(view, "pacing", PacingType) {
        pass.pacing = Some(word);
    } else if pass.pacing.is_some() {
        // Auto is the default where it is legal; a dialer or preview pass is paced by its agents.
        let calls = matches!(channel, ChannelType::Dialer | ChannelType::Preview);
        pass.pacing = Some(if calls {
            PacingType::Agent
        } else {
            PacingType::Auto
        });
    }
    pass.pacing_priority = integer(view, "pacingPriority").unwrap_or(pass.pacing_priority);
    pass.contacts_per_minute = double(view, "contactsPerMinute");
    pass.max_contacts_per_minute = double(view, "maxContactsPerMinute");
    Ok(pass)
}

fn timeframe(context: &Context, view: View<'_>, pass: &mut Pass, account: &Resolved) {
    pass.days_to_wait = integer(view, "daysToWait").unwrap_or(0);
    let days = words!(view, "allowedDays", DayOfWeek);
    if !days.is_empty() {
        pass.allowed_days = days;
        pass.allowed_days.sort();
        pass.allowed_days.dedup();
    }
    pass.start_time = time(view, "startTime");
    pass.end_time = time(view, "endTime");
    if let Some(zone) = view.text("timeZone") {
        pass.time_zone = super::zone_name(zone).unwrap_or_else(|| LOCAL.to_owned());
    }
    pass.time_zone_source = word!(view, "timeZoneSource", TimeZoneSource);
    pass.window_days = integer(view, "windowDays").unwrap_or(1);
    pass.completion_time = moment(view, "completionTime", context.zone(account), Bound::End);
}

/// A Pass as (K).
pub fn key(pass: &Pass) -> Object {
    Object::new(&PASS)
        .set("internalId", id(pass.id))
        .set("name", pass.name.clone())
        .set("channel", pass.channel)
}

/// Passes as (D). In a SubCampaign, `hours` are the contact hours that stand for windows without times of their own.
pub fn details(
    names: Names<'_>,
    passes: &[Pass],
    account: Option<&Resolved>,
) -> Outcome<Vec<Object>> {
    passes
        .iter()
        .enumerate()
        .map(|(index, pass)| detail(names, pass, index, account))
        .collect()
}

fn detail(
    names: Names<'_>,
    pass: &Pass,
    index: usize,
    account: Option<&Resolved>,
) -> Outcome<Object> {
    let hours = account.map(|account| account.settings.contact_hours());
    let channels = |results: &[AttemptResult]| {
        results
            .iter()
            .map(|result| result.text())
            .collect::<Vec<_>>()
    };
    let mut object = key(pass);
    object.put("devices", pass.devices.clone());
    if !pass.channel.uses_email() {
        object.put("acceptPhoneNumbers", pass.accept_phone_numbers.text());
    }
    if index > 0 {
        object.put("acceptContactsFrom", pass.accept_contacts_from.text());
    }
    object.put("acceptVoiceResults", channels(&pass.accept_voice_results));
    object.put("acceptTextResults", channels(&pass.accept_text_results));
    object.put("acceptEmailResults", channels(&pass.accept_email_results));
    object.put("acceptScriptResults", channels(&pass.accept_script_results));
    if let Some(script) = pass.script {
        object.put("script", names.script_key(script)?);
    }
    object.put("daysToWait", pass.days_to_wait);
    object.put(
        "allowedDays",
        pass.allowed_days
            .iter()
            .map(|day| day.text())
            .collect::<Vec<_>>(),
    );
    object.put(
        "startTime",
        pass.start_time.or(hours.map(|(first, _)| first)),
    );
    object.put("endTime", pass.end_time.or(hours.map(|(_, last)| last)));
    object.put("timeZone", pass.time_zone.clone());
    object.put(
        "timeZoneSource",
        pass.time_zone_source.map(TimeZoneSource::text),
    );
    object.put("windowDays", pass.window_days);
    object.put("callerID", pass.caller_id.clone());
    object.put(
        "directConnectPhoneNumber",
        pass.direct_connect_phone_number.clone(),
    );
    object.put("sourceAddress", pass.source_address.clone());
    if pass.channel.result_kind() == carillon_model::ResultKind::Voice {
        object.put("leaveMessage", pass.leave_message);
        object.put("onMachine", pass.on_machine.text());
        object.put("maxRingSeconds", pass.max_ring_seconds);
    }
    object.put("maxAttempts", pass.max_attempts);
    let rules = pass.retry_rules.iter().map(|rule| {
        Object::new(&RETRY_RULE)
            .set("result", rule.result.text())
            .set("maxRetries", rule.max_retries)
            .set("intervalMinutes", rule.interval_minutes)
    });
    object.put(
        "retryRules",
        Value::Many(rules.map(Value::Object).collect()),
    );
    object.put("pacing", pass.pacing.map(PacingType::text));
    object.put("pacingPriority", pass.pacing_priority);
    object.put("contactsPerMinute", pass.contacts_per_minute);
    object.put("maxContactsPerMinute", pass.max_contacts_per_minute);
    object.put("completionTime", pass.completion_time);
    Ok(object)
}
