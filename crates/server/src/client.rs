//! A caller of the JSON door: the command line and the demo go through the same door as everybody else.

use crate::command::Failure;
use serde_json::Value;
use std::time::Duration;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server and a key for it.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    key: String,
}

impl Client {
    /// Calls `server` (`host:port` or an http address) with an API key.
    pub fn new(server: &str, key: &str) -> Self {
        Self::patient(server, key, PATIENCE)
    }

    /// As [`Client::new`], for calls that take long.
    pub fn patient(server: &str, key: &str, patience: Duration) -> Self {
        let server = server.trim_end_matches('/');
        let base = if server.contains("://") {
            server.to_owned()
        } else {
            format!("http://{server}")
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .build()
            .into();
        Self {
            agent,
            base,
            key: key.to_owned(),
        }
    }

    /// One call; the answer of the server, or its problem as a failure.
    pub fn call(&self, verb: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let request = ureq::http::Request::builder()
            .method(verb)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body.to_string())?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let text = response.body_mut().read_to_string()?;
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if response.status().is_success() {
            return Ok(answer);
        }
        let code = answer["code"].as_str().unwrap_or("no code");
        let detail = answer["detail"].as_str().unwrap_or(&text);
        Err(format!("{verb} {path}: {} {code}: {detail}", response.status()).into())
    }
}
