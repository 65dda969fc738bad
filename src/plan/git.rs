//! Running git in a directory that may lie in a repository of somebody else.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::Context;

/// Settings that keep a repository of somebody else from running programs: `core.fsmonitor` and hooks name programs in the
/// repository.
const SETTINGS: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];

/// Whether `dir` is the root of a git work tree: `.git` there is a directory, or a file in a work tree that `git worktree`
/// made. Whether git accepts the repository is for git to say.
pub(crate) fn is_work_tree_root(dir: &Path) -> bool {
    dir.join(".git").symlink_metadata().is_ok()
}

/// Finds the root of the git work tree in which the absolute path `dir` lies.
pub(crate) fn find_work_tree(dir: &Path) -> Option<&Path> {
    dir.ancestors().find(|ancestor| is_work_tree_root(ancestor))
}

/// Prepares a run of git in the directory `dir`, without the variables such as `GIT_DIR` that hooks have: git would look
/// at another repository.
pub(crate) fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    for (variable, _) in std::env::vars_os() {
        if variable.as_encoded_bytes().starts_with(b"GIT_") {
            command.env_remove(variable);
        }
    }
    command.arg("-C").arg(dir).args(SETTINGS).stdin(Stdio::null());
    command
}

/// Runs `git` and collects its output; none where there is no git.
///
/// # Errors
/// When git cannot be started.
pub(crate) fn run(git: &mut Command) -> anyhow::Result<Option<Output>> {
    match git.output() {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("could not run git"),
    }
}
