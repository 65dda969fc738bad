//! The installers that machines boot from the network.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::flake::kit::{KEY, World};

const IMAGE: &str = "packages.x86_64-linux.netboot-control-plane.image.config";

/// A world whose images have `module` on top.
fn with(module: &str) -> World {
    let world = World::with_site();
    says(&world, module);
    world
}

fn says(world: &World, module: &str) {
    world.says(&format!(
        "{{ src = ./.; inherit nixpkgs plasmacloud; installerModules = [ ({{ lib, ... }}: {{ {module} }}) ]; }}"
    ));
}

/// What `apply` makes of the image's configuration.
fn config(world: &World, apply: &str) -> Value {
    world.value("site", IMAGE, apply)
}

#[test]
fn it_takes_the_operators_keys_and_nothing_else() {
    let world = with("");
    let access = config(
        &world,
        "config: { inherit (config.services.openssh) authorizedKeysInHomedir; settings = { inherit \
         (config.services.openssh.settings) PasswordAuthentication KbdInteractiveAuthentication PermitRootLogin; }; \
         inherit (config.users) mutableUsers; getty = config.services.getty.autologinUser; \
         users = builtins.mapAttrs (_: user: [ user.password user.hashedPassword user.initialPassword \
         user.initialHashedPassword user.hashedPasswordFile ]) config.users.users; \
         keys = config.users.users.root.openssh.authorizedKeys.keys; variant = config.system.nixos.variant_id; }",
    );
    let expected = json!({
        "settings": {
            "PasswordAuthentication": false,
            "KbdInteractiveAuthentication": false,
            "PermitRootLogin": "prohibit-password",
        },
        "authorizedKeysInHomedir": true,
        "mutableUsers": false,
        "getty": null,
        "users": { "root": [null, "!", null, null, null] },
        "keys": [KEY],
        "variant": "installer",
    });
    assert_eq!(access, expected);
}

#[test]
fn a_way_in_without_a_key_is_refused() {
    let world = with("");
    for (module, said) in [
        ("users.users.root.initialHashedPassword = \"\";", "would admit root by a password"),
        ("users.users.nixos.initialHashedPassword = \"\";", "would admit nixos by a password"),
        ("users.users.root.hashedPassword = lib.mkForce \"$6$abc$def\";", "would admit root by a password"),
        ("users.users.root.password = \"nixos\";", "would admit root by a password"),
        ("users.users.ops.initialPassword = \"nixos\";", "would admit ops by a password"),
        ("users.users.ops.hashedPasswordFile = \"/run/password\";", "would admit ops by a password"),
        ("services.getty.autologinUser = lib.mkForce \"root\";", "would log in root at the console"),
        ("services.openssh.settings.PasswordAuthentication = lib.mkForce true;", "would ask for passwords"),
        (
            "services.openssh.settings.KbdInteractiveAuthentication = lib.mkForce true;",
            "would ask for passwords",
        ),
        ("services.openssh.settings.PermitRootLogin = lib.mkForce \"yes\";", "would ask for passwords"),
    ] {
        says(&world, module);
        let error = world.check("site").unwrap_err();
        assert!(error.contains(said), "{module}: {error}");
    }
    says(&world, "users.users.ops.hashedPassword = \"!\";");
    world.check("site").unwrap();
}

#[test]
fn only_public_keys_come_into_it() {
    let world = with("");
    let (_, body) = KEY.split_once(' ').unwrap();
    for key in [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
        "command=\\\"id\\\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP",
        "ssh-ed25519 AAAA$(id)",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y;$(id)",
        "",
    ] {
        world.edit("site/inventory.json", KEY, key);
        let error = world.check("site").unwrap_err();
        assert!(error.contains("is no public SSH key"), "{key}: {error}");
        assert!(key.is_empty() || !error.contains(key), "{error}");
        let json = world.path("site/site/inventory.json");
        let text = fs::read_to_string(&json).unwrap();
        let back = text.replace(
            &format!("\"admin_keys\": [\n    \"{key}\""),
            &format!("\"admin_keys\": [\n    \"{KEY}\""),
        );
        fs::write(json, back).unwrap();
    }
    says(
        &world,
        &format!("users.users.root.openssh.authorizedKeys.keys = [ \"ecdsa-sha2-nistp256 {body}\" ];"),
    );
    world.check("site").unwrap();
}

#[test]
fn the_overlay_passes_both_kinds_of_stage_1() {
    let of = "config: { scripted = config.boot.initrd.postMountCommands; \
              units = builtins.mapAttrs (_: unit: unit.script) config.boot.initrd.systemd.services; \
              applies = config.systemd.services.plasmagen-overlay.before; }";
    let carry = fs::read_to_string("profiles/netboot/carry.sh").unwrap();
    let world = with("");
    let image = config(&world, of);
    assert!(image["scripted"].as_str().unwrap().contains(&carry), "{image}");
    assert_eq!(image["units"], json!({}));
    assert_eq!(image["applies"], json!(["network-pre.target", "sshd.service"]));
    says(&world, "boot.initrd.systemd.enable = true;");
    let image = config(&world, of);
    // An assertion of NixOS fails where there is any.
    assert_eq!(image["scripted"], "");
    assert_eq!(image["units"], json!({ "plasmagen-overlay": carry }));
}

