//! Denials and judgements in PostgreSQL.

use super::{Denial, Judgement, VerdictRead, VerdictWrite};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, Text, maybe_number, maybe_numbers, number, numbers};
use crate::sqlite::session::{damaged, rows, word};
use carillon_model::{ContactId, Moment, Reason, RuleId, SubCampaignId};

impl VerdictRead for Session {
    fn denial(&self, run: SubCampaignId, contact: ContactId) -> Result<Option<Denial>> {
        self.one(sql!("denial"), &[&run.0, &contact.0], |row| {
            let rule = maybe_number(row, 2)?;
            let version = maybe_number(row, 3)?
                .map(u32::try_from)
                .transpose()
                .map_err(|error| damaged("denial", "rule_version", contact.0, error))?;
            Ok(Denial {
                run,
                contact,
                at: Moment(number(row, 0)?),
                reason: word(Reason::ALL, number(row, 1)?, "denial", "reason", contact.0)?,
                rule: rule.map(RuleId).zip(version),
            })
        })
    }

    fn denials_by_reason(&self, run: SubCampaignId) -> Result<Vec<(Reason, i64)>> {
        self.list(sql!("denials_by_reason"), &[&run.0], |row| {
            let reason = word(
                Reason::ALL,
                number(row, 0)?,
                "denial_count",
                "reason",
                run.0,
            )?;
            Ok((reason, number(row, 1)?))
        })
    }

    fn judgements(&self, run: SubCampaignId, limit: usize) -> Result<Vec<Judgement>> {
        self.list(sql!("judgements"), &[&run.0, &rows(limit)], |row| {
            Ok(Judgement {
                run,
                at: Moment(number(row, 0)?),
                lane: maybe_number(row, 1)?
                    .map(u32::try_from)
                    .transpose()
                    .map_err(|error| damaged("judgement", "lane", run.0, error))?,
                until: maybe_number(row, 2)?.map(Moment),
                reason: maybe_number(row, 3)?
                    .map(|code| word(Reason::ALL, code, "judgement", "reason", run.0))
                    .transpose()?,
                basis: row.try_get(4)?,
            })
        })
    }
}

impl VerdictWrite for Session {
    fn put_denials(&mut self, denials: &[Denial]) -> Result<()> {
        if denials.is_empty() {
            return Ok(());
        }
        self.execute(
            sql!("put_denials"),
            &[
                &numbers(denials, |denial| denial.run.0),
                &numbers(denials, |denial| denial.contact.0),
                &numbers(denials, |denial| denial.at.0),
                &numbers(denials, |denial| denial.reason as i64),
                &maybe_numbers(denials, |denial| denial.rule.map(|(rule, _)| rule.0)),
                &maybe_numbers(denials, |denial| {
                    denial.rule.map(|(_, version)| version.into())
                }),
            ],
        )
        .map(|_| ())
    }

    fn put_judgement(&mut self, judgement: &Judgement) -> Result<()> {
        let reason = judgement.reason.map(|reason| Number(reason as i64));
        self.execute(
            sql!("put_judgement"),
            &[
                &judgement.run.0,
                &judgement.at.0,
                &judgement.lane.map(i64::from),
                &judgement.until.map(|until| until.0),
                &reason,
                &Text::new(&judgement.basis),
            ],
        )
        .map(|_| ())
    }
}
