//! Places as short values, and the regions that rules name (`entities.md` 4.8): `*`, `US`, `US-CA`, `US:021`.
//!
//! A [`Place`] is a country with its state and postal code where they are known. It is small, ordered and copied, since
//! it is part of the key of every lane.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Up to N ASCII letters and digits in place, padded with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Code<const N: usize>([u8; N]);

impl<const N: usize> Code<N> {
    const EMPTY: Self = Self([0; N]);

    /// The letters and digits of `text` in capitals; what is longer is cut.
    fn of(text: &str) -> Self {
        let mut code = [0; N];
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        for (place, letter) in code.iter_mut().zip(letters) {
            *place = letter.to_ascii_uppercase();
        }
        Self(code)
    }

    fn text(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(N);
        std::str::from_utf8(&self.0[..length]).expect("holds ASCII only")
    }

    fn is_empty(&self) -> bool {
        self.0[0] == 0
    }

    fn cut(mut self, length: usize) -> Self {
        self.0.iter_mut().skip(length).for_each(|byte| *byte = 0);
        self
    }
}

/// Letters of a postal code that are kept: more than any country has.
const POSTAL_LETTERS_MAX: usize = 10;

/// A country, with a state and a postal code where they are known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    country: Code<2>,
    state: Code<3>,
    postal: Code<POSTAL_LETTERS_MAX>,
}

impl Place {
    /// Nowhere: only `*` holds it.
    pub const UNKNOWN: Place = Place {
        country: Code::EMPTY,
        state: Code::EMPTY,
        postal: Code::EMPTY,
    };

    /// A whole country, by its ISO 3166-1 code.
    pub fn country(code: &str) -> Option<Place> {
        let proper = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        proper.then(|| Place {
            country: Code::of(code),
            state: Code::EMPTY,
            postal: Code::EMPTY,
        })
    }

    /// The same country with a state: the part of the ISO 3166-2 code after the hyphen.
    #[must_use]
    pub fn with_state(mut self, state: &str) -> Place {
        self.state = Code::of(state);
        self
    }

    /// The same place with a postal code; blanks and hyphens do not count.
    #[must_use]
    pub fn with_postal(mut self, postal: &str) -> Place {
        self.postal = Code::of(postal);
        self
    }

    /// ISO 3166-1 code.
    pub fn country_code(&self) -> &str {
        self.country.text()
    }

    /// State, as in ISO 3166-2 after the hyphen; empty when unknown.
    pub fn state_code(&self) -> &str {
        self.state.text()
    }

    /// Postal code in capitals without blanks; empty when unknown.
    pub fn postal_code(&self) -> &str {
        self.postal.text()
    }

    /// Whether `other` is the same place, told more finely.
    pub fn knows_less_than(&self, other: &Place) -> bool {
        self != other
            && self.country == other.country
            && (self.state.is_empty() || self.state == other.state)
            && (self.postal.is_empty() || self.postal == other.postal)
    }

    /// The place as far as `fineness` tells places apart.
    #[must_use]
    pub fn at(mut self, fineness: Fineness) -> Place {
        if fineness < Fineness::State {
            self.state = Code::EMPTY;
        }
        self.postal = match fineness {
            Fineness::Postal(letters) => self.postal.cut(usize::from(letters)),
            Fineness::Country | Fineness::State => Code::EMPTY,
        };
        self
    }
}

/// How finely the rules in force tell the places of a country apart.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Fineness {
    /// By country.
    #[default]
    Country,
    /// By state.
    State,
    /// By so many letters of the postal code, and by state.
    Postal(u8),
}

