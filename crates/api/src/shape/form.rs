//! The text forms of scalar types (`api.md` 1.8, 1.9): whether a text has the form of its type, and what it means.

use super::Type;
use crate::fault::Row;
use carillon_model::name;
use carillon_model::zone::Zone;
use carillon_model::{ChannelType, Moment, limits};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// What is wrong with a text.
pub type Wrong = (Row, &'static str);

/// Longest device address that is looked at, in characters.
const ADDRESS_CHARACTERS_MAX: usize = 320;
/// Longest pattern of a sample, in characters.
const PATTERN_CHARACTERS_MAX: usize = 255;

/// Checks the form of a text. `sample` takes names and texts as patterns.
pub fn check(ty: &Type, text: &str, sample: bool) -> Option<Wrong> {
    match ty {
        Type::Id => internal_id(text)
            .is_none()
            .then_some((Row::F, "internalId is 1 to 19 digits")),
        Type::Name if sample => too_long(text, PATTERN_CHARACTERS_MAX),
        Type::Name => check_name(text),
        Type::Text(max) => too_long(text, *max).or_else(|| controls(text, false)),
        Type::Lines(max) => too_long(text, *max).or_else(|| controls(text, true)),
        Type::Raw | Type::Entity(_) | Type::OneOf(_) | Type::Attributes => None,
        Type::Integer(min, max) => check_integer(text, *min, *max),
        Type::Minutes(max) => check_minutes(text, *max),
        Type::Boolean => boolean(text)
            .is_none()
            .then_some((Row::F, "true or false is expected")),
        Type::Rate => match double(text) {
            None => Some((Row::F, "a number is expected")),
            Some(rate) if rate <= 0.0 || rate > 1e9 => Some((Row::DV, "the rate must be above 0")),
            Some(_) => None,
        },
        Type::Double => double(text)
            .is_none()
            .then_some((Row::F, "a number is expected")),
        Type::Date => date(text)
            .is_none()
            .then_some((Row::F, "a date is YYYY-MM-DD")),
        Type::Time => time(text)
            .is_none()
            .then_some((Row::F, "a time is HH:MM or HH:MM:SS")),
        Type::DateTime => civil(text).is_none().then_some((
            Row::F,
            "a dateTime is YYYY-MM-DDTHH:MM:SS with or without offset",
        )),
        Type::Zone => zone(text),
        Type::ZoneOrLocal if text.trim().eq_ignore_ascii_case("Local") => None,
        Type::ZoneOrLocal => zone(text),
        Type::Phone => (!may_be_phone(text)).then_some((Row::F, "a phone number is expected")),
        Type::Address => too_long(text, ADDRESS_CHARACTERS_MAX),
        Type::Device | Type::Login if sample && text.contains('*') => None,
        Type::Device | Type::Login => too_long(text, ADDRESS_CHARACTERS_MAX).or_else(|| {
            (!may_be_phone(text) && !may_be_email(text))
                .then_some((Row::F, "an e-mail address or a phone number is expected"))
        }),
        Type::Words(words) => (!words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(text.trim())))
        .then_some((Row::DV, "not one of the words allowed here")),
        Type::Channel => ChannelType::parse_wire(text.trim()).is_none().then_some((
            Row::DV,
            "not a channel: 1 voice, 2 email, 3 text, 4 dialer, 5 preview, 6 manual, 7 web",
        )),
        Type::Bytes => (!may_be_base64(text)).then_some((Row::F, "base64 is expected")),
    }
}

fn too_long(text: &str, max: usize) -> Option<Wrong> {
    (text.len() > max && text.chars().count() > max).then_some((Row::SV, "too many characters"))
}

fn controls(text: &str, lines: bool) -> Option<Wrong> {
    text.chars()
        .any(|letter| letter.is_control() && !(lines && matches!(letter, '\n' | '\r')))
        .then_some((Row::C, "control characters"))
}

fn check_name(text: &str) -> Option<Wrong> {
    let plain = text.is_ascii();
    let tidy = if plain {
        text.trim().to_owned()
    } else {
        name::tidy(text)
    };
    too_long(&tidy, limits::NAME_CHARACTERS_MAX).or_else(|| {
        name::has_forbidden_character(&tidy)
            .then_some((Row::C, "characters that names may not have"))
    })
}

fn check_integer(text: &str, min: i64, max: i64) -> Option<Wrong> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((Row::F, "a whole number is expected"));
    }
    match integer(text) {
        Some(number) if (min..=max).contains(&number) => None,
        _ => Some((Row::DV, "the number is out of bounds")),
    }
}

fn check_minutes(text: &str, max: i64) -> Option<Wrong> {
    match minutes(text) {
        None => Some((
            Row::F,
            "whole minutes, or an xsd:duration of whole minutes, are expected",
        )),
        Some(minutes) if minutes < 1 => Some((Row::DV, "at least 1 minute")),
        Some(minutes) if minutes > max => Some((Row::SV, "more minutes than the limit")),
        Some(_) => None,
    }
}

