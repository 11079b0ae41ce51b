//! What the columns of a file mean (`api.md` 4.8): the known names, and everything else as an attribute of its name.

use crate::normalise::device_number;
use carillon_model::DeviceType;
use carillon_model::contact::known_name;
use carillon_model::limits::NAME_CHARACTERS_MAX;

/// The meaning of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// ClientID.
    ClientId,
    /// NameFirstLast or NameLastFirst.
    FullName(NameOrder),
    /// Phone, HomePhone, WorkPhone, CellPhone, Email: takes a free device number.
    Device(DeviceType),
    /// Device1 … Device9: phone or e-mail address, by its form.
    NumberedDevice(u8),
    /// An attribute, by the name under which it is kept.
    Attribute(String),
}

/// How the parts of a full name stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOrder {
    FirstLast,
    LastFirst,
}

impl Target {
    /// The meaning of a name. A name no attribute may have is bent into one that it may have.
    pub fn of(name: &str) -> Self {
        const FIXED: [(&str, Target); 8] = [
            ("ClientID", Target::ClientId),
            ("NameFirstLast", Target::FullName(NameOrder::FirstLast)),
            ("NameLastFirst", Target::FullName(NameOrder::LastFirst)),
            ("Phone", Target::Device(DeviceType::Mobile)),
            ("CellPhone", Target::Device(DeviceType::Mobile)),
            ("HomePhone", Target::Device(DeviceType::Home)),
            ("WorkPhone", Target::Device(DeviceType::Work)),
            ("Email", Target::Device(DeviceType::Email)),
        ];
        if let Some((_, target)) = FIXED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            return target.clone();
        }
        match device_number(name) {
            Some(number) => Target::NumberedDevice(number),
            None => Target::Attribute(attribute_of(name)),
        }
    }
}

fn attribute_of(name: &str) -> String {
    if let Some(known) = known_name(name) {
        return known.to_owned();
    }
    let bend = |character: char| match character {
        '.' | '_' | '-' => character,
        letter if letter.is_alphanumeric() => letter,
        _ => '_',
    };
    name.chars().take(NAME_CHARACTERS_MAX).map(bend).collect()
}

impl NameOrder {
    /// Splits a full name into first and last name: at the last blank, or at the first blank or comma. What cannot be
    /// split is the first of the two.
    pub fn split(self, name: &str) -> (&str, &str) {
        let name = name.trim();
        match self {
            Self::FirstLast => match name.rsplit_once(char::is_whitespace) {
                Some((first, last)) => (first.trim(), last.trim()),
                None => (name, ""),
            },
            Self::LastFirst => {
                let is_separator = |character: char| character.is_whitespace() || character == ',';
                match name.split_once(is_separator) {
                    Some((last, first)) => (first.trim_start_matches(is_separator), last),
                    None => ("", name),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_meanings() {
        for (name, target) in [
            ("clientid", Target::ClientId),
            ("PHONE", Target::Device(DeviceType::Mobile)),
            ("homephone", Target::Device(DeviceType::Home)),
            ("device9", Target::NumberedDevice(9)),
            ("Device10", Target::Attribute("Device10".to_owned())),
            ("FirstName", Target::Attribute("firstName".to_owned())),
            ("OTHER20", Target::Attribute("other20".to_owned())),
            (
                "Account Number",
                Target::Attribute("Account_Number".to_owned()),
            ),
        ] {
            assert_eq!(Target::of(name), target, "{name}");
        }
    }

    #[test]
    fn names_are_split() {
        for (order, name, first, last) in [
            (NameOrder::FirstLast, "Ann Marie  Lee", "Ann Marie", "Lee"),
            (NameOrder::FirstLast, "Cher", "Cher", ""),
            (NameOrder::LastFirst, "Lee, Ann Marie", "Ann Marie", "Lee"),
            (NameOrder::LastFirst, "Lee Ann", "Ann", "Lee"),
            (NameOrder::LastFirst, "Lee", "", "Lee"),
            (NameOrder::FirstLast, " ", "", ""),
        ] {
            assert_eq!(order.split(name), (first, last), "{name}");
        }
    }
}
