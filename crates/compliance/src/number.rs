//! Phone numbers and e-mail addresses as they are kept: `+` and digits; one `@` and a domain in small letters
//! (`api.md` 1.9). What cannot be read is none; nothing is guessed.

use crate::limits::{
    DOMAIN_LABEL_BYTES_MAX, EMAIL_BYTES_MAX, EMAIL_LOCAL_BYTES_MAX, PHONE_TEXT_BYTES_MAX,
};
use carillon_model::LineType;
use carillon_model::contact::DeviceKey;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberType, Region as Country,
};

/// A phone number that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Phone {
    /// `+` and digits: how it is kept, answered and dialled.
    pub e164: String,
    number: PhoneNumber,
}

impl Phone {
    /// Kind of line by the numbering plan; plans that do not tell give Unknown.
    pub fn line_type(&self) -> LineType {
        match self.number.get_type() {
            PhoneNumberType::FixedLine => LineType::Landline,
            PhoneNumberType::Mobile | PhoneNumberType::Pager => LineType::Wireless,
            _ => LineType::Unknown,
        }
    }

    /// ISO 3166-1 code of its country; none for numbers that belong to no country.
    pub fn country(&self) -> Option<String> {
        self.number
            .get_region_code()
            .map(|country| country.to_string())
    }

    /// Whether the numbering plan gives such numbers to fixed lines, and whether to mobiles.
    pub(crate) fn kinds(&self) -> (bool, bool) {
        match self.number.get_type() {
            PhoneNumberType::FixedLine => (true, false),
            PhoneNumberType::Mobile => (false, true),
            PhoneNumberType::FixedLineOrMobile => (true, true),
            _ => (false, false),
        }
    }

    /// Its key.
    pub fn key(&self) -> DeviceKey {
        DeviceKey::of(&self.e164)
    }
}

/// Reads a phone number: `+` and country code is taken as it is, anything else relative to `country` (ISO 3166-1).
/// It has to be long enough to be dialled from abroad. An extension is refused: it has no place in what is kept.
pub fn read_phone(text: &str, country: &str) -> Option<Phone> {
    let text = text.trim();
    if text.len() > PHONE_TEXT_BYTES_MAX || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let country = country.parse::<Country>().ok();
    let number = PHONE_NUMBER_UTIL.parse(text, country).ok()?;
    if !number.extension().is_empty() {
        return None;
    }
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
        Ok(NumberLengthType::IsPossible) => {}
        Ok(_) | Err(_) => return None,
    }
    let e164 = PHONE_NUMBER_UTIL
        .format(&number, rlibphonenumber::PhoneNumberFormat::E164)
        .into_owned();
    Some(Phone { e164, number })
}

/// Kind of line of a number, by its numbering plan.
pub fn line_type(phone: &Phone) -> LineType {
    phone.line_type()
}

/// Reads an e-mail address: one `@`, a domain of proper labels, which is lower-cased.
pub fn read_email(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > EMAIL_BYTES_MAX {
        return None;
    }
    let (local, domain) = text.split_once('@')?;
    let local_is_proper = !local.is_empty()
        && local.len() <= EMAIL_LOCAL_BYTES_MAX
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(is_address_character);
    let domain = domain.to_lowercase();
    let domain_is_proper = domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= DOMAIN_LABEL_BYTES_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '-')
    });
    (local_is_proper && domain_is_proper).then(|| format!("{local}@{domain}"))
}

/// Quoted local parts are legal and unused; without quotes these characters would end an address or a header.
fn is_address_character(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !"()<>[]:;@\\,\"".contains(character)
}

/// The key of a normalised address. E-mail addresses are compared without case, so their key is that of the address
/// in small letters; phones are their digits.
pub fn device_key(address: &str) -> DeviceKey {
    if address.starts_with('+') || !address.chars().any(char::is_uppercase) {
        DeviceKey::of(address)
    } else {
        DeviceKey::of(&address.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_read_relative_to_the_country() {
        for (text, country, e164) in [
            ("20 7267 3113", "GB", "+442072673113"),
            ("+44 20 7267 3113", "US", "+442072673113"),
            ("(207) 555-0111", "US", "+12075550111"),
            ("1 207 555 0111", "US", "+12075550111"),
            ("+1 207 555 0111", "FR", "+12075550111"),
            ("011 33 1 42 68 53 00", "US", "+33142685300"),
            ("01 42 68 53 00", "FR", "+33142685300"),
            ("+39 06 6982 1234", "US", "+390669821234"),
            ("  +61 491 570 156 ", "US", "+61491570156"),
        ] {
            let phone = read_phone(text, country).unwrap_or_else(|| panic!("{text} is readable"));
            assert_eq!(phone.e164, e164, "{text}");
            assert_eq!(phone.key().0.to_string(), e164[1..], "{text}");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_not_read() {
        let long = "1".repeat(10_000);
        for (text, country) in [
            ("", "US"),
            ("hello", "US"),
            ("555-0111", "US"),
            ("+1 207 555 011", "US"),
            ("+1 207 555 01111", "US"),
            ("207 555 0111 ext. 7", "US"),
            ("+999 12345678", "US"),
            ("20 7267 3113", "ZZ"),
            ("12", "DE"),
            (long.as_str(), "US"),
            ("ann@example.org", "US"),
        ] {
            assert_eq!(read_phone(text, country), None, "{text}");
        }
    }

    #[test]
    fn lines_are_told_where_the_plan_tells() {
        for (text, line) in [
            ("+442072673113", LineType::Landline),
            ("+447400123456", LineType::Wireless),
            ("+12075550111", LineType::Unknown),
        ] {
            let phone = read_phone(text, "US").expect("readable");
            assert_eq!(line_type(&phone), line, "{text}");
        }
    }

    #[test]
    fn addresses_are_read() {
        for (text, read) in [
            ("Ann.Lee@Example.ORG", Some("Ann.Lee@example.org")),
            (" a+tag@b.co ", Some("a+tag@b.co")),
            ("ann@bücher.example", Some("ann@bücher.example")),
            ("ann", None),
            ("ann@", None),
            ("@example.org", None),
            ("ann@@example.org", None),
            ("ann@exam@ple.org", None),
            ("ann@example..org", None),
            ("ann@-example.org", None),
            ("an n@example.org", None),
            ("ann\r\nBcc: x@example.org", None),
            ("\"ann\"@example.org", None),
            ("<ann@example.org>", None),
        ] {
            assert_eq!(read_email(text).as_deref(), read, "{text}");
        }
        assert_eq!(read_email(&format!("{}@example.org", "a".repeat(65))), None);
        assert_eq!(device_key("Ann@example.org"), device_key("ann@example.org"));
    }
}
