//! Lines, replies and mails on a connection: what the client, the intake and the peer have in common. All of it is bounded,
//! and a mail ends at CRLF "." CRLF only, so that no other line end can smuggle a second one in.

use super::reply::Reply;
use crate::limits;
use bytes::{Buf, Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What a connection brought that is no SMTP, or that it brought nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("the server does not speak SMTP")]
    Malformed,
}

/// See the file.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    input: BytesMut,
}

/// A mail that came in.
#[derive(Debug, PartialEq)]
pub(super) enum Data {
    /// All of it, as it was before dots were doubled.
    Whole(Vec<u8>),
    /// It was longer than allowed; all of it was read and thrown away.
    TooLarge,
}

const END: &[u8] = b"\r\n.\r\n";

impl Wire {
    pub fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            input: BytesMut::with_capacity(limits::MAIL_READ_BYTES),
        }
    }

    pub fn into_clear_stream(self) -> io::Result<Box<dyn Stream>> {
        if self.input.is_empty() {
            Ok(self.stream)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "something was sent between STARTTLS and TLS",
            ))
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Reads some more. Nothing is lost when it is given up half way.
    pub async fn fill(&mut self) -> Result<(), Fault> {
        self.input.reserve(limits::MAIL_READ_BYTES);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(Fault::Closed),
            _ => Ok(()),
        }
    }

    /// Whether something came that was not read yet.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// A line without its end.
    pub async fn line(&mut self) -> Result<Bytes, Fault> {
        let mut from = 0;
        loop {
            if let Some(found) = self.input[from..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.input.split_to(from + found);
                self.input.advance(1);
                if line.ends_with(b"\r") {
                    line.truncate(line.len() - 1);
                }
                return Ok(line.freeze());
            }
            from = self.input.len();
            if from > limits::MAIL_LINE_BYTES_MAX {
                return Err(Fault::Malformed);
            }
            self.fill().await?;
        }
    }

    /// A reply of one or more lines.
    pub async fn reply(&mut self) -> Result<Reply, Fault> {
        let mut text = String::new();
        for _ in 0..limits::MAIL_REPLY_LINES_MAX {
            let line = self.line().await?;
            let code = line
                .get(..3)
                .filter(|code| {
                    code.iter().all(u8::is_ascii_digit) && (b'2'..=b'5').contains(&code[0])
                })
                .ok_or(Fault::Malformed)?;
            let code = code
                .iter()
                .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
            let separator = line.get(3).copied().unwrap_or(b' ');
            if !text.is_empty() {
                text.push('\n');
            }
            if text.len() < limits::MAIL_LINE_BYTES_MAX {
                text.push_str(&String::from_utf8_lossy(line.get(4..).unwrap_or_default()));
            }
            match separator {
                b' ' => return Ok(Reply { code, text }),
                b'-' => {}
                _ => return Err(Fault::Malformed),
            }
        }
        Err(Fault::Malformed)
    }

    /// A mail after DATA, to its end.
    pub async fn data(&mut self, bytes_max: usize) -> Result<Data, Fault> {
        let mut too_large = false;
        let mut from = 0;
        loop {
            if !too_large && from == 0 && self.input.starts_with(b".\r\n") {
                self.input.advance(3);
                return Ok(Data::Whole(Vec::new()));
            }
            if let Some(found) = find(&self.input[from..], END) {
                let mail = self.input.split_to(from + found + 2);
                self.input.advance(END.len() - 2);
                return Ok(if too_large || mail.len() > bytes_max {
                    Data::TooLarge
                } else {
                    Data::Whole(without_doubled_dots(&mail))
                });
            }
            from = self.input.len().saturating_sub(END.len() - 1);
            if self.input.len() > bytes_max + END.len() {
                too_large = true;
                self.input.advance(from);
                from = 0;
            }
            self.fill().await?;
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    // The rare byte first: a mail has far fewer dots at the start of a line than bytes.
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == b'\r') {
        let at = from + found;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The content of a mail as it goes over the wire, its end included: every line ends in CRLF, and a dot at the start of a
/// line is doubled.
pub(super) fn put_data(content: &[u8], out: &mut Vec<u8>) {
    let mut line_start = true;
    let mut rest = content;
    while !rest.is_empty() {
        if line_start && rest[0] == b'.' {
            out.push(b'.');
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        out.extend_from_slice(line);
        line_start = end.is_some();
        rest = after;
        if line_start {
            out.extend_from_slice(b"\r\n");
            rest = &rest[if rest.starts_with(b"\r\n") { 2 } else { 1 }..];
        }
    }
    if !line_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
}

fn without_doubled_dots(mail: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(mail.len());
    let mut line_start = true;
    for &byte in mail {
        if !(line_start && byte == b'.') {
            plain.push(byte);
        }
        line_start = byte == b'\n';
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
    }

    fn wire(bytes: Vec<u8>, piece: usize) -> Wire {
        Wire::new(Box::new(Pieces {
            bytes,
            at: 0,
            piece: piece.max(1),
        }))
    }

    /// Brings bytes a few at a time.
    struct Pieces {
        bytes: Vec<u8>,
        at: usize,
        piece: usize,
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            let end = (self.at + self.piece.min(buffer.remaining())).min(self.bytes.len());
            buffer.put_slice(&self.bytes[self.at..end]);
            self.at = end;
            std::task::Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Pieces {
        fn poll_write(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            bytes: &[u8],
        ) -> std::task::Poll<io::Result<usize>> {
            std::task::Poll::Ready(Ok(bytes.len()))
        }
        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn poll_shutdown(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn replies_are_read() {
        runtime().block_on(async {
            let mut wire = wire(b"250-a\r\n250 5.0.0 b\r\n354\r\n99 x\r\n".to_vec(), 3);
            let reply = wire.reply().await.expect("a reply");
            assert_eq!((reply.code, reply.text.as_str()), (250, "a\n5.0.0 b"));
            assert_eq!(wire.reply().await.expect("a bare code").code, 354);
            assert!(matches!(wire.reply().await, Err(Fault::Malformed)));
            assert!(matches!(wire.reply().await, Err(Fault::Closed)));
        });
    }

    #[test]
    fn long_lines_and_large_mails_are_bounded() {
        runtime().block_on(async {
            let mut endless = wire(vec![b'x'; 100_000], 1_000);
            assert!(matches!(endless.line().await, Err(Fault::Malformed)));
            let mut mail = vec![b'x'; 50_000];
            mail.extend_from_slice(b"\r\n.\r\nQUIT\r\n");
            let mut large = wire(mail, 1_000);
            assert_eq!(large.data(1_000).await.expect("read"), Data::TooLarge);
            assert_eq!(&large.line().await.expect("the next line")[..], b"QUIT");
            assert!(large.input.capacity() < 100_000);
        });
    }

    proptest! {
        #[test]
        fn mails_come_through_whole(
            pieces in prop::collection::vec(prop::sample::select(vec![".", "\r", "\n", "\r\n", "\r\n.\r\n", "x", "QUIT"]), 0..20),
            piece in 1_usize..10,
        ) {
            let content = pieces.concat().into_bytes();
            let mut out = Vec::new();
            put_data(&content, &mut out);
            out.extend_from_slice(b"NEXT\r\n");
            let (mail, next) = runtime().block_on(async {
                let mut wire = wire(out, piece);
                (wire.data(10_000).await.expect("a mail"), wire.line().await.expect("a line"))
            });
            let text = String::from_utf8(content).expect("ASCII");
            let mut expected = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            if !expected.is_empty() && !expected.ends_with("\r\n") {
                expected.push_str("\r\n");
            }
            prop_assert_eq!(mail, Data::Whole(expected.into_bytes()));
            prop_assert_eq!(&next[..], b"NEXT");
        }
    }
}
