//! Words in replies: compared without case and punctuation, as the whole message or its first word
//! (`entities.md` 12, `scripts.md` 3), and the reserved ones that are taken before any script sees the reply.

/// What a reserved word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// No more texts from this Account.
    Stop,
    /// The help text.
    Help,
    /// Texts again.
    Start,
    /// Texts again, but only for somebody opted out; else the script sees it.
    Yes,
}

const RESERVED: &[(&str, Reserved)] = &[
    ("stop", Reserved::Stop),
    ("stopall", Reserved::Stop),
    ("end", Reserved::Stop),
    ("cancel", Reserved::Stop),
    ("unsubscribe", Reserved::Stop),
    ("quit", Reserved::Stop),
    ("revoke", Reserved::Stop),
    ("optout", Reserved::Stop),
    ("help", Reserved::Help),
    ("info", Reserved::Help),
    ("start", Reserved::Start),
    ("unstop", Reserved::Start),
    ("yes", Reserved::Yes),
];

/// The reserved word a message is or begins with.
pub fn reserved(message: &str) -> Option<Reserved> {
    let reply = Reply::new(message);
    if reply
        .words
        .starts_with(&["opt".to_owned(), "out".to_owned()])
    {
        return Some(Reserved::Stop);
    }
    RESERVED
        .iter()
        .find(|(word, _)| reply.is(word))
        .map(|(_, meaning)| *meaning)
}

/// A reply, ready for comparison.
pub(crate) struct Reply {
    words: Vec<String>,
    whole: String,
    leading: String,
}

impl Reply {
    pub fn new(message: &str) -> Self {
        let words: Vec<String> = message
            .split_whitespace()
            .map(plain)
            .filter(|word| !word.is_empty())
            .collect();
        let whole = words.concat();
        // "C,please" and "STOP/now" begin with a word although no space follows it.
        let leading = message
            .trim_start_matches(|character: char| {
                character.is_whitespace() || is_punctuation(character)
            })
            .split(|character: char| character.is_whitespace() || ",;:!?/()".contains(character))
            .next()
            .map(plain)
            .unwrap_or_default();
        Reply {
            words,
            whole,
            leading,
        }
    }

    /// Whether the whole reply or its first word is this word, which is in plain form.
    pub fn is(&self, word: &str) -> bool {
        self.whole == word
            || self.leading == word
            || self.words.first().is_some_and(|first| first == word)
    }
}

/// A word without case and punctuation.
pub(crate) fn plain(word: &str) -> String {
    word.chars()
        .filter(|character| !is_punctuation(*character) && !character.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Punctuation of ASCII, Latin-1, the general block (with the invisible joiners), CJK and full width. Letters, digits
/// and pictures stay.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || character.is_control()
        || matches!(character,
            '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
            | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{301f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_found_in_every_spelling() {
        let stop = [
            "STOP",
            "stop",
            " Stop! ",
            "stop please",
            "STOP.",
            "s.t.o.p",
            "opt out",
            "Opt-Out",
            "OPTOUT",
            "¡Stop!",
            "STOPALL",
            "end",
            "cancel",
            "Unsubscribe me",
            "QUIT",
            "revoke",
            "STOP,now",
            "(stop)",
            "“STOP”",
        ];
        for message in stop {
            assert_eq!(reserved(message), Some(Reserved::Stop), "{message}");
        }
        assert_eq!(reserved("Help?"), Some(Reserved::Help));
        assert_eq!(reserved("info"), Some(Reserved::Help));
        assert_eq!(reserved("UNSTOP"), Some(Reserved::Start));
        assert_eq!(reserved("yes"), Some(Reserved::Yes));
        for message in [
            "",
            "please stop",
            "stopping",
            "C",
            "endless",
            "opt in",
            "!!!",
        ] {
            assert_eq!(reserved(message), None, "{message}");
        }
    }

    #[test]
    fn first_word_or_whole_reply() {
        for message in ["C", "c.", "C, please", "c,please", "  C  now"] {
            assert!(Reply::new(message).is("c"), "{message}");
        }
        assert!(!Reply::new("don't").is("don"));
        assert!(Reply::new("👍🏽").is(&plain("👍🏽")));
        assert!(Reply::new("ÉTÉ").is("été"));
    }
}
