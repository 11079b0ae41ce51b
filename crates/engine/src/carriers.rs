//! The carriers as the engine sees them: names, capabilities and, for one tick, how many orders each would take.

use carillon_channel::Capabilities;
use carillon_model::ChannelType;
use std::sync::Arc;

/// A carrier.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Nothing leaves the system by it: it serves Accounts with emulateOutreach, and only those.
    pub emulated: bool,
}

/// All carriers with their room.
#[derive(Debug, Clone, Default)]
pub struct Carriers {
    list: Vec<Carrier>,
    room: Vec<usize>,
}

impl Carriers {
    /// Carriers without room yet.
    pub fn new(list: Vec<Carrier>) -> Self {
        let room = vec![0; list.len()];
        Self { list, room }
    }

    /// Sets the room for this tick, in the order of the carriers.
    pub fn set_room(&mut self, room: &[usize]) {
        for (index, slot) in self.room.iter_mut().enumerate() {
            *slot = room.get(index).copied().unwrap_or(0);
        }
    }

    /// How many carriers there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A carrier by its index.
    pub fn get(&self, index: usize) -> &Carrier {
        &self.list[index]
    }

    /// The index of a carrier by name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|carrier| &*carrier.name == name)
    }

    /// Every carrier.
    pub fn iter(&self) -> impl Iterator<Item = &Carrier> {
        self.list.iter()
    }

    /// Room of all carriers of a channel together.
    pub fn room(&self, channel: ChannelType, emulated: bool) -> usize {
        self.serving(channel, emulated)
            .fold(0usize, |sum, index| sum.saturating_add(self.room[index]))
    }

    /// Takes one place with the carrier that has most room.
    pub fn take(&mut self, channel: ChannelType, emulated: bool) -> Option<usize> {
        let index = self
            .serving(channel, emulated)
            .filter(|index| self.room[*index] > 0)
            .max_by_key(|index| (self.room[*index], std::cmp::Reverse(*index)))?;
        self.room[index] -= 1;
        Some(index)
    }

    /// Takes a place with this carrier, whether it has room or not: a reply goes back the way its message came.
    pub fn take_from(&mut self, index: usize) {
        self.room[index] = self.room[index].saturating_sub(1);
    }

    /// What the carriers of a channel take in a minute; none = as fast as they answer.
    pub fn rate_per_minute(&self, channel: ChannelType, emulated: bool) -> Option<f64> {
        let mut sum = 0.0;
        for index in self.serving(channel, emulated) {
            sum += self.list[index].capabilities.rate_per_second? * 60.0;
        }
        Some(sum)
    }

    /// Whether a carrier sends receipts.
    pub fn has_receipts(&self, name: &str) -> bool {
        self.find(name)
            .is_some_and(|index| self.list[index].capabilities.receipts)
    }

    fn serving(&self, channel: ChannelType, emulated: bool) -> impl Iterator<Item = usize> + '_ {
        self.list
            .iter()
            .enumerate()
            .filter(move |(_, carrier)| {
                carrier.emulated == emulated && carrier.capabilities.channel == channel
            })
            .map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrier(name: &str, emulated: bool, rate: Option<f64>) -> Carrier {
        Carrier {
            name: name.into(),
            emulated,
            capabilities: Capabilities {
                channel: ChannelType::Text,
                rate_per_second: rate,
                window: 10,
                receipts: name == "a",
                receipt_wait_ms: 600_000,
                idempotent: false,
                query: false,
            },
        }
    }

    #[test]
    fn orders_go_where_there_is_most_room_and_never_out_of_an_emulation() {
        let list = vec![
            carrier("a", false, None),
            carrier("b", false, None),
            carrier("l", true, None),
        ];
        let mut carriers = Carriers::new(list);
        carriers.set_room(&[2, 3, 9]);
        let text = ChannelType::Text;
        assert_eq!(carriers.room(text, false), 5);
        let taken: Vec<_> = (0..6).map(|_| carriers.take(text, false)).collect();
        assert_eq!(taken, [Some(1), Some(0), Some(1), Some(0), Some(1), None]);
        assert_eq!(carriers.take(text, true), Some(2));
        assert_eq!(carriers.take(ChannelType::Email, false), None);
        assert!(carriers.has_receipts("a") && !carriers.has_receipts("b"));
    }

    #[test]
    fn rates_add_up_unless_one_has_none() {
        let with = |rates: &[Option<f64>]| {
            let list = rates
                .iter()
                .map(|rate| carrier("c", false, *rate))
                .collect();
            Carriers::new(list).rate_per_minute(ChannelType::Text, false)
        };
        assert_eq!(with(&[Some(1.0), Some(2.0)]), Some(180.0));
        assert_eq!(with(&[Some(1.0), None]), None);
        assert_eq!(with(&[]), Some(0.0), "no carrier takes nothing");
    }
}
