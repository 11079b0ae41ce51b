//! The binary: command line, configuration, wiring, shutdown. No domain logic lives here.

mod address;
mod backup;
mod chance;
mod client;
mod clock;
mod command;
mod config;
mod demo;
mod fence;
mod http;
mod installation;
mod logging;
mod page;
mod serve;
mod work;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(command::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("carillon: {failure}");
            ExitCode::FAILURE
        }
    }
}
