//! Where a vault may not lie, since others come to read there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use plasmagen::pki::Vault;

fn refusal(dir: &Path, forbidden: &[&Path]) -> String {
    let opened = Vault::open(dir, forbidden).unwrap_err().to_string();
    let created = Vault::open_or_new(dir, forbidden).unwrap_err().to_string();
    assert_eq!(opened, created);
    created
}

#[test]
fn the_nix_store_is_refused() {
    let message = refusal(Path::new("/nix/store/abc-site/vault"), &[]);
    assert!(message.contains("in the Nix store, which every user can read"), "{message}");
}

#[test]
fn output_and_served_directories_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let site = root.path().join("site");
    for vault in [site.clone(), site.join("www/vault"), root.path().join("x/../site/vault")] {
        fs::create_dir_all(root.path().join("x")).unwrap();
        let message = refusal(&vault, &[&root.path().join("nodes"), &site]);
        assert!(message.contains("writes or serves in public"), "{message}");
    }
    assert!(!site.exists(), "a refused vault leaves nothing behind");
    Vault::open_or_new(&root.path().join("site-vault"), &[&site]).unwrap();
}

#[test]
fn a_flake_anywhere_above_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("flake.nix"), "{ }").unwrap();
    for vault in [root.path().to_owned(), root.path().join("vault"), root.path().join("a/b/vault")] {
        let message = refusal(&vault, &[]);
        assert!(message.contains("flake.nix") && message.contains("ignored files too"), "{message}");
    }
    assert!(!root.path().join("a").exists());
}

#[test]
fn symbolic_links_hide_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (flake, site) = (root.path().join("flake"), root.path().join("site"));
    fs::create_dir_all(&flake).unwrap();
    fs::create_dir_all(&site).unwrap();
    fs::write(flake.join("flake.nix"), "{ }").unwrap();
    symlink(&flake, root.path().join("to-flake")).unwrap();
    symlink(&site, root.path().join("to-site")).unwrap();
    assert!(refusal(&root.path().join("to-flake/vault"), &[]).contains("flake.nix"));
    assert!(refusal(&root.path().join("to-site/deep/vault"), &[&site]).contains("serves in public"));
    assert!(refusal(&site.join("vault"), &[&root.path().join("to-site")]).contains("serves in public"));
}

#[test]
fn a_path_through_a_missing_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let message = refusal(&root.path().join("missing/../vault"), &[]);
    assert!(message.contains("does not exist"), "{message}");
}
