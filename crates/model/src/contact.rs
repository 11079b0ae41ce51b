//! Contacts and their devices, and the narrow form in which a contact's payload is kept.
//!
//! A Contact never changes in place: a second import makes a new one. Its payload is written once and read when the
//! contact is judged, rendered or shown, so it is packed: fields in a fixed order, each with a code and a length.

use crate::entity::Attributes;
use crate::{ContactId, DeviceType, LineType};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A Contact (`entities.md` 5).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contact {
    /// Its id; 0 before it is stored.
    pub id: ContactId,
    /// The List or batch that holds it.
    pub container: i64,
    /// Client ID.
    pub external_id: String,
    /// 0 … 9, in order.
    pub devices: Vec<Device>,
    /// firstName, lastName, company, other1 … other20, timeZone, postalCode, state, country, locale, order, condition
    /// and every custom name.
    pub attributes: Attributes,
}

/// One device of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// `+` and digits, or an e-mail address; normalised.
    pub address: String,
    /// Its kind.
    pub device_type: DeviceType,
    /// 1 … 9: `Device<n>`.
    pub number: u8,
    /// IANA zone, when told.
    pub time_zone: Option<String>,
    /// Line type, when told.
    pub line_type: LineType,
}

/// A device address as a number: phones are their digits; e-mail addresses are negative, by a hash whose collisions are
/// resolved by comparing the address itself wherever the answer matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceKey(pub i64);

impl DeviceKey {
    /// The key of a normalised address; e-mail addresses are compared without case.
    pub fn of(address: &str) -> Self {
        match address
            .strip_prefix('+')
            .and_then(|digits| digits.parse::<i64>().ok())
        {
            Some(digits) if digits > 0 => Self(digits),
            _ => Self(-((fnv1a(&address.to_lowercase()) >> 1) as i64) - 1),
        }
    }
}

/// FNV-1a, 64 bit: stable over versions and machines, which a hash kept in a store has to be.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Attribute names with a code of their own in the packed form. The order is part of the stored format: append only.
const KNOWN_NAMES: [&str; 31] = [
    "firstName",
    "lastName",
    "company",
    "timeZone",
    "postalCode",
    "state",
    "country",
    "locale",
    "order",
    "condition",
    "other1",
    "other2",
    "other3",
    "other4",
    "other5",
    "other6",
    "other7",
    "other8",
    "other9",
    "other10",
    "other11",
    "other12",
    "other13",
    "other14",
    "other15",
    "other16",
    "other17",
    "other18",
    "other19",
    "other20",
    "name",
];
/// Code of an attribute whose name follows it.
const CODE_NAMED: u8 = 0;
/// Codes from here on are known names.
const CODE_KNOWN: u8 = 1;
/// Codes from here on are devices by type, with nothing but an address; the number follows the code.
const CODE_DEVICE: u8 = 200;
/// A device with a zone or a line type: number, type, line type, zone, address.
const CODE_DEVICE_FULL: u8 = 210;

/// Known names with their codes, sorted: every contact is packed with a dozen of them.
static KNOWN_CODES: LazyLock<Vec<(&'static str, u8)>> = LazyLock::new(|| {
    let mut codes: Vec<_> = KNOWN_NAMES.into_iter().zip(CODE_KNOWN..).collect();
    codes.sort_unstable();
    codes
});

fn known_code(name: &str) -> Option<u8> {
    let place = KNOWN_CODES.binary_search_by_key(&name, |(known, _)| known);
    place.ok().map(|place| KNOWN_CODES[place].1)
}

/// The known attribute name that equals `name` without case, in its proper spelling.
pub fn known_name(name: &str) -> Option<&'static str> {
    KNOWN_NAMES
        .iter()
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

impl Contact {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The packed payload: devices, then attributes.
    pub fn pack(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(256);
        for device in &self.devices {
            let type_code = device.device_type as u8;
            if device.time_zone.is_none() && device.line_type == LineType::Unknown {
                packed.extend([CODE_DEVICE + type_code, device.number]);
            } else {
                packed.extend([
                    CODE_DEVICE_FULL,
                    device.number,
                    type_code,
                    device.line_type as u8,
                ]);
                put_text(&mut packed, device.time_zone.as_deref().unwrap_or_default());
            }
            put_text(&mut packed, &device.address);
        }
        for (name, value) in &self.attributes {
            match known_code(name) {
                Some(code) => packed.push(code),
                None => {
                    packed.push(CODE_NAMED);
                    put_text(&mut packed, name);
                }
            }
            put_text(&mut packed, value);
        }
        packed
    }

