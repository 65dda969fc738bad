//! The command line: one file a command. The only room that prints, colours or exits.

mod arm;
mod bundle;
mod certs;
mod check;
mod complete;
mod completions;
mod explain;
mod flake_url;
mod format;
mod init;
mod lab;
mod man;
mod named;
mod output;
mod progress;
mod publish;
mod render;
mod schema;
mod secrets;
mod show;
mod vault;
mod verify;
mod web_root;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use output::Output;
use vault::VaultArgument;

/// Done.
const DONE: u8 = 0;
/// The inventory is refused, or the tree is stale.
const REFUSED: u8 = 1;
/// Usage, IO, or a bug.
const FAILED: u8 = 2;
/// Another run holds the lock.
const HELD: u8 = 3;
/// Published, but not confirmed to outlast a power cut.
const UNCONFIRMED: u8 = 4;

/// The name of an inventory, where the command line does not say another.
const INVENTORY: &str = "inventory.toml";

/// Its heading looks like those of clap, which leaves the style out where it does.
const EXIT_STATUS: &str = "\
\x1b[1;4mExit status:\x1b[0m
  0  done
  1  the inventory or a bundle is refused, the tree is stale, verify found a fault, or a machine of the lab failed
  2  usage, IO or a bug
  3  another run holds the lock
  4  published, but not confirmed to outlast a power cut";

/// Netboot image and config generator: one inventory in, a whole bare-metal NixOS cluster out
#[derive(Debug, Parser)]
#[command(name = "plasmagen", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_long_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Show(show::Show),
    Explain(explain::Explain),
    Render(render::Render),
    Certs(certs::Certs),
    Secrets(secrets::Secrets),
    Bundle(bundle::Bundle),
    Publish(publish::Publish),
    Verify(verify::Verify),
    Arm(arm::Arm),
    Disarm(arm::Disarm),
    Armed(arm::Armed),
    Lab(lab::Lab),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Where the inventory is, for the commands that read one.
#[derive(Debug, clap::Args)]
struct InventoryArgument {
    /// The inventory to read
    #[arg(value_name = "INVENTORY", default_value = INVENTORY)]
    inventory: PathBuf,
}

impl InventoryArgument {
    fn root(&self) -> &Path {
        root_of(&self.inventory)
    }
}

/// The directory of an inventory: nodes/ and site/ lie in it.
fn root_of(inventory: &Path) -> &Path {
    match inventory.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
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

/// Parses the command line, does what it says and tells how it went.
pub fn run() -> ExitCode {
    complete::answer(command);
    let arguments = Arguments::parse();
    let output = &arguments.output;
    let done = match &arguments.command {
        Command::Init(init) => init.run(output),
        Command::Check(check) => check.run(output),
        Command::Show(show) => show.run(output),
        Command::Explain(explain) => explain.run(output),
        Command::Render(render) => render.run(output),
        Command::Certs(certs) => certs.run(output),
        Command::Secrets(secrets) => secrets.run(output),
        Command::Bundle(bundle) => bundle.run(output),
        Command::Publish(publish) => publish.run(output),
        Command::Verify(verify) => verify.run(output),
        Command::Arm(arm) => arm.run(output),
        Command::Disarm(disarm) => disarm.run(output),
        Command::Armed(armed) => armed.run(output),
        Command::Lab(lab) => lab.run(output),
        Command::Schema(_) => schema::Schema::run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.error(&error);
            ExitCode::from(status(&error))
        }
    }
}

/// The exit status for what went wrong.
fn status(error: &anyhow::Error) -> u8 {
    match (error.is::<crate::write::Held>(), error.is::<crate::publish::Refused>()) {
        (true, _) => HELD,
        (_, true) => REFUSED,
        _ => FAILED,
    }
}
