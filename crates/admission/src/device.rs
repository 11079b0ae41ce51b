//! By which device a contact is tried next (`entities.md` 9.3 and 9.6). Pure: what is known of the devices comes as bits,
//! one for each device number.

use carillon_model::contact::{Contact, Device};
use carillon_model::pass::Pass;
use carillon_model::{AcceptPhoneNumbers, AttemptResult, DeviceType, EscalationType, LineType};

/// A set of devices of one contact, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceSet(pub u16);

impl DeviceSet {
    /// Adds a device.
    pub fn insert(&mut self, device: &Device) {
        self.0 |= bit(device.number);
    }

    /// Whether a device is in it.
    pub fn contains(self, device: &Device) -> bool {
        self.0 & bit(device.number) != 0
    }

    /// Both together.
    #[must_use]
    pub fn union(self, other: DeviceSet) -> DeviceSet {
        DeviceSet(self.0 | other.0)
    }
}

/// The bit of a device number.
pub const fn bit(number: u8) -> u16 {
    1 << (number & 15)
}

/// A device that was chosen, and where it stands in the device order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The device.
    pub device: &'a Device,
    /// Its position in the device order of the pass.
    pub position: u8,
    /// How many devices the order has.
    pub devices: u8,
}

impl Choice<'_> {
    /// The position after it, from the first again after the last.
    pub fn next(&self) -> u8 {
        (self.position + 1) % self.devices.max(1)
    }
}

/// The devices that fit a pass by channel and line, in the order in which the pass tries them.
pub fn order<'a>(contact: &'a Contact, pass: &Pass, escalation: EscalationType) -> Vec<&'a Device> {
    let mut order: Vec<&Device> = Vec::with_capacity(contact.devices.len());
    let mut add = |device: &'a Device| {
        if fits(device, pass) && !order.iter().any(|known| known.number == device.number) {
            order.push(device);
        }
    };
    let named: Vec<&str> = match escalation {
        EscalationType::CallPassBased => pass.devices.iter().map(String::as_str).collect(),
        EscalationType::ContactBased => contact
            .attribute("order")
            .map(|order| words(order).collect())
            .unwrap_or_default(),
    };
    if named.is_empty() {
        contact.devices.iter().for_each(&mut add);
    }
    for name in named {
        contact
            .devices
            .iter()
            .filter(|device| is_named(device, name))
            .for_each(&mut add);
    }
    order
}

/// The first device from position `next` on (wrapping) that is not excluded.
pub fn choose<'a>(
    contact: &'a Contact,
    pass: &Pass,
    escalation: EscalationType,
    next: u8,
    excluded: DeviceSet,
) -> Option<Choice<'a>> {
    let order = order(contact, pass, escalation);
    let devices = order.len();
    (0..devices)
        .map(|step| (usize::from(next) + step) % devices)
        .find(|position| !excluded.contains(order[*position]))
        .map(|position| Choice {
            device: order[position],
            position: position as u8,
            devices: devices as u8,
        })
}

/// Whether a ContactBased contact goes on to its next device at once after a result (`entities.md` 9.6).
pub fn escalates(contact: &Contact, result: AttemptResult, bad_device: bool) -> bool {
    let condition = contact.attribute("condition").unwrap_or_default();
    let mut conditions = words(condition).peekable();
    let holds = |word: &str| match word.to_ascii_lowercase().as_str() {
        "noanswer" => result == AttemptResult::NoAnswer,
        "hangupmachine" => result == AttemptResult::HangUpOnMachine,
        "badnumber" => bad_device || result == AttemptResult::BadDevice,
        "busy" => result == AttemptResult::Busy,
        "machine" => matches!(
            result,
            AttemptResult::HangUpOnMachine
                | AttemptResult::UndeliveredMachine
                | AttemptResult::DeliveredMachine
        ),
        _ => false,
    };
    if conditions.peek().is_none() {
        return holds("noanswer") || holds("badnumber");
    }
    conditions.any(holds)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', ';']).filter(|word| !word.is_empty())
}

fn is_named(device: &Device, name: &str) -> bool {
    match DeviceType::parse(name) {
        Some(device_type) => device.device_type == device_type,
        None => name
            .get(..6)
            .filter(|prefix| prefix.eq_ignore_ascii_case("device"))
            .and_then(|_| name[6..].parse::<u8>().ok())
            .is_some_and(|number| number == device.number),
    }
}

