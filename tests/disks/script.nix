# A layout as disko sees it: the script that installs it and the layout itself, its disks being the machine's.
{
  disko,
  lib,
  layout,
}:
let
  # Builtins that disko takes from lib: that of nixpkgs 22.11 does not hand them on.
  nixLib = (import lib).extend (_: _: { inherit (builtins) map match; });
  given = import layout;
  # QEMU's NVMe disks, by the name that udev gives them; nothing else of the layout is changed.
  cfg = nixLib.recursiveUpdate given {
    disko.devices.disk = builtins.mapAttrs (name: _: {
      device = "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_${name}";
    }) given.disko.devices.disk;
  };
  diskoLib = import (disko + "/lib") {
    lib = nixLib;
    rootMountPoint = "/mnt";
  };
  evaluated = nixLib.evalModules {
    modules = [
      {
        options.disko.devices = nixLib.mkOption { type = diskoLib.toplevel; };
        config = cfg;
      }
    ];
  };
in
{
  script = builtins.unsafeDiscardStringContext evaluated.config.disko.devices._destroyFormatMount;
  devices = cfg.disko.devices;
}
