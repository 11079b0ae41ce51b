//! Who calls (`api.md` 1.11): Basic, Bearer, and UsernameToken as text or digest.
//!
//! API secrets are long random values: found by a keyed hash, and kept sealed because a digest needs them in clear.
//! Login passwords are slow hashes; a success is remembered for minutes under a key that dies with the process. Every
//! failure has one answer, and a nonce is used up in the commit of the call it came with.

use crate::limits;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use base64::Engine as _;
use carillon_model::moment::Moment;
use carillon_model::name::fold;
use carillon_model::user::{ApiKey, User};
use carillon_model::{OrgId, UserId};
use carillon_store::{EntityReadExt as _, Snapshot, Store};
use hmac::{Hmac, Mac};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What a caller shows.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// HTTP Basic.
    Basic {
        /// Login.
        login: String,
        /// Login password or API secret.
        password: String,
    },
    /// An API secret.
    Bearer(String),
    /// A WS-Security UsernameToken.
    Token {
        /// Login.
        login: String,
        /// Text, or the digest.
        password: String,
        /// Whether it is a digest.
        digest: bool,
        /// Nonce as it was written.
        nonce: Option<String>,
        /// Created as it was written.
        created: Option<String>,
    },
    /// The operator at the machine itself (`carillon call`): taken at its word, by login.
    Local(String),
}

/// Authentication failed. There is deliberately nothing more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied;

/// Start of every API secret: tells one from a login password without looking either up.
const SECRET_PREFIX: &str = "ck_";

/// Keys of the installation and of the process.
pub struct Keys {
    hash: [u8; 32],
    seal: Aes256Gcm,
    process: [u8; 32],
}

fn mac(key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    for piece in pieces {
        mac.update(&(piece.len() as u64).to_be_bytes());
        mac.update(piece);
    }
    mac.finalize().into_bytes().into()
}

impl Keys {
    /// `installation` is the same for as long as the store lives; `process` is drawn at each start.
    pub fn new(installation: &[u8; 32], process: [u8; 32]) -> Self {
        let seal = mac(installation, &[b"seal"]);
        Self {
            hash: mac(installation, &[b"hash"]),
            seal: Aes256Gcm::new_from_slice(&seal).expect("the derived key has 32 bytes"),
            process,
        }
    }

    /// The hash by which an API secret is found.
    pub fn hash(&self, secret: &str) -> [u8; 32] {
        mac(&self.hash, &[secret.as_bytes()])
    }

    /// A new API secret from 32 random bytes.
    pub fn secret(random: &[u8; 32]) -> String {
        format!(
            "{SECRET_PREFIX}{}",
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random)
        )
    }

    /// Seals a secret with 12 random bytes as nonce.
    pub fn seal(&self, secret: &str, random: [u8; 12]) -> Vec<u8> {
        let mut sealed = random.to_vec();
        let encrypted = self
            .seal
            .encrypt(Nonce::from_slice(&random), secret.as_bytes())
            .expect("a secret is far below the limit of AES-GCM");
        sealed.extend(encrypted);
        sealed
    }

    /// Opens a sealed secret; none when it was sealed under another installation's key.
    pub fn open(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, encrypted) = sealed.split_at_checked(12)?;
        let secret = self
            .seal
            .decrypt(Nonce::from_slice(nonce), encrypted)
            .ok()?;
        String::from_utf8(secret).ok()
    }
}

/// Hashes a login password with 16 random bytes as salt; some 20 ms of work.
pub fn hash_password(password: &str, random: [u8; 16]) -> String {
    let salt = SaltString::encode_b64(&random).expect("16 bytes are a legal salt");
    argon2::Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .expect("the default parameters are legal")
        .to_string()
}

/// Whether a password is the one that was hashed; some 20 ms of work.
pub fn verify_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        argon2::Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// A hash of nothing anybody knows, so that an unknown login costs what a wrong password costs.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$Zl2ZyjhdaLtSwBpVSpnUZ5jF6k8ZJ0JzPRsRxvW3Jx0";

/// Compares without telling where the difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// Failures of logins, and passwords proven lately. Both hold in this process only.
pub struct Memory {
    /// Each slow hash takes memory and a core: only a few at once, whoever asks.
    hashing: tokio::sync::Semaphore,
    failures: Mutex<HashMap<String, Vec<Moment>>>,
    proven: Mutex<HashMap<[u8; 32], Moment>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            hashing: tokio::sync::Semaphore::new(limits::HASHES_AT_ONCE),
            failures: Mutex::default(),
            proven: Mutex::default(),
        }
    }
}

