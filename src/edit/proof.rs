//! The proof that an edit means what it should mean, and nothing else.
//!
//! Both texts are read anew. The values of the new text, with the intended change taken back, are those of the old
//! text; and where both are sound, so are the resolved clusters. Errors that are in the new text only refuse the edit.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::check::{Checked, check};
use crate::diag::{Diagnostic, Severity};
use crate::inventory::{Sources, Texts, find_node_table, read_rows};

/// Reads `texts` as values of TOML, the rows of the table of nodes as tables of nodes.
///
/// # Errors
/// When the text is not TOML: an edit needs places that a parser gave.
pub(super) fn read_values(texts: &Texts<'_>) -> Result<toml::Table> {
    let values = texts.inventory.parse::<toml::Table>();
    let mut values =
        values.map_err(|_| anyhow::anyhow!("the inventory is not TOML: plasmagen check says where"))?;
    let table = texts.node_table().map(read_rows);
    let Some((header, rows)) = table.as_ref().and_then(|table| table.rows.split_first()) else {
        return Ok(values);
    };
    let nodes = values.entry("node").or_insert_with(|| toml::Table::new().into());
    for row in rows {
        let cells = header.cells.iter().zip(&row.cells).filter(|(_, cell)| !cell.text.trim().is_empty());
        let cells = cells.map(|(column, cell)| (column.text.trim(), cell.text.trim()));
        let (name, cells): (Vec<_>, Vec<_>) = cells.partition(|(column, _)| *column == "name");
        let node: toml::Table =
            cells.into_iter().map(|(column, text)| (column.to_owned(), text.into())).collect();
        if let (Some(nodes), [(_, name)]) = (nodes.as_table_mut(), &name[..]) {
            nodes.insert((*name).to_owned(), node.into());
        }
    }
    Ok(values)
}

/// The texts of an inventory, whose table of nodes, if any, is one of them.
pub(super) fn read_texts(sources: Sources<'_>) -> Result<Texts<'_>> {
    let texts = Texts::read(sources).map_err(|fault| anyhow::anyhow!("{}", fault.message))?;
    match &texts.nodes {
        Some(Err(why)) => bail!("the table of nodes cannot be read: {why}"),
        None if find_node_table(sources.inventory).is_some() => {
            bail!("the table of nodes was not read, and nothing is edited without it")
        }
        _ => Ok(texts),
    }
}

/// Checks that both texts have the same values, after `take_back` has taken the intended change out of the values of
/// both.
///
/// # Errors
/// When anything else differs: the edit would be wrong.
pub(super) fn prove_values(
    old: &Texts<'_>,
    new: &Texts<'_>,
    take_back: impl FnOnce(&mut toml::Table, &mut toml::Table),
) -> Result<()> {
    let (mut before, mut after) = (read_values(old)?, read_values(new).context(BUG)?);
    take_back(&mut before, &mut after);
    ensure!(before == after, "{BUG}");
    Ok(())
}

const BUG: &str =
    "the edit would change more than it should: a bug of plasmagen, please report it. Nothing was written";

/// Checks that the clusters of both texts are equal but for the nodes `names` and what `is_left_out` names. Nothing is
/// compared where one of the inventories has errors.
///
/// # Errors
/// When something else differs: the edit would be wrong.
pub(super) fn prove_clusters(old: &Checked, new: &Checked, names: &[&str], left_out: &[&str]) -> Result<()> {
    let (Some(before), Some(after)) = (&old.cluster, &new.cluster) else { return Ok(()) };
    let resolved = |cluster| -> Result<Value> {
        let mut value = serde_json::to_value(cluster)?;
        for key in left_out {
            value.as_object_mut().map(|object| object.remove(*key));
        }
        if let Some(nodes) = value.get_mut("nodes").and_then(Value::as_array_mut) {
            nodes.retain(|node| !node["name"].as_str().is_some_and(|name| names.contains(&name)));
        }
        Ok(value)
    };
    ensure!(resolved(before)? == resolved(after)?, "{BUG}");
    Ok(())
}

/// Checks the inventory `texts`.
pub(super) fn check_texts(texts: &Texts<'_>) -> Result<Checked> {
    check(texts.sources())
}

/// The errors of `new` that `old` does not have.
pub(super) fn new_errors(old: &Checked, new: &Checked) -> Vec<Diagnostic> {
    let is_old = |fault: &Diagnostic| {
        old.diagnostics.iter().any(|other| other.code == fault.code && other.message == fault.message)
    };
    let errors = new.diagnostics.iter().filter(|fault| fault.severity == Severity::Error);
    errors.filter(|fault| !is_old(fault)).cloned().collect()
}

/// Takes the nodes `names` out of the table `node` of an inventory.
pub(super) fn take_nodes(values: &mut toml::Table, names: &[&str]) {
    if let Some(nodes) = values.get_mut("node").and_then(toml::Value::as_table_mut) {
        names.iter().for_each(|name| drop(nodes.remove(*name)));
        if nodes.is_empty() {
            values.remove("node");
        }
    }
}
