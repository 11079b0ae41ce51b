//! Where a contact may be: candidate zones and candidate places, from the number and from the contact's own data.
//!
//! Read at admission, before a contact gets its lane. The tables are generated (`tools/tables`), compiled in and laid
//! out once for a binary search each; nothing is looked up outside the process. A number or contact that several
//! zones claim gets all of them: who reads them takes the intersection.

use crate::number::read_phone;
use crate::region::Place;
use carillon_model::zone::Zone;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Digits of the longest number (E.164).
const NUMBER_DIGITS_MAX: usize = 15;

/// The releases of the data behind zones and places; it is recorded with every verdict.
pub fn zone_data_version() -> &'static str {
    include_str!("../data/version.txt").trim_end()
}

/// What a contact's own data says about its place. Every text is as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContactPlace<'a> {
    /// IANA zone.
    pub time_zone: Option<&'a str>,
    /// Postal code.
    pub postal_code: Option<&'a str>,
    /// State, by code or name.
    pub state: Option<&'a str>,
    /// ISO 3166-1 country.
    pub country: Option<&'a str>,
}

/// Longest prefix of a number's digits to a value, as one sorted list of the intervals that prefixes cut.
struct PrefixTable<V: 'static> {
    starts: Vec<u64>,
    values: Vec<&'static [V]>,
}

