//! The command line: one file a command. The only room that prints, colours, exits and reads the clock.

mod arm;
mod armed;
mod boot_signer;
mod bundle;
mod certs;
mod changes;
mod check;
mod command_line;
mod committed;
mod complete;
mod completions;
mod diff;
mod duration;
mod edited;
mod escape;
mod examples;
mod explain;
mod flake_url;
mod format;
mod home;
mod import;
mod init;
mod inventory;
mod keys;
mod lab;
mod man;
mod named;
mod network;
mod node;
mod power;
mod printer;
mod progress;
mod publish;
mod recompress;
mod reference;
mod render;
mod schema;
mod secrets;
mod show;
mod sign;
mod sources;
mod table;
mod vault;
mod vault_option;
mod verify;
mod web_root;

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::builder::styling::Styles;
use clap::{CommandFactory, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use printer::Printer;

/// Exit status: done.
const DONE: u8 = 0;
/// Exit status: the inventory is refused, or what was looked at is not as it should be.
const REFUSED: u8 = 1;
/// Exit status: usage, IO, or a bug.
const FAILED: u8 = 2;
/// Exit status: another run holds the lock.
const HELD: u8 = 3;
/// Exit status: published, but a power cut may undo it.
const UNCONFIRMED: u8 = 4;

/// The version of the JSON that commands print with `--format json`. It rises when a key changes its meaning or goes
/// away.
const JSON_SCHEMA: u32 = 1;

/// Netboot image and config generator: one inventory in, a whole bare-metal NixOS cluster out
#[derive(Debug, Parser)]
#[command(name = "plasmagen", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_long_help = exit_status_help())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    printer: Printer,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Show(show::ShowArgs),
    Explain(explain::ExplainArgs),
    Node(node::NodeArgs),
    Network(network::NetworkArgs),
    Import(import::ImportArgs),
    Render(render::RenderArgs),
    Diff(diff::DiffArgs),
    Certs(certs::CertsArgs),
    Secrets(secrets::SecretsArgs),
    Vault(vault::VaultArgs),
    Keys(keys::KeysArgs),
    Bundle(bundle::BundleArgs),
    Sign(sign::SignArgs),
    Publish(publish::PublishArgs),
    Verify(verify::VerifyArgs),
    Arm(arm::ArmArgs),
    Disarm(arm::DisarmArgs),
    Armed(armed::ArmedArgs),
    Power(power::PowerArgs),
    Lab(lab::LabArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Command {
    /// The options that name the web root, as the user gave them, for commands that messages name.
    fn web_root_options(&self) -> String {
        match self {
            Self::Publish(publish) => publish.root.given(),
            Self::Arm(arm) => arm.root.given(),
            Self::Disarm(disarm) => disarm.root.given(),
            Self::Armed(armed) => armed.root.given(),
            _ => String::new(),
        }
    }
}

/// The table of exit statuses below the long help, with a heading as clap styles its own.
fn exit_status_help() -> StyledStr {
    let styles = Styles::default();
    let heading = styles.get_header();
    format!(
        "{heading}Exit status:{heading:#}
  0  done
  1  the inventory or a bundle is refused, nodes/ or site/ is stale,
     verify found a fault, or a machine of the lab or of power failed
  2  a wrong command line, a system error, or a bug
  3  another run of plasmagen is writing in the same directory, or
     is at work on the same BMC
  4  published, but a power cut may undo it"
    )
    .into()
}

/// Where programs are looked for.
fn search_path() -> String {
    std::env::var_os("PATH").unwrap_or_default().to_string_lossy().into_owned()
}

/// The commands and options of the program: for its manual, and for tests that parse command lines without running them.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the program: parses its command line, runs the command, and returns the exit status.
pub fn run() -> ExitCode {
    forbid_core_dumps();
    complete::answer(command);
    let arguments = Arguments::parse();
    let printer = &arguments.printer;
    let result = match &arguments.command {
        Command::Init(init) => init.run(printer),
        Command::Check(check) => check.run(printer),
        Command::Show(show) => show.run(printer),
        Command::Explain(explain) => explain.run(printer),
        Command::Node(node) => node.run(printer),
        Command::Network(network) => network.run(printer),
        Command::Import(import) => import.run(printer),
        Command::Render(render) => render.run(printer),
        Command::Diff(diff) => diff.run(printer),
        Command::Certs(certs) => certs.run(printer),
        Command::Secrets(secrets) => secrets.run(printer),
        Command::Vault(vault) => vault.run(printer),
        Command::Keys(keys) => keys.run(printer),
        Command::Bundle(bundle) => bundle.run(printer),
        Command::Sign(sign) => sign.run(printer),
        Command::Publish(publish) => publish.run(printer),
        Command::Verify(verify) => verify.run(printer),
        Command::Arm(arm) => arm.run(printer),
        Command::Disarm(disarm) => disarm.run(printer),
        Command::Armed(armed) => armed.run(printer),
        Command::Power(power) => power.run(printer),
        Command::Lab(lab) => lab.run(printer),
        Command::Schema(_) => schema::SchemaArgs::run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            printer.error_on(&error, &arguments.command.web_root_options());
            ExitCode::from(status_of(&error))
        }
    }
}

/// Forbids core dumps, which would hold the private keys in memory: of this program, and of all programs that it starts.
///
/// The limit is one byte. With a limit of 0 the kernel writes no file, but still hands the dump to a program in
/// `kernel.core_pattern`; with 1 it does neither (`fs/coredump.c`).
fn forbid_core_dumps() {
    let limits = getrlimit(Resource::Core);
    // Lowering a limit is always allowed, and 0 is lower still.
    let lowered =
        Rlimit { current: limits.maximum.map_or(Some(1), |maximum| Some(maximum.min(1))), ..limits };
    let _ = setrlimit(Resource::Core, lowered);
}

/// The exit status for an error.
fn status_of(error: &anyhow::Error) -> u8 {
    match (error.is::<crate::fs::Held>(), error.is::<crate::publish::Refused>()) {
        (true, _) => HELD,
        (_, true) => REFUSED,
        _ => FAILED,
    }
}
