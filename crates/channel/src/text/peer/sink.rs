//! A carrier that takes everything and does nothing else: the bare measure a campaign's rate is held against.

use crate::limits;
use crate::text::wire::{self, Message, command, status};
use bytes::{Buf, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// See the file. It ends when it is dropped.
pub struct Sink {
    address: SocketAddr,
    submitted: Arc<AtomicU64>,
    stop: CancellationToken,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Sink {
    /// Listens; with `receipts`, each message is reported delivered right after its response.
    pub async fn start(listen: &str, receipts: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let sink = Self {
            address: listener.local_addr()?,
            submitted: Arc::default(),
            stop: CancellationToken::new(),
        };
        let (submitted, stop) = (sink.submitted.clone(), sink.stop.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serve = serve(stream, receipts, submitted.clone());
                tokio::spawn(stop.clone().run_until_cancelled_owned(serve));
            }
        }));
        Ok(sink)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Messages taken.
    pub fn submitted(&self) -> u64 {
        self.submitted.load(Ordering::Relaxed)
    }
}

async fn serve(
    mut stream: TcpStream,
    receipts: bool,
    submitted: Arc<AtomicU64>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BytesMut::with_capacity(limits::READ_BYTES);
    let mut output = Vec::with_capacity(limits::READ_BYTES);
    let mut sequence = 0;
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        while let Ok(Some((frame, length))) = wire::next_frame(&input) {
            match frame.command {
                command::SUBMIT_SM => {
                    let id = submitted.fetch_add(1, Ordering::Relaxed).to_string();
                    wire::write_frame(
                        &mut output,
                        command::SUBMIT_SM | command::RESPONSE,
                        status::OK,
                        frame.sequence,
                        |body| {
                            wire::put_string(body, id.as_bytes());
                        },
                    );
                    if receipts && let Ok(message) = wire::read_message(frame.body) {
                        sequence += 1;
                        write_receipt(&mut output, &message, &id, sequence);
                    }
                }
                command::BIND_TRANSCEIVER | command::BIND_TRANSMITTER | command::BIND_RECEIVER => {
                    wire::write_frame(
                        &mut output,
                        frame.command | command::RESPONSE,
                        status::OK,
                        frame.sequence,
                        |body| {
                            wire::put_string(body, b"sink");
                        },
                    );
                }
                command::ENQUIRE_LINK | command::UNBIND => {
                    wire::write_bare(
                        &mut output,
                        frame.command | command::RESPONSE,
                        status::OK,
                        frame.sequence,
                    );
                }
                _ => {}
            }
            input.advance(length);
        }
        stream.write_all(&output).await?;
        output.clear();
        input.reserve(limits::READ_BYTES);
    }
}

fn write_receipt(output: &mut Vec<u8>, message: &Message<'_>, id: &str, sequence: u32) {
    let text = format!("id:{id} sub:001 dlvrd:001 stat:DELIVRD err:000");
    wire::write_frame(output, command::DELIVER_SM, 0, sequence, |body| {
        let receipt = Message {
            source: message.destination,
            destination: message.source,
            esm_class: 0x04,
            content: text.as_bytes(),
            ..Message::default()
        };
        wire::put_message(body, &receipt);
    });
}
