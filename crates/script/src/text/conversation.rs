//! A dialogue with one person. It is a value: the store keeps it between messages, and what it says next depends on
//! nothing but the dialogue, the contact's fields, the reply and the moment.

use super::*;
use carillon_model::{Moment, moment::SECOND};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a conversation wants done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Send this text.
    Message {
        /// The rendered text.
        text: String,
        /// How many parts it takes.
        parts: usize,
    },
    /// Opt the device in to an Event.
    OptIn {
        /// The name of the Event.
        event: String,
    },
    /// Opt the device out, as STOP does.
    OptOut,
    /// Hand the conversation to the agent group.
    ToAgent,
}

/// Where a dialogue stands with one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    state: usize,
    step: usize,
    misses: u32,
    messages: u32,
    answers: BTreeMap<String, String>,
    deadline: Option<Moment>,
    result: Option<AttemptResult>,
}

impl Conversation {
    /// Begins a dialogue: what is said before the first reply.
    pub fn start(
        dialogue: &Dialogue,
        fields: &dyn Fields,
        now: Moment,
    ) -> Result<(Conversation, Vec<Say>), RenderError> {
        let mut conversation = Conversation {
            state: 0,
            step: 0,
            misses: 0,
            messages: 0,
            answers: BTreeMap::new(),
            deadline: None,
            result: None,
        };
        let says = conversation.turn(dialogue, fields, |turn| turn.run(now))?;
        Ok((conversation, says))
    }

    /// A reply has come. Reserved words never reach this point. A dialogue that is over says nothing more. When a
    /// text cannot be rendered the dialogue is over, as Failed.
    pub fn input(
        &mut self,
        dialogue: &Dialogue,
        fields: &dyn Fields,
        reply: &str,
        now: Moment,
    ) -> Result<Vec<Say>, RenderError> {
        if self.is_over() {
            return Ok(Vec::new());
        }
        self.turn(dialogue, fields, |turn| turn.reply(reply, now))
    }

    /// The time for a reply may be over: nothing happens before the deadline.
    pub fn timeout(
        &mut self,
        dialogue: &Dialogue,
        fields: &dyn Fields,
        now: Moment,
    ) -> Result<Vec<Say>, RenderError> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return Ok(Vec::new());
        }
        self.turn(dialogue, fields, |turn| turn.silence(now))
    }

    /// The person opted out or was taken over from outside: the dialogue ends as Failed if it was still open.
    pub fn stop(&mut self) {
        if !self.is_over() {
            self.end(Some(AttemptResult::Failed));
        }
    }

    /// The answers taken so far: the attempt's `responses`.
    pub fn answers(&self) -> &BTreeMap<String, String> {
        &self.answers
    }

    /// Success or Failed once a two-way dialogue is over; a one-way one has no result of its own.
    pub fn result(&self) -> Option<AttemptResult> {
        self.result
    }

    /// Until when a reply is waited for; none when the dialogue is over.
    pub fn deadline(&self) -> Option<Moment> {
        self.deadline
    }

    /// Whether nothing more will be said.
    pub fn is_over(&self) -> bool {
        self.deadline.is_none()
    }

    fn end(&mut self, result: Option<AttemptResult>) {
        self.deadline = None;
        self.result = result;
    }

    fn turn(
        &mut self,
        dialogue: &Dialogue,
        fields: &dyn Fields,
        act: impl FnOnce(&mut Turn<'_>) -> Result<(), RenderError>,
    ) -> Result<Vec<Say>, RenderError> {
        let mut turn = Turn {
            conversation: self,
            dialogue,
            fields,
            says: Vec::new(),
        };
        let done = act(&mut turn);
        let says = turn.says;
        if let Err(error) = done {
            self.end(Some(AttemptResult::Failed));
            return Err(error);
        }
        Ok(says)
    }
}

/// One step of the machine.
struct Turn<'a> {
    conversation: &'a mut Conversation,
    dialogue: &'a Dialogue,
    fields: &'a dyn Fields,
    says: Vec<Say>,
}

