//! The test of a Script (`scripts.md` 6): the dialogue with a made-up person in virtual time, without any carrier.
//! Each reply comes a minute after what was said before it; a silence lasts until the time for a reply is over.

use crate::email::{self, Letter};
use crate::field::Fields;
use crate::keyword::{Reserved, reserved};
use crate::limits;
use crate::source::{Body, Script};
use crate::template::RenderError;
use crate::text::{Conversation, Dialogue, Say};
use carillon_model::moment::MINUTE;
use carillon_model::{AttemptResult, Direction, Moment};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the made-up person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Replies with this text.
    Reply(String),
    /// Says nothing until the time is over.
    Silence,
}

impl Input {
    /// `silence`, without case, or a reply.
    pub fn parse(text: &str) -> Input {
        if text.trim().eq_ignore_ascii_case("silence") {
            Input::Silence
        } else {
            Input::Reply(text.to_owned())
        }
    }
}

/// One message of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The virtual moment.
    pub at: Moment,
    /// Outbound is the Script, Inbound the person.
    pub direction: Direction,
    /// The subject of an e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text; none for a silence and for an e-mail that has only HTML.
    pub text: Option<String>,
    /// The HTML of an e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Parts of an outbound text.
    pub parts: Option<usize>,
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptTest {
    /// Everything said, in order.
    pub transcript: Vec<Line>,
    /// The answers taken.
    pub answers: BTreeMap<String, String>,
    /// Success or Failed; none for a one-way Script and for a dialogue that still waits.
    pub result: Option<AttemptResult>,
    /// Whether the person is opted out.
    pub opt_out: bool,
    /// Events the person is opted in to.
    pub opt_in_events: Vec<String>,
    /// Whether the conversation was handed to agents.
    pub to_agent: bool,
    /// Until when the dialogue still waits for a reply.
    pub waiting_until: Option<Moment>,
    /// Inputs left over because the dialogue had ended.
    pub unused_inputs: usize,
}

/// Why a test could not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// More inputs than a test takes.
    #[error("a test takes at most {} inputs", limits::TEST_INPUTS_MAX)]
    TooManyInputs,
    /// A text could not be rendered for the fields given.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Runs a Script against fields and inputs, from the moment `now` on.
pub fn run_test(
    script: &Script,
    fields: &dyn Fields,
    inputs: &[Input],
    now: Moment,
) -> Result<ScriptTest, TestError> {
    if inputs.len() > limits::TEST_INPUTS_MAX {
        return Err(TestError::TooManyInputs);
    }
    let dialogue = match &script.body {
        Body::Text(dialogue) => dialogue,
        Body::Email(letter) => return run_letter(letter, fields, inputs, now),
    };
    let (conversation, says) = Conversation::start(dialogue, fields, now)?;
    let mut run = Run {
        dialogue,
        fields,
        conversation,
        now,
        test: ScriptTest::empty(),
    };
    run.note(says);
    for (index, input) in inputs.iter().enumerate() {
        if run.conversation.is_over() {
            run.test.unused_inputs = inputs.len() - index;
            break;
        }
        run.input(input)?;
    }
    run.test.answers = run.conversation.answers().clone();
    run.test.result = run.conversation.result();
    run.test.waiting_until = run.conversation.deadline();
    Ok(run.test)
}

impl ScriptTest {
    fn empty() -> Self {
        ScriptTest {
            transcript: Vec::new(),
            answers: BTreeMap::new(),
            result: None,
            opt_out: false,
            opt_in_events: Vec::new(),
            to_agent: false,
            waiting_until: None,
            unused_inputs: 0,
        }
    }
}

/// An e-mail is one message. A reply that is the answer of a link opens that link; one that is STOP unsubscribes, as the
/// one-click header does; anything else has no effect.
fn run_letter(
    letter: &Letter,
    fields: &dyn Fields,
    inputs: &[Input],
    mut now: Moment,
) -> Result<ScriptTest, TestError> {
    let mut test = ScriptTest::empty();
    let letter = letter.render(fields)?;
    test.transcript.push(Line {
        at: now,
        direction: Direction::Outbound,
        subject: Some(letter.subject.clone()),
        text: letter.text.clone(),
        html: letter.html_with(|link| link.url.clone()),
        parts: None,
    });
    for input in inputs {
        let Input::Reply(reply) = input else { continue };
        now = now.plus(MINUTE);
        test.transcript.push(Line {
            at: now,
            direction: Direction::Inbound,
            subject: None,
            text: Some(reply.clone()),
            html: None,
            parts: None,
        });
        let reply = reply.trim();
        if let Some(link) = letter.links.iter().find(|link| link.answer == reply) {
            test.answers
                .insert(email::ANSWER.to_owned(), link.answer.clone());
        } else if reserved(reply) == Some(Reserved::Stop) {
            test.opt_out = true;
        }
    }
    Ok(test)
}

struct Run<'a> {
    dialogue: &'a Dialogue,
    fields: &'a dyn Fields,
    conversation: Conversation,
    now: Moment,
    test: ScriptTest,
}

