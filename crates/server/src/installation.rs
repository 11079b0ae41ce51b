//! `carillon init`: the SuperEnterprise, an Enterprise with its master account, an Account, the first user and its API
//! key; and the installation's key, which seals API secrets in the store.

use crate::chance;
use crate::clock::SystemClock;
use crate::command::{self, Failure};
use carillon_api::{Init, InitNames, init_installation};
use carillon_model::moment::Clock;
use carillon_store::Store;
use rand::RngCore;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// File of the installation's key in the data folder: 32 bytes, readable by the owner alone. Whoever has this file and
/// the store can read API secrets; keep a copy of it with every backup.
pub const KEY_FILE: &str = "installation.key";
/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// The key of an installation.
pub type Key = [u8; KEY_BYTES];

/// The folder has no usable key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No installation here.
    #[error("{0} holds no installation; make one with `carillon init --data {0} …`")]
    None(PathBuf),
    /// The key cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key is damaged.
    #[error("{0} is not {KEY_BYTES} bytes long: restore it from a backup")]
    Damaged(PathBuf),
}

/// Reads the key of a data folder.
pub fn read_key(data: &Path) -> Result<Key, Error> {
    let path = data.join(KEY_FILE);
    let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::None(data.to_owned()),
        _ => Error::File {
            path: path.clone(),
            source,
        },
    })?;
    Key::try_from(bytes).map_err(|_| Error::Damaged(path))
}

/// The key of a data folder, made when it is new. The file is durable before anything is sealed with it.
fn make_key(data: &Path) -> Result<Key, Error> {
    match read_key(data) {
        Err(Error::None(_)) => {}
        other => return other,
    }
    let path = data.join(KEY_FILE);
    let mut key = [0; KEY_BYTES];
    chance::generator().fill_bytes(&mut key);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(&key)?;
        file.sync_all()?;
        std::fs::File::open(data)?.sync_all()
    };
    write().map_err(|source| Error::File {
        path: path.clone(),
        source,
    })?;
    Ok(key)
}

/// Makes an installation in a folder and opens it.
pub fn make(
    data: &Path,
    names: &InitNames<'_>,
    password: &str,
) -> Result<(Store, Key, Init), Failure> {
    std::fs::create_dir_all(data).map_err(|source| Error::File {
        path: data.to_owned(),
        source,
    })?;
    let store = Store::open(data)?;
    let key = make_key(data)?;
    let now = SystemClock.now();
    let made = init_installation(&store, names, password, &key, &mut chance::generator(), now)?;
    crate::fence::release(data, &store)?;
    Ok((store, key, made))
}

/// `carillon init`.
pub fn init(arguments: &command::Init) -> Result<(), Failure> {
    let password = first_line(&arguments.password_file)?;
    let names = InitNames {
        enterprise: &arguments.enterprise,
        account: &arguments.account,
        login: &arguments.user,
    };
    let (store, _, made) = make(&arguments.data, &names, &password)?;
    store.close();
    let ids = serde_json::json!({
        "superEnterprise": made.super_enterprise.to_string(),
        "enterprise": made.enterprise.to_string(),
        "masterAccount": made.master_account.to_string(),
        "account": made.account.to_string(),
        "user": made.user.to_string(),
        "apiKey": made.api_key.to_string(),
        "secret": made.secret,
    });
    println!("{ids:#}");
    Ok(())
}

/// The first line of a small file.
fn first_line(path: &Path) -> Result<String, Error> {
    let file = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(file)?
        .take(4_096)
        .read_to_string(&mut text)
        .map_err(file)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
