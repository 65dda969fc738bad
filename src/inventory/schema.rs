//! The JSON Schema of an inventory, for editors. Each type that the reader reads says how it looks from outside: without
//! its place, and without the possibility that it is faulty.

use serde_json::{Map, Value, json};

use crate::model::{Form, Word};

use super::values::RuleCode;

/// A JSON Schema, or a part of one.
pub(super) type Schema = Map<String, Value>;

/// Whether a key must be written.
#[derive(Clone, Copy)]
pub(super) enum Need {
    Optional,
    Required,
    /// At least one of the table's alternatives must be written.
    Alternative,
    /// Must be written unless the value of the other key is a table.
    RequiredBeside(&'static str),
}

/// The part of the schema that describes the value of a key.
pub(super) struct Property {
    pub(super) schema: Schema,
    pub(super) need: Need,
}

/// The schema of a table that is being made.
#[derive(Default)]
pub(super) struct TableSchema {
    properties: Schema,
    required: Vec<&'static str>,
    alternatives: Vec<&'static str>,
    /// The keys that must be written unless the value of another key is a table, and that key.
    required_beside: Option<(Vec<&'static str>, &'static str)>,
}

impl TableSchema {
    /// The schema of the table, which `about` describes.
    pub(super) fn finish(self, about: &[&str]) -> Schema {
        let mut schema = map_of(json!({
            "type": "object",
            "description": joined(about),
            "properties": self.properties,
            // A key that the reader does not know is a fault.
            "additionalProperties": false,
        }));
        if !self.required.is_empty() {
            schema.insert("required".into(), json!(self.required));
        }
        if !self.alternatives.is_empty() {
            let each = self.alternatives.iter().map(|key| json!({ "required": [key] }));
            schema.insert("anyOf".into(), each.collect());
        }
        if let Some((keys, other)) = &self.required_beside {
            let is_table = json!({ "required": [other], "properties": { *other: { "type": "object" } } });
            schema.insert("anyOf".into(), json!([{ "required": keys }, is_table]));
        }
        schema
    }

    /// Adds the key `key`, which `description` describes.
    pub(super) fn add(&mut self, key: &'static str, description: &[&str], property: Property) {
        let Property { mut schema, need } = property;
        schema.insert("description".into(), joined(description).into());
        self.properties.insert(key.into(), schema.into());
        match need {
            Need::Optional => {}
            Need::Required => self.required.push(key),
            Need::Alternative => self.alternatives.push(key),
            Need::RequiredBeside(other) => {
                self.required_beside.get_or_insert_with(|| (Vec::new(), other)).0.push(key);
            }
        }
    }

    /// Adds the key `allow`, which is read into the report and not into the table.
    pub(super) fn allow(&mut self) {
        let description = "Warnings that you acknowledge for this table and for all tables below, such as \
                           `[\"PG-D04\"]`: they are no longer reported there.";
        let property = Property { schema: list_of(&word::<RuleCode>()), need: Need::Optional };
        self.add("allow", &[description], property);
    }

    /// Removes the defaults of all keys: where a node does not say a value, its profile may.
    pub(super) fn drop_defaults(&mut self) {
        for property in self.properties.values_mut().filter_map(Value::as_object_mut) {
            property.remove("default");
        }
    }
}

/// The schema of a word.
pub(super) fn word<T: Word>() -> Schema {
    let Form { about, pattern, examples, choices } = T::FORM;
    let mut schema = map_of(json!({ "type": "string" }));
    for (key, value) in [("description", about), ("pattern", pattern)] {
        if !value.is_empty() {
            schema.insert(key.into(), value.into());
        }
    }
    for (key, words) in [("examples", examples), ("enum", choices)] {
        if !words.is_empty() {
            schema.insert(key.into(), words.into());
        }
    }
    schema
}

/// The schema of a list.
pub(super) fn list_of(items: &Schema) -> Schema {
    map_of(json!({ "type": "array", "items": items }))
}

/// The members of a JSON object.
pub(super) fn map_of(value: Value) -> Schema {
    if let Value::Object(map) = value { map } else { Schema::new() }
}

/// The lines of a documentation comment as one text.
fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
