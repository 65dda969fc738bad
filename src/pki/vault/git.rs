//! Whether git would take a directory of private keys into a repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::bail;

use crate::model::escape_line;
use crate::plan::git;

/// Words of git's messages in a directory that belongs to no work tree.
const NO_WORK_TREE: [&str; 3] =
    ["not a git repository", "must be run in a work tree", "invalid gitfile format"];

/// Refuses the directory `dir`, which messages call `name` and which need not exist yet, where it lies in a git work tree
/// that does not ignore it. Without git, nothing is refused.
pub(super) fn check_ignored(name: &str, dir: &Path) -> anyhow::Result<()> {
    let Some(above) = dir.ancestors().find(|ancestor| ancestor.is_dir()) else { return Ok(()) };
    if git::find_work_tree(above).is_none() {
        return Ok(());
    }
    let Some(found) = run_git(above, &["rev-parse".as_ref(), "--show-toplevel".as_ref()])? else {
        return Ok(());
    };
    if !found.status.success() {
        let message = String::from_utf8_lossy(&found.stderr);
        // A `.git` that is no repository, or a directory below `.git`.
        if NO_WORK_TREE.iter().any(|words| message.contains(words)) {
            return Ok(());
        }
        bail!(
            "{name} {} lies below a .git, and git does not tell whether it ignores the directory ({}): choose a directory \
             elsewhere",
            dir.display(),
            escape_line(message.trim())
        );
    }
    let top = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim_end_matches('\n'));
    let tracked = run_git(above, &["ls-files".as_ref(), "-z".as_ref(), "--".as_ref(), dir.as_os_str()])?;
    if tracked.is_some_and(|output| !output.status.success() || !output.stdout.is_empty()) {
        bail!(
            "{name} {} is in the git work tree {}, and git tracks files in it: choose a directory elsewhere",
            dir.display(),
            top.display()
        );
    }
    // A file in the directory, since a pattern such as `/vault/` matches a directory that exists, and its files always.
    let file = dir.join("key.pem");
    let arguments = ["check-ignore", "--quiet", "--no-index", "--"].map(OsStr::new);
    let arguments = [&arguments[..], &[file.as_os_str()]].concat();
    match run_git(above, &arguments)?.and_then(|output| output.status.code()) {
        Some(0) => Ok(()),
        Some(1) => {
            let pattern = match dir.strip_prefix(&top) {
                Ok(below) if !below.as_os_str().is_empty() => {
                    format!(", or write /{}/ into {}", below.display(), top.join(".gitignore").display())
                }
                _ => String::new(),
            };
            bail!(
                "{name} {} is in the git work tree {}, which does not ignore it: git add would take the private keys \
                 into the repository. Choose a directory elsewhere{pattern}",
                dir.display(),
                top.display()
            )
        }
        _ => bail!(
            "{name} {} is in the git work tree {}, and git check-ignore does not tell whether git ignores it: choose a \
             directory elsewhere",
            dir.display(),
            top.display()
        ),
    }
}

/// Runs git in the directory `dir`, which may be somebody else's; none where there is no git. The messages are compared, so
/// they are those of the locale C.
fn run_git(dir: &Path, arguments: &[&OsStr]) -> anyhow::Result<Option<Output>> {
    let mut git = git::git(dir);
    // A vault may be a file system of its own inside the work tree.
    git.env("LC_ALL", "C").env("GIT_DISCOVERY_ACROSS_FILESYSTEM", "1");
    // With this setting, git answers although the repository belongs to another user.
    git.args(["-c", "safe.directory=*"]).args(arguments);
    git::run(&mut git)
}
