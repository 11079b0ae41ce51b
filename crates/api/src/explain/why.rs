//! The words of explanations: the reasons of verdicts (`entities.md`), and those of runs and queues, which no rule causes.

use carillon_model::Reason;

/// Why a contact is in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// A rule, a list, a window or what is known of the contact.
    Verdict(Reason),
    /// The load of the run has not come to it.
    NotLoaded,
    /// Other contacts of the run are still being loaded.
    Loading,
    /// The run is held until a client lets it go.
    Held,
    /// The run is paused.
    Paused,
    /// The run is being stopped.
    Stopping,
    /// The run starts later.
    StartTime,
    /// Nothing forbids it: its turn comes by pace, carrier and its own due moment.
    Queue,
    /// What its lane shares cannot be read.
    Unreadable,
    /// An attempt is out and its result has not come.
    Result,
    /// It was reached.
    Delivered,
    /// It was tried and not reached.
    NotDelivered,
}

/// Words beside the reasons of verdicts.
const OWN: [&str; 11] = [
    "NotLoaded",
    "Loading",
    "Held",
    "Paused",
    "Stopping",
    "StartTime",
    "Queue",
    "Unreadable",
    "Result",
    "Delivered",
    "NotDelivered",
];

/// Every word.
pub(super) static WORDS: [&str; OWN.len() + Reason::TEXTS.len()] = {
    let mut words = [""; OWN.len() + Reason::TEXTS.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = if at < Reason::TEXTS.len() {
            Reason::TEXTS[at]
        } else {
            OWN[at - Reason::TEXTS.len()]
        };
        at += 1;
    }
    words
};

impl Why {
    /// Its word on the wire.
    pub fn text(self) -> &'static str {
        match self {
            Why::Verdict(reason) => reason.text(),
            Why::NotLoaded => "NotLoaded",
            Why::Loading => "Loading",
            Why::Held => "Held",
            Why::Paused => "Paused",
            Why::Stopping => "Stopping",
            Why::StartTime => "StartTime",
            Why::Queue => "Queue",
            Why::Unreadable => "Unreadable",
            Why::Result => "Result",
            Why::Delivered => "Delivered",
            Why::NotDelivered => "NotDelivered",
        }
    }

    /// A sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Why::Verdict(reason) => sentence_of(reason),
            Why::NotLoaded => "The run has not loaded the contact yet.",
            Why::Loading => "The run is still loading its contacts.",
            Why::Held => "The run is held until its state is changed to Running.",
            Why::Paused => "The run is paused.",
            Why::Stopping => {
                "The run is being stopped; the contact will leave it without a further attempt."
            }
            Why::StartTime => "The run starts later.",
            Why::Queue => {
                "Nothing forbids an attempt; pace, carrier and the contact's own due moment decide when."
            }
            Why::Unreadable => {
                "The facts that the contact shares with others cannot be read; the log says more."
            }
            Why::Result => "An attempt is out and its result has not come.",
            Why::Delivered => "The contact was reached.",
            Why::NotDelivered => {
                "The contact was tried as often as its passes allow and was not reached."
            }
        }
    }
}

fn sentence_of(reason: Reason) -> &'static str {
    match reason {
        Reason::SuppressedDevice => "Its device is on a suppression list.",
        Reason::SuppressedClientId => "Its Client ID is on a suppression list.",
        Reason::OptedOut => "It opted out.",
        Reason::DateRule => "A rule forbids the date.",
        Reason::RegionRule => "A rule forbids its region.",
        Reason::LocationRule => "A rule forbids the hour at its place.",
        Reason::AttemptRule => "A rule caps the attempts to it.",
        Reason::ContactHistoryRule => "A rule looks at what happened to it before.",
        Reason::AccountHours => "The Account's contact hours are closed at its place.",
        Reason::FilterExpression => "The run's filter does not match it.",
        Reason::Duplicate => "It is a duplicate.",
        Reason::NoDevice => "It has no device for the pass.",
        Reason::BadNumber => "Its number cannot be reached.",
        Reason::ZoneUnknown => "Its time zone is not known.",
        Reason::MissingField => "The Script needs a field that it does not have.",
        Reason::WindowClosed => "The window of the pass is closed.",
        Reason::Skipped => "The run was stopped before it was tried further.",
        Reason::Expired => "Its batch or run ended before it was tried further.",
        Reason::Removed => "It was taken out of its List.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_word_once() {
        let own = [
            Why::NotLoaded,
            Why::Loading,
            Why::Held,
            Why::Paused,
            Why::Stopping,
            Why::StartTime,
            Why::Queue,
            Why::Unreadable,
            Why::Result,
            Why::Delivered,
            Why::NotDelivered,
        ];
        let verdicts = Reason::ALL.iter().map(|reason| Why::Verdict(*reason));
        let texts: Vec<&str> = verdicts.chain(own).map(Why::text).collect();
        assert_eq!(texts, WORDS);
        let unique: std::collections::HashSet<&&str> = texts.iter().collect();
        assert_eq!(unique.len(), WORDS.len());
    }
}
