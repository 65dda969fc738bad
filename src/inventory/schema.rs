//! The JSON Schema of an inventory, for editors: derived from the tables that the reader fills, each key described by
//! its comment. What stands around a value there (its place, whether it is faulty) is not seen from outside.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::diag::Spanned;
use crate::model::Word;

use super::reader::Entries;
use super::values::RuleCode;
use super::{
    BmcTable, BondTable, FirewallTable, HardwareTable, InterfaceTable, Inventory, LayoutTable, NetworkTable,
    NodeTable, OpenTable, ProfileTable, SCHEMA, ServiceTable, SettingsTable, VolumeTable,
};

/// The JSON Schema of an inventory: draft 7, which taplo and Even Better TOML validate by, all in one piece.
#[must_use]
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Inventory>();
    tidy(&mut schema);
    schema.insert("title".into(), "plasmagen's inventory".into());
    schema.to_value()
}

/// What is read of a value, which is all that its author sees of it.
pub(super) trait Shape {
    fn shape(generator: &mut SchemaGenerator) -> Schema;
}

impl<T: Word> Shape for T {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        word::<T>()
    }
}

impl Shape for bool {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// The range stands at each key.
impl Shape for u16 {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer" })
    }
}

impl<T: Shape> Shape for Option<T> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        T::shape(generator)
    }
}

impl<T: Shape> Shape for Spanned<T> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        T::shape(generator)
    }
}

impl<T: Shape> Shape for Vec<Spanned<T>> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::shape(generator) })
    }
}

impl Shape for SettingsTable {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "description": "passed through as it is" })
    }
}

/// Tables, which derive theirs.
macro_rules! tables {
    ($($name:ident)+) => {$(
        impl Shape for $name {
            fn shape(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<Self>()
            }
        }
    )+};
}

tables! {
    BmcTable BondTable FirewallTable HardwareTable InterfaceTable NetworkTable NodeTable OpenTable ProfileTable
    ServiceTable VolumeTable
}

impl<T: Shape> JsonSchema for Spanned<T> {
    fn schema_name() -> Cow<'static, str> {
        "Spanned".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::shape(generator)
    }
}

impl<K: Word, T: Shape> JsonSchema for Entries<K, T> {
    fn schema_name() -> Cow<'static, str> {
        "Entries".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = word::<K>();
        json_schema!({
            "type": "object",
            "propertyNames": names,
            "additionalProperties": T::shape(generator),
        })
    }
}

fn word<T: Word>() -> Schema {
    let form = T::FORM;
    let mut schema = json_schema!({ "type": "string" });
    for (key, value) in [("description", form.about), ("pattern", form.pattern)] {
        if !value.is_empty() {
            schema.insert(key.into(), value.into());
        }
    }
    for (key, words) in [("examples", form.examples), ("enum", form.choices)] {
        if !words.is_empty() {
            schema.insert(key.into(), words.into());
        }
    }
    schema
}

/// Adds the key `key` to a table.
fn add(table: &mut Schema, key: &str, value: Value) {
    let properties = table.ensure_object().entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        properties.insert(key.into(), value);
    }
}

/// Adds `allow`, which is read into the report and not into a table.
pub(super) fn allow(table: &mut Schema) {
    let description = "Warnings that are acknowledged for this table and all below it.";
    let codes = word::<RuleCode>();
    add(table, "allow", json!({ "description": description, "type": "array", "items": codes }));
}

/// Adds `schema`, the version, to the root.
pub(super) fn version(root: &mut Schema) {
    let description = "The version of the schema that this inventory follows.";
    add(root, "schema", json!({ "description": description, "type": "integer", "const": SCHEMA }));
    if let Some(Value::Array(required)) = root.ensure_object().get_mut("required") {
        required.insert(0, "schema".into());
    }
}

/// Drops the defaults of a node's keys: what it does not say, its profile may.
pub(super) fn overrides(node: &mut Schema) {
    let Some(Value::Object(properties)) = node.get_mut("properties") else { return };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        property.remove("default");
    }
}

/// `disk`: exactly one of the styles.
impl Shape for LayoutTable {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Self>();
        let style = |about: &str, without: &[&str]| {
            let mut style = table.clone();
            style.insert("description".into(), about.into());
            if let Some(Value::Object(properties)) = style.get_mut("properties") {
                properties.retain(|key, _| !without.contains(&key.as_str()));
            }
            style
        };
        let lvm_only = ["swap", "volume"];
        let mut mirrored = style("Two or more disks that mirror both ESP and root (md RAID1).", &lvm_only);
        if let Some(formats) = mirrored.pointer_mut("/properties/format/enum").and_then(Value::as_array_mut) {
            formats.retain(|format| format != "btrfs");
        }
        json_schema!({
            "type": "object",
            "properties": {
                "single": style("One disk, one root partition.", &lvm_only),
                "raid1": mirrored,
                "lvm": style("LVM over all disks; the ESP on the first.", &[]),
                "luks": style("One disk, the root encrypted, its passphrase asked for at the console.", &lvm_only),
            },
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

/// TOML has no null, and a key that nobody knows is an error.
fn tidy(schema: &mut Schema) {
    transform_subschemas(&mut tidy, schema);
    let Some(object) = schema.as_object_mut() else { return };
    drop_null(object);
    object.remove("format");
    if object.contains_key("properties") {
        object.entry("additionalProperties").or_insert(Value::Bool(false));
    }
}

fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(types)) = object.get_mut("type") else { return };
    types.retain(|name| name != "null");
    if let [one] = &types[..] {
        let one = one.clone();
        object.insert("type".into(), one);
    }
}
