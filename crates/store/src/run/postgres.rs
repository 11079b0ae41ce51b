//! Runs in PostgreSQL.

use super::{RunRead, RunWrite};
use crate::Result;
use crate::meta::{MetaWrite, Topic};
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Text, number};
use crate::sqlite::session::damaged;
use carillon_model::run::{BatchRun, Run};
use carillon_model::{BatchId, SubCampaignId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

impl RunRead for Session {
    fn run(&self, id: SubCampaignId) -> Result<Option<Run>> {
        self.one(sql!("run"), &[&id.0], |row| body("run", row))
    }

    fn live_runs(&self) -> Result<Vec<Run>> {
        self.list(sql!("live_runs"), &[], |row| body("run", row))
    }

    fn batch_run(&self, id: BatchId) -> Result<Option<BatchRun>> {
        self.one(sql!("batch_run"), &[&id.0], |row| body("batch_run", row))
    }

    fn live_batches(&self, run: SubCampaignId) -> Result<Vec<BatchRun>> {
        self.list(sql!("live_batches"), &[&run.0], |row| {
            body("batch_run", row)
        })
    }

    fn batches_of(&self, run: SubCampaignId) -> Result<Vec<BatchId>> {
        self.list(sql!("batches_of"), &[&run.0], |row| {
            Ok(BatchId(number(row, 0)?))
        })
    }
}

impl RunWrite for Session {
    fn put_run(&mut self, run: &Run) -> Result<()> {
        self.execute(
            sql!("put_run"),
            &[&run.id.0, &run.is_live(), &Text::new(&json(run))],
        )?;
        self.touch(Topic::Runs)
    }

    fn put_batch_run(&mut self, batch: &BatchRun) -> Result<()> {
        self.execute(
            sql!("put_batch_run"),
            &[
                &batch.id.0,
                &batch.sub_campaign.0,
                &batch.is_live(),
                &Text::new(&json(batch)),
            ],
        )?;
        self.touch(Topic::Runs)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("runs have string keys only and always serialise")
}

fn body<T: DeserializeOwned>(table: &'static str, row: &Row) -> Result<T> {
    serde_json::from_str(row.try_get(0)?).map_err(|error| damaged(table, "body", 0, error))
}
