//! A server of a test: an installation in a temporary folder, the binary as a process, calls through the JSON door.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Log-in of the installation's first user.
pub const LOGIN: &str = "boss@acme.example";
/// Its password.
pub const PASSWORD: &str = "correct horse battery";
/// No condition of a test takes longer, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// An installation.
pub struct Installation {
    folder: tempfile::TempDir,
    /// What `carillon init` printed.
    pub made: Value,
}

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// API key of the first user.
    pub secret: String,
}

/// The binary under test.
pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_carillon"))
}

impl Installation {
    /// A new one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let password = folder.path().join("password");
        std::fs::write(&password, format!("{PASSWORD}\n")).expect("the folder is writable");
        let output = binary()
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
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let made = serde_json::from_slice(&output.stdout).expect("init prints JSON");
        Self { folder, made }
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A value that `carillon init` printed.
    pub fn text(&self, name: &str) -> String {
        match &self.made[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => panic!("init printed {name} = {other}"),
        }
    }

    /// A reference to its Account.
    pub fn account(&self) -> Value {
        json!({ "internalId": self.text("account") })
    }

    /// Imports CSV into a List of the Account, while no server runs.
    pub fn import(&self, list: &str, csv: &str) -> String {
        let file = self.path("list.csv");
        std::fs::write(&file, csv).expect("the folder is writable");
        let output = binary()
            .args([
                "import",
                "--account",
                &self.text("account"),
                "--list",
                list,
                "--data",
            ])
            .arg(self.path("data"))
            .arg(&file)
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts a server with these carriers (TOML) and waits until it listens.
    pub fn serve(&self, config: &str) -> Server {
        self.serve_data("data", config)
    }

    /// As [`Installation::serve`], with another data folder.
    pub fn serve_data(&self, data: &str, config: &str) -> Server {
        let path = self.path("carillon.toml");
        std::fs::write(&path, config).expect("the folder is writable");
        let mut child = binary()
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&path)
            .arg("--data")
            .arg(self.path(data))
            .env("CARILLON_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the server says where it listens");
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        assert!(url.starts_with("http://"), "the server said {line:?}");
        Server {
            child,
            url,
            secret: self.text("secret"),
        }
    }
}

impl Server {
    /// Calls the JSON door; answers status and body.
    pub fn ask(&self, verb: &str, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(verb)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.secret))
            .header("content-type", "application/json");
        let answer = if body.is_null() {
            agent.run(request.body(()).expect("a legal request"))
        } else {
            agent.run(request.body(body.to_string()).expect("a legal request"))
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{verb} {path}: {error}"));
        let text = answer
            .body_mut()
            .read_to_string()
            .expect("the body is text");
        (
            answer.status().as_u16(),
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Calls the JSON door; the call must succeed. Answers `data`.
    pub fn call(&self, verb: &str, path: &str, body: &Value) -> Value {
        let (status, mut answer) = self.ask(verb, path, body);
        assert!(
            (200..300).contains(&status),
            "{verb} {path}: {status} {answer}"
        );
        answer["data"].take()
    }

    /// Creates and answers the internalId.
    pub fn create(&self, path: &str, body: &Value) -> String {
        let data = self.call("POST", path, body);
        data["internalId"]
            .as_str()
            .unwrap_or_else(|| panic!("no internalId in {data}"))
            .to_owned()
    }

    /// A counter of a SubCampaign's state.
    pub fn count(&self, run: &str, name: &str) -> i64 {
        let state = self.call(
            "GET",
            &format!("/api/v1/sub-campaigns/{run}/state"),
            &Value::Null,
        );
        state["attributes"][name]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {state}"))
    }

    /// The state of a SubCampaign.
    pub fn state(&self, run: &str) -> String {
        let state = self.call(
            "GET",
            &format!("/api/v1/sub-campaigns/{run}/state"),
            &Value::Null,
        );
        state["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Kills it, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it was killed");
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> bool {
        let process = self.child.id().to_string();
        Command::new("kill")
            .args(["-TERM", &process])
            .status()
            .expect("kill runs");
        self.child.wait().expect("it was asked to stop").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either has happened already when the test ended it itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a condition.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What every campaign of a test needs.
pub struct Campaign {
    /// internalId of the Campaign.
    pub campaign: String,
    /// internalId of the strategy.
    pub strategy: String,
}

/// Contact hours all day, a Script, a strategy with this pass (text, round the clock unless it says otherwise), a Campaign.
pub fn set_up(server: &Server, installation: &Installation, text: &str, pass: &Value) -> Campaign {
    let org = installation.account();
    let hours = json!({"attributes": {"firstContactTime": "00:00", "lastContactTime": "00:00", "limit.request.perMinute": "1000000"}});
    server.call(
        "PATCH",
        &format!("/api/v1/orgs/{}", installation.text("account")),
        &hours,
    );
    let source = format!("<text><message>{text}</message></text>");
    let script = json!({"name": "Notice", "contentNames": ["notice.xml"], "contentData": [base64(source.as_bytes())], "org": org});
    let script = server.create("/api/v1/scripts", &script);
    let mut whole = json!({"name": "Text", "channel": "text", "sourceAddress": "55555", "startTime": "00:00", "endTime": "00:00"});
    for (key, value) in pass.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    let strategy =
        json!({"externalId": "Text", "script": {"internalId": script}, "passes": [whole]});
    let strategy = server.create(
        "/api/v1/outreach-strategies",
        &json!({"outreachStrategy": strategy, "org": org}),
    );
    let campaign = json!({"externalId": "October", "defaultStrategy": {"internalId": strategy}});
    let campaign = server.create(
        "/api/v1/campaigns",
        &json!({"campaign": campaign, "org": org}),
    );
    Campaign { campaign, strategy }
}

/// Starts a SubCampaign of the Campaign over a List.
pub fn launch(
    server: &Server,
    installation: &Installation,
    campaign: &Campaign,
    list: &str,
) -> String {
    let org = installation.account();
    let body = json!({
        "subCampaign": {"campaign": {"internalId": campaign.campaign}, "attributes": {"awaitingHours": 0}},
        "list": {"externalId": list, "owner": org}, "org": org,
    });
    server.create("/api/v1/sub-campaigns", &body)
}

/// Base64.
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// CSV of so many people with numbers from the examples of the North American plan.
pub fn people(count: usize) -> String {
    let mut csv = String::from("ClientID,FirstName,CellPhone\n");
    for index in 0..count {
        csv += &format!(
            "C-{index:05},Ann,+1 {} 555 {:04}\n",
            201 + index / 100 * 2 % 700,
            100 + index % 100
        );
    }
    csv
}
