//! Signs publications with the `ssh-keygen` of this computer, which knows agents, passphrases and every form of a key
//! file. plasmagen never reads a private SSH key.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::signers::{NAMESPACE, check_signature};
use crate::fs::{TEXT_LIMIT, check_ancestors, open_input};

/// An SSH key that signs publications.
#[derive(Clone, Debug)]
pub struct SigningKey(PathBuf);

impl SigningKey {
    /// The key in the file `path`: a private key, or the public half of a key that an SSH agent holds.
    ///
    /// # Errors
    /// When the file can't be opened, or is no regular file: ssh-keygen would wait for the writer of a FIFO. When another
    /// user than the owner of the key could replace the file.
    pub fn open(path: &Path) -> Result<Self> {
        let mut public = path.as_os_str().to_owned();
        public.push(".pub");
        // For a key that an agent holds, ssh-keygen reads the file of the same name with .pub.
        for file in [path, Path::new(&public)] {
            let shown = file.display();
            let opened = match open_input(file, TEXT_LIMIT) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened.with_context(|| format!("could not read the key {shown}"))?,
            };
            let looked = opened.metadata().and_then(|metadata| Ok((metadata.uid(), file.canonicalize()?)));
            let (owner, real) = looked.with_context(|| format!("could not look at the key {shown}"))?;
            check_ancestors(&real, Some(owner))
                .with_context(|| format!("the key {shown} is not safe from other users"))?;
            break;
        }
        // Where there is neither, ssh-keygen says so.
        Ok(Self(path.to_owned()))
    }

    /// Signs `message`; returns the text of a `.sig` file.
    ///
    /// # Errors
    /// When ssh-keygen is missing or refuses, or the key is of a kind that [`Signers`](super::Signers) can't verify.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let shown = self.0.display();
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "sign", "-q", "-n", NAMESPACE, "-f"]).arg(&self.0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("could not sign with {shown}: there is no ssh-keygen, install the client of OpenSSH")
            }
            child => child.context("could not start ssh-keygen")?,
        };
        // ssh-keygen closes its input when it refuses the key; its message then says more than a broken pipe.
        let written = child.stdin.take().map(|mut stdin| stdin.write_all(message));
        let output = child.wait_with_output().context("could not wait for ssh-keygen")?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            bail!("ssh-keygen could not sign with {shown}: {}", message.trim().escape_debug());
        }
        ensure!(matches!(written, Some(Ok(()))), "could not give the publication to ssh-keygen");
        check_signature(message, &output.stdout).with_context(|| format!("could not sign with {shown}"))?;
        Ok(output.stdout)
    }
}
