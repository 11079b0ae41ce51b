//! One SMPP carrier as the configuration file names it (`[[carrier]]`), and its checks.

use super::ids::Spelling;
use crate::limits;
use secrecy::SecretString;
use serde::Deserialize;
use std::time::Duration;

/// An SMPP carrier.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name; strategies and reports use it.
    pub name: String,
    /// Always `text`.
    #[serde(default = "text")]
    pub channel: String,
    /// Always `smpp`.
    #[serde(default = "smpp")]
    pub kind: String,
    /// `host:port`.
    pub address: String,
    /// Log-in name.
    pub system_id: String,
    /// Log-in password, at most 8 characters by the protocol; longer ones are sent as they are.
    #[serde(default = "no_password")]
    pub password: SecretString,
    /// What kind of system we are, where the carrier asks.
    #[serde(default)]
    pub system_type: String,
    /// service_type of every message.
    #[serde(default)]
    pub service_type: String,
    /// `transceiver` or `transmitter+receiver`.
    #[serde(default)]
    pub bind: Bind,
    /// Connections (pairs of them with `transmitter+receiver`).
    #[serde(default = "one")]
    pub binds: usize,
    /// Messages handed over and not yet answered, per connection.
    #[serde(default = "window")]
    pub window: usize,
    /// Messages (parts) a second over all connections; none = as fast as the carrier answers.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Whether delivery receipts are asked for.
    #[serde(default = "yes")]
    pub receipts: bool,
    /// How long a final receipt is awaited.
    #[serde(default = "receipt_wait", deserialize_with = "duration")]
    pub receipt_wait: Duration,
    /// How receipts spell message ids against the responses.
    #[serde(default)]
    pub message_ids: Spelling,
    /// Whether the carrier answers query_sm.
    #[serde(default)]
    pub query: bool,
    /// Whether user_message_reference is sent; some old carriers refuse it.
    #[serde(default = "yes")]
    pub reference: bool,
    /// Type of number of our address; none = by its form.
    #[serde(default)]
    pub source_ton: Option<u8>,
    /// Numbering plan of our address; none = by its form.
    #[serde(default)]
    pub source_npi: Option<u8>,
    /// Type of number of the person's address: 1 = international.
    #[serde(default = "international")]
    pub destination_ton: u8,
    /// Numbering plan of the person's address: 1 = E.164.
    #[serde(default = "international")]
    pub destination_npi: u8,
    /// Silence after which the link is probed.
    #[serde(default = "enquire_link", deserialize_with = "duration")]
    pub enquire_link: Duration,
    /// How long an answer is awaited before it is a doubt.
    #[serde(default = "response_timeout", deserialize_with = "duration")]
    pub response_timeout: Duration,
    /// First pause after "throttled" or "queue full"; it doubles while that goes on.
    #[serde(default = "throttle_pause", deserialize_with = "duration")]
    pub throttle_pause: Duration,
    /// First pause before a lost link is tried again; it doubles up to `reconnect_max`.
    #[serde(default = "reconnect", deserialize_with = "duration")]
    pub reconnect: Duration,
    /// Longest pause before a lost link is tried again.
    #[serde(default = "reconnect_max", deserialize_with = "duration")]
    pub reconnect_max: Duration,
    /// How long the carrier shall try; none = its own default.
    #[serde(default, deserialize_with = "some_duration")]
    pub validity: Option<Duration>,
}

/// How connections are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Bind {
    /// One connection for both directions.
    #[default]
    #[serde(rename = "transceiver")]
    Transceiver,
    /// One connection for each direction.
    #[serde(rename = "transmitter+receiver")]
    TransmitterAndReceiver,
}

/// What is wrong with a carrier's configuration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("carrier {carrier}: {field} {problem}")]
pub struct Error {
    /// Which carrier.
    pub carrier: String,
    /// Which field.
    pub field: &'static str,
    /// What is wrong.
    pub problem: &'static str,
}