impl<V> PrefixTable<V> {
    fn new(mut rows: Vec<(&str, &'static [V])>) -> Self {
        rows.sort_by_key(|row| row.0);
        let mut table = Self {
            starts: vec![0],
            values: vec![&[]],
        };
        let mut open: Vec<(u64, &'static [V])> = Vec::new();
        for (prefix, value) in rows {
            let (start, end) = interval(prefix);
            table.close(&mut open, start);
            table.push(start, value);
            open.push((end, value));
        }
        table.close(&mut open, u64::MAX);
        table
    }

    /// Ends the intervals that are over at `start`; what surrounds them goes on.
    fn close(&mut self, open: &mut Vec<(u64, &'static [V])>, start: u64) {
        while let Some(&(end, _)) = open.last() {
            if end > start {
                break;
            }
            open.pop();
            let around: &'static [V] = open.last().map_or(&[], |surrounding| surrounding.1);
            self.push(end, around);
        }
    }

    fn push(&mut self, start: u64, value: &'static [V]) {
        if self.starts.last() == Some(&start) {
            *self.values.last_mut().expect("as long as the starts") = value;
        } else {
            self.starts.push(start);
            self.values.push(value);
        }
    }

    fn get(&self, padded: u64) -> &'static [V] {
        let after = self.starts.partition_point(|start| *start <= padded);
        self.values[after.saturating_sub(1)]
    }
}

/// The padded numbers that start with `prefix`: first, and first beyond.
fn interval(prefix: &str) -> (u64, u64) {
    let width = 10u64.pow((NUMBER_DIGITS_MAX - prefix.len()) as u32);
    let digits: u64 = prefix.parse().expect("prefixes of the tables are digits");
    (digits * width, (digits + 1) * width)
}

/// The digits of `+…`, padded with zeros to the longest number.
fn padded(e164: &str) -> Option<u64> {
    let digits = e164.strip_prefix('+')?;
    let proper = !digits.is_empty()
        && digits.len() <= NUMBER_DIGITS_MAX
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !proper {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(number * 10u64.pow((NUMBER_DIGITS_MAX - digits.len()) as u32))
}

struct State {
    name: String,
    zones: &'static [Zone],
}

struct Tables {
    number_zones: PrefixTable<Zone>,
    number_places: PrefixTable<Place>,
    /// Calling codes whose digits tell the place for some kinds of number only: (code, of mobiles too).
    kinds: Vec<(String, bool)>,
    /// By country.
    countries: HashMap<Place, (&'static [Zone], &'static [Place])>,
    /// By country and state.
    states: HashMap<Place, State>,
    /// Countries whose states are all known.
    countries_with_states: Vec<Place>,
    /// States by country and name in small letters.
    state_names: HashMap<(Place, String), Place>,
    /// By US ZIP prefix.
    zips: HashMap<&'static str, (&'static [Zone], &'static [Place])>,
    /// A list of one for each zone, by its name.
    singles: HashMap<&'static str, &'static [Zone]>,
}

/// Lives as long as the process: the tables are made once.
fn forever<V>(values: Vec<V>) -> &'static [V] {
    Box::leak(values.into_boxed_slice())
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

/// Equal lists are shared: there are thousands of prefixes and some hundred lists.
#[derive(Default)]
struct ZoneLists(HashMap<&'static str, &'static [Zone]>);

impl ZoneLists {
    fn list(&mut self, names: &'static str) -> &'static [Zone] {
        self.0.entry(names).or_insert_with(|| {
            let mut zones: Vec<Zone> = names
                .split(',')
                .map(|name| {
                    Zone::named(name).expect("zones of the tables are in the bundled database")
                })
                .collect();
            zones.sort();
            forever(zones)
        })
    }
}

fn place(text: &str) -> Place {
    text.parse().expect("places of the tables are readable")
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut lists = ZoneLists::default();
        let number_zones = rows(include_str!("../data/number_zones.tsv"))
            .map(|row| (row[0], lists.list(row[1])))
            .collect();
        let number_places = rows(include_str!("../data/number_regions.tsv"))
            .map(|row| (row[0], forever(row[1].split(',').map(place).collect())))
            .collect();
        let kinds = rows(include_str!("../data/number_kinds.tsv"))
            .map(|row| (format!("+{}", row[0]), row[1].contains("mobile")))
            .collect();
        let mut tables = Tables {
            number_zones: PrefixTable::new(number_zones),
            number_places: PrefixTable::new(number_places),
            kinds,
            countries: HashMap::new(),
            states: HashMap::new(),
            countries_with_states: Vec::new(),
            state_names: HashMap::new(),
            zips: HashMap::new(),
            singles: HashMap::new(),
        };
        tables.read_places(&mut lists);
        tables.singles = jiff::tz::db()
            .available()
            .filter_map(|name| Zone::named(name.as_str()))
            .map(|zone| (zone.name(), forever(vec![zone])))
            .collect();
        tables
    })
}

impl Tables {
    fn read_places(&mut self, lists: &mut ZoneLists) {
        for row in rows(include_str!("../data/places.tsv")) {
            let zones = lists.list(row[2]);
            if let Some(zip) = row[0].strip_prefix("US:") {
                let us = place("US");
                let states = row[1]
                    .split(',')
                    .map(|state| us.with_state(state))
                    .collect();
                self.zips.insert(zip, (zones, forever(states)));
            } else if row[0].contains('-') {
                let state = place(row[0]);
                let country = place(state.country_code());
                if self.countries_with_states.last() != Some(&country) {
                    self.countries_with_states.push(country);
                }
                let name = row[1].to_lowercase();
                self.state_names.insert((country, name.clone()), state);
                self.states.insert(state, State { name, zones });
            } else {
                let country = place(row[0]);
                self.countries
                    .insert(country, (zones, forever(vec![country])));
            }
        }
    }

    fn zip(&self, postal: &str) -> Option<(&'static [Zone], &'static [Place])> {
        [5, 3]
            .iter()
            .find_map(|length| self.zips.get(postal.get(..*length)?))
            .copied()
    }

    fn single(&self, zone: Zone) -> &'static [Zone] {
        self.singles[zone.name()]
    }
}

/// A list of just this zone.
pub fn zone_alone(zone: Zone) -> &'static [Zone] {
    tables().single(zone)
}

/// The country named, if it is one: an ISO 3166-1 code without case, or one of two common spellings.
pub fn read_country(text: &str) -> Option<Place> {
    let text = text.trim();
    let code = if text.eq_ignore_ascii_case("USA") {
        "US"
    } else if text.eq_ignore_ascii_case("UK") {
        "GB"
    } else {
        text
    };
    Place::country(code).filter(|country| tables().countries.contains_key(country))
}

/// Zones of a country (ISO 3166-1), sorted; empty when it is none.
pub fn country_zones(country: &str) -> &'static [Zone] {
    read_country(country).map_or(&[], |country| tables().countries[&country].0)
}

