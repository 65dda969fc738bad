# A layout as disko sees it: the script that installs it and the layout itself, its disks being the machine's.
{
  disko,
  lib,
  layout,
  # The name of the node.
  node,
}:
let
  # Builtins that disko takes from lib: that of nixpkgs 22.11 does not hand them on.
  nixLib = (import lib).extend (_: _: { inherit (builtins) map match; });
  given = import layout { plasmagen = { }; };
  # QEMU's NVMe disks, by the name that udev gives them; nothing else of the layout is changed.
  link = name: "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_${name}";
  nameOf =
    id:
    builtins.head (
      builtins.filter (name: given.disko.devices.disk.${name}.device == id) (
        builtins.attrNames given.disko.devices.disk
      )
    );
  cfg = nixLib.recursiveUpdate given {
    disko.devices.disk = builtins.mapAttrs (name: _: { device = link name; }) given.disko.devices.disk;
    plasmagen.wipeGuard.disks = map (disk: { id = link (nameOf disk.id); }) given.plasmagen.wipeGuard.disks;
  };
  diskoLib = import (disko + "/lib") {
    lib = nixLib;
    rootMountPoint = "/mnt";
  };
  evaluated = nixLib.evalModules {
    modules = [
      {
        options = {
          disko.devices = nixLib.mkOption { type = diskoLib.toplevel; };
          networking.hostName = nixLib.mkOption { };
          assertions = nixLib.mkOption { };
        };
        config = cfg // {
          networking.hostName = node;
        };
      }
      ../../profiles/wipe-guard
    ];
  };
in
{
  script = builtins.unsafeDiscardStringContext evaluated.config.disko.devices._destroyFormatMount;
  texts = builtins.mapAttrs (_: builtins.unsafeDiscardStringContext) {
    inherit (evaluated.config.disko.devices)
      _create
      _destroy
      _destroyFormatMount
      _disko
      _formatMount
      _legacyDestroy
      _mount
      ;
  };
  failed = builtins.filter (check: !check.assertion) evaluated.config.assertions;
  devices = cfg.disko.devices;
}
