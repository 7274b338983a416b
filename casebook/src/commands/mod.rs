//! One file per command.

mod admin;
mod audit;
mod catalogue;
mod clinic;
mod contracts;
mod demo;
mod down;
mod import;
mod keys;
mod mail;
mod migrate;
mod parked;
mod probe;
mod rebuild;
mod replay;
mod retention;
mod serve;
mod setup;
mod status;
mod up;

use clap::Subcommand;

use crate::Casebook;

#[derive(Subcommand)]
pub enum Command {
    Up(up::Up),
    Down(down::Down),
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Setup(setup::Setup),
    Keys(keys::Keys),
    Probe(probe::Probe),
    Status(status::Status),
    Rebuild(rebuild::Rebuild),
    Retention(retention::Retention),
    Replay(replay::Replay),
    Parked(parked::Parked),
    Mail(mail::Mail),
    Admin(admin::Admin),
    Audit(audit::Audit),
    Demo(demo::Demo),
    Import(import::Import),
    Contracts(contracts::Contracts),
}

pub async fn run(Casebook { config, command }: Casebook) -> anyhow::Result<()> {
    match command {
        Command::Up(command) => command.run(&config).await,
        Command::Serve(command) => command.run(&config).await,
        Command::Rebuild(command) => command.run(&config).await,
        Command::Retention(command) => command.run(&config).await,
        Command::Replay(command) => command.run(&config).await,
        Command::Mail(command) => command.run(&config).await,
        Command::Parked(command) => command.run(&config).await,
        Command::Admin(command) => command.run(&config).await,
        Command::Audit(command) => command.run(&config).await,
        Command::Down(command) => command.run(&config.common).await,
        Command::Migrate(command) => command.run(&config.common).await,
        Command::Setup(command) => command.run(&config).await,
        Command::Keys(command) => command.run(&config),
        Command::Probe(command) => command.run(&config.common).await,
        Command::Status(command) => command.run(&config.common).await,
        Command::Demo(command) => command.run(&config.common).await,
        Command::Import(command) => command.run(&config).await,
        Command::Contracts(command) => command.run(),
    }
}
