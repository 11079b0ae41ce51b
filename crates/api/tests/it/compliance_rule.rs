//! createComplianceRule with the types that count the past.

use crate::world::World;
use serde_json::{Value, json};

const BOSS: &str = "boss@acme.example";

fn rule(rule_type: &str, element: Value) -> Value {
    json!({ "complianceRule": { "type": rule_type, "required": true, "elements": [element] } })
}

#[tokio::test]
async fn caps_and_silences_are_made_and_shown() {
    let world = World::new().await;
    let element = json!({
        "count": 3, "period": 1, "periodUnit": "CalendarDays", "countBy": "Device", "scope": "Campaign",
        "results": ["Failed"], "region": "us-fl"
    });
    let made = world
        .json(
            BOSS,
            "POST /api/v1/compliance-rules",
            rule("Attempt", element),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = made.json()["data"]["elements"][0].clone();
    assert_eq!(shown["count"], 3);
    assert_eq!(shown["periodUnit"], "CalendarDays");
    assert_eq!(shown["countBy"], "Device");
    assert_eq!(shown["scope"], "Campaign");
    assert_eq!(shown["results"], json!(["Failed"]));
    assert_eq!(shown["region"], "US-FL");
    let silence = rule(
        "ContactHistory",
        json!({ "results": ["Success"], "period": 48 }),
    );
    let made = world
        .json(BOSS, "POST /api/v1/compliance-rules", silence)
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["data"]["type"], "ContactHistory");
    assert_eq!(
        made.json()["data"]["elements"][0],
        json!({
            "results": ["Success"], "period": 48, "periodUnit": "Hours", "countBy": "ClientId", "scope": "Owner"
        }),
        "defaults are told"
    );
}

#[tokio::test]
async fn fields_that_are_missing_or_belong_elsewhere_are_refused() {
    let world = World::new().await;
    let last = "/complianceRule/elements/0/";
    for (rule_type, element, check, field) in [
        ("Attempt", json!({ "period": 24 }), "NV", "count"),
        ("Attempt", json!({ "count": 1 }), "NV", "period"),
        (
            "Attempt",
            json!({ "count": 0, "period": 24 }),
            "DV",
            "count",
        ),
        (
            "Attempt",
            json!({ "count": 1, "period": 0 }),
            "DV",
            "period",
        ),
        (
            "Attempt",
            json!({ "count": 1, "period": 24, "allowed": true }),
            "DR",
            "allowed",
        ),
        ("ContactHistory", json!({ "period": 24 }), "NV", "results"),
        (
            "ContactHistory",
            json!({ "results": ["Success"] }),
            "NV",
            "period",
        ),
        (
            "ContactHistory",
            json!({ "results": ["Success"], "period": 24, "count": 2 }),
            "DR",
            "count",
        ),
        (
            "Location",
            json!({ "region": "US", "count": 2 }),
            "DR",
            "count",
        ),
    ] {
        let reply = world
            .json(
                BOSS,
                "POST /api/v1/compliance-rules",
                rule(rule_type, element.clone()),
            )
            .await;
        let told = reply.json();
        assert_eq!(reply.status, 400, "{rule_type} {element}: {told}");
        assert_eq!(
            (told["check"].as_str(), told["pointer"].as_str()),
            (Some(check), Some(format!("{last}{field}").as_str())),
            "{rule_type} {element}: {told}"
        );
    }
}
