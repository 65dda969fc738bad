//! The file of a backup: an age file with ASCII armour, whose header tells the cluster without a key.
//!
//! Beside the stanzas of its recipients, the header has one of type `plasmagen-vault` with the name of the cluster and no body. age
//! ignores stanzas of types that it does not know, and its MAC covers them: a changed name is noticed when the file is
//! decrypted.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{BufReader, Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::ExposeSecret;
use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use age_core::format::{FileKey, Stanza};
use anyhow::{Context, anyhow, bail, ensure};
use zeroize::Zeroizing;

use super::identity::Identities;
use super::recipient::Recipient;

/// The type of the stanza with the name of the cluster.
const LABEL: &str = "plasmagen-vault";

/// The end of the type of a stanza that the crate `age` adds at random, so that no reader refuses types that it does not know.
const GREASE: &str = "-grease";

/// The largest file of a backup, in bytes: the vault of tens of thousands of nodes.
pub(crate) const BACKUP_LIMIT: u64 = 64 << 20;

/// A backup that was encrypted, with the key that this run chose for the file.
pub(super) struct EncryptedBackup {
    /// The bytes of the file.
    pub(super) file: Vec<u8>,
    key: FileKey,
}

/// The header of a file as far as it can be read without a key.
pub(super) struct BackupLabel {
    /// The cluster whose vault the file holds.
    pub(super) cluster: String,
    /// The number of recipients.
    pub(super) recipients: usize,
}

/// Encrypts `archive`, the vault of `cluster`, so that each of `recipients` can decrypt the file.
///
/// # Errors
/// When a recipient needs a plugin, there are no recipients, or the file is too large to be restored.
pub(super) fn encrypt_backup(
    archive: &[u8],
    cluster: &str,
    recipients: &[Recipient],
) -> anyhow::Result<EncryptedBackup> {
    let known = recipients.iter().map(Recipient::as_age).collect::<anyhow::Result<Vec<_>>>()?;
    let (first, others) = known.split_first().context("a backup needs a recipient")?;
    let labelled = LabellingRecipient { inner: *first, cluster, key: RefCell::new(None) };
    let encrypt = || {
        let all = std::iter::once(&labelled as &dyn age::Recipient).chain(others.iter().copied());
        let encryptor = Encryptor::with_recipients(all).map_err(std::io::Error::other)?;
        let mut encrypted =
            encryptor.wrap_output(ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?)?;
        encrypted.write_all(archive)?;
        encrypted.finish()?.finish()
    };
    let file: Vec<u8> = encrypt().context("could not encrypt the vault")?;
    ensure!(file.len() as u64 <= BACKUP_LIMIT, "the vault is too large for a backup of {BACKUP_LIMIT} bytes");
    let key = labelled.key.into_inner().context("could not encrypt the vault")?;
    Ok(EncryptedBackup { file, key })
}

impl EncryptedBackup {
    /// Decrypts `file`, which was read back, with the key that this run chose: header, MAC and every byte must be sound. That
    /// the recipients can find that key, only one of them can tell.
    ///
    /// # Errors
    /// As for [`decrypt_backup`].
    pub(super) fn decrypt_again(&self, file: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        decrypt(file, &KnownFileKey(&self.key))
    }
}

/// Decrypts `file` with the keys of a recipient.
///
/// # Errors
/// When the file is no age file, was cut short or changed, or none of `identities` is one of its recipients. The messages
/// have the file as their subject, "it".
pub(super) fn decrypt_backup(file: &[u8], identities: &Identities) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    decrypt(file, identities)
}

/// Reads the label of a backup.
///
/// # Errors
/// When `file` is no age file, or has no label: then it is no backup of a vault.
pub(super) fn read_label(file: &[u8]) -> anyhow::Result<BackupLabel> {
    let stanzas = list_stanzas(file)?;
    let label = stanzas.iter().find(|(tag, _)| tag == LABEL);
    let cluster = label.and_then(|(_, args)| args.first()).context("it is no backup of a vault")?;
    let is_recipient = |tag: &str| tag != LABEL && !tag.ends_with(GREASE);
    let recipients = stanzas.iter().filter(|(tag, _)| is_recipient(tag)).count();
    Ok(BackupLabel { cluster: cluster.clone(), recipients })
}