impl Config {
    /// A carrier with every default, for the demo and for tests.
    pub fn new(name: &str, address: &str, system_id: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            channel: text(),
            kind: smpp(),
            address: address.to_owned(),
            system_id: system_id.to_owned(),
            password: SecretString::from(password),
            system_type: String::new(),
            service_type: String::new(),
            bind: Bind::default(),
            binds: one(),
            window: window(),
            rate: None,
            receipts: true,
            receipt_wait: receipt_wait(),
            message_ids: Spelling::default(),
            query: false,
            reference: true,
            source_ton: None,
            source_npi: None,
            destination_ton: international(),
            destination_npi: international(),
            enquire_link: enquire_link(),
            response_timeout: response_timeout(),
            throttle_pause: throttle_pause(),
            reconnect: reconnect(),
            reconnect_max: reconnect_max(),
            validity: None,
        }
    }

    /// Checks what serde cannot.
    pub fn check(&self) -> Result<(), Error> {
        let bounded =
            |text: &str, most: usize| text.len() <= most && text.is_ascii() && !text.contains('\0');
        let checks = [
            (!self.name.is_empty(), "name", "is empty"),
            (self.channel == "text", "channel", "must be text"),
            (self.kind == "smpp", "kind", "must be smpp"),
            (self.address.contains(':'), "address", "must be host:port"),
            (
                bounded(&self.system_id, 15),
                "system_id",
                "takes at most 15 ASCII characters",
            ),
            (
                bounded(&self.system_type, 12),
                "system_type",
                "takes at most 12 ASCII characters",
            ),
            (
                bounded(&self.service_type, 5),
                "service_type",
                "takes at most 5 ASCII characters",
            ),
            (
                (1..=limits::BINDS_MAX).contains(&self.binds),
                "binds",
                "must be 1 to 64",
            ),
            (
                (1..=limits::WINDOW_MAX).contains(&self.window),
                "window",
                "must be 1 to 10000",
            ),
            (
                self.rate.is_none_or(|rate| rate > 0.0 && rate <= 1e6),
                "rate",
                "must be above 0 and at most 1000000",
            ),
            (
                !self.enquire_link.is_zero(),
                "enquire_link",
                "must be above 0",
            ),
            (
                !self.response_timeout.is_zero(),
                "response_timeout",
                "must be above 0",
            ),
            (!self.reconnect.is_zero(), "reconnect", "must be above 0"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            None => Ok(()),
            Some((_, field, problem)) => Err(Error {
                carrier: self.name.clone(),
                field,
                problem,
            }),
        }
    }
}

fn text() -> String {
    "text".to_owned()
}
fn smpp() -> String {
    "smpp".to_owned()
}
fn no_password() -> SecretString {
    SecretString::from("")
}
fn one() -> usize {
    1
}
fn window() -> usize {
    10
}
fn yes() -> bool {
    true
}
fn international() -> u8 {
    1
}
fn receipt_wait() -> Duration {
    Duration::from_secs(600)
}
fn enquire_link() -> Duration {
    Duration::from_secs(30)
}
fn response_timeout() -> Duration {
    Duration::from_secs(30)
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

/// Reads `250ms`, `30s`, `10m`, `2h`, `1d`, or a bare number of seconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number
        .checked_mul(milliseconds)
        .filter(|&total| total <= 366 * 86_400_000)
        .map(Duration::from_millis)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Seconds(u64),
    Text(String),
}

pub(crate) fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = match Written::deserialize(deserializer)? {
        Written::Seconds(seconds) => seconds.to_string(),
        Written::Text(text) => text,
    };
    parse_duration(&text).ok_or_else(|| {
        serde::de::Error::custom(format!("not a duration like 30s, 10m or 2h: {text}"))
    })
}