fn zone(text: &str) -> Option<Wrong> {
    Zone::named(text.trim())
        .is_none()
        .then_some((Row::F, "an IANA time zone is expected"))
}

/// Whether a text may be a phone number; whether it is one depends on the country.
pub fn may_be_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (3..=20).contains(&digits)
        && text.chars().all(|letter| {
            letter.is_ascii_digit()
                || matches!(letter, ' ' | '+' | '-' | '(' | ')' | '.' | '/' | '\u{a0}')
        })
}

/// Whether a text may be an e-mail address: one `@` with something on both sides, no blanks.
pub fn may_be_email(text: &str) -> bool {
    let trimmed = text.trim();
    let mut sides = trimmed.split('@');
    let (Some(local), Some(domain), None) = (sides.next(), sides.next(), sides.next()) else {
        return false;
    };
    !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && trimmed
            .chars()
            .all(|letter| !letter.is_whitespace() && !letter.is_control())
}

fn may_be_base64(text: &str) -> bool {
    let mut count = 0usize;
    let mut padding = 0usize;
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => count += 1,
            _ => return false,
        }
    }
    padding <= 2 && (count + padding).is_multiple_of(4)
}

/// The bytes of a base64 text; blanks are skipped.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    match engine.decode(text.trim()) {
        Ok(bytes) => Some(bytes),
        Err(_) => {
            let dense: String = text
                .chars()
                .filter(|letter| !letter.is_ascii_whitespace())
                .collect();
            engine.decode(dense).ok()
        }
    }
}

/// The digits of an internalId.
pub fn internal_id(text: &str) -> Option<i64> {
    carillon_model::parse_digits(text.trim())
}

/// A whole number.
pub fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A finite number.
pub fn double(text: &str) -> Option<f64> {
    text.trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
}

/// true, false, 1 or 0.
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        other if other.eq_ignore_ascii_case("true") => Some(true),
        other if other.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Whole minutes, or an xsd:duration of whole minutes (`PT2H`, `P1DT30M`).
pub fn minutes(text: &str) -> Option<i64> {
    let trimmed = text.trim();
    if let Ok(minutes) = trimmed.parse::<i64>() {
        return Some(minutes);
    }
    let rest = trimmed.strip_prefix('P')?;
    let (days, clock) = rest.split_once('T').unwrap_or((rest, ""));
    let mut seconds = 0i64;
    for (text, units) in [
        (days, &[('D', 86_400)][..]),
        (clock, &[('H', 3_600), ('M', 60), ('S', 1)][..]),
    ] {
        let mut number = String::new();
        for letter in text.chars() {
            if letter.is_ascii_digit() {
                number.push(letter);
            } else {
                let (_, factor) = units.iter().find(|(unit, _)| *unit == letter)?;
                seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(*factor)?)?;
                number.clear();
            }
        }
        if !number.is_empty() {
            return None;
        }
    }
    let says_something = rest.chars().any(|letter| letter.is_ascii_digit());
    (says_something && seconds % 60 == 0).then_some(seconds / 60)
}

/// A civil date; a dateTime is accepted for it and gives its day.
pub fn date(text: &str) -> Option<Date> {
    civil(text).map(|(civil, _)| civil.date())
}

fn plain_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (
        digits(&text[0..4])?,
        digits(&text[5..7])?,
        digits(&text[8..10])?,
    );
    if !(1970..=9999).contains(&year) {
        return None;
    }
    Date::new(year as i16, month as i8, day as i8).ok()
}

fn digits(text: &str) -> Option<i32> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// `HH:MM` or `HH:MM:SS`; `24:00` is no time of day.
pub fn time(text: &str) -> Option<Time> {
    let mut pieces = text.trim().split(':');
    let (hour, minute) = (pieces.next()?, pieces.next()?);
    let second = pieces.next().unwrap_or("00");
    if pieces.next().is_some() || [hour, minute, second].iter().any(|piece| piece.len() != 2) {
        return None;
    }
    Time::new(
        digits(hour)? as i8,
        digits(minute)? as i8,
        digits(second)? as i8,
        0,
    )
    .ok()
}

/// A dateTime with its offset in seconds, if it has one.
fn civil(text: &str) -> Option<(DateTime, Option<i32>)> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let day = plain_date(text.get(..10)?)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else {
        return Some((day.to_datetime(Time::midnight()), None));
    };
    // xsd:date may carry a zone too.
    let Some(rest) = rest.strip_prefix('T') else {
        return Some((day.to_datetime(Time::midnight()), Some(offset(rest)?)));
    };
    let clock_end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(clock_end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.len() > 9 || clock.len() != 8 {
        return None;
    }
    let nanoseconds = digits(fraction)? as i64 * 10i64.pow(9 - fraction.len() as u32);
    let time = time(clock)?
        .with()
        .subsec_nanosecond(nanoseconds as i32)
        .build()
        .ok()?;
    let offset = if zone.is_empty() {
        None
    } else {
        Some(offset(zone)?)
    };
    Some((day.to_datetime(time), offset))
}

