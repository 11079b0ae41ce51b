//! A release build of the server as a process of its own, set up for a measurement.

use crate::{Failure, machine};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The installation of a benchmark.
pub struct Installation {
    folder: tempfile::TempDir,
    /// internalId of the Account.
    pub account: String,
    /// internalId of the SuperEnterprise, the home of the first user.
    pub super_enterprise: String,
    /// API key: Bearer key and API secret.
    pub secret: String,
}

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:port`.
    pub url: String,
    secret: String,
}

/// Login of the benchmark's user.
pub const LOGIN: &str = "bench@acme.example";

impl Installation {
    /// A new installation in a temporary folder.
    pub fn new() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let password = folder.path().join("password");
        std::fs::write(&password, "correct horse battery staple\n")?;
        let output = Command::new(binary("carillon")?)
            .args([
                "init",
                "--enterprise",
                "acme",
                "--account",
                "north",
                "--user",
                LOGIN,
            ])
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--password-file")
            .arg(&password)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let made: Value = serde_json::from_slice(&output.stdout)?;
        let text = |name: &str| {
            made[name]
                .as_str()
                .map(str::to_owned)
                .ok_or(format!("init printed no {name}"))
        };
        Ok(Self {
            account: text("account")?,
            super_enterprise: text("superEnterprise")?,
            secret: text("secret")?,
            folder,
        })
    }

    /// A file in the folder of the installation.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Imports a CSV file into a List with the command line, before the server runs. Answers rows a second.
    pub fn import(&self, list: &str, file: &Path) -> Result<(), Failure> {
        let status = Command::new(binary("carillon")?)
            .args(["import", "--account", &self.account, "--list", list])
            .arg("--data")
            .arg(self.file("data"))
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err("the import failed".into())
        }
    }

    /// Starts the server with a configuration and waits until it listens.
    pub fn serve(&self, config: &str) -> Result<Server, Failure> {
        let path = self.file("carillon.toml");
        std::fs::File::create(&path)?.write_all(config.as_bytes())?;
        let mut child = Command::new(binary("carillon")?)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(&path)
            .arg("--data")
            .arg(self.file("data"))
            .env("CARILLON_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        Ok(Server {
            child,
            url,
            secret: self.secret.clone(),
        })
    }
}

impl Server {
    /// Calls the JSON door.
    pub fn call(&self, verb: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = ureq::http::Request::builder()
            .method(verb)
            .uri(format!("{}/api/v1/{path}", self.url))
            .header("authorization", format!("Bearer {}", self.secret))
            .header("content-type", "application/json");
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut response = if verb == "GET" {
            agent.run(request.body(())?)?
        } else {
            agent.run(request.body(body.to_string())?)?
        };
        let text = response.body_mut().read_to_string()?;
        if response.status().is_success() {
            Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
        } else {
            Err(format!("{verb} {path}: {} {text}", response.status()).into())
        }
    }

    /// A counter of `/metrics`.
    pub fn metric(&self, name: &str) -> Result<f64, Failure> {
        let text = ureq::get(format!("{}/metrics", self.url))
            .call()?
            .body_mut()
            .read_to_string()?;
        let lines = text.lines().filter(|line| line.starts_with(name));
        Ok(lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }

    /// CPU seconds the server has used.
    pub fn cpu_seconds(&self) -> f64 {
        machine::cpu_seconds(self.child.id())
    }

    /// Resident memory in MB.
    pub fn resident_megabytes(&self) -> f64 {
        machine::resident_megabytes(self.child.id())
    }

    /// Contact hours all day, request limit out of the way; a Script, a strategy and a Campaign. Answers the ids of
    /// (campaign, strategy, script).
    pub fn set_up(
        &self,
        installation: &Installation,
        pacing: &Value,
    ) -> Result<[String; 3], Failure> {
        let account = &installation.account;
        // Requests are counted by the caller's home Org.
        let limit = json!({ "attributes": { "limit.request.perMinute": "100000000" } });
        self.call(
            "PATCH",
            &format!("orgs/{}", installation.super_enterprise),
            &limit,
        )?;
        let attributes = json!({"firstContactTime": "00:00", "lastContactTime": "00:00"});
        self.call(
            "PATCH",
            &format!("orgs/{account}"),
            &json!({ "attributes": attributes }),
        )?;
        let org = json!({ "internalId": account });
        let source = "<text><message>Hello {{ contact.firstName | default('you') }}, your order is ready.</message></text>";
        let script = json!({"name": "Ready", "contentNames": ["ready.xml"], "contentData": [base64(source)], "org": org});
        let script = id_of(&self.call("POST", "scripts", &script)?)?;
        let mut pass = json!({"name": "Text", "channel": "text", "startTime": "00:00", "endTime": "00:00", "sourceAddress": "55555"});
        for (key, value) in pacing.as_object().into_iter().flatten() {
            pass[key] = value.clone();
        }
        let strategy = json!({"externalId": "Text", "type": "OnDemand", "script": {"internalId": script}, "passes": [pass]});
        let strategy = id_of(&self.call(
            "POST",
            "outreach-strategies",
            &json!({"outreachStrategy": strategy, "org": org}),
        )?)?;
        let campaign = json!({"externalId": "Ready", "defaultStrategy": {"internalId": strategy}});
        let campaign = id_of(&self.call(
            "POST",
            "campaigns",
            &json!({"campaign": campaign, "org": org}),
        )?)?;
        Ok([campaign, strategy, script])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself; there is nothing to do about either failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The internalId of an answered entity.
pub fn id_of(answer: &Value) -> Result<String, Failure> {
    answer["data"]["internalId"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("no internalId in {answer}").into())
}

/// A binary beside this one.
fn binary(name: &str) -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is not built; run `cargo xtask bench`", path.display()).into())
    }
}

/// Base64 for the few bytes of a Script.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for piece in text.as_bytes().chunks(3) {
        let bits = piece
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - piece.len()));
        for index in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * index) & 63) as usize] as char;
            encoded.push(if index <= piece.len() { letter } else { '=' });
        }
    }
    encoded
}
