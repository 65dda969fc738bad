//! Every case of `tests/golden/` renders to its `expected/` tree, byte for byte. `UPDATE=1` accepts what comes out.
//!
//! Certificates are stand-ins, so that nothing here changes as time goes by; the reference at the root of the
//! repository has real ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use plasmagen::outputs;
use test_kit::{case_dirs, plan, repository};

/// The files below `dir` by path.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file());
    let name = |path: &Path| path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
    files.map(|entry| (name(entry.path()), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn cases_render_as_expected() {
    let mut stale = Vec::new();
    for case in case_dirs() {
        let rendered: BTreeMap<String, Vec<u8>> = outputs::render(&plan(&case))
            .unwrap()
            .iter()
            .map(|artifact| (artifact.path.to_string(), artifact.body.clone()))
            .collect();
        let expected = case.join("expected");
        if std::env::var_os("UPDATE").is_some() {
            let _ = fs::remove_dir_all(&expected);
            for (path, body) in &rendered {
                let path = expected.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, body).unwrap();
            }
        }
        let on_disk = tree(&expected);
        for path in
            rendered.keys().chain(on_disk.keys()).filter(|path| rendered.get(*path) != on_disk.get(*path))
        {
            stale.push(format!("{}/{path}", expected.strip_prefix(repository()).unwrap().display()));
        }
    }
    assert!(stale.is_empty(), "these differ; UPDATE=1 accepts what is rendered now: {stale:#?}");
}

#[test]
fn the_same_inventory_gives_the_same_bytes() {
    for case in case_dirs() {
        assert_eq!(outputs::render(&plan(&case)).unwrap(), outputs::render(&plan(&case)).unwrap());
    }
}

#[test]
fn every_output_is_rendered_by_some_case() {
    let rendered: Vec<String> = case_dirs()
        .iter()
        .flat_map(|case| {
            outputs::render(&plan(case))
                .unwrap()
                .iter()
                .map(|artifact| artifact.path.to_string())
                .collect::<Vec<_>>()
        })
        .collect();
    let contains = |part: &str| rendered.iter().any(|path| path.contains(part));
    let ends = |end: &str| rendered.iter().any(|path| path.ends_with(end));
    for output in outputs::OUTPUTS {
        let is_rendered = match output.name {
            "certificates" => ends("-cert.pem"),
            "certificate lists" => ["nodes/issued.json", "nodes/revoked.json"].into_iter().all(ends),
            "site/firewall" => contains("site/firewall/"),
            "node.ipxe" => contains("/ipxe/node/") && contains("/overlay/"),
            "site/dns" => [".zone", "/named.conf", "/hosts"].into_iter().all(ends),
            name => ends(&format!("/{name}")),
        };
        assert!(is_rendered, "no case renders {}", output.name);
    }
}