impl Memory {
    fn locked(&self, login: &str, now: Moment) -> bool {
        let failures = self.failures.lock().expect("no panic holds this lock");
        failures.get(login).is_some_and(|times| {
            times.len() >= limits::LOCK_FAILURES
                && times
                    .last()
                    .is_some_and(|last| now.since(*last) < limits::LOCK_WINDOW)
        })
    }

    fn failed(&self, login: &str, now: Moment) {
        let mut failures = self.failures.lock().expect("no panic holds this lock");
        if failures.len() >= limits::LOCKS_WATCHED_MAX {
            failures.retain(|_, times| {
                times
                    .last()
                    .is_some_and(|last| now.since(*last) < limits::LOCK_WINDOW)
            });
        }
        let times = failures.entry(login.to_owned()).or_default();
        times.retain(|time| now.since(*time) < limits::LOCK_WINDOW);
        times.push(now);
    }

    fn succeeded(&self, login: &str) {
        self.failures
            .lock()
            .expect("no panic holds this lock")
            .remove(login);
    }

    fn remembers(&self, proof: &[u8; 32], now: Moment) -> bool {
        let proven = self.proven.lock().expect("no panic holds this lock");
        proven.get(proof).is_some_and(|until| *until > now)
    }

    fn remember(&self, proof: [u8; 32], now: Moment) {
        let mut proven = self.proven.lock().expect("no panic holds this lock");
        if proven.len() >= limits::PASSWORDS_REMEMBERED_MAX {
            proven.retain(|_, until| *until > now);
        }
        if proven.len() < limits::PASSWORDS_REMEMBERED_MAX {
            proven.insert(proof, now.plus(limits::PASSWORD_REMEMBERED));
        }
    }
}

/// A caller that proved who it is.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The User.
    pub user: User,
    /// The nonce to be used up with the call.
    pub nonce: Option<[u8; 32]>,
}

/// What is known after the look into the store.
enum Looked {
    Proven(User),
    /// A slow hash has to decide; none = there is no such user or password, and the work is done for nothing.
    Hash(Option<(User, String)>),
    No,
}

/// Proves a caller. `trusted` = the listener takes clear-text secrets (TLS, or marked trusted).
pub async fn authenticate(
    store: &Store,
    keys: &Arc<Keys>,
    memory: &Memory,
    credentials: Credentials,
    trusted: bool,
    now: Moment,
) -> Result<Result<Proven, Denied>, carillon_store::Error> {
    let (login, clear) = match &credentials {
        Credentials::None => return Ok(Err(Denied)),
        Credentials::Local(login) => (fold(login), false),
        Credentials::Bearer(_) => (String::new(), true),
        Credentials::Basic { login, .. } => (fold(login), true),
        Credentials::Token { login, digest, .. } => (fold(login), !digest),
    };
    if (clear && !trusted) || memory.locked(&login, now) {
        return Ok(Err(Denied));
    }
    let nonce = match fresh_nonce(&credentials, now) {
        Ok(nonce) => nonce,
        Err(denied) => {
            memory.failed(&login, now);
            return Ok(Err(denied));
        }
    };
    let (looked_keys, looked_credentials) = (Arc::clone(keys), credentials.clone());
    let looked =
        store.read_now(move |snapshot| look(snapshot, &looked_keys, &looked_credentials, now))?;
    let user = match looked {
        Looked::Proven(user) => Some(user),
        Looked::No => None,
        Looked::Hash(candidate) => prove_password(keys, memory, candidate, &credentials, now).await,
    };
    Ok(match user {
        Some(user) => {
            memory.succeeded(&login);
            Ok(Proven { user, nonce })
        }
        None => {
            if !login.is_empty() {
                memory.failed(&login, now);
            }
            Err(Denied)
        }
    })
}

