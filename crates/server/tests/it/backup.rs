//! Backups while a campaign runs, what is made of them, and the fence around it.

use crate::support::{Installation, Server, binary, launch, people, set_up, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

const PEOPLE: i64 = 200;

/// Runs a command on a data folder of the installation.
fn run(installation: &Installation, command: &str, data: &str, more: &[(&str, &Path)]) -> Output {
    let mut call = binary();
    call.arg(command)
        .arg("--data")
        .arg(installation.path(data))
        .env_remove("CARILLON_API_KEY");
    for (name, value) in more {
        call.arg(name).arg(value);
    }
    call.output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(error)
}

fn succeeds(output: Output) -> String {
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

fn fails(output: Output) -> String {
    assert!(!output.status.success(), "{}", said(&output));
    said(&output)
}

/// A campaign over everybody that takes some seconds, without any carrier.
fn begin(server: &Server, installation: &Installation) -> String {
    let emulate = json!({"attributes": {"emulateOutreach": "true"}});
    let account = format!("/api/v1/orgs/{}", installation.text("account"));
    server.call("PATCH", &account, &emulate);
    let pace = json!({"pacing": "Fixed", "contactsPerMinute": 1_200});
    let campaign = set_up(server, installation, "Hello", &pace);
    launch(server, installation, &campaign, "People")
}

fn ready(server: &Server) -> (u16, String) {
    let (status, answer) = server.ask("GET", "/readyz", &Value::Null);
    (status, answer.as_str().unwrap_or_default().to_owned())
}

/// Nothing is sent, though an engine would send at once.
fn stays_still(server: &Server, run: &str) {
    let (status, answer) = ready(server);
    assert_eq!(status, 503, "{answer}");
    assert!(answer.starts_with("fenced"), "{answer}");
    let (_, page) = server.ask("GET", "/status.json", &Value::Null);
    assert!(page["fenced"].is_string(), "{page}");
    let before = server.count(run, "attemptedCount");
    assert!(0 < before && before < PEOPLE, "{before}");
    let since = Instant::now();
    wait_until("an engine would have sent something", || {
        assert_eq!(server.count(run, "attemptedCount"), before);
        since.elapsed() > Duration::from_secs(2)
    });
}

#[test]
fn a_restored_store_sends_nothing_until_it_is_released() {
    let installation = Installation::new();
    installation.import("People", &people(PEOPLE as usize));
    let server = installation.serve("");
    let campaign = begin(&server, &installation);
    wait_until("some are reached", || {
        server.count(&campaign, "attemptedCount") > 20
    });

    let copy = installation.path("copy.db");
    let told = fails(run(&installation, "backup", "data", &[("--to", &copy)]));
    assert!(told.contains("--key"), "{told}");
    let (url, secret) = (server.url.clone(), server.secret.clone());
    let through = |key: &str| {
        let more = [
            ("--to", copy.as_path()),
            ("--server", Path::new(&url)),
            ("--key", Path::new(key)),
        ];
        run(&installation, "backup", "data", &more)
    };
    let told = fails(through("nobody"));
    assert!(told.contains("FAILED_AUTHENTICATION"), "{told}");
    succeeds(through(&secret));
    let told = fails(through(&secret));
    assert!(told.contains("there already"), "{told}");
    let key = installation.path("copy.db.key");
    for file in [&copy, &key] {
        let mode = std::fs::metadata(file)
            .expect("copied")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    server.kill();

    let told = fails(run(&installation, "restore", "data", &[("--from", &copy)]));
    assert!(told.contains("not empty"), "{told}");
    let told = fails(run(
        &installation,
        "restore",
        "other",
        &[("--from", &key), ("--key", &key)],
    ));
    assert!(told.contains("no backup"), "{told}");
    succeeds(run(&installation, "restore", "other", &[("--from", &copy)]));

    let server = installation.serve_data("other", "");
    stays_still(&server, &campaign);
    let told = fails(run(&installation, "release", "other", &[]));
    assert!(told.contains("stop the server"), "{told}");
    assert!(server.stop());

    let told = succeeds(run(&installation, "release", "other", &[]));
    assert!(told.contains("released"), "{told}");
    let server = installation.serve_data("other", "");
    wait_until("the campaign goes on and ends", || {
        server.state(&campaign) == "Done"
    });
    assert_eq!(ready(&server), (200, "ready\n".to_owned()));
    let reached = server.count(&campaign, "deliveredCount");
    let failed = server.count(&campaign, "failedCount");
    assert_eq!(reached + failed, PEOPLE);
    assert!(server.stop());
    let told = succeeds(run(&installation, "release", "other", &[]));
    assert!(told.contains("not fenced"), "{told}");
}

#[test]
fn a_backup_without_a_server_needs_no_key_and_a_copied_folder_is_fenced() {
    let installation = Installation::new();
    let copy = installation.path("copy.db");
    succeeds(run(&installation, "backup", "data", &[("--to", &copy)]));

    let folder = installation.path("clone");
    std::fs::create_dir(&folder).expect("writable");
    for entry in std::fs::read_dir(installation.path("data")).expect("a folder") {
        let entry = entry.expect("readable");
        std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("copied");
    }
    let server = installation.serve_data("clone", "");
    assert_eq!(ready(&server).0, 503);
    // The doors answer.
    server.call("GET", "/api/v1/session", &Value::Null);
    assert!(server.stop());
    let server = installation.serve("");
    assert_eq!(ready(&server).0, 200, "the original goes on");
    assert!(server.stop());
}
