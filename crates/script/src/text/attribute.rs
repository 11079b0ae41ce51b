//! What the attributes and children of the elements may be: the small checks that [`super::parse`] is made of.

use super::*;
use crate::error::At;
use crate::keyword;
use crate::xml::{Element, Node};

pub(crate) fn elements(parent: &Element) -> impl Iterator<Item = &Element> {
    parent.children.iter().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(..) => None,
    })
}

pub(crate) fn required<'a>(element: &'a Element, name: &str) -> Result<&'a str, At> {
    element
        .attribute(name)
        .ok_or_else(|| element.error(format!("{} needs the attribute {name}", element.name)))
}

/// Every attribute must be one of these; `id` may stand anywhere (`scripts.md` S6).
pub(crate) fn check_attributes(element: &Element, names: &[&str]) -> Result<(), At> {
    let unknown = element
        .attributes
        .iter()
        .find(|(name, _)| name != "id" && !names.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some((name, _)) => Err(element.error(format!("{} has no attribute {name}", element.name))),
    }
}

pub(crate) fn check_no_text(element: &Element) -> Result<(), At> {
    element.children.iter().try_for_each(|node| match node {
        Node::Text(text, position) if !text.trim().is_empty() => Err(At::new(
            *position,
            format!("text directly in {}: it belongs in a message", element.name),
        )),
        _ => Ok(()),
    })
}

pub(crate) fn check_empty(element: &Element) -> Result<(), At> {
    check_no_text(element)?;
    match elements(element).next() {
        None => Ok(()),
        Some(child) => Err(child.error(format!("{} holds no elements", element.name))),
    }
}

pub(crate) fn unknown(child: &Element, parent: &Element) -> At {
    child.error(format!(
        "{} is not an element of {}",
        child.name, parent.name
    ))
}

/// A name of an answer, an event or a choice that ends up in results.
pub(crate) fn check_name(element: &Element, name: &str) -> Result<(), At> {
    let starts =
        name.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_');
    let rest = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if starts && rest && name.len() <= limits::NAME_CHARACTERS_MAX {
        return Ok(());
    }
    let max = limits::NAME_CHARACTERS_MAX;
    Err(element.error(format!(
        "the name of an answer is 1 to {max} letters, digits and _, not beginning with a digit"
    )))
}

pub(crate) fn result(element: &Element) -> Result<Option<AttemptResult>, At> {
    match element.attribute("result") {
        None => Ok(None),
        Some("Success") => Ok(Some(AttemptResult::Success)),
        Some("Failed") => Ok(Some(AttemptResult::Failed)),
        Some(_) => Err(element.error("result is Success or Failed")),
    }
}

/// The indentation of the source is no part of a message.
pub(crate) fn message_text(source: &str) -> String {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

pub(crate) fn ask_kind(element: &Element, choices: Vec<Choice>) -> Result<AskKind, At> {
    let kind = required(element, "type")?;
    let (min, max) = (element.attribute("min"), element.attribute("max"));
    if kind != "choice" && !choices.is_empty() {
        return Err(element.error("choice belongs in a question of type choice"));
    }
    if !matches!(kind, "text" | "number") && (min.is_some() || max.is_some()) {
        return Err(element.error(format!("min and max have no meaning for the type {kind}")));
    }
    match kind {
        "text" => {
            let bound = |text: Option<&str>, default| match text {
                None => Some(default),
                Some(text) => text
                    .parse()
                    .ok()
                    .filter(|bound| (1..=TEXT_ANSWER_MAX).contains(bound)),
            };
            match (bound(min, 1), bound(max, TEXT_ANSWER_MAX)) {
                (Some(min), Some(max)) if min <= max => Ok(AskKind::Text { min, max }),
                _ => Err(element.error(format!(
                    "min and max are lengths from 1 to {TEXT_ANSWER_MAX}, min first"
                ))),
            }
        }
        "number" => {
            let bound = |text: Option<&str>| match text {
                None => Some(None),
                Some(text) => text
                    .parse::<f64>()
                    .ok()
                    .filter(|bound| bound.is_finite())
                    .map(Some),
            };
            match (bound(min), bound(max)) {
                (Some(min), Some(max)) if min.zip(max).is_none_or(|(min, max)| min <= max) => {
                    Ok(AskKind::Number { min, max })
                }
                _ => Err(element.error("min and max are numbers, min not above max")),
            }
        }
        "yesno" => Ok(AskKind::YesNo),
        "choice" if choices.is_empty() => {
            Err(element.error("a question of type choice needs a choice"))
        }
        "choice" => Ok(AskKind::Choice(choices)),
        _ => Err(element.error("type is text, yesno, number or choice")),
    }
}

/// The words of `match`, in plain form. A reserved one would never arrive (`entities.md` 12); YES does, unless the
/// person is opted out.
pub(crate) fn words(element: &Element, text: &str) -> Result<Vec<String>, At> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let plain = keyword::plain(word);
        if plain.is_empty() {
            return Err(element.error(format!("{word} is no word")));
        }
        if !matches!(
            keyword::reserved(&plain),
            None | Some(keyword::Reserved::Yes)
        ) {
            return Err(element.error(format!("{word} is a reserved word: no script ever sees it")));
        }
        words.push(plain);
    }
    if words.is_empty() {
        return Err(element.error("a word is needed"));
    }
    Ok(words)
}

/// `name=value`, several separated by `;`.
pub(crate) fn settings(element: &Element, text: &str) -> Result<Vec<(String, String)>, At> {
    let pairs = text.split(';').map(|pair| {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| element.error("set is name=value"))?;
        let (name, value) = (name.trim(), value.trim());
        check_name(element, name)?;
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Whole seconds of an ISO duration; a day has 24 hours here.
pub(crate) fn duration_seconds(text: &str) -> Option<i64> {
    // The friendly form that the reader also takes ("1 hour") is no ISO duration.
    if !text.starts_with('P') {
        return None;
    }
    let span: jiff::Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let days = i64::from(span.get_weeks())
        .checked_mul(7)?
        .checked_add(i64::from(span.get_days()))?;
    let hours = days
        .checked_mul(24)?
        .checked_add(i64::from(span.get_hours()))?;
    let minutes = hours.checked_mul(60)?.checked_add(span.get_minutes())?;
    minutes.checked_mul(60)?.checked_add(span.get_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("PT24H", Some(86_400)),
            ("P1D", Some(86_400)),
            ("P1W", Some(604_800)),
            ("PT90S", Some(90)),
            ("PT1H30M", Some(5_400)),
            ("P1M", None),
            ("P1Y", None),
            ("1h", None),
            ("", None),
            ("P", None),
            ("24", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(duration_seconds(text), seconds, "{text}");
        }
    }

    #[test]
    fn messages_lose_the_indentation_of_the_source() {
        assert_eq!(
            message_text("\n    Hello  you,\n    \n    bye.\n  "),
            "Hello  you,\n\nbye."
        );
        assert_eq!(message_text("  Hello  "), "Hello");
    }
}
