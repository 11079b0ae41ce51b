//! The filters of the language (`scripts.md` 2). A value that is missing goes through none of them but `default`;
//! an empty text comes out of each as it went in, because an answer not yet taken is one.
//!
//! Numbers are kept as decimal digits: an amount is never rounded through binary. They are written the English way,
//! 1,234.50. `phone` groups numbers of the North American plan; others stay in the form the contact has.

use minijinja::{Error, ErrorKind, Value};

const FRACTION_DIGITS_MAX: u32 = 9;
const DIGITS_MAX: usize = 30;

/// Adds the filters and tests to an environment.
pub(crate) fn register(environment: &mut minijinja::Environment<'_>) {
    environment.add_filter("default", minijinja::filters::default);
    environment.add_filter("upper", |value: &Value| {
        text(value).map(|text| text.to_uppercase())
    });
    environment.add_filter("lower", |value: &Value| {
        text(value).map(|text| text.to_lowercase())
    });
    environment.add_filter("title", |value: &Value| {
        text(value).map(|text| title(&text))
    });
    environment.add_filter("date", |value: &Value, format: Option<String>| {
        unless_empty(value, |text| {
            date(text, format.as_deref().unwrap_or("%Y-%m-%d"))
        })
    });
    environment.add_filter("number", |value: &Value, digits: Option<u32>| {
        unless_empty(value, |text| {
            Some(Decimal::parse(text)?.round(digits)?.grouped())
        })
    });
    environment.add_filter("currency", |value: &Value, code: String| {
        unless_empty(value, |text| currency(text, &code))
    });
    environment.add_filter("phone", |value: &Value| {
        text(value).map(|text| phone(&text))
    });
    environment.add_filter("spell", |value: &Value| {
        text(value).map(|text| spell(&text))
    });
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.add_test("undefined", minijinja::tests::is_undefined);
}

fn text(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned))
}

fn unless_empty(
    value: &Value,
    filter: impl FnOnce(&str) -> Option<String>,
) -> Result<String, Error> {
    let text = text(value)?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    filter(text).ok_or_else(|| {
        // The value is a contact's own data: it is named in no error.
        Error::new(
            ErrorKind::InvalidOperation,
            "the value is not of the kind that the filter takes",
        )
    })
}

fn title(text: &str) -> String {
    let mut at_start = true;
    let mut titled = String::with_capacity(text.len());
    for character in text.chars() {
        if at_start {
            titled.extend(character.to_uppercase());
        } else {
            titled.extend(character.to_lowercase());
        }
        at_start = !(character.is_alphanumeric() || character == '\'' || character == '’');
    }
    titled
}

/// A date, a date with time, or an instant (then in UTC), by a format of strftime.
fn date(text: &str, format: &str) -> Option<String> {
    let civil = match text.parse::<jiff::Timestamp>() {
        Ok(instant) => jiff::tz::TimeZone::UTC.to_datetime(instant),
        Err(_) => text.parse::<jiff::civil::DateTime>().ok()?,
    };
    jiff::fmt::strtime::format(format, civil).ok()
}

/// A decimal number as written.
struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || digits.len() > DIGITS_MAX
            || !all_digits(whole)
            || !all_digits(fraction)
        {
            return None;
        }
        Some(Decimal {
            negative,
            whole: whole.to_owned(),
            fraction: fraction.to_owned(),
        })
    }

    /// So many digits after the point, half up; none leaves what was written.
    fn round(self, digits: Option<u32>) -> Option<Self> {
        let Some(digits) = digits else {
            return Some(self);
        };
        if digits > FRACTION_DIGITS_MAX {
            return None;
        }
        let digits = digits as usize;
        let round_up = self
            .fraction
            .as_bytes()
            .get(digits)
            .is_some_and(|digit| *digit >= b'5');
        let mut kept: Vec<u8> = self
            .whole
            .bytes()
            .chain(self.fraction.bytes().take(digits))
            .collect();
        kept.resize(self.whole.len() + digits, b'0');
        if round_up {
            let carried = kept.iter_mut().rev().all(|digit| {
                let is_nine = *digit == b'9';
                *digit = if is_nine { b'0' } else { *digit + 1 };
                is_nine
            });
            if carried {
                kept.insert(0, b'1');
            }
        }
        let fraction = kept.split_off(kept.len() - digits);
        let text = |digits: Vec<u8>| String::from_utf8(digits).expect("only digits are kept");
        Some(Decimal {
            whole: text(kept),
            fraction: text(fraction),
            ..self
        })
    }

    fn grouped(&self) -> String {
        let whole = self.whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let is_zero = whole == "0" && self.fraction.bytes().all(|digit| digit == b'0');
        let mut grouped = if self.negative && !is_zero {
            "-".to_owned()
        } else {
            String::new()
        };
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if !self.fraction.is_empty() {
            grouped.push('.');
            grouped.push_str(&self.fraction);
        }
        grouped
    }
}

