//! Facts and epochs in memory.

use super::{MetaRead, MetaWrite, Topic};
use crate::Result;
use crate::memory::State;
use imbl::OrdMap;

/// Facts by name, changes by topic.
#[derive(Clone, Default)]
pub(crate) struct Meta {
    facts: OrdMap<String, String>,
    epochs: OrdMap<Topic, u64>,
}

impl MetaRead for State {
    fn fact(&self, name: &str) -> Result<Option<String>> {
        Ok(self.meta.facts.get(name).cloned())
    }

    fn epoch(&self, topic: Topic) -> Result<u64> {
        Ok(self.meta.epochs.get(&topic).copied().unwrap_or(0))
    }
}

impl MetaWrite for State {
    fn put_fact(&mut self, name: &str, value: &str) -> Result<()> {
        self.meta.facts.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn touch(&mut self, topic: Topic) -> Result<()> {
        *self.meta.epochs.entry(topic).or_insert(0) += 1;
        self.touched = true;
        Ok(())
    }
}
