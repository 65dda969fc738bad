//! The recorder: notes each value and its origin while a draft is finished.

use serde::Serialize;
use serde_json::Value;

use super::origin::{Origin, Sourced};

/// A resolved value and its origin.
#[derive(Clone, Debug)]
pub struct ResolvedValue<'a> {
    /// The keys that lead to the value in `site/inventory.json`; in a list of tables, the name of the table.
    pub path: Vec<String>,
    /// The value as outputs see it.
    pub value: Value,
    /// The place that the value comes from.
    pub origin: Origin<'a>,
}

impl ResolvedValue<'_> {
    /// The path as TOML writes it.
    #[must_use]
    pub fn key(&self) -> String {
        let is_bare = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let written = |key: &String| {
            if is_bare(key) && !key.is_empty() { key.clone() } else { Value::from(key.as_str()).to_string() }
        };
        self.path.iter().map(written).collect::<Vec<_>>().join(".")
    }
}

/// A step of a path. The number orders the tables of a list; keys all have 0, and so are ordered by name.
type Step = (usize, String);

/// Takes each value out of its [`Sourced`], and records both while it is switched on.
#[derive(Debug)]
pub(super) struct Recorder<'a>(Option<Records<'a>>);

#[derive(Debug, Default)]
struct Records<'a> {
    /// The path of the table whose values are recorded now.
    path: Vec<Step>,
    values: Vec<(Vec<Step>, Value, Origin<'a>)>,
    failure: Option<serde_json::Error>,
}

impl<'a> Recorder<'a> {
    /// A recorder that records nothing, at no cost: thousands of nodes are finished with it.
    pub(super) fn off() -> Self {
        Self(None)
    }

    /// A recorder that records every value.
    pub(super) fn on() -> Self {
        Self(Some(Records::default()))
    }

    /// Takes the value of `key`.
    pub(super) fn take<T: Serialize>(&mut self, key: &str, sourced: Sourced<'a, T>) -> T {
        if let Some(records) = &mut self.0 {
            match serde_json::to_value(&sourced.value) {
                Ok(value) => records.add(key, value, sourced.origin),
                Err(error) => records.failure = Some(error),
            }
        }
        sourced.value
    }

    /// Records a value at `path` below the current table, which is merged elsewhere.
    pub(super) fn note(&mut self, path: &[&str], value: &Value, origin: Origin<'a>) {
        if let (Some(records), [tables @ .., key]) = (&mut self.0, path) {
            let depth = records.path.len();
            records.path.extend(tables.iter().map(|table| (0, (*table).to_owned())));
            records.add(key, value.clone(), origin);
            records.path.truncate(depth);
        }
    }

    /// Resolves the table `key`, whose values `resolve` takes.
    pub(super) fn table<T>(&mut self, key: &str, resolve: impl FnOnce(&mut Self) -> T) -> T {
        self.step_into(0, key, resolve)
    }

    /// Resolves the table called `id` in a list, whose values `resolve` takes. Nothing is recorded of a table that cannot be
    /// resolved.
    pub(super) fn item<T>(&mut self, id: &str, resolve: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.0.as_ref().map_or(0, |records| records.values.len());
        let item = self.step_into(before, id, resolve);
        if let (None, Some(records)) = (&item, &mut self.0) {
            records.values.truncate(before);
        }
        item
    }

    /// Resolves the list of tables `key`: `resolve` makes a table of each of `items`, or nothing. An empty list is a value
    /// itself, with the origin `empty`.
    pub(super) fn list<I, T>(
        &mut self,
        key: &str,
        empty: Origin<'a>,
        items: impl IntoIterator<Item = I>,
        mut resolve: impl FnMut(&mut Self, I) -> Option<T>,
    ) -> Vec<T> {
        let items = self.table(key, |recorder| {
            items.into_iter().filter_map(|item| resolve(recorder, item)).collect::<Vec<T>>()
        });
        if items.is_empty() {
            let _: [(); 0] = self.take(key, empty.gives([]));
        }
        items
    }

    /// Resolves the list of tables `key` as [`list`](Self::list) does; `None` if one of `items` cannot be resolved.
    pub(super) fn whole_list<I, T>(
        &mut self,
        key: &str,
        empty: Origin<'a>,
        items: impl IntoIterator<Item = I>,
        mut resolve: impl FnMut(&mut Self, I) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut is_whole = true;
        let items = self.list(key, empty, items, |recorder, item| {
            let item = resolve(recorder, item);
            is_whole &= item.is_some();
            item
        });
        is_whole.then_some(items)
    }

    /// The recorded values, by path.
    ///
    /// # Errors
    /// When a value has no form in JSON: a bug of plasmagen.
    pub(super) fn into_values(self) -> anyhow::Result<Vec<ResolvedValue<'a>>> {
        let Records { mut values, failure, .. } = self.0.unwrap_or_default();
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        values.sort_by(|a, b| a.0.cmp(&b.0));
        let without_order = |path: Vec<Step>| path.into_iter().map(|(_, key)| key).collect();
        let resolved = |(path, value, origin)| ResolvedValue { path: without_order(path), value, origin };
        Ok(values.into_iter().map(resolved).collect())
    }

    fn step_into<T>(&mut self, order: usize, key: &str, resolve: impl FnOnce(&mut Self) -> T) -> T {
        if let Some(records) = &mut self.0 {
            records.path.push((order, key.to_owned()));
        }
        let resolved = resolve(self);
        if let Some(records) = &mut self.0 {
            records.path.pop();
        }
        resolved
    }
}

impl<'a> Records<'a> {
    /// Adds the leaves of `value`. An absent value is none.
    fn add(&mut self, key: &str, value: Value, origin: Origin<'a>) {
        self.path.push((0, key.to_owned()));
        match value {
            Value::Null => {}
            Value::Object(table) if !table.is_empty() => {
                for (key, value) in table {
                    self.add(&key, value, origin);
                }
            }
            value => self.values.push((self.path.clone(), value, origin)),
        }
        self.path.pop();
    }
}
