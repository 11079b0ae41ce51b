//! What operators meet: init, start, health, metrics, stop, errors that say what to do.

use crate::support::{Installation, LOGIN, binary, launch, people, set_up, wait_until};
use serde_json::{Value, json};

#[test]
fn init_prints_ids_and_happens_once() {
    let installation = Installation::new();
    for name in [
        "superEnterprise",
        "enterprise",
        "masterAccount",
        "account",
        "user",
        "apiKey",
        "secret",
    ] {
        assert!(!installation.text(name).is_empty(), "{name}");
    }
    let again = binary()
        .args([
            "init",
            "--enterprise",
            "other",
            "--account",
            "other",
            "--user",
            LOGIN,
            "--data",
        ])
        .arg(installation.path("data"))
        .arg("--password-file")
        .arg(installation.path("password"))
        .output()
        .expect("the binary runs");
    assert!(!again.status.success());
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("installation"), "{said}");
}

#[test]
fn serving_needs_an_installation() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = binary()
        .args(["serve", "--data"])
        .arg(folder.path())
        .output()
        .expect("the binary runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("carillon init"), "{said}");
}

#[test]
fn one_server_has_the_store() {
    let installation = Installation::new();
    let server = installation.serve("");
    let second = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(installation.path("data"))
        .output()
        .expect("the binary runs");
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"));
    assert!(server.stop(), "the first one goes on and stops when asked");
}

#[test]
fn health_metrics_and_the_status_page_answer() {
    let installation = Installation::new();
    let server = installation.serve("");
    let get = |path: &str| {
        let mut answer = ureq::get(format!("{}{path}", server.url))
            .call()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        answer.body_mut().read_to_string().expect("text")
    };
    assert_eq!(get("/healthz"), "ok\n");
    assert_eq!(get("/readyz"), "ready\n");
    assert!(get("/").contains("<title>Carillon</title>"));
    let metrics = get("/metrics");
    assert!(
        metrics.contains("carillon_store_commits_total"),
        "{metrics}"
    );
    let status: Value = serde_json::from_str(&get("/status.json")).expect("JSON");
    assert_eq!(status["runs"], json!([]));
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    let installation = Installation::new();
    std::fs::write(
        installation.path("bad.toml"),
        "[server]\nlisten = \"127.0.0.1:0\"\nlissten = 1\n",
    )
    .expect("writable");
    let output = binary()
        .args(["serve", "--config"])
        .arg(installation.path("bad.toml"))
        .arg("--data")
        .arg(installation.path("data"))
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("lissten"),
        "{said}"
    );
}

#[test]
fn an_emulated_account_reaches_everybody_without_a_carrier() {
    let installation = Installation::new();
    let said = installation.import("People", &people(200));
    assert!(
        said.contains("200 rows = 200 stored + 0 merged + 0 rejected"),
        "{said}"
    );
    let server = installation.serve("");
    let emulate = json!({"attributes": {"emulateOutreach": "true"}});
    server.call(
        "PATCH",
        &format!("/api/v1/orgs/{}", installation.text("account")),
        &emulate,
    );
    let campaign = set_up(
        &server,
        &installation,
        "Hello {{ contact.firstName }}",
        &json!({"pacing": "Fixed", "contactsPerMinute": 60_000}),
    );
    let run = launch(&server, &installation, &campaign, "People");
    wait_until("the campaign is done", || server.state(&run) == "Done");
    assert_eq!(server.count(&run, "deliveredCount"), 200);
    assert_eq!(server.count(&run, "attemptedCount"), 200);
    assert!(server.stop());
}

#[test]
fn a_call_from_the_command_line_goes_through_the_door() {
    let installation = Installation::new();
    let server = installation.serve("");
    let call = |method: &str, arguments: &str| {
        binary()
            .args([
                "call",
                "--server",
                &server.url,
                "--key",
                &server.secret,
                method,
                arguments,
            ])
            .output()
            .expect("the binary runs")
    };
    let account = installation.text("account");
    let made = call(
        "createCampaign",
        &format!(r#"{{"campaign":{{"externalId":"October"}},"org":{{"internalId":"{account}"}}}}"#),
    );
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let id = made["data"]["internalId"].as_str().expect("an id");
    let shown = call(
        "showCampaign",
        &format!(r#"{{"campaign":{{"internalId":"{id}"}}}}"#),
    );
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["data"]["externalId"], "October");
    let missing = call("showCampaign", r#"{"campaign":{"internalId":"999999"}}"#);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("OBJECT_NOT_EXISTS"));
}
