//! A web root that several clusters share, in which somebody who may write there has forged the site of one: the inventory of
//! another finds that out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use plasmagen::fs::Sha256Sum;
use plasmagen::publish::{FaultKind, PublicationTerms, Signers, SigningKey, VerifyRequirements, verify};
use serde_json::{Value, json};

use test_kit::{memory, tree};

use crate::publish::clusters::{ELM, OAK, added, back, fetch, of, put_site, shared};
use crate::publish::forged::forge_site;
use crate::publish::kit::{MAC, NOW, faults, kinds, named};
use crate::publish::signers::key;

/// The sites that the served joint site names.
fn sites(root: &Path) -> BTreeMap<String, String> {
    let list = fs::read(root.join("site/current/clusters.json")).unwrap();
    serde_json::from_value(serde_json::from_slice::<Value>(&list).unwrap()["sites"].clone()).unwrap()
}

/// Changes the served site of `cluster` as an intruder would who knows this program; returns the id of the forged site.
fn forge_part(root: &Path, cluster: &str, files: &[(&str, &[u8])]) -> String {
    let channel = root.join("sites").join(cluster);
    let dir = channel.join(&sites(root)[cluster]);
    for (path, body) in files {
        fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        fs::write(dir.join(path), body).unwrap();
    }
    let mut list = BTreeMap::new();
    for (path, _) in tree::contents(&dir) {
        let name = path.to_str().unwrap().to_owned();
        if dir.join(&path).is_file() && !["manifest.json", "publication.json"].contains(&name.as_str()) {
            list.insert(name, Sha256Sum::of(&fs::read(dir.join(&path)).unwrap()));
        }
    }
    let lines = list.iter().map(|(path, sha256)| format!("{{\"path\":\"{path}\",\"sha256\":\"{sha256}\"}}"));
    let lines = lines.collect::<Vec<_>>().join(",\n");
    let manifest: Value = serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();
    let schema = &manifest["schema"];
    let text =
        format!("{{\n\"generator\": \"plasmagen\",\n\"schema\": {schema},\n\"files\": [\n{lines}\n]\n}}\n");
    let id = Sha256Sum::of(text.as_bytes()).to_string();
    fs::write(dir.join("manifest.json"), text).unwrap();
    let path = dir.join("publication.json");
    let mut publication: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    publication["manifest"] = json!(id);
    fs::write(path, serde_json::to_string_pretty(&publication).unwrap() + "\n").unwrap();
    fs::rename(&dir, channel.join(&id)).unwrap();
    id
}

/// Lets the served joint site name the forged site `id` of `cluster`, and have `files` as well.
fn forge_joint(root: &Path, cluster: &str, id: &str, files: &[(&str, &[u8])]) {
    let mut all = sites(root);
    all.insert(cluster.to_owned(), id.to_owned());
    let list = json!({ "schema": 1, "sites": all });
    let channel = root.join("site");
    let dir = channel.join(fs::read_link(channel.join("current")).unwrap());
    // forge_site prints the manifest of the files that were listed before.
    let path = dir.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut paths: Vec<_> = manifest["files"].as_array().unwrap().clone();
    for (path, _) in files {
        paths.retain(|file| file["path"] != json!(path));
        paths.push(json!({ "path": path }));
    }
    paths.sort_by_key(|file| file["path"].as_str().unwrap().to_owned());
    manifest["files"] = json!(paths);
    fs::write(path, manifest.to_string()).unwrap();
    forge_site(root, &|dir| {
        for (path, body) in files {
            fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
            fs::write(dir.join(path), body).unwrap();
        }
        fs::write(dir.join("clusters.json"), serde_json::to_string_pretty(&list).unwrap() + "\n").unwrap();
    });
}

/// The kinds of what is wrong for oak, whose key signs.
fn faults_of_oak(root: &Path, public: &str) -> Vec<(FaultKind, String)> {
    let signers = Signers::of_keys([public].into_iter()).unwrap();
    let required = VerifyRequirements {
        now: NOW,
        least: &[],
        signers: Some(&signers),
        cluster: named("oak"),
        boot_signer: None,
    };
    let faults = verify(root, &required, &|_| {}).unwrap().faults;
    faults.into_iter().map(|fault| (fault.kind, fault.path)).collect()
}