fn offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Which of two instants a local time means that a clock change makes occur twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The first.
    Start,
    /// The last.
    End,
}

/// The moment of a dateTime; one without offset is read in `zone`.
pub fn moment(text: &str, zone: &TimeZone, bound: Bound) -> Option<Moment> {
    let (civil, offset) = civil(text)?;
    if let Some(offset) = offset {
        let offset = jiff::tz::Offset::from_seconds(offset).ok()?;
        return offset.to_timestamp(civil).ok().map(Moment::from);
    }
    Some(local(civil, zone, bound))
}

/// The moment of a local time: in a gap, the first instant after it.
pub fn local(civil: DateTime, zone: &TimeZone, bound: Bound) -> Moment {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let timestamp = match (ambiguous.offset(), bound) {
        (AmbiguousOffset::Unambiguous { offset }, _) => offset.to_timestamp(civil),
        (AmbiguousOffset::Fold { before, .. }, Bound::Start) => before.to_timestamp(civil),
        (AmbiguousOffset::Fold { after, .. }, Bound::End) => after.to_timestamp(civil),
        (AmbiguousOffset::Gap { before, .. }, _) => before.to_timestamp(civil).map(|late| {
            zone.preceding(late)
                .next()
                .map_or(late, |transition| transition.timestamp())
        }),
    };
    timestamp.map_or(Moment::NEVER, Moment::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_are_read_as_the_surviving_client_writes_them() {
        let zone = Zone::named("America/New_York").expect("known").time_zone();
        for (text, wire) in [
            (
                "2026-11-01T00:00:00.0000000-04:00",
                "2026-11-01T04:00:00.000Z",
            ),
            ("2026-12-01T00:00:00", "2026-12-01T05:00:00.000Z"),
            ("2026-12-01", "2026-12-01T05:00:00.000Z"),
            ("2026-12-01Z", "2026-12-01T00:00:00.000Z"),
            (" 2026-12-01T00:00:00.5Z ", "2026-12-01T00:00:00.500Z"),
            // Skipped by the clock change: the first instant after the gap.
            ("2026-03-08T02:30:00", "2026-03-08T07:00:00.000Z"),
            // Twice: the first for starts.
            ("2026-11-01T01:30:00", "2026-11-01T05:30:00.000Z"),
        ] {
            assert_eq!(
                moment(text, zone, Bound::Start)
                    .map(Moment::wire)
                    .as_deref(),
                Some(wire),
                "{text}"
            );
        }
        let end = moment("2026-11-01T01:30:00", zone, Bound::End).map(Moment::wire);
        assert_eq!(end.as_deref(), Some("2026-11-01T06:30:00.000Z"));
        for bad in [
            "soon",
            "2026-13-40",
            "2026-11-01T25:00:00Z",
            "2026-11-01T00:00",
            "1969-01-01",
            "2026-11-01T00:00:00+15:00",
            "2026-11-01é",
        ] {
            assert_eq!(moment(bad, zone, Bound::Start), None, "{bad}");
        }
    }

    #[test]
    fn minutes_are_numbers_or_durations() {
        for (text, expected) in [
            ("120", Some(120)),
            ("PT2H", Some(120)),
            ("P1DT30M", Some(1_470)),
            ("PT90S", None),
            ("PT120S", Some(2)),
            ("P", None),
            ("soon", None),
            ("PT", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    #[test]
    fn base64_may_hold_line_ends() {
        assert_eq!(bytes("aGVs\r\nbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(
            check(&Type::Bytes, "aGVsbG8", false),
            Some((Row::F, "base64 is expected"))
        );
    }

    #[test]
    fn forms_have_rows() {
        for (ty, text, row) in [
            (Type::Name, "A<B", Some(Row::C)),
            (Type::Name, "  fine  ", None),
            (Type::Integer(1, 10), "11", Some(Row::DV)),
            (Type::Integer(1, 10), "x", Some(Row::F)),
            (Type::Integer(1, 10), "99999999999999999999", Some(Row::DV)),
            (Type::Minutes(720), "721", Some(Row::SV)),
            (Type::Minutes(720), "0", Some(Row::DV)),
            (Type::Channel, "9", Some(Row::DV)),
            (Type::Channel, "Text", None),
            (Type::Zone, "Mars/Olympus", Some(Row::F)),
            (Type::Rate, "0", Some(Row::DV)),
            (Type::Device, "12ab", Some(Row::F)),
            (Type::Device, "+44 20 7267 3113", None),
        ] {
            assert_eq!(check(&ty, text, false).map(|(row, _)| row), row, "{text}");
        }
        let long = "x".repeat(65);
        assert_eq!(
            check(&Type::Name, &long, false).map(|(row, _)| row),
            Some(Row::SV)
        );
        let wide = "é".repeat(64);
        assert_eq!(
            check(&Type::Name, &wide, false),
            None,
            "characters are counted, not bytes"
        );
    }
}
