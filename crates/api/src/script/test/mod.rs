//! testScript: JSON door only.

use crate::context::Context;
use crate::entity::contact::{self, CONTACT};
use crate::entity::script::{SCRIPT, SCRIPT_TEST, SCRIPT_TEST_LINE};
use crate::fault::{Fault, Outcome, Row, Stop};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::{Answer, Object};
use carillon_admission::Speaker;
use carillon_model::campaign::Campaign;
use carillon_model::entity::Base;
use carillon_model::script::Script;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AttemptId, AttemptResult, CampaignId, Direction, EscalationType, OrgId, ScriptId,
    SubCampaignType, TimeZoneSource, UserId,
};
use carillon_script::test::{Input, TestError, run_test};
use carillon_store::Snapshot;
use serde_json::json;

/// testScript.
pub static METHOD: Method = Method {
    name: "testScript",
    service: Service::ContactManagement,
    soap: false,
    doc: "Runs a Script against a made-up contact and a list of inputs, in virtual time and without any carrier. An input is a \
          reply, or the word silence. Answers the transcript, the answers taken and the result.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("script", Type::Entity(&SCRIPT), "The Script.").required(),
        Field::new("contact", Type::Entity(&CONTACT), "The contact.")
            .made()
            .c(),
        Field::new("inputs", Type::Raw, "What the contact does.")
            .many(100)
            .c(),
    ]),
    output: Output::One(&SCRIPT_TEST),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/scripts/{script}:test").status(200),
    run: Run::Read(handle),
    example: || {
        json!({
            "script": { "internalId": "300" },
            "contact": { "externalId": "C-1", "devices": [{ "externalId": "+12075550111" }], "attributes": { "firstName": "Ann" } },
            "inputs": ["C"]
        })
    },
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("script").expect("stage 1 found it");
    let script = context.find::<Script>(snapshot, view, None)?.entity;
    let account = context.owner(snapshot, script.owner)?;
    let contents = snapshot.script_contents(ScriptId(script.base.internal_id))?;
    let parsed = carillon_script::Script::parse(&contents).map_err(|error| {
        Stop::Internal(format!(
            "the stored Script {} cannot be read: {error}",
            script.base.internal_id
        ))
    })?;
    let person = arguments
        .get("contact")
        .map(|view| contact::read(view, account.settings.country()))
        .unwrap_or_default();
    let (campaign, sub_campaign) = made_up(context, &script);
    let speaker = Speaker {
        account: &account,
        campaign: &campaign,
        sub_campaign: &sub_campaign,
        contact: &person,
        device: person.devices.first(),
        channel: script.channel,
        attempt: AttemptId(0),
        number: 1,
        zone: person
            .attribute("timeZone")
            .and_then(carillon_model::zone::Zone::named),
        now: context.now,
    };
    let inputs: Vec<Input> = arguments
        .items("inputs")
        .filter_map(View::scalar)
        .map(Input::parse)
        .collect();
    match run_test(&parsed, &speaker, &inputs, context.now) {
        Ok(test) => Ok(Answer::one(answer(&test))),
        Err(TestError::Render(error)) => {
            let reason = match &error {
                carillon_script::RenderError::MissingField(_) => "MissingField",
                _ => "Unfit",
            };
            let line = Object::new(&SCRIPT_TEST_LINE)
                .set("time", context.now)
                .set("speaker", "System")
                .set("text", error.to_string());
            Ok(Answer::one(
                Object::new(&SCRIPT_TEST)
                    .set("transcript", vec![line])
                    .set("reason", reason),
            ))
        }
        Err(error @ TestError::TooManyInputs) => {
            Err(Fault::of(Row::SA, arguments.path_to("inputs"), error.to_string()).into())
        }
    }
}

fn answer(test: &carillon_script::test::ScriptTest) -> Object {
    let lines: Vec<Object> = test
        .transcript
        .iter()
        .map(|line| {
            Object::new(&SCRIPT_TEST_LINE)
                .set("time", line.at)
                .set(
                    "speaker",
                    if line.direction == Direction::Outbound {
                        "Script"
                    } else {
                        "Contact"
                    },
                )
                .set("text", line.text.clone())
                .set("parts", line.parts.map(|parts| parts as i64))
        })
        .collect();
    Object::new(&SCRIPT_TEST)
        .set("transcript", lines)
        .set("answers", test.answers.clone())
        .set("result", test.result.map(AttemptResult::text))
}

/// A Campaign and SubCampaign that exist for the test only.
fn made_up(context: &Context, script: &Script) -> (Campaign, SubCampaign) {
    let base = Base::new(
        0,
        "Test",
        context.now,
        UserId(context.caller.user.base.internal_id),
    );
    let campaign = Campaign {
        base: base.clone(),
        owner: script.owner,
        description: None,
        default_agent_group: None,
        default_strategy: None,
        default_script: None,
        template_sub_campaign: None,
        caller_id: None,
        source_address: None,
        suppression_lists: Vec::new(),
        compliance_rules: Vec::new(),
        start_date: None,
        end_date: None,
    };
    let sub_campaign = SubCampaign {
        base,
        campaign: CampaignId(0),
        owner: OrgId(script.owner.0),
        sub_campaign_type: SubCampaignType::Outbound,
        list: None,
        script: Some(ScriptId(script.base.internal_id)),
        agent_groups: Vec::new(),
        outreach_strategy: None,
        escalation_type: EscalationType::CallPassBased,
        passes: Vec::new(),
        intensity: 100,
        start_time: context.now,
        time_zone: "UTC".to_owned(),
        time_zone_source: TimeZoneSource::ContactThenDevice,
        filter: None,
        contact_order: Vec::new(),
        auto_start: true,
        summary_report: false,
        awaiting_hours: 0,
    };
    (campaign, sub_campaign)
}
