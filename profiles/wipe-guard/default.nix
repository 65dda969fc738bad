# The wipe guard: what disko's scripts do before their first write. All scripts of disko that erase or format are made of
# three texts, the options _destroy, _legacyDestroy and _create of disko.devices (disko's lib/default.nix, `toplevel`); the
# guard stands at the head of each. A text of `disko.devices` has the guard whoever calls the script.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.plasmagen.wipeGuard;
  inherit (lib) types;

  # A fact that is missing is no error here: the guard refuses without the fact.
  fact =
    type: description:
    lib.mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
  size = types.strMatching "[1-9][0-9]*[MGT]";

  arguments =
    devices:
    [
      "--node"
      config.networking.hostName
    ]
    ++ lib.concatLists (
      lib.mapAttrsToList
        (name: value: [
          "--${name}"
          (if value == null then "" else value)
        ])
        {
          inherit (cfg) serial mac firmware;
          inherit (cfg.layout) each all;
          inherit (cfg.names) label;
          group = cfg.names.volumeGroup;
          # x86_64-linux
          machine = if cfg.system == null then null else lib.head (lib.splitString "-" cfg.system);
        }
    )
    ++ lib.concatLists (
      lib.mapAttrsToList (name: mac: [
        "--interface"
        "${name}=${mac}"
      ]) cfg.interfaces
    )
    ++ lib.concatMap (
      disk:
      [
        "--disk"
        disk.id
      ]
      ++ lib.optionals (disk.size != null) [
        "--size"
        disk.size
      ]
    ) cfg.disks
    ++ lib.concatMap (disk: [
      "--erases"
      disk.device
    ]) (lib.attrValues devices.disk);

  # The first lines of a script. A script that destroys and formats has both texts, and the guard looks once: before.
  guard = devices: ''
    # The wipe guard of plasmagen.
    if [ "''${plasmagen_wipe_guard:-}" != "$$" ]; then
      "$BASH" ${./program}/guard.sh / ${lib.escapeShellArgs (arguments devices)} || exit 1
      plasmagen_wipe_guard=$$
    fi
  '';
  mark = "# The wipe guard of plasmagen.";

  guarded = [
    "_create"
    "_destroy"
    "_legacyDestroy"
  ];
in
{
  options.plasmagen.wipeGuard = {
    enable = import ../part.nix lib "the comparison of the machine with the inventory before disko's first write";
    serial = fact types.str "Serial number that the machine's firmware reports.";
    mac = fact types.str "MAC address of the network card that boots.";
    interfaces = lib.mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "MAC addresses of further network cards, by the name of the interface.";
    };
    firmware = fact (types.enum [
      "uefi"
      "bios"
    ]) "How the machine boots.";
    system = fact types.str "Kind of machine, in Nix's terms.";
    disks = lib.mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            id = lib.mkOption {
              type = types.str;
              description = "Path of the disk.";
            };
            size = fact size "Size of the disk.";
          };
        }
      );
      default = [ ];
      description = "Disks that may be erased. Without them, nothing is compared.";
    };
    layout.each = fact size "Least size of each disk.";
    layout.all = fact size "Least size of all disks together.";
    names.label = fact types.str "Name of the node in the names of its partitions and arrays.";
    names.volumeGroup = fact types.str "Name of the node's volume group.";
  };

  # A machine without the module of disko has no such script.
  config = lib.optionalAttrs (options ? disko.devices) (
    lib.mkIf (cfg.enable && cfg.disks != [ ]) {
      disko.devices =
        { config, options, ... }:
        lib.genAttrs guarded (text: guard config + options.${text}.default);

      # A module that replaces disko.devices whole takes the guard away.
      assertions = [
        {
          assertion =
            (config.disko.testMode or false)
            || lib.all (text: lib.hasInfix mark config.disko.devices.${text}) guarded;
          message = "disko's scripts have no wipe guard: a module replaces disko.devices by mkForce. Force single keys of it, or set plasmagen.wipeGuard.enable = false";
        }
      ];
    }
  );
}