/// SSH on a machine that names itself an installer, by whatever addresses DHCP gives, whenever it does; and its programs.
#[test]
fn nixos_anywhere_finds_what_it_needs() {
    let image = config(
        &with(""),
        "config: { packages = map (package: package.name) config.environment.systemPackages; \
         inherit (config.nix.settings) experimental-features; ssh = config.services.openssh.enable; \
         inherit (config.systemd.network) networks; firewall = config.networking.firewall.enable; \
         hardware = config.hardware.enableRedistributableFirmware; file = config.boot.supportedFilesystems; }",
    );
    let packages = image["packages"].as_array().unwrap();
    for name in ["cryptsetup", "curl", "gptfdisk", "jq", "parted", "rsync"] {
        assert!(packages.contains(&json!(name)), "{name}: {packages:?}");
    }
    assert_eq!(image["experimental-features"], json!(["nix-command", "flakes"]));
    assert_eq!([&image["ssh"], &image["firewall"], &image["hardware"]], [&json!(true); 3]);
    let cards = &image["networks"]["90-any-card"];
    assert_eq!([&cards["matchConfig"]["Type"], &cards["networkConfig"]["DHCP"]], ["ether", "yes"]);
    for name in ["btrfs", "ext4", "vfat", "xfs"] {
        assert_eq!(image["file"][name], true, "{name}");
    }
}

/// What is a program under test in tests/image/netboot, systemd starts here, and the console shows.
#[test]
fn its_units_run_the_programs_and_speak_on_the_console() {
    let services =
        config(&with(""), "config: { inherit (config.systemd.services) plasmagen-facts plasmagen-overlay; }");
    for (name, program) in [("plasmagen-facts", "facts"), ("plasmagen-overlay", "apply")] {
        let unit = &services[name];
        let start = unit["serviceConfig"]["ExecStart"].as_str().unwrap();
        assert!(start.ends_with(&format!("{program}.sh /run/plasmagen/overlay /")), "{start}");
        assert_eq!(unit["serviceConfig"]["StandardOutput"], "journal+console", "{name}");
        assert_eq!(unit["wantedBy"], json!(["multi-user.target"]), "{name}");
    }
    assert_eq!(services["plasmagen-overlay"]["unitConfig"]["ConditionPathExists"], "/run/plasmagen/overlay");
    assert!(
        services["plasmagen-facts"]["after"]
            .as_array()
            .unwrap()
            .contains(&json!("plasmagen-overlay.service"))
    );
}

/// What the builder would run, with Debian's kernel and a ramdisk of nothing in the place of NixOS': the same bundle each
/// time.
#[test]
fn it_comes_through_plasmagen_bundle() {
    let world = with("boot.kernelParams = [ \"a=b\" ];");
    let bundle = "packages.x86_64-linux.netboot-control-plane";
    let command = world.value("site", bundle, "bundle: bundle.buildCommand");
    let command = command.as_str().unwrap();
    let inputs = world.value("site", bundle, "bundle: map (input: input.name) bundle.nativeBuildInputs");
    assert_eq!(inputs, json!(["plasmagen-0.1.0"]));
    let path = |option: &str| {
        let (_, after) = command.split_once(&format!("{option} ")).unwrap();
        Path::new(after.split_ascii_whitespace().next().unwrap()).to_owned()
    };
    let (kernel, initrd, init) = (path("--kernel"), path("--initrd"), path("--init"));
    assert_eq!([kernel.file_name(), initrd.file_name()], [Some("bzImage".as_ref()), Some("initrd".as_ref())]);
    let script = "mkdir -p \"${1%/*}\" ram && cp \"$4\" \"$1\" && echo squashfs >ram/nix-store.squashfs && cd ram && \
                  find . | cpio --create --format=newc --quiet >\"$2\"";
    let paths = [&kernel, &initrd, &init, &debian()].map(|path| path.to_str().unwrap().to_owned());
    let mut arguments = vec!["-euc", script, "bash"];
    arguments.extend(paths.iter().map(String::as_str));
    let made = world.run("bash", &world.path(""), &arguments);
    assert!(made.status.success(), "{made:?}");

    let program = Path::new(env!("CARGO_BIN_EXE_plasmagen")).parent().unwrap();
    let build = |out: &str| {
        let script = format!("PATH={}:$PATH; out={out}; {command}", program.display());
        let built = world.run("bash", &world.path(""), &["-euc", &script]);
        assert!(built.status.success(), "{built:?}");
        fs::read_to_string(world.path(out).join("SHA256SUMS")).unwrap()
    };
    assert_eq!(build("first"), build("second"));
    let manifest: Value =
        serde_json::from_slice(&fs::read(world.path("first/manifest.json")).unwrap()).unwrap();
    assert_eq!([&manifest["profile"], &manifest["arch"]], ["control-plane", "x86_64-linux"]);
    assert_eq!(manifest["init"], init.to_str().unwrap());
    assert_eq!(manifest["command_line"], "console=tty0 console=ttyS0,115200 a=b");
    // The drivers that the inventory's hardware names.
    let modules = config(&world, "config: config.boot.kernelModules");
    assert!(modules.as_array().unwrap().contains(&json!("megaraid_sas")), "{modules}");
}

/// The kernel that tests/run unpacks.
fn debian() -> PathBuf {
    std::env::var_os("PLASMAGEN_LAB_KERNEL").map(PathBuf::from).unwrap_or_else(|| {
        let boot = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("boot").join("boot");
        let mut files = fs::read_dir(&boot).unwrap().map(|entry| entry.unwrap().path());
        let is_kernel = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("vmlinuz-");
        files.find(is_kernel).unwrap_or_else(|| panic!("{} has no kernel: run tests/run", boot.display()))
    })
}
