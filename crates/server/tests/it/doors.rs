//! Both doors, called by clients that were not written here: zeep, npm soap, curl.

use crate::peer::root;
use crate::support::{Installation, LOGIN, PASSWORD, Server};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

/// A server whose Account emulates outreach.
fn emulated() -> (Installation, Server) {
    let installation = Installation::new();
    let server = installation.serve("");
    let settings = json!({"attributes": {"emulateOutreach": "true", "firstContactTime": "00:00", "lastContactTime": "00:00"}});
    server.call(
        "PATCH",
        &format!("/api/v1/orgs/{}", installation.text("account")),
        &settings,
    );
    (installation, server)
}

fn succeeds(command: &mut Command) {
    let output = command
        .output()
        .expect("the client runs; `cargo xtask test` prepares it");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
}

#[test]
fn zeep_makes_the_trip_with_digest_and_with_text() {
    let (installation, server) = emulated();
    for (mode, secret) in [("digest", server.secret.as_str()), ("text", PASSWORD)] {
        succeeds(
            Command::new(root().join("target/peers/venv/bin/python"))
                .arg(root().join("tests/peers/zeep_client.py"))
                .args([
                    &server.url,
                    LOGIN,
                    secret,
                    mode,
                    "--account",
                    &installation.text("account"),
                    "--prefix",
                    mode,
                ]),
        );
    }
}

#[test]
fn npm_soap_makes_calls() {
    let (installation, server) = emulated();
    for (mode, secret) in [("digest", server.secret.as_str()), ("text", PASSWORD)] {
        succeeds(
            Command::new("node")
                .arg(root().join("tests/peers/node_client.mjs"))
                .args([
                    &server.url,
                    LOGIN,
                    secret,
                    mode,
                    &installation.text("account"),
                    mode,
                ]),
        );
    }
}

#[test]
fn curl_goes_through_the_json_door() {
    let (installation, server) = emulated();
    succeeds(
        Command::new("bash")
            .arg(root().join("tests/peers/curl_json.sh"))
            .args([&server.url, &server.secret, &installation.text("account")]),
    );
}

/// Announces a body of so many bytes and sends none of it: what is too big is refused before it is read.
fn announce(server: &Server, path: &str, bytes: usize) -> u16 {
    let host = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("the server listens");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\nContent-Length: {bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the server reads");
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .expect("the server answers");
    line.split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn hostile_bodies_get_clear_errors_and_the_server_goes_on() {
    let (_, server) = emulated();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let post = |path: &str, media: &str, body: &[u8]| {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}{path}", server.url))
            .header("authorization", format!("Bearer {}", server.secret))
            .header("content-type", media)
            .body(body.to_vec())
            .expect("a legal request");
        let mut answer = agent
            .run(request)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap_or_default(),
        )
    };
    let soap = "/SOAPAPI2/CampaignManagementService110";
    let laughs = br#"<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>"#;
    assert_eq!(post(soap, "text/xml", laughs).0, 400);
    assert_eq!(
        post(soap, "text/xml", "<a>".repeat(100_000).as_bytes()).0,
        400
    );
    assert_eq!(post(soap, "text/xml", &[0xff, 0xfe, 0x00]).0, 400);
    assert_eq!(announce(&server, soap, 17 * 1024 * 1024), 413);
    let campaigns = "/api/v1/campaigns";
    assert_eq!(
        post(
            campaigns,
            "application/json",
            "[".repeat(100_000).as_bytes()
        )
        .0,
        400
    );
    assert_eq!(
        post(campaigns, "application/json", b"{\"campaign\":").0,
        400
    );
    let (status, problem) = post(
        campaigns,
        "application/json",
        br#"{"campaign":{"externalId":"A<B"},"org":{"internalId":"1"}}"#,
    );
    assert!(
        (400..500).contains(&status) && problem.contains("urn:carillon:error:"),
        "{status} {problem}"
    );
    let (status, _) = server.ask("GET", "/api/v1/session", &json!(null));
    assert_eq!(status, 200);
}