/// `US`, `US-CA`, `US-CA:90210` or `US:90210`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.country.text())?;
        if !self.state.is_empty() {
            write!(formatter, "-{}", self.state.text())?;
        }
        if !self.postal.is_empty() {
            write!(formatter, ":{}", self.postal.text())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl std::str::FromStr for Place {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = || Unreadable(text.chars().take(32).collect());
        let (area, postal) = match text.split_once(':') {
            Some((_, "")) => return Err(unreadable()),
            Some((area, postal)) => (area, postal),
            None => (text, ""),
        };
        let (country, state) = match area.split_once('-') {
            Some((_, "")) => return Err(unreadable()),
            Some((country, state)) => (country, state),
            None => (area, ""),
        };
        let short_state =
            state.len() <= 3 && state.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let proper_postal = postal
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-');
        let letters = postal.bytes().filter(u8::is_ascii_alphanumeric).count();
        let postal_is_empty = !postal.is_empty() && letters == 0;
        if !short_state || !proper_postal || letters > POSTAL_LETTERS_MAX || postal_is_empty {
            return Err(unreadable());
        }
        let place = Place::country(country).ok_or_else(unreadable)?;
        Ok(place.with_state(state).with_postal(postal))
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that names no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no region: use *, US, US-CA or US:021")]
pub struct Unreadable(String);

/// The region of a rule's element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// `*`.
    Everywhere,
    /// `US`, `US-CA` or `US:021`.
    Of(Place),
}

impl Region {
    /// Reads what an element says; an element that says nothing means everywhere.
    pub fn read(text: Option<&str>) -> Result<Region, Unreadable> {
        let Some(text) = text.map(str::trim).filter(|text| *text != "*") else {
            return Ok(Region::Everywhere);
        };
        let place: Place = text.parse()?;
        if place.state.is_empty() || place.postal.is_empty() {
            Ok(Region::Of(place))
        } else {
            Err(Unreadable(text.chars().take(32).collect()))
        }
    }

    /// How specific it is: `*`, then country, then state, then postal code, a longer one more than a shorter one.
    pub fn rank(&self) -> usize {
        match self {
            Region::Everywhere => 0,
            Region::Of(place) if !place.postal.is_empty() => 2 + place.postal.text().len(),
            Region::Of(place) if !place.state.is_empty() => 2,
            Region::Of(_) => 1,
        }
    }

    /// Whether the place lies in it.
    pub fn holds(&self, place: &Place) -> bool {
        let Region::Of(own) = self else {
            return true;
        };
        own.country == place.country
            && (own.state.is_empty() || own.state == place.state)
            && place.postal.text().starts_with(own.postal.text())
    }

    /// The country it lies in, and how finely it tells that country's places apart.
    pub fn fineness(&self) -> Option<(Place, Fineness)> {
        let Region::Of(place) = self else {
            return None;
        };
        let fineness = if !place.postal.is_empty() {
            Fineness::Postal(place.postal.text().len() as u8)
        } else if !place.state.is_empty() {
            Fineness::State
        } else {
            Fineness::Country
        };
        Some((place.at(Fineness::Country), fineness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        Region::read(Some(text)).expect(text)
    }

    #[test]
    fn regions_hold_their_places() {
        let boston: Place = "US-MA:02134".parse().expect("a place");
        for (text, holds, rank) in [
            ("*", true, 0),
            ("US", true, 1),
            ("US-MA", true, 2),
            ("US:021", true, 5),
            ("us:02134", true, 7),
            ("US:022", false, 5),
            ("US-CA", false, 2),
            ("GB", false, 1),
        ] {
            assert_eq!(region(text).holds(&boston), holds, "{text}");
            assert_eq!(region(text).rank(), rank, "{text}");
        }
        let somewhere: Place = "US".parse().expect("a place");
        assert!(
            !region("US-MA").holds(&somewhere),
            "an unknown state is in none"
        );
        assert!(!region("US:021").holds(&somewhere));
    }

    #[test]
    fn unreadable_regions_are_told() {
        for bad in [
            "",
            "U",
            "USA",
            "US-",
            "US:",
            "US-MASS",
            "US: -",
            "US-MA:021",
            "US:0213_",
            "US:12345678901",
            "ÄÖ",
        ] {
            assert!(Region::read(Some(bad)).is_err(), "{bad}");
        }
        assert_eq!(Region::read(None), Ok(Region::Everywhere));
    }

    #[test]
    fn places_are_cut_to_a_fineness() {
        let place: Place = "US-MA:02134".parse().expect("a place");
        assert_eq!(place.at(Fineness::Country).to_string(), "US");
        assert_eq!(place.at(Fineness::State).to_string(), "US-MA");
        assert_eq!(place.at(Fineness::Postal(3)).to_string(), "US-MA:021");
    }
}
