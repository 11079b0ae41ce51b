//! The e-mail channel against a relay that was not written here: STARTTLS, log-in, DKIM and fates by address.

use crate::email::{DOMAIN, Post, config, key};
use carillon_channel::Answer;
use carillon_channel::email::{Config, Dkim, Security, links};
use carillon_model::{AttemptId, AttemptResult};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_signed_and_with_every_fate() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sink = Command::new(root().join("target/peers/venv/bin/python"))
        .arg(root().join("tests/peers/smtp_sink.py"))
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("`cargo xtask prepare` has fetched the peers");
    let mut lines = BufReader::new(sink.stdout.take().expect("piped")).lines();
    let mut next = async || -> serde_json::Value {
        let line = lines.next_line().await.expect("a line").expect("it runs");
        serde_json::from_str(&line).expect("JSON")
    };
    let port = next().await["port"].as_u64().expect("a port");
    let mut post = Post::start(Config {
        connections: 1,
        security: Security::StartTls,
        trust: Some(folder.path().join("certificate.pem")),
        username: Some("carillon".to_owned()),
        password: "secret".to_owned().into(),
        dkim: Some(Dkim {
            domain: "example.com".to_owned(),
            selector: "test".to_owned(),
            key: folder.path().join("dkim.pem"),
        }),
        ..config(&format!("localhost:{port}"))
    });
    let answers = post.send(&["unknown", "busy", "spam", "ada", "lost"]).await;
    let refused = |result, code, permanent| Answer::Refused {
        result,
        code,
        permanent,
    };
    let accepted = Answer::Accepted {
        message_ids: vec![links::message_id(&key(), AttemptId(4), DOMAIN)],
    };
    assert_eq!(
        answers,
        [
            refused(AttemptResult::BadDevice, 550, true),
            refused(AttemptResult::Failed, 450, false),
            refused(AttemptResult::Failed, 550, true),
            accepted,
            Answer::Doubt,
        ]
    );
    let mail = next().await;
    assert_eq!(mail["to"], serde_json::json!(["ada@example.org"]));
    assert_eq!(
        (&mail["signed"], &mail["encrypted"]),
        (&true.into(), &true.into())
    );
    let content = mail["content"].as_str().expect("the mail");
    let signature = content.split("\r\nFrom:").next().expect("the first header");
    assert!(
        signature.contains("list-unsubscribe:list-unsubscribe-post"),
        "{signature}"
    );
    let sender = mail["sender"].as_str().expect("a return path");
    assert_eq!(
        links::read_return_path(&key(), sender, DOMAIN),
        Some(AttemptId(4))
    );
}
