//! Reads and checks the source of an e-mail script.

use super::{Letter, html, is_address};
use crate::error::{At, Position};
use crate::template::{CompileError, Template};
use crate::text::attribute::{
    check_attributes, check_empty, check_no_text, elements, message_text, required, unknown,
};
use crate::xml::Element;
use carillon_model::AgentNeed;

/// What the source holds beside the attributes that every language has.
pub(crate) fn parse(root: &Element, agent_need: AgentNeed) -> Result<Letter, At> {
    if agent_need != AgentNeed::None {
        return Err(root.error("an e-mail is not handed to agents: agentNeed must be None"));
    }
    if root.attribute("maxParts").is_some() {
        return Err(root.error("email has no attribute maxParts"));
    }
    check_no_text(root)?;
    let (mut from_name, mut reply_to, mut subject) = (None, None, None);
    let (mut text, mut html) = (None, None);
    for child in elements(root) {
        let (slot, template) = match child.name.as_str() {
            "from" => {
                check_attributes(child, &["name"])?;
                check_empty(child)?;
                let name = required(child, "name")?;
                (&mut from_name, compile(child, name, Template::compile)?)
            }
            "replyTo" => (&mut reply_to, reply_address(child)?),
            "subject" => (&mut subject, content(child, Template::compile)?),
            "text" => (&mut text, content(child, Template::compile)?),
            "html" => (&mut html, hypertext(child)?),
            _ => return Err(unknown(child, root)),
        };
        if slot.replace(template).is_some() {
            return Err(child.error(format!("a second {}", child.name)));
        }
    }
    let subject = subject.ok_or_else(|| root.error("an e-mail needs a subject"))?;
    if text.is_none() && html.is_none() {
        return Err(root.error("an e-mail needs a text or html"));
    }
    Ok(Letter {
        from_name,
        reply_to,
        subject,
        text,
        html,
    })
}

fn compile(
    element: &Element,
    source: &str,
    compile: fn(&str) -> Result<Template, CompileError>,
) -> Result<Template, At> {
    if source.trim().is_empty() {
        return Err(element.error(format!("{} is empty", element.name)));
    }
    let template = compile(source).map_err(|error| fault(element, source, error))?;
    if let Some(name) = template
        .names()
        .iter()
        .find(|name| name.starts_with("answers."))
    {
        return Err(element.error(format!("{name}: an e-mail goes out before any answer")));
    }
    Ok(template)
}

fn fault(element: &Element, source: &str, error: CompileError) -> At {
    let Position { line, column } = Position::of(source, error.offset);
    element.error(format!(
        "{} (line {line}, column {column} of {})",
        error.message, element.name
    ))
}

/// A template that is the text of an element.
fn content(
    element: &Element,
    language: fn(&str) -> Result<Template, CompileError>,
) -> Result<Template, At> {
    check_attributes(element, &[])?;
    if let Some(child) = elements(element).next() {
        return Err(unknown(child, element));
    }
    compile(element, &message_text(&element.text()), language)
}

fn reply_address(element: &Element) -> Result<Template, At> {
    let template = content(element, Template::compile)?;
    // A constant is what it will ever be.
    if template.names().is_empty()
        && let Ok(address) = template.render(&serde_json::Value::Null)
        && !is_address(address.trim())
    {
        return Err(element.error("replyTo is one e-mail address"));
    }
    Ok(template)
}

fn hypertext(element: &Element) -> Result<Template, At> {
    check_attributes(element, &[])?;
    if elements(element).next().is_some() {
        return Err(element.error("write HTML as <![CDATA[ … ]]>, so that it is not read as XML"));
    }
    let source = element.text();
    let source = source.trim();
    html::check(source)
        .map_err(|(offset, message)| fault(element, source, CompileError { offset, message }))?;
    let template = compile(element, source, Template::compile_html)?;
    if template.names().is_empty()
        && let Ok(html) = template.render(&serde_json::Value::Null)
    {
        html::take_links(&html).map_err(|message| element.error(message))?;
    }
    Ok(template)
}

#[cfg(test)]
mod tests {
    use crate::source::Script;
    use carillon_model::script::Content;

    #[test]
    fn faults_of_the_language() {
        let html = |inner: &str| {
            format!("<email><subject>s</subject><html><![CDATA[{inner}]]></html></email>")
        };
        let cases = [
            ("<email/>".to_owned(), "needs a subject"),
            (
                "<email><subject>s</subject></email>".to_owned(),
                "needs a text or html",
            ),
            (
                "<email><subject> </subject><text>t</text></email>".to_owned(),
                "subject is empty",
            ),
            (
                "<email><subject>s</subject><subject>s</subject></email>".to_owned(),
                "second subject",
            ),
            ("<email>hi</email>".to_owned(), "text directly"),
            (
                "<email><from/></email>".to_owned(),
                "needs the attribute name",
            ),
            (
                "<email><from name='x'>y</from></email>".to_owned(),
                "text directly",
            ),
            (
                "<email><from name='x' address='a@b'/></email>".to_owned(),
                "no attribute address",
            ),
            (
                "<email><to>x</to></email>".to_owned(),
                "not an element of email",
            ),
            (
                "<email><replyTo>nobody</replyTo></email>".to_owned(),
                "one e-mail address",
            ),
            (
                "<email agentNeed='Standard'><subject>s</subject></email>".to_owned(),
                "agentNeed",
            ),
            (
                "<email maxParts='3'><subject>s</subject></email>".to_owned(),
                "maxParts",
            ),
            (
                "<email><subject>{{ nobody }}</subject></email>".to_owned(),
                "no value nobody",
            ),
            (
                "<email><subject>{{ answers.x }}</subject></email>".to_owned(),
                "before any answer",
            ),
            (
                "<email><subject>s</subject><html><p>x</p></html></email>".to_owned(),
                "CDATA",
            ),
            (html("<a data-answer='y'>x</a>"), "needs an href"),
            (html("<a data-answer='y' href=https://x>x</a>"), "in quotes"),
            (
                html("<a data-answer='{{ contact.x }}' href='https://x/'>x</a>"),
                "letters, digits",
            ),
            (html("<a data-answer='y' href='mailto:a@b'>x</a>"), "http"),
            (
                html("<a data-answer='y' href='{# #}mailto:a@b'>x</a>"),
                "http",
            ),
            (html("<a data-answer='y' href='https://x"), "never closed"),
            (
                html(&"<a data-answer='y' href='https://x/'>x</a>".repeat(65)),
                "more than 64",
            ),
            (html("<p>{{ contact.x|nix }}</p>"), "no filter nix"),
        ];
        for (source, message) in cases {
            let contents = [Content {
                name: "a.xml".to_owned(),
                data: source.clone().into_bytes(),
            }];
            let error = Script::parse(&contents).expect_err(&source);
            assert!(error.message.contains(message), "{source}: {error}");
        }
    }
}
