//! The SMPP 3.4 codec: the dozen PDUs a text channel and its test carrier need. Reading borrows from the received bytes
//! and allocates nothing; every length is checked; unknown optional parameters are skipped. A codec of our own, because
//! the bar is far below a microsecond per PDU and esm_class must be exactly what we say.

use crate::limits;

/// Bytes of the header of each PDU.
pub const HEADER_BYTES: usize = 16;

/// Command ids.
#[expect(missing_docs, reason = "the names are those of the protocol")]
pub mod command {
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    pub const BIND_RECEIVER: u32 = 0x01;
    pub const BIND_TRANSMITTER: u32 = 0x02;
    pub const QUERY_SM: u32 = 0x03;
    pub const SUBMIT_SM: u32 = 0x04;
    pub const DELIVER_SM: u32 = 0x05;
    pub const UNBIND: u32 = 0x06;
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    pub const ENQUIRE_LINK: u32 = 0x15;
    pub const ALERT_NOTIFICATION: u32 = 0x102;
    pub const DATA_SM: u32 = 0x103;
    /// The bit that marks a response.
    pub const RESPONSE: u32 = 0x8000_0000;
}

/// Command statuses the two sides use by name.
#[expect(missing_docs, reason = "the names are those of the protocol")]
pub mod status {
    pub const OK: u32 = 0x00;
    pub const INVALID_MESSAGE_LENGTH: u32 = 0x01;
    pub const INVALID_COMMAND_LENGTH: u32 = 0x02;
    pub const INVALID_COMMAND: u32 = 0x03;
    pub const INCORRECT_BIND: u32 = 0x04;
    pub const SYSTEM_ERROR: u32 = 0x08;
    pub const INVALID_SOURCE: u32 = 0x0A;
    pub const INVALID_DESTINATION: u32 = 0x0B;
    pub const BIND_FAILED: u32 = 0x0D;
    pub const INVALID_PASSWORD: u32 = 0x0E;
    pub const QUEUE_FULL: u32 = 0x14;
    pub const SUBMIT_FAILED: u32 = 0x45;
    pub const THROTTLED: u32 = 0x58;
    pub const TEMPORARY: u32 = 0x64;
    pub const PERMANENT: u32 = 0x65;
    pub const QUERY_FAILED: u32 = 0x67;
    pub const INVALID_PARAMETER: u32 = 0xC4;
}

/// Optional parameters.
#[expect(missing_docs, reason = "the names are those of the protocol")]
pub mod tag {
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub const USER_MESSAGE_REFERENCE: u16 = 0x0204;
    pub const SAR_REFERENCE: u16 = 0x020C;
    pub const SAR_TOTAL: u16 = 0x020E;
    pub const SAR_NUMBER: u16 = 0x020F;
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub const MESSAGE_STATE: u16 = 0x0427;
}

/// esm_class: the short message begins with a user data header.
pub const ESM_HEADER: u8 = 0x40;
/// esm_class: the bits that say what kind of message a deliver_sm is.
pub const ESM_KIND: u8 = 0x3C;

/// Why bytes are no PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The length cannot be; the stream cannot be read further.
    #[error("command_length {0} is out of bounds")]
    Length(u32),
    /// The body ends before its fields do.
    #[error("the body is cut short")]
    Truncated,
}

/// One PDU, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Command id.
    pub command: u32,
    /// Command status.
    pub status: u32,
    /// Sequence number.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// The first PDU of `bytes` and its length; none while it is not complete.
pub fn next_frame(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, Error> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return match bytes.first_chunk::<4>() {
            Some(length) => checked_length(u32::from_be_bytes(*length)).map(|_| None),
            None => Ok(None),
        };
    };
    let word = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let length = checked_length(word(0))?;
    let Some(body) = bytes.get(HEADER_BYTES..length) else {
        return Ok(None);
    };
    Ok(Some((
        Frame {
            command: word(4),
            status: word(8),
            sequence: word(12),
            body,
        },
        length,
    )))
}

fn checked_length(length: u32) -> Result<usize, Error> {
    match length as usize {
        HEADER_BYTES..=limits::PDU_BYTES_MAX => Ok(length as usize),
        _ => Err(Error::Length(length)),
    }
}

