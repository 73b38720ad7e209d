//! The `rapport` command: the server, and everything an operator does from a shell.

mod client;
mod config;
#[cfg(test)]
mod fake;
mod generate;
mod import;
mod meter;
mod operate;
mod serve;

use clap::{Parser, Subcommand};
use config::{Config, ConfigArgs};
use std::process::ExitCode;

/// Many small allocations a request, on several threads: a create is a sixth faster than with the allocator of glibc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A headless CRM: one service, a REST/JSON API, no screens.
#[derive(Debug, Parser)]
#[command(name = "rapport", version, about)]
struct Arguments {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API. Makes the database, the signing key and a first tenant when they are missing
    Serve,
    /// Bring the database to the schema of this program, and end
    Migrate,
    /// Print an access token, and nothing else
    Token(operate::TokenArgs),
    /// Add tenants
    #[command(subcommand)]
    Tenants(operate::TenantsCommand),
    /// Manage the keys that sign tokens
    #[command(subcommand)]
    Keys(operate::KeysCommand),
    /// Print the OpenAPI document
    Openapi,
    Import(import::ImportArgs),
    Generate(generate::GenerateArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rapport: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Arguments { config, command } = arguments;
    match command {
        Command::Import(args) => return Ok(import::run(args).await?),
        Command::Generate(args) => return Ok(generate::run(args).await?),
        Command::Openapi => operate::print_line(api::openapi::json().trim_end())?,
        Command::Serve => serve::run(Config::load(&config)?).await?,
        Command::Migrate => operate::migrate(&Config::load(&config)?)?,
        Command::Token(args) => operate::token(&Config::load(&config)?, args).await?,
        Command::Tenants(command) => operate::tenants(&Config::load(&config)?, command).await?,
        Command::Keys(command) => operate::keys(&Config::load(&config)?, &command)?,
    }
    Ok(ExitCode::SUCCESS)
}
