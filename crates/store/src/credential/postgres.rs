//! Credentials in PostgreSQL.

use super::{ApiKey, CredentialRead, CredentialWrite};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Text, maybe_number, number};
use crate::sqlite::session::{damaged, rows};
use carillon_model::{ApiKeyId, Moment, UserId};
use tokio_postgres::Row;

impl CredentialRead for Session {
    fn password(&self, user: UserId) -> Result<Option<String>> {
        Ok(self.password_history(user, 1)?.pop())
    }

    fn password_history(&self, user: UserId, limit: usize) -> Result<Vec<String>> {
        self.list(sql!("passwords"), &[&user.0, &rows(limit)], |row| {
            Ok(row.try_get(0)?)
        })
    }

    fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
        self.one(sql!("api_key_by_hash"), &[&hash.as_slice()], read)
    }

    fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>> {
        self.list(sql!("api_keys"), &[&user.0], read)
    }
}

impl CredentialWrite for Session {
    fn put_password(&mut self, user: UserId, hash: &str, now: Moment) -> Result<()> {
        let hash = Text::new(hash);
        self.execute(sql!("put_password"), &[&user.0, &hash, &now.0])
            .map(|_| ())
    }

    fn put_api_key(&mut self, key: &ApiKey) -> Result<()> {
        self.execute(
            sql!("put_api_key"),
            &[
                &key.id.0,
                &key.user.0,
                &Text::new(&key.name),
                &key.created.0,
                &key.expires.map(|expires| expires.0),
                &key.hash.as_slice(),
                &key.sealed,
            ],
        )
        .map(|_| ())
    }

    fn delete_api_key(&mut self, id: ApiKeyId) -> Result<bool> {
        Ok(self.execute(sql!("delete_api_key"), &[&id.0])? == 1)
    }

    fn use_nonce(&mut self, nonce: &[u8; 32], now: Moment) -> Result<bool> {
        Ok(self.execute(sql!("use_nonce"), &[&nonce.as_slice(), &now.0])? == 1)
    }

    fn drop_nonces(&mut self, before: Moment) -> Result<usize> {
        self.execute(sql!("drop_nonces"), &[&before.0])
    }
}

fn read(row: &Row) -> Result<ApiKey> {
    let id = number(row, 0)?;
    let hash: &[u8] = row.try_get(5)?;
    Ok(ApiKey {
        id: ApiKeyId(id),
        user: UserId(number(row, 1)?),
        name: row.try_get(2)?,
        created: Moment(number(row, 3)?),
        expires: maybe_number(row, 4)?.map(Moment),
        hash: hash
            .try_into()
            .map_err(|error| damaged("api_key", "hash", id, error))?,
        sealed: row.try_get(6)?,
    })
}
