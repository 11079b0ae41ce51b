//! From named contents to a Script (`scripts.md` 1). Everything is checked here, once, at creation; the engine reads
//! the same contents again when it starts and they pass again.
//!
//! Text and e-mail scripts have no use for `.js` and `.wav`: nothing in their languages can name one. They are kept as they are,
//! code checked to be UTF-8 (this version has no engine that could parse it) and recordings by their header. `.xsl`
//! would change the source for each contact (S7), which this version does not do: it is refused.

use crate::email::{self, Letter};
use crate::error::{At, Error, Position};
use crate::text::Dialogue;
use crate::xml::{self, Document, Element, Node};
use crate::{limits, text, wav};
use carillon_model::limits::{DESCRIPTION_CHARACTERS_MAX, SCRIPT_BYTES_MAX, SCRIPT_CONTENTS_MAX};
use carillon_model::script::Content;
use carillon_model::{AgentNeed, ChannelType, TemplateKind};
use std::collections::HashSet;

/// A checked Script.
#[derive(Debug)]
pub struct Script {
    /// By the root element of the source.
    pub channel: ChannelType,
    /// Root attribute `description`.
    pub description: Option<String>,
    /// Root attribute `template`.
    pub is_template: bool,
    /// Root attribute `agentNeed`.
    pub agent_need: AgentNeed,
    /// Root attribute `templateKind`.
    pub template_kind: Option<TemplateKind>,
    /// What createScript may replace (S6): the contents after the first, then the ids of the source. Empty unless it
    /// is a template.
    pub element_names: Vec<String>,
    /// What runs.
    pub body: Body,
}

/// A Script in the language of its channel.
#[derive(Debug)]
pub enum Body {
    /// A text script.
    Text(Dialogue),
    /// An e-mail script.
    Email(Box<Letter>),
}

impl Script {
    /// Reads and checks the contents of a Script; the first is its source.
    pub fn parse(contents: &[Content]) -> Result<Script, Error> {
        check_names(contents)?;
        for content in contents {
            check_content(content).map_err(|at| at.in_content(&content.name))?;
        }
        let source = &contents[0];
        let document = xml::parse(&source.data).map_err(|at| at.in_content(&source.name))?;
        read(document, contents).map_err(|at| at.in_content(&source.name))
    }

    /// The dialogue of a text script.
    pub fn text(&self) -> Option<&Dialogue> {
        match &self.body {
            Body::Text(dialogue) => Some(dialogue),
            Body::Email(_) => None,
        }
    }

    /// The letter of an e-mail script.
    pub fn letter(&self) -> Option<&Letter> {
        match &self.body {
            Body::Email(letter) => Some(letter),
            Body::Text(_) => None,
        }
    }
}

