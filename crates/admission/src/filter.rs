//! The filter of a SubCampaign (`entities.md` 4.5): `field Like 'x'` and `field Not Like 'x'`, joined by And, Or and
//! brackets. In a pattern `%` stands for any run of characters, `_` for one, `[ab]` for one of, `[^ab]` for none of; all
//! without case. And binds closer than Or. A field that a contact lacks is an empty text.

use carillon_model::contact::Contact;

/// Longest filter, in characters.
pub const FILTER_CHARACTERS_MAX: usize = 4_000;
/// Brackets in brackets.
const DEPTH_MAX: usize = 32;

/// A filter, ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// A field against a pattern.
    Like {
        /// The field.
        field: String,
        /// What it has to be like.
        pattern: Vec<Piece>,
        /// Whether it must not be.
        negated: bool,
    },
    /// All of them.
    And(Vec<Filter>),
    /// Any of them.
    Or(Vec<Filter>),
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// This character, in small letters.
    One(char),
    /// Any character.
    Any,
    /// Any run of characters.
    Run,
    /// One of these characters, or none of them.
    Set(Vec<char>, bool),
}

/// The text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a filter was expected to have {expected} at character {at}")]
pub struct Unreadable {
    /// What was expected.
    pub expected: &'static str,
    /// Where, counted from 1.
    pub at: usize,
}

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Filter, Unreadable> {
        let characters: Vec<char> = text.chars().collect();
        if characters.len() > FILTER_CHARACTERS_MAX {
            return Err(Unreadable {
                expected: "an end",
                at: FILTER_CHARACTERS_MAX,
            });
        }
        let mut reader = Reader { characters, at: 0 };
        let filter = reader.any(0)?;
        reader.skip_blanks();
        if reader.at < reader.characters.len() {
            reader.fail("And, Or or the end")
        } else {
            Ok(filter)
        }
    }

    /// Whether a contact is taken.
    pub fn matches(&self, contact: &Contact) -> bool {
        match self {
            Filter::And(all) => all.iter().all(|filter| filter.matches(contact)),
            Filter::Or(any) => any.iter().any(|filter| filter.matches(contact)),
            Filter::Like {
                field,
                pattern,
                negated,
            } => {
                let value: Vec<char> = value_of(contact, field)
                    .chars()
                    .flat_map(char::to_lowercase)
                    .collect();
                is_like(&value, pattern) != *negated
            }
        }
    }
}

fn value_of<'a>(contact: &'a Contact, field: &str) -> &'a str {
    if field.eq_ignore_ascii_case("externalId") || field.eq_ignore_ascii_case("clientId") {
        return &contact.external_id;
    }
    contact
        .attributes
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(field))
        .map_or("", |(_, value)| value)
}

/// Goes back to the last run only, so the time is bounded by the product of both lengths.
fn is_like(value: &[char], pattern: &[Piece]) -> bool {
    let (mut at, mut piece) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < value.len() {
        match pattern.get(piece) {
            Some(Piece::Run) => {
                retry = Some((at, piece));
                piece += 1;
            }
            Some(one) if fits(one, value[at]) => {
                at += 1;
                piece += 1;
            }
            _ => match retry {
                Some((from, run)) => {
                    retry = Some((from + 1, run));
                    at = from + 1;
                    piece = run + 1;
                }
                None => return false,
            },
        }
    }
    pattern[piece.min(pattern.len())..]
        .iter()
        .all(|piece| *piece == Piece::Run)
}

fn fits(piece: &Piece, character: char) -> bool {
    match piece {
        Piece::One(one) => *one == character,
        Piece::Any => true,
        Piece::Run => false,
        Piece::Set(set, negated) => set.contains(&character) != *negated,
    }
}

struct Reader {
    characters: Vec<char>,
    at: usize,
}

impl Reader {
    fn fail<T>(&self, expected: &'static str) -> Result<T, Unreadable> {
        Err(Unreadable {
            expected,
            at: self.at + 1,
        })
    }

