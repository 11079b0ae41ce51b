//! The XML of a part as a stream of events, each bounded in length and depth; a DTD is refused.

use super::archive::{Unpacking, damaged};
use crate::Result;
use crate::limits::{XML_DEPTH_MAX, XML_PIECE_BYTES_MAX};
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use std::io::{self, BufReader, Read};

const READ_BYTES: usize = 1 << 16;

/// A part that is read.
pub(super) struct Xml {
    reader: quick_xml::Reader<BufReader<Metered>>,
    buffer: Vec<u8>,
    depth: usize,
}

/// Gives out so many bytes and no more until it is allowed anew.
struct Metered {
    input: Unpacking,
    left: u64,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a value is too long"));
        }
        let count = self.input.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

impl Xml {
    pub fn new(input: Unpacking) -> Self {
        let metered = Metered {
            input,
            left: XML_PIECE_BYTES_MAX,
        };
        let buffered = BufReader::with_capacity(READ_BYTES, metered);
        let mut reader = quick_xml::Reader::from_reader(buffered);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    /// How much of the part is read: packed bytes, of all of them.
    pub fn progress(&self) -> (u64, u64) {
        self.reader.get_ref().get_ref().input.progress()
    }

    /// The next event. The end of the part is an error: whoever reads it stops at the end of what it reads.
    pub fn next(&mut self) -> Result<Event<'_>> {
        self.buffer.clear();
        self.reader.get_mut().get_mut().left = XML_PIECE_BYTES_MAX;
        let event = self
            .reader
            .read_event_into(&mut self.buffer)
            .map_err(|error| damaged(&format!("its XML is damaged: {error}")))?;
        match &event {
            Event::Start(_) if self.depth == XML_DEPTH_MAX => {
                return Err(damaged("its XML is nested too deep"));
            }
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => return Err(damaged("its XML holds a DTD")),
            Event::Eof => return Err(damaged("its XML ends too early")),
            _ => {}
        }
        Ok(event)
    }
}

/// Adds the characters that an event stands for, if it does.
pub(super) fn append(text: &mut String, event: &Event<'_>) -> Result<()> {
    match event {
        Event::Text(characters) => text.push_str(&characters.xml10_content()),
        Event::CData(characters) => text.push_str(&characters.xml10_content()),
        Event::GeneralRef(reference) => {
            let unknown = || damaged("its XML refers to an unknown character");
            match reference.resolve_char_ref().map_err(|_| unknown())? {
                Some(character) => text.push(character),
                None => text.push_str(resolve_predefined_entity(reference).ok_or_else(unknown)?),
            }
        }
        _ => {}
    }
    Ok(())
}

/// Hands each attribute to `each`: its name without prefix, and its value.
pub(super) fn attributes(start: &BytesStart<'_>, mut each: impl FnMut(&str, &str)) -> Result<()> {
    let bad = |_| damaged("its XML is damaged: an attribute cannot be read");
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| damaged("its XML is damaged: an attribute"))?;
        let name = attribute.key.local_name();
        if attribute.value.contains(['&', '\n', '\t']) {
            each(
                name.as_ref(),
                &attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(bad)?,
            );
        } else {
            each(name.as_ref(), &attribute.value);
        }
    }
    Ok(())
}
