//! The JSON Schema says what the reader reads: the same keys, types, choices, ranges and defaults. Nothing here knows
//! the reader's tables: it is asked, by inventories that are wrong in one place.

mod defaults;
mod reader;
mod taplo;
mod walk;

use std::fs;

use test_kit::repository;

#[test]
fn the_committed_schema_is_fresh() {
    let committed = fs::read_to_string(repository().join("inventory.schema.json")).unwrap();
    let fresh = serde_json::to_string_pretty(&plasmagen::inventory::json_schema()).unwrap() + "\n";
    assert!(committed == fresh, "stale: plasmagen schema > inventory.schema.json");
}
