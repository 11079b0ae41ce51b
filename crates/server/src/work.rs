//! The commands that do one piece of work and end: import, call, simulate.

use crate::client::Client;
use crate::clock::SystemClock;
use crate::command::{self, Failure};
use carillon_import::job::{Submission, submit};
use carillon_import::{Source, Summary};
use carillon_model::entity::Base;
use carillon_model::list::List;
use carillon_model::moment::Clock;
use carillon_model::org::Org;
use carillon_model::{JobId, JobType, ListId, ListType, Moment, OrgId, OrgType, UserId};
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Store, Transaction, Urgency};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The user that work from the command line is recorded under: nobody's id, since whoever holds the data folder needs no
/// log-in.
const NOBODY: UserId = UserId(0);

/// `carillon import`.
pub fn import(arguments: &command::Import) -> Result<(), Failure> {
    crate::installation::read_key(&arguments.data)?;
    let store = open(&arguments.data)?;
    let file = File::open(&arguments.file)
        .map_err(|error| format!("cannot read {}: {error}", arguments.file.display()))?;
    let bytes = file.metadata().map(|metadata| metadata.len()).ok();
    let (account, name, now) = (
        OrgId(arguments.account),
        arguments.list.clone(),
        SystemClock.now(),
    );
    let list = store.write_now(Urgency::People, move |transaction| {
        list_of(transaction, account, &name, now)
    })?;
    let bar = bar(bytes);
    let (summary, job) = import_file(
        &store,
        account,
        list,
        file,
        bytes,
        arguments.mapping.as_deref(),
        &mut |read| bar.set_position(read),
    )?;
    bar.finish_and_clear();
    let report = arguments.report.clone().unwrap_or_else(|| {
        let mut name = arguments.file.clone().into_os_string();
        name.push(".report.csv");
        name.into()
    });
    let text = store.read_now(move |snapshot| snapshot.job_result(job))?;
    std::fs::write(&report, text)
        .map_err(|error| format!("cannot write {}: {error}", report.display()))?;
    store.close();
    println!(
        "{} rows = {} stored + {} merged + {} rejected; report: {}",
        summary.rows,
        summary.stored,
        summary.merged,
        summary.rejected,
        report.display()
    );
    Ok(())
}

/// Imports one file into a List as a Job. `progress` is told the bytes behind it.
pub fn import_file(
    store: &Store,
    account: OrgId,
    list: ListId,
    input: impl Read,
    bytes: Option<u64>,
    mapping: Option<&str>,
    progress: &mut dyn FnMut(u64),
) -> Result<(Summary, JobId), Failure> {
    let submission = Submission {
        job_type: JobType::Import,
        owner: account,
        subject: list.0,
        user: NOBODY,
        mapping: mapping.map(str::to_owned),
        data: None,
    };
    let now = SystemClock.now();
    let job = store.write_now(Urgency::People, move |transaction| {
        submit(transaction, &submission, now)
    })?;
    let job = JobId(job.base.internal_id);
    let source = Source {
        input,
        bytes,
        mapping,
    };
    let summary = carillon_import::import(store, job, source, &SystemClock, &mut |now| {
        progress(now.bytes)
    })?;
    Ok((summary, job))
}

/// A progress bar over so many bytes.
pub fn bar(bytes: Option<u64>) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(bytes.unwrap_or(0))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Opens the store, or says what to do when a server has it.
fn open(data: &Path) -> Result<Store, Failure> {
    Store::open(data).map_err(|error| match error {
        Error::InUse => format!(
            "{} is in use by a running server; import through it: POST /api/v1/lists/<id>:import",
            data.display()
        )
        .into(),
        other => other.into(),
    })
}

/// `carillon call`: any method of the registry, through the JSON door of a running server.
pub fn call(arguments: &command::Call) -> Result<(), Failure> {
    let method = carillon_api::registry::by_name(&arguments.method).ok_or_else(|| {
        format!(
            "there is no method {}; docs/reference lists them",
            arguments.method
        )
    })?;
    let given = if arguments.arguments == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        arguments.arguments.clone()
    };
    let given: Value = serde_json::from_str(&given)
        .map_err(|error| format!("the arguments are not JSON: {error}"))?;
    let address = crate::address::of(&method.http, &given)?;
    let answer = Client::new(&arguments.server, &arguments.key).call(
        method.http.verb.text(),
        &address.path,
        address.body.as_ref(),
    )?;
    println!("{answer:#}");
    Ok(())
}

/// `carillon simulate`.
pub fn simulate(arguments: &command::Simulate) -> Result<(), Failure> {
    let bar = ProgressBar::new(arguments.count);
    for seed in arguments.seed..arguments.seed.saturating_add(arguments.count) {
        let outcome = carillon_sim::simulate(seed, carillon_sim::Options::default());
        if !outcome.wrong.is_empty() {
            bar.finish_and_clear();
            return Err(format!("seed {seed} breaks a law:\n{}", outcome.wrong.join("\n")).into());
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!(
        "{} seeds from {} on: every law holds",
        arguments.count, arguments.seed
    );
    Ok(())
}

/// The Standard List of a name in an Account, made when it is new.
fn list_of(
    transaction: &mut dyn Transaction,
    account: OrgId,
    name: &str,
    now: Moment,
) -> Result<ListId, Failure> {
    let owner = transaction
        .get::<Org>(account)?
        .filter(|org| org.org_type == OrgType::Account);
    owner.ok_or_else(|| format!("there is no Account {account}"))?;
    let name = carillon_model::name::tidy(name);
    if name.is_empty()
        || name.chars().count() > carillon_model::limits::NAME_CHARACTERS_MAX
        || carillon_model::name::has_forbidden_character(&name)
    {
        return Err("a List has a name of 1 to 64 printable characters without < > & \"".into());
    }
    match transaction.find::<List>(account.0, &name)? {
        Some(list) if list.list_type == ListType::Standard => Ok(ListId(list.base.internal_id)),
        Some(_) => Err(format!("the List {name} is not a list of contacts").into()),
        None => {
            let id = transaction.take_ids(1)?;
            let list = List {
                base: Base::new(id, name.clone(), now, NOBODY),
                owner: account,
                name,
                description: None,
                list_type: ListType::Standard,
                required: false,
            };
            transaction.insert(&list)?;
            Ok(ListId(id))
        }
    }
}
