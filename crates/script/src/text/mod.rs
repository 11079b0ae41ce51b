//! The text language (`scripts.md` 3): a dialogue of messages, replies and questions. `parse` turns the source into
//! a [`Dialogue`] and refuses everything that could fail later; [`Conversation`] runs it with one person.
//!
//! What the specification leaves open is decided so:
//! - A message loses the white space around each of its lines and its empty first and last lines: the indentation of
//!   the source is not part of the text.
//! - The root is the first state. A state says its messages, asks its questions in order and then waits for its
//!   replies, or ends if it has none. Only the state a person is in looks at a reply: first its `reply`s in order,
//!   then the question that waits.
//! - A `reply` without `result` and `goto` answers and waits on. `max` of `otherwise` bounds how often one is told
//!   that a reply was not understood; further such replies get no answer, so that two machines do not talk forever.
//!   A question in a state without `otherwise` is asked again twice.
//! - A state without `timeout` has the root's; without that, the dialogue ends as Failed after 24 hours. The time
//!   runs from the last message or the last reply that was understood.
//! - `toAgent` and `result` end the dialogue; `toAgent` alone as Success. A two-way dialogue that comes to its end
//!   without a result is a Success; a one-way one has no result of its own.
//! - `choice` takes its answers from `<choice value="…" match="…"/>`; `match` is the value where it is absent.

pub(crate) mod attribute;
mod conversation;
mod parse;

pub use conversation::{Conversation, Say};
pub(crate) use parse::parse;

use crate::field::{Field, Fields};
use crate::keyword::Reply as Words;
use crate::limits;
use crate::template::{RenderError, Template};
use carillon_model::AttemptResult;
use regex::Regex;
use std::collections::BTreeSet;

/// A text script, ready to run.
#[derive(Debug)]
pub struct Dialogue {
    /// The most parts one message may take.
    pub parts_max: usize,
    /// The root first; never empty.
    pub(crate) states: Vec<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub steps: Vec<Step>,
    pub replies: Vec<Reply>,
    pub otherwise: Option<Otherwise>,
    pub timeout: Option<Timeout>,
}

#[derive(Debug)]
pub(crate) enum Step {
    Act(Action),
    Ask(Ask),
    End(AttemptResult),
}

#[derive(Debug)]
pub(crate) enum Action {
    Message(Template),
    OptIn { event: String },
    OptOut,
    ToAgent,
}

#[derive(Debug)]
pub(crate) struct Ask {
    pub name: String,
    pub kind: AskKind,
    pub actions: Vec<Action>,
}

#[derive(Debug)]
pub(crate) enum AskKind {
    /// Bounds in characters.
    Text {
        min: usize,
        max: usize,
    },
    YesNo,
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    Choice(Vec<Choice>),
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub value: String,
    /// Words in plain form.
    pub words: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    /// Words in plain form.
    pub words: Vec<String>,
    pub pattern: Option<Regex>,
    pub set: Vec<(String, String)>,
    pub actions: Vec<Action>,
    pub then: Then,
}

/// Where it goes on after a reply or a timeout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Then {
    Stay,
    End(AttemptResult),
    Goto(usize),
}

#[derive(Debug)]
pub(crate) struct Otherwise {
    pub max: u32,
    pub actions: Vec<Action>,
}

#[derive(Debug)]
pub(crate) struct Timeout {
    pub milliseconds: i64,
    pub actions: Vec<Action>,
    pub then: Then,
}

impl Dialogue {
    /// Whether a reply is waited for anywhere. The script result of a one-way script is its text result.
    pub fn is_two_way(&self) -> bool {
        self.states.iter().any(|state| {
            !state.replies.is_empty() || state.steps.iter().any(|step| matches!(step, Step::Ask(_)))
        })
    }

