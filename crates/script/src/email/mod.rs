//! The e-mail language (`scripts.md` 4): one letter, rendered for each contact. `parse` turns the source into a
//! [`Letter`] and refuses everything that could fail later; `html` finds the links that take answers.
//!
//! What the specification leaves open is decided so:
//! - `subject` and at least one of `text` and `html` must be there. Each of the others may be absent.
//! - What ends up in a header is one line: line ends and other control characters of a value become a space, so that no
//!   contact's data can add a header.
//! - `data-answer` stands on an `a` with a quoted `href` of http or https; both are looked at again when the letter is
//!   rendered, because a value may have changed the address. Its answer is a constant word.
//! - The answer that a link records is named `answer`.

mod html;
mod parse;

pub(crate) use parse::parse;

use crate::field::Fields;
use crate::limits;
use crate::template::{RenderError, Template};
use std::collections::BTreeSet;

/// The name under which a link's answer stands in the attempt's responses.
pub const ANSWER: &str = "answer";

/// An e-mail script, ready to render.
#[derive(Debug)]
pub struct Letter {
    from_name: Option<Template>,
    reply_to: Option<Template>,
    subject: Template,
    text: Option<Template>,
    html: Option<Template>,
}

/// A letter to one person. Its names and its subject hold no line ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The sender's name; the address is the pass's.
    pub from_name: Option<String>,
    /// Where replies go, if elsewhere: one address.
    pub reply_to: Option<String>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML. Links with answers have an empty address; see [`Rendered::html_with`].
    pub html: Option<String>,
    /// The links with answers, in the order of the HTML.
    pub links: Vec<Link>,
}

/// A link that records an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The answer: its `data-answer`.
    pub answer: String,
    /// Where it leads in the end: http or https.
    pub url: String,
    /// Where its address belongs in the HTML, as a byte offset.
    pub at: usize,
}

impl Letter {
    /// Every path of a field it names.
    pub fn names(&self) -> BTreeSet<&str> {
        let templates = [&self.from_name, &self.reply_to, &self.text, &self.html];
        let templates = templates.into_iter().flatten().chain([&self.subject]);
        templates
            .flat_map(|template| template.names())
            .map(String::as_str)
            .collect()
    }

    /// Renders it for a contact.
    pub fn render(&self, fields: &dyn Fields) -> Result<Rendered, RenderError> {
        let optional = |template: &Option<Template>| {
            template
                .as_ref()
                .map(|template| template.render(fields))
                .transpose()
        };
        let header = |text: Option<String>| text.map(|text| one_line(&text)).transpose();
        let from_name = header(optional(&self.from_name)?)?;
        let reply_to = header(optional(&self.reply_to)?)?.filter(|address| !address.is_empty());
        if let Some(address) = &reply_to
            && !is_address(address)
        {
            return Err(RenderError::Invalid(
                "replyTo is no e-mail address".to_owned(),
            ));
        }
        let subject = one_line(&self.subject.render(fields)?)?;
        if subject.is_empty() {
            return Err(RenderError::Invalid("the subject is empty".to_owned()));
        }
        let (html, links) = match optional(&self.html)? {
            None => (None, Vec::new()),
            Some(html) => {
                let (html, links) = html::take_links(&html).map_err(RenderError::Invalid)?;
                (Some(html), links)
            }
        };
        Ok(Rendered {
            from_name: from_name.filter(|name| !name.is_empty()),
            reply_to,
            subject,
            text: optional(&self.text)?,
            html,
            links,
        })
    }
}

impl Rendered {
    /// The HTML with an address for each link with an answer; the address is escaped here.
    pub fn html_with(&self, address: impl Fn(&Link) -> String) -> Option<String> {
        let html = self.html.as_deref()?;
        let mut whole = String::with_capacity(html.len() + 64 * self.links.len());
        let mut from = 0;
        for link in &self.links {
            // Offsets come from this HTML; a letter put together by hand may hold others, which are left out.
            let Some(before) = html.get(from..link.at) else {
                continue;
            };
            whole.push_str(before);
            html::escape(&address(link), &mut whole);
            from = link.at;
        }
        whole.push_str(&html[from..]);
        Some(whole)
    }
}

/// Control characters, line ends among them, and what reverses the direction of writing become spaces; runs of white
/// space become one.
fn one_line(text: &str) -> Result<String, RenderError> {
    let is_gap = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let words: Vec<&str> = text.split(is_gap).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.len() > limits::HEADER_BYTES_MAX {
        return Err(RenderError::TooLarge);
    }
    Ok(line)
}