fn some_duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_is_read_from_toml() {
        let config: Config = toml::from_str(
            r#"
            name = "north"
            channel = "text"
            kind = "smpp"
            address = "127.0.0.1:2775"
            system_id = "carillon"
            password = "secret"
            bind = "transmitter+receiver"
            rate = 50
            receipt_wait = "10m"
            enquire_link = 15
            validity = "1d"
            message_ids = "hex_then_decimal"
            "#,
        )
        .expect("valid");
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.bind, Bind::TransmitterAndReceiver);
        assert_eq!(
            (config.rate, config.window, config.binds),
            (Some(50.0), 10, 1)
        );
        assert_eq!(config.receipt_wait, Duration::from_secs(600));
        assert_eq!(config.enquire_link, Duration::from_secs(15));
        assert_eq!(config.validity, Some(Duration::from_secs(86_400)));
        assert_eq!(config.message_ids, Spelling::HexThenDecimal);
        assert!(!format!("{config:?}").contains("secret"));
    }

    /// Every key of the table, as the reader itself lists them.
    fn keys() -> Vec<String> {
        let error = toml::from_str::<Config>("no_such_key = 1").expect_err("unknown");
        let text = error.message().to_owned();
        let (_, listed) = text.split_once("expected one of ").expect("it lists them");
        listed
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_pages_explain_every_key() {
        let page = include_str!("../../../../docs/carriers.md");
        let example = include_str!("../../../../carillon.example.toml");
        assert!(keys().len() > 20, "{:?}", keys());
        for key in keys() {
            assert!(
                page.contains(&format!("| `{key}` | ")),
                "docs/carriers.md: {key}"
            );
            assert!(
                example.contains(&format!("\n#{key} = ")),
                "carillon.example.toml: {key}"
            );
        }
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let example = include_str!("../../../../carillon.example.toml");
        let mut tables = example.split("\n#[[carrier]]\n").skip(1);
        let table = tables.find(|table| table.contains("#kind = \"smpp\""));
        let table = table.expect("an SMPP carrier");
        let uncommented = |with: fn(&str) -> bool| {
            let lines = table.lines().filter_map(|line| line.strip_prefix('#'));
            let lines = lines.filter(|line| !line.starts_with(' ') && with(line));
            toml::from_str::<Config>(&lines.collect::<Vec<_>>().join("\n")).expect("valid")
        };
        let whole = uncommented(|_| true);
        assert_eq!(whole.check(), Ok(()));
        // These have no default value: left out, they mean something that cannot be written.
        const OPEN: [&str; 4] = ["rate =", "source_ton =", "source_npi =", "validity ="];
        let shown = uncommented(|line| !OPEN.iter().any(|open| line.starts_with(open)));
        let short = Config::new(&shown.name, &shown.address, &shown.system_id, "");
        assert_eq!(format!("{shown:?}"), format!("{short:?}"));
    }

    #[test]
    fn what_cannot_work_is_named() {
        let good = Config::new("north", "127.0.0.1:2775", "carillon", "");
        for (config, field) in [
            (
                Config {
                    binds: 0,
                    ..good.clone()
                },
                "binds",
            ),
            (
                Config {
                    window: 0,
                    ..good.clone()
                },
                "window",
            ),
            (
                Config {
                    rate: Some(0.0),
                    ..good.clone()
                },
                "rate",
            ),
            (
                Config {
                    rate: Some(f64::NAN),
                    ..good.clone()
                },
                "rate",
            ),
            (
                Config {
                    system_id: "x".repeat(16),
                    ..good.clone()
                },
                "system_id",
            ),
            (
                Config {
                    address: "nowhere".to_owned(),
                    ..good.clone()
                },
                "address",
            ),
        ] {
            assert_eq!(config.check().map_err(|error| error.field), Err(field));
        }
        assert!(
            toml::from_str::<Config>("name = 'x'\naddress = 'a:1'\nsystem_id = 'y'\nwindw = 3")
                .is_err()
        );
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("2 h", Some(7_200_000)),
            ("7", Some(7_000)),
            ("", None),
            ("m", None),
            ("1w", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("9999999d", None),
        ] {
            assert_eq!(
                parse_duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }
}
