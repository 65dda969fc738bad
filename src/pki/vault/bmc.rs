//! The passwords of BMCs, which the user puts into the vault, and the fingerprints of their certificates.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use zeroize::Zeroizing;

use super::Vault;
use super::entries::store_public_file;
use super::entry_kind::{BMC_CERTIFICATE, BMCS};
use super::files::PrivateDir;
use crate::fs::Sha256Sum;
use crate::model::{HostName, VaultFile, quote_for_shell};

/// The longest password, in bytes.
const LONGEST_PASSWORD: usize = 256;

/// The password of a BMC's user, and the file that holds it.
pub struct BmcPassword {
    /// The password.
    pub text: Zeroizing<String>,
    /// The file.
    pub path: PathBuf,
}

impl fmt::Debug for BmcPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BmcPassword").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the password of a BMC in the file `file` of the vault: one line, with or without a line end.
    ///
    /// # Errors
    /// When there is no such file, or others may read the file, or the file holds no password of one line.
    pub fn bmc_password(&self, file: &VaultFile) -> anyhow::Result<BmcPassword> {
        let path = self.dir.join(file.as_str());
        let (shown, quoted) = (path.display(), quote_for_shell(&path.display().to_string()));
        let (dirs, name) =
            file.as_str().rsplit_once('/').map_or(("", file.as_str()), |(dirs, name)| (dirs, name));
        let text = self.open_below(dirs)?.map_or(Ok(None), |dir| dir.read(name))?;
        let Some(text) = text else {
            bail!(
                "there is no password in {shown}: write it there, as one line, and run: chmod 600 {quoted}"
            );
        };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        ensure!(!line.is_empty(), "{shown} is empty: write the password there, as one line");
        // ipmitool takes the first line, and drops a carriage return without a word.
        ensure!(
            !line.contains(['\n', '\r', '\0']),
            "{shown} holds more than the password as one line: remove what is behind it, and carriage returns (CR) too"
        );
        ensure!(
            line.len() <= LONGEST_PASSWORD,
            "{shown} has more than {LONGEST_PASSWORD} bytes: that is no password"
        );
        Ok(BmcPassword { text: Zeroizing::new(line.to_owned()), path })
    }

    /// Opens the directory `path` below the vault, each part of which only its owner may enter; none where nothing is there.
    fn open_below(&self, path: &str) -> anyhow::Result<Option<PrivateDir>> {
        let mut dir = self.root()?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Some(outer) = dir else { return Ok(None) };
            dir = outer.open_dir(name)?;
            dir.as_ref().map_or(Ok(()), PrivateDir::check_inner)?;
        }
        Ok(dir)
    }

    /// Reads the SHA-256 of the certificate of the BMC of `node`; none where none is recorded.
    ///
    /// # Errors
    /// When the file is unreadable, others may read it, or it holds something else.
    pub fn bmc_certificate(&self, node: &HostName) -> anyhow::Result<Option<Sha256Sum>> {
        let Some(dir) = self.open_below(BMCS)? else { return Ok(None) };
        let name = format!("{node}{BMC_CERTIFICATE}");
        let Some(text) = dir.read(&name)? else { return Ok(None) };
        let digits = text.trim().strip_prefix("sha256:").unwrap_or_default().to_owned();
        let sum = Sha256Sum::try_from(digits);
        sum.map(Some).with_context(|| format!("{} holds no fingerprint", dir.path.join(&name).display()))
    }

    /// Records the SHA-256 of the certificate of the BMC of `node`, in the place of another one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn record_bmc_certificate(&self, node: &HostName, sum: Sha256Sum) -> anyhow::Result<()> {
        store_public_file(&self.dir, BMCS, &format!("{node}{BMC_CERTIFICATE}"), &format!("sha256:{sum}\n"))
    }
}
