//! The trip of one call between the doors: authentication, rate, role, the checks, then the method in one unit of work
//! with its audit line, its idempotency record and its nonce.

use crate::auth::{self, Credentials};
use crate::check::{self, Setting};
use crate::context::{Caller, Context, load_org, only_account};
use crate::door::json::address::Paging;
use crate::door::{Door, json, soap};
use crate::fault::{Code, Fault, Stop};
use crate::limits;
use crate::method::{Method, Prepare, Run};
use crate::state::ApiState;
use crate::tree::Tree;
use crate::value::{Answer, Data};
use carillon_model::user::User;
use carillon_model::{Moment, OrgId};
use carillon_store::idempotency::KeptAnswer;
use carillon_store::{Error, Urgency};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// A call as a door read it.
pub(crate) struct Call {
    pub method: &'static Method,
    pub tree: Tree,
    pub credentials: Credentials,
    /// The door, with the version of the schema for SOAP.
    pub wire: Wire,
    pub trusted: bool,
    pub paging: Paging,
    pub if_match: Option<String>,
    /// A list of one is answered as that one.
    pub single: bool,
    /// Idempotency-Key with the hash of the request.
    pub key: Option<(String, [u8; 32])>,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Soap(u16),
    Json,
}

impl Wire {
    pub(crate) fn door(self) -> Door {
        match self {
            Wire::Soap(_) => Door::Soap,
            Wire::Json => Door::Json,
        }
    }

    fn write(self, method: &Method, answer: &Answer) -> String {
        match self {
            Wire::Soap(version) => soap::answer(method, version, answer),
            Wire::Json => json::answer(answer),
        }
    }
}

/// A call that succeeded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Served {
    pub status: u16,
    pub body: String,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub replayed: bool,
}

/// A call that did not.
#[derive(Debug)]
pub(crate) enum Failure {
    /// One answer for every reason (A6).
    Denied,
    /// Too many requests: seconds to wait.
    Rate(u64),
    /// Refused.
    Fault(Fault),
    /// Shutting down, or the storage is not available.
    Unavailable,
    /// Ours to explain: the reference is in the log.
    Internal(String),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault.code {
            Some(Code::FailedAuthentication) => Failure::Denied,
            _ => Failure::Fault(fault),
        }
    }
}

/// Turns what stopped a method into what is answered; failures of ours are logged here, once.
fn failure(state: &ApiState, method: &Method, stop: Stop) -> Failure {
    match stop {
        Stop::Fault(fault) => fault.into(),
        Stop::Store(Error::NameInUse) => Fault::coded(Code::ObjectExists, "the name").into(),
        Stop::Store(error @ (Error::Closed | Error::Full | Error::ReadOnly)) => {
            tracing::warn!(method = method.name, %error, "the store takes nothing");
            Failure::Unavailable
        }
        other => {
            let reference = state.reference();
            let source = match &other {
                Stop::Store(error) => error.to_string(),
                other => other.to_string(),
            };
            tracing::error!(
                method = method.name,
                reference,
                error = source,
                "a call failed"
            );
            Failure::Internal(reference)
        }
    }
}

/// Serves a call.
pub(crate) async fn serve(state: &ApiState, call: Call) -> Result<Served, Failure> {
    let started = std::time::Instant::now();
    let (method, door) = (call.method, call.wire.door());
    let outcome = serve_inner(state, call).await;
    let word = match &outcome {
        Ok(_) => "ok",
        Err(Failure::Denied) => "denied",
        Err(Failure::Rate(_)) => "rate",
        Err(Failure::Fault(fault)) => fault.code(method.codes).text(),
        Err(Failure::Unavailable) => "unavailable",
        Err(Failure::Internal(_)) => "internal",
    };
    metrics::counter!("carillon_api_calls_total", "method" => method.name, "door" => door.name(), "outcome" => word)
        .increment(1);
    metrics::histogram!("carillon_api_call_seconds", "method" => method.name, "door" => door.name())
        .record(started.elapsed().as_secs_f64());
    outcome
}

