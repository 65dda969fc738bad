//! The differences between two values of the model, each with its key: what the table is asked about.

use std::collections::BTreeMap;

use serde_json::Value;

/// A key whose value differs between the old and the new cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key, such as `nodes.node01.layout.style`.
    pub key: String,
    /// The key with `*` for each name in it, as in the table: `nodes.*.layout.style`.
    pub pattern: String,
    /// The names in the key, in the order of the `*` of the pattern.
    pub names: Vec<String>,
    /// The old value; none where the key is new.
    pub old: Option<Value>,
    /// The new value; none where the key is gone.
    pub new: Option<Value>,
}

impl Difference {
    /// The entries of the new list that the old list lacks, and those of the old list that the new list lacks.
    #[must_use]
    pub fn list_changes(&self) -> (Vec<&Value>, Vec<&Value>) {
        fn items(value: Option<&Value>) -> &[Value] {
            value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
        }
        let (old, new) = (items(self.old.as_ref()), items(self.new.as_ref()));
        let added = new.iter().filter(|item| !old.contains(item)).collect();
        let removed = old.iter().filter(|item| !new.contains(item)).collect();
        (added, removed)
    }

    /// Whether the key is new.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.old.is_none()
    }

    /// Whether the key is gone.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.new.is_none()
    }
}

/// The tables whose keys are names that the inventory gives.
const NAMED_TABLES: [&str; 2] = ["networks", "provisioner.extra"];

/// The tables that are compared as one value: their keys are the user's.
const WHOLE: [&str; 2] = ["nodes.*.services.*.settings", "profiles.*.services.*.settings"];

/// The lists of tables that a value may lack. A list that is missing is an empty list.
const LISTS: [&str; 1] = ["nodes.*.layout.volumes"];

/// A place in a value, as its key, its pattern and its names.
#[derive(Clone, Default)]
pub(super) struct Place {
    key: String,
    pattern: String,
    names: Vec<String>,
}

impl Place {
    /// The place of the entry `name` of the list `list`, such as `nodes` and `node01`.
    #[must_use]
    pub(super) fn entry(list: &str, name: &str) -> Self {
        Self { key: format!("{list}.{name}"), pattern: format!("{list}.*"), names: vec![name.to_owned()] }
    }

    /// The place of the key `key` here.
    #[must_use]
    pub(super) fn key(&self, key: &str) -> Self {
        let join = |at: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        Self { key: join(&self.key), pattern: join(&self.pattern), names: self.names.clone() }
    }

    /// The place of the entry `name` here.
    #[must_use]
    pub(super) fn named(&self, name: &str) -> Self {
        let mut names = self.names.clone();
        names.push(name.to_owned());
        Self { key: format!("{}.{name}", self.key), pattern: format!("{}.*", self.pattern), names }
    }

    /// The difference here.
    #[must_use]
    pub(super) fn differs(self, old: Option<Value>, new: Option<Value>) -> Difference {
        Difference { key: self.key, pattern: self.pattern, names: self.names, old, new }
    }
}

/// Lists the differences between `old` and `new`, which stand at `place`.
pub(super) fn list_differences(place: &Place, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !WHOLE.contains(&place.pattern.as_str()) => {
            let is_named = NAMED_TABLES.contains(&place.pattern.as_str());
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let at = if is_named { place.named(key) } else { place.key(key) };
                compare_present(at, old.get(key), new.get(key), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if has_tables(old) || has_tables(new) => {
            let (old, new) = (by_identity(old), by_identity(new));
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                compare_present(place.named(name), old.get(name).copied(), new.get(name).copied(), found);
            }
        }
        _ => found.push(place.clone().differs(Some(old.clone()), Some(new.clone()))),
    }
}

/// The value of a list of tables that is not there.
static EMPTY: Value = Value::Array(Vec::new());

/// Compares values either of which may be missing. A list of tables that is missing is an empty list.
fn compare_present(place: Place, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    let is_of_tables = LISTS.contains(&place.pattern.as_str());
    let is_list = |value: &Value| is_of_tables || value.as_array().is_some_and(|items| has_tables(items));
    let present = |value: Option<&'_ Value>| value.is_some_and(|value| !value.is_null());
    match (old.filter(|_| present(old)), new.filter(|_| present(new))) {
        (None, None) => {}
        (Some(old), Some(new)) => list_differences(&place, old, new, found),
        (Some(old), None) if is_list(old) => list_differences(&place, old, &EMPTY, found),
        (None, Some(new)) if is_list(new) => list_differences(&place, &EMPTY, new, found),
        (old, new) => found.push(place.differs(old.cloned(), new.cloned())),
    }
}

fn has_tables(items: &[Value]) -> bool {
    items.first().is_some_and(Value::is_object)
}

/// The entries of a list of tables by the name that tells each from the others.
fn by_identity(items: &[Value]) -> BTreeMap<String, &Value> {
    items.iter().map(|item| (identity(item), item)).collect()
}

/// The name of an entry: the device of an interface, since several VLANs may share a NIC; the interface of the provisioner;
/// the name and the family of a virtual address; else the name.
fn identity(item: &Value) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = [text("device"), text("name"), text("interface")].into_iter().find(|name| !name.is_empty());
    let is_v6 = text("address").contains(':') && item.get("network").is_none();
    format!("{}{}", name.unwrap_or_default(), if is_v6 { "(6)" } else { "" })
}
