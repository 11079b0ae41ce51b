//! Credentials, apart from Users: password hashes, API keys, and the nonces already used.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::user::ApiKey;
use carillon_model::{ApiKeyId, Moment, UserId};

/// Reading credentials.
pub trait CredentialRead {
    /// The present password hash (PHC string) of a User.
    fn password(&self, user: UserId) -> Result<Option<String>>;
    /// The last hashes, newest first, the present one included.
    fn password_history(&self, user: UserId, limit: usize) -> Result<Vec<String>>;
    /// The key with this hash.
    fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>>;
    /// Keys of a User, by id.
    fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>>;
}

/// Writing credentials.
pub trait CredentialWrite {
    /// Sets the password hash of a User.
    fn put_password(&mut self, user: UserId, hash: &str, now: Moment) -> Result<()>;
    /// Adds a key.
    fn put_api_key(&mut self, key: &ApiKey) -> Result<()>;
    /// Removes a key; answers whether it was there.
    fn delete_api_key(&mut self, id: ApiKeyId) -> Result<bool>;
    /// Marks a nonce as used; answers false when it was used already.
    fn use_nonce(&mut self, nonce: &[u8; 32], now: Moment) -> Result<bool>;
    /// Forgets nonces used before a moment.
    fn drop_nonces(&mut self, before: Moment) -> Result<usize>;
}
