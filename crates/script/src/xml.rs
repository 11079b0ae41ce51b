//! The XML of a source as a tree with places. Nothing is fetched or expanded: a DTD is refused, and so is every
//! entity but the five that XML itself names. Depth and number of elements are bounded.

use crate::error::{At, Position};
use crate::limits;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// An element with everything in it.
#[derive(Debug)]
pub(crate) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
    pub position: Position,
}

#[derive(Debug)]
pub(crate) enum Node {
    Element(Element),
    Text(String, Position),
}

/// A well-formed document.
#[derive(Debug)]
pub(crate) struct Document {
    pub root: Element,
    /// Where the source asks for a style sheet.
    pub stylesheet: Option<Position>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn error(&self, message: impl Into<String>) -> At {
        At::new(self.position, message)
    }

    /// All text directly in the element.
    pub fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text, _) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }
}

/// Reads a content as UTF-8 and as XML.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, At> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()])
                .expect("the part before the first bad byte is UTF-8");
            let position = Position::of(valid, valid.len());
            return Err(At::new(position, "this is not UTF-8"));
        }
    };
    Parser::new(text.strip_prefix('\u{feff}').unwrap_or(text)).document()
}

struct Parser<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    open: Vec<Element>,
    root: Option<Element>,
    stylesheet: Option<Position>,
    elements: usize,
    place: Place,
}

/// The place last asked for, so that a source is walked once and not from its start for every element.
struct Place {
    offset: usize,
    position: Position,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        Parser {
            text,
            reader,
            open: Vec::new(),
            root: None,
            stylesheet: None,
            elements: 0,
            place: Place {
                offset: 0,
                position: Position::START,
            },
        }
    }

    fn document(mut self) -> Result<Document, At> {
        loop {
            let offset = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
            let position = self.position(offset);
            let event = self.reader.read_event().map_err(|error| {
                let offset = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
                At::new(
                    Position::of(self.text, offset),
                    format!("not well-formed: {error}"),
                )
            })?;
            match event {
                Event::Start(start) => {
                    let element = self.element(&start, position)?;
                    self.open.push(element);
                    if self.open.len() > limits::DEPTH_MAX {
                        let message =
                            format!("elements are nested deeper than {}", limits::DEPTH_MAX);
                        return Err(At::new(position, message));
                    }
                }
                Event::Empty(start) => {
                    let element = self.element(&start, position)?;
                    self.close(element)?;
                }
                Event::End(_) => {
                    let element = self
                        .open
                        .pop()
                        .ok_or_else(|| At::new(position, "nothing is open here"))?;
                    self.close(element)?;
                }
                Event::Text(text) => self.add_text(&text.xml10_content(), position)?,
                Event::CData(text) => {
                    if self.open.is_empty() {
                        return Err(At::new(position, "text outside the root element"));
                    }
                    self.add_text(&text.xml10_content(), position)?;
                }
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference, position)?;
                    if self.open.is_empty() {
                        return Err(At::new(position, "text outside the root element"));
                    }
                    self.add_text(character.encode_utf8(&mut [0; 4]), position)?;
                }
                Event::Decl(declaration) => {
                    if offset != 0 {
                        return Err(At::new(
                            position,
                            "the XML declaration comes first or not at all",
                        ));
                    }
                    check_declaration(&declaration, position)?;
                }
                Event::PI(instruction) => {
                    if instruction.target() == "xml-stylesheet"
                        && self.root.is_none()
                        && self.open.is_empty()
                    {
                        self.stylesheet.get_or_insert(position);
                    }
                }
                Event::DocType(_) => {
                    return Err(At::new(
                        position,
                        "a document type declaration is not allowed",
                    ));
                }
                Event::Comment(_) => {}
                Event::Eof => return self.end(position),
            }
        }
    }

    fn end(self, position: Position) -> Result<Document, At> {
        if let Some(open) = self.open.last() {
            return Err(At::new(
                position,
                format!("not well-formed: {} is never closed", open.name),
            ));
        }
        let root = self
            .root
            .ok_or_else(|| At::new(position, "not well-formed: there is no root element"))?;
        Ok(Document {
            root,
            stylesheet: self.stylesheet,
        })
    }

    fn element(&mut self, start: &BytesStart<'_>, position: Position) -> Result<Element, At> {
        self.elements += 1;
        if self.elements > limits::ELEMENTS_MAX {
            return Err(At::new(
                position,
                format!("more than {} elements", limits::ELEMENTS_MAX),
            ));
        }
        let name = start.name().into_inner();
        if !is_name(name) {
            return Err(At::new(
                position,
                "not well-formed: an element needs a name",
            ));
        }
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let malformed =
                |message: String| At::new(position, format!("not well-formed: {message}"));
            let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
            let key = attribute.key.into_inner();
            if !is_name(key) {
                return Err(malformed("an attribute needs a name".to_owned()));
            }
            if attribute.value.contains('<') {
                return Err(malformed(format!("the value of {key} holds a <")));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| malformed(format!("{key}: {error}")))?;
            check_characters(&value, position)?;
            attributes.push((key.to_owned(), value.into_owned()));
            if attributes.len() > limits::ATTRIBUTES_MAX {
                return Err(At::new(
                    position,
                    format!("more than {} attributes", limits::ATTRIBUTES_MAX),
                ));
            }
        }
        Ok(Element {
            name: name.to_owned(),
            attributes,
            children: Vec::new(),
            position,
        })
    }

    fn close(&mut self, element: Element) -> Result<(), At> {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None if self.root.is_some() => {
                return Err(element.error("not well-formed: a second root element"));
            }
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str, position: Position) -> Result<(), At> {
        check_characters(text, position)?;
        let Some(parent) = self.open.last_mut() else {
            if text.trim().is_empty() {
                return Ok(());
            }
            return Err(At::new(position, "text outside the root element"));
        };
        // References cut a text into pieces; they are one text again here.
        match parent.children.last_mut() {
            Some(Node::Text(whole, _)) => whole.push_str(text),
            _ => parent.children.push(Node::Text(text.to_owned(), position)),
        }
        Ok(())
    }

    fn position(&mut self, offset: usize) -> Position {
        let passed =
            &self.text[self.place.offset..offset.min(self.text.len()).max(self.place.offset)];
        let moved = Position::of(passed, passed.len());
        let Position { line, column } = &mut self.place.position;
        if moved.line > 1 {
            *line += moved.line - 1;
            *column = moved.column;
        } else {
            *column += moved.column - 1;
        }
        self.place.offset += passed.len();
        self.place.position
    }
}