fn fits(device: &Device, pass: &Pass) -> bool {
    let is_email = device.device_type == DeviceType::Email || device.address.contains('@');
    if is_email != pass.channel.uses_email() {
        return false;
    }
    match pass.accept_phone_numbers {
        AcceptPhoneNumbers::LandlineAndWireless => true,
        // An unknown line type passes every filter.
        AcceptPhoneNumbers::LandlineOnly => device.line_type != LineType::Wireless,
        AcceptPhoneNumbers::WirelessOnly => device.line_type != LineType::Landline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::{ChannelType, ContactId, PassId};

    fn contact(devices: &[(&str, DeviceType, LineType)]) -> Contact {
        let devices = devices
            .iter()
            .enumerate()
            .map(|(index, (address, device_type, line_type))| Device {
                address: (*address).to_owned(),
                device_type: *device_type,
                number: index as u8 + 1,
                time_zone: None,
                line_type: *line_type,
            })
            .collect();
        Contact {
            id: ContactId(1),
            devices,
            ..Contact::default()
        }
    }

    fn three_phones() -> Contact {
        contact(&[
            ("+12075550111", DeviceType::Home, LineType::Landline),
            ("ann@example.org", DeviceType::Email, LineType::Unknown),
            ("+12075550112", DeviceType::Mobile, LineType::Wireless),
            ("+12075550113", DeviceType::Mobile, LineType::Unknown),
        ])
    }

    fn text_pass(devices: &[&str]) -> Pass {
        let mut pass = Pass::new(PassId(1), "Pass 1", ChannelType::Text);
        pass.devices = devices.iter().map(|name| (*name).to_owned()).collect();
        pass
    }

    #[test]
    fn the_order_follows_the_pass() {
        let contact = three_phones();
        for (devices, numbers) in [
            (&[][..], &[1u8, 3, 4][..]),
            (&["Mobile"], &[3, 4]),
            (&["Device4", "device1"], &[4, 1]),
            (&["Mobile", "Device3", "Home"], &[3, 4, 1]),
            (&["Email"], &[]),
            (&["Device9", "Device"], &[]),
        ] {
            let order = order(&contact, &text_pass(devices), EscalationType::CallPassBased);
            let found: Vec<u8> = order.iter().map(|device| device.number).collect();
            assert_eq!(found, numbers, "{devices:?}");
        }
    }

    #[test]
    fn unknown_lines_pass_every_filter() {
        let contact = three_phones();
        for (accept, numbers) in [
            (AcceptPhoneNumbers::LandlineOnly, &[1u8, 4][..]),
            (AcceptPhoneNumbers::WirelessOnly, &[3, 4]),
        ] {
            let mut pass = text_pass(&[]);
            pass.accept_phone_numbers = accept;
            let order = order(&contact, &pass, EscalationType::CallPassBased);
            let found: Vec<u8> = order.iter().map(|device| device.number).collect();
            assert_eq!(found, numbers, "{accept}");
        }
    }

    #[test]
    fn the_choice_wraps_and_leaves_out_the_excluded() {
        let contact = three_phones();
        let pass = text_pass(&[]);
        for (next, excluded, chosen) in [
            (0, 0, Some((1, 1))),
            (2, 0, Some((4, 0))),
            (0, bit(1), Some((3, 2))),
            (2, bit(4), Some((1, 1))),
            (9, 0, Some((1, 1))),
            (0, bit(1) | bit(3) | bit(4), None),
        ] {
            let choice = choose(
                &contact,
                &pass,
                EscalationType::CallPassBased,
                next,
                DeviceSet(excluded),
            );
            let found = choice.map(|choice| (choice.device.number, choice.next()));
            assert_eq!(found, chosen, "{next} {excluded:b}");
        }
    }

    #[test]
    fn contact_based_orders_come_from_the_contact() {
        let mut contact = three_phones();
        contact
            .attributes
            .insert("order".into(), "Device3 Device1".into());
        let order = order(&contact, &text_pass(&[]), EscalationType::ContactBased);
        assert_eq!(
            order.iter().map(|device| device.number).collect::<Vec<_>>(),
            [3, 1]
        );
        assert!(escalates(&contact, AttemptResult::NoAnswer, false));
        assert!(
            escalates(&contact, AttemptResult::Failed, true),
            "BadNumber by default"
        );
        assert!(!escalates(&contact, AttemptResult::Failed, false));
        contact.attributes.insert("condition".into(), "Busy".into());
        assert!(!escalates(&contact, AttemptResult::NoAnswer, false));
        assert!(escalates(&contact, AttemptResult::Busy, false));
    }
}
