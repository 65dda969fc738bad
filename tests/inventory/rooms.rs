//! The map of the house, in `src/lib.rs` and in `docs/architecture.md`: it names every room, and every arrow between
//! rooms, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::source::read_modules;

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The table in the crate's documentation: the rooms in order, and what each of them uses.
fn documented() -> (Vec<String>, Arrows) {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let (mut order, mut arrows) = (Vec::new(), Arrows::new());
    for line in text.lines().filter_map(|line| line.strip_prefix("//! | [`")) {
        let cells: Vec<_> = line.split(" | ").collect();
        let room = line.split('`').next().unwrap().to_owned();
        arrows.insert(room.clone(), quoted(cells.last().unwrap()).into_iter().collect());
        order.push(room);
    }
    (order, arrows)
}

/// The rooms in `src`, and which rooms the code of each names.
fn found() -> Arrows {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    let rooms = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut arrows: Arrows = rooms.map(|room| (room.to_owned(), BTreeSet::new())).collect();
    let rooms: BTreeSet<_> = arrows.keys().cloned().collect();
    for (module, paths) in read_modules() {
        let paths = paths.used().chain(paths.exports.values().cloned());
        let named = paths.filter(|path| path[0] == "crate").filter_map(|path| path.into_iter().nth(1));
        let others = named.filter(|name| rooms.contains(name) && *name != module[0]);
        arrows.get_mut(&module[0]).unwrap().extend(others);
    }
    arrows
}

#[test]
fn the_map_shows_every_arrow_and_no_other() {
    let (order, mut documented) = documented();
    let mut found = found();
    // The command line calls whatever it needs.
    assert_eq!(documented.remove("cli").zip(found.remove("cli")).map(|(named, _)| named.len()), Some(0));
    assert_eq!(documented, found);
    let place = |room: &str| order.iter().position(|other| other == room).unwrap();
    for (room, used) in &found {
        for other in used {
            assert!(place(other) < place(room), "{room} uses {other}, which stands above it");
        }
    }
}

/// The page has the map of the crate's documentation, the roof first.
#[test]
fn the_page_shows_the_same_map() {
    let (order, arrows) = documented();
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let map = page.split("```text\n").nth(2).unwrap().split("```").next().unwrap();
    let lines: Vec<Vec<_>> = map.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), order.len());
    for (line, room) in lines.iter().rev().zip(&order) {
        assert_eq!(line[0], room);
        let used: BTreeSet<_> =
            line[1..].iter().map(|name| (*name).to_owned()).filter(|name| name != "—").collect();
        assert!(room == "cli" || used == arrows[room], "{room}: {used:?}");
    }
}
