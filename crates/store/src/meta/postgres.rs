//! Facts and epochs in PostgreSQL.

use super::{MetaRead, MetaWrite, Topic};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, Text, number};

impl MetaRead for Session {
    fn fact(&self, name: &str) -> Result<Option<String>> {
        self.one(sql!("fact"), &[&Text::new(name)], |row| Ok(row.try_get(0)?))
    }

    fn epoch(&self, topic: Topic) -> Result<u64> {
        let changes = self.one(sql!("epoch"), &[&Number(topic as i64)], |row| {
            number(row, 0)
        })?;
        Ok(changes.map_or(0, i64::cast_unsigned))
    }
}

impl MetaWrite for Session {
    fn put_fact(&mut self, name: &str, value: &str) -> Result<()> {
        self.execute(sql!("put_fact"), &[&Text::new(name), &Text::new(value)])
            .map(|_| ())
    }

    fn touch(&mut self, topic: Topic) -> Result<()> {
        self.execute(sql!("touch"), &[&Number(topic as i64)])?;
        self.note_touched();
        Ok(())
    }
}
