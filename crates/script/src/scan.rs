//! What a template may hold (`scripts.md` 2): `{{ … }}`, `{% if %}`, `{% for %}`, the named filters, and fields named
//! in full. The template engine would find a wrong filter or field only when it meets it; a Script that was accepted
//! never fails to start, so the whole text is looked through at creation. The names found tell the engine which
//! fields to fetch.

use std::collections::BTreeSet;

/// The first words of paths; each takes a further name.
const SPACES: &[&str] = &[
    "contact",
    "device",
    "account",
    "campaign",
    "subCampaign",
    "attempt",
    "answers",
];
/// A path of its own.
const NOW: &str = "now";
const TAGS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];
/// The filters of the language.
pub(crate) const FILTERS: &[&str] = &[
    "default", "upper", "lower", "title", "date", "number", "currency", "phone", "spell",
];
const TESTS: &[&str] = &["defined", "undefined"];
/// Words before a bracket that group and do not call.
const OPERATORS: &[&str] = &["and", "or", "not", "in", "is", "if", "else", "elif"];

/// What was found.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Scan {
    /// Every path the template names.
    pub names: BTreeSet<String>,
    /// Whether there is anything to render at all.
    pub is_constant: bool,
}

/// A fault at a byte of the template.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub offset: usize,
    pub message: String,
}

/// Looks a template through. Its syntax is the template engine's to judge: what is unclosed is skipped here.
pub(crate) fn scan(source: &str) -> Result<Scan, Fault> {
    let mut scan = Scan {
        is_constant: true,
        ..Scan::default()
    };
    let mut at = 0;
    while let Some(found) = source[at..].find('{') {
        let open = at + found;
        let body = open + 2;
        match source.as_bytes().get(open + 1) {
            Some(b'#') => {
                scan.is_constant = false;
                at = source[body..]
                    .find("#}")
                    .map_or(source.len(), |end| body + end + 2);
            }
            Some(b'{') => {
                scan.is_constant = false;
                let (tokens, end) = tokens(source, body, "}}");
                check(&tokens, &mut scan)?;
                at = end;
            }
            Some(b'%') => {
                scan.is_constant = false;
                let (tokens, end) = tokens(source, body, "%}");
                check_tag(open, &tokens)?;
                check(&tokens, &mut scan)?;
                at = end;
            }
            _ => at = open + 1,
        }
    }
    Ok(scan)
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    offset: usize,
    kind: Kind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind<'a> {
    Word(&'a str),
    /// A string in quotes, without them.
    Text(&'a str),
    Number,
    Sign(u8),
}

/// The tokens up to the closing sign, and where the text goes on after it.
fn tokens<'a>(source: &'a str, from: usize, close: &str) -> (Vec<Token<'a>>, usize) {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        if source.as_bytes()[at..].starts_with(close.as_bytes()) {
            return (tokens, at + close.len());
        }
        let offset = at;
        let run = |keep: fn(u8) -> bool| {
            bytes[offset..]
                .iter()
                .position(|byte| !keep(*byte))
                .map_or(source.len(), |end| offset + end)
        };
        let kind = match byte {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'\'' | b'"' => {
                at = string_end(bytes, at);
                // A string that is never closed has no last quote to leave out; the engine refuses it anyway.
                Kind::Text(source.get(offset + 1..at - 1).unwrap_or_default())
            }
            byte if byte.is_ascii_digit() => {
                at = run(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                Kind::Number
            }
            // Bytes beyond ASCII are no word of the language; taken together they stay whole characters.
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                at = run(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80);
                Kind::Word(&source[offset..at])
            }
            sign => {
                at += 1;
                Kind::Sign(sign)
            }
        };
        tokens.push(Token { offset, kind });
    }
    (tokens, source.len())
}

/// The offset after the closing quote, or the end.
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if byte == bytes[open] => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn fault(offset: usize, message: impl Into<String>) -> Fault {
    Fault {
        offset,
        message: message.into(),
    }
}

