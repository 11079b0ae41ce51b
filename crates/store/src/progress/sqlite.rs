//! Progress in SQLite.

use super::{ProgressRead, ProgressWrite};
use crate::Result;
use crate::sqlite::session::{Session, damaged, word};
use crate::sqlite::statement::sql;
use carillon_model::run::{PassResult, Place, Progress};
use carillon_model::{AttemptResult, ContactId, Moment, Reason, SubCampaignId};
use rusqlite::{Row, params};

/// Bytes of one packed result.
const RESULT_BYTES: usize = 4;
/// Stands for "no script result" in a packed result.
const NO_RESULT: u8 = u8::MAX;

impl ProgressRead for Session {
    fn progress(
        &self,
        run: SubCampaignId,
        contacts: &[ContactId],
    ) -> Result<Vec<Option<Progress>>> {
        contacts
            .iter()
            .map(|contact| {
                self.one(sql!("progress"), [run.0, contact.0], |row| {
                    read(run, *contact, row)
                })
            })
            .collect()
    }
}

impl ProgressWrite for Session {
    fn put_progress(&mut self, progress: &[Progress]) -> Result<()> {
        let mut put = self.statement(sql!("put_progress"))?;
        for one in progress {
            put.execute(params![
                one.run.0,
                one.contact.0,
                one.place as u8,
                one.pass,
                one.lane,
                one.rank,
                one.due.0,
                one.attempts,
                one.device_next,
                one.bad_devices,
                one.delivered,
                one.attempted,
                one.reason.map(|reason| reason as u8),
                pack(&one.results),
            ])?;
        }
        Ok(())
    }
}

fn read(run: SubCampaignId, contact: ContactId, row: &Row<'_>) -> Result<Progress> {
    let place = match row.get::<_, i64>(0)? {
        0 => Place::Waiting,
        1 => Place::Finished,
        other => return Err(damaged("progress", "place", contact.0, other)),
    };
    let reason: Option<i64> = row.get(10)?;
    Ok(Progress {
        run,
        contact,
        place,
        pass: row.get(1)?,
        lane: row.get(2)?,
        rank: row.get(3)?,
        due: Moment(row.get(4)?),
        attempts: row.get(5)?,
        device_next: row.get(6)?,
        bad_devices: row.get(7)?,
        delivered: row.get(8)?,
        attempted: row.get(9)?,
        reason: reason
            .map(|code| word(Reason::ALL, code, "progress", "reason", contact.0))
            .transpose()?,
        results: unpack(
            contact,
            row.get_ref(11)?.as_blob().map_err(rusqlite::Error::from)?,
        )?,
    })
}

fn pack(results: &[PassResult]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(results.len() * RESULT_BYTES);
    for result in results {
        let [low, high] = result.pass.to_le_bytes();
        packed.extend([
            low,
            high,
            result.result as u8,
            result.script.map_or(NO_RESULT, |script| script as u8),
        ]);
    }
    packed
}

fn unpack(contact: ContactId, packed: &[u8]) -> Result<Vec<PassResult>> {
    if !packed.len().is_multiple_of(RESULT_BYTES) {
        return Err(damaged("progress", "results", contact.0, "it is cut"));
    }
    packed
        .chunks_exact(RESULT_BYTES)
        .map(|one| {
            let word = |code: u8| {
                word(
                    AttemptResult::ALL,
                    i64::from(code),
                    "progress",
                    "results",
                    contact.0,
                )
            };
            Ok(PassResult {
                pass: u16::from_le_bytes([one[0], one[1]]),
                result: word(one[2])?,
                script: if one[3] == NO_RESULT {
                    None
                } else {
                    Some(word(one[3])?)
                },
            })
        })
        .collect()
}
