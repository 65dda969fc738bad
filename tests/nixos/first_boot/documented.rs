//! docs/first-boot.md says what the programs do.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

const PROGRAMS: [&str; 5] = ["client", "cluster-config", "cluster-join", "health-check", "iam-setup"];

#[test]
fn every_endpoint_is_documented() {
    let client = read("profiles/first-boot/programs/client.sh");
    let page = read("docs/first-boot.md");
    let endpoints: Vec<_> = client
        .lines()
        .filter_map(|line| line.trim().split_once("_path=/"))
        .map(|(_, rest)| format!("/{}", rest.split(' ').next().unwrap()))
        .collect();
    assert_eq!(endpoints.len(), 5, "{endpoints:?}");
    for endpoint in endpoints {
        assert!(
            page.contains(&format!("`GET {endpoint}`")) || page.contains(&format!("`POST {endpoint}`")),
            "{endpoint}"
        );
    }
}

/// The messages of the table, up to where they name a place, are in a program.
#[test]
fn documented_messages_are_what_is_said() {
    let programs = PROGRAMS.map(|name| read(&format!("profiles/first-boot/programs/{name}.sh"))).concat();
    let page = read("docs/first-boot.md");
    let (_, table) = page.split_once("| message | means | what to do |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut seen = 0;
    for row in rows {
        let message = row.split('`').nth(1).unwrap();
        let words = message
            .split(['…', ':'])
            .flat_map(|part| part.split(" HOST"))
            .flat_map(|part| part.split(" NODE"));
        for part in words.flat_map(|part| part.split(" CLUSTER")).flat_map(|part| part.split("HOST ")) {
            let part = part.trim().trim_start_matches("CLUSTER ");
            let said = part.replace("120s", "${health_timeout}s").replace("chainfire", "$service");
            if !["KEY", ""].contains(&part) && !said.ends_with("key_path") && !said.ends_with("404") {
                assert!(programs.contains(&said), "{said:?} of {message:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 15, "{seen}");
}