async fn serve_inner(state: &ApiState, call: Call) -> Result<Served, Failure> {
    let now = state.now();
    let method = call.method;
    let stopped = |stop: Stop| failure(state, method, stop);
    let proven = auth::authenticate(
        state.store(),
        state.keys(),
        state.memory(),
        call.credentials,
        call.trusted,
        now,
    )
    .await
    .map_err(|error| stopped(error.into()))?
    .map_err(|_| Failure::Denied)?;
    let caller = known_caller(state, proven.user, call.wire.door(), method)?;
    let per_minute = caller
        .home
        .settings
        .limit("limit.request.perMinute", limits::REQUESTS_PER_MINUTE);
    state
        .rates()
        .take(caller.home_id(), per_minute, now)
        .map_err(Failure::Rate)?;
    if !method.access.is_empty() && !caller.has_any(method.access) {
        return Err(Fault::denied(crate::tree::Path::default()).into());
    }
    let setting = Setting {
        account_defaults: caller.only_account.is_some() && call.wire == Wire::Json,
        null_clears: call.wire == Wire::Json,
    };
    check::stages_1_to_4(&call.tree, setting, method.rule)?;
    let running = match &call.key {
        Some((key, _)) => Some(
            state
                .begin(caller.home_id(), method.name, key)
                .ok_or_else(|| Fault::coded(Code::IdempotencyInProgress, ""))?,
        ),
        None => None,
    };
    let context = Context {
        caller,
        now,
        door: call.wire.door(),
        method,
        paging: call.paging,
        if_match: call.if_match,
        keys: Arc::clone(state.keys()),
        chance: state.chance(),
        cache: state.cache(),
        prepared: RefCell::new(None),
        orgs: RefCell::new(HashMap::new()),
    };
    let (context, tree) = prepare(state, context, call.tree).await?;
    let served = match method.run {
        Run::Read(handler) => {
            if let Some(nonce) = proven.nonce {
                use_nonce(state, method, nonce, now).await?;
            }
            let read = move |snapshot: &dyn carillon_store::Snapshot| {
                handler(snapshot, &context, tree.root())
            };
            let answer = state.store().read(read).await.map_err(stopped)?;
            finish(method, call.wire, &single(answer, call.single))
        }
        Run::Write(_) => {
            write(
                state,
                method,
                context,
                tree,
                call.wire,
                proven.nonce,
                call.key,
            )
            .await?
        }
    };
    drop(running);
    Ok(served)
}

/// The caller with its home Org. A disabled User or Org, or a User that must change its password first, is denied.
fn known_caller(
    state: &ApiState,
    user: User,
    door: Door,
    method: &Method,
) -> Result<Caller, Failure> {
    let may_enter =
        user.login_enabled && (!user.password_change_required || method.name == "changePassword");
    if !may_enter {
        return Err(Failure::Denied);
    }
    let home_id = user.home;
    let look = move |snapshot: &dyn carillon_store::Snapshot| -> Result<_, Stop> {
        let Some(home) = load_org(snapshot, home_id)? else {
            return Ok(None);
        };
        let only = if door == Door::Json {
            only_account(snapshot, &home)?
        } else {
            None
        };
        Ok(Some((home, only)))
    };
    let found = state
        .store()
        .read_now(look)
        .map_err(|stop| failure(state, method, stop))?;
    let (home, only_account) = found.ok_or(Failure::Denied)?;
    if home.settings.enabled == Some(false) {
        return Err(Failure::Denied);
    }
    Ok(Caller {
        user,
        home: Arc::new(home),
        only_account,
    })
}

async fn prepare(
    state: &ApiState,
    mut context: Context,
    tree: Tree,
) -> Result<(Context, Tree), Failure> {
    let prepare = match context.method.prepare {
        Some(Prepare::Slow(prepare)) => prepare,
        Some(Prepare::Quick(prepare)) => {
            prepare(&context, tree.root());
            return Ok((context, tree));
        }
        None => return Ok((context, tree)),
    };
    let method = context.method;
    let store = state.store().clone();
    let ready = tokio::task::spawn_blocking(move || {
        prepare(&store, &mut context, tree.root())?;
        Ok::<_, Stop>((context, tree))
    })
    .await;
    match ready {
        Ok(ready) => ready.map_err(|stop| failure(state, method, stop)),
        Err(error) => Err(failure(state, method, Stop::Internal(error.to_string()))),
    }
}

async fn use_nonce(
    state: &ApiState,
    method: &'static Method,
    nonce: [u8; 32],
    now: Moment,
) -> Result<(), Failure> {
    let fresh = state
        .store()
        .write(Urgency::People, move |transaction| -> Result<bool, Stop> {
            Ok(transaction.use_nonce(&nonce, now)?)
        })
        .await
        .map_err(|stop| failure(state, method, stop))?;
    if fresh { Ok(()) } else { Err(Failure::Denied) }
}

