//! Opens a connection to the carrier, binds, hands it to a session, and opens it again when it is lost: at once at first,
//! then after growing, jittered pauses, so that many links do not come back in step.

use super::session::{End, Session};
use super::wire::{self, command, status};
use super::{Config, Shared};
use crate::limits;
use bytes::{Buf, BytesMut};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Transceiver,
    Transmitter,
    Receiver,
}

impl Role {
    pub const fn sends(self) -> bool {
        !matches!(self, Self::Receiver)
    }

    const fn command(self) -> u32 {
        match self {
            Self::Transceiver => command::BIND_TRANSCEIVER,
            Self::Transmitter => command::BIND_TRANSMITTER,
            Self::Receiver => command::BIND_RECEIVER,
        }
    }
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot connect")]
    Connect(#[source] std::io::Error),
    #[error("no answer to the bind in time")]
    Silent,
    #[error("the carrier closed the connection before it answered the bind")]
    Closed,
    #[error("the carrier refused the bind with status {0:#010x}")]
    Refused(u32),
    #[error("the carrier does not speak SMPP")]
    Malformed(#[from] wire::Error),
}

/// Keeps one link up until the carrier is stopped.
pub(super) async fn keep(shared: Arc<Shared>, role: Role, waker: Arc<Notify>, seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut failures: u32 = 0;
    loop {
        let opened = tokio::select! {
            () = shared.stop.cancelled() => return,
            opened = tokio::time::timeout(shared.config.response_timeout, open(&shared.config, role)) => {
                opened.unwrap_or(Err(Error::Silent))
            }
        };
        match opened {
            Ok((stream, input)) => {
                tracing::info!(carrier = shared.config.name, ?role, "link up");
                let end = Session::new(shared.clone(), role, waker.clone(), stream, input)
                    .run()
                    .await;
                tracing::info!(carrier = shared.config.name, ?role, ?end, "link down");
                if matches!(end, End::Stopped) {
                    return;
                }
                failures = 0;
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(carrier = shared.config.name, ?role, %error, source, "link not up");
            }
        }
        let pause = pause(&shared.config, failures, &mut random);
        failures = failures.saturating_add(1);
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
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

async fn open(config: &Config, role: Role) -> Result<(TcpStream, BytesMut), Error> {
    let mut stream = TcpStream::connect(&config.address)
        .await
        .map_err(Error::Connect)?;
    // A write is a whole batch already; waiting for more would only add delay.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    let mut out = Vec::new();
    wire::write_frame(&mut out, role.command(), 0, 1, |body| {
        wire::put_string(body, config.system_id.as_bytes());
        wire::put_string(body, config.password.expose_secret().as_bytes());
        wire::put_string(body, config.system_type.as_bytes());
        body.extend_from_slice(&[0x34, 0, 0]); // interface version 3.4; any address
        wire::put_string(body, b"");
    });
    stream.write_all(&out).await.map_err(Error::Connect)?;
    let mut input = BytesMut::with_capacity(limits::READ_BYTES);
    loop {
        if let Some((frame, length)) = wire::next_frame(&input)? {
            let (command, status) = (frame.command, frame.status);
            let answers =
                command == role.command() | command::RESPONSE || command == command::GENERIC_NACK;
            if answers && command != command::GENERIC_NACK && status == status::OK {
                input.advance(length);
                return Ok((stream, input));
            }
            if answers {
                return Err(Error::Refused(status));
            }
            // Anything else before the answer to the bind has no meaning yet.
            input.advance(length);
            continue;
        }
        if stream.read_buf(&mut input).await.map_err(Error::Connect)? == 0 {
            return Err(Error::Closed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_differ() {
        let config = Config::new("north", "a:1", "x", "");
        let pauses = |seed| {
            let mut random = SmallRng::seed_from_u64(seed);
            (0..40)
                .map(|failures| pause(&config, failures, &mut random))
                .collect::<Vec<_>>()
        };
        let one = pauses(1);
        assert!(one[0] >= config.reconnect / 2 && one[0] <= config.reconnect);
        assert!(one.iter().all(|pause| *pause <= config.reconnect_max));
        assert!(one[39] >= config.reconnect_max / 2);
        assert_eq!(one, pauses(1));
        assert_ne!(one, pauses(2));
    }
}
