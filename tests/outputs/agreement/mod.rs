//! Proof of agreement: every rendered file is read back by the program that it is written for, and what they
//! understood of each node is one and the same, and the inventory's: MAC and IP addresses, host names, boot files, zone
//! records, open ports, certificates. For the golden cases, the reference, and 200 random inventories.
//!
//! Every reader reads every tree: programs that take many files are started once for all of them, or in two halves side
//! by side. What is compared is in `facts`, what is expected in `model` and `names`, who reads in `readers`; `mutations`
//! proves that each reader finds what is wrong, and `coverage` that random inventories are of all kinds. Leases that
//! real DHCP servers hand out are asked for in `tests/servers/live/`.

mod coverage;
mod facts;
mod model;
mod mutations;
mod names;
mod namespace;
mod provisioner;
mod readers;
mod references;
mod tree;

use std::collections::BTreeSet;

use rayon::prelude::*;

use facts::{Kind, Said, differences};
use readers::READERS;
use tree::Tree;

/// How many random inventories there are.
const RANDOM: u64 = 200;

/// What all readers say of each tree; they read side by side.
fn read_all(trees: &[Tree]) -> Vec<Vec<Said>> {
    let by_reader: Vec<_> = READERS.par_iter().map(|reader| (reader.read)(trees)).collect();
    let mut said = vec![Vec::new(); trees.len()];
    for of_reader in by_reader {
        for (of_tree, statements) in said.iter_mut().zip(of_reader) {
            of_tree.extend(statements);
        }
    }
    said
}

/// Fails with every difference, unless there is none; each kind of fact was said of something by each who knows it.
fn agree(trees: &[Tree], rare: &[Kind]) {
    let mut found = Vec::new();
    let mut spoken = BTreeSet::<(&str, Kind)>::new();
    let mut kinds = BTreeSet::<(&str, Kind)>::new();
    for (tree, said) in trees.iter().zip(read_all(trees)) {
        let differences = differences(&model::facts(&tree.cluster), &said);
        if !differences.is_empty() {
            found.push(format!("{}:\n  {}\n{}", tree.name, differences.join("\n  "), tree.inventory));
        }
        for statement in &said {
            spoken.extend(statement.facts.0.iter().map(|fact| (statement.source, fact.kind)));
            kinds.extend(statement.kinds.iter().map(|kind| (statement.source, *kind)));
        }
    }
    assert!(found.is_empty(), "{} of {} disagree; {}", found.len(), trees.len(), found[0]);
    let never: Vec<_> = kinds.difference(&spoken).filter(|(_, kind)| !rare.contains(kind)).collect();
    assert!(never.is_empty(), "these never say something of that kind: {never:?}");
}

#[test]
fn committed_trees_agree() {
    // Of these, no golden case has any.
    agree(&Tree::committed(), &["delegation", "extra of Kea", "extra of dnsmasq", "IPv6 domain"]);
}

#[test]
fn random_trees_agree() {
    let trees: Vec<Tree> = (0..RANDOM).into_par_iter().map(Tree::random).collect();
    coverage::assert_all(&trees);
    agree(&trees, &[]);
}
