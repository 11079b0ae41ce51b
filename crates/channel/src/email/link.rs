//! Opens a connection to the relay when there is mail for it, encrypts it, logs in, hands it to a session, and opens it again
//! when it is lost: after growing, jittered pauses, so that many connections do not come back in step.

use super::Shared;
use super::config::{Config, Security};
use super::outbox::Outbox;
use super::reply::Reply;
use super::session::{End, Session};
use super::tls::Connector;
use super::wire::{Fault, Wire};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use secrecy::ExposeSecret;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A connection that is ready for mail.
pub(super) struct Open {
    pub wire: Wire,
    pub pipelining: bool,
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    #[error("no answer in time")]
    Silent,
    #[error("TLS failed")]
    Tls(#[source] io::Error),
    #[error(
        "the relay offers no STARTTLS; set security = \"none\" only where the way to it is safe"
    )]
    NoTls,
    #[error("the relay refused {0} with {1}")]
    Refused(&'static str, u16),
    #[error("the relay offers neither PLAIN nor LOGIN")]
    NoLogin,
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Keeps one connection's place until the carrier is stopped.
pub(super) async fn keep(shared: Arc<Shared>, number: usize, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut failures: u32 = 0;
    let (config, outbox) = (&shared.config, &shared.outbox);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = wanted(outbox, number) => {}
        }
        let opened = tokio::select! {
            () = shared.stop.cancelled() => return,
            opened = timeout(config.response_timeout, open(config, &shared.tls)) => {
                opened.unwrap_or(Err(Error::Silent))
            }
        };
        match opened {
            Ok(open) => {
                outbox.opened();
                tracing::debug!(carrier = config.name, number, "connection open");
                let end = Session::new(&shared, open).run().await;
                tracing::debug!(carrier = config.name, number, ?end, "connection ended");
                match end {
                    End::Broken => outbox.broke(),
                    End::Idle | End::Closed | End::Throttled | End::Stopped => outbox.ended(),
                }
                failures = 0;
                match end {
                    End::Stopped => return,
                    // After "not now" the outbox pauses by itself.
                    End::Idle | End::Throttled => continue,
                    End::Closed | End::Broken => {}
                }
            }
            Err(Error::Refused(_, 421)) => {
                // There are enough connections already, or too many of late.
                outbox.throttled(Instant::now());
                outbox.unreachable();
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(carrier = config.name, number, %error, source, "link not up");
                outbox.unreachable();
            }
        }
        let pause = pause(config, failures, &mut random);
        failures = failures.saturating_add(1);
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn wanted(outbox: &Outbox, number: usize) {
    loop {
        let changed = outbox.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if outbox.wants(number) {
            return;
        }
        changed.await;
    }
}

/// Half to all of the doubled pause.
fn pause(config: &Config, failures: u32, random: &mut SmallRng) -> Duration {
    let doubled = config
        .reconnect
        .saturating_mul(2_u32.saturating_pow(failures.min(20)));
    doubled
        .min(config.reconnect_max.max(config.reconnect))
        .mul_f64(random.random_range(0.5..=1.0))
}

async fn open(config: &Config, tls: &Connector) -> Result<Open, Error> {
    let stream = TcpStream::connect(&config.address)
        .await
        .map_err(Error::Connect)?;
    // A write is all that can be sent at that point; waiting for more would only add delay.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    let mut wire = Wire::new(Box::new(stream));
    if config.security == Security::Tls {
        wire = tls.encrypt(wire, config.host()).await.map_err(Error::Tls)?;
    }
    positive("the connection", wire.reply().await?)?;
    let mut offers = greet(&mut wire, config).await?;
    if config.security == Security::StartTls {
        if !offers.has("STARTTLS") {
            return Err(Error::NoTls);
        }
        positive("STARTTLS", ask(&mut wire, "STARTTLS").await?)?;
        wire = tls.encrypt(wire, config.host()).await.map_err(Error::Tls)?;
        // What it offered in the clear counts for nothing.
        offers = greet(&mut wire, config).await?;
    }
    if let Some(username) = &config.username {
        log_in(
            &mut wire,
            &offers,
            username,
            config.password.expose_secret(),
        )
        .await?;
    }
    Ok(Open {
        wire,
        pipelining: offers.has("PIPELINING"),
    })
}

/// What a relay said that it can do.
struct Offers(String);

impl Offers {
    fn has(&self, keyword: &str) -> bool {
        self.words(keyword).is_some()
    }

    fn words(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        let line = self.0.lines().skip(1).find(|line| {
            let word = line.split([' ', '=']).next();
            word.is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        });
        line.map(|line| line.split([' ', '=']).skip(1))
    }
}

async fn greet(wire: &mut Wire, config: &Config) -> Result<Offers, Error> {
    let reply = ask(wire, &format!("EHLO {}", config.return_domain)).await?;
    positive("EHLO", reply).map(|reply| Offers(reply.text))
}

async fn log_in(
    wire: &mut Wire,
    offers: &Offers,
    username: &str,
    password: &str,
) -> Result<(), Error> {
    let offered: Vec<&str> = offers
        .words("AUTH")
        .map(Iterator::collect)
        .unwrap_or_default();
    let knows = |mechanism: &str| {
        offered
            .iter()
            .any(|word| word.eq_ignore_ascii_case(mechanism))
    };
    let reply = if knows("PLAIN") {
        let word = BASE64.encode(format!("\0{username}\0{password}"));
        ask(wire, &format!("AUTH PLAIN {word}")).await?
    } else if knows("LOGIN") {
        let mut reply = ask(wire, "AUTH LOGIN").await?;
        for word in [username, password] {
            if reply.code != 334 {
                break;
            }
            reply = ask(wire, &BASE64.encode(word)).await?;
        }
        reply
    } else {
        return Err(Error::NoLogin);
    };
    positive("the log-in", reply).map(drop)
}

async fn ask(wire: &mut Wire, command: &str) -> Result<Reply, Error> {
    wire.send(format!("{command}\r\n").as_bytes()).await?;
    Ok(wire.reply().await?)
}

fn positive(what: &'static str, reply: Reply) -> Result<Reply, Error> {
    if reply.is_positive() {
        Ok(reply)
    } else {
        Err(Error::Refused(what, reply.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read() {
        let offers = Offers("me.example\nPIPELINING\nauth=PLAIN LOGIN\nSIZE 100".to_owned());
        assert!(offers.has("pipelining") && offers.has("SIZE") && !offers.has("me.example"));
        let words: Vec<&str> = offers.words("AUTH").expect("a line").collect();
        assert_eq!(words, ["PLAIN", "LOGIN"]);
        assert!(!Offers(String::new()).has("SIZE"));
    }
}
