//! Reads and checks the source of a text script.

use super::*;
use crate::error::{At, Position};
use crate::keyword;
use crate::xml::{Element, Node};
use carillon_model::AgentNeed;
use std::collections::HashMap;

/// What the source holds beside the attributes that every language has.
pub(crate) fn parse(root: &Element, agent_need: AgentNeed) -> Result<Dialogue, At> {
    let ids = state_ids(root)?;
    let mut parser = Parser {
        ids,
        agent_need,
        parts_max: parts_max(root)?,
        templates: 0,
        replies: 0,
        patterns: 0,
    };
    let mut states = vec![parser.state(root, true)?];
    for element in elements(root).filter(|element| element.name == "state") {
        states.push(parser.state(element, false)?);
    }
    if !states[0].steps.iter().any(Step::speaks) {
        return Err(root.error("the script says nothing: its root needs a message"));
    }
    Ok(Dialogue {
        parts_max: parser.parts_max,
        states,
    })
}

impl Step {
    fn speaks(&self) -> bool {
        let is_message = |action: &Action| matches!(action, Action::Message(_));
        match self {
            Step::Act(action) => is_message(action),
            Step::Ask(ask) => ask.actions.iter().any(is_message),
            Step::End(_) => false,
        }
    }

    fn is_last(&self) -> bool {
        matches!(self, Step::End(_) | Step::Act(Action::ToAgent))
    }
}

struct Parser {
    /// States by id, as places in the dialogue.
    ids: HashMap<String, usize>,
    agent_need: AgentNeed,
    parts_max: usize,
    templates: usize,
    replies: usize,
    patterns: usize,
}

fn elements(parent: &Element) -> impl Iterator<Item = &Element> {
    parent.children.iter().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(..) => None,
    })
}

fn state_ids(root: &Element) -> Result<HashMap<String, usize>, At> {
    let mut ids = HashMap::new();
    for (index, state) in elements(root)
        .filter(|element| element.name == "state")
        .enumerate()
    {
        if index + 1 >= limits::STATES_MAX {
            return Err(state.error(format!("more than {} states", limits::STATES_MAX)));
        }
        let id = required(state, "id")?;
        // The root is the first state of the dialogue.
        ids.insert(id.to_owned(), index + 1);
    }
    Ok(ids)
}

fn parts_max(root: &Element) -> Result<usize, At> {
    let Some(text) = root.attribute("maxParts") else {
        return Ok(limits::PARTS_DEFAULT);
    };
    text.parse()
        .ok()
        .filter(|parts| (1..=limits::PARTS_MAX).contains(parts))
        .ok_or_else(|| {
            root.error(format!(
                "maxParts is a whole number from 1 to {}",
                limits::PARTS_MAX
            ))
        })
}

fn required<'a>(element: &'a Element, name: &str) -> Result<&'a str, At> {
    element
        .attribute(name)
        .ok_or_else(|| element.error(format!("{} needs the attribute {name}", element.name)))
}

/// Every attribute must be one of these; `id` may stand anywhere (`scripts.md` S6).
fn check_attributes(element: &Element, names: &[&str]) -> Result<(), At> {
    let unknown = element
        .attributes
        .iter()
        .find(|(name, _)| name != "id" && !names.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some((name, _)) => Err(element.error(format!("{} has no attribute {name}", element.name))),
    }
}

fn check_no_text(element: &Element) -> Result<(), At> {
    element.children.iter().try_for_each(|node| match node {
        Node::Text(text, position) if !text.trim().is_empty() => Err(At::new(
            *position,
            format!("text directly in {}: it belongs in a message", element.name),
        )),
        _ => Ok(()),
    })
}

fn check_empty(element: &Element) -> Result<(), At> {
    check_no_text(element)?;
    match elements(element).next() {
        None => Ok(()),
        Some(child) => Err(child.error(format!("{} holds no elements", element.name))),
    }
}

fn unknown(child: &Element, parent: &Element) -> At {
    child.error(format!(
        "{} is not an element of {}",
        child.name, parent.name
    ))
}

