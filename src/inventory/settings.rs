//! Settings that plasmagen passes through. TOML's dates and infinities have no counterpart in JSON or Nix.

use std::collections::HashMap;

use serde_json::{Map, Number, Value, json};
use toml::de::{DeTable, DeValue};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::Settings;

use super::reader::{Cell, Expected, Read, check_printable, parse_integer, read_text};
use super::schema::{Schema, map_of};

/// Settings of a service as written.
#[derive(Clone, Debug, Default)]
pub struct SettingsTable {
    /// The settings.
    pub values: Settings,
    /// The place of each key of the first level.
    pub places: HashMap<String, Span>,
}

impl Read for SettingsTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let DeValue::Table(table) = cell.value else {
            cell.report_unexpected(Expected::Table, report);
            return None;
        };
        let places = table.keys().map(|name| (name.get_ref().to_string(), name.span())).collect();
        Some(Self { values: read_settings(table, report), places })
    }

    fn schema() -> Schema {
        map_of(json!({ "type": "object", "description": "passed through as it is" }))
    }
}

fn read_settings(table: &DeTable<'_>, report: &mut Report) -> Settings {
    let mut map = Map::new();
    for (name, item) in table {
        if !check_printable(name.get_ref(), &name.span(), report) {
            continue;
        }
        if let Some(value) = read_setting(Cell::at(item), report) {
            map.insert(name.get_ref().to_string(), value);
        }
    }
    map
}

fn read_setting(cell: Cell<'_>, report: &mut Report) -> Option<Value> {
    Some(match cell.value {
        DeValue::String(_) => Value::String(read_text(cell, report)?.to_owned()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(number) => match parse_integer(number) {
            // Nix reads -9223372036854775808 as a negated number that is too large.
            Some(value) if value != i64::MIN => Value::Number(value.into()),
            _ => return refuse(cell, "PG-A10", "this number is too large: write it as a string", report),
        },
        DeValue::Float(number) => match parse_float(number.as_str()).and_then(Number::from_f64) {
            Some(value) => Value::Number(value),
            None => return refuse(cell, "PG-A10", "Nix has no such number: write it as a string", report),
        },
        DeValue::Datetime(_) => {
            return refuse(cell, "PG-A04", "a date cannot be passed on: write it as a string", report);
        }
        DeValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                list.extend(read_setting(Cell::at(item), report));
            }
            Value::Array(list)
        }
        DeValue::Table(table) => Value::Object(read_settings(table, report)),
    })
}

/// A number that every consumer reads back unchanged: finite, not subnormal, not `-0.0`.
fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.replace('_', "").parse().ok()?;
    (value.is_normal() || (value == 0.0 && value.is_sign_positive())).then_some(value)
}

fn refuse<T>(cell: Cell<'_>, code: &'static str, message: &str, report: &mut Report) -> Option<T> {
    report.push(Diagnostic::error(code, &cell.span(), message));
    None
}
