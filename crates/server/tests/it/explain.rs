//! The engine's own runs explained: from the command line, and for everybody of a run that has ended.

use crate::support::{Installation, binary, launch, people, set_up, wait_until};
use serde_json::{Value, json};

#[test]
fn everybody_of_a_run_that_ended_has_a_reason_that_the_counters_know() {
    let installation = Installation::new();
    let mut csv = people(40);
    csv += "C-bare,,+1 201 555 0199\n";
    installation.import("People", &csv);
    let server = installation.serve("");
    let emulate = json!({"attributes": {"emulateOutreach": "true"}});
    let account = format!("/api/v1/orgs/{}", installation.text("account"));
    server.call("PATCH", &account, &emulate);
    let pace = json!({"pacing": "Fixed", "contactsPerMinute": 60_000});
    let campaign = set_up(
        &server,
        &installation,
        "Hello {{ contact.firstName }}",
        &pace,
    );
    let run = launch(&server, &installation, &campaign, "People");
    wait_until("the campaign is done", || server.state(&run) == "Done");

    for index in 0..40 {
        let path = format!("/api/v1/sub-campaigns/{run}/contacts/C-{index:05}:explain");
        let told = server.call("GET", &path, &Value::Null);
        assert_eq!(told["state"], "Done", "{told}");
        assert_eq!(told["reason"], "Delivered", "{told}");
        assert_eq!(told["attempts"].as_array().map(Vec::len), Some(1), "{told}");
    }
    let path = format!("/api/v1/sub-campaigns/{run}:reasons");
    let whole = server.call("GET", &path, &Value::Null);
    let rows: Vec<(&Value, &Value)> = whole["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (&row["state"], &row["contacts"]))
        .collect();
    assert_eq!(
        rows,
        [
            (&json!("Filtered"), &json!(1)),
            (&json!("Done"), &json!(40))
        ],
        "{whole}"
    );

    let asked = json!({"subCampaign": {"internalId": run}, "contact": {"externalId": "C-bare"}});
    let output = binary()
        .args(["call", "--server", &server.url, "--key", &server.secret])
        .args(["explainContact", &asked.to_string()])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["data"]["state"], "Filtered", "{told}");
    assert_eq!(told["data"]["reason"], "MissingField", "{told}");
}