/// A list of clusters in the site of a cluster does not make that site a joint one, which needs no signature.
#[test]
fn a_list_of_clusters_does_not_replace_a_signature() {
    let (root, keys) = (memory::tempdir(), tempfile::tempdir().unwrap());
    let root = root.path();
    let (oak, public) = key(keys.path(), "ed25519", "");
    let oak = SigningKey::open(&oak).unwrap();
    let signed = |cluster| PublicationTerms { signing_key: Some(&oak), ..added(cluster) };
    put_site(root, signed("oak"), "oak", OAK).unwrap();
    put_site(root, added("elm"), "elm", ELM).unwrap();
    assert_eq!(faults_of_oak(root, &public), []);
    let script = format!("ipxe/node/{MAC}.ipxe");
    let forged = b"#!ipxe\n# forged\nset node node01\nset profile worker\n";
    let list = fs::read(root.join("site/current/clusters.json")).unwrap();
    let files: [(&str, &[u8]); 2] = [(&script, forged), ("clusters.json", &list)];
    let id = forge_part(root, "oak", &files);
    forge_joint(root, "oak", &id, &files[..1]);
    let dir = format!("sites/oak/{id}/");
    let found = faults_of_oak(root, &public);
    assert!(found.contains(&(FaultKind::Unsigned, format!("{dir}publication.json.sig"))), "{found:?}");
    assert!(found.contains(&(FaultKind::Swapped, format!("{dir}clusters.json"))), "{found:?}");
}

/// A joint site that is kept beside the site of a cluster that is alone is neither excused from signatures nor the way back.
#[test]
fn a_joint_site_beside_a_single_one_is_nothing_to_go_back_to() {
    let (root, keys, joint) = (memory::tempdir(), tempfile::tempdir().unwrap(), shared());
    let root = root.path();
    let (oak, public) = key(keys.path(), "ed25519", "");
    let oak = SigningKey::open(&oak).unwrap();
    let signed = PublicationTerms { signing_key: Some(&oak), ..of("oak") };
    put_site(root, signed, "oak", OAK).unwrap();
    put_site(root, signed, "oak new", OAK).unwrap();
    assert_eq!(faults_of_oak(root, &public), []);
    let id = fs::read_link(joint.path().join("site/current")).unwrap();
    tree::copy(&joint.path().join("site").join(&id), &root.join("site").join(&id));
    let found = faults_of_oak(root, &public);
    let unsigned = format!("site/{}/publication.json.sig", id.display());
    assert!(found.contains(&(FaultKind::Unsigned, unsigned)), "{found:?}");
    // The joint site has the highest number.
    back(root, signed).unwrap();
    assert_eq!(fetch(root, MAC).as_deref(), Some("oak"));
    // To publish again removes the joint site, and keeps the generation before.
    let before = fs::read_link(root.join("site/current")).unwrap();
    put_site(root, signed, "oak", OAK).unwrap();
    assert_eq!(fs::read_link(root.join("site/current")).unwrap(), before);
    assert!(!root.join("site").join(&id).exists());
    assert_eq!(fs::read_dir(root.join("site")).unwrap().count(), 3);
    assert_eq!(faults(root), []);
}

/// A neighbour that has files for a machine of oak, without a script that plasmagen can read.
#[test]
fn files_for_a_machine_of_another_cluster_are_a_conflict() {
    let big = vec![b'#'; (1 << 20) + 1];
    let overlay = format!("overlay/{MAC}.cpio.gz");
    let (signature, script) = (format!("ipxe/node/{MAC}.ipxe.sig"), format!("ipxe/node/{MAC}.ipxe"));
    for (path, body) in [(&overlay, b"forged".as_slice()), (&signature, b"forged"), (&script, &big)] {
        let root = shared();
        let root = root.path();
        let id = forge_part(root, "elm", &[(path, body)]);
        forge_joint(root, "elm", &id, &[(path, body)]);
        let found = kinds(root);
        assert!(found.contains(&(FaultKind::Swapped, "sites/oak".to_owned())), "{path}: {found:?}");
    }
}