/// A name of an answer, an event or a choice that ends up in results.
fn check_name(element: &Element, name: &str) -> Result<(), At> {
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

fn result(element: &Element) -> Result<Option<AttemptResult>, At> {
    match element.attribute("result") {
        None => Ok(None),
        Some("Success") => Ok(Some(AttemptResult::Success)),
        Some("Failed") => Ok(Some(AttemptResult::Failed)),
        Some(_) => Err(element.error("result is Success or Failed")),
    }
}

/// The indentation of the source is no part of a message.
fn message_text(source: &str) -> String {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

impl Parser {
    fn state(&mut self, element: &Element, is_root: bool) -> Result<State, At> {
        check_no_text(element)?;
        if !is_root {
            check_attributes(element, &[])?;
        }
        let mut state = State {
            id: element.attribute("id").map(str::to_owned),
            ..State::default()
        };
        for child in elements(element) {
            match child.name.as_str() {
                "state" if is_root => {}
                "reply" => state.replies.push(self.reply(child)?),
                "otherwise" if state.otherwise.is_none() => {
                    state.otherwise = Some(self.otherwise(child)?)
                }
                "timeout" if state.timeout.is_none() => state.timeout = Some(self.timeout(child)?),
                "otherwise" | "timeout" => {
                    return Err(child.error(format!("a second {}", child.name)));
                }
                _ => {
                    let step = self.step(child, element)?;
                    if state.steps.last().is_some_and(Step::is_last) {
                        return Err(
                            child.error("this is never reached: the dialogue has ended before it")
                        );
                    }
                    state.steps.push(step);
                }
            }
        }
        let asks = state.steps.iter().any(|step| matches!(step, Step::Ask(_)));
        let ends = state.steps.last().is_some_and(Step::is_last);
        if state.replies.is_empty()
            && !asks
            && (state.otherwise.is_some() || state.timeout.is_some() && !is_root)
        {
            return Err(element
                .error("otherwise and timeout have a meaning only where a reply is waited for"));
        }
        if ends && !asks && !state.replies.is_empty() {
            return Err(
                element.error("the replies are never reached: the dialogue has ended before them")
            );
        }
        Ok(state)
    }

    fn step(&mut self, element: &Element, parent: &Element) -> Result<Step, At> {
        match element.name.as_str() {
            "ask" => self.ask(element).map(Step::Ask),
            "end" => {
                check_attributes(element, &["result"])?;
                check_empty(element)?;
                Ok(Step::End(
                    result(element)?.unwrap_or(AttemptResult::Success),
                ))
            }
            _ => Ok(Step::Act(self.action(element, parent)?)),
        }
    }

    fn action(&mut self, element: &Element, parent: &Element) -> Result<Action, At> {
        match element.name.as_str() {
            "message" => self.message(element).map(Action::Message),
            "optIn" => {
                check_attributes(element, &["event"])?;
                check_empty(element)?;
                let event = required(element, "event")?.trim();
                if event.is_empty() || event.chars().count() > limits::NAME_CHARACTERS_MAX {
                    return Err(element.error("event is the name of an Event"));
                }
                Ok(Action::OptIn {
                    event: event.to_owned(),
                })
            }
            "optOut" => {
                check_attributes(element, &[])?;
                check_empty(element)?;
                Ok(Action::OptOut)
            }
            "toAgent" => {
                check_attributes(element, &[])?;
                check_empty(element)?;
                if self.agent_need == AgentNeed::None {
                    return Err(
                        element.error("toAgent needs agentNeed Standard or Portal at the root")
                    );
                }
                Ok(Action::ToAgent)
            }
            _ => Err(unknown(element, parent)),
        }
    }

    fn actions(&mut self, parent: &Element) -> Result<Vec<Action>, At> {
        check_no_text(parent)?;
        elements(parent)
            .map(|child| self.action(child, parent))
            .collect()
    }

    fn message(&mut self, element: &Element) -> Result<Template, At> {
        check_attributes(element, &[])?;
        if let Some(child) = elements(element).next() {
            return Err(unknown(child, element));
        }
        self.templates += 1;
        if self.templates > limits::TEMPLATES_MAX {
            return Err(element.error(format!("more than {} messages", limits::TEMPLATES_MAX)));
        }
        let source = message_text(&element.text());
        if source.is_empty() {
            return Err(element.error("a message is empty"));
        }
        let template = Template::compile(&source).map_err(|error| {
            let Position { line, column } = Position::of(&source, error.offset);
            element.error(format!(
                "{} (line {line}, column {column} of the message)",
                error.message
            ))
        })?;
        // A constant is as long as it will ever be; the rest is judged when it is rendered.
        if template.names().is_empty()
            && let Err(error @ RenderError::TooManyParts { .. }) = self.constant_parts(&template)
        {
            return Err(element.error(error.to_string()));
        }
        Ok(template)
    }

    fn constant_parts(&self, template: &Template) -> Result<(), RenderError> {
        let alone = Dialogue {
            parts_max: self.parts_max,
            states: Vec::new(),
        };
        alone.message(template, &serde_json::Value::Null).map(drop)
    }

    fn ask(&mut self, element: &Element) -> Result<Ask, At> {
        check_attributes(element, &["name", "type", "min", "max"])?;
        check_no_text(element)?;
        let name = required(element, "name")?;
        check_name(element, name)?;
        let (mut actions, mut choices) = (Vec::new(), Vec::new());
        for child in elements(element) {
            match child.name.as_str() {
                "message" => actions.push(Action::Message(self.message(child)?)),
                "choice" => choices.push(self.choice(child)?),
                _ => return Err(unknown(child, element)),
            }
        }
        let kind = ask_kind(element, choices)?;
        Ok(Ask {
            name: name.to_owned(),
            kind,
            actions,
        })
    }

    fn choice(&mut self, element: &Element) -> Result<Choice, At> {
        check_attributes(element, &["value", "match"])?;
        check_empty(element)?;
        self.count_reply(element)?;
        let value = required(element, "value")?;
        if value.is_empty() || value.chars().count() > limits::NAME_CHARACTERS_MAX {
            return Err(element.error(format!(
                "a value has 1 to {} characters",
                limits::NAME_CHARACTERS_MAX
            )));
        }
        let words = words(element, element.attribute("match").unwrap_or(value))?;
        Ok(Choice {
            value: value.to_owned(),
            words,
        })
    }

    fn reply(&mut self, element: &Element) -> Result<Reply, At> {
        check_attributes(element, &["match", "pattern", "set", "result", "goto"])?;
        self.count_reply(element)?;
        let words = element
            .attribute("match")
            .map(|text| words(element, text))
            .transpose()?
            .unwrap_or_default();
        let pattern = element
            .attribute("pattern")
            .map(|text| self.pattern(element, text))
            .transpose()?;
        if words.is_empty() && pattern.is_none() {
            return Err(element.error("reply needs match or pattern"));
        }
        let set = element
            .attribute("set")
            .map(|text| settings(element, text))
            .transpose()?
            .unwrap_or_default();
        let actions = self.actions(element)?;
        let then = self.then(element, &actions, Then::Stay)?;
        Ok(Reply {
            words,
            pattern,
            set,
            actions,
            then,
        })
    }

    fn count_reply(&mut self, element: &Element) -> Result<(), At> {
        self.replies += 1;
        if self.replies > limits::REPLIES_MAX {
            return Err(element.error(format!(
                "more than {} replies and choices",
                limits::REPLIES_MAX
            )));
        }
        Ok(())
    }

    fn pattern(&mut self, element: &Element, text: &str) -> Result<Regex, At> {
        self.patterns += 1;
        if self.patterns > limits::PATTERNS_MAX
            || text.is_empty()
            || text.len() > limits::PATTERN_BYTES_MAX
        {
            let (patterns, bytes) = (limits::PATTERNS_MAX, limits::PATTERN_BYTES_MAX);
            return Err(element.error(format!("at most {patterns} patterns of 1 to {bytes} bytes")));
        }
        regex::RegexBuilder::new(text)
            .size_limit(limits::PATTERN_COMPILED_BYTES_MAX)
            .dfa_size_limit(limits::PATTERN_COMPILED_BYTES_MAX)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => element.error("the pattern is too large"),
                // The last line of the message says what is wrong; the others draw it.
                error => {
                    let message = error.to_string();
                    let reason = message.lines().last().unwrap_or_default();
                    element.error(format!(
                        "the pattern cannot be read: {}",
                        reason.trim_start_matches("error: ")
                    ))
                }
            })
    }

    fn otherwise(&mut self, element: &Element) -> Result<Otherwise, At> {
        check_attributes(element, &["max"])?;
        let max = match element.attribute("max") {
            None => limits::ASK_AGAIN_MAX,
            Some(text) => text
                .parse()
                .ok()
                .filter(|max| (1..=limits::OTHERWISE_MAX).contains(max))
                .ok_or_else(|| {
                    element.error(format!(
                        "max is a whole number from 1 to {}",
                        limits::OTHERWISE_MAX
                    ))
                })?,
        };
        let actions = self.actions(element)?;
        if actions
            .iter()
            .any(|action| matches!(action, Action::ToAgent))
        {
            return Err(element.error("otherwise waits on: it cannot hand the conversation over"));
        }
        Ok(Otherwise { max, actions })
    }

    fn timeout(&mut self, element: &Element) -> Result<Timeout, At> {
        check_attributes(element, &["after", "result", "goto"])?;
        let seconds = duration_seconds(required(element, "after")?)
            .filter(|seconds| {
                (limits::TIMEOUT_SECONDS_MIN..=limits::TIMEOUT_SECONDS_MAX).contains(seconds)
            })
            .ok_or_else(|| {
                element
                    .error("after is an ISO duration from PT1M to P31D, without years and months")
            })?;
        let actions = self.actions(element)?;
        let then = self.then(element, &actions, Then::End(AttemptResult::Failed))?;
        Ok(Timeout {
            milliseconds: seconds * carillon_model::moment::SECOND,
            actions,
            then,
        })
    }

    fn then(&self, element: &Element, actions: &[Action], default: Then) -> Result<Then, At> {
        let to_agent = actions
            .iter()
            .any(|action| matches!(action, Action::ToAgent));
        match (element.attribute("goto"), result(element)?) {
            (Some(_), Some(_)) => Err(element.error("goto and result exclude each other")),
            (Some(_), None) if to_agent => {
                Err(element.error("goto and toAgent exclude each other"))
            }
            (Some(id), None) => match self.ids.get(id) {
                Some(state) => Ok(Then::Goto(*state)),
                None => Err(element.error(format!("there is no state {id}"))),
            },
            (None, Some(result)) => Ok(Then::End(result)),
            (None, None) if to_agent => Ok(Then::End(AttemptResult::Success)),
            (None, None) => Ok(default),
        }
    }
}

