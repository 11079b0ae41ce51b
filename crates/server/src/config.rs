//! The configuration file: one TOML file, every key with a default, unknown keys refused. `carillon.example.toml`
//! documents each key; a test reads that file and compares it with the defaults.

use carillon_channel::text;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Debug, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Listener and data folder.
    pub server: Server,
    /// Logs.
    pub log: Log,
    /// Who takes attempts from us.
    #[serde(rename = "carrier")]
    pub carriers: Vec<Carrier>,
}

/// `[server]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where the doors listen.
    pub listen: SocketAddr,
    /// Clear-text secrets are accepted on this listener; by default only where it is a loopback address.
    pub trusted: Option<bool>,
    /// Where the store and the installation's key are.
    pub data: PathBuf,
    /// How long a shutdown waits for answers that are on their way.
    pub shutdown_seconds: u64,
    /// Largest body of a list import through the JSON door, in bytes.
    pub import_bytes_max: usize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8480)),
            trusted: None,
            data: PathBuf::from("data"),
            shutdown_seconds: 20,
            import_bytes_max: 256 * 1024 * 1024,
        }
    }
}

impl Server {
    /// Whether clear-text secrets are accepted.
    pub fn is_trusted(&self) -> bool {
        self.trusted
            .unwrap_or_else(|| self.listen.ip().is_loopback())
    }
}

/// `[log]`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// A filter as of the `tracing` crates: `info`, `carillon_engine=debug,info`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// `[[carrier]]`: the kind decides which keys it takes.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Carrier {
    /// An SMS centre that speaks SMPP 3.4.
    Smpp(text::Config),
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something that is not meant.
    #[error("the configuration {path} is not valid: {source}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Two carriers have one name.
    #[error("two carriers are named {0:?}; give each its own name")]
    CarrierTwice(String),
}

/// Reads a file; without one every key has its default.
pub fn read(path: Option<&Path>) -> Result<Config, Error> {
    let Some(path) = path else {
        return Ok(Config::default());
    };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let config: Config = toml::from_str(&text).map_err(|source| Error::Invalid {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let mut names = std::collections::BTreeSet::new();
    for Carrier::Smpp(carrier) in &config.carriers {
        if !names.insert(carrier.name.clone()) {
            return Err(Error::CarrierTwice(carrier.name.clone()));
        }
    }
    Ok(config)
}
