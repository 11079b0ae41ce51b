//! Progress in PostgreSQL.

use super::{ProgressRead, ProgressWrite};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{maybe_number, maybe_numbers, number, numbers, small};
use crate::sqlite::session::{damaged, word};
use carillon_model::run::{PassResult, Place, Progress};
use carillon_model::{AttemptResult, ContactId, Moment, Reason, SubCampaignId};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::Row;

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
        let keys: Vec<i64> = contacts.iter().map(|contact| contact.0).collect();
        let found = self.list(sql!("progress"), &[&run.0, &keys], |row| read(run, row))?;
        let found: HashMap<ContactId, Progress> = found
            .into_iter()
            .map(|progress| (progress.contact, progress))
            .collect();
        Ok(contacts
            .iter()
            .map(|contact| found.get(contact).cloned())
            .collect())
    }
}

impl ProgressWrite for Session {
    fn put_progress(&mut self, progress: &[Progress]) -> Result<()> {
        if progress.is_empty() {
            return Ok(());
        }
        // A statement writes a row once: the last of a contact counts.
        let last: BTreeMap<(SubCampaignId, ContactId), &Progress> = progress
            .iter()
            .map(|one| ((one.run, one.contact), one))
            .collect();
        let last: Vec<&Progress> = last.into_values().collect();
        let flags = |flag: fn(&Progress) -> bool| -> Vec<bool> {
            last.iter().map(|one| flag(one)).collect()
        };
        let results: Vec<Vec<u8>> = last.iter().map(|one| pack(&one.results)).collect();
        self.execute(
            sql!("put_progress"),
            &[
                &numbers(&last, |one| one.run.0),
                &numbers(&last, |one| one.contact.0),
                &numbers(&last, |one| one.place as i64),
                &numbers(&last, |one| one.pass.into()),
                &numbers(&last, |one| one.lane.into()),
                &numbers(&last, |one| one.rank),
                &numbers(&last, |one| one.due.0),
                &numbers(&last, |one| one.attempts.into()),
                &numbers(&last, |one| one.device_next.into()),
                &numbers(&last, |one| one.bad_devices.into()),
                &flags(|one| one.delivered),
                &flags(|one| one.attempted),
                &maybe_numbers(&last, |one| one.reason.map(|reason| reason as i64)),
                &results,
            ],
        )
        .map(|_| ())
    }
}

fn read(run: SubCampaignId, row: &Row) -> Result<Progress> {
    let contact = ContactId(number(row, 0)?);
    let place = match number(row, 1)? {
        0 => Place::Waiting,
        1 => Place::Finished,
        other => return Err(damaged("progress", "place", contact.0, other)),
    };
    Ok(Progress {
        run,
        contact,
        place,
        pass: small(row, 2)?,
        lane: small(row, 3)?,
        rank: number(row, 4)?,
        due: Moment(number(row, 5)?),
        attempts: small(row, 6)?,
        device_next: small(row, 7)?,
        bad_devices: small(row, 8)?,
        delivered: row.try_get(9)?,
        attempted: row.try_get(10)?,
        reason: maybe_number(row, 11)?
            .map(|code| word(Reason::ALL, code, "progress", "reason", contact.0))
            .transpose()?,
        results: unpack(contact, row.try_get(12)?)?,
    })
}

fn pack(results: &[PassResult]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(results.len() * RESULT_BYTES);
    for result in results {
        let [low, high] = result.pass.to_le_bytes();
        let script = result.script.map_or(NO_RESULT, |script| script as u8);
        packed.extend([low, high, result.result as u8, script]);
    }
    packed
}

fn unpack(contact: ContactId, packed: &[u8]) -> Result<Vec<PassResult>> {
    let result = |code: u8| {
        word(
            AttemptResult::ALL,
            i64::from(code),
            "progress",
            "results",
            contact.0,
        )
    };
    if !packed.len().is_multiple_of(RESULT_BYTES) {
        return Err(damaged("progress", "results", contact.0, "it is cut"));
    }
    packed
        .chunks_exact(RESULT_BYTES)
        .map(|one| {
            Ok(PassResult {
                pass: u16::from_le_bytes([one[0], one[1]]),
                result: result(one[2])?,
                script: (one[3] != NO_RESULT).then(|| result(one[3])).transpose()?,
            })
        })
        .collect()
}