/// Whether it is one plain address: `local@domain`, no name, no list, no quoting.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.chars().all(|character| {
                !character.is_whitespace()
                    && !character.is_control()
                    && !"()<>[]:;@\\,\"".contains(character)
            })
    };
    text.len() <= limits::ADDRESS_BYTES_MAX && local.len() <= 64 && plain(local) && plain(domain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Script;
    use carillon_model::script::Content;
    use proptest::prelude::*;
    use serde_json::json;

    fn script(source: &str) -> Script {
        Script::parse(&[Content {
            name: "a.xml".to_owned(),
            data: source.into(),
        }])
        .expect(source)
    }

    const INVOICE: &str = r#"<email description="Invoice">
      <from name="{{ account.name }}"/>
      <replyTo>help@example.com</replyTo>
      <subject>Your invoice {{ contact.other2 }}</subject>
      <text>
        Hello {{ contact.firstName }},
        please pay.
      </text>
      <html><![CDATA[<p title="{{ contact.firstName }}">Hello {{ contact.firstName }}</p>
        <a class='b' href="https://shop.example/{{ contact.clientId }}?a=1&amp;b=2" data-answer="paid">I have paid</a>
        <a href="https://shop.example/terms">Terms</a> <A data-answer='later' HREF='http://x.example/'>Later</A>]]></html>
    </email>"#;

    fn fields() -> serde_json::Value {
        json!({"account": {"name": "North & Co"},
            "contact": {"firstName": "A<b>\"d\"a", "other2": "42\r\nBcc: all@example.com", "clientId": "K 1/ü\""}})
    }

    #[test]
    fn the_example_is_rendered() {
        let script = script(INVOICE);
        assert_eq!(script.channel, carillon_model::ChannelType::Email);
        assert!(script.text().is_none());
        let letter = script.letter().expect("a letter");
        let names: Vec<&str> = letter.names().into_iter().collect();
        assert_eq!(
            names,
            [
                "account.name",
                "contact.clientId",
                "contact.firstName",
                "contact.other2"
            ]
        );
        let rendered = letter.render(&fields()).expect("rendered");
        assert_eq!(rendered.from_name.as_deref(), Some("North & Co"));
        assert_eq!(rendered.reply_to.as_deref(), Some("help@example.com"));
        assert_eq!(rendered.subject, "Your invoice 42 Bcc: all@example.com");
        assert_eq!(
            rendered.text.as_deref(),
            Some("Hello A<b>\"d\"a,\nplease pay.")
        );
        let links: Vec<(&str, &str)> = rendered
            .links
            .iter()
            .map(|link| (link.answer.as_str(), link.url.as_str()))
            .collect();
        assert_eq!(
            links,
            [
                ("paid", "https://shop.example/K%201/%C3%BC%22?a=1&b=2"),
                ("later", "http://x.example/")
            ]
        );
        let html = rendered
            .html_with(|link| format!("https://me.example/?{}&x", link.answer))
            .expect("HTML");
        assert!(
            html.contains("<p title=\"A&lt;b&gt;&quot;d&quot;a\">Hello A&lt;b&gt;"),
            "{html}"
        );
        assert!(
            html.contains("<a class='b' href=\"https://me.example/?paid&amp;x\">I have paid"),
            "{html}"
        );
        assert!(
            html.contains("<A HREF='https://me.example/?later&amp;x'>Later"),
            "{html}"
        );
        assert!(
            html.contains("<a href=\"https://shop.example/terms\">"),
            "{html}"
        );
    }

    #[test]
    fn what_a_contact_makes_impossible_is_an_error() {
        let render = |source: &str, value: serde_json::Value| {
            let script = script(source);
            let letter = script.letter().expect("a letter");
            letter.render(&json!({"contact": {"x": value}}))
        };
        let subject = "<email><subject>{{ contact.x }}</subject><text>t</text></email>";
        assert_eq!(
            render(subject, json!(null)),
            Err(RenderError::MissingField("contact.x".to_owned()))
        );
        assert!(matches!(
            render(subject, json!(" \r\n")),
            Err(RenderError::Invalid(_))
        ));
        assert_eq!(
            render(subject, json!("x".repeat(501))),
            Err(RenderError::TooLarge)
        );
        let reply =
            "<email><replyTo>{{ contact.x }}</replyTo><subject>s</subject><text>t</text></email>";
        assert!(matches!(
            render(reply, json!("a@b, c@d")),
            Err(RenderError::Invalid(_))
        ));
        assert_eq!(
            render(reply, json!("")).expect("no reply address").reply_to,
            None
        );
        let link = "<email><subject>s</subject><html><![CDATA[<a data-answer='y' href='{{ contact.x }}'>y</a>]]></html></email>";
        for (bad, reason) in [
            ("javascript:alert(1)", "http"),
            ("//x.example/", "http"),
            ("https://", "http"),
        ] {
            let error = render(link, json!(bad)).expect_err(bad);
            assert!(error.to_string().contains(reason), "{bad}: {error}");
        }
        let good = render(link, json!("HTTPS://x.example/ a")).expect("a link");
        assert_eq!(good.links[0].url, "HTTPS://x.example/%20a");
    }

    #[test]
    fn addresses() {
        for good in ["a@b", "a.b+c@d.example", "ü@b.example"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d", "<a@b>", "a..b@c", ".a@b", "a@b\r\n",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(!is_address(&format!("{}@b", "a".repeat(65))));
    }

    proptest! {
        #[test]
        fn no_value_breaks_out(value in "\\PC*|[\\x00-\\x7f]{0,40}") {
            let source = "<email><from name='{{ contact.x }}'/><subject>s{{ contact.x }}</subject>\
                <html><![CDATA[<a href=\"https://x.example/?{{ contact.x }}\" data-answer=\"y\">{{ contact.x }}</a>]]></html></email>";
            let script = script(source);
            let rendered = script.letter().expect("a letter").render(&json!({"contact": {"x": value}})).expect("rendered");
            let line = |text: &str| !text.chars().any(char::is_control);
            prop_assert!(line(&rendered.subject) && rendered.from_name.as_deref().is_none_or(line));
            prop_assert_eq!(rendered.links.len(), 1);
            prop_assert!(rendered.links[0].url.bytes().all(|byte| byte.is_ascii_graphic()));
            let html = rendered.html_with(|_| "u".to_owned()).expect("HTML");
            prop_assert_eq!(html.matches('<').count(), 2);
            prop_assert_eq!(html.matches('"').count(), 2);
        }
    }
}
