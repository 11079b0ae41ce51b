//! The bounded pull reader under the SOAP door. It gives elements, texts and ends, resolves the five predefined entities
//! and character references, and refuses a DTD, too much depth and too many elements.

use super::SoapFault;
use super::namespace::{INCLUDE, INSTANCE, Scopes};
use crate::door::body::Part;
use crate::limits::{DEPTH_MAX, ELEMENTS_MAX};
use crate::shape::{Field, Identity, Shape, Type};
use crate::tree::{Builder, ROOT};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// What comes next.
pub enum Piece<'a> {
    /// An element begins.
    Start(BytesStart<'a>),
    /// Character data, as it reads.
    Text(Cow<'a, str>),
    /// The innermost element ends.
    End,
    /// The document ends.
    Eof,
}

/// Attributes of an element that mean something here.
#[derive(Default)]
pub struct Marks {
    /// Local name of xsi:type, when it names a type of the service (or none that could be told from one).
    pub kind: Option<String>,
    /// The xsi:type is of another namespace.
    pub foreign_kind: bool,
    /// xsi:nil.
    pub nil: bool,
}

/// The reader.
pub struct Reader<'a> {
    xml: quick_xml::Reader<&'a [u8]>,
    pub body: &'a str,
    pub scopes: Scopes<'a>,
    pub service_namespace: &'static str,
    pub parts: &'a [Part],
    depth: usize,
    elements: usize,
}

impl<'a> Reader<'a> {
    /// A reader over a body.
    pub fn new(
        body: &'a str,
        service_namespace: &'static str,
        parts: &'a [Part],
    ) -> Result<Self, SoapFault> {
        if holds_illegal(body) {
            return Err(SoapFault::malformed(
                "The body holds characters that XML does not allow",
            ));
        }
        let mut xml = quick_xml::Reader::from_str(body);
        xml.config_mut().expand_empty_elements = true;
        xml.config_mut().check_comments = true;
        Ok(Self {
            xml,
            body,
            scopes: Scopes::default(),
            service_namespace,
            parts,
            depth: 0,
            elements: 0,
        })
    }

