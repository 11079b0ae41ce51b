//! `carillon backup`, `restore` and `release`, and `POST /api/v1/backups`, by which a backup is made while a server has the
//! store. A backup is two files: the store as of one moment, and the installation's key beside it.

use crate::client::Client;
use crate::clock::SystemClock;
use crate::command::{self, Failure};
use crate::{fence, installation};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use carillon_api::ApiState;
use carillon_model::moment::Clock as _;
use carillon_model::{OrgId, Role, SystemEventId, UserId};
use carillon_store::audit::SystemEvent;
use carillon_store::{Error, Store, Urgency};
use serde_json::{Value, json};
use std::fs::{DirBuilder, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The store in a data folder, as `Store::open` looks for it.
const STORE_FILE: &str = "carillon.db";
/// How every SQLite store begins.
const STORE_HEAD: &[u8; 16] = b"SQLite format 3\0";
/// Where a running server puts backups, in its data folder.
const FOLDER: &str = "backups";
/// Backups that a server keeps: whoever makes more takes some away first, so that calls alone cannot fill the disk.
const BACKUPS_MAX: usize = 32;
/// How long the command waits for the server's backup: a store of some hundred GB.
const PATIENCE: Duration = Duration::from_secs(6 * 3_600);

/// `carillon backup`.
pub fn backup(arguments: &command::Backup) -> Result<(), Failure> {
    let key = installation::read_key(&arguments.data)?;
    refuse_present(&arguments.to)?;
    match Store::open(&arguments.data) {
        Ok(store) => {
            let copied = copy_out(&store, &key, &arguments.to);
            store.close();
            copied?;
        }
        Err(Error::InUse) => through_server(arguments)?,
        Err(other) => return Err(other.into()),
    }
    println!(
        "{} and {}: keep both, and keep them secret",
        arguments.to.display(),
        key_of(&arguments.to).display()
    );
    Ok(())
}

/// `carillon restore`: a store that sends nothing until it is released.
pub fn restore(arguments: &command::Restore) -> Result<(), Failure> {
    let data = &arguments.data;
    let key_file = match &arguments.key {
        Some(key) => key.clone(),
        None => key_of(&arguments.from),
    };
    let key = std::fs::read(&key_file)
        .map_err(|error| format!("cannot read the key {}: {error}", key_file.display()))?;
    let key = installation::Key::try_from(key)
        .map_err(|_| format!("{} is no installation's key", key_file.display()))?;
    let mut from = File::open(&arguments.from)
        .map_err(|error| format!("cannot read {}: {error}", arguments.from.display()))?;
    let mut head = [0; STORE_HEAD.len()];
    if from.read_exact(&mut head).is_err() || head != *STORE_HEAD {
        return Err(format!("{} is no backup of a store", arguments.from.display()).into());
    }
    std::fs::create_dir_all(data)?;
    if std::fs::read_dir(data)?.next().is_some() {
        return Err(format!(
            "{} is not empty; restore into a folder of its own",
            data.display()
        )
        .into());
    }
    let partial = data.join("restore.partial");
    let mut to = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    to.write_all(&head)?;
    std::io::copy(&mut from, &mut to)?;
    to.sync_all()?;
    write_private(&data.join(installation::KEY_FILE), &key)?;
    std::fs::rename(&partial, data.join(STORE_FILE))?;
    File::open(data)?.sync_all()?;
    let store = Store::open(data)?;
    let fenced = fence::raise(&store);
    store.close();
    fenced?;
    println!(
        "restored into {0}; it sends nothing until `carillon release --data {0}`",
        data.display()
    );
    Ok(())
}

/// `carillon release`: this copy is the one that sends from now on.
pub fn release(arguments: &command::Release) -> Result<(), Failure> {
    installation::read_key(&arguments.data)?;
    let store = Store::open(&arguments.data).map_err(|error| -> Failure {
        match error {
            Error::InUse => "stop the server first; it goes on when it is started again".into(),
            other => other.into(),
        }
    })?;
    let was = fence::check(&arguments.data, &store).and_then(|cause| {
        if cause.is_some() {
            fence::release(&arguments.data, &store)?;
        }
        Ok(cause)
    });
    store.close();
    match was? {
        Some(_) => println!(
            "released: {} sends from the next start on; see that no other copy does",
            arguments.data.display()
        ),
        None => println!("{} is not fenced", arguments.data.display()),
    }
    Ok(())
}

/// The key's file beside a backup.
fn key_of(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

fn refuse_present(to: &Path) -> Result<(), Failure> {
    for path in [to.to_owned(), key_of(to)] {
        if path.exists() {
            return Err(format!("{} is there already", path.display()).into());
        }
    }
    Ok(())
}

/// Copies store and key. Nobody but the owner ever can read the copies, and what bears the name asked for is whole.
fn copy_out(store: &Store, key: &installation::Key, to: &Path) -> Result<(), Failure> {
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What a crash left; nobody else makes a name like this one.
    if partial.is_dir() {
        std::fs::remove_dir_all(&partial)?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&partial)
        .map_err(|error| format!("cannot write beside {}: {error}", to.display()))?;
    let copied = copy_into(store, key, &partial, to);
    // Empty after a success; after a failure what is in it is of no use to anybody.
    let removed = std::fs::remove_dir_all(&partial);
    copied?;
    removed?;
    sync_folder_of(to)
}

fn copy_into(
    store: &Store,
    key: &installation::Key,
    partial: &Path,
    to: &Path,
) -> Result<(), Failure> {
    let copy = partial.join("store");
    store.backup(&copy)?;
    std::fs::set_permissions(&copy, Permissions::from_mode(0o600))?;
    write_private(&key_of(to), key)?;
    std::fs::rename(&copy, to)?;
    Ok(())
}

fn sync_folder_of(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Asks the server that has the store for a backup and takes it out of its folder.
fn through_server(arguments: &command::Backup) -> Result<(), Failure> {
    let secret = arguments.key.as_deref().ok_or(
        "a server has the store open: give its address (--server) and an API key of a SystemAdministrator (--key)",
    )?;
    let client = Client::patient(&arguments.server, secret, PATIENCE);
    let answer = client.call("POST", "/api/v1/backups", None)?;
    let name = answer["data"]["name"].as_str().unwrap_or_default();
    let made = arguments.data.join(FOLDER).join(name);
    if name.is_empty() || name.contains('/') || !made.is_file() {
        return Err(format!(
            "the server at {} made the backup {name:?}, but not in {}: it serves another folder",
            arguments.server,
            arguments.data.display()
        )
        .into());
    }
    take_away(&key_of(&made), &key_of(&arguments.to))?;
    take_away(&made, &arguments.to)?;
    sync_folder_of(&arguments.to)
}

/// Moves a file, also to another disk.
fn take_away(from: &Path, to: &Path) -> Result<(), Failure> {
    if std::fs::rename(from, to).is_ok() {
        return Ok(());
    }
    let mut target = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| format!("cannot write {}: {error}", to.display()))?;
    std::io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()?;
    std::fs::remove_file(from)?;
    Ok(())
}

/// What the server's side needs.
struct Maker {
    state: ApiState,
    key: installation::Key,
    data: PathBuf,
    /// Held while a backup is made: one at a time is what a disk can do well.
    turn: tokio::sync::Mutex<()>,
}

/// `POST /api/v1/backups`: for SystemAdministrators, on trusted listeners. It writes into the server's own folder and
/// answers the name; the content never goes over the network.
pub fn router(state: ApiState, key: installation::Key, data: PathBuf) -> Router {
    let maker = Maker {
        state,
        key,
        data,
        turn: tokio::sync::Mutex::new(()),
    };
    Router::new()
        .route("/api/v1/backups", post(create))
        .with_state(Arc::new(maker))
}

async fn create(State(maker): State<Arc<Maker>>, headers: HeaderMap) -> Response {
    let user = match administrator(&maker.state, &headers).await {
        Ok(user) => user,
        Err(refusal) => return refusal,
    };
    let Ok(_turn) = maker.turn.try_lock() else {
        return problem(
            StatusCode::CONFLICT,
            "INVALID_STATE",
            "a backup is being made",
        );
    };
    let at = Arc::clone(&maker);
    let made = tokio::task::spawn_blocking(move || at.make(user)).await;
    match made {
        Ok(Ok(Some(data))) => {
            (StatusCode::CREATED, axum::Json(json!({ "data": data }))).into_response()
        }
        Ok(Ok(None)) => problem(
            StatusCode::CONFLICT,
            "SYSTEM_LIMIT_EXCEEDED",
            "the folder of backups is full; take some away",
        ),
        Ok(Err(error)) => {
            tracing::error!(%error, "the backup failed");
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "the backup failed; the log says why",
            )
        }
        Err(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "the backup failed; the log says why",
        ),
    }
}

impl Maker {
    /// A backup under the name of its moment; none when there are too many.
    fn make(&self, user: UserId) -> Result<Option<Value>, Failure> {
        let folder = self.data.join(FOLDER);
        if !folder.is_dir() {
            DirBuilder::new().mode(0o700).create(&folder)?;
        }
        let present = std::fs::read_dir(&folder)?
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|it| it == "db"))
            .count();
        if present >= BACKUPS_MAX {
            return Ok(None);
        }
        let now = SystemClock.now();
        let name = format!("{}.db", now.wire().replace(':', "-"));
        let to = folder.join(&name);
        refuse_present(&to)?;
        copy_out(self.state.store(), &self.key, &to)?;
        let bytes = std::fs::metadata(&to)?.len();
        self.tell(user, &name)?;
        tracing::info!(name, bytes, "a backup was made");
        Ok(Some(json!({
            "name": name,
            "path": to.display().to_string(),
            "keyPath": key_of(&to).display().to_string(),
            "bytes": bytes,
        })))
    }

    /// The line of the audit trail.
    fn tell(&self, user: UserId, name: &str) -> Result<(), Failure> {
        let detail = json!({ "name": name }).to_string();
        let at = SystemClock.now();
        self.state
            .store()
            .write_now(Urgency::People, move |transaction| {
                let root = transaction.fact("installation.superEnterprise")?;
                let id = transaction.take_ids(1)?;
                transaction.append_system_events(&[SystemEvent {
                    id: SystemEventId(id),
                    owner: OrgId(root.and_then(|root| root.parse().ok()).unwrap_or_default()),
                    at,
                    user,
                    action: "createBackup".to_owned(),
                    subject: "store".to_owned(),
                    detail,
                }])?;
                Ok::<_, Error>(())
            })?;
        Ok(())
    }
}

