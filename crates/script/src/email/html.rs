//! Links with answers in HTML. Only tags of `a` are looked at; the rest of the HTML is the writer's own and passes
//! through. The same reader looks at the source, where template constructs stand between and inside the tags, and at
//! the rendered HTML, where every value is escaped and so can neither open a tag nor close a quote.

use super::Link;
use crate::limits;
use std::ops::Range;

/// A fault at a byte.
pub(super) type Fault = (usize, String);

/// One `a` that has `data-answer`.
struct Anchor {
    answer: String,
    /// The attribute `data-answer` with the white space before it.
    attribute: Range<usize>,
    /// The address between its quotes.
    href: Range<usize>,
}

/// Checks the source of HTML.
pub(super) fn check(source: &str) -> Result<(), Fault> {
    for anchor in anchors(source, true)? {
        let href = &source[anchor.href.clone()];
        // Where a value begins the address, only rendering can tell.
        if !href.starts_with("{{") && !href.starts_with("{%") && web_address(href).is_none() {
            let message = "the href of a link with data-answer begins with http:// or https://";
            return Err((anchor.href.start, message.to_owned()));
        }
    }
    Ok(())
}

/// Takes the links with answers out of rendered HTML: their `data-answer` is gone and their address empty.
pub(super) fn take_links(html: &str) -> Result<(String, Vec<Link>), String> {
    let mut whole = String::with_capacity(html.len());
    let mut links = Vec::new();
    let mut from = 0;
    for anchor in anchors(html, false).map_err(|(_, message)| message)? {
        let url = web_address(&unescape(&html[anchor.href.clone()]))
            .ok_or("a link with data-answer leads to an address of http or https")?;
        let mut cuts = [(&anchor.attribute, false), (&anchor.href, true)];
        cuts.sort_by_key(|(range, _)| range.start);
        for (range, is_href) in cuts {
            whole.push_str(&html[from..range.start]);
            if is_href {
                links.push(Link {
                    answer: anchor.answer.clone(),
                    url: url.clone(),
                    at: whole.len(),
                });
            }
            from = range.end;
        }
    }
    whole.push_str(&html[from..]);
    Ok((whole, links))
}

/// An address of http or https with a host, in the characters an address may have; what others it holds is written in
/// per cent signs.
fn web_address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !web || rest.is_empty() || rest.starts_with(['/', '?', '#']) {
        return None;
    }
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    (url.len() <= limits::LINK_BYTES_MAX).then_some(url)
}

fn anchors(html: &str, templated: bool) -> Result<Vec<Anchor>, Fault> {
    let mut reader = Reader {
        html,
        bytes: html.as_bytes(),
        at: 0,
        templated,
    };
    let mut anchors = Vec::new();
    while reader.at < reader.bytes.len() {
        if reader.skip_construct() {
            continue;
        }
        if reader.rest().starts_with("<!--") {
            let end = reader
                .rest()
                .find("-->")
                .map_or(reader.rest().len(), |end| end + 3);
            reader.at += end;
            continue;
        }
        if !reader.at_anchor() {
            reader.at += 1;
            continue;
        }
        if let Some(anchor) = reader.anchor()? {
            if anchors.len() == limits::LINKS_MAX {
                let message = format!("more than {} links with data-answer", limits::LINKS_MAX);
                return Err((reader.at, message));
            }
            anchors.push(anchor);
        }
    }
    Ok(anchors)
}

struct Reader<'a> {
    html: &'a str,
    bytes: &'a [u8],
    at: usize,
    templated: bool,
}