/// Checks Created and names the nonce (A3): required for a digest, checked when present otherwise.
fn fresh_nonce(credentials: &Credentials, now: Moment) -> Result<Option<[u8; 32]>, Denied> {
    let Credentials::Token {
        login,
        digest,
        nonce,
        created,
        ..
    } = credentials
    else {
        return Ok(None);
    };
    if *digest && (nonce.is_none() || created.is_none()) {
        return Err(Denied);
    }
    if let Some(created) = created {
        let created = crate::shape::form::moment(
            created,
            &jiff::tz::TimeZone::UTC,
            crate::shape::form::Bound::Start,
        )
        .ok_or(Denied)?;
        let age = now.since(created);
        if !(-limits::CREATED_FUTURE..=limits::CREATED_PAST).contains(&age) {
            return Err(Denied);
        }
    }
    let Some(nonce) = nonce else { return Ok(None) };
    if nonce.is_empty() || nonce.len() > limits::NONCE_BYTES_MAX {
        return Err(Denied);
    }
    let mut hash = Sha256::new();
    sha2::Digest::update(&mut hash, fold(login).as_bytes());
    sha2::Digest::update(&mut hash, [0]);
    sha2::Digest::update(&mut hash, nonce.as_bytes());
    Ok(Some(sha2::Digest::finalize(hash).into()))
}

fn look(
    snapshot: &dyn Snapshot,
    keys: &Keys,
    credentials: &Credentials,
    now: Moment,
) -> Result<Looked, carillon_store::Error> {
    let alive = |key: &ApiKey| key.expires.is_none_or(|expires| expires > now);
    match credentials {
        Credentials::None => Ok(Looked::No),
        Credentials::Local(login) => Ok(snapshot
            .find::<User>(0, login)?
            .map_or(Looked::No, Looked::Proven)),
        Credentials::Bearer(secret) => {
            let key = snapshot.api_key_by_hash(&keys.hash(secret))?.filter(alive);
            let user = match key {
                Some(key) => snapshot.get::<User>(key.user)?,
                None => None,
            };
            Ok(user.map_or(Looked::No, Looked::Proven))
        }
        Credentials::Token {
            login,
            password,
            digest: true,
            nonce,
            created,
        } => {
            let Some(user) = snapshot.find::<User>(0, login)? else {
                return Ok(Looked::No);
            };
            let nonce = nonce.as_deref().unwrap_or_default();
            let nonce_bytes =
                crate::shape::form::bytes(nonce).unwrap_or_else(|| nonce.as_bytes().to_vec());
            let created = created.as_deref().unwrap_or_default();
            let Some(sent) = crate::shape::form::bytes(password) else {
                return Ok(Looked::No);
            };
            for key in snapshot
                .api_keys(UserId(user.base.internal_id))?
                .iter()
                .filter(|key| alive(key))
            {
                let Some(secret) = keys.open(&key.sealed) else {
                    continue;
                };
                let mut digest = Sha1::new();
                digest.update(&nonce_bytes);
                digest.update(created.as_bytes());
                digest.update(secret.as_bytes());
                if same(&digest.finalize(), &sent) {
                    return Ok(Looked::Proven(user));
                }
            }
            Ok(Looked::No)
        }
        Credentials::Basic { login, password }
        | Credentials::Token {
            login, password, ..
        } => {
            let user = snapshot.find::<User>(0, login)?;
            if password.starts_with(SECRET_PREFIX) {
                let key = snapshot
                    .api_key_by_hash(&keys.hash(password))?
                    .filter(alive);
                return Ok(match (user, key) {
                    (Some(user), Some(key)) if key.user.0 == user.base.internal_id => {
                        Looked::Proven(user)
                    }
                    _ => Looked::No,
                });
            }
            let Some(user) = user else {
                return Ok(Looked::Hash(None));
            };
            let expired = user
                .password_expiration
                .is_some_and(|expires| expires <= now);
            let hash = snapshot
                .password(UserId(user.base.internal_id))?
                .filter(|_| !expired);
            Ok(Looked::Hash(hash.map(|hash| (user, hash))))
        }
    }
}

async fn prove_password(
    keys: &Keys,
    memory: &Memory,
    candidate: Option<(User, String)>,
    credentials: &Credentials,
    now: Moment,
) -> Option<User> {
    let (Credentials::Basic { password, .. } | Credentials::Token { password, .. }) = credentials
    else {
        return None;
    };
    let hash = candidate
        .as_ref()
        .map_or(NOBODY, |(_, hash)| hash.as_str())
        .to_owned();
    let proof = mac(&keys.process, &[password.as_bytes(), hash.as_bytes()]);
    if candidate.is_some() && memory.remembers(&proof, now) {
        return candidate.map(|(user, _)| user);
    }
    let password = password.clone();
    let _turn = memory.hashing.acquire().await.ok()?;
    let right = tokio::task::spawn_blocking(move || verify_password(&password, &hash))
        .await
        .unwrap_or(false);
    if right && candidate.is_some() {
        memory.remember(proof, now);
        return candidate.map(|(user, _)| user);
    }
    None
}