impl<'a> Turn<'a> {
    /// The state the person is in. A stored conversation whose Script has fewer states than it remembers starts over
    /// at the root; contents never change, so this takes a damaged record.
    fn state(&self) -> &'a State {
        self.dialogue
            .states
            .get(self.conversation.state)
            .unwrap_or(&self.dialogue.states[0])
    }

    /// Runs the steps of the state until a reply is needed or the dialogue ends.
    fn run(&mut self, now: Moment) -> Result<(), RenderError> {
        let state = self.state();
        while let Some(step) = state.steps.get(self.conversation.step) {
            match step {
                Step::Act(action) => {
                    self.act(action)?;
                    if matches!(action, Action::ToAgent) {
                        self.conversation.end(Some(AttemptResult::Success));
                        return Ok(());
                    }
                }
                Step::Ask(ask) => {
                    self.act_all(&ask.actions)?;
                    self.wait(now);
                    return Ok(());
                }
                Step::End(result) => {
                    self.conversation.end(Some(*result));
                    return Ok(());
                }
            }
            self.conversation.step += 1;
        }
        if state.replies.is_empty() {
            let result = self.dialogue.is_two_way().then_some(AttemptResult::Success);
            self.conversation.end(result);
        } else {
            self.wait(now);
        }
        Ok(())
    }

    fn reply(&mut self, reply: &str, now: Moment) -> Result<(), RenderError> {
        let reply: String = reply
            .trim()
            .chars()
            .take(limits::REPLY_CHARACTERS_MAX)
            .collect();
        let words = Words::new(&reply);
        let state = self.state();
        if let Some(matched) = state
            .replies
            .iter()
            .find(|candidate| candidate.matches(&reply, &words))
        {
            self.conversation
                .answers
                .extend(matched.set.iter().cloned());
            self.act_all(&matched.actions)?;
            return self.then(matched.then, now);
        }
        let ask = match state.steps.get(self.conversation.step) {
            Some(Step::Ask(ask)) => Some(ask),
            _ => None,
        };
        if let Some(ask) = ask
            && let Some(answer) = ask.kind.answer(&reply, &words)
        {
            self.conversation.answers.insert(ask.name.clone(), answer);
            self.conversation.misses = 0;
            self.conversation.step += 1;
            return self.run(now);
        }
        self.miss(state, ask, now)
    }

    fn miss(
        &mut self,
        state: &'a State,
        ask: Option<&'a Ask>,
        now: Moment,
    ) -> Result<(), RenderError> {
        self.conversation.misses = self.conversation.misses.saturating_add(1);
        let (max, actions) = match (&state.otherwise, ask) {
            (Some(otherwise), _) => (otherwise.max, &otherwise.actions),
            (None, Some(ask)) => (limits::ASK_AGAIN_MAX, &ask.actions),
            (None, None) => return Ok(()),
        };
        if self.conversation.misses <= max {
            self.act_all(actions)?;
            self.wait(now);
        }
        Ok(())
    }

    fn silence(&mut self, now: Moment) -> Result<(), RenderError> {
        match self.time_limit() {
            Some(timeout) => {
                self.act_all(&timeout.actions)?;
                self.then(timeout.then, now)
            }
            None => {
                self.conversation.end(Some(AttemptResult::Failed));
                Ok(())
            }
        }
    }

    fn then(&mut self, then: Then, now: Moment) -> Result<(), RenderError> {
        match then {
            Then::Stay => self.wait(now),
            Then::End(result) => self.conversation.end(Some(result)),
            Then::Goto(state) => {
                self.conversation.state = state;
                self.conversation.step = 0;
                self.conversation.misses = 0;
                return self.run(now);
            }
        }
        Ok(())
    }

    fn act_all(&mut self, actions: &[Action]) -> Result<(), RenderError> {
        actions.iter().try_for_each(|action| self.act(action))
    }

    fn act(&mut self, action: &Action) -> Result<(), RenderError> {
        let say = match action {
            Action::Message(template) => {
                // What is past the bound is not said; `wait` then ends the dialogue.
                self.conversation.messages = self.conversation.messages.saturating_add(1);
                if self.conversation.messages > limits::MESSAGES_MAX {
                    return Ok(());
                }
                let answers = &self.conversation.answers;
                let fields = WithAnswers {
                    fields: self.fields,
                    answers: &|name| answers.get(name).map(String::as_str),
                };
                let (text, parts) = self.dialogue.message(template, &fields)?;
                Say::Message { text, parts }
            }
            Action::OptIn { event } => Say::OptIn {
                event: event.clone(),
            },
            Action::OptOut => Say::OptOut,
            Action::ToAgent => Say::ToAgent,
        };
        self.says.push(say);
        Ok(())
    }

    fn time_limit(&self) -> Option<&'a Timeout> {
        self.state()
            .timeout
            .as_ref()
            .or(self.dialogue.states[0].timeout.as_ref())
    }

    fn wait(&mut self, now: Moment) {
        if self.conversation.messages > limits::MESSAGES_MAX {
            self.conversation.end(Some(AttemptResult::Failed));
            return;
        }
        let milliseconds = self
            .time_limit()
            .map_or(limits::TIMEOUT_DEFAULT_SECONDS * SECOND, |timeout| {
                timeout.milliseconds
            });
        self.conversation.deadline = Some(now.plus(milliseconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::AgentNeed;
    use carillon_model::moment::{DAY, HOUR, MINUTE};
    use serde_json::json;

    const NOW: Moment = Moment(1_795_525_200_000);

    fn dialogue(source: &str) -> Dialogue {
        let document = crate::xml::parse(source.as_bytes()).expect("well-formed");
        super::parse(&document.root, AgentNeed::Standard).expect("a dialogue")
    }

    fn texts(says: &[Say]) -> Vec<&str> {
        fn text(say: &Say) -> &str {
            match say {
                Say::Message { text, .. } => text,
                Say::OptIn { .. } => "(in)",
                Say::OptOut => "(out)",
                Say::ToAgent => "(agent)",
            }
        }
        says.iter().map(text).collect()
    }

    struct Talk {
        dialogue: Dialogue,
        conversation: Conversation,
    }

    impl Talk {
        fn start(source: &str, said: &[&str]) -> Talk {
            let dialogue = dialogue(source);
            let (conversation, says) =
                Conversation::start(&dialogue, &json!({"contact": {"firstName": "Ada"}}), NOW)
                    .expect("it starts");
            assert_eq!(texts(&says), said);
            Talk {
                dialogue,
                conversation,
            }
        }

        fn says(&mut self, reply: &str, said: &[&str]) -> &mut Self {
            let fields = json!({"contact": {"firstName": "Ada"}});
            let says = self
                .conversation
                .input(&self.dialogue, &fields, reply, NOW.plus(MINUTE))
                .expect("it goes on");
            assert_eq!(texts(&says), said, "after {reply}");
            self
        }

        fn is_silent(&mut self, until: Moment, said: &[&str]) -> &mut Self {
            let fields = json!({"contact": {"firstName": "Ada"}});
            let says = self
                .conversation
                .timeout(&self.dialogue, &fields, until)
                .expect("it goes on");
            assert_eq!(texts(&says), said, "at {until}");
            self
        }

        fn ends(&self, result: Option<AttemptResult>, answers: &[(&str, &str)]) {
            assert!(self.conversation.is_over());
            assert_eq!(self.conversation.result(), result);
            let taken: Vec<(&str, &str)> = self
                .conversation
                .answers()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(taken, answers);
        }
    }

    const REMINDER: &str = r#"<text>
        <message>Hello {{ contact.firstName }}</message>
        <reply match="C CONFIRM YES" set="answer=confirmed" result="Success"><message>Thanks</message></reply>
        <reply match="R MOVE" set="answer=move" goto="move"/>
        <reply match="?" pattern="^\?+$"/>
        <otherwise max="2"><message>C or R</message></otherwise>
        <timeout after="PT24H" result="Failed"/>
        <state id="move">
          <ask name="day" type="text" min="2" max="40"><message>Which day?</message></ask>
          <message>We call about {{ answers.day }}.</message>
          <end result="Success"/>
        </state>
      </text>"#;

    fn reminder() -> String {
        REMINDER.replace(r#"match="?" "#, "")
    }

    #[test]
    fn the_example_of_the_specification() {
        let mut talk = Talk::start(&reminder(), &["Hello Ada"]);
        assert_eq!(talk.conversation.deadline(), Some(NOW.plus(DAY)));
        talk.says("confirm!", &["Thanks"])
            .ends(Some(AttemptResult::Success), &[("answer", "confirmed")]);
        talk.says("R", &[]);

        let mut talk = Talk::start(&reminder(), &["Hello Ada"]);
        talk.says("what", &["C or R"])
            .says("what", &["C or R"])
            .says("what", &[]);
        talk.says("move please", &["Which day?"]);
        talk.says("x", &["Which day?"])
            .says(" Monday ", &["We call about Monday."]);
        talk.ends(
            Some(AttemptResult::Success),
            &[("answer", "move"), ("day", "Monday")],
        );

        let mut talk = Talk::start(&reminder(), &["Hello Ada"]);
        talk.is_silent(NOW.plus(DAY - 1), &[]);
        assert!(!talk.conversation.is_over());
        talk.is_silent(NOW.plus(DAY), &[])
            .ends(Some(AttemptResult::Failed), &[]);
    }

    #[test]
    fn one_way() {
        let source =
            "<text><message>Hello {{ contact.firstName }}</message><message>Bye</message></text>";
        let talk = Talk::start(source, &["Hello Ada", "Bye"]);
        talk.ends(None, &[]);
        assert!(!talk.dialogue.is_two_way());
        assert_eq!(
            talk.dialogue.names().into_iter().collect::<Vec<_>>(),
            ["contact.firstName"]
        );
        assert!(dialogue(&reminder()).is_two_way());
    }

    #[test]
    fn a_time_limit_is_the_states_the_roots_or_a_day() {
        let source = |root: &str, state: &str| {
            format!(
                "<text><message>m</message><reply match='g' goto='s'/>{root}<state id='s'><message>n</message>\
                 <reply match='x'/>{state}</state></text>"
            )
        };
        for (root, state, expected) in [
            ("", "", DAY),
            ("<timeout after='PT1H'/>", "", HOUR),
            (
                "<timeout after='PT1H'/>",
                "<timeout after='PT5M' goto='s'><message>late</message></timeout>",
                5 * MINUTE,
            ),
        ] {
            let mut talk = Talk::start(&source(root, state), &["m"]);
            talk.says("g", &["n"]);
            let deadline = NOW.plus(MINUTE + expected);
            assert_eq!(talk.conversation.deadline(), Some(deadline));
            if !state.is_empty() {
                talk.is_silent(deadline, &["late", "n"]);
            }
        }
    }

    #[test]
    fn timeouts_in_a_circle_end() {
        let source = "<text><message>m</message><ask name='a' type='yesno'/>\
            <timeout after='PT1M' goto='s'/><state id='s'><message>again</message><ask name='b' type='yesno'/></state></text>";
        let mut talk = Talk::start(source, &["m"]);
        let mut rounds = 0;
        while let Some(deadline) = talk.conversation.deadline() {
            talk.conversation
                .timeout(&talk.dialogue, &json!({}), deadline)
                .expect("it goes on");
            rounds += 1;
            assert!(rounds <= limits::MESSAGES_MAX, "it never ends");
        }
        assert_eq!(talk.conversation.result(), Some(AttemptResult::Failed));
    }

    #[test]
    fn questions_take_their_kinds_of_answers() {
        let ask = |attributes: &str, children: &str| {
            format!("<text><ask name='a' {attributes}><message>?</message>{children}</ask></text>")
        };
        let choices = "<choice value='morning' match='AM 1 morning'/><choice value='noon'/>";
        let cases = [
            (
                ask("type='yesno'", ""),
                &[
                    ("YES", Some("yes")),
                    ("n", Some("no")),
                    ("No thanks", Some("no")),
                    ("maybe", None),
                ][..],
            ),
            (
                ask("type='number' min='1' max='5'", ""),
                &[
                    ("3", Some("3")),
                    ("+4.5", Some("4.5")),
                    ("0", None),
                    ("6", None),
                    ("inf", None),
                    ("1e0", None),
                    ("three", None),
                    ("", None),
                    ("1-2", None),
                ][..],
            ),
            (
                ask("type='number'", ""),
                &[("-3", Some("-3")), ("NaN", None)][..],
            ),
            (
                ask("type='choice'", choices),
                &[
                    ("am", Some("morning")),
                    ("1", Some("morning")),
                    ("Noon.", Some("noon")),
                    ("night", None),
                ][..],
            ),
            (
                ask("type='text' max='3'", ""),
                &[("été", Some("été")), ("four", None), ("  ", None)][..],
            ),
        ];
        for (source, replies) in cases {
            for (reply, answer) in replies {
                let mut talk = Talk::start(&source, &["?"]);
                match answer {
                    Some(answer) => talk
                        .says(reply, &[])
                        .ends(Some(AttemptResult::Success), &[("a", answer)]),
                    None => assert!(!talk.says(reply, &["?"]).conversation.is_over()),
                }
            }
        }
    }

    #[test]
    fn actions_come_in_their_order() {
        let source = "<text><message>m</message>\
            <reply match='in'><optIn event='News'/><message>in</message></reply>\
            <reply match='out' result='Failed'><message>out</message><optOut/></reply>\
            <reply match='agent'><message>wait</message><toAgent/></reply>\
            <reply pattern='^[0-9]{2}$' set='n=two; kind=digits' goto='s'/>\
            <state id='s'><toAgent/></state></text>";
        Talk::start(source, &["m"])
            .says("in", &["(in)", "in"])
            .says("out", &["out", "(out)"])
            .ends(Some(AttemptResult::Failed), &[]);
        Talk::start(source, &["m"])
            .says("agent", &["wait", "(agent)"])
            .ends(Some(AttemptResult::Success), &[]);
        Talk::start(source, &["m"])
            .says("123", &[])
            .says("12", &["(agent)"])
            .ends(
                Some(AttemptResult::Success),
                &[("kind", "digits"), ("n", "two")],
            );
    }

    #[test]
    fn a_text_that_cannot_be_rendered_ends_the_dialogue() {
        let dialogue = dialogue(
            "<text><message>m</message><reply match='c'><message>{{ contact.x }}</message></reply></text>",
        );
        let missing = RenderError::MissingField("contact.x".to_owned());
        assert_eq!(dialogue.check(&json!({})), Err(missing.clone()));
        assert_eq!(dialogue.check(&json!({"contact": {"x": "y"}})), Ok(()));
        let (mut conversation, _) =
            Conversation::start(&dialogue, &json!({}), NOW).expect("it starts");
        assert_eq!(
            conversation.input(&dialogue, &json!({}), "c", NOW),
            Err(missing)
        );
        assert!(conversation.is_over());
        assert_eq!(conversation.result(), Some(AttemptResult::Failed));
    }

    #[test]
    fn too_many_parts_are_an_error() {
        let dialogue = dialogue("<text maxParts='2'><message>{{ contact.x }}</message></text>");
        let fields = |length: usize| json!({"contact": {"x": "x".repeat(length)}});
        assert_eq!(dialogue.check(&fields(306)), Ok(()));
        assert_eq!(
            dialogue.check(&fields(307)),
            Err(RenderError::TooManyParts {
                parts: 3,
                parts_max: 2
            })
        );
    }

    #[test]
    fn it_is_kept_and_read_back() {
        let mut talk = Talk::start(&reminder(), &["Hello Ada"]);
        talk.says("r", &["Which day?"]);
        let kept = serde_json::to_string(&talk.conversation).expect("it is written");
        let read: Conversation = serde_json::from_str(&kept).expect("it is read");
        assert_eq!(read, talk.conversation);
        talk.conversation.stop();
        talk.ends(Some(AttemptResult::Failed), &[("answer", "move")]);
    }
}