/// Lists the stanzas in the header of the age file `file`: type and arguments of each.
///
/// # Errors
/// When `file` is no age file, or its header was changed.
pub(super) fn list_stanzas(file: &[u8]) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let reader = StanzaReader(RefCell::default());
    // No key, so the header alone is read.
    let refused = open(file)?.decrypt(std::iter::once(&reader as &dyn age::Identity)).err();
    ensure!(matches!(refused, Some(DecryptError::NoMatchingKeys)), BROKEN);
    Ok(reader.0.into_inner())
}

/// The fault of a file that was damaged.
const BROKEN: &str = "it was cut short or changed since it was made";

/// The words with which an age file begins: without armour, and with it.
const BEGINNINGS: [&[u8]; 2] = [b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// Reads the header of the age file `file`, with or without armour.
fn open(file: &[u8]) -> anyhow::Result<Decryptor<ArmoredReader<BufReader<&[u8]>>>> {
    let is_age = BEGINNINGS.iter().any(|words| file.trim_ascii_start().starts_with(words));
    ensure!(is_age, "it is no age file");
    check_header(file)?;
    Decryptor::new(ArmoredReader::new(file)).map_err(|error| match error {
        DecryptError::UnknownFormat => anyhow!("it is of a version of age that plasmagen does not know"),
        _ => anyhow!(BROKEN),
    })
}

/// Refuses a header that is larger than those of age: the parser of the crate takes a time that grows with the square
/// of the length of a header, and of a line.
fn check_header(file: &[u8]) -> anyhow::Result<()> {
    let mut header = Vec::new();
    let read = ArmoredReader::new(file).take(HEADER_LIMIT).read_to_end(&mut header);
    // A file that was cut short behind its header is for the decryption to refuse.
    let end = header.windows(END_OF_HEADER.len()).position(|window| window == END_OF_HEADER);
    ensure!(read.is_ok() || end.is_some(), BROKEN);
    let Some(end) = end else {
        let is_whole = (header.len() as u64) < HEADER_LIMIT;
        ensure!(!is_whole, BROKEN);
        bail!("its header is larger than {HEADER_LIMIT} bytes, and that of a backup is not");
    };
    let words = header[..end].split(u8::is_ascii_whitespace);
    ensure!(words.map(<[u8]>::len).max().unwrap_or_default() <= ARGUMENT_LIMIT, BROKEN);
    Ok(())
}

/// The largest header that is read, in bytes: that of dozens of recipients.
const HEADER_LIMIT: u64 = 32 << 10;

/// The longest word of a header that is read, in bytes: post-quantum recipients need 1.5 KiB.
const ARGUMENT_LIMIT: usize = 2 << 10;

/// The bytes with which the last line of a header begins.
const END_OF_HEADER: &[u8] = b"\n--- ";

fn decrypt(file: &[u8], identity: &dyn age::Identity) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut reader = open(file)?.decrypt(std::iter::once(identity)).map_err(|error| match error {
        DecryptError::NoMatchingKeys => anyhow!("it is encrypted to other keys than the one that was given"),
        _ => anyhow!(BROKEN),
    })?;
    // Large enough at once: a vector that grows leaves copies in memory.
    let mut archive = Zeroizing::new(Vec::with_capacity(file.len()));
    reader.read_to_end(&mut archive).map_err(|_| anyhow!(BROKEN))?;
    Ok(archive)
}

/// A recipient that adds the label to the stanzas of another one, and keeps the key of the file.
struct LabellingRecipient<'a> {
    inner: &'a dyn age::Recipient,
    cluster: &'a str,
    key: RefCell<Option<FileKey>>,
}

impl age::Recipient for LabellingRecipient<'_> {
    fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let (mut stanzas, labels) = self.inner.wrap_file_key(key)?;
        stanzas.push(Stanza { tag: LABEL.to_owned(), args: vec![self.cluster.to_owned()], body: Vec::new() });
        *self.key.borrow_mut() = Some(copy_key(key));
        Ok((stanzas, labels))
    }
}

/// The key of a file, for the run that made the file.
struct KnownFileKey<'a>(&'a FileKey);

impl age::Identity for KnownFileKey<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        (stanza.tag == LABEL).then(|| Ok(copy_key(self.0)))
    }
}

/// An identity that opens nothing, and keeps type and arguments of each stanza.
struct StanzaReader(RefCell<Vec<(String, Vec<String>)>>);

impl age::Identity for StanzaReader {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let Stanza { tag, args, .. } = stanza;
        self.0.borrow_mut().push((tag.clone(), args.clone()));
        None
    }
}

fn copy_key(key: &FileKey) -> FileKey {
    FileKey::init_with_mut(|copy| copy.copy_from_slice(key.expose_secret()))
}
