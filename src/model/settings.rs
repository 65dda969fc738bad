//! Settings of services, which plasmagen passes through: tables laid over each other key by key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The settings of a service.
pub type Settings = Map<String, Value>;

/// Settings laid over each other, each with the source `S` that it comes from.
#[derive(Debug)]
pub struct LaidSettings<'a, S>(BTreeMap<&'a str, Laid<'a, S>>);

#[derive(Debug)]
enum Laid<'a, S> {
    Value(&'a Value, S),
    /// A table, and the last source that has it.
    Table(LaidSettings<'a, S>, S),
}

impl<S> Default for LaidSettings<'_, S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'a, S: Copy> LaidSettings<'a, S> {
    /// Lays `over`, which comes from `source`, over the settings: two tables are merged in turn, anything else is replaced.
    pub fn lay(&mut self, over: &'a Settings, source: S) {
        for (key, value) in over {
            let Value::Object(over) = value else {
                self.0.insert(key, Laid::Value(value, source));
                continue;
            };
            if !matches!(self.0.get(key.as_str()), Some(Laid::Table(..))) {
                self.0.insert(key, Laid::Table(Self::default(), source));
            }
            if let Some(Laid::Table(table, last)) = self.0.get_mut(key.as_str()) {
                *last = source;
                table.lay(over, source);
            }
        }
    }

    /// The settings. `see` is shown each value that is no table, or an empty one, with its path and its source.
    pub fn merge(self, see: &mut impl FnMut(&[&'a str], &Value, S)) -> Settings {
        self.merge_below(&mut Vec::new(), see)
    }

    fn merge_below(self, path: &mut Vec<&'a str>, see: &mut impl FnMut(&[&'a str], &Value, S)) -> Settings {
        let mut settings = Settings::new();
        for (key, laid) in self.0 {
            path.push(key);
            let (value, source, is_leaf) = match laid {
                Laid::Value(value, source) => (value.clone(), source, true),
                Laid::Table(table, source) => {
                    let is_empty = table.0.is_empty();
                    (Value::Object(table.merge_below(path, see)), source, is_empty)
                }
            };
            if is_leaf {
                see(path, &value, source);
            }
            settings.insert(key.to_owned(), value);
            path.pop();
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_merge_by_key() {
        let table = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        let below = table(r#"{"a": 1, "c": {"d": 1}, "tls": {"x": 1, "y": 2}}"#);
        let over = table(r#"{"b": 2, "c": {}, "e": {}, "tls": {"y": 3}}"#);
        let mut laid = LaidSettings::default();
        laid.lay(&below, "below");
        laid.lay(&over, "over");
        let mut seen = Vec::new();
        let settings = laid.merge(&mut |path, _, source| seen.push(format!("{} {source}", path.join("."))));
        assert_eq!(settings, table(r#"{"a": 1, "b": 2, "c": {"d": 1}, "e": {}, "tls": {"x": 1, "y": 3}}"#));
        assert_eq!(seen, ["a below", "b over", "c.d below", "e over", "tls.x below", "tls.y over"]);
    }
}