    /// The paths of all fields that some message names, answers excepted: what the engine fetches for a contact.
    pub fn names(&self) -> BTreeSet<String> {
        self.templates()
            .flat_map(Template::names)
            .filter(|name| !name.starts_with(ANSWERS))
            .cloned()
            .collect()
    }

    /// Whether every message can be said to this contact: at load, before anything is sent. Answers still to be
    /// taken count as empty.
    pub fn check(&self, fields: &dyn Fields) -> Result<(), RenderError> {
        let fields = WithAnswers {
            fields,
            answers: &|_| None,
        };
        self.templates()
            .try_for_each(|template| self.message(template, &fields).map(drop))
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        self.states
            .iter()
            .flat_map(State::actions)
            .filter_map(|action| match action {
                Action::Message(template) => Some(template),
                _ => None,
            })
    }

    /// Renders a message and counts its parts.
    pub(crate) fn message(
        &self,
        template: &Template,
        fields: &dyn Fields,
    ) -> Result<(String, usize), RenderError> {
        let text = template.render(fields)?;
        let parts = crate::segment::count(&text);
        if parts > self.parts_max {
            return Err(RenderError::TooManyParts {
                parts,
                parts_max: self.parts_max,
            });
        }
        Ok((text, parts))
    }
}

impl State {
    fn actions(&self) -> impl Iterator<Item = &Action> {
        let steps = self.steps.iter().flat_map(|step| match step {
            Step::Act(action) => std::slice::from_ref(action),
            Step::Ask(ask) => &ask.actions,
            Step::End(_) => &[],
        });
        let replies = self.replies.iter().flat_map(|reply| &reply.actions);
        let otherwise = self
            .otherwise
            .iter()
            .flat_map(|otherwise| &otherwise.actions);
        let timeout = self.timeout.iter().flat_map(|timeout| &timeout.actions);
        steps.chain(replies).chain(otherwise).chain(timeout)
    }
}

impl Reply {
    fn matches(&self, message: &str, words: &Words) -> bool {
        self.words.iter().any(|word| words.is(word))
            || self
                .pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(message))
    }
}

impl AskKind {
    /// The answer a reply gives; none when it gives none.
    fn answer(&self, message: &str, words: &Words) -> Option<String> {
        match self {
            AskKind::Text { min, max } => (*min..=*max)
                .contains(&message.chars().count())
                .then(|| message.to_owned()),
            AskKind::YesNo if words.is("yes") || words.is("y") => Some("yes".to_owned()),
            AskKind::YesNo if words.is("no") || words.is("n") => Some("no".to_owned()),
            AskKind::YesNo => None,
            AskKind::Number { min, max } => {
                // Plain decimal digits only: `parse` alone would take "inf" and "1e9".
                let plain = message
                    .chars()
                    .all(|character| character.is_ascii_digit() || "+-.".contains(character));
                let number = message
                    .parse::<f64>()
                    .ok()
                    .filter(|number| plain && number.is_finite())?;
                let inside =
                    min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
                inside.then(|| message.strip_prefix('+').unwrap_or(message).to_owned())
            }
            AskKind::Choice(choices) => choices
                .iter()
                .find(|choice| choice.words.iter().any(|word| words.is(word)))
                .map(|choice| choice.value.clone()),
        }
    }
}

/// How long the longest answer of a question of type text may be unless it says otherwise.
const TEXT_ANSWER_MAX: usize = limits::REPLY_CHARACTERS_MAX;
const ANSWERS: &str = "answers.";

/// The contact's fields and, over them, the answers taken so far. An answer not yet taken is an empty text: it is
/// no field that the contact lacks.
pub(crate) struct WithAnswers<'a> {
    fields: &'a dyn Fields,
    answers: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl Fields for WithAnswers<'_> {
    fn get(&self, path: &str) -> Option<Field<'_>> {
        match path.strip_prefix(ANSWERS) {
            Some(name) => Some((self.answers)(name).unwrap_or_default().into()),
            None => self.fields.get(path),
        }
    }
}