/// Candidate zones of a phone number (`+` and digits), sorted; empty when nothing is known, as for e-mail addresses.
pub fn zones_of_number(e164: &str) -> &'static [Zone] {
    let Some(padded) = padded(e164) else {
        return &[];
    };
    let tables = tables();
    let zones = tables.number_zones.get(padded);
    let Some((code, mobiles_too)) = tables
        .kinds
        .iter()
        .find(|(code, _)| e164.starts_with(code.as_str()))
    else {
        return zones;
    };
    let whole = tables.number_zones.get(interval(&code[1..]).0);
    if zones.len() == whole.len() {
        return zones;
    }
    // In these countries a mobile keeps its digits wherever its owner lives.
    let Some(phone) = read_phone(e164, "ZZ") else {
        return whole;
    };
    match (phone.kinds(), phone.country()) {
        ((true, false), _) => zones,
        ((_, true), _) if *mobiles_too => zones,
        (_, Some(country)) => match country_zones(&country) {
            [] => whole,
            known => known,
        },
        (_, None) => whole,
    }
}

/// Candidate places of a phone number: states where the area code tells them, else the country; empty when unknown.
pub fn regions_of_number(e164: &str) -> &'static [Place] {
    let Some(padded) = padded(e164) else {
        return &[];
    };
    let tables = tables();
    match tables.number_places.get(padded) {
        // Calling codes that countries share are told apart by the numbering plan.
        [] => read_phone(e164, "ZZ")
            .and_then(|phone| phone.country())
            .and_then(|country| Place::country(&country))
            .and_then(|country| tables.countries.get(&country))
            .map_or(&[], |known| known.1),
        known => known,
    }
}

/// The country by which a contact's state and postal code are read: its own, else the Account's.
fn reading_country(contact: &ContactPlace<'_>, account_country: &str) -> Option<Place> {
    contact
        .country
        .filter(|text| !text.trim().is_empty())
        .map_or_else(|| read_country(account_country), read_country)
}

/// The state named, by code (`CA`, `US-CA`) or by name. In countries whose states are not in the tables a code is
/// taken as it is, a name is not known.
fn read_state(text: &str, country: Place) -> Option<Place> {
    let text = text.trim();
    if text.is_empty() || text.len() > crate::limits::PLACE_TEXT_BYTES_MAX {
        return None;
    }
    let code = match text.split_once('-') {
        Some((before, after)) if before.eq_ignore_ascii_case(country.country_code()) => after,
        _ => text,
    };
    let tables = tables();
    let coded = country.with_state(code);
    if code.len() <= 3 && tables.states.contains_key(&coded) {
        return Some(coded);
    }
    if let Some(named) = tables.state_names.get(&(country, text.to_lowercase())) {
        return Some(*named);
    }
    let states_are_known = tables.countries_with_states.contains(&country);
    let is_code = code.len() <= 3 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!states_are_known && is_code).then_some(coded)
}

/// A postal code in its country. Spreadsheets drop the zero that starts some US ZIP codes; it is put back.
fn read_postal(text: &str, country: Place) -> Option<Place> {
    let text = text.trim();
    if text.is_empty() || text.len() > crate::limits::PLACE_TEXT_BYTES_MAX {
        return None;
    }
    let place = if country.country_code() == "US"
        && text.len() == 4
        && text.bytes().all(|byte| byte.is_ascii_digit())
    {
        country.with_postal(&format!("0{text}"))
    } else {
        country.with_postal(text)
    };
    (!place.postal_code().is_empty()).then_some(place)
}