/// Reads fields one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Result<u8, Error> {
        let (&first, rest) = self.0.split_first().ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A string up to its NUL.
    fn string(&mut self) -> Result<&'a [u8], Error> {
        let end = self
            .0
            .iter()
            .position(|&byte| byte == 0)
            .ok_or(Error::Truncated)?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(text)
    }

    /// A string up to its NUL or, as some carriers write the last field, up to the end.
    fn last_string(&mut self) -> &'a [u8] {
        self.string()
            .unwrap_or_else(|_| std::mem::take(&mut self.0))
    }

    fn parameter(&mut self) -> Result<Option<(u16, &'a [u8])>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let head = self.take(4)?;
        let value = self.take(usize::from(u16::from_be_bytes([head[2], head[3]])))?;
        Ok(Some((u16::from_be_bytes([head[0], head[1]]), value)))
    }
}

/// A string of the protocol as text: it should be ASCII; whatever is not is read as Latin-1, so nothing is lost.
pub fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// An address with its type and plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
    /// The digits or name.
    pub digits: &'a [u8],
}

/// submit_sm, deliver_sm or data_sm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// Service type.
    pub service_type: &'a [u8],
    /// From.
    pub source: Address<'a>,
    /// To.
    pub destination: Address<'a>,
    /// Mode, kind and features.
    pub esm_class: u8,
    /// How long the carrier shall try; empty = its own default.
    pub validity: &'a [u8],
    /// What receipts are wanted.
    pub registered_delivery: u8,
    /// The alphabet of `content`.
    pub data_coding: u8,
    /// short_message, or message_payload where that is empty.
    pub content: &'a [u8],
    /// user_message_reference.
    pub reference: Option<u16>,
    /// receipted_message_id.
    pub receipted: Option<&'a [u8]>,
    /// message_state.
    pub state: Option<u8>,
    /// sar_msg_ref_num, sar_total_segments, sar_segment_seqnum.
    pub segment: Option<(u16, u8, u8)>,
}

/// Reads a submit_sm or deliver_sm.
pub fn read_message(body: &[u8]) -> Result<Message<'_>, Error> {
    let mut fields = Fields(body);
    let mut message = Message {
        service_type: fields.string()?,
        source: read_address(&mut fields)?,
        destination: read_address(&mut fields)?,
        esm_class: fields.byte()?,
        ..Message::default()
    };
    fields.take(2)?; // protocol_id, priority_flag
    fields.string()?; // schedule_delivery_time
    message.validity = fields.string()?;
    message.registered_delivery = fields.byte()?;
    fields.byte()?; // replace_if_present_flag
    message.data_coding = fields.byte()?;
    fields.byte()?; // sm_default_msg_id
    let length = usize::from(fields.byte()?);
    message.content = fields.take(length)?;
    read_parameters(&mut fields, &mut message)?;
    Ok(message)
}

/// Reads a data_sm.
pub fn read_data(body: &[u8]) -> Result<Message<'_>, Error> {
    let mut fields = Fields(body);
    let mut message = Message {
        service_type: fields.string()?,
        source: read_address(&mut fields)?,
        destination: read_address(&mut fields)?,
        esm_class: fields.byte()?,
        registered_delivery: fields.byte()?,
        data_coding: fields.byte()?,
        ..Message::default()
    };
    read_parameters(&mut fields, &mut message)?;
    Ok(message)
}

fn read_address<'a>(fields: &mut Fields<'a>) -> Result<Address<'a>, Error> {
    Ok(Address {
        ton: fields.byte()?,
        npi: fields.byte()?,
        digits: fields.string()?,
    })
}

fn read_parameters<'a>(fields: &mut Fields<'a>, message: &mut Message<'a>) -> Result<(), Error> {
    let (mut reference, mut total, mut number) = (None, None, None);
    while let Some((tag, value)) = fields.parameter()? {
        match (tag, value) {
            (tag::RECEIPTED_MESSAGE_ID, value) => message.receipted = Some(until_nul(value)),
            (tag::MESSAGE_STATE, [state]) => message.state = Some(*state),
            (tag::USER_MESSAGE_REFERENCE, [high, low]) => {
                message.reference = Some(u16::from_be_bytes([*high, *low]))
            }
            (tag::MESSAGE_PAYLOAD, value) if message.content.is_empty() => message.content = value,
            (tag::SAR_REFERENCE, [high, low]) => {
                reference = Some(u16::from_be_bytes([*high, *low]))
            }
            (tag::SAR_TOTAL, [value]) => total = Some(*value),
            (tag::SAR_NUMBER, [value]) => number = Some(*value),
            _ => {}
        }
    }
    if let (Some(reference), Some(total), Some(number)) = (reference, total, number) {
        message.segment = Some((reference, total, number));
    }
    Ok(())
}

