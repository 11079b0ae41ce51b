//! Kept answers in PostgreSQL.

use super::{IdempotencyRead, IdempotencyWrite, KeptAnswer};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, Text, number, small};
use crate::sqlite::session::damaged;
use carillon_model::moment::DAY;
use carillon_model::{Moment, OrgId};

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
            &[&org.0, &Text::new(method), &Text::new(key), &since.0],
            |row| {
                let request: &[u8] = row.try_get(0)?;
                Ok(KeptAnswer {
                    org,
                    method: method.to_owned(),
                    key: key.to_owned(),
                    request: request
                        .try_into()
                        .map_err(|error| damaged("kept_answer", "request", org.0, error))?,
                    status: small(row, 1)?,
                    body: row.try_get(2)?,
                    at: Moment(number(row, 3)?),
                })
            },
        )
    }
}

impl IdempotencyWrite for Session {
    fn keep_answer(&mut self, answer: &KeptAnswer) -> Result<()> {
        self.execute(
            sql!("keep_answer"),
            &[
                &answer.org.0,
                &Text::new(&answer.method),
                &Text::new(&answer.key),
                &answer.request.as_slice(),
                &Number(answer.status.into()),
                &answer.body,
                &answer.at.0,
                &answer.at.plus(-DAY).0,
            ],
        )
        .map(|_| ())
    }

    fn drop_answers(&mut self, before: Moment) -> Result<usize> {
        self.execute(sql!("drop_answers"), &[&before.0])
    }
}
