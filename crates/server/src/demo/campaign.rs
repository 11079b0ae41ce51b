//! What the demo asks of the JSON door: settings, lists, rules, a Script, a strategy, a Campaign, a SubCampaign.

use super::now;
use crate::client::Client;
use crate::command::Failure;
use carillon_model::{ListId, OrgId, SubCampaignId};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Countries that a rule closes: yesterday, today and tomorrow by everybody's calendar.
const CLOSED: [&str; 2] = ["DE", "SE"];
/// People who asked not to be called, before the campaign.
const SUPPRESSED: [&str; 3] = ["+447700900000", "+447700900010", "+447700900020"];
/// What the campaign says.
const SOURCE: &str = r#"<text description="Appointment reminder">
  <message>Hello {{ contact.firstName }}, {{ account.name }} expects you on {{ contact.other1 }}. Reply STOP to end.</message>
</text>"#;

/// The lists of the demo.
pub struct Lists {
    /// People to reach.
    pub people: ListId,
}

/// How far the SubCampaign is.
pub struct State {
    /// Contacts that may be attempted.
    pub available: u64,
    /// See the counters.
    pub delivered: u64,
    /// See the counters.
    pub failed: u64,
    /// See the counters.
    pub active: u64,
    /// See the counters.
    pub filtered: u64,
    /// Contacts in the queue.
    pending: u64,
    /// Attempts that the engine expects within this clock hour.
    this_hour: u64,
    state: String,
}

impl State {
    /// Whether nothing moves: no attempt is out, and whoever waits waits for another hour.
    pub fn is_at_rest(&self) -> bool {
        let is_loaded = self.state != "Loading" && self.available + self.filtered > 0;
        is_loaded && self.active == 0 && (self.pending == 0 || self.this_hour == 0)
    }
}

/// Account hours all day, people to spare, the rule that closes two countries.
pub fn prepare(client: &Client, enterprise: OrgId, account: OrgId) -> Result<Lists, Failure> {
    let org = reference(account.0);
    let hours = json!({"attributes": {"firstContactTime": "00:00", "lastContactTime": "00:00", "countryCode": "US"}});
    client.call("PATCH", &format!("/api/v1/orgs/{account}"), Some(&hours))?;
    let people = json!({"list": {"externalId": "People"}, "owner": org_entity(account)});
    let people = id(&client.call("POST", "/api/v1/lists", Some(&people))?)?;
    let never = json!({"list": {"externalId": "Never call", "type": "Suppression", "required": true}, "owner": org_entity(account)});
    let never = id(&client.call("POST", "/api/v1/lists", Some(&never))?)?;
    let entries: Vec<Value> = SUPPRESSED
        .iter()
        .map(|device| json!({"device": device, "reason": "asked by letter"}))
        .collect();
    client.call(
        "POST",
        &format!("/api/v1/lists/{never}/suppressions"),
        Some(&json!({ "entries": entries })),
    )?;
    close_countries(client, enterprise)?;
    let script = json!({"name": "Reminder", "contentNames": ["reminder.xml"], "contentData": [base64(SOURCE)], "org": org});
    client.call("POST", "/api/v1/scripts", Some(&script))?;
    Ok(Lists {
        people: ListId(people),
    })
}

/// One Date rule for each closed day, since the days of a rule lie in one year. The campaign does not depend on the hour
/// at which it is started: wherever it is yesterday or tomorrow already, the countries are closed too.
fn close_countries(client: &Client, enterprise: OrgId) -> Result<(), Failure> {
    let today = TimeZone::UTC.to_datetime(now().timestamp()).date();
    for days in -1..=1 {
        let date = today.checked_add(days.days())?;
        let elements: Vec<Value> = CLOSED
            .iter()
            .map(|region| json!({"date": date.to_string(), "region": region}))
            .collect();
        let rule = json!({"externalId": format!("Holiday {date}"), "type": "Date", "required": true, "elements": elements});
        let body = json!({"complianceRule": rule, "org": reference(enterprise.0)});
        client.call("POST", "/api/v1/compliance-rules", Some(&body))?;
    }
    Ok(())
}

/// A text pass round the clock over a week, two retries; then the SubCampaign.
pub fn launch(client: &Client, account: OrgId, lists: &Lists) -> Result<SubCampaignId, Failure> {
    let org = reference(account.0);
    let pass = json!({
        "name": "Text", "channel": "text", "sourceAddress": "55555",
        "startTime": "00:00", "endTime": "00:00", "windowDays": 7,
        "maxAttempts": 2, "retryRules": [{"result": "Failed", "maxRetries": 1, "intervalMinutes": 1}],
        "pacing": "Fixed", "contactsPerMinute": 6000,
    });
    let script = json!({"externalId": "Reminder", "owner": org});
    let strategy = json!({"outreachStrategy": {"externalId": "Text once, again after a failure", "script": script, "passes": [pass]}, "org": org});
    let strategy = id(&client.call("POST", "/api/v1/outreach-strategies", Some(&strategy))?)?;
    let campaign = json!({"campaign": {"externalId": "Appointments", "description": "Reminders by text", "defaultStrategy": reference(strategy)}, "org": org});
    let campaign = id(&client.call("POST", "/api/v1/campaigns", Some(&campaign))?)?;
    let run = json!({"subCampaign": {"campaign": reference(campaign), "externalId": "Appointments today"}, "list": reference(lists.people.0), "org": org});
    let run = id(&client.call("POST", "/api/v1/sub-campaigns", Some(&run))?)?;
    println!(
        "Campaign      Appointments, SubCampaign {run}; closed by a rule: {}",
        CLOSED.join(", ")
    );
    Ok(SubCampaignId(run))
}

/// Asks for the state of the SubCampaign.
pub fn state(client: &Client, run: SubCampaignId) -> Result<State, Failure> {
    let answer = client.call("GET", &format!("/api/v1/sub-campaigns/{run}/state"), None)?;
    let data = &answer["data"];
    let count = |name: &str| {
        data["attributes"][name]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    let (delivered, failed) = (count("deliveredCount"), count("failedCount"));
    Ok(State {
        available: delivered + failed + count("notAttemptedCount"),
        delivered,
        failed,
        active: count("activeCount"),
        filtered: count("filteredCount"),
        pending: count("pendingCount"),
        this_hour: count("thisHourContacts"),
        state: data["state"].as_str().unwrap_or_default().to_owned(),
    })
}

fn reference(id: i64) -> Value {
    json!({ "internalId": id.to_string() })
}

/// An Org where the declared type is the base type.
fn org_entity(id: OrgId) -> Value {
    json!({"entityType": "Org", "internalId": id.to_string()})
}

fn id(answer: &Value) -> Result<i64, Failure> {
    let id = answer["data"]["internalId"]
        .as_str()
        .and_then(|digits| digits.parse().ok());
    id.ok_or_else(|| format!("no internalId in {answer}").into())
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