fn whole(message: impl Into<String>) -> Error {
    Error {
        content: None,
        line: 1,
        column: 1,
        message: message.into(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Xml,
    StyleSheet,
    Recording,
}

fn kind(name: &str) -> Option<Kind> {
    let (_, ending) = name.rsplit_once('.')?;
    let kinds = [
        ("js", Kind::Code),
        ("xml", Kind::Xml),
        ("xsl", Kind::StyleSheet),
        ("wav", Kind::Recording),
    ];
    kinds
        .iter()
        .find(|(text, _)| ending.eq_ignore_ascii_case(text))
        .map(|(_, kind)| *kind)
}

fn check_names(contents: &[Content]) -> Result<(), Error> {
    let Some(source) = contents.first() else {
        return Err(whole("a Script needs a content"));
    };
    if contents.len() > SCRIPT_CONTENTS_MAX {
        return Err(whole(format!("more than {SCRIPT_CONTENTS_MAX} contents")));
    }
    if contents
        .iter()
        .map(|content| content.data.len())
        .sum::<usize>()
        > SCRIPT_BYTES_MAX
    {
        return Err(whole(format!(
            "the contents have more than {SCRIPT_BYTES_MAX} bytes"
        )));
    }
    let mut names = HashSet::new();
    for Content { name, .. } in contents {
        let legal = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !legal || name.len() > limits::CONTENT_NAME_CHARACTERS_MAX || kind(name).is_none() {
            let max = limits::CONTENT_NAME_CHARACTERS_MAX;
            return Err(whole(format!(
                "the name of a content has at most {max} letters, digits, '.', '_' and '-', and ends in .js, .xml, .xsl or .wav"
            )));
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(whole(format!("two contents are named {name}")));
        }
    }
    if kind(&source.name) != Some(Kind::Xml) {
        return Err(whole("the first content is the source and ends in .xml"));
    }
    Ok(())
}

fn check_content(content: &Content) -> Result<(), At> {
    match kind(&content.name) {
        Some(Kind::Xml) => xml::parse(&content.data).map(drop),
        Some(Kind::Recording) => {
            wav::check(&content.data).map_err(|message| At::new(Position::START, message))
        }
        Some(Kind::Code) => match std::str::from_utf8(&content.data) {
            Ok(_) => Ok(()),
            Err(_) => Err(At::new(Position::START, "code is UTF-8")),
        },
        Some(Kind::StyleSheet) | None => Err(At::new(
            Position::START,
            "style sheets (.xsl) are not served by this version",
        )),
    }
}

const ROOT_ATTRIBUTES: &[&str] = &[
    "description",
    "template",
    "agentNeed",
    "templateKind",
    "maxParts",
    "id",
];

fn read(document: Document, contents: &[Content]) -> Result<Script, At> {
    let root = &document.root;
    let channel = match root.name.as_str() {
        "text" => ChannelType::Text,
        "vxml" => return Err(root.error("the channel voice is not served by this version")),
        "email" => ChannelType::Email,
        other => {
            return Err(root.error(format!(
                "the root element is vxml, text or email, not {other}"
            )));
        }
    };
    if let Some(position) = document.stylesheet {
        return Err(At::new(
            position,
            "style sheets are not served by this version",
        ));
    }
    let is_namespace = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
    let unknown = root
        .attributes
        .iter()
        .find(|(name, _)| !ROOT_ATTRIBUTES.contains(&name.as_str()) && !is_namespace(name));
    if let Some((name, _)) = unknown {
        return Err(root.error(format!("{} has no attribute {name}", root.name)));
    }
    let description = root.attribute("description").map(str::to_owned);
    if description
        .as_ref()
        .is_some_and(|text| text.chars().count() > DESCRIPTION_CHARACTERS_MAX)
    {
        return Err(root.error(format!(
            "description has at most {DESCRIPTION_CHARACTERS_MAX} characters"
        )));
    }
    let is_template = match root.attribute("template") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(root.error("template is true or false")),
    };
    let agent_need =
        word(root, "agentNeed", AgentNeed::parse, AgentNeed::TEXTS)?.unwrap_or(AgentNeed::None);
    let template_kind = word(
        root,
        "templateKind",
        TemplateKind::parse,
        TemplateKind::TEXTS,
    )?;

    let (mut ids, mut seen) = (Vec::new(), HashSet::new());
    collect_ids(root, &mut ids, &mut seen)?;
    let element_names = if is_template {
        contents[1..]
            .iter()
            .map(|content| content.name.clone())
            .chain(ids)
            .collect()
    } else {
        Vec::new()
    };
    let body = match channel {
        ChannelType::Email => Body::Email(Box::new(email::parse(root, agent_need)?)),
        _ => Body::Text(text::parse(root, agent_need)?),
    };
    Ok(Script {
        channel,
        description,
        is_template,
        agent_need,
        template_kind,
        element_names,
        body,
    })
}

fn word<T>(
    root: &Element,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    texts: &[&str],
) -> Result<Option<T>, At> {
    let Some(text) = root.attribute(name) else {
        return Ok(None);
    };
    match parse(text) {
        Some(word) => Ok(Some(word)),
        None => Err(root.error(format!("{name} is one of {}", texts.join(", ")))),
    }
}

/// The ids of all elements in the order of the source; unique, and one word of bounded length each.
fn collect_ids<'a>(
    element: &'a Element,
    ids: &mut Vec<String>,
    seen: &mut HashSet<&'a str>,
) -> Result<(), At> {
    // The walk is as deep as the source, which is bounded.
    if let Some(id) = element.attribute("id") {
        if id.is_empty()
            || id.chars().count() > limits::NAME_CHARACTERS_MAX
            || id.contains(char::is_whitespace)
        {
            return Err(element.error(format!(
                "an id is one word of 1 to {} characters",
                limits::NAME_CHARACTERS_MAX
            )));
        }
        if !seen.insert(id) {
            return Err(element.error(format!("the id {id} is used twice")));
        }
        ids.push(id.to_owned());
    }
    for node in &element.children {
        if let Node::Element(child) = node {
            collect_ids(child, ids, seen)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) const REMINDER: &str = r#"<text description="Appointment reminder" agentNeed="None">
  <message>Hello {{ contact.firstName }}, {{ account.name }} expects you {{ contact.other1 }}. Reply C to confirm, R to move it, STOP to end.</message>
  <reply match="C CONFIRM YES" set="answer=confirmed" result="Success"><message>Thank you. See you then.</message></reply>
  <reply match="R MOVE" set="answer=move" goto="move"/>
  <otherwise max="2"><message>Please reply C or R.</message></otherwise>
  <timeout after="PT24H" result="Failed"/>
  <state id="move">
    <ask name="day" type="text" min="2" max="40"><message>Which day suits you?</message></ask>
    <message>We will call you about {{ answers.day }}.</message>
    <end result="Success"/>
  </state>
</text>"#;

    fn content(name: &str, data: impl AsRef<[u8]>) -> Content {
        Content {
            name: name.to_owned(),
            data: data.as_ref().to_vec(),
        }
    }

    fn fault(contents: &[Content]) -> Error {
        Script::parse(contents).expect_err("it is refused")
    }

    #[test]
    fn the_example_is_read() {
        let script = Script::parse(&[content("reminder.xml", REMINDER)]).expect("a Script");
        assert_eq!(script.channel, ChannelType::Text);
        assert_eq!(script.description.as_deref(), Some("Appointment reminder"));
        assert_eq!(
            (script.is_template, script.agent_need, script.template_kind),
            (false, AgentNeed::None, None)
        );
        assert!(script.element_names.is_empty());
        let names = script.text().expect("a text script").names();
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["account.name", "contact.firstName", "contact.other1"]
        );
    }

    #[test]
    fn a_template_names_its_elements() {
        let source = "<text template='true' templateKind='alert' agentNeed='portal' xmlns='urn:x'>\
            <message id='hello'>Hello</message><message id='bye'>Bye</message></text>";
        let recording = crate::wav::tests::wav(1, 1, 8_000, 16, b"sound!");
        let script = Script::parse(&[
            content("A.XML", source),
            content("code.js", "var x = 1"),
            content("hello.Wav", recording),
            content("other.xml", "<x/>"),
        ])
        .expect("a Script");
        assert_eq!(
            script.element_names,
            ["code.js", "hello.Wav", "other.xml", "hello", "bye"]
        );
        assert_eq!(
            (script.is_template, script.agent_need),
            (true, AgentNeed::Portal)
        );
        assert_eq!(script.template_kind, Some(TemplateKind::Alert));
    }

    #[test]
    fn contents_are_checked() {
        let good = || content("a.xml", "<text><message>m</message></text>");
        let cases = [
            (vec![], "needs a content"),
            (vec![content("run.exe", "")], "the name of a content"),
            (vec![content("a b.xml", "")], "the name of a content"),
            (vec![content("../a.xml", "")], "the name of a content"),
            (
                vec![content(&format!("{}.xml", "a".repeat(61)), "")],
                "the name of a content",
            ),
            (vec![content("a.js", "x"), good()], "the first content"),
            (vec![good(), content("A.XML", "<x/>")], "two contents"),
            (vec![good(), content("b.xml", "<x>")], "never closed"),
            (vec![good(), content("b.wav", "no")], "RIFF"),
            (vec![good(), content("b.js", b"\xff")], "UTF-8"),
            (vec![good(), content("b.xsl", "<x/>")], "not served"),
            (vec![good(); 501], "more than 500"),
            (
                vec![good(), content("b.js", vec![b'x'; SCRIPT_BYTES_MAX])],
                "bytes",
            ),
            (
                vec![content("a.xml", "<vxml version='2.1'/>")],
                "voice is not served",
            ),
            (vec![content("a.xml", "<email/>")], "subject"),
            (vec![content("a.xml", "<html/>")], "not html"),
            (
                vec![content("a.xml", "<?xml-stylesheet href='b.xsl'?><text/>")],
                "style sheets",
            ),
            (
                vec![content("a.xml", "<text template='yes'/>")],
                "template is",
            ),
            (
                vec![content("a.xml", "<text agentNeed='Some'/>")],
                "agentNeed is one of None, Standard, Portal",
            ),
            (
                vec![content("a.xml", "<text templateKind='Some'/>")],
                "templateKind is one of",
            ),
            (
                vec![content("a.xml", "<text color='red'/>")],
                "no attribute color",
            ),
            (
                vec![content("a.xml", "<text><message id=''>m</message></text>")],
                "an id is",
            ),
            (
                vec![content(
                    "a.xml",
                    "<text><message id='a'>m</message><message id='a'>m</message></text>",
                )],
                "the id a",
            ),
            (
                vec![content(
                    "a.xml",
                    format!("<text description='{}'/>", "d".repeat(256)),
                )],
                "description",
            ),
        ];
        for (contents, message) in cases {
            let error = fault(&contents);
            assert!(error.message.contains(message), "{message}: {error}");
        }
    }

    #[test]
    fn a_fault_names_content_line_and_column() {
        let error = fault(&[content(
            "a.xml",
            "<text>\n <message>m</message>\n  <foo/></text>",
        )]);
        assert_eq!(
            error.to_string(),
            "a.xml, line 3, column 3: foo is not an element of text"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Script::parse(&[content("a.xml", bytes)]);
        }

        #[test]
        fn mutated_sources_never_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..8),
        ) {
            let mut source = REMINDER.as_bytes().to_vec();
            for (place, byte, change) in changes {
                let at = place.index(source.len());
                match change {
                    0 => source[at] = byte,
                    1 => source.insert(at, byte),
                    2 => drop(source.remove(at)),
                    _ => {
                        let to = (at + usize::from(byte)).min(source.len());
                        let piece = source[at..to].to_vec();
                        source.splice(at..at, piece);
                    }
                }
            }
            if let Ok(script) = Script::parse(&[content("a.xml", source)]) {
                let dialogue = script.text().expect("a text script");
                let _ = dialogue.check(&serde_json::json!({"contact": {"firstName": "Ada"}}));
            }
        }

        #[test]
        fn sources_of_random_elements_never_panic(pieces in prop::collection::vec(prop::sample::select(vec![
            "<message>", "</message>", "<reply match='C' goto='a'>", "</reply>", "<ask name='a' type='text'>", "</ask>", "<state id='a'>",
            "</state>", "<end/>", "<timeout after='PT1H'/>", "<optOut/>", "<otherwise>", "</otherwise>", "{{ contact.x }}", "hello",
            "<![CDATA[", "]]>", "&amp;", "<!--", "-->",
        ]), 0..30)) {
            let source = format!("<text>{}</text>", pieces.concat());
            let _ = Script::parse(&[content("a.xml", source)]);
        }
    }
}