fn check_declaration(
    declaration: &quick_xml::events::BytesDecl<'_>,
    position: Position,
) -> Result<(), At> {
    let malformed = |message: &str| At::new(position, format!("not well-formed: {message}"));
    let version = declaration
        .version()
        .map_err(|error| malformed(&error.to_string()))?;
    if version != "1.0" {
        return Err(malformed("the version of XML is 1.0"));
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding))
            if encoding.eq_ignore_ascii_case("utf-8")
                || encoding.eq_ignore_ascii_case("us-ascii") =>
        {
            Ok(())
        }
        Some(_) => Err(At::new(position, "the encoding of a source is UTF-8")),
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>, position: Position) -> Result<char, At> {
    let resolved = reference
        .resolve_char_ref()
        .map_err(|error| At::new(position, format!("not well-formed: {error}")))?;
    if let Some(character) = resolved {
        return Ok(character);
    }
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        other => Err(At::new(
            position,
            format!("the entity {other} is not allowed"),
        )),
    }
}

fn is_name(name: &str) -> bool {
    let starts = |character: char| character.is_alphabetic() || character == '_';
    name.starts_with(starts)
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || "_-.:".contains(character))
}

/// XML 1.0 knows no control characters but tab, line feed and carriage return.
fn check_characters(text: &str, position: Position) -> Result<(), At> {
    let illegal = |character: char| matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    match text.find(illegal) {
        None => Ok(()),
        Some(_) => Err(At::new(
            position,
            "not well-formed: a character that XML does not allow",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(source: &str) -> (u32, u32, String) {
        let error = parse(source.as_bytes()).expect_err(source);
        (error.position.line, error.position.column, error.message)
    }

    #[test]
    fn text_keeps_its_spaces_around_references() {
        let document = parse(b"<?xml version='1.0' encoding='UTF-8'?>\n<a x='1 &lt; &#50;'>Ann &amp; Bob<![CDATA[ <&> ]]>&#x41;</a>").expect("well-formed");
        assert_eq!(document.root.text(), "Ann & Bob <&> A");
        assert_eq!(document.root.attribute("x"), Some("1 < 2"));
        assert_eq!(document.root.position, Position { line: 2, column: 1 });
    }

    #[test]
    fn faults_have_places() {
        assert_eq!(fault("<a>\n  <b>\n</a>").0, 3);
        assert_eq!(
            fault("<a>\n  &nbsp;</a>"),
            (2, 3, "the entity nbsp is not allowed".to_owned())
        );
        assert_eq!(
            fault("<!DOCTYPE a [<!ENTITY x 'y'>]><a/>").2,
            "a document type declaration is not allowed"
        );
        for bad in [
            "",
            "  ",
            "text",
            "<a/><b/>",
            "<a>",
            "<a/>text",
            "<a x='&y;'/>",
            "<a>\u{1}</a>",
            "<a x='1' x='2'/>",
            "<a x=1/>",
            "<a>&#0;</a>",
            "<a>&#1;</a>",
            "<1/>",
            "</a>",
            "<a><!-- -- --></a>",
            " <?xml version='1.0'?><a/>",
            "<?xml version='1.0' encoding='latin1'?><a/>",
            "<a x='<'/>",
            "<a>&b</a>",
        ] {
            assert!(!fault(bad).2.is_empty(), "{bad}");
        }
        assert_eq!(
            parse(b"<a>\n\xff</a>").expect_err("not UTF-8").position,
            Position { line: 2, column: 1 }
        );
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(nested(limits::DEPTH_MAX).as_bytes()).is_ok());
        assert!(
            fault(&nested(limits::DEPTH_MAX + 1))
                .2
                .contains("nested deeper")
        );
        assert!(fault(&"<a>".repeat(1_000_000)).2.contains("nested deeper"));
        assert!(
            fault(&format!("<a>{}</a>", "<b/>".repeat(limits::ELEMENTS_MAX)))
                .2
                .contains("elements")
        );
    }

    #[test]
    fn a_style_sheet_is_noticed() {
        let document = parse(b"\n<?xml-stylesheet href='a.xsl'?><a/>").expect("well-formed");
        assert_eq!(document.stylesheet, Some(Position { line: 2, column: 1 }));
    }
}
