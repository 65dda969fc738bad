//! The admin keys that open nodes and installers: as the inventory says, as `nodes/` and `site/` were rendered, and as the
//! web root serves them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use ssh_key::{HashAlg, PublicKey};

use super::root::WebRoot;
use super::site::path_of_overlay;
use crate::fs::{Dir, Errno, LIST_LIMIT, TEXT_LIMIT, split};
use crate::image::{CpioHeader, read_initrd};
use crate::model::{Cluster, HostName, Node, escape_line};

/// The file of an overlay that lists the keys.
const OVERLAY_KEYS: &[u8] = b"root/.ssh/authorized_keys";

/// The line that begins the list of keys in a node's configuration.
const CONFIGURED: &str = "users.users.root.openssh.authorizedKeys.keys = [";

/// The fingerprint of a line that is not a key alone, and that sshd may take for one: such a line has options before
/// the key, and was not written by plasmagen.
const UNREADABLE: &str = "unreadable line";

/// An admin key, and what the key opens.
#[derive(Clone, Debug, Serialize)]
pub struct AdminKeyRow {
    /// SHA-256 of the key, as `ssh-keygen -l` prints it; `unreadable line` where a line is not a key alone.
    pub fingerprint: String,
    /// The type, such as `ssh-ed25519`.
    #[serde(rename = "type")]
    pub algorithm: String,
    /// The comment behind the key; empty where no file has one.
    pub comment: String,
    /// Whether `admin_keys` of the inventory lists the key.
    pub inventory: bool,
    /// Whether the installer images that are built from the rendered site admit the key.
    pub image: bool,
    /// The nodes whose rendered configuration admits the key.
    pub configuration: BTreeSet<HostName>,
    /// The nodes whose rendered overlay brings the key to their installer.
    pub overlay: BTreeSet<HostName>,
    /// The nodes whose published overlay does; none where no web root is at hand.
    pub published: Option<BTreeSet<HostName>>,
}

/// The keys of `site/inventory.json`.
#[derive(Deserialize)]
struct ResolvedInventory {
    admin_keys: Vec<String>,
}

/// The keys that the files of one node admit, as the lines of those files.
struct NodeKeys {
    configuration: Vec<String>,
    overlay: Vec<String>,
    published: Vec<String>,
}

/// The rows by the key itself, type and Base64: comments may differ.
type Rows = BTreeMap<String, AdminKeyRow>;

/// Lists the keys that the inventory of `cluster`, the trees beside the inventory, in `root`, and the web root, if one is
/// at hand, know: those of the inventory first, in its order.
///
/// # Errors
/// When a file cannot be read.
pub fn list_admin_keys(root: &Path, cluster: &Cluster, web_root: Option<&Path>) -> Result<Vec<AdminKeyRow>> {
    let web_root = web_root.filter(|path| WebRoot::is_at(path));
    let read = |node: &Node| read_node(root, node, web_root);
    let found: Vec<_> = cluster.nodes.par_iter().map(read).collect();
    let mut rows = Rows::new();
    let add = |rows: &mut Rows, line: &str, mark: &dyn Fn(&mut AdminKeyRow)| {
        let text = line.trim();
        // Blank lines and comments admit nobody (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
        if !text.is_empty() && !text.starts_with('#') {
            let (key, row) = parse_row(text, web_root.is_some())
                .unwrap_or_else(|| (text.to_owned(), unreadable_row(text, web_root.is_some())));
            mark(rows.entry(key).or_insert(row));
        }
    };
    for key in &cluster.admin_keys {
        add(&mut rows, key.as_str(), &|row| row.inventory = true);
    }
    for line in read_image_keys(root)? {
        add(&mut rows, &line, &|row| row.image = true);
    }
    for (node, found) in cluster.nodes.iter().zip(found) {
        let NodeKeys { configuration, overlay, published } = found?;
        for line in configuration {
            add(&mut rows, &line, &|row| row.configuration.extend([node.name.clone()]));
        }
        for line in overlay {
            add(&mut rows, &line, &|row| row.overlay.extend([node.name.clone()]));
        }
        for line in published {
            add(&mut rows, &line, &|row| {
                row.published.iter_mut().for_each(|nodes| nodes.extend([node.name.clone()]));
            });
        }
    }
    let order = |row: &AdminKeyRow| {
        let is_same =
            |key: &&str| parse_row(key, false).is_some_and(|(_, other)| other.fingerprint == row.fingerprint);
        cluster.admin_keys.iter().position(|key| is_same(&key.as_str())).unwrap_or(usize::MAX)
    };
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_cached_key(|row| (order(row), row.fingerprint.clone()));
    Ok(rows)
}