/// Reads an Authorization header.
pub fn from_header(header: Option<&str>) -> Credentials {
    let Some((scheme, value)) = header.and_then(|header| header.trim().split_once(' ')) else {
        return Credentials::None;
    };
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Bearer(value.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((login, password)) = text.as_deref().and_then(|text| text.split_once(':')) {
            return Credentials::Basic {
                login: login.to_owned(),
                password: password.to_owned(),
            };
        }
    }
    Credentials::None
}

/// Requests per minute of each caller Org, as a bucket that refills evenly.
#[derive(Default)]
pub struct Rates {
    buckets: Mutex<HashMap<OrgId, (f64, Moment)>>,
}

impl Rates {
    /// Takes one request; the seconds to wait when there is none.
    pub fn take(&self, org: OrgId, per_minute: usize, now: Moment) -> Result<(), u64> {
        let most = per_minute as f64;
        let mut buckets = self.buckets.lock().expect("no panic holds this lock");
        if buckets.len() >= limits::RATES_WATCHED_MAX {
            buckets.retain(|_, (_, seen)| now.since(*seen) < carillon_model::moment::MINUTE);
        }
        let (left, seen) = buckets.entry(org).or_insert((most, now));
        let refill = now.since(*seen).max(0) as f64 * most / carillon_model::moment::MINUTE as f64;
        *left = (*left + refill).min(most);
        *seen = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return Ok(());
        }
        let wait = if most > 0.0 {
            (1.0 - *left) * 60.0 / most
        } else {
            60.0
        };
        Err(wait.ceil().max(1.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sealed_and_found() {
        let keys = Keys::new(&[1; 32], [2; 32]);
        let secret = Keys::secret(&[7; 32]);
        assert_eq!(
            keys.open(&keys.seal(&secret, [3; 12])).as_deref(),
            Some(secret.as_str())
        );
        assert_eq!(
            keys.hash(&secret),
            Keys::new(&[1; 32], [9; 32]).hash(&secret)
        );
        assert_ne!(
            keys.hash(&secret),
            Keys::new(&[2; 32], [2; 32]).hash(&secret)
        );
        assert_eq!(
            Keys::new(&[2; 32], [2; 32]).open(&keys.seal(&secret, [3; 12])),
            None
        );
        assert_eq!(keys.open(b"short"), None);
    }

    #[test]
    fn the_hash_of_nobody_costs_what_others_cost() {
        assert!(PasswordHash::new(NOBODY).is_ok_and(|hash| hash.hash.is_some()));
        assert!(!verify_password("anything", NOBODY));
    }

    #[test]
    fn rates_refill() {
        let rates = Rates::default();
        assert_eq!(rates.take(OrgId(1), 2, Moment(0)), Ok(()));
        assert_eq!(rates.take(OrgId(1), 2, Moment(0)), Ok(()));
        assert_eq!(rates.take(OrgId(1), 2, Moment(0)), Err(30));
        assert_eq!(rates.take(OrgId(2), 2, Moment(0)), Ok(()));
        assert_eq!(rates.take(OrgId(1), 2, Moment(30_000)), Ok(()));
    }

    #[test]
    fn ten_failures_lock() {
        let memory = Memory::default();
        for at in 0..10 {
            assert!(!memory.locked("a", Moment(at)));
            memory.failed("a", Moment(at));
        }
        assert!(memory.locked("a", Moment(10)));
        assert!(!memory.locked("b", Moment(10)));
        assert!(!memory.locked("a", Moment(10 + limits::LOCK_WINDOW)));
    }

    #[test]
    fn headers_are_read() {
        assert!(
            matches!(from_header(Some("Bearer x")), Credentials::Bearer(secret) if secret == "x")
        );
        let Credentials::Basic { login, password } = from_header(Some("basic YTpiOmM=")) else {
            panic!("Basic is read");
        };
        assert_eq!((login.as_str(), password.as_str()), ("a", "b:c"));
        assert!(matches!(from_header(Some("Basic %%")), Credentials::None));
    }
}