/// What a unit of work left to be answered.
enum Done {
    Answer(Answer),
    Written(Served),
}

async fn write(
    state: &ApiState,
    method: &'static Method,
    context: Context,
    tree: Tree,
    wire: Wire,
    nonce: Option<[u8; 32]>,
    key: Option<(String, [u8; 32])>,
) -> Result<Served, Failure> {
    let Run::Write(handler) = method.run else {
        return Err(failure(
            state,
            method,
            Stop::Internal("a reading method was asked to write".into()),
        ));
    };
    let now = context.now;
    let org = context.caller.home_id();
    let unit = move |transaction: &mut dyn carillon_store::Transaction| -> Result<Done, Stop> {
        if let Some(nonce) = nonce
            && !transaction.use_nonce(&nonce, now)?
        {
            return Err(Fault::coded(Code::FailedAuthentication, "").into());
        }
        if let Some((key, request)) = &key
            && let Some(kept) = transaction.kept_answer(
                org,
                method.name,
                key,
                now.plus(-limits::IDEMPOTENCY_KEPT),
            )?
        {
            return if kept.request == *request {
                Ok(Done::Written(replay(kept)))
            } else {
                Err(Fault::coded(Code::IdempotencyKeyReused, "").into())
            };
        }
        let answer = handler(transaction, &context, tree.root())?;
        let Some((key, request)) = key else {
            return Ok(Done::Answer(answer));
        };
        let served = finish(method, wire, &answer);
        transaction.keep_answer(&kept(&served, org, method, key, request, now))?;
        Ok(Done::Written(served))
    };
    match state.store().write(Urgency::People, unit).await {
        Ok(Done::Answer(answer)) => Ok(finish(method, wire, &answer)),
        Ok(Done::Written(served)) => Ok(served),
        Err(stop) => {
            // The unit was undone and the nonce with it; a refused call must not be replayed either.
            if let Some(nonce) = nonce
                && matches!(&stop, Stop::Fault(fault) if fault.code != Some(Code::FailedAuthentication))
            {
                use_nonce(state, method, nonce, now).await?;
            }
            Err(failure(state, method, stop))
        }
    }
}

fn kept(
    served: &Served,
    org: OrgId,
    method: &Method,
    key: String,
    request: [u8; 32],
    at: Moment,
) -> KeptAnswer {
    let head = serde_json::json!({ "location": served.location, "etag": served.etag });
    KeptAnswer {
        org,
        method: method.name.to_owned(),
        key,
        request,
        status: served.status,
        body: format!("{head}\n{}", served.body).into_bytes(),
        at,
    }
}

fn replay(kept: KeptAnswer) -> Served {
    let text = String::from_utf8_lossy(&kept.body).into_owned();
    let (head, body) = text.split_once('\n').unwrap_or(("{}", text.as_str()));
    let head: serde_json::Value = serde_json::from_str(head).unwrap_or_default();
    let field = |name: &str| head[name].as_str().map(str::to_owned);
    Served {
        status: kept.status,
        body: body.to_owned(),
        location: field("location"),
        etag: field("etag"),
        replayed: true,
    }
}

fn single(mut answer: Answer, wanted: bool) -> Answer {
    if let Data::Many(objects) = &mut answer.data
        && wanted
        && objects.len() == 1
        && let Some(object) = objects.pop()
    {
        answer.data = Data::One(object);
    }
    answer
}

fn finish(method: &Method, wire: Wire, answer: &Answer) -> Served {
    let status = if wire == Wire::Json {
        method.http.status
    } else {
        200
    };
    let made = match &answer.data {
        Data::One(object) => object.internal_id(),
        _ => None,
    };
    Served {
        status,
        body: if status == 204 && answer.warnings.is_empty() {
            String::new()
        } else {
            wire.write(method, answer)
        },
        location: made
            .filter(|_| !method.http.location.is_empty())
            .map(|id| format!("/api/v1{}", method.http.location.replace("{id}", id))),
        etag: match (&answer.data, answer.version) {
            (_, Some(version)) => Some(crate::context::etag(version)),
            (Data::One(object), None) if wire == Wire::Json => {
                Some(crate::context::etag_of(object))
            }
            _ => None,
        },
        replayed: false,
    }
}