/// Candidate zones of a contact by its own data: timeZone, else postal code, else state, else country; empty when
/// none of them tells.
pub fn zones_of_contact(contact: &ContactPlace<'_>, account_country: &str) -> &'static [Zone] {
    let tables = tables();
    if let Some(name) = contact.time_zone.map(str::trim) {
        if let Some(single) = tables.singles.get(name) {
            return single;
        }
        if let Some(zone) = Zone::named(name) {
            return tables.single(zone);
        }
    }
    let Some(country) = reading_country(contact, account_country) else {
        return &[];
    };
    if country.country_code() == "US"
        && let Some(postal) = contact
            .postal_code
            .and_then(|text| read_postal(text, country))
        && let Some((zones, _)) = tables.zip(postal.postal_code())
    {
        return zones;
    }
    if let Some(state) = contact.state.and_then(|text| read_state(text, country))
        && let Some(known) = tables.states.get(&state)
    {
        return known.zones;
    }
    match contact.country.and_then(read_country) {
        Some(country) => tables.countries[&country].0,
        None => &[],
    }
}

/// Candidate places of a contact by its own data, each as fine as the data tells; empty when it tells nothing.
/// A ZIP code and a state that disagree give both.
pub fn places_of_contact(contact: &ContactPlace<'_>, account_country: &str) -> Vec<Place> {
    let Some(country) = reading_country(contact, account_country) else {
        return Vec::new();
    };
    let postal = contact
        .postal_code
        .and_then(|text| read_postal(text, country));
    let state = contact.state.and_then(|text| read_state(text, country));
    let by_zip = postal
        .filter(|_| country.country_code() == "US")
        .and_then(|postal| tables().zip(postal.postal_code()))
        .map_or(&[] as &[Place], |known| known.1);
    let mut places: Vec<Place> = Vec::with_capacity(2);
    if let Some(postal) = postal {
        let with_postal = |place: &Place| place.with_postal(postal.postal_code());
        places.extend(by_zip.iter().map(with_postal));
        if by_zip.is_empty() {
            places.push(state.as_ref().map_or(postal, with_postal));
        }
    }
    if let Some(state) = state
        && !places
            .iter()
            .any(|place| place.state_code() == state.state_code())
    {
        places.push(state);
    }
    if places.is_empty() && contact.country.and_then(read_country).is_some() {
        places.push(country);
    }
    places.sort();
    places
}

/// The English name of a state of the tables, in small letters.
pub fn state_name(state: &Place) -> Option<&'static str> {
    tables().states.get(state).map(|known| known.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(zones: &[Zone]) -> Vec<&'static str> {
        zones.iter().map(|zone| zone.name()).collect()
    }

    fn texts(places: &[Place]) -> Vec<String> {
        places.iter().map(Place::to_string).collect()
    }

    #[test]
    fn numbers_have_candidate_zones() {
        for (number, zones) in [
            ("+12125550111", vec!["America/New_York"]),
            ("+12085550111", vec!["America/Boise", "America/Los_Angeles"]),
            ("+442072673113", vec!["Europe/London"]),
            ("+447400123456", vec!["Europe/London"]),
            ("+97714123456", vec!["Asia/Kathmandu"]),
            ("+16025550111", vec!["America/Phoenix"]),
            ("+33142685300", vec!["Europe/Paris"]),
            ("+61291234567", vec!["Australia/Sydney"]),
            ("+61731234567", vec!["Australia/Brisbane"]),
        ] {
            let found = names(zones_of_number(number));
            let clocks = |names: &[&str]| -> Vec<Vec<i32>> {
                let moments = [1_782_864_000, 1_798_761_600]
                    .map(|second| jiff::Timestamp::from_second(second).expect("in range"));
                let mut clocks: Vec<Vec<i32>> = names
                    .iter()
                    .map(|name| {
                        let zone = Zone::named(name).expect("known");
                        moments
                            .iter()
                            .map(|moment| zone.time_zone().to_offset(*moment).seconds())
                            .collect()
                    })
                    .collect();
                clocks.sort();
                clocks
            };
            assert_eq!(clocks(&found), clocks(&zones), "{number}: {found:?}");
        }
        for nothing in [
            "",
            "+",
            "12125550111",
            "+1212555011a",
            "ann@example.org",
            "+1234567890123456",
        ] {
            assert_eq!(zones_of_number(nothing), &[] as &[Zone], "{nothing}");
        }
    }

    #[test]
    fn mobiles_that_move_freely_have_the_zones_of_their_country() {
        let mobile = names(zones_of_number("+61412345678"));
        assert!(
            mobile.contains(&"Australia/Perth") && mobile.contains(&"Australia/Sydney"),
            "{mobile:?}"
        );
        assert_eq!(names(zones_of_number("+61731234567")).len(), 1);
        assert!(
            zones_of_number("+18005550111").len() > 5,
            "toll-free numbers ring anywhere"
        );
    }

    #[test]
    fn numbers_have_candidate_regions() {
        for (number, places) in [
            ("+12125550111", vec!["US-NY"]),
            ("+13105550111", vec!["US-CA"]),
            ("+19025550111", vec!["CA-NS", "CA-PE"]),
            ("+12685550111", vec!["AG"]),
            ("+17875550111", vec!["PR", "US-PR"]),
            ("+18005550111", vec!["CA", "US"]),
            ("+33142685300", vec!["FR"]),
            ("+442072673113", vec!["GB"]),
            ("+441481256789", vec!["GG"]),
            ("+74951234567", vec!["RU"]),
            ("+80012345678", vec![]),
            ("ann@example.org", vec![]),
        ] {
            assert_eq!(texts(regions_of_number(number)), places, "{number}");
        }
    }

    #[test]
    fn contacts_have_candidate_zones_in_order_of_their_data() {
        let contact = |time_zone, postal_code, state, country| ContactPlace {
            time_zone,
            postal_code,
            state,
            country,
        };
        let full = contact(Some("europe/PARIS"), Some("10001"), Some("CA"), Some("US"));
        assert_eq!(names(zones_of_contact(&full, "US")), ["Europe/Paris"]);
        for (postal, state, country, zones) in [
            (
                Some("10001"),
                Some("CA"),
                Some("US"),
                vec!["America/New_York"],
            ),
            (
                Some("32401"),
                None,
                Some("US"),
                vec!["America/Chicago", "America/New_York"],
            ),
            (Some("32501-1234"), None, None, vec!["America/Chicago"]),
            (Some("2134"), None, Some("usa"), vec!["America/New_York"]),
            (Some("09012"), Some("CA"), None, vec!["America/Los_Angeles"]),
            (
                None,
                Some("florida"),
                None,
                vec!["America/Chicago", "America/New_York"],
            ),
            (None, Some("US-WA"), Some("US"), vec!["America/Los_Angeles"]),
            (None, Some("TAS"), Some("AU"), vec!["Australia/Hobart"]),
            (
                None,
                None,
                Some("NZ"),
                vec!["Pacific/Auckland", "Pacific/Chatham"],
            ),
            (None, Some("??"), None, vec![]),
            (None, None, Some("Atlantis"), vec![]),
            (None, None, None, vec![]),
        ] {
            let found = zones_of_contact(&contact(None, postal, state, country), "US");
            if zones == ["Australia/Hobart"] {
                assert_eq!(found.len(), 1);
            } else {
                assert_eq!(names(found), zones, "{postal:?} {state:?} {country:?}");
            }
        }
    }

    #[test]
    fn contacts_have_candidate_places() {
        let contact = |postal_code, state, country| ContactPlace {
            time_zone: None,
            postal_code,
            state,
            country,
        };
        for (postal, state, country, places) in [
            (Some("02134"), None, None, vec!["US-MA:02134"]),
            (Some("02134"), Some("MA"), None, vec!["US-MA:02134"]),
            (
                Some("02134"),
                Some("NY"),
                None,
                vec!["US-MA:02134", "US-NY"],
            ),
            (None, Some("Ontario"), Some("CA"), vec!["CA-ON"]),
            (Some("sw1a 1aa"), None, Some("GB"), vec!["GB:SW1A1AA"]),
            (None, Some("SP"), Some("BR"), vec!["BR-SP"]),
            (None, None, Some("fr"), vec!["FR"]),
            (None, None, None, vec![]),
        ] {
            assert_eq!(
                texts(&places_of_contact(&contact(postal, state, country), "US")),
                places,
                "{postal:?} {state:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(number in ".{0,40}", digits in "\\+[0-9]{0,17}", zone in ".{0,20}", postal in ".{0,20}", state in ".{0,20}", country in "[A-Za-z]{0,3}|.{0,5}") {
            for text in [&number, &digits] {
                let phone = read_phone(text, &country);
                if let Some(phone) = phone {
                    let again = read_phone(&phone.e164, "ZZ").map(|again| again.e164);
                    proptest::prop_assert_eq!(again, Some(phone.e164), "what was read is read the same again");
                }
                let zones = zones_of_number(text);
                proptest::prop_assert!(zones.is_sorted());
                let _ = (regions_of_number(text), crate::number::read_email(text));
            }
            let contact = ContactPlace { time_zone: Some(&zone), postal_code: Some(&postal), state: Some(&state), country: Some(&country) };
            proptest::prop_assert!(places_of_contact(&contact, "US").is_sorted());
            proptest::prop_assert!(zones_of_contact(&contact, "US").is_sorted());
        }
    }

    #[test]
    fn the_version_names_the_bundled_database() {
        assert!(zone_data_version().starts_with("tz 20"));
        for country in ["US", "GB", "FR", "AU", "JP", "BR"] {
            assert!(!country_zones(country).is_empty(), "{country}");
        }
        assert_eq!(state_name(&place("US-CA")), Some("california"));
    }
}
