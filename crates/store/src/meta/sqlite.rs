//! Facts and epochs in SQLite.

use super::{MetaRead, MetaWrite, Topic};
use crate::Result;
use crate::sqlite::session::Session;
use crate::sqlite::statement::sql;

impl MetaRead for Session {
    fn fact(&self, name: &str) -> Result<Option<String>> {
        self.one(sql!("fact"), [name], |row| Ok(row.get(0)?))
    }

    fn epoch(&self, topic: Topic) -> Result<u64> {
        let changes = self.one(
            sql!("epoch"),
            [topic as u8],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        Ok(changes.map_or(0, i64::cast_unsigned))
    }
}

impl MetaWrite for Session {
    fn put_fact(&mut self, name: &str, value: &str) -> Result<()> {
        self.execute(sql!("put_fact"), [name, value]).map(|_| ())
    }

    fn touch(&mut self, topic: Topic) -> Result<()> {
        self.execute(sql!("touch"), [topic as u8])?;
        self.note_touched();
        Ok(())
    }
}