fn ask_kind(element: &Element, choices: Vec<Choice>) -> Result<AskKind, At> {
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
fn words(element: &Element, text: &str) -> Result<Vec<String>, At> {
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
fn settings(element: &Element, text: &str) -> Result<Vec<(String, String)>, At> {
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
fn duration_seconds(text: &str) -> Option<i64> {
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

    fn read(source: &str) -> Result<Dialogue, At> {
        parse(
            &crate::xml::parse(source.as_bytes())
                .expect("well-formed")
                .root,
            AgentNeed::None,
        )
    }

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

    #[test]
    fn faults_of_the_language() {
        let m = "<message>m</message>";
        let cases = [
            ("<text/>".to_owned(), "says nothing"),
            ("<text><message> </message></text>".to_owned(), "empty"),
            ("<text>hello</text>".to_owned(), "text directly in text"),
            (
                format!("<text>{m}<foo/></text>"),
                "foo is not an element of text",
            ),
            (format!("<text>{m}<reply/></text>"), "match or pattern"),
            (
                format!("<text>{m}<reply match=''/></text>"),
                "a word is needed",
            ),
            (format!("<text>{m}<reply match='!'/></text>"), "no word"),
            (
                format!("<text>{m}<reply match='C Stop'/></text>"),
                "Stop is a reserved word",
            ),
            (format!("<text>{m}<reply match='help'/></text>"), "reserved"),
            (
                format!("<text>{m}<reply match='C' goto='x'/></text>"),
                "no state x",
            ),
            (
                format!("<text>{m}<reply match='C' result='Maybe'/></text>"),
                "Success or Failed",
            ),
            (
                format!(
                    "<text>{m}<reply match='C' result='Failed' goto='s'/><state id='s'/></text>"
                ),
                "exclude",
            ),
            (
                format!("<text>{m}<reply match='C' set='x'/></text>"),
                "name=value",
            ),
            (
                format!("<text>{m}<reply match='C' set='1=2'/></text>"),
                "name of an answer",
            ),
            (
                format!("<text>{m}<reply match='C' color='red'/></text>"),
                "no attribute color",
            ),
            (
                format!("<text>{m}<reply pattern='('/></text>"),
                "cannot be read",
            ),
            (
                format!("<text>{m}<reply pattern='(a{{1000}}){{1000}}'/></text>"),
                "too large",
            ),
            (
                format!("<text>{m}<reply match='C'><end/></reply></text>"),
                "not an element of reply",
            ),
            (
                format!("<text>{m}<reply match='C'><toAgent/></reply></text>"),
                "agentNeed",
            ),
            (
                format!("<text>{m}<state/></text>"),
                "needs the attribute id",
            ),
            (
                format!("<text>{m}<state id='a'><state id='b'/></state></text>"),
                "not an element of state",
            ),
            (
                format!("<text>{m}<reply match='C'/><timeout after='1h'/></text>"),
                "ISO duration",
            ),
            (
                format!("<text>{m}<reply match='C'/><timeout after='PT1S'/></text>"),
                "ISO duration",
            ),
            (
                format!("<text>{m}<reply match='C'/><timeout after='P32D'/></text>"),
                "ISO duration",
            ),
            (
                format!(
                    "<text>{m}<reply match='C'/><timeout after='P1D'/><timeout after='P1D'/></text>"
                ),
                "second timeout",
            ),
            (
                format!("<text>{m}<otherwise>{m}</otherwise></text>"),
                "only where a reply",
            ),
            (
                format!("<text>{m}<reply match='C'/><otherwise max='0'/></text>"),
                "max is",
            ),
            (format!("<text>{m}<end/>{m}</text>"), "never reached"),
            (
                format!("<text>{m}<end/><reply match='C'/></text>"),
                "never reached",
            ),
            (
                format!("<text>{m}<ask type='text'/></text>"),
                "attribute name",
            ),
            (format!("<text>{m}<ask name='a'/></text>"), "attribute type"),
            (
                format!("<text>{m}<ask name='a' type='date'/></text>"),
                "type is",
            ),
            (
                format!("<text>{m}<ask name='a' type='yesno' min='1'/></text>"),
                "no meaning",
            ),
            (
                format!("<text>{m}<ask name='a' type='text' min='9' max='2'/></text>"),
                "lengths",
            ),
            (
                format!("<text>{m}<ask name='a' type='number' min='x'/></text>"),
                "numbers",
            ),
            (
                format!("<text>{m}<ask name='a' type='choice'/></text>"),
                "needs a choice",
            ),
            (
                format!("<text>{m}<ask name='a' type='text'><choice value='a'/></ask></text>"),
                "belongs in",
            ),
            (
                format!("<text>{m}<ask name='a b' type='text'/></text>"),
                "name of an answer",
            ),
            (format!("<text>{m}<optIn/></text>"), "attribute event"),
            (
                format!("<text>{m}<optOut>x</optOut></text>"),
                "text directly in optOut",
            ),
            (
                "<text maxParts='0'><message>m</message></text>".to_owned(),
                "maxParts",
            ),
            (
                format!(
                    "<text maxParts='1'><message>{}</message></text>",
                    "m".repeat(161)
                ),
                "2 parts",
            ),
            (
                "<text><message>{{ contact }}</message></text>".to_owned(),
                "contact alone",
            ),
            (
                "<text><message>a <b>b</b></message></text>".to_owned(),
                "b is not an element of message",
            ),
        ];
        for (source, message) in cases {
            let error = read(&source).expect_err(&source);
            assert!(
                error.message.contains(message),
                "{source}: {}",
                error.message
            );
        }
    }

    #[test]
    fn a_fault_in_a_template_has_its_place() {
        let error = read("<text>\n  <message>Hello\n  {{ contact.x|nix }}</message></text>")
            .expect_err("no filter");
        assert_eq!(error.position, Position { line: 2, column: 3 });
        assert!(
            error.message.contains("line 2, column 14 of the message"),
            "{}",
            error.message
        );
    }

    #[test]
    fn yes_may_be_matched() {
        assert!(read("<text><message>m</message><reply match='YES'/></text>").is_ok());
    }
}
