# disko: its option, and of the options that disko sets, those that open encrypted disks at boot, as disko's
# lib/types/luks.nix sets them. tests/disks has the real disko write the whole.
{ config, lib, ... }:
let
  inherit (import ./types.nix { inherit lib; }) option;
  inherit (config.disko) devices;

  opened =
    device: holder:
    let
      content = holder.content or { };
    in
    lib.optional (content.type or "" == "luks") {
      ${content.name} = {
        inherit device;
      }
      // content.settings;
    };
  ofDisk =
    name: disk:
    lib.concatLists (
      lib.mapAttrsToList (part: opened "/dev/disk/by-partlabel/disk-${name}-${part}") disk.content.partitions
    );
in
{
  options.disko.devices = option (lib.types.attrsOf lib.types.anything) { };

  config.boot.initrd.luks.devices = lib.mkMerge (
    lib.concatLists (lib.mapAttrsToList ofDisk (devices.disk or { }))
    ++ lib.concatLists (lib.mapAttrsToList (name: opened "/dev/md/${name}") (devices.mdadm or { }))
  );
}