fn until_nul(value: &[u8]) -> &[u8] {
    value.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The message id of a submit_sm_resp, which some carriers leave without its NUL or leave out.
pub fn read_message_id(body: &[u8]) -> &[u8] {
    Fields(body).last_string()
}

/// The message id and state of a query_sm_resp.
pub fn read_query_response(body: &[u8]) -> Result<(&[u8], u8, u8), Error> {
    let mut fields = Fields(body);
    let id = fields.string()?;
    fields.string()?; // final_date
    Ok((id, fields.byte()?, fields.byte()?))
}

/// The message id of a query_sm.
pub fn read_query(body: &[u8]) -> Result<&[u8], Error> {
    Fields(body).string()
}

/// system_id and password of a bind.
pub fn read_bind(body: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let mut fields = Fields(body);
    Ok((fields.string()?, fields.string()?))
}

/// Appends a PDU: the header, what `body` writes, and the length over both.
pub fn write_frame(
    out: &mut impl Output,
    command: u32,
    status: u32,
    sequence: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend_from_slice(&[0; 4]);
    for word in [command, status, sequence] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    body(&mut bytes);
    let length = u32::try_from(bytes.len()).expect("a PDU we write is far below 4 GB");
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    out.append(&bytes);
}

/// Appends a PDU without a body.
pub fn write_bare(out: &mut impl Output, command: u32, status: u32, sequence: u32) {
    let mut bytes = [0_u8; HEADER_BYTES];
    bytes[3] = HEADER_BYTES as u8;
    bytes[4..8].copy_from_slice(&command.to_be_bytes());
    bytes[8..12].copy_from_slice(&status.to_be_bytes());
    bytes[12..].copy_from_slice(&sequence.to_be_bytes());
    out.append(&bytes);
}

/// Appends a response whose body is one empty string: deliver_sm_resp, data_sm_resp.
pub fn write_empty_response(out: &mut impl Output, command: u32, status: u32, sequence: u32) {
    let mut bytes = [0_u8; HEADER_BYTES + 1];
    bytes[3] = (HEADER_BYTES + 1) as u8;
    bytes[4..8].copy_from_slice(&(command | command::RESPONSE).to_be_bytes());
    bytes[8..12].copy_from_slice(&status.to_be_bytes());
    bytes[12..16].copy_from_slice(&sequence.to_be_bytes());
    out.append(&bytes);
}

/// Where PDUs are appended.
pub trait Output {
    /// Appends bytes.
    fn append(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Output for bytes::BytesMut {
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Appends a string and its NUL; a NUL inside would end the field early, so it is left out.
pub fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().copied().filter(|&byte| byte != 0));
    out.push(0);
}

fn put_address(out: &mut Vec<u8>, address: &Address<'_>) {
    out.extend_from_slice(&[address.ton, address.npi]);
    put_string(out, address.digits);
}

/// Appends an optional parameter.
pub fn put_parameter(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).expect("a parameter we write fits its length field");
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
}

/// Appends the body of a submit_sm or deliver_sm. Content above 254 bytes goes into message_payload.
pub fn put_message(out: &mut Vec<u8>, message: &Message<'_>) {
    put_string(out, message.service_type);
    put_address(out, &message.source);
    put_address(out, &message.destination);
    out.extend_from_slice(&[message.esm_class, 0, 0, 0]); // protocol_id, priority_flag, no schedule
    put_string(out, message.validity);
    out.extend_from_slice(&[message.registered_delivery, 0, message.data_coding, 0]);
    match u8::try_from(message.content.len()) {
        Ok(length) if length < 255 => {
            out.push(length);
            out.extend_from_slice(message.content);
        }
        _ => {
            out.push(0);
            put_parameter(out, tag::MESSAGE_PAYLOAD, message.content);
        }
    }
    put_parameters(out, message);
}

/// Appends the body of a data_sm.
pub fn put_data(out: &mut Vec<u8>, message: &Message<'_>) {
    put_string(out, message.service_type);
    put_address(out, &message.source);
    put_address(out, &message.destination);
    out.extend_from_slice(&[
        message.esm_class,
        message.registered_delivery,
        message.data_coding,
    ]);
    if !message.content.is_empty() {
        put_parameter(out, tag::MESSAGE_PAYLOAD, message.content);
    }
    put_parameters(out, message);
}

fn put_parameters(out: &mut Vec<u8>, message: &Message<'_>) {
    if let Some(reference) = message.reference {
        put_parameter(out, tag::USER_MESSAGE_REFERENCE, &reference.to_be_bytes());
    }
    if let Some((reference, total, number)) = message.segment {
        put_parameter(out, tag::SAR_REFERENCE, &reference.to_be_bytes());
        put_parameter(out, tag::SAR_TOTAL, &[total]);
        put_parameter(out, tag::SAR_NUMBER, &[number]);
    }
    if let Some(id) = message.receipted {
        let mut value = id.to_vec();
        value.push(0);
        put_parameter(out, tag::RECEIPTED_MESSAGE_ID, &value);
    }
    if let Some(state) = message.state {
        put_parameter(out, tag::MESSAGE_STATE, &[state]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_survives_the_wire() {
        let message = Message {
            source: Address {
                ton: 5,
                npi: 0,
                digits: b"Carillon",
            },
            destination: Address {
                ton: 1,
                npi: 1,
                digits: b"4915123456789",
            },
            esm_class: ESM_HEADER,
            validity: b"000001000000000R",
            registered_delivery: 1,
            data_coding: 8,
            content: &[1, 2, 3],
            reference: Some(7),
            receipted: Some(b"a1"),
            state: Some(2),
            segment: Some((1, 2, 1)),
            ..Message::default()
        };
        let mut bytes = Vec::new();
        write_frame(&mut bytes, command::SUBMIT_SM, 0, 9, |out| {
            put_message(out, &message)
        });
        let (frame, length) = next_frame(&bytes).expect("valid").expect("complete");
        assert_eq!(
            (frame.command, frame.sequence, length),
            (command::SUBMIT_SM, 9, bytes.len())
        );
        assert_eq!(read_message(frame.body), Ok(message.clone()));
        assert_eq!(
            next_frame(&bytes[..bytes.len() - 1]),
            Ok(None),
            "not complete"
        );

        let long = vec![b'x'; 300];
        let mut body = Vec::new();
        put_message(
            &mut body,
            &Message {
                content: &long,
                ..message
            },
        );
        assert_eq!(
            read_message(&body).expect("valid").content,
            long,
            "message_payload"
        );
    }

    #[test]
    fn impossible_lengths_are_told_early() {
        assert_eq!(next_frame(&[0, 0, 0, 15]), Err(Error::Length(15)));
        assert_eq!(next_frame(&[0, 1, 0, 1]), Err(Error::Length(65_537)));
        assert_eq!(next_frame(&[0, 0, 1]), Ok(None));
        assert_eq!(read_message_id(b"abc"), b"abc", "a missing NUL is forgiven");
        assert_eq!(read_message_id(b""), b"");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = next_frame(&bytes);
            let _ = read_message(&bytes);
            let _ = read_data(&bytes);
            let _ = read_query_response(&bytes);
            let _ = read_bind(&bytes);
            let _ = read_query(&bytes);
        }

        /// Cutting or flipping a byte of a real PDU is the more telling attack.
        #[test]
        fn a_damaged_message_never_panics(at in 0_usize..80, value: u8, keep in 0_usize..120) {
            let mut body = Vec::new();
            put_message(&mut body, &Message {
                content: b"id:1 stat:DELIVRD", receipted: Some(b"1"), state: Some(2), reference: Some(1), ..Message::default()
            });
            if let Some(byte) = body.get_mut(at) { *byte = value; }
            body.truncate(keep);
            let _ = read_message(&body);
            let _ = read_data(&body);
        }
    }
}
