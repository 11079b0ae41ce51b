//! Reads and checks the source of a text script.

use super::attribute::*;
use super::*;
use crate::error::{At, Position};
use crate::xml::Element;
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

impl Parser {
    fn state(&mut self, element: &Element, is_root: bool) -> Result<State, At> {
        check_no_text(element)?;
        if !is_root {
            check_attributes(element, &[])?;
        }
        let mut state = State::default();
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
