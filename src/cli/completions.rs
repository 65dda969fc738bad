//! `plasmagen completions`.

use anyhow::Context;
use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::DONE;
use super::complete::VARIABLE;
use super::printer::Printer;

/// Print a script with which a shell completes commands, options, rules and nodes
///
/// bash: `source <(plasmagen completions bash)` in ~/.bashrc. zsh: the same line with `zsh`, in ~/.zshrc after compinit.
/// fish: `plasmagen completions fish | source` in ~/.config/fish/config.fish.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: CompletionShell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CompletionShell {
    Bash,
    Zsh,
    Fish,
}

/// Added for zsh: where it loads the script from `$fpath` as the function `_plasmagen`, the first call must complete
/// something, too.
const ZSH_AUTOLOAD: &str = "
if [[ $funcstack[1] == _plasmagen ]]; then
    _clap_dynamic_completer_plasmagen \"$@\"
fi
";

impl CompletionsArgs {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let shell: &dyn EnvCompleter = match self.shell {
            CompletionShell::Bash => &Bash,
            CompletionShell::Zsh => &Zsh,
            CompletionShell::Fish => &Fish,
        };
        let name = env!("CARGO_PKG_NAME");
        let mut script = Vec::new();
        shell
            .write_registration(VARIABLE, name, name, name, &mut script)
            .context("could not write the script")?;
        let mut script = String::from_utf8(script)?;
        if let CompletionShell::Zsh = self.shell {
            script += ZSH_AUTOLOAD;
        }
        Printer::print(&script)?;
        Ok(DONE)
    }
}
