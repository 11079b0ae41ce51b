//! The command line. Each command says what it needs and what it prints; errors say what to do.

use crate::{backup, config, demo, installation, serve, work};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a command answers when it fails: a sentence for the operator.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reaches people by campaigns: text now, e-mail and voice to come. One binary on an embedded store.
#[derive(Parser)]
#[command(name = "carillon", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve both doors and run the campaigns.
    Serve(Serve),
    /// Make an installation in an empty data folder; prints its ids, the first API key and its secret as JSON.
    Init(Init),
    /// Import contacts from a CSV file into a List, while no server has the data folder open.
    Import(Import),
    /// Copy the store and the installation's key, also while a server runs.
    Backup(Backup),
    /// Make a data folder out of a backup; it sends nothing until it is released.
    Restore(Restore),
    /// Let a restored or copied data folder send again, while no server has it open.
    Release(Release),
    /// Call a method of a running server: `carillon call showCampaign '{"campaign":{"internalId":"100"}}'`.
    Call(Call),
    /// Run a whole campaign against an SMS centre of its own, on loopback, and show how it goes.
    Demo(Demo),
    /// Run seeded simulations of the whole system in virtual time.
    Simulate(Simulate),
}

/// Where the data are and how the server is configured.
#[derive(Args, Clone)]
pub struct Serve {
    /// Data folder; default: `server.data` of the configuration.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Address to listen on; default: `server.listen` of the configuration, 127.0.0.1:8480.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Configuration file (`carillon.example.toml` explains every key).
    #[arg(long)]
    pub config: Option<PathBuf>,
}

/// A new installation.
#[derive(Args)]
pub struct Init {
    /// Data folder; made if it is not there.
    #[arg(long)]
    pub data: PathBuf,
    /// Name of the Enterprise.
    #[arg(long)]
    pub enterprise: String,
    /// Name of the Account.
    #[arg(long)]
    pub account: String,
    /// Login of the first user, an e-mail address.
    #[arg(long)]
    pub user: String,
    /// File whose first line is the password.
    #[arg(long)]
    pub password_file: PathBuf,
}

/// An import from the command line.
#[derive(Args)]
pub struct Import {
    /// Data folder.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// internalId of the Account.
    #[arg(long)]
    pub account: i64,
    /// Name of the List; made if it is new.
    #[arg(long)]
    pub list: String,
    /// `Target=Column` pairs separated by `;` where the header says it otherwise.
    #[arg(long)]
    pub mapping: Option<String>,
    /// File for the row report; default: beside the input, with `.report.csv` at the end.
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// The CSV file.
    pub file: PathBuf,
}

/// A backup.
#[derive(Args)]
pub struct Backup {
    /// Data folder.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// File for the copy of the store; the key goes beside it, with `.key` at the end.
    #[arg(long)]
    pub to: PathBuf,
    /// Address of the server, where one runs.
    #[arg(long, env = "CARILLON_SERVER", default_value = "127.0.0.1:8480")]
    pub server: String,
    /// API key of a SystemAdministrator, where a server runs.
    #[arg(long, env = "CARILLON_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

/// A restoration.
#[derive(Args)]
pub struct Restore {
    /// The copy of the store.
    #[arg(long)]
    pub from: PathBuf,
    /// The copy of the installation's key; default: beside the store, with `.key` at the end.
    #[arg(long)]
    pub key: Option<PathBuf>,
    /// Data folder: new or empty.
    #[arg(long)]
    pub data: PathBuf,
}

/// A release.
#[derive(Args)]
pub struct Release {
    /// Data folder.
    #[arg(long)]
    pub data: PathBuf,
}

/// A call from the command line.
#[derive(Args)]
pub struct Call {
    /// Address of the server.
    #[arg(long, env = "CARILLON_SERVER", default_value = "127.0.0.1:8480")]
    pub server: String,
    /// API key.
    #[arg(long, env = "CARILLON_API_KEY", hide_env_values = true)]
    pub key: String,
    /// The method, as `createCampaign`.
    pub method: String,
    /// The arguments as a JSON object; `-` reads it from standard input.
    #[arg(default_value = "{}")]
    pub arguments: String,
}

/// The demonstration.
#[derive(Args)]
pub struct Demo {
    /// End when the table is printed instead of going on serving.
    #[arg(long)]
    pub exit: bool,
    /// Address to listen on; a free port is taken when this one is in use.
    #[arg(long, default_value = "127.0.0.1:8480")]
    pub listen: SocketAddr,
    /// Data folder; default: a new temporary one.
    #[arg(long)]
    pub data: Option<PathBuf>,
}

/// Simulations.
#[derive(Args)]
pub struct Simulate {
    /// First seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    pub count: u64,
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Serve(arguments) => {
            let mut config = config::read(arguments.config.as_deref())?;
            if let Some(data) = arguments.data {
                config.server.data = data;
            }
            if let Some(listen) = arguments.listen {
                config.server.listen = listen;
            }
            crate::logging::start(&config.log);
            runtime()?.block_on(serve::until_signal(config))
        }
        Command::Init(arguments) => installation::init(&arguments),
        Command::Import(arguments) => work::import(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Release(arguments) => backup::release(&arguments),
        Command::Call(arguments) => work::call(&arguments),
        Command::Demo(arguments) => runtime()?.block_on(demo::run(arguments)),
        Command::Simulate(arguments) => work::simulate(&arguments),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}