    /// The next piece.
    pub fn next(&mut self) -> Result<Piece<'a>, SoapFault> {
        loop {
            let event = self.xml.read_event().map_err(|error| {
                SoapFault::malformed(format!("The body is not well-formed XML: {error}"))
            })?;
            match event {
                Event::Start(start) => return self.start(start),
                Event::End(_) => {
                    self.scopes.leave(self.depth);
                    self.depth -= 1;
                    return Ok(Piece::End);
                }
                Event::Text(text) => return Ok(Piece::Text(text.xml10_content())),
                Event::CData(text) => return Ok(Piece::Text(text.xml10_content())),
                Event::GeneralRef(reference) => {
                    return resolve(&reference)
                        .map(|text| Piece::Text(Cow::Owned(text)))
                        .ok_or_else(|| {
                            SoapFault::malformed("The body refers to an unknown entity")
                        });
                }
                Event::DocType(_) => return Err(SoapFault::malformed("A DTD is not allowed")),
                Event::Decl(declaration) => {
                    if self.elements > 0 {
                        return Err(SoapFault::malformed(
                            "The XML declaration is not at the start",
                        ));
                    }
                    if let Some(Ok(encoding)) = declaration.encoding() {
                        let known = ["utf-8", "utf8", "utf-16", "us-ascii"];
                        if !known
                            .iter()
                            .any(|known| encoding.eq_ignore_ascii_case(known))
                        {
                            return Err(SoapFault::malformed(
                                "The encoding is not UTF-8 or UTF-16",
                            ));
                        }
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Empty(_) => unreachable!("empty elements are expanded"),
                Event::Eof => {
                    return if self.depth == 0 {
                        Ok(Piece::Eof)
                    } else {
                        Err(SoapFault::malformed("The body ends inside an element"))
                    };
                }
            }
        }
    }

    fn start(&mut self, start: BytesStart<'a>) -> Result<Piece<'a>, SoapFault> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > DEPTH_MAX {
            return Err(SoapFault::malformed("The body is nested too deep"));
        }
        if self.elements > ELEMENTS_MAX {
            return Err(SoapFault::malformed("The body has too many elements"));
        }
        if start.attributes_raw().contains("xmlns") {
            self.bind(&start)?;
        }
        Ok(Piece::Start(start))
    }

    fn bind(&mut self, start: &BytesStart<'a>) -> Result<(), SoapFault> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| SoapFault::malformed(error.to_string()))?;
            let key = attribute.key.0;
            let prefix = if key == "xmlns" {
                ""
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                prefix
            } else {
                continue;
            };
            let namespace = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| SoapFault::malformed(error.to_string()))?
                .into_owned();
            // The name lives as long as the body: it is found again there.
            let prefix = within(self.body, prefix).unwrap_or_default();
            if !self.scopes.bind(self.depth, prefix, namespace) {
                return Err(SoapFault::malformed("The body binds too many prefixes"));
            }
        }
        Ok(())
    }

    /// Namespace and local name of an element.
    pub fn name<'s>(&self, start: &'s BytesStart<'a>) -> (Option<&str>, &'s str) {
        let qualified = start.name().0;
        match qualified.split_once(':') {
            Some((prefix, local)) => {
                let at = start.name().0.len() - local.len();
                (self.scopes.resolve(prefix), &qualified_of(start)[at..])
            }
            None => (self.scopes.resolve(""), qualified_of(start)),
        }
    }

    /// xsi:type and xsi:nil of an element.
    pub fn marks(&self, start: &BytesStart<'a>) -> Result<Marks, SoapFault> {
        let mut marks = Marks::default();
        if start.attributes_raw().is_empty() {
            return Ok(marks);
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| SoapFault::malformed(error.to_string()))?;
            let Some((prefix, local)) = attribute.key.0.split_once(':') else {
                continue;
            };
            if prefix == "xmlns" || self.scopes.resolve(prefix) != Some(INSTANCE) {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| SoapFault::malformed(error.to_string()))?;
            match local {
                "nil" => marks.nil = matches!(value.trim(), "true" | "1"),
                "type" => {
                    let (prefix, local) =
                        value.trim().split_once(':').unwrap_or(("", value.trim()));
                    let namespace = self.scopes.resolve(prefix);
                    marks.foreign_kind = match namespace {
                        Some(namespace) => namespace != self.service_namespace,
                        None => !prefix.is_empty(),
                    };
                    marks.kind = Some(local.to_owned());
                }
                _ => {}
            }
        }
        Ok(marks)
    }

    /// Skips to the end of the innermost element.
    pub fn skip(&mut self) -> Result<(), SoapFault> {
        let depth = self.depth;
        while self.depth >= depth {
            if matches!(self.next()?, Piece::Eof) {
                return Err(SoapFault::malformed("The body ends inside an element"));
            }
        }
        Ok(())
    }

    /// The text of the innermost element up to its end. None inside = an element was met where text should be.
    pub fn text(&mut self) -> Result<(Cow<'a, str>, bool), SoapFault> {
        let mut text: Cow<'a, str> = Cow::Borrowed("");
        let mut plain = true;
        loop {
            match self.next()? {
                Piece::Text(more) if text.is_empty() => text = more,
                Piece::Text(more) => text.to_mut().push_str(&more),
                Piece::Start(start) => match self.included(&start)? {
                    Some(data) => {
                        text = Cow::Owned(data);
                        self.skip()?;
                    }
                    None => {
                        plain = false;
                        self.skip()?;
                    }
                },
                Piece::End => return Ok((text, plain)),
                Piece::Eof => return Err(SoapFault::malformed("The body ends inside an element")),
            }
        }
    }

    /// The data of an xop:Include, as base64.
    fn included(&self, start: &BytesStart<'a>) -> Result<Option<String>, SoapFault> {
        use base64::Engine as _;
        if self.parts.is_empty() || !matches!(self.name(start), (Some(INCLUDE), "Include")) {
            return Ok(None);
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| SoapFault::malformed(error.to_string()))?;
            if attribute.key.0 == "href" {
                let wanted = attribute
                    .value
                    .strip_prefix("cid:")
                    .unwrap_or(&attribute.value)
                    .replace("%40", "@");
                let part = self.parts.iter().find(|part| part.id == wanted);
                let part =
                    part.ok_or_else(|| SoapFault::malformed("An included part is missing"))?;
                return Ok(Some(
                    base64::engine::general_purpose::STANDARD.encode(&part.data),
                ));
            }
        }
        Ok(None)
    }

    /// Reads the arguments of a method up to the end of its element.
    pub fn arguments(
        &mut self,
        builder: &mut Builder,
        shape: &'static Shape,
    ) -> Result<(), SoapFault> {
        loop {
            match self.next()? {
                Piece::Start(start) => {
                    let (_, local) = self.name(&start);
                    let index = local
                        .strip_prefix("arg")
                        .filter(|digits| !digits.starts_with('0'))
                        .and_then(|digits| digits.parse::<usize>().ok())
                        .and_then(|position| position.checked_sub(1))
                        .filter(|index| *index < shape.len());
                    match index.and_then(|index| Some((index, shape.field(index)?))) {
                        Some((index, field)) => self.value(builder, ROOT, index, field, &start)?,
                        None => {
                            builder.unknown(ROOT, local);
                            self.skip()?;
                        }
                    }
                }
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(_) => builder.misfit(ROOT, "holds text beside its arguments"),
                Piece::End => return Ok(()),
                Piece::Eof => return Err(SoapFault::malformed("The body ends inside an element")),
            }
        }
    }

    /// Reads one value of a field, its start being read already.
    fn value(
        &mut self,
        builder: &mut Builder,
        parent: u32,
        index: usize,
        field: &'static Field,
        start: &BytesStart<'a>,
    ) -> Result<(), SoapFault> {
        let marks = self.marks(start)?;
        let repeated = !field.many
            && !matches!(field.ty, Type::Attributes)
            && builder.has_field(parent, index);
        if repeated {
            builder.misfit(parent, format!("{} is given twice", field.name));
        }
        if marks.nil {
            builder.null(parent, index, false);
            return self.skip();
        }
        match field.ty {
            Type::Attributes => self.attribute(builder, parent, index),
            Type::Entity(shape) => {
                let wrong = !field.any_type
                    && marks.kind.as_ref().is_some_and(|kind| {
                        marks.foreign_kind || !kind.eq_ignore_ascii_case(shape.name)
                    });
                self.object(builder, parent, index, shape, wrong)
            }
            Type::OneOf(shapes) => {
                let found = marks
                    .kind
                    .as_ref()
                    .filter(|_| !marks.foreign_kind)
                    .and_then(|kind| {
                        shapes
                            .iter()
                            .find(|shape| kind.eq_ignore_ascii_case(shape.name))
                    });
                match found {
                    Some(shape) => self.object(builder, parent, index, shape, false),
                    None => {
                        let name = marks.kind.as_deref().unwrap_or("none");
                        let text = format!("xsi:type is {name}; it must name what this is");
                        self.object_without_kind(builder, parent, index, shapes[0], text)
                    }
                }
            }
            _ => {
                let (text, plain) = self.text()?;
                if text.trim().is_empty() {
                    builder.null(parent, index, false);
                } else {
                    builder.scalar(parent, index, self.body, text);
                }
                if !plain {
                    builder.misfit(
                        parent,
                        format!("{} holds elements where a value belongs", field.name),
                    );
                }
                Ok(())
            }
        }
    }

    /// An element of a base type without a type of its own: empty is null, anything else does not fit.
    fn object_without_kind(
        &mut self,
        builder: &mut Builder,
        parent: u32,
        index: usize,
        shape: &'static Shape,
        text: String,
    ) -> Result<(), SoapFault> {
        let before = builder.object(parent, index, shape);
        let mut empty = true;
        loop {
            match self.next()? {
                Piece::Start(_) => {
                    empty = false;
                    self.skip()?;
                }
                Piece::Text(text) => empty &= text.trim().is_empty(),
                Piece::End => break,
                Piece::Eof => return Err(SoapFault::malformed("The body ends inside an element")),
            }
        }
        if empty {
            builder.empty(before);
        } else {
            builder.misfit(before, text);
        }
        Ok(())
    }

    fn object(
        &mut self,
        builder: &mut Builder,
        parent: u32,
        index: usize,
        shape: &'static Shape,
        wrong_kind: bool,
    ) -> Result<(), SoapFault> {
        let node = builder.object(parent, index, shape);
        let mut empty = true;
        loop {
            match self.next()? {
                Piece::Start(start) => {
                    empty = false;
                    let (_, local) = self.name(&start);
                    match shape
                        .index_of(local)
                        .and_then(|index| Some((index, shape.field(index)?)))
                    {
                        Some((index, field)) => self.value(builder, node, index, field, &start)?,
                        None => {
                            builder.unknown(node, local);
                            self.skip()?;
                        }
                    }
                }
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(_) => {
                    empty = false;
                    builder.misfit(node, "holds text where fields belong");
                }
                Piece::End => break,
                Piece::Eof => return Err(SoapFault::malformed("The body ends inside an element")),
            }
        }
        if empty {
            builder.empty(node);
        } else if wrong_kind {
            builder.misfit(node, format!("xsi:type must be {}", shape.name));
        }
        debug_assert!(shape.identity != Identity::None || !shape.is_empty());
        Ok(())
    }

    /// `<attributes><name>…</name><value>…</value></attributes>`.
    fn attribute(
        &mut self,
        builder: &mut Builder,
        parent: u32,
        index: usize,
    ) -> Result<(), SoapFault> {
        let mut name: Option<Cow<'a, str>> = None;
        let mut value: Option<Cow<'a, str>> = None;
        let mut empty = true;
        loop {
            match self.next()? {
                Piece::Start(start) => {
                    empty = false;
                    let (_, local) = self.name(&start);
                    let slot = match local {
                        "name" => &mut name,
                        "value" => &mut value,
                        other => {
                            builder.unknown(parent, other);
                            self.skip()?;
                            continue;
                        }
                    };
                    let nil = !start.attributes_raw().is_empty() && self.marks(&start)?.nil;
                    let (text, plain) = self.text()?;
                    if !plain {
                        builder.misfit(parent, "an attribute holds elements where text belongs");
                    }
                    *slot = (!nil && !text.is_empty()).then_some(text);
                }
                Piece::Text(_) => {}
                Piece::End => break,
                Piece::Eof => return Err(SoapFault::malformed("The body ends inside an element")),
            }
        }
        if !empty {
            let name = name.map(|name| match name {
                Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
                Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
            });
            builder.attribute(parent, index, self.body, name, value);
        }
        Ok(())
    }
}

fn qualified_of<'s>(start: &'s BytesStart<'_>) -> &'s str {
    start.name().0
}

/// The same text as a slice of the body, which outlives the event.
fn within<'a>(body: &'a str, text: &str) -> Option<&'a str> {
    let start = (text.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    body.get(start..start + text.len())
}

fn resolve(reference: &str) -> Option<String> {
    let letter = match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "apos" => '\'',
        "quot" => '"',
        numeric => {
            let digits = numeric.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|letter| {
                !matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
            })?
        }
    };
    Some(letter.to_string())
}

/// Whether a text holds characters that XML 1.0 does not know. Texts are looked at a chunk at a time, which takes a tenth of
/// the time; the two characters beyond ASCII begin with a byte that hardly any text holds.
fn holds_illegal(text: &str) -> bool {
    let any = |wanted: fn(u8) -> bool| {
        let mut chunks = text.as_bytes().chunks(64);
        chunks.any(|chunk| {
            chunk
                .iter()
                .fold(false, |found, byte| found | wanted(*byte))
        })
    };
    any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'))
        || any(|byte| byte == 0xef) && text.contains(['\u{fffe}', '\u{ffff}'])
}
