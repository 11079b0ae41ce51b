//! One SMTP carrier as the configuration file names it (`[[carrier]]`), and its checks.

use super::links::Key;
use crate::limits;
use crate::text::ConfigError;
use crate::text::config::duration;
use secrecy::SecretString;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// An SMTP carrier.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name; reports use it.
    pub name: String,
    /// Always `email`.
    #[serde(default = "email")]
    pub channel: String,
    /// Always `smtp`.
    #[serde(default = "smtp")]
    pub kind: String,
    /// `host:port` of the relay.
    pub address: String,
    /// Whether the connection is encrypted.
    #[serde(default)]
    pub security: Security,
    /// A file of certificates (PEM) that are trusted beside the public authorities.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// Log-in name; none = no log-in.
    #[serde(default)]
    pub username: Option<String>,
    /// Log-in password.
    #[serde(default = "no_password")]
    pub password: SecretString,
    /// Domain of the return path and of message ids; bounces to it must reach `intake`.
    pub return_domain: String,
    /// Where people reach this installation over https: unsubscribing and links with answers begin with it.
    pub public_url: String,
    /// Where bounces are taken, as `host:port`; none = nowhere.
    #[serde(default)]
    pub intake: Option<String>,
    /// The signature of what is sent.
    #[serde(default)]
    pub dkim: Option<Dkim>,
    /// Connections at most; each has one mail on its way.
    #[serde(default = "connections")]
    pub connections: usize,
    /// Mails over one connection before it is opened anew.
    #[serde(default = "reuse")]
    pub reuse: usize,
    /// Mails a second over all connections; none = as fast as the relay answers.
    #[serde(default)]
    pub rate: Option<f64>,
    /// How long a connection without mail stays open.
    #[serde(default = "idle", deserialize_with = "duration")]
    pub idle: Duration,
    /// How long an answer is awaited; after the end of a mail, it is then in doubt.
    #[serde(default = "response_timeout", deserialize_with = "duration")]
    pub response_timeout: Duration,
    /// First pause after 421; it doubles while that goes on.
    #[serde(default = "throttle_pause", deserialize_with = "duration")]
    pub throttle_pause: Duration,
    /// First pause before a lost connection is tried again; it doubles up to `reconnect_max`.
    #[serde(default = "reconnect", deserialize_with = "duration")]
    pub reconnect: Duration,
    /// Longest pause before a lost connection is tried again.
    #[serde(default = "reconnect_max", deserialize_with = "duration")]
    pub reconnect_max: Duration,
    /// The installation's key of links and return paths; never in the file, the server derives it.
    #[serde(skip)]
    pub key: Key,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// STARTTLS, and no mail without it.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None at all: for a relay on this machine or behind a tunnel.
    None,
}

/// A DKIM signature.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The domain that signs.
    pub domain: String,
    /// Under which selector its key is published.
    pub selector: String,
    /// The private key as PEM: RSA (PKCS#1 or PKCS#8) or Ed25519 (PKCS#8).
    pub key: PathBuf,
}

impl Config {
    /// A carrier with every default and without encryption, for the demo and for tests.
    pub fn new(name: &str, address: &str, return_domain: &str, public_url: &str, key: Key) -> Self {
        Self {
            name: name.to_owned(),
            channel: email(),
            kind: smtp(),
            address: address.to_owned(),
            security: Security::None,
            trust: None,
            username: None,
            password: no_password(),
            return_domain: return_domain.to_owned(),
            public_url: public_url.to_owned(),
            intake: None,
            dkim: None,
            connections: connections(),
            reuse: reuse(),
            rate: None,
            idle: idle(),
            response_timeout: response_timeout(),
            throttle_pause: throttle_pause(),
            reconnect: reconnect(),
            reconnect_max: reconnect_max(),
            key,
        }
    }

