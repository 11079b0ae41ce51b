//! The text of a number as a person sees it in its cell: no `.0` behind whole numbers, days and times as ISO writes
//! them, and the leading zeros of a postal code. Signs of money and percent are left to the reader of the number.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// The last day Excel knows, 9999-12-31.
const DAYS_MAX: i64 = 2_958_465;
/// Days from 1899-12-30 to the beginning of counting from 1904.
const DAYS_1904: i64 = 1_462;
const SECONDS_A_DAY: f64 = 86_400.0;
/// Digits of a pattern that are worth keeping.
const PATTERN_CHARACTERS_MAX: usize = 32;

/// How a number is shown, as far as it is told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// As the number it is.
    General,
    /// A pattern of zeros, as of postal codes: `00000`, `000-00-0000`.
    Digits(Box<str>),
    /// A day, a time of day, or both.
    Moment { day: bool, time: bool },
    /// A time that counts on over 24 hours.
    Elapsed,
}

impl Format {
    /// The formats that have no code in the file.
    pub fn built_in(id: u32) -> Self {
        let (day, time) = match id {
            14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => (true, false),
            18..=21 | 32..=35 | 45 | 47 | 55 | 56 => (false, true),
            22 => (true, true),
            46 => return Self::Elapsed,
            _ => return Self::General,
        };
        Self::Moment { day, time }
    }

    /// The format of a code; only its first section counts, which is that of positive numbers.
    pub fn of(code: &str) -> Self {
        let mut plain = String::new();
        let mut characters = code.chars();
        while let Some(character) = characters.next() {
            match character {
                ';' => break,
                '"' => plain.extend(
                    characters
                        .by_ref()
                        .take_while(|next| *next != '"')
                        .map(mask),
                ),
                '\\' => plain.extend(characters.next().map(mask)),
                '_' | '*' => drop(characters.next()),
                '[' => {
                    let word: String = characters
                        .by_ref()
                        .take_while(|next| *next != ']')
                        .collect();
                    let word = word.to_ascii_lowercase();
                    let is_elapsed = |unit: char| word.chars().all(|other| other == unit);
                    if !word.is_empty() && ['h', 'm', 's'].into_iter().any(is_elapsed) {
                        return Self::Elapsed;
                    }
                }
                other => plain.push(other.to_ascii_lowercase()),
            }
        }
        if plain.contains("general") {
            return Self::General;
        }
        let time = plain.contains(['h', 's']);
        let day = plain.contains(['y', 'd']) || (plain.contains('m') && !time);
        let is_pattern = |character: char| matches!(character, '0' | '-' | ' ' | '/' | '\u{1}');
        let zeros = plain.matches('0').count();
        if day || time {
            Self::Moment { day, time }
        } else if zeros > 1
            && plain.len() <= PATTERN_CHARACTERS_MAX
            && plain.chars().all(is_pattern)
        {
            Self::Digits(plain.replace('\u{1}', "-").into())
        } else {
            Self::General
        }
    }

    /// The text of a number in this format.
    pub fn text(&self, raw: &str, is_1904: bool) -> String {
        let raw = raw.trim();
        let Some(value) = raw.parse::<f64>().ok().filter(|value| value.is_finite()) else {
            return raw.to_owned();
        };
        let special = match self {
            Self::General => None,
            Self::Digits(pattern) => digits(raw, value, pattern),
            Self::Moment { day, time } => moment(value, *day, *time, is_1904),
            Self::Elapsed => elapsed(value),
        };
        special.unwrap_or_else(|| number(raw, value))
    }
}

/// Literal text counts as such only where it joins digits.
fn mask(character: char) -> char {
    match character {
        ' ' | '/' => character,
        '-' => '\u{1}',
        _ => '\u{2}',
    }
}