    /// Reads a packed payload; none when it is damaged.
    pub fn unpack(
        id: ContactId,
        container: i64,
        external_id: String,
        packed: &[u8],
    ) -> Option<Contact> {
        let mut contact = Contact {
            id,
            container,
            external_id,
            ..Contact::default()
        };
        let mut rest = packed;
        while let Some((&code, after)) = rest.split_first() {
            rest = after;
            match code {
                CODE_NAMED => {
                    let name = take_text(&mut rest)?;
                    let value = take_text(&mut rest)?;
                    contact.attributes.insert(name, value);
                }
                CODE_DEVICE..CODE_DEVICE_FULL => {
                    let number = take_byte(&mut rest)?;
                    let device_type = *DeviceType::ALL.get(usize::from(code - CODE_DEVICE))?;
                    let address = take_text(&mut rest)?;
                    contact.devices.push(Device {
                        address,
                        device_type,
                        number,
                        time_zone: None,
                        line_type: LineType::Unknown,
                    });
                }
                CODE_DEVICE_FULL => {
                    let number = take_byte(&mut rest)?;
                    let device_type = *DeviceType::ALL.get(usize::from(take_byte(&mut rest)?))?;
                    let line_type = *LineType::ALL.get(usize::from(take_byte(&mut rest)?))?;
                    let time_zone = Some(take_text(&mut rest)?).filter(|zone| !zone.is_empty());
                    let address = take_text(&mut rest)?;
                    contact.devices.push(Device {
                        address,
                        device_type,
                        number,
                        time_zone,
                        line_type,
                    });
                }
                known => {
                    let name = *KNOWN_NAMES.get(usize::from(known - CODE_KNOWN))?;
                    let value = take_text(&mut rest)?;
                    contact.attributes.insert(name.to_owned(), value);
                }
            }
        }
        Some(contact)
    }

    /// The addresses in a packed payload, without unpacking the rest: devices stand first. Ends at damage.
    pub fn packed_addresses(packed: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = packed;
        std::iter::from_fn(move || {
            match take_byte(&mut rest)? {
                CODE_DEVICE..CODE_DEVICE_FULL => {
                    take_byte(&mut rest)?;
                }
                CODE_DEVICE_FULL => {
                    rest = rest.get(3..)?;
                    take_bytes(&mut rest)?;
                }
                _ => return None,
            }
            take_bytes(&mut rest)
        })
    }

    /// Size of the custom payload (`api.md` M24.17): the attributes outside the known names as a JSON object with
    /// sorted names and no blanks, in bytes.
    pub fn custom_payload_bytes(&self) -> usize {
        let custom: Attributes = self
            .attributes
            .iter()
            .filter(|(name, _)| known_name(name).is_none())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        serde_json::to_string(&custom).map_or(0, |json| json.len())
    }
}

fn put_text(packed: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    while length >= 0x80 {
        packed.push((length as u8 & 0x7f) | 0x80);
        length >>= 7;
    }
    packed.push(length as u8);
    packed.extend_from_slice(text.as_bytes());
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(take_bytes(rest)?.to_vec()).ok()
}

fn take_bytes<'packed>(rest: &mut &'packed [u8]) -> Option<&'packed [u8]> {
    let mut length = 0usize;
    for shift in (0..28).step_by(7) {
        let byte = take_byte(rest)?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let (bytes, after) = rest.split_at_checked(length)?;
            *rest = after;
            return Some(bytes);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Contact {
        Contact {
            id: ContactId(7),
            container: 3,
            external_id: "C-1".into(),
            devices: vec![
                Device {
                    address: "+12075550111".into(),
                    device_type: DeviceType::Mobile,
                    number: 1,
                    time_zone: None,
                    line_type: LineType::Unknown,
                },
                Device {
                    address: "ann@example.org".into(),
                    device_type: DeviceType::Email,
                    number: 2,
                    time_zone: Some("Europe/Paris".into()),
                    line_type: LineType::Unknown,
                },
            ],
            attributes: [
                ("firstName", "Ann"),
                ("other1", "x".repeat(200).as_str()),
                ("ticket", "T-77"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        }
    }

    #[test]
    fn packing_loses_nothing() {
        let contact = sample();
        assert_eq!(
            Contact::unpack(contact.id, 3, "C-1".into(), &contact.pack()),
            Some(contact)
        );
    }

    #[test]
    fn addresses_are_read_without_unpacking() {
        let packed = sample().pack();
        let addresses: Vec<&[u8]> = Contact::packed_addresses(&packed).collect();
        assert_eq!(addresses, [&b"+12075550111"[..], b"ann@example.org"]);
        assert_eq!(Contact::packed_addresses(&packed[..9]).count(), 0);
    }

    #[test]
    fn damaged_payloads_are_told() {
        let packed = sample().pack();
        for cut in 0..packed.len() {
            let _ = Contact::unpack(ContactId(1), 1, String::new(), &packed[..cut]);
        }
        assert_eq!(
            Contact::unpack(
                ContactId(1),
                1,
                String::new(),
                &[CODE_NAMED, 0xff, 0xff, 0xff, 0xff]
            ),
            None
        );
        assert_eq!(
            Contact::unpack(ContactId(1), 1, String::new(), &[150, 1, b'a']),
            None
        );
    }

    #[test]
    fn keys_of_phones_are_their_digits() {
        assert_eq!(DeviceKey::of("+12075550111"), DeviceKey(12_075_550_111));
        assert!(DeviceKey::of("ann@example.org").0 < 0);
        assert_eq!(
            DeviceKey::of("Ann@example.org"),
            DeviceKey::of("ann@example.org")
        );
        assert_eq!(
            DeviceKey::of("ann@example.org"),
            DeviceKey::of("ann@example.org")
        );
    }
}