    /// The host of `address`: the name its certificate must bear.
    pub(super) fn host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_matches(['[', ']'])
    }

    /// Checks what serde cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_url = |url: &str| {
            let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_url_byte))
                && url.len() <= limits::PUBLIC_URL_BYTES_MAX
        };
        let signs = |dkim: &Dkim| is_domain(&dkim.domain) && is_domain(&dkim.selector);
        let checks = [
            (!self.name.is_empty(), "name", "is empty"),
            (self.channel == "email", "channel", "must be email"),
            (self.kind == "smtp", "kind", "must be smtp"),
            (!self.host().is_empty(), "address", "must be host:port"),
            (
                is_domain(&self.return_domain),
                "return_domain",
                "must be a domain in ASCII",
            ),
            (
                is_url(&self.public_url),
                "public_url",
                "must be an address of https or http",
            ),
            (
                self.dkim.as_ref().is_none_or(signs),
                "dkim",
                "needs a domain and a selector in ASCII",
            ),
            (
                (1..=limits::BINDS_MAX).contains(&self.connections),
                "connections",
                "must be 1 to 64",
            ),
            (self.reuse > 0, "reuse", "must be above 0"),
            (
                self.rate.is_none_or(|rate| rate > 0.0 && rate <= 1e6),
                "rate",
                "must be above 0 and at most 1000000",
            ),
            (!self.idle.is_zero(), "idle", "must be above 0"),
            (
                !self.response_timeout.is_zero(),
                "response_timeout",
                "must be above 0",
            ),
            (!self.reconnect.is_zero(), "reconnect", "must be above 0"),
            (self.key.is_set(), "key", "was not given by the server"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            None => Ok(()),
            Some((_, field, problem)) => Err(ConfigError {
                carrier: self.name.clone(),
                field,
                problem,
            }),
        }
    }
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/[]@%+".contains(&byte)
}

/// Letters, digits and hyphens between dots: what may stand in a header without any quoting.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    text.len() <= 180 && text.split('.').all(label)
}

fn email() -> String {
    "email".to_owned()
}
fn smtp() -> String {
    "smtp".to_owned()
}
fn no_password() -> SecretString {
    SecretString::from("")
}
fn connections() -> usize {
    4
}
fn reuse() -> usize {
    1_000
}
fn idle() -> Duration {
    Duration::from_secs(30)
}
fn response_timeout() -> Duration {
    Duration::from_secs(120)
}
fn throttle_pause() -> Duration {
    Duration::from_secs(1)
}
fn reconnect() -> Duration {
    Duration::from_secs(1)
}
fn reconnect_max() -> Duration {
    Duration::from_secs(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of the example, without their comment signs.
    fn example() -> Vec<&'static str> {
        let example = include_str!("../../../../carillon.example.toml");
        let mut tables = example.split("\n#[[carrier]]\n").skip(1);
        let table = tables.find(|table| table.contains("#kind = \"smtp\""));
        let lines = table.expect("an SMTP carrier").lines();
        let keys = lines.filter_map(|line| line.strip_prefix('#'));
        keys.filter(|line| !line.starts_with(' ')).collect()
    }

    #[test]
    fn the_example_shows_the_defaults() {
        const OPEN: [&str; 6] = ["trust", "username", "intake", "dkim", "rate", "security"];
        let read = |lines: Vec<&str>| toml::from_str::<Config>(&lines.join("\n")).expect("valid");
        let key = Key::new(&[1; 32]);
        let whole = Config {
            key: key.clone(),
            ..read(example())
        };
        assert_eq!(whole.check(), Ok(()));
        assert_eq!(whole.security, Security::StartTls);
        let open = |line: &&str| !OPEN.iter().any(|open| line.starts_with(open));
        let shown = read(example().into_iter().filter(open).collect());
        let short = Config {
            security: Security::default(),
            ..Config::new(
                &shown.name,
                &shown.address,
                &shown.return_domain,
                &shown.public_url,
                key,
            )
        };
        assert_eq!(format!("{shown:?}"), format!("{short:?}"));
        let page = include_str!("../../../../docs/carriers.md");
        let (_, page) = page.split_once("\n## E-mail\n").expect("a chapter");
        for line in example() {
            let key = line.split(' ').next().expect("a key");
            assert!(
                page.contains(&format!("| `{key}` | ")),
                "docs/carriers.md: {key}"
            );
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let good = Config::new(
            "m",
            "relay:25",
            "b.example",
            "https://r.example",
            Key::new(&[1; 32]),
        );
        assert_eq!(good.check(), Ok(()));
        type Change = fn(&mut Config);
        let cases: [(&str, Change); 7] = [
            ("address", |config| config.address = "relay".to_owned()),
            ("return_domain", |config| {
                config.return_domain = "b.example\r\nx".to_owned()
            }),
            ("public_url", |config| {
                config.public_url = "https://r.example/>".to_owned()
            }),
            ("connections", |config| config.connections = 0),
            ("reuse", |config| config.reuse = 0),
            ("rate", |config| config.rate = Some(f64::NAN)),
            ("key", |config| config.key = Key::default()),
        ];
        for (field, change) in cases {
            let mut config = good.clone();
            change(&mut config);
            assert_eq!(config.check().map_err(|error| error.field), Err(field));
        }
    }
}