fn currency(text: &str, code: &str) -> Option<String> {
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let code = code.to_ascii_uppercase();
    let digits = match code.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    let amount = Decimal::parse(text)?.round(Some(digits))?.grouped();
    let (sign, amount) = match amount.strip_prefix('-') {
        Some(amount) => ("-", amount),
        None => ("", amount.as_str()),
    };
    Some(match code.as_str() {
        "USD" => format!("{sign}${amount}"),
        "EUR" => format!("{sign}€{amount}"),
        "GBP" => format!("{sign}£{amount}"),
        "JPY" => format!("{sign}¥{amount}"),
        code => format!("{sign}{code} {amount}"),
    })
}

fn phone(text: &str) -> String {
    let digits = text
        .strip_prefix("+1")
        .filter(|digits| digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    match digits {
        Some(digits) => format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..]),
        None => text.to_owned(),
    }
}

/// Character by character, as one reads out a code.
fn spell(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len() * 2);
    for character in text.chars().filter(|character| !character.is_whitespace()) {
        if !spelt.is_empty() {
            spelt.push(' ');
        }
        spelt.push(character);
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let number = |text: &str, digits| Some(Decimal::parse(text)?.round(digits)?.grouped());
        let cases = [
            ("1234567.891", None, Some("1,234,567.891")),
            ("1234.5", Some(2), Some("1,234.50")),
            ("0.005", Some(2), Some("0.01")),
            ("999.995", Some(2), Some("1,000.00")),
            ("-0.004", Some(2), Some("0.00")),
            ("-12", None, Some("-12")),
            ("007", None, Some("7")),
            ("2.5", Some(0), Some("3")),
            ("1e5", None, None),
            ("", None, None),
            (".5", None, None),
            ("1", Some(10), None),
            ("1234567890123456789012345678901", None, None),
        ];
        for (text, digits, expected) in cases {
            assert_eq!(number(text, digits).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn amounts_dates_and_the_rest() {
        assert_eq!(currency("1234.5", "USD").as_deref(), Some("$1,234.50"));
        assert_eq!(currency("-3", "eur").as_deref(), Some("-€3.00"));
        assert_eq!(currency("1234.5", "JPY").as_deref(), Some("¥1,235"));
        assert_eq!(currency("9", "KWD").as_deref(), Some("KWD 9.000"));
        assert_eq!(currency("9", "dollar"), None);
        assert_eq!(
            date("2026-11-24", "%d %B %Y").as_deref(),
            Some("24 November 2026")
        );
        assert_eq!(
            date("2026-11-24T13:05:09", "%H:%M").as_deref(),
            Some("13:05")
        );
        assert_eq!(
            date("2026-11-24T13:05:09Z", "%A").as_deref(),
            Some("Tuesday")
        );
        assert_eq!(date("2026-11-24", "%Q%"), None);
        assert_eq!(date("tomorrow", "%d"), None);
        assert_eq!(title("ADA o'NEIL-smith"), "Ada O'neil-Smith");
        assert_eq!(phone("+12125550123"), "(212) 555-0123");
        assert_eq!(phone("+442079460018"), "+442079460018");
        assert_eq!(spell("AB 12"), "A B 1 2");
    }
}