impl Run<'_> {
    fn input(&mut self, input: &Input) -> Result<(), RenderError> {
        let deadline = self.conversation.deadline().unwrap_or(self.now);
        let said = match input {
            Input::Silence => {
                self.now = deadline;
                self.heard(None);
                self.conversation
                    .timeout(self.dialogue, self.fields, self.now)?
            }
            Input::Reply(reply) => {
                // A reply is never late: the shortest time limit is a minute, and it is met.
                self.now = self.now.plus(MINUTE).min(deadline);
                self.heard(Some(reply.clone()));
                self.reply(reply)?
            }
        };
        self.note(said);
        Ok(())
    }

    /// The reserved words are taken before the Script sees the reply; their confirmations are the Account's, not the
    /// Script's.
    fn reply(&mut self, reply: &str) -> Result<Vec<Say>, RenderError> {
        match reserved(reply) {
            Some(Reserved::Stop) => {
                self.test.opt_out = true;
                self.conversation.stop();
                Ok(Vec::new())
            }
            Some(Reserved::Help | Reserved::Start) => Ok(Vec::new()),
            Some(Reserved::Yes) | None => {
                self.conversation
                    .input(self.dialogue, self.fields, reply, self.now)
            }
        }
    }

    fn heard(&mut self, text: Option<String>) {
        self.test.transcript.push(Line {
            at: self.now,
            direction: Direction::Inbound,
            subject: None,
            text,
            html: None,
            parts: None,
        });
    }

    fn note(&mut self, says: Vec<Say>) {
        for say in says {
            match say {
                Say::Message { text, parts } => self.test.transcript.push(Line {
                    at: self.now,
                    direction: Direction::Outbound,
                    subject: None,
                    text: Some(text),
                    html: None,
                    parts: Some(parts),
                }),
                Say::OptIn { event } => self.test.opt_in_events.push(event),
                Say::OptOut => self.test.opt_out = true,
                Say::ToAgent => self.test.to_agent = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::moment::DAY;
    use carillon_model::script::Content;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Moment = Moment(1_795_525_200_000);

    fn script() -> Script {
        let source = "<text><message>Hello {{ contact.firstName }}</message>\
            <reply match='C' set='answer=yes' result='Success'><message>Thanks</message></reply>\
            <reply match='N'><optIn event='News'/></reply><reply match='M' goto='m'/>\
            <otherwise max='1'><message>C, N or M</message></otherwise>\
            <timeout after='PT24H' result='Failed'><message>Too late</message></timeout>\
            <state id='m'><ask name='day' type='text' min='2'><message>Which day?</message></ask><optOut/></state></text>";
        Script::parse(&[Content {
            name: "a.xml".to_owned(),
            data: source.into(),
        }])
        .expect("a Script")
    }

    fn test(inputs: &[&str]) -> ScriptTest {
        let inputs: Vec<Input> = inputs.iter().map(|text| Input::parse(text)).collect();
        run_test(
            &script(),
            &json!({"contact": {"firstName": "Ada"}}),
            &inputs,
            NOW,
        )
        .expect("it runs")
    }

    fn said(test: &ScriptTest) -> Vec<&str> {
        test.transcript
            .iter()
            .map(|line| line.text.as_deref().unwrap_or("…"))
            .collect()
    }

    #[test]
    fn transcripts() {
        let run = test(&["hm", "n", "c", "more"]);
        assert_eq!(
            said(&run),
            ["Hello Ada", "hm", "C, N or M", "n", "c", "Thanks"]
        );
        assert_eq!(run.result, Some(AttemptResult::Success));
        assert_eq!(
            (
                run.opt_in_events.as_slice(),
                run.unused_inputs,
                run.waiting_until
            ),
            (&["News".to_owned()][..], 1, None)
        );
        assert_eq!(run.answers.get("answer").map(String::as_str), Some("yes"));

        let run = test(&["Silence"]);
        assert_eq!(said(&run), ["Hello Ada", "…", "Too late"]);
        assert_eq!(
            (run.result, run.transcript[1].at),
            (Some(AttemptResult::Failed), NOW.plus(DAY))
        );

        let run = test(&["help", "m", "x", "Monday"]);
        assert_eq!(
            said(&run),
            [
                "Hello Ada",
                "help",
                "m",
                "Which day?",
                "x",
                "Which day?",
                "Monday"
            ]
        );
        assert_eq!(
            (run.opt_out, run.result),
            (true, Some(AttemptResult::Success))
        );

        let run = test(&["m", "stop"]);
        assert_eq!(
            (run.opt_out, run.result),
            (true, Some(AttemptResult::Failed))
        );

        let run = test(&[]);
        assert_eq!((run.result, run.waiting_until), (None, Some(NOW.plus(DAY))));
        assert_eq!(run.transcript[0].parts, Some(1));
    }

    #[test]
    fn bounds_and_missing_fields() {
        let many = vec![Input::Silence; limits::TEST_INPUTS_MAX + 1];
        assert_eq!(
            run_test(&script(), &json!({}), &many, NOW),
            Err(TestError::TooManyInputs)
        );
        let missing = RenderError::MissingField("contact.firstName".to_owned());
        assert_eq!(
            run_test(&script(), &json!({}), &[], NOW),
            Err(TestError::Render(missing))
        );
    }

    proptest! {
        #[test]
        fn any_inputs_end_or_wait(inputs in prop::collection::vec(prop_oneof![
            Just(Input::Silence), ".{0,30}".prop_map(Input::Reply), "[cnmCNM .!]{1,3}".prop_map(Input::Reply),
        ], 0..100)) {
            let run = run_test(&script(), &json!({"contact": {"firstName": "Ada"}}), &inputs, NOW).expect("it runs");
            prop_assert_eq!(run.result.is_some(), run.waiting_until.is_none());
        }
    }
}