fn check_tag(open: usize, tokens: &[Token<'_>]) -> Result<(), Fault> {
    let mut words = tokens
        .iter()
        .filter(|token| !matches!(token.kind, Kind::Sign(b'-' | b'+')));
    match words.next().map(|token| token.kind) {
        Some(Kind::Word(tag)) if TAGS.contains(&tag) => Ok(()),
        Some(Kind::Word(tag)) => Err(fault(
            open,
            format!("the tag {tag} is not part of the language"),
        )),
        _ => Err(fault(open, "a tag begins with a word")),
    }
}

fn check(tokens: &[Token<'_>], scan: &mut Scan) -> Result<(), Fault> {
    let mut at = 0;
    while at < tokens.len() {
        let Token { offset, kind } = tokens[at];
        let before = at.checked_sub(1).map(|before| tokens[before].kind);
        let negated = before == Some(Kind::Word("not"))
            && at.checked_sub(2).map(|before| tokens[before].kind) == Some(Kind::Word("is"));
        let is_test = negated || before == Some(Kind::Word("is")) && kind != Kind::Word("not");
        match kind {
            Kind::Word(word) if before == Some(Kind::Sign(b'|')) => {
                if !FILTERS.contains(&word) {
                    return Err(fault(offset, format!("there is no filter {word}")));
                }
                // The bracket of a filter's arguments is no call.
                if tokens.get(at + 1).map(|next| next.kind) == Some(Kind::Sign(b'(')) {
                    at += 1;
                }
            }
            Kind::Word(word) if is_test && !TESTS.contains(&word) => {
                return Err(fault(offset, format!("there is no test {word}")));
            }
            Kind::Word(_) if is_test => {}
            Kind::Word(_) if before == Some(Kind::Sign(b'.')) => {}
            Kind::Word(word) if SPACES.contains(&word) => {
                let (path, next) = path(tokens, at)?;
                scan.names.insert(path);
                at = next;
                continue;
            }
            Kind::Word(NOW) => {
                scan.names.insert(NOW.to_owned());
            }
            Kind::Sign(b'(') => match before {
                Some(Kind::Word(word)) if OPERATORS.contains(&word) => {}
                Some(
                    Kind::Word(_) | Kind::Text(_) | Kind::Number | Kind::Sign(b')' | b']' | b'}'),
                ) => {
                    return Err(fault(offset, "there are no functions in a template"));
                }
                _ => {}
            },
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// A path from its first word: names after dots, or texts in square brackets.
fn path(tokens: &[Token<'_>], from: usize) -> Result<(String, usize), Fault> {
    let Token {
        offset,
        kind: Kind::Word(space),
    } = tokens[from]
    else {
        unreachable!("a path starts at a word");
    };
    let mut path = space.to_owned();
    let mut at = from + 1;
    loop {
        let kind = |ahead: usize| tokens.get(at + ahead).map(|token| token.kind);
        let (name, taken) = match (kind(0), kind(1), kind(2)) {
            (Some(Kind::Sign(b'.')), Some(Kind::Word(name)), _) => (name, 2),
            (Some(Kind::Sign(b'[')), Some(Kind::Text(name)), Some(Kind::Sign(b']')))
                if !name.contains('\\') =>
            {
                (name, 3)
            }
            _ => break,
        };
        path.push('.');
        path.push_str(name);
        at += taken;
    }
    if path.len() == space.len() {
        return Err(fault(
            offset,
            format!("{space} alone is no value: name one of its fields"),
        ));
    }
    Ok((path, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(source: &str) -> Vec<String> {
        scan(source).expect(source).names.into_iter().collect()
    }

    #[test]
    fn fields_are_found() {
        assert_eq!(
            names("Hello {{ contact.firstName }} and {{contact['pet name']|upper}}"),
            ["contact.firstName", "contact.pet name"]
        );
        assert_eq!(
            names(
                "{% if account.attributes.gold == 'x.y' and not(now > \"2026\") %}{{ 'contact.no' }}{% endif %}"
            ),
            ["account.attributes.gold", "now"]
        );
        assert_eq!(
            names("{% for c in contact.other1 %}{{ c.contact }}{{ loop.index }}{% endfor %}"),
            ["contact.other1"]
        );
        assert_eq!(
            names("{# contact.x #} { contact.y } {{ contact.z|default(contact.w) }}"),
            ["contact.w", "contact.z"]
        );
        assert_eq!(
            names("{{ contact.x is not defined }}{%- if contact.y is defined -%}{%endif%}"),
            ["contact.x", "contact.y"]
        );
        assert_eq!(names("{{ '}}' ~ contact.a }}"), ["contact.a"]);
    }

    #[test]
    fn constants_are_known() {
        assert!(scan("Hello { you } {").expect("constant").is_constant);
        assert!(!scan("Hello {{ now }}").expect("a field").is_constant);
        assert!(!scan("Hello {# nobody #}").expect("a comment").is_constant);
    }

    #[test]
    fn what_is_not_in_the_language_is_refused() {
        let cases = [
            ("{% set x = 1 %}", "the tag set"),
            ("{%set x = 1 %}", "the tag set"),
            ("{% include 'x' %}", "the tag include"),
            ("{% raw %}", "the tag raw"),
            ("{% %}", "begins with a word"),
            ("{{ contact.x|tojson }}", "no filter tojson"),
            ("{{ contact.x | upper | safe }}", "no filter safe"),
            ("{{ contact.x is odd }}", "no test odd"),
            ("{{ contact.x is not odd }}", "no test odd"),
            ("{{ range(3) }}", "no functions"),
            ("{{ contact.x.strip() }}", "no functions"),
            ("{{ ('a')('b') }}", "no functions"),
            ("{{ contact }}", "contact alone"),
            ("{{ contact[now] }}", "contact alone"),
            ("{% for contact in now %}", "contact alone"),
        ];
        for (source, message) in cases {
            let fault = scan(source).expect_err(source);
            assert!(
                fault.message.contains(message),
                "{source}: {}",
                fault.message
            );
        }
        assert_eq!(scan("ab {{ x|nix }}").expect_err("no filter").offset, 8);
    }

    proptest! {
        #[test]
        fn nothing_panics(pieces in prop::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{%", "%}", "{#", "#}", "contact", ".", "x", "'", "\"", "\\", "é", "|", "upper", "(", ")", "[", "]",
            " ", "1", "if", "is", "not", "now", "-",
        ]), 0..40)) {
            let _ = scan(&pieces.concat());
        }
    }
}