/// An attribute: its name, where it stands, its value and whether that is in quotes.
struct Attribute<'a> {
    name: &'a str,
    whole: Range<usize>,
    value: Range<usize>,
    quoted: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        // Every step ends after an ASCII character or a whole one is walked byte by byte and never cut.
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Steps over `{{ … }}`, `{% … %}` and `{# … #}` in a source.
    fn skip_construct(&mut self) -> bool {
        if !self.templated || self.bytes[self.at] != b'{' {
            return false;
        }
        let close = match self.bytes.get(self.at + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => return false,
        };
        let length = self
            .rest()
            .find(close)
            .map_or(self.rest().len(), |end| end + 2);
        self.at += length;
        true
    }

    fn at_anchor(&self) -> bool {
        let ahead = |offset: usize| {
            self.bytes
                .get(self.at + offset)
                .copied()
                .unwrap_or_default()
        };
        ahead(0) == b'<' && ahead(1).eq_ignore_ascii_case(&b'a') && ahead(2).is_ascii_whitespace()
    }

    /// Reads the tag of an `a`; what has `data-answer` must be whole.
    fn anchor(&mut self) -> Result<Option<Anchor>, Fault> {
        let start = self.at;
        self.at += 2;
        let (mut answer, mut href) = (None, None);
        let mut count = 0;
        while let Some(attribute) = self.attribute() {
            count += 1;
            if count > limits::LINK_ATTRIBUTES_MAX {
                return Err((start, "a link has too many attributes".to_owned()));
            }
            // As a browser does, the first of two counts.
            if attribute.name.eq_ignore_ascii_case("data-answer") {
                answer.get_or_insert(attribute);
            } else if attribute.name.eq_ignore_ascii_case("href") {
                href.get_or_insert(attribute);
            }
        }
        let closed = self.bytes.get(self.at) == Some(&b'>');
        let Some(answer) = answer else {
            return Ok(None);
        };
        if !closed {
            return Err((start, "a link with data-answer is never closed".to_owned()));
        }
        let href = href.ok_or((start, "a link with data-answer needs an href".to_owned()))?;
        if !answer.quoted || !href.quoted {
            return Err((
                start,
                "data-answer and href of a link stand in quotes".to_owned(),
            ));
        }
        let word = &self.html[answer.value];
        let max = limits::NAME_CHARACTERS_MAX;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if word.is_empty() || word.len() > max || !word.bytes().all(legal) {
            let message = format!("data-answer is 1 to {max} letters, digits, '_', '.' and '-'");
            return Err((start, message));
        }
        Ok(Some(Anchor {
            answer: word.to_owned(),
            attribute: answer.whole,
            href: href.value,
        }))
    }

    /// The next attribute of the tag; none at its end.
    fn attribute(&mut self) -> Option<Attribute<'a>> {
        let before = self.at;
        while self.at < self.bytes.len() && !self.skip_construct() {
            match self.bytes[self.at] {
                byte if byte.is_ascii_whitespace() || byte == b'/' => self.at += 1,
                b'>' => return None,
                _ => break,
            }
        }
        let name_start = self.at;
        while let Some(&byte) = self.bytes.get(self.at)
            && !byte.is_ascii_whitespace()
            && !b"=>/".contains(&byte)
        {
            self.at += 1;
        }
        let name = self.html.get(name_start..self.at)?;
        let name_end = self.at;
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'=') {
            if name.is_empty() && self.at == before {
                return None;
            }
            return (self.at < self.bytes.len()).then_some(Attribute {
                name,
                whole: before..name_end,
                value: name_end..name_end,
                quoted: false,
            });
        }
        self.at += 1;
        self.skip_space();
        let (value, quoted) = self.value()?;
        Some(Attribute {
            name,
            whole: before..self.at,
            value,
            quoted,
        })
    }

    fn skip_space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// A value and whether it is in quotes; none when its quote is never closed.
    fn value(&mut self) -> Option<(Range<usize>, bool)> {
        let quote = *self.bytes.get(self.at)?;
        let quoted = quote == b'"' || quote == b'\'';
        self.at += usize::from(quoted);
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            if self.skip_construct() {
                continue;
            }
            if quoted && byte == quote {
                self.at += 1;
                return Some((start..self.at - 1, true));
            }
            if !quoted && (byte.is_ascii_whitespace() || byte == b'>') {
                return Some((start..self.at, false));
            }
            self.at += 1;
        }
        None
    }
}

/// Undoes the escapes that rendering makes and writers use in addresses; others stay as they are.
fn unescape(text: &str) -> String {
    const NAMED: [(&str, char); 5] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
    ];
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.bytes().take(10).position(|byte| byte == b';');
        let character = end.and_then(|end| {
            let name = &rest[1..end];
            let numeric = match name.strip_prefix('#') {
                Some(digits) => match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => digits.parse().ok(),
                },
                None => None,
            };
            let named = || {
                NAMED
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, it)| *it)
            };
            numeric.and_then(char::from_u32).or_else(named)
        });
        match (end, character) {
            (Some(end), Some(character)) => {
                plain.push(character);
                rest = &rest[end + 1..];
            }
            _ => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Writes text so that it may stand in HTML, in a quoted attribute too.
pub(super) fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_undone() {
        for (text, plain) in [
            ("a&amp;b&#x2f;c&#39;d", "a&b/c'd"),
            ("&copy;&", "&copy;&"),
            ("&#x110000;&#;&é;", "&#x110000;&#;&é;"),
        ] {
            assert_eq!(unescape(text), plain);
        }
    }

    #[test]
    fn other_markup_passes_through() {
        for html in [
            "<abbr data-answer='x'>y</abbr>",
            "<!-- <a data-answer='x'> -->",
            "<a href=\"x\" data-answers='y'>z</a>",
            "a < b <a",
            "<a href='never",
            "<a \u{e9}=\"x\">",
        ] {
            assert_eq!(
                take_links(html),
                Ok((html.to_owned(), Vec::new())),
                "{html}"
            );
        }
    }

    #[test]
    fn constructs_in_a_source_are_opaque() {
        let source = "{{ '<a data-answer' }}<a {% if contact.x %}class='y'{% endif %} href=\"https://x/{{ contact.y|default(\"z\") }}\" data-answer='y'>z</a>";
        assert_eq!(check(source), Ok(()));
    }

    proptest! {
        #[test]
        fn nothing_panics(pieces in prop::collection::vec(prop::sample::select(vec![
            "<a ", "<A\n", "href", "=", "\"", "'", ">", "/", "data-answer", "https://x/", "{{", "}}", "{%", "%}", " ", "é", "&#", ";", "<!--", "-->", "y",
        ]), 0..40)) {
            let html = pieces.concat();
            let _ = check(&html);
            if let Ok((whole, links)) = take_links(&html) {
                prop_assert!(whole.len() <= html.len());
                for link in links {
                    prop_assert!(whole.is_char_boundary(link.at));
                }
            }
        }
    }
}
