//! A sealed cluster value by value, each with where it comes from. The values are those that outputs see.

use anyhow::Context;
use serde_json::Value;

use crate::model::{Cluster, Node};

use super::origin::{Origin, of_cluster, of_node};
use super::{Draft, DraftNode};

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The keys that lead to it in `site/inventory.json`; in a list of tables, the name of one.
    pub path: Vec<String>,
    /// What it is.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin<'a>,
}

impl Shown<'_> {
    /// The path as TOML writes it.
    #[must_use]
    pub fn key(&self) -> String {
        let bare = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let written = |key: &String| {
            if bare(key) && !key.is_empty() { key.clone() } else { Value::from(key.as_str()).to_string() }
        };
        self.path.iter().map(written).collect::<Vec<_>>().join(".")
    }
}

/// Lists of tables, and the key that tells those of each apart.
const LISTS: [(&str, &str); 6] = [
    ("profiles", "name"),
    ("interfaces", "device"),
    ("services", "name"),
    ("volumes", "name"),
    ("vips", "name"),
    ("firewall", "name"),
];

/// Every value of `cluster` besides its nodes.
///
/// # Errors
/// When a value comes from nowhere: a bug of ours.
pub fn show_cluster<'a>(draft: &Draft<'a>, cluster: &Cluster) -> anyhow::Result<Vec<Shown<'a>>> {
    let mut value = serde_json::to_value(cluster)?;
    if let Some(cluster) = value.as_object_mut() {
        cluster.remove("nodes");
    }
    shown(value, |path, value| of_cluster(draft, path, value))
}

/// Every value of `sealed`, which is `node` sealed.
///
/// # Errors
/// When a value comes from nowhere: a bug of ours.
pub fn show_node<'a>(
    draft: &Draft<'a>,
    node: &DraftNode<'a>,
    sealed: &Node,
) -> anyhow::Result<Vec<Shown<'a>>> {
    shown(serde_json::to_value(sealed)?, |path, _| of_node(draft, node, sealed, path))
}

fn shown<'a>(
    value: Value,
    origin: impl Fn(&[&str], &Value) -> Option<Origin<'a>>,
) -> anyhow::Result<Vec<Shown<'a>>> {
    let mut leaves = Vec::new();
    collect(&mut Vec::new(), value, &mut leaves);
    let with_origin = |(path, value): (Vec<String>, Value)| {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        let origin = origin(&keys, &value)
            .with_context(|| format!("{} comes from nowhere: a bug of plasmagen", keys.join(".")))?;
        Ok(Shown { path, value, origin })
    };
    leaves.into_iter().map(with_origin).collect()
}

/// The leaves of `value`: what is neither a table nor a list of tables. Settings are the user's, and their lists too.
fn collect(path: &mut Vec<String>, value: Value, leaves: &mut Vec<(Vec<String>, Value)>) {
    let list = path.last().and_then(|last| LISTS.iter().find(|(list, _)| list == last));
    let id = list.map(|(_, id)| *id).filter(|_| !path.iter().any(|key| key == "settings"));
    match (value, id) {
        (Value::Null, _) => {}
        (Value::Object(table), _) if !table.is_empty() => {
            for (key, value) in table {
                path.push(key);
                collect(path, value, leaves);
                path.pop();
            }
        }
        (Value::Array(items), Some(id)) if !items.is_empty() => {
            for item in items {
                path.push(item[id].as_str().unwrap_or_default().to_owned());
                collect(path, item, leaves);
                path.pop();
            }
        }
        (value, _) => leaves.push((path.clone(), value)),
    }
}
