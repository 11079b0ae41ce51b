//! Credentials in memory.

use super::{ApiKey, CredentialRead, CredentialWrite};
use crate::memory::State;
use crate::{Error, Result};
use carillon_model::{ApiKeyId, Moment, UserId};
use imbl::{OrdMap, Vector};

/// Password hashes by User, oldest first; keys; nonces.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    passwords: OrdMap<UserId, Vector<String>>,
    keys: OrdMap<ApiKeyId, ApiKey>,
    key_of_hash: OrdMap<[u8; 32], ApiKeyId>,
    nonces: OrdMap<[u8; 32], Moment>,
}

impl CredentialRead for State {
    fn password(&self, user: UserId) -> Result<Option<String>> {
        Ok(self
            .credential
            .passwords
            .get(&user)
            .and_then(|hashes| hashes.last().cloned()))
    }

    fn password_history(&self, user: UserId, limit: usize) -> Result<Vec<String>> {
        let hashes = self.credential.passwords.get(&user);
        Ok(hashes
            .map(|hashes| hashes.iter().rev().take(limit).cloned().collect())
            .unwrap_or_default())
    }

    fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
        Ok(self
            .credential
            .key_of_hash
            .get(hash)
            .and_then(|id| self.credential.keys.get(id).cloned()))
    }

    fn api_keys(&self, user: UserId) -> Result<Vec<ApiKey>> {
        Ok(self
            .credential
            .keys
            .values()
            .filter(|key| key.user == user)
            .cloned()
            .collect())
    }
}

impl CredentialWrite for State {
    fn put_password(&mut self, user: UserId, hash: &str, _now: Moment) -> Result<()> {
        self.credential
            .passwords
            .entry(user)
            .or_default()
            .push_back(hash.to_owned());
        Ok(())
    }

    fn put_api_key(&mut self, key: &ApiKey) -> Result<()> {
        if self.credential.keys.contains_key(&key.id)
            || self.credential.key_of_hash.contains_key(&key.hash)
        {
            return Err(Error::Database(format!(
                "API key {} or its hash is there already",
                key.id
            )));
        }
        self.credential.key_of_hash.insert(key.hash, key.id);
        self.credential.keys.insert(key.id, key.clone());
        Ok(())
    }

    fn delete_api_key(&mut self, id: ApiKeyId) -> Result<bool> {
        let Some(key) = self.credential.keys.remove(&id) else {
            return Ok(false);
        };
        self.credential.key_of_hash.remove(&key.hash);
        Ok(true)
    }

    fn use_nonce(&mut self, nonce: &[u8; 32], now: Moment) -> Result<bool> {
        if self.credential.nonces.contains_key(nonce) {
            return Ok(false);
        }
        self.credential.nonces.insert(*nonce, now);
        Ok(true)
    }

    fn drop_nonces(&mut self, before: Moment) -> Result<usize> {
        let present = self.credential.nonces.len();
        let kept = self
            .credential
            .nonces
            .iter()
            .filter(|(_, at)| **at >= before);
        self.credential.nonces = kept.map(|(nonce, at)| (*nonce, *at)).collect();
        Ok(present - self.credential.nonces.len())
    }
}