/// Excel shows 15 digits; what it stores has 17, the last of them noise. Whole numbers that are stored digit by digit
/// keep them all.
fn number(raw: &str, value: f64) -> String {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return raw.to_owned();
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    if rounded == 0.0 {
        return "0".to_owned();
    }
    match rounded.abs() {
        size if (1e-9..1e21).contains(&size) => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

/// Puts the digits into the pattern, from the right.
fn digits(raw: &str, value: f64, pattern: &str) -> Option<String> {
    let whole = number(raw, value);
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut left = whole.chars().rev();
    let mut reversed: Vec<char> = pattern
        .chars()
        .rev()
        .map(|place| match place {
            '0' => left.next().unwrap_or('0'),
            other => other,
        })
        .collect();
    reversed.extend(left);
    Some(reversed.into_iter().rev().collect())
}

fn moment(value: f64, with_day: bool, with_time: bool, is_1904: bool) -> Option<String> {
    let seconds = (value * SECONDS_A_DAY).round();
    if !(0.0..=((DAYS_MAX + 1) as f64 * SECONDS_A_DAY)).contains(&seconds) {
        return None;
    }
    let seconds = seconds as i64;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let time = clock(second);
    if !with_day {
        return Some(time);
    }
    let day = day(days, is_1904)?;
    Some(match with_time {
        true => format!("{day} {time}"),
        false => day.to_string(),
    })
}

fn elapsed(value: f64) -> Option<String> {
    let seconds = (value * SECONDS_A_DAY).round();
    let is_known = (0.0..=(DAYS_MAX as f64 * SECONDS_A_DAY)).contains(&seconds);
    is_known.then(|| clock(seconds as i64))
}

/// Hours and minutes, and seconds where there are any.
fn clock(second: i64) -> String {
    let (hours, minutes, seconds) = (second / 3_600, second / 60 % 60, second % 60);
    match seconds {
        0 => format!("{hours:02}:{minutes:02}"),
        _ => format!("{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// Excel takes 1900 for a leap year: days before March 1900 are off by one.
fn day(days: i64, is_1904: bool) -> Option<Date> {
    let days = match (is_1904, days) {
        (true, days) => days + DAYS_1904,
        (false, 1..60) => days + 1,
        (false, days) => days,
    };
    if days > DAYS_MAX {
        return None;
    }
    date(1899, 12, 30).checked_add(days.days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_are_told_apart() {
        let moment = |day, time| Format::Moment { day, time };
        for (code, format) in [
            ("General", Format::General),
            ("[Red]General", Format::General),
            ("0", Format::General),
            ("0.00", Format::General),
            ("#,##0", Format::General),
            ("0%", Format::General),
            ("\"day\" 0", Format::General),
            ("0\\d", Format::General),
            ("0_d", Format::General),
            ("0;yyyy", Format::General),
            ("00000", Format::Digits("00000".into())),
            ("[$-407]00000", Format::Digits("00000".into())),
            ("000\\-00\\-0000", Format::Digits("000-00-0000".into())),
            ("000\"-\"00", Format::Digits("000-00".into())),
            ("yyyy\\-mm\\-dd", moment(true, false)),
            ("[$-409]d\\ mmm\\ yyyy;@", moment(true, false)),
            ("mmm", moment(true, false)),
            ("hh:mm AM/PM", moment(false, true)),
            ("dd/mm/yyyy hh:mm", moment(true, true)),
            ("[h]:mm:ss", Format::Elapsed),
        ] {
            assert_eq!(Format::of(code), format, "{code}");
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_seen() {
        for (raw, text) in [
            ("12025550113", "12025550113"),
            ("12025550113.0", "12025550113"),
            ("1.2025550113E10", "12025550113"),
            ("49170123456789", "49170123456789"),
            ("12345678901234567890", "12345678901234567890"),
            ("17.989999999999998", "17.99"),
            ("0.30000000000000004", "0.3"),
            ("-7", "-7"),
            ("-0.0", "0"),
            ("1e300", "1e300"),
            ("1e-300", "1e-300"),
            ("nan", "nan"),
            ("1e999", "1e999"),
            ("what", "what"),
        ] {
            assert_eq!(Format::General.text(raw, false), text);
        }
        for (pattern, raw, text) in [
            ("00000", "501", "00501"),
            ("00000", "1.5", "1.5"),
            ("00000", "1234567", "1234567"),
            ("000-00-0000", "12345678", "012-34-5678"),
        ] {
            assert_eq!(Format::Digits(pattern.into()).text(raw, false), text);
        }
    }

    #[test]
    fn days_and_times_are_written_as_iso_has_them() {
        for (id, raw, is_1904, text) in [
            (14, "46350", false, "2026-11-24"),
            (14, "44888", true, "2026-11-24"),
            (14, "1", false, "1900-01-01"),
            (14, "59", false, "1900-02-28"),
            (14, "61", false, "1900-03-01"),
            (14, "2958465", false, "9999-12-31"),
            (14, "2958467", false, "2958467"),
            (14, "2958465", true, "2958465"),
            (14, "-1", false, "-1"),
            (20, "0.5", false, "12:00"),
            (21, "46350.00001157407", false, "00:00:01"),
            (22, "46350.395833333336", false, "2026-11-24 09:30"),
            (22, "46349.999999999", false, "2026-11-24 00:00"),
            (46, "1.5", false, "36:00"),
        ] {
            assert_eq!(Format::built_in(id).text(raw, is_1904), text, "{id} {raw}");
        }
    }

    proptest! {
        #[test]
        fn any_code_and_number_has_a_text(code in ".{0,30}", value in any::<f64>(), is_1904: bool) {
            let text = Format::of(&code).text(&value.to_string(), is_1904);
            prop_assert!(!text.is_empty() && text.len() < 400);
        }

        #[test]
        fn phone_numbers_keep_their_digits(number in 1_000_000u64..1_000_000_000_000_000) {
            for raw in [number.to_string(), format!("{number}.0"), format!("{:e}", number as f64)] {
                prop_assert_eq!(Format::General.text(&raw, false), number.to_string());
            }
        }
    }
}
