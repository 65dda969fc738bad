//! Modules form no circle: each file of `src` can be read after the files that it uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Paths, Segments, read_modules};

/// The modules that may use their children while their children use them: tables of entries, with the type of an entry.
const REGISTRIES: [(&str, &str); 2] = [
    ("cli", "the table of commands; commands use its exit statuses"),
    ("outputs", "the table of outputs; each output is an `Output`"),
];

type Modules = BTreeMap<Segments, Paths>;
type Edges = BTreeMap<String, BTreeSet<String>>;

/// The path from the crate's root that `path` means in `module`; none for other crates, and for names of the module.
fn resolve(modules: &Modules, module: &[String], path: &[String]) -> Option<Segments> {
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    let is_child = || modules.contains_key(&[module, &path[..1]].concat());
    match path[0].as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => Some([&module[..module.len() - supers], &path[supers..]].concat()),
        "self" => Some([module, &path[1..]].concat()),
        _ if is_child() => Some([module, path].concat()),
        _ => None,
    }
}

/// The module that holds the item at `path`, which a `pub use` may name elsewhere.
fn find_holder(modules: &Modules, path: &[String]) -> Option<Segments> {
    let length = (1..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    let export = rest.first().and_then(|name| modules[module].exports.get(name));
    let Some(export) = export.and_then(|export| resolve(modules, module, export)) else {
        return Some(module.to_vec());
    };
    find_holder(modules, &[&export, &rest[1..]].concat())
}

/// The modules that each module uses. A `pub use` gives a name to an item, and is no use of the item's module.
fn find_edges(modules: &Modules) -> Edges {
    let mut edges = Edges::new();
    for (module, paths) in modules {
        let absolute = paths.used().filter_map(|path| resolve(modules, module, &path));
        let holders = absolute.filter_map(|path| find_holder(modules, &path));
        let others = holders.filter(|holder| holder != module).map(|holder| holder.join("::"));
        edges.insert(module.join("::"), others.collect());
    }
    edges
}

/// The modules that form circles: those left when modules that use no other left module are taken away, again and again,
/// and so are modules that no other left module uses.
fn find_circles(edges: &Edges) -> Edges {
    let mut left = edges.clone();
    loop {
        let used: BTreeSet<_> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, others| !others.is_empty() && used.contains(module));
        let names: BTreeSet<_> = left.keys().cloned().collect();
        left.values_mut().for_each(|others| others.retain(|other| names.contains(other)));
        if left.len() == before {
            return left;
        }
    }
}

/// `edges` without those that lead from the module `registry` to its children.
fn without_entries(mut edges: Edges, registry: &str) -> Edges {
    let child = format!("{registry}::");
    edges.get_mut(registry).unwrap().retain(|other| !other.starts_with(&child));
    edges
}

#[test]
fn modules_form_no_circle() {
    let edges = find_edges(&read_modules());
    let without = |spared: &str| {
        let registries = REGISTRIES.iter().map(|(registry, _)| *registry).filter(|name| *name != spared);
        find_circles(&registries.fold(edges.clone(), without_entries))
    };
    assert_eq!(without(""), Edges::new());
    for (registry, _) in REGISTRIES {
        assert!(
            without(registry).contains_key(registry),
            "{registry} forms no circle: strike it off the list"
        );
    }
}

/// Edges are found in the macros of the rules' table, and through the `pub use` lines of a parent.
#[test]
fn edges_are_found_in_macros_and_through_exports() {
    let edges = find_edges(&read_modules());
    assert!(edges["rules::table"].contains("rules::vlans"));
    assert!(edges["model::netboot"].contains("model::node"));
    let circle = |names: [&str; 2]| (names[0].to_owned(), BTreeSet::from([names[1].to_owned()]));
    let ring =
        Edges::from([circle(["a", "b"]), circle(["b", "a"]), circle(["c", "a"]), circle(["a2", "b2"])]);
    assert_eq!(find_circles(&ring).keys().collect::<Vec<_>>(), ["a", "b"]);
}
