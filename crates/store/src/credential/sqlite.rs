//! Credentials in SQLite.

use super::{ApiKey, CredentialRead, CredentialWrite};
use crate::Result;
use crate::sqlite::session::{Session, rows};
use crate::sqlite::statement::sql;
use carillon_model::{ApiKeyId, Moment, UserId};
use rusqlite::{Row, params};

impl CredentialRead for Session {
    fn password(&self, user: UserId) -> Result<Option<String>> {
        self.one(sql!("passwords"), [user.0, 1], |row| Ok(row.get(0)?))
    }

    fn password_history(&self, user: UserId, limit: usize) -> Result<Vec<String>> {
        self.list(sql!("passwords"), [user.0, rows(limit)], |row| {
            Ok(row.get(0)?)
        })
    }

    fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
        self.one(sql!("api_key_by_hash"), [hash], read)
    }

    fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>> {
        self.list(sql!("api_keys"), [user.0], read)
    }
}

impl CredentialWrite for Session {
    fn put_password(&mut self, user: UserId, hash: &str, now: Moment) -> Result<()> {
        self.execute(sql!("put_password"), params![user.0, hash, now.0])
            .map(|_| ())
    }

    fn put_api_key(&mut self, key: &ApiKey) -> Result<()> {
        let expires = key.expires.map(|expires| expires.0);
        let row = params![
            key.id.0,
            key.user.0,
            key.name,
            key.created.0,
            expires,
            key.hash,
            key.sealed
        ];
        self.execute(sql!("put_api_key"), row).map(|_| ())
    }

    fn delete_api_key(&mut self, id: ApiKeyId) -> Result<bool> {
        Ok(self.execute(sql!("delete_api_key"), [id.0])? == 1)
    }

    fn use_nonce(&mut self, nonce: &[u8; 32], now: Moment) -> Result<bool> {
        Ok(self.execute(sql!("use_nonce"), params![nonce, now.0])? == 1)
    }

    fn drop_nonces(&mut self, before: Moment) -> Result<usize> {
        self.execute(sql!("drop_nonces"), [before.0])
    }
}

fn read(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId(row.get(0)?),
        user: UserId(row.get(1)?),
        name: row.get(2)?,
        created: Moment(row.get(3)?),
        expires: row.get::<_, Option<i64>>(4)?.map(Moment),
        hash: row.get(5)?,
        sealed: row.get(6)?,
    })
}
