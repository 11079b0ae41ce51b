//! Kept answers in SQLite.

use super::{IdempotencyRead, IdempotencyWrite, KeptAnswer};
use crate::Result;
use crate::sqlite::session::Session;
use crate::sqlite::statement::sql;
use carillon_model::moment::DAY;
use carillon_model::{Moment, OrgId};
use rusqlite::params;

impl IdempotencyRead for Session {
    fn kept_answer(
        &self,
        org: OrgId,
        method: &str,
        key: &str,
        since: Moment,
    ) -> Result<Option<KeptAnswer>> {
        self.one(
            sql!("kept_answer"),
            params![org.0, method, key, since.0],
            |row| {
                Ok(KeptAnswer {
                    org,
                    method: method.to_owned(),
                    key: key.to_owned(),
                    request: row.get(0)?,
                    status: row.get(1)?,
                    body: row.get(2)?,
                    at: Moment(row.get(3)?),
                })
            },
        )
    }
}

impl IdempotencyWrite for Session {
    fn keep_answer(&mut self, answer: &KeptAnswer) -> Result<()> {
        let KeptAnswer {
            org,
            method,
            key,
            request,
            status,
            body,
            at,
        } = answer;
        let row = params![
            org.0,
            method,
            key,
            request,
            status,
            body,
            at.0,
            at.plus(-DAY).0
        ];
        self.execute(sql!("keep_answer"), row).map(|_| ())
    }

    fn drop_answers(&mut self, before: Moment) -> Result<usize> {
        self.execute(sql!("drop_answers"), [before.0])
    }
}
