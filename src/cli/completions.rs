//! `plasmagen completions`.

use anyhow::Context;
use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::DONE;
use super::complete::VARIABLE;
use super::output::Output;

/// Print a script that lets a shell complete commands, options, rules and names of nodes
///
/// bash: `source <(plasmagen completions bash)`, in ~/.bashrc. zsh: the same with `zsh`, in ~/.zshrc after compinit.
/// fish: `plasmagen completions fish | source`, in ~/.config/fish/config.fish.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Where zsh loads the script from `$fpath` as the function `_plasmagen`, the first call is to complete something, too.
const ZSH_AUTOLOAD: &str = "
if [[ $funcstack[1] == _plasmagen ]]; then
    _clap_dynamic_completer_plasmagen \"$@\"
fi
";

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Zsh => &Zsh,
            Shell::Fish => &Fish,
        };
        let name = env!("CARGO_PKG_NAME");
        let mut script = Vec::new();
        shell
            .write_registration(VARIABLE, name, name, name, &mut script)
            .context("could not write the script")?;
        let mut script = String::from_utf8(script)?;
        if let Shell::Zsh = self.shell {
            script += ZSH_AUTOLOAD;
        }
        Output::print(&script)?;
        Ok(DONE)
    }
}