/// The row of the key in `line`, which opens nothing yet, with the key without its comment; none where there is no key.
fn parse_row(line: &str, has_web_root: bool) -> Option<(String, AdminKeyRow)> {
    let key = PublicKey::from_openssh(line.trim()).ok()?;
    let bare = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let row = AdminKeyRow {
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        algorithm: key.algorithm().to_string(),
        comment: key.comment().to_owned(),
        inventory: false,
        image: false,
        configuration: BTreeSet::new(),
        overlay: BTreeSet::new(),
        published: has_web_root.then(BTreeSet::new),
    };
    Some((bare, row))
}

/// The row of `line`, which is not a key alone, as with options before the key: sshd may take it for one.
fn unreadable_row(line: &str, has_web_root: bool) -> AdminKeyRow {
    AdminKeyRow {
        fingerprint: UNREADABLE.to_owned(),
        algorithm: String::new(),
        comment: escape_line(line).chars().take(60).collect(),
        inventory: false,
        image: false,
        configuration: BTreeSet::new(),
        overlay: BTreeSet::new(),
        published: has_web_root.then(BTreeSet::new),
    }
}

/// Reads the keys that the images admit which are built from the site in `root`.
fn read_image_keys(root: &Path) -> Result<Vec<String>> {
    const PATH: &str = "site/inventory.json";
    let Some(text) = read_text(root, PATH, LIST_LIMIT)? else { return Ok(Vec::new()) };
    let resolved: ResolvedInventory = serde_json::from_str(&text)
        .with_context(|| format!("{PATH} is not as plasmagen writes it: restore it from git"))?;
    Ok(resolved.admin_keys)
}

/// Reads the keys that the files of `node` admit.
fn read_node(root: &Path, node: &Node, web_root: Option<&Path>) -> Result<NodeKeys> {
    let configuration = format!("nodes/{}/configuration.nix", node.fqdn);
    let path = path_of_overlay(&node.mac.hyphens());
    let (directory, overlay) = split(&path);
    let text = read_text(root, &configuration, TEXT_LIMIT)?.unwrap_or_default();
    let published = web_root.map(|web_root| read_overlay(&web_root.join(directory), overlay)).transpose()?;
    Ok(NodeKeys {
        configuration: list_configured(&text),
        overlay: read_overlay(&root.join("site/www").join(directory), overlay)?,
        published: published.unwrap_or_default(),
    })
}

/// Lists the keys of the list that render writes into a configuration: one string a line. The type and the key need no
/// escapes in a string of Nix; the comment, which may, is left out.
fn list_configured(text: &str) -> Vec<String> {
    let list = text.lines().skip_while(|line| line.trim() != CONFIGURED).skip(1);
    let strings = list.map_while(|line| line.trim().strip_prefix('"'));
    strings.map(|key| key.trim_end_matches('"').split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

/// Reads the keys in the overlay `name` in `directory`, which may be a link as in a web root; none where there is no overlay.
fn read_overlay(directory: &Path, name: &str) -> Result<Vec<String>> {
    let context = || format!("could not read {}", directory.join(name).display());
    let Some(dir) = open(directory)? else { return Ok(Vec::new()) };
    if dir.stat(name).with_context(context)?.is_none() {
        return Ok(Vec::new());
    }
    let bytes = dir.read_limited(name, TEXT_LIMIT).with_context(context)?;
    let mut keys = String::new();
    let mut visit = |header: &CpioHeader, content: &mut dyn Read| {
        if header.path == OVERLAY_KEYS {
            content.take(TEXT_LIMIT).read_to_string(&mut keys)?;
        }
        Ok(())
    };
    read_initrd(&bytes[..], &mut visit).with_context(context)?;
    Ok(keys.lines().map(str::to_owned).collect())
}

/// Reads the text `path` below `root`; none where there is no such file.
fn read_text(root: &Path, path: &str, limit: u64) -> Result<Option<String>> {
    let Some(dir) = open(root)? else { return Ok(None) };
    dir.read_text(path, limit).with_context(|| format!("could not read {}", root.join(path).display()))
}

/// Opens the directory `root`; none where there is none.
fn open(root: &Path) -> Result<Option<Dir>> {
    match Dir::open(root) {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        opened => opened.map(Some).with_context(|| format!("could not open {}", root.display())),
    }
}