    fn skip_blanks(&mut self) {
        while self
            .characters
            .get(self.at)
            .is_some_and(|character| character.is_whitespace())
        {
            self.at += 1;
        }
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Unreadable> {
        let mut any = vec![self.all(depth)?];
        while self.take_word("or") {
            any.push(self.all(depth)?);
        }
        Ok(if any.len() == 1 {
            any.remove(0)
        } else {
            Filter::Or(any)
        })
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Unreadable> {
        let mut all = vec![self.one(depth)?];
        while self.take_word("and") {
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Filter::And(all)
        })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Unreadable> {
        self.skip_blanks();
        if self.characters.get(self.at) == Some(&'(') {
            if depth >= DEPTH_MAX {
                return self.fail("fewer brackets");
            }
            self.at += 1;
            let inner = self.any(depth + 1)?;
            self.skip_blanks();
            if self.characters.get(self.at) != Some(&')') {
                return self.fail("a closing bracket");
            }
            self.at += 1;
            return Ok(inner);
        }
        let Some(field) = self.word() else {
            return self.fail("a field");
        };
        let negated = self.take_word("not");
        if !self.take_word("like") {
            return self.fail("Like or Not Like");
        }
        let pattern = self.pattern()?;
        Ok(Filter::Like {
            field,
            pattern,
            negated,
        })
    }

    fn word(&mut self) -> Option<String> {
        self.skip_blanks();
        let is_part = |character: &char| character.is_alphanumeric() || "._-".contains(*character);
        let word: String = self.characters[self.at..]
            .iter()
            .take_while(|part| is_part(part))
            .collect();
        self.at += word.chars().count();
        (!word.is_empty()).then_some(word)
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let before = self.at;
        let found = self
            .word()
            .is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        if !found {
            self.at = before;
        }
        found
    }

    fn pattern(&mut self) -> Result<Vec<Piece>, Unreadable> {
        self.skip_blanks();
        if self.characters.get(self.at) != Some(&'\'') {
            return self.fail("a pattern in quotes");
        }
        self.at += 1;
        let mut pattern = Vec::new();
        loop {
            let Some(character) = self.characters.get(self.at).copied() else {
                return self.fail("a closing quote");
            };
            self.at += 1;
            match character {
                '\'' if self.characters.get(self.at) == Some(&'\'') => {
                    self.at += 1;
                    pattern.push(Piece::One('\''));
                }
                '\'' => return Ok(pattern),
                '%' => pattern.push(Piece::Run),
                '_' => pattern.push(Piece::Any),
                '[' => pattern.push(self.set()?),
                other => pattern.extend(other.to_lowercase().map(Piece::One)),
            }
        }
    }

    fn set(&mut self) -> Result<Piece, Unreadable> {
        let negated = self.characters.get(self.at) == Some(&'^');
        self.at += usize::from(negated);
        let mut set = Vec::new();
        loop {
            match self.characters.get(self.at).copied() {
                Some(']') if !set.is_empty() => {
                    self.at += 1;
                    return Ok(Piece::Set(set, negated));
                }
                Some(']' | '\'') | None => return self.fail("a character and a closing bracket"),
                Some(other) => {
                    self.at += 1;
                    set.extend(other.to_lowercase());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> Contact {
        let attributes = [("firstName", "Ann"), ("state", "CA"), ("other1", "it's 5%")];
        Contact {
            external_id: "C-17".to_owned(),
            attributes: attributes
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Contact::default()
        }
    }

    #[test]
    fn filters_match_as_they_read() {
        for (text, matches) in [
            ("firstName Like 'ann'", true),
            ("FIRSTNAME like 'A%'", true),
            ("firstName Like 'A_n'", true),
            ("firstName Like 'A'", false),
            ("firstName Not Like '%z%'", true),
            ("state Like '[cn]a'", true),
            ("state Like '[^cn]a'", false),
            ("other1 Like 'it''s%'", true),
            ("clientId Like 'c-1[67]'", true),
            ("missing Like ''", true),
            ("missing Like '_%'", false),
            (
                "state Like 'NY' Or firstName Like 'Ann' And state Like 'CA'",
                true,
            ),
            (
                "(state Like 'NY' Or firstName Like 'Ann') And state Like 'NY'",
                false,
            ),
            ("firstName Like '%n%n'", true),
            ("firstName Like '%%%'", true),
        ] {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.matches(&contact()), matches, "{text}");
        }
    }

    #[test]
    fn bad_filters_are_told() {
        let deep = "(".repeat(100);
        for text in [
            "",
            "firstName",
            "firstName Like",
            "firstName Like ann",
            "firstName Like 'ann",
            "firstName Is 'ann'",
            "(firstName Like 'a'",
            "firstName Like 'a' state Like 'b'",
            "firstName Like '[ab'",
            "firstName Like '[]'",
            "And",
            &deep,
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