/// The SystemAdministrator who calls, proven as every call is, or what is answered to anybody else.
async fn administrator(state: &ApiState, headers: &HeaderMap) -> Result<UserId, Response> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let credentials = carillon_api::auth::from_header(header);
    let session = carillon_api::call(state, credentials, "showCurrentSession", "{}")
        .await
        .map_err(|refusal| {
            let told: Value = serde_json::from_str(&refusal).unwrap_or_default();
            let status = told["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .and_then(|status| StatusCode::from_u16(status).ok());
            problem_text(status.unwrap_or(StatusCode::UNAUTHORIZED), refusal)
        })?;
    let session: Value = serde_json::from_str(&session).unwrap_or_default();
    let user = &session["data"]["user"];
    let may = user["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|role| role == Role::SystemAdministrator.text());
    let id = user["internalId"].as_str().and_then(|id| id.parse().ok());
    match id.filter(|_| may) {
        Some(id) => Ok(UserId(id)),
        None => Err(problem(
            StatusCode::FORBIDDEN,
            "ACCESS_DENIED",
            "backups are made by a SystemAdministrator",
        )),
    }
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = json!({ "status": status.as_u16(), "code": code, "detail": detail });
    problem_text(status, body.to_string())
}

fn problem_text(status: StatusCode, body: String) -> Response {
    let head = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, head, Body::from(body)).into_response()
}
