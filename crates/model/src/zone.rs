//! IANA zones as small numbers, each resolved once. The numbers hold within a process only: what is stored is the name.

use jiff::tz::TimeZone;
use std::sync::OnceLock;

/// A zone of the bundled tz database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(u16);

struct Table {
    /// Sorted without case.
    names: Vec<String>,
    zones: Vec<TimeZone>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let database = jiff::tz::db();
        let mut names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        names.sort_by_key(|name| name.to_ascii_lowercase());
        names.dedup();
        names.retain(|name| database.get(name).is_ok());
        let zones = names
            .iter()
            .map(|name| database.get(name).expect("kept only names that resolve"))
            .collect();
        Table { names, zones }
    })
}

impl Zone {
    /// The zone of an IANA name, without case.
    pub fn named(name: &str) -> Option<Zone> {
        let wanted = name.to_ascii_lowercase();
        let names = &table().names;
        let index = names
            .binary_search_by(|known| known.to_ascii_lowercase().cmp(&wanted))
            .ok()?;
        Some(Zone(index as u16))
    }

    /// UTC.
    pub fn utc() -> Zone {
        Zone::named("UTC").expect("the bundled database knows UTC")
    }

    /// Its IANA name.
    pub fn name(self) -> &'static str {
        &table().names[usize::from(self.0)]
    }

    /// Its rules.
    pub fn time_zone(self) -> &'static TimeZone {
        &table().zones[usize::from(self.0)]
    }
}

impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Zone::named(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown time zone {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Zone;

    #[test]
    fn zones_are_found_without_case() {
        let zone = Zone::named("america/new_york").expect("known");
        assert_eq!(zone.name(), "America/New_York");
        assert_eq!(Zone::named("Mars/Olympus"), None);
        assert_eq!(Zone::utc().name(), "UTC");
    }
}
