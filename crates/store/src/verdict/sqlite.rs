//! Denials and judgements in SQLite.

use super::{Denial, Judgement, VerdictRead, VerdictWrite};
use crate::Result;
use crate::sqlite::session::{Session, rows, word};
use crate::sqlite::statement::sql;
use carillon_model::{ContactId, Moment, Reason, RuleId, SubCampaignId};
use rusqlite::params;
use std::collections::BTreeMap;

impl VerdictRead for Session {
    fn denial(&self, run: SubCampaignId, contact: ContactId) -> Result<Option<Denial>> {
        self.one(sql!("denial"), [run.0, contact.0], |row| {
            let rule: Option<i64> = row.get(2)?;
            let version: Option<u32> = row.get(3)?;
            Ok(Denial {
                run,
                contact,
                at: Moment(row.get(0)?),
                reason: word(Reason::ALL, row.get(1)?, "denial", "reason", contact.0)?,
                rule: rule.map(RuleId).zip(version),
            })
        })
    }

    fn denials_by_reason(&self, run: SubCampaignId) -> Result<Vec<(Reason, i64)>> {
        self.list(sql!("denials_by_reason"), [run.0], |row| {
            Ok((
                word(Reason::ALL, row.get(0)?, "denial_count", "reason", run.0)?,
                row.get(1)?,
            ))
        })
    }

    fn judgements(&self, run: SubCampaignId, limit: usize) -> Result<Vec<Judgement>> {
        self.list(sql!("judgements"), [run.0, rows(limit)], |row| {
            let reason: Option<i64> = row.get(3)?;
            Ok(Judgement {
                run,
                at: Moment(row.get(0)?),
                lane: row.get(1)?,
                until: row.get::<_, Option<i64>>(2)?.map(Moment),
                reason: reason
                    .map(|code| word(Reason::ALL, code, "judgement", "reason", run.0))
                    .transpose()?,
                basis: row.get(4)?,
            })
        })
    }
}

impl VerdictWrite for Session {
    fn put_denials(&mut self, denials: &[Denial]) -> Result<()> {
        let mut counts: BTreeMap<(i64, u8), i64> = BTreeMap::new();
        let mut put = self.statement(sql!("put_denial"))?;
        for denial in denials {
            let kept = put.execute(params![
                denial.run.0,
                denial.contact.0,
                denial.at.0,
                denial.reason as u8,
                denial.rule.map(|(rule, _)| rule.0),
                denial.rule.map(|(_, version)| version),
            ])?;
            *counts
                .entry((denial.run.0, denial.reason as u8))
                .or_default() += rows(kept);
        }
        drop(put);
        for ((run, reason), contacts) in counts.into_iter().filter(|(_, contacts)| *contacts > 0) {
            self.execute(sql!("count_denials"), params![run, reason, contacts])?;
        }
        Ok(())
    }

    fn put_judgement(&mut self, judgement: &Judgement) -> Result<()> {
        self.execute(
            sql!("put_judgement"),
            params![
                judgement.run.0,
                judgement.at.0,
                judgement.lane,
                judgement.until.map(|until| until.0),
                judgement.reason.map(|reason| reason as u8),
                judgement.basis,
            ],
        )
        .map(|_| ())
    }
}
